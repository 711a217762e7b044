"""Who may read personal data for which purpose, and who may act (clause S-01).

What belongs here: the decision, from ``policy/roles.yaml``. What does not: writing down that somebody did
(`quorum.ledger.reads`).
"""

from __future__ import annotations

from quorum.errors import PolicyError
from quorum.policy.types import Actor, Policy

SCHEDULER = Actor("scheduler", "scheduler")
"""Who runs a night."""


def actor_of(policy: Policy, login: str, role: str | None = None) -> Actor:
    """Return who somebody is.

    Args:
        policy: its roles.
        login: the login.
        role: a role to act in, which must be the login's own or, for an unlisted login, a declared one.

    Raises:
        PolicyError: the role is not the login's, or is not declared.
    """
    listed = policy.actors.get(login)
    chosen = role or listed or policy.unlisted_role
    if chosen not in policy.roles or (listed is not None and chosen != listed):
        raise PolicyError(
            "roles.actor", f"role {chosen}", listed or ", ".join(policy.roles), "let the officer change roles.yaml"
        )
    return Actor(login, chosen)


def may_read(policy: Policy, actor: Actor, purpose: str) -> bool:
    """Say whether an actor may read personal data for a purpose."""
    return purpose in policy.roles[actor.role].purposes


def check_may_read(policy: Policy, actor: Actor, purpose: str) -> None:
    """Refuse an actor who may not read personal data for a purpose.

    Raises:
        PolicyError: the role is not granted the purpose.
    """
    if not may_read(policy, actor, purpose):
        granted = ", ".join(policy.roles[actor.role].purposes)
        raise PolicyError(
            "roles.purpose", f"{purpose} for the role {actor.role}", granted, "ask somebody whose role has it"
        )


def check_may_act(policy: Policy, actor: Actor, act: str) -> None:
    """Refuse an actor who may not act, e.g. ``erase``.

    Raises:
        PolicyError: the role is not granted the act.
    """
    acts = policy.roles[actor.role].acts
    if act not in acts:
        raise PolicyError(
            "roles.act", f"{act} for the role {actor.role}", ", ".join(acts) or "nothing", "ask somebody whose role may"
        )
