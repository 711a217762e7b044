"""The rules of disclosure as a file: strict, closed where the clauses are closed, asking for no less than they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from quorum.errors import ConfigurationError
from quorum.policy import Policy
from quorum.register.items import OFFERED, is_referable
from quorum.register.rules import BASES, load_rules
from quorum.register.types import Rules
from quorum.tables import Catalog

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def load(root: Path, tmp_path: Path, policy: Policy) -> Callable[[Change], Rules]:
    def changed(change: Change) -> Rules:
        document = yaml.safe_load((root / "policy" / "disclosures.yaml").read_text(encoding="utf-8"))
        change(document)
        (tmp_path / "disclosures.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        return load_rules(tmp_path, policy)

    return changed


@pytest.mark.clause("D-02", "D-05")
def test_the_rules_are_those_of_the_clauses(rules: Rules) -> None:
    assert tuple(rules.bases) == BASES
    assert [code for code, basis in rules.bases.items() if basis.one_off] == ["D-04", "D-05", "D-06"]
    assert [code for code, basis in rules.bases.items() if basis.wider_than_law] == ["D-05"]
    assert [code for code, basis in rules.bases.items() if basis.may_be_untold] == ["D-04"]
    assert [code for code, basis in rules.bases.items() if basis.review_days] == ["D-06"]


@pytest.mark.clause("D-04")
def test_one_act_has_two_names_one_after_the_other(rules: Rules) -> None:
    former, present = rules.statutes["isp-liability-2001"], rules.statutes["platform-response-2025"]
    for day, names in ((date(2025, 3, 31), (True, False)), (date(2025, 4, 1), (False, True))):
        assert (former.stands_on(day), present.stands_on(day)) == names


def test_the_examples_hold_one_contract_that_is_over(rules: Rules) -> None:
    bound = {code: processor.is_bound_on(date(2026, 11, 22)) for code, processor in rules.processors.items()}
    assert bound == {"mailing-house": True, "billing-agent": False}


def test_the_rules_are_frozen(rules: Rules) -> None:
    with pytest.raises(FrozenInstanceError):
        rules.bases["D-03"].one_off = True  # type: ignore[misc]
    with pytest.raises(TypeError):
        rules.recipients["adv-99"] = rules.recipients["adv-01"]  # type: ignore[index]


WRONG: Mapping[str, Change] = {
    "a part too many": lambda d: d.update(sales={}),
    "a part too few": lambda d: d.pop("processors"),
    "a basis of its own": lambda d: d["bases"].update(sale={"name_ja": "a", "name_en": "a"}),
    "a field too many": lambda d: d["bases"]["D-03"].update(is_free=True),
    "a flag that is none": lambda d: d["bases"]["D-05"].update(wider_than_law="yes"),
    "a requirement that cannot be stated": lambda d: d["bases"]["D-04"]["requires"].append("seal"),
    "a case without a number": lambda d: d["bases"]["D-04"]["requires"].remove("case"),
    "a case without an approver": lambda d: d["bases"]["D-06"]["requires"].remove("approver"),
    "a case without a statute": lambda d: d["bases"]["D-04"]["requires"].remove("statute"),
    "a need without words": lambda d: d["bases"]["D-05"]["requires"].remove("necessity"),
    "a case for ever": lambda d: d["bases"]["D-04"].pop("one_off"),
    "a consent for once": lambda d: d["bases"]["D-03"].update(one_off=True),
    "rows as statistics": lambda d: d["bases"]["statistics"].pop("packages_only"),
    "not said to be wider": lambda d: d["bases"]["D-05"].pop("wider_than_law"),
    "never looked at again": lambda d: d["bases"]["D-06"].pop("review_days"),
    "a statute without a day": lambda d: d["statutes"]["ccp-197-2"].pop("valid_from"),
    "a statute that ends first": lambda d: d["statutes"]["ccp-197-2"].update(valid_to=date(1900, 1, 1)),
    "a name that leads nowhere": lambda d: d["statutes"]["isp-liability-2001"].update(renamed_to="x"),
    "a day that is a text": lambda d: d["processors"]["mailing-house"].update(expires_on="soon"),
    "a contract that ends first": lambda d: d["processors"]["mailing-house"].update(expires_on=date(2020, 1, 1)),
    "a processor for no purpose": lambda d: d["processors"]["mailing-house"].update(purposes=[]),
    "a processor for an unknown purpose": lambda d: d["processors"]["mailing-house"].update(purposes=["P-99"]),
    "what the purpose does not use": lambda d: d["processors"]["mailing-house"]["items"].append("NAME"),
    "a cookie for a recipient": lambda d: d["recipients"]["adv-01"]["items"].append("COOKIE"),
    "nothing for a recipient": lambda d: d["recipients"]["adv-01"].update(items=[]),
    "an item twice": lambda d: d["recipients"]["adv-01"]["items"].append("NAME"),
    "a declaration without a day": lambda d: d["recipients"]["adv-01"].update(declared_on=None),
    "a day without a declaration": lambda d: d["recipients"]["adv-01"].update(links_to_persons=None),
    "no word on linking": lambda d: d["recipients"]["adv-01"].pop("links_to_persons"),
    "an empty name": lambda d: d["recipients"]["adv-01"].update(name=" "),
    "a key that is no code": lambda d: d["recipients"].update({"a b": d["recipients"]["adv-01"]}),
    "a third party that the policy does not declare": lambda d: d["external_transmission"].update(x={"cookies": []}),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_the_officer_may_not_write_is_refused(load: Callable[[Change], Rules], what: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(WRONG[what])
    assert refused.value.rule == "policy.disclosures"


def test_as_it_stands_it_loads(load: Callable[[Change], Rules], rules: Rules) -> None:
    assert load(lambda _: None) == rules


@pytest.mark.parametrize("text", [None, "bases: [", "- a"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, policy: Policy, text: str | None) -> None:
    if text is not None:
        (tmp_path / "disclosures.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        load_rules(tmp_path, policy)


@pytest.mark.clause("K-03")
def test_the_closed_list_is_what_the_statements_give_under_the_same_category(catalog: Catalog, policy: Policy) -> None:
    for code, (table, column) in OFFERED.items():
        assert catalog[table].column(column).category == code
        assert policy.columns[code].klass != "pseudonym"
    assert not {"COOKIE", "IP", "MEMBER", "RAW", "KEY", "NET"} & set(OFFERED)
    for table in ("d03__registration", "d03__purchase"):
        taken = {column.name for column in catalog[table].columns} - {"person_n"}
        assert taken == {column for owner, column in OFFERED.values() if owner == table}


def test_what_names_nobody_is_personally_referable() -> None:
    assert is_referable(["ITEM", "FEE", "GEN", "ZIP", "DOB", "NICK"])
    for naming in ("NAME", "EMAIL", "ADDR", "TEL", "BANK", "CARD"):
        assert not is_referable(["ITEM", naming])


@pytest.mark.clause("D-04")
def test_no_table_of_a_disclosure_is_kept_or_scheduled(catalog: Catalog) -> None:
    from pipelines.definitions import draw

    tables = {"d03__registration", "d03__purchase", "vault__disclosure_scope"}
    assert all(catalog[table].in_memory for table in tables)
    assert catalog["vault__disclosure"].on_request
    drawn = draw(object(), [])  # type: ignore[arg-type]
    assets = {key.to_user_string() for asset in drawn.assets or () for key in asset.keys}  # type: ignore[union-attr]
    assert "vault__request" in assets
    assert not assets & {*tables, "vault__disclosure"}
