"""The nightly job on a workspace that does nothing: order, checks, failures, and what Dagster keeps of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from assets.suites import load_suites
from pipelines import outcome
from pipelines.definitions import draw
from pipelines.instance import prepare_dagster_home, spare_the_disk
from pipelines.jobs import NIGHTLY
from pipelines.progress import LOGGER, NightProgress, listening
from pipelines.resources import workspace_resource
from pipelines.settings import resolve
from quorum.errors import InputError
from quorum.intake.accounting import Accounting
from quorum.release.gate import Release
from quorum.release.shares import Share
from quorum.tables import Catalog
from quorum.workspace import night_lock
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
CANARY = "hanako.canary@example.jp"


class Idle:
    """Stands in for a workspace: every table has one sound row, nothing is done."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.done: list[str] = []
        self.fails: dict[str, Exception] = {}
        self.counts: dict[tuple[str, str], int] = {}
        self.statuses: list[str] = ["published", "unchanged"]

    def _do(self, name: str) -> None:
        if name in self.fails:
            raise self.fails[name]
        self.done.append(name)

    def take_in(self, source: str, night: date) -> list[Accounting]:
        self._do(source)
        return [Accounting(source, f"{source}/a.log", read=3, loaded=2, quarantined={"bad_time": 1})]

    def build(self, table: str, night: date) -> None:
        self._do(table)

    def refused(self, table: str, night: date) -> Mapping[str, int]:
        return {}

    def make_safe(self, night: date) -> list[object]:
        self._do("safe")
        return []

    def withheld_shares(self, night: date) -> list[Share]:
        return [Share("campaign", "day", "audience_area", "clicks", 1, 3)]

    def plans(self, night: date) -> list[Mapping[str, object]]:
        booked = {"impressions": 1200}
        levels = {"audience_area": {"impressions": 2}}
        return [
            {"key": "c1", "recipient_id": "a", "month": "2026-11", "periods": {"impressions": "day"}}
            | {"levels": levels, "booked": booked}
        ]

    def publish(self, night: date) -> list[Release]:
        self._do("out")
        return [
            Release(
                f"r{n}", "campaign", "2026-11-21", status, None, 2, 1, ("elimination failed",) * (status == "blocked")
            )
            for n, status in enumerate(self.statuses)
        ]

    def profile(self, table: str, night: date, metrics: Sequence[str]) -> Mapping[str, int]:
        sound = {
            "row_n": 1,
            "previous_permille": 1000,
            "weekday_permille": 1000,
            "share_permille(event_type, impression)": 900,
        }
        return {metric: self.counts.get((table, metric), sound.get(metric, 0)) for metric in metrics}


@pytest.fixture
def workspace(home: Home) -> Idle:
    return Idle(home)


@pytest.fixture(scope="module")
def dagster_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_dagster_home(tmp_path_factory.mktemp("home") / "dagster")


@pytest.fixture(scope="module")
def instance(dagster_home: Path) -> Iterator[dg.DagsterInstance]:
    spare_the_disk()
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        yield instance


@pytest.fixture
def run(workspace: Idle, instance: dg.DagsterInstance) -> Callable[..., list[dg.DagsterEvent]]:
    def execute(*tables: str) -> list[dg.DagsterEvent]:
        job = draw(workspace, [NIGHT], {LOGGER: listening(NightProgress(None))}).resolve_job_def(NIGHTLY)
        result = job.execute_in_process(
            instance=instance,
            partition_key=NIGHT.isoformat(),
            raise_on_error=False,
            run_config={"loggers": {LOGGER: {"config": {}}}},
            asset_selection=[dg.AssetKey(table) for table in tables] or None,
        )
        return list(result.all_events)

    return execute


