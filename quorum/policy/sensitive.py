"""Matters that need special care (要配慮個人情報): which they are, and whether a name or a value is about one.

What belongs here: the closed list of matters, their terms as data, telling. What does not: what is refused because of
it (`quorum.policy.closed`, `quorum.policy.decisions`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quorum.errors import PolicyError
from quorum.policy import fields

MATTERS = (
    "race",
    "creed",
    "social_status",
    "medical_history",
    "criminal_record",
    "crime_victim",
    "disability",
    "health_check",
    "medical_care",
    "criminal_process",
    "juvenile_process",
)


_BETWEEN = re.compile(r"[-_.・/‐‑–—]+")


@dataclass(frozen=True)
class Matter:
    """A matter that needs special care.

    Args:
        code: one of `MATTERS`.
        ja: name in Japanese.
        en: name in English.
        terms: words, normalised; Japanese ones count wherever they stand, others as whole words.
    """

    code: str
    ja: str
    en: str
    terms: tuple[str, ...]

    def is_in(self, normalised: str) -> bool:
        """Say whether a normalised text contains one of the terms."""
        return any(
            re.search(rf"\b{re.escape(term)}\b", normalised) if term.isascii() else term in normalised.replace(" ", "")
            for term in self.terms
        )


def matters(document: Mapping[str, Any]) -> tuple[Matter, ...]:
    """Return the matters of ``sensitive.yaml``.

    Raises:
        ConfigurationError: the file is not laid out as expected.
        PolicyError: one of the eleven matters is missing, or has no terms: the list can grow, not shrink.
    """
    listed = fields.mapping(
        "sensitive.yaml: matters", fields.fields("sensitive.yaml", document, ["matters"])["matters"]
    )
    missing = [code for code in MATTERS if code not in listed]
    if missing:
        raise PolicyError("policy.sensitive", f"sensitive.yaml without {missing[0]}", ", ".join(MATTERS), "put it back")
    return tuple(_matter(code, spec) for code, spec in listed.items())


def _matter(code: str, spec: object) -> Matter:
    where = f"sensitive.yaml: {code}"
    body = fields.fields(where, spec, ["ja", "en", "terms"])
    terms = tuple(_normalised(term) for term in fields.texts(where, body["terms"]))
    if not terms:
        raise PolicyError("policy.sensitive", f"{where} has no terms", "words that tell the matter", "state them")
    return Matter(code, fields.text(where, body["ja"]), fields.text(where, body["en"]), terms)


def matter_of(known: Sequence[Matter], *names: str) -> Matter | None:
    """Return the matter that one of some texts is about, or None.

    Args:
        known: the matters.
        names: names or values; width and case of letters do not count.

    Example:
        >>> flu = Matter("medical_history", "病歴", "medical history", ("病歴", "disease"))
        >>> matter_of([flu], "本人の病歴") is flu, matter_of([flu], "Diseased") is None
        (True, True)
    """
    for name in names:
        normalised = _normalised(name)
        for matter in known:
            if matter.is_in(normalised):
                return matter
    return None


def _normalised(text: str) -> str:
    """Return a text in one spelling: no width, case, hyphens, underscores or characters that are not shown."""
    shown = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return " ".join(_BETWEEN.sub(" ", unicodedata.normalize("NFKC", shown).casefold()).split())
