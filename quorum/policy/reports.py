"""Reads what is published: ``reports.yaml``, ``disclosure.yaml``, ``categories.yaml`` and the postal prefixes.

What belongs here: each file into its types. What does not: the law of the house (`quorum.policy.law`).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from quorum.errors import ConfigurationError
from quorum.policy import fields
from quorum.policy.published import (
    CEILING_CONTRIBUTION,
    MOST_CLIPPED_CLASSES,
    Category,
    DimensionSpec,
    FamilySpec,
    FrequencySpec,
    ReportSpec,
    RuleSet,
    TableSpec,
    WhoCounts,
)

KEY_SETS = (
    "age_bands",
    "genders",
    "devices",
    "systems",
    "hour_bands",
    "frequencies",
    "placements",
    "occupations",
    "item_categories",
    "regions",
    "prefectures",
)


def rule_sets(document: Mapping[str, Any]) -> dict[str, RuleSet]:
    """Return the rule sets of ``disclosure.yaml`` by name.

    Raises:
        ConfigurationError: the file is not laid out as expected, a number is no whole number (a comparison with `.nan`
            holds for nobody), or one is below its floor.
    """
    body = fields.fields(
        "disclosure.yaml", document, ["rule_sets", "contribution", "clipped_classes_percent", "who_counts"]
    )
    listed = fields.mapping("disclosure.yaml: rule_sets", body["rule_sets"])
    return {name: _rule_set(name, spec) for name, spec in listed.items()}


def _rule_set(name: str, spec: object) -> RuleSet:
    where = f"disclosure.yaml: {name}"
    numbers = ("outside", "p_percent", "single_share_percent")
    body = fields.fields(where, spec, ["heads", "dominance", *numbers], ["description"])
    dominance = fields.fields(f"{where}: dominance", body["dominance"], ["n", "share_percent"])
    heads = fields.mapping(f"{where}: heads", body["heads"])
    return RuleSet(
        name=name,
        heads=MappingProxyType({family: fields.number(f"{where}: heads.{family}", n) for family, n in heads.items()}),
        dominance_n=fields.number(f"{where}: dominance.n", dominance["n"]),
        dominance_percent=fields.number(f"{where}: dominance.share_percent", dominance["share_percent"]),
        **{each: fields.number(f"{where}: {each}", body[each]) for each in numbers},
    )


def contribution(document: Mapping[str, Any]) -> dict[str, int]:
    """Return the bounds of ``disclosure.yaml`` on events of one person, campaign and day, by kind of event.

    Raises:
        ConfigurationError: a kind is missing or unknown, or its bound is no whole number above 0 or above its ceiling.
    """
    where = "disclosure.yaml: contribution"
    spec = fields.fields(where, document["contribution"], tuple(CEILING_CONTRIBUTION))
    bounds = {kind: fields.number(f"{where}.{kind}", spec[kind]) for kind in CEILING_CONTRIBUTION}
    for kind, bound in bounds.items():
        if bound > CEILING_CONTRIBUTION[kind]:
            raise ConfigurationError(
                "disclosure.ceiling", f"contribution.{kind} is {bound}", f"{CEILING_CONTRIBUTION[kind]} or less"
            )
    return bounds


def who_counts(document: Mapping[str, Any]) -> WhoCounts:
    """Return the numbers of ``disclosure.yaml`` that say who counts in head counts.

    Raises:
        ConfigurationError: a number is missing, no whole number, or laxer than the floors in code.
    """
    where, names = "disclosure.yaml: who_counts", ("seasoned_days", "active_nights", "network_people")
    spec = fields.fields(where, document["who_counts"], names)
    return WhoCounts(**{name: fields.number(f"{where}.{name}", spec[name]) for name in names})


def families(document: Mapping[str, Any]) -> dict[str, FamilySpec]:
    """Return the metric families of ``reports.yaml`` by name.

    Raises:
        ConfigurationError: a field is missing or unknown, or a family takes all heads for people who count (rule 5).
    """
    found = {}
    for name, spec in document["families"].items():
        where = f"reports.yaml: families.{name}"
        body = fields.fields(where, spec, ["count", "heads", "counted"], ["rest", "requires"])
        if body["counted"] in (None, body["heads"]):
            raise ConfigurationError("disclosure.counted", f"{where}: counted is heads", "a column of people who count")
        found[name] = FamilySpec(name, **body)
    return found


def clipped_classes(document: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the boundaries, in percent, between the classes of ``disclosure.yaml`` of the clipped share.

    Raises:
        ConfigurationError: they are no whole numbers of 1 and more, do not rise, or are too many.
    """
    where = "disclosure.yaml: clipped_classes_percent"
    boundaries = tuple(fields.number(where, item) for item in fields.items(where, document["clipped_classes_percent"]))
    if list(boundaries) != sorted(set(boundaries)) or not 1 <= len(boundaries) <= MOST_CLIPPED_CLASSES:
        raise ConfigurationError(
            "disclosure.ceiling", f"{where} are {list(boundaries)}", f"1 to {MOST_CLIPPED_CLASSES}, rising"
        )
    return boundaries


