"""Microdata reconstruction: every set of people that gives the published statistics of a small block.

What belongs here: statistics of groups as constraints, and the sets of people that satisfy them. What does not: which
statistics of a package belong together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from ortools.sat.python import cp_model

from quorum.errors import ReleaseError

Person = tuple[int, ...]


@dataclass(frozen=True)
class Block:
    """What the attacker knows of a block beforehand.

    Args:
        people: how many there are.
        number: name and range of what is a number, least to greatest (ages).
        binary: names of the attributes that a person has or has not.
    """

    people: int
    number: tuple[str, int, int]
    binary: tuple[str, ...]


@dataclass(frozen=True)
class GroupStatistic:
    """Published statistics of a group of the block.

    Args:
        group: attribute to whether its members have it; empty for everybody.
        count: how many they are.
        median: of the number, the middle of both middle ones where they are even; None where it is not published.
        mean: of the number, rounded to as many decimals as are written; None where it is not published.
    """

    group: Mapping[str, bool]
    count: int
    median: Decimal | None = None
    mean: Decimal | None = None


def reconstruct(block: Block, statistics: Sequence[GroupStatistic], at_most: int = 1000) -> list[tuple[Person, ...]]:
    """Find the sets of people that agree with all statistics.

    Args:
        block: who may be there.
        statistics: published of its groups.
        at_most: stop after so many sets.

    Returns:
        The sets in ascending order; in each its people in ascending order, the number first and then the attributes
        in the order of the block, 1 or 0. Two sets that differ in the order of their people are one. One set: the
        block is solved.

    Raises:
        ReleaseError: a statistic names an attribute that the block has not, or the sets are more than `at_most`.

    Guarantee:
        All sets that agree, and none that does not.

    Source: Garfinkel, Abowd and Martindale, Communications of the ACM 62 (2019) 46; disclosure.md, attack 9.
    """
    unknown = {name for statistic in statistics for name in statistic.group} - set(block.binary)
    if unknown:
        raise ReleaseError(
            "attack.microdata", ", ".join(sorted(unknown)), ", ".join(block.binary), "name the block's attributes"
        )
    program = _Program(block)
    for statistic in statistics:
        program.add(statistic)
    return program.solutions(at_most)


class _Program:
    """The constraint program: people in ascending order, so that each set is met once."""

    def __init__(self, block: Block) -> None:
        self._model = cp_model.CpModel()
        name, least, greatest = block.number
        people = range(block.people)
        self._bounds = (least, greatest)
        self._numbers = [self._model.new_int_var(least, greatest, f"{name}{person}") for person in people]
        self._has = {one: [self._model.new_bool_var(f"{one}{person}") for person in people] for one in block.binary}
        places = [2**place for place in reversed(range(len(block.binary)))]
        keys = [
            number * 2 ** len(places)
            + sum(place * self._has[one][person] for place, one in zip(places, block.binary, strict=True))
            for person, number in enumerate(self._numbers)
        ]
        for earlier, later in pairwise(keys):
            self._model.add(earlier <= later)

    def add(self, statistic: GroupStatistic) -> None:
        members = self._members(statistic.group)
        self._model.add(sum(members) == statistic.count)
        if statistic.mean is not None:
            self._mean(members, statistic.count, statistic.mean)
        if statistic.median is not None:
            middle = [(statistic.count + 1) // 2, statistic.count // 2 + 1]
            self._model.add(sum(self._ranked(members, rank) for rank in middle) == int(2 * statistic.median))

    def _members(self, group: Mapping[str, bool]) -> list[cp_model.IntVar]:
        """A variable for each person: is it in the group?"""
        members = []
        for person in range(len(self._numbers)):
            signs = [
                self._has[name][person] if has else self._has[name][person].negated() for name, has in group.items()
            ]
            member = self._model.new_bool_var("")
            self._model.add_bool_and(signs).only_enforce_if(member)
            self._model.add_bool_or([*(sign.negated() for sign in signs), member])
            members.append(member)
        return members

    def _mean(self, members: Sequence[cp_model.IntVar], count: int, mean: Decimal) -> None:
        """The mean is within half a unit of its last decimal; both ends may have been rounded to it."""
        products = []
        for member, number in zip(members, self._numbers, strict=True):
            product = self._model.new_int_var(min(0, self._bounds[0]), self._bounds[1], "")
            self._model.add(product == number).only_enforce_if(member)
            self._model.add(product == 0).only_enforce_if(member.negated())
            products.append(product)
        decimals = -int(mean.as_tuple().exponent)
        scaled = 2 * 10**decimals * sum(products)
        middle = int(2 * mean.scaleb(decimals)) * count
        self._model.add_linear_constraint(scaled, middle - count, middle + count)

    def _ranked(self, members: Sequence[cp_model.IntVar], rank: int) -> cp_model.IntVar:
        """The number of the group's member of a rank; people are in ascending order, so that ranks count members."""
        value = self._model.new_int_var(*self._bounds, "")
        chosen = []
        for person, member in enumerate(members):
            is_it = self._model.new_bool_var("")
            before = sum(members[: person + 1])
            self._model.add(before == rank).only_enforce_if(is_it)
            self._model.add_implication(is_it, member)
            self._model.add(value == self._numbers[person]).only_enforce_if(is_it)
            chosen.append(is_it)
        self._model.add_exactly_one(chosen)
        return value

    def solutions(self, at_most: int) -> list[tuple[Person, ...]]:
        solver = cp_model.CpSolver()
        solver.parameters.enumerate_all_solutions = True
        solver.parameters.num_workers = 1
        collector = _Collector(self._numbers, list(self._has.values()), at_most)
        solver.solve(self._model, collector)
        if len(collector.found) > at_most:
            raise ReleaseError("attack.microdata", f"more than {at_most} sets", f"at most {at_most}", "ask for more")
        return sorted(collector.found)


class _Collector(cp_model.CpSolverSolutionCallback):
    def __init__(
        self, numbers: Sequence[cp_model.IntVar], has: Sequence[Sequence[cp_model.IntVar]], at_most: int
    ) -> None:
        super().__init__()
        self._variables, self._at_most = [numbers, *has], at_most
        self.found: set[tuple[Person, ...]] = set()

    def on_solution_callback(self) -> None:
        values = [[self.value(variable) for variable in one] for one in self._variables]
        self.found.add(tuple(sorted(zip(*values, strict=True))))
        if len(self.found) > self._at_most:
            self.stop_search()
