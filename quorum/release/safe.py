"""The safe zone: its only writer, which itself refuses what may not be released, and its reader.

What belongs here: writing ``safe__*`` after checking each rule once more, against the cube and as an outsider reads it.
What does not: deciding what is published (`quorum.disclosure.control`); nothing here mends, it refuses.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from quorum.audit.elimination import recover_exactly
from quorum.audit.equations import build_system
from quorum.audit.package import ParsedPackage, parse_files
from quorum.audit.reparse import read_again
from quorum.audit.rules import read_rules
from quorum.audit.thin import only_totals
from quorum.audit.truth import Truth
from quorum.disclosure import PackageCube, SafeCube
from quorum.disclosure.control import digest_rule_set
from quorum.disclosure.frequency import in_bands
from quorum.disclosure.reach import REACH, shape_without_reach
from quorum.engine.store import Store
from quorum.errors import ReleaseError
from quorum.keys import KeyRing
from quorum.patterns import find_identifiers
from quorum.policy import Policy, ReportSpec, RuleSet
from quorum.release.extracts import draw
from quorum.release.frequency import counted_rows, frequency_rows
from quorum.release.month_shapes import expected_in_month
from quorum.release.package import PUBLISHED, WITHHELD, rule_numbers, table_files
from quorum.release.reach import expected_reach, kept_in
from quorum.release.shapes import expected_measures
from quorum.release.week_shapes import week_measures, week_tables
from quorum.tables import Measure, PackageShape, TableShape
from quorum.tables.periods import DAY, MONTH, WEEK, kind_of
from quorum.tables.shape import ALL

RELEASE = "safe__release"


def write_safe(
    store: Store,
    night: date,
    cube: PackageCube,
    safe: SafeCube,
    rule_set: RuleSet,
    policy: Policy,
    keys: KeyRing,
    beside: Sequence[ParsedPackage] = (),
) -> None:
    """Write the released cells of one package into the safe zone, or refuse.

    A row is a cell of a table of the package: dimension columns, measures (null where withheld), ``status_<family>``.
    The file of a partition is named ``<recipient>.<report>``; ``safe__release`` gets one row. Tables of a week lie in
    ``safe__<report>_week`` one below the other, those of a month in ``safe__<report>_month``; people reached in
    either lie in ``safe__<report>_reach``.

    Args:
        store: the partitions.
        night: the night.
        cube: what was counted, for the same shape.
        safe: what `quorum.disclosure.control` released of it.
        rule_set: the rule set that was applied.
        policy: reports, families, digest.
        keys: the digest of the cube is keyed with one of its keys.
        beside: for a week or month, the packages of its parts, as an outsider reads them.

    Raises:
        ReleaseError: columns, rows, statuses or values are not what ``reports.yaml`` and the cube give; a published
            cell breaks rule 1 or 2; a family is published without the one it requires; a text looks like an
            identifier; or a withheld cell follows from published ones. Nothing is written then.

    Guarantee:
        Whatever lies in the safe zone under this night passed rules 1, 2 and, by exact elimination, 6 at the moment of
        writing, whatever the orchestrator was told before; but for the totals that a package of a month declares, which
        are impressions, clicks and cost of whole campaigns.

    Source: disclosure.md, rules 1, 2, 6 and 10; traps.md, Dagster.
    """
    report = policy.reports[cube.shape.report]
    _refuse_foreign(cube, safe, rule_set, policy, report)
    for shape in cube.shape.tables:
        released, counted = safe.tables[shape.name], cube.tables[shape.name]
        _refuse_columns(shape, released)
        for name in shape.families:
            _refuse_family(shape, name, released, counted)
    _refuse_frequency(cube, safe, policy)
    _refuse_identifiers(cube.shape)
    _refuse_attacked(cube, safe, rule_set, policy, beside)
    part = _part(cube.shape)
    if kind_of(cube.shape.period) != DAY:
        name = longer_table(cube.shape)
        stacked = _stacked(shape_without_reach(cube.shape), safe, store.catalog[name].arrow_schema())
        store.write(name, night, stacked, part)
        if REACH in safe.tables:
            name = kept_in(report.name)
            schema = store.catalog[name].arrow_schema()
            store.write(name, night, _owned(cube.shape, safe.tables[REACH], schema, policy), part)
    else:
        for spec in (spec for spec in report.tables if spec.name in safe.tables):
            schema = store.catalog[f"safe__{spec.name}"].arrow_schema()
            store.write(f"safe__{spec.name}", night, _owned(cube.shape, safe.tables[spec.name], schema, policy), part)
    if report.frequency is not None and kind_of(cube.shape.period) == DAY:
        schema = store.catalog[f"safe__{report.frequency.name}"].arrow_schema()
        listed = [_owned(cube.shape, rows, schema, policy) for rows in frequency_rows(safe, policy).values()]
        store.write(f"safe__{report.frequency.name}", night, pa.concat_tables([schema.empty_table(), *listed]), part)
    store.write(RELEASE, night, _release_row(safe, policy, keys), part)


def read_safe(store: Store, night: date, shape: PackageShape) -> Mapping[str, pa.Table] | None:
    """Return the released tables of a package, as written; None if the night has none for it.

    Args:
        store: the partitions.
        night: the night.
        shape: recipient, report and tables.

    Returns:
        Per table of the shape: dimension columns (string), measures (int64, null where withheld), ``status_<family>``.

    Raises:
        ReleaseError: rows are not those of the shape: the reference data or the policy changed after they were written.

    Guarantee:
        Only rows that `write_safe` let pass; the rows of this recipient and report alone.

    Source: architecture.md, One way through.
    """
    if _own_rows(store, night, RELEASE, shape).num_rows == 0:
        return None
    tables = {}
    stacked = None if kind_of(shape.period) == DAY else _own_rows(store, night, longer_table(shape), shape)
    for table in shape.tables:
        if table.name == REACH:
            rows = _own_columns(_own_rows(store, night, kept_in(shape.report), shape), table)
        elif stacked is None:
            rows = _own_columns(_own_rows(store, night, f"safe__{table.name}", shape), table)
        else:
            rows = _unstacked(stacked, table)
        _refuse_columns(table, rows)
        tables[table.name] = rows
    return tables


def count_cells(tables: Mapping[str, pa.Table]) -> tuple[int, int]:
    """Return how many cells, counted as (row, family), are published and withheld.

    Args:
        tables: released tables.

    Guarantee:
        The second number stays inside: it is for the ledger and the summary of the night, never for a package.

    Source: architecture.md, The command line; disclosure.md, rule 10.
    """
    columns = [t[name] for t in tables.values() for name in t.column_names if name.startswith("status_")]
    published = sum(pc.sum(pc.equal(column, PUBLISHED)).as_py() for column in columns)
    return published, sum(len(column) for column in columns) - published


def week_table(report: str) -> str:
    """Return the table of the safe zone that holds the weeks of a report."""
    return f"safe__{report}_{WEEK}"


def longer_table(shape: PackageShape) -> str:
    """Return the table of the safe zone that holds a package of a week or month."""
    return f"safe__{shape.report}_{kind_of(shape.period)}"


def unmake_safe(store: Store, night: date, shape: PackageShape, policy: Policy) -> None:
    """Remove what a night made safe of a package: what is refused now must not be found there."""
    report = policy.reports[shape.report]
    own = [f"safe__{spec.name}" for spec in report.tables]
    own += [f"safe__{report.frequency.name}"] if report.frequency else []
    longer = [longer_table(shape), *([kept_in(report.name)] if report.has_reach else [])]
    for table in (RELEASE, *(own if kind_of(shape.period) == DAY else longer)):
        store.remove(table, night, _part(shape))


def _part(shape: PackageShape) -> str:
    """Return the file of a package in a partition; the day, week and month that end on one night have one each."""
    owner, kind = f"{shape.recipient_id}.{shape.report}", kind_of(shape.period)
    return owner if kind == DAY else f"{owner}.{kind}"


def _stacked(shape: PackageShape, safe: SafeCube, schema: pa.Schema) -> pa.Table:
    """Return the tables of a week or month one below the other: ALL where one has no such column, else null."""
    parts = []
    for table in shape.tables:
        rows = safe.tables[table.name]
        own = {
            "recipient_id": shape.recipient_id,
            "report": shape.report,
            "period": shape.period,
            "table_name": table.name,
        }
        columns = []
        for column in schema:
            if column.name in rows.column_names:
                columns.append(rows[column.name].combine_chunks())
            elif column.name in own or column.name in _categories(schema):
                columns.append(pa.repeat(pa.scalar(own.get(column.name, ALL), pa.string()), rows.num_rows))
            else:
                columns.append(pa.nulls(rows.num_rows, column.type))
        parts.append(pa.Table.from_arrays(columns, schema=schema))
    return pa.concat_tables(parts)


def _unstacked(stacked: pa.Table, table: TableShape) -> pa.Table:
    """Return the rows of one table of a week or month, with its own columns."""
    return _own_columns(stacked.filter(pc.equal(stacked["table_name"], table.name)).combine_chunks(), table)


def _own_columns(rows: pa.Table, table: TableShape) -> pa.Table:
    """Return rows with the columns of a report's table alone: another report of the same table may have more."""
    measures = [measure.name for measure in table.measures]
    return rows.select([*table.columns, *measures, *(f"status_{family}" for family in table.families)])


