"""The privacy notice as a page that the portal can publish: the policy in Japanese and English, and what changed.

What belongs here: what the page says of the policy that holds. What does not: sentences about changes
(`quorum.report.notice_changes`), and anything that the policy's files do not say.

Guarantee: every category, purpose, basis, period and address on the page is one of the policy's files; the same files
give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from markupsafe import Markup

from quorum.pages import template
from quorum.policy import Policy, Purpose
from quorum.policy.closed import INFRA
from quorum.policy.diff import Documents
from quorum.report.labels import TEMPLATES
from quorum.report.notice_changes import Told, tell
from quorum.report.notice_words import NoticeWords

LANGUAGES = ("ja", "en")
_AUTOMATIC = ("IP", "COOKIE", "VIEW", "TIME", "HOW", "ENV", "SVC", "ITEM")
_FROM_PARTNERS = ("PTX", "PBILL")
_ABOUT_PEOPLE = ("identifier", "restricted", "attribute", "choice")
_AS_RECEIVED = ("MEMBER", "RAW")
_BASES = ("D-03", "D-04", "D-05", "D-06")
_KEPT = ("vault", "pseudo", "out")


@dataclass(frozen=True)
class _Chip:
    """A category on the page; `kind` is ``attr``, ``new`` or empty."""

    name: str
    kind: str = ""


def render_notice(policy: Policy, new: Documents, old: Documents | None) -> dict[str, bytes]:
    """Return the notice.

    Args:
        policy: the policy that is announced.
        new: its files, from `quorum.policy.diff.documents`.
        old: the files of the policy that it replaces; None for the whole policy without a word on changes.

    Returns:
        ``notice.ja.html`` and ``notice.en.html`` as UTF-8, each self-contained, linked to each other.
    """
    return {f"notice.{language}.html": _page(policy, new, old, language).encode() for language in LANGUAGES}


def _page(policy: Policy, new: Documents, old: Documents | None, language: str) -> str:
    words = NoticeWords(language, _texts(), policy)
    told = None if old is None else tell(old, new, words)
    css = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", "notice.css"))
    return template(TEMPLATES, "notice.html.j2").render(
        t=words.texts,
        language=language,
        other=next(other for other in LANGUAGES if other != language),
        title=words["title_whole" if old is None else "title_changed"],
        effective=words.day(policy.effective_on),
        version=words["version"].format(policy.version),
        replaced="" if old is None else words["version"].format(old["policy.yaml"].get("version", "?")),
        told=told,
        collected=_collected(policy, words),
        purposes=[_purpose(p, policy, words, told) for code, p in sorted(policy.purposes.items()) if code != INFRA],
        attr=words["attr_note"].format(words.listed(words.category(code) for code in policy.attr)),
        statistics_to=words["statistics_to"].format(_recipients(policy, words)),
        bases=[_says(policy, code, language) for code in _BASES],
        third_parties=[_third_party(party, words) for party in policy.third_parties],
        retention=[(words[zone], words["days"].format(f"{policy.retention_days[zone]:,}")) for zone in _KEPT],
        stops=[
            (words.scope(scope), words.listed(words.stopped(code) for code in scope.stops))
            for scope in policy.scopes.values()
            if scope.stops
        ],
        consents=[
            (words.scope(scope), _chips(scope.provides, words)) for scope in policy.scopes.values() if scope.provides
        ],
        contact={
            "office": policy.contact.ja if language == "ja" else policy.contact.en,
            "email": policy.contact.email,
            "url": policy.contact.url,
        },
        digest=policy.digest,
        css=Markup(css),  # noqa: S704 - our own files
    )


def _collected(policy: Policy, words: NoticeWords) -> list[tuple[str, list[_Chip]]]:
    return [
        (words["at_registration"], _chips(policy.registration.named, words)),
        (words["with_use"], _chips(policy.registration.extras, words)),
        (words["automatic"], _chips(_AUTOMATIC, words)),
        (words["from_partners"], _chips(_FROM_PARTNERS, words)),
    ]


def _chips(codes: Iterable[str], words: NoticeWords, fresh: Sequence[str] = ()) -> list[_Chip]:
    return [_Chip(words.category(code), "new" if code in fresh else "") for code in codes]


def _purpose(purpose: Purpose, policy: Policy, words: NoticeWords, told: Told | None) -> dict[str, Any]:
    fresh = () if told is None else told.fresh.get(purpose.code, ())
    by_list = set(policy.attr) <= set(purpose.uses)
    rest = [
        code
        for code in purpose.uses
        if not (by_list and code in policy.attr)
        and code not in _AS_RECEIVED
        and policy.columns[code].klass in _ABOUT_PEOPLE
    ]
    chips = ([_Chip(words["attr"], "attr")] if by_list else []) + _chips(rest, words, fresh)
    since = []
    if purpose.effective_at > min(other.effective_at for other in policy.purposes.values()):
        since.append(words["from_day"].format(words.instant(purpose.effective_at)))
    since += [
        words["from_item_day"].format(item=words.category(code), day=words.instant(at))
        for code, at in sorted(purpose.uses_from.items())
    ]
    says = _says(policy, purpose.code, words.language)
    return {"code": purpose.code, "name": words.purpose(purpose.code), "says": says, "items": chips, "since": since}


def _says(policy: Policy, code: str, language: str) -> str:
    clause = policy.clauses[code]
    return clause.ja if language == "ja" else clause.en


def _recipients(policy: Policy, words: NoticeWords) -> str:
    kinds = dict.fromkeys(kind for report in policy.reports.values() for kind in report.recipient_kinds)
    return words.listed(words.recipient_kind(kind) for kind in kinds)


def _third_party(party: Any, words: NoticeWords) -> dict[str, Any]:
    is_ja = words.language == "ja"
    return {
        "name": party.name_ja if is_ja else party.name_en,
        "host": party.host,
        "purpose": party.purpose_ja if is_ja else party.purpose_en,
        "items": _chips(party.items, words),
        "opt_out_url": party.opt_out_url,
    }


@cache
def _texts() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    loaded: Mapping[str, Mapping[str, Mapping[str, str]]] = yaml.safe_load(
        (TEMPLATES / "notice_words.yaml").read_text(encoding="utf-8")
    )
    return loaded
