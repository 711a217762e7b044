"""How much of what a night made safe is withheld, by report, table and family: for those inside, never for a package.

What belongs here: counting statuses. What does not: why a cell is withheld (the ledger, `quorum why`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from quorum.engine.store import Store
from quorum.release.package import PUBLISHED
from quorum.release.safe import RELEASE
from quorum.tables.periods import DAY, kind_of
from quorum.zones import Zone

_STATUS = "status_"


@dataclass(frozen=True)
class Share:
    """What is published and what is withheld of one family in one table.

    Args:
        report: of which report.
        kind: ``day``, ``week`` or ``month``.
        table: name of the table in its packages.
        family: name of the family.
        published: cells, over all recipients.
        withheld: likewise.
    """

    report: str
    kind: str
    table: str
    family: str
    published: int
    withheld: int

    def as_record(self) -> dict[str, str | int]:
        """Return the share as JSON-compatible fields."""
        return dict(vars(self))


def withheld_shares(store: Store, night: date) -> list[Share]:
    """Count published and withheld cells of a night.

    Args:
        store: the safe zone.
        night: the night.

    Returns:
        By report, kind of period, table and family; none for what the night has not made.

    Guarantee:
        Counts of statuses alone. They stay inside.

    Source: disclosure.md, rule 10 (nothing that leaves counts what was withheld).
    """
    names = [table.name for table in store.catalog.in_zone(Zone.SAFE) if table.name != RELEASE]
    return sorted(
        (share for name in names for share in _shares(name, store.read(name, night))),
        key=lambda share: (share.report, share.kind, share.table, share.family),
    )


def _shares(name: str, rows: pa.Table) -> Iterator[Share]:
    for place, own in _parted(name, rows):
        for column in own.column_names:
            if column.startswith(_STATUS):
                told = own[column].drop_null()
                published = pc.sum(pc.equal(told, PUBLISHED)).as_py() or 0
                if len(told):
                    yield Share(*place, column.removeprefix(_STATUS), published, len(told) - published)


def _parted(name: str, rows: pa.Table) -> Iterator[tuple[tuple[str, str, str], pa.Table]]:
    """Yield the rows of each report, kind of period and table."""
    for report in pc.unique(rows["report"]).to_pylist():
        own = rows.filter(pc.equal(rows["report"], report))
        if "table_name" not in rows.column_names:
            yield (report, DAY, name.removeprefix(f"{Zone.SAFE}__")), own
            continue
        kind = kind_of(own["period"][0].as_py())
        for table in pc.unique(own["table_name"]).to_pylist():
            yield (report, kind, table), own.filter(pc.equal(own["table_name"], table))
