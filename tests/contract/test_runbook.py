"""The runbook has a section for every exit code and every kind of alert, and each says what is safe and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.telling import KINDS, OTHER_KINDS
from quorum import errors

CODES = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}


@pytest.fixture(scope="module")
def sections(root: Path) -> dict[str, str]:
    text = (root / "docs" / "runbook.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_exit_code_has_its_section(sections: dict[str, str], code: int) -> None:
    (text,) = [text for title, text in sections.items() if re.match(rf"Exit {code}\b", title)]
    assert all(f"**{part}**" in text for part in ("What happened.", "What is safe.", "What to do."))


@pytest.mark.parametrize("kind", [*KINDS.values(), *OTHER_KINDS])
def test_every_kind_of_alert_has_its_section(sections: dict[str, str], kind: str) -> None:
    (text,) = [text for title, text in sections.items() if f"alert `{kind}`" in title.replace("Alert", "alert")]
    assert "**What to do.**" in text


def test_every_code_but_done_has_a_kind_and_exit_codes_agree_with_their_kind(sections: dict[str, str]) -> None:
    assert set(KINDS) == CODES - {errors.EXIT_DONE}
    for code, kind in KINDS.items():
        assert any(re.match(rf"Exit {code}, alert `{kind}`", title) for title in sections), kind


def test_the_rules_that_hold_a_night_are_told(sections: dict[str, str], root: Path) -> None:
    text = next(text for title, text in sections.items() if title.startswith("Exit 11"))
    source = "".join((root / "quorum" / name).read_text(encoding="utf-8") for name in ("holds.py", "workspace.py"))
    for rule in {
        *re.findall(r'"(landing\.(?:required|half|volume|folder)|night\.(?:held|order)|retention\.gaps)"', source)
    }:
        assert f"`{rule}`" in text, rule


def test_there_is_a_section_on_breaches(sections: dict[str, str]) -> None:
    assert "privacy officer" in sections["After a breach"]
