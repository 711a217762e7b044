"""The dossier of a night's attacks: counts from the ledger, in both languages, and nothing else."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from assets.told import packages_pages
from pipelines.dossier import NIGHTS, _words, dossier_page, read_nights, render, write_dossier
from quorum.audit.catalogue import ATTACKS
from quorum.ledger import Ledger
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
CANARY = "hanako.canary@example.jp"


def record(attack: str, verdict: str = "passed", **more: object) -> dict[str, object]:
    found = {"attack": attack, "release": "r/campaign/x", "targets": 1200, "claims": 0, "unreached": 3}
    return {**found, "advantage_high": None, "verdict": verdict, **more}


@pytest.fixture
def ledger(home: Home) -> Ledger:
    ledger = Ledger(home.ledger)
    for n, recipient in enumerate(("adv-1", "adv-2")):
        attacks = [
            record("reparse"),
            record("membership", advantage_high=0.25 + n / 100, measured={"largest_tpr": 0.001 * n}),
        ]
        body = {"published_cells": 5, "withheld_cells": 7, "previous": None, "recalls": [], "attacks": attacks}
        ledger.enter_release(recipient, "campaign", NIGHT.isoformat(), NIGHT, f"{n}" * 64, body)
    refusal = {"recipient_id": "adv-3", "report": "campaign", "period": NIGHT.isoformat(), "night": NIGHT.isoformat()}
    reasons = ["elimination failed", f"safe.rules: 49 people in {CANARY}"]
    ledger.append("blocked", {**refusal, "reasons": reasons, "sealed": CANARY})
    return ledger


def test_a_night_is_told_by_attack(ledger: Ledger) -> None:
    night = read_nights(ledger, NIGHT)[NIGHT.isoformat()]
    assert (night.packages, list(night.attacks)) == (2, ["reparse", "membership"])
    tried = night.attacks["membership"]
    assert tried.verdicts == {"passed": 2}
    assert tried.counts == {"targets": 2400, "claims": 0, "violations": 0, "unreached": 6}
    assert (tried.nearest, tried.measured) == (0.26, {"largest_tpr": 0.001})
    assert night.attacks["reparse"].nearest is None
    assert night.total("targets") == 4800
    assert night.blocked == [("adv-3", "campaign", NIGHT.isoformat(), "elimination failed, safe.rules")]


def test_nights_before_are_there_and_later_ones_are_not(ledger: Ledger) -> None:
    nights = read_nights(ledger, NIGHT + timedelta(days=1))
    assert len(nights) == NIGHTS
    assert [day for day, night in nights.items() if night.packages] == [NIGHT.isoformat()]
    assert not any(night.packages for night in read_nights(ledger, NIGHT - timedelta(days=1)).values())


@pytest.mark.parametrize(
    ("name", "expected"), [(f"{NIGHT}.html", "攻撃の記録"), (f"{NIGHT}.en.html", "The attacks of night")]
)
def test_the_page_tells_counts_and_no_more(ledger: Ledger, home: Home, name: str, expected: str) -> None:
    page = write_dossier(home.docs, ledger, NIGHT)
    assert page == dossier_page(home.docs, NIGHT)
    text = (page.parent / name).read_text(encoding="utf-8")
    for told in (expected, "membership", "2,400", "0.2600", "largest_tpr", "adv-3", "elimination failed", "<svg"):
        assert told in text
    assert CANARY not in text
    assert "49 people" not in text
    assert not re.search(r"<script|https?://(?!www\.w3\.org)|src=", text)
    assert f'href="../night/{name}"' in text
    assert sorted(path.name for path in page.parent.iterdir()) == [f"{NIGHT}.en.html", f"{NIGHT}.html"]


def test_a_night_that_released_nothing_has_a_page(home: Home) -> None:
    text = write_dossier(home.docs, Ledger(home.ledger), NIGHT).read_text(encoding="utf-8")
    assert "公表なし" in text


def test_dagster_shows_where_it_lies(home: Home) -> None:
    shown = packages_pages(home, NIGHT)
    assert Path(str(shown["dossier"].value)) == dossier_page(home.docs, NIGHT)
    assert set(shown) == {"night_page", "dossier"}


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_attack_says_its_gate_and_what_it_does_not_show(language: str) -> None:
    words = _words()[language]
    names = {attack.name for attack in ATTACKS}
    assert set(words["gates"]) == set(words["unprovens"]) == names
    assert {name.partition(".")[0] for name in words["names"]} <= names


def test_what_an_attack_measured_stands_beside_its_gate_and_in_words(home: Home) -> None:
    ledger = Ledger(home.ledger)
    found = record("membership", measured={"tpr_random": 0.0025, "blocks_tried": 12345.0}, violations=0)
    body = {"published_cells": 5, "withheld_cells": 7, "previous": None, "recalls": [], "attacks": [found]}
    ledger.enter_release("adv-1", "campaign", NIGHT.isoformat(), NIGHT, "0" * 64, body)
    text = render(read_nights(ledger, NIGHT), NIGHT, "en")
    assert re.search(r"share found, anybody[^<]*</td><td class=\"n\">0.0025</td><td class=\"n\">0.005</td>", text)
    assert re.search(r"blocks tried</td><td class=\"n\">12k</td><td class=\"n\">measured only</td>", text)


def test_a_night_that_did_not_run_is_no_column(ledger: Ledger) -> None:
    text = render(read_nights(ledger, NIGHT + timedelta(days=2)), NIGHT, "en")
    assert text.count(">21</text>") == 4
    assert ">20</text>" not in text
    assert ">22</text>" not in text
