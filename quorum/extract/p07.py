"""Bills (P-07): every receipt of a partner once, in whole yen; a night that does not add up bills nobody.

What belongs here: adding up, a second time and apart from the statements. What does not: which receipt becomes a line
and how yen are rounded (``sql/extract/p07__*``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from quorum.desk import Desk
from quorum.engine.collected import collected_condition
from quorum.errors import PolicyError
from quorum.extract.result import Check, Checked

PURPOSE = "P-07"
BILLED = "billed"
MICROS_OF_YEN = 1_000_000
MOST_MICROS = 2**63 - 1 - MICROS_OF_YEN
"""The largest sum of a night: amounts are 64-bit integers."""

_RECEIPT = ("partner_id", "receipt_id")
_EXACT = pa.decimal128(38, 0)
_LAST_DIGITS = 4
Sums = Mapping[str | None, tuple[int, int]]


def receipts(desk: Desk, night: date, rows: pa.Table) -> Checked:
    """Compare the judged receipts with the source: every receipt that no earlier night has billed, once.

    Args:
        desk: the source is read through it.
        night: the night.
        rows: ``p07__receipt``.

    Returns:
        All rows, and how many are not billed, by outcome.

    Raises:
        PolicyError: a later night is billed already; the rows do not sum to the source, partner by partner; or the sum
            is more than can be billed.

    Guarantee: no line without its receipt, and none that the source does not have.
    Source: clause P-07.
    """
    later = [other for other in desk.store.nights("p07__receipt") if other > night]
    if later:
        raise PolicyError("bill.order", f"bills of {night} after those of {later[-1]}", "nights in order")
    source = _source(desk, night)
    if _sums(source) != _sums(rows):
        raise _unequal("receipts", _sums(source), _sums(rows))
    if sum(abs(micros) for _, micros in _sums(source).values()) > MOST_MICROS:
        raise PolicyError(
            "bill.sum", "amounts of a night that sum to more than 2^63 micro-yen", "less", "look at what partners sent"
        )
    outcomes = Counter(rows["outcome"].to_pylist())
    return Checked(rows, {name: n for name, n in outcomes.items() if name != BILLED})


def reconciliation(desk: Desk, night: date, rows: pa.Table) -> Checked:
    """Refuse a night in which source, billed and unbilled differ by a micro-yen, or by a receipt.

    Args:
        desk: the source is read through it.
        night: the night.
        rows: ``p07__reconciliation``.

    Raises:
        PolicyError: a difference, or rounding that carries over a yen or more.
    """
    counts = ("billed", "no_member", "no_receipt", "no_amount", "duplicate")
    listed = rows.to_pylist()
    uneven = sum(
        row["difference_micros"] != 0
        or row["source_micros"] != row["billed_micros"] + row["unbilled_micros"]
        or row["source_receipt_n"] != sum(row[f"{count}_receipt_n"] for count in counts)
        or row["billed_yen"] * MICROS_OF_YEN + row["carried_out_micros"]
        != row["billed_micros"] + row["carried_in_micros"]
        or abs(row["carried_out_micros"]) >= MICROS_OF_YEN
        for row in listed
    )
    stated = {row["partner_id"]: (row["source_receipt_n"], row["source_micros"]) for row in listed}
    source = _sums(_source(desk, night))
    if uneven or {partner: sums for partner, sums in stated.items() if sums != (0, 0)} != dict(source):
        raise _unequal("the reconciliation", source, stated)
    return Checked(rows)


def lines(desk: Desk, night: date, rows: pa.Table) -> Checked:
    """Compare the lines with the source, apart from the statements that made them.

    Args:
        desk: source and reconciliation are read through it.
        night: the night.
        rows: ``p07__invoice_line``.

    Raises:
        PolicyError: a line without a receipt, a receipt on two lines, a sum that differs from the source less what is
            not billed, in micro-yen or in yen, or a line that is a yen or more away from its amount.
    """
    if rows["receipt_id"].null_count or len(set(zip(*_listed(rows, *_RECEIPT), strict=True))) != rows.num_rows:
        raise PolicyError("bill.receipt", "a line without a receipt of its own", "one receipt, one line")
    judged = desk.store.read("p07__receipt", night, purpose=PURPOSE)
    unbilled = judged.filter(pc.not_equal(judged["outcome"], BILLED))
    expected = _less(_sums(_source(desk, night)), _sums(unbilled))
    if _sums(rows) != expected:
        raise _unequal("lines", expected, _sums(rows))
    owed = desk.store.read("p07__reconciliation", night, purpose=PURPOSE)
    asked = {partner: yen for partner, (_, yen) in _sums(rows, "billed_yen").items()}
    due = dict(zip(*_listed(owed, "partner_id", "billed_yen"), strict=True))
    if {partner: yen for partner, yen in due.items() if yen or partner in asked} != asked:
        raise PolicyError("bill.yen", "lines in yen that do not sum to what partners are owed", "the same, to the yen")
    amounts = zip(*_listed(rows, "billed_micros", "billed_yen"), strict=True)
    if any(yen < 0 or abs(yen * MICROS_OF_YEN - micros) >= MICROS_OF_YEN for micros, yen in amounts):
        raise PolicyError("bill.rounding", "a line rounded by a yen or more", "less than a yen")
    return Checked(rows)


def invoices(desk: Desk, night: date, rows: pa.Table) -> Checked:
    """Compare the invoices with their lines: one for each person, the same sums, no card number.

    Args:
        desk: lines are read through it.
        night: the night.
        rows: ``p07__invoice``.

    Raises:
        PolicyError: two invoices of one person, a total that is not the sum of its lines, or more than four digits of a
            card.
    """
    made = desk.store.read("p07__invoice_line", night, purpose=PURPOSE)
    expected: Counter[tuple[str, str]] = Counter()
    line_n: Counter[tuple[str, str]] = Counter()
    for invoice, person, yen in zip(*_listed(made, "invoice_id", "person_key", "billed_yen"), strict=True):
        expected[invoice, person] += yen
        line_n[invoice, person] += 1
    found = [((row["invoice_id"], row["person_key"]), row) for row in rows.to_pylist()]
    people = {person for (_, person), _ in found}
    if len(people) != len(found) or len(found) != len(expected):
        raise PolicyError("bill.invoice", "invoices that are not one for each person", "one for each person and night")
    if any(row["total_yen"] != expected[key] or row["line_n"] != line_n[key] for key, row in found):
        raise PolicyError("bill.total", "an invoice that is not the sum of its lines", "the same, to the yen")
    if any(len(row["card_last4"] or "") > _LAST_DIGITS for _, row in found):
        raise PolicyError("bill.card", "a card number in clear", f"its last {_LAST_DIGITS} digits")
    return Checked(rows)


def _source(desk: Desk, night: date) -> pa.Table:
    """Return what partners' receipts say that no earlier night has billed, read from the vault itself.

    What was collected before the purpose took effect is no more in it than in the statements.
    """
    landed = desk.store.read("vault__partner_transaction", night, "history", purpose=PURPOSE)
    contract = desk.catalog["vault__partner_transaction"]
    condition = collected_condition(desk.catalog["p07__receipt"], contract, desk.policy)
    if condition is not None:
        landed = desk.engine.query(f"SELECT * FROM landed WHERE {condition}", {"landed": landed})
    landed = landed.select((*_RECEIPT, "billed_micros", "transaction_date"))
    landed = landed.filter(pc.less_equal(landed["transaction_date"], night))
    before = desk.store.read("p07__receipt", night, "history", (*_RECEIPT, "judged_on", "outcome"), purpose=PURPOSE)
    is_billed = pc.and_(pc.less(before["judged_on"], night), pc.equal(before["outcome"], BILLED))
    return landed.join(before.filter(is_billed).select(_RECEIPT), list(_RECEIPT), join_type="left anti")


def _sums(rows: pa.Table, amount: str = "billed_micros") -> Sums:
    """Return number and exact sum of the rows of each partner."""
    exact = pa.table({"partner_id": rows["partner_id"], "amount": rows[amount].cast(_EXACT)})
    grouped = exact.group_by("partner_id").aggregate([([], "count_all"), ("amount", "sum")])
    totals = zip(*_listed(grouped, "partner_id", "count_all", "amount_sum"), strict=True)
    return {partner: (n, int(total or 0)) for partner, n, total in totals}


def _less(whole: Sums, part: Sums) -> Sums:
    left = {p: (n - part.get(p, (0, 0))[0], s - part.get(p, (0, 0))[1]) for p, (n, s) in whole.items()}
    return {partner: sums for partner, sums in left.items() if sums != (0, 0)}


def _listed(rows: pa.Table, *names: str) -> list[list[object]]:
    return [rows[name].to_pylist() for name in names]


def _unequal(what: str, source: Sums, found: Sums) -> PolicyError:
    differing = sum(source.get(partner) != found.get(partner) for partner in {*source, *found})
    return PolicyError(
        "bill.source",
        f"{what} of {differing} partners that do not sum to the source",
        "the same, to the micro-yen",
        "nothing is billed tonight; look at what was taken in, then run the night again",
    )


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "p07__receipt": receipts,
        "p07__reconciliation": reconciliation,
        "p07__invoice_line": lines,
        "p07__invoice": invoices,
    }
)
