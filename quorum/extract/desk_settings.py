"""The officer's settings of the desk, from ``policy/desk.yaml``.

What belongs here: reading them strictly. What does not: applying them.
"""

from __future__ import annotations

from dataclasses import dataclass

from quorum.policy import Policy
from quorum.policy.fields import fields, number, read

_FILE = "desk.yaml"


@dataclass(frozen=True)
class DeskSettings:
    """How the desk answers people.

    Args:
        verification_days: how many days a verification of identity that passed holds.
    """

    verification_days: int


def desk_settings(policy: Policy) -> DeskSettings:
    """Read the settings that belong to a policy.

    Raises:
        ConfigurationError: the file is missing, has an unknown field or lacks one, or a number is none.
    """
    found = fields(_FILE, read(policy.folder, _FILE), ("verification_days",))
    return DeskSettings(number("verification_days of desk.yaml", found["verification_days"]))
