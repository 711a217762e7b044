"""Errors that help and never leak: the rule, what was asked, what is allowed, what to do; an exit code each.

What belongs here: the exception types and the order in which exit codes win. What does not: any value about a person. A
message names rules, files by their landing path, counts and limits, never a line, a cell value or an identifier.
"""

from __future__ import annotations

EXIT_DONE = 0
EXIT_BUG = 1
EXIT_USAGE = 2
EXIT_CONFIGURATION = 10
EXIT_INPUT = 11
EXIT_RELEASE = 12
EXIT_POLICY = 13
EXIT_LEDGER = 14


class QuorumError(Exception):
    """A refusal that a person can act on.

    Args:
        rule: the rule's short name, e.g. ``landing.required``.
        asked: what was asked for, in a few words, with no value about a person.
        allowed: what is allowed instead.
        remedy: what to do next.
    """

    exit_code = EXIT_BUG

    def __init__(self, rule: str, asked: str, allowed: str = "", remedy: str = "") -> None:
        self.rule, self.asked, self.allowed, self.remedy = rule, asked, allowed, remedy
        super().__init__(rule, asked, allowed, remedy)

    def __str__(self) -> str:
        parts = [f"{self.rule}: {self.asked}"]
        if self.allowed:
            parts.append(f"allowed: {self.allowed}")
        if self.remedy:
            parts.append(f"do: {self.remedy}")
        return "; ".join(parts)

    def as_record(self) -> dict[str, object]:
        """Return the error as ``nightly --json`` prints it: code, rule, message."""
        return {"code": self.exit_code, "rule": self.rule, "message": str(self)}


class UsageError(QuorumError):
    """The command was called wrongly (exit 2)."""

    exit_code = EXIT_USAGE


class ConfigurationError(QuorumError):
    """A contract, a policy file or a setting is missing or contradicts another (exit 10)."""

    exit_code = EXIT_CONFIGURATION


class InputError(QuorumError):
    """What should have landed is incomplete or refused (exit 11)."""

    exit_code = EXIT_INPUT


class DeliveryError(QuorumError):
    """What was released did not arrive, and may be sent again (exit 11)."""

    exit_code = EXIT_INPUT


class ReleaseError(QuorumError):
    """A release was blocked, or a package does not verify (exit 12)."""

    exit_code = EXIT_RELEASE


class PolicyError(QuorumError):
    """The privacy policy refuses (exit 13)."""

    exit_code = EXIT_POLICY


class LedgerError(QuorumError):
    """The ledger, a budget or a key stands in the way (exit 14)."""

    exit_code = EXIT_LEDGER


_PRECEDENCE = (EXIT_LEDGER, EXIT_POLICY, EXIT_RELEASE, EXIT_INPUT, EXIT_CONFIGURATION, EXIT_USAGE, EXIT_BUG)


def worst(codes: list[int]) -> int:
    """Return the exit code that wins when several apply: 14 > 13 > 12 > 11, then the rest; 0 for none.

    Example:
        >>> worst([0, 11, 12])
        12
    """
    for code in _PRECEDENCE:
        if code in codes:
            return code
    return EXIT_DONE
