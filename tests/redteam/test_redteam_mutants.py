"""Releases weakened one rule at a time, at the level of packages: each is caught by a named attack, clean ones pass.

The clean release is the invented portal, protected by an independent rule of thumb; small hand-made tables serve where
a mutant needs an exact figure.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from package_writer import (
    RULES,
    Draft,
    campaigns,
    lines,
    measures,
    one_table,
    package,
    parquet_bytes,
    plain,
    portal,
    protect,
)

from quorum.audit.package import ParsedPackage, parse_files
from quorum.audit.record import FAILED, PASSED
from quorum.audit.run import ATTACKS, run_attacks
from quorum.errors import ReleaseError
from quorum.tables.shape import ALL, Dimension, TableShape

FIRST = [attack for attack in ATTACKS if attack.number in (1, 2, 3, 12)]
"""Those whose every claim is about the files alone; the others have tests of their own (`test_redteam_twelve.py`)."""
CANARY = "mutant.canary@example.jp"
BIG = {"impression_n": 900, "people_n": 700, "click_n": 300, "clicker_n": 250, "clicker_rest_n": 450}
FEW = dict.fromkeys(BIG, 3)


def _verdicts(drafts: Sequence[Draft], *, truth: bool, canaries: Sequence[str] = ()) -> dict[str, str]:
    parsed = [parse_files(draft.files(parquet=True)) for draft in drafts]
    known = {p.release: draft.truth() for p, draft in zip(parsed, drafts, strict=True)} if truth else None
    return {record.attack: record.verdict for record in run_attacks(parsed, RULES, known, canaries, attacks=FIRST)}


def _caught(*drafts: Draft, truth: bool = False) -> set[str]:
    return {attack for attack, verdict in _verdicts(drafts, truth=truth).items() if verdict == FAILED}


def test_the_clean_release_passes_everything(clean: Draft) -> None:
    for truth in (False, True):
        assert set(_verdicts([clean], truth=truth, canaries=[CANARY]).values()) == {PASSED}


def _hidden_parts(draft: Draft, family: str) -> list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    """Published margins with withheld parts: table, margin, those parts."""
    found = []
    for table in draft.shape.tables:
        for whole, parts in lines(table):
            hidden = [row for row in parts if (table.name, row, family) in draft.withheld]
            if hidden and (table.name, whole, family) not in draft.withheld:
                found.append((table.name, whole, hidden))
    return found


def _release_all_but_one(draft: Draft) -> Draft:
    """Complementary cells of one line released: what is left is the margin minus the rest."""
    table, _, hidden = next(line for line in _hidden_parts(draft, "clicks") if line[0] == "audience_area")
    return draft.publish(table, *hidden[1:], family="clicks")


def _release_one_complementary_cell(draft: Draft) -> Draft:
    """The pair that protects a withheld cell loses one of its two."""
    table, _, hidden = next(line for line in _hidden_parts(draft, "clicks") if len(line[2]) == 2)
    cells = draft.cells[table]
    return draft.publish(table, max(hidden, key=lambda row: cells[row]["clicker_n"]), family="clicks")


def _no_complementary_suppression(draft: Draft) -> Draft:
    """Only small cells are withheld."""
    heads = {"impressions": ("people_n", 50), "clicks": ("clicker_n", 20)}
    return replace(
        draft,
        withheld=frozenset(
            (table, row, family)
            for table, row, family in draft.withheld
            if draft.cells[table][row][heads[family][0]] < heads[family][1]
        ),
    )


def _everything_published(draft: Draft) -> Draft:
    return replace(draft, withheld=frozenset())


@pytest.mark.parametrize(
    ("mutate", "attacks"),
    [
        (_release_all_but_one, {"elimination", "propagation"}),
        (_release_one_complementary_cell, {"elimination", "propagation"}),
        (_no_complementary_suppression, {"elimination", "propagation"}),
        (_everything_published, {"reparse"}),
    ],
)
def test_suppression_weakened(clean: Draft, mutate: Callable[[Draft], Draft], attacks: set[str]) -> None:
    assert attacks <= _caught(mutate(clean))


@pytest.mark.parametrize(("family", "change"), [("impressions", -1), ("clicks", -1)])
def test_threshold_off_by_one(family: str, change: int) -> None:
    """A defender with 49 or 19 instead of 50 or 20 publishes a cell of exactly that many."""
    weak = {**RULES["heads"], family: RULES["heads"][family] + change}
    heads = {"impressions": "people_n", "clicks": "clicker_n"}[family]
    draft = one_table(dict.fromkeys(("20s", "30s", "40s"), BIG), heads=True).with_value(
        "audience", ("c1", "20s"), **{heads: weak[family]}
    )
    draft = draft.with_value("audience", ("c1", ALL), **{heads: 2 * BIG[heads] + weak[family]})
    assert _caught(draft) == {"reparse"}
    right = draft.with_value("audience", ("c1", "20s"), **{heads: RULES["heads"][family]})
    right = right.with_value("audience", ("c1", ALL), **{heads: 2 * BIG[heads] + RULES["heads"][family]})
    assert _caught(right) == set()


def _hide(draft: Draft, table: str, *rows: tuple[str, ...]) -> Draft:
    return draft.withhold(table, *rows).withhold(table, *rows, family="clicks")


def test_thresholds_on_events_instead_of_people() -> None:
    """Sixty impressions of twelve people, in a table that carries no heads: only the truth tells."""
    draft = one_table({"20s": {**BIG, "impression_n": 60}, "30s": BIG, "40s": BIG})
    cells = {row: {**BIG, **cell} for row, cell in draft.cells["audience"].items()}
    cells["c1", ALL].update(people_n=1412, clicker_n=600)
    cells["c1", "20s"].update(people_n=12, clicker_n=60)
    draft = _hide(replace(draft, cells={"audience": cells}), "audience")
    assert _caught(draft) == set()
    assert _caught(draft, truth=True) == {"reparse"}


def test_a_margin_published_over_a_hidden_row() -> None:
    draft = _hide(one_table({"20s": BIG, "30s": BIG}, heads=True), "audience", ("c1", "20s"))
    assert _caught(draft) == {"elimination", "propagation"}
    assert _caught(_hide(draft, "audience", ("c1", "30s"))) == set()


def test_a_margin_withheld_over_published_parts() -> None:
    """It cannot be 0: it is at least the sum of the parts."""
    draft = _hide(one_table({"20s": BIG, "30s": BIG}, heads=True), "audience", ("c1", "20s"), ("c1", ALL))
    assert _caught(draft) == {"propagation"}


def test_a_row_left_out_under_its_margin() -> None:
    files = one_table({"20s": BIG, "30s": BIG}, heads=True).files()
    kept = [line for line in files["audience.csv"].decode().splitlines() if ",20s," not in line]
    parsed = parse_files({**files, "audience.csv": "\n".join(kept).encode()})
    assert {r.attack for r in run_attacks([parsed], RULES, attacks=FIRST) if r.verdict == FAILED} == {"reparse"}


def test_nobody_is_outside_a_published_group() -> None:
    nearly_all = one_table({"20s": BIG, "30s": FEW, "40s": FEW}, heads=True)
    draft = _hide(nearly_all, "audience", ("c1", "30s"), ("c1", "40s"))
    assert "reparse" in _caught(draft)


def test_nobody_is_outside_a_published_family() -> None:
    draft = one_table({"20s": BIG, "30s": BIG, "40s": BIG}, heads=True)
    cells = {row: {"clicker_rest_n": 450, **cell} for row, cell in draft.cells["audience"].items()}
    draft = replace(draft, cells={"audience": cells})
    assert _caught(draft, truth=True) == set()
    everyone_clicked = draft.with_value("audience", ("c1", "20s"), clicker_rest_n=9)
    assert _caught(everyone_clicked, truth=True) == {"reparse"}


def test_families_mixed() -> None:
    draft = one_table({"20s": BIG, "30s": BIG, "40s": BIG}, heads=True)
    assert _caught(draft.withhold("audience", ("c1", "20s"), ("c1", "30s"))) == {"reparse"}


def test_reach_for_the_margin_and_for_overlapping_parts() -> None:
    device = TableShape("device", "ads", (campaigns("c1"), plain("device", "m", "t")), measures(heads=True))
    cells = {("c1", ALL): BIG, ("c1", "m"): BIG, ("c1", "t"): BIG}
    assert _caught(Draft(package(device), {"device": cells})) == {"reparse"}


ONE_FAMILY = [("impressions", "impression_n", "people_n")]


def _cells(shape: TableShape, leaves: dict[tuple[str, ...], int]) -> dict[tuple[str, ...], dict[str, int]]:
    """Fill a table of one family from its finest cells, margins as sums; people are a third fewer than events."""
    cells = {}
    for row in shape.coordinates():
        below = [n for leaf, n in leaves.items() if all(a in (b, ALL) for a, b in zip(row, leaf, strict=True))]
        cells[row] = {"impression_n": sum(below), "people_n": sum(n - n // 3 for n in below)}
    return cells


def _ages(name: str, *keys: str, heads: bool = True) -> TableShape:
    own = measures("age_band", heads=heads, families=ONE_FAMILY)
    return TableShape(name, "ads", (campaigns("c1"), plain("age_band", *keys)), own)


FINE = {("c1", "a"): 401, ("c1", "b"): 302, ("c1", "c"): 503, ("c1", "d"): 604, ("c1", "e"): 705}


def _fine() -> Draft:
    shape = _ages("fine", "a", "b", "c", "d", "e")
    return Draft(package(shape), {"fine": _cells(shape, FINE)}).withhold("fine", ("c1", "a"), ("c1", "b"), ("c1", "c"))


def _grouped() -> Draft:
    shape = _ages("grouped", "ab", "cde")
    groups = {"age_band": {"a": "ab", "b": "ab", "c": "cde", "d": "cde", "e": "cde"}}
    return Draft(package(shape, groups=groups), {"grouped": _cells(shape, {("c1", "ab"): 703, ("c1", "cde"): 1812})})


def test_a_leak_through_two_linked_tables_only() -> None:
    one, other = _fine(), _grouped()
    assert _caught(one) == set()
    assert _caught(other) == set()
    # people of the coarse table: sums of the fine ones, so that the tables agree
    fine = one.cells["fine"]
    for group in ("ab", "cde"):
        people = sum(fine["c1", child]["people_n"] for child in group)
        other = other.with_value("grouped", ("c1", group), people_n=people)
    other = other.with_value("grouped", ("c1", ALL), people_n=fine["c1", ALL]["people_n"])
    shape = replace(other.shape, tables=(*one.shape.tables, *other.shape.tables))
    together = Draft(shape, {**one.cells, **other.cells}, one.withheld)
    assert _caught(together) == {"elimination", "propagation"}
    apart = replace(shape, tables=(shape.tables[0], replace(shape.tables[1], universe="other")))
    assert _caught(replace(together, shape=apart)) == set()


AREAS = (("kanto", "tokyo"), ("kanto", "chiba"), ("kanto", "saitama"), ("kinki", "osaka"), ("kinki", "kyoto"))


def _area(*areas: tuple[str, str]) -> Draft:
    shape = TableShape(
        "area",
        "ads",
        (campaigns("c1"), Dimension(("region", "prefecture"), areas)),
        measures("region", "prefecture", heads=True, families=ONE_FAMILY),
    )
    leaves = {("c1", *area): 400 + 10 * n for n, area in enumerate(areas)}
    return Draft(package(shape), {"area": _cells(shape, leaves)})


def test_a_hierarchy_leaks_a_prefecture_through_its_region() -> None:
    """Two prefectures are withheld, but in different regions whose totals are published."""
    one_each = _area(*AREAS).withhold("area", ("c1", "kanto", "tokyo"), ("c1", "kinki", "osaka"))
    assert _caught(one_each) == {"elimination", "propagation"}
    two = _area(*AREAS).withhold("area", ("c1", "kanto", "tokyo"), ("c1", "kanto", "chiba"))
    assert _caught(two) == set()


def test_a_hierarchy_leaks_a_region_through_its_prefectures() -> None:
    draft = _area(*AREAS).withhold("area", ("c1", "kinki", ALL), ("c1", "kanto", ALL))
    assert _caught(draft) == {"elimination", "propagation"}


def test_a_region_of_one_prefecture_is_that_prefecture() -> None:
    areas = (*AREAS, ("hokkaido", "hokkaido"))
    alias = _area(*areas).withhold("area", ("c1", "hokkaido", "hokkaido"))
    assert _caught(alias) == {"elimination", "propagation"}
    whole = _area(*areas).withhold("area", ("c1", "hokkaido", "hokkaido"), ("c1", "hokkaido", ALL))
    rest = whole.withhold("area", ("c1", "kinki", ALL), ("c1", "kinki", "osaka"), ("c1", "kinki", "kyoto"))
    assert _caught(rest) == set()


def test_a_value_differs_between_two_tables(clean: Draft) -> None:
    row = ("c1", ALL)
    more = clean.cells["audience_device"][row]["impression_n"] + 1
    assert "reparse" in _caught(clean.with_value("audience_device", row, impression_n=more))


def test_one_table_publishes_what_another_withholds(clean: Draft) -> None:
    draft = clean.withhold("audience_device", ("c1", ALL), ("c1", "desktop"), ("c1", "mobile"))
    draft = draft.withhold("audience_device", ("c1", ALL), ("c1", "desktop"), ("c1", "mobile"), family="clicks")
    assert {"reparse", "elimination", "propagation"} <= _caught(draft)


def test_a_margin_that_is_not_its_sum(clean: Draft) -> None:
    more = clean.cells["audience_area"]["c1", "kanto", ALL]["people_n"] + 1
    draft = clean.with_value("audience_area", ("c1", "kanto", ALL), people_n=more)
    verdicts = _verdicts([draft], truth=False)
    assert verdicts["reparse"] == FAILED
    assert verdicts["elimination"] == verdicts["propagation"] == "inconclusive", "it contradicts itself"


def test_withheld_cells_that_sum_to_less_than_the_threshold() -> None:
    shape = _ages("fine", "a", "b", "c", "d", "e")
    small = {**FINE, ("c1", "a"): 20, ("c1", "b"): 29}
    draft = Draft(package(shape), {"fine": _cells(shape, small)}).withhold("fine", ("c1", "a"), ("c1", "b"))
    assert _caught(draft) == {"propagation"}
    enough = Draft(package(shape), {"fine": _cells(shape, {**small, ("c1", "b"): 65})})
    assert _caught(enough.withhold("fine", ("c1", "a"), ("c1", "b"))) == set()


def test_a_square_of_withheld_cells_that_is_nearly_known() -> None:
    """Two in each line, but the largest cannot be 0: what pairs per line do not see."""
    shape = TableShape(
        "square",
        "ads",
        (campaigns("c1"), plain("age_band", "a", "b", "c"), plain("gender", "f", "m", "x")),
        measures("age_band", "gender", heads=True, families=ONE_FAMILY),
    )
    leaves = {("c1", age, gender): 300 for age in "abc" for gender in "fmx"}
    leaves["c1", "a", "f"] = 9000
    draft = Draft(package(shape), {"square": _cells(shape, leaves)})
    square = [("c1", age, gender) for age in "ab" for gender in "fm"]
    assert _caught(draft.withhold("square", *square)) == {"propagation"}
    leaves["c1", "a", "f"] = 300
    level = Draft(package(shape), {"square": _cells(shape, leaves)})
    assert _caught(level.withhold("square", *square)) == set()


def test_zeros_published_without_a_zero_above() -> None:
    shape = _ages("fine", "a", "b", "c")
    leaves = {("c1", "a"): 0, ("c1", "b"): 500, ("c1", "c"): 600}
    assert "reparse" in _caught(Draft(package(shape), {"fine": _cells(shape, leaves)}))


def _days(*withheld: str) -> list[Draft]:
    """A week, which tells no people, and its days; on each day named, the whole campaign is withheld."""
    shape, of_week = (_ages("fine", "a", "b", "c", heads=heads) for heads in (True, False))
    leaves = {("c1", key): 400 for key in "abc"}
    days = {f"2026-11-{day}": leaves for day in range(16, 23)}
    week = {row: 7 * n for row, n in leaves.items()}
    rows = tuple(shape.coordinates())
    drafts = []
    for period, values in {**days, "2026-W47": week}.items():
        own = shape if period in days else of_week
        draft = Draft(package(own, period=period), {"fine": _cells(own, values)})
        drafts.append(draft.withhold("fine", *rows) if period in withheld else draft)
    return drafts


def test_a_week_gives_away_the_day_that_is_withheld() -> None:
    assert _caught(*_days()) == set()
    assert _caught(*_days("2026-11-18")) == {"elimination", "propagation"}
    assert _caught(*_days("2026-11-18", "2026-11-20")) == set()
    assert _caught(*_days("2026-11-18")[:-1]) == set(), "without the week nothing follows"


def test_the_invoice_gives_away_the_cell_beside_it() -> None:
    invoiced = _fine().publish("fine", ("c1", "b"), ("c1", "c")).withhold("fine", ("c1", ALL))
    assert "elimination" not in _caught(invoiced)
    declared = {"period": "2026-11-21", "dimensions": ["campaign_id"], "measures": ["impression_n", "people_n"]}
    shape = replace(invoiced.shape, invariants=(declared,))
    assert "elimination" in _caught(replace(invoiced, shape=shape))
    assert _caught(replace(invoiced, shape=shape), truth=True) == {"elimination", "propagation"}


def test_colluding_recipients_hold_what_each_withholds() -> None:
    one = _fine()
    other = replace(one, shape=replace(one.shape, recipient_id="r-02")).publish("fine", ("c1", "a"))
    other = other.withhold("fine", ("c1", "d"))
    assert _caught(one) == _caught(other) == set()
    assert {"reparse", "elimination"} <= _caught(one, other)


def _swept(draft: Draft, **files: bytes) -> set[str]:
    parsed = parse_files({**draft.files(parquet=True), **files})
    return {r.attack for r in run_attacks([parsed], RULES, canaries=[CANARY], attacks=FIRST) if r.verdict == FAILED}


PAGE = "<html><body><p>{}</p></body></html>"
PLANTS = {
    "in a page": {"report.ja.html": PAGE.format(CANARY).encode()},
    "encoded in a page": {"report.ja.html": PAGE.format(b64encode(f"id={CANARY};".encode()).decode()).encode()},
    "as a hash in a page": {"report.en.html": PAGE.format(hashlib.sha256(CANARY.encode()).hexdigest()).encode()},
    "as a file": {f"{CANARY}.csv": b""},
    "in the descriptor of another file": {"notes.json": f'{{"author": "{CANARY}"}}'.encode()},
}


@pytest.mark.parametrize("files", PLANTS.values(), ids=PLANTS.keys())
def test_a_canary_planted(clean: Draft, files: dict[str, bytes]) -> None:
    assert _swept(clean) == set()
    assert _swept(clean, **files) == {"identifiers"}


def test_a_canary_in_parquet_metadata(clean: Draft) -> None:
    shape = clean.shape.tables[-1]
    header, *rows = [line.split(",") for line in clean.files()[f"{shape.name}.csv"].decode().splitlines()]
    noted = parquet_bytes(shape, header, rows, {"written_by": CANARY})
    assert _swept(clean, **{f"{shape.name}.parquet": noted}) == {"identifiers"}


def test_a_category_that_names_a_person() -> None:
    draft = one_table({"20s": BIG, "taro.yamada@example.jp": BIG, "30s": BIG}, heads=True)
    assert _caught(draft) == {"identifiers"}


@pytest.mark.parametrize("seed", range(2, 6))
def test_unprotected_portals_are_broken_and_protected_ones_do_not_leak_exactly(seed: int) -> None:
    draft = protect(portal(seed, events=6000), RULES["heads"], RULES["outside"])
    assert "elimination" not in _caught(draft)
    assert "elimination" in _caught(_no_complementary_suppression(draft))


def _changed(files: dict[str, bytes], name: str, old: str, new: str) -> dict[str, bytes]:
    return {**files, name: files[name].decode().replace(old, new, 1).encode()}


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("withheld", "suppressed", "package.status"),
        ("withheld", "published", "package.withheld"),
        ("c1,ALL,ALL", "c1,ALL,u20", "package.product"),
    ],
)
def test_a_malformed_package_is_refused_before_it_is_attacked(clean: Draft, old: str, new: str, rule: str) -> None:
    files = clean.files()
    assert isinstance(parse_files(files), ParsedPackage)
    with pytest.raises(ReleaseError) as caught:
        parse_files(_changed(files, "audience_age_gender.csv", old, new))
    assert caught.value.rule == rule
