"""What the policy leaves open is found in its files and reported, not printed from a list in code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli import cli
from quorum.policy import Policy, load_policy
from quorum.policy.diff import documents
from quorum.policy.gaps import OpenPoint, open_points
from quorum.tables import Catalog

Edit = Callable[..., Path]
TODAY = date(2026, 11, 22)


def found(folder: Path, today: date = TODAY) -> dict[str, OpenPoint]:
    return {point.code: point for point in open_points(load_policy(folder, today), documents(folder), today)}


@pytest.mark.clause("C-05")
def test_what_clauses_leave_open_is_reported(root: Path) -> None:
    points = found(root / "policy")
    expected = {
        "no_retention_period": "S-01",
        "no_opt_out_procedure": "P-01",
        "no_disclosure_procedure": "P-04",
        "partner_data_only_in_p07": "C-03",
        "wider_than_appi_27_1": "D-05",
        "and_so_on_in_attr": "P-01",
        "no_text": "Q-01",
        "collected_without_a_use_ind": "C-04",
        "collected_without_a_use_int": "C-04",
        **{f"not_named_as_collected_{code}": "C-05" for code in ("addr", "tel", "bank", "card", "paym", "nick")},
    }
    assert expected.items() <= {code: point.clause for code, point in points.items()}.items()
    assert "P-05" in points["not_named_as_collected_addr"].en


@pytest.mark.clause("C-05")
def test_the_member_contract_is_the_registration(catalog: Catalog, policy: Policy) -> None:
    asked = [column.category for column in catalog["vault__member"].columns if column.origin == "subject"]
    assert sorted(asked) == sorted([*policy.registration.named, *policy.registration.extras])
    assert not set(policy.registration.named) & set(policy.registration.extras)


@pytest.mark.clause("C-05")
def test_naming_an_item_as_collected_closes_its_gap(edited: Edit) -> None:
    folder = edited(
        ("policy.yaml", "named: [NAME,", "named: [TEL, NAME,"), ("policy.yaml", "[ADDR, TEL, NICK", "[ADDR, NICK")
    )
    assert "not_named_as_collected_tel" not in found(folder)
    assert "not_named_as_collected_nick" in found(folder)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("clauses.yaml", "      no_text:", "      still_no_text:"), "still_no_text"),
        (("disclosures.yaml", "expires_on: 2029-03-31", "expires_on: 2026-11-21"), "contract_lapsed_mailing-house"),
        (
            ("disclosures.yaml", "    one_off: true\n    review_days", "    wider_than_law: true\n    review_days"),
            "wider_than_law",
        ),
    ],
)
def test_a_gap_comes_from_the_files(edited: Edit, root: Path, change: tuple[str, str, str], code: str) -> None:
    new = set(found(edited(change))) - set(found(root / "policy"))
    assert new == {code}


def test_a_clause_that_nothing_proves_is_open(root: Path, policy: Policy) -> None:
    bare = replace(policy.clauses["K-03"], proved_by=())
    changed = replace(policy, clauses={**policy.clauses, "K-03": bare})
    points = open_points(changed, documents(root / "policy"), TODAY)
    assert "K-03" in [point.clause for point in points if point.code == "unproved"]


def test_a_review_that_is_overdue_is_open(edited: Edit) -> None:
    folder = edited(("decisions/2026-11-22-industry-for-advertisements.yaml", "in_force: false", "in_force: true"))
    code = "review_overdue_2026-11-22-industry-for-advertisements"
    assert code not in found(folder, date(2027, 10, 1))
    assert code in found(folder, date(2027, 10, 2))


def test_no_third_party_at_all_is_open(edited: Edit) -> None:
    folder = edited()
    text = (folder / "policy.yaml").read_text(encoding="utf-8")
    start, end = text.index("  third_parties:"), text.index("registration:")
    (folder / "policy.yaml").write_text(text[:start] + "  third_parties: []\n" + text[end:], encoding="utf-8")
    assert "no_third_party_listed" in found(folder)


def test_the_commands_tell_points_and_clauses() -> None:
    runner = CliRunner()
    points = json.loads(runner.invoke(cli, ["policy", "gaps", "--json"]).output)
    assert set(points[0]) == {"clause", "code", "ja", "en", "is_found"}
    said = runner.invoke(cli, ["policy", "gaps"]).output
    assert said.endswith(f"{len(points)} points are open\n")
    clauses = json.loads(runner.invoke(cli, ["policy", "clauses", "--json"]).output)
    assert [clause["code"] for clause in clauses][:2] == ["C-01", "C-02"]
    assert "enforced by quorum.policy.grants" in runner.invoke(cli, ["policy", "clauses"]).output
