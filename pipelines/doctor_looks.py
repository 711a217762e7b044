"""What ``quorum doctor`` looks at: disk, versions, permissions, lock, ledger, columns of an older version, Dagster.

What belongs here: one function a subject, which changes nothing. What does not: putting them together
(`pipelines.doctor`).
"""

from __future__ import annotations

import fcntl
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.settings import ROOT, Settings
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.zones import Home

if TYPE_CHECKING:
    from quorum.engine.store import Store

_PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
_STACK = ("dagster", "dagster-webserver", "duckdb", "great-expectations", "numpy", "pandas", "pyarrow", "sqlglot")
_NIGHTS_AHEAD = 7
_LEAST_BYTES = 1 << 30
_GIB = 1 << 30


@dataclass(frozen=True)
class Looked:
    """What was seen of one subject.

    Args:
        subject: e.g. ``key``.
        told: in words; counts, names of tables and settings, nothing about a person.
        remedy: what must be done; empty if nothing.
    """

    subject: str
    told: str
    remedy: str = ""

    @property
    def is_well(self) -> bool:
        """Whether nothing must be done."""
        return not self.remedy

    def as_record(self) -> dict[str, object]:
        """Return it as ``quorum doctor --json`` prints it."""
        return {"subject": self.subject, "is_well": self.is_well, "told": self.told, "remedy": self.remedy}


@dataclass(frozen=True)
class Patient:
    """What is looked over.

    Args:
        settings: where things are.
        environ: the process environment.
        home: the home.
        policy: the rules; None if they do not load.
        keys: the key ring; None without the key.
        catalog: the contracts.
    """

    settings: Settings
    environ: Mapping[str, str]
    home: Home
    policy: Policy | None
    keys: KeyRing | None
    catalog: Catalog


def disk(patient: Patient) -> Iterator[Looked]:
    """Compare what is left with what a week of nights like the largest of the last seven needs, twice: for scratch."""
    home = patient.home
    left = shutil.disk_usage(home.root).free
    largest = max(_night_sizes(home).values(), default=0)
    needed = max(_LEAST_BYTES, 2 * _NIGHTS_AHEAD * largest)
    told = f"{left / _GIB:.1f} GiB left, {needed / _GIB:.1f} GiB needed for {_NIGHTS_AHEAD} nights"
    yield Looked("disk", told, "" if left >= needed else "make room, or run retention: quorum retention run")


def _night_sizes(home: Home) -> dict[str, int]:
    """Return the bytes of the partitions of the last seven nights."""
    folders = [*home.warehouse.glob("*/*/date=*"), *home.vault.glob("*/date=*")]
    last = sorted({folder.name for folder in folders})[-_NIGHTS_AHEAD:]
    sizes = dict.fromkeys(last, 0)
    for folder in folders:
        if folder.name in sizes:
            sizes[folder.name] += sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return sizes


def versions(_: Patient) -> Iterator[Looked]:
    """Compare the packages that results hang on with the lock."""
    pins = {m[1].lower(): m[2] for m in _PIN.finditer((ROOT / "requirements.lock").read_text(encoding="utf-8"))}
    wrong = []
    for name in _STACK:
        try:
            there = version(name)
        except PackageNotFoundError:
            there = "missing"
        if there != pins.get(name):
            wrong.append(f"{name} {there}, locked {pins.get(name)}")
    told = "; ".join(wrong) or f"{len(_STACK)} packages that results hang on are those of the lock"
    yield Looked("versions", told, "make setup" if wrong else "")


def permissions(patient: Patient) -> Iterator[Looked]:
    """Say which folders of the home others can write."""
    home = patient.home
    open_ = [
        path.relative_to(home.root).as_posix() or "."
        for path in (home.root, home.vault, home.warehouse, home.ledger, home.out, home.keys, home.dagster)
        if path.exists() and path.stat().st_mode & 0o022
    ]
    told = f"others can write {', '.join(open_)}" if open_ else "only the owner can write the home"
    yield Looked("permissions", told, "chmod go-w, and umask 027 for the service" if open_ else "")


def lock(patient: Patient) -> Iterator[Looked]:
    """Say whether somebody holds the lock; it is the kernel's, so that one without its process does not exist."""
    held = is_locked(patient.home)
    left = not held and patient.home.tmp.exists()
    told = "a night or a command is running" if held else "free" + (", after a process that was killed" if left else "")
    yield Looked("lock", told + ("; the next night wipes its scratch space" if left else ""))


def is_locked(home: Home) -> bool:
    """Say whether a process holds the lock of a home; nothing is changed."""
    if not home.lock.exists():
        return False
    with home.lock.open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def ledger(patient: Patient) -> Iterator[Looked]:
    """Check the chain of the ledger."""
    journal = Ledger(patient.home.ledger)
    try:
        yield Looked("ledger", f"{journal.verify()} entries, each follows from the one before")
    finally:
        journal.close()


def upgrade(patient: Patient) -> Iterator[Looked]:
    """Compare the columns of every kept table's oldest and latest partitions with the contracts of this version."""
    from quorum.engine.store import Store

    if patient.keys is None:
        return
    store = Store(patient.home, patient.catalog, patient.keys)
    stale = []
    for name, table in sorted(patient.catalog.tables.items()):
        nights = [] if table.in_memory else store.nights(name)
        old = [night for night in nights if _columns(store, name, night) != set(table.arrow_schema().names)]
        if old:
            stale.append(f"{name} ({old[0]} to {old[-1]})")
    strange = sorted(
        folder.name
        for folder in [*patient.home.warehouse.glob("*/*"), *patient.home.vault.glob("*")]
        if folder.is_dir() and folder.name not in patient.catalog.tables
    )
    if stale or strange:
        told = f"made by another version: other columns in {', '.join(stale)}" if stale else "made by another version"
        more = f"; tables of no contract: {', '.join(strange)}" if strange else ""
        yield Looked(
            "upgrade",
            told + more,
            "done nights are frozen: rebuild these tables by `quorum backfill` of the landing folders into a new home "
            "with the same key, or go back to the version that made this home",
        )
    else:
        yield Looked("upgrade", "every partition has the columns of its contract")


def _columns(store: Store, name: str, night: date) -> set[str]:
    (first, *_) = store.files(name, night)
    return set(store.open_part(name, first).schema_arrow.names)


def dagster(patient: Patient) -> Iterator[Looked]:
    """Compare the settings with the checkout's, and the schema of the databases with that of the installed Dagster."""
    folder = patient.home.dagster
    if not folder.is_dir():
        yield Looked("dagster", "no run yet")
        return
    ours = folder / "dagster.yaml"
    if not ours.is_file() or ours.read_bytes() != (ROOT / "dagster.yaml").read_bytes():
        yield Looked("dagster", "its settings are not those of the checkout", "the next night, or make ui, copies them")
        return
    for path in sorted(folder.rglob("*.db")):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            if db.execute("pragma quick_check(1)").fetchall() != [("ok",)]:
                yield Looked("dagster", f"{path.name} is damaged", "delete the folder dagster/: it only shows what ran")
                return
    stale = _stale_schema(folder)
    remedy = f"DAGSTER_HOME={folder} dagster instance migrate" if stale else ""
    yield Looked("dagster", "a schema of an older version" if stale else "settings and schema are current", remedy)


def _stale_schema(folder: Path) -> bool:
    import dagster as dg

    with dg.DagsterInstance.from_config(str(folder)) as instance:
        stores = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
        versions = [store.alembic_version() for store in stores if store is not None]
    return any(found is not None and found[0] not in (None, found[1]) for found in versions)