def _categories(schema: pa.Schema) -> list[str]:
    """Return the columns of categories of a table of weeks or months."""
    return [field.name for field in schema if field.type == pa.string() and not field.name.startswith("status_")]


def _owned(shape: PackageShape, table: pa.Table, schema: pa.Schema, policy: Policy) -> pa.Table:
    """Return a table with whose it is in front; families that the report does not tell are withheld in it."""
    owner = {"recipient_id": shape.recipient_id, "report": shape.report, "period": shape.period}
    owners = [(name, value) for name, value in owner.items() if name in schema.names]
    for position, (name, value) in enumerate(owners):
        table = table.add_column(position, name, pa.repeat(pa.scalar(value, pa.string()), table.num_rows))
    for family in policy.families.values():
        if f"status_{family.name}" not in table.column_names and f"status_{family.name}" in schema.names:
            for name in (name for name in (family.count, family.heads) if name in schema.names):
                table = table.append_column(name, pa.nulls(table.num_rows, pa.int64()))
            withheld = pa.repeat(pa.scalar(WITHHELD, pa.string()), table.num_rows)
            table = table.append_column(f"status_{family.name}", withheld)
    return table


def _own_rows(store: Store, night: date, name: str, shape: PackageShape) -> pa.Table:
    rows = store.read(name, night)
    mine = pc.and_(pc.equal(rows["recipient_id"], shape.recipient_id), pc.equal(rows["report"], shape.report))
    if "period" in rows.column_names:
        mine = pc.and_(mine, pc.equal(rows["period"], shape.period))
    return rows.filter(mine).combine_chunks()


