"""What changed between two policy folders: added, widened, narrowed, removed, and what of it is material (R-01, R-02).

What belongs here: comparing what the files say, so that a folder that does not load can be compared too. What does not:
what tonight would refuse (`pipelines.policy_pages` asks the checks themselves), and words for the public
(`quorum.report.notice`).

Guarantee: a difference between two YAML files of the folders is reported as at least one change. Material is what R-02
says: a purpose, a category of a purpose, a class of recipient or a basis of disclosure that was added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from quorum.errors import ConfigurationError
from quorum.policy.changes import (
    ADDED,
    CHANGED,
    NARROWED,
    REMOVED,
    WIDENED,
    Change,
    expanded,
    flat,
    keys,
    leaves,
    looseness,
    number,
    sets,
    shared,
)
from quorum.policy.fields import read

Documents = Mapping[str, Mapping[str, Any]]


def documents(folder: Path) -> dict[str, dict[str, Any]]:
    """Read every YAML file of a policy folder, by its path below it.

    Raises:
        ConfigurationError: there is no policy, or a file is not YAML.
    """
    if not (folder / "policy.yaml").is_file():
        raise ConfigurationError("policy.missing", "a folder without policy.yaml", "a policy folder", "name one")
    return {
        path.relative_to(folder).as_posix(): read(folder, path.relative_to(folder).as_posix())
        for path in sorted(folder.rglob("*.yaml"))
    }


def changes(old: Documents, new: Documents) -> list[Change]:
    """Return every change between two policies.

    Args:
        old: the files of the old one, from `documents`.
        new: the files of the new one.

    Returns:
        The material ones first, then by file, kind and subject.
    """
    found = [change for compare in _BY_FILE.values() for change in compare(old, new)]
    found += _decisions(old, new)
    rest = sorted(name for name in {*old, *new} if name not in _BY_FILE and not name.startswith("decisions/"))
    for name in rest:
        found += leaves(name, old.get(name, {}), new.get(name, {}))
    return sorted(set(found), key=lambda c: (not c.is_material, c.file, c.kind, c.what))


def announced(old: Documents, new: Documents, found: list[Change]) -> list[str]:
    """Return what is wrong with how a new version announces its material changes (R-02); empty if nothing is.

    Args:
        old: the files of the old policy.
        new: the files of the new one.
        found: what `changes` returned for them.
    """
    material = [change for change in found if change.is_material]
    if not material:
        return []
    before, after = old["policy.yaml"], new["policy.yaml"]
    wrong = []
    if not number(after.get("version")) > number(before.get("version")):
        wrong.append(f"{len(material)} material change(s), and the version is {after.get('version')} as before")
    starts, started = after.get("effective_on"), before.get("effective_on")
    if not (isinstance(starts, date) and isinstance(started, date) and starts > started):
        wrong.append(f"effective_on is {starts}, which does not lie after {started}, the old version's")
    elif isinstance(starts, date):
        wrong += [
            f"{change.what}: data collected from {since} on would be used, and it is announced for {starts}"
            for change in material
            if (since := _since(new, change)) is not None and since < starts
        ]
    return wrong


def _since(files: Documents, change: Change) -> date | None:
    """Return the day from which data is used for a purpose or category that was added; None if it is about neither."""
    policy = files["policy.yaml"]
    purpose = policy.get("purposes", {}).get(change.subject)
    if purpose is None or change.file != "policy.yaml":
        return None
    base = purpose.get("effective_on", policy.get("purposes_effective_on", policy["effective_on"]))
    decided = [record["effective_on"] for record in _letting_in(files, change.subject, change.item)]
    days = [purpose.get("uses_from", {}).get(change.item, base), *decided]
    return max(days) if all(isinstance(day, date) for day in days) else None


def _letting_in(files: Documents, purpose: str, category: str) -> list[Mapping[str, Any]]:
    """Return the records in force that let a category into a purpose: nothing from before their day is used."""
    of_these = ({"purpose": purpose, "category": category}, {"attr": category})
    return [
        record
        for name, record in files.items()
        if name.startswith("decisions/") and record.get("in_force") is True and _widened(record) in of_these
    ]


def _widened(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.get("widens", {}).items() if key != "values"}


def _policy(old: Documents, new: Documents) -> Iterator[Change]:
    file = "policy.yaml"
    before, after = old[file], new[file]
    yield from sets(file, "attr", before.get("attr", []), after.get("attr", []), is_material=True, word="")
    was, now = before.get("purposes", {}), after.get("purposes", {})
    yield from keys(file, "purpose", was, now, is_material=True)
    for code in [code for code in now if code in was]:
        for field in ("uses", "touches"):
            sides = [expanded(side["purposes"][code].get(field, ()), side.get("attr", ())) for side in (before, after)]
            yield from sets(file, code, *sides, is_material=True, word=f" {field}")
        yield from _since_changes(file, code, old, new)
        yield from leaves(file, was[code], now[code], code, ("uses", "touches", "effective_on", "uses_from"))
    for code, one, other in shared(before.get("scopes", {}), after.get("scopes", {})):
        yield from sets(file, f"scope {code}", other.get("stops", ()), one.get("stops", ()), word=" stops", turned=True)
        yield from sets(file, f"scope {code}", one.get("provides", ()), other.get("provides", ()), word=" provides")
        yield from leaves(file, one, other, f"scope {code}", ("stops", "provides"))
    yield from keys(file, "scope", before.get("scopes", {}), after.get("scopes", {}))
    for name in ("named", "extras"):
        sides = [side.get("registration", {}).get(name, ()) for side in (before, after)]
        yield from sets(file, "registration", *sides, word=f" {name}")
    yield from leaves(file, before, after, "", ("attr", "purposes", "scopes", "registration"))


def _since_changes(file: str, code: str, before: Documents, after: Documents) -> Iterator[Change]:
    """Yield how the days moved from which collected data is used: an earlier day widens."""
    was, now = (side[file]["purposes"][code] for side in (before, after))
    items = ["", *sorted({*was.get("uses_from", {}), *now.get("uses_from", {})})]
    for item in items:
        sides = [_since(side, Change("", file, "", subject=code, item=item)) for side in (before, after)]
        if sides[0] != sides[1] and None not in sides:
            kind = WIDENED if str(sides[1]) < str(sides[0]) else NARROWED
            name = f"{code} {item}".strip()
            yield Change(
                kind, file, f"{name}: data collected from {sides[1]} (was {sides[0]})", subject=code, item=item
            )


def _columns(old: Documents, new: Documents) -> Iterator[Change]:
    file = "columns.yaml"
    was, now = (side.get(file, {}).get("categories", {}) for side in (old, new))
    yield from keys(file, "category", was, now)
    for code, one, other in shared(was, now):
        yield from sets(file, code, one.get("zones", ()), other.get("zones", ()), word=" zones")
        if one.get("class") != other.get("class"):
            looser = looseness(other.get("class")) > looseness(one.get("class"))
            what = f"{code} is {other.get('class')} (was {one.get('class')})"
            yield Change(WIDENED if looser else NARROWED, file, what, subject=code)
        yield from leaves(file, one, other, code, ("zones", "class"))


def _reports(old: Documents, new: Documents) -> Iterator[Change]:
    file = "reports.yaml"
    was, now = (side.get(file, {}).get("reports", {}) for side in (old, new))
    known = {kind for report in was.values() for kind in report.get("recipient_kinds", ())}
    for name in now.keys() - was.keys():
        is_new_class = bool(set(now[name].get("recipient_kinds", ())) - known)
        yield Change(ADDED, file, f"report {name}", is_new_class, f"report {name}")
    for name in was.keys() - now.keys():
        yield Change(REMOVED, file, f"report {name}", subject=f"report {name}")
    for name, one, other in shared(was, now):
        kinds = [side.get("recipient_kinds", ()) for side in (one, other)]
        yield from sets(file, f"report {name}", *kinds, is_material=True, word=" recipient_kinds")
        yield from sets(file, f"report {name}", one.get("families", ()), other.get("families", ()), word=" families")
        yield from leaves(file, one, other, f"report {name}", ("recipient_kinds", "families"))
    yield from leaves(file, old.get(file, {}), new.get(file, {}), "", ("reports",))


def _bases(old: Documents, new: Documents) -> Iterator[Change]:
    file = "disclosures.yaml"
    before, after = (side.get(file, {}) for side in (old, new))
    was, now = before.get("bases", {}), after.get("bases", {})
    yield from keys(file, "basis", was, now, is_material=True)
    for code, one, other in shared(was, now):
        needed = [side.get("requires", ()) for side in (other, one)]
        yield from sets(file, f"basis {code}", *needed, word=" requires", turned=True)
        yield from leaves(file, one, other, f"basis {code}", ("requires",))
    for kind in ("processors", "recipients"):
        yield from keys(file, kind.removesuffix("s"), before.get(kind) or {}, after.get(kind) or {})
        for code, one, other in shared(before.get(kind) or {}, after.get(kind) or {}):
            subject = f"{kind.removesuffix('s')} {code}"
            for field in ("purposes", "items"):
                yield from sets(file, subject, one.get(field, ()), other.get(field, ()), word=f" {field}")
            yield from leaves(file, one, other, subject, ("purposes", "items"))
    yield from leaves(file, before, after, "", ("bases", "processors", "recipients"))


_CONTRIBUTION = "contribution."


def _bounds(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the bounds on one person's events, by their path."""
    return {f"{_CONTRIBUTION}{path}": bound for path, bound in flat(document.get("contribution", {})).items()}


