"""`quorum policy lineage`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.cli import main

SCHEMA = b"CREATE TABLE u (id INTEGER, name VARCHAR);"
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def command(query: bytes, schema: bytes = SCHEMA) -> tuple[int, str]:
        (tmp_path / "schema.sql").write_bytes(schema)
        (tmp_path / "query.sql").write_bytes(query)
        with pytest.raises(SystemExit) as done:
            main(["policy", "lineage", "--schema", str(tmp_path / "schema.sql"), str(tmp_path / "query.sql")])
        return int(str(done.value.code)), capsys.readouterr().out

    return command


def test_it_prints_values_in_the_order_of_the_output_and_use(run: Run) -> None:
    code, printed = run("SELECT name AS 名前, id, count(*) AS a FROM u GROUP BY ALL".encode())
    assert code == 0
    assert printed == (
        '{"columns": {"名前": {"value": ["u.name"]}, "id": {"value": ["u.id"]}, "a": {"value": []}}, '
        '"use": ["u.id", "u.name"]}\n'
    )


def test_outputs_of_one_name_lose_nothing(run: Run) -> None:
    code, printed = run(b"SELECT id AS a, name AS a FROM u")
    assert (code, json.loads(printed)) == (0, {"columns": {"a": {"value": ["u.id", "u.name"]}}, "use": []})


def test_marks_of_order_and_ends_of_lines_do_not_matter(run: Run) -> None:
    mark = b"\xef\xbb\xbf"
    code, printed = run(mark + b"-- a name\r\nSELECT name\r\nFROM u;\r\n", mark + SCHEMA + b"\r\n")
    assert (code, json.loads(printed)) == (0, {"columns": {"name": {"value": ["u.name"]}}, "use": []})


@pytest.mark.parametrize(
    "query", [b"", b" \r\n", b"-- nothing", b";", b"SELECT 1; SELECT 2", b"DROP TABLE u", b"SELECT 1\0", b"SELEC"]
)
def test_what_is_not_one_select_is_refused(run: Run, query: bytes) -> None:
    code, printed = run(query)
    assert code == 13
    assert list(json.loads(printed)) == ["refused"]


def test_a_schema_that_cannot_be_read_is_refused(run: Run) -> None:
    code, printed = run(b"SELECT 1 AS one", b"CREATE TABLE (")
    assert code == 13
    assert list(json.loads(printed)) == ["refused"]


def test_text_that_is_no_text_is_a_wrong_call(run: Run) -> None:
    assert run(b"\xff\xfeS\0") == (2, "")
    assert run(b"SELECT 1", b"\x80") == (2, "")


@pytest.mark.parametrize("given", [["--schema", "none.sql", "none.sql"], ["none.sql"], ["--schema", "none.sql"]])
def test_files_that_are_not_there_are_a_wrong_call(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["policy", "lineage", *given])
    assert done.value.code == 2
    assert capsys.readouterr().out == ""
