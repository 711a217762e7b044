"""How much work the dear attacks may do: counts of work, never the clock, so that verdicts are the same everywhere.

What belongs here: the numbers of the budget, and nothing that depends on a machine. What does not: spending it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """What the dear attacks may spend on what one attacker holds; small things come first.

    Args:
        positions: cells in which an insider is put (attack 4).
        programs: integer programs that may be solved about them.
        unknowns: size of the largest component in which an insider is put.
        blocks: blocks of people that are decoded (10) or searched for members (11), and pairs of a block's tables that
            are put together (9), each.
        combinations: combinations of attributes in the largest block that is reconstructed.
        solver_work: work of the solver on one block, in the deterministic units of CP-SAT.
        questions: people times answers of the largest block that is decoded.
        draws: people drawn for the membership test, inside and outside each.
    """

    positions: int = 16
    programs: int = 120
    unknowns: int = 150
    blocks: int = 3
    combinations: int = 2_000
    solver_work: float = 0.2
    questions: int = 60_000
    draws: int = 6_000