def _rule_sets(old: Documents, new: Documents) -> Iterator[Change]:
    file = "disclosure.yaml"
    before, after = (side.get(file, {}) for side in (old, new))
    was, now = ({**flat(side.get("rule_sets", {})), **_bounds(side)} for side in (before, after))
    yield from leaves(file, before, after, "", ("rule_sets", "contribution"))
    for path in sorted({*was, *now}):
        one, other = was.get(path), now.get(path)
        if one == other:
            continue
        what = f"{path} is {other} (was {one})"
        if isinstance(one, int) and isinstance(other, int):
            more_is_looser = path.endswith(("share_percent", "single_share_percent")) or path.startswith(_CONTRIBUTION)
            kind = WIDENED if (other > one) == more_is_looser else NARROWED
            yield Change(kind, file, what, subject=path)
        else:
            yield Change(ADDED if one is None else REMOVED if other is None else CHANGED, file, what, subject=path)


def _retention(old: Documents, new: Documents) -> Iterator[Change]:
    file = "retention.yaml"
    was, now = (flat(side.get(file, {})) for side in (old, new))
    for path in sorted({*was, *now}):
        one, other = was.get(path), now.get(path)
        if one != other:
            are_days = isinstance(one, int) and isinstance(other, int)
            kind = (WIDENED if other > one else NARROWED) if are_days else CHANGED  # type: ignore[operator]
            yield Change(kind, file, f"{path} is {other} (was {one})", subject=path)


