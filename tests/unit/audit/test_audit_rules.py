"""Rules come whole from the caller, or not at all; the truth belongs to rows by coordinates."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from package_writer import RULES, one_table

from quorum.audit.package import parse_files
from quorum.audit.rules import read_rules
from quorum.audit.truth import Truth
from quorum.errors import ReleaseError


def test_one_rule_set_for_all_or_one_per_report() -> None:
    assert read_rules(RULES).of("campaign").threshold("impressions") == 50
    book = read_rules({"campaign": RULES, "site": {**RULES, "heads": {"impressions": 10}}})
    assert book.of("site").threshold("impressions") == 10
    assert book.of("campaign").families["clicks"].requires == "impressions"
    with pytest.raises(ReleaseError, match="sections"):
        book.of("sections")


@pytest.mark.parametrize(
    "given",
    [
        {"heads": {"impressions": 50}, "outside": 10},
        {"heads": {"impressions": 50}, "families": {}},
        {"heads": {}, "outside": 10, "families": {"clicks": {"count": "click_n"}}},
        {"heads": {}, "outside": 10, "families": {"clicks": "click_n"}},
        {"campaign": {"outside": 10}},
        {"campaign": None},
    ],
)
def test_a_part_that_is_missing_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ReleaseError, match=r"attack\.rules"):
        read_rules(given)


def test_a_family_without_number_or_columns_is_refused() -> None:
    rules = read_rules({**RULES, "heads": {"impressions": 50, "views": 50}}).of("campaign")
    for family in ("clicks", "views"):
        with pytest.raises(ReleaseError, match=family):
            rules.threshold(family)


def test_true_values_are_found_by_coordinates() -> None:
    table = parse_files(one_table({"20s": {"impression_n": 1}, "30s": {"impression_n": 2}}).files()).tables["audience"]
    rows = list(reversed(table.coordinates))
    true = pa.table({"campaign_id": [r[0] for r in rows], "age_band": [r[1] for r in rows], "people_n": [2, 1, 3]})
    truth = Truth({"r": {"audience": true}})
    column = truth.column("r", table, "people_n")
    assert column is not None
    assert dict(zip(table.coordinates, column.tolist(), strict=True)) == dict(zip(rows, [2, 1, 3], strict=True))
    assert truth.column("r", table, "click_n") is None
    assert truth.column("other", table, "people_n") is None
    with pytest.raises(ReleaseError, match=r"attack\.truth"):
        Truth({"r": {"audience": true.slice(1)}}).column("r", table, "people_n")


def test_the_base_of_a_family_is_the_one_that_makes_the_cell() -> None:
    families = {
        "impressions": {"count": "i", "heads": "p"},
        "clicks": {"count": "c", "heads": "r", "requires": "impressions"},
        "conversions": {"count": "v", "heads": "o", "requires": "clicks"},
        "lost": {"count": "l", "heads": "m", "requires": "nowhere"},
        "round": {"count": "l", "heads": "m", "requires": "round"},
    }
    rules = read_rules({**RULES, "families": families}).of("campaign")
    assert [rules.base(name) for name in ("impressions", "clicks", "conversions")] == ["impressions"] * 3
    for family in ("lost", "round"):
        with pytest.raises(ReleaseError, match=r"attack\.rules"):
            rules.base(family)
