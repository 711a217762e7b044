"""Third parties seen at the door, beside those that the portal declares (K-02; Telecommunications Business Act 27-12).

What belongs here: the list over nights, and which of it is declared. What does not: counting at the door
(`quorum.intake.third_parties`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

from quorum.engine.store import Store
from quorum.intake.hosts import owned_by
from quorum.policy import Policy
from quorum.register.types import Rules

SEEN = "pseudo__third_party"


@dataclass(frozen=True)
class ThirdParty:
    """A third party that was seen.

    Args:
        kind: what names it, ``cookie`` or ``host``.
        name: of the cookie, or registrable domain.
        first_night: the first night that saw it, of those that are kept.
        last_night: the last one.
        seen_n: requests or beacons in all.
        declared_as: host of the third party that the policy declares, or None.
    """

    kind: str
    name: str
    first_night: date
    last_night: date
    seen_n: int
    declared_as: str | None

    def as_record(self) -> dict[str, object]:
        """Return it as JSON-compatible values."""
        days = {"first_night": self.first_night.isoformat(), "last_night": self.last_night.isoformat()}
        return {**vars(self), **days}


def third_parties(store: Store, policy: Policy, rules: Rules) -> list[ThirdParty]:
    """Return every third party that a kept night has seen, by kind and name.

    Args:
        store: where ``pseudo__third_party`` lies.
        policy: the third parties that it declares.
        rules: the names of their cookies.
    """
    found: dict[tuple[str, str], tuple[date, date, int]] = {}
    for night in store.nights(SEEN):
        for row in store.read(SEEN, night).to_pylist():
            key = (row["party_kind"], row["party_name"])
            first, _, seen_n = found.get(key, (night, night, 0))
            found[key] = (first, night, seen_n + row["seen_n"])
    return [
        ThirdParty(kind, name, *seen, declared_as(kind, name, policy, rules))
        for (kind, name), seen in sorted(found.items())
    ]


def declared_as(kind: str, name: str, policy: Policy, rules: Rules) -> str | None:
    """Return the host under which a third party is declared; None if it is under none.

    Args:
        kind: ``cookie`` or ``host``.
        name: as the door writes it: digits of a cookie's name as 0; the domain that owns a host.
        policy: the third parties that it declares.
        rules: the names of their cookies; a ``*`` at the end stands for anything.
    """
    for party in policy.third_parties:
        cookies = rules.external_transmission.get(party.host, ())
        owner = owned_by(party.host) or party.host
        if name == owner if kind == "host" else any(fnmatchcase(name, cookie) for cookie in cookies):
            return party.host
    return None
