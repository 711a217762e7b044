"""Thirty nights with random faults, beside the same nights without any: run by hand or by `make thirty-nights`.

Faults: a source that is missing, half a file, a file that comes late, a file that is delivered twice, a run that is
killed at any place. Each must be found the same night, no night may be published wrong, all must be published in the
end, and where the inputs end up equal the packages must be equal to the byte.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from quorum.errors import QuorumError
from quorum.extract.build import is_batch
from quorum.holds import held_nights
from quorum.intake.files import examine
from quorum.ledger import Ledger
from quorum.release import gate
from quorum.sample import write_sample
from quorum.workspace import ROOT, WRITES, Workspace, locked_workspace
from quorum.zones import Home, Zone

LAST = date(2026, 11, 30)
ENVIRON = {"QUORUM_MASTER_KEY": "a7" * 32}
REQUIRED = ("access", "ads", "logins", "members")
FAULTS = ("missing", "half", "late", "duplicate", "killed", "none")
KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class Portal:
    """Where a portal's nights lie.

    Args:
        landing: landing folder.
        home: the home.
        policy: the policy folder.
    """

    landing: Path
    home: Home
    policy: Path

    def night(self, night: date, source: str) -> Path:
        return self.landing / night.isoformat() / source


def make_landing(landing: Path, days: int, seed: int) -> list[date]:
    """Make nights of a small portal, each required source with a marker that lists its files."""
    write_sample(landing, last=LAST, days=days, members=100, events=1500, campaigns=3, recipients=5, ctr=0.2, seed=seed)
    (landing / "sources.yaml").write_text(f"required: [{', '.join(REQUIRED)}]\n", encoding="utf-8")
    nights = [LAST - timedelta(days=ahead) for ahead in reversed(range(days))]
    for night in nights:
        for source in REQUIRED:
            mark(landing / night.isoformat() / source)
    return nights


def mark(folder: Path) -> None:
    """Write the marker of a source, as ``sha256sum * > _COMPLETE`` does."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "_COMPLETE")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}" for path in files]
    (folder / "_COMPLETE").write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_policy(folder: Path) -> Path:
    """Copy the policy, with volumes judged from a hundred lines on: the portal is small."""
    shutil.copytree(ROOT / "policy", folder)
    path = folder / "completeness.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("least_lines: 1000", "least_lines: 100"), encoding="utf-8")
    return folder


def work(workspace: Workspace, night: date) -> None:
    """Do the steps of a night in order, as the job does them."""
    workspace.admit(night)
    for source in WRITES:
        workspace.take_in(source, night)
    catalog = workspace.catalog
    for table in catalog.order():
        is_made = table.query is not None and not any(catalog[read.table].in_memory for read in table.reads)
        is_kept = not (table.in_memory or table.on_request)
        if is_made and is_kept and table.zone not in (Zone.SAFE, Zone.EXTRACT):
            workspace.build(table.name, night)
    for table in catalog.order():
        if table.zone is Zone.EXTRACT and is_batch(catalog, table):
            workspace.build(table.name, night)
    workspace.make_safe(night)
    workspace.publish(night)


def run(portal: Portal, night: date, kill_after: float | None = None) -> int:
    """Run a night in a process of its own and return its exit code; kill it after some seconds, if it still runs."""
    child = os.fork()
    if not child:
        code = 1
        try:
            with locked_workspace(portal.home, portal.landing, portal.policy, ENVIRON) as workspace:
                work(workspace, night)
            code = 0
        except QuorumError as error:
            code = error.exit_code
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        finally:
            os._exit(code)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def seen(portal: Portal) -> tuple[set[date], dict[date, set[str]], dict[date, int]]:
    """Return the done nights, the held ones with the sources that they lack, and the duplicate lines of each night."""
    ledger = Ledger(portal.home.ledger)
    try:
        held = {night: {finding.source for finding in found} for night, found in held_nights(ledger).items()}
        doubled = {n: sum(int(one["duplicate"]) for one in ledger.accounting(n)) for n in ledger.nights()}
        return set(ledger.nights()), held, doubled
    finally:
        ledger.close()


