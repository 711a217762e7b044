"""Requests and choices of the sample: every kind is there, claims agree with the registration, some must be refused."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from quorum.intake.preferences import CHOICES
from quorum.intake.request_details import TYPED
from quorum.intake.requests import KINDS
from quorum.policy import Policy

LANDING = Path(__file__).resolve().parents[3] / "data" / "sample" / "landing"
DAYS = [date(2026, 11, 15) + timedelta(days=at) for at in range(7)]


def records(source: str, name: str) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for day in DAYS
        for line in gzip.decompress((LANDING / day.isoformat() / source / name).read_bytes()).splitlines()
    ]


@pytest.fixture(scope="module")
def requests() -> list[dict[str, Any]]:
    return records("requests", "desk.json.gz")


@pytest.fixture(scope="module")
def registered() -> dict[str, dict[str, str]]:
    folder = LANDING / DAYS[0].isoformat() / "members"
    packed = (folder / "members.json.zst").open("rb")
    with pa.CompressedInputStream(packed, "zstd") as plain:
        found = [json.loads(line) for line in plain.read().splitlines()]
    branches = gzip.decompress((folder / "branches.csv.gz").read_bytes()).decode("utf-8")
    return {each["member_id"]: each for each in [*found, *csv.DictReader(io.StringIO(branches))]}


def test_every_kind_of_request_is_there(requests: list[dict[str, Any]]) -> None:
    assert {each["kind"] for each in requests} == set(KINDS)
    assert {kind for kind, _ in TYPED.values()} == set(KINDS) - {"erase"}


def test_whoever_asks_is_registered(requests: list[dict[str, Any]], registered: dict[str, dict[str, str]]) -> None:
    assert {each["member_id"] for each in requests if "member_id" in each} <= set(registered)


def test_claims_agree_with_the_registration_but_for_the_planted_ones(
    requests: list[dict[str, Any]], registered: dict[str, dict[str, str]]
) -> None:
    outcomes = Counter()
    for each in requests:
        if each["kind"] == "verification":
            own = registered[each["member_id"]]
            own = {**own, "card_last4": own["card_number"][-4:], "method": each["details"]["method"]}
            claimed = {name: text for name, text in each["details"].items() if name != "mail_result"}
            outcomes[all(own[name] == text for name, text in claimed.items())] += 1
    assert outcomes == {True: 14, False: 7}


def test_some_requests_must_be_refused(requests: list[dict[str, Any]]) -> None:
    refusals = [each["details"] for each in requests if each["kind"] == "refusal"]
    assert any("decided_by" not in said for said in refusals)
    assert any("review_on" not in said for said in refusals)
    transfers = [each["details"] for each in requests if "transfer_to" in each["details"]]
    assert {"instruction_id" in said for said in transfers} == {True, False}
    cases = [each["details"] for each in requests if each["kind"] == "disclosure"]
    assert {"case_id" in said for said in cases} == {True, False}


def test_choices_are_of_known_scopes_and_consents_are_withdrawn(policy: Policy) -> None:
    choices = records("preferences", "choices.json.gz")
    assert {each["choice"] for each in choices} == set(CHOICES)
    assert {each["scope"] for each in choices} <= set(policy.scopes)
    given = {each["member_id"] for each in choices if each["choice"] == "consent" and "recipient_id" in each}
    withdrawn = {each["member_id"] for each in choices if each["choice"] == "withdraw"}
    assert withdrawn
    assert withdrawn < given
