"""The public shape of a package of a week, from those of its days and the plans of its campaigns.

What belongs here: which campaigns, tables and families a week tells. What does not: numbers (`quorum.disclosure.week`),
and what a day tells (`quorum.release.shapes`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from quorum.disclosure.reach import REACH
from quorum.policy import Policy, ReportSpec, TableSpec
from quorum.release.reach import reach_table
from quorum.release.shapes import planned_keys
from quorum.tables import Dimension, KeyPlan, Measure, PackageShape, TableShape
from quorum.tables.periods import WEEK, days_of_week, month_of, week_of
from quorum.tables.targeting import Targets

_FEWEST_DAYS = 2


@dataclass(frozen=True)
class WeekTable:
    """A table of a week: one of the report's, for campaigns that tell these families by week.

    Args:
        name: the table's own name, with the first family behind it where shorter periods tell others.
        spec: the table of the report.
        families: told by week, in order: the last ones of the report's.
    """

    name: str
    spec: TableSpec
    families: tuple[str, ...]


def week_tables(report: ReportSpec) -> list[WeekTable]:
    """Return every table that a week of a report can have, in order.

    Args:
        report: the report.

    Guarantee:
        A family stands in a table only with those that require it: a plan tells none more often than what it requires.

    Source: docs/decisions/0007-periods-and-plans.md.
    """
    return [
        WeekTable(spec.name if not first else f"{spec.name}_{report.families[first]}", spec, report.families[first:])
        for spec in report.tables
        if not spec.periods or WEEK in spec.periods
        for first in range(len(report.families))
    ]


def week_measures(policy: Policy, report: ReportSpec, table: WeekTable) -> tuple[Measure, ...]:
    """Return the measures of a table of a week: events alone, for a person may be in two categories within a week.

    Args:
        policy: families and dimensions.
        report: the report.
        table: one of its tables of a week.

    Guarantee:
        No head count.

    Source: disclosure.md, rule 6 (reach for the margin or for the parts, never both).
    """
    levels = [level for name in table.spec.dimensions for level in policy.dimensions[name].levels]
    return tuple(Measure(policy.families[name].count, name, "count", (*levels, "period")) for name in table.families)


def week_shape(
    policy: Policy,
    days: Mapping[date, PackageShape],
    *,
    counted: Mapping[date, Collection[str]] = MappingProxyType({}),
    invoiced: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> PackageShape | None:
    """Return the shape of a recipient's package of a week.

    Args:
        policy: reports.
        days: night to the day package of the recipient and report, with its plans; nights of one week.
        counted: night of the week to the campaigns whose people of that night are among the people of the week,
            whoever's they were.
        invoiced: campaign to the families of which the invoice tells its number of the month.

    Returns:
        The shape, or None if no campaign tells anything by week. Listed are campaigns with two days or more, each in
        tables of the families that it tells by week, but for tables whose categories of the campaign were not the same
        on all of its days: the sum would be no cell of any of them. A campaign that was another recipient's on a day,
        or whose night was begun and never done, is left out: people would be counted whose events are not summed. Nor
        is a campaign listed if the invoice tells of one of these families and a day of the campaign's lies in the month
        before that of the Sunday: the month would end before it is known what the week tells, and two invoices would
        share the week between them. Campaigns that tell every family by week stand in the table of reach too.

    Guarantee:
        A function of public facts. Every sum of days that a week tells is a sum of two days or more that list the same
        categories; the people counted beside it are those of the same days.

    Source: disclosure.md, rules 6, 7 and 10; docs/decisions/0007-periods-and-plans.md.
    """
    shapes = [days[day] for day in sorted(days)]
    report = policy.reports[shapes[0].report]
    groups = _groups(days, report, foreign_keys(days, counted), invoiced)
    tables: list[TableShape] = []
    levels: dict[str, dict[str, Mapping[str, int]]] = {}
    for table in week_tables(report):
        parts = [part for shape in shapes for part in shape.tables if part.name == table.spec.name]
        keys = [key for key in groups.get(table.families, []) if _is_listed(table, parts, key, shapes)]
        if not keys:
            continue
        measures = week_measures(policy, report, table)
        tables.append(TableShape(table.name, report.universe, merged_dimensions(parts, keys), measures))
        for key in keys:
            told = _plan(shapes, key).levels.get(table.spec.name, {})
            levels.setdefault(key, {})[table.name] = {name: told.get(name, 0) for name in table.families}
    if not tables:
        return None
    reach = reach_table(policy, report, set(groups.get(report.families, [])) & set(levels))
    if reach is not None:
        tables.append(reach)
        for key in keys_in(reach):
            levels[key][REACH] = {report.families[0]: 0}
    plan = {key: KeyPlan(_plan(shapes, key).periods, levels[key]) for key in sorted(levels)}
    targeting = {key: _targets(shapes, key) for key in plan if _targets(shapes, key)}
    return PackageShape(
        shapes[0].recipient_id, report.name, week_of(min(days)), tuple(tables), plan=plan, targeting=targeting
    )


def _groups(
    days: Mapping[date, PackageShape],
    report: ReportSpec,
    left_out: Collection[str],
    invoiced: Mapping[str, Collection[str]],
) -> dict[tuple[str, ...], list[str]]:
    """Return the campaigns of the week by the families that they tell by week."""
    listed: dict[str, list[date]] = {}
    for day, shape in days.items():
        for key in keys_in(shape.tables[0]):
            listed.setdefault(key, []).append(day)
    groups: dict[tuple[str, ...], list[str]] = {}
    for key, own in sorted(listed.items()):
        plan = _plan([days[day] for day in sorted(days)], key)
        families = tuple(name for name in report.families if plan.periods.get(name) == WEEK)
        is_shared = {month_of(day) for day in own} != {month_of(days_of_week(own[0])[-1])}
        is_shared &= bool(set(families) & set(invoiced.get(key, ())))
        if families and len(own) >= _FEWEST_DAYS and key not in left_out and not is_shared:
            groups.setdefault(families, []).append(key)
    return groups


def _plan(shapes: Sequence[PackageShape], key: str) -> KeyPlan:
    """Return the plan of a campaign; a week has one."""
    return next((shape.plan[key] for shape in shapes if key in shape.plan), KeyPlan({}, {}))


def _targets(shapes: Sequence[PackageShape], key: str) -> Targets:
    """Return what a campaign targets; it is fixed with the plan, and a week has one."""
    return next((shape.targeting[key] for shape in shapes if key in shape.targeting), {})


def foreign_keys(days: Mapping[date, PackageShape], counted: Mapping[date, Collection[str]]) -> set[str]:
    """Return the campaigns of which people are counted on a day that lists them in no package of the recipient's.

    Args:
        days: night to the day package of a recipient and report.
        counted: night to the campaigns whose people are counted, whoever's they were.

    Guarantee:
        A function of public facts.

    Source: disclosure.md, rule 8.
    """
    listed = {day: set(keys_in(shape.tables[0])) for day, shape in days.items()}
    return {key for day, keys in counted.items() for key in set(keys) - listed.get(day, set())}


def keys_in(table: TableShape) -> list[str]:
    """Return the report's keys that a table lists.

    Args:
        table: any.

    Guarantee:
        Each once, in order.

    Source: architecture.md, "A report package".
    """
    return list(dict.fromkeys(path[0] for path in table.dimensions[0].keys))


def merged_dimensions(parts: Sequence[TableShape], keys: Sequence[str]) -> tuple[Dimension, ...]:
    """Return the dimensions of a table with the categories of some campaigns, as their days listed them.

    Args:
        parts: the table of each day.
        keys: the campaigns.

    Guarantee:
        No dimension partitions people: over several days a person may be in two categories.

    Source: docs/decisions/0007-periods-and-plans.md.
    """
    own = set(keys)
    found = []
    for position, dimension in enumerate(parts[0].dimensions):
        paths = list(dict.fromkeys(path for part in parts for path in part.dimensions[position].keys))
        if not position:
            paths = sorted(path for path in paths if path[0] in own)
        found.append(Dimension(dimension.levels, tuple(paths), dimension.has_margin, partitions_people=False))
    return tuple(found)


def _is_listed(table: WeekTable, parts: Sequence[TableShape], key: str, shapes: Sequence[PackageShape]) -> bool:
    """Say whether a table of a week lists a campaign: one that is planned does if the plan tells its finest cells."""
    if not parts or not lists_same(parts, key):
        return False
    plans = {key: _plan(shapes, key)}
    return not table.spec.is_planned or bool(planned_keys(table.spec, parts[0], plans, table.families))


def lists_same(parts: Sequence[TableShape], key: str) -> bool:
    """Say whether a table listed the same cells of a campaign on all of its days.

    Args:
        parts: the table of each day.
        key: the campaign.

    Guarantee:
        If so, every sum over the days is a sum of numbers that each of them lists.

    Source: disclosure.md, rule 6.
    """
    own = [part for part in parts if key in keys_in(part)]
    listed = [
        [
            tuple(path for path in dimension.keys if position or path[0] == key)
            for position, dimension in enumerate(part.dimensions)
        ]
        for part in own
    ]
    return all(one == listed[0] for one in listed)
