"""The zones a datum passes through, and where they lie under ``QUORUM_HOME``.

What belongs here: the order of the zones and every path of the run-time state. What does not: reading or writing them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

_EXTRACT = re.compile(r"[pd]\d\d")


class Zone(StrEnum):
    """A zone; the order of definition is the only direction in which data flows.

    An extract may read every zone before it, and nothing but an extract reads one.
    """

    VAULT = "vault"
    PSEUDO = "pseudo"
    SEG = "seg"
    CUBE = "cube"
    SAFE = "safe"
    OUT = "out"
    EXTRACT = "extract"

    @property
    def is_sealed(self) -> bool:
        """Whether its files are encrypted and lie in the vault's folder: what names a person, or is about one."""
        return self in (Zone.VAULT, Zone.EXTRACT)

    @property
    def rank(self) -> int:
        """Position in the flow, 0 for the vault."""
        return list(Zone).index(self)


def zone_of(table: str) -> Zone:
    """Return the zone of a table by its name: ``cube__campaign_daily`` is a cube, ``p05__mailing_list`` an extract.

    Raises:
        ValueError: the name does not follow ``{zone}__{subject}``, ``pNN__{subject}`` for the extract of a purpose or
            ``dNN__{subject}`` for what a disclosure may take.
    """
    prefix, separator, _ = table.partition("__")
    if separator and _EXTRACT.fullmatch(prefix):
        return Zone.EXTRACT
    if not separator:
        raise ValueError(f"a table is named zone__subject, not {table!r}")
    return Zone(prefix)


@dataclass(frozen=True)
class Home:
    """Every path of the run-time state. Landing and the master key lie outside it."""

    root: Path

    @property
    def vault(self) -> Path:
        """Sealed data: encrypted Parquet only."""
        return self.root / "vault"

    @property
    def warehouse(self) -> Path:
        """Everything behind the vault, by zone, table and night."""
        return self.root / "warehouse"

    @property
    def ledger(self) -> Path:
        """The append-only ledger and the registry of landed files."""
        return self.root / "ledger"

    @property
    def out(self) -> Path:
        """Published packages; ``out/.staging`` holds those that are being built."""
        return self.root / "out"

    @property
    def outbox(self) -> Path:
        """What is on its way to a recipient: the lock of delivery, and files that are encrypted to one of them."""
        return self.root / "outbox"

    @property
    def docs(self) -> Path:
        """Pages for analysts; they stay inside."""
        return self.root / "docs"

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME."""
        return self.root / "dagster"

    @property
    def keys(self) -> Path:
        """Public keys only."""
        return self.root / "keys"

    @property
    def tmp(self) -> Path:
        """Scratch space, wiped at the start of each night."""
        return self.root / "tmp"

    @property
    def lock(self) -> Path:
        """The one lock file around a night."""
        return self.root / "lock"

    def table(self, table: str) -> Path:
        """Folder of a table: ``vault/<table>`` if it is sealed, else ``warehouse/<zone>/<table>``."""
        zone = zone_of(table)
        return self.vault / table if zone.is_sealed else self.warehouse / zone.value / table

    def partition(self, table: str, night: date) -> Path:
        """Folder of one night of a table, e.g. ``warehouse/cube/cube__campaign_daily/date=2026-11-21``."""
        return self.table(table) / f"date={night.isoformat()}"
