"""Fields: instants against Python's own reading, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorum.engine.duck import DuckEngine
from quorum.intake import fields as f

NIGHT = date(2026, 11, 21)
TOKYO = ZoneInfo("Asia/Tokyo")


def evaluate(engine: DuckEngine, expression: str, texts: list[str | None]) -> list[object]:
    rows: list[object] = engine.query(
        f"SELECT {expression} AS found FROM record", {"record": pa.table({"x": pa.array(texts, pa.string())})}
    )["found"].to_pylist()
    return rows


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T10:00:00+09:00", "2026-11-21 01:00:00"),
        ("2026-11-21T10:00:00Z", "2026-11-21 10:00:00"),
        ("2026-11-21t10:00:00z", "2026-11-21 10:00:00"),
        ("2026-11-21 10:00:00+0900", "2026-11-21 01:00:00"),
        ("2026-11-21T10:00+09", "2026-11-21 01:00:00"),
        ("2026-11-21T10:00:00.5-00:30", "2026-11-21 10:30:00.500000"),
        ("2026-11-21T10:00:00,123456789Z", "2026-11-21 10:00:00.123456"),
        ("2026-11-21T10:00:00.9999999Z", "2026-11-21 10:00:00.999999"),
        ("2026-11-21T10:00:00", None),
        ("2026-11-21T10:00:00 +09:00", None),
        ("2026-11-21", None),
        ("2026-11-21T25:00:00Z", None),
        ("2026-11-21T10:00:61Z", None),
        ("2026-02-30T10:00:00Z", None),
        ("2026-11-21T10:00:00+24:00", None),
        ("2026-11-21T10:00:00+09:99", None),
        ("1969-12-31T00:00:00Z", None),
        ("9999-12-31T00:00:00Z", None),
        ("20261121T100000Z", None),
        ("1795255200", None),
        ("infinity", None),
        ("２０２６-11-21T10:00:00Z", None),
        ("", None),
        (None, None),
    ],
)
def test_an_instant(engine: DuckEngine, text: str | None, expected: str | None) -> None:
    (found,) = evaluate(engine, f.at(f.micros("x")), [text])
    assert found == (None if expected is None else datetime.fromisoformat(expected))


@settings(max_examples=50, deadline=None)
@given(
    instants=st.lists(
        st.tuples(
            st.datetimes(datetime.fromisoformat("1970-01-03"), datetime.fromisoformat("2199-12-29")),
            st.integers(-23 * 60 - 59, 23 * 60 + 59),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_instants_dates_and_hours_are_those_of_the_civil_calendar(
    engine: DuckEngine, instants: list[tuple[datetime, int]]
) -> None:
    zoned = [at.replace(tzinfo=timezone(timedelta(minutes=offset))) for at, offset in instants]
    texts: list[str | None] = [at.isoformat() for at in zoned]
    assert evaluate(engine, f.at(f.micros("x")), texts) == [at.astimezone(UTC).replace(tzinfo=None) for at in zoned]
    assert evaluate(engine, f.tokyo_date(f.micros("x")), texts) == [at.astimezone(TOKYO).date() for at in zoned]
    assert evaluate(engine, f.tokyo_hour(f.micros("x")), texts) == [at.astimezone(TOKYO).hour for at in zoned]


@pytest.mark.parametrize(
    ("days", "is_bad"), [(-3000, False), (0, False), (f.WAITING_DAYS, False), (f.WAITING_DAYS + 1, True)]
)
def test_an_event_may_wait_a_year(engine: DuckEngine, days: int, is_bad: bool) -> None:
    text = f"{NIGHT + timedelta(days=days)}T12:00:00+09:00"
    assert evaluate(engine, f.bad_instant(f.micros("x"), NIGHT).is_bad, [text]) == [is_bad]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0), ("5.00", 5), ("9223372036854775807", 2**63 - 1), ("9223372036854775808", None), ("-1", None),
        ("1e3", None), ("5.5", None), ("", None), ("12345678901234567890", None), ("٣", None), (None, None),
    ],
)  # fmt: skip
def test_a_count(engine: DuckEngine, text: str | None, expected: int | None) -> None:
    assert evaluate(engine, f.count("x"), [text]) == [expected]


def test_a_civil_date(engine: DuckEngine) -> None:
    texts: list[str | None] = ["1990-02-28", "1990-02-30", "1990/02/28", "90-02-28", "", None, "1990-02-28T00:00Z"]
    assert evaluate(engine, f.civil_date("x"), texts) == [date(1990, 2, 28), *[None] * 6]


@pytest.mark.parametrize("text", ["campaign 7", "taro@example.com", "x" * 65, "", "山", "a/b", "a\n"])
def test_what_is_no_code(engine: DuckEngine, text: str) -> None:
    assert evaluate(engine, f.bad_code("x").is_bad, [text, "c-7_a.b:C", None]) == [True, False, None]


@pytest.mark.parametrize("text", ["a\0b", "a\nb", "a\x7f", "a\ufffd", "x" * 1025])
def test_what_is_no_identity(engine: DuckEngine, text: str) -> None:
    assert evaluate(engine, f.bad_identity("x").is_bad, [text, "山 7/x", "x" * 1024]) == [True, False, False]


def test_a_text_that_says_that_there_is_none_is_none(engine: DuckEngine) -> None:
    assert evaluate(engine, f.present("x"), ["", "-", "a-b", None, "a\0b"]) == [None, None, "a-b", None, "a\ufffdb"]


def test_the_first_check_that_fits_gives_the_reason(engine: DuckEngine) -> None:
    statement = f.judging_statement({"y": "x"}, [f.Check("x = 'a'", "first"), f.Check("x IN ('a', 'b')", "second")])
    rows = pa.table({"line_n": [1, 2, 3, 4], "x": ["a", "b", "c", None]})
    assert engine.query(statement, {"record": rows})["reason"].to_pylist() == ["first", "second", None, None]