def kept(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_every_kept_table_is_an_asset_made_once_and_after_what_it_reads(
    workspace: Idle, run: Callable[..., list[dg.DagsterEvent]], catalog: Catalog, root: Path
) -> None:
    events = run()
    assert outcome.errors(events) == []
    made = [e.materialization.asset_key.to_user_string() for e in events if e.is_step_materialization]
    suites = load_suites(root / "expectations", catalog)
    tables = {name for name, table in catalog.tables.items() if not (table.in_memory or table.on_request)}
    assert sorted(made) == sorted({*tables, "out__package"})
    for position, name in enumerate(made[:-1]):
        reads = {r.table for r in catalog[name].reads if r.window != "previous" and r.table in tables}
        reads |= set(suites[name].compared_with)
        assert reads <= set(made[: position + 1]), name
    assert made[-1] == "out__package"
    assert len(workspace.done) == len(set(workspace.done)) < len(tables)


def test_stages_tell_steps_with_their_rows(run: Callable[..., list[dg.DagsterEvent]]) -> None:
    stages = outcome.stages(
        run(
            "pseudo__campaign",
            "pseudo__creative",
            "pseudo__first_party_host",
            "pseudo__recipient",
            "pseudo__section",
            "seg__event",
        )
    )
    assert [(stage["name"], stage["rows"]) for stage in stages] == [("reference", 5), ("seg__event", 1)]


def test_the_plans_that_a_night_fixed_are_shown(run: Callable[..., list[dg.DagsterEvent]]) -> None:
    made = [event.materialization for event in run() if event.event_type_value == "ASSET_MATERIALIZATION"]
    (release,) = (one for one in made if one.asset_key.to_user_string() == "safe__release")
    assert release.metadata["plan_n"].value == 1
    assert "| c1 | a | 2026-11 | 1,200 | day: audience_area 2 |" in str(release.metadata["plans"].value)


def test_metadata_carries_counts_only(run: Callable[..., list[dg.DagsterEvent]]) -> None:
    (event,) = [e for e in run("vault__login") if e.is_step_materialization]
    metadata = {key: value.value for key, value in event.materialization.metadata.items()}
    assert metadata["read_n"] == 3
    assert metadata["quarantined_n"] == {"bad_time": 1}
    assert metadata["dagster/partition_row_count"] == 1
    assert metadata["people_n"] == 0
    assert metadata["data_docs"].endswith(f"docs/data_docs/{NIGHT}.html#vault__login")
    assert metadata["night_page"].endswith(f"docs/night/{NIGHT}.html")


def test_what_is_withheld_is_drawn_for_analysts(run: Callable[..., list[dg.DagsterEvent]]) -> None:
    made = {e.materialization.asset_key.to_user_string(): e for e in run() if e.is_step_materialization}
    chart = str(made["safe__audience_area"].materialization.metadata["withheld"].value)
    assert "| campaign | day | audience_area | clicks | 4 | 75.0 % | ███████████████░░░░░ |" in chart
    packages = str(made["out__package"].materialization.metadata["packages"].value)
    assert "| r0 | campaign | 2026-11-21 | published |" in packages


def test_an_exception_is_told_by_type_and_place_and_its_text_is_kept_nowhere(
    workspace: Idle, run: Callable[..., list[dg.DagsterEvent]], dagster_home: Path
) -> None:
    try:
        raise KeyError(CANARY)
    except KeyError as cause:
        workspace.fails["seg__event"] = ValueError(f"cannot parse {CANARY}")
        workspace.fails["seg__event"].__cause__ = cause
    (error,) = outcome.errors(run("seg__event", "seg__person_day"))
    assert (error["code"], error["rule"]) == (1, "bug")
    assert str(error["message"]).startswith("seg__event: ValueError at tests/unit/pipelines/test_job.py:")
    assert "seg__person_day" not in workspace.done
    content = kept(dagster_home)
    assert b"ValueError" in content
    assert CANARY.encode() not in content


def test_our_own_errors_keep_their_rule_and_code(workspace: Idle, run: Callable[..., list[dg.DagsterEvent]]) -> None:
    workspace.fails["logins"] = InputError("landing.required", "night without logins")
    (error,) = outcome.errors(run("vault__login"))
    assert error == {
        "code": 11,
        "rule": "landing.required",
        "message": "logins: landing.required: night without logins",
    }


@pytest.mark.parametrize(("table", "code"), [("pseudo__login", 11), ("seg__traffic", 12)])
def test_a_blocking_expectation_stops_what_is_downstream(
    workspace: Idle, run: Callable[..., list[dg.DagsterEvent]], table: str, code: int
) -> None:
    metric = {
        "pseudo__login": "null_n(cookie_key, member_key, login_at, login_date)",
        "seg__traffic": "below_n(request_n, 1)",
    }
    workspace.counts[table, metric[table]] = 7
    (error,) = outcome.errors(run(table, "out__package"))
    assert (error["code"], error["rule"]) == (code, f"expectations.{table}")
    assert metric[table] in str(error["message"])
    assert workspace.done == [table]


def test_a_warning_is_shown_and_stops_nothing(workspace: Idle, run: Callable[..., list[dg.DagsterEvent]]) -> None:
    workspace.counts["pseudo__login", "previous_permille"] = 3
    events = run("pseudo__login", "pseudo__login_link")
    failed = [e.asset_check_evaluation_data for e in events if e.event_type_value == "ASSET_CHECK_EVALUATION"]
    (warning,) = [check for check in failed if not check.passed]
    assert (warning.check_name, warning.severity) == ("expectations", dg.AssetCheckSeverity.WARN)
    assert outcome.errors(events) == []
    assert workspace.done == ["pseudo__login", "pseudo__login_link"]


def test_a_blocked_release_fails_its_check_and_not_the_run(
    workspace: Idle, run: Callable[..., list[dg.DagsterEvent]]
) -> None:
    workspace.statuses = ["published", "blocked"]
    events = run("out__package")
    (check,) = [e.asset_check_evaluation_data for e in events if e.event_type_value == "ASSET_CHECK_EVALUATION"]
    assert not check.passed
    assert not [e for e in events if e.event_type_value == "STEP_FAILURE"]
    assert [release["status"] for release in outcome.releases(events)] == ["published", "blocked"]
    (error,) = outcome.errors(events)
    assert (error["code"], error["rule"]) == (12, "release.blocked")
    assert "campaign 2026-11-21 of r1 is blocked: elimination failed" in str(error["message"])


def test_nothing_is_pickled_and_nothing_printed_is_kept(
    run: Callable[..., list[dg.DagsterEvent]], dagster_home: Path
) -> None:
    run("vault__login", "pseudo__login")
    assert not [path for path in dagster_home.rglob("*") if path.is_file() and path.suffix not in {".db", ".yaml"}]


def test_a_run_that_may_not_begin_tells_why_and_never_counts_as_done(
    instance: dg.DagsterInstance, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORUM_MASTER_KEY", "5a" * 32)
    where = resolve({}, home=str(home.root), landing=str(tmp_path / "landing"))
    job = draw(workspace_resource(where), [NIGHT]).resolve_job_def(NIGHTLY)
    with night_lock(home):
        result = job.execute_in_process(instance=instance, partition_key=NIGHT.isoformat(), raise_on_error=False)
    told = [
        e.event_specific_data.error.message for e in result.all_events if e.event_type_value == "RESOURCE_INIT_FAILURE"
    ]
    assert ["night.lock: a second night in the same home" in message for message in told] == [True]
    assert [error["code"] for error in outcome.errors(result.all_events)] == [1]


def test_a_run_of_dagsters_own_is_on_the_engine_that_the_environment_names(
    instance: dg.DagsterInstance, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORUM_MASTER_KEY", "5a" * 32)
    monkeypatch.setenv("QUORUM_SPARK_PYTHON", str(tmp_path / "nowhere"))
    where = resolve({"QUORUM_ENGINE": "spark"}, home=str(home.root), landing=str(tmp_path / "landing"))
    job = draw(workspace_resource(where), [NIGHT]).resolve_job_def(NIGHTLY)
    result = job.execute_in_process(instance=instance, partition_key=NIGHT.isoformat(), raise_on_error=False)
    told = [
        e.event_specific_data.error.message for e in result.all_events if e.event_type_value == "RESOURCE_INIT_FAILURE"
    ]
    assert ["make spark-setup" in message for message in told] == [True]
