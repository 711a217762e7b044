"""Whole columns of fields of regular lines, read as `access_fields` reads one field; repeated texts are read once.

What belongs here: the same meaning, many fields at a time. What does not: where fields stand (`access_scan`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quorum.intake import access_fields as fields
from quorum.intake.addresses import CLOSED_IPV4, IPV4
from quorum.intake.lines import Positions, slices

Codes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Looks = npt.NDArray[np.int8]

_NAMES = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_MONTHS = np.array([name[0] << 16 | name[1] << 8 | name[2] for name in _NAMES])
_TIME_PATTERN = b"00/???/0000:00:00:00 ?0000"
_COOKIE_PREFIX = f"{fields.COOKIE_NAME}=".encode()
_LOOKS = ("none", "cookie", "forwarded", "other")
_NONE, _COOKIE, _FORWARDED, _OTHER = range(4)


def present(codes: Codes, start: Positions, end: Positions) -> Mask:
    """Whether slices of a block are a value, that is neither empty nor ``-``."""
    is_dash = codes.take(start, mode="clip") == ord("-")
    is_present: Mask = (end > start) & ~((end == start + 1) & is_dash)
    return is_present


# -- time ------------------------------------------------------------------------------------------------------------


def instants(time: Codes) -> tuple[npt.NDArray[np.int64], Mask]:
    """Read times such as ``21/Nov/2026:01:02:03 +0900``, a column each.

    Args:
        time: 26 rows of character codes.

    Returns:
        Microseconds since 1970 UTC, and whether it is such a time, in full, of a date that exists.
    """
    digit = time.astype(np.int64) - ord("0")
    mask = np.ones(time.shape[1], dtype=np.bool_)
    for row, expected in enumerate(_TIME_PATTERN):
        if expected == ord("0"):
            mask &= (digit[row] >= 0) & (digit[row] <= 9)
        elif expected != ord("?"):
            mask &= time[row] == expected
    month, is_month = _months(time)
    sign = np.where(time[21] == ord("-"), -1, 1)
    day, year = _two(digit, 0), _two(digit, 7) * 100 + _two(digit, 9)
    hour, minute, second = _two(digit, 12), _two(digit, 15), _two(digit, 18)
    hours, minutes = _two(digit, 22), _two(digit, 24)
    mask &= is_month & ((sign < 0) | (time[21] == ord("+")))
    mask &= (year >= fields.FIRST_YEAR) & (year <= fields.LAST_YEAR) & (day >= 1)
    mask &= (hour <= 23) & (minute <= 59) & (second <= 59) & (hours <= 23) & (minutes <= 59)
    months = np.where(mask, (year - 1970) * 12 + month, 0).astype("datetime64[M]")
    first, following = (m.astype("datetime64[D]").astype(np.int64) for m in (months, months + 1))
    mask &= day <= following - first
    seconds = ((first + day - 1) * 24 + hour) * 3600 + minute * 60 + second - sign * (hours * 60 + minutes) * 60
    return seconds * 1_000_000, mask


def _two(digit: npt.NDArray[np.int64], row: int) -> npt.NDArray[np.int64]:
    number: npt.NDArray[np.int64] = digit[row] * 10 + digit[row + 1]
    return number


def _months(time: Codes) -> tuple[npt.NDArray[np.int64], Mask]:
    """Return months from 0, and whether the three letters are a month's name as logs write it."""
    order = np.argsort(_MONTHS)
    name = time[3].astype(np.int64) << 16 | time[4].astype(np.int64) << 8 | time[5]
    found: Positions = order.take(np.searchsorted(_MONTHS, name, sorter=order), mode="clip")
    is_month: Mask = _MONTHS[found] == name
    return found, is_month


# -- distinct texts --------------------------------------------------------------------------------------------------


def methods(texts: pa.Array) -> tuple[pa.Array, Mask]:
    """Return methods as text, and whether each is one."""
    distinct = texts.cast(pa.string()).dictionary_encode()
    is_method = [fields.request_of(f"{text} / HTTP/1.1")[0] == text for text in distinct.dictionary.to_pylist()]
    return distinct.cast(pa.string()), _each(distinct, pa.array(is_method, pa.bool_()))


def clients(texts: pa.Array) -> tuple[pa.Array, Mask]:
    """Read first fields: return the public address of each, null if it has none, and whether it is such a field."""
    distinct = texts.cast(pa.string()).dictionary_encode()
    addresses = leading_addresses(distinct.dictionary)
    others = pc.is_null(addresses)
    read = [fields.first_field_address(f"{text} - -") for text in distinct.dictionary.filter(others).to_pylist()]
    addresses = pc.replace_with_mask(addresses, others, pa.array([found and found[0] for found in read], pa.string()))
    is_field = pc.replace_with_mask(
        pc.invert(others), others, pa.array([found is not None for found in read], pa.bool_())
    )
    return addresses.take(distinct.indices), _each(distinct, is_field)


def leading_addresses(values: pa.Array) -> pa.Array:
    """Return the first address of each list of plain IPv4 addresses that begins with a public one, null for others."""
    first = pc.struct_field(pc.extract_regex(values, f"^(?P<first>{IPV4})(?:[, ]+{IPV4})*$"), "first")
    return pc.if_else(pc.match_substring_regex(first, f"^(?:{CLOSED_IPV4})$"), None, first)


def _each(distinct: pa.DictionaryArray, values: pa.Array) -> Mask:
    each: Mask = values.take(distinct.indices).to_numpy(zero_copy_only=False)
    return each


# -- cookie and forwarded list ---------------------------------------------------------------------------------------


