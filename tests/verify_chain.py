"""Chains of small signed packages, as a recipient holds them, for the tests of verification."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from release_night import NIGHT, cube_tables, pages_of, references, withhold

from quorum.keys import KeyRing
from quorum.policy import Policy
from quorum.release.certificate import certify, sign
from quorum.release.package import package_path, stage_package
from quorum.release.shapes import package_shapes
from quorum.tables import PackageShape

KEYS = KeyRing(bytes(range(32)))
Change = Callable[[dict[str, Any]], None]


def small_night(policy: Policy) -> tuple[PackageShape, dict[str, pa.Table]]:
    """Shape and tables of a package of sections, of which totals alone are told."""
    shape = next(s for s in package_shapes(policy, references(), NIGHT) if s.report == "sections")
    return shape, withhold(shape, cube_tables(shape, policy, people=2_500), policy, totals_only=True)


def release(
    root: Path,
    shape: PackageShape,
    tables: Mapping[str, pa.Table],
    policy: Policy,
    previous: str | None,
    keys: KeyRing = KEYS,
    change: Change = lambda _: None,
) -> tuple[Path, str]:
    """Stage, sign and place a package as the door would, without its checks; return folder and digest."""
    staged = stage_package(root, shape, tables, policy, pages_of(shape, dict(tables), policy))
    certificate = certify(staged, shape, policy, code_version="1", checks=[], attacks=[], previous=previous)
    change(certificate)
    digest = sign(staged, certificate, keys)
    target = root / package_path(shape)
    target.parent.mkdir(parents=True, exist_ok=True)
    return staged.replace(target), digest


def chain(
    root: Path, night: tuple[PackageShape, Mapping[str, pa.Table]], policy: Policy, days: int = 4, keys: KeyRing = KEYS
) -> list[Path]:
    """Release so many days of one recipient and report, one after the other."""
    previous, folders = None, []
    for n in range(days):
        shape = replace(night[0], period=(NIGHT + timedelta(days=n)).isoformat())
        folder, previous = release(root, shape, night[1], policy, previous, keys)
        folders.append(folder)
    return folders
