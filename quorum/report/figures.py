"""Numbers of a campaign, section or report, now and in the period before: ratios, sums and changes of them.

What belongs here: arithmetic on released totals, in integers. What does not: where they come from (`headline`), and
words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NOWHERE = "nowhere"
"""No table of this kind of package has the number of a key: there is nothing that could be withheld."""


@dataclass(frozen=True)
class Figure:
    """A number of a campaign, section or report, now and before.

    Args:
        name: of its label.
        now: the numerator or the number; None where it is not released.
        before: the same of the period before; None where it is not released or there is none.
        whole: of a ratio, the denominator now; None of a number.
        whole_before: the denominator before.
        elsewhere: kind of period whose packages tell it; `NOWHERE`, or empty if this package does.
    """

    name: str
    now: int | None
    before: int | None = None
    whole: int | None = None
    whole_before: int | None = None
    elsewhere: str = ""


def ratio(name: str, part: Figure, whole: Figure) -> Figure:
    """Return a ratio of two numbers, None where one of them is not released."""
    is_told = part.now is not None and whole.now is not None
    was_told = part.before is not None and whole.before is not None
    return Figure(
        name,
        part.now if is_told else None,
        part.before if was_told else None,
        whole.now if is_told else None,
        whole.before if was_told else None,
        part.elsewhere or whole.elsewhere,
    )


def total(name: str, figures: Sequence[Figure]) -> Figure:
    """Return the sum of numbers of several keys; of the period before only if all of them were released."""
    is_ratio = figures[0].whole is not None
    return Figure(
        name,
        sum(figure.now or 0 for figure in figures),
        sum(figure.before or 0 for figure in figures) if all(f.before is not None for f in figures) else None,
        sum(figure.whole or 0 for figure in figures) if is_ratio else None,
        sum(figure.whole_before or 0 for figure in figures)
        if is_ratio and all(f.whole_before is not None for f in figures)
        else None,
    )


def rounded(part: int, whole: int) -> int:
    """Divide, rounding half away from zero, by integer arithmetic."""
    towards = -1 if part < 0 else 1
    return towards * ((2 * abs(part) + whole) // (2 * whole))


def signed(number: int, unit: int, suffix: str) -> str:
    """Write a number of so many parts of a unit with its sign and a suffix."""
    digits = len(str(unit)) - 1
    mark = "+" if number > 0 else "−" if number < 0 else "±"
    return f"{mark}{abs(number) // unit:,}.{abs(number) % unit:0{digits}}{suffix}"


def sign(number: int) -> int:
    """Return 1, 0 or -1."""
    return (number > 0) - (number < 0)
