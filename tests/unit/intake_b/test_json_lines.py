"""JSON lines: the fast reading and the careful one say the same, and no line takes another with it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorum.engine.duck import DuckEngine
from quorum.intake import json_lines
from quorum.intake.batches import Batch, Declared, Format
from quorum.intake.files import LINE_LIMIT
from quorum.intake.json_lines import NotARecordError, json_batches, read_line

DECLARED = Declared(
    fields=("event_id", "count", "tags"),
    dropped=("page_url",),
    formats=frozenset({Format.JSON}),
    numbers=frozenset({"count"}),
    lists=frozenset({"tags"}),
)
LINES = [
    (b'{"event_id": "a"}', {"event_id": "a"}),
    (b'{"event_id": "a", "count": null, "page_url": "/x?y=1"}', {"event_id": "a"}),
    (b'{"event_id": 17}', {"event_id": "17"}),
    (b'{"event_id": 123456789012345678901234567890}', {"event_id": "123456789012345678901234567890"}),
    (b'{"event_id": -0}', {"event_id": "0"}),
    (b' \t{ "event_id" : "a" } \r', {"event_id": "a"}),
    (b'{"event_id": "a" }', {"event_id": "a"}),
    (b'{"event_id": "\\u5c71\\ud83d\\ude00"}', {"event_id": "山😀"}),
    (b'{"event_id": "\\ud800x"}', {"event_id": "\ufffdx"}),
    (b'{"event_id": "a\\u0000b"}', {"event_id": "a\0b"}),
    (b'{"event_id": "a", "page_url": "\\udfff"}', {"event_id": "a"}),
    (b'{"event_id": "{}", "tags": ",}"}', {"event_id": "{}", "tags": ",}"}),
    (b'{"count": 5.0}', {"count": "5.0"}),
    (b'{"tags": ["x", "y"]}', {"tags": "x;y"}),
    (b"{}", {}),
    (b"", "empty"),
    (b" \t\r", "empty"),
    (b"hello", "not_json"),
    (b'{"event_id": "a",}', "not_json"),
    (b'{"event_id": "a", }', "not_json"),
    (b'{"count": NaN}', "not_json"),
    (b'{"count": -Infinity}', "not_json"),
    (b'{"event_id": "a"} {"event_id": "b"}', "not_json"),
    (b'{"event_id": "a"', "not_json"),
    (b'{"event_id": 007}', "not_json"),
    (b'{"event_id": "\t"}', "not_json"),
    (b'{"event_id": "\xff"}', "not_json"),
    (b'\xef\xbb\xbf{"event_id": "a"}', "not_json"),
    (b"[" * 100_000, "not_json"),
    (b'{"count": ' + b"9" * 10_000 + b"}", {"count": "9" * 10_000}),
    (b'[{"event_id": "a"}]', "not_an_object"),
    (b'"event_id"', "not_an_object"),
    (b"17", "not_an_object"),
    (b"null", "not_an_object"),
    (b'{"event_id": "a", "password": "x"}', "undeclared"),
    (b'{"event_id": "a", "password": null}', "undeclared"),
    (b'{"event_id": "a", "event_id": "b"}', "bad_value"),
    (b'{"event_id": "a", "page_url": "x", "page_url": "y"}', "bad_value"),
    (b'{"event_id": 1.5}', "bad_value"),
    (b'{"event_id": true}', "bad_value"),
    (b'{"event_id": {"a": 1}}', "bad_value"),
    (b'{"event_id": ["a"]}', "bad_value"),
    (b'{"tags": ["x", 1]}', {"tags": "x;1"}),
    (b'{"tags": ["x", null]}', "bad_value"),
    (b'{"event_id": "' + b"x" * LINE_LIMIT + b'"}', "too_long"),
]


def whole(record: dict[str, str]) -> dict[str, str | None]:
    return {name: record.get(name) for name in DECLARED.fields}


def read(block: bytes, engine: DuckEngine) -> tuple[dict[int, object], Batch]:
    """Return what became of each line, by number."""
    (batch,) = json_batches(iter([block]), DECLARED, engine)
    found: dict[int, object] = {row.pop("line_n"): row for row in batch.rows.to_pylist()}
    assert sorted(found) == batch.rows["line_n"].to_pylist()
    found.update((row["line_n"], row["reason"]) for row in batch.rejected.to_pylist())
    return found, batch


@pytest.mark.parametrize(("line", "expected"), LINES, ids=[str(n) for n in range(len(LINES))])
def test_what_becomes_of_a_line(engine: DuckEngine, line: bytes, expected: dict[str, str] | str) -> None:
    good = b'{"event_id": "good"}'
    found, _ = read(good + b"\n" + line + b"\n" + good + b"\n", engine)
    assert found == {
        1: whole({"event_id": "good"}),
        2: expected if isinstance(expected, str) else whole(expected),
        3: whole({"event_id": "good"}),
    }


def test_lines_of_one_block_do_not_disturb_each_other(engine: DuckEngine) -> None:
    found, batch = read(b"".join(line + b"\n" for line, _ in LINES), engine)
    assert batch.read == len(LINES)
    for number, (_, expected) in enumerate(LINES, start=1):
        assert found[number] == (expected if isinstance(expected, str) else whole(expected)), number


def test_regular_lines_never_meet_the_careful_reader(engine: DuckEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The careful reader takes twenty times as long: a night of ten million lines must not depend on it."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(json_lines, "read_line", refuse)
    records = [{"event_id": "山" * (n % 7), "count": n, "tags": None, "page_url": "/,}"} for n in range(3)]
    compact = [json.dumps(record, separators=(",", ":"), ensure_ascii=False) for record in records]
    found, _ = read("\n".join([*map(json.dumps, records), *compact, '{ "event_id": "a" }\r']).encode(), engine)
    assert len(found) == 7


def test_rejected_lines_are_kept_as_received_and_others_can_be_asked_for(engine: DuckEngine) -> None:
    _, batch = read(b'{"event_id":"a"}\r\nbad \xff\n{"event_id":"c"}\n', engine)
    assert batch.rejected["line"].to_pylist() == [b"bad \xff"]
    assert batch.line_of(batch.rows["line_n"].combine_chunks()).to_pylist() == [
        b'{"event_id":"a"}',
        b'{"event_id":"c"}',
    ]


def test_line_numbers_go_on_from_block_to_block(engine: DuckEngine) -> None:
    batches = list(json_batches(iter([b'{"event_id":"a"}\nbad\n', b'bad\n{"event_id":"d"}']), DECLARED, engine))
    assert [batch.rows["line_n"].to_pylist() for batch in batches] == [[1], [4]]
    assert [batch.rejected["line_n"].to_pylist() for batch in batches] == [[2], [3]]


def test_a_byte_order_mark_belongs_to_the_first_line(engine: DuckEngine) -> None:
    found, _ = read(b'\xef\xbb\xbf{"event_id": "a"}\n', engine)
    assert found == {1: whole({"event_id": "a"})}


def test_a_last_line_that_breaks_off_is_truncated(engine: DuckEngine) -> None:
    found, _ = read(b'{"event_id": "a"}\n{"event_id": "b', engine)
    assert found[2] == "truncated"
    found, _ = read(b'{"event_id": "a"}\n{"event_id": "b"}', engine)
    assert found[2] == whole({"event_id": "b"})


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["\ud800", "\0", ",}", '":[', "\\"])
    | st.lists(st.text(max_size=3) | st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=2), st.integers(), max_size=1)
)
OBJECTS = st.dictionaries(st.sampled_from([*DECLARED.names, "other"]), VALUES, max_size=4)


@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(
        OBJECTS.map(lambda record: json.dumps(record).encode())
        | OBJECTS.map(lambda record: json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        | st.binary(max_size=12).map(lambda line: line.replace(b"\n", b""))
        | st.text('{}[]",: \\u0eE-1tfn', max_size=14).map(str.encode),
        min_size=1,
        max_size=12,
    )
)
def test_a_block_is_read_as_its_lines_are_one_by_one(engine: DuckEngine, lines: list[bytes]) -> None:
    found, _ = read(b"".join(line + b"\n" for line in lines), engine)
    for number, line in enumerate(lines, start=1):
        try:
            expected: object = read_line(line.removesuffix(b"\r"), DECLARED, is_first=number == 1)
        except NotARecordError as refusal:
            expected = str(refusal)
        assert found[number] == expected
