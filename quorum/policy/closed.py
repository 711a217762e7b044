"""The closed lists: eleven purposes, what ATTR is, and where a category that is not in it may lie.

What belongs here: the lists, and the refusal of a policy that is wider than they are. What does not: the records that
widen them (`quorum.policy.decisions`); what a statement does (`quorum.lineage`).

Guarantee: a policy that gives P-01, P-02 or P-03 a category outside ATTR does not load unless a record in force
lets in just this category; one that relaxes the class or the zones of such a category does not load either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from quorum.errors import PolicyError
from quorum.policy.decisions import EVERY_USER_OF_ATTR, Decision
from quorum.policy.types import DataCategory, Purpose
from quorum.zones import Zone

PURPOSES = tuple(f"P-{number:02}" for number in range(1, 12))
INFRA = "INFRA"
ATTR = ("ZIP", "GEN", "OCC", "AGE", "SVC", "ITEM", "VIEW", "TIME", "HOW", "ENV")
ATTR_ONLY = ("P-01", "P-02", "P-03")
"""The purposes that may use ATTR and nothing else about a person."""

PLUMBING = ("PREF", "KEY", "FACT", "META", "STAT", "VALUE")
"""What may decide about rows for these purposes too: a person's choice, the own pseudonym, facts about no person."""

_CLASSES = {
    "identifier": ("NAME", "EMAIL", "ADDR", "TEL", "IP", "COOKIE", "MEMBER", "RAW", "BANK", "CARD"),
    "restricted": ("DOB", "PAYM", "NICK", "IND", "INT", "FEE", "PTX", "PBILL", "MODE", "MAILRES", "INQ", "ARR"),
    "pseudonym": ("KEY", "NET"),
    "attribute": ATTR,
    "choice": ("PREF",),
    "fact": ("VALUE", "FACT", "META"),
    "statistic": ("STAT",),
}
CLASS_OF: Mapping[str, str] = MappingProxyType({code: klass for klass, codes in _CLASSES.items() for code in codes})
GUARDED = ("identifier", "restricted")

_SEALED = frozenset({Zone.VAULT, Zone.EXTRACT})
_INSIDE = _SEALED | {Zone.PSEUDO, Zone.SEG}
_WALLS: Mapping[str, frozenset[Zone]] = MappingProxyType(
    {"identifier": _SEALED, "restricted": _SEALED, "pseudonym": _INSIDE, "choice": _INSIDE}
)
_WIDENED: Mapping[str, frozenset[Zone]] = MappingProxyType(
    {
        "P-01": _INSIDE,
        "P-02": _INSIDE | {Zone.CUBE},
        "P-03": frozenset(Zone),
        EVERY_USER_OF_ATTR: frozenset(Zone),
    }
)
_RECORD = "a dated decision record in force in policy/decisions/ is the only thing that widens it"


def check_closed(
    attr: Sequence[str],
    purposes: Mapping[str, Purpose],
    columns: Mapping[str, DataCategory],
    sensitive: Collection[str],
    in_force: Sequence[Decision],
) -> None:
    """Refuse a policy that is wider than the closed lists and the records in force.

    Args:
        attr: the list of ``policy.yaml``.
        purposes: code to purpose, ATTR expanded.
        columns: code to category.
        sensitive: categories about a matter that needs special care.
        in_force: the records that hold.

    Raises:
        PolicyError: a purpose is missing or added; ATTR is not the list; a purpose, a class or a zone is too wide. The
            message names the purpose, the category, and what it would take.
    """
    _check_purposes(purposes)
    _check_attr(attr, columns, in_force)
    for code in ATTR_ONLY:
        for field, categories in (("uses", purposes[code].uses), ("touches", purposes[code].touches)):
            _check_reach(code, field, categories, columns, sensitive, in_force)
    for category in columns.values():
        _check_class(category, sensitive, in_force)
        _check_zones(category, sensitive, in_force)


