"""Benchmarks compare equal results only, and say what is not installed; nothing here is timed."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench import bare, limit, own, peer, peer_logs
from bench.chart import Bar, bar_chart
from bench.clock import NIGHT, Use
from bench.page import write_section
from bench.peers import Contender, Measured, Task, compete, make_microdata, section
from quorum.sample import write_sample

EVENTS = {
    "person_n": [1, 1, 2, None, 3, 3, 2],
    "event_type": ["impression", "impression", "impression", "impression", "click", "conversion", "click"],
    "campaign_id": ["a", "a", "a", "a", "a", "b", "b"],
    "value_micros": [0] * 7,
    "is_counted": [True] * 7,
}
PEOPLE = {"person_n": [1, 2, 3], "age_band": ["20s", "20s", "30s"], "gender": ["male", "female", "male"]}


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bench") / "landing"
    write_sample(out, last=NIGHT, days=1, members=300, events=3000, campaigns=6, recipients=6, ctr=0.05, seed=5)
    return out


def stored(folder: Path, name: str, columns: dict[str, Any]) -> str:
    pq.write_table(pa.table(columns), folder / name)
    return str(folder / name)


def echo(answer: object) -> list[str]:
    return [sys.executable, "-c", f"print({json.dumps(answer)!r})"]


def test_results_that_differ_are_refused() -> None:
    limit.check_equal({"a": [1, 2]}, {"a": [1, 2]})
    for planted in ({"a": [1, 3]}, {}, {"a": [1, 2], "b": [0]}):
        with pytest.raises(ValueError, match="results differ"):
            limit.check_equal({"a": [1, 2]}, planted)
    with pytest.raises(ValueError, match="0 of 0"):
        limit.check_equal({}, {})


def test_a_contender_that_counts_otherwise_ends_the_run() -> None:
    one, other = Contender("Quorum", echo({"200": 7}), json.loads), Contender("other", echo({"200": 8}), json.loads)
    with pytest.raises(ValueError, match="1 of 1 results differ"):
        compete(Task("count", (one, other)), runs=1)


def test_contenders_take_turns_and_one_that_is_missing_is_named() -> None:
    there = [Contender(name, echo({"200": 7}), json.loads) for name in ("Quorum", "other")]
    found = compete(Task("count", (*there, Contender("missing", (), json.loads))), runs=2)
    assert [len(each.uses) for each in found] == [2, 2, 0]
    assert all(use.peak > 1_000_000 and use.wall > 0 for each in found for use in each.uses)
    assert "| count | missing | not installed |" in section(found)


def test_ratios_are_of_medians() -> None:
    quorum = Measured("t", "Quorum", [Use(1, 2, 3_000_000), Use(9, 9, 3_000_000), Use(1, 2, 3_000_000)])
    assert "| t | other | 5.00 | 4.00 | 7 | 2.5 | 4.0 |" in section(
        [quorum, Measured("t", "other", [Use(4, 5, 7_000_000)])]
    )


def test_the_cube_is_that_of_pandas(tmp_path: Path) -> None:
    events, people = stored(tmp_path, "events", EVENTS), stored(tmp_path, "people", PEOPLE)
    ours = {tuple(row[:3]): row[3:] for row in own.cube(events, people) if any(row[3:])}
    assert ours["a", "ALL", "ALL"] == [4, 2, 1, 1]
    assert ours["a", "unknown", "unknown"] == [1, 0, 0, 0]
    assert ours == {tuple(row[:3]): row[3:] for row in peer.by_pandas(events, people) if any(row[3:])}
    planted = stored(tmp_path, "planted", {**EVENTS, "person_n": [1, 2, 2, None, 3, 3, 2]})
    assert ours != {tuple(row[:3]): row[3:] for row in peer.by_pandas(planted, people) if any(row[3:])}


def test_measures_are_those_of_the_definitions(tmp_path: Path) -> None:
    data = {"age_band": ["a"] * 3 + ["b"] * 2, "gender": ["x"] * 5, "prefecture": ["p"] * 5}
    microdata = stored(tmp_path, "microdata", {**data, "occupation": ["u", "u", "v", "v", "v"]})
    assert own.measures(microdata) == [[2, 1, 0.4]]


def test_microdata_are_the_same_again() -> None:
    assert make_microdata(50).equals(make_microdata(50))
    assert set(make_microdata(50).column_names) == {*peer.QUASI_IDENTIFIERS, peer.SENSITIVE}


def test_a_log_is_counted_line_by_line(landing: Path, tmp_path: Path) -> None:
    log = tmp_path / "combined.log"
    lines = peer_logs.write_combined(landing / NIGHT.isoformat(), log)
    with log.open("ab") as out:
        out.write(b"no line of a log\n")
    counts = own.count_log(str(log))
    statuses = [line.split('"')[2].split()[0] for line in log.read_text(encoding="utf-8").splitlines()[:-1]]
    assert counts.pop("failed") == 1
    assert counts == {status: statuses.count(status) for status in set(statuses)}
    assert sum(counts.values()) == lines > 500


def test_what_other_programs_say_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = {
        "general": {"failed_requests": 2},
        "status_codes": {"data": [{"items": [{"data": "404 - Not Found", "hits": {"count": 3}}]}]},
    }
    assert peer_logs.goaccess_counts(json.dumps(told)) == {"failed": 2, "404": 3}
    assert peer_logs.matomo_recorded("summary\n    12 requests imported successfully\n") == 12
    with pytest.raises(ValueError, match="no count"):
        peer_logs.matomo_recorded("something else")
    monkeypatch.delenv("MATOMO_IMPORT_LOGS", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert peer_logs.matomo_command(tmp_path / "log", 1) == peer_logs.goaccess_command(tmp_path / "log", tmp_path) == []


def test_the_bare_pass_counts_every_event(landing: Path) -> None:
    rows = bare.count(landing, NIGHT)
    ads = sum(row["event_n"] for row in rows if row["source"] == "ads")  # type: ignore[misc]
    requests = sum(row["event_n"] for row in rows if row["source"] == "access")  # type: ignore[misc]
    assert ads + requests == 3000
    assert {row["gender"] for row in rows} == {"female", "male", "unknown"}
    assert bare.count(landing, date(2026, 11, 21)) == rows


@pytest.mark.slow
def test_a_night_counts_what_the_bare_pass_counts(landing: Path, tmp_path: Path) -> None:
    from bench.landing import run_night

    stages = run_night(landing, tmp_path / "home", NIGHT)
    assert {"access", "ads", "cube__campaign_daily"} <= {stage["name"] for stage in stages}
    rows = bare.count(landing, NIGHT)
    limit.check_equal(limit.cube_counts(tmp_path / "home"), limit.bare_counts(rows))
    planted = [{**row, "event_n": row["event_n"] + 1} for row in rows]  # type: ignore[operator]
    with pytest.raises(ValueError, match="differ"):
        limit.check_equal(limit.cube_counts(tmp_path / "home"), limit.bare_counts(planted))


def test_growth_is_an_exponent_with_its_spread() -> None:
    exponent, spread = limit.growth([(10**n, 3.0 * 10 ** (1.1 * n)) for n in (6, 7, 8)])
    assert exponent == pytest.approx(1.1)
    assert spread == pytest.approx(0, abs=1e-9)
    assert limit.growth([(1, 1), (10, 20), (100, 100)])[1] > 0.05


def test_the_section_of_nights_says_whether_bounds_hold() -> None:
    def row(events: int, what: str, cpu: float, peak: float) -> limit.Row:
        use = {"wall": cpu, "cpu": cpu, "peak": int(peak * 10**9)}
        return {"events": events, "what": what, "use": use, "stages": [{"name": "ads", "rows": 1, "seconds": 1.0}]}

    rows = [row(n, what, cpu * n, 3.9) for n in (1, 10) for what, cpu in (("sample", 1), ("night", 6), ("bare", 2))]
    told = limit.section(rows)
    assert "at most 3 times the bare pass holds (3.0 in CPU, 3.0 by the clock), at most 4 GB holds (3.90)" in told
    assert "events^1.00" in told
    rows.append(row(10, "night", 100, 4.1))
    assert "4 GB **does not hold**" in limit.section(rows)


def test_a_section_of_the_page_is_replaced_and_must_be_there(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb\n", encoding="utf-8")
    write_section("x", "new\n", page)
    assert page.read_text(encoding="utf-8") == "a\n<!-- x:begin -->\nnew\n<!-- x:end -->\nb\n"
    with pytest.raises(ValueError, match="0 sections y"):
        write_section("y", "new", page)


def test_bars_are_longer_for_more_and_texts_are_escaped() -> None:
    drawn = bar_chart([Bar("g", "a<b", 1), Bar("g", "c", 10)], "t")
    widths = [float(part.split('"')[0]) for part in drawn.split('width="')[2:]]
    assert "a&lt;b" in drawn
    assert widths[0] < widths[1]
