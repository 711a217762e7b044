"""What contracts and policy owe each other, checked without running anything.

What belongs here: whether a column may be in its zone and a purpose hold it, and whether a table says when its rows
were collected. What does not: reading the files (`quorum.policy`, `quorum.tables`), and following columns through
statements (`quorum.lineage.purposes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from quorum.errors import PolicyError
from quorum.policy import Policy
from quorum.tables import Catalog, Table
from quorum.zones import Zone

_INFRASTRUCTURE = "INFRA"
_NEEDS_A_PURPOSE = ("identifier", "restricted", "attribute", "choice")
_COLLECTED = ("identifier", "restricted", "attribute")
_CHOICE = "choice"

LANDED: Mapping[str, str] = MappingProxyType(
    {
        "member_id": "MEMBER",
        "cookie_id": "COOKIE",
        "ip": "IP",
        "user_agent": "ENV",
        "name": "NAME",
        "email": "EMAIL",
        "birth_date": "DOB",
        "gender": "GEN",
        "postal_code": "ZIP",
        "address": "ADDR",
        "phone": "TEL",
        "occupation": "OCC",
        "industry": "IND",
        "interests": "INT",
        "nickname": "NICK",
        "payment_method": "PAYM",
        "bank_account": "BANK",
        "card_number": "CARD",
        "item_category": "ITEM",
        "amount_micros": "FEE",
        "billed_micros": "PBILL",
    }
)
"""Field of the input formats to its category, wherever it stands in the vault. A contract cannot say otherwise: lineage
begins there, and whatever a column is called there it is called all the way."""


def check_conformity(catalog: Catalog, policy: Policy) -> None:
    """Check every contract against the policy.

    Args:
        catalog: the contracts.
        policy: categories, zones and purposes.

    Raises:
        PolicyError: a column has no declared category, is a landed field under another category than its own, or may
            not enter its table's zone; a purpose is not declared, does not use a category of the table, or reads data
            about people that do not say when they were collected.
    """
    for table in catalog.tables.values():
        for column in table.columns:
            _check_column(table, column.name, column.category, policy)
        _check_purpose(table, catalog, policy)


def _check_column(table: Table, column: str, category: str, policy: Policy) -> None:
    if category not in policy.columns:
        raise PolicyError(
            "policy.category", f"{table.name}.{column} is {category}", "a category of columns.yaml", "declare it"
        )
    landed = LANDED.get(column, category) if table.zone is Zone.VAULT else category
    if category != landed:
        raise PolicyError("policy.landed", f"{table.name}.{column} as {category}", landed, "call it what it is")
    declared = policy.columns[category]
    if table.zone.value not in declared.zones:
        raise PolicyError(
            "policy.zone",
            f"{table.name}.{column} ({category}) in zone {table.zone.value}",
            ", ".join(declared.zones),
            "leave the column out, or generalise it",
        )
    purpose = policy.purposes.get(table.purpose)
    uses = () if purpose is None else purpose.uses
    if table.purpose != _INFRASTRUCTURE and declared.klass in _NEEDS_A_PURPOSE and category not in uses:
        raise PolicyError(
            "policy.use", f"{table.name}.{column} ({category}) for {table.purpose}", ", ".join(uses), "leave it out"
        )


def _check_purpose(table: Table, catalog: Catalog, policy: Policy) -> None:
    if table.purpose not in policy.purposes:
        raise PolicyError("policy.purpose", f"{table.name} is for {table.purpose}", ", ".join(policy.purposes))
    if table.purpose == _INFRASTRUCTURE:
        return
    for parent in (catalog[read.table] for read in table.reads):
        if parent.purpose == _INFRASTRUCTURE and not parent.in_memory and _is_undated(parent, policy):
            raise PolicyError(
                "policy.collected",
                f"{table.name} ({table.purpose}) reads {parent.name}, which does not say when its rows were collected",
                "a parent whose table.yaml names its column: `collected: <column>` (R-02)",
                "add the column, or name it",
            )


def _is_undated(table: Table, policy: Policy) -> bool:
    """Say whether rows are about people, and nothing tells when they were collected.

    A table of choices needs no date: what a person has decided holds whenever they decided it. Neither does one of
    pseudonyms alone: it says nothing that a purpose could use.
    """
    classes = {policy.columns[column.category].klass for column in table.columns}
    return table.collected is None and _CHOICE not in classes and bool(classes & set(_COLLECTED))
