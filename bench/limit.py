"""A night from landing to cube beside one bare pass over the same files, at several sizes.

What belongs here: making portals, running both, checking that they counted the same, growth, the page. What does not:
what is run (`bench.landing`, `bench.bare`).

    python -m bench.limit FOLDER [--events 1000000 3000000 10000000] [--runs 3]

A hundred million events (`--events 100000000`) need some 40 GB of disk below FOLDER.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from math import log, sqrt
from pathlib import Path
from statistics import mean, median
from typing import Any

import pyarrow.dataset as ds

from bench.clock import NIGHT, Use, run
from bench.page import table, write_section

_EVENTS_A_MEMBER, _EVENTS_A_CAMPAIGN = 10, 25_000
_GB = 10**9
_MEMORY_GB = {100_000_000: 8}
"""From so many events on a night may hold so much; 4 GB below."""
ALLOWED = 3.0
EXPONENT = 1.15

Row = dict[str, Any]


def measure(folder: Path, sizes: Sequence[int], runs: int) -> Iterator[Row]:
    """Measure the sample, the night and the bare pass; yield one row a process.

    Raises:
        ValueError: the two did not count the same.
    """
    for events in sizes:
        landing, home = folder / str(events) / "landing", folder / str(events) / "home"
        shutil.rmtree(landing, ignore_errors=True)
        yield _row(events, "sample", make(landing, events))
        for _ in range(runs):
            shutil.rmtree(home, ignore_errors=True)
            use, told = run([sys.executable, "-m", "bench.landing", landing, home])
            yield _row(events, "night", use, stages=json.loads(told))
            use, told = run([sys.executable, "-m", "bench.bare", landing])
            yield _row(events, "bare", use)
            check_equal(cube_counts(home), bare_counts(json.loads(told)))


def make(landing: Path, events: int) -> Use:
    """Make a portal of a size and return what that used."""
    campaigns = max(10, events // _EVENTS_A_CAMPAIGN)
    given = {"date": NIGHT, "days": 1, "members": max(200, events // _EVENTS_A_MEMBER), "events": events}
    given |= {"campaigns": campaigns, "recipients": 12, "ctr": 0.02, "seed": 11}
    options = [part for name, value in given.items() for part in (f"--{name}", str(value))]
    return run([sys.executable, "-c", "from pipelines.cli import main; main()", "sample", landing, *options])[0]


def bare_counts(rows: Sequence[Row]) -> dict[str, list[int]]:
    """Return impressions, clicks and conversions that are due on the night, by campaign, of the bare pass."""
    kinds = ("impression", "click", "conversion")
    found: dict[str, list[int]] = {}
    for row in rows:
        if row["source"] == "ads" and row["is_due"]:
            counts = found.setdefault(str(row["campaign_id"]), [0, 0, 0])
            counts[kinds.index(str(row["type"]))] += row["event_n"]
    return found


def cube_counts(home: Path) -> dict[str, list[int]]:
    """Return the same of the night's cube."""
    cube = home / "warehouse" / "cube" / "cube__campaign_daily" / f"date={NIGHT.isoformat()}"
    rows = ds.dataset(cube, format="parquet").to_table().to_pylist()
    margin = [row for row in rows if row["creative_id"] == "ALL" and row["placement"] == "ALL"]
    return {row["campaign_id"]: [row["impression_n"], row["click_n"], row["conversion_n"]] for row in margin}


def check_equal(one: Mapping[str, object], other: Mapping[str, object]) -> None:
    """Refuse results that differ: what is not the same must not be compared by its time.

    Raises:
        ValueError: they differ; the message counts.
    """
    differing = sorted(key for key in {*one, *other} if one.get(key) != other.get(key))
    if differing or not one:
        raise ValueError(f"{len(differing)} of {len({*one, *other})} results differ")


