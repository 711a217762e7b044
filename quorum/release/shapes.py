"""Which packages a night owes, and the public shape of each: keys from reference data, categories from the policy.

What belongs here: everything about a package that can be said before the night's data are looked at. What does not:
numbers, and anything that depends on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from quorum.errors import InputError
from quorum.policy import DimensionSpec, Policy, ReportSpec, TableSpec
from quorum.tables import Dimension, KeyPlan, Measure, PackageShape, TableShape
from quorum.tables.shape import ALL
from quorum.tables.targeting import Targets

if TYPE_CHECKING:
    import pyarrow as pa

SITE = "site"
ANALYST = "analyst"
"""The recipient of the answers to analysts' questions, which stay inside."""
OTHER = "other"
REFERENCES = ("pseudo__recipient", "pseudo__campaign", "pseudo__creative", "pseudo__section")
"""The tables of reference data that shapes are made of."""
UNKNOWN = "unknown"
KEYS_OF_POLICY: Mapping[str, str] = {"item_category": "item_categories"}
"""Keys of reports that are a list of the policy, the same for every recipient; their cubes say whose a row is."""
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class _Catalogue:
    """The reference data of a night, as rows."""

    recipients: Mapping[str, str]
    campaigns: Sequence[Mapping[str, Any]]
    creatives: Sequence[Mapping[str, Any]]
    sections: Sequence[Mapping[str, Any]]


def is_safe_id(text: str) -> bool:
    """Say whether an id can stand in a path, a file and a formula without meaning anything there.

    Args:
        text: an id of the reference data.

    Returns:
        True for 1 to 64 ASCII letters, digits, ``.``, ``_`` and ``-`` that start with a letter or digit; ``ALL`` is
        reserved for margins.

    Example:
        >>> is_safe_id("c-001"), is_safe_id("../c"), is_safe_id("=1+1")
        (True, False, False)

    Guarantee:
        A safe id names no other folder than its own, is no hidden file, and no spreadsheet takes it for a formula.

    Source: docs/decisions/0004-packages-and-chain.md.
    """
    return bool(_SAFE_ID.fullmatch(text)) and text != ALL


def package_shapes(policy: Policy, references: Mapping[str, pa.Table], night: date) -> list[PackageShape]:
    """Return the shape of every package that a night owes, by report and recipient.

    Args:
        policy: the reports and key sets.
        references: the tables named in `REFERENCES` as of the night; without rows where nothing has landed.
        night: the civil date in Asia/Tokyo.

    Returns:
        One shape per recipient and report. A recipient whose report has no key that day (no campaign runs, no section
        is its own) gets none. Without a recipient of kind ``site``, the portal itself is the recipient ``site``.

    Raises:
        InputError: an id cannot be a file name, a recipient that is not the portal is called ``site``,
            or one is called ``analyst``.

    Guarantee:
        A function of reference data and policy alone; nothing of the night's events reaches a key, a level or a row.

    Source: disclosure.md, rules 7 and 10.
    """
    catalogue = _read(references)
    shapes = []
    for report in policy.reports.values():
        if "day" not in report.periods:
            continue
        for recipient in sorted(r for r, kind in catalogue.recipients.items() if kind in report.recipient_kinds):
            keys = _report_keys(policy, report, recipient, catalogue, night)
            if keys:
                tables = tuple(_table(policy, report, spec, keys, catalogue) for spec in report.tables)
                shapes.append(PackageShape(recipient, report.name, night.isoformat(), tables))
    return shapes


def expected_measures(policy: Policy, report: ReportSpec, table: TableSpec) -> tuple[Measure, ...]:
    """Return the measures of a table of a report, in the order of its columns.

    Args:
        policy: families and dimensions.
        report: the report.
        table: one of its tables.

    Returns:
        Per family the count of events, unless heads alone are told; the head count too where every dimension
        partitions people. Reach over dimensions that do not (creative, placement, device, hour) is thus told for the
        margin only, by other tables.

    Guarantee:
        No head count stands in a table where one person may be in two categories.

    Source: disclosure.md, rule 6 (reach for the margin or for the parts, never both).
    """
    specs = [policy.dimensions[name] for name in table.dimensions]
    columns = tuple(level for spec in specs for level in spec.levels)
    partitioning = tuple(level for spec in specs if spec.partitions_people for level in spec.levels)
    measures = []
    for name in table.families or report.families:
        family = policy.families[name]
        if family.count != family.heads:
            measures.append(Measure(family.count, name, "count", (*columns, "period")))
        if partitioning == columns:
            measures.append(Measure(family.heads, name, "heads", partitioning))
    return tuple(measures)


def planned_shape(policy: Policy, shape: PackageShape) -> PackageShape:
    """Return a package without the rows that its plans leave out: of tables that list planned campaigns alone.

    Args:
        policy: reports.
        shape: a package of a day, with the plans of its keys.

    Returns:
        The shape; a table that lists nothing is not in it.

    Guarantee:
        A function of plans, so of public facts and earlier releases.

    Source: disclosure.md, rules 7 and 10.
    """
    specs = {spec.name: spec for spec in policy.reports[shape.report].tables}
    tables = []
    for table in shape.tables:
        first, *others = table.dimensions
        if specs[table.name].is_planned:
            own = planned_keys(specs[table.name], table, shape.plan)
            own -= {key for key in own if _is_aimed(policy, table, shape.targeting.get(key, {}))}
            first = replace(first, keys=tuple(path for path in first.keys if path[0] in own))
        if first.keys:
            tables.append(replace(table, dimensions=(first, *others)))
    return replace(shape, tables=tuple(tables))


