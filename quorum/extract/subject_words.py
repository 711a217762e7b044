"""Words of a person's own page, in Japanese and English, and how dates, amounts and keys are written.

What belongs here: finding a fixed text (`templates/subject_words.yaml`) and every format. What does not: layout, and
which rows there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from quorum.policy import Policy

TEMPLATES = Path(__file__).with_name("templates")
LANGUAGES = ("ja", "en")

_UNBROKEN = "\u2011"  # a hyphen at which no line breaks
_MICROS = 1_000_000
_TOKYO = timedelta(hours=9)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Names:
    """What reference data calls things: id to name in Japanese and in English.

    Args:
        campaign: of campaigns.
        section: of sections of the site.
        recipient: of recipients.
        segment: of segments.
    """

    campaign: Mapping[str, tuple[str, str]]
    section: Mapping[str, tuple[str, str]]
    recipient: Mapping[str, tuple[str, str]]
    segment: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Words:
    """Texts and formats of one language.

    Args:
        language: ``ja`` or ``en``.
        policy: labels of categories and scopes.
        names: of what reference data lists.
    """

    language: str
    policy: Policy
    names: Names

    @property
    def texts(self) -> Mapping[str, Any]:
        """All fixed texts by name."""
        return _read(self.language)

    def __getitem__(self, name: str) -> str:
        return str(self.texts[name])

    def word(self, key: str) -> str:
        """Return the word for a code, the code itself if there is none."""
        return str(self.texts.get(key, key))

    def field(self, name: str) -> str:
        """Return what a field of the registration is called."""
        return str(self.texts["fields"].get(name, name))

    def category(self, code: str) -> str:
        """Return what a data category is called."""
        category = self.policy.columns[code]
        return category.ja if self.language == "ja" else category.en

    def used_for(self, code: str) -> str:
        """Return what a data category is called and the purposes that may use it."""
        purposes = [purpose.code for purpose in self.policy.purposes.values() if code in purpose.uses]
        return f"{self.category(code)} · {', '.join(purposes)}".replace("-", _UNBROKEN)

    def purposes(self) -> list[tuple[str, str]]:
        """Return code and name of each purpose of use."""
        listed = [purpose for purpose in self.policy.purposes.values() if purpose.uses]
        return [
            (one.code.replace("-", _UNBROKEN), one.name_ja if self.language == "ja" else one.name_en) for one in listed
        ]

    def label(self, key_set: str, key: str) -> str:
        """Return the policy's label of a category of a key set."""
        return self.policy.label(key_set, key, self.language)

    def name(self, kind: str, key: str) -> str:
        """Return the name of a campaign, a section, a recipient or a segment; a word where reference data has none."""
        names: Mapping[str, tuple[str, str]] = getattr(self.names, kind)
        if key in names:
            return names[key][LANGUAGES.index(self.language)]
        return self.word(key)

    def scope(self, code: str) -> str:
        """Return what a choice is about."""
        scope = self.policy.scopes.get(code)
        if scope is None:
            return code
        return scope.name_ja if self.language == "ja" else scope.name_en

    def recipient(self, recipient_id: str | None) -> str:
        """Return the recipient of a choice; none named means all."""
        return self["everybody"] if recipient_id is None else self.name("recipient", recipient_id)

    def day(self, day: date) -> str:
        """Write a civil date."""
        if self.language == "ja":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def moment(self, at: datetime) -> str:
        """Write an instant, given in UTC, as it was in Japan."""
        local = at + _TOKYO
        return f"{self.day(local.date())} {local:%H:%M}"

    def yen(self, micros: int) -> str:
        """Write micro-yen as yen, rounded half up."""
        return f"¥{(micros + _MICROS // 2) // _MICROS:,}"


@cache
def _read(language: str) -> Mapping[str, Any]:
    document = yaml.safe_load((TEMPLATES / "subject_words.yaml").read_text(encoding="utf-8"))
    texts = {name: entry[language] for name, entry in document.items() if name != "fields"}
    return {**texts, "fields": {name: entry[language] for name, entry in document["fields"].items()}}
