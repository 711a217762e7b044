"""What the invoice tells of a campaign and month, and how much must stay untold so that it tells no more.

What belongs here: which families the invoice tells, and when an untold rest is large enough. What does not: what was
told on which day (`quorum.months`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

TOTALS = "totals"
"""The table of a month that holds what the invoice tells."""
COST, COST_MICROS = "cost", "cost_micros"
CHARGED = {"cpm": "impressions", "cpc": "clicks", "cpa": "conversions"}
"""Price model to the family whose events are charged: cost is their number times a public price."""

_COUNTED = ("impressions", "clicks")
_FEWEST_CELLS = 2


@dataclass(frozen=True)
class Piece:
    """A part of a campaign's month of which a family's number is told nowhere.

    Args:
        cells: withheld numbers that it stands for: 1 for a day, and for a week that is withheld as a whole.
        heads: people of the family who count (rule 5) and were there for certain; 0 where that is not known yet.
    """

    cells: int
    heads: int


def invoiced_families(price_model: str, families: Sequence[str]) -> tuple[str, ...]:
    """Return the families of which the invoice tells a campaign's number of the month.

    Args:
        price_model: ``cpm``, ``cpc`` or ``cpa``.
        families: of the report, in order.

    Returns:
        Impressions and clicks, and what is charged: cost divided by the price is its number.

    Example:
        >>> invoiced_families("cpa", ("impressions", "clicks", "conversions"))
        ('impressions', 'clicks', 'conversions')

    Guarantee:
        A function of public facts.

    Source: disclosure.md, rule 9.
    """
    return tuple(family for family in families if family in (*_COUNTED, CHARGED.get(price_model)))


def has_room(untold: Sequence[Piece], threshold: int) -> bool:
    """Say whether the invoice, less all that is told, tells nothing of what is not told.

    Args:
        untold: the pieces of a family, campaign and month that are told nowhere.
        threshold: smallest head count of the family.

    Returns:
        True if nothing is untold, or at least two numbers, in one of which there are enough people.

    Guarantee:
        If True, the difference of the month's total and all that is told is no single withheld number; it holds
        ``threshold`` people, whoever of them was there on several days; and each withheld number in it can be 0 and can
        be ``threshold``, for one of the others can hold the rest.

    Source: disclosure.md, rules 6 and 9; docs/decisions/0007-periods-and-plans.md.
    """
    if not untold:
        return True
    return sum(piece.cells for piece in untold) >= _FEWEST_CELLS and max(piece.heads for piece in untold) >= threshold


def may_declare(untold: Sequence[Piece], threshold: int, *, is_told: bool, is_settled: bool) -> bool:
    """Say whether a month's total may be repeated.

    Args:
        untold: as for `has_room`, over the whole month.
        threshold: smallest head count of the family.
        is_told: whether any piece of the month is told.
        is_settled: whether a piece was told after another one was not: then there was room, as everybody can see.

    Guarantee:
        If True, the total and all that is told determine no withheld number, and have room. The answer depends on what
        was told alone. A total beside which nothing is told is declared whatever it holds: rule 9 leaves it out of what
        a residual must hold.

    Source: disclosure.md, rules 9 and 10 (a campaign with under 50 people in the month gets its totals alone).
    """
    if not untold:
        return True
    if not is_told:
        return sum(piece.cells for piece in untold) >= _FEWEST_CELLS
    return is_settled and has_room(untold, threshold)
