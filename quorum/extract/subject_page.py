"""The page of a person's own data: one self-contained file for each language, without script.

What belongs here: the sections, the template, what stands around the tables. What does not: the tables
(`quorum.extract.subject_panels`), collecting rows (`quorum.extract.subject`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
from markupsafe import Markup

from quorum.extract.subject_panels import PANELS, Panel, Rows
from quorum.extract.subject_words import LANGUAGES, TEMPLATES, Names, Words
from quorum.pages import template
from quorum.policy import Policy


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
    return template(TEMPLATES, "subject.html.j2").render(
        t=words.texts,
        language=words.language,
        as_of=words.day(night),
        reference=reference,
        policy=words["purpose"].format(words.policy.version),
        tiles=_tiles(words, rows),
        sections=[_section(words, name, PANELS[name](words, found)) for name, found in rows.items()],
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