class Extra(NamedTuple):
    """What the quoted fields after the user agent say.

    Args:
        cookie_id: the portal's cookie.
        third_parties: names of the other cookies.
        forwarded: first public address of the forwarded list.
        is_known: whether the fields are a cookie field and a forwarded list.
    """

    cookie_id: pa.Array
    third_parties: pa.Array
    forwarded: pa.Array
    is_known: Mask


def extras(
    number: Positions, block: bytes, third: Positions, third_end: Positions, fourth: Positions, fourth_end: Positions
) -> Extra:
    """Read the third and fourth quoted fields of lines.

    Args:
        number: quotes in each line: 8 if it has a third field, 10 if it has a fourth too.
        block: the bytes.
        third: position of the quote that opens the third field.
        third_end: position of the quote that closes it.
        fourth: position of the quote that opens the fourth field.
        fourth_end: position of the quote that closes it.
    """
    one, two = np.flatnonzero(number == 8), np.flatnonzero(number == 10)
    with_third = np.flatnonzero(number >= 8)
    look3, cookie3, names3, forwarded3 = _read(block, third[with_third] + 1, third_end[with_third])
    look4, _, _, forwarded4 = _read(block, fourth[two] + 1, fourth_end[two])
    is_known = np.ones(len(number), dtype=np.bool_)
    is_two = number[with_third] == 10
    is_known[one] = look3[~is_two] != _OTHER
    is_known[two] = np.isin(look3[is_two], (_COOKIE, _NONE)) & (look4 != _COOKIE)
    forwarded = pa.concat_arrays([forwarded3.filter(pa.array(~is_two)), forwarded4])
    return Extra(
        _scattered(cookie3, with_third, len(number)),
        _scattered(names3, with_third, len(number)),
        _scattered(forwarded, np.concatenate([one, two]), len(number)),
        is_known,
    )


def _read(block: bytes, start: Positions, end: Positions) -> tuple[Looks, pa.Array, pa.Array, pa.Array]:
    """Return look, portal's cookie, names of other cookies and forwarded address of fields.

    A header with the portal's cookie alone is not even read.
    """
    codes = np.frombuffer(block, np.uint8)
    value = start + len(_COOKIE_PREFIX)
    alone = end > value
    for n, expected in enumerate(_COOKIE_PREFIX):
        alone &= codes.take(start + n, mode="clip") == expected
    if alone.any():
        alone &= ~(_contains(codes, b";", start, end) | _contains(codes, b" ", start, end))
    cookies = slices(block, np.where(alone, value, end), end, present(codes, value, end) & alone).cast(pa.string())
    other = np.flatnonzero(~alone)
    look, cookie_id, names, forwarded = _read_distinct(slices(block, start[other], end[other]))
    looks = np.full(len(start), _COOKIE, dtype=np.int8)
    looks[other] = look
    return (
        looks,
        pc.coalesce(cookies, _scattered(cookie_id, other, len(start))),
        _scattered(names, other, len(start)),
        _scattered(forwarded, other, len(start)),
    )


def _read_distinct(texts: pa.Array) -> tuple[Looks, pa.Array, pa.Array, pa.Array]:
    distinct = texts.cast(pa.string()).dictionary_encode()
    values, index = distinct.dictionary, distinct.indices
    addresses = leading_addresses(values)
    is_list, is_cookie = pc.is_valid(addresses), pc.match_substring(values, "=")
    others = pc.invert(pc.or_(is_list, is_cookie))
    rest = values.filter(others).to_pylist()
    looks = np.where(is_list.to_numpy(zero_copy_only=False), _FORWARDED, _COOKIE).astype(np.int8)
    looks[others.to_numpy(zero_copy_only=False)] = [_LOOKS.index(fields.look_of(text)) for text in rest]
    read = pa.array([fields.forwarded_address(text) for text in rest], pa.string())
    forwarded = pc.replace_with_mask(addresses, others, read)
    cookies, names = portal_cookies(values), third_parties(values)
    return looks.take(index.to_numpy(), mode="clip"), cookies.take(index), names.take(index), forwarded.take(index)


def portal_cookies(values: pa.Array) -> pa.Array:
    """Return the portal's cookie of each cookie header, as `access_fields.cookie_id` reads it; null without one."""
    pattern = rf"(?:^|;)[ \t]*{fields.COOKIE_NAME}[ \t]*=(?P<value>[^;]*)"
    found = pc.struct_field(pc.extract_regex(values, pattern), "value")
    value = pc.utf8_trim(pc.utf8_trim(found, characters=" \t"), characters='"')
    return pc.if_else(pc.is_in(value, pa.array(["", "-"])), None, value)


def third_parties(values: pa.Array) -> pa.Array:
    """Return the names of the other cookies of each cookie header, as `access_fields.third_parties` gives them."""
    alone = pc.match_substring_regex(values, f"^{fields.COOKIE_NAME}=[^;]*$")
    read = [
        None if is_alone else fields.third_parties(text or "")
        for is_alone, text in zip(alone.to_pylist(), values.to_pylist(), strict=True)
    ]
    return pa.array(read, pa.string())


def _contains(codes: Codes, character: bytes, start: Positions, end: Positions) -> Mask:
    positions = np.flatnonzero(codes == ord(character))
    contains: Mask = np.searchsorted(positions, start) < np.searchsorted(positions, end)
    return contains


def _scattered(values: pa.Array, positions: Positions, length: int) -> pa.Array:
    """Return an array of the given length with the values at their positions, null elsewhere."""
    index, is_empty = np.zeros(length, dtype=np.int64), np.ones(length, dtype=np.bool_)
    index[positions], is_empty[positions] = np.arange(len(positions)), False
    return values.take(pa.array(index, mask=is_empty))
