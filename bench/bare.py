"""The bare pass of ``bench/limit.sql`` over the landed files of a night, alone in a process.

What belongs here: which files it reads, and its counts on stdout. What does not: clock and comparison (`bench.limit`).

    python -m bench.bare LANDING [--date 2026-11-21]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

LIMIT = Path(__file__).with_name("limit.sql")
MEMORY = "3GB"
"""What DuckDB may hold; the same as the engine of a night has for each of its databases."""
_FILES = {
    "access": "access/*",
    "ads_parquet": "ads/*.parquet",
    "ads_json": "ads/*.json*",
    "beacon": "beacon/*",
    "logins": "logins/*",
    "members_json": "members/*.json*",
    "members_csv": "members/*.csv*",
}


def count(landing: Path, night: date) -> list[dict[str, object]]:
    """Return events and people by source, type, campaign and segment.

    Args:
        landing: the landing folder, with a folder for the night, as `quorum sample` writes it on its first day.
        night: the night.
    """
    with duckdb.connect(config={"memory_limit": MEMORY}) as connection:
        for name, pattern in _FILES.items():
            files = sorted(str(path) for path in (landing / night.isoformat()).glob(pattern))
            connection.execute(f"set variable {name} = ?", [files])
        answer = connection.execute(LIMIT.read_text(encoding="utf-8"), {"night": night})
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def main(arguments: Sequence[str] | None = None) -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("landing", type=Path)
    parser.add_argument("--date", type=date.fromisoformat, default=date(2026, 11, 21))
    given = parser.parse_args(arguments)
    sys.stdout.write(json.dumps(count(given.landing, given.date)) + "\n")


if __name__ == "__main__":
    main()
