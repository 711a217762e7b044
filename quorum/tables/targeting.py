"""What public targeting leaves of a dimension: categories that a campaign can have, and those that are 0 beforehand.

What belongs here: reading a targeting on the public categories of a table. What does not: numbers; how events outside a
targeting are counted (`quorum.disclosure.targeting`), and what a reader makes of it (`quorum.audit`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quorum.tables.shape import Dimension, TableShape

UNKNOWN = "unknown"
"""The category that every targeted dimension has besides: who is outside the targeting is counted there."""

Targets = Mapping[str, tuple[str, ...]]
"""Column to the categories that are targeted, without ``unknown``; a column without an entry is not targeted."""

Targeting = Mapping[str, Targets]
"""Key of the report (campaign) to what it targets."""

NOTHING: Targets = {}


def listed_targets(targets: Mapping[str, Sequence[str]], categories: Mapping[str, Sequence[str]]) -> Targets:
    """Return a targeting in categories of the key sets, in their order.

    Args:
        targets: column to what the catalogue says.
        categories: column to its key set.

    Returns:
        Columns of which at least one category is known; a column of which none is says nothing.

    Example:
        >>> listed_targets({"gender": ["male", "x"], "age_band": ["?"]}, {"gender": ["female", "male", "unknown"]})
        {'gender': ('male',)}
    """
    found = {
        column: tuple(key for key in categories.get(column, ()) if key in said and key != UNKNOWN)
        for column, said in targets.items()
    }
    return {column: keys for column, keys in found.items() if keys}


def is_aimed(dimension: Dimension, targets: Targets) -> bool:
    """Say whether a targeting restricts a dimension: its finest column is targeted and it has ``unknown``."""
    return dimension.levels[-1] in targets and any(path[-1] == UNKNOWN for path in dimension.keys)


def aim(dimension: Dimension, targets: Targets) -> Dimension:
    """Return a dimension with the categories that a campaign can have: those targeted, and ``unknown``.

    Args:
        dimension: any.
        targets: of the campaign.

    Returns:
        The dimension itself where it is not targeted.
    """
    return _aim(dimension, tuple(targets[dimension.levels[-1]])) if is_aimed(dimension, targets) else dimension


@lru_cache(maxsize=4096)
def _aim(dimension: Dimension, targeted: tuple[str, ...]) -> Dimension:
    kept = {UNKNOWN, *targeted}
    return replace(dimension, keys=tuple(path for path in dimension.keys if path[-1] in kept))


def named_n(table: TableShape, targeting: Targeting) -> Iterator[int]:
    """Yield for every row how many categories it names beside the report's key.

    A category without a sibling is its margin's own, and so is one that targeting leaves without; 0 where a row is
    excluded.
    """
    key, *others = table.dimensions
    for coordinate, depth in zip(key.coordinates(), key.depths(), strict=True):
        targets = targeting.get(coordinate[0], NOTHING)
        inner = [_depths(dimension, aim(dimension, targets)) for dimension in others]
        for parts in product(*inner):
            yield 0 if -1 in parts else depth - 1 + sum(parts)


def excluded(table: TableShape, targeting: Targeting) -> list[bool]:
    """Return for every row whether it names a category outside the targeting of its campaign: it is 0 beforehand.

    Args:
        table: its shape; the report's key is its first column.
        targeting: of the package.
    """
    key, *others = table.dimensions
    found: list[bool] = []
    for coordinate in key.coordinates():
        targets = targeting.get(coordinate[0], NOTHING)
        inner = [_depths(dimension, aim(dimension, targets)) for dimension in others]
        found.extend(-1 in parts for parts in product(*inner))
    return found


@lru_cache(maxsize=4096)
def _depths(dimension: Dimension, aimed: Dimension) -> tuple[int, ...]:
    """Return for every coordinate how many categories it names; -1 for one that targeting excludes."""
    depth_of = dict(zip(aimed.coordinates(), aimed.depths(), strict=True))
    return tuple(depth_of.get(coordinate, -1) for coordinate in dimension.coordinates())
