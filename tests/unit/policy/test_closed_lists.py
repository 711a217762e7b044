"""What a purpose may use is a closed list in code; a dated record in force is the only thing that widens it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from quorum.errors import ConfigurationError, PolicyError, QuorumError
from quorum.policy import Policy, load_policy
from quorum.policy.clauses import CLAUSES
from quorum.policy.closed import ATTR, ATTR_ONLY, CLASS_OF, GUARDED, PURPOSES
from quorum.policy.sensitive import MATTERS, matter_of

Edit = Callable[..., Path]

TODAY = date(2026, 11, 22)
_LISTED = [
    "NAME",
    "EMAIL",
    "ADDR",
    "TEL",
    "DOB",
    "IP",
    "COOKIE",
    "MEMBER",
    "RAW",
    "BANK",
    "CARD",
    "PAYM",
    "NICK",
    "IND",
    "INT",
    "FEE",
    "PTX",
    "PBILL",
    "MODE",
    "ARR",
    "MAILRES",
    "INQ",
]


def widen(purpose: str, category: str, field: str = "uses") -> tuple[str, str, str]:
    line = f"uses: [ATTR], touches: [PREF], fideslang: {_USE[purpose]}"
    wider = {
        "uses": f"uses: [ATTR, {category}], touches: [PREF]",
        "touches": f"uses: [ATTR], touches: [PREF, {category}]",
    }
    return "policy.yaml", line, f"{wider[field]}, fideslang: {_USE[purpose]}"


_USE = {
    "P-01": "marketing.advertising.first_party.targeted",
    "P-02": "functional.service.improve",
    "P-03": "analytics.reporting.ad_performance",
}


def record(
    folder: Path,
    *,
    widens: str = "{purpose: P-03, category: IND}",
    in_force: str = "true",
    more: str = "",
    name: str = "",
) -> Path:
    slug = name or "2026-11-20-test"
    (folder / "decisions" / f"{slug}.yaml").write_text(
        f"id: {slug}\ndecided_on: 2026-11-20\ndecided_by: officer\nin_force: {in_force}\neffective_on: 2026-12-01\n"
        f"widens: {widens}\nreason: a reason\nreview_on: 2027-06-01\nclause: P-03\n{more}",
        encoding="utf-8",
    )
    return folder


@pytest.mark.parametrize("field", ["uses", "touches"])
@pytest.mark.parametrize("purpose", ATTR_ONLY)
@pytest.mark.parametrize("category", _LISTED)
def test_a_category_outside_attr_is_refused_by_name(edited: Edit, purpose: str, category: str, field: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(edited(widen(purpose, category, field)))
    message = str(caught.value)
    assert caught.value.exit_code == 13
    assert caught.value.rule == "policy.closed_list"
    for part in (f"{purpose} ({field})", category, "ATTR is a closed list", "policy/decisions/"):
        assert part in message


def test_the_guarded_categories_are_those_of_the_policy(policy: Policy) -> None:
    assert {code for code, klass in CLASS_OF.items() if klass in GUARDED} == set(_LISTED)
    assert set(_LISTED) < set(policy.columns)
    assert {code: category.klass for code, category in policy.columns.items() if code in CLASS_OF} == dict(CLASS_OF)


def test_what_a_new_version_of_columns_names_otherwise_is_refused_too(edited: Edit) -> None:
    hobby = (
        "columns.yaml",
        "  AGE: ",
        "  HOBBY: {class: restricted, ja: 趣味, en: hobby, zones: [vault], fideslang: user.x}\n  AGE: ",
    )
    load_policy(edited(hobby))
    with pytest.raises(PolicyError, match=r"P-01 \(uses\) names HOBBY"):
        load_policy(edited(widen("P-01", "HOBBY")))


@pytest.mark.parametrize("klass", ["attribute", "fact", "pseudonym", "statistic", "choice"])
def test_a_category_that_code_does_not_know_is_guarded(edited: Edit, klass: str) -> None:
    hobby = f"  HOBBY: {{class: {klass}, ja: 趣味, en: hobby, zones: [vault], fideslang: user.x}}\n  AGE: "
    with pytest.raises(PolicyError, match=f"HOBBY .* {klass}"):
        load_policy(edited(("columns.yaml", "  AGE: ", hobby)))


@pytest.mark.clause("P-01", "P-02", "P-03")
def test_a_choice_may_decide_about_rows_but_not_get_into_them(edited: Edit) -> None:
    assert all("PREF" in load_policy(edited()).purposes[code].touches for code in ATTR_ONLY)
    with pytest.raises(PolicyError, match=r"P-02 \(uses\) names PREF"):
        load_policy(edited(widen("P-02", "PREF")))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("attr: [ZIP,", "attr: [IND, ZIP,", "attr names IND"),
        ("attr: [ZIP,", "attr: [COOKIE, ZIP,", "attr names COOKIE"),
        ("attr: [ZIP, GEN,", "attr: [ZIP,", "attr without GEN"),
    ],
)
def test_attr_is_the_list(edited: Edit, old: str, new: str, named: str) -> None:
    with pytest.raises(PolicyError, match=named):
        load_policy(edited(("policy.yaml", old, new)))


def test_attr_is_ten_categories(policy: Policy) -> None:
    assert set(policy.attr) == set(ATTR) == {"ZIP", "GEN", "OCC", "AGE", "SVC", "ITEM", "VIEW", "TIME", "HOW", "ENV"}


@pytest.mark.parametrize("zone", ["pseudo", "seg", "cube", "safe", "out"])
@pytest.mark.parametrize("category", ["IND", "INT", "DOB", "IP", "COOKIE", "NAME", "FEE", "PBILL"])
def test_no_zone_behind_the_vault_is_opened_to_what_is_not_in_attr(edited: Edit, category: str, zone: str) -> None:
    folder = edited()
    text = (folder / "columns.yaml").read_text(encoding="utf-8")
    wider = re.sub(rf"(  {category}: .*zones: \[vault)", rf"\1, {zone}", text)
    assert wider != text
    (folder / "columns.yaml").write_text(wider, encoding="utf-8")
    with pytest.raises(PolicyError, match=f"{category} .* into zone {zone}"):
        load_policy(folder)


@pytest.mark.parametrize(
    ("category", "old", "new"),
    [
        ("IND", "restricted", "attribute"),
        ("IND", "restricted", "fact"),
        ("DOB", "restricted", "attribute"),
        ("IP", "identifier", "pseudonym"),
        ("COOKIE", "identifier", "restricted"),
        ("AGE", "attribute", "fact"),
        ("KEY", "pseudonym", "fact"),
        ("FACT", "fact", "attribute"),
    ],
)
def test_a_class_is_not_relaxed(edited: Edit, category: str, old: str, new: str) -> None:
    folder = edited()
    text = (folder / "columns.yaml").read_text(encoding="utf-8")
    other = re.sub(rf"(  {category}: +{{class: ){old}", rf"\1{new}", text)
    assert other != text
    (folder / "columns.yaml").write_text(other, encoding="utf-8")
    with pytest.raises(PolicyError, match=f"columns.yaml makes {category} .* {new}"):
        load_policy(folder)


def test_a_pseudonym_never_gets_into_a_cube(edited: Edit) -> None:
    with pytest.raises(PolicyError, match=r"KEY .* into zone cube"):
        load_policy(
            edited(
                (
                    "columns.yaml",
                    "zones: [vault, pseudo, seg, extract], fideslang: user.unique_id.pseudonymous",
                    "zones: [cube], fideslang: user.unique_id.pseudonymous",
                )
            )
        )


@pytest.mark.clause("C-08")
def test_the_purposes_are_eleven(edited: Edit, policy: Policy) -> None:
    assert set(policy.purposes) == {*PURPOSES, "INFRA"}
    assert len(PURPOSES) == 11
    twelfth = "scopes:\n"
    added = "  P-12: {name_ja: x, name_en: x, uses: [ATTR], fideslang: sales}\nscopes:\n"
    with pytest.raises(PolicyError, match="purpose P-12 is not one of them"):
        load_policy(edited(("policy.yaml", twelfth, added)))


@pytest.mark.clause("C-08")
def test_a_purpose_that_is_gone_is_refused(edited: Edit) -> None:
    with pytest.raises(PolicyError, match=r"purpose P-0[1-9] is|purpose P-1X is"):
        load_policy(edited(("policy.yaml", "  P-02: {", "  P-1X: {")))


# Decision records


@pytest.mark.clause("P-03")
def test_a_record_in_force_lets_in_just_its_category(edited: Edit) -> None:
    folder = record(edited(widen("P-03", "IND")))
    opened = load_policy(folder, TODAY)
    assert "IND" in opened.purposes["P-03"].uses
    with pytest.raises(PolicyError, match=r"P-01 \(uses\) names IND"):
        load_policy(edited(widen("P-01", "IND")), TODAY)


def test_what_a_record_lets_in_is_not_used_if_it_was_collected_before(edited: Edit) -> None:
    opened = load_policy(record(edited(widen("P-03", "IND"))), TODAY)
    effect = datetime(2026, 11, 30, 15, tzinfo=UTC).replace(tzinfo=None)  # 1 December in Tokyo
    assert opened.purposes["P-03"].collected_from(["IND", "GEN"]) == effect
    assert opened.purposes["P-03"].collected_from(["GEN"]) < effect


def test_a_record_permits_and_changes_nothing_by_itself(edited: Edit, policy: Policy) -> None:
    opened = load_policy(record(edited()), TODAY)
    assert opened.purposes == policy.purposes
    assert opened.columns == policy.columns


@pytest.mark.parametrize(
    ("in_force", "more", "today"),
    [("false", "", TODAY), ("true", "expires_on: 2026-12-31\n", date(2027, 1, 1))],
)
def test_a_record_that_does_not_hold_lets_nothing_in(edited: Edit, in_force: str, more: str, today: date) -> None:
    folder = record(edited(widen("P-03", "IND")), in_force=in_force, more=more)
    with pytest.raises(PolicyError, match=r"P-03 \(uses\) names IND"):
        load_policy(folder, today)


def test_a_record_holds_through_its_last_day(edited: Edit) -> None:
    folder = record(edited(widen("P-03", "IND")), more="expires_on: 2026-12-31\n")
    assert "IND" in load_policy(folder, date(2026, 12, 31)).purposes["P-03"].uses


def test_a_record_widens_the_list_itself(edited: Edit) -> None:
    folder = record(edited(("policy.yaml", "attr: [ZIP,", "attr: [IND, ZIP,")), widens="{attr: IND}")
    opened = load_policy(folder, TODAY)
    assert all("IND" in opened.purposes[code].uses for code in ATTR_ONLY)
    assert all("IND" in opened.purposes[code].uses_from for code in ATTR_ONLY)
    assert "IND" not in opened.purposes["P-04"].uses_from  # it had it before, by name


def test_a_record_opens_class_and_zones_of_its_category_alone(edited: Edit) -> None:
    relaxed = (
        "columns.yaml",
        "  IND:     {class: restricted, ja: 業種,            en: industry,                   zones: [vault,",
        "  IND: {class: attribute, ja: 業種, en: industry, zones: [vault, pseudo, seg, cube, out,",
    )
    folder = record(edited(relaxed))
    assert load_policy(folder, TODAY).columns["IND"].klass == "attribute"
    record(folder, widens="{purpose: P-01, category: IND}")
    with pytest.raises(PolicyError, match=r"IND .* into zone cube"):  # P-01 is for persons, and makes no cube
        load_policy(folder, TODAY)
    record(folder, widens="{purpose: P-03, category: INT}")
    with pytest.raises(PolicyError, match=r"columns\.yaml makes IND"):
        load_policy(folder, TODAY)


def test_an_identifier_stays_one_whatever_is_decided(edited: Edit) -> None:
    folder = record(edited(widen("P-03", "IP")), widens="{purpose: P-03, category: IP}")
    assert load_policy(folder, TODAY).columns["IP"].klass == "identifier"
    text = (folder / "columns.yaml").read_text(encoding="utf-8")
    (folder / "columns.yaml").write_text(
        text.replace("network address,            zones: [vault]", "network address, zones: [vault, out]"),
        encoding="utf-8",
    )
    with pytest.raises(PolicyError, match=r"IP .* into zone out"):
        load_policy(folder, TODAY)


@pytest.mark.clause("P-01")
def test_the_committed_example_is_not_in_force(edited: Edit, policy: Policy) -> None:
    (example,) = [decision for decision in policy.decisions if decision.category == "IND"]
    assert (example.purpose, example.in_force) == ("P-01", False)
    assert not example.holds(TODAY)
    with pytest.raises(PolicyError, match=r"P-01 \(uses\) names IND"):
        load_policy(edited(widen("P-01", "IND")), TODAY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("in_force: true", "in_force: 'yes'"),
        ("in_force: true\n", ""),
        ("reason: a reason", "reason: a reason\nbecause: it helps"),
        ("reason: a reason", "reason: ''"),
        ("id: 2026-11-20-test", "id: 2026-11-21-test"),
        ("decided_on: 2026-11-20", "decided_on: 2026-11-19"),
        ("effective_on: 2026-12-01", "effective_on: 2026-11-19"),
        ("effective_on: 2026-12-01", "effective_on: soon"),
        ("review_on: 2027-06-01", "review_on: 2026-11-20"),
        ("clause: P-03", "clause: P-99"),
        ("category: IND", "category: XYZ"),
        ("purpose: P-03", "purpose: P-04"),
        ("{purpose: P-03, category: IND}", "{purpose: P-03}"),
        ("{purpose: P-03, category: IND}", "{purpose: P-03, attr: IND}"),
        ("{purpose: P-03, category: IND}", "[P-03, IND]"),
        ("category: IND}", "category: IND, values: []}"),
        ("clause: P-03", "clause: P-03\nexpires_on: 2026-11-30"),
        ("clause: P-03", "clause: P-03\nin_force: true"),
    ],
)
def test_a_record_that_is_not_one_is_refused(edited: Edit, old: str, new: str) -> None:
    path = record(edited()) / "decisions" / "2026-11-20-test.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigurationError):
        load_policy(path.parents[1], TODAY)


@pytest.mark.parametrize("name", ["2026-11-20.yaml", "2026-11-20-test.yml", "later/2026-11-20-test.yaml", "note.txt"])
def test_a_file_that_is_not_named_as_a_record_is_refused(edited: Edit, name: str) -> None:
    folder = edited()
    path = folder / "decisions" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("id: x\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"policy\.decision"):
        load_policy(folder, TODAY)


# Matters that need special care


def test_the_eleven_matters_are_known(policy: Policy) -> None:
    assert {matter.code for matter in policy.matters} == set(MATTERS)
    assert len(MATTERS) == 11


@pytest.mark.parametrize("in_force", ["true", "false"])
def test_a_record_with_a_sensitive_value_is_refused(edited: Edit, in_force: str) -> None:
    widens = "{purpose: P-01, category: INT, values: [旅行, 本人の病歴]}"
    with pytest.raises(PolicyError, match="medical_history") as caught:
        load_policy(record(edited(), widens=widens, in_force=in_force), TODAY)
    assert caught.value.rule == "policy.sensitive"
    assert "旅行" not in str(caught.value)


def test_a_record_with_other_values_is_not(edited: Edit) -> None:
    opened = load_policy(record(edited(), widens="{purpose: P-01, category: INT, values: [旅行, 料理]}"), TODAY)
    assert [d.values for d in opened.decisions if d.category == "INT"] == [("旅行", "料理")]


@pytest.mark.parametrize(
    "category",
    ["{class: restricted, ja: 健診, en: check-ups", "{class: restricted, sensitive: true, ja: 体質, en: constitution"],
)
def test_a_sensitive_category_is_refused_even_with_a_record(edited: Edit, category: str) -> None:
    body = f"  BODY: {category}, zones: [vault], fideslang: user.health_and_medical}}\n  AGE: "
    folder = edited(("columns.yaml", "  AGE: ", body))
    assert load_policy(folder, TODAY).columns["BODY"].is_sensitive
    record(folder, widens="{purpose: P-03, category: BODY}")
    with pytest.raises(PolicyError, match="record 2026-11-20-test"):
        load_policy(folder, TODAY)
    with pytest.raises(PolicyError, match="special care") as caught:
        load_policy(edited(widen("P-03", "BODY")), TODAY)
    assert caught.value.rule == "policy.sensitive"


def test_a_list_of_matters_can_grow_and_not_shrink(edited: Edit) -> None:
    with pytest.raises(PolicyError, match="without creed"):
        load_policy(edited(("sensitive.yaml", "  creed: ", "  credo: ")))


def test_a_published_category_about_a_sensitive_matter_is_refused(edited: Edit) -> None:
    patients = "  - {key: patient, terms: [通院中], ja: 療養, en: convalescent}\n  - {key: student,"
    with pytest.raises(PolicyError, match="patient of occupations is about medical_care"):
        load_policy(edited(("categories.yaml", "  - {key: student,", patients)))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Criminal Record", "criminal_record"),
        ("racing", None),
        ("人種", "race"),
        ("インテリア", None),
        ("Race", "race"),
    ],
)
def test_words_are_told_whole(policy: Policy, text: str, code: str | None) -> None:
    found = matter_of(policy.matters, text)
    assert (found and found.code) == code


# Strictness


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("policy.yaml", "version: 1", "version: '1'"),
        ("policy.yaml", "version: 1", "version: 0"),
        ("policy.yaml", "version: 1\n", "version: 1\nverison: 1\n"),
        ("policy.yaml", "effective_on: 2014-04-01", "effective_on: 2014-04"),
        ("policy.yaml", "touches: [PREF], fideslang: market", "touch: [PREF], fideslang: market"),
        ("policy.yaml", "  P-02: {", "  P-01: {"),
        ("policy.yaml", "uses: [ATTR], touches: [PREF]", "uses: ATTR, touches: [PREF]"),
        ("policy.yaml", "stops: [P-01]}", "stops: [P-01], until: 2027}"),
        ("policy.yaml", "named: [NAME,", "named: [NAME, NAME,"),
        ("policy.yaml", "  email: privacy@portal.example\n", ""),
        ("columns.yaml", "{class: identifier, ja: 氏名,", "{class: identifier, klass: fact, ja: 氏名,"),
        ("columns.yaml", "{class: identifier, ja: 氏名,", "{class: none, ja: 氏名,"),
        ("columns.yaml", "fideslang: user.name}", "fideslang: ''}"),
        ("columns.yaml", "categories:\n", "categoreis: {}\ncategories:\n"),
        ("roles.yaml", "acts: [correct, case]", "acst: [correct, case]"),
        ("roles.yaml", "unlisted: operator", "unlisted: operator\ndefault: desk"),
        ("roles.yaml", "unlisted: operator", "unlisted: nobody"),
        ("sensitive.yaml", "{ja: 人種, en: race,", "{ja: 人種, en: race, note: x,"),
        ("clauses.yaml", "    enforced_by: [quorum.intake.members", "    enforced: [quorum.intake.members"),
    ],
)
def test_what_a_file_may_not_say_is_refused(edited: Edit, name: str, old: str, new: str) -> None:
    with pytest.raises(ConfigurationError):
        load_policy(edited((name, old, new)), TODAY)


def test_the_clauses_are_thirty_five(edited: Edit, policy: Policy) -> None:
    assert len(CLAUSES) == 35
    assert [code for code in policy.clauses if code[-1].isdigit()] == list(CLAUSES)
    with pytest.raises(QuorumError, match="clause Q-01 is missing"):
        load_policy(edited(("clauses.yaml", "  Q-01:\n", "  Q-02:\n")), TODAY)


@pytest.mark.parametrize("item", ["COOKIE", "MEMBER", "KEY"])
@pytest.mark.clause("K-03")
def test_nothing_of_the_portals_own_is_sent_to_a_third_party(edited: Edit, item: str) -> None:
    with pytest.raises(PolicyError, match=f"{item} is sent to a third party"):
        load_policy(edited(("policy.yaml", "items: [IP, VIEW", f"items: [IP, {item}, VIEW")), TODAY)


def test_a_part_belongs_to_its_clause(edited: Edit) -> None:
    with pytest.raises(ConfigurationError, match="P-04n in P-03"):
        load_policy(edited(("clauses.yaml", "      P-03n:", "      P-04n:")), TODAY)


def test_a_matter_without_terms_tells_nothing(edited: Edit) -> None:
    folder = edited()
    text = (folder / "sensitive.yaml").read_text(encoding="utf-8")
    (folder / "sensitive.yaml").write_text(re.sub(r"terms: \[人種[^\]]*\]", "terms: []", text), encoding="utf-8")
    with pytest.raises(PolicyError, match="race has no terms"):
        load_policy(folder, TODAY)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("policy.yaml", "  third_parties:\n    - host", "  third_parties:\n      host"),
        ("policy.yaml", "attr: [ZIP,", "attr: [7, ZIP,"),
        ("roles.yaml", "actors: {}", "actors: [nobody]"),
        ("categories.yaml", "regions:\n", "areas:\n"),
        ("columns.yaml", "categories:\n", "- categories:\n"),
    ],
)
def test_what_is_not_laid_out_as_expected_is_refused(edited: Edit, name: str, old: str, new: str) -> None:
    with pytest.raises(ConfigurationError):
        load_policy(edited((name, old, new)), TODAY)


@pytest.mark.parametrize("name", ["postal_prefectures.csv", "sensitive.yaml", "clauses.yaml", "roles.yaml"])
def test_no_file_may_be_missing(edited: Edit, name: str) -> None:
    folder = edited()
    (folder / name).unlink()
    with pytest.raises(ConfigurationError, match=r"policy\.missing"):
        load_policy(folder, TODAY)


def test_a_file_that_is_no_mapping_is_refused(edited: Edit) -> None:
    folder = edited()
    (folder / "roles.yaml").write_text("- a list\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is not a mapping"):
        load_policy(folder, TODAY)


def test_labels_are_found_by_key(policy: Policy) -> None:
    assert policy.label("genders", "female", "ja") == "女性"
    assert policy.label("genders", "female", "en") == "female"
    assert policy.label("genders", "none such", "en") == "none such"


def test_a_record_that_is_dated_after_today_is_not_decided_yet(edited: Edit) -> None:
    folder = record(edited(widen("P-03", "IND")))
    assert load_policy(folder, date(2026, 11, 20))
    with pytest.raises(PolicyError) as caught:
        load_policy(folder, date(2026, 11, 19))
    assert caught.value.rule == "policy.closed_list"


@pytest.mark.parametrize(
    "value", ["病\u200b歴", "病 歴", "病・歴", "medical_history", "Medical-History", "ｍｅｄｉｃａｌ＿ｈｉｓｔｏｒｙ"]
)
def test_a_sensitive_value_is_told_in_any_spelling(edited: Edit, value: str) -> None:
    folder = record(edited(), widens=f'{{purpose: P-03, category: IND, values: ["{value}"]}}')
    with pytest.raises(PolicyError) as caught:
        load_policy(folder)
    assert caught.value.rule == "policy.sensitive"


def test_a_category_is_sensitive_by_its_key_in_the_taxonomy_too(edited: Edit) -> None:
    line = "  NAME:    {class: identifier"
    state = "  STATE: {class: restricted, ja: 状態, en: state, zones: [vault], fideslang: user.medical_history}\n"
    folder = record(edited(("columns.yaml", line, state + line)), widens="{purpose: P-03, category: STATE}")
    with pytest.raises(PolicyError) as caught:
        load_policy(folder)
    assert caught.value.rule == "policy.sensitive"
