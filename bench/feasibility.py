"""Forecasts of `quorum feasibility` against the nights that follow, as docs/benchmarks.md shows them.

What belongs here: which portals, and the tables. What does not: drawing and counting their nights
(`tests/sample_portal`).

Each portal is learned for a week, as its plans have it released; then a week is forecast and counted. A third of the
campaigns start with the second week: of them nothing is known but the booking.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from quorum.policy import load_policy

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from sample_portal import MONDAY, Outcome, Portal, hold, learned  # noqa: E402

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- feasibility:begin -->\n", "<!-- feasibility:end -->"
PLANS = {"as planned": None, "all by day": 0}
SIZES = ((0, 1_000, "under 1,000"), (1_000, 4_000, "1,000 to 4,000"), (4_000, 10**12, "4,000 and more"))
PORTALS = ({"impressions": 60_000, "campaigns": 24, "ctr": 0.03, "members": 20_000, "seed": 1},)


def measure(**size: object) -> list[Outcome]:
    """Learn a week of a portal, and hold the forecasts against the next."""
    portal = Portal(load_policy(ROOT / "policy"), **size)
    days = [MONDAY + timedelta(days=n) for n in range(14)]
    found = hold(portal, learned(portal, days[:7]), PLANS, days[7:])
    return [replace(one, campaign_id=f"{portal.seed}/{one.campaign_id}") for one in found]


def write_page(found: Sequence[Outcome]) -> None:
    """Write the tables between the marks of the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + f"{_campaigns(found)}\n{_tables(found)}" + END + after, encoding="utf-8")


def _campaigns(found: Sequence[Outcome]) -> str:
    lines = [
        "| plan | family | campaigns, impressions a day | n | forecast | told | mean error | worst | within low-high |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    best = _bests(found)
    for plan in PLANS:
        for family in ("impressions", "clicks"):
            for is_new, known in ((False, "running"), (True, "not started")):
                group = [o for o in best if (o.plan, o.family, o.is_new) == (plan, family, is_new)]
                lines += [
                    _line(plan, family, f"{known}, {name}", [o for o in group if low <= o.impressions < high])
                    for low, high, name in SIZES
                    if any(low <= o.impressions < high for o in group)
                ]
            lines.append(_line(plan, family, "**all**", [o for o in best if (o.plan, o.family) == (plan, family)]))
    return "\n".join(lines) + "\n"


def _bests(found: Sequence[Outcome]) -> list[Outcome]:
    """Return of each campaign and family the table that the forecast calls the best; if none, what told most."""
    chosen: dict[tuple[str, str, str], Outcome] = {}
    for one in sorted(found, key=lambda one: (one.is_best, one.actual)):
        chosen[one.plan, one.family, one.campaign_id] = one
    return list(chosen.values())


def _line(plan: str, family: str, name: str, some: Sequence[Outcome]) -> str:
    errors = np.array([abs(one.forecast.expected - one.actual) for one in some])
    inside = [one.forecast.low - 1e-9 <= day <= one.forecast.high + 1e-9 for one in some for day in one.days]
    forecast, told = _together(some)
    numbers = (
        f"{forecast:.1%} | {told:.1%} | {errors.mean() * 100:.1f} | {errors.max() * 100:.0f} | {np.mean(inside):.0%}"
    )
    return f"| {plan} | {family} | {name} | {len(some)} | {numbers} |"


def _tables(found: Sequence[Outcome]) -> str:
    tables = list(dict.fromkeys(one.table for one in found))
    lines = [f"| plan | family | | {' | '.join(tables)} |", f"|---|---|---|{'---:|' * len(tables)}"]
    for plan in PLANS:
        for family in ("impressions", "clicks", "conversions"):
            of = {table: [o for o in found if (o.plan, o.family, o.table) == (plan, family, table)] for table in tables}
            for name, place in (("forecast", 0), ("told", 1)):
                cells = [f"{_together(some)[place]:.1%}" if some else "" for some in of.values()]
                lines.append(f"| {plan} | {family} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _together(some: Sequence[Outcome]) -> tuple[float, float]:
    """Return the shares forecast and told of all their events."""
    weights = np.array([one.events for one in some], dtype=np.float64)
    shares = np.array([(one.forecast.expected, one.actual) for one in some])
    forecast, told = np.average(shares, axis=0, weights=weights + 1e-9)
    return float(forecast), float(told)


def main() -> None:
    found: list[Outcome] = []
    for size in PORTALS:
        found += measure(**size)
        print(size, len(found), flush=True)
    write_page(found)


if __name__ == "__main__":
    main()
