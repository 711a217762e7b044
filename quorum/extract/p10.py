"""The list of refusals (P-10): decisions of people, with evidence, each until its review.

What belongs here: which refusal that was asked for stands on a night. What does not: acting on the list; no other
purpose reads it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from quorum.desk import Desk
from quorum.extract.result import Check, Checked

REASONS = ("abuse", "arrears")
"""Why somebody may be refused: a closed list."""

_PROGRAM = frozenset(
    {"algorithm", "auto", "automated", "automatic", "batch", "bot", "cron", "daemon", "engine", "robot", "rules"}
    | {"scheduler", "scoring", "script", "sys", "system"}
    | {"chatgpt", "classifier", "detection", "detector", "gpt", "learning", "llm", "pipeline", "program", "workflow"}
)
_NOBODY = frozenset(
    {"admin", "agent", "ai", "job", "machine", "ml", "model", "n/a", "na", "nil", "no", "nobody", "none", "null"}
    | {"root", "rule", "score", "unknown"}
)
_NOBODY_JA = (
    "自動",
    "システム",
    "バッチ",
    "不明",
    "なし",
    "機械",
    "人工知能",
    "アルゴリズム",
    "エンジン",
    "スコア",
    "スクリプト",
)
_PROGRAM_JA = re.compile("プログラム|ボット|(?:ai|ml|言語)モデル")
_ALIKE = str.maketrans("асеоруѕіј", "aceopysij")  # Cyrillic letters that look Latin
_WORD = re.compile(r"[^\W_]+")


def refusal_list(desk: Desk, night: date, rows: pa.Table) -> Checked:
    """Keep the refusals that stand on a night, one for each person and reason.

    Args:
        desk: not needed; every check of an extract is given it.
        night: the night.
        rows: every refusal that was asked for, the newest last.

    Returns:
        The newest decision of each person and reason, unless its review date has passed; and how many rows are not on
        the list, by the first reason that fits: ``no_member``, ``unknown_reason``, ``not_decided`` (no human did),
        ``no_evidence``, ``no_arrears`` (arrears without an amount), ``no_review_date``, ``superseded``,
        ``review_passed``.

    Guarantee: no row that no human decided or without a review date.
    Source: clause P-10.
    """
    refused: Counter[str] = Counter()
    standing: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows.to_pylist():
        reason = _fault(row)
        if reason is not None:
            refused[reason] += 1
            continue
        person_and_reason = (row["person_key"], row["reason_code"])
        refused["superseded"] += person_and_reason in standing
        standing[person_and_reason] = row
    kept = [standing[key] for key in sorted(standing) if standing[key]["review_on"] >= night]
    refused["review_passed"] += len(standing) - len(kept)
    return Checked(pa.Table.from_pylist(kept, rows.schema), +refused)


def is_human(decided_by: str | None) -> bool:
    """Say whether somebody is named who can have decided; a program is nobody.

    Example:
        >>> is_human("officer-12"), is_human("system"), is_human("auto-scoring"), is_human(" - ")
        (True, False, False, False)
    """
    text = unicodedata.normalize("NFKC", decided_by or "").casefold().strip().translate(_ALIKE)
    words = {word.rstrip("0123456789") for word in _WORD.findall(text)}
    whole = "".join(_WORD.findall(text))
    is_program = bool({*words, whole} & _PROGRAM) or any(term in text for term in _NOBODY_JA)
    is_nobody = words <= _NOBODY or whole in _NOBODY
    return bool(words) and not is_nobody and not is_program and not _PROGRAM_JA.search(text)


def _fault(row: Mapping[str, Any]) -> str | None:
    """Return why a row is no decision that can stand, or None."""
    if row["person_key"] is None:
        return "no_member"
    if row["reason_code"] not in REASONS:
        return "unknown_reason"
    if not is_human(row["decided_by"]):
        return "not_decided"
    if not (row["evidence_ref"] or "").strip(" -"):
        return "no_evidence"
    if row["reason_code"] == "arrears" and (row["arrears_micros"] or 0) <= 0:
        return "no_arrears"
    if row["review_on"] is None:
        return "no_review_date"
    return None


CHECKS: Mapping[str, Check] = MappingProxyType({"p10__refusal_list": refusal_list})
