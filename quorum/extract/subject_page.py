"""The page of a person's own data: one self-contained file for each language, without script.

What belongs here: from the rows of a package to sections and panels. What does not: collecting them
(`quorum.extract.subject`), words and formats (`quorum.extract.subject_words`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any

import jinja2
import pyarrow as pa
from markupsafe import Markup

from quorum.extract.subject_words import LANGUAGES, TEMPLATES, Names, Words
from quorum.policy import Policy

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


@dataclass(frozen=True)
class Section:
    """A section of the page; without panels nothing is recorded.

    Args:
        name: as in the package.
        title: its heading.
        panels: its tables.
        note: a line below the heading.
    """

    name: str
    title: str
    panels: tuple[Panel, ...] = field(default=())
    note: str = ""


def pages(
    policy: Policy, night: date, reference: str, tables: Mapping[str, pa.Table], names: Names
) -> dict[str, bytes]:
    """Return ``subject.ja.html`` and ``subject.en.html`` as UTF-8; the same arguments give the same bytes.

    Args:
        policy: labels, version, contact.
        night: what is known is known up to this night.
        reference: short keyed reference of the request.
        tables: section to the rows of the one person.
        names: of campaigns, sections and recipients.
    """
    rows = {section: table.to_pylist() for section, table in tables.items()}
    return {
        f"subject.{language}.html": _page(Words(language, policy, names), night, reference, rows).encode()
        for language in LANGUAGES
    }


def _page(words: Words, night: date, reference: str, rows: Mapping[str, Rows]) -> str:
    contact = words.policy.contact
    office = contact.ja if words.language == "ja" else contact.en
    return _template().render(
        t=words.texts,
        language=words.language,
        as_of=words.day(night),
        reference=reference,
        policy=words["purpose"].format(words.policy.version),
        tiles=_tiles(words, rows),
        sections=[_section(words, name, _PANELS[name](words, found)) for name, found in rows.items()],
        purposes=words.purposes(),
        contact=f"{office} · {contact.email} · {contact.url}",
        css=Markup((TEMPLATES / "subject.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
    )


def _section(words: Words, name: str, panels: tuple[Panel, ...]) -> Section:
    return Section(name, words[name], panels, str(words.texts.get(f"{name}_note", "")))


def _tiles(words: Words, rows: Mapping[str, Rows]) -> list[dict[str, str]]:
    numbers = {
        "purchases": len(rows["purchases"]),
        "usage": sum(row["view_n"] for row in rows["usage"]),
        "advertisements": sum(r["event_n"] for r in rows["advertisements"] if r["event_type"] == "impression"),
        "disclosures": len(rows["disclosures"]),
    }
    labels = {"usage": "views"}
    return [
        {"section": name, "label": words[f"tile_{labels.get(name, name)}"], "number": f"{number:,}"}
        for name, number in numbers.items()
    ]


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


_PANELS: Mapping[str, Callable[[Words, Rows], tuple[Panel, ...]]] = MappingProxyType(
    {
        "registration": _registration,
        "versions": _versions,
        "corrections": _corrections,
        "attributes": _attributes,
        "purchases": _purchases,
        "usage": _usage,
        "advertisements": _advertisements,
        "segments": _segments,
        "choices": _choices,
        "disclosures": _disclosures,
    }
)
"""Section to how it is shown."""


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("subject.html.j2")
