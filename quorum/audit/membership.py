"""Attack 11: was somebody among the people of a release? A log-likelihood ratio of all that is told of their groups.

What belongs here: the game and its score. What does not: who the people are; they are drawn like those of the release.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quorum.audit.blocks import Block, BlockTable, Floats
from quorum.audit.effort import Effort
from quorum.audit.record import Claim, Findings, wilson
from quorum.audit.system import Ints

FPR = 1e-3
MOST_TPR = 5e-3
"""disclosure.md, attack 11."""

_Z = 3.7190
"""Of a one-sided level of 1 in 10,000 for each block: the gate is about the release, not about the drawing."""
_STRANGERS = 10
"""Non-members asked about in each drawing: enough to know one in a thousand of them."""
_ACTIVE = 0.99
"""Quantile of events from which somebody is one of the top 1 % active people."""


@dataclass(frozen=True)
class _Groups:
    """What a table tells of people: groups of which the number is told, each leaf in the finest that holds it.

    Args:
        of_leaf: the group of each leaf; -1 where nothing below the total is told.
        share: share of people by leaf.
    """

    of_leaf: Ints
    share: Floats


def ask_for_members(blocks: Sequence[Block], effort: Effort, seed: int) -> Findings:
    """Claim blocks in which members are told from strangers more often than the gate allows.

    People are drawn by the shares of the release, once with the person in question among them and once without; as many
    others again are what the reader knows of people at large. The score is the log-likelihood ratio of the person's
    groups in what is told against these others, over all tables: of people for anybody, of events for somebody of the
    top 1 %, who knows how many events are theirs. Numbers are told where the release tells them.

    Args:
        blocks: the fewest people first.
        effort: how many blocks, and how many people are drawn.
        seed: of the drawing.

    Returns:
        A claim for each block and kind of person (anybody, active) whose rate of found members, at one stranger in a
        thousand taken for one, is above 5 in a thousand at a one-sided level of 1 in 10,000. Guesses are the people
        taken for members, as many strangers asked as members; a coin is the baseline. Targets are the people of all
        blocks.

    Guarantee:
        The gate of the table is judged with its statistical error on the side of the release: a block exactly at it is
        claimed in 1 of 10,000, and one at twice the gate nearly always if the draws are 10,000 or more. Somebody whose
        group is rare, and known to be, is more likely a member whatever is told: the game asks what the release adds.

    Source: disclosure.md, attack 11; Homer et al., PLoS Genetics 4 (2008) e1000167; Sankararaman et al., Nature
        Genetics 41 (2009) 965.
    """
    rng = np.random.default_rng(seed)
    claims: list[Claim] = []
    tried = blocks[: effort.blocks]
    taken = right = 0
    worst = {"random": 0.0, "active": 0.0}
    for block in tried:
        groups = [_groups(table, block.families[0]) for table in block.tables]
        for kind in worst:
            members, strangers = _scores(block, groups, effort.draws, rng, is_active=kind == "active")
            line = float(np.quantile(strangers, 1 - FPR, method="higher"))
            found = int((members > line).sum())
            taken, right = taken + found + int((strangers[:, 0] > line).sum()), right + found
            worst[kind] = max(worst[kind], found / len(members))
            if wilson(found, len(members), _Z)[0] > MOST_TPR:
                says = f"{found} of {len(members)} members are found"
                claims.append(Claim(block.release, (block.tables[0].name, block.key), kind, says, True))
    return Findings(
        sum(block.people[block.families[0]] for block in blocks),
        tuple(claims),
        0.5 if taken else None,
        sum(block.people[block.families[0]] for block in blocks[effort.blocks :]),
        guesses=taken,
        hits=right,
        measured={"blocks_tried": len(tried), "tpr_random": worst["random"], "tpr_active": worst["active"]},
    )


def _groups(table: BlockTable, family: str) -> _Groups:
    told = np.flatnonzero(table.shown[family] & (table.holds.sum(axis=1) < len(table.leaves)))
    told = told[np.argsort(-table.holds[told].sum(axis=1), kind="stable")]
    of_leaf = np.full(len(table.leaves), -1, dtype=np.int64)
    for group, row in enumerate(told.tolist()):  # large ones first, so that the finest stays
        of_leaf[table.holds[row]] = group
    people = table.people[family] + 0.5
    return _Groups(of_leaf, people / people.sum())


def _scores(
    block: Block, tables: Sequence[_Groups], draws: int, rng: np.random.Generator, *, is_active: bool
) -> tuple[Floats, Floats]:
    """Return the scores of members, and those of strangers: draws by strangers."""
    members, strangers = np.zeros(draws), np.zeros((draws, _STRANGERS))
    own = _events(block, draws, rng) if is_active else np.ones(draws)
    theirs = (_events(block, draws, rng) if is_active else np.ones(draws))[:, None]
    for table in tables:
        group_n = int(table.of_leaf.max(initial=-1)) + 1
        if group_n < 1:
            continue
        share = np.bincount(table.of_leaf + 1, weights=table.share, minlength=group_n + 1)  # 0: nothing told
        mine = rng.choice(group_n + 1, size=draws, p=share)
        other = rng.choice(group_n + 1, size=(draws, _STRANGERS), p=share)
        inside = rng.multinomial(block.people[block.families[0]] - 1, share, size=draws)
        outside = rng.multinomial(block.people[block.families[0]], share, size=draws)
        if is_active:
            inside, outside = _of_people(inside, block, rng), _of_people(outside, block, rng)
        at = np.arange(draws)
        told = inside.astype(np.float64)
        told[at, mine] += own
        ratio = np.log((told + 0.5) / told.sum(axis=1, keepdims=True))
        ratio -= np.log((outside + 0.5) / outside.sum(axis=1, keepdims=True))
        ratio[:, 0] = 0.0
        members += own * ratio[at, mine]
        strangers += theirs * ratio[at[:, None], other]
    return members, strangers


def _mean_events(block: Block) -> float:
    people = block.people[block.families[0]]
    return max(1.0, block.events / people) if people else 1.0


def _events(block: Block, draws: int, rng: np.random.Generator) -> Floats:
    """Draw events of people of the top 1 %: the tail of a geometric distribution, which begins anew there."""
    chance = 1 / _mean_events(block)
    least = 0.0 if chance == 1 else np.floor(np.log(1 - _ACTIVE) / np.log(1 - chance))
    most = block.bound or np.inf
    events: Floats = np.minimum(least + rng.geometric(chance, draws), most).astype(np.float64)
    return events


def _of_people(people: Ints, block: Block, rng: np.random.Generator) -> Ints:
    """Draw the events of so many people in each group."""
    chance = 1 / _mean_events(block)
    if chance == 1:
        return people
    found: Ints = people + rng.negative_binomial(np.maximum(people, 1), chance) * (people > 0)
    return found
