"""Words of the pages, in Japanese and English, and how numbers and dates are written.

What belongs here: finding a fixed text (`templates/words.yaml`) and every format. What does not: numbers, layout, and
labels of categories, which are the policy's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType

import yaml

from quorum.policy import Policy
from quorum.tables.periods import MONTH, WEEK, kind_of
from quorum.tables.shape import ALL

TEMPLATES = Path(__file__).with_name("templates")
MICROS = 1_000_000
_MILLE = 1_000
_TEXTS = ("words.yaml", "page_words.yaml")

_WEEKDAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Words:
    """Texts and formats of one language.

    Args:
        language: ``ja`` or ``en``.
        policy: labels of categories.
        creatives: creative to name.
    """

    language: str
    policy: Policy
    creatives: Mapping[str, str]

    @property
    def texts(self) -> Mapping[str, str]:
        """All fixed texts by name."""
        return fixed_texts(self.language)

    @property
    def glossary(self) -> Mapping[str, str]:
        """Term to explanation."""
        return _read(self.language)[1]

    def __getitem__(self, name: str) -> str:
        return self.texts[name]

    def category(self, level: str, key: str) -> str:
        """Return what a page calls a category: total, a creative's name, the policy's label, else the key."""
        if key == ALL:
            return self["all"]
        if level == "creative_id":
            return self["unknown"] if key == "unknown" else self.creatives.get(key, key)
        return self.policy.label(self.key_set(level), key, self.language)

    def name(self, name: str) -> str:
        """Return a name; the portal itself and pages in no section have a word where reference data has no name."""
        return self[name] if name in ("site", "other") else name

    def by(self, level: str) -> str:
        """Return the title of a table by a level."""
        name = self[level]
        if self.language == "ja" and name.endswith("別"):
            return name
        return self["by"].format(name if self.language == "ja" else name.lower())

    def key_set(self, level: str) -> str:
        """Return the key set of a level; a coarser level's is named after it."""
        for dimension in self.policy.dimensions.values():
            if level == dimension.levels[-1]:
                return dimension.keys
        return f"{level}s"

    def day(self, day: date) -> str:
        """Write a date with its weekday."""
        weekday = _WEEKDAYS[self.language][day.weekday()]
        if self.language == "ja":
            return f"{day.year}年{day.month}月{day.day}日（{weekday}）"
        return f"{weekday} {day.day} {_MONTHS[day.month - 1]} {day.year}"

    def month(self, first: date) -> str:
        """Write the month of a date."""
        return f"{first.year}年{first.month}月" if self.language == "ja" else f"{_MONTHS[first.month - 1]} {first.year}"

    def period(self, period: str) -> str:
        """Write a day, the first and last day of a week, or a month."""
        if kind_of(period) == MONTH:
            return self.month(date.fromisoformat(f"{period}-01"))
        if kind_of(period) != WEEK:
            return self.day(date.fromisoformat(period))
        year, week = (int(part) for part in period.split("-W"))
        first, last = (date.fromisocalendar(year, week, day) for day in (1, 7))
        return f"{self.day(first)} – {self.day(last)}"

    def yen(self, micros: int) -> str:
        """Write micro-yen as yen, rounded half up; two decimals below 100 yen."""
        if micros < 100 * MICROS and micros % MICROS:
            sen = (micros * 100 + MICROS // 2) // MICROS
            return f"¥{sen // 100}.{sen % 100:02}"
        return f"¥{(micros + MICROS // 2) // MICROS:,}"

    def short(self, number: int) -> str:
        """Write a number in few characters, rounded down: 1.2万, or 12.3k; small ones as they are."""
        units = ((100_000_000, "億"), (10_000, "万")) if self.language == "ja" else ((1_000_000, "M"), (10_000, "k"))
        for least, unit in units:
            if number >= least:
                tenths = number * 10 // (1_000 if unit == "k" else least)
                return f"{tenths // 10:,}{unit}" if tenths >= 1_000 else f"{tenths // 10}.{tenths % 10}{unit}"
        return f"{number:,}"

    def price(self, model: str, micros: int) -> str:
        """Write a price; cpm for a thousand impressions, as the trade does; a dash for a model that is not known."""
        if model not in self.texts:
            return "–"
        return self[model].format(self.yen(micros * _MILLE if model == "cpm" else micros))


def percent(part: int, whole: int) -> str:
    """Write a ratio of two counts in percent with two decimals, rounded half up, by integer arithmetic.

    Example:
        >>> percent(1, 300)
        '0.33%'
    """
    hundredths = (part * 20_000 + whole) // (2 * whole)
    return f"{hundredths // 100:,}.{hundredths % 100:02}%"


def quotient(part: int, whole: int) -> str:
    """Write a ratio of two counts with two decimals, rounded half up, by integer arithmetic.

    Example:
        >>> quotient(5, 3)
        '1.67'
    """
    hundredths = (part * 200 + whole) // (2 * whole)
    return f"{hundredths // 100:,}.{hundredths % 100:02}"


def fixed_texts(language: str) -> Mapping[str, str]:
    """Return all fixed texts of the pages by name, ``ja`` or ``en``."""
    return _read(language)[0]


@cache
def _read(language: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the texts and the glossary of a language."""
    documents = [yaml.safe_load((TEMPLATES / name).read_text(encoding="utf-8")) for name in _TEXTS]
    texts, glossary = (
        MappingProxyType({name: entry[language] for document in documents for name, entry in document[part].items()})
        for part in ("texts", "glossary")
    )
    return texts, glossary
