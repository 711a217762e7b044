"""What is missing: sources, whole files, lines of a source beside earlier nights, and packages that were owed.

Pure: what landed, what was loaded before and what is published reach this module as arguments.

What belongs here: the decisions. What does not: looking at folders (`quorum.intake.survey`, `quorum.published`),
and what follows from a decision (`quorum.holds`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from statistics import median_low
from types import MappingProxyType

from quorum.errors import ConfigurationError
from quorum.policy.fields import fields, mapping, number, read

MISSING, HALF, FEW, MANY = "missing", "half", "few", "many"
NIGHT, PACKAGE, TABLE, PARTITION = "night", "package", "table", "partition"
_FILE = "completeness.yaml"
_WEEK = 7


@dataclass(frozen=True)
class Bounds:
    """How far lines may lie from what is expected, in thousandths.

    Args:
        low: fewer are a gap.
        high: more are a jump.
    """

    low: int
    high: int


@dataclass(frozen=True)
class Expected:
    """What a night is compared with, from ``policy/completeness.yaml``.

    Args:
        weeks: weeks back of which the same weekday counts.
        least_lines: sources that have fewer lines are not judged by volume.
        volume: source to its bounds; other sources are not judged by volume.
        first_nights: nights that must be there before other weekdays are compared with.
        first_weeks: the bounds beside other weekdays.
    """

    weeks: int
    least_lines: int
    volume: Mapping[str, Bounds]
    first_nights: int
    first_weeks: Bounds


@dataclass(frozen=True)
class Arrived:
    """What is there of a source.

    Args:
        lines: lines of whole files that were not delivered before.
        broken: files whose stream breaks off, by their path below the source.
        absent: files that the source's marker lists and that are not there as it lists them.
        is_complete: whether the marker is there.
    """

    lines: int = 0
    broken: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    is_complete: bool = False


@dataclass(frozen=True, order=True)
class Finding:
    """Something that is missing, or more than there should be.

    Args:
        source: the source, which a note of the operator excuses by name.
        kind: ``missing``, ``half``, ``few`` or ``many``.
        count: files, or lines.
        expected: lines that were expected, 0 if it is not about lines.
    """

    source: str
    kind: str
    count: int = 0
    expected: int = 0

    def __str__(self) -> str:
        """Return it in words: names of sources and counts only."""
        if self.kind == MISSING:
            return f"{self.source} has not arrived whole (no _COMPLETE marker)"
        if self.kind == HALF:
            return f"{self.source} has {self.count} file(s) that are broken off or not as its marker lists them"
        less = "only " if self.kind == FEW else ""
        return f"{self.source} has {less}{self.count:,} lines where some {self.expected:,} were expected"


@dataclass(frozen=True, order=True)
class Gap:
    """Something of a past night that is owed and not there.

    Args:
        night: the night that owes it.
        kind: ``night`` (it was passed over), ``package``, ``table`` (a file of a package) or ``partition``.
        recipient_id: of a package.
        report: of a package.
        period: of a package.
        table: the table of a package or the kept table.
    """

    night: date
    kind: str
    recipient_id: str = ""
    report: str = ""
    period: str = ""
    table: str = ""

    def __str__(self) -> str:
        """Return it in words."""
        where = "/".join(part for part in (self.recipient_id, self.report, self.period) if part)
        return " ".join(part for part in (self.night.isoformat(), self.kind, where, self.table) if part)


@dataclass(frozen=True)
class Owed:
    """A package with its tables.

    Args:
        recipient_id: who receives it.
        report: which report.
        period: e.g. ``2026-11-21``.
        tables: its tables; empty if only the package as a whole is known.
    """

    recipient_id: str
    report: str
    period: str
    tables: frozenset[str] = field(default_factory=frozenset)


def load_expected(folder: Path) -> Expected:
    """Read ``completeness.yaml`` of a policy folder.

    Raises:
        ConfigurationError: the file is missing, has an unknown field or lacks one, or bounds that hold everything up.
    """
    found = fields(_FILE, read(folder, _FILE), ("weeks", "least_lines", "volume", "first_weeks"))
    first = fields(f"{_FILE}: first_weeks", found["first_weeks"], ("nights", "low", "high"))
    volume = mapping(f"{_FILE}: volume", found["volume"])
    return Expected(
        number(f"{_FILE}: weeks", found["weeks"]),
        number(f"{_FILE}: least_lines", found["least_lines"]),
        MappingProxyType({source: _bounds(source, spec) for source, spec in volume.items()}),
        number(f"{_FILE}: nights", first["nights"]),
        _bounds("first_weeks", {"low": first["low"], "high": first["high"]}),
    )


def _bounds(name: str, spec: object) -> Bounds:
    found = fields(f"{_FILE}: {name}", spec, ("low", "high"))
    low, high = (number(f"{_FILE}: {name}.{bound}", found[bound]) for bound in ("low", "high"))
    if not low < 1000 < high:
        raise ConfigurationError(
            "completeness.bounds", f"{_FILE}: {name} from {low} to {high}", "thousandths: low < 1000 < high"
        )
    return Bounds(low, high)


def judge_arrival(
    arrived: Mapping[str, Arrived], required: Sequence[str], regular: Mapping[str, Collection[str]]
) -> list[Finding]:
    """Return what is missing of a night before a line is read.

    Args:
        arrived: source to what is there of it.
        required: sources that must arrive whole.
        regular: source to the names of files that earlier nights took in; half of such a file is always a gap, half of
            any other only where the source is required: a stray file is sealed and counted, and holds nothing up.
    """
    found = [Finding(source, MISSING) for source in required if not arrived.get(source, Arrived()).is_complete]
    for source, there in sorted(arrived.items()):
        known = regular.get(source, ())
        broken = {name for name in there.broken if source in required or name in known}
        if broken | set(there.absent):
            found.append(Finding(source, HALF, len(broken | set(there.absent))))
    return found


def judge_volume(
    night: date, lines: Mapping[str, int], earlier: Mapping[str, Mapping[date, int]], expected: Expected
) -> list[Finding]:
    """Return the sources that have far fewer or far more lines than earlier nights, the same weekday if there was one.

    Args:
        night: the night.
        lines: source to its lines; a source that is not there has none.
        earlier: source to the lines of earlier nights, without those that somebody had to explain.
        expected: bounds.
    """
    found = []
    for source, own in sorted(expected.volume.items()):
        compared = _compared(night, earlier.get(source, {}), own, expected)
        if compared is not None:
            (usual, bounds), has = compared, lines.get(source, 0)
            if usual >= expected.least_lines and 1000 * has < bounds.low * usual:
                found.append(Finding(source, FEW, has, usual))
            elif 1000 * has > bounds.high * max(usual, expected.least_lines):
                found.append(Finding(source, MANY, has, usual))
    return found


def _compared(night: date, nights: Mapping[date, int], own: Bounds, expected: Expected) -> tuple[int, Bounds] | None:
    """Return how many lines are usual on a night, and how far from it they may lie; None before anything is usual."""
    weekdays = [night - timedelta(days=_WEEK * n) for n in range(1, expected.weeks + 1)]
    same = [nights[day] for day in weekdays if day in nights]
    if same:
        return median_low(same), own
    recent = [count for day, count in nights.items() if weekdays[-1] <= day < night]
    return (median_low(recent), expected.first_weeks) if len(recent) >= expected.first_nights else None


def find_gaps(
    owed: Mapping[date, Iterable[Owed]],
    published: Mapping[tuple[str, str, str], Collection[str]],
    blocked: Collection[tuple[str, str, str]] = (),
) -> list[Gap]:
    """Return the packages, and the tables of packages, that were owed and are not published.

    Args:
        owed: night to what it owes; nights that were passed over are not among them.
        published: recipient, report and period to the tables that lie in ``out/``.
        blocked: packages that were refused and that the ledger tells of; they are told as blocked, not as gaps.
    """
    found = []
    for night, packages in sorted(owed.items()):
        for package in packages:
            key = (package.recipient_id, package.report, package.period)
            if key in published:
                lost = package.tables - set(published[key])
                found += [Gap(night, TABLE, *key, table) for table in sorted(lost)]
            elif key not in blocked:
                found.append(Gap(night, PACKAGE, *key))
    return found


def passed_over(done: Sequence[date]) -> list[Gap]:
    """Return the days between the first and the last done night that are not done.

    Args:
        done: done nights in order.
    """
    days = range(done[0].toordinal(), done[-1].toordinal()) if done else range(0)
    return [Gap(day, NIGHT) for day in map(date.fromordinal, days) if day not in set(done)]
