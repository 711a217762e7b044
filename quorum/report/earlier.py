"""The period before: what the recipient's previous package of a report says of whole campaigns or sections.

What belongs here: which period lies before another, and reading totals from a published package. What does not: how a
change is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.csv as csv

from quorum.tables import PackageShape
from quorum.tables.periods import DAY, MONTH, kind_of, month_of, week_of
from quorum.tables.shape import ALL

_WEEK_DAYS = 7


@dataclass(frozen=True)
class Earlier:
    """Released totals of the period before.

    Args:
        period: its name.
        totals: campaign or section and measure to its number; no entry where it is withheld or not told.
    """

    period: str
    totals: Mapping[tuple[str, str], int]


def period_before(period: str) -> str:
    """Return the name of the day, week or month before.

    Args:
        period: a name of a period; a restatement is of the period that it restates.

    Example:
        >>> period_before("2026-11-01"), period_before("2026-W01"), period_before("2026-01")
        ('2026-10-31', '2025-W52', '2025-12')
    """
    name, one = period.split(".")[0], timedelta(days=1)
    if kind_of(name) == DAY:
        return (date.fromisoformat(name) - one).isoformat()
    if kind_of(name) == MONTH:
        return month_of(date.fromisoformat(f"{name}-01") - one)
    year, week = (int(part) for part in name.split("-W"))
    return week_of(date.fromisocalendar(year, week, 1) - timedelta(days=_WEEK_DAYS))


def read_earlier(folder: Path, shape: PackageShape) -> Earlier:
    """Read totals from a published package.

    Args:
        folder: of the package of the period before, with its csv files.
        shape: of the package that is compared with it: its tables say in which order totals are looked for.

    Returns:
        What the files say of whole campaigns or sections, of the tables that both packages have.
    """
    totals: dict[tuple[str, str], int] = {}
    for table in shape.tables:
        path = folder / f"{table.name}.csv"
        if not path.is_file():
            continue
        read = csv.ConvertOptions(column_types=dict.fromkeys(table.columns, "string"), strings_can_be_null=False)
        rows = csv.read_csv(path, convert_options=read)
        for column in table.columns[1:]:
            if column in rows.column_names:
                rows = rows.filter(pc.equal(rows[column], ALL))
        for row in rows.to_pylist():
            for measure in table.measures:
                value = row.get(measure.name)
                if value is not None:
                    totals.setdefault((row[table.columns[0]], measure.name), value)
    return Earlier(period_before(shape.period), totals)
