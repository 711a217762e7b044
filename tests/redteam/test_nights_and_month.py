"""Nights, weeks and a month, with erasures, moves and a change of hands between; somebody holds every package."""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
import zstandard
from outsider import Cell, Outsider, Place

from quorum.audit.record import PASSED
from quorum.audit.run import attack_folders
from quorum.policy.grants import Actor
from quorum.rights.erase import erase
from quorum.sample import write_sample
from quorum.workspace import ROOT, Workspace, open_workspace
from quorum.zones import Home, Zone

pytestmark = pytest.mark.slow

LAST = date(2026, 11, 30)
DAYS = [LAST - timedelta(days=back) for back in range(10, -1, -1)]  # from a Friday to a Monday
MOVED, MOVES_ON = "c002", DAYS[5]  # a Wednesday
ERASED_AFTER = (DAYS[2], DAYS[5], DAYS[9])
SOURCES = ("reference", "members", "logins", "ads", "requests")
FLAGS = {"impressions": "has_impression", "clicks": "has_click", "conversions": "has_conversion"}
TABLES = (
    ("creative_id", "placement"), ("age_band", "gender"), ("region", "prefecture"),
    ("occupation",), ("device",), ("hour_band",),
)  # fmt: skip


@dataclass
class Truth:
    """Who was there, noted night by night before anybody is erased."""

    people: dict[tuple[str, str, Place], set[str]] = field(default_factory=lambda: defaultdict(set))

    def note(self, workspace: Workspace, night: date) -> None:
        for row in workspace.store.read("seg__ad_contact", night).to_pylist():
            places = [
                frozenset([("campaign_id", row["campaign_id"]), *((column, row[column]) for column in columns)])
                for table in TABLES
                for n in range(len(table) + 1)
                for columns in combinations(table, n)
            ]
            for family in [family for family, flag in FLAGS.items() if row[flag]]:
                for place in places:
                    self.people[family, night.isoformat(), place].add(row["person_key"])

    def ask(self, family: str, places: Sequence[tuple[str, Place]]) -> int:
        return len(set().union(*(self.people.get((family, day, place), set()) for day, place in places)))


@dataclass(frozen=True)
class Run:
    """What the nights left."""

    folders: list[Path]
    truth: Truth

    def outsider(self) -> Outsider:
        return Outsider(self.folders)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    base = tmp_path_factory.mktemp("nights")
    write_sample(
        base / "landing", last=LAST, days=11, members=600, events=2400, campaigns=3, recipients=6, ctr=0.12, seed=30
    )
    asked = _disturb(base / "landing")
    truth = Truth()
    with open_workspace(Home(base / "home"), base / "landing", ROOT / "policy", {"QUORUM_MASTER_KEY": "30" * 32}) as w:
        officer = replace(w.desk, actor=Actor("officer", "officer"))
        tables = [t.name for t in w.catalog.order() if t.query is not None and t.zone in (Zone.SEG, Zone.CUBE)]
        for night in DAYS:
            for source in (*SOURCES, "access"):
                w.take_in(source, night)
            for table in ("pseudo__login_link", "pseudo__member", *tables):
                w.build(table, night)
            truth.note(w, night)
            _release(w, night)
            if night == DAYS[4]:
                _release(w, night)
            for request in asked.get(night, ()):
                erase(officer, request, datetime(2026, 12, 1, tzinfo=UTC))
        told = [path.parent for path in sorted(w.home.out.glob("adv-*/campaign/*/datapackage.json"))]
    return Run(told, truth)


def _release(workspace: Workspace, night: date) -> None:
    workspace.make_safe(night)
    assert not [release.reasons for release in workspace.publish(night) if release.reasons]


