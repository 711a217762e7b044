"""Draws that come out the same on every machine: named random streams, integer weights, ids without collisions.

What belongs here: randomness. What does not: what is drawn. Only integers and comparisons are used, because logarithms
and sums of floats differ in the last bit from one processor to the next, and the sample must not.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Index = npt.NDArray[np.int32]
Small = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

SPREAD = 4096
_ID_MASK = np.uint64((1 << 40) - 1)


def stream(seed: int, topic: str, number: int = 0) -> np.random.Generator:
    """Return the random stream of a topic (and a day or part); streams do not depend on one another."""
    return np.random.default_rng([seed, zlib.crc32(topic.encode()), number])


class Wheel:
    """Draws categories in proportion to integer weights.

    Args:
        weights: one non-negative integer per category, not all zero.
    """

    def __init__(self, weights: Sequence[int] | Ints) -> None:
        self._upper = np.cumsum(np.asarray(weights, dtype=np.int64))

    def draw(self, rng: np.random.Generator, n: int) -> Ints:
        """Return `n` category numbers, int64."""
        points = rng.integers(0, self._upper[-1], n)
        return np.searchsorted(self._upper, points, side="right").astype(np.int64)


def spread(rows: Sequence[Sequence[int]]) -> Small:
    """Return for each row of integer weights `SPREAD` slots, shared out in proportion, for draws that depend on a row.

    Returns:
        uint8, shape (rows, SPREAD): the category of each slot; index it with a row and a number below `SPREAD`.
    """
    table = np.zeros((len(rows), SPREAD), dtype=np.uint8)
    for number, weights in enumerate(rows):
        upper = np.cumsum(np.asarray(weights, dtype=np.int64)) * SPREAD // sum(weights)
        table[number] = np.searchsorted(upper, np.arange(SPREAD), side="right")
    return table


def slots(rng: np.random.Generator, n: int) -> npt.NDArray[np.uint16]:
    """Return `n` slot numbers for a table made by `spread`."""
    return rng.integers(0, SPREAD, n, dtype=np.uint16)


def scramble(values: Ints, seed: int) -> npt.NDArray[np.uint64]:
    """Return different 40-bit numbers for different inputs below 2^40: each step can be undone, so none collide."""
    mixed = (values.astype(np.uint64) + np.uint64(seed % (1 << 32)) * np.uint64(2654435761)) & _ID_MASK
    for factor, shift in ((0x9E3779B97F, 21), (0xBF58476D1D, 19), (0x94D049BB13, 23)):
        mixed = (mixed * np.uint64(factor)) & _ID_MASK
        mixed ^= mixed >> np.uint64(shift)
    return mixed


def hashed(values: Ints, salt: int) -> npt.NDArray[np.uint32]:
    """Return 32 well-mixed bits per value: an attribute that follows from an identity and a day, not from a stream."""
    mixed = values.astype(np.uint64) + np.uint64(salt * 0x9E3779B97F4A7C15 % (1 << 64))
    for factor, shift in ((0xBF58476D1CE4E5B9, 30), (0x94D049BB133111EB, 27)):
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(factor)
    return (mixed >> np.uint64(32)).astype(np.uint32)
