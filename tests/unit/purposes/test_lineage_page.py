"""The page for analysts: every table and column, self-contained, the same bytes each time."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import dagster as dg
import pytest

from assets.blueprint import Blueprint
from assets.suites import load_suites
from pipelines.partitions import daily
from quorum.lineage.drawing import drawn
from quorum.lineage.gate import Gate, check_gate
from quorum.lineage.page import PAGE, column_lineage, lineage_page, write_page
from quorum.policy import Policy
from quorum.tables import Catalog


@pytest.fixture(scope="module")
def gate(catalog: Catalog, policy: Policy) -> Gate:
    return check_gate(catalog, policy)


@pytest.fixture(scope="module")
def page(gate: Gate) -> str:
    return lineage_page(gate).decode()


class Seen(HTMLParser):
    """Tags, ids and targets of links of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: set[str] = set()
        self.targets: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.add(str(value))
            elif name in ("href", "src"):
                self.targets.add(str(value))


def test_every_table_has_its_place_and_every_link_leads_to_one(page: str, catalog: Catalog) -> None:
    seen = Seen(page)
    assert seen.ids == set(catalog.tables)
    assert seen.targets == {f"#{name}" for name in catalog.tables}
    assert not seen.tags & {"script", "link", "img", "iframe", "object"}
    assert not re.search(r"https?://|url\(", page)


def test_columns_show_their_value_their_way_and_what_it_is_made_of_in_the_end(page: str) -> None:
    section = page.split('<section id="cube__audience_age_gender">')[1].split("</section>")[0]
    row = section.split("<code>people_n</code>")[1].split("</tr>")[0]
    assert "seg__ad_event.person_n" in row
    assert "counted" in row
    event = page.split('<section id="seg__event">')[1].split("</section>")[0]
    assert "<code>vault__access.cookie_id</code>" in event.split("<code>person_key</code>")[1].split("</tr>")[0]
    member = page.split('<section id="pseudo__member">')[1].split("</section>")[0]
    age = member.split("<code>age_years</code>")[1].split("</tr>")[0]
    assert "vault__member.birth_date" in age
    assert "completed_years" in age
    assert "latest_version" in member.split("Rows decided by")[1]


def test_a_column_unused_until_a_date_says_so(page: str, gate: Gate) -> None:
    section = page.split('<section id="vault__beacon">')[1].split("</section>")[0]
    assert f"unused, until {gate.listed['vault__beacon.ip'].expires}" in section


def test_the_same_bytes_each_time_written_whole(gate: Gate, tmp_path: Path) -> None:
    written = write_page(gate, tmp_path / "docs")
    assert written.name == PAGE
    assert written.read_bytes() == lineage_page(gate)
    assert [path.name for path in (tmp_path / "docs").iterdir()] == [PAGE]


def test_zones_stand_left_to_right_and_lines_join_what_reads(gate: Gate) -> None:
    picture = drawn({"vault": ["vault__a", "vault__b"], "pseudo": ["pseudo__c"]}, [("vault__a", "pseudo__c")])
    left, below, right = picture.nodes
    assert left.x == below.x < right.x < picture.width
    assert left.y < below.y < picture.height
    (line,) = picture.lines
    assert line.path.startswith(f"M{left.x + picture.node_width} {left.y}C")
    assert line.path.endswith(f"{right.x} {right.y}")


def test_assets_carry_the_lineage_of_their_columns(gate: Gate, catalog: Catalog, root: Path) -> None:
    plan = Blueprint(catalog, load_suites(root / "expectations", catalog), daily(), gate.flows)
    asset = plan.step("made", ["seg__person_day"], lambda workspace, night: {}, description="made for a test")
    metadata = asset.metadata_by_key[dg.AssetKey("seg__person_day")]
    lineage = metadata["dagster/column_lineage"]
    assert isinstance(lineage, dg.TableColumnLineage)
    (dep,) = lineage.deps_by_column["collected_at"]
    assert (dep.asset_key, dep.column_name) == (dg.AssetKey("pseudo__member"), "collected_at")
    assert "docs/lineage.html#seg__person_day" in str(metadata["lineage"])


def test_what_is_only_in_memory_is_no_asset_to_depend_on(gate: Gate, catalog: Catalog, root: Path) -> None:
    assert column_lineage(gate.flows, "pseudo__access")["network"] == (("vault__access", "ip"),)
    plan = Blueprint(catalog, load_suites(root / "expectations", catalog), daily(), gate.flows)
    asset = plan.step("made", ["pseudo__access"], lambda workspace, night: {}, description="made for a test")
    lineage = asset.metadata_by_key[dg.AssetKey("pseudo__access")]["dagster/column_lineage"]
    assert isinstance(lineage, dg.TableColumnLineage)
    assert lineage.deps_by_column["network"] == []
