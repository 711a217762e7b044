"""What a night did, as ``quorum nightly --json`` prints it; read from Dagster's events and from the ledger.

What belongs here: the one object and how it comes about. What does not: running a night (`pipelines.run`), tables for
people (`pipelines.summary`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from quorum.errors import EXIT_BUG, EXIT_INPUT, EXIT_RELEASE, worst
from quorum.redaction import Told
from quorum.zones import Zone, zone_of

if TYPE_CHECKING:
    import dagster as dg

ROWS = "dagster/partition_row_count"
RELEASES = "releases"


@dataclass(frozen=True)
class Outcome:
    """What a night did.

    Args:
        date: the night; None if the command failed before it knew.
        engine: e.g. ``duckdb``.
        seconds: how long it took.
        stages: ``{name, seconds, rows}`` of each step that ended well, in order.
        accounting: what became of each landed file.
        releases: what became of each release.
        errors: ``{code, rule, message}``.
    """

    date: date | None
    engine: str
    seconds: float
    stages: Sequence[Mapping[str, Any]] = ()
    accounting: Sequence[Mapping[str, Any]] = ()
    releases: Sequence[Mapping[str, Any]] = ()
    errors: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    @property
    def exit_code(self) -> int:
        """The exit code that wins."""
        return worst([int(error["code"]) for error in self.errors])

    def as_record(self) -> dict[str, object]:
        """Return the object that ``--json`` prints."""
        return {
            "date": None if self.date is None else self.date.isoformat(),
            "engine": self.engine,
            "exit_code": self.exit_code,
            "seconds": round(self.seconds, 3),
            "stages": list(self.stages),
            "accounting": list(self.accounting),
            "releases": list(self.releases),
            "errors": list(self.errors),
        }


def failed(night: date | None, engine: str, told: Told) -> Outcome:
    """Return the outcome of a night that could not begin."""
    return Outcome(night, engine, 0.0, errors=(told.as_record(),))


def stages(events: Sequence[dg.DagsterEvent]) -> list[dict[str, object]]:
    """Return the steps that ended well, with their seconds and the rows of all tables that they made."""
    rows: dict[str, int] = {}
    found: list[dict[str, object]] = []
    for event in events:
        step = str(event.step_key)
        if event.event_type_value == "ASSET_MATERIALIZATION":
            count = event.materialization.metadata.get(ROWS)
            rows[step] = rows.get(step, 0) + (int(str(count.value)) if count is not None else 0)
        elif event.event_type_value == "STEP_SUCCESS":
            seconds = event.step_success_data.duration_ms / 1000
            found.append({"name": step, "seconds": round(seconds, 3), "rows": rows.get(step, 0)})
    return found


def releases(events: Sequence[dg.DagsterEvent]) -> list[dict[str, object]]:
    """Return what became of each release, without the reasons; none if the night did not come so far."""
    return [{key: value for key, value in release.items() if key != "reasons"} for release in _released(events)]


def errors(events: Sequence[dg.DagsterEvent]) -> list[dict[str, object]]:
    """Return what went wrong in the steps: redacted failures, and blocking expectations that do not hold."""
    found: list[dict[str, object]] = []
    blocked: set[str] = set()
    for event in events:
        if event.event_type_value == "ASSET_CHECK_EVALUATION":
            check = event.asset_check_evaluation_data
            if check.blocking and not check.passed and check.severity.value == "ERROR":
                blocked.add(str(event.step_key))
                found.append(_expectation(check))
        elif event.event_type_value == "STEP_FAILURE" and str(event.step_key) not in blocked:
            found.append(_failure(event))
    if not found and any(event.event_type_value == "PIPELINE_FAILURE" for event in events):
        found.append(
            {"code": EXIT_BUG, "rule": "bug", "message": "the run failed outside its steps; see Dagster's page"}
        )
    return [*found, *(_blocked(release) for release in _released(events) if release["status"] == "blocked")]


def _released(events: Sequence[dg.DagsterEvent]) -> list[dict[str, Any]]:
    for event in events:
        if event.event_type_value == "ASSET_MATERIALIZATION" and RELEASES in event.materialization.metadata:
            return [dict(entry) for entry in _list(event.materialization.metadata[RELEASES])]
    return []


def _blocked(release: Mapping[str, Any]) -> dict[str, object]:
    package = f"{release['report']} {release['period']} of {release['recipient_id']}"
    message = f"{package} is blocked: {'; '.join(release['reasons'])}; the other releases are not held up"
    return {"code": EXIT_RELEASE, "rule": "release.blocked", "message": message}


def _failure(event: dg.DagsterEvent) -> dict[str, object]:
    user = event.step_failure_data.user_failure_data
    told = {key: value.value for key, value in user.metadata.items()} if user is not None else {}
    failure = event.step_failure_data.error
    kind = failure.cls_name if failure is not None else "failure"
    message = str(told.get("message", f"{kind} outside the step's own code"))
    code = int(str(told.get("code", EXIT_BUG)))
    return {"code": code, "rule": str(told.get("rule", "bug")), "message": f"{event.step_key}: {message}"}


def _expectation(check: dg.AssetCheckEvaluation) -> dict[str, object]:
    table = check.asset_key.to_user_string()
    is_input = zone_of(table) in (Zone.VAULT, Zone.PSEUDO)
    why = "; ".join(str(text) for text in _list(check.metadata.get("blocking")))
    return {
        "code": EXIT_INPUT if is_input else EXIT_RELEASE,
        "rule": f"expectations.{table}",
        "message": f"{table} does not meet its expectations: {why}; nothing downstream was made",
    }


def _list(value: object) -> list[Any]:
    content = getattr(value, "value", None)
    return list(content) if isinstance(content, list) else []
