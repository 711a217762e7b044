"""A recall: a signed link of the chain that names a release, whoever holds it, and changes nothing else."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from release_night import NIGHT, cube_tables, pages_of, withhold

from quorum.errors import LedgerError, PolicyError, ReleaseError, UsageError
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.policy import Policy
from quorum.release.certificate import export_public_key, load_public_key
from quorum.release.gate import Door, Draft, Release, publish
from quorum.release.recall import REASONS, Recall, recall_release, recalls_of
from quorum.release.verify import verify_packages
from quorum.tables import PackageShape
from quorum.zones import Home

Tables = dict[str, pa.Table]
Publish = Callable[[int], Path]
FIRST, DAY = "2026-11-21", date(2026, 12, 1)
WORD = "was recalled on 2026-12-01: its numbers are wrong"


@pytest.fixture
def door(home: Home, keys: KeyRing, policy: Policy) -> Door:
    return Door(home, Ledger(home.ledger), keys, policy, "0.1.0")


@pytest.fixture(scope="module")
def made(shapes: dict[str, PackageShape], policy: Policy) -> tuple[PackageShape, Draft]:
    shape = shapes["sections"]
    cubes = cube_tables(shape, policy, people=2_500)
    tables = withhold(shape, cubes, policy, totals_only=True)
    return shape, Draft(tables, pages_of(shape, tables, policy), cubes)


@pytest.fixture
def day(door: Door, made: tuple[PackageShape, Draft]) -> Publish:
    """Publish the n-th day."""

    def run(n: int) -> Path:
        period = (NIGHT + timedelta(days=n)).isoformat()
        release: Release = publish(door, NIGHT + timedelta(days=n), replace(made[0], period=period), lambda: made[1])
        assert release.path is not None
        return release.path

    return run


def _recall(door: Door, **other: object) -> Path:
    spec = {"recipient_id": "info-a", "report": "sections", "period": FIRST, "reason": "numbers", "day": DAY}
    return recall_release(door, Recall(**{**spec, "actor": "hanako", "role": "officer", **other}))  # type: ignore[arg-type]


def _said(door: Door, *folders: Path) -> dict[str, tuple[bool, str, list[str]]]:
    key = load_public_key(export_public_key(door.home, door.keys))
    verdicts = verify_packages(folders, key)
    return {v.folder.name: (v.is_valid, v.chain, [problem.message for problem in v.problems]) for v in verdicts}


def test_a_recall_names_the_release_and_nothing_else(door: Door, day: Publish) -> None:
    first, second = day(0), day(1)
    recalled = _recall(door)
    assert recalled == door.home.out / "info-a" / "sections" / "2026-11-21.recall"
    assert _said(door, first, second, recalled) == {
        first.name: (False, "intact", [WORD]),
        second.name: (True, "intact", []),
        recalled.name: (True, "intact", []),
    }
    assert _said(door, recalled, first)[first.name] == (False, "intact", [WORD])
    assert _said(door, recalled) == {recalled.name: (True, "not_checked", [])}


def test_the_next_certificates_repeat_it(door: Door, day: Publish) -> None:
    first = day(0)
    recalled, third, fourth = _recall(door), day(2), day(3)
    told = json.loads((fourth / "certificate.json").read_bytes())["recalls"]
    digest = hashlib.sha256((first / "certificate.json").read_bytes()).hexdigest()
    assert told == [{"period": FIRST, "certificate": digest, "reason": "numbers", "date": "2026-12-01"}]
    assert told == recalls_of(door.ledger, "info-a", "sections")
    assert recalls_of(door.ledger, "info-a", "site") == []
    assert _said(door, first, fourth)[first.name][2] == [WORD], "also without the recall itself"
    found = _said(door, first, third, fourth)
    assert found[third.name][1:] == ("broken", ["follows a package that was not given: a gap before it"])
    assert found[first.name][2] == [WORD]
    assert {said[1] for said in _said(door, first, recalled, third, fourth).values()} == {"intact"}


def test_what_was_released_stays_to_the_byte_and_is_served_as_stored(
    door: Door, day: Publish, made: tuple[PackageShape, Draft]
) -> None:
    first = day(0)
    before = {path.name: path.read_bytes() for path in first.iterdir()}
    _recall(door)
    assert {path.name: path.read_bytes() for path in first.iterdir()} == before
    assert publish(door, NIGHT, made[0], lambda: pytest.fail("never again")).status == "unchanged"


def test_a_recall_depends_on_what_it_is_told_alone(
    door: Door, day: Publish, tmp_path: Path, keys: KeyRing, policy: Policy, made: tuple[PackageShape, Draft]
) -> None:
    day(0)
    one = _recall(door)
    home = Home(tmp_path / "again")
    again = Door(home, Ledger(home.ledger), keys, policy, "0.1.0")
    publish(again, NIGHT, made[0], lambda: made[1])
    two = _recall(again, actor="taro")
    assert {p.name: p.read_bytes() for p in one.iterdir()} == {p.name: p.read_bytes() for p in two.iterdir()}
    whole = b"".join(path.read_bytes() for path in one.iterdir())
    assert b"hanako" not in whole, "who recalled is in the ledger"
    assert REASONS["numbers"][0].encode() in whole
    (entry,) = door.ledger.entries("recall")
    assert (entry.body["actor"], entry.body["role"]) == ("hanako", "officer")
    assert door.ledger.verify() == 2


def test_the_same_recall_again_gives_the_same_folder_and_another_is_refused(door: Door, day: Publish) -> None:
    day(0)
    first = _recall(door)
    assert _recall(door) == first
    for other in ({"reason": "source"}, {"day": DAY + timedelta(days=1)}):
        with pytest.raises(ReleaseError, match="recalled before"):
            _recall(door, **other)
    assert len(door.ledger.entries("recall")) == 1
    assert not any((door.home.out / ".staging").rglob("*.recall"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"period": "2026-11-20"},
        {"recipient_id": "info-b"},
        {"report": "site"},
        {"period": "2026-11-21.recall"},
        {"recipient_id": "../.."},
        {"reason": "because"},
        {"day": NIGHT - timedelta(days=1)},
    ],
)
def test_what_was_not_released_or_has_no_listed_reason_is_not_recalled(
    door: Door, day: Publish, wrong: dict[str, object]
) -> None:
    day(0)
    with pytest.raises((ReleaseError, LedgerError)):
        _recall(door, **wrong)
    assert not door.ledger.entries("recall")
    assert {path.name for path in (door.home.out / "info-a" / "sections").iterdir()} == {FIRST}


@contextmanager
def _power_cut(at: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Die at a step; what follows is done by a new process."""

    def _dies(*_: object) -> Path:
        raise OSError

    with monkeypatch.context() as patched, pytest.raises(OSError):
        patched.setattr(at, _dies)
        yield


