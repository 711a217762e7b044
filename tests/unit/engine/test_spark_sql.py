"""Statements in Spark's dialect: the night, macros and nothing else change."""

from __future__ import annotations

from datetime import date

import pytest

from quorum.engine.macros import AGE_MACROS, NETWORK_MACROS
from quorum.engine.spark import is_embedded
from quorum.engine.spark_sql import read_macros, translate
from quorum.errors import ConfigurationError
from quorum.tables import Catalog
from quorum.zones import Zone, zone_of

NIGHT = date(2026, 11, 21)


def test_the_night_is_a_date() -> None:
    assert translate("select a from t where d = $night", NIGHT, {}) == (
        "SELECT a FROM t WHERE d = CAST('2026-11-21' AS DATE)"
    )


def test_a_macro_is_written_out_with_its_arguments_and_within_another() -> None:
    macros = read_macros(
        ("CREATE MACRO twice(n) AS n * 2", "CREATE MACRO both(a, b) AS CASE WHEN a > b THEN twice(a) ELSE b END")
    )
    found = translate("select both(t.x + 1, n) as m from t", NIGHT, macros)
    assert found == "SELECT (CASE WHEN (t.x + 1) > (n) THEN (((t.x + 1)) * 2) ELSE (n) END) AS m FROM t"


def test_a_macro_that_is_none_is_refused_without_its_text() -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_macros(("CREATE FUNCTION f() AS 'key'",))
    assert "key" not in str(refused.value)


def test_what_reads_or_makes_sealed_tables_stays_with_the_embedded_engine(catalog: Catalog) -> None:
    macros = read_macros((*AGE_MACROS, *NETWORK_MACROS))
    on_spark = [table for table in catalog.tables.values() if not is_embedded(table)]
    assert {zone_of(table.name) for table in on_spark} == {Zone.PSEUDO, Zone.SEG, Zone.CUBE}
    for table in on_spark:
        assert not any(zone_of(read.table).is_sealed for read in table.reads)
        assert "pseudonym_" not in translate(str(table.query), NIGHT, macros).lower(), table.name
