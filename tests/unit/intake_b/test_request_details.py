"""What requests say, typed: every kind has its table; what is missing or of another form is null, and never made up."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from quorum.engine.store import Store
from quorum.intake.request_details import TYPED, type_details
from quorum.keys import KeyRing
from quorum.tables import Catalog
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
AT = datetime(2026, 11, 21, 3, tzinfo=UTC).replace(tzinfo=None)


@pytest.fixture
def store(home: Home, catalog: Catalog, keys: KeyRing) -> Store:
    return Store(home, catalog, keys)


def typed(store: Store, kind: str, details: object, member: str | None = "m-1") -> list[dict[str, Any]]:
    request = {
        **{"file_n": 1, "line_n": 1, "request_id": "q-1", "request_at": AT, "request_date": NIGHT},
        **{"kind": kind, "member_id": member, "details": json.dumps(details)},
    }
    store.write(
        "vault__request", NIGHT, pa.Table.from_pylist([request], store.catalog["vault__request"].arrow_schema())
    )
    type_details(store, NIGHT)
    written = {table: store.read(table, NIGHT).to_pylist() for table in TYPED}
    own = next(table for table, (its, _) in TYPED.items() if its == kind)
    assert not any(rows for table, rows in written.items() if table != own)
    for row in written[own]:
        head = (row.pop("file_n"), row.pop("line_n"), row.pop("request_id"), row.pop("requested_at"))
        assert (*head, row.pop("requested_on")) == (1, 1, "q-1", AT, NIGHT)
    return written[own]


def test_a_correction_is_a_row_for_each_field(store: Store) -> None:
    rows = typed(store, "correct", {"fields": {"phone": None, "address": "甲市1-2", "birth_date": 5}})
    assert [(row["field"], row["new_value"]) for row in rows] == [
        ("address", "甲市1-2"),
        ("birth_date", "5"),
        ("phone", None),
    ]
    assert [(row["field"], row["new_value"]) for row in typed(store, "correct", {})] == [(None, None)]


def test_a_notice_is_a_row_for_each_person_it_names(store: Store) -> None:
    said = {"message_id": "n1", "channel": "email"}
    rows = typed(store, "notice", {**said, "member_ids": ["m-2", "m-3", "m-2", 7]}, None)
    assert [row["member_id"] for row in rows] == ["m-2", "m-3"]
    assert {row["message_id"] for row in rows} == {"n1"}
    assert typed(store, "notice", {**said, "segment_id": "s1"}, None) == [
        {**said, "member_id": None, "segment_id": "s1"}
    ]


def test_what_is_claimed_of_an_identity_is_typed(store: Store) -> None:
    (row,) = typed(store, "verification", {"method": "document", "name": " 甲 ", "birth_date": "1990-02-30"})
    assert row["method"] == "document"
    assert row["claimed_name"] == "甲"
    assert row["claimed_birth_date"] is None
    assert typed(store, "verification", {"birth_date": "1990-02-28"})[0]["claimed_birth_date"] == date(1990, 2, 28)


def test_a_refusal_that_nobody_decided_says_so_by_null(store: Store) -> None:
    (row,) = typed(store, "refusal", {"reason_code": "arrears", "arrears_micros": True, "decided_by": "  "})
    assert row == {
        **{"member_id": "m-1", "reason_code": "arrears", "evidence_ref": None, "decided_by": None},
        **{"review_on": None, "arrears_micros": None},
    }


def test_an_instruction_is_a_row_for_each_field(store: Store) -> None:
    rows = typed(store, "prefill", {"form_id": "f1", "fields": ["name", "email", "name"], "instruction_id": "i1"})
    assert [(row["field"], row["instruction_id"], row["transfer_to"]) for row in rows] == [
        ("name", "i1", None),
        ("email", "i1", None),
    ]


def test_a_case_is_a_row_for_each_person_concerned(store: Store) -> None:
    rows = typed(store, "disclosure", {"basis": "D-04", "items": ["NAME", "ADDR"], "member_ids": ["m-5"]}, None)
    assert [(row["member_id"], row["basis"], row["items"]) for row in rows] == [("m-5", "D-04", "NAME;ADDR")]


@pytest.mark.parametrize("kind", [kind for kind, _ in TYPED.values()])
@pytest.mark.parametrize("details", [{}, {"fields": 3, "member_ids": {}, "items": None, "topic": ["x"]}])
def test_other_forms_are_null_and_never_an_error(store: Store, kind: str, details: object) -> None:
    (row,) = typed(store, kind, details)
    assert {value for name, value in row.items() if name not in ("member_id", "items")} == {None}