def _release_row(safe: SafeCube, policy: Policy, keys: KeyRing) -> pa.Table:
    published, withheld = count_cells(safe.tables)
    inputs = hmac.new(keys.derive("digest/inputs"), safe.cube_digest.encode(), hashlib.sha256)
    return pa.Table.from_pylist(
        [
            {
                "recipient_id": safe.shape.recipient_id,
                "report": safe.shape.report,
                "period": safe.shape.period,
                "policy_version": str(policy.version),
                "policy_digest": policy.digest,
                "rule_set": safe.rule_set,
                "rule_set_digest": safe.rule_set_digest,
                "inputs_digest": inputs.hexdigest(),
                "published_cell_n": published,
                "withheld_cell_n": withheld,
            }
        ]
    )


def _refuse(rule: str, table: str, what: str) -> ReleaseError:
    return ReleaseError(f"safe.{rule}", f"{table}: {what}", "what control() releases", "nothing was written; report it")


def _refuse_foreign(cube: PackageCube, safe: SafeCube, rule_set: RuleSet, policy: Policy, report: ReportSpec) -> None:
    """Refuse a release of something else: another cube's, another report's tables, another rule set's."""
    expected = _expected(cube.shape, policy, report)
    if cube.shape.invariants and kind_of(cube.shape.period) != MONTH:
        raise _refuse("invariants", report.name, "declared totals in another package than that of a month")
    names = {table.name for table in cube.shape.tables}
    if safe.shape != cube.shape:
        raise _refuse("shape", report.name, "a release of another cube")
    applied = (safe.rule_set, safe.rule_set_digest)
    if policy.rule_sets[report.rule_set] != rule_set or applied != (rule_set.name, digest_rule_set(rule_set)):
        raise _refuse("rule_set", report.name, "another rule set than the report's")
    required = {spec.name for spec in report.tables if not spec.is_planned}
    is_whole = kind_of(cube.shape.period) != DAY or names >= required
    if set(safe.tables) != names or not names <= set(expected) or not is_whole:
        raise _refuse("tables", report.name, "tables other than those of reports.yaml")
    for shape in cube.shape.tables:
        dimensions, measures = expected[shape.name]
        levels = [level for name in dimensions for level in policy.dimensions[name].levels]
        if shape.columns != (report.key, *levels) or shape.measures != measures:
            raise _refuse("columns", shape.name, "dimensions or measures other than those of reports.yaml")