def out_of(portal: Portal) -> dict[str, str]:
    files = sorted(path for path in portal.home.out.rglob("*") if path.is_file() and ".staging" not in path.parts)
    return {p.relative_to(portal.home.out).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def must(holds: bool, told: str) -> None:
    if not holds:
        raise SystemExit(f"FOUND WRONG: {told}")


def held_until(portal: Portal, night: date, source: str, spoil: Callable[[], None], mend: Callable[[], None]) -> None:
    """Spoil a source, see the night held for it and nothing published, mend it, see the night published."""
    spoil()
    before = out_of(portal)
    must(run(portal, night) == 11, f"{night} with {source} spoilt is not 11")
    done, held, _ = seen(portal)
    must(night not in done and source in held.get(night, set()), f"{night}: {source} is not told as missing")
    must(out_of(portal) == before, f"{night}: something was published though {source} is spoilt")
    following = night + timedelta(days=1)
    if (portal.landing / following.isoformat()).is_dir():
        must(run(portal, following) == 11, f"{following} ran while {night} is held")
    mend()


def meet(portal: Portal, night: date, fault: str, chance: random.Random, typical: float) -> None:
    """Let a fault happen in a night."""
    source = chance.choice(REQUIRED)
    folder, aside = portal.night(night, source), portal.home.root.parent / "aside"
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "_COMPLETE")
    one = chance.choice([path for path in files if examine(path).lines > 1] or files)
    if fault == "missing":
        held_until(portal, night, source, lambda: folder.rename(aside), lambda: (aside.rename(folder), None)[1])
    elif fault == "late":
        held_until(portal, night, source, lambda: one.rename(aside), lambda: (aside.rename(one), None)[1])
    elif fault == "half":
        content = one.read_bytes()
        cut = chance.randrange(len(content) // 4, 3 * len(content) // 4)
        held_until(
            portal,
            night,
            source,
            lambda: (one.write_bytes(content[:cut]), None)[1],
            lambda: (one.write_bytes(content), None)[1],
        )
    elif fault == "killed":
        code = run(portal, night, kill_after=chance.uniform(0, typical))
        must(code in (KILLED, 0), f"{night} was killed and ended with {code}")
    elif fault == "duplicate":
        shutil.copyfile(one, folder / f"zz-again{''.join(one.suffixes)}")


@dataclass(frozen=True)
class Clean:
    """What the nights give without any fault.

    Args:
        files: the packages' files.
        doubled: night to lines that came twice: a portal repeats its reference data.
        typical: seconds a night.
    """

    files: dict[str, str]
    doubled: dict[date, int]
    typical: float


def clean_run(portal: Portal, nights: list[date]) -> Clean:
    began = time.monotonic()
    for night in nights:
        must(run(portal, night) == 0, f"{night} of the clean run")
    return Clean(out_of(portal), seen(portal)[2], (time.monotonic() - began) / len(nights))


def faulty_run(portal: Portal, nights: list[date], seed: int, clean: Clean) -> Counter[str]:
    """Run the nights with faults drawn by a seed; return how many of each there were."""
    chance, count = random.Random(seed), Counter[str]()
    for night in nights:
        fault = chance.choice(FAULTS)
        count[fault] += 1
        meet(portal, night, fault, chance, clean.typical)
        must(run(portal, night) == 0, f"{night} after {fault}")
        done, held, doubled = seen(portal)
        must(night in done and not held, f"{night} is not done after {fault}")
        more = doubled[night] > clean.doubled[night]
        must(more == (fault == "duplicate"), f"{night}: {doubled[night]} lines twice after {fault}")
    with locked_workspace(portal.home, portal.landing, portal.policy, ENVIRON) as workspace:
        must(not workspace.gaps(), "gaps in the end")
    found = out_of(portal)
    differ = {name for name in found.keys() | clean.files.keys() if found.get(name) != clean.files.get(name)}
    must(not differ, f"{len(differ)} files of packages are not those of the clean run: {sorted(differ)[:5]}")
    return count


def main() -> None:
    """Run and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--without-attacks", action="store_true", help="Half the time: packages are not attacked.")
    given = parser.parse_args()
    if given.without_attacks:
        gate.run_attacks = lambda *_, **__: []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        policy = make_policy(root / "policy")
        nights = make_landing(root / "landing", given.nights, 5)
        clean = clean_run(Portal(root / "landing", Home(root / "clean" / "home"), policy), nights)
        sys.stdout.write(f"clean: {len(nights)} nights, {len(clean.files)} files, {clean.typical:.1f} s a night\n")
        for seed in given.seeds:
            place = root / f"seed-{seed}"
            shutil.copytree(root / "landing", place / "landing")
            portal = Portal(place / "landing", Home(place / "home"), policy)
            count = faulty_run(portal, nights, seed, clean)
            told = ", ".join(f"{fault} {count[fault]}" for fault in FAULTS)
            sys.stdout.write(f"seed {seed}: all found, all published, packages equal: {told}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
