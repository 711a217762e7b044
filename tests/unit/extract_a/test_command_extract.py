"""``quorum extract`` as it is typed: exit codes, one JSON object, counts only."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from extract_house import MEMBER, NIGHT, VIEW, open_house

from pipelines import cli
from quorum.extract.build import batch_tables, build
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.zones import Home

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(done: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("QUORUM_HOME", str(done.root))
    monkeypatch.setenv("QUORUM_MASTER_KEY", bytes(range(32)).hex())

    def typed(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        return int(str(ended.value.code)), told.out, told.err

    return typed


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, policy: Policy) -> Home:
    """A home with one done night: 120 students who saw the campaign of the product's own effect survey, or did not."""
    home = Home(tmp_path_factory.mktemp("home"))
    with open_house(home, catalog, policy) as house:
        keys = [f"m{n:04}" for n in range(120)]
        house.rows("seg__member", [{**MEMBER, "person_key": key, "occupation": "student"} for key in keys])
        seen = [{**VIEW, "person_key": key, "campaign_id": "c001" if n < 60 else None} for n, key in enumerate(keys)]
        house.rows("seg__person_view", [{**row, "last_viewed_on": NIGHT} for row in seen])
        for purpose in ("P-01", "P-02", "P-03"):
            for table in batch_tables(catalog, purpose):
                build(house.desk, table, NIGHT)
        house.finish()
    return home


def test_what_is_served_is_one_object_of_counts(run: Run) -> None:
    code, out, _ = run("extract", "P-01", "--json")
    assert code == 0
    record = json.loads(out)
    assert list(record) == ["purpose", "night", "tables", "files"]
    assert record["tables"]["p01__segment_assignment"] == {"rows": 120, "refused": {}}
    assert set(record["tables"]["p01__segment"]["refused"]) == {"segment_too_small"}
    assert "m00" not in out


def test_a_table_for_people(run: Run) -> None:
    code, out, _ = run("extract", "P-02", "--date", NIGHT)
    assert code == 0
    assert "p02__survey_sample" in out
    assert "No file was written" in out
    assert "m00" not in out


def test_p03_tells_how_many_packages_are_published_and_keeps_its_sample(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("extract", "P-03", "--json")
    record = json.loads(out)
    assert (code, record["published_packages"]) == (0, 0)
    assert record["tables"]["p03__effect_sample"]["rows"] == 50
    for purpose in ("P-02", "P-03"):
        code, out, err = run("extract", purpose, "--out", tmp_path / "out")
        assert (code, out) == (13, "")
        assert "extract.inside" in err
        assert not (tmp_path / "out").exists()


def test_files_are_written_where_they_are_asked_for(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("extract", "P-01", "--out", tmp_path / "out", "--json")
    assert code == 0
    assert [Path(path).name for path in json.loads(out)["files"]] == ["p01__segment_assignment.csv", "p01__segment.csv"]
    assert run("extract", "P-01", "--out", tmp_path / "out")[0] == 2


def test_a_role_without_the_purpose_is_refused(run: Run) -> None:
    code, out, err = run("extract", "P-01", "--role", "billing")
    assert (code, out) == (13, "")
    assert "roles.purpose" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("P-12",),
        ("p-01",),
        ("P-01", "--subject", "m1"),
        ("P-01", "--case", "c1"),
        ("P-04", "--subject", "m1"),
        ("P-04", "--request", "r1"),
        ("P-06",),
        ("P-11", "--date", "2026-11-21"),
    ],
)
def test_called_wrongly(run: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = run("extract", *arguments)
    assert (code, out) == (2, "")
    if arguments[0] == "P-12":
        assert "P-01, P-02" in err


def test_a_night_that_is_not_done_is_told_with_the_latest(run: Run) -> None:
    code, _, err = run("extract", "P-01", "--date", "2026-11-22")
    assert code == 10
    assert "2026-11-21" in err


def test_a_home_that_is_not_there(run: Run, tmp_path: Path) -> None:
    code, _, err = run("extract", "P-01", "--home", tmp_path / "none")
    assert code == 10
    assert "run a night first" in err
