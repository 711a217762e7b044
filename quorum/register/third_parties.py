"""Third parties seen at the door, beside those that the portal declares (K-02; Telecommunications Business Act 27-12).

What belongs here: the list over nights, and which of it is declared. What does not: counting at the door
(`quorum.intake.third_parties`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

from quorum.engine.store import Store
from quorum.register.types import Rules, Transmission

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
        declared_as: id of an external transmission of ``disclosures.yaml``, or None.
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


def third_parties(store: Store, rules: Rules) -> list[ThirdParty]:
    """Return every third party that a kept night has seen, by kind and name.

    Args:
        store: where ``pseudo__third_party`` lies.
        rules: the declared external transmissions.
    """
    found: dict[tuple[str, str], tuple[date, date, int]] = {}
    for night in store.nights(SEEN):
        for row in store.read(SEEN, night).to_pylist():
            key = (row["party_kind"], row["party_name"])
            first, _, seen_n = found.get(key, (night, night, 0))
            found[key] = (first, night, seen_n + row["seen_n"])
    return [
        ThirdParty(kind, name, *seen, declared_as(kind, name, rules.external_transmission))
        for (kind, name), seen in sorted(found.items())
    ]


def declared_as(kind: str, name: str, declared: Mapping[str, Transmission]) -> str | None:
    """Return the id of the transmission under which a third party is declared; None if it is under none.

    Args:
        kind: ``cookie`` or ``host``.
        name: as the door writes it: digits of a cookie's name as 0.
        declared: id to transmission; a ``*`` at the end of a name stands for anything.
    """
    for code, transmission in declared.items():
        patterns = transmission.cookies if kind == "cookie" else transmission.hosts
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            return code
    return None
