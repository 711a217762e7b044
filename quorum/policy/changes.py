"""One change of the policy, and the ways in which two values of a file can differ.

What belongs here: comparing mappings, lists and leaves. What does not: what a file means (`quorum.policy.diff`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

ADDED, WIDENED, NARROWED, REMOVED, CHANGED = "added", "widened", "narrowed", "removed", "changed"
_STRICTEST_FIRST = ("identifier", "restricted", "pseudonym", "choice", "attribute", "statistic", "fact")


@dataclass(frozen=True)
class Change:
    """One change.

    Args:
        kind: added, widened, narrowed, removed or changed.
        file: name of the file below the policy folder.
        what: what changed, e.g. ``P-03 uses IND``.
        is_material: whether it must be announced (R-02).
        subject: the purpose, clause or other thing it is about, e.g. ``P-03``.
        item: what was added to or taken from it, or an empty text.
        field: the list that it was added to or taken from, e.g. ``uses``.
    """

    kind: str
    file: str
    what: str
    is_material: bool = False
    subject: str = ""
    item: str = ""
    field: str = ""

    def as_record(self) -> dict[str, object]:
        """Return the change as ``quorum policy diff --json`` prints it."""
        return asdict(self)


def keys(
    file: str, word: str, was: Mapping[str, Any], now: Mapping[str, Any], *, is_material: bool = False
) -> Iterator[Change]:
    """Yield what a mapping gained and lost."""
    for code in sorted(now.keys() - was.keys()):
        yield Change(ADDED, file, f"{word} {code}", is_material, code)
    for code in sorted(was.keys() - now.keys()):
        yield Change(REMOVED, file, f"{word} {code}", subject=code)


def sets(
    file: str, subject: str, was: Any, now: Any, *, word: str, is_material: bool = False, turned: bool = False
) -> Iterator[Change]:
    """Yield what a list gained and lost.

    Args:
        file: where the list stands.
        subject: what it is of.
        was: its items; what it has now, if it is `turned`.
        now: its items; what it had, if it is `turned`.
        word: the name of the list.
        is_material: whether to gain an item is material.
        turned: whether the list holds back, so that to lose an item widens.
    """
    more, less = ("without", "") if turned else ("", "without")
    for item in [item for item in now if item not in was]:
        what = " ".join(f"{subject}{word} {more} {item}".split())
        yield Change(WIDENED, file, what, is_material, subject, str(item), word.strip())
    for item in [item for item in was if item not in now]:
        what = " ".join(f"{subject}{word} {less} {item}".split())
        yield Change(NARROWED, file, what, False, subject, str(item), word.strip())


def shared(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return what both have and have otherwise: name, what it was, what it is."""
    return [(code, was[code] or {}, now[code] or {}) for code in now if code in was and was[code] != now[code]]


def leaves(
    file: str, was: Mapping[str, Any], now: Mapping[str, Any], subject: str = "", but: tuple[str, ...] = ()
) -> Iterator[Change]:
    """Yield every leaf that differs, by its path; what is not understood is at least named."""
    one, other = (flat({key: value for key, value in side.items() if key not in but}) for side in (was, now))
    for path in sorted({*one, *other}):
        if path not in one or path not in other or one[path] != other[path]:
            kind = ADDED if path not in one else REMOVED if path not in other else CHANGED
            yield Change(kind, file, f"{subject}: {path}" if subject else path, subject=subject or path)


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return the leaves of nested mappings by their path; a list is a leaf."""
    if isinstance(value, Mapping):
        inner = {f"{path}.{key}" if path else str(key): item for key, item in value.items()}
        return {name: leaf for key, item in inner.items() for name, leaf in flat(item, key).items()}
    return {path: value} if path else {}


def expanded(codes: Any, attr: Any) -> list[str]:
    """Return categories, ATTR by its items."""
    return list(dict.fromkeys(c for code in codes for c in (attr if code == "ATTR" else (code,))))


def looseness(klass: object) -> int:
    """Return how far the class of a category lets it go, 0 the least."""
    return _STRICTEST_FIRST.index(str(klass)) if klass in _STRICTEST_FIRST else len(_STRICTEST_FIRST)


def number(value: object) -> int:
    """Return a whole number, 0 for anything else."""
    return value if isinstance(value, int) else 0
