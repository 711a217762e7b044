"""Reference data: the last list stands, every night has a whole copy, a bad row does not take its list with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from quorum.intake.accounting import Accounting
from quorum.intake.context import Intake
from quorum.intake.reference import CATALOGUES, take_in_reference

Land = Callable[..., Path]
NIGHT = date(2026, 11, 21)
NEXT = NIGHT + timedelta(days=1)
CAMPAIGNS = (
    "campaign_id,recipient_id,name_ja,name_en,starts_on,ends_on,booked_impressions,price_model,price_micros,"
    "target_age_bands,target_genders,target_prefectures,target_occupations\n"
)
CAMPAIGN = "c1,r1,秋,Autumn,2026-11-01,2026-11-30,1000000,cpm,500000000,20s;30s,,tokyo,\n"
HOSTS = "host\n"


def stored(intake: Intake, table: str, night: date = NIGHT) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = intake.store.read(table, night).to_pylist()
    return rows


def hosts(intake: Intake, night: date) -> list[str]:
    return [row["host"] for row in stored(intake, "pseudo__first_party_host", night)]


def test_each_list_is_recognised_by_its_header(intake: Intake, land: Land) -> None:
    land("reference", "1", (CAMPAIGNS + CAMPAIGN).encode())
    land("reference", "2", b"creative_id,campaign_id,name\ncr1,c1,Banner\ncr1,c2,\n")
    land("reference", "3", b"recipient_id,kind,name_ja,name_en\nr1,advertiser,\xe7\xa4\xbe,\n")
    land("reference", "4", b"host\nWWW.Example.JP\n")
    land("reference", "5", b"path_prefix,section_id,recipient_id,name_ja,name_en\n/news/,news,site,,News\n")
    accountings = take_in_reference(intake, NIGHT)
    assert [(a.read, a.loaded, dict(a.quarantined)) for a in accountings] == [
        (1, 1, {}), (2, 2, {}), (1, 1, {}), (1, 1, {}), (1, 1, {}),
    ]  # fmt: skip
    assert stored(intake, "pseudo__campaign") == [
        {
            "campaign_id": "c1",
            "recipient_id": "r1",
            "name_ja": "秋",
            "name_en": "Autumn",
            "starts_on": date(2026, 11, 1),
            "ends_on": date(2026, 11, 30),
            "booked_impressions": 1_000_000,
            "price_model": "cpm",
            "price_micros": 500_000_000,
            "target_age_bands": "20s;30s",
            "target_genders": None,
            "target_prefectures": "tokyo",
            "target_occupations": None,
        }
    ]
    assert [row["name"] for row in stored(intake, "pseudo__creative")] == ["Banner", "cr1"]
    assert stored(intake, "pseudo__recipient") == [
        {"recipient_id": "r1", "kind": "advertiser", "name_ja": "社", "name_en": "社"}
    ]
    assert hosts(intake, NIGHT) == ["www.example.jp"]
    assert stored(intake, "pseudo__section")[0]["name_ja"] == "News"


def test_every_night_has_every_list_even_if_none_ever_landed(intake: Intake) -> None:
    assert take_in_reference(intake, NIGHT) == []
    for catalogue in CATALOGUES:
        assert intake.store.nights(catalogue.table) == [NIGHT]
        assert stored(intake, catalogue.table) == []


def test_a_list_stands_until_a_newer_one_lands(intake: Intake, land: Land) -> None:
    land("reference", "hosts", b"host\na.jp\nb.jp\n")
    take_in_reference(intake, NIGHT)
    take_in_reference(intake, NEXT)
    assert hosts(intake, NEXT) == ["a.jp", "b.jp"]
    third = NEXT + timedelta(days=1)
    land("reference", "hosts-1", b"host\nc.jp\n", third)
    land("reference", "hosts-2", b"host\nd.jp\n", third)
    assert [a.loaded for a in take_in_reference(intake, third)] == [1, 1]
    assert hosts(intake, third) == ["d.jp"]
    take_in_reference(intake, NEXT)
    assert hosts(intake, NEXT) == ["a.jp", "b.jp"], "a night that is run again sees nothing of later ones"


def test_a_list_that_comes_again_is_duplicate_unless_another_stands(intake: Intake, land: Land) -> None:
    land("reference", "hosts", b"host\na.jp\n")
    take_in_reference(intake, NIGHT)
    land("reference", "hosts", b"host\na.jp\n", NEXT)
    land("reference", "hosts-2", b"host\nb.jp\n", NEXT)
    land("reference", "hosts-3", b"host\na.jp\n", NEXT)
    first, second, third = take_in_reference(intake, NEXT)
    assert (first.loaded, first.duplicate) == (0, 1)
    assert (second.loaded, second.duplicate) == (1, 0)
    assert (third.loaded, third.duplicate) == (1, 0)
    assert hosts(intake, NEXT) == ["a.jp"]


def test_the_same_list_in_another_file_is_no_duplicate(intake: Intake, land: Land) -> None:
    land("reference", "a", b"host\na.jp\n")
    land("reference", "b", b"host\r\na.jp\r\n")
    assert [(a.loaded, a.duplicate) for a in take_in_reference(intake, NIGHT)] == [(1, 0), (1, 0)]


def test_the_last_record_of_a_key_stands(intake: Intake, land: Land) -> None:
    later = CAMPAIGN.replace("Autumn", "Late autumn")
    land("reference", "a", (CAMPAIGNS + CAMPAIGN + CAMPAIGN.replace("c1", "c2") + later).encode())
    assert take_in_reference(intake, NIGHT) == [Accounting("reference", "reference/a", 3, 2, 1)]
    names = [(row["campaign_id"], row["name_en"]) for row in stored(intake, "pseudo__campaign")]
    assert names == [("c2", "Autumn"), ("c1", "Late autumn")]


def test_targets_become_keys_of_the_policy_where_it_knows_them(intake: Intake, land: Land) -> None:
    targets = CAMPAIGN.replace("20s;30s,,tokyo,", "20代; 70歳以上 ;old,女性;m,東京都,エンジニア;Student")
    land("reference", "a", (CAMPAIGNS + targets).encode())
    take_in_reference(intake, NIGHT)
    (row,) = stored(intake, "pseudo__campaign")
    assert [row[name] for name in row if name.startswith("target_")] == [
        "20s;70+;old",
        "female;male",
        "tokyo",
        "professional;student",
    ]


REJECTED = [
    (CAMPAIGNS, "c1,r1,,,2026-11-01,2026-11-30,,cpm,5,,,,", "missing_field"),
    (CAMPAIGNS, "c 1,r1,,,2026-11-01,2026-11-30,1,cpm,5,,,,", "bad_id"),
    (CAMPAIGNS, "c1,../r1,,,2026-11-01,2026-11-30,1,cpm,5,,,,", "bad_id"),
    (CAMPAIGNS, "c1,r.1,,,2026-11-01,2026-11-30,1,cpm,5,,,,", "bad_id"),
    (CAMPAIGNS, "c1,r1,,,2026-11-31,2026-11-30,1,cpm,5,,,,", "bad_value"),
    (CAMPAIGNS, "c1,r1,,,2026-11-30,2026-11-01,1,cpm,5,,,,", "bad_value"),
    (CAMPAIGNS, "c1,r1,,,2026-11-01,2026-11-30,-1,cpm,5,,,,", "bad_value"),
    (CAMPAIGNS, "c1,r1,,,2026-11-01,2026-11-30,1,flat,5,,,,", "bad_value"),
    (CAMPAIGNS, "c1,r1,,,2026-11-01,2026-11-30,1,cpm,0.5,,,,", "bad_value"),
    (CAMPAIGNS, "c1,r1", "not_csv"),
    ("creative_id,campaign_id,name\n", "a b,c1,x", "bad_id"),
    ("recipient_id,kind,name_ja,name_en\n", "r1,customer,,", "bad_value"),
    ("recipient_id,kind,name_ja,name_en\n", "r/1,advertiser,,", "bad_id"),
    (HOSTS, "https://a.jp/", "bad_id"),
    (HOSTS, "taro@a.jp", "bad_id"),
    ("path_prefix,section_id,recipient_id,name_ja,name_en\n", "news/,news,site,,", "bad_id"),
    ("path_prefix,section_id,recipient_id,name_ja,name_en\n", "/news/,,site,,", "missing_field"),
]


@pytest.mark.parametrize(("header", "row", "reason"), REJECTED)
def test_a_bad_row_is_quarantined_and_the_list_does_not_stand_on_it(
    intake: Intake, land: Land, header: str, row: str, reason: str
) -> None:
    land("reference", "a", b"host\na.jp\n" if header != HOSTS else b"host\nkept.jp\n")
    land("reference", "b", (header + row + "\n").encode())
    _, accounting = take_in_reference(intake, NIGHT)
    assert accounting == Accounting("reference", "reference/b", 1, quarantined={reason: 1})
    assert len(hosts(intake, NIGHT)) == 1
    (sealed,) = stored(intake, "vault__rejected_line")
    assert sealed["line"] == row.encode()


def test_a_bad_row_costs_no_other(intake: Intake, land: Land) -> None:
    land("reference", "a", (CAMPAIGNS + CAMPAIGN + "broken\n" + CAMPAIGN.replace("c1", "c2")).encode())
    (accounting,) = take_in_reference(intake, NIGHT)
    assert (accounting.loaded, accounting.quarantined) == (2, {"not_csv": 1})


def test_a_list_without_records_stands_and_an_empty_file_does_not(intake: Intake, land: Land) -> None:
    land("reference", "hosts", b"host\na.jp\n")
    take_in_reference(intake, NIGHT)
    land("reference", "hosts", b"", NEXT)
    take_in_reference(intake, NEXT)
    assert hosts(intake, NEXT) == ["a.jp"]
    land("reference", "hosts", b"host\n", NEXT)
    take_in_reference(intake, NEXT)
    assert hosts(intake, NEXT) == []


@pytest.mark.parametrize(
    ("content", "quarantined"),
    [
        (b"colour,shape\nred,round\n", {"other_format": 2}),
        (b'{"host": "a.jp"}\n', {"other_format": 1}),
        (b"host,password\na.jp,x\n", {"undeclared": 1}),
    ],
)
def test_what_is_no_list_is_quarantined(
    intake: Intake, land: Land, content: bytes, quarantined: dict[str, int]
) -> None:
    land("reference", "a", content)
    (accounting,) = take_in_reference(intake, NIGHT)
    assert accounting.quarantined == quarantined
    assert hosts(intake, NIGHT) == []
