"""The public shape of a package of a calendar month, from those of its days and the plans of its campaigns.

What belongs here: which campaigns, tables and families a month tells, and what it declares. What does not: numbers
(`quorum.disclosure.month`), and whether a total is repeated (`quorum.months`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date

from quorum.disclosure.invoice import COST, COST_MICROS, TOTALS, invoiced_families
from quorum.policy import Policy, ReportSpec, TableSpec
from quorum.release.reach import expected_reach, reach_table
from quorum.release.week_shapes import keys_in, lists_same, merged_dimensions
from quorum.tables import Dimension, KeyPlan, Measure, PackageShape, TableShape
from quorum.tables.periods import KINDS, MONTH, month_of
from quorum.tables.targeting import NOTHING, Targets

_FEWEST_DAYS = 2


def totals_measures(policy: Policy, report: ReportSpec) -> tuple[Measure, ...]:
    """Return the measures of the table of totals: events that every invoice tells, and cost.

    Args:
        policy: families.
        report: the report.

    Guarantee:
        No head count.

    Source: disclosure.md, rule 9.
    """
    counts = [Measure(policy.families[name].count, name, "count", ("period",)) for name in _always(report)]
    return (*counts, Measure(COST_MICROS, COST, "count", ("period",)))


def month_measures(policy: Policy, report: ReportSpec, columns: Sequence[str]) -> tuple[Measure, ...]:
    """Return the measures of another table of a month: events alone, as in a week.

    Args:
        policy: families.
        report: the report.
        columns: of the table's dimensions, without the report's key where it stands alone.

    Guarantee:
        No head count: a person may be in two categories within a month.

    Source: disclosure.md, rule 6 (reach for the margin or for the parts, never both).
    """
    return tuple(Measure(policy.families[name].count, name, "count", (*columns, "period")) for name in report.families)


def month_tables(report: ReportSpec) -> list[TableSpec]:
    """Return the tables of a report that a month can have, in order: those that every campaign has on every day.

    Args:
        report: the report.

    Guarantee:
        No table of pairs, which only campaigns of a fine plan have.

    Source: docs/decisions/0007-periods-and-plans.md.
    """
    return [spec for spec in report.tables if not spec.is_planned and (not spec.periods or MONTH in spec.periods)]


def expected_in_month(policy: Policy, report: ReportSpec) -> dict[str, tuple[tuple[str, ...], tuple[Measure, ...]]]:
    """Return every table that a month of a report can have: its dimensions and measures, by name.

    Args:
        policy: families and dimensions.
        report: the report.

    Guarantee:
        What `month_shape` makes is among them.

    Source: disclosure.md, rule 9.
    """
    tables: dict[str, tuple[tuple[str, ...], tuple[Measure, ...]]] = {TOTALS: ((), totals_measures(policy, report))}
    for spec in month_tables(report):
        columns = [level for name in spec.dimensions for level in policy.dimensions[name].levels]
        tables[spec.name] = (spec.dimensions, month_measures(policy, report, columns))
    return {**tables, **expected_reach(policy, report)}


def month_shape(policy: Policy, days: Mapping[date, PackageShape], repeated: Collection[str]) -> PackageShape | None:
    """Return the shape of a recipient's package of a month.

    Args:
        policy: reports.
        days: night to the day package of the recipient and report, with its plans; nights of one calendar month.
        repeated: campaigns of which what the invoice tells is repeated.

    Returns:
        The shape, or None if there is no such campaign. All of them stand in the table of totals. In the tables of the
        report stand those that are planned by month on each of two days or more, with the same targeting, in tables
        that list the same categories on all of them, and in the table of reach.

    Guarantee:
        A function of its arguments: public facts, if ``repeated`` is one.

    Source: disclosure.md, rules 7, 9 and 10; docs/decisions/0007-periods-and-plans.md.
    """
    shapes = [days[day] for day in sorted(days)]
    report = policy.reports[shapes[0].report]
    listed = [key for shape in shapes for key in keys_in(shape.tables[0])]
    keys = sorted(set(listed) & set(repeated))
    if not keys:
        return None
    plans = {key: _plan([shape.plan[key] for shape in shapes if key in shape.plan], report) for key in keys}
    targeting = {key: found for key in keys if (found := _targets(shapes, key)) is not None}
    by_month = [
        key
        for key in keys
        if set(plans[key].periods.values()) == {MONTH} and listed.count(key) >= _FEWEST_DAYS and key in targeting
    ]
    own = Dimension((report.key,), tuple((key,) for key in keys), has_margin=False, partitions_people=False)
    tables = [TableShape(TOTALS, report.universe, (own,), totals_measures(policy, report))]
    for spec in month_tables(report):
        parts = [shape.table(spec.name) for shape in shapes]
        steady = [key for key in by_month if lists_same(parts, key)]
        if steady:
            columns = [level for name in spec.dimensions for level in policy.dimensions[name].levels]
            dimensions = merged_dimensions(parts, steady)
            tables.append(TableShape(spec.name, report.universe, dimensions, month_measures(policy, report, columns)))
    told = {key for table in tables[1:] for key in keys_in(table)}
    reach = reach_table(policy, report, told)
    if reach is not None:
        tables.append(reach)
    period = month_of(min(days))
    measures = [measure.name for measure in tables[0].measures]
    declared = {"period": period, "dimensions": [report.key], "measures": measures}
    aimed = {key: targets for key, targets in targeting.items() if targets}
    return PackageShape(
        shapes[0].recipient_id, report.name, period, tuple(tables), (declared,), plan=plans, targeting=aimed
    )


def _always(report: ReportSpec) -> tuple[str, ...]:
    """Return the families that every invoice tells."""
    return invoiced_families("", report.families)


def _targets(shapes: Sequence[PackageShape], key: str) -> Targets | None:
    """Return what a campaign targets on all of its days; None if two plans of the month say otherwise."""
    found = [shape.targeting.get(key, NOTHING) for shape in shapes if key in keys_in(shape.tables[0])]
    return found[0] if all(one == found[0] for one in found) else None


def _plan(plans: Sequence[KeyPlan], report: ReportSpec) -> KeyPlan:
    """Return what holds of a campaign over a whole month: by month only what is so on all days, no level too fine."""
    periods = {}
    for family in report.families:
        kinds = {plan.periods.get(family, KINDS[0]) for plan in plans}
        periods[family] = min(kinds, key=KINDS.index) if kinds else KINDS[0]
    levels = {
        spec.name: {
            family: min((plan.levels.get(spec.name, {}).get(family, 0) for plan in plans), default=0)
            for family in report.families
        }
        for spec in report.tables
    }
    return KeyPlan(periods, levels)


def without_totals(shape: PackageShape) -> PackageShape:
    """Return a month's shape without its totals: what is counted as a week is."""
    return replace(shape, tables=tuple(table for table in shape.tables if table.name != TOTALS), invariants=())
