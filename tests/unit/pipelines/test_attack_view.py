"""`quorum attack` says what was tried, what came of it and what was not reached, to a reader and to a program."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import cli
from quorum.audit.catalogue import ATTACKS

RULES = {
    "heads": {"impressions": 50},
    "outside": 10,
    "families": {"impressions": {"count": "impression_n", "heads": "people_n", "rest": None, "requires": None}},
}
CLEAN = {"ALL": 400, "20s": 200, "30s": 200}
LEAK = {"ALL": 400, "20s": 200, "30s": None}


def write(folder: Path, recipient: str, cells: Mapping[str, int | None]) -> Path:
    """Write a package of one table of impressions by age."""
    fields = [
        {"name": "campaign_id", "type": "string", "quorum:role": "dimension"},
        {"name": "age_band", "type": "string", "quorum:role": "dimension"},
        {
            "name": "impression_n",
            "type": "integer",
            "quorum:role": "measure",
            "quorum:family": "impressions",
            "quorum:additive_over": ["age_band", "period"],
        },
        {"name": "status_impressions", "type": "string", "quorum:role": "status"},
    ]
    resource = {"name": "audience", "path": "audience.csv", "quorum:universe": "ads", "schema": {"fields": fields}}
    described = {
        "name": "campaign",
        "quorum:recipient": recipient,
        "quorum:report": "campaign",
        "quorum:period": "2026-11-21",
        "quorum:rule_set": RULES,
        "resources": [resource],
    }
    rows = [f"c1,{age},{'' if n is None else n},{'withheld' if n is None else 'published'}" for age, n in cells.items()]
    folder.mkdir()
    (folder / "datapackage.json").write_text(json.dumps(described))
    (folder / "audience.csv").write_text("\n".join(("campaign_id,age_band,impression_n,status_impressions", *rows)))
    return folder


def run(*arguments: Path | str) -> Result:
    return CliRunner().invoke(cli, ["attack", *map(str, arguments)])


@pytest.fixture
def packages(tmp_path: Path) -> Sequence[Path]:
    return [
        write(tmp_path / name, recipient, cells)
        for name, recipient, cells in (("clean", "adv-01", CLEAN), ("same", "adv-02", CLEAN), ("leak", "adv-03", LEAK))
    ]


def test_a_sound_package_passes_every_attack(packages: Sequence[Path]) -> None:
    result = run(packages[0])
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "adv-01/campaign/2026-11-21"
    for attack in ATTACKS:
        assert f"passed        {attack.name} " in result.stdout
    assert result.stdout.splitlines()[-1] == "verdict: passed"


def test_a_leak_is_named_and_its_value_is_not(packages: Sequence[Path]) -> None:
    result = run(packages[2])
    assert result.exit_code == 12
    assert "failed        elimination " in result.stdout
    assert result.stdout.splitlines()[-1] == "verdict: failed"


def test_several_recipients_are_attacked_alone_and_as_if_they_colluded(packages: Sequence[Path]) -> None:
    result = run("--json", *packages[:2])
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    releases = list(dict.fromkeys(record["release"] for record in told["attacks"]))
    assert releases == [f"{name}/campaign/2026-11-21" for name in ("adv-01", "adv-02")] + [
        "adv-01/campaign/2026-11-21 and 1 more"
    ]
    assert json.loads(run("--json", *packages).stdout)["verdict"] == "failed", "one tells what another withholds"


def test_json_has_every_field_and_no_worst_case(packages: Sequence[Path]) -> None:
    told = json.loads(run("--json", packages[2]).stdout)
    [found] = [record for record in told["attacks"] if record["attack"] == "elimination"]
    assert {"release", "targets", "claims", "correct", "precision", "baseline", "advantage", "advantage_low"} <= set(
        found
    )
    assert {"advantage_high", "violations", "unreached", "measured", "seconds", "verdict"} <= set(found)
    assert "worst" not in found


def test_progress_is_for_a_terminal(packages: Sequence[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(packages[0]).stderr == ""
    monkeypatch.setattr("pipelines.attack_view._is_watched", lambda: True)
    watched = run(packages[0])
    assert "elimination on adv-01/campaign/2026-11-21" in watched.stderr
    assert watched.stderr.endswith("\x1b[2K"), "nothing is left of it"


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    assert "no package" in str(run(tmp_path).exception)
