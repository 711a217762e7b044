"""The page for analysts: every table by zone, what each column is made of, what decides about its rows.

What belongs here: facts of the lineage as the template shows them. What does not: any judgement
(`quorum.lineage.gate`), and any row: the page is drawn from contracts and statements alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quorum.lineage.crossings import Crossing
from quorum.lineage.declassifiers import USES, VALUES
from quorum.lineage.drawing import Drawing, drawn
from quorum.lineage.flows import STATISTIC, Flows
from quorum.lineage.gate import Gate
from quorum.pages import template
from quorum.tables.catalog import Column, Table
from quorum.zones import Zone

PAGE = "lineage.html"
TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class ColumnFacts:
    """A column as the page shows it.

    Args:
        name: its name.
        type: its type.
        category: the code of its category.
        klass: the class of its category.
        category_name: the category in words.
        description: of the contract.
        value: columns that its value comes from, each with the way that is declared for it, if any.
        landed: columns that landed and that its value is made of in the end, through every statement between.
        is_counted: whether it is a count of them.
        unused_until: the date until which it may land unused; empty if it is used.
    """

    name: str
    type: str
    category: str
    klass: str
    category_name: str
    description: str
    value: tuple[tuple[str, str], ...]
    landed: tuple[str, ...]
    is_counted: bool
    unused_until: str


@dataclass(frozen=True)
class TableFacts:
    """A table as the page shows it.

    Args:
        table: its contract.
        made: by what.
        columns: in order.
        use: columns that decide about its rows, each with the way that is declared for it, if any.
        read_by: tables that read it.
    """

    table: Table
    made: str
    columns: tuple[ColumnFacts, ...]
    use: tuple[tuple[str, str], ...]
    read_by: tuple[str, ...]


def lineage_page(gate: Gate) -> bytes:
    """Return the page as UTF-8, one self-contained file without scripts; the same contracts give the same bytes."""
    flows = gate.flows
    zones = [(zone, [_table(gate, table) for table in flows.catalog.in_zone(zone)]) for zone in Zone]
    page = template(TEMPLATES, "lineage.html.j2", trim_blocks=True, lstrip_blocks=True).render(
        policy=flows.policy,
        zones=[(zone, tables) for zone, tables in zones if tables],
        drawing=_drawing(flows),
        ways={way.name: way.does for way in (*VALUES.values(), *USES.values())},
        purposes=[flows.policy.purposes[code] for code in sorted(flows.policy.purposes)],
        table_n=len(flows.catalog.tables),
        column_n=len(flows.categories),
        statement_n=len(flows.lineages),
    )
    return page.encode()


def write_page(gate: Gate, folder: Path) -> Path:
    """Write the page as ``lineage.html`` into a folder, which is made if missing; it appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / PAGE
    unfinished = page.with_name(f".{page.name}.tmp")
    unfinished.write_bytes(lineage_page(gate))
    unfinished.replace(page)
    return page


def _drawing(flows: Flows) -> Drawing:
    names = {zone.value: [table.name for table in flows.catalog.in_zone(zone)] for zone in Zone}
    edges = {(read.table, name) for name, table in flows.catalog.tables.items() for read in table.reads}
    return drawn({zone: tables for zone, tables in names.items() if tables}, sorted(edges))


def _table(gate: Gate, table: Table) -> TableFacts:
    flows = gate.flows
    return TableFacts(
        table=table,
        made="a statement" if table.query is not None else ("Python, from its parents" if table.parents else "landing"),
        columns=tuple(_column(gate, table, column) for column in table.columns),
        use=tuple(
            (base, flows.declared.uses.get(Crossing(table.name, base), "")) for base in sorted(flows.used(table.name))
        ),
        read_by=tuple(child.name for child in flows.catalog.children(table.name)),
    )


def _column(gate: Gate, table: Table, column: Column) -> ColumnFacts:
    flows, name = gate.flows, f"{table.name}.{column.name}"
    category = flows.categories[name]
    bases = sorted(flows.bases(table.name, column.name))
    listed = gate.listed.get(name)
    return ColumnFacts(
        name=column.name,
        type=column.type,
        category=category.code,
        klass=category.klass,
        category_name=f"{category.ja} / {category.en}",
        description=column.description,
        value=tuple((base, flows.declared.values.get(Crossing(name, base), "")) for base in bases),
        landed=_landed(flows, name),
        is_counted=category.code == STATISTIC and bool(bases),
        unused_until="" if listed is None else listed.expires.isoformat(),
    )


def _landed(flows: Flows, column: str) -> tuple[str, ...]:
    """Return the columns that a value is made of and that no table before holds; not the column itself."""
    seen: set[str] = set()
    waiting = [column]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            owner, name = one.split(".")
            waiting += flows.bases(owner, name)
    ends = {one for one in seen - {column} if not flows.bases(*one.split("."))}
    return tuple(sorted(ends))


def column_lineage(flows: Flows, table: str) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Return for each column of a table the (table, column) that its value comes from; without those that have none."""
    found = {}
    for column in flows.catalog[table].columns:
        bases = sorted(flows.bases(table, column.name))
        if bases:
            found[column.name] = tuple((base.split(".")[0], base.split(".")[1]) for base in bases)
    return found
