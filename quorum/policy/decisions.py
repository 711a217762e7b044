"""Dated decision records, ``policy/decisions/YYYY-MM-DD-slug.yaml``: the only thing that widens a closed list.

What belongs here: reading them strictly, and whether one holds. What does not: the lists (`quorum.policy.closed`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from quorum.errors import ConfigurationError, PolicyError
from quorum.policy import fields
from quorum.policy.sensitive import Matter, matter_of

FOLDER = "decisions"
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})-[a-z0-9]+(-[a-z0-9]+)*")
_REQUIRED = (
    "id",
    "decided_on",
    "decided_by",
    "in_force",
    "effective_on",
    "widens",
    "reason",
    "review_on",
    "clause",
)
EVERY_USER_OF_ATTR = "ATTR"
"""Stands for the purpose where a record widens the list itself."""


@dataclass(frozen=True)
class Decision:
    """A decision of the privacy officer about how a clause is read.

    Args:
        id: the file's name without ending.
        decided_on: civil date.
        decided_by: who decided, by office.
        in_force: whether it holds; a draft, a refusal or a revoked decision is kept with false.
        effective_on: civil date in Asia/Tokyo; what was collected before is not used under it.
        effective_at: the instant at which that day begins, in UTC without a zone.
        expires_on: last civil date on which it holds, or None.
        purpose: the purpose that is widened; `EVERY_USER_OF_ATTR` if the list itself is.
        category: the category that is let in.
        values: the values of the category that are meant; none stated means all.
        reason: why.
        review_on: civil date on which it is looked at again.
        clause: the clause that is read.
    """

    id: str
    decided_on: date
    decided_by: str
    in_force: bool
    effective_on: date
    effective_at: datetime
    expires_on: date | None
    purpose: str
    category: str
    values: tuple[str, ...]
    reason: str
    review_on: date
    clause: str

    def holds(self, on: date) -> bool:
        """Say whether the record widens anything on a date.

        One whose day of effect is still to come holds too: what it lets in is not used before, by the date on which
        it was collected. One that is dated after the day has not been decided yet.
        """
        return self.in_force and self.decided_on <= on and (self.expires_on is None or on <= self.expires_on)


def read_decisions(folder: Path) -> tuple[Decision, ...]:
    """Read all records of a policy folder, by name.

    Args:
        folder: the policy folder.

    Raises:
        ConfigurationError: a file is no record, or not named as one.
    """
    place = folder / FOLDER
    files = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else []
    return tuple(_read(folder, path) for path in files if path.relative_to(place).as_posix() != "README.md")


def _read(folder: Path, path: Path) -> Decision:
    where = path.relative_to(folder).as_posix()
    named = _NAME.fullmatch(path.stem)
    if named is None or path.suffix != ".yaml" or path.parent != folder / FOLDER:
        raise ConfigurationError("policy.decision", where, f"{FOLDER}/YYYY-MM-DD-slug.yaml", "name it so")
    body = fields.fields(where, fields.read(folder, where), _REQUIRED, ["expires_on"])
    purpose, category, values = _widens(where, body["widens"])
    days = {name: fields.day(f"{where}: {name}", body[name]) for name in ("decided_on", "effective_on", "review_on")}
    expires_on = fields.day(f"{where}: expires_on", body["expires_on"]) if "expires_on" in body else None
    _check_dates(where, named[1], expires_on, **days)
    if fields.text(f"{where}: id", body["id"]) != path.stem:
        raise ConfigurationError("policy.decision", f"{where}: id", f"{path.stem}, as the file is named", "correct it")
    return Decision(
        id=path.stem,
        decided_by=fields.text(f"{where}: decided_by", body["decided_by"]),
        in_force=fields.flag(f"{where}: in_force", body["in_force"]),
        effective_at=fields.instant(f"{where}: effective_on", days["effective_on"]),
        expires_on=expires_on,
        purpose=purpose,
        category=category,
        values=values,
        reason=fields.text(f"{where}: reason", body["reason"]),
        clause=fields.text(f"{where}: clause", body["clause"]),
        **days,
    )


def _widens(where: str, spec: object) -> tuple[str, str, tuple[str, ...]]:
    body = fields.mapping(f"{where}: widens", spec)
    kind = ["attr"] if "attr" in body else ["purpose", "category"]
    fields.fields(f"{where}: widens", body, kind, ["values"])
    values = fields.texts(f"{where}: values", body.get("values", ()))
    if "values" in body and not values:
        raise ConfigurationError("policy.decision", f"{where}: no values", "those that are meant", "or leave it out")
    if "attr" in body:
        return EVERY_USER_OF_ATTR, fields.text(f"{where}: attr", body["attr"]), values
    return (
        fields.text(f"{where}: purpose", body["purpose"]),
        fields.text(f"{where}: category", body["category"]),
        values,
    )


def _check_dates(
    where: str, named: str, expires_on: date | None, *, decided_on: date, effective_on: date, review_on: date
) -> None:
    wrong = {
        f"decided_on is not {named}, the date in its name": decided_on.isoformat() != named,
        "effective_on lies before decided_on": effective_on < decided_on,
        "review_on does not lie after decided_on": review_on <= decided_on,
        "expires_on lies before effective_on": expires_on is not None and expires_on < effective_on,
    }
    for what, is_so in wrong.items():
        if is_so:
            raise ConfigurationError("policy.decision", f"{where}: {what}", "dates in order", "correct it")


def check_decisions(
    decisions: Sequence[Decision],
    known: Sequence[Matter],
    names: Mapping[str, tuple[str, str]],
    sensitive: Collection[str],
    purposes: Collection[str],
) -> None:
    """Refuse a record that no record may be, in force or not.

    Args:
        decisions: the records.
        known: matters that need special care.
        names: category to its names in Japanese and English.
        sensitive: categories that are about such a matter.
        purposes: codes of purposes that a record can widen.

    Raises:
        ConfigurationError: a record names a category or purpose that is not declared.
        PolicyError: a record would let in a sensitive category, or lists a sensitive value.
    """
    for decision in decisions:
        if decision.category not in names:
            raise ConfigurationError("policy.decision", f"{decision.id}: {decision.category}", "a declared category")
        if decision.purpose not in (*purposes, EVERY_USER_OF_ATTR):
            allowed = ", ".join(purposes)
            raise ConfigurationError("policy.decision", f"{decision.id}: {decision.purpose}", allowed, "name one")
        about = matter_of(known, *names[decision.category], *decision.values)
        if decision.category in sensitive or about is not None:
            what = "a sensitive category" if about is None else f"{about.code} ({about.ja})"
            raise PolicyError(
                "policy.sensitive",
                f"the record {decision.id} lets {what} into {decision.purpose}",
                "no matter that needs special care (要配慮個人情報), with or without a record",
                "take the category or the value out of the record",
            )
