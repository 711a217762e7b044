"""The set of event keys: exactly a set, in order of arrival, also where first halves collide."""

from __future__ import annotations

import hashlib
import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorum.intake.seen import Keys, SeenKeys, keys_of

SMALL_KEYS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=20)


def as_keys(pairs: list[tuple[int, int]]) -> Keys:
    return np.array(pairs, dtype=np.uint64).reshape(-1, 2).T


@given(chunks=st.lists(SMALL_KEYS, max_size=8))
def test_new_keys_are_those_that_a_plain_set_calls_new(chunks: list[list[tuple[int, int]]]) -> None:
    seen, plain = SeenKeys(), set()
    for chunk in chunks:
        expected = []
        for key in chunk:
            expected.append(key not in plain)
            plain.add(key)
        assert seen.add_new(as_keys(chunk)).tolist() == expected
    everything = [(high, low) for high in range(4) for low in range(4)]
    assert seen.contains(as_keys(everything)).tolist() == [key in plain for key in everything]


@given(stored=SMALL_KEYS, asked=SMALL_KEYS)
def test_added_keys_are_contained(stored: list[tuple[int, int]], asked: list[tuple[int, int]]) -> None:
    seen = SeenKeys()
    seen.add(as_keys(stored))
    assert seen.contains(as_keys(asked)).tolist() == [key in set(stored) for key in asked]


def test_a_key_is_all_128_bits_of_its_text() -> None:
    texts = [hashlib.sha256(bytes([n])).hexdigest()[:32] for n in range(50)]
    column = pa.chunked_array([texts[:20], [], texts[20:]], pa.string()).slice(3)
    expected = [(int(text[:16], 16), int(text[16:], 16)) for text in texts[3:]]
    assert [tuple(pair) for pair in keys_of(column).T.tolist()] == expected
    assert keys_of(pa.chunked_array([], pa.string())).shape == (2, 0)


def test_a_text_of_another_length_is_no_key() -> None:
    with pytest.raises(pa.ArrowInvalid):
        keys_of(pa.chunked_array([["abc"]]))


def test_one_identity_sent_a_million_times_is_one_key_in_no_time() -> None:
    began = time.perf_counter()
    is_new = SeenKeys().add_new(np.ones((2, 1_000_000), np.uint64))
    assert is_new.sum() == 1
    assert is_new[0]
    assert time.perf_counter() - began < 5
