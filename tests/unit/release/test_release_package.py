"""The files of a package: bytes that outside programs read."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quorum.audit.package import parse_package
from quorum.errors import ReleaseError
from quorum.policy import Policy
from quorum.release.package import csv_bytes, package_path, rule_numbers, stage_package
from quorum.tables import PackageShape

Tables = dict[str, pa.Table]


@pytest.fixture
def staged(
    tmp_path: Path, shapes: dict[str, PackageShape], campaign_tables: Tables, policy: Policy, pages: dict[str, bytes]
) -> Path:
    return stage_package(tmp_path, shapes["campaign"], campaign_tables, policy, pages)


def test_a_package_is_staged_under_recipient_report_and_period(staged: Path, tmp_path: Path) -> None:
    assert staged == tmp_path / ".staging" / "adv-a" / "campaign" / "2026-11-21"
    names = {path.name for path in staged.iterdir()}
    assert {"performance.csv", "performance.parquet", "datapackage.json", "report.ja.html", "report.en.html"} <= names
    assert len(names) == 2 * 10 + 4  # two of the tables are drawn from another


def test_the_same_tables_give_the_same_bytes(
    staged: Path,
    tmp_path: Path,
    shapes: dict[str, PackageShape],
    campaign_tables: Tables,
    policy: Policy,
    pages: dict[str, bytes],
) -> None:
    chunked = {n: pa.concat_tables([t.slice(0, 5), t.slice(5)]) for n, t in campaign_tables.items()}
    marked = {n: t.replace_schema_metadata({"pandas": "{}", "made": "today"}) for n, t in chunked.items()}
    again = stage_package(tmp_path / "again", shapes["campaign"], marked, policy, pages)
    for path in staged.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name


def test_staging_again_leaves_nothing_of_the_earlier_draft(
    staged: Path,
    tmp_path: Path,
    shapes: dict[str, PackageShape],
    campaign_tables: Tables,
    policy: Policy,
    pages: dict[str, bytes],
) -> None:
    (staged / "left.over").write_text("x")
    assert not (stage_package(tmp_path, shapes["campaign"], campaign_tables, policy, pages) / "left.over").exists()


def test_withheld_is_empty_and_never_zero(staged: Path) -> None:
    with (staged / "audience_area.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    withheld = [row for row in rows if row["status_clicks"] == "withheld"]
    assert withheld
    assert all(row["click_n"] == "" and row["clicker_n"] == "" for row in withheld)
    total = next(row for row in rows if row["region"] == "ALL")
    assert int(total["impression_n"]) > 0


def test_csv_has_no_mark_and_is_ascii(staged: Path) -> None:
    for path in staged.glob("*.csv"):
        text = path.read_bytes()
        assert not text.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in text
        text.decode("ascii")


def test_parquet_carries_no_metadata_of_ours(staged: Path) -> None:
    for path in staged.glob("*.parquet"):
        file = pq.ParquetFile(path)
        assert file.metadata.metadata is None
        assert file.schema_arrow.metadata is None
        assert file.metadata.created_by.startswith("parquet-cpp-arrow version ")


def test_the_descriptor_says_what_the_page_asks(staged: Path) -> None:
    package = json.loads((staged / "datapackage.json").read_text(encoding="utf-8"))
    assert package["quorum:period"] == "2026-11-21"
    assert package["quorum:recipient"] == "adv-a"
    assert package["quorum:invariants"] == []
    assert package["quorum:groups"] == {}
    assert package["quorum:rule_set"]["heads"] == {"impressions": 50, "clicks": 20, "conversions": 20}
    assert package["quorum:rule_set"]["contribution"] == {"click": 10, "conversion": 5, "impression": 20}
    resources = {resource["name"]: resource for resource in package["resources"]}
    assert {resource["quorum:universe"] for resource in resources.values()} == {"ads"}
    fields = {field["name"]: field for field in resources["audience_area"]["schema"]["fields"]}
    assert fields["region"]["quorum:hierarchy"] == fields["prefecture"]["quorum:hierarchy"] == ["region", "prefecture"]
    assert fields["campaign_id"]["quorum:hierarchy"] == ["campaign_id"]
    assert "ALL" not in fields["campaign_id"]["constraints"]["enum"]
    assert fields["people_n"]["quorum:additive_over"] == ["region", "prefecture"]
    assert fields["people_n"]["quorum:family"] == fields["status_impressions"]["quorum:family"] == "impressions"
    assert {field["quorum:role"] for field in fields.values()} == {"dimension", "measure", "status"}
    nest = {field["name"]: field for field in resources["performance"]["schema"]["fields"]}
    assert nest["creative_id"]["quorum:hierarchy"] == ["campaign_id", "creative_id"]
    assert nest["creative_id"]["constraints"]["enum"][0] == "ALL"


def test_an_outsider_rebuilds_the_shape_from_the_files(staged: Path, shapes: dict[str, PackageShape]) -> None:
    parsed = parse_package(staged)
    for table in shapes["campaign"].tables:
        rebuilt = parsed.shape.table(table.name)
        assert rebuilt.measures == table.measures
        assert [d.levels for d in rebuilt.dimensions] == [d.levels for d in table.dimensions]
        assert [d.keys for d in rebuilt.dimensions] == [d.keys for d in table.dimensions]
        assert parsed.tables[table.name].coordinates == tuple(table.coordinates())


def test_frictionless_finds_nothing_to_complain_about(staged: Path) -> None:
    command = [str(Path(sys.executable).with_name("frictionless")), "validate", "datapackage.json", "--json"]
    done = subprocess.run(command, cwd=staged, capture_output=True, text=True)
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert report["valid"]
    assert report["stats"] == {**report["stats"], "tasks": 10, "errors": 0, "warnings": 0}


def test_frictionless_notices_a_foreign_category(staged: Path) -> None:
    path = staged / "audience_device.csv"
    path.write_bytes(path.read_bytes().replace(b"desktop", b"toaster", 1))
    command = [str(Path(sys.executable).with_name("frictionless")), "validate", "datapackage.json", "--json"]
    assert subprocess.run(command, cwd=staged, capture_output=True).returncode != 0


def test_other_tables_and_pages_are_refused(
    tmp_path: Path, shapes: dict[str, PackageShape], campaign_tables: Tables, policy: Policy, pages: dict[str, bytes]
) -> None:
    with pytest.raises(ReleaseError, match=r"release\.tables"):
        stage_package(tmp_path, shapes["campaign"], {**campaign_tables, "more": pa.table({})}, policy, pages)
    with pytest.raises(ReleaseError, match=r"release\.page"):
        stage_package(tmp_path, shapes["campaign"], campaign_tables, policy, {"performance.csv": b""})


@pytest.mark.parametrize(
    "change",
    [
        {"recipient_id": ".."},
        {"recipient_id": ".staging"},
        {"report": "a/b"},
        {"period": "2026-11-21/.."},
        {"period": "x"},
    ],
)
def test_a_path_that_leaves_its_folder_is_refused(shapes: dict[str, PackageShape], change: dict[str, str]) -> None:
    with pytest.raises(ReleaseError, match=r"release\.path"):
        package_path(replace(shapes["campaign"], **change))


@pytest.mark.parametrize("period", ["2026-11-21", "2026-W47", "2026-11", "2026-11-21.r2"])
def test_periods_of_the_page_are_file_names(shapes: dict[str, PackageShape], period: str) -> None:
    assert package_path(replace(shapes["campaign"], period=period)).name == period


def test_bounds_are_stated_where_they_decided(policy: Policy) -> None:
    numbers = {
        name: rule_numbers(policy.rule_sets[report.rule_set], report, policy) for name, report in policy.reports.items()
    }
    assert set(numbers["campaign"]["contribution"]) == {"impression", "click", "conversion"}
    assert numbers["sections"]["contribution"] == numbers["site"]["contribution"] == {}


@pytest.mark.parametrize("key", ["=1+1", "+1", "-1", "@x", "\tx", "都道府県", "", "a\nb", "'a", " a"])
def test_a_key_that_a_spreadsheet_might_compute_or_spoil_is_refused(key: str) -> None:
    with pytest.raises(ReleaseError, match="spreadsheet"):
        csv_bytes(pa.table({"campaign_id": ["c1", key], "impression_n": pa.array([1, None], pa.int64())}))
