"""Questions: a cut of what was released, row by row as it was released; all else is refused with what can be asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from release_night import cube_tables, references

from pipelines.cli_ask import question_of
from quorum.ask import PURPOSE, QUESTION, reports_to_ask
from quorum.audit.package import parse_package
from quorum.disclosure import PackageCube, control
from quorum.errors import InputError, PolicyError, ReleaseError, UsageError
from quorum.policy import Actor, Policy
from quorum.release.answers import ANALYST, Question, answering_table, cut, is_wanted
from quorum.release.certificate import load_public_key
from quorum.release.shapes import package_shapes
from quorum.release.verify import verify_packages
from quorum.tables import PackageShape
from quorum.tables.shape import ALL
from quorum.workspace import ROOT, Workspace, open_workspace
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
PERIOD = NIGHT.isoformat()
COLUMNS = ("creative_id", "placement", "age_band", "gender", "region", "prefecture", "occupation", "device")


@pytest.fixture(scope="module")
def released(policy: Policy) -> tuple[PackageShape, dict[str, pa.Table]]:
    """A campaign package of three campaigns, one of them targeted, as control() decided it."""
    shape = next(s for s in package_shapes(policy, references(), NIGHT) if s.recipient_id == "adv-a")
    aimed = replace(shape, targeting={"c001": {"prefecture": ("tokyo", "osaka")}})
    counted = cube_tables(shape, policy)
    families = [policy.families[name] for name in policy.reports["campaign"].families]
    safe = control(PackageCube(shape, counted), policy.rule_sets["standard"], families)
    return aimed, dict(safe.tables)


def rows_of(table: pa.Table, columns: list[str]) -> dict[tuple[str, ...], dict[str, object]]:
    return {tuple(row[column] for column in columns): row for row in table.to_pylist()}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_row_of_an_answer_is_a_row_that_was_released(
    released: tuple[PackageShape, dict[str, pa.Table]], data: st.DataObject
) -> None:
    shape, tables = released
    source = data.draw(st.sampled_from(shape.tables))
    own = [column for column in source.columns if column != "campaign_id"]
    dimensions = tuple(data.draw(st.sets(st.sampled_from(own))))
    where = {}
    for column in data.draw(st.sets(st.sampled_from(own), max_size=1)):
        listed = sorted(set(tables[source.name][column].to_pylist()) - {ALL})
        where[column] = tuple(data.draw(st.sets(st.sampled_from(listed), min_size=1, max_size=3)))
    keys = tuple(data.draw(st.sets(st.sampled_from(["c000", "c001", "c002"]))))
    if "creative_id" in where:  # of one campaign each
        keys = ()
    question = Question("campaign", PERIOD, source.name, dimensions, where, keys)
    cut_shape, cut_tables = cut(question, [released], source.name)
    (table,) = cut_shape.tables
    answer = cut_tables[source.name]
    assert list(rows_of(answer, list(table.columns))) == list(table.coordinates())
    before = rows_of(tables[source.name], list(source.columns))
    for row in answer.to_pylist():
        place = tuple(row.get(column, ALL) for column in source.columns)
        assert before[place] == {**dict.fromkeys(source.columns, ALL), **row}
    wanted = [row for row in answer.to_pylist() if is_wanted(question, {c: row[c] for c in table.columns})]
    for column, values in where.items():
        assert {row[column] for row in wanted} <= set(values)
    assert {row["campaign_id"] for row in wanted} <= set(keys or ("c000", "c001", "c002"))


def test_a_filter_leaves_no_margin_with_fewer_parts_than_it_sums(released) -> None:
    question = Question("campaign", PERIOD, None, ("prefecture",), {"prefecture": ("tokyo",)})
    shape, _ = cut(question, [released], "audience_area")
    (table,) = shape.tables
    (_, area) = table.dimensions
    assert not area.has_margin
    kanto = {path[1] for path in area.keys if path[0] == "kanto"}
    assert {"tokyo", "kanagawa", "saitama", "chiba"} <= kanto
    assert {path[0] for path in area.keys} == {"kanto", "unknown"}


def test_a_level_that_is_cut_off_takes_its_targeting_with_it(released) -> None:
    shape, _ = cut(Question("campaign", PERIOD, None, ("region",)), [released], "audience_area")
    assert shape.targeting["c001"]["region"] == ("kanto", "kinki")
    zero = shape.zeros(shape.tables[0])
    excluded = {place[1] for place, z in zip(shape.tables[0].coordinates(), zero, strict=True) if z}
    assert "tohoku" in excluded
    assert not {"kanto", "kinki", "unknown", ALL} & excluded


def test_the_table_that_tells_people_answers_a_question_about_totals(released) -> None:
    assert answering_table(Question("campaign", PERIOD), [released[0]]) == "audience_occupation"
    with pytest.raises(PolicyError) as refused:
        answering_table(Question("campaign", PERIOD, None, ("age_band", "device")), [released[0]])
    assert "audience_device (device)" in str(refused.value)
    assert refused.value.exit_code == 13


def test_two_spellings_of_a_question_are_one() -> None:
    one = Question("campaign", PERIOD, None, ("gender", "age_band"), {"gender": ("male", "female")}, ("b", "a"))
    same = Question("campaign", "2026-11-20", None, ("age_band", "gender"), {"gender": ("female", "male")}, ("a", "b"))
    assert one.name == same.name
    assert one.name != replace(one, keys=("a",)).name


def test_reports_whose_keys_are_not_one_recipients_own_are_not_cut(policy: Policy) -> None:
    assert [report.name for report in reports_to_ask(policy)] == ["campaign", "site"]


def test_texts_become_a_question(policy: Policy) -> None:
    where = ["region=関東", "region=kinki", "campaign_id=c001"]
    asked = question_of(policy, "campaign", PERIOD, "cube__audience_area", ["region", "campaign_id", ""], where, ())
    assert asked == Question(
        "campaign", PERIOD, "audience_area", ("region",), {"region": ("kanto", "kinki")}, ("c001",)
    )
    with pytest.raises(UsageError):
        question_of(policy, "campaign", PERIOD, None, [], ["region"], ())


@pytest.fixture
def workspace(home: Home, tmp_path: Path, policy: Policy) -> Iterator[Workspace]:
    """A night that is done: two advertisers' packages, the site's, an information provider's."""
    (tmp_path / "landing" / PERIOD).mkdir(parents=True)
    environ = {"QUORUM_MASTER_KEY": "5a" * 32}
    with open_workspace(home, tmp_path / "landing", ROOT / "policy", environ) as workspace:
        for table, rows in references().items():
            write(workspace, table, rows.to_pylist())
        people(workspace, policy)
        workspace.make_safe(NIGHT)
        workspace.publish(NIGHT)
        yield workspace


