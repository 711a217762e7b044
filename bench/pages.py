"""What rendering a package costs: both pages and the workbook, of a home's largest campaign package and copies of it.

    python -m bench.pages HOME NIGHT [CAMPAIGNS...]

The package is multiplied: each campaign with its rows under names of its own, until there are so many. Medians of five
runs in one process. What belongs here: copying and timing. What does not: staging and attacking a package.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from time import perf_counter, process_time

import pyarrow as pa
import pyarrow.parquet as pq

from bench.screenshots import largest
from quorum.audit.package import parse_package
from quorum.release.shapes import REFERENCES
from quorum.report.facts import page_facts
from quorum.report.html import render
from quorum.report.workbook import render_workbook
from quorum.tables import PackageShape, TableShape
from quorum.workspace import ROOT, open_workspace
from quorum.zones import Home

RUNS = 5
Tables = Mapping[str, pa.Table]


def multiplied(shape: PackageShape, tables: Tables, number: int) -> tuple[PackageShape, Tables]:
    """Return a package of so many campaigns, copies of those that there are."""
    own = list(dict.fromkeys(path[0] for table in shape.tables for path in table.dimensions[0].keys))
    of = {f"{own[n % len(own)]}.{n // len(own)}": own[n % len(own)] for n in range(number)}
    shapes = [_shape(table, of) for table in shape.tables]
    kept = [table for table in shapes if table.row_n]
    plan = {copy: shape.plan[key] for copy, key in of.items() if key in shape.plan}
    targeting = {copy: shape.targeting[key] for copy, key in of.items() if key in shape.targeting}
    rows = {table.name: _rows(table, shape.table(table.name), tables[table.name], of) for table in kept}
    return replace(shape, tables=tuple(kept), plan=plan, targeting=targeting), rows


def _shape(table: TableShape, of: Mapping[str, str]) -> TableShape:
    first, *others = table.dimensions
    keys = tuple((copy, *path[1:]) for copy, key in of.items() for path in first.keys if path[0] == key)
    return replace(table, dimensions=(replace(first, keys=keys), *others))


def _rows(table: TableShape, original: TableShape, rows: pa.Table, of: Mapping[str, str]) -> pa.Table:
    at = {place: n for n, place in enumerate(original.coordinates())}
    places = list(table.coordinates())
    taken = rows.take([at[(of[place[0]], *place[1:])] for place in places])
    return taken.set_column(0, table.columns[0], pa.array([place[0] for place in places], pa.string()))


def timed(work: Callable[[], Mapping[str, bytes]]) -> tuple[float, float, int]:
    """Return median processor seconds, median seconds, and the largest file in bytes."""
    cpu, wall, size = [], [], 0
    for _ in range(RUNS):
        began, clock = process_time(), perf_counter()
        size = max(map(len, work().values()))
        cpu.append(process_time() - began)
        wall.append(perf_counter() - clock)
    return statistics.median(cpu), statistics.median(wall), size


def main(home: Path, night: date, numbers: list[int]) -> None:
    """Print a line of the table in docs/benchmarks.md for each number of campaigns."""
    folder = largest(home, "campaign")
    parsed = parse_package(folder).shape
    tables = {table.name: pq.read_table(folder / f"{table.name}.parquet") for table in parsed.tables}
    with open_workspace(Home(home), home.with_name("landing"), ROOT / "policy", os.environ) as workspace:
        references = {name: workspace.store.read(name, night) for name in REFERENCES}
        drawn = {name for spec in workspace.policy.reports["campaign"].tables for name in spec.alone.values()}
        shape = replace(parsed, tables=tuple(table for table in parsed.tables if table.name not in drawn))
        for number in numbers:
            of_many, rows = multiplied(shape, tables, number)
            facts = page_facts(workspace.policy, references, of_many)
            pages = timed(lambda f=facts, r=rows: render(f, r))
            book = timed(lambda f=facts, r=rows: render_workbook(f, r))
            cells = sum(table.num_rows for table in rows.values())
            print(
                f"| {number} | {len(rows)} | {cells:,} | {pages[0]:.2f} | {pages[1]:.2f} | {pages[2] / 1e6:.2f} "
                f"| {book[0]:.2f} | {book[1]:.2f} |"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), [int(n) for n in sys.argv[3:]] or [10, 300])
