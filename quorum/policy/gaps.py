"""What the policy leaves open: declared clause by clause by the officer, and found by comparing the files.

What belongs here: finding and naming what is open. What does not: closing it; nothing here refuses anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from quorum.policy.diff import Documents
from quorum.policy.types import Policy

_SHOWING = "P-04"


@dataclass(frozen=True)
class OpenPoint:
    """Something that the policy leaves open.

    Args:
        clause: the clause that leaves it open.
        code: a short name.
        ja: what is open, in Japanese.
        en: the same in English.
        is_found: whether it was found by comparing the files; else the officer declared it in ``clauses.yaml``.
    """

    clause: str
    code: str
    ja: str
    en: str
    is_found: bool

    def as_record(self) -> dict[str, object]:
        """Return the point as ``quorum policy gaps --json`` prints it."""
        return asdict(self)


def open_points(policy: Policy, files: Documents, today: date) -> list[OpenPoint]:
    """Return everything that is open, in the order of the clauses.

    Args:
        policy: the policy.
        files: its files, from `quorum.policy.diff.documents`.
        today: civil date in Asia/Tokyo: contracts and reviews are judged on it.
    """
    declared = [
        OpenPoint(code, gap.code, gap.ja, gap.en, is_found=False)
        for code, clause in policy.clauses.items()
        for gap in clause.gaps
    ]
    finders = (_unnamed, _unused, _unlisted, _wider, _from_memory, _lapsed, _overdue, _unproved)
    found = [point for finder in finders for point in finder(policy, files, today)]
    order = list(policy.clauses)
    return sorted([*declared, *found], key=lambda point: (order.index(point.clause), point.is_found, point.code))


def _users(policy: Policy, category: str) -> list[str]:
    return [code for code, purpose in policy.purposes.items() if category in purpose.uses and code.startswith("P-")]


def _unnamed(policy: Policy, files: Documents, today: date) -> Iterator[OpenPoint]:
    """Yield what is collected at registration and used, and not named as collected."""
    for category in policy.registration.extras:
        names, users = policy.columns[category], ", ".join(_users(policy, category))
        yield OpenPoint(
            "C-05",
            f"not_named_as_collected_{category.lower()}",
            f"{names.ja}は{users}で用いるが、登録項目として挙げられていない。",
            f"{names.en}: used by {users}, and not named as collected.",
            is_found=True,
        )


def _unused(policy: Policy, files: Documents, today: date) -> Iterator[OpenPoint]:
    """Yield what is asked for at registration and serves nothing but to be shown to the person."""
    for category in policy.registration.named:
        if not set(_users(policy, category)) - {_SHOWING}:
            names = policy.columns[category]
            yield OpenPoint(
                "C-04",
                f"collected_without_a_use_{category.lower()}",
                f"{names.ja}は登録時に求めるが、本人への表示（P-04）のほかに用いる目的がない。",
                f"{names.en}: asked for at registration, and used for nothing but showing it to the person (P-04).",
                is_found=True,
            )


def _unlisted(policy: Policy, files: Documents, today: date) -> Iterator[OpenPoint]:
    if not policy.third_parties:
        yield OpenPoint(
            "K-02",
            "no_third_party_listed",
            "外部に情報を送る相手が一つも挙げられていない（policy.yaml の cookies）。",
            "No third party is listed to whom data is sent (cookies in policy.yaml).",
            is_found=True,
        )


def _wider(policy: Policy, files: Documents, today: date) -> Iterator[OpenPoint]:
    """Yield bases of disclosure that are marked as wider than the law, and say nothing of it in their clause."""
    for code, basis in _of(files, "bases").items():
        if basis.get("wider_than_law") and code in policy.clauses and not policy.clauses[code].gaps:
            yield OpenPoint(
                code, "wider_than_law", "法律の定める例外より広い。", "Wider than the law's exceptions.", is_found=True
            )


def _from_memory(policy: Policy, files: Documents, today: date) -> Iterator[OpenPoint]:
    for code, statute in _of(files, "statutes").items():
        if statute.get("from_memory"):
            yield OpenPoint(
                "D-04",
                f"statute_from_memory_{code}",
                f"{statute.get('name_ja', code)}：法令の条文と照合していない事項がある。事実として引用しないこと。",
                f"{statute.get('name_en', code)}: not compared with the text of the law; not to be quoted as fact.",
                is_found=True,
            )


def _lapsed(policy: Policy, files: Documents, today: date) -> Iterator[OpenPoint]:
    for code, processor in _of(files, "processors").items():
        ends = processor.get("expires_on")
        if isinstance(ends, date) and ends < today:
            yield OpenPoint(
                "S-03",
                f"contract_lapsed_{code}",
                f"委託先 {code} の契約は{ends}に切れている。何も渡されない。",
                f"The contract of the processor {code} ended on {ends}; nothing goes there.",
                is_found=True,
            )


def _overdue(policy: Policy, files: Documents, today: date) -> Iterator[OpenPoint]:
    for decision in policy.decisions:
        if decision.holds(today) and decision.review_on < today:
            yield OpenPoint(
                decision.clause,
                f"review_overdue_{decision.id}",
                f"効力のある決定記録 {decision.id} の見直し（{decision.review_on}）が済んでいない。",
                f"The decision {decision.id} is in force and was to be reviewed on {decision.review_on}.",
                is_found=True,
            )


def _unproved(policy: Policy, files: Documents, today: date) -> Iterator[OpenPoint]:
    for code, clause in policy.clauses.items():
        if not clause.proved_by:
            yield OpenPoint(
                code, "unproved", "この条項を証明する試験がない。", "No test proves this clause.", is_found=True
            )


def _of(files: Documents, name: str) -> Mapping[str, Any]:
    return files.get("disclosures.yaml", {}).get(name) or {}
