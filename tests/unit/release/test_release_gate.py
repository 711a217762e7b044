"""The one door: what passes, what does not, what a rerun serves, what a crash leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from release_night import NIGHT, cube_tables, pages_of, withhold

from quorum.errors import LedgerError, ReleaseError
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.policy import Policy
from quorum.release.gate import Door, Draft, Release, publish
from quorum.release.sealed import open_worst
from quorum.tables import PackageShape
from quorum.zones import Home

Tables = dict[str, pa.Table]


class _PowerCutError(Exception):
    pass


@pytest.fixture
def door(home: Home, keys: KeyRing, policy: Policy) -> Door:
    return Door(home, Ledger(home.ledger), keys, policy, "0.1.0")


@pytest.fixture
def shape(shapes: dict[str, PackageShape]) -> PackageShape:
    return shapes["sections"]


@pytest.fixture(scope="module")
def cubes(shapes: dict[str, PackageShape], policy: Policy) -> Tables:
    return cube_tables(shapes["sections"], policy, people=2_500)


@pytest.fixture(scope="module")
def tables(shapes: dict[str, PackageShape], cubes: Tables, policy: Policy) -> Tables:
    return withhold(shapes["sections"], cubes, policy, totals_only=True)


@pytest.fixture(scope="module")
def pages(shapes: dict[str, PackageShape], tables: Tables, policy: Policy) -> dict[str, bytes]:
    return pages_of(shapes["sections"], tables, policy)


@pytest.fixture
def draft(tables: Tables, cubes: Tables, pages: dict[str, bytes]) -> Callable[[], Draft]:
    return lambda: Draft(tables, pages, cubes)


def _never() -> Draft:
    raise AssertionError("a released period is never computed again")


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_sound_report_is_published_and_entered(door: Door, shape: PackageShape, draft: Callable[[], Draft]) -> None:
    release = publish(door, NIGHT, shape, draft)
    assert release.status == "published"
    assert release.path == (door.home.out / "info-a" / "sections" / "2026-11-21").absolute()
    assert release.published_cells > 0
    assert release.withheld_cells > 0
    entered = door.ledger.release("info-a", "sections", "2026-11-21")
    assert entered is not None
    assert entered["withheld_cells"] == release.withheld_cells
    assert {record["attack"] for record in entered["attacks"]} >= {"reparse", "elimination"}
    certificate = json.loads((release.path / "certificate.json").read_bytes())
    assert certificate["previous"] is None
    assert {"attack": "elimination", "verdict": "passed"} in certificate["attacks"]
    assert {"check": "schema", "verdict": "passed"} in certificate["checks"]
    assert not any((door.home.out / ".staging").rglob("*.csv"))


def test_a_rerun_serves_what_is_stored(door: Door, shape: PackageShape, draft: Callable[[], Draft]) -> None:
    first = publish(door, NIGHT, shape, draft)
    assert first.path is not None
    before = _bytes(first.path)
    again = publish(door, NIGHT, shape, _never)
    assert again == Release(
        "info-a", "sections", "2026-11-21", "unchanged", first.path, first.published_cells, first.withheld_cells
    )
    assert _bytes(first.path) == before
    assert len(door.ledger.entries("release")) == 1


def test_packages_of_a_recipient_are_chained(
    door: Door, shape: PackageShape, draft: Callable[[], Draft], policy: Policy
) -> None:
    first = publish(door, NIGHT, shape, draft)
    morrow = replace(shape, period="2026-11-22")
    second = publish(door, NIGHT + timedelta(days=1), morrow, draft)
    assert first.path is not None
    assert second.path is not None
    digest = door.ledger.release("info-a", "sections", "2026-11-21")["certificate"]
    assert json.loads((second.path / "certificate.json").read_bytes())["previous"] == digest


@pytest.mark.clause("P-03n")
def test_a_leak_blocks_the_report_and_nothing_is_left(
    door: Door, shape: PackageShape, cubes: Tables, policy: Policy
) -> None:
    leaky = withhold(shape, cubes, policy)
    release = publish(door, NIGHT, shape, lambda: Draft(leaky, pages_of(shape, leaky, policy), cubes))
    assert (release.status, release.path) == ("blocked", None)
    assert "elimination failed" in release.reasons
    assert not (door.home.out / "info-a").exists()
    assert not any((door.home.out / ".staging").rglob("*.csv"))
    (entry,) = door.ledger.entries("blocked")
    assert entry.body["reasons"] == list(release.reasons)
    worst = open_worst(door.keys, entry.body["sealed"])
    assert {f"{found['attack']} {found['verdict']}" for found in worst} == set(release.reasons)
    assert all(found["worst"] not in json.dumps(entry.body) for found in worst if found["worst"])
    assert door.ledger.release("info-a", "sections", "2026-11-21") is None


def test_a_cell_under_its_threshold_blocks(
    door: Door, shape: PackageShape, draft: Callable[[], Draft], cubes: Tables, pages: dict[str, bytes]
) -> None:
    made = draft()
    few = {
        name: table.set_column(table.column_names.index("viewer_n"), "viewer_n", pa.array([49] * table.num_rows))
        if "viewer_n" in table.column_names
        else table
        for name, table in cubes.items()
    }
    release = publish(door, NIGHT, shape, lambda: Draft(made.tables, pages, few))
    assert release.status == "blocked"
    assert "reparse failed" in release.reasons


@pytest.mark.clause("P-03n")
def test_an_address_in_a_name_blocks(
    door: Door, shape: PackageShape, tables: Tables, cubes: Tables, pages: dict[str, bytes]
) -> None:
    pages = {**pages, "report.ja.html": "<p>お問い合わせ: hanako＠example.co.jp</p>".encode()}
    release = publish(door, NIGHT, shape, lambda: Draft(tables, pages, cubes))
    assert release.reasons == ("identifiers failed",)


@pytest.mark.parametrize("missing", ["report.en.html", "report.xlsx"])
def test_a_missing_page_blocks(
    door: Door, shape: PackageShape, tables: Tables, cubes: Tables, pages: dict[str, bytes], missing: str
) -> None:
    del (only := dict(pages))[missing]
    release = publish(door, NIGHT, shape, lambda: Draft(tables, only, cubes))
    assert release.reasons == ("schema failed",)


def test_a_workbook_that_says_more_than_the_tables_blocks(
    door: Door, shape: PackageShape, tables: Tables, cubes: Tables, policy: Policy
) -> None:
    more = pages_of(shape, withhold(shape, cubes, policy), policy)
    release = publish(door, NIGHT, shape, lambda: Draft(tables, more, cubes))
    assert (release.status, release.reasons) == ("blocked", ("schema failed",))


def test_a_package_that_cannot_be_read_blocks(
    door: Door, shape: PackageShape, tables: Tables, cubes: Tables, pages: dict[str, bytes]
) -> None:
    torn = {name: table.slice(1) for name, table in tables.items()}
    release = publish(door, NIGHT, shape, lambda: Draft(torn, pages, cubes))
    assert (release.status, release.reasons) == ("blocked", ("schema failed",))


def test_nothing_safe_means_held(door: Door, shape: PackageShape) -> None:
    release = publish(door, NIGHT, shape, lambda: None)
    assert (release.status, release.path) == ("held", None)
    assert release.as_record()["path"] is None
    assert not door.ledger.entries()


def test_a_crash_before_the_rename_is_finished_by_the_next_run(
    door: Door, shape: PackageShape, draft: Callable[[], Draft], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Path, target: Path) -> None:
        raise _PowerCutError

    def only_packages(self: Path, target: Path) -> Path:
        return fail(self, target) if self.is_dir() else rename(self, target)

    rename = Path.replace
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", only_packages)
        with pytest.raises(_PowerCutError):
            publish(door, NIGHT, shape, draft)
    staged = door.home.out / ".staging" / "info-a" / "sections" / "2026-11-21"
    promised = _bytes(staged)
    assert door.ledger.release("info-a", "sections", "2026-11-21") is not None
    release = publish(door, NIGHT, shape, draft)
    assert release.status == "published"
    assert release.path is not None
    assert _bytes(release.path) == promised
    assert len(door.ledger.entries("release")) == 1


def test_a_second_draw_is_refused_after_a_crash(
    door: Door, shape: PackageShape, draft: Callable[[], Draft], monkeypatch: pytest.MonkeyPatch
) -> None:
    release = publish(door, NIGHT, shape, draft)
    assert release.path is not None
    release.path.rename(door.home.out / "elsewhere")
    made = draft()
    other = Draft(made.tables, {**made.pages, "report.en.html": b"<p>another</p>"}, made.truth)
    with pytest.raises(ReleaseError, match=r"release\.rebuild"):
        publish(door, NIGHT, shape, lambda: other)
    assert publish(door, NIGHT, shape, draft).status == "published"


@pytest.mark.parametrize("name", ["certificate.json", "certificate.sig", "section_area.csv", "report.ja.html"])
def test_a_stored_release_that_was_touched_is_refused(
    door: Door, shape: PackageShape, draft: Callable[[], Draft], name: str
) -> None:
    release = publish(door, NIGHT, shape, draft)
    assert release.path is not None
    path = release.path / name
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ReleaseError, match=r"release\.stored"):
        publish(door, NIGHT, shape, draft)
    path.unlink()
    with pytest.raises(ReleaseError, match=r"release\.stored"):
        publish(door, NIGHT, shape, draft)


def test_a_folder_that_was_never_entered_is_refused(
    door: Door, shape: PackageShape, draft: Callable[[], Draft]
) -> None:
    (door.home.out / "info-a" / "sections" / "2026-11-21").mkdir(parents=True)
    with pytest.raises(ReleaseError, match=r"release\.unknown"):
        publish(door, NIGHT, shape, draft)


def test_another_master_key_is_refused(
    door: Door, shape: PackageShape, draft: Callable[[], Draft], policy: Policy
) -> None:
    publish(door, NIGHT, shape, draft)
    stranger = Door(door.home, door.ledger, KeyRing(bytes(32)), policy, "0.1.0")
    with pytest.raises(LedgerError, match=r"keys\.public"):
        publish(stranger, NIGHT, shape, draft)