def forecast_shape(policy: Policy, shape: PackageShape) -> PackageShape:
    """Return a package without the tables that forecasts do not draw.

    Args:
        policy: reports.
        shape: a package of a day.

    Returns:
        The shape without those that list planned campaigns alone, which take nothing from others.

    Guarantee:
        A function of the policy.

    Source: disclosure.md, rule 10.
    """
    left_out = {spec.name for spec in policy.reports[shape.report].tables if spec.is_planned}
    return replace(shape, tables=tuple(table for table in shape.tables if table.name not in left_out))


def _is_aimed(policy: Policy, table: TableShape, targets: Targets) -> bool:
    """Say whether a campaign is targeted by what a table lists, or by what is finer.

    Where nearly everybody is in one category, each other margin tells how many of its people are in it at least: cells
    of pairs would not be open, and the tables of today would pay. A campaign for one prefecture has its region's other
    people in ``unknown``, where prefectures are listed.
    """
    return any(
        level in targets and set(spec.levels) & set(table.columns)
        for spec in policy.dimensions.values()
        for level in spec.levels
    )


def planned_keys(
    spec: TableSpec, table: TableShape, plans: Mapping[str, KeyPlan], families: Sequence[str] = ()
) -> set[str]:
    """Return the keys whose plan tells the finest cells of a table in some family and a period that has the table.

    Args:
        spec: the table.
        table: its shape.
        plans: key to plan.
        families: those that count; empty for all of the table's.

    Guarantee:
        As `planned_shape`.

    Source: disclosure.md, rule 7.
    """
    finest = max(table.named())
    return {
        key
        for key, plan in plans.items()
        for family in families or table.families
        if plan.levels.get(spec.name, {}).get(family, 0) >= finest
        and (not spec.periods or plan.periods.get(family) in spec.periods)
    }


def _read(references: Mapping[str, pa.Table]) -> _Catalogue:
    recipients = {row["recipient_id"]: row["kind"] for row in references["pseudo__recipient"].to_pylist()}
    if SITE not in recipients.values():
        if SITE in recipients:
            raise InputError("release.site", "a recipient called site of another kind", "kind site", "rename it")
        recipients[SITE] = SITE
    if ANALYST in recipients:
        raise InputError(
            "release.analyst", "a recipient called analyst", "any other name", "analysts' answers go there"
        )
    catalogue = _Catalogue(
        recipients,
        references["pseudo__campaign"].to_pylist(),
        references["pseudo__creative"].to_pylist(),
        references["pseudo__section"].to_pylist(),
    )
    _refuse_unsafe("recipient_id", recipients)
    _refuse_unsafe("campaign_id", (row["campaign_id"] for row in catalogue.campaigns))
    _refuse_unsafe("creative_id", (row["creative_id"] for row in catalogue.creatives))
    _refuse_unsafe("section_id", (row["section_id"] for row in catalogue.sections))
    return catalogue


def _refuse_unsafe(column: str, ids: Iterable[str | None]) -> None:
    """Refuse an id that is no file name; the id itself is not repeated, it may be anything."""
    if not all(text is not None and is_safe_id(text) for text in ids):
        raise InputError(
            "release.id",
            f"a {column} in the reference data that cannot be a file name",
            "up to 64 letters, digits, '.', '_' and '-', starting with a letter or digit, not ALL",
            "correct the reference file and land it again",
        )


def _report_keys(policy: Policy, report: ReportSpec, recipient: str, catalogue: _Catalogue, night: date) -> list[str]:
    """Return the keys that a report lists: its recipient's running campaigns or sections, or the policy's list."""
    if report.key in KEYS_OF_POLICY:
        return [category.key for category in policy.categories[KEYS_OF_POLICY[report.key]]]
    if report.key == "campaign_id":
        return sorted(
            row["campaign_id"]
            for row in catalogue.campaigns
            if row["recipient_id"] == recipient and row["starts_on"] <= night <= row["ends_on"]
        )
    if catalogue.recipients[recipient] == SITE:
        return sorted({OTHER, *(row["section_id"] for row in catalogue.sections)})
    return sorted({row["section_id"] for row in catalogue.sections if row["recipient_id"] == recipient})


def _table(policy: Policy, report: ReportSpec, table: TableSpec, keys: list[str], catalogue: _Catalogue) -> TableShape:
    specs = [policy.dimensions[name] for name in table.dimensions]
    nested = [spec for spec in specs if spec.below == report.key]
    plain = Dimension((report.key,), tuple((key,) for key in keys), has_margin=False, partitions_people=False)
    dimensions = [] if nested else [plain]
    for spec in specs:
        if spec.below == report.key:
            paths = _nested_keys(spec, report.key, keys, catalogue)
            dimensions.append(Dimension((report.key, *spec.levels), paths, False, spec.partitions_people))
        else:
            dimensions.append(Dimension(spec.levels, _public_keys(policy, spec), True, spec.partitions_people))
    return TableShape(table.name, report.universe, tuple(dimensions), expected_measures(policy, report, table))


def _nested_keys(
    spec: DimensionSpec, key_column: str, keys: list[str], catalogue: _Catalogue
) -> tuple[tuple[str, ...], ...]:
    """Return (key, category) paths of a dimension below the report's key, with ``unknown`` under each key."""
    column = spec.levels[0]
    own = set(keys)
    paths = {(row[key_column], row[column]) for row in catalogue.creatives if row[key_column] in own}
    return tuple(sorted(paths | {(key, UNKNOWN) for key in keys}))


def _public_keys(policy: Policy, spec: DimensionSpec) -> tuple[tuple[str, ...], ...]:
    """Return the categories of a key set as paths, in the policy's order."""
    categories = policy.categories[spec.keys]
    if len(spec.levels) == 1:
        return tuple((category.key,) for category in categories)
    return tuple((str(category.parent), category.key) for category in categories)
