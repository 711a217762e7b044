"""A home, opened: its lock, its scratch space, which nights may run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import pytest

from quorum.audit.record import Claim, Findings, score
from quorum.errors import ConfigurationError, InputError, LedgerError, PolicyError, UsageError
from quorum.release.sealed import seal_worst
from quorum.tables import Catalog
from quorum.workspace import ROOT, WRITES, Workspace, locked_workspace, night_lock, open_workspace
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
ENVIRON = {"QUORUM_MASTER_KEY": "5a" * 32}


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    (tmp_path / "landing" / NIGHT.isoformat()).mkdir(parents=True)
    return tmp_path / "landing"


@pytest.fixture
def workspace(home: Home, landing: Path) -> Iterator[Workspace]:
    with open_workspace(home, landing, ROOT / "policy", ENVIRON) as workspace:
        yield workspace


def test_every_kept_table_of_vault_and_pseudo_is_written_by_one_source_or_one_statement(catalog: Catalog) -> None:
    written = [table for tables in WRITES.values() for table in tables]
    assert len(written) == len(set(written))
    for table in catalog.tables.values():
        at_intake = table.query is None or any(catalog[read.table].in_memory for read in table.reads)
        if table.zone.value in ("vault", "pseudo") and not table.in_memory:
            assert (table.name in written) == (at_intake and not table.on_request), table.name


def test_a_second_night_in_the_same_home_is_refused(home: Home) -> None:
    with night_lock(home), pytest.raises(LedgerError) as refused, night_lock(home):
        pass
    assert (refused.value.rule, refused.value.exit_code) == ("night.lock", 14)
    with night_lock(home):
        pass


def test_a_killed_process_frees_the_lock_and_its_scratch_space_is_wiped(home: Home) -> None:
    code = (
        "import time; from pathlib import Path\n"
        "from quorum.workspace import night_lock; from quorum.zones import Home\n"
        f"home = Home(Path({str(home.root)!r}))\n"
        "with night_lock(home):\n"
        "    home.tmp.mkdir(); (home.tmp / 'spill').write_text('a line'); print('held', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LedgerError), night_lock(home):
            pass
        assert (home.tmp / "spill").exists()
        os.kill(holder.pid, signal.SIGKILL)
    with night_lock(home):
        assert not home.tmp.exists()


def test_landing_and_home_lie_apart(tmp_path: Path) -> None:
    for home, landing in ((tmp_path / "a", tmp_path / "a" / "landing"), (tmp_path / "b" / "home", tmp_path / "b")):
        with (
            pytest.raises(ConfigurationError) as refused,
            locked_workspace(Home(home), landing, ROOT / "policy", ENVIRON),
        ):
            pass
        assert refused.value.rule == "landing.place"


def test_a_new_key_is_told_once(home: Home, landing: Path, tmp_path: Path) -> None:
    environ = {"QUORUM_MASTER_KEY_FILE": str(tmp_path / "keys" / "master.key")}
    for expected in (tmp_path / "keys" / "master.key", None):
        with open_workspace(home, landing, ROOT / "policy", environ) as workspace:
            assert workspace.new_key_file == expected


def test_a_night_without_a_landing_folder_is_refused(workspace: Workspace) -> None:
    workspace.admit(NIGHT)
    with pytest.raises(InputError) as refused:
        workspace.admit(date(2026, 11, 22))
    assert refused.value.rule == "landing.folder"


def test_a_night_that_events_wait_for_may_run_without_a_landing_folder(workspace: Workspace) -> None:
    night = date(2026, 11, 22)
    rows = workspace.catalog["pseudo__access"].arrow_schema().empty_table()
    workspace.store.write("pseudo__access", night, rows, f"landed-{NIGHT}")
    workspace.admit(night)


def test_a_night_without_what_must_land_is_refused(workspace: Workspace, landing: Path) -> None:
    (landing / "sources.yaml").write_text("required: [access]", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        workspace.build("seg__event", NIGHT)
    assert (refused.value.rule, refused.value.exit_code) == ("landing.required", 11)
    (landing / NIGHT.isoformat() / "access").mkdir()
    (landing / NIGHT.isoformat() / "access" / "_COMPLETE").touch()
    workspace.admit(NIGHT)


def test_nights_run_in_order(workspace: Workspace, landing: Path) -> None:
    workspace.ledger.finish_night(date(2026, 11, 22), "digest", {})
    with pytest.raises(InputError) as refused:
        workspace.take_in("members", NIGHT)
    assert (refused.value.rule, refused.value.exit_code) == ("night.order", 11)


def test_a_done_night_is_served_and_not_worked_on(workspace: Workspace, landing: Path) -> None:
    registered = workspace.ledger.register_file(NIGHT, "telemetry", "a.json", "0" * 64)
    stored = {"source": "telemetry", "file": "telemetry/a.json", "read": 2, "quarantined": {"undeclared": 2}}
    workspace.ledger.record_accounting(registered.file_n, stored)
    workspace.ledger.finish_night(NIGHT, "digest", {})
    (landing / NIGHT.isoformat()).rmdir()
    workspace.admit(NIGHT)
    workspace.build("seg__event", NIGHT)
    assert workspace.store.nights("seg__event") == []
    assert [landed.file for landed in workspace.take_in("rest", NIGHT)] == ["telemetry/a.json"]
    assert workspace.take_in("members", NIGHT) == []
    assert workspace.is_settled(NIGHT)


def test_a_night_names_the_policy_under_which_it_was_made(workspace: Workspace) -> None:
    workspace.publish(NIGHT)
    done = workspace.ledger.entries("night")[0].body
    assert done["policy"] == {"version": workspace.policy.version, "digest": workspace.policy.digest}


def test_the_ledger_knows_the_digests_of_a_night(workspace: Workspace) -> None:
    workspace.ledger.register_file(NIGHT, "ads", "b.json", "1" * 64)
    workspace.ledger.register_file(NIGHT, "access", "a.log", "2" * 64)
    workspace.ledger.register_file(date(2026, 11, 20), "access", "a.log", "3" * 64)
    assert workspace.ledger.digests(NIGHT) == [["ads", "b.json", "1" * 64], ["access", "a.log", "2" * 64]]


def test_the_officer_alone_reads_what_an_attack_got_and_it_is_entered(home: Home, landing: Path) -> None:
    def opened(role: str) -> AbstractContextManager[Workspace]:
        return open_workspace(home, landing, ROOT / "policy", ENVIRON, "hanako", role)

    package = {"recipient_id": "adv-1", "report": "campaign", "period": "2026-11-21", "night": "2026-11-21"}
    claim = Claim("adv-1/campaign/2026-11-21", ("audience", "c1", "70s"), "clicker_n", "is 47", True)
    record = score("elimination", claim.release, Findings(9, (claim,)), power=True, seconds=1.0)
    with opened("officer") as workspace:
        for recipient in ("adv-1", "adv-2"):
            body = {**package, "recipient_id": recipient, "reasons": ["elimination failed"]}
            workspace.ledger.append("blocked", {**body, "sealed": seal_worst(workspace.keys, [record])})
        workspace.ledger.append("blocked", {**package, "reasons": ["safe.planted"]})
        (found,) = workspace.worst(("adv-1", "campaign", "2026-11-21"))
        assert (found["night"], found["attack"]) == ("2026-11-21", "elimination")
        assert "is 47" in found["worst"]
        assert workspace.worst(("adv-1", "campaign", "2026-11-20")) == []
        (read,) = [entry.body for entry in workspace.ledger.entries("read") if entry.body["table"] == "ledger/worst"]
        assert (read["who"], read["role"], read["rows"]) == ("hanako", "officer", 1)
        with pytest.raises(UsageError):
            workspace.worst(("adv-1", "2026-11-21"))
    with opened("analyst") as workspace, pytest.raises(PolicyError, match="analyst"):
        workspace.worst(("adv-1", "campaign", "2026-11-21"))
