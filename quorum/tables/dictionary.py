"""The data dictionary, generated from the contracts and the policy.

What belongs here: turning contracts into a page. What does not: prose that a contract does not hold.
"""

from __future__ import annotations

import sys
from pathlib import Path

from quorum.policy import Policy, load_policy
from quorum.tables.catalog import Catalog, Column, Table, load_catalog
from quorum.zones import Zone

_HEAD = """# Data dictionary

Generated from `sql/*/*/table.yaml` and `policy/columns.yaml` by `make docs`; a test fails when it is stale.
A category's class says how far a column may go: identifiers stay in the vault, pseudonyms never leave the house.
"""


def render(catalog: Catalog, policy: Policy) -> str:
    """Return the dictionary as Markdown: every table by zone, every column with type, category, unit and meaning.

    Args:
        catalog: the contracts.
        policy: for the names of the categories.
    """
    parts = [_HEAD]
    for zone in Zone:
        tables = catalog.in_zone(zone)
        if tables:
            parts.append(f"\n## {zone.value}\n")
            parts.extend(_table(table, policy) for table in tables)
    return "".join(parts)


def _table(table: Table, policy: Policy) -> str:
    made = "in memory only" if table.in_memory else f"kept as `{table.retention}`"
    reads = ", ".join(f"`{read.relation}`" for read in table.reads) or "what lands"
    rows = "\n".join(
        f"| `{c.name}` | {c.type} | {c.category} ({policy.columns[c.category].klass}) | {c.unit} | {_meaning(c)} |"
        for c in table.columns
    )
    return (
        f"\n### `{table.name}`\n\n{table.description}. One row: {table.grain}. Purpose {table.purpose}; {made}; "
        f"reads {reads}.\n\n| column | type | category | unit | meaning |\n|---|---|---|---|---|\n{rows}\n"
    )


def _meaning(column: Column) -> str:
    return column.description if column.origin is None else f"{column.description}; origin: {column.origin}"


def main(arguments: list[str]) -> None:
    """Write the dictionary of this checkout to the path given."""
    root = Path(__file__).parents[2]
    text = render(load_catalog(root / "sql"), load_policy(root / "policy"))
    Path(arguments[0]).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
