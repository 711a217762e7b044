"""Ways of weakening one rule in the product's own code, for the time of a test.

Where the search for a release and its own check at the end hold the same rule, both are weakened: an attack has to see
it. What is replaced is replaced where it is looked up.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scenes
import test_months
import test_periods
import test_planted_people
import test_two_hands
from pytest import MonkeyPatch
from xlsxwriter import Workbook

import quorum.months
import quorum.release.month_shapes
import quorum.release.week_shapes
from quorum.disclosure import decide, equations, linear, linked, one_way, primary, programs, suppress, two_way, week
from quorum.disclosure.equations import GENERAL, ONE_WAY, TWO_WAY, Block
from quorum.disclosure.reach import REACH
from quorum.disclosure.witness import Layer, unproven
from quorum.months import Months
from quorum.policy import FamilySpec
from quorum.release import package as writer
from quorum.tables import KeyPlan, Measure, PackageShape
from quorum.tables.periods import MONTH
from quorum.tables.shape import ALL

Weaken = Callable[[MonkeyPatch], None]

CONTROL = sys.modules["quorum.disclosure.control"]
_NONE = np.zeros(0, dtype=np.int64)


def always(value: object) -> Callable[..., Any]:
    return lambda *_, **__: value


def put(holder: object, name: str, value: object) -> Weaken:
    return lambda patch: patch.setattr(holder, name, value)


def both(*ways: Weaken) -> Weaken:
    def weaken(patch: MonkeyPatch) -> None:
        for way in ways:
            way(patch)

    return weaken


def around(holder: object, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Weaken:
    """Replace a function by one made from it."""
    return lambda patch: patch.setattr(holder, name, make(getattr(holder, name)))


own_check = put(suppress, "verify", always(None))


# --- rules 1, 2 and 5: a cell by itself -------------------------------------------------------------------------------


def threshold(number: int) -> Weaken:
    """One person fewer than a number is enough."""
    return around(primary, "has_enough_heads", lambda rule: lambda heads, least: rule(heads, least - (least == number)))


empty_cells = around(primary, "has_enough_heads", lambda rule: lambda heads, least: rule(heads, least) | (heads == 0))
events = around(
    decide,
    "_passes_alone",
    lambda rule: (
        lambda block, values, rules, family, required: rule(
            block, values, rules, replace(family, heads=family.count, counted=None), required
        )
    ),
)
everyone_counts = put(FamilySpec, "judged", property(lambda family: family.heads))
required_family = put(primary, "has_required", lambda _, cells: np.ones(cells, dtype=np.bool_))
base_for_required = around(
    CONTROL,
    "decide",
    lambda rule: (
        lambda blocks, values, rules, families: rule(
            blocks, values, rules, [replace(f, requires="impressions") if f.requires else f for f in families]
        )
    ),
)
beside = put(primary, "leaves_people_beside", lambda rest, outside, cells: np.ones(cells, dtype=np.bool_))
beside_by_one = around(
    primary, "leaves_people_beside", lambda rule: lambda rest, outside, cells: rule(rest, outside - 1, cells)
)
of_parent = put(primary, "leaves_people_of_parent", lambda heads, *_: np.ones(len(heads), dtype=np.bool_))
overlapping_reach = put(CONTROL, "_adds_up", always(True))


# --- rule 6: what follows ---------------------------------------------------------------------------------------------

primary_alone = put(decide, "suppress", lambda protections, eligible, weights: [able.copy() for able in eligible])


def _one_more(rule: Callable[..., Any]) -> Callable[..., Any]:
    def publish(protections: Sequence[Any], eligible: Sequence[Any], weights: Sequence[Any]) -> list[Any]:
        states = list(rule(protections, eligible, weights))
        for state, able, weight in zip(states, eligible, weights, strict=True):
            left = np.flatnonzero(able & ~state)
            if left.size and state.any():
                state[left[np.argmax(weight[left])]] = True
                return states
        return states

    return publish


one_complementary = around(decide, "suppress", _one_more)


def form(name: str) -> Weaken:
    """What follows in blocks of a form is not looked for."""
    return both(own_check, lambda patch: patch.setitem(suppress._VIOLATIONS, name, always(_NONE)))


def _alone_in_line(protection: Any, published: Any) -> Any:
    block = protection.block
    parts = (block.matrix > 0) & ~published
    known = np.any((block.matrix < 0) & published, axis=1)
    return np.flatnonzero(parts[known & (np.count_nonzero(parts, axis=1) == 1)].any(axis=0))


def two_a_line(patch: MonkeyPatch) -> None:
    own_check(patch)
    for name in (ONE_WAY, TWO_WAY, GENERAL):
        patch.setitem(suppress._VIOLATIONS, name, _alone_in_line)


def tables_apart_in_cube(patch: MonkeyPatch) -> None:
    """Tables beside a cube are decided each by itself, and the cube not beside them."""
    own_check(patch)
    patch.setattr(linked, "violations", always(_NONE))
    made = decide._protection
    patch.setattr(
        decide,
        "_protection",
        lambda block, *rest: replace(made(block, *rest), in_parts=block.form == equations.LINKED),
    )


def layers(change: Callable[[Sequence[Layer]], Sequence[Layer]]) -> Weaken:
    """Other numbers are kept open than those that have to be."""

    def weaker(made: Callable[..., Any]) -> Callable[..., Any]:
        def protection(*given: Any) -> Any:
            whole = made(*given)
            return replace(whole, layers=tuple(change(whole.layers)))

        return protection

    return both(own_check, around(decide, "_protection", weaker))


def without_layer(name: str) -> Weaken:
    return layers(lambda found: [layer for layer in found if not layer.name.endswith(name)])


def reach(change: Callable[[int], int]) -> Weaken:
    return layers(lambda found: [replace(layer, reach=change(layer.reach)) for layer in found])


def lower_end(patch: MonkeyPatch) -> None:
    """A withheld number need not be able to be 0."""
    own_check(patch)
    for module in (linear, two_way, programs):
        patch.setattr(module, "unproven", lambda *given: (_NONE, unproven(*given)[1]))
    room_beside(patch)


room_beside = both(
    own_check, put(one_way, "_fits_beside", lambda groups, layer: np.ones(len(groups.top), dtype=np.bool_))
)
nobody_clicks_unseen = put(decide, "_base", always(None))
residuals_of_lines = both(
    own_check, put(one_way, "_is_small", lambda protection, _: np.zeros(protection.block.size, dtype=np.bool_))
)
residuals_of_grids = both(own_check, put(two_way, "is_held_by_many", always(True)))
tables_apart = put(equations, "_linked", lambda grids: [[grid] for grid in grids])
below_withheld = put(Block, "orphans", lambda *_: _NONE)
hierarchies = around(
    equations, "_lines", lambda rule: lambda grid, cells: [line for line in rule(grid, cells) if line[0] == 0]
)


# --- rules 7, 8 and 9: periods, plans, invoices, hands ----------------------------------------------------------------

plan = put(decide.Values, "is_planned", lambda _, block, family: np.ones(block.size, dtype=np.bool_))
plan_of_shape = put(
    PackageShape, "planned_out", lambda _, kind, table, family: [False] * len(list(table.coordinates()))
)
room_of_month = put(Months, "kept_back", always({}))
every_total = put(Months, "repeated", lambda _, report, keys, month: set(keys))
any_total = put(quorum.months, "may_declare", always(True))
own_days_alone = around(
    Months,
    "_pieces",
    lambda rule: (
        lambda months, report, key, family, month, but=None, owner=None: rule(
            months, report, key, family, month, but, owner or (but.recipient_id if but else None)
        )
    ),
)
second_release = around(
    CONTROL, "_refuse_misfits", lambda rule: lambda shape, rules, families, earlier: rule(shape, rules, families, ())
)
foreign_days = both(
    put(quorum.release.week_shapes, "foreign_keys", always(set())), put(test_two_hands, "foreign_keys", always(set()))
)
untargeted_withheld = put(
    CONTROL, "zeros_of", lambda cube, table: np.zeros(len(list(table.coordinates())), dtype=np.bool_)
)
untargeted_counted = both(
    put(test_months, "fold_untargeted", lambda table, counted, targeting: counted),
    put(CONTROL, "verify_zeros", always(None)),
)
month_beside_days = around(
    quorum.release.month_shapes,
    "_plan",
    lambda rule: lambda plans, report: replace(rule(plans, report), periods=dict.fromkeys(report.families, MONTH)),
)


def reach_beside_days(patch: MonkeyPatch) -> None:
    """People of a month of every campaign that has some, whatever its days and weeks tell."""

    def listed(rule: Callable[..., Any]) -> Callable[..., Any]:
        return lambda policy, report, keys: rule(policy, report, keys or {test_months.KEY})

    around(quorum.release.month_shapes, "reach_table", listed)(patch)
    patch.setattr(CONTROL, "tell_reach", lambda cube, *_: cube.values(REACH, "people_counted_n") >= 1)


def weeks_across_months(patch: MonkeyPatch) -> None:
    made = quorum.release.week_shapes.week_shape
    for module in (test_months, test_two_hands):
        patch.setattr(module, "week_shape", lambda house, days, **more: made(house, days, **{**more, "invoiced": {}}))


def told_on_any_day(patch: MonkeyPatch) -> None:
    """Clicks of a week stand where impressions stood on some day."""

    def told(shape: Any, days: Any, families: Any, sources: Any) -> Any:
        found = [week.told_by_days(shape, [one], families, sources) for one in days]
        return {
            family: {name: np.any([one[family][name] for one in found], axis=0) for name in found[0][family]}
            for family in found[0]
        }

    for module in (test_months, test_periods):
        patch.setattr(module, "told_by_days", told)


def plan_of_tonight(patch: MonkeyPatch) -> None:
    """By day where tonight has people enough, else by week."""
    asked = test_months.Portal.shapes

    def shapes(portal: test_months.Portal, night: Any) -> list[PackageShape]:
        people = portal.cube([night])[test_months.KEY, ALL]["people_n"]
        periods = dict.fromkeys(test_months.NAMES, "day" if people >= 25 else "week")
        return [
            replace(shape, plan={key: KeyPlan(periods, own.levels) for key, own in shape.plan.items()})
            for shape in asked(portal, night)
        ]

    patch.setattr(test_months.Portal, "shapes", shapes)


def without_defence(*names: str) -> Weaken:
    """The statements of the night without a defence against planted people."""
    return put(scenes, "DEFENCES_OFF", names)


# --- rules 3 and 4: what a recipient supplies ------------------------------------------------------------------------


def values_told(patch: MonkeyPatch) -> None:
    """The tables of a day tell what conversions are worth."""
    told = scenes.DAY_TABLES["occupation"]
    value = Measure("value_micros", "conversions", "count", told.measures[-2].additive_over)
    patch.setattr(scenes, "day_cube", scenes.day_cube.__wrapped__)  # the table is another one
    patch.setitem(scenes.DAY_TABLES, "occupation", replace(told, measures=(*told.measures, value)))


def bids_told(patch: MonkeyPatch) -> None:
    """Cost is a sum of what was bid for each person."""
    made = test_months.sum_totals

    def totals(*given: Any) -> pa.Table:
        rows = made(*given)
        bids = pa.array([cost + 1 for cost in rows["cost_micros"].to_pylist()], pa.int64())
        return rows.set_column(rows.column_names.index("cost_micros"), "cost_micros", bids)

    patch.setattr(test_months, "sum_totals", totals)


def unbounded(patch: MonkeyPatch) -> None:
    """The statements of the night count all events of one person."""
    statement = ("seg__ad_event", "where place_n > most_n", "where false")
    patch.setitem(test_planted_people.OFF, "bound", statement)
    without_defence("bound")(patch)


# --- rule 10 and the files --------------------------------------------------------------------------------------------


def csv_text(change: Callable[[str], str]) -> Weaken:
    """The csv files, changed after they were written."""
    return around(writer, "csv_bytes", lambda made: lambda table: change(made(table).decode()).encode())


def _rows_told(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if "withheld" not in line)


def _two_words(text: str) -> str:
    return text.replace("withheld", "small", 1)


zero_for_withheld = csv_text(lambda text: text.replace(",,", ",0,"))
two_words = csv_text(_two_words)
withheld_rows_left_out = csv_text(_rows_told)


def numbers_in_parquet(patch: MonkeyPatch) -> None:
    """The Parquet copy of a table is written from what was counted."""
    made = writer._parquet_bytes

    def parquet(table: pa.Table) -> bytes:
        counted = next((rows for rows in scenes.counted_rows().values() if len(rows) == len(table)), None)
        for name in [name for name in table.column_names if counted is not None and name in counted.column_names]:
            table = table.set_column(table.column_names.index(name), name, counted[name])
        return made(table)

    patch.setattr(writer, "_parquet_bytes", parquet)


canary_in_parquet = around(
    pq,
    "write_table",
    lambda made: (
        lambda table, out, **options: made(
            table.replace_schema_metadata({"written by": scenes.CANARY}), out, **{**options, "store_schema": True}
        )
    ),
)
canary_in_file_name = around(
    writer, "table_files", lambda made: lambda *given: {**made(*given), f"{scenes.CANARY}.txt": b""}
)
canary_in_descriptor = around(
    writer, "describe", lambda made: lambda *given: {**made(*given), "contributors": [{"title": scenes.CANARY}]}
)
canary_in_workbook = around(
    Workbook,
    "set_properties",
    lambda made: lambda book, properties: made(book, {**properties, "author": scenes.CANARY}),
)


def hidden_sheet(patch: MonkeyPatch) -> None:
    """The workbook carries a sheet that nobody sees."""
    close = Workbook.close

    def closing(book: Workbook) -> None:
        book.add_worksheet("notes").hide()
        close(book)

    patch.setattr(Workbook, "close", closing)


def page_in_clear(patch: MonkeyPatch) -> None:
    """A page is addressed to one person."""
    made = scenes.render

    def render(*given: Any) -> dict[str, bytes]:
        line = f"<p>{scenes.CANARY}</p></body>".encode()
        return {name: text.replace(b"</body>", line) for name, text in made(*given).items()}

    patch.setattr(scenes, "render", render)
