"""Quorum's part of the tasks that `bench.peers` times: its own readers, statements and measures, one task a process.

What belongs here: calling them. What does not: any logic of theirs, clock and comparison (`bench.peers`).

    python -m bench.own log ACCESS.log
    python -m bench.own cube EVENTS.parquet PEOPLE.parquet
    python -m bench.own measures MICRODATA.parquet
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bench.peer import QUASI_IDENTIFIERS, SENSITIVE, Cells

_ROOT = Path(__file__).resolve().parents[1]
_DIGITS = 9


def count_log(path: str) -> dict[str, int]:
    """Return the requests of an access log by status, and the lines that are none as `failed`.

    As in a night the file is looked at as a whole first, for its digest and its end.
    """
    import pyarrow.compute as pc

    from quorum.intake.access import SOURCE, read_chunks
    from quorum.intake.ahead import ahead
    from quorum.intake.files import Landed, examine

    log = Path(path)
    landed = Landed(SOURCE, log.name, log, 1, examine(log).lines, is_duplicate=False, is_truncated=False)
    found: Counter[str] = Counter(failed=0)
    for chunk in ahead(read_chunks(landed)):
        for entry in pc.value_counts(chunk.requests["status"]).to_pylist():
            found[str(entry["values"])] += entry["counts"]
        found["failed"] += len(chunk.rejected)
    return dict(found)


def cube(events: str, people: str) -> Cells:
    """Return the cells of `cube__audience_age_gender` by its own statement, in the columns that peers have too."""
    import duckdb

    statement = (_ROOT / "sql" / "cube" / "cube__audience_age_gender" / "query.sql").read_text(encoding="utf-8")
    with duckdb.connect(config={"memory_limit": "3GB"}) as connection:
        connection.read_parquet(events).create_view("seg__ad_event")
        connection.read_parquet(people).create_view("seg__person_day")
        columns = "campaign_id, age_band, gender, impression_n, people_n, click_n, clicker_n"
        found = connection.sql(f"select {columns} from ({statement.replace(';', '')})").fetchall()
    return [list(row) for row in found]


def measures(microdata: str) -> Cells:
    """Return k, l and t (equal distance) of `quorum.measure`."""
    import duckdb

    from quorum.measure import Microdata, diversity, k_anonymity

    with duckdb.connect() as connection:
        connection.read_parquet(microdata).create_view("rows")
        data = Microdata(connection, "rows", tuple(QUASI_IDENTIFIERS))
        found = diversity(data, SENSITIVE)
        return [[k_anonymity(data), found.distinct_l, round(found.t_equal, _DIGITS)]]


def main(arguments: Sequence[str]) -> None:
    """Do a task and print its answer as JSON."""
    tasks = {"log": count_log, "cube": cube, "measures": measures}
    sys.stdout.write(json.dumps(tasks[arguments[0]](*arguments[1:])) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
