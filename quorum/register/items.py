"""What a disclosure may take: categories, the columns that hold them, and what kind of information they make up.

What belongs here: the closed list. What does not: who may get it (`quorum.register.decide`). Network addresses,
cookies, member numbers, pseudonyms and anything made from them are not in it: no order can name them (clause K-03).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

REGISTRATION = "d03__registration"
PURCHASE = "d03__purchase"

OFFERED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "NAME": (REGISTRATION, "name"),
        "EMAIL": (REGISTRATION, "email"),
        "DOB": (REGISTRATION, "birth_date"),
        "GEN": (REGISTRATION, "gender"),
        "ZIP": (REGISTRATION, "postal_code"),
        "ADDR": (REGISTRATION, "address"),
        "TEL": (REGISTRATION, "phone"),
        "OCC": (REGISTRATION, "occupation"),
        "IND": (REGISTRATION, "industry"),
        "INT": (REGISTRATION, "interests"),
        "NICK": (REGISTRATION, "nickname"),
        "PAYM": (REGISTRATION, "payment_method"),
        "BANK": (REGISTRATION, "bank_account"),
        "CARD": (REGISTRATION, "card_number"),
        "TIME": (PURCHASE, "transaction_date"),
        "ITEM": (PURCHASE, "item_category"),
        "FEE": (PURCHASE, "amount_micros"),
    }
)
"""Category to the table and the column that hold it."""

_NAMING = frozenset({"NAME", "EMAIL", "ADDR", "TEL", "BANK", "CARD"})


def is_referable(items: Iterable[str]) -> bool:
    """Say whether items name nobody by themselves: whoever links them to persons they know makes them personal data.

    Source: APPI 31, personally referable information (個人関連情報).
    """
    return not _NAMING & set(items)


def columns_of(items: Iterable[str], table: str) -> tuple[str, ...]:
    """Return the columns of a table that hold the items, in the order of the list."""
    wanted = set(items)
    return tuple(column for code, (owner, column) in OFFERED.items() if owner == table and code in wanted)
