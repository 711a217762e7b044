"""Surveys, ``policy/surveys.yaml``: whom to sample for which question, how many, and how long people are left alone.

What belongs here: reading the file strictly, its surveys and their strata as relations. What does not: drawing
(`quorum.extract.draw`, ``sql/extract/``), and contacting anybody, which is another purpose (P-05).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from quorum.errors import ConfigurationError, PolicyError
from quorum.policy import Policy, fields
from quorum.policy.published import FLOOR_HEADS
from quorum.policy.sensitive import matter_of

FILE = "surveys.yaml"
SERVICE, EFFECT = "P-02", "P-03"
FLOOR_REST_DAYS = 30
STRATA: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "age_band": ("AGE", "age_bands"),
        "gender": ("GEN", "genders"),
        "region": ("ZIP", "regions"),
        "prefecture": ("ZIP", "prefectures"),
        "occupation": ("OCC", "occupations"),
    }
)
"""What strata may differ by: dimension to its data category and its key set."""
EXPOSURES = ("exposed", "not_exposed")
"""Strata of an effect survey: whether an advertisement of its campaign was shown."""


@dataclass(frozen=True)
class Survey:
    """One survey.

    Args:
        survey_id: its name in tables.
        purpose: P-02, or P-03 for the effect of a campaign.
        seed: what the order of people is made from.
        strata: dimensions of `STRATA` by which strata differ; may be empty.
        per_stratum: people to draw from each stratum.
        first: first night in the field.
        last: last night in the field.
        campaign_id: the campaign of an effect survey.
        seen_within_days: the last nights, tonight included, in which it or the portal was seen.
    """

    survey_id: str
    purpose: str
    seed: str
    strata: tuple[str, ...]
    per_stratum: int
    first: date
    last: date
    campaign_id: str | None = None
    seen_within_days: int | None = None


@dataclass(frozen=True)
class Surveys:
    """All surveys.

    Args:
        people: the fewest members of a stratum from which anybody is drawn.
        rest_days: whoever was drawn for any survey is not drawn again for these days.
        surveys: in the file's order, which is the order of drawing.
    """

    people: int
    rest_days: int
    surveys: tuple[Survey, ...]

    def in_field(self, purpose: str, night: date) -> tuple[Survey, ...]:
        """Return the surveys of a purpose that are in the field on a night."""
        return tuple(s for s in self.surveys if s.purpose == purpose and s.first <= night <= s.last)


def load_surveys(policy: Policy) -> Surveys:
    """Read the surveys of a policy.

    Raises:
        ConfigurationError: the file is malformed, or goes below a floor in code.
        PolicyError: strata differ by what is not in ATTR, or a survey is about a matter that needs special care.
    """
    body = fields.fields(FILE, fields.read(policy.folder, FILE), ["people", "rest_days", "surveys"])
    numbers = {name: fields.number(f"{FILE}: {name}", body[name]) for name in ("people", "rest_days")}
    for name, floor in (("people", FLOOR_HEADS), ("rest_days", FLOOR_REST_DAYS)):
        if numbers[name] < floor:
            raise ConfigurationError("surveys.floor", f"{FILE}: {name} is {numbers[name]}", f"{floor} or more")
    listed = fields.mapping(f"{FILE}: surveys", body["surveys"])
    return Surveys(**numbers, surveys=tuple(_survey(name, spec, policy) for name, spec in listed.items()))


def survey_rows(surveys: Surveys, field: Sequence[Survey], next_one: Survey | None, schema: pa.Schema) -> pa.Table:
    """Return a row for each survey in the field, the one to draw marked: ``p02__survey``, ``p03__survey``."""
    rows = [
        {
            "survey_id": survey.survey_id,
            "is_next": survey is next_one,
            "seed": survey.seed,
            "per_stratum_n": survey.per_stratum,
            "least_people_n": surveys.people,
            "rest_days": surveys.rest_days,
            "campaign_id": survey.campaign_id,
            "seen_within_days": survey.seen_within_days,
            **{f"is_by_{dimension}": dimension in survey.strata for dimension in STRATA},
        }
        for survey in field
    ]
    return pa.Table.from_pylist(rows, schema)


def stratum_rows(field: Sequence[Survey], policy: Policy, schema: pa.Schema) -> pa.Table:
    """Return a row for each stratum of each survey: ``p02__survey_stratum``, ``p03__survey_stratum``.

    Strata come from the policy's key sets, whether anybody is in them or not.
    """
    return pa.Table.from_pylist([row for survey in field for row in _strata(survey, policy)], schema)


def _strata(survey: Survey, policy: Policy) -> list[dict[str, Any]]:
    keys = [[category.key for category in policy.categories[STRATA[name][1]]] for name in survey.strata]
    exposures: Sequence[str | None] = EXPOSURES if survey.purpose == EFFECT else (None,)
    rows = []
    for exposure, *values in product(exposures, *keys):
        named = dict(zip(survey.strata, values, strict=True))
        told = [*([] if exposure is None else [exposure]), *(f"{name}={value}" for name, value in named.items())]
        empty = dict.fromkeys(STRATA, "")
        rows.append(
            {
                "survey_id": survey.survey_id,
                "stratum": ",".join(told) or "all",
                "exposure": exposure,
                **empty,
                **named,
            }
        )
    return rows


def _survey(survey_id: str, spec: object, policy: Policy) -> Survey:
    where = f"{FILE}: {survey_id}"
    common = ["purpose", "name_ja", "name_en", "seed", "strata", "per_stratum", "from", "until"]
    body = fields.fields(where, spec, common, ["campaign_id", "seen_within_days"])
    if body["purpose"] not in (SERVICE, EFFECT):
        raise PolicyError("surveys.purpose", f"{where} for {body['purpose']!r}", f"{SERVICE} or {EFFECT}", "correct it")
    is_effect = body["purpose"] == EFFECT
    if any((name in body) != is_effect for name in ("campaign_id", "seen_within_days")):
        raise ConfigurationError(
            "surveys.effect", where, f"campaign_id and seen_within_days for {EFFECT}, and only there"
        )
    survey = Survey(
        survey_id=survey_id,
        purpose=body["purpose"],
        seed=fields.text(f"{where}: seed", body["seed"]),
        strata=fields.texts(f"{where}: strata", body["strata"]),
        per_stratum=fields.number(f"{where}: per_stratum", body["per_stratum"]),
        first=fields.day(f"{where}: from", body["from"]),
        last=fields.day(f"{where}: until", body["until"]),
        campaign_id=fields.text(f"{where}: campaign_id", body["campaign_id"]) if is_effect else None,
        seen_within_days=fields.number(f"{where}: seen_within_days", body["seen_within_days"]) if is_effect else None,
    )
    _check(where, survey, policy)
    _check_matter(where, body, policy)
    return survey


def _check(where: str, survey: Survey, policy: Policy) -> None:
    uses = policy.purposes[survey.purpose].uses
    for name in survey.strata:
        if name not in STRATA or STRATA[name][0] not in uses:
            raise PolicyError(
                "surveys.strata",
                f"{where}: strata by {name!r}, which {survey.purpose} may not use",
                f"{', '.join(STRATA)}: attributes of a closed list, never contact data or interests",
                "take it out",
            )
    if survey.last < survey.first:
        raise ConfigurationError("surveys.dates", f"{where} ends before it begins", "from, until", "correct the dates")
    longest = policy.limits["viewed_days"]
    if survey.seen_within_days is not None and survey.seen_within_days > longest:
        raise ConfigurationError("surveys.days", f"{where} within {survey.seen_within_days} days", f"{longest} at most")


def _check_matter(where: str, body: Mapping[str, Any], policy: Policy) -> None:
    names = [fields.text(f"{where}: {name}", body[name]) for name in ("name_ja", "name_en")]
    about = matter_of(policy.matters, *names)
    if about is not None:
        raise PolicyError(
            "surveys.sensitive",
            f"{where} is about {about.en} ({about.ja}), a matter that needs special care (要配慮個人情報)",
            "no survey about such a matter",
            "take the survey out",
        )
