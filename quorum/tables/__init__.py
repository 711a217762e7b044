"""Table contracts: one folder per table under ``sql/``, its columns with type, category and unit.

What belongs here: loading contracts, the parents of a query, and the shape of a report package. What does not: running
queries (`quorum.engine`) and judging values (`expectations/`).
"""

from quorum.tables.catalog import Catalog, Column, Table, load_catalog
from quorum.tables.shape import Dimension, KeyPlan, Measure, PackageShape, TableShape

__all__ = [
    "Catalog",
    "Column",
    "Dimension",
    "KeyPlan",
    "Measure",
    "PackageShape",
    "Table",
    "TableShape",
    "load_catalog",
]