def _expected(
    shape: PackageShape, policy: Policy, report: ReportSpec
) -> dict[str, tuple[tuple[str, ...], tuple[Measure, ...]]]:
    """Return the tables that a package of this kind of period may have, with their dimensions and measures."""
    if kind_of(shape.period) == MONTH:
        return expected_in_month(policy, report)
    if kind_of(shape.period) == WEEK:
        weeks = week_tables(report)
        found = {table.name: (table.spec.dimensions, week_measures(policy, report, table)) for table in weeks}
        return {**found, **expected_reach(policy, report)}
    return {spec.name: (spec.dimensions, expected_measures(policy, report, spec)) for spec in report.tables}


def _refuse_frequency(cube: PackageCube, safe: SafeCube, policy: Policy) -> None:
    """Refuse people by how often that the cube does not give."""
    for key, people in safe.frequency.items():
        if people != tuple(in_bands(cube, key)[0].tolist()):
            raise _refuse("frequency", policy.reports[cube.shape.report].name, "bands that contradict the cube")


def _refuse_columns(shape: TableShape, table: pa.Table) -> None:
    """Refuse other columns, types or rows than the shape's."""
    expected = pa.schema(
        [(column, pa.string()) for column in shape.columns]
        + [(measure.name, pa.int64()) for measure in shape.measures]
        + [(f"status_{family}", pa.string()) for family in shape.families]
    )
    if not table.schema.equals(expected):
        raise _refuse("columns", shape.name, "columns or types other than those of reports.yaml")
    if list(zip(*(table[column].to_pylist() for column in shape.columns), strict=True)) != list(shape.coordinates()):
        raise _refuse("rows", shape.name, "rows other than the whole product of its categories, in order")


def _refuse_family(shape: TableShape, family: str, released: pa.Table, counted: pa.Table) -> None:
    """Refuse a family of a table whose statuses and values contradict each other or the cube."""
    status = released[f"status_{family}"]
    published = pc.equal(status, PUBLISHED)
    if not pc.all(pc.or_(published, pc.equal(status, WITHHELD))).as_py():
        raise _refuse("status", shape.name, f"a status of {family} that is neither published nor withheld")
    for measure in shape.measures:
        if measure.family == family:
            expected = pc.if_else(published, counted[measure.name], pa.scalar(None, pa.int64()))
            if not expected.equals(released[measure.name]):
                raise _refuse("values", shape.name, f"{measure.name} contradicts its status or the cube")


def _refuse_identifiers(shape: PackageShape) -> None:
    """Refuse keys that look like an identifier; the key is not repeated."""
    for table in shape.tables:
        texts = {value for coordinate in table.coordinates() for value in coordinate} - {ALL}
        for text in sorted(texts):
            if found := find_identifiers(text):
                raise _refuse("identifier", table.name, f"a category that looks like: {', '.join(found)}")


def _refuse_attacked(
    cube: PackageCube, safe: SafeCube, rule_set: RuleSet, policy: Policy, beside: Sequence[ParsedPackage]
) -> None:
    """Refuse what an outsider with the files, and with the cube as the truth, finds broken or can work out."""
    report = policy.reports[cube.shape.report]
    for family in (policy.families[name] for name in report.families):
        if not all(family.judged in table.column_names for table in cube.tables.values()):
            raise _refuse("counted", report.name, f"a cube without {family.judged}")
    numbers = rule_numbers(rule_set, report, policy)
    package = parse_files(table_files(cube.shape, {**safe.tables, **frequency_rows(safe, policy)}, policy))
    counted = {**draw(cube.shape, cube.tables, policy), **counted_rows(cube, policy)}
    rules, truth = read_rules(numbers), Truth({package.release: counted})
    held = [package, *beside]
    for claim in read_again(held, rules, truth).claims:
        raise _refuse("rules", claim.where[0], f"a published cell against the rule: {claim.what}")
    judged = [package, *(only_totals(other, package) for other in beside)] if cube.shape.invariants else held
    for claim in recover_exactly(build_system(judged, rules, truth)).claims:
        raise _refuse("recovery", claim.where[0], f"a withheld {claim.what} that follows from published cells")
