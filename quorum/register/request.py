"""A case that landed as a request: what it states, laid under what the officer states.

What belongs here: reading the request and filling an order from it. What does not: whether it is enough
(`quorum.register.decide`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow.compute as pc

from quorum.desk import Desk
from quorum.errors import PolicyError
from quorum.register.types import Basis, Order

CASES = "vault__disclosure_case"
_STATED = ("authority", "statute", "necessity", "why_consent_is_hard")


def completed(desk: Desk, order: Order, basis: Basis, request: str, night: date) -> Order:
    """Return an order with what the request states where the order states nothing.

    The request bounds the order: the basis, the case and the receiver are its own, and the order may ask for fewer
    items and fewer persons than it does, not for others.

    Args:
        desk: the open home.
        order: what the officer states.
        basis: the basis that the officer states.
        request: identity of the request.
        night: the latest night.

    Raises:
        PolicyError: there is no such request, or the order goes beyond it.
    """
    if not basis.one_off:
        raise PolicyError("disclose.request", f"{basis.code} on a request", "a case of D-04 to D-06", "leave it out")
    stored = desk.store.read(CASES, night, "history", purpose=basis.code)
    rows = stored.filter(pc.equal(stored["request_id"], request)).to_pylist()
    if not rows:
        raise PolicyError("disclose.request", "a request for a disclosure that has not landed", "one that has")
    first = rows[0]
    if first["basis"] != basis.code:
        raise PolicyError(
            "disclose.request", f"{basis.code} on a request that states another basis", "its own", "state the same"
        )
    return replace(
        order,
        **{name: getattr(order, name) or first[name] for name in _STATED},
        case=_same("case", order.case, first["case_id"]),
        recipient=_same("recipient", order.recipient, first["recipient_id"]),
        items=_bounded("items", order.items, str(first["items"] or "").split(";")),
        subjects=_bounded("persons", order.subjects, [row["member_id"] for row in rows]),
    )


def _same(what: str, stated: str | None, requested: Any) -> str | None:
    if stated and requested and stated != requested:
        raise PolicyError("disclose.request", f"another {what} than the request states", "its own", "leave it out")
    return stated or requested


def _bounded(what: str, stated: Sequence[str], requested: Sequence[str | None]) -> tuple[str, ...]:
    asked = [each for each in requested if each]
    if not set(stated) <= set(asked):
        raise PolicyError("disclose.request", f"{what} that the request does not ask for", "fewer, not others")
    return tuple(stated or asked)
