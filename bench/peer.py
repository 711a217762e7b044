"""What people would use instead, one task a process, in the environment of `requirements-bench.lock`.

What belongs here: the cube of age band and gender by pandas, Polars and chDB; k, l and t by pycanon; each written as
its documentation would have it. What does not: Quorum's own (`bench.own`), clock and comparison (`bench.peers`).
Nothing of `quorum` is imported, for it is not installed there.

    python -m bench.peer pandas|polars|chdb EVENTS.parquet PEOPLE.parquet
    python -m bench.peer pycanon MICRODATA.parquet
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import chain, combinations

DIMENSIONS = ("age_band", "gender")
KINDS = ("impression", "click")
QUASI_IDENTIFIERS = ["age_band", "gender", "prefecture"]
SENSITIVE = "occupation"
_DIGITS = 9

Cells = list[list[object]]


def subsets() -> list[tuple[str, ...]]:
    """Return the dimensions of each margin, the total first."""
    return list(chain.from_iterable(combinations(DIMENSIONS, n) for n in range(len(DIMENSIONS) + 1)))


def by_pandas(events: str, people: str) -> Cells:
    """Return the cells by pandas: a group-by for each margin and kind of event."""
    import pandas as pd

    read = {"engine": "pyarrow", "dtype_backend": "pyarrow"}
    seen = pd.read_parquet(events, columns=["campaign_id", "person_n", "event_type"], **read)
    known = pd.read_parquet(people, columns=["person_n", *DIMENSIONS], **read)
    rows = seen.merge(known, on="person_n", how="left")
    rows[list(DIMENSIONS)] = rows[list(DIMENSIONS)].fillna("unknown")
    parts = []
    for dimensions in subsets():
        keys = ["campaign_id", *dimensions]
        counted = [
            rows[rows["event_type"] == kind]
            .groupby(keys)
            .agg(**{f"{kind}_n": ("event_type", "size"), f"{kind}_people_n": ("person_n", "nunique")})
            for kind in KINDS
        ]
        cells = counted[0].join(counted[1], how="outer").fillna(0).reset_index()
        parts.append(cells.assign(**{name: "ALL" for name in DIMENSIONS if name not in dimensions}))
    found = pd.concat(parts)
    measures = [f"{kind}{unit}" for kind in KINDS for unit in ("_n", "_people_n")]
    found[measures] = found[measures].astype("int64")
    return found[["campaign_id", *DIMENSIONS, *measures]].to_numpy(dtype=object).tolist()


def by_polars(events: str, people: str) -> Cells:
    """Return the cells by Polars, lazily: a group-by for each margin."""
    import polars as pl

    seen = pl.scan_parquet(events).select("campaign_id", "person_n", "event_type")
    known = pl.scan_parquet(people).select("person_n", *DIMENSIONS)
    rows = seen.join(known, on="person_n", how="left").with_columns(pl.col(DIMENSIONS).fill_null("unknown"))
    measures = []
    for kind in KINDS:
        of_kind = pl.col("event_type") == kind
        measures += [
            of_kind.sum().cast(pl.Int64).alias(f"{kind}_n"),
            pl.col("person_n").filter(of_kind).drop_nulls().n_unique().cast(pl.Int64).alias(f"{kind}_people_n"),
        ]
    parts = []
    for dimensions in subsets():
        cells = rows.group_by("campaign_id", *dimensions).agg(measures)
        margins = [pl.lit("ALL").alias(name) for name in DIMENSIONS if name not in dimensions]
        parts.append(
            cells.with_columns(margins).select("campaign_id", *DIMENSIONS, pl.exclude("campaign_id", *DIMENSIONS))
        )
    return [list(row) for row in pl.concat(pl.collect_all(parts)).rows()]


def by_chdb(events: str, people: str) -> Cells:
    """Return the cells by chDB: one statement with grouping sets."""
    import chdb

    labels = ", ".join(f"if(grouping({name}) = 1, 'ALL', {name}) as {name}_label" for name in DIMENSIONS)
    filled = ", ".join(f"ifNull(person.{name}, 'unknown') as {name}" for name in DIMENSIONS)
    measures = ", ".join(
        f"countIf(event_type = '{kind}'), uniqExactIf(person_n, event_type = '{kind}')" for kind in KINDS
    )
    sets = ", ".join(f"({', '.join(('campaign_id', *dimensions))})" for dimensions in subsets())
    statement = f"""
        select campaign_id, {labels}, {measures}
        from (
            select
                event.campaign_id as campaign_id, event.person_n as person_n, event.event_type as event_type, {filled}
            from file('{events}', Parquet) as event
            left join file('{people}', Parquet) as person on person.person_n = event.person_n
        )
        group by grouping sets ({sets})
        settings join_use_nulls = 1, output_format_json_quote_64bit_integers = 0
    """
    return list(json.loads(chdb.query(statement, "JSONCompact").bytes())["data"])


def by_pycanon(microdata: str) -> Cells:
    """Return k, l and t (equal distance) by pycanon."""
    import pandas as pd
    from pycanon import anonymity

    rows = pd.read_parquet(microdata)
    return [
        [
            int(anonymity.k_anonymity(rows, QUASI_IDENTIFIERS)),
            int(anonymity.l_diversity(rows, QUASI_IDENTIFIERS, [SENSITIVE])),
            round(float(anonymity.t_closeness(rows, QUASI_IDENTIFIERS, [SENSITIVE])), _DIGITS),
        ]
    ]


def main(arguments: Sequence[str]) -> None:
    """Do a task and print its answer as JSON."""
    tasks = {"pandas": by_pandas, "polars": by_polars, "chdb": by_chdb, "pycanon": by_pycanon}
    sys.stdout.write(json.dumps(tasks[arguments[0]](*arguments[1:])) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
