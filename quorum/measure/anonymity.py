"""Measures over equivalence classes: the smallest one, those of one person, what a class tells of a sensitive value.

What belongs here: one number for each measure, as its authors define it. What does not: thresholds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from quorum.errors import UsageError
from quorum.measure.classes import Microdata, class_sizes, quoted


@dataclass(frozen=True)
class Uniqueness:
    """How many people are alone in what is known of them.

    Args:
        people: people.
        classes: equivalence classes.
        unique_people: people whose class holds nobody else.
        unique_share: their share of all people.
        average_risk: mean over people of 1 / size of their class: the chance to name somebody drawn at random.
    """

    people: int
    classes: int
    unique_people: int
    unique_share: float
    average_risk: float


@dataclass(frozen=True)
class Diversity:
    """What the classes tell of a sensitive value; each is the worst over all classes.

    Args:
        distinct_l: the fewest different values in a class.
        entropy_l: exp of the smallest entropy of the values of a class, in natural units.
        t_equal: t-closeness under the equal distance: the largest half sum of differences of shares.
        t_ordered: t-closeness under the ordered distance: the earth mover's distance along the order of the values,
            divided by the number of values minus one; 0 with a single value.
        delta: delta-disclosure: the largest absolute logarithm of a value's share in a class by its share in all,
            over the values that the class holds.
    """

    distinct_l: int
    entropy_l: float
    t_equal: float
    t_ordered: float
    delta: float


def k_anonymity(data: Microdata, *, missing_matches_anything: bool = False) -> int:
    """Return k: the people in the smallest class; 0 without people.

    Args:
        data: the relation.
        missing_matches_anything: see `class_sizes`.

    Guarantee: nobody who knows only the quasi-identifiers can tell a person from fewer than k - 1 others. It says
    nothing about what all k have in common: that is `diversity`.

    Source: Samarati and Sweeney 1998; Sweeney 2002.

    Example:
        >>> import duckdb
        >>> known = duckdb.connect()
        >>> _ = known.execute("create table t as select * from (values ('a', 1), ('a', 2), ('b', 3)) as v(q, p)")
        >>> k_anonymity(Microdata(known, "t", ("q",), "p"))
        1
    """
    sizes = class_sizes(data, missing_matches_anything=missing_matches_anything)
    answer = data.connection.execute(f"select coalesce(min(people_n), 0) from ({sizes})").fetchall()
    return int(answer[0][0])


def uniqueness(data: Microdata) -> Uniqueness:
    """Return how many people are unique; all zero without people. A missing value is a category of its own.

    Source: ARX, ``RiskModelSampleUniqueness`` and ``RiskModelSampleRisks`` (average risk = classes / people).
    """
    statement = (
        "select coalesce(cast(sum(people_n) as bigint), 0), count(*), count(*) filter (where people_n = 1) "
        f"from ({class_sizes(data)})"
    )
    people, classes, unique = data.connection.execute(statement).fetchall()[0]
    of = people or 1
    return Uniqueness(people, classes, unique, unique / of, classes / of)


def diversity(data: Microdata, sensitive: str, order: Mapping[object, int] | None = None) -> Diversity:
    """Return what the classes tell of a sensitive value.

    A missing sensitive value is a value of its own. A person with several values in a class counts once for each.

    Args:
        data: the relation.
        sensitive: its sensitive column, not a quasi-identifier.
        order: rank of each value for the ordered distance; None for the order of the values themselves, the missing
            one last.

    Raises:
        UsageError: no such column, it is a quasi-identifier, nobody is in the relation, or a value without a rank.

    Guarantee: none of the numbers is better than the worst class. They say nothing of what an outsider learns from
    several tables together.

    Source: Machanavajjhala et al. 2007 (l); Li, Li and Venkatasubramanian 2007 (t; equal and ordered distance, 5.1);
    Brickell and Shmatikov 2008 (delta; a value that a class does not hold is left out, as pycanon does, for else it
    is infinite wherever a class lacks a value).
    """
    data.check_columns(sensitive)
    if sensitive in data.quasi_identifiers:
        raise UsageError("measure.sensitive", f"{sensitive} as quasi-identifier and sensitive value", "one of the two")
    ranks = _ranks(data, sensitive, order)
    worst = data.connection.execute(_worst(data, sensitive), [list(ranks), list(ranks.values())]).fetchall()[0]
    distinct_l, entropy, t_equal, t_ordered, delta = worst
    return Diversity(int(distinct_l), math.exp(entropy), float(t_equal), float(t_ordered), float(delta))


def _ranks(data: Microdata, sensitive: str, order: Mapping[object, int] | None) -> dict[str, int]:
    """Return the rank of each value, by the text of the value; the missing one has the text of no other."""
    name = quoted(sensitive)
    found = data.connection.execute(
        f"select distinct {name}, coalesce('=' || cast({name} as varchar), '') from {data.rows} "
        f"order by {name} asc nulls last"
    ).fetchall()
    if not found:
        raise UsageError("measure.people", f"{data.relation} without people", "at least one person")
    if order is None:
        return {text: rank for rank, (_, text) in enumerate(found)}
    if any(value not in order for value, _ in found):
        raise UsageError("measure.order", f"a value of {sensitive} without a rank", "a rank for every value")
    ranked = sorted(found, key=lambda each: order[each[0]])
    return {text: rank for rank, (_, text) in enumerate(ranked)}


def _worst(data: Microdata, sensitive: str) -> str:
    """Return the statement of all five measures: a pass over the rows, then over classes and values.

    Along the order, a class differs from all by `held - expected` up to each of its values; between two of its values
    the difference changes with every value that it does not hold, so that the sums run over all pairs of class and
    value.
    """
    text = f"coalesce('=' || cast({quoted(sensitive)} as varchar), '')"
    return f"""
    with
    ranks as (select unnest(?::varchar[]) as value, unnest(?::bigint[]) as value_rank),
    counted as (
        select {data.key}, {text} as value, {data.head_count} as held_n from {data.rows} group by {data.key}, value
    ),
    numbered as (select *, dense_rank() over (order by {data.key}) as class_n from counted),
    held as (
        select
            numbered.class_n,
            ranks.value_rank,
            numbered.held_n / sum(numbered.held_n) over (partition by numbered.class_n) as share
        from numbered
        inner join ranks using (value)
    ),
    all_people as (
        select value_rank, held_n / sum(held_n) over () as share
        from (
            select ranks.value_rank, sum(numbered.held_n) as held_n
            from numbered inner join ranks using (value) group by ranks.value_rank
        )
    ),
    cumulated as (
        select value_rank, share, sum(share) over (order by value_rank) as up_to from all_people
    ),
    spans as (
        select
            class_n,
            value_rank,
            share,
            sum(share) over (partition by class_n order by value_rank) as up_to,
            lead(value_rank, 1, (select count(*) from all_people)) over (partition by class_n order by value_rank)
                as next_rank
        from held
    ),
    per_class as (
        select
            held.class_n,
            count(*) as distinct_n,
            -sum(held.share * ln(held.share)) as entropy,
            sum(greatest(held.share - all_people.share, 0)) as t_equal,
            max(abs(ln(held.share / all_people.share))) as delta
        from held
        inner join all_people using (value_rank)
        group by held.class_n
    ),
    moved as (
        select class_n, sum(distance) as distance
        from (
            select spans.class_n, abs(spans.up_to - cumulated.up_to) as distance
            from spans
            inner join cumulated
                on cumulated.value_rank >= spans.value_rank and cumulated.value_rank < spans.next_rank
            union all
            select firsts.class_n, cumulated.up_to as distance
            from (select class_n, min(value_rank) as first_rank from held group by class_n) as firsts
            inner join cumulated on cumulated.value_rank < firsts.first_rank
        )
        group by class_n
    )
    select
        min(distinct_n),
        min(entropy),
        max(t_equal),
        max(distance) / greatest((select count(*) - 1 from all_people), 1),
        max(delta)
    from per_class
    inner join moved using (class_n)
    """
