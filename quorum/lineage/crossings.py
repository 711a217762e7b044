"""Where an identifier or a restricted column becomes something else, or decides about rows: declared, or refused.

What belongs here: lineage against ``policy/declassifiers.yaml``. What does not: what each purpose may output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from quorum.errors import ConfigurationError
from quorum.lineage.derive import Lineage
from quorum.policy import Policy
from quorum.tables.catalog import Catalog

GUARDED = frozenset({"identifier", "restricted"})
DECLASSIFIERS = frozenset({"completed_years", "hmac_pseudonym", "latest_version", "truncated_network"})


@dataclass(frozen=True, order=True)
class Crossing:
    """A guarded base column that leaves its category.

    Args:
        to: ``table.column`` for a value; ``table`` for a use.
        base: the guarded base column, ``table.column``.
    """

    to: str
    base: str


def declared_crossings(folder: Path) -> Mapping[Crossing, str]:
    """Read ``declassifiers.yaml``: each declared crossing and the declassifier it goes through.

    Raises:
        ConfigurationError: the file is missing, is not laid out as expected, or names an unknown declassifier.
    """
    try:
        raw = yaml.safe_load((folder / "declassifiers.yaml").read_text(encoding="utf-8"))
        found = {
            Crossing(to, base): str(spec["by"])
            for kind in ("values", "uses")
            for to, spec in raw[kind].items()
            for base in spec["from"]
        }
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        raise ConfigurationError(
            "policy.declassifiers", "declassifiers.yaml cannot be read", "values and uses"
        ) from None
    unknown = sorted(set(found.values()) - DECLASSIFIERS)
    if unknown or set(raw) != {"values", "uses"}:
        raise ConfigurationError("policy.declassifiers", f"{[*unknown, *raw][0]}", f"one of {sorted(DECLASSIFIERS)}")
    return found


def crossings(catalog: Catalog, policy: Policy, lineages: Mapping[str, Lineage]) -> frozenset[Crossing]:
    """Return every crossing in the statements of the catalogue, statement by statement.

    A guarded column that keeps its category (a cookie id that stays one, in the vault) does not cross; where it may
    stand is for the zones of its category to say.
    """
    categories = _categories(catalog)
    guarded = {base for base, category in categories.items() if policy.columns[category].klass in GUARDED}
    values = {
        Crossing(f"{table}.{name}", base)
        for table, lineage in lineages.items()
        for name, value in lineage.columns.items()
        for base in value & guarded
        if categories[base] != categories[f"{table}.{name}"]
    }
    uses = {Crossing(table, base) for table, lineage in lineages.items() for base in lineage.use & guarded}
    return frozenset(values | uses)


def reached(
    catalog: Catalog, policy: Policy, lineages: Mapping[str, Lineage], declared: Mapping[Crossing, Any], table: str
) -> frozenset[str]:
    """Return the guarded base columns that a table's values or uses reach through all statements before it.

    The way ends at a declared crossing, and nowhere else.
    """
    categories = _categories(catalog)
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [f"{table}.{column.name}" for column in catalog[table].columns]
    while waiting:
        column = waiting.pop()
        if column in seen or column not in categories:
            continue
        seen.add(column)
        if policy.columns[categories[column]].klass in GUARDED:
            found.add(column)
        owner, name = column.split(".")
        if owner in lineages:
            lineage = lineages[owner]
            waiting += [base for base in lineage.columns[name] if Crossing(column, base) not in declared]
            waiting += [base for base in lineage.use if Crossing(owner, base) not in declared]
    return frozenset(found)


def _categories(catalog: Catalog) -> dict[str, str]:
    return {
        f"{name}.{column.name}": column.category for name, table in catalog.tables.items() for column in table.columns
    }
