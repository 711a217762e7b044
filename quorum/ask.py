"""A question of an analyst, answered from what was released: found, cut, attacked, signed, entered, as any release.

What belongs here: the way of a question. What does not: what an answer is (`quorum.release.answers`), the door, pages.
Nothing in front of ``safe`` is looked at, but to score the attacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from quorum.errors import PolicyError
from quorum.ledger import Ledger
from quorum.packages import Frozen, Packages
from quorum.policy import Actor, Policy, ReportSpec
from quorum.policy.grants import check_may_read
from quorum.release.answers import Question, answering_table, cut, is_wanted
from quorum.release.gate import Draft, Release
from quorum.release.package import package_path
from quorum.release.shapes import ANALYST
from quorum.report.answer import answer_pages
from quorum.report.facts import page_facts
from quorum.report.workbook import render_workbook
from quorum.tables import PackageShape
from quorum.zones import Home

PURPOSE = "P-03"
QUESTION = "question"
_SHOWN = 12
_NOT_ASKED = ("information_provider", "service_provider")
"""Whose reports are not cut: the sections of information providers are all in the portal's own report, which was
decided for itself; two decisions about one cell, put together, could give a third away. The categories of goods are the
same for every service provider, so that a row of theirs does not say whose buyers it counts."""


@dataclass(frozen=True)
class Answer:
    """What became of a question.

    Args:
        question: as it was asked.
        release: the package; None if there was nothing to release.
        table: the table that was cut.
        rows: what was asked for: dimension columns, measures (null where withheld), ``status_<family>``.
        left_out: recipients whose packages of the period are not released, or not in their place.
    """

    question: Question
    release: Release
    table: str
    rows: pa.Table
    left_out: tuple[str, ...]

    def as_record(self) -> dict[str, Any]:
        """Return the answer as ``ask --json`` prints it."""
        return {
            "question": self.question.as_record(),
            **self.release.as_record(),
            "table": self.table,
            "rows": self.rows.to_pylist(),
            "left_out": list(self.left_out),
        }


def reports_to_ask(policy: Policy) -> list[ReportSpec]:
    """Return the reports whose packages may be cut."""
    return [report for report in policy.reports.values() if not set(report.recipient_kinds) & set(_NOT_ASKED)]


def released_periods(ledger: Ledger, policy: Policy) -> Mapping[str, list[str]]:
    """Return, for each report that may be asked about, the periods of which something was released, latest first."""
    found: dict[str, dict[str, None]] = {report.name: {} for report in reports_to_ask(policy)}
    for entry in reversed(ledger.entries("release")):
        if entry.body["report"] in found:
            found[entry.body["report"]][entry.body["period"]] = None
    return {name: list(periods) for name, periods in found.items()}


def ask(packages: Packages, home: Home, actor: Actor, question: Question) -> Answer:
    """Answer a question, as a release to the recipient ``analyst``.

    Args:
        packages: what was released.
        home: the run-time state.
        actor: who asks.
        question: what is asked.

    Returns:
        The answer; of a question that was asked before, as it was released then.

    Raises:
        PolicyError: the role may not ask, nothing of the period was released, or the question is one that released
            packages do not answer; the message says what can be asked instead.
        ReleaseError: what lies in ``out/`` is not what was released.
    """
    policy, ledger = packages.policy, packages.ledger
    check_may_read(policy, actor, PURPOSE)
    report = _report(policy, question)
    frozen = list(packages.frozen(report.name, question.period))
    if not frozen:
        periods = released_periods(ledger, policy)[report.name]
        raise PolicyError(
            "ask.period",
            f"{report.name} {question.period}, of which no package is in its place",
            ", ".join(periods[:_SHOWN]) or "no period yet: nothing was released",
            "run the night, or ask about another period",
        )
    name = answering_table(question, [one.shape for one in frozen])
    shape, tables = cut(question, [(one.shape, one.tables) for one in frozen], name)
    held = (*(one.shape for one in frozen), *_earlier(ledger, home, question))
    asked = _asked(policy, report, question)
    facts = page_facts(asked, packages.calendar.references(max(one.night for one in frozen)), shape)
    pages = {**answer_pages(policy, shape, question, tables[name]), **render_workbook(facts, tables)}
    draft = Draft(tables, pages, _truth(question, frozen, name), held)
    said = {"who": actor.name, "role": actor.role, "report": question.name, "question": question.as_record()}
    ledger.append(QUESTION, said)
    release = packages.answer(ledger.nights()[-1], shape, asked, draft)
    columns = shape.tables[0].columns
    places = zip(*(tables[name][column].to_pylist() for column in columns), strict=True)
    wanted = [is_wanted(question, dict(zip(columns, place, strict=True))) for place in places]
    there = {one.shape.recipient_id for one in frozen}
    return Answer(question, release, name, tables[name].filter(pa.array(wanted)), _left_out(ledger, question, there))


def _asked(policy: Policy, report: ReportSpec, question: Question) -> Policy:
    """Return the policy with a report under the answer's name; an answer is one table, and none is drawn from it."""
    tables = tuple(replace(table, alone={}) for table in report.tables)
    asked = replace(report, name=question.name, tables=tables)
    return replace(policy, reports={**policy.reports, asked.name: asked})


def _report(policy: Policy, question: Question) -> ReportSpec:
    known = {report.name: report for report in reports_to_ask(policy)}
    if question.report not in known:
        raise PolicyError("ask.report", f"the report {question.report}", ", ".join(known), "ask about one of these")
    return known[question.report]


def _truth(question: Question, frozen: list[Frozen], name: str) -> Mapping[str, pa.Table]:
    """Return what was counted of an answer; nothing if it is no longer there of one of its packages."""
    if not all(one.truth for one in frozen):
        return {}
    columns = set.intersection(*(set(one.truth[name].column_names) for one in frozen if name in one.truth))
    counted = [
        (one.shape, {name: one.truth[name].select([c for c in one.truth[name].column_names if c in columns])})
        for one in frozen
        if name in one.truth
    ]
    return cut(question, counted, name)[1]


def _earlier(ledger: Ledger, home: Home, question: Question) -> list[PackageShape]:
    """Return the earlier answers about the same report and period that lie in their place: analysts hold them all."""
    told = {
        entry.body["report"]: None
        for entry in ledger.entries(QUESTION)
        if entry.body["report"] != question.name
        and (entry.body["question"]["report"], entry.body["question"]["period"]) == (question.report, question.period)
    }
    shapes = [PackageShape(ANALYST, name, question.period, ()) for name in told]
    return [shape for shape in shapes if (home.out / package_path(shape)).is_dir()]


def _left_out(ledger: Ledger, question: Question, there: set[str]) -> tuple[str, ...]:
    """Return the recipients of a report and period that were blocked, or whose package is gone."""
    about = (question.report, question.period)
    known = {
        entry.body["recipient_id"]
        for kind in ("release", "blocked")
        for entry in ledger.entries(kind)
        if (entry.body["report"], entry.body["period"]) == about
    }
    return tuple(sorted(known - there))
