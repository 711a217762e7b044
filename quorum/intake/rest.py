"""What landed and is not loaded: folders that no one declared (clause C-01), stray files.

Every line is counted and sealed, so that nothing is lost and nothing slips through.

What belongs here: sealing whole files. What does not: the sources with a reader of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from quorum.intake.accounting import Accounting, Reason
from quorum.intake.context import Intake
from quorum.intake.files import Landed, landed_files, record, source_names, stray_files
from quorum.intake.sealed import SealedLines, seal_whole, sealed_lines

PART = "rest"
READ_SOURCES = frozenset(
    {"reference", "members", "logins", "partners", "preferences", "requests", "ads", "access", "beacon"}
)


def take_in_rest(intake: Intake, night: date) -> list[Accounting]:
    """Seal what landed for a night in any other place than the folders of sources that are read, as ``undeclared``.

    Returns:
        What became of each file, by source, files in no source's folder last.
    """
    with sealed_lines(intake, PART, night) as sealed:
        taken = [(landed, _seal(landed, sealed)) for landed in _files(intake, night)]
    return [record(intake, landed, accounting) for landed, accounting in taken]


def _files(intake: Intake, night: date) -> Iterator[Landed]:
    for source in source_names(intake, night):
        if source not in READ_SOURCES:
            yield from landed_files(intake, source, night, is_read=False)
    yield from stray_files(intake, night)


def _seal(landed: Landed, sealed: SealedLines) -> Accounting:
    if landed.is_duplicate:
        return Accounting(landed.source, landed.file, landed.lines, duplicate=landed.lines)
    sealed_n = seal_whole(sealed, landed, Reason.UNDECLARED)
    return Accounting(landed.source, landed.file, landed.lines, quarantined=sealed_n)
