"""What can go wrong on the way, as few kinds: worth another try, or not. A server's own words are never repeated.

What belongs here: the kinds. What does not: which error of which library is which (`sftp`, `s3`).
"""

from __future__ import annotations

from quorum.errors import DeliveryError, PolicyError
from quorum.policy.targets import Target


class TransferError(Exception):
    """A fault that may pass: worth another try.

    Args:
        what: what happened, in a few words of ours.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)


def refused(target: Target, what: str, remedy: str = "ask the recipient") -> DeliveryError:
    """Return the refusal of a server that another try would not change."""
    return DeliveryError("deliver.refused", f"the {target.kind} target of {target.recipient_id} {what}", "", remedy)


def stranger(target: Target, what: str) -> PolicyError:
    """Return the refusal of a server that is not the one that the policy names."""
    return PolicyError(
        "deliver.server",
        f"the {target.kind} server of {target.recipient_id} {what}",
        "the server that recipients.yaml names",
        "nothing was sent; if the recipient confirms the change by another way, correct recipients.yaml",
    )
