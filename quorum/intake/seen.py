"""Which event keys were seen: a set of 128-bit keys for tens of millions of events a night.

Keys arrive in chunks. A chunk is sorted and looked up in the sorted runs of the chunks before; runs of similar size are
merged, so there are never more than a logarithm of them. 16 bytes a key, no Python object for any.

What belongs here: membership, in order of arrival. What does not: what a key is made of, and where events are stored.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Keys = npt.NDArray[np.uint64]
"""Shape (2, n): the first halves of all keys, then the second."""
Flags = npt.NDArray[np.bool_]

_CHARACTERS = 32
_NIBBLES = np.zeros(256, np.uint8)
_NIBBLES[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16, dtype=np.uint8)


def keys_of(column: pa.ChunkedArray) -> Keys:
    """Return the keys of a column of texts of 32 lower-case hexadecimal characters, none null.

    Raises:
        pyarrow.ArrowInvalid: a text has another length.
    """
    texts = pa.chunked_array(column.cast(pa.binary()).cast(pa.binary(_CHARACTERS)).chunks, pa.binary(_CHARACTERS))
    array = pa.concat_arrays([pa.array([], pa.binary(_CHARACTERS)), *texts.chunks])
    characters = np.frombuffer(array.buffers()[1] or b"", dtype=np.uint8)[: len(array) * _CHARACTERS]
    nibbles = _NIBBLES[characters].reshape(-1, _CHARACTERS)
    halves = ((nibbles[:, ::2] << 4) | nibbles[:, 1::2]).view(">u8")
    return np.ascontiguousarray(halves.T, dtype=np.uint64)


class SeenKeys:
    """A growing set of keys."""

    def __init__(self) -> None:
        self._runs: list[Keys] = []  # each ascends by first halves

    def add(self, keys: Keys) -> None:
        """Put keys into the set; keys that are in it already do no harm."""
        self._add_run(keys[:, np.argsort(keys[0])])

    def add_new(self, keys: Keys) -> Flags:
        """Put keys into the set and return which are new: not in it, and not earlier in the same array."""
        order = np.argsort(keys[0], kind="stable")  # equal keys keep their order of arrival
        ascending = keys[:, order]
        is_new = ~(self._contain(ascending) | _are_repeated(ascending))
        self._add_run(ascending[:, is_new])
        flags = np.empty(len(order), np.bool_)
        flags[order] = is_new
        return flags

    def contains(self, keys: Keys) -> Flags:
        """Return which keys are in the set."""
        order = np.argsort(keys[0])
        flags = np.empty(len(order), np.bool_)
        flags[order] = self._contain(keys[:, order])
        return flags

    def _contain(self, ascending: Keys) -> Flags:
        """Look up keys in ascending order: that goes through each run once."""
        found = np.zeros(ascending.shape[1], np.bool_)
        for run in self._runs:
            found |= _are_in(run, ascending)
        return found

    def _add_run(self, ascending: Keys) -> None:
        if ascending.size:
            self._runs.append(ascending)
        while len(self._runs) > 1 and 2 * self._runs[-1].size >= self._runs[-2].size:
            both = np.concatenate([self._runs[-2], self._runs[-1]], axis=1)
            self._runs[-2:] = [both[:, np.argsort(both[0], kind="stable")]]


def _are_repeated(ascending: Keys) -> Flags:
    """Return which keys stand earlier in the array; equal keys have equal first halves, so they are near."""
    repeated = np.zeros(ascending.shape[1], np.bool_)
    candidates, distance = np.arange(1, ascending.shape[1]), 1
    while candidates.size:
        candidates = candidates[ascending[0, candidates] == ascending[0, candidates - distance]]
        repeated[candidates] |= ascending[1, candidates] == ascending[1, candidates - distance]
        distance += 1
        candidates = candidates[~repeated[candidates] & (candidates >= distance)]
    return repeated


def _are_in(run: Keys, ascending: Keys) -> Flags:
    """Look keys up in a run; entries of the same first half, next to each other, are looked at one by one."""
    found = np.zeros(ascending.shape[1], np.bool_)
    at = np.searchsorted(run[0], ascending[0])
    candidates = np.flatnonzero(at < run.shape[1])
    while candidates.size:
        candidates = candidates[run[0, at[candidates]] == ascending[0, candidates]]
        found[candidates] |= run[1, at[candidates]] == ascending[1, candidates]
        at[candidates] += 1
        candidates = candidates[~found[candidates] & (at[candidates] < run.shape[1])]
    return found
