"""All packages of a night: one that is refused holds up no other, and is brought to the door again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from quorum import making as module
from quorum.errors import ReleaseError
from quorum.workspace import ROOT, Workspace, open_workspace
from quorum.zones import Home

NIGHT = date(2026, 11, 21)


@pytest.fixture
def workspace(home: Home, tmp_path: Path) -> Iterator[Workspace]:
    """A night on which two campaigns run and nobody came; every package is owed all the same."""
    (tmp_path / "landing" / NIGHT.isoformat()).mkdir(parents=True)
    with open_workspace(home, tmp_path / "landing", ROOT / "policy", {"QUORUM_MASTER_KEY": "5a" * 32}) as workspace:
        advertisers = [{"recipient_id": f"adv-{n}", "kind": "advertiser"} for n in (1, 2)]
        booked = {"starts_on": NIGHT, "ends_on": NIGHT, "price_model": "cpm", "price_micros": 500_000}
        campaigns = [{"campaign_id": f"c{n}", "recipient_id": f"adv-{n}", **booked} for n in (1, 2)]
        write(workspace, "pseudo__recipient", advertisers)
        write(workspace, "pseudo__campaign", campaigns)
        yield workspace


def write(workspace: Workspace, table: str, given: list[dict[str, object]], night: date = NIGHT) -> None:
    schema = workspace.catalog[table].arrow_schema()
    rows = [{name: row.get(name) for name in schema.names} for row in given]
    workspace.store.write(table, night, pa.Table.from_pylist(rows, schema))


def statuses(workspace: Workspace) -> dict[str, str]:
    return {release.recipient_id: release.status for release in workspace.publish(NIGHT)}


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Control that refuses one recipient's package."""
    control = module.control

    def refuse(cube, *arguments, **named):
        if cube.shape.recipient_id == "adv-1":
            raise ReleaseError("safe.planted", "a planted refusal")
        return control(cube, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(module, "control", refuse)
        yield patched


def test_a_refused_package_holds_up_no_other_and_can_be_released_later(
    workspace: Workspace, refusing: pytest.MonkeyPatch
) -> None:
    (refused,) = workspace.make_safe(NIGHT)
    assert (refused.recipient_id, refused.status) == ("adv-1", "blocked")
    released = {release.recipient_id: release for release in workspace.publish(NIGHT)}
    assert {name: release.status for name, release in released.items()} == {
        "adv-1": "blocked",
        "adv-2": "published",
        "site": "published",
    }
    assert released["adv-1"].reasons == ("safe.planted: a planted refusal",)
    assert not (workspace.home.out / "adv-1").exists()
    assert workspace.is_done(NIGHT)
    assert not workspace.is_settled(NIGHT)

    refusing.undo()
    assert workspace.make_safe(NIGHT) == []
    assert statuses(workspace) == {"adv-1": "published", "adv-2": "unchanged", "site": "unchanged"}
    assert workspace.is_settled(NIGHT)
    assert {release.status for release in workspace.stored(NIGHT)} == {"unchanged"}


def test_what_was_safe_before_a_refusal_is_not_found_after_it(
    workspace: Workspace, refusing: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing.undo()
    workspace.make_safe(NIGHT)
    monkeypatch.setattr(
        module, "control", lambda *_, **__: (_ for _ in ()).throw(ReleaseError("safe.planted", "refused"))
    )
    assert len(workspace.make_safe(NIGHT)) == 3
    assert set(statuses(workspace).values()) == {"blocked"}
    assert workspace.store.read("safe__release", NIGHT).num_rows == 0


def test_a_release_that_was_tampered_with_is_named_and_holds_up_no_other(workspace: Workspace) -> None:
    workspace.make_safe(NIGHT)
    workspace.publish(NIGHT)
    (package,) = (workspace.home.out / "adv-2" / "campaign").iterdir()
    table = package / "audience_hour.csv"
    table.write_bytes(table.read_bytes() + b"\n")
    with pytest.raises(ReleaseError, match=r"release\.stored"):
        workspace.stored(NIGHT)
    assert statuses(workspace) == {"adv-1": "unchanged", "adv-2": "blocked", "site": "unchanged"}
    shutil.rmtree(package)
    with pytest.raises(ReleaseError, match=r"release\.gone"):
        workspace.stored(NIGHT)


def test_of_what_was_clipped_a_page_tells_the_month_before_by_the_catalogue_of_its_end(workspace: Workspace) -> None:
    first, last = date(2026, 10, 30), date(2026, 10, 31)
    for owner, night in (("adv-2", first), ("adv-1", last)):
        write(workspace, "pseudo__campaign", [{"campaign_id": "c7", "recipient_id": owner}], night)
        write(workspace, "cube__clipping", [{"campaign_id": "c7", "event_n": 100, "clipped_n": 1}], night)
    write(workspace, "cube__clipping", [{"campaign_id": "c7", "event_n": 100, "clipped_n": 100}], date(2026, 9, 30))
    write(workspace, "cube__clipping", [{"campaign_id": "c1", "event_n": 100, "clipped_n": 100}])
    workspace.make_safe(NIGHT)
    workspace.publish(NIGHT)
    pages = {
        recipient: next((workspace.home.out / recipient).glob("*/*/report.en.html")).read_text(encoding="utf-8")
        for recipient in ("adv-1", "adv-2", "site")
    }
    assert "In Oct 2026, less than 2% of the impressions" in pages["adv-1"]
    assert "once a month is over" in pages["adv-2"]
    assert "Bounds on one person" not in pages["site"]


def test_the_digest_of_a_nights_inputs_is_keyed(workspace: Workspace, tmp_path: Path) -> None:
    workspace.make_safe(NIGHT)
    workspace.publish(NIGHT)
    stored = workspace.ledger.night(NIGHT)
    assert stored is not None
    other = Home(tmp_path / "other")
    shutil.copytree(workspace.home.warehouse, other.warehouse)
    environ = {**os.environ, "QUORUM_MASTER_KEY": "5b" * 32}
    with open_workspace(other, workspace.landing, ROOT / "policy", environ) as another:
        another.publish(NIGHT)
        again = another.ledger.night(NIGHT)
    assert again is not None
    assert again[0] != stored[0]
    assert len(again[0]) == 64
