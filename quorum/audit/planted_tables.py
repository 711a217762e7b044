"""Tables of planted packages, from values by row.

What belongs here: the one way in which a planted table is made. What does not: what is planted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from quorum.audit.package import ParsedTable
from quorum.tables import TableShape


def planted_table(
    shape: TableShape, columns: Mapping[str, Sequence[int | None]], bands: Mapping[str, tuple[int, int]] | None = None
) -> ParsedTable:
    """Return a table as if it had been parsed.

    Args:
        shape: of the table.
        columns: measure to its values, in the order of the shape's rows; None where withheld, the same for all measures
            of a family.
        bands: of a table of people by how often.

    Guarantee:
        The shape's rows in its order.

    Source: disclosure.md, "The red team" (power check).
    """
    family = {measure.name: measure.family for measure in shape.measures}
    return ParsedTable(
        shape,
        tuple(shape.coordinates()),
        {name: np.array([value or 0 for value in values], dtype=np.int64) for name, values in columns.items()},
        {family[name]: np.array([value is not None for value in values]) for name, values in columns.items()},
        bands or {},
    )
