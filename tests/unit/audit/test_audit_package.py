"""A package is read from its descriptor and csv files, and refused when it is not what the page says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from package_writer import Draft, campaigns, measures, one_table, package, plain, portal

from quorum.audit.package import parse_files, parse_package
from quorum.errors import ReleaseError
from quorum.tables.shape import ALL, Dimension, Measure, TableShape


@pytest.fixture(scope="module")
def draft() -> Draft:
    return portal().withhold("audience_age_gender", ("c1", "20s", "male"), family="clicks")


def _descriptor(files: dict[str, bytes], change: Callable[[dict[str, Any]], None]) -> dict[str, bytes]:
    descriptor = json.loads(files["datapackage.json"])
    change(descriptor)
    return {**files, "datapackage.json": json.dumps(descriptor).encode()}


def _fields(descriptor: dict[str, Any], resource: int = 0) -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = descriptor["resources"][resource]["schema"]["fields"]
    return fields


def _small() -> Draft:
    return one_table({"20s": {"impression_n": 80, "click_n": 30}, "30s": {"impression_n": 90, "click_n": 40}})


def test_a_package_comes_back_as_it_was_written(draft: Draft, tmp_path: Path) -> None:
    parsed = parse_package(draft.write(tmp_path / "package", parquet=True))
    assert parsed.release == "r-01/campaign/2026-11-21"
    assert [table.name for table in parsed.shape.tables] == [table.name for table in draft.shape.tables]
    for shape in draft.shape.tables:
        table = parsed.tables[shape.name]
        assert table.coordinates == tuple(shape.coordinates())
        assert [d.levels for d in table.shape.dimensions] == [d.levels for d in shape.dimensions]
        assert [d.keys for d in table.shape.dimensions] == [d.keys for d in shape.dimensions]
        assert [d.has_margin for d in table.shape.dimensions] == [d.has_margin for d in shape.dimensions]
        assert table.shape.measures == shape.measures
        for measure in shape.measures:
            true = [draft.cells[shape.name][row][measure.name] for row in table.coordinates]
            shown = table.published[measure.family]
            assert np.array_equal(table.values[measure.name][shown], np.array(true)[shown])
    clicks = parsed.tables["audience_age_gender"].published["clicks"]
    assert int((~clicks).sum()) == 1
    assert set(parsed.files) == set(draft.files(parquet=True))


def test_people_are_partitioned_where_heads_add_up(draft: Draft) -> None:
    tables = parse_files(draft.files()).tables
    assert [d.partitions_people for d in tables["audience_area"].shape.dimensions] == [False, True]
    assert not any(d.partitions_people for d in tables["audience_device"].shape.dimensions)


def test_a_package_that_does_not_say_its_report_goes_by_its_name(draft: Draft) -> None:
    files = _descriptor(draft.files(), lambda d: d.pop("quorum:report"))
    assert parse_files(files).shape.report == "campaign-2026-11-21"


def test_rows_may_stand_in_any_order() -> None:
    files = _small().files()
    header, *rows = files["audience.csv"].decode().splitlines()
    files["audience.csv"] = "\n".join([header, *reversed(rows)]).encode()
    assert parse_files(files).tables["audience"].coordinates == (("c1", "30s"), ("c1", "20s"), ("c1", ALL))


def test_invariants_and_groups_are_read() -> None:
    invariant = {"period": "2026-11", "dimensions": ["campaign_id"], "measures": ["impression_n"]}
    shape = package(_small().shape.tables[0], invariants=(invariant,), groups={"age_band": {"70s": "60+"}})
    parsed = parse_files(Draft(shape, _small().cells).files())
    assert parsed.shape.invariants[0]["dimensions"] == ("campaign_id",)
    assert parsed.shape.groups == {"age_band": {"70s": "60+"}}


def _drop(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda descriptor: descriptor.pop(key)


MALFORMED_DESCRIPTORS: list[tuple[str, str, Callable[[dict[str, Any]], object]]] = [
    ("no recipient", "package.json", _drop("quorum:recipient")),
    ("no period", "package.json", _drop("quorum:period")),
    ("no resources", "package.resources", _drop("resources")),
    ("resources no list", "package.json", lambda d: d.update(resources={})),
    ("resource no object", "package.json", lambda d: d.update(resources=["x"])),
    ("resource twice", "package.resources", lambda d: d["resources"].append(d["resources"][0])),
    ("path twice", "package.paths", lambda d: d["resources"].append({**d["resources"][0], "name": "other"})),
    ("path elsewhere", "package.path", lambda d: d["resources"][0].update(path="../audience.csv")),
    ("no universe", "package.json", lambda d: d["resources"][0].pop("quorum:universe")),
    ("no schema", "package.dimension", lambda d: d["resources"][0].pop("schema")),
    ("no role", "package.json", lambda d: _fields(d)[0].pop("quorum:role")),
    ("another role", "package.role", lambda d: _fields(d)[0].update({"quorum:role": "key"})),
    ("column twice", "package.columns", lambda d: _fields(d).append(_fields(d)[0])),
    ("no family", "package.json", lambda d: _fields(d)[2].pop("quorum:family")),
    ("family without status", "package.family", lambda d: _fields(d)[2].update({"quorum:family": "views"})),
    ("status of another name", "package.status", lambda d: _fields(d)[-1].update(name="clicks")),
    ("no additive_over", "package.json", lambda d: _fields(d)[2].pop("quorum:additive_over")),
    ("additive_over no texts", "package.json", lambda d: _fields(d)[2].update({"quorum:additive_over": [1]})),
    (
        "additive over a stranger",
        "package.additive_over",
        lambda d: _fields(d)[2].update({"quorum:additive_over": ["gender"]}),
    ),
    (
        "hierarchy of a stranger",
        "package.hierarchy",
        lambda d: _fields(d)[1].update({"quorum:hierarchy": ["age_band", "gender"]}),
    ),
    (
        "hierarchy of others",
        "package.hierarchy",
        lambda d: (
            _fields(d)[0].update({"quorum:hierarchy": ["age_band"]}),
            _fields(d)[1].update({"quorum:hierarchy": ["campaign_id"]}),
        ),
    ),
    ("invariant without measures", "package.json", lambda d: d.update({"quorum:invariants": [{"period": "2026-11"}]})),
    ("groups no object", "package.json", lambda d: d.update({"quorum:groups": {"age_band": "60+"}})),
    ("another header", "package.csv", lambda d: _fields(d).reverse()),
]


@pytest.mark.parametrize(
    ("rule", "change"), [case[1:] for case in MALFORMED_DESCRIPTORS], ids=[case[0] for case in MALFORMED_DESCRIPTORS]
)
def test_malformed_descriptor_is_refused(rule: str, change: Callable[[dict[str, Any]], None]) -> None:
    with pytest.raises(ReleaseError) as caught:
        parse_files(_descriptor(_small().files(), change))
    assert caught.value.rule == rule


MALFORMED_CSV: list[tuple[str, str, Callable[[str], str]]] = [
    ("another status word", "package.status", lambda t: t.replace("published", "suppressed", 1)),
    ("value where withheld", "package.withheld", lambda t: t.replace("published", "withheld", 1)),
    ("no value where published", "package.withheld", lambda t: t.replace(",80,", ",,")),
    ("no number", "package.measure", lambda t: t.replace(",80,", ",many,")),
    ("negative", "package.measure", lambda t: t.replace(",80,", ",-80,")),
    ("fraction", "package.measure", lambda t: t.replace(",80,", ",80.0,")),
    ("no row", "package.product", lambda t: t.splitlines()[0]),
    ("a row less", "package.product", lambda t: t.replace("c1,20s", "c2,20s")),
    ("a row twice", "package.product", lambda t: t + t.splitlines()[-1] + "\n"),
    ("another length", "package.csv", lambda t: t + "c1\n"),
    ("quotes", "package.csv", lambda t: t.replace("c1,20s", '"c1,20s')),
    ("empty", "package.csv", lambda _: ""),
]


@pytest.mark.parametrize(
    ("rule", "change"), [case[1:] for case in MALFORMED_CSV], ids=[case[0] for case in MALFORMED_CSV]
)
def test_malformed_csv_is_refused(rule: str, change: Callable[[str], str]) -> None:
    files = _small().files()
    files["audience.csv"] = change(files["audience.csv"].decode()).encode()
    with pytest.raises(ReleaseError) as caught:
        parse_files(files)
    assert caught.value.rule == rule
    assert "80" not in str(caught.value)


def test_other_bytes_are_refused(tmp_path: Path) -> None:
    files = _small().files()
    for name, data, rule in (
        ("audience.csv", b"\xff\xfe", "package.csv"),
        ("datapackage.json", b"{", "package.json"),
        ("datapackage.json", b"\xff", "package.json"),
        ("datapackage.json", b"[]", "package.json"),
        ("audience.parquet", b"PAR1", "package.parquet"),
    ):
        with pytest.raises(ReleaseError, match=rule):
            parse_files({**files, name: data})
    with pytest.raises(ReleaseError, match=r"package\.file"):
        parse_files({"datapackage.json": files["datapackage.json"]})
    with pytest.raises(ReleaseError, match=r"package\.folder"):
        parse_package(tmp_path / "nowhere")


def test_parquet_that_differs_from_its_csv_is_refused() -> None:
    draft = _small()
    files = draft.files(parquet=True)
    other = draft.with_value("audience", ("c1", "20s"), impression_n=81).files(parquet=True)
    shape = TableShape("audience", "ads", (campaigns("c1"), plain("gender", "m", "f")), measures("gender", heads=False))
    cells = {place: {"impression_n": 80, "click_n": 30} for place in shape.coordinates()}
    renamed = Draft(package(shape), {"audience": cells}).files(parquet=True)
    for wrong in (other, renamed):
        with pytest.raises(ReleaseError, match=r"package\.parquet"):
            parse_files({**files, "audience.parquet": wrong["audience.parquet"]})


def test_levels_that_do_not_nest_are_refused() -> None:
    area = Dimension(("region", "prefecture"), (("kanto", "tokyo"), ("kinki", "osaka")))
    shape = TableShape("area", "ads", (area,), (Measure("impression_n", "impressions", "count", ("region", "period")),))
    draft = Draft(package(shape), {"area": {place: {"impression_n": 60} for place in shape.coordinates()}})
    files = draft.files()
    parse_files(files)
    for old, new in ((b"kanto,tokyo", b"ALL,tokyo"), (b"kanto,ALL", b"kyushu,ALL")):
        with pytest.raises(ReleaseError, match=r"package\.hierarchy"):
            parse_files({**files, "area.csv": files["area.csv"].replace(old, new)})
