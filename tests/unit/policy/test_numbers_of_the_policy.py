"""Numbers of the officer's files: whole, above their floors, and never one that compares with nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pipelines.policy_views import check_policy
from quorum.errors import ConfigurationError, PolicyError
from quorum.lineage.crossings import declared_crossings
from quorum.lineage.unused import listed_unused
from quorum.policy import load_policy

Edit = Callable[..., Path]

_NO_NUMBERS = [".nan", ".inf", "-.inf", "99.5", '"50"', "null", "true", "[50]", "1e-9", "0", "-5"]
_RULES = {
    "heads": ("{impressions: 50,", "{impressions: %s,"),
    "outside": ("outside: 10 #", "outside: %s #"),
    "p_percent": ("p_percent: 10 #", "p_percent: %s #"),
    "dominance n": ("{n: 2, share_percent: 90}", "{n: %s, share_percent: 90}"),
    "dominance share": ("{n: 2, share_percent: 90}", "{n: 2, share_percent: %s}"),
    "single share": ("single_share_percent: 50", "single_share_percent: %s"),
}


@pytest.mark.parametrize("value", _NO_NUMBERS)
@pytest.mark.parametrize("rule", list(_RULES))
def test_a_rule_set_holds_whole_numbers(edited: Edit, rule: str, value: str) -> None:
    old, new = _RULES[rule]
    with pytest.raises(ConfigurationError):
        load_policy(edited(("disclosure.yaml", old, new % value)))


@pytest.mark.parametrize("value", [*_NO_NUMBERS, "1000"])
@pytest.mark.parametrize("number", ["seasoned_days: 28", "active_nights: 3", "network_people: 5"])
def test_who_counts_is_whole_numbers_within_bounds(edited: Edit, number: str, value: str) -> None:
    if number.startswith("active") and value == "1000":
        return  # nobody would count: that is safe
    with pytest.raises(ConfigurationError):
        load_policy(edited(("disclosure.yaml", number, f"{number.split(':')[0]}: {value}")))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("reports.yaml", "counted: viewer_counted_n", "counted: viewer_n"),
        ("reports.yaml", ", counted: viewer_counted_n", ""),
        ("reports.yaml", "counted: viewer_counted_n", "counted: null"),
        ("categories.yaml", "seen_days: 90", "seen_days: 28"),
        ("disclosure.yaml", "who_counts: {seasoned_days: 28, active_nights: 3, network_people: 5}\n", ""),
    ],
)
def test_a_policy_under_which_everybody_counts_does_not_load(edited: Edit, file: str, old: str, new: str) -> None:
    with pytest.raises(ConfigurationError):
        load_policy(edited((file, old, new)))


@pytest.mark.parametrize("value", _NO_NUMBERS)
@pytest.mark.parametrize("zone", ["vault:  ", "pseudo: ", "cube:   ", "extract: "])
def test_retention_is_whole_days(edited: Edit, zone: str, value: str) -> None:
    folder = edited()
    text = (folder / "retention.yaml").read_text(encoding="utf-8")
    line = next(each for each in text.splitlines() if each.startswith(f"  {zone}"))
    days = line.split("days: ")[1].split(",")[0]
    with pytest.raises(ConfigurationError):
        load_policy(edited(("retention.yaml", line, line.replace(days, value, 1))))


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("pseudo: {days: 400", "pseudo: {days: 401", "retention.longer"),
        ("seg:    {days: 400", "seg:    {days: 4000", "retention.longer"),
        ("extract: {days: 400", "extract: {days: 4000", "retention.longer"),
        ("vault:  {days: 400", "vault:  {days: 399", "retention.longer"),
        ("vault:  {days: 400, erase: rewrite", "vault:  {days: 400, erase: none", "retention.erase"),
        ("seg:    {days: 400, erase: rewrite", "seg:    {days: 400, erase: sometimes", "retention.erase"),
    ],
)
def test_what_is_made_of_the_vault_goes_with_it(edited: Edit, old: str, new: str, rule: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(edited(("retention.yaml", old, new)))
    assert (caught.value.rule, caught.value.exit_code) == (rule, 13)


@pytest.mark.parametrize("name", ["disclosure.yaml", "retention.yaml", "reports.yaml", "categories.yaml"])
@pytest.mark.parametrize("text", ["a: 1\n", "- 1\n", ""])
def test_a_file_of_another_shape_is_refused_as_such(edited: Edit, name: str, text: str) -> None:
    folder = edited()
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        load_policy(folder)


@pytest.mark.parametrize(
    "content", [b"", b"prefix,prefecture\n", b"a,b\n1,2\n", b"prefix,prefecture\n1,\n", b"\xff\xfe"]
)
def test_postal_prefixes_are_never_none(edited: Edit, content: bytes) -> None:
    folder = edited()
    (folder / "postal_prefectures.csv").write_bytes(content)
    with pytest.raises(ConfigurationError):
        load_policy(folder)


@pytest.mark.parametrize("name", ["declassifiers.yaml", "unused_columns.yaml"])
def test_a_second_key_does_not_win_in_silence(edited: Edit, name: str) -> None:
    folder = edited()
    read = {"declassifiers.yaml": declared_crossings, "unused_columns.yaml": listed_unused}[name]
    read(folder)
    path = folder / name
    key = next(line for line in path.read_text(encoding="utf-8").splitlines() if line and line[0] not in "# ")
    path.write_text(path.read_text(encoding="utf-8") + f"\n{key.split(':')[0]}: {{}}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError):
        read(folder)
    path.write_bytes(b"\xff\x00\xfe")
    with pytest.raises(ConfigurationError):
        read(folder)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("desk.yaml", ""),
        ("desk.yaml", "verification_days: 90\nverification_days: 9000\n"),
        ("disclosures.yaml", "bases: {}\n"),
        ("disclosures.yaml", "- 1\n"),
    ],
)
def test_the_check_reads_the_files_of_the_desk_and_the_register_too(edited: Edit, name: str, text: str) -> None:
    folder = edited()
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        check_policy(folder, date(2026, 11, 22))


def test_the_check_refuses_an_exception_for_no_table(edited: Edit) -> None:
    nothing = 'exceptions:\n  vault__nothing: {days: 9, why: "none"}\n'
    with pytest.raises(ConfigurationError) as caught:
        check_policy(edited(("retention.yaml", "exceptions:\n", nothing)), date(2026, 11, 22))
    assert caught.value.rule == "retention.exception"
