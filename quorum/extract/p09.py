"""Nicknames to be shown (P-09): those that do not name their member.

What belongs here: judging the rows beside what is registered of their members, in memory. What does not: what a
nickname gives away (`quorum.extract.nicknames`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import pyarrow as pa

from quorum.desk import Desk
from quorum.extract.nicknames import Known, fault
from quorum.extract.result import Check, Checked

_COLUMNS = ("member_id", "name", "email", "phone", "updated_at", "file_n", "line_n")
_KNOWN = """
SELECT pseudonym_public(member_id) AS public_id, name, email, phone
FROM member
QUALIFY row_number() OVER (
    PARTITION BY member_id ORDER BY updated_at DESC NULLS LAST, file_n DESC NULLS LAST, line_n DESC NULLS LAST
) = 1
"""


def public_nickname(desk: Desk, night: date, rows: pa.Table) -> Checked:
    """Keep the nicknames that may be shown, trimmed.

    Args:
        desk: names, addresses and numbers of members are read through it, for P-09.
        night: the night.
        rows: every member with a nickname.

    Returns:
        What may be shown, and how many rows may not, by `quorum.extract.nicknames.fault`.

    Guarantee: no nickname that is or holds an e-mail address, a telephone number or its member's real name.
    Source: clause P-09.
    """
    member = desk.store.read("vault__member", night, "history", _COLUMNS, purpose="P-09")
    known = {row.pop("public_id"): Known(**row) for row in desk.engine.query(_KNOWN, {"member": member}).to_pylist()}
    refused: Counter[str] = Counter()
    shown = []
    for row in rows.to_pylist():
        reason = fault(row["nickname"], known.get(row["public_id"], Known()))
        if reason is None:
            shown.append({**row, "nickname": row["nickname"].strip()})
        else:
            refused[reason] += 1
    return Checked(pa.Table.from_pylist(shown, rows.schema), refused)


CHECKS: Mapping[str, Check] = MappingProxyType({"p09__public_nickname": public_nickname})
