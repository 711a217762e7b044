"""The clauses of the privacy policy as data: what each says, what enforces it, what proves it, what it leaves open.

What belongs here: reading ``clauses.yaml``. What does not: running a proof (``tests/contract/test_clauses.py`` compares
the proofs with the tests that claim to be one).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quorum.errors import ConfigurationError, PolicyError
from quorum.policy import fields

CLAUSES = (
    *(f"C-{number:02}" for number in range(1, 9)),
    *(f"P-{number:02}" for number in range(1, 12)),
    *(f"D-{number:02}" for number in range(1, 7)),
    *(f"K-{number:02}" for number in range(1, 5)),
    *(f"S-{number:02}" for number in range(1, 4)),
    *(f"R-{number:02}" for number in range(1, 3)),
    "Q-01",
)
"""The 35 clauses. P-03n, the sentence on the result of P-03, is a part of P-03 with proofs of its own."""

_REQUIRED = ("ja", "en", "enforced_by", "proved_by")


@dataclass(frozen=True)
class Gap:
    """What a clause leaves open.

    Args:
        code: a short name, e.g. ``no_retention_period``.
        ja: what is open, in Japanese.
        en: the same in English.
    """

    code: str
    ja: str
    en: str


@dataclass(frozen=True)
class Clause:
    """A clause, or the part of one.

    Args:
        code: e.g. ``C-06``; a part ends in a letter.
        ja: what it says, in our words.
        en: the same in English.
        enforced_by: modules, ``a.b.c``, and commands, ``quorum ...``.
        proved_by: tests, ``path::name``; all of a file is never meant.
        gaps: what it leaves open.
    """

    code: str
    ja: str
    en: str
    enforced_by: tuple[str, ...]
    proved_by: tuple[str, ...]
    gaps: tuple[Gap, ...]


def clauses(document: Mapping[str, Any]) -> dict[str, Clause]:
    """Return the clauses of ``clauses.yaml``, in order, each followed by its parts.

    Raises:
        ConfigurationError: the file is not laid out as expected.
        PolicyError: a clause is missing, or is none of the policy.
    """
    listed = fields.mapping("clauses.yaml: clauses", fields.fields("clauses.yaml", document, ["clauses"])["clauses"])
    unlike = sorted(set(CLAUSES) ^ set(listed))
    if unlike:
        raise PolicyError(
            "policy.clauses",
            f"clause {unlike[0]} is {'missing' if unlike[0] in CLAUSES else 'none of the policy'}",
            f"the {len(CLAUSES)} clauses {CLAUSES[0]} to {CLAUSES[-1]}",
            "correct clauses.yaml",
        )
    found: dict[str, Clause] = {}
    for code, spec in listed.items():
        where = f"clauses.yaml: {code}"
        body = fields.fields(where, spec, _REQUIRED, ["gaps", "parts"])
        found[code] = _clause(code, where, body)
        for part, inner in fields.mapping(f"{where}: parts", body.get("parts", {})).items():
            if part[:-1] != code:
                raise ConfigurationError("policy.clauses", f"{part} in {code}", f"{code} and a letter", "correct it")
            at = f"clauses.yaml: {part}"
            found[part] = _clause(part, at, fields.fields(at, inner, _REQUIRED, ["gaps"]))
    return found


def _clause(code: str, where: str, body: Mapping[str, Any]) -> Clause:
    return Clause(
        code=code,
        ja=fields.text(f"{where}: ja", body["ja"]),
        en=fields.text(f"{where}: en", body["en"]),
        enforced_by=fields.texts(f"{where}: enforced_by", body["enforced_by"]),
        proved_by=fields.texts(f"{where}: proved_by", body["proved_by"]),
        gaps=tuple(
            _gap(f"{where}: gap {name}", name, spec)
            for name, spec in fields.mapping(f"{where}: gaps", body.get("gaps", {})).items()
        ),
    )


def _gap(where: str, code: str, spec: object) -> Gap:
    body = fields.fields(where, spec, ["ja", "en"])
    return Gap(code, fields.text(where, body["ja"]), fields.text(where, body["en"]))
