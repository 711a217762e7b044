"""The policy's key sets as relations that statements may join: ``policy__age_band``, ``policy__postal`` and others.

What belongs here: their columns and rows. What does not: the policy itself (`quorum.policy`), and people.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from quorum.errors import ConfigurationError
from quorum.policy import Policy


def policy_relations(policy: Policy) -> dict[str, pa.Table]:
    """Return the relations that every statement may read, by name.

    - ``policy__age_band(first INTEGER, last INTEGER, age_band)``: a row is a band, both ends included;
    - ``policy__hour_band(hour INTEGER, hour_band)``: a row is an hour, 0 to 23;
    - ``policy__gender_term(term, gender)``, ``policy__occupation_term(term, occupation)``: a row is a raw
      value, lower case;
    - ``policy__item_term(term, item_category)``: likewise, of goods bought;
    - ``policy__postal(prefix, prefecture)``: the longest prefix wins;
    - ``policy__prefecture(prefecture, region)``;
    - ``policy__placement(placement)``: the declared placements;
    - ``policy__limit(name, value BIGINT)``;
    - ``policy__heads(rule_set, family, least_n BIGINT)``: the fewest people of a cell that a rule set shows;
    - ``policy__contribution(event_type, most_n BIGINT)``: what counts of one person, campaign and night;
    - ``policy__who_counts(seasoned_days, active_nights, network_people BIGINT)``: one row: who counts in head counts;
    - ``policy__scope(scope)``: what a choice of a person can be about;
    - ``policy__scope_stop(scope, purpose)``: the purposes that a refusal of a scope takes the person out of.

    Raises:
        ConfigurationError: one term, prefix or hour stands for two categories.
    """
    sets = policy.categories
    bands = [(c.first, c.last, c.key) for c in sets["age_bands"] if c.first is not None]
    hours = [
        (hour, c.key)
        for c in sets["hour_bands"]
        if c.first is not None and c.last is not None
        for hour in range(c.first, c.last + 1)
    ]
    return {
        "policy__age_band": _relation(("first", "last", "age_band"), bands, (pa.int32(), pa.int32(), pa.string())),
        "policy__hour_band": _keyed(("hour", "hour_band"), hours, (pa.int32(), pa.string())),
        "policy__gender_term": _keyed(("term", "gender"), _terms(policy, "genders")),
        "policy__occupation_term": _keyed(("term", "occupation"), _terms(policy, "occupations")),
        "policy__item_term": _keyed(("term", "item_category"), _terms(policy, "item_categories")),
        "policy__postal": _keyed(("prefix", "prefecture"), policy.postal_prefixes),
        "policy__prefecture": _keyed(("prefecture", "region"), [(c.key, c.parent) for c in sets["prefectures"]]),
        "policy__placement": _relation(("placement",), [(c.key,) for c in sets["placements"]], (pa.string(),)),
        "policy__limit": _keyed(("name", "value"), sorted(policy.limits.items()), (pa.string(), pa.int64())),
        "policy__heads": _relation(
            ("rule_set", "family", "least_n"),
            [(name, *heads) for name, rules in sorted(policy.rule_sets.items()) for heads in rules.heads.items()],
            (pa.string(), pa.string(), pa.int64()),
        ),
        "policy__contribution": _keyed(
            ("event_type", "most_n"), sorted(policy.contribution.items()), (pa.string(), pa.int64())
        ),
        "policy__who_counts": _relation(
            ("seasoned_days", "active_nights", "network_people"),
            [(policy.who_counts.seasoned_days, policy.who_counts.active_nights, policy.who_counts.network_people)],
            (pa.int64(), pa.int64(), pa.int64()),
        ),
        "policy__scope": _relation(("scope",), [(code,) for code in sorted(policy.scopes)], (pa.string(),)),
        "policy__scope_stop": _relation(
            ("scope", "purpose"),
            [(code, purpose) for code, scope in sorted(policy.scopes.items()) for purpose in scope.stops],
            (pa.string(), pa.string()),
        ),
    }


def _terms(policy: Policy, key_set: str) -> list[tuple[str, str]]:
    return [(term, category.key) for category in policy.categories[key_set] for term in category.terms]


def _keyed(
    names: Sequence[str], rows: Iterable[Sequence[object]], types: Sequence[pa.DataType] = (pa.string(), pa.string())
) -> pa.Table:
    """Return a relation whose first column is a key; a key that stands twice would double every row it meets."""
    listed = list(rows)
    if len({row[0] for row in listed}) != len(listed):
        raise ConfigurationError("policy.ambiguous", f"a {names[0]} listed twice for a {names[1]}", "once each")
    return _relation(names, listed, types)


def _relation(names: Sequence[str], rows: Sequence[Sequence[object]], types: Sequence[pa.DataType]) -> pa.Table:
    columns = [pa.array([row[i] for row in rows], type=kind) for i, kind in enumerate(types)]
    return pa.table(columns, names=list(names))
