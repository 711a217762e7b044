"""What a recipient supplies can carry a message about who is in a cell: sums that such a message could be in.

What belongs here: published numbers that say more than how many events of bounded people there were. What does not:
texts, which are swept (`quorum.audit.identifiers`), and thresholds (`quorum.audit.reparse`).

A recipient who gives each person's conversion another value, bids another price for each, or shows one person 2, the
next 4 and the third 8 times, reads from one sum who is in it, however many people there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from quorum.audit.package import ParsedPackage, ParsedTable
from quorum.audit.record import Claim
from quorum.audit.rules import RuleBook, Rules
from quorum.audit.system import Ints
from quorum.audit.truth import Truth
from quorum.tables.periods import DAY, kind_of
from quorum.tables.shape import ALL

AMOUNT = "_micros"
_FOLDED = frozenset({ALL, "unknown", "other"})
"""Where events stand that are of nobody, or of people who are counted in several folded categories."""


def sums_with_room(packages: Sequence[ParsedPackage], rules: RuleBook, truth: Truth) -> Iterator[Claim]:
    """Yield published numbers that a recipient's own values, prices or frequencies could be read from.

    Args:
        packages: held together.
        rules: by report; bounds of rule 4, where they state some.
        truth: heads and counts that the packages do not carry, where they are known.

    Yields:
        ``amount``: a sum of money in a family of events. ``price``: a cost that is no whole price times any count of
        its row; without truth nothing is claimed, for the count that is charged may not be told. ``bound``: more events
        of a day than its people may have under rule 4, in a cell that names its categories.

    Guarantee:
        Without a claim and with truth, a published number of a named cell of a day is at most the bound times its
        people, and money is a price times a count: what a recipient supplies with a conversion is in no sum. How often
        somebody was shown something, up to the bound, remains: a count says who is in a cell as far as that goes.

    Source: disclosure.md, rules 3 and 4.
    """
    for package in packages:
        own = rules.of(package.shape.report)
        for table in package.tables.values():
            yield from _amounts(package, table, own, truth)
            if kind_of(package.shape.period) == DAY:
                yield from _over_bound(package, table, own, truth)


def _amounts(package: ParsedPackage, table: ParsedTable, rules: Rules, truth: Truth) -> Iterator[Claim]:
    for measure in table.shape.measures:
        if not measure.name.endswith(AMOUNT):
            continue
        shown = table.published[measure.family]
        if measure.family in rules.families:
            for row in np.flatnonzero(shown).tolist():
                yield _claim(package, table, row, "amount", f"{measure.name} sums what the recipient supplies")
            continue
        counts = [truth.column(package.release, table, family.count) for family in rules.families.values()]
        known = [count for count in counts if count is not None]
        for row in np.flatnonzero(shown).tolist() if known else ():
            cost = int(table.values[measure.name][row])
            if not any(_is_priced(cost, int(count[row])) for count in known):
                yield _claim(package, table, row, "price", f"{measure.name} is no price times a count")


def _is_priced(cost: int, count: int) -> bool:
    return cost % count == 0 if count else cost == 0


def _over_bound(package: ParsedPackage, table: ParsedTable, rules: Rules, truth: Truth) -> Iterator[Claim]:
    named = [row for row, place in enumerate(table.coordinates) if not _FOLDED.intersection(place)]
    for name, family in rules.families.items():
        bound, heads = rules.bound(family.count), _heads(package, table, family.heads, truth)
        if bound is None or heads is None or family.count not in table.values or name not in table.published:
            continue
        for row in named:
            if table.published[name][row] and table.values[family.count][row] > bound * heads[row]:
                yield _claim(package, table, row, "bound", f"{family.count} is over {bound} a person")


def _heads(package: ParsedPackage, table: ParsedTable, name: str, truth: Truth) -> Ints | None:
    told = table.values.get(name)
    return told if told is not None else truth.column(package.release, table, name)


def _claim(package: ParsedPackage, table: ParsedTable, row: int, what: str, says: str) -> Claim:
    return Claim(package.release, (table.shape.name, *table.coordinates[row]), what, says, True)
