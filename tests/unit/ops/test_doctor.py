"""The doctor: a sound home is well, each thing that stands in the way is told with what to do, nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pipelines import doctor_looks
from pipelines.cli import cli
from pipelines.doctor import look_over
from pipelines.instance import prepare_dagster_home
from pipelines.settings import resolve
from quorum.holds import held_nights
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.release.certificate import export_public_key
from quorum.tables import Catalog
from quorum.workspace import night_lock
from quorum.zones import Home

KEY = "5a" * 32
ENVIRON = {"QUORUM_MASTER_KEY": KEY}
NIGHT = date(2026, 11, 21)
Look = Callable[..., dict[str, list[doctor_looks.Looked]]]


@pytest.fixture
def sound(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(doctor_looks, "_LEAST_BYTES", 1)
    home.root.mkdir(mode=0o750)
    Ledger(home.ledger).close()
    export_public_key(home, KeyRing(bytes.fromhex(KEY)))
    prepare_dagster_home(home.dagster)
    (home.root / "alerts.yaml").write_text("channels: [{kind: file, path: told}]", encoding="utf-8")
    (tmp_path / "landing").mkdir()
    for folder in (home.root, home.ledger, home.keys, home.dagster):
        folder.chmod(0o750)
    return home


@pytest.fixture
def look(sound: Home, tmp_path: Path) -> Look:
    def look(environ: dict[str, str] | None = None, **where: str) -> dict[str, list[doctor_looks.Looked]]:
        named = {"home": str(sound.root), "landing": str(tmp_path / "landing"), **where}
        found: dict[str, list[doctor_looks.Looked]] = {}
        for one in look_over(resolve({}, **named), ENVIRON if environ is None else environ):
            found.setdefault(one.subject, []).append(one)
        return found

    return look


def todo(found: dict[str, list[doctor_looks.Looked]]) -> dict[str, str]:
    return {subject: one.told for subject, looked in found.items() for one in looked if not one.is_well}


def test_a_sound_home_is_well_and_every_subject_is_told(look: Look, sound: Home) -> None:
    before = sorted(path for path in sound.root.rglob("*") if "dagster" not in path.parts)
    found = look()
    assert todo(found) == {}
    assert list(found) == [
        *("policy", "key", "disk", "versions", "permissions", "lock", "ledger", "upgrade", "dagster"),
        *("landing", "alerts", "nights"),
    ]
    assert sorted(path for path in sound.root.rglob("*") if "dagster" not in path.parts) == before


def test_each_thing_that_stands_in_the_way_is_told(
    look: Look, sound: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "not the key" in todo(look({"QUORUM_MASTER_KEY": "a7" * 32}))["key"] or "another master key" in str(
        todo(look({"QUORUM_MASTER_KEY": "a7" * 32}))
    )
    open_key = tmp_path / "key"
    open_key.write_text(KEY, encoding="ascii")
    open_key.chmod(0o644)
    assert "others can read" in todo(look({"QUORUM_MASTER_KEY_FILE": str(open_key)}))["key"]
    assert "no master key" in todo(look({"QUORUM_MASTER_KEY_FILE": str(tmp_path / "nowhere")}))["key"]
    assert "policy.missing" in todo(look(policy=str(tmp_path)))["policy"]
    assert set(todo(look(landing=str(tmp_path / "nowhere")))) == {"landing"}
    sound.ledger.chmod(0o770)
    assert todo(look()) == {"permissions": "others can write ledger"}
    sound.ledger.chmod(0o750)
    (sound.dagster / "dagster.yaml").write_text("telemetry: {enabled: true}", encoding="utf-8")
    assert set(todo(look())) == {"dagster"}
    prepare_dagster_home(sound.dagster)
    (sound.root / "alerts.yaml").unlink()
    assert set(todo(look())) == {"alerts"}
    (sound.root / "alerts.yaml").write_text("channels: [{kind: file, path: told}]", encoding="utf-8")
    monkeypatch.setattr(doctor_looks, "_LEAST_BYTES", 1 << 60)
    assert set(todo(look())) == {"disk"}
    monkeypatch.setattr(doctor_looks, "_LEAST_BYTES", 1)
    monkeypatch.setattr(doctor_looks, "version", lambda _: "0.0.1")
    assert set(todo(look())) == {"versions"}


def test_a_home_of_an_older_version_is_told_by_table(look: Look, sound: Home, catalog: Catalog) -> None:
    folder = sound.partition("cube__campaign_daily", NIGHT)
    folder.mkdir(parents=True)
    pq.write_table(catalog["cube__campaign_daily"].arrow_schema().empty_table(), folder / "part.parquet")
    assert "upgrade" not in todo(look())
    pq.write_table(pa.table({"campaign_id": ["c001"]}), folder / "part.parquet")
    (sound.warehouse / "cube" / "cube__of_old").mkdir()
    told = todo(look())["upgrade"]
    assert "cube__campaign_daily (2026-11-21 to 2026-11-21)" in told
    assert "cube__of_old" in told


def test_the_lock_is_told_and_a_killed_process_leaves_none(look: Look, sound: Home) -> None:
    with night_lock(sound):
        assert "running" in look()["lock"][0].told
    sound.tmp.mkdir()
    assert "killed" in look()["lock"][0].told
    assert sound.tmp.is_dir()


def test_a_changed_ledger_and_held_nights_are_told(look: Look, sound: Home) -> None:
    ledger = Ledger(sound.ledger)
    missing = [{"source": "ads", "kind": "missing", "count": 0, "expected": 0}]
    ledger.append("held", {"night": NIGHT.isoformat(), "missing": missing})
    assert "night 2026-11-21 is held: ads has not arrived whole" in todo(look())["nights"]
    ledger._db.execute("update journal set body = '{}'")
    ledger._db.execute("delete from journal where kind = 'held'")
    ledger._db.execute("insert into journal values (7, 'x', '{}', '', '')")
    ledger.close()
    assert "ledger" in todo(look())


# a copy, for a command keeps its help option as it was first called
def test_the_command_exits_10_where_something_must_be_done(
    sound: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORUM_MASTER_KEY", KEY)
    run = CliRunner()
    where = ["--home", str(sound.root), "--landing", str(tmp_path / "landing")]
    done = run.invoke(deepcopy(cli), ["doctor", *where])
    assert (done.exit_code, "TO DO" in done.output) == (0, False), done.output
    (sound.root / "alerts.yaml").unlink()
    done = run.invoke(deepcopy(cli), ["doctor", *where, "--json"])
    assert done.exit_code == 10
    assert [one["subject"] for one in json.loads(done.output) if not one["is_well"]] == ["alerts"]


def test_a_note_gives_a_night_up_under_the_operators_name(sound: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger(sound.ledger)
    missing = [{"source": "ads", "kind": "missing", "count": 0, "expected": 0}]
    ledger.append("held", {"night": NIGHT.isoformat(), "missing": missing})
    words = ["note", "--date", "2026-11-21", "--source", "night", "--why", "the portal was closed", "--actor", "hana"]
    done = CliRunner().invoke(deepcopy(cli), [*words, "--home", str(sound.root)])
    assert done.exit_code == 0, done.output
    assert ledger.entries("note")[0].body["actor"] == "hana"
    assert held_nights(ledger) == {}
    ledger.close()
