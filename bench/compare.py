"""Whether cubes of `bench.night` are like those of a night that went through landing, intake and linking.

What belongs here: two homes side by side. What does not: making them:

    quorum sample LANDING --date 2026-11-18 --days 2 --members 30000 --events 400000 --campaigns 100 --recipients 14 --seed 1
    quorum backfill --from 2026-11-17 --to 2026-11-18 --landing LANDING --home ONE
    python -m bench.night OTHER --last 2026-11-18 --days 2 --members 30000 --impressions 296883 --campaigns 100 --recipients 14
    python -m bench.compare ONE OTHER 2026-11-18
"""  # noqa: E501 - commands stand on one line

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from bench.measure import Tally
from bench.night import ROOT
from bench.utility import Bench, always
from quorum.policy import load_policy
from quorum.tables.periods import DAY
from quorum.zones import Home


def shares(home: Path, day: date) -> dict[str, float]:
    """Return what a day told by day to the finest level would tell, by family and table."""
    told, _ = Bench(Home(home), [day], load_policy(ROOT / "policy")).days_told(always(DAY, 2))
    found = {}
    for family in ("impressions", "clicks"):
        found[f"{family}, events"] = float(_events(told, family))
        for name in ("told", "finest", "bound"):
            found[f"{family}, best table, {name}"] = told.best_share(family, name)
        found |= {f"{family}, {table}, told": told.table(family, table, "told") for table in told.tables()}
    return found


def _events(told: Tally, family: str) -> int:
    return sum(events for _, events, _ in told.best(family, "told").values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("one", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("day", type=date.fromisoformat)
    given = parser.parse_args()
    one, other = shares(given.one, given.day), shares(given.other, given.day)
    for name, share in one.items():
        print(f"{name:44} {share:12.3f} {other[name]:12.3f}")


if __name__ == "__main__":
    main()
