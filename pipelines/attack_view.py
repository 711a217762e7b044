"""`quorum attack`: the red team on packages that somebody holds, as a table with its progress, or as JSON.

What belongs here: what is printed, and where. What does not: the attacks (`quorum.audit`), options (`pipelines.cli`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.views import printable
from quorum.errors import EXIT_DONE, EXIT_RELEASE, ReleaseError

if TYPE_CHECKING:
    from quorum.audit.record import AttackRecord

_COLUMNS = ("verdict", "attack", "targets", "claims", "precision", "baseline", "advantage", "not reached", "seconds")


def attack_folders(folders: Sequence[Path], *, as_json: bool) -> int:
    """Attack packages together, as one who holds them all, and print what came of it; return the exit code.

    Packages of one recipient are attacked together; those of several recipients who were told of the same campaign also
    as if they colluded. The numbers that they are measured against are those that the packages themselves state.

    Args:
        folders: of the packages, of any recipients.
        as_json: one object to stdout instead of tables.

    Raises:
        ReleaseError: a folder is no package.
    """
    from quorum.audit.record import PASSED, verdict
    from quorum.audit.run import attack_folders as attack

    records = attack(folders, _stated(folders), tell=_progress)
    _progress("", "")
    overall = verdict(records)
    if as_json:
        found = [{**record.as_record(), "seconds": round(record.seconds, 3)} for record in records]
        click.echo(json.dumps({"verdict": overall, "attacks": found}, ensure_ascii=False))
    else:
        for line in _lines(records):
            click.echo(line)
        click.echo(f"verdict: {overall}")
    return EXIT_DONE if overall == PASSED else EXIT_RELEASE


def _stated(folders: Sequence[Path]) -> dict[str, object]:
    """Return the rule set that the packages of each report state."""
    from quorum.audit.descriptor import DESCRIPTOR

    stated: dict[str, object] = {}
    for folder in folders:
        try:
            descriptor = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))
            stated[descriptor["quorum:report"]] = descriptor["quorum:rule_set"]
        except (OSError, ValueError, KeyError, TypeError):
            raise ReleaseError("attack.package", f"{folder} is no package", f"a folder with {DESCRIPTOR}") from None
    return stated


def _is_watched() -> bool:
    return sys.stderr.isatty()


def _progress(attack: str, release: str) -> None:
    """Write over the last line of a terminal what is being done; nothing is left of it at the end."""
    if not _is_watched():
        return
    said = f"{attack} on {release} ..." if attack else ""
    click.echo(f"\r\x1b[2K{printable(said)}", err=True, nl=False, color=True)


def _lines(records: Sequence[AttackRecord]) -> list[str]:
    """Return a table for each release, its attacks below each other, and what was not reached."""
    lines: list[str] = []
    release = None
    for record in records:
        if record.release != release:
            release = record.release
            lines += [*([""] if lines else []), printable(release), _line(_COLUMNS)]
        lines.append(_line(_cells(record)))
        lines += [f"{'':14}{name} {value:g}" for name, value in record.measured.items()]
    unreached = sum(record.unreached for record in records)
    if unreached:
        lines += ["", f"not reached within the work that is allowed: {unreached:,} targets, by attack above"]
    return lines


def _cells(record: AttackRecord) -> tuple[str, ...]:
    advantage = _share(record.advantage)
    if record.advantage_low is not None and record.advantage_high is not None:
        advantage += f" ({record.advantage_low:.3f} to {record.advantage_high:.3f})"
    return (
        record.verdict,
        record.attack,
        f"{record.targets:,}",
        f"{record.claims:,}",
        _share(record.precision),
        _share(record.baseline),
        advantage,
        f"{record.unreached:,}" if record.unreached else "",
        f"{record.seconds:.2f}",
    )


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _line(cells: Sequence[str]) -> str:
    verdict, attack, *numbers, advantage, unreached, seconds = cells
    shown = "".join(f"{number:>10}" for number in numbers)
    return f"{verdict:14}{attack:16}{shown}  {advantage:>25}{unreached:>13}{seconds:>9}".rstrip()
