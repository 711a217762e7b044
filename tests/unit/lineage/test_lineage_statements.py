"""Lineage of statements, as derived by hand in statements.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from quorum.lineage import LineageError, derive

SPEC = yaml.safe_load((Path(__file__).parent / "statements.yaml").read_text(encoding="utf-8"))


def bases(listed: str | list[str]) -> list[str]:
    return sorted(listed.split() if isinstance(listed, str) else listed)


@pytest.mark.parametrize("case", SPEC["statements"], ids=lambda case: case["sql"])
def test_lineage_is_as_derived_by_hand(case: dict[str, Any]) -> None:
    schema = SPEC["schemas"][case.get("schema", "people")]
    if case.get("refused"):
        with pytest.raises(LineageError):
            derive(schema, case["sql"])
        return
    found = derive(schema, case["sql"]).as_record()
    expected = [(name, {"value": bases(value)}) for name, value in case["columns"].items()]
    assert list(found["columns"].items()) == expected
    assert found["use"] == bases(case["use"])
