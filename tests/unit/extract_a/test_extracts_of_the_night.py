"""Extracts that the night makes: permission first, then the ledger; served as stored; files for one reader."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from extract_house import NIGHT, House, open_house, with_rules

from quorum.errors import ConfigurationError, LedgerError, PolicyError, UsageError
from quorum.extract import files
from quorum.extract.build import AFTER, CHECKS, GIVEN, MADE, batch_tables, build, extract, is_batch, refused
from quorum.extract.result import BATCH, ON_REQUEST, Extract
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.zones import Home, Zone

EVE = date(2026, 11, 20)


@pytest.fixture
def house(home: Home, catalog: Catalog, policy: Policy, tmp_path: Path) -> Iterator[House]:
    with open_house(home, catalog, with_rules(policy, tmp_path / "rules")) as house:
        house.members(12, EVE)
        house.members(12)
        yield house


@pytest.fixture
def done(house: House) -> House:
    for table in batch_tables(house.desk.catalog, "P-01"):
        build(house.desk, table, NIGHT)
    house.finish()
    return house


def kinds(house: House) -> list[str]:
    return [entry.kind for entry in house.desk.ledger.entries()]


@pytest.mark.clause("C-08")
def test_the_purposes_are_the_eleven() -> None:
    assert sorted((*BATCH, *ON_REQUEST)) == [f"P-{n:02}" for n in range(1, 12)]


def test_what_purposes_add_is_about_tables_of_the_catalogue(catalog: Catalog) -> None:
    for name in (*MADE, *CHECKS, *AFTER):
        assert is_batch(catalog, catalog[name]), name
    for name in GIVEN:
        assert catalog[name].in_memory, name


def test_the_night_makes_no_table_of_a_purpose_on_request_and_each_after_what_it_reads(catalog: Catalog) -> None:
    for purpose in BATCH:
        made = batch_tables(catalog, purpose)
        for place, name in enumerate(made):
            assert catalog[name].purpose == purpose
            assert not {read.table for read in catalog[name].reads} & set(made[place + 1 :])
    assert not any(is_batch(catalog, t) for t in catalog.in_zone(Zone.EXTRACT) if t.purpose in (*ON_REQUEST, "INFRA"))


@pytest.mark.clause("S-01")
def test_a_role_without_the_purpose_builds_nothing_and_reads_nothing(house: House) -> None:
    build(house.desk, "p01__segment_assignment", EVE)  # sealed: tonight's statement would read it, and be noted
    before = kinds(house)
    with pytest.raises(PolicyError) as refused_:
        build(house.acting("billing"), "p01__segment_assignment", NIGHT)
    assert (refused_.value.rule, refused_.value.exit_code) == ("roles.purpose", 13)
    assert kinds(house) == before
    assert not house.desk.store.files("p01__segment_assignment", NIGHT)


def test_a_role_without_the_purpose_is_served_nothing_and_reads_nothing(done: House) -> None:
    before = kinds(done)
    with pytest.raises(PolicyError):
        extract(done.acting("billing"), "P-01", NIGHT)
    assert kinds(done) == before


@pytest.mark.clause("S-01", "R-01")
def test_what_is_served_is_in_the_ledger_with_who_how_much_and_under_which_policy(done: House) -> None:
    made = extract(done.acting("operator"), "P-01", NIGHT)
    assert dict(made.rows) == {"p01__segment_assignment": 12, "p01__segment": 1}
    body = done.desk.ledger.entries("extract")[-1].body
    assert body == {
        "act": "served",
        "who": "somebody",
        "role": "operator",
        "purpose": "P-01",
        "night": "2026-11-21",
        "tables": {"p01__segment": 1, "p01__segment_assignment": 12},
        "rows": 13,
        "refused": {},
        "policy": {"version": done.desk.policy.version, "digest": done.desk.policy.digest},
    }


def test_the_ledger_knows_before_the_rows_are_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise LedgerError("ledger.full", "an entry")

    monkeypatch.setattr(type(house.desk.ledger), "append", full)
    with pytest.raises(LedgerError):
        build(house.desk, "p01__segment_assignment", NIGHT)
    assert not house.desk.store.files("p01__segment_assignment", NIGHT)


def test_a_done_night_is_served_as_stored_and_not_computed_again(done: House) -> None:
    before = extract(done.desk, "P-01", NIGHT).tables["p01__segment_assignment"]
    done.members(30)
    assert extract(done.desk, "P-01", NIGHT).tables["p01__segment_assignment"].equals(before)


def test_what_the_latest_night_did_not_make_is_made_and_of_an_earlier_one_it_is_not(house: House) -> None:
    house.finish(EVE)
    house.finish(NIGHT)
    with pytest.raises(ConfigurationError) as missing:
        extract(house.desk, "P-01", EVE)
    assert missing.value.rule == "extract.missing"
    assert extract(house.desk, "P-01", NIGHT).rows["p01__segment_assignment"] == 12


def test_a_home_without_a_done_night_says_what_to_do(house: House) -> None:
    with pytest.raises(ConfigurationError, match="run a night first"):
        extract(house.desk, "P-01", NIGHT)
    house.finish()
    with pytest.raises(ConfigurationError) as refused_:
        extract(house.desk, "P-01", EVE)
    assert refused_.value.rule == "extract.night"
    assert "2026-11-21" in str(refused_.value)


def test_an_unknown_purpose_and_one_on_request_are_called_wrongly(done: House) -> None:
    for purpose in ("P-12", "p-01", "", "INFRA", *ON_REQUEST):
        with pytest.raises(UsageError):
            extract(done.desk, purpose, NIGHT)


def test_refusals_are_told_as_they_were_when_it_was_built(done: House) -> None:
    assert refused(done.desk, NIGHT, "p01__segment") == {}
    done.members(3)
    build(done.desk, "p01__segment_assignment", NIGHT)
    build(done.desk, "p01__segment", NIGHT)
    assert refused(done.desk, NIGHT, "p01__segment") == {"segment_too_small": 1}
    assert refused(done.desk, EVE, "p01__segment") == {}


def test_a_record_shows_counts_and_no_row(done: House) -> None:
    shown = json.dumps(extract(done.desk, "P-01", NIGHT).as_record())
    assert '"rows": 12' in shown
    assert "m00" not in shown


# -- files -------------------------------------------------------------------------------------------------------------


def test_files_are_whole_for_one_reader_and_entered_first(done: House, tmp_path: Path) -> None:
    made = extract(done.desk, "P-01", NIGHT)
    out = tmp_path / "a" / "out"
    written = files.write_files(done.desk, made, out, request=None, case="c1")
    assert [path.name for path in written] == ["p01__segment_assignment.csv", "p01__segment.csv"]
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    for path in written:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    lines = written[0].read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 13
    assert lines[0].replace('"', "").split(",") == [
        c.name for c in done.desk.catalog["p01__segment_assignment"].columns
    ]
    body = done.desk.ledger.entries("extract")[-1].body
    assert (body["act"], body["case"], "request" in body) == ("written", "c1", False)


def test_files_that_cannot_be_written_leave_an_entry_and_no_folder(done: House, tmp_path: Path) -> None:
    made = extract(done.desk, "P-01", NIGHT)
    broken = replace(made, tables={"p01__segment": made.tables["p01__segment"], "no/such": made.tables["p01__segment"]})
    with pytest.raises(OSError, match="no"):
        files.write_files(done.desk, broken, tmp_path / "out")
    assert done.desk.ledger.entries("extract")[-1].body["act"] == "written"
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_no_byte_is_written_that_the_ledger_does_not_know(
    done: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = extract(done.desk, "P-01", NIGHT)

    def full(*_: object) -> None:
        raise LedgerError("ledger.full", "an entry")

    monkeypatch.setattr(type(done.desk.ledger), "append", full)
    with pytest.raises(LedgerError):
        files.write_files(done.desk, made, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.clause("P-02", "P-03")
@pytest.mark.parametrize("purpose", ["P-02", "P-03"])
def test_samples_never_become_files(done: House, tmp_path: Path, purpose: str) -> None:
    rows = pa.table({"person_key": ["m1"]})
    with pytest.raises(PolicyError) as refused_:
        files.write_files(done.desk, Extract(purpose, NIGHT, {"sample": rows}), tmp_path / "out")
    assert refused_.value.rule == "extract.inside"
    assert not (tmp_path / "out").exists()


def test_files_lie_outside_the_home_in_a_folder_of_their_own(done: House, tmp_path: Path) -> None:
    made = extract(done.desk, "P-01", NIGHT)
    for inside in (done.desk.home.root, done.desk.home.root / "x", tmp_path / "y" / ".." / "home" / "x"):
        with pytest.raises(ConfigurationError) as refused_:
            files.write_files(done.desk, made, inside)
        assert refused_.value.rule == "extract.place"
    taken = tmp_path / "taken"
    taken.mkdir()
    files.check_out(done.desk, "P-01", taken)
    (taken / "other.csv").write_text("kept", encoding="utf-8")
    with pytest.raises(UsageError):
        files.write_files(done.desk, made, taken)
    assert [path.name for path in taken.iterdir()] == ["other.csv"]
    (tmp_path / "empty").mkdir()
    for target in ("empty", "nowhere"):
        (tmp_path / f"link-to-{target}").symlink_to(tmp_path / target)
        with pytest.raises(UsageError):
            files.write_files(done.desk, made, tmp_path / f"link-to-{target}")


def test_a_role_without_the_purpose_writes_no_file(done: House, tmp_path: Path) -> None:
    made = extract(done.desk, "P-01", NIGHT)
    with pytest.raises(PolicyError):
        files.check_out(done.acting("billing"), "P-01", tmp_path / "out")
    with pytest.raises(PolicyError):
        files.write_files(done.acting("billing"), made, tmp_path / "out")
    assert not (tmp_path / "out").exists()
