"""Messages about people that a recipient could hide in what it supplies: values, bids, frequencies, keys."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from package_writer import RULES, Draft, campaigns, one_table, package
from release_night import NIGHT, cube_tables, references

from quorum.audit.codes import sums_with_room
from quorum.audit.package import parse_files
from quorum.audit.rules import read_rules
from quorum.audit.truth import Truth
from quorum.disclosure import control, project
from quorum.policy import Policy
from quorum.release.shapes import package_shapes
from quorum.tables.shape import Measure, TableShape

BOUNDED = {**RULES, "contribution": {"impression": 3, "click": 2}}
ROW = {"impression_n": 300, "people_n": 100, "click_n": 60, "clicker_n": 40, "clicker_rest_n": 60}


def claimed(draft: Draft, *, truth: bool = True) -> set[tuple[str, tuple[str, ...]]]:
    parsed = parse_files(draft.files())
    known = Truth({parsed.release: draft.truth()} if truth else {})
    return {(claim.what, claim.where[1:]) for claim in sums_with_room([parsed], read_rules(BOUNDED), known)}


def test_more_events_than_people_may_have() -> None:
    """Whoever is shown it 2, 4, 8 or 16 times can be read from the sum."""
    draft = one_table({"20s": ROW, "30s": ROW, "unknown": ROW}, heads=True)
    assert claimed(draft, truth=False) == set()
    much = draft.with_value("audience", ("c1", "20s"), impression_n=301)
    assert claimed(much, truth=False) == {("bound", ("c1", "20s"))}
    of_nobody = draft.with_value("audience", ("c1", "unknown"), impression_n=9_000)
    assert claimed(of_nobody, truth=False) == set(), "what is over the bound is of nobody"


def test_more_events_than_people_that_are_in_no_file() -> None:
    draft = one_table({"20s": ROW, "30s": ROW})
    full = {place: {**ROW, **cell} for place, cell in draft.cells["audience"].items()}
    much = replace(draft, cells={"audience": full}).with_value("audience", ("c1", "30s"), click_n=81)
    assert claimed(much) == {("bound", ("c1", "30s"))}
    assert claimed(much, truth=False) == set()


def test_what_conversions_are_worth() -> None:
    draft = one_table({"20s": ROW, "30s": ROW})
    (table,) = draft.shape.tables
    valued = replace(table, measures=(*table.measures, Measure("value_micros", "clicks", "count", ("age_band",))))
    cells = {place: {**cell, "value_micros": 7} for place, cell in draft.cells["audience"].items()}
    told = Draft(replace(draft.shape, tables=(valued,)), {"audience": cells})
    assert {what for what, _ in claimed(told, truth=False)} == {"amount"}
    hidden = told.withhold("audience", *cells, family="clicks")
    assert claimed(hidden, truth=False) == set()


@pytest.mark.parametrize(("cost", "found"), [(2_100, False), (2_101, True), (0, False)])
def test_a_cost_that_is_no_price_times_a_count(cost: int, found: bool) -> None:
    measures = (Measure("impression_n", "impressions", "count", ()), Measure("cost_micros", "cost", "count", ()))
    table = TableShape("totals", "ads", (campaigns("c1"),), measures)
    draft = Draft(package(table, period="2026-11"), {"totals": {("c1",): {"impression_n": 300, "cost_micros": cost}}})
    assert {what for what, _ in claimed(draft)} == ({"price"} if found else set())
    assert claimed(draft, truth=False) == set(), "the count that is charged may be another one"


@pytest.mark.clause("P-03n")
def test_a_creative_made_for_each_person_changes_no_list(policy: Policy) -> None:
    """The list of keys is the catalogue's: what events name beside it is ``unknown``, however often."""
    whole = next(s for s in package_shapes(policy, references(2), NIGHT) if s.report == "campaign")
    shape = replace(whole, tables=(whole.table("performance"),))
    report = policy.reports["campaign"]
    report = replace(report, tables=tuple(spec for spec in report.tables if spec.name == "performance"))
    rows = cube_tables(shape, policy, 2_000, 3)["performance"]
    made = [
        f"for-person-{n}" if name not in ("ALL", "unknown") else name
        for n, name in enumerate(rows["creative_id"].to_pylist())
    ]
    own = rows.set_column(rows.column_names.index("creative_id"), "creative_id", pa.array(made))
    counted = project(shape, {"cube__campaign_daily": own}, report, policy)
    families = [policy.families[name] for name in report.families]
    safe = control(counted, policy.rule_sets[report.rule_set], families)
    listed = safe.tables["performance"]["creative_id"].to_pylist()
    assert listed == [place[1] for place in shape.tables[0].coordinates()]
    assert not [name for name in listed if name.startswith("for-person")]
    known = [name not in ("ALL", "unknown") for name in listed]
    words = safe.tables["performance"]["status_impressions"].to_pylist()
    assert {word for word, is_known in zip(words, known, strict=True) if is_known} == {"withheld"}
