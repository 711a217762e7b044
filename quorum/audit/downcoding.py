"""Downcoding: run the known algorithm on every input that a published file leaves possible, and see what is left.

What belongs here: enumerating inputs of a small table, and keeping those of which the algorithm makes the same file.
What does not: the algorithm. It is the defender's, it is public, and it reaches this module as an argument.

Which cells are withheld says something beside what the published numbers say: an algorithm that withholds as little as
possible does not withhold a cell without a need. Who knows the algorithm asks of every possible input whether it would
have led to this file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from quorum.errors import ReleaseError

Input = tuple[int, ...]
"""The finest numbers of a table."""
File = tuple[int | None, ...]
"""What is told of each cell, margins too; None where it is withheld."""
Algorithm = Callable[[Input], File]

FEWEST = 3
"""Values that every withheld cell must keep."""


@dataclass(frozen=True)
class SmallTable:
    """A table as sums of its finest numbers.

    Args:
        finest: how many finest numbers there are.
        cells: of each cell, margins too, which of the finest numbers it sums.
        most: the largest value of a finest number that no published cell bounds.
    """

    finest: int
    cells: tuple[tuple[int, ...], ...]
    most: int

    def sums(self, numbers: Input) -> tuple[int, ...]:
        """Return the value of every cell.

        Guarantee:
            As of the class.

        Source: architecture.md, "A report package".
        """
        return tuple(sum(numbers[one] for one in cell) for cell in self.cells)


@dataclass(frozen=True)
class Downcoded:
    """What is left of the withheld cells of a file.

    Args:
        inputs: from which the algorithm makes this very file, in ascending order.
        values: by withheld cell the values that it has in them.
    """

    inputs: tuple[Input, ...]
    values: dict[int, frozenset[int]]

    def told(self, fewest: int = FEWEST) -> list[int]:
        """Return the withheld cells that keep fewer values than they must.

        Guarantee:
            Ascending.

        Source: disclosure.md, rules 6 and 10.
        """
        return sorted(cell for cell, left in self.values.items() if len(left) < fewest)


def downcode(table: SmallTable, file: File, algorithm: Algorithm, at_most: int = 20_000) -> Downcoded:
    """Enumerate the inputs of which an algorithm makes a file.

    Args:
        table: the table.
        file: what was published.
        algorithm: from an input to its file.
        at_most: candidates to try.

    Returns:
        The inputs, and what they leave of the withheld cells.

    Raises:
        ReleaseError: more candidates agree with the published numbers than are to be tried, or the algorithm makes this
            file of none: it is not the algorithm that made it.

    Guarantee:
        Every input with finest numbers up to the table's ``most``, where nothing published bounds them, that leads to
        this file, and no other. What a reader knows beside the file is not used: several tables at once, other nights.

    Source: Wong, Fu, Wang and Pei, VLDB 2007 (minimality attack); Cohen, USENIX Security 2022 (downcoding).
    """
    found = []
    for tried, numbers in enumerate(_candidates(table, file)):
        if tried == at_most:
            raise ReleaseError("attack.downcoding", f"more than {at_most} inputs", "a small table", "ask for more")
        if algorithm(numbers) == file:
            found.append(numbers)
    if not found:
        raise ReleaseError("attack.downcoding", "a file that no input leads to", "the algorithm that made it")
    sums = [table.sums(numbers) for numbers in found]
    hidden = [cell for cell, told in enumerate(file) if told is None]
    return Downcoded(tuple(found), {cell: frozenset(values[cell] for values in sums) for cell in hidden})


def _candidates(table: SmallTable, file: File) -> Iterator[Input]:
    """Yield every input that agrees with the published numbers, in ascending order."""
    told = [(cell, value) for cell, value in zip(table.cells, file, strict=True) if value is not None]
    of = [[place for place, (cell, _) in enumerate(told) if one in cell] for one in range(table.finest)]
    last = [[place for place in own if max(told[place][0]) == one] for one, own in enumerate(of)]
    left = [value for _, value in told]

    def fill(numbers: list[int]) -> Iterator[Input]:
        one = len(numbers)
        if one == table.finest:
            yield tuple(numbers)
            return
        for value in _values(one):
            for place in of[one]:
                left[place] -= value
            yield from fill([*numbers, value])
            for place in of[one]:
                left[place] += value

    def _values(one: int) -> Sequence[int]:
        most = min((left[place] for place in of[one]), default=table.most)
        ends = {left[place] for place in last[one]}
        if not ends:
            return range(most + 1)
        return [end for end in ends if len(ends) == 1 and 0 <= end <= most]

    yield from fill([])
