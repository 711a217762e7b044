"""Landed files: found, opened by what they are, counted, registered."""

from __future__ import annotations

import gzip
import hashlib
import os
import tracemalloc
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import zstandard

from quorum.errors import InputError
from quorum.intake.accounting import Accounting
from quorum.intake.context import Intake
from quorum.intake.files import (
    LINE_LIMIT,
    Landed,
    examine,
    landed_files,
    line_blocks,
    record,
    source_paths,
    stray_files,
    whole_bytes,
)

Land = Callable[..., Path]
TEXT = b"".join(b"line %d of a log\n" % n for n in range(5000))
ZSTD = zstandard.ZstdCompressor(write_checksum=True)
SKIPPABLE = b"\x50\x2a\x4d\x18\x03\0\0\0abc"


def landed(path: Path) -> Landed:
    content = examine(path)
    return Landed("x", path.name, path, 1, content.lines, is_duplicate=False, is_truncated=content.is_truncated)


@pytest.mark.parametrize(
    "packed",
    [
        TEXT,
        gzip.compress(TEXT),
        gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]),
        gzip.compress(TEXT) + b"\0" * 600,
        ZSTD.compress(TEXT),
        ZSTD.compress(TEXT[:100]) + ZSTD.compress(TEXT[100:]),
        SKIPPABLE + ZSTD.compress(TEXT) + SKIPPABLE,
    ],
    ids=["plain", "gzip", "gzip members", "gzip padded", "zstd", "zstd frames", "zstd skippable"],
)
@pytest.mark.parametrize("name", ["a.log", "a.gz", "a.zst"])
def test_content_is_read_by_what_it_is_not_by_its_name(tmp_path: Path, packed: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(packed)
    content = examine(path)
    assert (content.digest, content.lines, content.is_truncated) == (hashlib.sha256(TEXT).hexdigest(), 5000, False)
    assert whole_bytes(landed(path)) == TEXT
    assert b"".join(line_blocks(landed(path), 1000)) == TEXT


@pytest.mark.parametrize("pack", [gzip.compress, ZSTD.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("kept", [3, 7, 20, 200, -1])
def test_a_stream_that_breaks_off(tmp_path: Path, pack: Callable[[bytes], bytes], kept: int) -> None:
    path = tmp_path / "a"
    path.write_bytes(pack(TEXT)[:kept])
    content = examine(path)
    if kept == 3 and pack is not gzip.compress:
        assert not content.is_truncated  # three bytes of the four by which zstd is known
        return
    assert content.is_truncated
    given = whole_bytes(landed(path))
    assert TEXT.startswith(given)
    assert content.lines == max(1, len(given.split(b"\n")) - given.endswith(b"\n"))
    assert content.digest != hashlib.sha256(given).hexdigest()


@pytest.mark.parametrize("pack", [gzip.compress, ZSTD.compress], ids=["gzip", "zstd"])
def test_of_a_corrupt_stream_all_that_could_be_unpacked_is_counted(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "a"
    packed = pack(TEXT)
    path.write_bytes(packed[:-4] + bytes(byte ^ 0xFF for byte in packed[-4:]))  # the checksum
    assert examine(path).is_truncated
    assert whole_bytes(landed(path)) == TEXT


def test_rubbish_after_a_member_is_a_broken_stream(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(TEXT) + b"rubbish")
    assert examine(path).is_truncated
    assert whole_bytes(landed(path)) == TEXT


@pytest.mark.parametrize(
    ("content", "lines"),
    [(b"", 0), (b"\n", 1), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (b"\n\n", 2), (b"\r\n", 1), (b"a\r\n\r\nb", 3)],
)
def test_a_line_is_what_stands_between_line_ends(tmp_path: Path, content: bytes, lines: int) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    assert examine(path).lines == lines
    for size in (1, 2, 100):
        assert b"".join(line_blocks(landed(path), size)) == content


def test_of_an_endless_line_no_more_than_the_limit_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(b"first\n" + b"x" * (40 << 20) + b"\nlast"))
    file = landed(path)
    tracemalloc.start()
    content = b"".join(line_blocks(file, 1 << 16))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert content == b"first\n" + b"x" * (LINE_LIMIT + 1) + b"\nlast"
    assert peak < 16 << 20


def test_blocks_hold_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(TEXT))
    blocks = list(line_blocks(landed(path), 10_000))
    assert len(blocks) > 1
    assert all(block.endswith(b"\n") for block in blocks)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(TEXT)
    file = landed(path)
    path.write_bytes(TEXT + b"more\n")
    with pytest.raises(InputError) as refused:
        list(line_blocks(file))
    assert refused.value.rule == "landing.changed"
    path.write_bytes(gzip.compress(TEXT)[:-9])
    with pytest.raises(InputError):
        whole_bytes(file)
    path.unlink()
    with pytest.raises(InputError):
        whole_bytes(file)


def test_files_are_found_below_the_source_in_order_without_markers(tmp_path: Path) -> None:
    for name in ("b.log", "a/z.log", "a/b/c.log", "_COMPLETE", "a/_COMPLETE", ".hidden", ".git/x", "a.log"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = [path.relative_to(tmp_path).as_posix() for path in source_paths(tmp_path)]
    assert found == ["a/b/c.log", "a/z.log", "a.log", "b.log"]
    assert source_paths(tmp_path / "missing") == []


def test_the_same_content_is_a_duplicate_whatever_its_name_or_packing(intake: Intake, land: Land, night: date) -> None:
    land("access/a.log", TEXT)
    land("access/b.log.gz", gzip.compress(TEXT))
    land("access/c.zst", ZSTD.compress(TEXT))
    land("access/d.log", TEXT + b"more\n")
    land("ads/a.log", TEXT)
    files = list(landed_files(intake, "access", night))
    assert [(f.file, f.is_duplicate, f.lines) for f in files] == [
        ("access/a.log", False, 5000),
        ("access/b.log.gz", True, 5000),
        ("access/c.zst", True, 5000),
        ("access/d.log", False, 5001),
    ]
    assert list(landed_files(intake, "access", night)) == files  # a second run says the same
    assert not next(landed_files(intake, "ads", night)).is_duplicate


def test_a_whole_file_is_no_duplicate_of_a_broken_one_nor_of_what_was_only_sealed(
    intake: Intake, land: Land, night: date
) -> None:
    land("access/a.gz", gzip.compress(TEXT)[:-8])  # all content is there, the checksum is not
    land("access/b.log", TEXT)
    broken, whole = landed_files(intake, "access", night)
    assert (broken.is_truncated, broken.is_duplicate) == (True, False)
    assert (whole.is_truncated, whole.is_duplicate) == (False, False)
    land("partners/a.csv", TEXT)
    land("partners/b.csv", TEXT)
    assert [f.is_duplicate for f in landed_files(intake, "partners", night, is_read=False)] == [False, True]
    land("partners/c.csv", TEXT, later := date(2026, 11, 22))
    assert [f.is_duplicate for f in landed_files(intake, "partners", later)] == [False]


def test_late_files_are_taken_in_once_from_nights_that_can_run_no_more(intake: Intake, land: Land, night: date) -> None:
    done, open_night, later = date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 22)
    land("access/passed-over.log", b"0\n", date(2026, 11, 17))
    for no_night in ("20261118", "lost+found"):
        land("access/x.log", b"1\n").parent.rename(intake.landing / no_night)
    land("access/early.log", b"a\n", done)
    for file in landed_files(intake, "access", done):
        record(intake, file, Accounting("access", file.file, file.lines, file.lines))
    intake.ledger.finish_night(done, "0" * 64, {})
    land("access/late.log", b"b\n", done)
    land("access/not-yet.log", b"c\n", open_night)
    land("access/tonight.log", b"d\n")
    for file in (files := list(landed_files(intake, "access", night))):
        record(intake, file, Accounting("access", file.file, file.lines, file.lines))
    assert [f.file for f in files] == [
        "../2026-11-17/access/passed-over.log",
        "../2026-11-19/access/late.log",
        "access/tonight.log",
    ]
    assert [f.file for f in landed_files(intake, "access", night)] == [f.file for f in files]  # the night runs again
    intake.ledger.finish_night(night, "0" * 64, {})
    assert [f.file for f in landed_files(intake, "access", later)] == ["../2026-11-20/access/not-yet.log"]


def test_stray_files_have_no_source(intake: Intake, land: Land, night: date) -> None:
    land("access.log", b"a\n")
    land("_COMPLETE", b"")
    land("access/b.log", b"b\n")
    assert [(f.source, f.file) for f in stray_files(intake, night)] == [("(none)", "access.log")]


def test_a_file_name_may_be_any_bytes(intake: Intake, land: Land, night: date) -> None:
    land("access/a", b"a\n")
    folder = os.fsencode(intake.folder(night) / "access")
    (intake.folder(night) / "access/a").rename(os.fsdecode(folder + b"/\xff\xfe.log"))
    assert [f.file for f in landed_files(intake, "access", night)] == ["access/\\xff\\xfe.log"]


def test_a_file_that_cannot_be_read_is_named(
    intake: Intake, land: Land, night: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError

    land("access/a.log", b"a\n")
    monkeypatch.setattr("quorum.intake.files.examine", refuse)
    with pytest.raises(InputError, match="landing\\.unreadable"):
        list(landed_files(intake, "access", night))