def _disturb(landing: Path) -> dict[date, list[str]]:
    """Let members move, age and ask to be erased, files come late, and a campaign change hands; return who asks."""
    rng = random.Random(30)
    members: dict[str, dict[str, str]] = {}
    earlier: list[str] = []
    asked: dict[date, list[str]] = {}
    for n, day in enumerate(DAYS):
        folder = landing / day.isoformat()
        for source in ("beacon", "partners", "preferences", "access", "requests"):
            shutil.rmtree(folder / source, ignore_errors=True)
        members |= {r["member_id"]: r for r in map(json.loads, _lines(folder / "members" / "members.json.zst"))}
        for source in ("ads", "members", "requests"):
            (folder / source).mkdir(exist_ok=True)
        if n:
            moved = [_moved(members[m], day, rng) for m in rng.sample(sorted(members), 60)]
            members |= {record["member_id"]: record for record in moved}
            _write(folder / "members" / "moves.json", moved)
        late = [{**json.loads(line), "event_id": f"late-{n}-{i}"} for i, line in enumerate(earlier[:40])]
        if n % 4 == 0:
            _write(folder / "ads" / "late.json", late)
        earlier = _lines(folder / "ads" / "part-000.json.zst") or earlier
        if day in ERASED_AFTER:
            asked[day] = [f"gone-{n}"]
            request = {"request_id": f"gone-{n}", "ts": f"{day}T12:00:00+09:00", "kind": "erase", "details": {}}
            _write(folder / "requests" / "gone.json", [{**request, "member_id": rng.choice(sorted(members))}])
    _change_hands(landing)
    return asked


def _moved(record: Mapping[str, str], day: date, rng: random.Random) -> dict[str, str]:
    fresh = {"postal_code": rng.choice(["1500001", "5300001", "0600001", "8100001", "9800001"])}
    fresh["birth_date"] = f"{rng.randint(1945, 2008)}-03-11"
    return {**record, **fresh, "updated_at": f"{day}T13:00:00+09:00"}


def _change_hands(landing: Path) -> None:
    """Keep advertisers and campaigns alone, and give one to the other advertiser on a Wednesday."""
    lists = sorted(landing.glob("*/reference"))
    for name in ("sections.csv", "first_party_hosts.csv"):
        for folder in lists:
            (folder / name).unlink(missing_ok=True)
    for folder in lists:
        kept = [line for line in (folder / "recipients.csv").read_text().splitlines() if "provider" not in line]
        (folder / "recipients.csv").write_text("\n".join(kept) + "\n")
        (folder / "campaigns.csv").rename(landing / "campaigns.csv")
    with (landing / "campaigns.csv").open(newline="") as lines:
        rows = [{**row, "starts_on": DAYS[0].isoformat()} for row in csv.DictReader(lines)]
    for day, fresh in ((DAYS[0], {}), (MOVES_ON, {"recipient_id": "adv-01"})):
        target = landing / day.isoformat() / "reference" / "campaigns.csv"
        target.parent.mkdir(exist_ok=True)
        with target.open("w", newline="") as lines:
            writer = csv.DictWriter(lines, list(rows[0]))
            writer.writeheader()
            writer.writerows({**row, **(fresh if row["campaign_id"] == MOVED else {})} for row in rows)


def _lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    with zstandard.open(path, "rt", encoding="utf-8") as lines:
        return lines.read().splitlines()


def _write(path: Path, records: Sequence[Mapping[str, object]]) -> None:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")


def test_all_packages_together_tell_nothing_withheld(run: Run) -> None:
    reader = run.outsider()
    assert reader.recovered() == []
    assert reader.narrowed(40) == []
    assert reader.who_is_left(run.truth.ask) == []


def test_the_nights_are_worth_attacking(run: Run) -> None:
    """Weeks, the month, both hands of a campaign and numbers beside withheld ones are there."""
    periods = {(folder.parts[-3], folder.name) for folder in run.folders}
    assert {("adv-01", "2026-11"), ("adv-01", "2026-W48")} <= periods
    assert sum(len(period) == 10 for _, period in periods) >= 16
    reader = run.outsider()
    assert len(reader.known) > 300
    told = {period for _, period, place, _ in reader.known if ("campaign_id", MOVED) in place}
    assert {DAYS[0].isoformat(), LAST.isoformat()} <= told


def test_one_more_number_would_be_found(run: Run) -> None:
    """The power check: what a published sum leaves over but for one part gives that part away."""
    reader = run.outsider()
    beside = [[c for c in parts if c in reader.hidden] for whole, parts in reader.sums if whole in reader.known]
    left = next(cells for cells in beside if len(cells) > 1)
    told: list[Cell] = left[1:]
    for cell in told:
        reader.known[cell] = 0
        del reader.hidden[cell]
    assert left[0] in reader.recovered()


def test_the_attacks_of_the_house_agree(run: Run) -> None:
    stated = json.loads((run.folders[0] / "datapackage.json").read_text())["quorum:rule_set"]
    records = attack_folders(run.folders, {"campaign": stated})
    assert {record.verdict for record in records} == {PASSED}
