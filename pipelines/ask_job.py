"""The job ``ask``: what ``quorum ask`` does, for those who launch it in Dagster with a few lines of configuration.

What belongs here: configuration to a question, counts to metadata. What does not: the answer (`quorum.ask`).
"""

import dagster as dg

from assets.redaction import redacted
from pipelines.cli_ask import REPORT, question_of
from quorum.ask import Answer
from quorum.errors import ReleaseError
from quorum.workspace import Workspace

ASK = "ask"


class AskConfig(dg.Config):
    """A question; the fields are the options of ``quorum ask``."""

    period: str
    report: str = REPORT
    table: str = ""
    dimensions: list[str] = []  # noqa: RUF012 - pydantic copies it
    where: list[str] = []  # noqa: RUF012 - pydantic copies it
    campaigns: list[str] = []  # noqa: RUF012 - pydantic copies it


@dg.op(
    name="answer",
    description="Answers a question about released numbers, as a signed release to the recipient analyst.\n\n"
    "For example: `period: '2026-11-21'`, `dimensions: [age_band, gender]`, `where: [gender=female]`.",
    out=dg.Out(dg.Nothing),
)
def answer(context: dg.OpExecutionContext, config: AskConfig, workspace: dg.ResourceParam[Workspace]) -> None:
    """Answer the question; the table lies in the package, what is shown here are counts and where it is."""
    release = redacted(lambda: _answered(workspace, config)).release
    context.add_output_metadata(
        {
            "report": release.report,
            "period": release.period,
            "status": release.status,
            "published_cells": release.published_cells,
            "withheld_cells": release.withheld_cells,
            "package": dg.MetadataValue.path(str(release.path)),
        }
    )


def _answered(workspace: Workspace, config: AskConfig) -> Answer:
    asked = question_of(
        workspace.policy,
        config.report,
        config.period,
        config.table or None,
        config.dimensions,
        config.where,
        config.campaigns,
    )
    found = workspace.ask(asked)
    if found.release.status == "blocked":
        raise ReleaseError("release.blocked", "the answer is blocked", "", "report it: it is a bug")
    return found


@dg.job(
    name=ASK,
    description="A question about released numbers. The command `quorum ask` does the same; without --period it tells "
    "what can be asked.",
    executor_def=dg.in_process_executor,
)
def ask_job() -> None:
    """Answer one question."""
    answer()
