"""Nights that are held: found before a line is read, told in the ledger and on a page, released once mended."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quorum.errors import InputError, UsageError
from quorum.holds import PAGE, add_note, held_nights, open_nights
from quorum.workspace import ROOT, Workspace, open_workspace
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
NEXT = NIGHT + timedelta(days=1)
ENVIRON = {"QUORUM_MASTER_KEY": "5a" * 32}
Put = Callable[..., Path]


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    for night in (NIGHT, NEXT):
        (tmp_path / "landing" / night.isoformat()).mkdir(parents=True)
    return tmp_path / "landing"


@pytest.fixture
def put(landing: Path) -> Put:
    def write(name: str, content: bytes = b"", night: date = NIGHT) -> Path:
        path = landing / night.isoformat() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def workspace(home: Home, landing: Path) -> Iterator[Workspace]:
    with open_workspace(home, landing, ROOT / "policy", ENVIRON) as workspace:
        yield workspace


def past(
    workspace: Workspace, night: date, loaded: int, source: str = "access", file: str = "access/web.log.gz"
) -> None:
    """Enter a night that was done, with the lines of one file."""
    landed = workspace.ledger.register_file(night, source, file.partition("/")[2], f"digest {night} {file}")
    accounting = {"source": source, "file": file, "read": loaded, "loaded": loaded, "duplicate": 0}
    rest = {"quarantined": {}, "waiting": 0, "late": 0}
    workspace.ledger.record_accounting(landed.file_n, accounting | rest)
    if workspace.ledger.night(night) is None:
        workspace.ledger.finish_night(night, "0" * 64, {})


def refused(workspace: Workspace, night: date = NIGHT) -> str:
    with pytest.raises(InputError) as error:
        workspace.admit(night)
    return error.value.rule


def require(landing: Path, *sources: str) -> None:
    (landing / "sources.yaml").write_text(f"required: [{', '.join(sources)}]", encoding="utf-8")


def test_a_missing_source_holds_its_night_and_the_next_until_it_is_there(
    workspace: Workspace, landing: Path, put: Put
) -> None:
    require(landing, "access", "ads")
    put("ads/_COMPLETE")
    assert refused(workspace) == refused(workspace) == "landing.required"
    assert refused(workspace, NEXT) == "night.held"
    (entry,) = workspace.ledger.entries("held")
    assert entry.body["missing"] == [{"source": "access", "kind": "missing", "count": 0, "expected": 0}]
    page = (workspace.home.docs / PAGE).read_text(encoding="utf-8")
    assert NIGHT.isoformat() in page
    assert "access has not arrived whole" in page
    put("access/_COMPLETE")
    workspace.admit(NIGHT)


def test_what_the_marker_lists_must_be_there_with_its_bytes(workspace: Workspace, landing: Path, put: Put) -> None:
    require(landing, "access")
    content = b"a line\n" * 100
    digest = hashlib.sha256(content).hexdigest()
    put("access/_COMPLETE", f"{digest}  a.log\n{'0' * 64}  _COMPLETE\n".encode())
    assert refused(workspace) == "landing.half"
    put("access/a.log", content[:350])
    assert refused(workspace) == "landing.half"
    put("access/a.log", content)
    workspace.admit(NIGHT)


def test_half_a_required_file_is_found_before_a_line_is_read(workspace: Workspace, landing: Path, put: Put) -> None:
    require(landing, "access", "ads")
    put("access/_COMPLETE"), put("ads/_COMPLETE")
    packed = gzip.compress(bytes(range(256)) * 50)
    put("access/a.log.gz", packed[: len(packed) // 2])
    whole = put("ads/a.parquet")
    pq.write_table(pa.table({"n": list(range(1000))}), whole)
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) // 2])
    assert refused(workspace) == "landing.half"
    assert [missing["source"] for missing in workspace.ledger.entries("held")[0].body["missing"]] == ["access", "ads"]
    assert workspace.ledger.accounting(NIGHT) == []
    put("access/a.log.gz", packed), whole.write_bytes(content)
    workspace.admit(NIGHT)


def test_half_of_a_file_that_comes_every_night_holds_where_nothing_is_required(workspace: Workspace, put: Put) -> None:
    past(workspace, NIGHT - timedelta(days=1), 900)
    packed = gzip.compress(bytes(range(256)) * 50)
    put("access/stray.log.gz", packed[:100])
    workspace.admit(NIGHT)
    put("access/web.log.gz", packed[:100])
    assert refused(workspace) == "landing.half"


@pytest.fixture
def put_required(landing: Path, put: Put) -> Put:
    """Access must arrive, and its marker is there; as `put`."""
    require(landing, "access")
    for night in (NIGHT, NEXT):
        put("access/_COMPLETE", night=night)
    return put


def test_where_nothing_is_required_what_is_there_is_all_there_is(workspace: Workspace, landing: Path, put: Put) -> None:
    past(workspace, NIGHT - timedelta(days=7), 5000)
    workspace.admit(NIGHT)
    put("access/a.log", b"x\n" * 50_000)
    workspace.admit(NIGHT)
    (landing / NIGHT.isoformat() / "access" / "a.log").unlink()
    (landing / NIGHT.isoformat() / "access").rmdir()
    (landing / NIGHT.isoformat()).rmdir()
    assert refused(workspace) == "landing.folder"
    workspace.admit(NEXT)
    assert held_nights(workspace.ledger) == {}


def test_volumes_are_held_against_the_same_weekday_and_explained_by_a_note(
    workspace: Workspace, put_required: Put
) -> None:
    put = put_required
    past(workspace, NIGHT - timedelta(days=7), 5000)
    past(workspace, NIGHT - timedelta(days=6), 100)
    put("access/a.log", b"x\n" * 2499)
    assert refused(workspace) == "landing.volume"
    put("access/a.log", b"x\n" * 2500)
    workspace.admit(NIGHT)
    put("access/a.log", b"x\n" * 10_001)
    assert refused(workspace) == "landing.volume"
    add_note(workspace.ledger, NIGHT, "access", "the portal moved", "hana")
    workspace.admit(NIGHT)
    (note,) = workspace.ledger.entries("note")
    assert note.body == {"night": "2026-11-21", "source": "access", "why": "the portal moved", "actor": "hana"}


def test_an_explained_volume_is_not_what_later_nights_are_compared_with(
    workspace: Workspace, put_required: Put
) -> None:
    put = put_required
    past(workspace, NIGHT - timedelta(days=14), 5000)
    past(workspace, NIGHT - timedelta(days=7), 50)
    put("access/a.log", b"x\n" * 5000)
    assert refused(workspace) == "landing.volume"  # 50 and 5000: the lower median
    add_note(workspace.ledger, NIGHT - timedelta(days=7), "access", "outage", "hana")
    workspace.admit(NIGHT)


def test_lines_that_were_delivered_before_do_not_count(workspace: Workspace, put_required: Put) -> None:
    put = put_required
    content = b"x\n" * 5000
    before = NIGHT - timedelta(days=7)
    past(workspace, before, 5000)
    workspace.ledger.register_file(before, "access", "again.log", hashlib.sha256(content).hexdigest())
    put("access/a.log", content)
    assert refused(workspace) == "landing.volume"


def test_late_files_are_no_volume(workspace: Workspace, put_required: Put) -> None:
    put = put_required
    past(workspace, NIGHT - timedelta(days=7), 2000)
    past(workspace, NIGHT - timedelta(days=7), 50_000, file="../2026-11-13/access/late.log")
    put("access/a.log", b"x\n" * 2000)
    workspace.admit(NIGHT)


def test_what_was_loaded_is_judged_again_before_anything_is_made_safe(workspace: Workspace, put_required: Put) -> None:
    put = put_required
    past(workspace, NIGHT - timedelta(days=7), 5000)
    put("access/a.log", b"garbage\n" * 5000)
    workspace.take_in("access", NIGHT)
    for step in (workspace.make_safe, workspace.publish):
        with pytest.raises(InputError, match=r"landing\.volume.*only 0 lines"):
            step(NIGHT)
    assert not workspace.is_done(NIGHT)
    assert list(held_nights(workspace.ledger)) == [NIGHT]


def test_a_night_of_which_nothing_landed_keeps_later_ones_waiting(
    workspace: Workspace, landing: Path, put: Put
) -> None:
    past(workspace, NIGHT - timedelta(days=1), 10)
    require(landing, "access")
    put("access/_COMPLETE", night=NEXT)
    (landing / NIGHT.isoformat()).rmdir()
    assert refused(workspace) == "landing.folder"
    assert refused(workspace, NEXT) == "night.held"
    assert open_nights(workspace.ledger, [], NEXT) == [NIGHT, NEXT]
    add_note(workspace.ledger, NIGHT, "night", "closed for works", "hana")
    workspace.admit(NEXT)
    assert held_nights(workspace.ledger) == {}
    assert open_nights(workspace.ledger, [], NEXT) == [NEXT]


def test_a_fresh_home_begins_with_what_landed_first(workspace: Workspace) -> None:
    first = NIGHT - timedelta(days=2)
    assert open_nights(workspace.ledger, [first, NIGHT], NIGHT) == [first, NIGHT - timedelta(days=1), NIGHT]
    assert open_nights(workspace.ledger, [], NIGHT) == [NIGHT]


def test_a_file_that_is_delivered_again_under_another_name_counts(workspace: Workspace, put: Put) -> None:
    line = b'192.0.2.1 - - [21/Nov/2026:10:00:00 +0900] "GET /news/1 HTTP/1.1" 200 5 "-" "Mozilla/5.0"\n'
    path = put("access/a.log", line * 10)
    assert workspace.take_in("access", NIGHT)[0].loaded == 10
    path.rename(path.with_name("b.log"))
    (taken,) = workspace.take_in("access", NIGHT)
    assert (taken.loaded, taken.duplicate) == (10, 0)
    assert [one["file"] for one in workspace.ledger.accounting(NIGHT)] == ["access/b.log"]


@pytest.mark.parametrize("why", ["", " ", "x" * 201, "ask hanako@example.jp", "line\nbreak"])
def test_a_note_names_a_reason_and_no_person(workspace: Workspace, why: str) -> None:
    with pytest.raises(UsageError):
        add_note(workspace.ledger, NIGHT, "access", why, "hana")
    assert workspace.ledger.entries("note") == []


def test_retention_waits_while_a_package_of_what_would_go_is_missing(workspace: Workspace) -> None:
    old = NIGHT - timedelta(days=500)
    past(workspace, old, 10)
    past(workspace, NIGHT, 10)
    workspace.ledger.enter_release("adv-01", "campaign", old.isoformat(), old, "0" * 64, {})
    folder = workspace.home.partition("seg__event", old)
    folder.mkdir(parents=True)
    with pytest.raises(InputError) as error:
        workspace.retain(None, is_dry=False)
    assert error.value.rule == "retention.gaps"
    assert f"{old} package adv-01/campaign/{old}" in str(error.value)
    assert folder.is_dir()
    workspace.retain(None, is_dry=True)
    add_note(workspace.ledger, old, "night", "lost with the disk", "hana")
    assert workspace.retain(None, is_dry=False)["removed"] == 1
    assert not folder.exists()