def dimensions(document: Mapping[str, Any]) -> dict[str, DimensionSpec]:
    """Return the dimensions of ``reports.yaml`` by name."""
    return {
        name: DimensionSpec(
            name, tuple(spec["levels"]), spec["keys"], bool(spec["partitions_people"]), spec.get("below")
        )
        for name, spec in document["dimensions"].items()
    }


def reports(document: Mapping[str, Any]) -> dict[str, ReportSpec]:
    """Return the reports of ``reports.yaml`` by name."""
    return {
        name: ReportSpec(
            name=name,
            name_ja=spec["name_ja"],
            name_en=spec["name_en"],
            recipient_kinds=tuple(spec["recipient_kinds"]),
            rule_set=spec["rule_set"],
            periods=tuple(spec["periods"]),
            universe=spec["universe"],
            key=spec["key"],
            families=tuple(spec["families"]),
            tables=tuple(_table(name, table, body) for table, body in spec["tables"].items()),
            week_cube=spec.get("week_cube"),
            month_cube=spec.get("month_cube"),
            frequency=_frequency(name, spec["frequency"]) if "frequency" in spec else None,
            has_reach=bool(spec.get("reach", False)),
        )
        for name, spec in document["reports"].items()
    }


def _frequency(report: str, spec: object) -> FrequencySpec:
    """Return the table of people by how often of a report."""
    return FrequencySpec(**fields.fields(f"reports.yaml: {report}.frequency", spec, ["name", "cube", "dimension"]))


def _table(report: str, name: str, spec: object) -> TableSpec:
    """Return a table of a report; a dimension that gets a table of its own is flat, and one of several."""
    where = f"reports.yaml: {report}.{name}"
    body = fields.fields(where, spec, ["cube", "dimensions"], ["families", "periods", "planned", "alone"])
    listed, alone = tuple(body["dimensions"]), fields.mapping(f"{where}: alone", body.get("alone", {}))
    unknown = sorted(set(alone) - set(listed if len(listed) > 1 else ()))
    if unknown:
        raise ConfigurationError("reports.alone", f"{where}: {unknown[0]} alone", "one of several dimensions")
    return TableSpec(
        name,
        body["cube"],
        listed,
        tuple(body.get("families", ())),
        tuple(body.get("periods", ())),
        bool(body.get("planned", False)),
        MappingProxyType(dict(alone)),
    )


def categories(document: Mapping[str, Any]) -> dict[str, tuple[Category, ...]]:
    """Return the key sets of ``categories.yaml``.

    Raises:
        ConfigurationError: one is missing.
    """
    missing = set(KEY_SETS) - set(document)
    if missing:
        raise ConfigurationError("policy.categories", f"no key set {sorted(missing)[0]} in categories.yaml")
    return {
        key_set: tuple(
            Category(
                key=str(entry["key"]),
                ja=entry["ja"],
                en=entry["en"],
                first=entry.get("from"),
                last=entry.get("to"),
                terms=tuple(str(term).lower() for term in entry.get("terms", ())),
                parent=entry.get("region"),
            )
            for entry in document[key_set]
        )
        for key_set in KEY_SETS
    }


def postal_prefixes(path: Path) -> tuple[tuple[str, str], ...]:
    """Return (prefix, prefecture) of ``postal_prefectures.csv``.

    Raises:
        ConfigurationError: the file is missing, holds nothing, or is not laid out as expected.
    """
    if not path.is_file():
        raise ConfigurationError("policy.missing", f"no {path.name} in the policy folder")
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = tuple((row["prefix"], row["prefecture"]) for row in csv.DictReader(lines))
    except (KeyError, UnicodeDecodeError, csv.Error):
        rows = ()
    if not rows or not all(prefix and prefecture for prefix, prefecture in rows):
        raise ConfigurationError("policy.syntax", path.name, "columns prefix and prefecture, none empty", "correct it")
    return rows
