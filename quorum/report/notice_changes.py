"""Sentences about what changes, for those whom the policy is about.

What belongs here: which changes concern the public, and how each is said. What does not: finding them
(`quorum.policy.diff`).

Guarantee: a material change is always said: one without a sentence of its own is named as the diff names it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quorum.policy.changes import Change
from quorum.policy.diff import Documents, changes
from quorum.report.notice_words import NoticeWords

_DAYS = re.compile(r"\d+")


@dataclass(frozen=True)
class Line:
    """A sentence about a change; `since` says from which day of collection, or is empty."""

    text: str
    since: str = ""


@dataclass(frozen=True)
class Told:
    """What the notice says about changes.

    Args:
        material: sentences about material changes.
        others: sentences about other changes that concern people.
        internal: a sentence that counts the rest, or an empty text.
        fresh: purpose to the categories that are new to it.
    """

    material: Sequence[Line]
    others: Sequence[Line]
    internal: str
    fresh: Mapping[str, Sequence[str]]


def tell(old: Documents, new: Documents, words: NoticeWords) -> Told:
    """Return what the notice says about the changes between two policies.

    Args:
        old: the files before.
        new: the files after.
        words: the language.
    """
    found = changes(old, new)
    material: list[Line] = []
    others: list[Line] = []
    untold = 0
    fresh: dict[str, list[str]] = defaultdict(list)
    for change in found:
        if change.file == "policy.yaml" and change.field == "uses" and change.is_material:
            fresh[change.subject].append(change.item)
        sentence = words.sentence(_key(change))
        if sentence is None and not change.is_material:
            untold += 1
        elif change.is_material:
            text = change.what if sentence is None else _filled(sentence, change, old, words)
            material.append(Line(text, _since(change, words)))
        elif sentence is not None:
            others.append(Line(_filled(sentence, change, old, words)))
    internal = words["internal"].format(untold) if untold else ""
    return Told(_once(material), _once(others), internal, fresh)


def _once(lines: list[Line]) -> list[Line]:
    return list(dict.fromkeys(lines))


def _key(change: Change) -> str:
    """Return the key of the sentence for a change; one of no sentence is of no concern outside."""
    if change.file.startswith("decisions/"):
        return f"decision_{change.kind}"
    if change.file == "retention.yaml":
        return f"retention_{change.kind}" if _zone(change) in ("vault", "pseudo", "out") else ""
    if change.file == "disclosures.yaml":
        return (
            f"basis_{change.kind}" if change.what.startswith("basis ") and change.kind in ("added", "removed") else ""
        )
    if change.file == "reports.yaml":
        return f"{change.field or 'report'}_{change.kind}"
    if change.file != "policy.yaml":
        return ""
    if change.what.startswith(("contact.", "cookies.")):
        return "contact_changed" if change.what.startswith("contact.") else "third_parties_changed"
    if change.what.startswith("purpose ") and change.kind in ("added", "removed"):
        return f"purpose_{change.kind}"
    return f"{change.field or change.subject}_{change.kind}"


def _zone(change: Change) -> str:
    parts = change.subject.split(".")
    return parts[1] if parts[-1] == "days" and len(parts) == 3 else ""


def _filled(sentence: str, change: Change, old: Documents, words: NoticeWords) -> str:
    item = words.category(change.item, old)
    if change.field == "stops":
        item = words.stopped(change.item)
    elif change.field == "recipient_kinds":
        item = words.recipient_kind(change.item)
    what = change.what
    if change.file == "retention.yaml":
        now, was = _DAYS.findall(change.what)
        what = words["days_change"].format(zone=words[_zone(change)], now=now, was=was)
    subject, item = _subject(change, old, words, item)
    said = sentence.format(subject=subject, item=item, what=what)
    return said[:1].upper() + said[1:]


def _subject(change: Change, old: Documents, words: NoticeWords, item: str) -> tuple[str, str]:
    if change.file == "policy.yaml" and change.subject.startswith("scope "):
        return words.scope(words.policy.scopes[change.subject.removeprefix("scope ")]), item
    if change.file == "policy.yaml":
        return words.purpose(change.subject, old), item
    if change.file == "disclosures.yaml":
        clause = words.policy.clauses.get(change.subject)
        said = change.subject if clause is None else clause.ja if words.language == "ja" else clause.en
        return said.rstrip("。."), item
    if change.file.startswith("decisions/"):
        decision = next((one for one in words.policy.decisions if one.id == change.subject), None)
        if decision is not None:
            return words.purpose(decision.purpose), words.category(decision.category)
    if change.file == "reports.yaml":
        report = words.policy.reports.get(change.subject.removeprefix("report "))
        if report is not None:
            return (report.name_ja if words.language == "ja" else report.name_en), item
    return change.subject, item


def _since(change: Change, words: NoticeWords) -> str:
    """Return from which day of collection data is used for what is new to a purpose."""
    purpose = words.policy.purposes.get(change.subject)
    if purpose is None or change.file != "policy.yaml":
        return ""
    return words["from_day"].format(words.instant(purpose.collected_from([change.item])))
