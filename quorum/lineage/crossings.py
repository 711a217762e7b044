"""What the privacy officer has declared: which column becomes another category, decides about rows, or is read across.

What belongs here: reading ``policy/declassifiers.yaml``. What does not: what the named declassifiers do
(`quorum.lineage.declassifiers`) and whether a statement keeps to what is declared (`quorum.lineage.changes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from quorum.errors import ConfigurationError
from quorum.lineage.declassifiers import READS, USES, VALUES
from quorum.policy.fields import read

_SECTIONS = ("values", "uses", "purposes")


@dataclass(frozen=True, order=True)
class Crossing:
    """A base column that leaves its category, decides about rows, or is read for another purpose.

    Args:
        to: ``table.column`` for a value; ``table`` for a use and for a read of another purpose's table.
        base: the base column, ``table.column``.
    """

    to: str
    base: str


@dataclass(frozen=True)
class Crossings:
    """Everything that ``declassifiers.yaml`` declares, each with the name of the way it takes.

    Args:
        values: of base columns into columns of another category.
        uses: of base columns that decide about rows.
        purposes: of columns of another purpose's table.
    """

    values: Mapping[Crossing, str]
    uses: Mapping[Crossing, str]
    purposes: Mapping[Crossing, str]


def declared_crossings(folder: Path) -> Crossings:
    """Read ``declassifiers.yaml``.

    Raises:
        ConfigurationError: the file is missing, has a key twice, is not laid out as expected, or names an unknown
            declassifier.
    """
    try:
        raw = read(folder, "declassifiers.yaml")
        sections = [_section(raw[section] or {}) for section in _SECTIONS]
    except (KeyError, TypeError, AttributeError):
        raise ConfigurationError(
            "policy.declassifiers", "declassifiers.yaml cannot be read", ", ".join(_SECTIONS)
        ) from None
    if set(raw) != set(_SECTIONS):
        raise ConfigurationError("policy.declassifiers", "another section", ", ".join(_SECTIONS), "take it out")
    for section, known in zip(sections, (VALUES, USES, READS), strict=True):
        _check_named(section.values(), known)
    return Crossings(*sections)


def _section(raw: Mapping[str, Any]) -> Mapping[Crossing, str]:
    found = {}
    for to, spec in raw.items():
        for one in spec if isinstance(spec, list) else [spec]:
            for base in one["from"]:
                found[Crossing(str(to), str(base))] = str(one["by"])
    return MappingProxyType(found)


def _check_named(ways: Iterable[str], known: Iterable[str]) -> None:
    unknown = sorted(set(ways) - set(known))
    if unknown:
        raise ConfigurationError("policy.declassifiers", unknown[0], f"one of {sorted(known)}", "use a known one")
