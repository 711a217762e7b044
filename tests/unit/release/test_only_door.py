"""Every other way into ``out``: functions of the library called directly, in another order, with forged arguments."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from release_night import NIGHT, cube_tables, pages_of, withhold

from quorum.audit.run import ATTACKS
from quorum.errors import ReleaseError
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.policy import Policy
from quorum.release import gate
from quorum.release.certificate import certify, export_public_key, load_public_key, sign
from quorum.release.gate import BLOCKED, CHECKS, Door, Draft, Staged, let_out, publish, stage
from quorum.release.package import package_path, stage_package
from quorum.release.place import put
from quorum.release.verify import verify_packages
from quorum.tables import PackageShape
from quorum.zones import Home

MAY_NAME_OUT = {
    "ask.py": "reads which packages lie there",
    "deliver/parcel.py": "reads what is sent",
    "packages.py": "reads what lies there",
    "making.py": "reads the package of the period before",
    "published.py": "reads what lies there",
    "release/gate.py": "the door",
    "release/recall.py": "says beside a package that it is recalled",
    "rights/retention.py": "removes what is over its days",
}
"""Modules of the library that name the folder ``out`` of a home, and why."""


@pytest.fixture
def door(home: Home, keys: KeyRing, policy: Policy) -> Door:
    return Door(home, Ledger(home.ledger), keys, policy, "0.1.0")


@pytest.fixture
def shape(shapes: dict[str, PackageShape]) -> PackageShape:
    return shapes["sections"]


@pytest.fixture
def draft(shape: PackageShape, policy: Policy) -> Callable[..., Draft]:
    """A draft that passes; or one that leaks, where thresholds alone decide."""
    cubes = cube_tables(shape, policy, people=2_500)

    def make(*, leaking: bool = False) -> Draft:
        tables = withhold(shape, cubes, policy, totals_only=not leaking)
        return Draft(tables, pages_of(shape, tables, policy), cubes)

    return make


def published(home: Home) -> list[Path]:
    """What lies below a recipient."""
    return [path for path in home.out.glob("*/*/*") if ".staging" not in path.parts]


@pytest.mark.clause("P-03n")
def test_what_was_staged_and_not_attacked_is_blocked(
    door: Door, shape: PackageShape, draft: Callable[..., Draft]
) -> None:
    """A staged package that nobody attacked, with its records left out or made up in part."""
    leaking = draft(leaking=True)
    sound = stage(door, shape, draft())
    assert sound is not None
    for checks, records in (([], []), (sound.checks, []), ([], sound.records), (sound.checks, sound.records[:-1])):
        folder = stage_package(door.home.out, shape, leaking.tables, door.policy, leaking.pages)
        forged = Staged(folder, (1, 0), checks, records, {})
        released = let_out(door, NIGHT, shape, lambda forged=forged: forged)
        assert released.status == BLOCKED
        assert all(reason.endswith("left out") for reason in released.reasons)
        assert published(door.home) == []
    assert {*CHECKS, *(attack.name for attack in ATTACKS)} == {
        reason.removesuffix(" left out") for reason in Staged(folder, (1, 0), [], [], {}).reasons
    }


@pytest.mark.clause("P-03n")
def test_what_was_changed_after_the_attacks_is_refused(
    door: Door, shape: PackageShape, draft: Callable[..., Draft]
) -> None:
    """A stale folder: attacked, then written anew before it is let out."""
    staged = stage(door, shape, draft())
    assert staged is not None
    assert staged.reasons == []
    leaking = draft(leaking=True)
    stage_package(door.home.out, shape, leaking.tables, door.policy, leaking.pages)
    with pytest.raises(ReleaseError, match="not what was attacked"):
        let_out(door, NIGHT, shape, lambda: staged)
    assert published(door.home) == []
    assert door.ledger.release(shape.recipient_id, shape.report, shape.period) is None


def test_one_more_file_after_the_attacks_is_refused(
    door: Door, shape: PackageShape, draft: Callable[..., Draft]
) -> None:
    staged = stage(door, shape, draft())
    assert staged is not None
    (staged.folder / "notes.txt").write_text("hanako")
    with pytest.raises(ReleaseError, match="not what was attacked"):
        let_out(door, NIGHT, shape, lambda: staged)


def test_a_leaking_draft_is_blocked_again_and_again(
    door: Door, shape: PackageShape, draft: Callable[..., Draft]
) -> None:
    """A rerun of what was blocked is blocked; a sound draft is not held up by it."""
    for _ in range(2):
        assert publish(door, NIGHT, shape, lambda: draft(leaking=True)).status == BLOCKED
        assert published(door.home) == []
        assert not list((door.home.out / ".staging").rglob("*.csv"))
    assert publish(door, NIGHT, shape, draft).status == "published"


@pytest.mark.parametrize("signed", [False, True])
def test_a_folder_put_into_place_by_hand_is_served_by_nobody(
    door: Door, shape: PackageShape, draft: Callable[..., Draft], signed: bool
) -> None:
    """Even with a signature of the house: it was never entered."""
    leaking = draft(leaking=True)
    folder = stage_package(door.home.out, shape, leaking.tables, door.policy, leaking.pages)
    if signed:
        told = [{"attack": attack.name, "verdict": "passed"} for attack in ATTACKS]
        whole = certify(
            folder, shape, door.policy, code_version="0", checks=[], attacks=told, recalls=[], previous=None
        )
        sign(folder, whole, door.keys)
    target = put(folder, door.home.out / package_path(shape))
    with pytest.raises(ReleaseError, match="never entered"):
        publish(door, NIGHT, shape, draft)
    if not signed:
        (verdict,) = verify_packages([target], load_public_key(export_public_key(door.home, door.keys)))
        assert verdict.problems


def test_a_release_is_not_exchanged_for_another_draft(
    door: Door, shape: PackageShape, draft: Callable[..., Draft]
) -> None:
    """What lies in place is served; a second draft of the period is not asked for."""
    first = publish(door, NIGHT, shape, draft)
    assert first.path is not None
    before = {path.name: path.read_bytes() for path in first.path.iterdir()}
    assert publish(door, NIGHT, shape, lambda: draft(leaking=True)).status == "unchanged"
    assert {path.name: path.read_bytes() for path in first.path.iterdir()} == before
    shutil.rmtree(first.path)
    with pytest.raises(ReleaseError):
        publish(door, NIGHT, shape, lambda: replace(draft(), pages={**draft().pages, "report.en.html": b"<p>x</p>"}))
    assert published(door.home) == []


def test_nobody_but_the_door_writes_there(root: Path) -> None:
    """Whoever names the folder is known; the two functions that put something into it are called at the door alone."""
    naming, putting = set(), set()
    for path in sorted((root / "quorum").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            where = path.relative_to(root / "quorum").as_posix()
            if isinstance(node, ast.Attribute) and node.attr == "out" and "home" in ast.unparse(node.value):
                naming.add(where)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("put", "place.put"):
                putting.add(where)
    assert naming == set(MAY_NAME_OUT)
    assert putting <= {"release/gate.py", "release/recall.py"}
    assert gate.put is put
