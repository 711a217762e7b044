"""Small cases for each statement of ``sql/``, run on every engine: given rows of the parents, the rows expected.

A case file is ``cases/<table>.yaml``: ``defaults`` (columns of given rows, by relation) and ``cases`` (``case``,
``night``, ``given``: relation to rows, ``expect``: rows). A row is a mapping; columns that it leaves out are the
default, else null. ``times: n`` beside a row's columns gives it n times. Expected rows may name fewer columns than the
table has, the same in every row. ``!cookie``, ``!member``, ``!event``, ``!public`` and ``!browser [date, network,
agent]`` stand for keyed pseudonyms.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from spark_cases import on_spark

from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.keys import KeyRing
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.zones import Home

CASES = Path(__file__).parent / "cases"
KEYS = KeyRing(bytes(range(32)))
Run = Callable[[str, date, Mapping[str, pa.Table]], pa.Table]


def pseudonym(kind: str, message: str) -> str:
    return hmac.new(KEYS.derive(f"pseudonym/{kind}"), message.encode(), hashlib.sha256).hexdigest()[:32]


class Loader(yaml.SafeLoader):
    """YAML with pseudonyms."""


for _kind in ("cookie", "member", "event", "public"):
    Loader.add_constructor(f"!{_kind}", lambda loader, node, kind=_kind: pseudonym(kind, loader.construct_scalar(node)))
Loader.add_constructor(
    "!browser", lambda loader, node: pseudonym("browser", "|".join(map(str, loader.construct_sequence(node))))
)


@dataclass(frozen=True)
class Case:
    table: str
    name: str
    night: date
    given: Mapping[str, list[dict[str, Any]]]
    expect: list[dict[str, Any]]


def load_cases() -> Iterator[Case]:
    for path in sorted(CASES.glob("*.yaml")):
        document = yaml.load(path.read_text(encoding="utf-8"), Loader)
        defaults = document.get("defaults", {})
        for body in document["cases"]:
            given = {
                relation: [{**defaults.get(relation, {}), **row} for row in rows or ()]
                for relation, rows in body["given"].items()
            }
            yield Case(path.stem, body["case"], body.get("night", date(2026, 11, 21)), given, body["expect"] or [])


def as_table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    unknown = {name for row in rows for name in row} - {*schema.names, "times"}
    assert not unknown, f"no column {unknown}"
    repeated = [row for row in rows for _ in range(row.get("times", 1))]
    arrays = [pa.array([_value(row.get(field.name), field.type) for row in repeated], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _value(value: Any, kind: pa.DataType) -> Any:
    if pa.types.is_timestamp(kind) and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value


@pytest.fixture(scope="module", params=["duckdb", pytest.param("spark", marks=[pytest.mark.slow, pytest.mark.spark])])
def run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, policy: Policy
) -> Iterator[Run]:
    """An engine, as a function from table, night and given rows to rows; a new engine is a new branch here."""
    home = Home(tmp_path_factory.mktemp(request.param))
    if request.param == "spark":
        with on_spark(home, catalog, policy, KEYS) as select:
            yield select
        return
    engine = DuckEngine(Store(home, catalog, KEYS), policy, KEYS, memory_limit="500MB", threads=1)
    yield engine.run
    engine.close()


@pytest.mark.parametrize("case", list(load_cases()), ids=lambda case: f"{case.table}: {case.name}")
def test_spec(case: Case, run: Run, catalog: Catalog) -> None:
    contract = catalog[case.table]
    parents = {read.relation: catalog[read.table].arrow_schema() for read in contract.reads}
    assert set(case.given) <= set(parents), "a relation that the statement does not read"
    given = {name: as_table(case.given.get(name, []), schema) for name, schema in parents.items()}
    found = run(case.table, case.night, given)
    columns = [name for name in case.expect[0] if name != "times"] if case.expect else found.schema.names
    schema = pa.schema([found.schema.field(name) for name in columns])
    wanted = as_table(case.expect, schema)
    ordered = "order by" in (contract.query or "").rsplit(")", 1)[-1]
    assert _rows(found.select(columns), ordered) == _rows(wanted, ordered)


def _rows(table: pa.Table, ordered: bool) -> list[tuple[Any, ...]]:
    rows = [tuple(row.values()) for row in table.to_pylist()]
    return rows if ordered else sorted(rows, key=repr)
