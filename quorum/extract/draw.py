"""Drawing samples: one survey after the other, so that nobody is drawn twice, and an independent look at the result.

What belongs here: who was drawn before, the order of surveys within a night, the refusal of a sample that would contact
somebody too often. What does not: who is drawn (``sql/extract/``), and what a survey is (`quorum.extract.surveys`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from quorum.desk import Desk
from quorum.errors import PolicyError
from quorum.extract.result import Checked
from quorum.extract.surveys import load_surveys, stratum_rows, survey_rows

_CONTACT = ("survey_id", "stratum", "person_key", "sampled_on")


@dataclass(frozen=True)
class Sampled:
    """A table of samples.

    Args:
        purpose: P-02 or P-03.
        table: its name.
        before: the tables of samples that are drawn before it in a night.
        after: those that are drawn after it: of them, only earlier nights count.
    """

    purpose: str
    table: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def prefix(self) -> str:
        """What the relations that its statement is given begin with."""
        return self.table.partition("__")[0]

    def draw(self, desk: Desk, night: date) -> pa.Table:
        """Return the samples of the surveys in the field: those that stand, and those drawn tonight.

        Guarantee: the same seed, members and earlier samples give the same sample, on any machine.
        """
        catalog, surveys = desk.catalog, load_surveys(desk.policy)
        field = surveys.in_field(self.purpose, night)
        relation = {name: f"{self.prefix}__{name}" for name in ("survey", "survey_stratum", "contact")}
        schema = {name: catalog[table].arrow_schema() for name, table in relation.items()}
        strata = stratum_rows(field, desk.policy, schema["survey_stratum"])
        earlier = self.contacts(desk, night)
        state = desk.store.read(self.table, night, "previous", purpose=self.purpose)
        for survey in field or (None,):
            tonight = state.filter(pc.equal(state["sampled_on"], pa.scalar(night, pa.date32()))).select(_CONTACT)
            given = {
                relation["survey"]: survey_rows(surveys, field, survey, schema["survey"]),
                relation["survey_stratum"]: strata,
                relation["contact"]: pa.concat_tables([earlier, tonight]),
                f"{self.table}__previous": state,
            }
            state = desk.engine.run(self.table, night, given)
        return state

    def contacts(self, desk: Desk, night: date) -> pa.Table:
        """Return everybody who was drawn before: survey_id, stratum, person_key, sampled_on, each once."""
        eve = night - timedelta(days=1)
        read = [(name, night) for name in self.before] + [(name, eve) for name in (self.table, *self.after)]
        found = [desk.store.read(name, until, "history", _CONTACT, purpose=self.purpose) for name, until in read]
        return pa.concat_tables([rows.select(_CONTACT) for rows in found]).group_by(list(_CONTACT)).aggregate([])

    def check(self, desk: Desk, night: date, rows: pa.Table) -> Checked:
        """Refuse a sample that would contact somebody too often, or somebody who opted out.

        Raises:
            PolicyError: somebody drawn tonight was drawn twice, or before within the days of rest, or is out of the
                purpose. The message counts them.

        Guarantee: nobody is in two samples whose nights lie less than the days of rest apart.
        Source: clause P-02.
        """
        rest = timedelta(days=load_surveys(desk.policy).rest_days)
        drawn = rows.filter(pc.equal(rows["sampled_on"], pa.scalar(night, pa.date32())))["person_key"]
        earlier = self.contacts(desk, night)
        lately = earlier.filter(pc.greater(earlier["sampled_on"], pa.scalar(night - rest, pa.date32())))["person_key"]
        twice = len(drawn) - pc.count_distinct(drawn).as_py() + _count_in(drawn, lately)
        stops = desk.store.read("pseudo__stop", night)
        out = _count_in(rows["person_key"], stops.filter(pc.equal(stops["purpose"], self.purpose))["person_key"])
        _refuse("surveys.contact", twice, "people drawn again too soon", f"once within {rest.days} days")
        _refuse("surveys.opted_out", out, "people in a sample who opted out", "none")
        return Checked(rows)


def _count_in(keys: pa.ChunkedArray, others: pa.ChunkedArray) -> int:
    return int(pc.sum(pc.is_in(keys, value_set=others.combine_chunks())).as_py() or 0)


def _refuse(rule: str, count: int, what: str, allowed: str) -> None:
    if count:
        raise PolicyError(rule, f"{count} {what}", allowed, "correct the statement that draws")
