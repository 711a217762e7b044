"""User agents: what a text tells, and that nothing of the text itself comes out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorum.intake.agents import AGENT_LIMIT, known_browsers, parse_agents
from quorum.policy import Policy
from quorum.tables import Catalog

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
CASES = [
    ("", "unknown", "unknown", "Other", False),
    ("-", "unknown", "unknown", "Other", False),
    (
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/120.0.0.0 Safari/537.36",
        "desktop", "windows", "Chrome", False,
    ),
    (
        "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; Tablet PC 2.0)",
        "desktop", "windows", "IE", False,
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.1; rv:120.0) Gecko/20100101 Firefox/120.0",
        "desktop", "macos", "Firefox", False,
    ),
    (
        f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/120.0.0.0 Safari/537.36",
        "desktop", "other", "Chrome", False,
    ),
    (
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
        "desktop", "linux", "Firefox", False,
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 "
        "Mobile/15E148 Safari/604.1",
        "mobile", "ios", "Mobile Safari", False,
    ),
    (
        "Mozilla/5.0 (iPad; CPU OS 16_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.1 "
        "Mobile/15E148 Safari/604.1",
        "tablet", "ios", "Mobile Safari", False,
    ),
    (
        f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {WEBKIT} Chrome/120.0.0.0 Mobile Safari/537.36",
        "mobile", "android", "Chrome Mobile", False,
    ),
    (
        f"Mozilla/5.0 (Linux; Android 13; SM-X700) {WEBKIT} Chrome/120.0.0.0 Safari/537.36",
        "tablet", "android", "Chrome", False,
    ),
    ("Mozilla/5.0 (Android; Tablet; rv:27.0) Gecko/27.0 Firefox/27.0", "tablet", "android", "Firefox Mobile", False),
    ("Dalvik/2.1.0 (Linux; U; Android 11; SO-51B Build/61.0)", "unknown", "android", "Android", False),
    (
        f"Mozilla/5.0 (Linux; Android 9; BRAVIA 4K GB) {WEBKIT} Chrome/115.0 Safari/537.36",
        "other", "android", "Chrome", False,
    ),
    ("DoCoMo/2.0 P07A3(c500;TB;W24H15)", "mobile", "unknown", "Other", False),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
        "YJApp-IOS jp.co.yahoo.ipn.appli/4.16.11",
        "mobile", "ios", "Mobile Safari UI/WKWebView", False,
    ),
    (
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "unknown", "unknown", "Googlebot", True,
    ),
    ("curl/8.4.0", "unknown", "unknown", "curl", True),
]  # fmt: skip


@pytest.mark.parametrize(("agent", "device", "system", "browser", "is_crawler"), CASES)
def test_what_an_agent_tells(
    policy: Policy, agent: str, device: str, system: str, browser: str, is_crawler: bool
) -> None:
    row = parse_agents([agent], policy).to_pylist()[0]
    assert row == {
        "user_agent": agent, "device": device, "system": system, "browser": browser, "is_crawler": is_crawler,
    }  # fmt: skip


def test_real_agents_hold_the_crawlers_that_are_known_to_be_there(policy: Policy, shared: Path) -> None:
    log = (shared / "data/access/semicomplete_2015.log").read_text(encoding="latin-1").splitlines()
    lines = Counter(line.split('"')[-2] for line in log)
    rows = parse_agents(lines, policy).to_pylist()
    assert 1955 <= sum(lines[row["user_agent"]] for row in rows if row["is_crawler"]) <= 2000


def test_the_table_is_the_contract_with_one_row_for_each_text(policy: Policy, catalog: Catalog) -> None:
    table = parse_agents(["b", "a", "b", None], policy)
    assert table.schema == catalog["vault__agent"].arrow_schema()
    assert table["user_agent"].to_pylist() == ["b", "a"]


@pytest.mark.parametrize(
    "agent",
    [
        "taro.yamada@example.com/1.0 CFNetwork/1410.0.3 Darwin/22.6.0",
        "YamadaTaro-iPhone/3.1 CFNetwork/758",
        "HbbTV/1.2.1 (;YamadaTaro ;x;2013)",
        "TaroYamadaBot/1.0",
        "Mozilla/5.0 (compatible; yamada-taro-spider/1.0)",
    ],
)
def test_a_name_in_an_agent_stays_there(policy: Policy, agent: str) -> None:
    row = parse_agents([agent], policy).to_pylist()[0]
    told = " ".join(str(row[column]) for column in ("device", "system", "browser")).lower()
    assert "yamada" not in told
    assert "taro" not in told


def test_browsers_are_a_closed_list_of_plain_names() -> None:
    assert {"Chrome", "Firefox", "Mobile Safari", "Edge", "LINE", "Other"} <= known_browsers()
    assert not [name for name in known_browsers() if "@" in name or "$1" in name or len(name) > 40]


@settings(max_examples=200, deadline=None)
@given(
    agent=st.text(max_size=80)
    | st.from_regex(r"\A[a-z]{3,9}@[a-z]{3,9}/\d CFNetwork/\d\Z")
    | st.from_regex(r"\AMozilla/5\.0 \([^)]{0,40}\) [A-Z][a-z]{2,9}/\d\Z")
)
def test_every_column_is_closed_for_any_text(policy: Policy, agent: str) -> None:
    agent = agent.encode("utf-8", "replace").decode()
    row = parse_agents([agent], policy).to_pylist()[0]
    assert row["device"] in {category.key for category in policy.categories["devices"]}
    assert row["system"] in {category.key for category in policy.categories["systems"]}
    assert row["browser"] in known_browsers()


def test_only_the_head_of_a_long_text_is_looked_at(policy: Policy) -> None:
    long = "x" * AGENT_LIMIT + "Googlebot/2.1"
    row = parse_agents([long], policy).to_pylist()[0]
    assert row["user_agent"] == long
    assert not row["is_crawler"]
