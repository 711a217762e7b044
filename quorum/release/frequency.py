"""The table of people by how often they saw a campaign: from what was decided to rows, and from rows to its shape.

What belongs here: a table that lists the campaigns of which every band is told, and no other; which these are is read
from what was decided, never from the plan. What does not: the decision (`quorum.disclosure.frequency`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quorum.policy import FamilySpec, FrequencySpec, Policy
from quorum.tables import Dimension, KeyPlan, Measure, PackageShape, TableShape
from quorum.tables.periods import DAY, kind_of
from quorum.tables.shape import ALL

if TYPE_CHECKING:
    from quorum.disclosure.types import PackageCube, SafeCube, Seen
    from quorum.engine.store import Store

_CATEGORIES = ("age_band", "gender", "region")
_PUBLISHED = "published"

Tables = Mapping[str, pa.Table]


def bands_of(policy: Policy, spec: FrequencySpec) -> dict[str, tuple[int, int]]:
    """Return the bands of a table of people by how often, each with its fewest and most impressions.

    Guarantee:
        A function of the policy.

    Source: disclosure.md, rule 10.
    """
    keys = policy.categories[policy.dimensions[spec.dimension].keys]
    return {band.key: (band.first or 0, band.last or 0) for band in keys}


def with_seen(cube: PackageCube, rows: pa.Table, policy: Policy) -> PackageCube:
    """Return what was counted for a package of a day with people by how often, if its report tells of it.

    Args:
        cube: of the package.
        rows: of the cube of people by number of impressions; those of other keys are left out.
        policy: the bands.

    Guarantee:
        Nobody of another recipient's keys is in it.

    Source: architecture.md, "One way through".
    """
    spec, report = policy.reports[cube.shape.report].frequency, policy.reports[cube.shape.report]
    if spec is None or kind_of(cube.shape.period) != DAY:
        return cube
    bands = bands_of(policy, spec)
    most = max(last for _, last in bands.values())
    own = {path[0] for table in cube.shape.tables for path in table.dimensions[0].keys}
    mine = rows.filter(pc.is_in(rows[report.key], pa.array(sorted(own), pa.string())))
    found: dict[str, list[dict[str, Any]]] = {}
    for row in mine.to_pylist():
        found.setdefault(row[report.key], []).append(row)
    return replace(cube, bands=bands, seen={key: _seen(listed, most) for key, listed in sorted(found.items())})


def _seen(rows: list[dict[str, Any]], most: int) -> Seen:
    from quorum.disclosure.types import Seen

    places = sorted({tuple(str(row[column]) for column in _CATEGORIES) for row in rows})
    at = {place: n for n, place in enumerate(places)}
    numbers = np.zeros((3, len(places), most + 1), dtype=np.int64)
    for row in rows:
        place = at[tuple(str(row[column]) for column in _CATEGORIES)]
        for n, column in enumerate(("people_n", "people_counted_n", "people_unnamed_n")):
            numbers[n, place, row["seen_n"]] += row[column]
    return Seen(_CATEGORIES, tuple(places), *numbers)


def frequency_rows(safe: SafeCube, policy: Policy) -> Tables:
    """Return the table of people by how often of a release, by name; nothing where no campaign is listed.

    Args:
        safe: from `quorum.disclosure.control`.
        policy: names of the table and its columns.

    Guarantee:
        Each listed campaign has its total and every band, all of them published.

    Source: docs/decisions/0003-complementary-suppression.md, "Frequency tables".
    """
    report = policy.reports[safe.shape.report]
    if report.frequency is None or not safe.frequency:
        return {}
    people = {key: [sum(listed), *listed] for key, listed in sorted(safe.frequency.items())}
    rows = _rows(policy, report.frequency, report.key, _family(policy, safe.shape).heads, people)
    status = pa.array([_PUBLISHED] * rows.num_rows, pa.string())
    return {report.frequency.name: rows.append_column(f"status_{_family(policy, safe.shape).name}", status)}


def counted_rows(cube: PackageCube, policy: Policy) -> Tables:
    """Return what was counted of people by how often, for every campaign: the truth that attacks are scored with.

    Guarantee:
        It goes into no file.

    Source: disclosure.md, "The red team".
    """
    report = policy.reports[cube.shape.report]
    if report.frequency is None or not cube.seen:
        return {}
    family = _family(policy, cube.shape)
    from quorum.disclosure.frequency import in_bands

    both = {key: in_bands(cube, key) for key in sorted(cube.seen)}
    tables = [
        _rows(
            policy,
            report.frequency,
            report.key,
            column,
            {key: [int(of[n].sum()), *of[n].tolist()] for key, of in both.items()},
        )
        for n, column in enumerate((family.heads, family.judged))
    ]
    return {report.frequency.name: tables[0].append_column(family.judged, tables[1][family.judged])}


def read_frequency(store: Store, night: date, shape: PackageShape, policy: Policy) -> Tables:
    """Return the table of people by how often of a package, as written; nothing where no campaign is listed.

    Guarantee:
        Only rows that `quorum.release.safe.write_safe` let pass.

    Source: architecture.md, "One way through".
    """
    report = policy.reports.get(shape.report)
    if report is None or report.frequency is None or kind_of(shape.period) != DAY:
        return {}
    rows = store.read(f"safe__{report.frequency.name}", night)
    mine = pc.and_(pc.equal(rows["recipient_id"], shape.recipient_id), pc.equal(rows["report"], shape.report))
    own = rows.filter(mine).combine_chunks().drop_columns(["recipient_id", "report"])
    return {report.frequency.name: own} if own.num_rows else {}


def with_frequency(shape: PackageShape, tables: Tables, policy: Policy) -> PackageShape:
    """Return the shape of a package with its table of people by how often, if that is among its tables.

    Args:
        shape: the tables that control decided on.
        tables: released tables by name.
        policy: names and bands.

    Returns:
        The shape; campaigns are those that the table lists, and a plan of theirs tells its bands.

    Guarantee:
        A function of the shape and of what was decided.

    Source: disclosure.md, rule 7.
    """
    report = policy.reports.get(shape.report)
    spec = None if report is None else report.frequency
    if (
        report is None
        or spec is None
        or spec.name not in tables
        or any(table.name == spec.name for table in shape.tables)
    ):
        return shape
    family, levels = _family(policy, shape), policy.dimensions[spec.dimension].levels
    listed = dict.fromkeys(tables[spec.name][report.key].to_pylist())
    table = TableShape(
        spec.name,
        report.universe,
        (
            Dimension((report.key,), tuple((key,) for key in listed), has_margin=False, partitions_people=False),
            Dimension(levels, tuple((band,) for band in bands_of(policy, spec))),
        ),
        (Measure(family.heads, family.name, "heads", levels),),
    )
    plan = {
        key: KeyPlan(of.periods, {**of.levels, spec.name: {family.name: 1}}) if key in listed else of
        for key, of in shape.plan.items()
    }
    return replace(shape, tables=(*shape.tables, table), plan=plan)


def _family(policy: Policy, shape: PackageShape) -> FamilySpec:
    """Return the family that makes the cells of a report."""
    return policy.families[policy.reports[shape.report].families[0]]


def _rows(policy: Policy, spec: FrequencySpec, key: str, column: str, people: Mapping[str, list[int]]) -> pa.Table:
    """Return rows of campaigns, each with its total and bands."""
    level = policy.dimensions[spec.dimension].levels[-1]
    cells = [ALL, *bands_of(policy, spec)]
    return pa.table(
        {
            key: pa.array([name for name in people for _ in cells], pa.string()),
            level: pa.array([cell for _ in people for cell in cells], pa.string()),
            column: pa.array([number for listed in people.values() for number in listed], pa.int64()),
        }
    )
