"""More hands change no byte: results in order, errors in their turn, the same packages whoever made them."""

from __future__ import annotations

import operator
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pytest

from quorum import hands
from quorum.hands import in_order
from quorum.workspace import ROOT, Workspace, open_workspace
from quorum.zones import Home

NIGHT = date(2026, 11, 21)


@pytest.fixture
def two_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine with two processors and with much to do."""
    monkeypatch.setattr(hands, "_processors", lambda: 2)
    monkeypatch.setattr(hands, "WORTH", 0)


def test_little_is_done_by_the_one_that_asks() -> None:
    assert list(in_order([0, 0], [1, 1], operator.add, os.getpid, partial(int, 0))) == [os.getpid()] * 2


@pytest.mark.usefixtures("two_hands")
def test_much_is_done_by_others_and_comes_back_in_order() -> None:
    items = list(range(20))
    found = list(in_order(items, [item % 7 for item in items], operator.sub, partial(int, 0), partial(int, 100)))
    assert found == [100 - item for item in items]
    assert os.getpid() not in list(in_order([0, 0], [1, 1], operator.add, os.getpid, os.getpid))


@pytest.mark.usefixtures("two_hands")
def test_an_error_is_raised_when_its_turn_has_come() -> None:
    found = in_order([1, 0, 5], [1, 9, 1], operator.floordiv, partial(int, 10), partial(int, 10))
    assert next(found) == 10
    with pytest.raises(ZeroDivisionError):
        next(found)


@pytest.mark.usefixtures("two_hands")
@pytest.mark.slow
def test_a_frozen_mapping_is_sent_as_one() -> None:
    frozen = MappingProxyType({"a": MappingProxyType({"b": 1})})
    found = list(in_order([frozen, frozen], [1, 1], _first, partial(int, 0), partial(int, 0)))
    assert found == [frozen, frozen]
    assert isinstance(found[0]["a"], MappingProxyType)


def _first(_: int, item: MappingProxyType[str, object]) -> MappingProxyType[str, object]:
    return item


@pytest.mark.slow
def test_hands_leave_when_the_one_that_asked_was_killed(tmp_path: Path) -> None:
    code = (
        "import operator, time; from functools import partial; from quorum import hands\n"
        "hands._processors, hands.WORTH = (lambda: 2), 0\n"
        "list(hands.in_order([0, 0], [1, 1], operator.add, int, partial(time.sleep, 300)))\n"
    )
    asking = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    try:
        children = Path(f"/proc/{asking.pid}/task/{asking.pid}/children")
        deadline = time.monotonic() + 60
        while len(begun := _spawned(children)) < 2 and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(3)  # until they watch
    finally:
        asking.kill()
        asking.wait()
    assert len(begun) == 2
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{each}").exists() for each in begun) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not any(Path(f"/proc/{each}").exists() for each in begun)


def _spawned(children: Path) -> list[str]:
    """Return the processes that were started for the work, without the one that keeps count of shared resources."""
    found = children.read_text().split()
    return [each for each in found if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]


@pytest.mark.slow
def test_packages_are_the_same_whoever_made_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    alone = _released(tmp_path / "alone")
    request.getfixturevalue("two_hands")
    asked: list[int] = []
    in_processes = hands.ProcessPoolExecutor
    monkeypatch.setattr(
        hands, "ProcessPoolExecutor", lambda count, *given: asked.append(count) or in_processes(count, *given)
    )
    assert _released(tmp_path / "together") == alone
    assert asked == [2, 2]  # once for control, once for the door; no week and no month ends


def _released(folder: Path) -> dict[str, bytes]:
    """Run a night of two advertisers and a site; return every byte of safe tables, packages and statuses."""
    (folder / "landing" / NIGHT.isoformat()).mkdir(parents=True)
    home = Home(folder / "home")
    with open_workspace(home, folder / "landing", ROOT / "policy", {"QUORUM_MASTER_KEY": "5a" * 32}) as workspace:
        _book(workspace)
        refused = workspace.make_safe(NIGHT)
        statuses = {release.recipient_id: release.status for release in workspace.publish(NIGHT)}
        entries = [(entry.kind, entry.hash) for entry in workspace.ledger.entries()]
    assert not refused
    assert set(statuses.values()) == {"published"}
    return {str(entries): b"", **dict(_files(home.out)), **dict(_files(home.warehouse / "safe"))}


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield path.relative_to(folder).as_posix(), path.read_bytes()


def _book(workspace: Workspace) -> None:
    booked = {"starts_on": NIGHT, "ends_on": NIGHT, "price_model": "cpm", "price_micros": 500_000}
    given = {
        "pseudo__recipient": [{"recipient_id": f"adv-{n}", "kind": "advertiser"} for n in (1, 2)],
        "pseudo__campaign": [{"campaign_id": f"c{n}", "recipient_id": f"adv-{n}", **booked} for n in (1, 2)],
    }
    for table, rows in given.items():
        schema = workspace.catalog[table].arrow_schema()
        complete = [{name: row.get(name) for name in schema.names} for row in rows]
        workspace.store.write(table, NIGHT, pa.Table.from_pylist(complete, schema))
