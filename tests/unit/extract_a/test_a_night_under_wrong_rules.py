"""A segment or a survey that asks for what it may not stops the night before anything is made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from extract_house import NIGHT, segment, survey

from pipelines import cli
from quorum.workspace import ROOT
from quorum.zones import Home

SEGMENT = {"x": segment({"attribute": "interests", "any": ["cars"]})}
SURVEY = {"x": survey(strata=["interests"])}


@pytest.mark.parametrize(
    ("name", "key", "added", "rule"),
    [
        ("segments.yaml", "segments", SEGMENT, "segments.attribute"),
        ("surveys.yaml", "surveys", SURVEY, "surveys.strata"),
    ],
)
def test_nothing_is_built(
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    key: str,
    added: dict[str, object],
    rule: str,
) -> None:
    folder, landing = tmp_path / "policy", tmp_path / "landing"
    shutil.copytree(ROOT / "policy", folder)
    document = yaml.safe_load((folder / name).read_text(encoding="utf-8"))
    document[key] = {**document[key], **added}
    (folder / name).write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    (landing / NIGHT.isoformat()).mkdir(parents=True)
    monkeypatch.setenv("QUORUM_MASTER_KEY", "5a" * 32)
    where = ["--home", str(home.root), "--policy", str(folder), "--landing", str(landing)]
    with pytest.raises(SystemExit) as ended:
        cli.main(["nightly", "--date", NIGHT.isoformat(), *where])
    assert ended.value.code == 13
    assert rule in "".join(capsys.readouterr())
    assert not [path for made in (home.vault, home.warehouse, home.out) if made.exists() for path in made.rglob("*")]
    with pytest.raises(SystemExit) as ended:
        cli.main(["policy", "check", "--policy", str(folder)])
    assert ended.value.code == 13
