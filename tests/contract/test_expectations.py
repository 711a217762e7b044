"""Suites: one for every kept table, whole, about what can be counted, each with a reason that a person understands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from assets.checks import judge
from assets.suites import BLOCKING, load_suites
from quorum.errors import ConfigurationError
from quorum.metrics import METRICS
from quorum.tables import Catalog
from quorum.zones import Zone

_PERSONAL = re.compile(r"(min|max|mean|median|mode|quantile|example|value_counts)")


def test_every_kept_table_has_a_suite(root: Path, catalog: Catalog) -> None:
    kept = {name for name, table in catalog.tables.items() if not table.in_memory}
    assert set(load_suites(root / "expectations", catalog)) == kept


def test_every_suite_loads_whole_and_can_fail(root: Path, catalog: Catalog) -> None:
    for suite in load_suites(root / "expectations", catalog).values():
        impossible = dict.fromkeys(suite.metrics, -1)
        assert len(judge(suite, impossible).failed) >= len(suite.expectations) - _upper_bounds_only(suite.document)


def _upper_bounds_only(document) -> int:
    return sum("min_value" not in e["kwargs"] for e in document["expectations"])


def test_every_table_of_people_or_counts_has_a_blocking_check_of_its_key(root: Path, catalog: Catalog) -> None:
    unkeyed = {"seg__event", "seg__ad_event", "seg__page_view", "pseudo__login"}
    unkeyed |= {"pseudo__partner_item", "pseudo__preference"}  # what they are made from is checked
    for suite in load_suites(root / "expectations", catalog).values():
        keys = [e for e in suite.expectations if e.severity == BLOCKING and e.metric.startswith("duplicate_n(")]
        assert bool(keys) != (suite.table in unkeyed), suite.table


def test_margins_of_every_cube_must_add_up(root: Path, catalog: Catalog) -> None:
    suites = load_suites(root / "expectations", catalog)
    with_events = [t for t in catalog.in_zone(Zone.CUBE) if any(c.unit == "events" for c in t.columns)]
    assert {t.name for t in catalog.in_zone(Zone.CUBE)} - {t.name for t in with_events} == {
        "cube__buyer_age_gender",
        "cube__audience_frequency",
        "cube__buyer_area",
        "cube__campaign_month",
        "cube__campaign_week",
    }
    for table in with_events:
        dimensions = [c.name for c in table.columns if c.type == "VARCHAR"][1:]
        blocking = [e.metric for e in suites[table.name].expectations if e.severity == BLOCKING]
        for dimension in dimensions:
            assert any(metric.startswith(f"gap_n({dimension},") for metric in blocking), f"{table.name}.{dimension}"


def test_released_heads_are_compared_with_the_floor_and_with_their_status(root: Path, catalog: Catalog) -> None:
    suites = load_suites(root / "expectations", catalog)
    for table in catalog.in_zone(Zone.SAFE):
        metrics = " ".join(e.metric for e in suites[table.name].expectations if e.severity == BLOCKING)
        for column in table.columns:
            if column.name in ("people_n", "clicker_n", "converter_n", "viewer_n"):
                assert f"below_n({column.name}," in metrics, f"{table.name}.{column.name}"
                assert f"mismatch_n({column.name}, status_" in metrics, f"{table.name}.{column.name}"


def test_no_metric_gives_a_value_back() -> None:
    assert [name for name in METRICS if _PERSONAL.search(name) or not name.endswith(("_n", "_permille"))] == []


def planted(root: Path, tmp_path: Path, change) -> Path:
    for source in (root / "expectations").glob("*.json"):
        (tmp_path / source.name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    path = tmp_path / "seg__traffic.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda d: d["expectations"][0]["kwargs"].update(column="row_n(device)"), "profile.metric"),
        (lambda d: d["expectations"][0]["meta"].update(severity="fatal"), "suites.severity"),
        (lambda d: d["expectations"][0]["meta"].pop("why"), "suites.form"),
        (lambda d: d.update(name="seg__event"), "suites.form"),
        (lambda d: d["expectations"].append(d["expectations"][0]), "suites.form"),
        (lambda d: d["expectations"].clear(), "suites.form"),
    ],
)
def test_a_planted_mistake_in_a_suite_is_refused(
    root: Path, catalog: Catalog, tmp_path: Path, change, rule: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_suites(planted(root, tmp_path, change), catalog)
    assert refused.value.rule == rule


def test_a_misspelled_expectation_is_an_error_and_not_a_pass(root: Path, catalog: Catalog, tmp_path: Path) -> None:
    folder = planted(root, tmp_path, lambda d: d["expectations"][0].update(type="expect_column_value_to_be_betwen"))
    suite = load_suites(folder, catalog)["seg__traffic"]
    with pytest.raises(ConfigurationError) as refused:
        judge(suite, dict.fromkeys(suite.metrics, 0))
    assert refused.value.rule == "suites.whole"


def test_a_missing_or_a_foreign_suite_is_refused(root: Path, catalog: Catalog, tmp_path: Path) -> None:
    folder = planted(root, tmp_path, lambda d: None)
    (folder / "seg__traffic.json").rename(folder / "seg__trafic.json")
    with pytest.raises(ConfigurationError) as refused:
        load_suites(folder, catalog)
    assert refused.value.rule == "suites.one_each"


def test_what_cannot_be_evaluated_fails(root: Path, catalog: Catalog) -> None:
    suite = load_suites(root / "expectations", catalog)["seg__traffic"]
    profile = dict.fromkeys(suite.metrics, 0)
    missing = suite.expectations[0]
    del profile[missing.metric]
    assert missing in judge(suite, profile).failed


def test_every_text_that_leaves_is_a_listed_category_or_looked_at_for_identifiers(root: Path, catalog: Catalog) -> None:
    suites = load_suites(root / "expectations", catalog)
    for table in catalog.in_zone(Zone.SAFE):
        blocking = [e.metric for e in suites[table.name].expectations if e.severity == BLOCKING]
        for column in table.columns:
            if column.type == "VARCHAR" and not column.name.startswith(("status_", "policy_", "rule_set", "inputs_")):
                looked = (f"identifier_n({column.name})", f"outside_n({column.name},")
                assert any(metric.startswith(looked) for metric in blocking), f"{table.name}.{column.name}"


def test_every_released_number_is_held_against_the_number_of_its_rule_set(root: Path, catalog: Catalog) -> None:
    suites = load_suites(root / "expectations", catalog)
    for table in catalog.in_zone(Zone.SAFE):
        blocking = [e.metric for e in suites[table.name].expectations if e.severity == BLOCKING]
        for column in table.columns:
            is_measure = column.unit in ("events", "people") and table.name != "safe__campaign_month"  # declared totals
            if is_measure:
                assert any(m.startswith(f"under_k_n({column.name},") for m in blocking), f"{table.name}.{column.name}"


def test_volumes_of_events_are_compared_with_the_same_weekday(root: Path, catalog: Catalog) -> None:
    suites = load_suites(root / "expectations", catalog)
    compared = {name for name, suite in suites.items() if "weekday_permille" in suite.metrics}
    assert {"pseudo__access", "pseudo__ad_event", "pseudo__beacon", "seg__event", "seg__person_day"} <= compared