def growth(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Return the exponent of a power law through points, by least squares of logarithms, and its standard error."""
    xs, ys = [log(x) for x, _ in points], [log(y) for _, y in points]
    middle_x, middle_y = mean(xs), mean(ys)
    width = sum((x - middle_x) ** 2 for x in xs)
    slope = sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / width
    left = sum((y - middle_y - slope * (x - middle_x)) ** 2 for x, y in zip(xs, ys, strict=True))
    return slope, sqrt(left / max(len(points) - 2, 1) / width)


def section(rows: Sequence[Row]) -> str:
    """Return the section of the page."""
    lines, nights = [], []
    for events, found in groupby(sorted(rows, key=lambda row: row["events"]), lambda row: row["events"]):
        by = _uses(found)
        nights += [(events, use.cpu) for use in by["night"]]
        lines.append([f"{events:,}", *(_told(by[what]) for what in ("sample", "night", "bare")), *_ratios(by)])
    heads = ["events", *(f"{what}: CPU s, wall s, GB" for what in ("`quorum sample`", "night", "bare pass"))]
    parts = [table([*heads, "CPU, times the bare pass", "wall, times"], lines), _verdict(rows)]
    if len({size for size, _ in nights}) > 1:
        exponent, spread = growth(nights)
        parts.append(
            f"CPU of a night grows as events^{exponent:.2f} (standard error {spread:.2f}; asked: {EXPONENT}).\n"
        )
    return "\n".join([*parts, _stages(rows)])


def _verdict(rows: Sequence[Row]) -> str:
    """Say which of the bounds hold at the largest size."""
    size = max(row["events"] for row in rows)
    by = _uses(row for row in rows if row["events"] == size)
    cpu = median(use.cpu for use in by["night"]) / median(use.cpu for use in by["bare"])
    wall = median(use.wall for use in by["night"]) / median(use.wall for use in by["bare"])
    peak = max(use.peak for use in by["night"]) / _GB
    memory = next((gb for least, gb in _MEMORY_GB.items() if size >= least), 4)
    time_holds, memory_holds = ("holds" if ok else "**does not hold**" for ok in (cpu <= ALLOWED, peak <= memory))
    return (
        f"At {size:,} events: at most {ALLOWED:.0f} times the bare pass {time_holds} "
        f"({cpu:.1f} in CPU, {wall:.1f} by the clock), "
        f"at most {memory} GB {memory_holds} ({peak:.2f}).\n"
    )


def _stages(rows: Sequence[Row]) -> str:
    """Return the stages that a night of the largest size spends most in, of its quickest run."""
    size = max(row["events"] for row in rows)
    nights = [row for row in rows if row["events"] == size and row["what"] == "night"]
    stages = min((row["stages"] for row in nights), key=lambda own: sum(stage["seconds"] for stage in own))
    total = sum(stage["seconds"] for stage in stages)
    most = sorted(stages, key=lambda stage: -stage["seconds"])[:12]
    lines = [[f"`{s['name']}`", f"{s['rows']:,}", f"{s['seconds']:.1f}", f"{s['seconds'] / total:.0%}"] for s in most]
    return table([f"stage, {size:,} events", "rows", "wall s", "of all stages"], lines)


def _uses(rows: Iterable[Row]) -> dict[str, list[Use]]:
    found: dict[str, list[Use]] = {}
    for row in rows:
        found.setdefault(row["what"], []).append(Use(**row["use"]))
    return found


def _told(uses: Sequence[Use]) -> str:
    cpu, wall = median(use.cpu for use in uses), median(use.wall for use in uses)
    return f"{cpu:.1f}, {wall:.1f}, {max(use.peak for use in uses) / _GB:.2f}"


def _ratios(by: Mapping[str, Sequence[Use]]) -> list[str]:
    def ratio(name: str) -> str:
        night, bare = (median(getattr(use, name) for use in by[what]) for what in ("night", "bare"))
        return f"{night / bare:.1f}"

    return [ratio("cpu"), ratio("wall")]


def _row(events: int, what: str, use: Use, **more: object) -> Row:
    return {"events": events, "what": what, "use": asdict(use), **more}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000])
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args(arguments)
    folder = given.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    with (folder / "limit.jsonl").open("w", encoding="utf-8") as kept:
        for row in measure(folder, given.events, given.runs):
            rows.append(row)
            kept.write(json.dumps(row) + "\n")
            kept.flush()
    write_section("machine", section(rows))


if __name__ == "__main__":
    main()
