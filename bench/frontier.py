"""The frontier of k, level, period and table on cubes of `bench.night`, as docs/benchmarks.md shows it.

What belongs here: what is run, and the page with its chart. What does not: packages and shares (`bench.utility`,
`bench.measure`).

    python -m bench.night HOME && python -m bench.frontier HOME
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from bench.chart import Series, line_chart
from bench.measure import Tally
from bench.night import ROOT, days_up_to
from bench.utility import Bench, always, joint_told, plans_of, with_threshold
from quorum.policy import load_policy
from quorum.tables.periods import DAY, WEEK
from quorum.zones import Home

KS = (10, 20, 50, 100)
FAMILIES = ("impressions", "clicks")
LEVEL = 2
"""The finest level of every table."""
PAGE = ROOT / "docs" / "benchmarks.md"
CHART = ROOT / "docs" / "benchmarks.svg"
_MARK = re.compile(r"(<!-- utility:begin -->\n).*(<!-- utility:end -->)", re.DOTALL)
_SHARES = ("told", "finest", "dropped", "bound")
_NAMES = {"joint": "as planned, day and week", "day": "by day", "week": "by week", "planned": "by day, as planned"}

Row = dict[str, str | int | float]


def measure(home: Home, last: date) -> Iterator[Row]:
    """Measure plans first, then every k by day and by week; yield one row a run, family and table.

    Args:
        home: from `bench.night`: seven nights that end on a Sunday.
        last: that Sunday.
    """
    policy = load_policy(ROOT / "policy")
    days = days_up_to(last, 7)
    bench = Bench(home, days, policy)
    planner = bench.planned()
    told, packages = bench.days_told(planner)
    yield from _rows("planned", 50, told)
    week = bench.week_told(packages)
    yield from _rows("joint", 50, joint_told(told, week, plans_of(bench, planner)))
    for k in (50, *(k for k in KS if k != 50)):
        one = Bench(home, days, with_threshold(policy, k))
        yield from _rows("day", k, one.days_told(always(DAY, LEVEL), days[2:3])[0])
        yield from _rows("week", k, one.week_told(one.counted(always(WEEK, LEVEL))))


def _rows(run: str, k: int, tally: Tally) -> Iterator[Row]:
    for family in FAMILIES:
        shares = {name: round(tally.best_share(family, name), 4) for name in _SHARES}
        yield {"run": run, "k": k, "family": family, "table": "best", **shares, "paid": tally.paid_share(family)}
        for table in tally.tables():
            shares = {name: round(tally.table(family, table, name), 4) for name in _SHARES}
            paid = round(tally.paid_share(family, [table]), 4)
            yield {"run": run, "k": k, "family": family, "table": table, **shares, "paid": paid}


def write_page(rows: Sequence[Row]) -> None:
    """Write the chart, and the part of the page that is measured."""
    text = PAGE.read_text()
    PAGE.write_text(_MARK.sub(lambda found: f"{found[1]}{_tables(rows)}{found[2]}", text))
    chosen = {(str(r["run"]), str(r["family"]), int(r["k"])): float(r["told"]) for r in rows if r["table"] == "best"}
    lines = {
        (run, family): [(k, chosen[run, family, k]) for k in KS if (run, family, k) in chosen]
        for family in FAMILIES
        for run in (DAY, WEEK)
    }
    series = [
        Series(f"{family} {_NAMES[run]}", points, dashed=run == WEEK)
        for (run, family), points in lines.items()
        if points
    ]
    CHART.write_text(line_chart(series, "Told of each campaign's best table", "people behind a number of impressions"))


def _tables(rows: Sequence[Row]) -> str:
    by_run: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        by_run.setdefault((str(row["run"]), int(row["k"])), []).append(row)
    parts = [_table(f"k = {k}, {_NAMES[run]}", found) for (run, k), found in by_run.items()]
    return "\n".join(parts)


def _table(title: str, rows: Sequence[Row]) -> str:
    lines = [f"**{title}**", "", "| table | family | told | at the finest level | row-dropping | bound | paid |"]
    lines.append("|---|---|---|---|---|---|---|")
    for row in rows:
        shares = " | ".join(f"{float(row[name]):.3f}" for name in (*_SHARES, "paid"))
        lines.append(f"| {row['table']} | {row['family']} | {shares} |")
    return "\n".join([*lines, "", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--last", type=date.fromisoformat, default=date(2026, 11, 22))
    parser.add_argument("--rows", type=Path, default=ROOT / "var" / "frontier.jsonl", help="kept as they are measured")
    parser.add_argument("--page-only", action="store_true", help="write the page from rows that were measured before")
    given = parser.parse_args()
    if not given.page_only:
        given.rows.parent.mkdir(parents=True, exist_ok=True)
        with given.rows.open("w") as kept:
            for row in measure(Home(given.home), given.last):
                kept.write(json.dumps(row) + "\n")
                kept.flush()
    write_page([json.loads(line) for line in given.rows.read_text().splitlines()])


if __name__ == "__main__":
    main()
