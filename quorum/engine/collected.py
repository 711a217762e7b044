"""What was collected before a purpose took effect is not read for it (clause R-02).

What belongs here: which rows of a parent a statement may read, as a condition. What does not: handing rows to a
statement (`quorum.engine.duck`), and the dates themselves (``policy/policy.yaml``).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from quorum.policy import Policy
from quorum.tables.catalog import Table

_INFRASTRUCTURE = "INFRA"
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_EVERY_COLUMN = re.compile(r"(?:\bselect(?:\s+distinct)?\s+|,\s*|\.)\*", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_TOKYO = timedelta(hours=9)  # Asia/Tokyo has had no summer time since 1951
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - instants are kept in UTC without a zone


def collected_condition(child: Table, parent: Table, policy: Policy) -> str | None:
    """Return the condition on a parent's rows under which a statement may read them, in SQL; None if it may read all.

    Args:
        child: the table that is built, with its statement.
        parent: the table that is read.
        policy: purposes and the instants from which they hold.

    A parent of the child's own purpose was read under the same condition when it was made; of a parent that does not
    say when its rows were collected, all are read (`quorum.conformity` says where that may be). Rows without an instant
    carry nothing that was collected about anybody (people who are no members), and stay.

    Guarantee: a row collected before the purpose, or before a category of it that the statement may read was added to
    the purpose, is not read. An instant kept in whole minutes counts as its beginning, a civil date as its day in
    Asia/Tokyo; effective dates are whole days in Asia/Tokyo, so that neither lets a row through.
    """
    if child.purpose == _INFRASTRUCTURE or parent.purpose != _INFRASTRUCTURE or parent.collected is None:
        return None
    column = parent.column(parent.collected)
    since = policy.purposes[child.purpose].collected_from(_categories_read(child, parent))
    if column.type == "TIMESTAMP":
        bound = f"TIMESTAMP '{since.isoformat(sep=' ')}'"
    elif column.type == "DATE":
        bound = f"DATE '{(since + _TOKYO).date().isoformat()}'"
    else:
        bound = str((since - _EPOCH) // timedelta(minutes=1))
    return f"({column.name} IS NULL OR {column.name} >= {bound})"


def _categories_read(child: Table, parent: Table) -> set[str]:
    """Return the categories of the columns that a statement may read of a parent: those whose names occur in it."""
    statement = _COMMENT.sub(" ", str(child.query))
    words = {word.lower() for word in _WORD.findall(statement)}
    every = _EVERY_COLUMN.search(statement) is not None
    return {column.category for column in parent.columns if every or column.name.lower() in words}
