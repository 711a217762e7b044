"""Bills that sum to the source: to the micro-yen by receipt, to the yen by invoice, each receipt once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from quorum.errors import EXIT_POLICY, PolicyError
from quorum.extract import p07
from quorum.tables import Catalog

NIGHT = date(2026, 11, 21)
TAKES_EFFECT = datetime.fromisoformat("2026-11-20T15:00:00")
TABLES = ("p07__receipt", "p07__reconciliation", "p07__invoice_line", "p07__invoice")
Bill = Callable[..., dict[str, pa.Table]]


def receipt(n: int, **changed: Any) -> dict[str, Any]:
    row = {"file_n": 1, "line_n": n, "receipt_id": f"t-{n}", "partner_id": "shop-1", "member_id": "m-1"}
    row |= {"transaction_date": NIGHT, "item_category": "books", "amount_micros": 0, "billed_micros": 1_000_000}
    return row | changed


def member(n: int, **changed: Any) -> dict[str, Any]:
    row = {"file_n": 1, "line_n": n, "member_id": f"m-{n}", "name": "佐藤 花子", "address": "東京都"}
    return row | {"bank_account": "0001-001-1234567", "card_number": "4111-1111-1111-1111"} | changed


@pytest.fixture
def bill(make) -> Bill:
    """Build all tables of a night, in order, each through its check."""

    def run(night: date = NIGHT) -> dict[str, pa.Table]:
        return {table: make(table, p07.CHECKS[table], night).rows for table in TABLES}

    return run


def column(table: pa.Table, name: str) -> list[Any]:
    return table[name].to_pylist()


def test_one_invoice_for_each_person_with_the_last_digits_of_a_card(put, bill: Bill) -> None:
    put("vault__member", member(1), member(2, card_number="1234567", bank_account=None), member(3))
    put("vault__partner_transaction", receipt(1), receipt(2, partner_id="shop-2"), receipt(3, member_id="m-2"))
    made = bill()
    invoices = sorted(made["p07__invoice"].to_pylist(), key=lambda row: row["total_yen"])
    assert [(row["line_n"], row["total_yen"], row["card_last4"]) for row in invoices] == [(1, 1, None), (2, 2, "1111")]
    assert {row["billed_on"] for row in invoices} == {NIGHT}
    assert set(column(made["p07__invoice_line"], "invoice_id")) == set(column(made["p07__invoice"], "invoice_id"))
    assert not set(column(made["p07__invoice"], "invoice_id")) & set(column(made["p07__invoice"], "person_key"))


@pytest.mark.clause("P-07")
def test_every_yen_of_the_source_is_billed_or_listed_as_not(put, bill: Bill) -> None:
    put("vault__member", member(1))
    put(
        "vault__partner_transaction",
        receipt(1, billed_micros=5_400_000),
        receipt(2, billed_micros=600_000, member_id="m-9"),
        receipt(3, receipt_id=" "),
        receipt(4, billed_micros=None),
        receipt(5, billed_micros=-2_000_000),
        receipt(6, receipt_id="t-1", billed_micros=7_000_000),
        receipt(7, transaction_date=NIGHT + timedelta(days=1)),
    )
    made = bill()
    (row,) = made["p07__reconciliation"].to_pylist()
    assert row == {
        **{"partner_id": "shop-1", "source_receipt_n": 6, "source_micros": 12_000_000},
        **{"billed_receipt_n": 1, "billed_micros": 5_400_000, "unbilled_micros": 6_600_000, "difference_micros": 0},
        **{"no_member_receipt_n": 1, "no_receipt_receipt_n": 1, "no_amount_receipt_n": 2, "duplicate_receipt_n": 1},
        **{"carried_in_micros": 0, "billed_yen": 5, "carried_out_micros": 400_000},
    }
    assert column(made["p07__invoice_line"], "receipt_id") == ["t-1"]


def test_unbilled_receipts_are_counted_by_reason(put, make) -> None:
    put("vault__member", member(1))
    put("vault__partner_transaction", receipt(1), receipt(2, member_id="m-9"), receipt(3, receipt_id=None))
    assert dict(make("p07__receipt", p07.receipts).refused) == {"no_member": 1, "no_receipt": 1}


def test_yen_go_to_the_largest_remainders_of_each_partner(put, bill: Bill) -> None:
    put("vault__member", member(1))
    amounts = [1_400_000, 2_500_000, 300_000, 900_000]  # 5.1 yen: floors sum to 3, two more to give
    put("vault__partner_transaction", *(receipt(n, billed_micros=micros) for n, micros in enumerate(amounts)))
    lines = bill()["p07__invoice_line"]
    assert dict(zip(column(lines, "billed_micros"), column(lines, "billed_yen"), strict=True)) == {
        1_400_000: 1,
        2_500_000: 3,
        300_000: 0,
        900_000: 1,
    }


def test_what_rounding_leaves_over_is_carried_to_the_next_night(put, bill: Bill) -> None:
    put("vault__member", member(1))
    carried, yen = [], []
    for day in range(4):
        night = NIGHT + timedelta(days=day)
        billed = receipt(day, billed_micros=400_000, transaction_date=night) if day != 1 else None
        put("vault__partner_transaction", *([billed] if billed else []), night=night)
        (row,) = bill(night)["p07__reconciliation"].to_pylist()
        carried.append(row["carried_out_micros"])
        yen.append(row["billed_yen"])
    assert carried == [400_000, 400_000, -200_000, 200_000]
    assert yen == [0, 0, 1, 0]


def test_a_receipt_is_billed_when_its_member_has_landed_and_never_again(put, bill: Bill) -> None:
    nights = [NIGHT + timedelta(days=day) for day in range(3)]
    put("vault__member", member(1))
    put("vault__partner_transaction", receipt(1), receipt(2, member_id="m-2"))
    first = bill(nights[0])
    put("vault__member", member(2), night=nights[1])
    second = bill(nights[1])
    third = bill(nights[2])
    billed = [column(made["p07__invoice_line"], "receipt_id") for made in (first, second, third)]
    assert billed == [["t-1"], ["t-2"], []]
    assert third["p07__reconciliation"].num_rows == 0


def test_a_receipt_that_was_billed_is_not_billed_again_when_it_lands_again(put, bill: Bill) -> None:
    put("vault__member", member(1))
    put("vault__partner_transaction", receipt(1))
    bill()
    put("vault__partner_transaction", receipt(9, receipt_id="t-1", file_n=2), night=NIGHT + timedelta(days=1))
    assert bill(NIGHT + timedelta(days=1))["p07__invoice_line"].num_rows == 0


def test_a_night_that_was_not_billed_is_made_up_for_by_the_next(put, bill: Bill) -> None:
    put("vault__member", member(1))
    put("vault__partner_transaction", receipt(1))
    assert column(bill(NIGHT + timedelta(days=1))["p07__invoice_line"], "receipt_id") == ["t-1"]


def test_the_same_night_again_gives_the_same(put, bill: Bill) -> None:
    put("vault__member", member(1), member(2))
    put(
        "vault__partner_transaction",
        *(receipt(n, member_id=f"m-{1 + n % 2}", billed_micros=n * 333_333) for n in range(50)),
    )
    first, again = bill(), bill()
    assert all(first[table].equals(again[table]) for table in TABLES)


def test_an_earlier_night_cannot_be_billed_after_a_later_one(put, bill: Bill) -> None:
    put("vault__member", member(1))
    put("vault__partner_transaction", receipt(1))
    bill(NIGHT + timedelta(days=1))
    with pytest.raises(PolicyError) as refused:
        bill(NIGHT)
    assert refused.value.rule == "bill.order"


def test_a_night_without_partner_files_bills_nobody(bill: Bill) -> None:
    assert all(table.num_rows == 0 for table in bill().values())


def test_where_nothing_is_to_be_paid_nobody_is_named(put, bill: Bill) -> None:
    put("vault__member", member(1))
    put("vault__partner_transaction", receipt(1, billed_micros=0))
    (row,) = bill()["p07__invoice"].to_pylist()
    assert (row["total_yen"], row["line_n"]) == (0, 1)
    assert [row[name] for name in ("name", "address", "bank_account", "card_last4")] == [None] * 4


def test_amounts_beyond_64_bits_block_the_night(put, bill: Bill, desk) -> None:
    put("vault__member", member(1))
    put("vault__partner_transaction", receipt(1, billed_micros=2**63 - 1), receipt(2, billed_micros=2**63 - 1))
    with pytest.raises(PolicyError) as refused:
        bill()
    assert refused.value.rule == "bill.sum"
    assert refused.value.exit_code == EXIT_POLICY
    assert not desk.store.nights("p07__receipt")


def test_any_night_adds_up_whatever_lands(put, bill: Bill) -> None:
    draw = random.Random(7)
    carried: Counter[str] = Counter()
    for day in range(4):
        night = NIGHT + timedelta(days=day)
        put("vault__member", *(member(n) for n in range(day * 5, day * 5 + 6)), night=night)
        rows = [
            receipt(
                n,
                receipt_id=f"{day}-{n}",
                partner_id=f"shop-{draw.randrange(3)}",
                member_id=f"m-{draw.randrange(22)}",
                billed_micros=draw.choice([0, 1, 499_999, 500_000, 999_999, 10**12, draw.randrange(10**9)]),
                transaction_date=night + timedelta(days=draw.randrange(-2, 2)),
            )
            for n in range(60)
        ]
        put("vault__partner_transaction", *rows, night=night)
        made = bill(night)
        billed: Counter[str] = Counter()
        for line in made["p07__invoice_line"].to_pylist():
            billed[line["partner_id"]] += line["billed_yen"] * 1_000_000 - line["billed_micros"]
        for row in made["p07__reconciliation"].to_pylist():
            carried[row["partner_id"]] -= billed[row["partner_id"]]
            assert row["carried_out_micros"] == carried[row["partner_id"]]
            assert -500_000 <= row["carried_out_micros"] < 500_000
        total = sum(column(made["p07__invoice"], "total_yen"))
        assert total == sum(column(made["p07__reconciliation"], "billed_yen"))


@pytest.mark.clause("R-02")
@pytest.mark.parametrize("since", [{"effective_at": TAKES_EFFECT}, {"uses_from": {"ITEM": TAKES_EFFECT}}])
def test_what_was_collected_before_the_purpose_is_not_billed_and_blocks_nobody(
    desk, put, policy, keys, monkeypatch, since
) -> None:
    purposes = {**policy.purposes, "P-07": replace(policy.purposes["P-07"], **since)}
    later = replace(desk, policy=replace(policy, purposes=purposes))
    monkeypatch.setattr(desk.engine, "_policy", later.policy)
    put("vault__member", member(1))
    at = {"transaction_at": TAKES_EFFECT - timedelta(seconds=1)}
    put("vault__partner_transaction", receipt(1, **at), receipt(2, transaction_at=TAKES_EFFECT))
    for table in TABLES:
        checked = p07.CHECKS[table](later, NIGHT, later.engine.run(table, NIGHT))
        later.store.write(table, NIGHT, checked.rows)
    assert column(later.store.read("p07__invoice_line", NIGHT), "receipt_id") == ["t-2"]
    assert column(later.store.read("p07__reconciliation", NIGHT), "source_receipt_n") == [1]


def changed(table: pa.Table, row: int, **values: Any) -> pa.Table:
    rows = table.to_pylist()
    rows[row] |= values
    return pa.Table.from_pylist(rows, table.schema)


@pytest.fixture
def billed(put, bill: Bill) -> dict[str, pa.Table]:
    put("vault__member", member(1), member(2))
    put("vault__partner_transaction", receipt(1), receipt(2, member_id="m-2"), receipt(3, member_id="m-9"))
    return bill()


@pytest.mark.clause("P-07")
@pytest.mark.parametrize(
    ("table", "spoil", "rule"),
    [
        ("p07__receipt", lambda t: t.slice(1), "bill.source"),
        ("p07__receipt", lambda t: pa.concat_tables([t, t.slice(0, 1)]), "bill.source"),
        ("p07__receipt", lambda t: changed(t, 0, billed_micros=1_000_001), "bill.source"),
        ("p07__receipt", lambda t: changed(t, 0, partner_id="shop-2"), "bill.source"),
        ("p07__reconciliation", lambda t: changed(t, 0, difference_micros=1), "bill.source"),
        (
            "p07__reconciliation",
            lambda t: changed(t, 0, source_micros=3_000_001, billed_micros=2_000_001),
            "bill.source",
        ),
        ("p07__reconciliation", lambda t: changed(t, 0, billed_receipt_n=3), "bill.source"),
        ("p07__reconciliation", lambda t: changed(t, 0, billed_yen=3), "bill.source"),
        ("p07__reconciliation", lambda t: t.slice(1), "bill.source"),
        ("p07__invoice_line", lambda t: t.slice(1), "bill.source"),
        ("p07__invoice_line", lambda t: changed(t, 0, billed_micros=1_000_001), "bill.source"),
        ("p07__invoice_line", lambda t: changed(t, 0, billed_yen=2), "bill.yen"),
        ("p07__invoice_line", lambda t: changed(changed(t, 0, billed_yen=2), 1, billed_yen=0), "bill.rounding"),
        ("p07__invoice_line", lambda t: changed(t, 0, receipt_id=None), "bill.receipt"),
        ("p07__invoice_line", lambda t: changed(t, 0, receipt_id=t["receipt_id"][1].as_py()), "bill.receipt"),
        ("p07__invoice", lambda t: changed(t, 0, total_yen=2), "bill.total"),
        ("p07__invoice", lambda t: changed(t, 0, line_n=2), "bill.total"),
        ("p07__invoice", lambda t: t.slice(1), "bill.invoice"),
        ("p07__invoice", lambda t: changed(t, 0, person_key=t["person_key"][1].as_py()), "bill.invoice"),
        ("p07__invoice", lambda t: changed(t, 0, card_last4="11111"), "bill.card"),
    ],
)
def test_what_does_not_add_up_blocks_the_night(billed, desk, table: str, spoil, rule: str) -> None:
    spoilt = spoil(billed[table])
    with pytest.raises(PolicyError) as refused:
        p07.CHECKS[table](desk, NIGHT, spoilt)
    assert refused.value.rule == rule
    assert refused.value.exit_code == EXIT_POLICY


@pytest.mark.clause("P-07")
def test_no_bill_says_what_was_viewed_or_when(catalog: Catalog) -> None:
    held = {column.category for table in TABLES for column in catalog[table].columns}
    assert held <= {"KEY", "PTX", "PBILL", "ITEM", "NAME", "ADDR", "BANK", "CARD", "FACT", "META", "STAT"}
    read = {parent.table for table in TABLES for parent in catalog[table].reads}
    assert read == {"vault__partner_transaction", "vault__member", *TABLES[:3]}