def write(workspace: Workspace, table: str, given: list[dict[str, object]]) -> None:
    schema = workspace.catalog[table].arrow_schema()
    rows = [{name: row.get(name) for name in schema.names} for row in given]
    workspace.store.write(table, NIGHT, pa.Table.from_pylist(rows, schema))


def people(workspace: Workspace, policy: Policy) -> None:
    shape = next(s for s in package_shapes(policy, references(), NIGHT) if s.recipient_id == "adv-a")
    cubes = cube_tables(shape, policy)
    for spec in policy.reports["campaign"].tables:
        schema = workspace.catalog[spec.cube].arrow_schema()
        rows = [{n: row.get(n, 0) for n in schema.names} for row in cubes[spec.name].to_pylist()]
        workspace.store.write(spec.cube, NIGHT, pa.Table.from_pylist(rows, schema))


def test_an_answer_is_a_release_like_any_other(workspace: Workspace) -> None:
    nights = [release.as_record() for release in workspace.stored(NIGHT)]
    by_gender = workspace.ask(Question("campaign", PERIOD, None, ("gender",), {}, ("c000",)))
    assert by_gender.release.status == "published"
    assert by_gender.release.published_cells > 0
    assert workspace.home.out / ANALYST in by_gender.release.path.parents
    again = workspace.ask(Question("campaign", PERIOD, None, ("gender",), {}, ("c000",)))
    assert (again.release.status, again.rows) == ("unchanged", by_gender.rows)
    workspace.ask(Question("campaign", PERIOD, None, ("region",), {"region": ("kanto",)}))
    folders = list((workspace.home.out / ANALYST).glob("*/*"))
    verdicts = verify_packages(folders, load_public_key(workspace.home.keys / "signing.pub"))
    assert [verdict.problems for verdict in verdicts] == [(), ()]
    assert {parse_package(folder).shape.recipient_id for folder in folders} == {ANALYST}
    entered = [entry.body for entry in workspace.ledger.entries("release") if entry.body["recipient_id"] == ANALYST]
    attacked = [{record["release"].partition(" and ")[2] for record in body["attacks"]} for body in entered]
    assert attacked == [{"1 more"}, {"2 more"}]  # the report itself; and the earlier answer
    assert [entry.body["question"]["dimensions"] for entry in workspace.ledger.entries(QUESTION)] == [
        ["gender"],
        ["gender"],
        ["region"],
    ]
    assert [release.as_record() for release in workspace.stored(NIGHT)] == nights
    page = (by_gender.release.path / "report.ja.html").read_text(encoding="utf-8")
    assert "性別" in page
    assert json.loads((by_gender.release.path / "datapackage.json").read_text())["quorum:recipient"] == ANALYST