def _check_purposes(purposes: Mapping[str, Purpose]) -> None:
    unlike = sorted({*PURPOSES, INFRA} ^ set(purposes))
    if unlike:
        what = "missing" if unlike[0] in (*PURPOSES, INFRA) else "not one of them"
        raise PolicyError(
            "policy.purposes",
            f"purpose {unlike[0]} is {what}",
            f"the closed list {INFRA}, {PURPOSES[0]} to {PURPOSES[-1]} (clause C-08)",
            "put policy.yaml back to the eleven purposes",
        )


def _check_attr(attr: Sequence[str], columns: Mapping[str, DataCategory], in_force: Sequence[Decision]) -> None:
    missing = [code for code in ATTR if code not in attr]
    if missing:
        raise PolicyError("policy.closed_list", f"attr without {missing[0]}", ", ".join(ATTR), "put it back")
    decided = {decision.category for decision in in_force if decision.purpose == EVERY_USER_OF_ATTR}
    for code in attr:
        if code not in ATTR and code not in decided:
            raise _refusal("attr", code, columns)


def _check_reach(
    purpose: str,
    field: str,
    categories: Iterable[str],
    columns: Mapping[str, DataCategory],
    sensitive: Collection[str],
    in_force: Sequence[Decision],
) -> None:
    for code in categories:
        if code in sensitive:
            raise PolicyError(
                "policy.sensitive",
                f"{purpose} ({field}) names {code}, a matter that needs special care (要配慮個人情報)",
                "ATTR without such matters, with or without a decision record",
                f"take {code} out of {purpose}",
            )
        is_plumbing = field == "touches" and code in PLUMBING
        if code not in ATTR and not is_plumbing and not _decided(code, purpose, in_force):
            raise _refusal(f"{purpose} ({field})", code, columns)


def _decided(code: str, purpose: str, in_force: Sequence[Decision]) -> bool:
    return any(d.category == code and d.purpose in (purpose, EVERY_USER_OF_ATTR) for d in in_force)


def _refusal(where: str, code: str, columns: Mapping[str, DataCategory]) -> PolicyError:
    named = f"{code} ({columns[code].ja}, {columns[code].en})" if code in columns else code
    return PolicyError(
        "policy.closed_list",
        f"{where} names {named}, which is not in ATTR",
        f"ATTR is a closed list: {', '.join(ATTR)}; {_RECORD}",
        f"take {code} out of {where}, or let the privacy officer decide it in policy/decisions/YYYY-MM-DD-slug.yaml",
    )


def _check_class(category: DataCategory, sensitive: Collection[str], in_force: Sequence[Decision]) -> None:
    code = category.code
    expected = CLASS_OF.get(code)
    if category.klass == expected or (expected is None and category.klass in GUARDED):
        return
    may_be_attribute = expected in (None, "restricted") and code not in sensitive
    if category.klass == "attribute" and may_be_attribute and any(d.category == code for d in in_force):
        return
    allowed = expected or "identifier or restricted for a category that is not in the closed lists"
    raise PolicyError(
        "policy.closed_list",
        f"columns.yaml makes {code} ({category.ja}, {category.en}) {category.klass}",
        f"{allowed}; {_RECORD}",
        f"put the class of {code} back",
    )


def _check_zones(category: DataCategory, sensitive: Collection[str], in_force: Sequence[Decision]) -> None:
    wall = _WALLS.get(CLASS_OF.get(category.code, "restricted"))
    if wall is None:
        return
    allowed = wall
    for decision in in_force:
        if decision.category == category.code and category.code not in sensitive:
            reach = _WIDENED.get(decision.purpose, wall)
            allowed |= reach & _INSIDE if CLASS_OF.get(category.code) == "identifier" else reach
    for zone in category.zones:
        if zone not in {one.value for one in allowed}:
            raise PolicyError(
                "policy.closed_list",
                f"columns.yaml lets {category.code} ({category.ja}, {category.en}) into zone {zone}",
                f"{', '.join(one.value for one in Zone if one in allowed)}; {_RECORD}",
                f"take {zone} out of the zones of {category.code}",
            )
