"""Looking at a disclosure again, afterwards and by somebody else: what clause D-06 owes for acting at once.

What belongs here: which reviews are open, and closing one. What does not: the disclosure itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from quorum.desk import Desk
from quorum.errors import PolicyError
from quorum.ledger import Entry, Ledger
from quorum.policy.grants import check_may_act
from quorum.register.decide import ACT
from quorum.register.disclose import ENTERED, FAILED

REVIEWED = "disclosure_review"
OUTCOMES = ("justified", "not_justified")


@dataclass(frozen=True)
class Review:
    """A review that is owed.

    Args:
        disclosure_id: of what.
        basis: its basis.
        case: its case.
        review_by: last day.
        is_overdue: the day is over.
    """

    disclosure_id: str
    basis: str
    case: str
    review_by: date
    is_overdue: bool

    def as_record(self) -> dict[str, object]:
        """Return it as JSON-compatible values."""
        return {**vars(self), "review_by": self.review_by.isoformat()}


def open_reviews(ledger: Ledger, today: date) -> list[Review]:
    """Return the reviews that are owed, in the order of the disclosures.

    Args:
        ledger: the ledger.
        today: civil date in Asia/Tokyo.
    """
    found = []
    for entry in _owed(ledger):
        due = date.fromisoformat(entry.body["review_by"])
        found.append(
            Review(entry.body["disclosure_id"], entry.body["basis"], entry.body["case"], due, is_overdue=due < today)
        )
    return found


def close_review(desk: Desk, disclosure_id: str, outcome: str) -> Entry:
    """Enter how a review came out.

    Args:
        desk: the open home; its actor is who reviews.
        disclosure_id: of which disclosure.
        outcome: one of `OUTCOMES`.

    Raises:
        PolicyError: the actor may not disclose, or disclosed it; or no review of it is owed.
    """
    check_may_act(desk.policy, desk.actor, ACT)
    owed = {entry.body["disclosure_id"]: entry for entry in _owed(desk.ledger)}
    if disclosure_id not in owed:
        raise PolicyError("disclose.review", "a disclosure of which no review is owed", ", ".join(owed) or "none is")
    if outcome not in OUTCOMES:
        raise PolicyError("disclose.review", "an outcome that is none", ", ".join(OUTCOMES))
    if owed[disclosure_id].body["who"].casefold() == desk.actor.name.casefold():
        raise PolicyError("disclose.review", "a review by who disclosed", "somebody else", "let a second person review")
    body = {"disclosure_id": disclosure_id, "outcome": outcome, "who": desk.actor.name, "role": desk.actor.role}
    return desk.ledger.append(REVIEWED, body)


def _owed(ledger: Ledger) -> list[Entry]:
    closed = {entry.body["disclosure_id"] for kind in (REVIEWED, FAILED) for entry in ledger.entries(kind)}
    entered = ledger.entries(ENTERED)
    return [e for e in entered if e.body["review_by"] is not None and e.body["disclosure_id"] not in closed]
