"""Recalls: a release that must no longer be used, said by a signed entry in the recipient's own chain.

What belongs here: making the entry, and what later certificates repeat of it. What does not: reading it as a recipient
does (`quorum.release.verify`). A recalled package stays where it is: it was released, the ledger and the chain say so,
and every later release is judged as if the recipient still held it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from quorum.errors import ReleaseError
from quorum.ledger import Ledger
from quorum.release.certificate import CERTIFICATE, digest_files, export_public_key, sign
from quorum.release.package import STAGING, package_path
from quorum.release.place import put, sync
from quorum.tables import PackageShape

if TYPE_CHECKING:
    from quorum.release.gate import Door

RECALL = "recall"
"""Kind of such a certificate, kind of its entry in the ledger, and what the name of its folder ends in."""
NOTICE = "recall.md"
PACKAGE_PARTS = 3
"""Recipient, report, period: what a package is named by, and where it lies."""
REASONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "numbers": ("数値に誤りがありました", "its numbers are wrong"),
        "source": ("集計のもとになった記録に誤りがありました", "what it was counted from was wrong"),
        "recipient": ("お届け先を誤りました", "it was not meant for this recipient"),
        "protection": ("公開基準に照らして見直しが必要です", "it does not hold what its rules promise"),
    }
)
"""Why a release may be recalled: a closed list, so that no free text about anybody leaves."""
_TEXT = """# 回収のお知らせ / Recall

**{recipient}　{report}　{period}**

{date} 付で、上の報告書を回収します。理由：{ja}。
今後はご利用にならず、写しも含めて削除をお願いいたします。後に届く報告書の証明書にも、この回収を記しています。

This report is recalled as of {date}: {en}.
Please do not use it any more, and delete every copy. The certificates of later packages repeat this recall.

    SHA-256 of its certificate.json: {certificate}
"""


@dataclass(frozen=True)
class Recall:
    """What is recalled, why, when, and by whom.

    Args:
        recipient_id: who holds it.
        report: which report.
        period: of the release.
        reason: one of `REASONS`.
        day: the civil date that the recall bears; given, never the clock's.
        actor: who recalls, for the ledger alone.
        role: in which role, likewise.
    """

    recipient_id: str
    report: str
    period: str
    reason: str
    day: date
    actor: str
    role: str


def recalls_of(ledger: Ledger, recipient_id: str, report: str) -> list[dict[str, str]]:
    """Return what certificates of a recipient's report repeat: each recall so far, in order of entry.

    Args:
        ledger: where they were entered.
        recipient_id: whose.
        report: which report.

    Returns:
        ``period, certificate, reason, date`` of each recalled release.

    Guarantee:
        Nothing but what the recalls themselves have told this recipient.

    Source: docs/decisions/0004-packages-and-chain.md.
    """
    return [
        {name: str(entry.body["recalled"][name]) for name in ("period", "certificate", "reason", "date")}
        for entry in ledger.entries(RECALL)
        if (entry.body["recipient_id"], entry.body["report"]) == (recipient_id, report)
    ]


def recall_release(door: Door, recall: Recall) -> Path:
    """Recall a release: sign the entry, enter it in the ledger, and put it beside the release.

    Args:
        door: home, ledger, keys, policy.
        recall: what, why, when, by whom.

    Returns:
        ``out/<recipient>/<report>/<period>.recall``. The same recall again gives the same folder.

    Raises:
        ReleaseError: the release was never entered, or is later than the recall; the reason is none of `REASONS`; or it
            was recalled before for another reason or with another date.

    Guarantee:
        Its bytes depend on the arguments, the release and the chain alone. It is the latest link of the chain of this
        recipient and report: whoever leaves it out leaves a gap. Neither the release nor what follows it is changed.

    Source: architecture.md, A report package; docs/decisions/0004-packages-and-chain.md.
    """
    export_public_key(door.home, door.keys)
    period = f"{recall.period}.{RECALL}"
    released = door.ledger.release(recall.recipient_id, recall.report, recall.period)
    if recall.reason not in REASONS:
        raise _refuse(recall, f"for the reason {recall.reason}", ", ".join(REASONS))
    if released is None:
        raise _refuse(recall, "which was never released", "a release of the ledger")
    if recall.day.isoformat() < released["night"]:
        raise _refuse(recall, f"as of {recall.day}, before its night {released['night']}", "its night or a later day")
    entered = door.ledger.release(recall.recipient_id, recall.report, period)
    previous = entered["previous"] if entered else door.ledger.last_certificate(recall.recipient_id, recall.report)
    folder = _stage(door, recall, released["certificate"], previous)
    digest = hashlib.sha256((folder / CERTIFICATE).read_bytes()).hexdigest()
    target = _folder(door.home.out, recall)
    is_other = entered["certificate"] != digest if entered else target.exists()
    if is_other or target.exists():
        shutil.rmtree(folder)
        if is_other:
            raise _refuse(
                recall, "which was recalled before for another reason or as of another date", "one recall of a release"
            )
        return target
    sync(folder)
    if entered is None:
        body = {"previous": previous, "recalled": _said(recall, released["certificate"])}
        body |= {"actor": recall.actor, "role": recall.role}
        door.ledger.enter_release(recall.recipient_id, recall.report, period, recall.day, digest, body, kind=RECALL)
    return put(folder, target)


def _stage(door: Door, recall: Recall, certificate: str, previous: str | None) -> Path:
    """Build and sign the folder of a recall in staging, anew."""
    folder = _folder(door.home.out / STAGING, recall)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    ja, en = REASONS[recall.reason]
    names = {"recipient": recall.recipient_id, "report": recall.report, "period": recall.period}
    text = _TEXT.format(**names, date=recall.day, ja=ja, en=en, certificate=certificate)
    (folder / NOTICE).write_text(text, encoding="utf-8")
    body: dict[str, Any] = {
        **names,
        "kind": RECALL,
        "period": f"{recall.period}.{RECALL}",
        "code_version": door.code_version,
        "recalled": _said(recall, certificate),
        "files": digest_files(folder),
        "previous": previous,
    }
    sign(folder, body, door.keys)
    return folder


def _said(recall: Recall, certificate: str) -> dict[str, str]:
    return {
        "period": recall.period,
        "certificate": certificate,
        "reason": recall.reason,
        "date": recall.day.isoformat(),
    }


def _folder(below: Path, recall: Recall) -> Path:
    release = below / package_path(PackageShape(recall.recipient_id, recall.report, recall.period, ()))
    return release.with_name(f"{release.name}.{RECALL}")


def _refuse(recall: Recall, what: str, allowed: str) -> ReleaseError:
    return ReleaseError(
        "release.recall",
        f"a recall of {recall.report} {recall.period} of {recall.recipient_id} {what}",
        allowed,
        "see quorum ledger show --kind release",
    )
