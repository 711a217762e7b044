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
from quorum.policy.published import Category, DimensionSpec, ReportSpec, RuleSet, TableSpec

KEY_SETS = (
    "age_bands",
    "genders",
    "devices",
    "systems",
    "hour_bands",
    "placements",
    "occupations",
    "regions",
    "prefectures",
)


def rule_sets(document: Mapping[str, Any]) -> dict[str, RuleSet]:
    """Return the rule sets of ``disclosure.yaml`` by name.

    Raises:
        ConfigurationError: a number is below its floor.
    """
    return {
        name: RuleSet(
            name=name,
            heads=MappingProxyType(dict(spec["heads"])),
            outside=spec["outside"],
            p_percent=spec["p_percent"],
            dominance_n=spec["dominance"]["n"],
            dominance_percent=spec["dominance"]["share_percent"],
            single_share_percent=spec["single_share_percent"],
        )
        for name, spec in document["rule_sets"].items()
    }


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
            tables=tuple(
                TableSpec(table, body["cube"], tuple(body["dimensions"])) for table, body in spec["tables"].items()
            ),
            week_cube=spec.get("week_cube"),
        )
        for name, spec in document["reports"].items()
    }


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
        ConfigurationError: the file is missing.
    """
    if not path.is_file():
        raise ConfigurationError("policy.missing", f"no {path.name} in the policy folder")
    with path.open(encoding="utf-8", newline="") as lines:
        return tuple((row["prefix"], row["prefecture"]) for row in csv.DictReader(lines))
