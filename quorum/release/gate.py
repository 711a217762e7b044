"""The one door out: staged draft, checks, attacks, certificate, ledger, atomic rename.

What belongs here: the order of these steps, and what a rerun or a crash between them leads to. What does not: a step's
work, and rendering; nothing else in the house writes below ``out/``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorum.audit.package import parse_package
from quorum.audit.record import PASSED, AttackRecord
from quorum.audit.run import ATTACKS, run_attacks
from quorum.audit.thin import only_totals
from quorum.errors import ReleaseError
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.policy import Policy
from quorum.release.certificate import (
    CERTIFICATE,
    SIGNATURE,
    certify,
    digest_files,
    export_public_key,
    is_signed,
    load_public_key,
    sign,
)
from quorum.release.checks import check_files, check_rules, check_schema
from quorum.release.extracts import draw
from quorum.release.package import package_path, rule_numbers, stage_package
from quorum.release.place import put, sync, tell_how_to_verify
from quorum.release.recall import recalls_of
from quorum.release.safe import count_cells
from quorum.release.sealed import seal_worst
from quorum.tables import PackageShape
from quorum.tables.periods import MONTH, kind_of
from quorum.zones import Home

if TYPE_CHECKING:
    import pyarrow as pa

PUBLISHED, UNCHANGED, BLOCKED, HELD = "published", "unchanged", "blocked", "held"
CHECKS = ("schema", "rules")


@dataclass(frozen=True)
class Door:
    """What every release passes with.

    Args:
        home: the run-time state.
        ledger: releases and refusals are entered here.
        keys: the signing key comes from it.
        policy: reports and rule sets.
        code_version: of this program, for the certificate.
    """

    home: Home
    ledger: Ledger
    keys: KeyRing
    policy: Policy
    code_version: str


@dataclass(frozen=True)
class Draft:
    """What is to be released.

    Args:
        tables: released tables, from `quorum.release.safe.read_safe`.
        pages: ``report.<language>.html`` to bytes, from `quorum.report`.
        truth: per table what was counted (dimension columns, heads, rests; int64), to score the attacks with. It goes
            into no file.
        beside: released packages that the recipient holds and that say something of the same events: a week's days, a
            month's days and weeks.
    """

    tables: Mapping[str, pa.Table]
    pages: Mapping[str, bytes]
    truth: Mapping[str, pa.Table]
    beside: Sequence[PackageShape] = ()


@dataclass(frozen=True)
class Staged:
    """A package that was built beside its place, with what checks and attacks said of it.

    Args:
        folder: below ``out/.staging``.
        cells: published and withheld ones, counted as (row, family).
        checks: name and verdict each.
        records: of the attacks; none if a package cannot be read.
        files: name to SHA-256, hex, of what was checked and attacked.
    """

    folder: Path
    cells: tuple[int, int]
    checks: list[dict[str, str]]
    records: list[AttackRecord]
    files: Mapping[str, str]

    @property
    def reasons(self) -> list[str]:
        """Which check or attack refuses it, with its verdict; of a package that none refuses, which was left out."""
        checks = [(check["check"], check["verdict"]) for check in self.checks]
        attacks = [(record.attack, record.verdict) for record in self.records]
        refused = [f"{name} {verdict}" for name, verdict in (*checks, *attacks) if verdict != PASSED]
        done = {name for name, _ in (*checks, *attacks)}
        return refused or [f"{name} left out" for name in (*CHECKS, *(a.name for a in ATTACKS)) if name not in done]


@dataclass(frozen=True)
class Release:
    """What became of a report.

    Args:
        recipient_id: who receives it.
        report: which report.
        period: e.g. ``2026-11-21``.
        status: ``published`` now; ``unchanged``: released before, served as stored; ``blocked``: a check or an attack
            refused it; ``held``: nothing of it was made safe.
        path: the package's folder, absolute; None where there is none.
        published_cells: counted as (row, family).
        withheld_cells: likewise; stays inside.
        reasons: of a blocked report, which check or attack said what; no value.
    """

    recipient_id: str
    report: str
    period: str
    status: str
    path: Path | None
    published_cells: int
    withheld_cells: int
    reasons: tuple[str, ...] = ()

    def as_record(self) -> dict[str, object]:
        """Return the release as ``nightly --json`` prints it."""
        return {
            "recipient_id": self.recipient_id,
            "report": self.report,
            "period": self.period,
            "status": self.status,
            "path": None if self.path is None else str(self.path),
            "published_cells": self.published_cells,
            "withheld_cells": self.withheld_cells,
        }


def publish(door: Door, night: date, shape: PackageShape, draft: Callable[[], Draft | None]) -> Release:
    """Let a report out, or say why not.

    Args:
        door: home, ledger, keys, policy.
        night: the night that makes the release.
        shape: recipient, report, period.
        draft: makes what is to be released; not called if the period was released before and lies in place. None: the
            night made nothing safe for this report.

    Returns:
        What became of it. A blocked report is entered in the ledger as ``blocked`` and its staging folder removed.

    Raises:
        ReleaseError: a stored release is not what its certificate says; a folder lies in place that was never entered;
            or a release that was entered but not renamed cannot be built again to the byte.

    Guarantee:
        Nothing is below ``out/<recipient>/`` that did not pass every check and attack, to the byte, and was not entered
        in the ledger before, but for ``VERIFY.md`` and recalls. A period is released once: a run that died after
        entering finishes the rename with the identical package, any other run serves what is stored.

    Source: architecture.md, A report package; disclosure.md, rule 8 and The red team.
    """
    return let_out(door, night, shape, lambda: stage(door, shape, draft()))


def stage(door: Door, shape: PackageShape, made: Draft | None) -> Staged | None:
    """Build a package beside its place, check and attack it; the ledger is not asked and not told.

    Args:
        door: home, policy.
        shape: recipient, report, period.
        made: what is to be released.

    Returns:
        The staged package and what was found; None if there is no draft.

    Raises:
        ReleaseError: the tables are not those of the shape.

    Guarantee:
        A function of the draft, of released packages and of the policy: it may be done in any process, at any time
        after the packages that lie beside it.

    Source: disclosure.md, The red team.
    """
    if made is None:
        return None
    folder = stage_package(door.home.out, shape, made.tables, door.policy, made.pages)
    files = digest_files(folder)
    checks, records = _judge(door, folder, shape, made)
    return Staged(folder, count_cells(made.tables), checks, records, files)


def let_out(door: Door, night: date, shape: PackageShape, staged: Callable[[], Staged | None]) -> Release:
    """Let a staged package out, or say why not; as `publish`, with the package built and attacked elsewhere.

    Args:
        door: home, ledger, keys, policy.
        night: the night that makes the release.
        shape: recipient, report, period.
        staged: gives what `stage` made; not called if the period was released before and lies in place.

    Returns:
        What became of it.

    Raises:
        ReleaseError: as `publish`; or the staged files are no longer those that were attacked.

    Guarantee:
        As `publish`; what lacks a check or an attack is blocked like what fails one.

    Source: architecture.md, A report package; disclosure.md, rule 8.
    """
    export_public_key(door.home, door.keys)
    target = door.home.out / package_path(shape)
    entered = door.ledger.release(shape.recipient_id, shape.report, shape.period)
    if target.exists():
        return _serve(door, shape, target, entered)
    made = staged()
    if made is None:
        return Release(shape.recipient_id, shape.report, shape.period, HELD, None, 0, 0)
    folder, cells, records = made.folder, made.cells, made.records
    if made.reasons:
        return _block(door, night, shape, made)
    if check_files(folder, made.files):
        raise _refuse("staged", shape, "is staged but not what was attacked")
    previous = entered["previous"] if entered else door.ledger.last_certificate(shape.recipient_id, shape.report)
    recalls = entered.get("recalls", []) if entered else recalls_of(door.ledger, shape.recipient_id, shape.report)
    certificate = certify(
        folder,
        shape,
        door.policy,
        code_version=door.code_version,
        checks=made.checks,
        attacks=[record.as_verdict() for record in records],
        recalls=recalls,
        previous=previous,
    )
    digest = sign(folder, certificate, door.keys)
    sync(folder)
    if entered is None:
        body = _inside(cells, previous, recalls, records)
        door.ledger.enter_release(shape.recipient_id, shape.report, shape.period, night, digest, body)
    elif entered["certificate"] != digest:
        raise _refuse("rebuild", shape, "was entered but cannot be built again to the byte")
    put(folder, target)
    tell_how_to_verify(target.parents[1])
    return Release(shape.recipient_id, shape.report, shape.period, PUBLISHED, target.absolute(), *cells)


def _serve(door: Door, shape: PackageShape, target: Path, entered: Mapping[str, Any] | None) -> Release:
    """Return a stored release, if it is what was entered and signed."""
    if entered is None:
        raise _refuse("unknown", shape, "lies in its place but was never entered in the ledger")
    text = (target / CERTIFICATE).read_bytes() if (target / CERTIFICATE).is_file() else b""
    signature = (target / SIGNATURE).read_bytes() if (target / SIGNATURE).is_file() else b""
    key = load_public_key(export_public_key(door.home, door.keys))
    is_stored = hashlib.sha256(text).hexdigest() == entered["certificate"] and is_signed(text, signature, key)
    if not is_stored or check_files(target, json.loads(text)["files"], besides=(CERTIFICATE, SIGNATURE)):
        raise _refuse("stored", shape, "is stored but no longer what its certificate says")
    cells = entered["published_cells"], entered["withheld_cells"]
    return Release(shape.recipient_id, shape.report, shape.period, UNCHANGED, target.absolute(), *cells)


def _judge(
    door: Door, folder: Path, shape: PackageShape, made: Draft
) -> tuple[list[dict[str, str]], list[AttackRecord]]:
    """Check the staged files and attack them, with what lies beside; a package that cannot be read is not attacked."""
    report = door.policy.reports[shape.report]
    numbers = rule_numbers(door.policy.rule_sets[report.rule_set], report, door.policy)
    problems, package = check_schema(folder)
    if package is None:
        return [{"check": CHECKS[0], "verdict": "failed"}], []
    problems += check_rules(package, numbers)
    failed = {problem.check for problem in problems}
    checks = [{"check": name, "verdict": "failed" if name in failed else PASSED} for name in CHECKS]
    held = [parse_package(door.home.out / package_path(other)) for other in made.beside]
    if kind_of(shape.period) == MONTH:
        held = [only_totals(other, package) for other in held]
    truth = draw(shape, made.truth, door.policy)
    records = run_attacks([package], numbers, {package.release: truth}, held=held)
    return checks, records


def _block(door: Door, night: date, shape: PackageShape, made: Staged) -> Release:
    """Enter the refusal in the ledger, with the worst case for the officer alone, and remove what was staged."""
    door.ledger.append(
        "blocked",
        {
            "recipient_id": shape.recipient_id,
            "report": shape.report,
            "period": shape.period,
            "night": night.isoformat(),
            "reasons": made.reasons,
            "sealed": seal_worst(door.keys, made.records),
        },
    )
    shutil.rmtree(made.folder)
    return Release(shape.recipient_id, shape.report, shape.period, BLOCKED, None, *made.cells, tuple(made.reasons))


def _inside(
    cells: tuple[int, int], previous: str | None, recalls: Sequence[Mapping[str, str]], records: list[AttackRecord]
) -> dict[str, Any]:
    """Return what the ledger keeps of a release: counts of cells and the attacks' records; it stays inside."""
    return {
        "published_cells": cells[0],
        "withheld_cells": cells[1],
        "previous": previous,
        "recalls": [dict(each) for each in recalls],
        "attacks": [record.as_record() for record in records],
    }


def _refuse(rule: str, shape: PackageShape, what: str) -> ReleaseError:
    return ReleaseError(
        f"release.{rule}",
        f"{shape.report} {shape.period} of {shape.recipient_id} {what}",
        "one release a period, as entered",
        "restore the folder from a backup, or recall the package",
    )
