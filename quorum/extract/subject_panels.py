"""The tables of a person's own page: from the rows of a section to what is shown of them.

What belongs here: one function a section. What does not: the page around them (`quorum.extract.subject_page`), words
and formats (`quorum.extract.subject_words`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any

from quorum.extract.subject_words import Words

Rows = list[dict[str, Any]]
_MOST_DAYS = 31
_REGISTERED = (
    *("name", "email", "birth_date", "gender", "postal_code", "address", "phone", "occupation", "industry"),
    *("interests", "nickname", "payment_method", "bank_account_end", "card_number_end"),
)
_CATEGORY = MappingProxyType(
    {
        **{"name": "NAME", "email": "EMAIL", "birth_date": "DOB", "gender": "GEN", "postal_code": "ZIP"},
        **{"address": "ADDR", "phone": "TEL", "occupation": "OCC", "industry": "IND", "interests": "INT"},
        **{"nickname": "NICK", "payment_method": "PAYM", "bank_account_end": "BANK", "card_number_end": "CARD"},
        **{"age_years": "AGE", "prefecture": "ZIP"},
    }
)
_WRITTEN: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        "bank_account_end": "••••{}".format,
        "card_number_end": "••••{}".format,
        "interests": lambda text: text.replace(";", " / "),
        "postal_code": lambda text: f"{text[:3]}-{text[3:]}" if len(text) == _POSTAL_DIGITS else text,
    }
)
"""Field of the registration to how it is written; any other as it is held."""
_POSTAL_DIGITS = 7
_EVENTS = ("impression", "click", "conversion")


@dataclass(frozen=True)
class Row:
    """A row of a panel.

    Args:
        cells: texts; None where nothing is registered.
        share: length of its bar, a fraction as text; empty for none.
    """

    cells: tuple[str | None, ...]
    share: str = ""


@dataclass(frozen=True)
class Panel:
    """A table of the page.

    Args:
        heads: titles of the columns.
        rows: in order.
        kind: ``facts``, ``bars`` or ``list``.
        numbers: positions of the columns that hold numbers.
        has_total: whether the last row is a total.
        more: a line below, if not all rows are shown.
    """

    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    kind: str = "list"
    numbers: tuple[int, ...] = ()
    has_total: bool = False
    more: str = ""


def _facts(words: Words, row: Mapping[str, Any], names: Iterable[str]) -> Panel:
    cells = ((words.field(name), _shown(words, name, row[name]), words.used_for(_CATEGORY[name])) for name in names)
    return Panel((words["item"], words["value"], words["used_for"]), tuple(map(Row, cells)), kind="facts")


def _shown(words: Words, name: str, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, date):
        return words.day(value)
    return _WRITTEN.get(name, str)(value)


def _registration(words: Words, rows: Rows) -> tuple[Panel, ...]:
    return tuple(_facts(words, row, _REGISTERED) for row in rows)


def _versions(words: Words, rows: Rows) -> tuple[Panel, ...]:
    return _list((words["changed_at"],), ((words.moment(row["updated_at"]),) for row in reversed(rows)))


def _corrections(words: Words, rows: Rows) -> tuple[Panel, ...]:
    cells = ((words.day(row["corrected_on"]), words.field(row["field"])) for row in rows)
    return _list((words["corrected_on"], words["item"]), cells)


def _attributes(words: Words, rows: Rows) -> tuple[Panel, ...]:
    sets = {"gender": "genders", "prefecture": "prefectures", "occupation": "occupations"}
    shown = [{**row, **{name: words.label(keys, row[name]) for name, keys in sets.items()}} for row in rows]
    return tuple(_facts(words, row, ("age_years", *sets)) for row in shown)


def _purchases(words: Words, rows: Rows) -> tuple[Panel, ...]:
    if not rows:
        return ()
    cells: list[tuple[str | None, ...]] = [
        (
            words.day(row["transaction_date"]),
            words.name("recipient", row["partner_id"]),
            row["item_category"],
            words.yen(row["amount_micros"]),
        )
        for row in rows
    ]
    cells.append((words["total"], "", "", words.yen(sum(row["amount_micros"] for row in rows))))
    heads = (words["date"], words["partner"], words["goods"], words["amount"])
    return (Panel(heads, tuple(map(Row, cells)), numbers=(3,), has_total=True),)


def _usage(words: Words, rows: Rows) -> tuple[Panel, ...]:
    if not rows:
        return ()
    counted: dict[str, Counter[Any]] = {
        name: Counter() for name in ("access_date", "section_id", "device", "hour_band")
    }
    for row in rows:
        for name, counter in counted.items():
            counter[row[name]] += row["view_n"]
    days = sorted(counted["access_date"].items(), reverse=True)
    sections = [(words.name("section", key), n) for key, n in counted["section_id"].most_common()]
    devices = [(words.label("devices", key), n) for key, n in counted["device"].most_common()]
    hours = [(words.label("hour_bands", key), n) for key, n in sorted(counted["hour_band"].items())]
    more = words["rows_of"].format(len(days) - _MOST_DAYS) if len(days) > _MOST_DAYS else ""
    return (
        _bars(words, "date", [(words.day(day), n) for day, n in days[:_MOST_DAYS]], more),
        _bars(words, "section", sections),
        _bars(words, "time_of_day", hours),
        _bars(words, "environment", devices),
    )


def _bars(words: Words, title: str, counted: list[tuple[str, int]], more: str = "") -> Panel:
    most = max(n for _, n in counted)
    rows = tuple(Row((label, f"{n:,}"), f"{1000 * n // most / 1000}") for label, n in counted)
    return Panel((words[title], words["views"]), rows, kind="bars", numbers=(1,), more=more)


def _beacons(words: Words, rows: Rows) -> tuple[Panel, ...]:
    counted: Counter[str] = Counter()
    for row in rows:
        counted[row["section_id"]] += row["beacon_n"]
    named = [(words.name("section", key), n) for key, n in counted.most_common()]
    return (replace(_bars(words, "section", named), heads=(words["section"], words["times"])),) if rows else ()


def _logins(words: Words, rows: Rows) -> tuple[Panel, ...]:
    days = [(words.day(row["login_date"]), row["login_n"]) for row in reversed(rows)]
    return (replace(_bars(words, "date", days), heads=(words["date"], words["times"])),) if rows else ()


def _advertisements(words: Words, rows: Rows) -> tuple[Panel, ...]:
    if not rows:
        return ()
    counted: dict[str, Counter[str]] = {}
    for row in rows:
        counted.setdefault(row["campaign_id"] or "unknown", Counter())[row["event_type"]] += row["event_n"]
    by_number = sorted(counted.items(), key=lambda item: (-item[1]["impression"], item[0]))
    cells = [(words.name("campaign", key), *(f"{n[event]:,}" for event in _EVENTS)) for key, n in by_number]
    heads = (words["campaign"], *(words[event] for event in _EVENTS))
    return (Panel(heads, tuple(map(Row, cells)), numbers=(1, 2, 3)),)


def _segments(words: Words, rows: Rows) -> tuple[Panel, ...]:
    until = words["until_further"]
    cells = (
        (
            words.name("segment", row["segment_id"]),
            words.day(row["valid_from"]),
            words.day(row["valid_to"]) if row["valid_to"] else until,
        )
        for row in rows
    )
    return _list((words["segment"], words["valid_from"], words["valid_to"]), cells)


def _choices(words: Words, rows: Rows) -> tuple[Panel, ...]:
    cells = (
        (
            words.moment(row["preference_at"]),
            words.word(row["choice"]),
            words.scope(row["scope"]),
            words.recipient(row["recipient_id"]),
        )
        for row in rows
    )
    return _list((words["changed_at"], words["choice"], words["scope"], words["recipient"]), cells)


def _disclosures(words: Words, rows: Rows) -> tuple[Panel, ...]:
    cells = (
        (
            words.day(row["disclosed_on"]),
            row["recipient_name"],
            words.word(row["basis"]),
            "、".join(_items(words, row["items"]))
            if words.language == "ja"
            else ", ".join(_items(words, row["items"])),
        )
        for row in rows
    )
    return _list((words["disclosed_on"], words["recipient"], words["basis"], words["items"]), cells)


def _items(words: Words, items: str) -> list[str]:
    return [words.category(code) if code in words.policy.columns else code for code in items.split(";")]


def _list(heads: tuple[str, ...], cells: Iterable[tuple[str | None, ...]]) -> tuple[Panel, ...]:
    rows = tuple(Row(tuple(row)) for row in cells)
    return (Panel(heads, rows),) if rows else ()


PANELS: Mapping[str, Callable[[Words, Rows], tuple[Panel, ...]]] = MappingProxyType(
    {
        "registration": _registration,
        "versions": _versions,
        "corrections": _corrections,
        "attributes": _attributes,
        "purchases": _purchases,
        "usage": _usage,
        "beacons": _beacons,
        "logins": _logins,
        "advertisements": _advertisements,
        "segments": _segments,
        "choices": _choices,
        "disclosures": _disclosures,
    }
)
"""Section to how it is shown."""
