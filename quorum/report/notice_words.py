"""Words of the privacy notice in one language: fixed texts, and names of what the policy declares.

What belongs here: finding a name and writing a day or a list. What does not: what is said (`quorum.report.notice`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from quorum.policy import Policy, Scope
from quorum.policy.decisions import EVERY_USER_OF_ATTR

_TOKYO = timedelta(hours=9)
_STATISTICS = "P-03"
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@dataclass(frozen=True)
class NoticeWords:
    """Texts of one language.

    Args:
        language: ``ja`` or ``en``.
        all_texts: ``notice_words.yaml``.
        policy: names of categories, purposes and scopes.
    """

    language: str
    all_texts: Mapping[str, Mapping[str, Mapping[str, str]]]
    policy: Policy

    def __getitem__(self, key: str) -> str:
        return self.all_texts["texts"][key][self.language]

    @property
    def texts(self) -> dict[str, str]:
        """All fixed texts, by key."""
        return {key: text[self.language] for key, text in self.all_texts["texts"].items()}

    def sentence(self, key: str) -> str | None:
        """Return the sentence for a kind of change, with places for names; None if it is of no concern outside."""
        found = self.all_texts["changes"].get(key)
        return None if found is None else found[self.language]

    def category(self, code: str, before: Mapping[str, Any] | None = None) -> str:
        """Return the name of a category; of one that is gone, from the files before; else the code."""
        category = self.policy.columns.get(code)
        if category is not None:
            return category.ja if self.language == "ja" else category.en
        gone = (before or {}).get("columns.yaml", {}).get("categories", {}).get(code, {})
        return str(gone.get(self.language, code))

    def purpose(self, code: str, before: Mapping[str, Any] | None = None) -> str:
        """Return the name of a purpose; of one that is gone, from the files before; else the code."""
        if code == EVERY_USER_OF_ATTR:
            return self["attr"]
        purpose = self.policy.purposes.get(code)
        if purpose is not None:
            return purpose.name_ja if self.language == "ja" else purpose.name_en
        gone = (before or {}).get("policy.yaml", {}).get("purposes", {}).get(code, {})
        return str(gone.get(f"name_{self.language}", code))

    def stopped(self, code: str) -> str:
        """Return what a choice stops of a purpose: of P-03 the samples, for its statistics are about nobody."""
        return self["samples_of_p03"] if code == _STATISTICS else self.purpose(code)

    def scope(self, scope: Scope) -> str:
        """Return the name of a scope of choices, with a capital in English."""
        return scope.name_ja if self.language == "ja" else scope.name_en[:1].upper() + scope.name_en[1:]

    def recipient_kind(self, kind: str) -> str:
        """Return the name of a class of recipients; the code of one that has no name yet."""
        found = self.all_texts["kinds"].get(kind)
        return kind if found is None else found[self.language]

    def listed(self, names: Iterable[str]) -> str:
        """Return names as a list in a sentence."""
        return ("、" if self.language == "ja" else ", ").join(names)

    def day(self, on: date) -> str:
        """Return a civil date."""
        if self.language == "ja":
            return f"{on.year}年{on.month}月{on.day}日"
        return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"

    def instant(self, at: datetime) -> str:
        """Return the civil date in Tokyo of an instant in UTC without a zone."""
        return self.day((at + _TOKYO).date())
