"""What a new policy adds, widens, narrows and removes; what of it is material; whether it is announced (R-01, R-02)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli import cli
from quorum.errors import ConfigurationError
from quorum.policy.diff import announced, changes, documents

Edit = Callable[..., Path]
_P05 = "uses: [EMAIL, ADDR]"
_EXAMPLE = "decisions/2026-11-22-industry-for-advertisements.yaml"


@pytest.mark.clause("R-01")
@pytest.mark.parametrize(
    ("name", "old", "new", "kind", "what", "is_material"),
    [
        ("policy.yaml", _P05, "uses: [EMAIL, ADDR, TEL]", "widened", "P-05 uses TEL", True),
        ("policy.yaml", _P05, "uses: [EMAIL]", "narrowed", "P-05 uses without ADDR", False),
        ("policy.yaml", "attr: [ZIP,", "attr: [IND, ZIP,", "widened", "attr IND", True),
        ("policy.yaml", "attr: [ZIP,", "attr: [IND, ZIP,", "widened", "P-03 uses IND", True),
        ("policy.yaml", "  P-09:", "  P-12:", "added", "purpose P-12", True),
        ("policy.yaml", "  P-09:", "  P-12:", "removed", "purpose P-09", False),
        ("policy.yaml", "stops: [P-01]}", "stops: [P-01, P-04]}", "narrowed", "scope ads stops P-04", False),
        ("policy.yaml", "stops: [P-02, P-03]", "stops: [P-02]", "widened", "scope survey stops without P-03", False),
        (
            "policy.yaml",
            "provides: [NAME, EMAIL, ADDR",
            "provides: [NAME, DOB, EMAIL, ADDR",
            "widened",
            "scope provide_contact provides DOB",
            False,
        ),
        ("policy.yaml", "named: [NAME,", "named: [", "narrowed", "registration named without NAME", False),
        ("policy.yaml", "name_en: Bill", "name_en: Billing", "changed", "P-07: name_en", False),
        ("policy.yaml", "email: privacy@", "email: desk@", "changed", "contact.email", False),
        (
            "policy.yaml",
            "purposes_effective_on: 2014-04-01",
            "purposes_effective_on: 2013-04-01",
            "widened",
            "P-05: data collected from 2013-04-01 (was 2014-04-01)",
            False,
        ),
        (
            "columns.yaml",
            "IND:     {class: restricted",
            "IND:     {class: attribute",
            "widened",
            "IND is attribute (was restricted)",
            False,
        ),
        (
            "columns.yaml",
            "IND:     {class: restricted",
            "IND:     {class: identifier",
            "narrowed",
            "IND is identifier (was restricted)",
            False,
        ),
        (
            "columns.yaml",
            "zones: [cube, safe, out, extract]",
            "zones: [seg, cube, safe, out, extract]",
            "widened",
            "STAT zones seg",
            False,
        ),
        ("columns.yaml", "  IND: ", "  OND: ", "added", "category OND", False),
        (
            "reports.yaml",
            "recipient_kinds: [site]",
            "recipient_kinds: [site, broker]",
            "widened",
            "report site recipient_kinds broker",
            True,
        ),
        ("reports.yaml", "  sections:\n", "  parts:\n", "added", "report parts", False),
        (
            "reports.yaml",
            "device:     {levels: [device]",
            "device:     {levels: [model]",
            "changed",
            "dimensions.device.levels",
            False,
        ),
        ("disclosures.yaml", "  D-06:\n", "  D-07:\n", "added", "basis D-07", True),
        (
            "disclosures.yaml",
            "requires: [recipient]",
            "requires: []",
            "widened",
            "basis D-03 requires without recipient",
            False,
        ),
        ("disclosures.yaml", "  mailing-house:", "  letter-house:", "added", "processor letter-house", False),
        (
            "disclosure.yaml",
            "impressions: 50",
            "impressions: 40",
            "widened",
            "standard.heads.impressions is 40 (was 50)",
            False,
        ),
        ("disclosure.yaml", "click: 10", "click: 20", "widened", "contribution.click is 20 (was 10)", False),
        ("disclosure.yaml", "click: 10", "click: 5", "narrowed", "contribution.click is 5 (was 10)", False),
        (
            "disclosure.yaml",
            "single_share_percent: 50",
            "single_share_percent: 40",
            "narrowed",
            "standard.single_share_percent is 40 (was 50)",
            False,
        ),
        (
            "retention.yaml",
            "seg:    {days: 400",
            "seg:    {days: 500",
            "widened",
            "zones.seg.days is 500 (was 400)",
            False,
        ),
        (
            "roles.yaml",
            "analyst: {purposes: [P-02",
            "analyst: {purposes: [P-04, P-02",
            "widened",
            "role analyst purposes P-04",
            False,
        ),
        ("roles.yaml", "unlisted: operator", "unlisted: desk", "changed", "unlisted", False),
        ("sensitive.yaml", "terms: [人種, ", "terms: [", "widened", "matter race terms without 人種", False),
        (
            "decisions/2026-11-22-industry-for-advertisements.yaml",
            "in_force: false",
            "in_force: true",
            "widened",
            "decision 2026-11-22-industry-for-advertisements in force",
            True,
        ),
        ("reports.yaml", "  sections:\n", "  parts:\n", "removed", "report sections", False),
        (
            _EXAMPLE,
            "widens: {purpose: P-01",
            "widens: {purpose: P-02",
            "changed",
            "decision 2026-11-22-industry-for-advertisements, not in force",
            False,
        ),
        ("desk.yaml", "", "", "", "", False),
        ("clauses.yaml", "十一に限る", "十二に限る", "changed", "clauses.C-08.ja", False),
    ],
)
def test_a_change_is_named(
    edited: Edit, root: Path, name: str, old: str, new: str, kind: str, what: str, is_material: bool
) -> None:
    found = changes(documents(root / "policy"), documents(edited((name, old, new))))
    said = [(change.kind, change.what, change.is_material) for change in found if change.file == name]
    assert (kind, what, is_material) in said if kind else found == []


def test_a_file_that_nobody_compares_by_meaning_is_compared_all_the_same(root: Path) -> None:
    old = documents(root / "policy")
    new = {**old, "other.yaml": {"a": {"b": 1}}, "categories.yaml": {}}
    new["categories.yaml"] = {name: body for name, body in old["categories.yaml"].items() if name != "regions"}
    assert {(change.kind, change.file, change.what) for change in changes(old, new)} == {
        ("added", "other.yaml", "a.b"),
        ("removed", "categories.yaml", "regions"),
    }


def unannounced(root: Path, folder: Path) -> list[str]:
    old, new = documents(root / "policy"), documents(folder)
    return announced(old, new, changes(old, new))


@pytest.mark.clause("R-02")
def test_a_material_change_needs_a_version_and_a_day_to_come(edited: Edit, root: Path) -> None:
    folder = edited(("policy.yaml", _P05, "uses: [EMAIL, ADDR, TEL]"))
    assert len(unannounced(root, folder)) == 2
    folder = edited(("policy.yaml", "version: 1", "version: 2"))
    (wrong,) = unannounced(root, folder)
    assert wrong.startswith("effective_on is 2014-04-01")
    folder = edited(("policy.yaml", "\neffective_on: 2014-04-01", "\neffective_on: 2027-04-01"))
    (wrong,) = unannounced(root, folder)
    assert wrong.startswith("P-05 uses TEL: data collected from 2014-04-01 on would be used")
    edited(("policy.yaml", "uses: [EMAIL, ADDR, TEL],", "uses: [EMAIL, ADDR, TEL], uses_from: {TEL: 2027-04-01},"))
    assert unannounced(root, folder) == []


@pytest.mark.clause("R-02")
def test_the_day_of_a_record_counts_as_the_day_of_its_category(edited: Edit, root: Path) -> None:
    was = "uses: [ATTR], touches: [PREF], fideslang: marketing"
    folder = edited(
        ("policy.yaml", "version: 1", "version: 2"),
        ("policy.yaml", "\neffective_on: 2014-04-01", "\neffective_on: 2027-04-01"),
        ("policy.yaml", was, was.replace("[ATTR]", "[ATTR, IND]")),
        (_EXAMPLE, "in_force: false", "in_force: true"),
    )
    assert unannounced(root, folder) == []
    edited((_EXAMPLE, "effective_on: 2027-04-01", "effective_on: 2027-03-31"))
    assert [wrong.split(":")[0] for wrong in unannounced(root, folder)] == ["P-01 uses IND"]


def test_a_record_that_ceases_narrows(edited: Edit, root: Path) -> None:
    held = documents(edited((_EXAMPLE, "in_force: false", "in_force: true")))
    (change,) = changes(held, documents(root / "policy"))
    assert (change.kind, change.is_material) == ("narrowed", False)


def test_other_changes_need_no_announcement(edited: Edit, root: Path) -> None:
    assert unannounced(root, edited(("policy.yaml", _P05, "uses: [EMAIL]"))) == []


def test_a_folder_without_a_policy_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"policy\.missing"):
        documents(tmp_path)


def diff(old: Path, new: Path) -> tuple[int, dict[str, list[dict[str, object]]]]:
    done = CliRunner().invoke(cli, ["policy", "diff", str(old), str(new), "--json"])
    return done.exit_code, json.loads(done.output)


@pytest.mark.clause("R-01")
def test_the_dry_run_says_what_tonight_would_refuse(edited: Edit, root: Path) -> None:
    folder = edited(("policy.yaml", "uses: [ITEM, SVC, PBILL, PTX, NAME,", "uses: [ITEM, SVC, PBILL, PTX,"))
    code, record = diff(root / "policy", folder)
    assert code == 13
    assert [change["what"] for change in record["changes"]] == ["P-07 uses without NAME"]
    assert any("p07__invoice.name (NAME) for P-07" in str(refusal["message"]) for refusal in record["refusals"])


def test_the_dry_run_says_that_a_policy_does_not_load(edited: Edit, root: Path) -> None:
    was = "uses: [ATTR], touches: [PREF], fideslang: analytics"
    folder = edited(("policy.yaml", was, was.replace("[ATTR]", "[ATTR, IND]")))
    code, record = diff(root / "policy", folder)
    assert code == 13
    assert [change["what"] for change in record["changes"] if change["is_material"]] == ["P-03 uses IND"]
    assert "closed list" in str(record["refusals"][0]["message"])
    assert len(record["unannounced"]) == 2
