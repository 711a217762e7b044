"""``quorum disclose`` and ``quorum register``: giving data about persons to somebody else, and who is in the register.

What belongs here: options, and what is printed: codes and counts. What does not: any decision (`quorum.register`).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.options import opened, whose

if TYPE_CHECKING:
    from quorum.register.disclose import Moment
    from quorum.register.types import Order


@click.group(invoke_without_command=True)
@click.option("--basis", help="D-03 (consent), D-04, D-05, D-06 (cases), or processor. Without one: refused.")
@click.option("--items", help="Categories, split by commas, e.g. NAME,EMAIL.")
@click.option("--recipient", help="Who receives it: for D-03 an id of policy/disclosures.yaml.")
@click.option("--processor", help="The processor, an id of policy/disclosures.yaml.")
@click.option("--purpose", help="The purpose that the processor works for. [the contract's only one]")
@click.option("--subject", "subjects", multiple=True, help="A member number; may be repeated. [all who qualify]")
@click.option("--request", help="The request that it answers, for D-04 to D-06: it fills in what it states.")
@click.option("--authority", help="Who asks, for D-04 to D-06.")
@click.option("--case", help="Their case; each case is answered once.")
@click.option("--statute", help="The statute of D-04, as policy/disclosures.yaml dates it.")
@click.option("--necessity", help="Why it is necessary, for D-05 and D-06; kept sealed.")
@click.option("--why-consent-is-hard", help="Why consent is hard to get, for D-05 and D-06; kept sealed.")
@click.option("--approver", help="The login of somebody else who approves, for D-04 to D-06.")
@click.option("--do-not-tell", "untold_reason", help="Why the persons are not shown it, for D-04 alone; kept sealed.")
@click.option("--paid", "is_paid", is_flag=True, help="Something is given in return: always refused.")
@click.option("--out", type=click.Path(), help="A new folder, outside the home.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object to stdout.")
@whose
@click.pass_context
def disclose(context: click.Context, /, out: str | None, as_json: bool, **given: Any) -> None:
    """Give data about persons to somebody else, on a declared basis only; what is not allowed is refused.

    The disclosure is in the ledger, and with each person in the sealed register, before the first byte is written. A
    refusal ends with exit code 13, writes no byte, and is in the ledger too.
    """
    if context.invoked_subcommand is not None:
        return
    from quorum.register.disclose import disclose as act
    from quorum.register.rules import load_rules

    asked = {name: given.pop(name) for name in ("home", "policy", "actor", "role")}
    request = given.pop("request")
    with opened(**asked) as workspace:
        rules = load_rules(workspace.policy.folder, workspace.policy)
        done = act(workspace.desk, rules, _order(given), _moment(), Path(out) if out else None, request)
    if as_json:
        click.echo(json.dumps(done.as_record(), ensure_ascii=False))
        return
    facts = done.facts
    people = "1 person" if facts["people_n"] == 1 else f"{facts['people_n']} persons"
    click.echo(f"{facts['disclosure_id']}: {', '.join(facts['items'])} of {people}, {facts['basis']}")
    if facts["is_wider_than_law"]:
        click.echo("This basis is wider than APPI 27(1); the entry says so.")
    if facts["is_statute_from_memory"]:
        click.echo("The entry of the statute is marked as from memory: compare it with the text of the law.")
    if facts["review_by"]:
        click.echo(f"Somebody else must review it by {facts['review_by']}: quorum disclose review done")
    click.echo(f"ledger {done.entry}")
    click.echo(f"{', '.join(done.files)} in {done.out}")


@disclose.group("review")
def review() -> None:
    """Looking at a disclosure again afterwards, by somebody else (D-06)."""


@review.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object a line.")
@whose
def review_list(as_json: bool, **asked: str | None) -> None:
    """Print the reviews that are owed."""
    from pipelines.settings import today
    from quorum.register.review import open_reviews

    with opened(**asked) as workspace:
        found = open_reviews(workspace.ledger, today())
    for each in found:
        late = "  OVERDUE" if each.is_overdue else ""
        line = f"{each.disclosure_id}  {each.basis}  {each.case}  by {each.review_by}{late}"
        click.echo(json.dumps(each.as_record(), ensure_ascii=False) if as_json else line)
    if not found and not as_json:
        click.echo("no review is owed")


@review.command("done")
@click.argument("disclosure_id")
@click.option("--outcome", type=click.Choice(["justified", "not_justified"]), required=True)
@whose
def review_done(disclosure_id: str, outcome: str, **asked: str | None) -> None:
    """Enter how the review of a disclosure came out."""
    from quorum.register.review import close_review

    with opened(**asked) as workspace:
        entry = close_review(workspace.desk, disclosure_id, outcome)
    click.echo(f"{disclosure_id}: {outcome}, ledger {entry.hash}")


@click.group()
def register() -> None:
    """The register of those outside who get or send something."""


@register.command("third-parties")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object a line.")
@click.option("--policy", type=click.Path(), help="The policy folder. [QUORUM_POLICY, else the checkout's]")
@click.option("--home", type=click.Path(), help="The run-time state. [QUORUM_HOME, else var/ of the checkout]")
def register_third_parties(home: str | None, policy: str | None, as_json: bool) -> None:
    """List the third parties that pages and beacons have shown, and which of them nobody has declared.

    Declared is who stands in policy/policy.yaml under cookies. No value of theirs is kept anywhere.
    """
    from quorum.register.rules import load_rules
    from quorum.register.third_parties import third_parties

    with opened(home, policy, None, None) as workspace:
        rules = load_rules(workspace.policy.folder, workspace.policy)
        found = third_parties(workspace.store, workspace.policy, rules)
    for each in found:
        told = f"declared as {each.declared_as}" if each.declared_as else "NOT DECLARED"
        line = f"{each.kind:6}  {each.seen_n:>9,}  {each.first_night} to {each.last_night}  {each.name}  {told}"
        click.echo(json.dumps(each.as_record(), ensure_ascii=False) if as_json else line)
    if not as_json:
        undeclared = sum(each.declared_as is None for each in found)
        click.echo(f"{len(found)} third parties seen, {undeclared} not declared")


def _order(given: dict[str, Any]) -> Order:
    from quorum.register.types import Order

    items = tuple(item.strip() for item in (given.pop("items") or "").replace(";", ",").split(",") if item.strip())
    return Order(items=items, **given)


def _moment() -> Moment:
    from datetime import UTC, datetime

    from pipelines.settings import today
    from quorum.register.disclose import Moment

    return Moment(today(), datetime.now(UTC).replace(tzinfo=None), os.urandom(16))
