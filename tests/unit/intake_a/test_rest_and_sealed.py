"""What no reader takes in: counted and sealed, whole. And what must have landed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from quorum.errors import ConfigurationError
from quorum.intake.accounting import Accounting, Reason
from quorum.intake.context import Intake, required_sources
from quorum.intake.files import LINE_LIMIT, landed_files
from quorum.intake.rest import take_in_rest
from quorum.intake.sealed import seal_whole, sealed_lines

Land = Callable[..., Path]


@pytest.mark.clause("C-01")
def test_other_sources_are_sealed_whole(intake: Intake, land: Land, night: date) -> None:
    land("telemetry/a.jsonl", b'{"event_id": "1"}\n{"event_id": "2"}')
    land("shops/deep/a.csv", b"receipt_id\r\n1\r\n")
    land("secrets/a.txt", b"x\n")
    land("secrets/b.txt", b"x\n")
    land("stray.log", b"y\n")
    land("access/a.log", b"z\n")
    land(".git/a", b"z\n")
    assert take_in_rest(intake, night) == [
        Accounting("secrets", "secrets/a.txt", 1, quarantined={"undeclared": 1}),
        Accounting("secrets", "secrets/b.txt", 1, duplicate=1),
        Accounting("shops", "shops/deep/a.csv", 2, quarantined={"undeclared": 2}),
        Accounting("telemetry", "telemetry/a.jsonl", 2, quarantined={"undeclared": 2}),
        Accounting("(none)", "stray.log", 1, quarantined={"undeclared": 1}),
    ]
    sealed = intake.store.read("vault__rejected_line", night)
    assert [(row["source"], row["line_n"], row["line"]) for row in sealed.to_pylist()] == [
        ("secrets", 1, b"x"),
        ("shops", 1, b"receipt_id"),
        ("shops", 2, b"1"),
        ("telemetry", 1, b'{"event_id": "1"}'),
        ("telemetry", 2, b'{"event_id": "2"}'),
        ("(none)", 1, b"y"),
    ]
    assert [path.name for path in intake.store.files("vault__rejected_line", night)] == ["rest.parquet"]


def test_a_rerun_replaces_and_removes(intake: Intake, land: Land, night: date) -> None:
    path = land("telemetry/a.jsonl", b"1\n")
    assert take_in_rest(intake, night) == take_in_rest(intake, night)
    assert intake.store.read("vault__rejected_line", night).num_rows == 1
    path.unlink()
    assert take_in_rest(intake, night) == []
    assert intake.store.nights("vault__rejected_line") == []


def test_files_of_any_source_may_be_late(intake: Intake, land: Land, night: date) -> None:
    done = date(2026, 11, 20)
    intake.ledger.finish_night(done, "0" * 64, {})
    land("oddities/a.txt", b"x\n", done)
    assert take_in_rest(intake, night) == [
        Accounting("oddities", "../2026-11-20/oddities/a.txt", 1, quarantined={"undeclared": 1})
    ]


def test_sealed_lines_are_not_readable_without_the_key(intake: Intake, land: Land, night: date) -> None:
    land("telemetry/a.jsonl", b"taro.yamada@example.com\n" * 100)
    take_in_rest(intake, night)
    (path,) = intake.store.files("vault__rejected_line", night)
    content = path.read_bytes()
    assert b"taro" not in content and content.startswith(b"PARE")


def test_of_a_line_that_is_too_long_the_beginning_is_sealed(intake: Intake, land: Land, night: date) -> None:
    land("telemetry/a", b"x" * (3 * LINE_LIMIT) + b"\nshort\n")
    (taken,) = take_in_rest(intake, night)
    assert taken.read == 2
    sealed = intake.store.read("vault__rejected_line", night)
    assert [len(line) for line in sealed["line"].to_pylist()] == [LINE_LIMIT, 5]


def test_of_a_broken_stream_with_nothing_in_it_one_empty_line_is_sealed(
    intake: Intake, land: Land, night: date
) -> None:
    land("x/a.gz", b"\x1f\x8b\x08\0")
    with sealed_lines(intake, "x", night) as sealed:
        (landed,) = landed_files(intake, "x", night)
        assert seal_whole(sealed, landed, Reason.TRUNCATED) == {"truncated": 1}
    assert intake.store.read("vault__rejected_line", night).select(["line_n", "line"]).to_pylist() == [
        {"line_n": 1, "line": b""}
    ]


def test_many_lines_are_sealed_in_batches(intake: Intake, night: date, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quorum.intake.sealed._BATCH_BYTES", 100)
    with sealed_lines(intake, "x", night) as sealed:
        for n in range(10):
            sealed.add(1, [(n + 1, Reason.EMPTY, b"x" * LINE_LIMIT + b"y")])
        sealed.add(1, [])
    found = intake.store.read("vault__rejected_line", night)
    assert found["line_n"].to_pylist() == list(range(1, 11))
    assert {len(line) for line in found["line"].to_pylist()} == {LINE_LIMIT}


@pytest.mark.parametrize(
    "counts",
    [
        {"read": 3, "loaded": 2},
        {"read": 1, "loaded": 2, "duplicate": -1},
        {"read": 1, "quarantined": {"empty": 2}},
        {"read": 1, "loaded": 1, "waiting": 1, "late": 1},
    ],
)
def test_an_accounting_that_does_not_add_up_is_refused(counts: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="x/a"):
        Accounting("x", "x/a", **counts)  # type: ignore[arg-type]


def test_an_accounting_as_a_record() -> None:
    taken = Accounting("x", "x/a", 6, 2, 1, {Reason.TRUNCATED: 1, Reason.EMPTY: 2, Reason.BAD_TIME: 0}, 1, 1)
    assert list(taken.as_record().items()) == [
        ("source", "x"),
        ("file", "x/a"),
        ("read", 6),
        ("loaded", 2),
        ("duplicate", 1),
        ("quarantined", {"empty": 2, "truncated": 1}),
        ("waiting", 1),
        ("late", 1),
    ]
    assert Accounting(**taken.as_record()).as_record() == taken.as_record()  # type: ignore[arg-type]


@pytest.mark.parametrize("written", ["[access]", "required: access", "required: [1]", "needed: [a]", "a: [", "\xff"])
def test_a_malformed_list_of_sources_is_refused(tmp_path: Path, written: str) -> None:
    (tmp_path / "sources.yaml").write_bytes(written.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"landing\.sources"):
        required_sources(tmp_path)


def test_an_empty_list_of_sources_requires_nothing(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text("required: []\n", encoding="utf-8")
    assert required_sources(tmp_path) == ()
