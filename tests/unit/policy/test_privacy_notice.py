"""The notice says what the policy's files say, in two languages, and what changes, if that is announced in time."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli import cli
from quorum.policy import load_policy
from quorum.policy.diff import documents
from quorum.report.notice import render_notice

Edit = Callable[..., Path]
_P05 = "uses: [EMAIL, ADDR]"
_EXAMPLE = "decisions/2026-11-22-industry-for-advertisements.yaml"
_NEXT = (
    ("policy.yaml", "version: 1", "version: 2"),
    ("policy.yaml", "\neffective_on: 2014-04-01", "\neffective_on: 2027-04-01"),
)


def pages(new: Path, old: Path | None = None) -> dict[str, str]:
    rendered = render_notice(load_policy(new), documents(new), None if old is None else documents(old))
    return {name.split(".")[1]: page.decode() for name, page in rendered.items()}


@pytest.mark.clause("Q-01")
def test_the_notice_has_everything_that_the_policy_says(root: Path) -> None:
    policy, both = load_policy(root / "policy"), pages(root / "policy")
    for language, written in both.items():
        page = unescape(written)
        for purpose in policy.purposes.values():
            if purpose.code != "INFRA":
                assert (purpose.name_ja if language == "ja" else purpose.name_en) in page
                assert (getattr(policy.clauses[purpose.code], language)) in page
        for code in {*policy.registration.named, *policy.registration.extras, *policy.attr}:
            assert getattr(policy.columns[code], language) in page
        for code in ("D-03", "D-04", "D-05", "D-06"):
            assert getattr(policy.clauses[code], language) in page
        for said in (policy.contact.email, policy.contact.url, getattr(policy.contact, language), policy.digest):
            assert said in page
        for party in policy.third_parties:
            assert party.host in page
            assert party.opt_out_url in page
        assert ("2014年4月1日" if language == "ja" else "1 April 2014") in page
        assert ("400日" if language == "ja" else "400 days") in page
    assert 'href="notice.en.html"' in both["ja"]
    assert 'href="notice.ja.html"' in both["en"]


def test_a_choice_stops_the_samples_of_p03_and_not_its_statistics(root: Path) -> None:
    page = pages(root / "policy")["ja"]
    choices = page[page.index("お客さまの選択") : page.index("同意はいつでも撤回できます")]
    assert "広告主等のためのアンケート対象者の抽出" in choices
    assert "統計の提供" not in choices


def test_the_notice_is_self_contained_and_always_the_same(root: Path) -> None:
    first, second = pages(root / "policy"), pages(root / "policy")
    assert first == second
    for page in first.values():
        assert "<script" not in page
        assert not re.search(r'(src|@import|url\()\s*=?\s*"?http', page)


@pytest.mark.clause("R-02")
def test_a_material_change_is_said_in_both_languages(edited: Edit, root: Path) -> None:
    new = edited(*_NEXT, ("policy.yaml", _P05, "uses: [EMAIL, ADDR, TEL], uses_from: {TEL: 2027-04-01}"))
    both = pages(new, root / "policy")
    assert "「お知らせ・連絡」のために、新たに「電話番号」を用います。" in both["ja"]
    assert "2027年4月1日以降に集めた情報に限ります" in both["ja"]
    assert "Telephone number is newly used for: Notices and necessary contact." in both["en"]
    assert "第1版" in both["ja"]


@pytest.mark.clause("R-02")
@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("policy.yaml", _P05, "uses: [EMAIL]", "「お知らせ・連絡」のために、「住所」を用いなくなります。"),
        ("policy.yaml", "stops: [P-01]", "stops: [P-01, P-05]", "の対象に、「お知らせ・連絡」を加えます。"),
        ("policy.yaml", "email: privacy@", "email: desk@", "お問い合わせの窓口を改めます。"),
        ("policy.yaml", "host: tag.", "host: tags.", "送信先となる事業者の一覧を改めます。"),
        ("policy.yaml", "[ADDR, TEL, NICK", "[ADDR, DOB, TEL, NICK", "新たに「生年月日」を伺います。"),
        ("reports.yaml", "recipient_kinds: [site]", "recipient_kinds: [site, broker]", "統計の提供先に「broker」を"),
        ("retention.yaml", "vault:  {days: 400", "vault:  {days: 430", "登録情報・受け取った記録（400日→430日）"),
        ("disclosures.yaml", "  D-06:\n", "  D-07:\n", "新たに「D-07」を加えます。"),
        (_EXAMPLE, "in_force: false", "in_force: true", "「広告・内容の最適化」に「業種」"),
        ("policy.yaml", "  P-09: {", "  P-09: {effective_on: 2027-04-01, ", "2027年4月1日以降に集めた情報に限ります"),
        ("reports.yaml", "  sections:\n", "  parts:\n", "新しい統計の提供を始めます：閲覧状況レポート。"),
        ("retention.yaml", "  safe:   {days: 3650", "  safe:   {days: 3651", "内部の運用に関する変更が"),
        ("disclosure.yaml", "impressions: 50", "impressions: 60", "内部の運用に関する変更が"),
    ],
)  # fmt: skip
def test_a_change_is_said_in_a_sentence(edited: Edit, root: Path, name: str, old: str, new: str, said: str) -> None:
    assert said in pages(edited(*_NEXT, (name, old, new)), root / "policy")["ja"]


def test_what_is_given_up_is_named_as_it_was(edited: Edit, root: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(root / "policy", old)
    text = (old / "policy.yaml").read_text(encoding="utf-8")
    (old / "policy.yaml").write_text(text.replace(_P05, "uses: [EMAIL, ADDR, SHOE]"), encoding="utf-8")
    shoe = "  SHOE: {class: restricted, ja: 靴の寸法, en: shoe size, zones: [vault], fideslang: user.x}\n  AGE: "
    columns = (old / "columns.yaml").read_text(encoding="utf-8")
    (old / "columns.yaml").write_text(columns.replace("  AGE: ", shoe, 1), encoding="utf-8")
    assert "「靴の寸法」を用いなくなります。" in pages(edited(*_NEXT), old)["ja"]


@pytest.mark.clause("R-02")
def test_a_notice_with_a_wrong_date_is_not_written(edited: Edit, root: Path, tmp_path: Path) -> None:
    new = edited(("policy.yaml", _P05, "uses: [EMAIL, ADDR, TEL]"))
    out = tmp_path / "notice"
    done = CliRunner().invoke(
        cli, ["policy", "notice", "--old", str(root / "policy"), "--policy", str(new), "--out", str(out)]
    )
    assert getattr(done.exception, "exit_code", done.exit_code) == 13
    assert not out.exists()


def test_the_command_writes_both_pages(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "notice"
    done = CliRunner().invoke(cli, ["policy", "notice", "--policy", str(root / "policy"), "--out", str(out)])
    assert done.exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == ["notice.en.html", "notice.ja.html"]
