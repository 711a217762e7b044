"""Identifiers are recognised in every spelling; counts, dates and category names are not."""

from __future__ import annotations

import pytest

from quorum.patterns import find_identifiers, normalise

IDENTIFIERS = [
    ("hanako@example.jp", "email"),
    ("hanako.yamada+ads@mail.example.co.jp", "email"),
    ("ｈａｎａｋｏ＠ｅｘａｍｐｌｅ．ｊｐ", "email"),
    ("q=hanako%40example.com&x=1", "email"),
    ("花子@例え.日本", "email"),
    ("03-1234-5678", "telephone"),
    ("０９０−１２３４−５６７８", "telephone"),
    ("090ー1234ー5678", "telephone"),
    ("(03) 1234-5678", "telephone"),
    ("03(1234)5678", "telephone"),
    ("09012345678", "telephone"),
    ("0120-123-456", "telephone"),
    ("tel:+81-90-1234-5678", "telephone"),
    ("+1 (415) 555-0134", "telephone"),
    ("203.0.113.7", "ipv4"),
    ("from 192.0.2.0/24", "ipv4"),
    ("ends 192.0.2.1.", "ipv4"),
    ("2001:db8::1", "ipv6"),
    ("2001:DB8:0:0:0:0:0:1", "ipv6"),
    ("2001:db8:5::/48", "ipv6"),
    ("fe80::1", "ipv6"),
    ("4111 1111 1111 1111", "card"),
    ("4111-1111-1111-1111", "card"),
    ("378282246310005", "card"),
    ("100-0001", "postal_code"),
    ("〒1000001", "postal_code"),
    ("〒１００－０００１", "postal_code"),
    ("0f3a9c81d2b4e6f7", "key"),
    ("550e8400-e29b-41d4-a716-446655440000", "key"),
    ("quid=Zx81kQ2mP09sLw4Ty", "key"),
]

HARMLESS = [
    "",
    "ALL",
    "2026-11-21",
    "2026-W47",
    "2026-11-21.r2",
    "09-11",
    "00-02 03-05 06-08",
    "1,234,567",
    "12.5 %",
    "10 (2, 0.90)",
    "20–29",
    "70+",
    "c-0001",
    "campaign-2026-summer-01",
    "summer2026campaignbanner01",
    "audience_age_gender",
    "サイドバー",
    "12:34:56",
    "2026-11-21T12:34:56+09:00",
    "std::vector",
    "version 26.0.1",
    "1234567890123",
    "4111 1111 1111 1112",
    "internationalization",
    "0〜2時台",
    "12345-67890",
]


@pytest.mark.parametrize(("text", "name"), IDENTIFIERS)
def test_identifier_is_found(text: str, name: str) -> None:
    assert name in find_identifiers(text)
    assert name in find_identifiers(f"前 {text} 後")


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_is_let_through(text: str) -> None:
    assert find_identifiers(text) == ()


def test_every_hyphen_becomes_one() -> None:
    assert normalise("1‐2‑3‒4–5—6―7−8ー9－0") == "1-2-3-4-5-6-7-8-9-0"
    assert normalise("0\u200b9\u00ad0") == "090"


def test_only_names_come_back() -> None:
    assert find_identifiers("hanako@example.jp 203.0.113.7") == ("email", "ipv4")
