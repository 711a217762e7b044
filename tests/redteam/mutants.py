"""The rules of a release, weakened one at a time in the code that holds them, and the attack that has to see it.

What belongs here: the list. What does not: how a rule is weakened (`weakening`), the portals that the weakened code
releases (`scenes`), and running it (`test_redteam_weakened`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import weakening as weak
from disclosure_portal import Habits
from scenes import KEEN, LINKED, NEWCOMERS, PLAIN, Held, again, busy, crowd, day, files, hands, months, weekend

RE, EL, IV, ID, READ = "reparse", "elimination", "propagation", "identifiers", "reading"
"""Attacks 1, 2, 3 and 12; and that the files are no package."""

_FAITHFUL = Habits(events=5.0, click=0.3, skew=2.0, unknown=0)
"""People whom one device has nearly alone."""
_EVEN = Habits(events=3.0, click=0.01, conversion=0.1, skew=0.5)
_IDLE = Habits(events=3.0, click=0.03, conversion=0.4, skew=2.0)


@dataclass(frozen=True)
class Mutant:
    """One rule, weakened.

    Args:
        name: of the mutant.
        weakened: what no longer holds.
        attacks: each of them must see it.
        weaken: puts the weakened code in place.
        scene: what the weakened code releases; of the code as it stands no attack sees anything.
    """

    name: str
    weakened: str
    attacks: tuple[str, ...]
    weaken: weak.Weaken
    scene: Callable[[], Held]


MUTANTS = (
    # rules 1, 2 and 5
    Mutant("threshold", "19 people are enough", (RE,), weak.threshold(20), partial(day, PLAIN, 250)),
    Mutant("threshold-of-clicks", "9 clickers are enough", (RE,), weak.threshold(10), partial(day, seed=1)),
    Mutant("events", "thresholds count events", (RE,), weak.events, day),
    Mutant("newcomers", "who is new counts", (RE,), weak.everyone_counts, partial(day, habits=NEWCOMERS)),
    Mutant("empty", "a cell of nobody is told", (RE,), weak.empty_cells, partial(day, ("occupation",), 400, 0, _EVEN)),
    Mutant("requires", "clicks are told where impressions are not", (RE,), weak.required_family,
           partial(day, ("occupation",), 400, 1)),
    Mutant("chain", "conversions rest on impressions, not on clicks", (RE,), weak.base_for_required,
           partial(day, habits=KEEN)),
    Mutant("family", "everybody in a cell may have clicked", (RE,), weak.beside, partial(day, habits=KEEN)),
    Mutant("family-by-one", "9 people beside a family are enough", (RE,), weak.beside_by_one,
           partial(day, habits=KEEN)),
    Mutant("group", "everybody of a campaign may be in one category", (RE,), weak.of_parent,
           partial(day, ("device",), 120, 0, _FAITHFUL)),
    Mutant("seasoning", "cookies of a few days count", (RE,), weak.without_defence("seasoning"),
           partial(crowd, 27, 28)),
    Mutant("nights", "cookies of two nights count", (RE,), weak.without_defence("nights"), partial(crowd, 60, 2)),
    Mutant("network", "one network counts as often as it likes", (RE,), weak.without_defence("network"),
           partial(crowd, 60, 9, "198.51.100.0/24")),
    Mutant("reach", "people are told of a margin and of parts that overlap", (RE,), weak.overlapping_reach,
           partial(day, ("reach",))),
    # rule 6
    Mutant("primary-alone", "nothing is withheld for the sake of another cell", (EL, IV), weak.primary_alone, day),
    Mutant("one-complementary", "one complementary cell is told", (EL, IV), weak.one_complementary,
           partial(day, seed=1)),
    Mutant("one-way", "tables of one dimension are not looked at", (EL, IV), weak.form("one_way"), day),
    Mutant("two-way", "tables of two dimensions are not looked at", (EL, IV), weak.form("two_way"), day),
    Mutant("general", "hierarchies with a second dimension are not looked at", (EL, IV), weak.form("general"),
           partial(day, ("area_gender",))),
    Mutant("two-a-line", "two withheld cells a line are enough", (IV,), weak.two_a_line, day),
    Mutant("cube", "tables that share cells with a cube are decided by themselves", (IV,), weak.tables_apart_in_cube,
           partial(day, LINKED)),
    Mutant("tables-apart", "tables that share cells are decided by themselves", (EL, IV), weak.tables_apart,
           partial(day, ("grid", "region", "cube"), 120, 1, NEWCOMERS)),
    Mutant("hierarchy", "a region is not the sum of its prefectures", (IV,), weak.hierarchies, day),
    Mutant("below-withheld", "a part is told below a withheld margin", (IV,), weak.below_withheld,
           partial(day, seed=1)),
    Mutant("reach-nothing", "a withheld number need not be able to be enough", (RE, IV), weak.reach(lambda _: 0), day),
    Mutant("reach-by-one", "one less than enough will do", (IV,), weak.reach(lambda least: max(least - 1, 0)),
           partial(day, PLAIN, 400, 1, _IDLE)),
    Mutant("lower-end", "a withheld number need not be able to be 0", (IV,), weak.lower_end, day),
    Mutant("people-open", "people need not stay open, events alone", (IV,), weak.without_layer("heads"), day),
    Mutant("events-open", "events beyond one a head need not stay open", (IV,), weak.without_layer("excess"),
           partial(day, seed=1)),
    Mutant("counted-open", "people who count need not stay open", (RE,), weak.without_layer("counted"),
           partial(day, habits=NEWCOMERS)),
    Mutant("clicks-unseen", "clickers are not known to be among the people", (IV,), weak.nobody_clicks_unseen,
           partial(day, habits=KEEN)),
    Mutant("room-beside", "in a line others need not have room", (IV,), weak.room_beside, partial(day, habits=KEEN)),
    Mutant("residual-of-line", "what a line leaves over may be few people", (RE,), weak.residuals_of_lines, day),
    Mutant("residual-of-grid", "what a grid leaves over may be few people", (RE,), weak.residuals_of_grids, day),
    # rules 7, 8 and 9
    Mutant("plan", "days tell what weeks are for", (RE, IV), weak.plan, partial(weekend, 0)),
    Mutant("plan-and-level", "every level is told in every period", (RE,), weak.plan_of_shape, partial(months, 0)),
    Mutant("twice", "days and weeks tell the same numbers", (EL, IV), weak.plan, partial(months, 2)),
    Mutant("plan-of-tonight", "the period is chosen by tonight's people", (RE,), weak.plan_of_tonight,
           partial(months, 2)),
    Mutant("any-day", "clicks of a week where impressions stood on any day", (RE,), weak.told_on_any_day,
           partial(weekend, 1, erased=0)),
    Mutant("again", "a period is released again after an erasure", (RE,), weak.second_release, partial(again, 1)),
    Mutant("weeks-across-months", "a week counts for two invoices", (IV,), weak.weeks_across_months,
           partial(months, 8)),
    Mutant("room-of-month", "nothing is kept back for the invoice", (IV,), weak.room_of_month, partial(hands, 13)),
    Mutant("every-total", "a month repeats every total", (IV,), weak.every_total, partial(hands, 16)),
    Mutant("any-total", "a month repeats totals that give a part away", (IV,), weak.any_total, partial(hands, 16)),
    Mutant("month-beside-days", "a month tells below its totals what days tell", (IV,), weak.month_beside_days,
           partial(hands, 14)),
    Mutant("reach-beside-days", "people of a month are told beside those of its days", (RE,), weak.reach_beside_days,
           partial(months, 14)),
    Mutant("own-days-alone", "room is left in one hand's days alone", (IV,), weak.own_days_alone, partial(hands, 15)),
    Mutant("foreign-days", "a week counts people of another hand's days", (RE,), weak.foreign_days, partial(hands, 5)),
    Mutant("untargeted-withheld", "what nobody is targeted for is withheld", (RE, EL), weak.untargeted_withheld,
           partial(hands, 3)),
    Mutant("untargeted-counted", "who is outside the targeting is counted there", (RE,), weak.untargeted_counted,
           partial(hands, 3)),
    # rules 3 and 4
    Mutant(
        "values",
        "a sum of what recipients say conversions are worth is told",
        (RE,),
        weak.values_told,
        partial(day, ("occupation",), 400),
    ),
    Mutant("bids", "cost is a sum of what was bid for each person", (RE,), weak.bids_told, partial(months, 1)),
    Mutant("bound", "one person's events are not bounded", (RE,), weak.unbounded, busy),
    # rule 10 and the files
    Mutant("zero", "withheld is written as 0", (READ,), weak.zero_for_withheld, files),
    Mutant("two-words", "withheld has two words", (READ,), weak.two_words, files),
    Mutant("rows", "withheld rows are left out", (READ,), weak.withheld_rows_left_out, files),
    Mutant("parquet-numbers", "the Parquet copy holds what was withheld", (READ,), weak.numbers_in_parquet, files),
    Mutant("hidden-sheet", "the workbook has a hidden sheet", (READ,), weak.hidden_sheet, files),
    Mutant("workbook-property", "a canary in a property of the workbook", (ID,), weak.canary_in_workbook, files),
    Mutant("parquet-footer", "a canary in the footer of a Parquet file", (ID,), weak.canary_in_parquet, files),
    Mutant("file-name", "a canary in the name of a file", (ID,), weak.canary_in_file_name, files),
    Mutant("descriptor", "a canary in the descriptor", (ID,), weak.canary_in_descriptor, files),
    Mutant("page", "a canary in a page", (ID,), weak.page_in_clear, files),
)  # fmt: skip
