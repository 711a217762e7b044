"""Text made by the million equals text made one by one; draws are what their weights say."""

from __future__ import annotations

import ipaddress
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa

from quorum.sample.draw import SPREAD, Wheel, hashed, scramble, spread, stream
from quorum.sample.text import as_bytes, clf, digits, fixed, hexadecimal, ipv4, iso, join, pick

JST = timezone(timedelta(hours=9))
DAY = date(2026, 3, 1)
MS = np.array([0, 1, 3_599_999, 43_200_123, 86_399_999, 86_400_000, 90_000_001, -1, -1_200_000], dtype=np.int64)


def moments() -> list[datetime]:
    midnight = datetime(DAY.year, DAY.month, DAY.day, tzinfo=JST)
    return [midnight + timedelta(milliseconds=int(ms)) for ms in MS]


def test_iso_instants_cross_midnight_and_month() -> None:
    assert iso(DAY, MS).to_pylist() == [each.isoformat(timespec="milliseconds") for each in moments()]


def test_log_instants_cross_midnight_and_month() -> None:
    assert clf(DAY, MS).to_pylist() == [f"{each:%d/%b/%Y:%H:%M:%S %z}" for each in moments()]


def test_no_rows_give_no_text() -> None:
    none = np.array([], dtype=np.int64)
    assert iso(DAY, none).to_pylist() == []
    assert as_bytes(join("a", clf(DAY, none))).to_pybytes() == b""


def test_digits_hexadecimal_and_addresses() -> None:
    values = np.array([0, 7, 255, 65_536, 99_999_999], dtype=np.int64)
    assert fixed(digits(values, 8)).to_pylist() == [f"{value:08}" for value in values.tolist()]
    assert fixed(hexadecimal(values.astype(np.uint64), 10)).to_pylist() == [
        f"{value:010x}" for value in values.tolist()
    ]
    numbers = np.array([0, 1, 0xC0000201, 0xFFFFFFFF], dtype=np.uint32)
    assert ipv4(numbers).to_pylist() == [str(ipaddress.IPv4Address(number)) for number in numbers.tolist()]


def test_joined_lines_lie_one_after_the_other_also_in_a_slice() -> None:
    lines = join(pick(["a", "びわ", ""], np.array([0, 1, 2, 1])), "-", pa.array(["1", "2", "3", "4"]), "\n")
    assert as_bytes(lines).to_pybytes().decode() == "a-1\nびわ-2\n-3\nびわ-4\n"
    assert as_bytes(lines.slice(1, 2)).to_pybytes().decode() == "びわ-2\n-3\n"


def test_scrambled_numbers_never_collide_and_depend_on_the_seed() -> None:
    numbers = np.concatenate([np.arange(300_000), np.arange(1 << 39, (1 << 39) + 300_000)])
    mixed = scramble(numbers, 5)
    assert len(np.unique(mixed)) == len(numbers)
    assert int(mixed.max()) < 1 << 40
    assert not np.array_equal(mixed, scramble(numbers, 6))


def test_hashed_bits_are_even() -> None:
    bits = hashed(np.arange(100_000, dtype=np.int64), 3)
    for shift in range(0, 32, 4):
        counts = np.bincount((bits >> np.uint32(shift)) & np.uint32(15), minlength=16)
        assert counts.min() > 5_700
        assert counts.max() < 6_800


def test_draws_follow_their_weights() -> None:
    weights = [1, 0, 2, 5]
    drawn = np.bincount(Wheel(weights).draw(stream(1, "wheel"), 80_000), minlength=4)
    assert drawn[1] == 0
    assert np.all(np.abs(drawn - np.array([10_000, 0, 20_000, 50_000])) < 700)
    shared = np.bincount(spread([weights])[0], minlength=4)
    assert shared.tolist() == [SPREAD // 8, 0, SPREAD // 4, SPREAD * 5 // 8]


def test_streams_of_different_topics_and_days_differ() -> None:
    drawn = {
        tuple(stream(seed, topic, number).integers(0, 1 << 30, 4).tolist())
        for seed in (1, 2)
        for topic in ("a", "b")
        for number in (0, 1)
    }
    assert len(drawn) == 8