def _roles(old: Documents, new: Documents) -> Iterator[Change]:
    file = "roles.yaml"
    before, after = (side.get(file, {}) for side in (old, new))
    yield from keys(file, "role", before.get("roles", {}), after.get("roles", {}))
    for name, one, other in shared(before.get("roles", {}), after.get("roles", {})):
        for field in ("purposes", "acts"):
            yield from sets(file, f"role {name}", one.get(field, ()), other.get(field, ()), word=f" {field}")
    yield from leaves(file, before, after, "", ("roles",))


def _matters(old: Documents, new: Documents) -> Iterator[Change]:
    file = "sensitive.yaml"
    was, now = (side.get(file, {}).get("matters", {}) for side in (old, new))
    yield from keys(file, "matter", was, now)
    for code, one, other in shared(was, now):
        terms = [side.get("terms", ()) for side in (other, one)]
        yield from sets(file, f"matter {code}", *terms, word=" terms", turned=True)
        yield from leaves(file, one, other, f"matter {code}", ("terms",))


def _decisions(old: Documents, new: Documents) -> Iterator[Change]:
    """Yield records that came into force, went out of it, or changed; one in force widens, and is material."""
    for name in sorted(name for name in {*old, *new} if name.startswith("decisions/")):
        was, now = old.get(name, {}), new.get(name, {})
        held, holds = was.get("in_force") is True, now.get("in_force") is True
        subject = name.removeprefix("decisions/").removesuffix(".yaml")
        if holds and not held:
            yield Change(WIDENED, name, f"decision {subject} in force", True, subject)
        elif held and not holds:
            yield Change(NARROWED, name, f"decision {subject} no longer in force", subject=subject)
        elif was != now:
            kind = ADDED if not was else REMOVED if not now else CHANGED
            yield Change(kind, name, f"decision {subject}, {'' if holds else 'not '}in force", holds, subject)


_BY_FILE: Mapping[str, Callable[[Documents, Documents], Iterator[Change]]] = {
    "policy.yaml": _policy,
    "columns.yaml": _columns,
    "reports.yaml": _reports,
    "disclosures.yaml": _bases,
    "disclosure.yaml": _rule_sets,
    "retention.yaml": _retention,
    "roles.yaml": _roles,
    "sensitive.yaml": _matters,
}
