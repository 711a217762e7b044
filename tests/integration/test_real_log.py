"""The real access log of `shared/`, landed by UTC day, through whole nights to a section report."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

QUORUM = str(Path(sys.executable).with_name("quorum"))
FIRST, LAST = date(2015, 5, 17), date(2015, 5, 21)  # four UTC dates are five in Asia/Tokyo
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_MONTHS = {"May": 5}
SECTIONS = """path_prefix,section_id,recipient_id,name_ja,name_en
/blog,blog,site,ブログ,Blog
/presentations,presentations,site,発表資料,Presentations
/projects,projects,site,プロジェクト,Projects
/files,files,site,ファイル,Files
/articles,articles,site,記事,Articles
/images,images,site,画像,Images
/,top,site,トップ,Front page
"""


def _land(log: Path, landing: Path) -> list[str]:
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    by_day: dict[str, list[str]] = {}
    for line in lines:
        day, month, year = re.search(r"\[(\d\d)/(\w{3})/(\d{4})", line).groups()  # type: ignore[union-attr]
        by_day.setdefault(f"{year}-{_MONTHS[month]:02d}-{day}", []).append(line)
    for day, of_day in by_day.items():
        folder = landing / day / "access"
        folder.mkdir(parents=True)
        (folder / "semicomplete.log").write_text("".join(of_day), encoding="utf-8")
    reference = landing / FIRST.isoformat() / "reference"
    reference.mkdir()
    (reference / "sections.csv").write_text(SECTIONS, encoding="utf-8")
    return lines


def _night(landing: Path, home: Path, night: date) -> dict[str, object]:
    done = subprocess.run(
        [QUORUM, "nightly", "--date", night.isoformat(), "--landing", str(landing), "--home", str(home), "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "QUORUM_MASTER_KEY": "11" * 32},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result: dict[str, object] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> tuple[Path, list[str], list[dict[str, object]]]:
    base = tmp_path_factory.mktemp("real")
    lines = _land(shared / "data" / "access" / "semicomplete_2015.log", base / "landing")
    count = (LAST - FIRST).days + 1
    results = [_night(base / "landing", base / "home", FIRST + timedelta(days=n)) for n in range(count)]
    return base / "home", lines, results


@pytest.mark.slow
def test_all_but_one_of_ten_thousand_lines_load(nights: tuple[Path, list[str], list[dict[str, object]]]) -> None:
    rows = [row for result in nights[2] for row in result["accounting"] if row["source"] == "access"]  # type: ignore[attr-defined]
    assert sum(row["read"] for row in rows) == 10_000
    assert sum(row["loaded"] for row in rows) == 9_999
    assert sum(row["duplicate"] for row in rows) == 0
    reasons: Counter[str] = Counter()
    for row in rows:
        reasons.update(row["quarantined"])
    assert sum(reasons.values()) == 1
    assert sum(row["waiting"] for row in rows) > 0


@pytest.mark.slow
def test_every_loaded_line_counts_in_exactly_one_night(nights: tuple[Path, list[str], list[dict[str, object]]]) -> None:
    home = nights[0]
    table = home / "warehouse" / "pseudo" / "pseudo__access"
    assert sum(pq.read_metadata(path).num_rows for path in table.rglob("*.parquet")) == 9_999
    for path in table.rglob("*.parquet"):
        dates = set(pq.read_table(path)["access_date"].to_pylist())
        assert {d.isoformat() for d in dates} == {path.parent.name.removeprefix("date=")}


def _texts(path: Path) -> str:
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        columns = [c for c in table.columns if str(c.type) in {"string", "large_string", "binary"}]
        return "\n".join(str(value) for column in columns for value in column.unique().to_pylist())
    return path.read_bytes().decode("utf-8", errors="replace")


@pytest.mark.clause("C-07")
@pytest.mark.slow
def test_no_email_address_of_the_log_is_outside_the_vault(
    nights: tuple[Path, list[str], list[dict[str, object]]],
) -> None:
    home, lines, _ = nights
    assert sum(bool(_EMAIL.search(line)) for line in lines) >= 190
    emails = {found.lower() for line in lines for found in _EMAIL.findall(line) if not found.startswith("-")}
    inside = home / "vault"
    searched = 0
    for path in home.rglob("*"):
        if path.is_file() and inside not in path.parents:
            searched += 1
            text = _texts(path).lower()
            assert not [email for email in emails if email in text], path.relative_to(home)
    assert searched > 50


@pytest.mark.clause("C-07")
@pytest.mark.slow
def test_no_address_of_the_log_is_outside_the_vault(nights: tuple[Path, list[str], list[dict[str, object]]]) -> None:
    home, lines, _ = nights
    addresses = {line.split(" ", 1)[0] for line in lines}
    for path in (home / "warehouse").rglob("*.parquet"):
        found = set(re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b(?!/24)", _texts(path)))
        assert not found & addresses, path.relative_to(home)


@pytest.mark.slow
def test_the_site_receives_a_section_report_that_says_something(
    nights: tuple[Path, list[str], list[dict[str, object]]],
) -> None:
    releases = [r for result in nights[2] for r in result["releases"]]  # type: ignore[attr-defined]
    assert {r["status"] for r in releases} == {"published"}
    full_day = next(r for r in releases if r["period"] == "2015-05-19")
    assert full_day["recipient_id"] == "site"
    assert full_day["published_cells"] > 20
    folder = Path(full_day["path"])
    assert {"report.ja.html", "report.en.html", "datapackage.json", "certificate.json", "certificate.sig"} <= {
        path.name for path in folder.iterdir()
    }
