"""What of a home's done nights is there: packages with their tables in ``out/``, partitions in the warehouse.

What belongs here: comparing what was owed with what lies there. What does not: judging a night before its release
(`quorum.holds`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

from quorum.completeness import PARTITION, Gap, Owed, find_gaps, passed_over
from quorum.packages import Packages
from quorum.release.shapes import REFERENCES
from quorum.rights.retention import limits_of

_SUFFIXES = (".csv", ".parquet")
Key = tuple[str, str, str]


def gaps_of_home(packages: Packages, nights: Iterable[date] | None = None) -> list[Gap]:
    """Return what done nights owe and is not there, and the nights that were passed over.

    Day packages are expected from the reference data and the policy of their night; those of weeks and months, and
    nights under an earlier policy, from what the ledger says was released.

    Args:
        packages: store, policy, ledger.
        nights: look at these only; all done nights if None.
    """
    done = packages.ledger.nights()
    looked_at = done if nights is None else [night for night in nights if night in set(done)]
    released = _released(packages)
    lying = {key: _tables(packages.store.home.out.joinpath(*key)) for key in released}
    listed = {key: tables[0] for key, tables in lying.items() if tables is not None}
    there = {key: tables[1] for key, tables in lying.items() if tables is not None}
    owed = _owed(packages, looked_at, released, listed)
    refused = {_key(entry.body) for entry in packages.ledger.entries("blocked")} - set(released)
    over = passed_over(done) if nights is None else []
    return [*over, *find_gaps(owed, there, refused), *_partitions(packages, looked_at)]


def _owed(
    packages: Packages, nights: list[date], released: Mapping[Key, date], listed: Mapping[Key, frozenset[str]]
) -> dict[date, list[Owed]]:
    removed = _removed(packages)
    owed: dict[date, dict[Key, Owed]] = {night: {} for night in nights}
    for night in nights:
        done = packages.ledger.night(night)
        has_references = all(packages.store.files(name, night) for name in REFERENCES)
        if done is not None and done[1].get("policy", {}).get("digest") == packages.policy.digest and has_references:
            for shape in packages.calendar.day_shapes(night):
                key = (shape.recipient_id, shape.report, shape.period)
                owed[night][key] = Owed(*key, frozenset(table.name for table in shape.tables))
    for key, night in released.items():
        if night in owed:
            shaped = owed[night].get(key, Owed(*key)).tables
            owed[night][key] = Owed(*key, shaped | listed.get(key, frozenset()))
    return {n: [one for key, one in of.items() if "/".join(key) not in removed] for n, of in owed.items()}


def _released(packages: Packages) -> dict[Key, date]:
    entries = packages.ledger.entries("release")
    return {_key(entry.body): date.fromisoformat(entry.body["night"]) for entry in entries}


def _removed(packages: Packages) -> set[str]:
    return {package for entry in packages.ledger.entries("retention") for package in entry.body["packages"]}


def _key(body: object) -> Key:
    found = dict(body)  # type: ignore[call-overload]
    return str(found["recipient_id"]), str(found["report"]), str(found["period"])


def _tables(folder: Path) -> tuple[frozenset[str], frozenset[str]] | None:
    """Return the tables that a package's certificate lists, and those whose files are there; None without a package."""
    try:
        files = {Path(name) for name in json.loads((folder / "certificate.json").read_text(encoding="utf-8"))["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    lost = {name for name in files if not (folder / name).is_file()}
    if any(name.suffix not in _SUFFIXES for name in lost) or not (folder / "certificate.sig").is_file():
        return None
    listed = frozenset(name.stem for name in files if name.suffix in _SUFFIXES)
    return listed, listed - {name.stem for name in lost}


def _partitions(packages: Packages, nights: list[date]) -> list[Gap]:
    """Return the partitions that a statement made on a done night, are not older than their days, and are gone."""
    done = packages.ledger.nights()
    catalog, found = packages.store.catalog, []
    for name, days in limits_of(packages.policy, catalog.tables).items():
        table = catalog[name]
        if table.query is None or table.on_request:
            continue
        there = set(packages.store.nights(name))
        made = [night for night in nights if night not in there and night > done[-1] - timedelta(days=days)]
        found += [Gap(night, PARTITION, table=name) for night in made if any(other < night for other in there)]
    return sorted(found)