@pytest.mark.parametrize(
    ("question", "rule"),
    [
        (Question("sections", PERIOD), "ask.report"),
        (Question("campaign", "2026-11-20"), "ask.period"),
        (Question("campaign", PERIOD, "performance", ("gender",)), "ask.table"),
        (Question("campaign", PERIOD, None, ("gender", "region")), "ask.table"),
        (Question("campaign", PERIOD, None, (), {"gender": ("x",)}), "ask.category"),
        (Question("campaign", PERIOD, None, (), {"region": ("kinki",), "prefecture": ("tokyo",)}), "ask.category"),
        (Question("campaign", PERIOD, None, (), {}, ("c900",)), "ask.key"),
    ],
)
def test_what_was_not_released_is_refused_and_leaves_nothing(
    workspace: Workspace, question: Question, rule: str
) -> None:
    with pytest.raises(PolicyError) as refused:
        workspace.ask(question)
    assert refused.value.rule == rule
    assert refused.value.allowed
    assert not (workspace.home.out / ANALYST).exists()
    assert workspace.ledger.entries(QUESTION) == []


def test_only_roles_of_the_purpose_may_ask(workspace: Workspace) -> None:
    billing = replace(workspace, actor=Actor("b", "billing"))
    assert PURPOSE not in workspace.policy.roles["billing"].purposes
    with pytest.raises(PolicyError, match=r"roles\.purpose"):
        billing.ask(Question("campaign", PERIOD))


def test_a_package_that_was_tampered_with_answers_nothing(workspace: Workspace) -> None:
    path = workspace.home.out / "adv-a" / "campaign" / PERIOD / "audience_area.csv"
    path.write_bytes(path.read_bytes().replace(b"withheld", b"withhelt", 1))
    with pytest.raises(ReleaseError):
        workspace.ask(Question("campaign", PERIOD, None, ("region",)))


def test_safe_cells_that_are_not_what_was_released_answer_nothing(workspace: Workspace) -> None:
    (file,) = workspace.home.partition("safe__audience_area", NIGHT).glob("adv-a.*.parquet")
    rows = pq.read_table(file)
    changed = rows.set_column(
        rows.column_names.index("impression_n"),
        "impression_n",
        pa.array([None if v is None else v + 1 for v in rows["impression_n"].to_pylist()], pa.int64()),
    )
    workspace.store.write("safe__audience_area", NIGHT, changed, file.stem)
    with pytest.raises(ReleaseError, match=r"release\.safe"):
        workspace.ask(Question("campaign", PERIOD, None, ("region",)))


def test_no_recipient_of_the_catalogue_may_be_called_analyst(policy: Policy) -> None:
    landed = references()
    taken = [{**row, "recipient_id": ANALYST} for row in landed["pseudo__recipient"].to_pylist()]
    landed["pseudo__recipient"] = pa.Table.from_pylist(taken, landed["pseudo__recipient"].schema)
    with pytest.raises(InputError, match=r"release\.analyst"):
        package_shapes(policy, landed, NIGHT)
