"""The one way in which lineage says that it does not know.

What belongs here: the error. What does not: when it is raised.
"""

from __future__ import annotations

from quorum.errors import PolicyError


class LineageError(PolicyError):
    """The lineage of a statement is not known, so that the policy cannot allow it (exit 13).

    Args:
        reason: what was met; names of functions, operators and kinds, never a literal or a value.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__("lineage.refused", reason)
