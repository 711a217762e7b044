"""How many clean releases the attacks block: seeded nights, controlled as they stand, attacked with the truth.

    python -m pytest does a few of them; `PYTHONPATH=. python tests/redteam/clean_nights.py 200` does so many and prints
    the share.

A night is the packages of the house's own reports, pages and workbook too, or one of the campaigns of `scenes`. What an
attack says of it is a false alarm: nothing was weakened.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[n]) for n in (0, 1, 2)]
    sys.path.append(str(Path(__file__).parents[1] / "property"))

import numpy as np
from disclosure_portal import Habits
from release_night import NIGHT, cube_tables, references
from scenes import CANARY, LINKED, PLAIN, ROOT, Held, day, weekend

from quorum.audit.package import read_files
from quorum.disclosure import PackageCube, control
from quorum.policy import Policy, load_policy
from quorum.release.package import rule_numbers, stage_package
from quorum.release.shapes import package_shapes, planned_shape
from quorum.report.facts import page_facts
from quorum.report.html import render
from quorum.report.workbook import render_workbook
from quorum.tables import PackageShape

REPORTS = ("campaign", "sections", "site")


def night(seed: int, policy: Policy) -> Iterator[tuple[str, Held]]:
    """Yield what a night releases, by name."""
    rng = np.random.default_rng(seed)
    if seed % 4 < 2:
        for shape in package_shapes(policy, references(2), NIGHT):
            if shape.report in REPORTS and shape.recipient_id != "adv-b":
                yield shape.report, _released(planned_shape(policy, shape), policy, int(rng.integers(80, 3000)), seed)
        return
    if seed % 4 == 2:
        click, conversion, skew = rng.uniform(0.02, 0.5), rng.uniform(0.1, 0.6), rng.uniform(0.3, 2)
        habits = Habits(rng.uniform(1.2, 5), click, conversion, skew, 0.1, rng.uniform(0, 0.3), rng.uniform(0, 1))
        yield "day", day((PLAIN, LINKED)[seed % 8 == 2], int(rng.integers(40, 1500)), seed, habits)
        return
    yield "week", weekend(seed, erased=int(rng.choice([0, 40])), days=int(rng.integers(2, 5)))


def _released(shape: PackageShape, policy: Policy, people: int, seed: int) -> Held:
    report = policy.reports[shape.report]
    rules, families = policy.rule_sets[report.rule_set], [policy.families[name] for name in report.families]
    cube = PackageCube(shape, cube_tables(shape, policy, people, seed))
    safe = control(cube, rules, families)
    facts = page_facts(policy, references(2), shape)
    pages = {**render(facts, safe.tables), **render_workbook(facts, safe.tables)}
    with TemporaryDirectory() as folder:
        written = read_files(stage_package(Path(folder), shape, safe.tables, policy, pages))
    release = f"{shape.recipient_id}/{shape.report}/{shape.period}"
    return Held([written], rule_numbers(rules, report, policy), {release: cube.tables}, [CANARY])


def blocked(seeds: range) -> tuple[int, Counter[str]]:
    """Return how many releases the nights have, and how many of each name an attack blocks."""
    policy, released, found = load_policy(ROOT / "policy"), 0, Counter[str]()
    for seed in seeds:
        for name, held in night(seed, policy):
            released += 1
            if attacks := held.caught():
                found[f"{name} by {', '.join(sorted(attacks))}"] += 1
    return released, found


if __name__ == "__main__":
    nights = int(sys.argv[1])
    released, found = blocked(range(nights))
    sys.stdout.write(
        f"{nights} nights, {released} releases, {sum(found.values())} blocked, {sum(found.values()) / released:.2%}\n"
    )
    sys.stdout.write(f"{dict(found)}\n")
