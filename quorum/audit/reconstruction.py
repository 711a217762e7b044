"""Attack 9: people put together again from all tables that tell of them, block by block, small blocks first.

What belongs here: a block's tables as a constraint program, and whether it has one solution. What does not: statistics
other than counts (`quorum.audit.microdata`, the positive control).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from ortools.sat.python import cp_model

from quorum.audit.blocks import Block, BlockTable
from quorum.audit.effort import Effort
from quorum.audit.record import Claim, Findings
from quorum.tables.shape import ALL


def rebuild(blocks: Sequence[Block], effort: Effort) -> Findings:
    """Claim blocks of which one set of people alone agrees with everything that is told, and tells of few of them.

    A person is a leaf of each of two tables, and in each family or not. Unknown is how many people are of each
    combination. Two tables that are solved are two attributes of each person put together that no table puts together.

    Args:
        blocks: the fewest people first.
        effort: how many blocks, how many combinations, how much work of the solver.

    Returns:
        One claim a pair of tables that is solved with a combination of fewer people than the threshold. Targets are the
        pairs of tables of all blocks; what was too large, or not decided within the work, is unreached.

    Guarantee:
        Without a claim and with nothing unreached, each pair has two solutions, or tells of nobody alone. That a person
        is the same in all solutions is not asked. Work is counted by the solver, not timed.

    Source: disclosure.md, attack 9; Garfinkel, Abowd and Martindale, Communications of the ACM 62 (2019) 46.
    """
    pairs = [(block, one, other) for block in blocks for one, other in _pairs(block)]
    claims: list[Claim] = []
    reached, unreached = 0, 0
    for block, one, other in pairs:
        size = len(one.leaves) * len(other.leaves) * len(block.families)
        if reached >= effort.blocks or size > effort.combinations:
            unreached += 1
            continue
        reached += 1
        found = _solutions(block, one, other, effort.solver_work)
        if found is None:
            unreached += 1
        elif len(found) == 1 and any(0 < people < block.threshold for people in found[0]):
            says = f"one set of people; {sum(0 < people < block.threshold for people in found[0])} combinations are few"
            claims.append(Claim(block.release, (one.name, block.key), f"with {other.name}", says, None))
    return Findings(len(pairs), tuple(claims), 0.0, unreached, measured={"blocks_tried": reached})


def _pairs(block: Block) -> Iterator[tuple[BlockTable, BlockTable]]:
    """Yield pairs of a block's tables that say different things, the smallest first."""
    tables = sorted(block.tables, key=lambda table: (len(table.leaves), table.name))
    found = [
        (one, other)
        for n, one in enumerate(tables)
        for other in tables[:n]
        if not set(one.columns) & set(other.columns)
    ]
    yield from sorted(found, key=lambda pair: len(pair[0].leaves) * len(pair[1].leaves))


def _solutions(block: Block, one: BlockTable, other: BlockTable, work: float) -> list[tuple[int, ...]] | None:
    """Return one solution, or two if there are; None if the work did not suffice."""
    model = cp_model.CpModel()
    base = block.families[0]
    everybody = block.people[base]
    cells = list(product(range(len(one.leaves)), range(len(other.leaves))))
    people = {
        family: [model.new_int_var(0, block.people[family], f"{family}{n}") for n in range(len(cells))]
        for family in block.families
    }
    for family in block.families[1:]:
        if block.people[family] > everybody:
            return None  # who clicked that day need not have seen: not people of this block
        for some, every in zip(people[family], people[base], strict=True):
            model.add(some <= every)
    for family in block.families:
        for side, table in enumerate((one, other)):
            _add(model, table, family, [people[family][n] for n in range(len(cells))], [cell[side] for cell in cells])
        model.add(sum(people[family]) == block.people[family])
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.enumerate_all_solutions = True
    solver.parameters.max_deterministic_time = work
    two = _Two([variable for family in block.families for variable in people[family]])
    status = solver.solve(model, two)
    if len(two.found) > 1 or status in (cp_model.OPTIMAL, cp_model.INFEASIBLE):
        return two.found
    return None


def _add(
    model: cp_model.CpModel, table: BlockTable, family: str, people: Sequence[cp_model.IntVar], leaf_of: Sequence[int]
) -> None:
    """Hold the combinations against every row of a table that is told."""
    for row, place in enumerate(table.rows):
        if family in table.shown and table.shown[family][row] and any(level != ALL for level in place):
            within = [variable for variable, leaf in zip(people, leaf_of, strict=True) if table.holds[row, leaf]]
            model.add(sum(within) == int(table.heads[family][row]))


class _Two(cp_model.CpSolverSolutionCallback):
    """Stops at the second solution."""

    def __init__(self, variables: Sequence[cp_model.IntVar]) -> None:
        super().__init__()
        self._variables = variables
        self.found: list[tuple[int, ...]] = []

    def on_solution_callback(self) -> None:
        self.found.append(tuple(self.value(variable) for variable in self._variables))
        if len(self.found) > 1:
            self.stop_search()
