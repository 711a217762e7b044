"""Tables with one dimension, flat or a hierarchy: withheld cells are a forest of single lines, in closed form.

What belongs here: when every withheld cell of a tree stays open. What does not: tables with two dimensions or more.

Take the published cells of a tree. Each withheld cell has a nearest published margin above it, and all a reader
learns of the withheld cells below that margin is what they sum to: the margin less its published parts. Such cells form
a group. A withheld margin within a group is the sum of its own parts and says nothing more. So a group's withheld
categories can take any values that sum to the residual and keep their bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorum.disclosure.equations import Block
from quorum.disclosure.grid import Bools, Ints
from quorum.disclosure.witness import Layer, Protection


def violations(protection: Protection, published: Bools) -> Ints:
    """Return withheld cells of a tree that must not stay withheld beside these published ones.

    Args:
        protection: a one-way block, layers, threshold.
        published: status of each cell; above a published cell everything is published.

    Returns:
        Cells, sorted; empty if the state is sound.

    Guarantee:
        Exact, both ways. If empty, every withheld cell can be 0 and can reach its goal in each layer, and every
        residual holds ``threshold`` people: by their sum where categories partition people; else it contains a category
        or margin with that many, or is the whole of a published margin. If a cell is returned, publishing others does
        not help it: what more is published only narrows it.

    Source: disclosure.md, rule 6; the single line of Cox, J. Am. Stat. Assoc. 75 (1980) 377.
    """
    block = protection.block
    if not published.any() or published.all():
        return np.zeros(0, dtype=np.int64)
    groups = _group(block, published)
    of_top = groups.group[groups.top]
    bad = np.zeros(block.size, dtype=np.bool_)
    bad[groups.top] = groups.members[of_top] < 2
    for layer in protection.layers:
        residual = groups.sum(layer.values)
        bad[groups.top] |= ~_fits_beside(groups, layer)
        bad |= groups.withheld & (residual[groups.group] < layer.goals)
    if not block.partitions:
        bad |= groups.withheld & _is_small(protection, groups)[groups.group]
    return np.flatnonzero(bad)


def unless_whole(protection: Protection, published: Bools) -> Ints:
    """Return withheld cells of a table of people by how often, unless it is told as a whole or only its total is.

    Args:
        protection: the block.
        published: status of each cell.

    Returns:
        Cells; empty if nothing but the total is published, or everything.

    Guarantee:
        A table of which nothing is told tells nothing; one of which everything is told has no withheld cell. In
        between, what people did bounds how many of them did it how often, over all tables: no state is known to be
        sound.

    Source: disclosure.md, rule 6 (frequency tables bring their bounds); docs/decisions/0003.
    """
    if not published[1:].any() or not protection.block.has_root:
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(~published)


@dataclass(frozen=True, eq=False)
class _Groups:
    """The withheld cells of a tree by the published margin they hang from.

    Args:
        top: withheld cells right below a published margin.
        group: that margin for each withheld cell at any depth; 0 for published ones.
        withheld: status of each cell.
        members: number of top cells by margin.
    """

    top: Ints
    group: Ints
    withheld: Bools
    members: Ints

    def sum(self, values: Ints) -> Ints:
        """Return the sum over top cells, by margin."""
        total = np.zeros(len(self.group), dtype=np.int64)
        np.add.at(total, self.group[self.top], values[self.top])
        return total


def _group(block: Block, published: Bools) -> _Groups:
    withheld = ~published
    group = np.zeros(block.size, dtype=np.int64)
    # Pairs are ordered by child and parents have smaller numbers, so that a parent's group is known in time.
    for child, parent in zip(block.child.tolist(), block.parent.tolist(), strict=True):
        if withheld[child]:
            group[child] = parent if published[parent] else group[parent]
    top = block.child[withheld[block.child] & published[block.parent]]
    return _Groups(top, group, withheld, np.bincount(group[top], minlength=block.size))


def _fits_beside(groups: _Groups, layer: Layer) -> Bools:
    """Say, for each top cell, whether all of the residual can be in the other cells of its group.

    Nothing stands in the way but the base: a cell holds at most its people. Where their number is published, that is
    that; withheld numbers of people belong to one group of the base, so that all of these people may be in any one cell
    of it, and in none of them.
    """
    of_top = groups.group[groups.top]
    if layer.base is None:
        return np.ones(len(groups.top), dtype=np.bool_)
    own = np.where(layer.base.published, layer.upper, 0)
    return np.asarray(groups.sum(layer.upper)[of_top] - own[groups.top] >= groups.sum(layer.values)[of_top])


def _is_small(protection: Protection, groups: _Groups) -> Bools:
    """Say, by margin, whether the residual below it may be about too few people.

    People do not add up, so that a bound needs one cell within the residual that has enough: a withheld category or
    margin, or the published margin itself where none of its parts is published.
    """
    block = protection.block
    most = np.zeros(block.size, dtype=np.int64)
    np.maximum.at(most, groups.group[groups.withheld], protection.heads[groups.withheld])
    is_whole = groups.members == np.bincount(block.parent, minlength=block.size)
    return np.asarray((most < protection.threshold) & ~is_whole)
