"""A new recipient or a new report is data: reference data, and `reports.yaml`; no code knows either by name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from quorum.errors import ConfigurationError
from quorum.policy import load_policy
from quorum.release.certificate import load_public_key
from quorum.release.verify import verify_packages
from quorum.workspace import ROOT, Workspace, open_workspace
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
NEW = {
    "hours": {
        "name_ja": "時間帯レポート",
        "name_en": "Hours report",
        "recipient_kinds": ["information_provider"],
        "rule_set": "standard",
        "periods": ["day"],
        "universe": "views",
        "key": "section_id",
        "families": ["views"],
        "tables": {"section_hour": {"cube": "cube__section_hour", "dimensions": ["hour_band"]}},
    },
    "occupations": {
        "name_ja": "職業レポート",
        "name_en": "Occupations report",
        "recipient_kinds": ["advertiser"],
        "rule_set": "standard",
        "periods": ["day"],
        "universe": "ads",
        "key": "campaign_id",
        "families": ["impressions", "clicks"],
        "tables": {"audience_occupation": {"cube": "cube__audience_occupation", "dimensions": ["occupation"]}},
    },
}


@pytest.fixture
def workspace(home: Home, tmp_path: Path) -> Iterator[Workspace]:
    """A night under a policy with reports of its own, for recipients that nobody has heard of before."""
    folder = Path(shutil.copytree(ROOT / "policy", tmp_path / "policy"))
    document = yaml.safe_load((folder / "reports.yaml").read_text(encoding="utf-8"))
    document["reports"] = NEW
    (folder / "reports.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    (tmp_path / "landing" / NIGHT.isoformat()).mkdir(parents=True)
    with open_workspace(home, tmp_path / "landing", folder, {"QUORUM_MASTER_KEY": "5a" * 32}) as opened:
        _write(opened, "pseudo__recipient", ("new-adv", "advertiser"), ("new-info", "information_provider"))
        _rows(opened, "pseudo__section", {"path_prefix": "/tenki/", "section_id": "tenki", "recipient_id": "new-info"})
        booked = {"starts_on": NIGHT, "ends_on": NIGHT, "price_model": "cpm", "price_micros": 500_000}
        _rows(opened, "pseudo__campaign", {"campaign_id": "c1", "recipient_id": "new-adv", **booked})
        hours = [("ALL", 900, 300), *((band.key, 0, 0) for band in opened.policy.categories["hour_bands"])]
        hours = [
            (key, *((600, 200) if key == "12-14" else (300, 100) if key == "09-11" else rest)) for key, *rest in hours
        ]
        _rows(
            opened,
            "cube__section_hour",
            *(
                {"section_id": "tenki", "hour_band": k, "view_n": n, "viewer_n": p, "viewer_counted_n": p}
                for k, n, p in hours
            ),
        )
        yield opened


def _write(workspace: Workspace, table: str, *recipients: tuple[str, str]) -> None:
    _rows(workspace, table, *({"recipient_id": name, "kind": kind} for name, kind in recipients))


def _rows(workspace: Workspace, table: str, *given: dict[str, object]) -> None:
    schema = workspace.catalog[table].arrow_schema()
    rows = [{name: row.get(name) for name in schema.names} for row in given]
    workspace.store.write(table, NIGHT, pa.Table.from_pylist(rows, schema))


def test_a_new_report_and_a_new_recipient_need_no_code(workspace: Workspace) -> None:
    assert workspace.make_safe(NIGHT) == []
    released = {(each.recipient_id, each.report): each for each in workspace.publish(NIGHT)}
    assert {key: each.status for key, each in released.items() if key[1] in NEW} == {
        ("new-adv", "occupations"): "published",
        ("new-info", "hours"): "published",
    }
    package = workspace.home.out / "new-info" / "hours" / NIGHT.isoformat()
    assert released["new-info", "hours"].published_cells > 0
    (verdict,) = verify_packages([package], load_public_key(workspace.home.keys / "signing.pub"))
    assert verdict.is_valid
    descriptor = json.loads((package / "datapackage.json").read_text(encoding="utf-8"))
    assert (descriptor["quorum:recipient"], descriptor["quorum:report"]) == ("new-info", "hours")
    assert "Hours report" in (package / "report.en.html").read_text(encoding="utf-8")
    assert "時間帯レポート" in (package / "report.ja.html").read_text(encoding="utf-8")
    total = (package / "section_hour.csv").read_text(encoding="utf-8-sig").splitlines()[1]
    assert total.startswith("tenki,ALL,900")


def test_two_reports_that_tell_the_same_recipients_of_the_same_events_are_refused(tmp_path: Path) -> None:
    """What one withholds the other could tell: they would have to be decided together, as tables of one report are."""
    folder = Path(shutil.copytree(ROOT / "policy", tmp_path / "policy"))
    document = yaml.safe_load((folder / "reports.yaml").read_text(encoding="utf-8"))
    for name, report in NEW.items():
        both = {**document, "reports": {**document["reports"], name: report}}
        (folder / "reports.yaml").write_text(yaml.safe_dump(both, allow_unicode=True), encoding="utf-8")
        with pytest.raises(ConfigurationError) as refused:
            load_policy(folder)
        assert refused.value.rule == "policy.overlap"
