"""Nicknames that may be shown: two columns, an id that leads nowhere, and nothing that names the member."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Any

import pytest

from quorum.extract.nicknames import Known, fault
from quorum.extract.p09 import public_nickname
from quorum.keys import KeyRing
from quorum.tables import Catalog

HANAKO = Known(name="佐藤 花子", email="hanako.sato@mail.example", phone="090-1234-5678")


def member(n: int, **changed: Any) -> dict[str, Any]:
    row = {"file_n": 1, "line_n": n, "member_id": f"m-{n}", "updated_at": datetime.fromisoformat("2026-11-01")}
    return row | {"name": "佐藤 花子", "email": HANAKO.email, "phone": HANAKO.phone, "nickname": "はなちゃん"} | changed


@pytest.mark.parametrize(
    "nickname",
    [
        "はなちゃん",
        "花子",
        "さとう",
        "neko_99",
        "太郎さん（東京）",
        "(>_<)",
        "@hana",
        "猫、犬",
        "2026年",
        "R2-D2",
        "👨\u200d👩\u200d👧",
        "花子@東京",
        "☆彡",
    ],
)
def test_a_nickname_that_names_nobody_is_shown(nickname: str) -> None:
    assert fault(nickname, HANAKO) is None


@pytest.mark.clause("P-09")
@pytest.mark.parametrize(
    ("nickname", "reason"),
    [
        ("hanako@mail.example", "email"),
        ("ｈａｎａｋｏ＠ｍａｉｌ．ｅｘａｍｐｌｅ", "email"),
        ("write to hanako (at) mail (dot) example", "email"),
        ("hanako @ mail.example", "email"),
        ("hanako＠mail。example", "email"),
        ("hanako sato mail example", "email"),
        ("taro at mail dot example dot jp", "email"),
        ("○九○一二三四○○九九", "telephone"),
        ("零九零-壱弐参四-五六七八", "telephone"),
        ("080~7777~0099", "number"),
        ("゜０８０☎７７７７☎５６７８", "number"),
        ("子花藤佐", "real_name"),
        ("\u3164", "empty"),
        ("\u2800\u2800", "empty"),
        ("090-1234-5678", "telephone"),
        ("０９０−１２３４ー５６７８", "telephone"),
        ("〇九〇一二三四五六七八", "telephone"),
        ("090a1234b5678", "telephone"),
        ("+81 90 1234 5678", "telephone"),
        ("tel 03.9876.5432", "number"),
        ("4111 1111 1111 1111", "number"),
        ("0001-001-1234567", "number"),
        ("1234567", "number"),
        ("a1b2c3d4e5f6a7b8", "identifier"),
    ],
)
def test_an_address_or_a_number_is_refused(nickname: str, reason: str) -> None:
    assert fault(nickname, HANAKO) == reason


@pytest.mark.clause("P-09")
@pytest.mark.parametrize(
    ("nickname", "name"),
    [
        ("佐藤花子", "佐藤 花子"),
        ("佐藤　花子です", "佐藤 花子"),
        ("花子・佐藤", "佐藤 花子"),
        ("花子佐藤", "佐藤花子"),
        ("花子☆佐藤", "佐藤花子"),
        ("花子 from 佐藤家", "佐藤 花子"),
        ("サトウハナコ", "さとう はなこ"),
        ("ｻﾄｳﾊﾅｺ", "サトウ　ハナコ"),
        ("がｷﾞぐ", "ガギグ"),
        ("SATO hanako", "Sato Hanako"),
        ("hanako_sato99", "Sato Hanako"),
        ("ＨＡＮＡＫＯ ＳＡＴＯ", "sato hanako"),
        ("elodie dupre", "Élodie Dupré"),
        ("佐\u200b藤花子", "佐藤 花子"),
        ("森", "森"),
        ("森 林", "森 林"),
    ],
)
def test_the_members_real_name_is_refused_however_it_is_written(nickname: str, name: str) -> None:
    assert fault(nickname, Known(name=name)) in {"real_name", "control"}


def test_another_members_name_and_a_part_of_ones_own_are_no_real_name() -> None:
    assert fault("鈴木一郎", HANAKO) is None
    assert fault("花子", HANAKO) is None
    assert fault("森の熊", Known(name="森")) is None


@pytest.mark.parametrize(
    ("nickname", "reason"),
    [
        ("", "empty"),
        (" 　 ", "empty"),
        ("\u200b", "empty"),
        ("は\u202eな", "control"),
        ("は\nな", "control"),
        ("は\x00な", "control"),
        ("\ue000", "empty"),
        ("<b>はな</b>", "markup"),
        ("＜script＞", "markup"),
        ("はな&amp;", "markup"),
        ("[はな](x)", "markup"),
        ("https://はな", "markup"),
        ("は" * 65, "too_long"),
    ],
)
def test_what_cannot_be_shown_is_refused(nickname: str, reason: str) -> None:
    assert fault(nickname, HANAKO) == reason


@pytest.mark.clause("P-09")
def test_the_table_has_two_columns_and_an_id_under_a_key_of_its_own(put, make, catalog: Catalog, keys: KeyRing) -> None:
    put("vault__member", member(1, nickname="  はなちゃん　"))
    found = make("p09__public_nickname", public_nickname)
    assert [column.name for column in catalog["p09__public_nickname"].columns] == ["public_id", "nickname"]
    public, inside = (
        hmac.new(keys.derive(f"pseudonym/{kind}"), b"m-1", hashlib.sha256).hexdigest()[:32]
        for kind in ("public", "member")
    )
    assert found.rows.to_pylist() == [{"public_id": public, "nickname": "はなちゃん"}]
    assert public != inside


def test_what_must_be_refused_is_left_out_and_counted(put, make) -> None:
    nicknames = ["はなちゃん", "花子佐藤", "0312345678", "x@y.example", "x@z.example", None]
    put("vault__member", *(member(n, nickname=nickname) for n, nickname in enumerate(nicknames, 1)))
    found = make("p09__public_nickname", public_nickname)
    assert found.rows["nickname"].to_pylist() == ["はなちゃん"]
    assert dict(found.refused) == {"real_name": 1, "telephone": 1, "email": 2}


def test_the_name_that_stands_is_compared_whichever_version_gave_it(put, make) -> None:
    put("vault__member", member(1, name="鈴木 花子", nickname="佐藤花子"), member(2, nickname="old", name=None))
    put(
        "vault__member",
        member(1, name="佐藤 花子", nickname="佐藤花子", updated_at=datetime.fromisoformat("2026-11-02"), file_n=2),
    )
    found = make("p09__public_nickname", public_nickname)
    assert found.rows.num_rows == 0
    assert dict(found.refused) == {"real_name": 1}


def test_reading_the_names_is_noted_for_the_purpose(put, make, desk) -> None:
    put("vault__member", member(1))
    make("p09__public_nickname", public_nickname)
    reads = [entry.body for entry in desk.ledger.entries("read")]
    assert {read["purpose"] for read in reads} == {"P-09"}
    assert {read["table"] for read in reads} == {"vault__member"}


@pytest.mark.parametrize(
    ("nickname", "name"),
    [
        ("髙橋", "高橋"),
        ("渡邊花子", "渡辺 花子"),
        ("山田太郞", "山田 太郎"),
        ("yаmadа taro", "Yamada Taro"),
        ("orat adamay", "Yamada Taro"),
    ],
)
def test_a_name_in_other_characters_is_the_name(nickname: str, name: str) -> None:
    assert fault(nickname, Known(name=name)) == "real_name"
