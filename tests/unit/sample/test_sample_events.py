"""The events of a day: as many as asked for, sized by Zipf's law, two impressions a person, aimed as booked."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import zstandard

from quorum.errors import UsageError
from quorum.sample import society, write_sample
from quorum.sample.ads import CLICK, CONVERSION, IMPRESSION, NO_VALUE, AdDay, make_ad_day
from quorum.sample.audience import Audience, make_audience
from quorum.sample.catalogue import Campaign, make_campaigns, make_recipients
from quorum.sample.people import GENDER_N, UNKNOWN_AGE, make_people

LAST = date(2026, 11, 21)
EVENTS = 90_000


@pytest.fixture(scope="module")
def audience() -> Audience:
    people = make_people(20_000, 3)
    campaigns = make_campaigns(100, make_recipients(12), LAST - timedelta(days=2), LAST, 3)
    return make_audience(people, campaigns, 0.02, 3)


@pytest.fixture(scope="module")
def shown(audience: Audience) -> AdDay:
    return make_ad_day(audience, LAST, audience.people.present(3, LAST.toordinal()), EVENTS, 0.02, 3)


def lines(path: Path) -> list[str]:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if path.suffix == ".zst":
        data = zstandard.ZstdDecompressor().stream_reader(data).read()
    return data.decode().splitlines()


def write(out: Path, **changes: object) -> Path:
    arguments = {"last": LAST, "days": 2, "members": 400, "events": 3000, "campaigns": 20, "recipients": 6}
    write_sample(out, **{**arguments, "ctr": 0.05, "seed": 9, **changes})  # type: ignore[arg-type]
    return out


def digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            whole.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return whole.hexdigest()


def test_about_as_many_events_as_wanted_and_the_click_rate(shown: AdDay) -> None:
    kinds = Counter(shown.kind.tolist())
    assert abs(len(shown) - EVENTS) < EVENTS * 0.02
    assert 0.017 < kinds[CLICK] / kinds[IMPRESSION] < 0.023
    assert 0.02 < kinds[CONVERSION] / kinds[CLICK] < 0.12
    assert np.all((shown.value != NO_VALUE) == (shown.kind == CONVERSION))


def test_sizes_follow_zipf(audience: Audience, shown: AdDay) -> None:
    sizes = np.bincount(shown.campaign[shown.kind == IMPRESSION], minlength=100)
    running = [c.number for c in audience.campaigns if c.runs(LAST) and c.number % 10 != 9 and c.number < 40]
    scaled = np.array([sizes[number] * (number + 1) for number in running])
    assert scaled.max() / scaled.min() < 1.5
    assert all(sizes[c.number] == 0 for c in audience.campaigns if not c.runs(LAST))


def test_a_person_reached_sees_about_two(audience: Audience, shown: AdDay) -> None:
    seen = shown.kind == IMPRESSION
    pairs = np.unique(shown.campaign[seen].astype(np.int64) << 32 | audience.people.owner[shown.cookie[seen]])
    assert 1.9 < np.count_nonzero(seen) / len(pairs) < 2.1


def test_targeting_is_kept(audience: Audience, shown: AdDay) -> None:
    person = audience.people.owner[shown.cookie]
    age = audience.segment[person] // GENDER_N
    aimed = 0
    for campaign in audience.campaigns:
        if campaign.targets[0]:
            wanted = {society.AGE_BANDS.index(key) for key in campaign.targets[0].split(";")} | {UNKNOWN_AGE}
            rows = shown.campaign == campaign.number
            assert set(age[rows].tolist()) <= wanted
            aimed += int(np.count_nonzero(rows))
    assert aimed > 500


def test_some_groups_click_more(audience: Audience, shown: AdDay) -> None:
    largest = shown.campaign == 0
    segment = audience.segment[audience.people.owner[shown.cookie]]
    rates = []
    for each in range(UNKNOWN_AGE * GENDER_N):
        rows = largest & (segment == each)
        seen = np.count_nonzero(rows & (shown.kind == IMPRESSION))
        if seen > 300:
            rates.append(np.count_nonzero(rows & (shown.kind == CLICK)) / seen)
    assert max(rates) > 2 * min(rates)


def test_a_few_events_lie_outside_the_day(shown: AdDay) -> None:
    assert 0 < np.count_nonzero(shown.ms < 0) < len(shown) * 0.01
    assert 0 < np.count_nonzero(shown.ms >= 86_400_000) < len(shown) * 0.01
    assert np.all(np.diff(shown.ms) >= 0)


def test_everybody_in_a_certain_segment_clicks(audience: Audience) -> None:
    certain = make_audience(audience.people, list(audience.campaigns), 0.02, 3, ((0, 5),))
    events = make_ad_day(certain, LAST, audience.people.present(3, LAST.toordinal()), EVENTS, 0.02, 3)
    rows = (events.campaign == 0) & (certain.segment[audience.people.owner[events.cookie]] == 5)
    counts = Counter(events.kind[rows].tolist())
    assert counts[CLICK] == counts[IMPRESSION] > 50


def test_a_campaign_that_can_reach_few_leaves_the_rest_to_the_others() -> None:
    people = make_people(300, 3)
    campaigns = make_campaigns(5, make_recipients(5), LAST, LAST, 3)
    aimed = [replace(each, targets=("70+", "male", "", "")) if each.number == 0 else each for each in campaigns]
    present = people.present(3, LAST.toordinal())

    def size(of: list[Campaign]) -> np.ndarray:
        events = make_ad_day(make_audience(people, of, 0.0, 3), LAST, present, 600, 0.0, 3)
        return np.bincount(events.campaign, minlength=5)

    free, narrow = size(campaigns), size(aimed)
    assert narrow[0] < free[0] / 2
    assert narrow[1] > free[1]


def test_exactly_as_many_events_as_asked_for(tmp_path: Path) -> None:
    out = write(tmp_path / "a", events=5000)
    for day in sorted(out.iterdir()):
        rows = sum(pq.ParquetFile(path).metadata.num_rows for path in (day / "ads").glob("*.parquet"))
        texts = [path for path in [*(day / "ads").iterdir(), *(day / "access").iterdir()] if path.suffix != ".parquet"]
        assert rows + sum(len(lines(path)) for path in texts) == 5000


def test_same_arguments_same_bytes_another_seed_others(tmp_path: Path) -> None:
    first = digest(write(tmp_path / "a", traps=True, days=5))
    assert digest(write(tmp_path / "b", traps=True, days=5)) == first
    assert digest(write(tmp_path / "c", traps=True, days=5, seed=10)) != first


def test_json_lines_have_the_declared_fields(tmp_path: Path) -> None:
    out = write(tmp_path / "a")
    second = out / LAST.isoformat()
    required = {"event_id", "ts", "type", "campaign_id", "creative_id", "placement"}
    allowed = required | {"cookie_id", "value_micros", "ip", "user_agent"}
    for name in ("part-000.json.zst", "server.json.gz"):
        records = [json.loads(line) for line in lines(second / "ads" / name)]
        assert all(required <= set(record) <= allowed for record in records)
        assert len({record["event_id"] for record in records}) == len(records)
    assert all("cookie_id" not in record for record in records)
    assert {"ip" in record for record in records} == {True, False}
    for line in lines(second / "access" / "app.json.zst"):
        assert list(json.loads(line)) == [
            "ip",
            "time",
            "request",
            "status",
            "bytes",
            "referrer",
            "user_agent",
            "cookie",
        ]


def test_parquet_and_json_say_the_same(tmp_path: Path) -> None:
    out = write(tmp_path / "a")
    table = pq.read_table(out / (LAST - timedelta(days=1)).isoformat() / "ads" / "part-000.parquet")
    assert str(table.schema.field("ts").type) == "timestamp[ms, tz=UTC]"
    assert str(table.schema.field("cookie_id").type) == "string"
    assert table.column("event_id").to_pylist() == sorted(table.column("event_id").to_pylist())
    kinds = Counter(table.column("type").to_pylist())
    assert table.column("value_micros").null_count == len(table) - kinds["conversion"]


def test_a_program_without_a_crawler_name_asks_more_than_sixty_times_a_minute(tmp_path: Path) -> None:
    out = write(tmp_path / "a", events=20_000, members=1000)
    texts = lines(out / LAST.isoformat() / "access" / "cdn.log.gz")
    minutes = Counter(line[line.index("[") : line.index("[") + 18] for line in texts if "Chrome/109" in line)
    assert max(minutes.values()) > 60
    assert sum("Googlebot" in line for line in texts) > 5


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"days": 0}, "sample.days"),
        ({"members": 10}, "sample.members"),
        ({"events": 10}, "sample.events"),
        ({"campaigns": 0}, "sample.campaigns"),
        ({"recipients": 4}, "sample.recipients"),
        ({"ctr": 0.9}, "sample.ctr"),
        ({"traps": True}, "sample.traps"),
        ({"traps": True, "days": 5, "campaigns": 10}, "sample.traps"),
    ],
)
def test_what_cannot_be_made_is_refused(tmp_path: Path, change: dict[str, object], rule: str) -> None:
    with pytest.raises(UsageError) as refused:
        write(tmp_path / "a", **change)
    assert refused.value.rule == rule
    assert not (tmp_path / "a").exists()


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / LAST.isoformat() / "access"
    kept.mkdir(parents=True)
    (kept / "real.log").write_text("real\n")
    with pytest.raises(UsageError) as refused:
        write(tmp_path)
    assert refused.value.rule == "sample.out"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["real.log"]
