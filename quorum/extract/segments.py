"""The catalogue of segments, ``policy/segments.yaml``: who may be addressed together, by ATTR and nothing else (P-01).

What belongs here: reading it strictly, refusing what P-01 may not use, its rules as relations. What does not: who is in
a segment (``sql/extract/p01__segment_assignment``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa

from quorum.errors import ConfigurationError, PolicyError
from quorum.ledger.store import canonical
from quorum.policy import Policy, fields
from quorum.policy.published import FLOOR_HEADS
from quorum.policy.sensitive import matter_of

FILE = "segments.yaml"
PURPOSE = "P-01"


@dataclass(frozen=True)
class Attribute:
    """What a condition may be about.

    Args:
        category: its data category, one of ATTR.
        key_set: the list of ``categories.yaml`` that its values come from; None where reference data or partners say.
        limit: the limit of ``categories.yaml`` that bounds ``within_days``, or a zone whose retention does; None for
            what is known of a member at any time, which takes no days.
    """

    category: str
    key_set: str | None = None
    limit: str | None = None


ATTRIBUTES: Mapping[str, Attribute] = MappingProxyType(
    {
        "age_band": Attribute("AGE", "age_bands"),
        "gender": Attribute("GEN", "genders"),
        "region": Attribute("ZIP", "regions"),
        "prefecture": Attribute("ZIP", "prefectures"),
        "occupation": Attribute("OCC", "occupations"),
        "device": Attribute("ENV", "devices", "viewed_days"),
        "hour_band": Attribute("TIME", "hour_bands", "viewed_days"),
        "section_id": Attribute("VIEW", None, "viewed_days"),
        "item_category": Attribute("ITEM", None, "pseudo"),
    }
)
"""Everything that a segment may ask about: a closed list. What is not in it does not decide who sees what."""


@dataclass(frozen=True)
class Condition:
    """One condition of a segment.

    Args:
        attribute: one of `ATTRIBUTES`.
        values: any of them meets it.
        within_days: the last nights, tonight included, in which it counts; 1 for what is known at any time.
    """

    attribute: str
    values: tuple[str, ...]
    within_days: int

    def as_record(self) -> dict[str, object]:
        """Return it as the file states it."""
        days = {} if ATTRIBUTES[self.attribute].limit is None else {"within_days": self.within_days}
        return {"attribute": self.attribute, "any": list(self.values), **days}


@dataclass(frozen=True)
class Segment:
    """One segment: the people who meet all its conditions.

    Args:
        segment_id: its name in tables.
        name_ja: name in Japanese.
        name_en: name in English.
        conditions: in the file's order; all are to be met.
    """

    segment_id: str
    name_ja: str
    name_en: str
    conditions: tuple[Condition, ...]

    @property
    def rule(self) -> str:
        """The conditions as canonical JSON."""
        return canonical({"all": [condition.as_record() for condition in self.conditions]})


@dataclass(frozen=True)
class Segments:
    """The catalogue.

    Args:
        people: the fewest people a segment may have; with fewer it is assigned to nobody.
        segments: in the file's order.
    """

    people: int
    segments: tuple[Segment, ...]


def load_segments(policy: Policy) -> Segments:
    """Read the catalogue of a policy.

    Raises:
        ConfigurationError: the file is malformed, names an unknown value, or goes below the floor in code.
        PolicyError: a condition asks about what is not in ATTR, or a segment is about a matter that needs special care.

    Guarantee: DOB, IND, INT, IP, cookies and contact data decide about nobody's segments.
    Source: clause P-01.
    """
    body = fields.fields(FILE, fields.read(policy.folder, FILE), ["people", "segments"])
    people = fields.number(f"{FILE}: people", body["people"])
    if people < FLOOR_HEADS:
        raise ConfigurationError("segments.floor", f"segments of {people} people", f"{FLOOR_HEADS} or more", "raise it")
    listed = fields.mapping(f"{FILE}: segments", body["segments"])
    return Segments(people, tuple(_segment(name, spec, policy) for name, spec in listed.items()))


def segment_rules(policy: Policy) -> pa.Table:
    """Return a row for each segment: ``p01__segment_rule``."""
    catalogue = load_segments(policy)
    rows = [
        {
            "segment_id": segment.segment_id,
            "name_ja": segment.name_ja,
            "name_en": segment.name_en,
            "rule": segment.rule,
            "condition_n": len(segment.conditions),
            "least_people_n": catalogue.people,
            "policy_version": policy.version,
        }
        for segment in catalogue.segments
    ]
    texts = [(name, pa.string()) for name in ("segment_id", "name_ja", "name_en", "rule")]
    counts = [(name, pa.int64()) for name in ("condition_n", "least_people_n", "policy_version")]
    return pa.Table.from_pylist(rows, pa.schema([*texts, *counts]))


def segment_conditions(policy: Policy) -> pa.Table:
    """Return a row for each value that meets a condition of a segment: ``p01__segment_condition``."""
    rows = [
        {
            "segment_id": segment.segment_id,
            "condition_id": number,
            "attribute": condition.attribute,
            "value": value,
            "within_days": condition.within_days,
        }
        for segment in load_segments(policy).segments
        for number, condition in enumerate(segment.conditions, start=1)
        for value in condition.values
    ]
    kinds = (pa.string(), pa.int32(), pa.string(), pa.string(), pa.int32())
    names = ("segment_id", "condition_id", "attribute", "value", "within_days")
    return pa.Table.from_pylist(rows, pa.schema(list(zip(names, kinds, strict=True))))


def _segment(segment_id: str, spec: object, policy: Policy) -> Segment:
    where = f"{FILE}: {segment_id}"
    body = fields.fields(where, spec, ["name_ja", "name_en", "all"])
    if not isinstance(body["all"], list) or not body["all"]:
        raise ConfigurationError(
            "segments.conditions", f"{where} without conditions", "a list under `all`", "state one"
        )
    conditions = tuple(_condition(where, item, policy) for item in body["all"])
    if len({condition.attribute for condition in conditions}) != len(conditions):
        raise ConfigurationError("segments.conditions", f"{where} asks about one attribute twice", "once each")
    segment = Segment(
        segment_id,
        fields.text(f"{where}: name_ja", body["name_ja"]),
        fields.text(f"{where}: name_en", body["name_en"]),
        conditions,
    )
    _check_matter(where, segment, policy)
    return segment


def _condition(where: str, spec: object, policy: Policy) -> Condition:
    body = fields.fields(where, spec, ["attribute", "any"], ["within_days"])
    name = fields.text(f"{where}: attribute", body["attribute"])
    attribute = ATTRIBUTES.get(name)
    if attribute is None or attribute.category not in policy.purposes[PURPOSE].uses:
        raise PolicyError(
            "segments.attribute",
            f"{where} asks about {name!r}, which {PURPOSE} may not use",
            f"{', '.join(ATTRIBUTES)}: attributes of a closed list, never dates of birth, industries, interests, "
            "addresses, cookies or contact data",
            "take the condition out",
        )
    values = fields.texts(f"{where}: {name}", body["any"])
    _check_values(f"{where}: {name}", values, attribute, policy)
    return Condition(name, values, _days(f"{where}: {name}", body, attribute, policy))


def _check_values(where: str, values: Sequence[str], attribute: Attribute, policy: Policy) -> None:
    if not values:
        raise ConfigurationError("segments.values", f"{where} without values", "one or more", "state them")
    if attribute.key_set is not None:
        known = [c.key for c in policy.categories[attribute.key_set] if c.key != "unknown"]
        for value in values:
            if value not in known:
                raise ConfigurationError("segments.values", f"{where} is {value!r}", ", ".join(known), "correct it")


def _days(where: str, body: Mapping[str, object], attribute: Attribute, policy: Policy) -> int:
    if attribute.limit is None:
        if "within_days" in body:
            raise ConfigurationError("segments.days", f"{where} with within_days", "without: it is as it stands")
        return 1
    days = fields.number(f"{where}: within_days", body.get("within_days"))
    longest = {**policy.retention_days, **policy.limits}[attribute.limit]
    if days > longest:
        raise ConfigurationError("segments.days", f"{where} within {days} days", f"{longest} at most", "look back less")
    return days


def _check_matter(where: str, segment: Segment, policy: Policy) -> None:
    values = [value for condition in segment.conditions for value in condition.values]
    codes = [code.replace("-", " ").replace("_", " ") for code in (segment.segment_id, *values)]
    about = matter_of(policy.matters, segment.name_ja, segment.name_en, *codes)
    if about is not None:
        raise PolicyError(
            "segments.sensitive",
            f"{where} is about {about.en} ({about.ja}), a matter that needs special care (要配慮個人情報)",
            "no segment about such a matter, with or without a decision record",
            "take the segment out",
        )
