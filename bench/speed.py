"""How long control and audit of a night take, and of the Sunday that ends a week, with the memory they need.

What belongs here: running `quorum.packages` on cubes of `bench.night` under a clock. What does not: what is told.

Run it under `/usr/bin/time -v` on a quiet machine; give nights of a week in order, its Sunday last.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import resource
import shutil
from datetime import date
from pathlib import Path
from time import perf_counter, process_time

from bench.night import KEYS, ROOT
from quorum.engine.store import Store
from quorum.ledger import Ledger
from quorum.packages import Packages
from quorum.policy import load_policy
from quorum.tables import load_catalog
from quorum.zones import Home


def run_night(home: Home, night: date) -> None:
    """Make safe and publish what a night owes, as the pipeline does; say what became of it and how long it took."""
    policy = load_policy(ROOT / "policy")
    ledger = Ledger(home.ledger)
    packages = Packages(Store(home, load_catalog(ROOT / "sql"), KEYS), policy, KEYS, ledger)
    started = perf_counter()
    refused = packages.make_safe(night)
    safe = perf_counter()
    releases = packages.publish(night)
    ended = perf_counter()
    ledger.finish_night(night, "bench", {"policy": {"digest": policy.digest}})
    ledger.close()
    told = sum(release.status == "published" for release in releases)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{night}: {told} of {len(releases)} packages published, {len(refused)} refused; control and writer "
        f"{safe - started:.1f} s, door {ended - safe:.1f} s, peak {peak:.2f} GB"
    )
    for release in releases:
        if release.status != "published":
            print(f"  {release.recipient_id} {release.report} {release.period}: {release.status} {release.reasons}")


def forget(home: Home) -> None:
    """Remove what earlier runs made of the cubes: safe tables, packages, ledger."""
    for folder in (home.warehouse / "safe", home.out, home.ledger, home.keys):
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("nights", type=date.fromisoformat, nargs="+")
    parser.add_argument("--fresh", action="store_true", help="remove what earlier runs made")
    parser.add_argument("--profile", action="store_true", help="show where the last night's time goes")
    given = parser.parse_args()
    home = Home(given.home)
    if given.fresh:
        forget(home)
    for night in given.nights[:-1]:
        run_night(home, night)
    profile = cProfile.Profile(process_time)
    if given.profile:
        profile.enable()
    run_night(home, given.nights[-1])
    if given.profile:
        profile.disable()
        pstats.Stats(profile).sort_stats("cumulative").print_stats(70)


if __name__ == "__main__":
    main()
