"""Only what is needed is collected: a column that nobody uses is refused unless it is listed, until its date."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from gate_mutants import column, part_declared, part_of, planted, table

from quorum.errors import ConfigurationError, PolicyError
from quorum.lineage.crossings import declared_crossings
from quorum.lineage.gate import Gate, check_gate
from quorum.lineage.purposes import check_purposes
from quorum.lineage.unused import Unused, check_collected, collected_columns, listed_unused, unused_columns
from quorum.policy import Policy
from quorum.tables import Catalog

TODAY = date(2026, 11, 22)
LISTED = Unused(TODAY, TODAY + timedelta(days=10), "for a test")
UNUSED = frozenset({"vault__beacon.ip"})


@pytest.fixture(scope="module")
def gate(catalog: Catalog, policy: Policy) -> Gate:
    return check_gate(catalog, policy)


@pytest.mark.clause("C-04")
def test_everything_that_lands_unused_is_listed_and_nothing_else(gate: Gate) -> None:
    assert gate.unused == set(gate.listed)
    gate.check_day(TODAY)


@pytest.mark.clause("C-04")
def test_the_first_date_to_pass_stops_the_night_after_it(gate: Gate) -> None:
    first = min(entry.expires for entry in gate.listed.values())
    gate.check_day(first)
    with pytest.raises(PolicyError, match="has passed") as refused:
        gate.check_day(first + timedelta(days=1))
    assert (refused.value.rule, refused.value.exit_code) == ("policy.unused_column", 13)


def test_columns_of_registration_and_partners_are_collected_and_bookkeeping_is_not(gate: Gate) -> None:
    collected = collected_columns(gate.flows)
    assert {"vault__member.email", "vault__access.ip", "vault__partner_transaction.partner_id"} <= collected
    assert "vault__member.file_n" not in collected
    assert "vault__disclosure.member_key" not in collected  # the record of an act, not collected


def test_a_column_is_used_by_value_by_use_and_through_tables_between(gate: Gate) -> None:
    used = collected_columns(gate.flows) - gate.unused
    assert "vault__member.nickname" in used  # the value of what P-09 shows
    assert "vault__preference.scope" in used  # decides who is out of a purpose
    assert "vault__access.ip" in used  # behind a pseudonym, behind a person, behind a count
    assert "vault__request.details" in used  # Python reads typed fields from it


@pytest.mark.clause("C-04")
def test_a_new_column_that_nobody_reads_is_refused_and_one_read_is_not(catalog: Catalog, policy: Policy) -> None:
    member = replace(
        catalog["vault__member"], columns=(*catalog["vault__member"].columns, column("blood_type", "NICK"))
    )
    names = ("p09__public_nickname",)

    def unused(changed: Catalog) -> frozenset[str]:
        part = part_of(changed, tuple({*names, *(n for n in changed.tables if n == "p09__planted")}))
        return unused_columns(check_purposes(part, policy, part_declared(declared_crossings(policy.folder), part)))

    changed = planted(catalog, member)
    assert "vault__member.blood_type" in unused(changed)
    with pytest.raises(PolicyError, match=r"vault__member\.blood_type is collected, and no purpose uses it"):
        check_collected(frozenset({"vault__member.blood_type"}), {}, TODAY)
    reader = table("p09__planted", "P-09", "select blood_type from vault__member", column("blood_type", "NICK"))
    assert "vault__member.blood_type" not in unused(planted(changed, reader))


@pytest.mark.parametrize(
    ("unused", "listed", "today", "says"),
    [
        (UNUSED, {}, TODAY, "no purpose uses it"),
        (UNUSED, {"vault__beacon.ip": LISTED}, TODAY + timedelta(days=11), "has passed"),
        (frozenset(), {"vault__beacon.ip": LISTED}, TODAY, "is listed as unused, and is used"),
    ],
)
def test_what_is_unlisted_overdue_or_listed_for_nothing_is_refused(
    unused: frozenset[str], listed: dict[str, Unused], today: date, says: str
) -> None:
    with pytest.raises(PolicyError, match=says):
        check_collected(unused, listed, today)


def test_the_last_day_is_still_allowed() -> None:
    check_collected(UNUSED, {"vault__beacon.ip": LISTED}, TODAY + timedelta(days=10))


@pytest.mark.parametrize(
    "text",
    [
        "a.b: {since: 2026-01-01, expires: 2026-12-31}",
        "a.b: {since: 2026-12-31, expires: 2026-01-01, why: x}",
        "a.b: {since: 2026-01-01, expires: never, why: x}",
        "a.b: {since: 2026-01-01, expires: 2026-12-31, why: x, for: ever}",
        ": [",
        "[a]",
    ],
)
def test_a_list_without_dates_and_reasons_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "unused_columns.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        listed_unused(tmp_path)


def test_a_missing_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        listed_unused(tmp_path)
