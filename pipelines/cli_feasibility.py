"""``quorum feasibility``: how much of a campaign will be told, before it starts, and the plan that it has.

What belongs here: options, and printing. What does not: the forecast (`quorum.feasibility`). It reads the catalogue,
the policy, the ledger and what was released; no cube.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.options import DAY

if TYPE_CHECKING:
    from quorum.disclosure.feasibility import Forecast, Share
    from quorum.feasibility import Feasible
    from quorum.policy import Policy
    from quorum.tables import KeyPlan

_COLUMNS = ("campaign", "recipient", "from", "a day", "family", "plan", "told", "low-high", "best table", "instead")
_NUMBERS = ("a day", "told", "low-high")


@click.command()
@click.option("--date", "day", type=DAY, help="The first day to look at. [the day after the last night]")
@click.option("--campaign", "campaign_id", help="This campaign alone.")
@click.option("--recipient", "recipient_id", help="This recipient's campaigns alone.")
@click.option("--page", type=click.Path(), help="Write it to this file, as a page in the language of --lang.")
@click.option("--lang", "language", type=click.Choice(("ja", "en")), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object to stdout.")
@click.option("--policy", type=click.Path(), help="The policy folder. [QUORUM_POLICY, else the checkout's]")
@click.option("--home", type=click.Path(), help="The run-time state. [QUORUM_HOME, else var/ of the checkout]")
def feasibility(
    day: date | None,
    campaign_id: str | None,
    recipient_id: str | None,
    page: str | None,
    language: str,
    as_json: bool,
    policy: str | None,
    home: str | None,
) -> None:
    """Say how much of the campaigns that run on a day, or start later, will be told, and by which plan.

    From bookings, the catalogue that landed last, and what was released before the day. A share is that of a campaign's
    events in published cells of its best table, finest or coarser, unknown and the total not counted, as the rules
    decide on cubes that are drawn from what is expected; low and high are the extremes of the draws.
    With --page it is one self-contained file, in the look of the reports, and nothing is printed but for --json.
    """
    from pipelines.settings import existing_home, resolve
    from quorum.engine.store import Store
    from quorum.feasibility import Feasibility
    from quorum.keys import load_keyring
    from quorum.ledger import Ledger
    from quorum.lineage.gate import check_gate
    from quorum.policy import load_policy
    from quorum.tables import load_catalog
    from quorum.workspace import ROOT

    settings = resolve(os.environ, home=home, policy=policy)
    paths = existing_home(settings.home)
    rules, catalog = load_policy(settings.policy), load_catalog(ROOT / "sql")
    check_gate(catalog, rules)
    keys, _ = load_keyring(dict(os.environ), make=False)
    ledger = Ledger(paths.ledger)
    try:
        forecasts = Feasibility(Store(paths, catalog, keys), rules, ledger)
        day = day or forecasts.next_day()
        found = forecasts.of(day, campaign_id, recipient_id)
    finally:
        ledger.close()
    if page is not None:
        from pipelines.feasibility_page import feasibility_page
        from quorum.report.plain import write_page

        write_page(Path(page), feasibility_page(found, rules, day, language), "feasibility.page")
    if as_json:
        click.echo(json.dumps(_record(found, rules, day), ensure_ascii=False))
    elif page is None:
        _show(found, rules, day)


def _record(found: Sequence[Feasible], policy: Policy, day: date) -> dict[str, object]:
    return {
        "date": day.isoformat(),
        "campaigns": [_campaign(one, policy) for one in found],
        "recipients": [
            {"recipient_id": name, **_together([one for one in found if one.fact.recipient_id == name], policy)}
            for name in dict.fromkeys(sorted(one.fact.recipient_id for one in found))
        ],
        "all": _together(found, policy),
    }


def _campaign(one: Feasible, policy: Policy) -> dict[str, object]:
    from quorum.feasibility import remedies

    outlook, booking = one.outlook, one.fact.booking
    return {
        "report": one.report,
        "campaign_id": one.campaign_id,
        "recipient_id": one.fact.recipient_id,
        "date": one.day.isoformat(),
        "starts_on": booking.starts_on.isoformat(),
        "ends_on": booking.ends_on.isoformat(),
        "booked_impressions": booking.impressions,
        "expected": {
            "impressions_a_day": round(outlook.impressions),
            "impressions_per_person": round(outlook.impressions_per_person, 3),
            "clicks_per_impression": round(outlook.clicks_per_impression, 5),
            "conversions_per_click": round(outlook.conversions_per_click, 4),
            "from": dict(outlook.basis),
        },
        "plan": {"is_fixed": one.is_fixed, **_plan(one.plan)},
        "recommended": _plan(one.recommended),
        "forecast": _forecast(one.planned, policy, one.report),
        "all_levels_by_day": _forecast(one.by_day, policy, one.report),
        "all_levels_by_longer_periods": _forecast(one.longer, policy, one.report),
        "instead": {name: remedies(one, name, _enough(policy)) for name in policy.reports[one.report].families},
    }


def _plan(plan: KeyPlan) -> dict[str, object]:
    return {"periods": dict(plan.periods), "levels": {table: dict(levels) for table, levels in plan.levels.items()}}


def _forecast(forecast: Forecast, policy: Policy, report: str) -> dict[str, object]:
    """Return a forecast, family by family: the best table, then every table and level."""
    record: dict[str, object] = {}
    for family in policy.reports[report].families:
        best = forecast.best(family)
        record[family] = {
            "period": forecast.plan.periods[family],
            "events": round(forecast.events[family], 1),
            "total_told": round(forecast.totals[family], 2),
            "best": None if best is None else {"table": best[0], **_share(best[1])},
            "tables": {
                table: {
                    **_share(share),
                    "levels": {str(level): _share(one) for level, one in forecast.cells[family][table].items()},
                }
                for table, share in forecast.told[family].items()
            },
        }
    return record


def _share(share: Share) -> dict[str, float]:
    return {"expected": round(share.expected, 4), "low": round(share.low, 4), "high": round(share.high, 4)}


def _together(found: Sequence[Feasible], policy: Policy) -> dict[str, float | None]:
    """Return, family by family, the share of all events that is expected to be told."""
    from quorum.feasibility import told_of_all

    names = dict.fromkeys(name for one in found for name in policy.reports[one.report].families)
    shares: Mapping[str, float | None] = {name: told_of_all(found, name) for name in names}
    return {name: None if share is None else round(share, 4) for name, share in shares.items()}


def _enough(policy: Policy) -> int:
    return policy.limits["plan_period_percent"]


def _show(found: Sequence[Feasible], policy: Policy, day: date) -> None:
    """Print a line a campaign and family."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if Console().is_terminal else 150, highlight=False, markup=False)
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for name in _COLUMNS:
        table.add_column(name, justify="right" if name in _NUMBERS else "left")
    for one in found:
        for place, family in enumerate(policy.reports[one.report].families):
            head = ("", "", "") if place else (one.campaign_id, one.fact.recipient_id, one.day.isoformat())
            table.add_row(*head, *_line(one, family, _enough(policy)))
    console.print(f"Feasibility from {day}: {len(found)} campaigns", style="bold")
    console.print(table)
    for name, share in _together(found, policy).items():
        console.print(f"{name}: {'nothing expected' if share is None else f'{share:.0%} told, best tables together'}")
    console.print("a day: expected by booking and releases; * as the policy assumes, for no release tells it yet")
    console.print("plan: fixed by the campaign's first night in a month; ? what it would be today. Cells: --json")


def _line(one: Feasible, family: str, enough: int) -> tuple[str, ...]:
    """Return the cells of a line, from the events on."""
    from quorum.feasibility import remedies

    best = one.planned.best(family)
    mark = "*" if one.outlook.basis.get(family) == "assumed" else ""
    period = one.plan.periods[family] + ("" if one.is_fixed else "?")
    told = ("", "", "") if best is None else _told(*best)
    return (f"{one.outlook.events(family):,.0f}{mark}", family, period, *told, remedies(one, family, enough))


def _told(table: str, share: Share) -> tuple[str, str, str]:
    return f"{share.expected:.0%}", f"{share.low:.0%}-{share.high:.0%}", table
