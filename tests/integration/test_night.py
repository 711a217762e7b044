"""Whole nights on a tiny portal: published, served as stored, the same bytes again, nobody named outside the vault."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from assets.suites import load_suites
from pipelines import definitions
from pipelines.jobs import NIGHTLY
from pipelines.progress import NightProgress
from pipelines.resources import workspace_resource
from pipelines.run import Nights, open_nights
from pipelines.settings import Settings, resolve
from quorum.sample import write_sample

FIRST, SECOND = date(2026, 11, 20), date(2026, 11, 21)
KEY = "a7" * 32


@dataclass(frozen=True)
class Portal:
    """A landing folder, and a home in which the command has run both nights."""

    landing: Path
    home: Path
    told: str
    nights: list[dict[str, object]]


def settings(portal: Portal, home: Path) -> Settings:
    return resolve({}, home=str(home), landing=str(portal.landing))


def command(portal_landing: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("QUORUM_", "DAGSTER_"))}
    environ |= {"QUORUM_MASTER_KEY": KEY, "QUORUM_LANDING": str(portal_landing), "QUORUM_HOME": str(home)}
    program = str(Path(sys.executable).with_name("quorum"))
    return subprocess.run([program, *arguments], capture_output=True, text=True, env=environ, timeout=600)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    landing, home = tmp_path_factory.mktemp("landing"), tmp_path_factory.mktemp("home")
    write_sample(landing, last=SECOND, days=2, members=300, events=4000, campaigns=3, recipients=5, ctr=0.2, seed=11)
    spoil(landing / FIRST.isoformat())
    done = command(landing, home, "backfill", "--from", str(FIRST), "--to", str(SECOND), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return Portal(landing, home, done.stdout + done.stderr, [json.loads(line) for line in done.stdout.splitlines()])


def spoil(folder: Path) -> None:
    """Plant identifiers where logs hold them: query strings, agents, bad lines, an undeclared source."""
    lines = [
        '203.0.113.9 - - [20/Nov/2026:10:00:00 +0900] "GET /news/1?mail=hanako.canary@example.jp HTTP/1.1" 200 5 "-" '
        '"agent hanako.canary@example.jp" "quid=canarycookie42"',
        '203.0.113.9 - hanako.canary@example.jp [20/Nov/2026:10:00:01 +0900] "GET /canary-open-quote HTTP/1.1 200 5',
    ]
    (folder / "access" / "canary.log").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "mail").mkdir()
    (folder / "mail" / "hanako.txt").write_text("hanako.canary@example.jp wrote\n", encoding="utf-8")


@pytest.fixture
def nights(portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nights]:
    monkeypatch.setenv("QUORUM_MASTER_KEY", KEY)
    monkeypatch.setenv("DAGSTER_HOME", "")
    with open_nights(settings(portal, tmp_path / "home"), [FIRST, SECOND], NightProgress(None)) as nights:
        yield nights


def bytes_of(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_two_nights_are_published_and_every_line_is_accounted_for(portal: Portal) -> None:
    assert [night["date"] for night in portal.nights] == [str(FIRST), str(SECOND)]
    for night in portal.nights:
        assert (night["exit_code"], night["errors"]) == (0, [])
        assert {release["status"] for release in night["releases"]} == {"published"}
        assert {release["report"] for release in night["releases"]} == {"campaign", "items", "sections", "site"}
        for release in night["releases"]:
            assert (Path(release["path"]) / "certificate.sig").is_file()
            assert release["withheld_cells"] > 0
        for landed in night["accounting"]:
            assert landed["read"] == landed["loaded"] + landed["duplicate"] + sum(landed["quarantined"].values())
        assert {"access", "seg__event", "cube__campaign_daily", "safe", "out__package"} <= {
            stage["name"] for stage in night["stages"]
        }
    assert sum(release["published_cells"] for night in portal.nights for release in night["releases"]) > 0
    by_file = {landed["file"]: landed for landed in portal.nights[0]["accounting"]}
    assert by_file["access/canary.log"]["loaded"] == sum(by_file["access/canary.log"]["quarantined"].values()) == 1
    assert by_file["mail/hanako.txt"]["quarantined"] == {"undeclared": 1}


def test_a_rerun_serves_what_is_stored(portal: Portal) -> None:
    before = bytes_of(portal.home / "out") | bytes_of(portal.home / "warehouse") | bytes_of(portal.home / "vault")
    done = command(portal.landing, portal.home, "nightly", "--date", str(FIRST), "--json")
    night = json.loads(done.stdout)
    assert (done.returncode, night["stages"], night["errors"]) == (0, [], [])
    assert {release["status"] for release in night["releases"]} == {"unchanged"}
    assert night["accounting"] == portal.nights[0]["accounting"]
    assert night["seconds"] < 5
    after = bytes_of(portal.home / "out") | bytes_of(portal.home / "warehouse") | bytes_of(portal.home / "vault")
    assert after == before


def test_packages_verify_and_a_changed_byte_does_not(portal: Portal, tmp_path: Path) -> None:
    packages = [release["path"] for night in portal.nights for release in night["releases"]]
    done = command(portal.landing, portal.home, "verify", *packages)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("chain intact") == len(packages)
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in Path(packages[0]).iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    (copy / "datapackage.json").write_bytes((copy / "datapackage.json").read_bytes() + b"\n")
    done = command(portal.landing, portal.home, "verify", str(copy))
    assert done.returncode == 12
    assert "datapackage.json" in done.stdout
    assert command(portal.landing, portal.home, "attack", packages[0]).returncode == 0


def test_looking_at_a_home_tells_what_is_there(portal: Portal) -> None:
    status = command(portal.landing, portal.home, "status")
    assert f"{FIRST} to {SECOND}" in status.stdout
    entries = [json.loads(line) for line in command(portal.landing, portal.home, "ledger", "show").stdout.splitlines()]
    assert {entry["kind"] for entry in entries} == {"extract", "night", "plan", "read", "release"}
    made = {entry["purpose"] for entry in entries if entry["kind"] == "extract"}
    assert made == {"P-01", "P-02", "P-03", "P-05", "P-07", "P-09", "P-10"}
    assert f"{len(entries)} entries" in command(portal.landing, portal.home, "ledger", "verify").stdout


def test_an_earlier_night_after_a_later_one_is_refused(portal: Portal) -> None:
    done = command(portal.landing, portal.home, "nightly", "--date", "2026-11-19", "--json")
    night = json.loads(done.stdout)
    assert done.returncode == 11
    assert {error["rule"] for error in night["errors"]} == {"night.order"}


def test_a_night_without_landing_files_is_refused(portal: Portal) -> None:
    done = command(portal.landing, portal.home, "nightly", "--date", "2026-11-22", "--json")
    assert done.returncode == 11
    assert {error["rule"] for error in json.loads(done.stdout)["errors"]} == {"landing.folder"}


def test_a_bad_table_stops_what_is_downstream_and_a_mended_night_gives_the_same_bytes(
    portal: Portal, nights: Nights, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = tmp_path / "expectations"
    planted.mkdir()
    for source in (root / "expectations").glob("*.json"):
        text = source.read_text(encoding="utf-8")
        if source.stem == "seg__page_view":
            text = text.replace("devices", "tablet")
        (planted / source.name).write_text(text, encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(definitions, "load_suites", lambda _, catalog: load_suites(planted, catalog))
        blocked = nights.run(FIRST)
    assert blocked.exit_code == 12
    assert [error["rule"] for error in blocked.errors] == ["expectations.seg__page_view"]
    made = {stage["name"] for stage in blocked.stages}
    assert "cube__campaign_daily" in made
    assert not made & {"cube__section_hour", "safe", "out__package"}
    assert not list((tmp_path / "home" / "out").rglob("*"))
    assert not nights.workspace.is_done(FIRST)
    page, docs = (tmp_path / "home" / "docs" / f"{place}/{FIRST}.html" for place in ("night", "data_docs"))
    assert "expectations.seg__page_view" in page.read_text(encoding="utf-8")
    assert 'class="state failed"' in page.read_text(encoding="utf-8")
    assert '<details id="seg__page_view" open>' in docs.read_text(encoding="utf-8")

    vars(nights).pop("_job")
    assert nights.run(FIRST).exit_code == 0
    expected = {path: digest for path, digest in bytes_of(portal.home / "out").items() if str(FIRST) in path}
    made = {path: digest for path, digest in bytes_of(tmp_path / "home" / "out").items() if "VERIFY" not in path}
    assert made == expected
    assert 'class="state done"' in page.read_text(encoding="utf-8")
    assert '<details id="seg__page_view">' in docs.read_text(encoding="utf-8")


def test_an_answer_is_a_release_that_verifies_and_what_is_not_told_is_refused(portal: Portal, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(portal.home, home)
    asked = ("ask", "--dimensions", "gender", "--where", "gender=女性", "--period", str(SECOND), "--json")
    done = command(portal.landing, home, *asked)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["recipient_id"], answer["status"], answer["left_out"]) == ("analyst", "published", [])
    assert {row["gender"] for row in answer["rows"]} == {"female"}
    assert command(portal.landing, home, "verify", answer["path"]).returncode == 0
    assert json.loads(command(portal.landing, home, *asked).stdout)["status"] == "unchanged"
    refused = command(portal.landing, home, "ask", "--dimensions", "gender,device", "--period", str(SECOND))
    assert refused.returncode == 13
    assert "audience_device (device)" in refused.stderr
    assert "--table audience_area" in command(portal.landing, home, "ask").stdout
    assert command(portal.landing, home, "nightly", "--date", str(SECOND), "--json").returncode == 0


def test_another_home_gives_the_same_bytes_through_dagsters_own_resource(
    portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORUM_MASTER_KEY", KEY)
    where = settings(portal, tmp_path / "home")
    job = definitions.draw(workspace_resource(where), [FIRST, SECOND]).resolve_job_def(NIGHTLY)
    with dg.DagsterInstance.ephemeral() as instance:
        for night in (FIRST, SECOND):
            assert job.execute_in_process(instance=instance, partition_key=night.isoformat()).success
    for night in (FIRST, SECOND):
        own, theirs = (
            json.loads((home / "docs" / "night" / f"{night}.json").read_text()) for home in (where.home, portal.home)
        )
        same = (
            "is_done",
            "exit_code",
            "sources",
            "reasons",
            "releases",
            "shares",
            "errors",
            "askable",
            "offered",
            "waiting",
        )
        assert {name: own[name] for name in same} == {name: theirs[name] for name in same}
        assert [step["name"] for step in own["stages"]] == [step["name"] for step in theirs["stages"]]
    for part in ("out", "warehouse/cube", "warehouse/safe", "keys", "docs/data_docs"):
        assert bytes_of(where.home / part) == bytes_of(portal.home / part), part


@pytest.mark.clause("C-07", "P-03n")
def test_nobody_is_named_outside_the_vault(portal: Portal) -> None:
    canaries = identifiers(portal.landing)
    assert len(canaries) > 1000
    for path in sorted(path for path in portal.home.rglob("*") if path.is_file()):
        found = canaries & words(path.read_bytes())
        if path.suffix == ".parquet" and "vault" not in path.relative_to(portal.home).parts:
            found |= canaries & words(readable(path))
        assert not found, f"{path.relative_to(portal.home)} holds {len(found)} identifiers"
    assert not canaries & words(portal.told.encode())


def test_the_search_for_names_finds_them_where_they_are(portal: Portal, tmp_path: Path) -> None:
    canaries = identifiers(portal.landing)
    folder = portal.landing / str(FIRST)
    members = zstandard.open(folder / "members" / "members.json.zst", "rb").read()
    assert len(canaries & words(members)) > 1000
    assert PLANTED - {"canarycookie42"} <= words((folder / "access" / "canary.log").read_bytes())
    pq.write_table(pa.table({"any": ["x hanako.canary@example.jp"]}), tmp_path / "a.parquet", compression="zstd")
    assert canaries & words(readable(tmp_path / "a.parquet"))


PLANTED = {"hanako.canary@example.jp", "canarycookie42", "203.0.113.9", "canary-open-quote"}
_WORD = re.compile(r"[^\s\"'<>,;:=&?/|()\[\]{}\\\x00-\x1f\ufffd]+")
_NAME = re.compile(r"[一-龥ぁ-んァ-ヶー々]+ [一-龥ぁ-んァ-ヶー々]+")


def identifiers(landing: Path) -> set[str]:
    """What names a person in the landed members and logins, and what was planted."""
    found = set(PLANTED)
    for path in landing.glob("*/members/*.json.zst"):
        for line in zstandard.open(path, "rt", encoding="utf-8"):
            member = json.loads(line)
            found |= {
                member[field] for field in ("email", "name", "phone", "member_id", "card_number") if member[field]
            }
    for path in landing.glob("*/logins/*.json.zst"):
        found |= {json.loads(line)["cookie_id"] for line in zstandard.open(path, "rt", encoding="utf-8")}
    return found


def words(content: bytes) -> set[str]:
    """Return what stands between separators; names, which hold a space; and what was planted, wherever it stands."""
    text = content.decode("utf-8", "replace")
    return set(_WORD.findall(text)) | set(_NAME.findall(text)) | {planted for planted in PLANTED if planted in text}


def readable(path: Path) -> bytes:
    """Return the values of a Parquet file as csv, for in the file they are packed."""
    out = io.StringIO()
    table = pq.ParquetFile(path).read()
    writer = csv.writer(out)
    writer.writerow(table.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return out.getvalue().encode()
