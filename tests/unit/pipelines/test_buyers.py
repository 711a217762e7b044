"""The report of service providers: buyers of categories of goods by audience, heads only, each provider its own."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from quorum.release.certificate import load_public_key
from quorum.release.verify import verify_packages
from quorum.workspace import ROOT, Workspace, open_workspace
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
PROVIDERS = ("service-01", "service-02", "service-03")


@pytest.fixture
def workspace(home: Home, tmp_path: Path) -> Iterator[Workspace]:
    """Two providers with customers of their own, and one without any."""
    (tmp_path / "landing" / NIGHT.isoformat()).mkdir(parents=True)
    with open_workspace(home, tmp_path / "landing", ROOT / "policy", {"QUORUM_MASTER_KEY": "5a" * 32}) as opened:
        _rows(opened, "pseudo__recipient", *({"recipient_id": r, "kind": "service_provider"} for r in PROVIDERS))
        _rows(opened, "seg__buyer", *_buyers("service-01", 400), *_buyers("service-02", 90))
        for cube in ("cube__buyer_age_gender", "cube__buyer_area"):
            opened.engine.build(cube, NIGHT)
        yield opened


def _buyers(provider: str, people: int) -> Iterator[dict[str, object]]:
    """Buyers of books; every third buys food too, and a few somebody else's goods."""
    for n in range(people):
        person = {
            "recipient_id": provider,
            "person_key": f"m{n:05}",
            "age_band": ("20s", "30s", "40s")[n % 3],
            "gender": ("female", "male")[n % 2],
            "region": "kanto",
            "prefecture": ("tokyo", "chiba")[n % 4 == 0],
            "is_counted": True,
        }
        yield {**person, "item_category": "books"}
        if n % 3 == 0:
            yield {**person, "item_category": "food"}


def _rows(workspace: Workspace, table: str, *given: dict[str, object]) -> None:
    schema = workspace.catalog[table].arrow_schema()
    rows = [{name: row.get(name) for name in schema.names} for row in given]
    workspace.store.write(table, NIGHT, pa.Table.from_pylist(rows, schema))


def _cells(package: Path, table: str) -> dict[tuple[str, str, str], str]:
    with (package / f"{table}.csv").open(encoding="utf-8-sig", newline="") as lines:
        return {tuple(row.values())[:3]: row["buyer_n"] for row in csv.DictReader(lines)}


def test_each_provider_is_told_its_own_buyers_and_heads_alone(workspace: Workspace) -> None:
    assert workspace.make_safe(NIGHT) == []
    released = {r.recipient_id: r for r in workspace.publish(NIGHT) if r.report == "items"}
    assert {name: release.status for name, release in released.items()} == dict.fromkeys(PROVIDERS, "published")
    own = {name: workspace.home.out / name / "items" / NIGHT.isoformat() for name in PROVIDERS}
    totals = {name: _cells(path, "buyers_age_gender")["books", "ALL", "ALL"] for name, path in own.items()}
    assert totals == {"service-01": "400", "service-02": "90", "service-03": ""}
    first = _cells(own["service-01"], "buyers_age_gender")
    assert first["books", "30s", "ALL"] == "133"
    assert first["food", "ALL", "ALL"] == "134"
    assert all(value == "" or int(value) >= 50 for value in first.values())
    assert released["service-03"].published_cells == 0
    with (own["service-01"] / "buyers_area.csv").open(encoding="utf-8-sig") as lines:
        assert next(lines).strip() == "item_category,region,prefecture,buyer_n,status_buyers"


def test_the_packages_verify_and_say_that_people_do_not_add_up_over_days(workspace: Workspace) -> None:
    workspace.make_safe(NIGHT)
    workspace.publish(NIGHT)
    packages = [workspace.home.out / name / "items" / NIGHT.isoformat() for name in PROVIDERS]
    key = load_public_key(workspace.home.keys / "signing.pub")
    assert all(verdict.is_valid for verdict in verify_packages(packages, key))
    descriptor = json.loads((packages[0] / "datapackage.json").read_text(encoding="utf-8"))
    for resource in descriptor["resources"]:
        (measure,) = [f for f in resource["schema"]["fields"] if f.get("quorum:role") == "measure"]
        assert measure["name"] == "buyer_n"
        assert "period" not in measure["quorum:additive_over"]
    for language, name in (("ja", "書籍・雑誌"), ("en", "books and magazines")):
        page = (packages[0] / f"report.{language}.html").read_text(encoding="utf-8")
        assert name in page
        assert "m00001" not in page