def test_a_recall_that_died_before_its_rename_is_finished(
    door: Door, day: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    day(0)

    with _power_cut("quorum.release.recall.put", monkeypatch):
        _recall(door)
    second = day(1)
    recalled = _recall(door)
    assert len(door.ledger.entries("recall")) == 1
    first = second.with_name(FIRST)
    assert {said[1] for said in _said(door, first, recalled, second).values()} == {"intact"}


def test_a_release_that_was_entered_before_a_recall_and_renamed_after_is_the_same(
    door: Door, day: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    day(0)

    with _power_cut("quorum.release.gate.put", monkeypatch):
        day(1)
    recalled, second = _recall(door), day(1)
    assert json.loads((second / "certificate.json").read_bytes())["recalls"] == []
    first = second.with_name(FIRST)
    assert {said[1] for said in _said(door, first, second, recalled).values()} == {"intact"}


def test_a_recall_that_nobody_signed_recalls_nothing(door: Door, day: Publish) -> None:
    first, second = day(0), day(1)
    recalled = _recall(door)
    (recalled / "certificate.sig").write_bytes(bytes(64))
    found = _said(door, first, second, recalled)
    assert found[first.name] == (True, "intact", [])
    assert not found[recalled.name][0]


@pytest.mark.parametrize("name", ["recall.md", "certificate.json", "certificate.sig"])
def test_a_recall_that_was_touched_is_named(door: Door, day: Publish, name: str) -> None:
    first = day(0)
    recalled = _recall(door)
    for change in (lambda path: path.write_bytes(path.read_bytes()[:-1]), Path.unlink):
        copy = Path(shutil.copytree(recalled, recalled.parent.parent / f"copy-{change.__name__}"))
        change(copy / name)
        assert not _said(door, copy)[copy.name][0]
    (recalled / "more.csv").touch()
    assert not _said(door, first, recalled)[recalled.name][0]


def test_every_recall_stands_in_every_later_certificate(door: Door, day: Publish) -> None:
    folders = [day(0), day(1)]
    folders += [_recall(door, reason="source"), _recall(door, period="2026-11-22", reason="protection")]
    last = day(2)
    found = _said(door, *folders, last)
    assert [found[name][0] for name in (FIRST, "2026-11-22", last.name)] == [False, False, True]
    assert found["2026-11-22"][2] == ["was recalled on 2026-12-01: it does not hold what its rules promise"]
    assert {said[1] for said in found.values()} == {"intact"}


def test_only_who_may_recall_does(home: Home, root: Path, keys: KeyRing, tmp_path: Path) -> None:
    from quorum.workspace import locked_workspace

    environment = {"QUORUM_MASTER_KEY": bytes(range(32)).hex()}
    for role, error in (("analyst", PolicyError), ("desk", PolicyError), ("officer", ReleaseError)):
        with locked_workspace(home, None, root / "policy", environment, "hanako", role) as opened:
            with pytest.raises(error):
                opened.recall(("info-a", "sections", FIRST), "numbers", DAY)
            if role == "officer":
                with pytest.raises(UsageError):
                    opened.recall((FIRST,), "numbers", DAY)
