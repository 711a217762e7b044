"""Who is outside a targeting counts as unknown before any rule: against people counted one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from disclosure_portal import COUNTED as FAMILIES
from disclosure_portal import flat, package, plain, rule_set, table

from quorum.disclosure import PackageCube, control, project
from quorum.disclosure.equations import build_blocks
from quorum.disclosure.targeting import bound_people, find_mixtures, fold_untargeted
from quorum.disclosure.week import sum_days
from quorum.errors import ConfigurationError
from quorum.policy import Policy, ReportSpec
from quorum.policy.types import TableSpec
from quorum.tables import Dimension, PackageShape, TableShape
from quorum.tables.shape import ALL, KeyPlan
from quorum.tables.targeting import aim, excluded, listed_targets, named_n

AGES = Dimension(("age_band",), (("20s",), ("30s",), ("40s",), ("unknown",)))
GENDERS = Dimension(("gender",), (("female",), ("male",), ("unknown",)))
AREAS = Dimension(
    ("region", "prefecture"),
    (("east", "a"), ("east", "b"), ("east", "c"), ("west", "d"), ("west", "e"), ("unknown", "unknown")),
)
SHAPE = package(table("who", plain(2), AGES, GENDERS), table("where", plain(2), AREAS))
TARGETS = [
    {"gender": ("female",)},
    {"age_band": ("20s", "30s"), "gender": ("male",)},
    {"prefecture": ("a", "b")},
    {"prefecture": ("c",), "age_band": ("40s",)},
    {"prefecture": ("a", "d"), "gender": ("male",)},
    {"prefecture": ("a", "b", "c")},
]
REPORT = ReportSpec(
    name="campaign",
    name_ja="",
    name_en="",
    recipient_kinds=("advertiser",),
    rule_set="standard",
    periods=("day",),
    universe="ads",
    key="campaign_id",
    families=("impressions", "clicks", "conversions"),
    tables=(TableSpec("who", "cube__who", ()), TableSpec("where", "cube__where", ())),
)
MEASURES = [c for f in FAMILIES for c in f.columns]


@dataclass(frozen=True)
class Contact:
    """What one person did in one category of each dimension."""

    person: int
    campaign: str
    at: Mapping[str, str]
    events: Mapping[str, int]


def _contacts(rng: np.random.Generator, people: int, contacts: int = 1) -> list[Contact]:
    found = []
    for person, _ in product(range(people), range(contacts)):
        at: dict[str, str] = {}
        for dimension in (AGES, GENDERS, AREAS):
            at |= dict(zip(dimension.levels, dimension.keys[rng.integers(len(dimension.keys))], strict=True))
        clicks = int(rng.random() < 0.4)
        events = {
            "impression_n": int(rng.integers(0, 4)),
            "click_n": clicks,
            "conversion_n": clicks * int(rng.integers(2)),
        }
        found.append(Contact(person, f"c{rng.integers(2):03}", at, events))
    return found


def _relabelled(contacts: Sequence[Contact], shape: PackageShape) -> list[Contact]:
    """Everybody outside the targeting is unknown there."""
    found = []
    for one in contacts:
        at = dict(one.at)
        for column, listed in shape.targeting.get(one.campaign, {}).items():
            if at[column] not in listed:
                at[column] = "unknown"
                if column == "prefecture":
                    at["region"] = "unknown"
        found.append(replace(one, at=at))
    return found


def _count(shape: TableShape, contacts: Sequence[Contact]) -> pa.Table:
    """Every row of a table, people as sets."""
    rows: dict[tuple[str, ...], list[int]] = {}
    for place in shape.coordinates():
        inside = [c for c in contacts if c.campaign == place[0]]
        for column, category in zip(shape.columns[1:], place[1:], strict=True):
            inside = [c for c in inside if category in (ALL, c.at[column])]
        who = {f.count: {c.person for c in inside if c.events[f.count]} for f in FAMILIES}
        values = []
        for family in FAMILIES:
            who_count = {person for person in who[family.count] if _counts(person)}
            values += [sum(c.events[family.count] for c in inside), len(who[family.count]), len(who_count)]
            if family.rest:
                values.append(sum(map(_counts, who["impression_n"] - who[family.count])))
        rows[place] = values
    columns: dict[str, pa.Array] = {c: pa.array([p[i] for p in rows], pa.string()) for i, c in enumerate(shape.columns)}
    columns |= {m: pa.array([v[i] for v in rows.values()], pa.int64()) for i, m in enumerate(MEASURES)}
    return pa.table(columns)


def _counts(person: int) -> bool:
    return person % 7 > 0


def _targeted(targets: Mapping[str, tuple[str, ...]], shape: PackageShape = SHAPE) -> PackageShape:
    return replace(shape, targeting={"c001": targets})


def test_a_targeting_is_read_in_the_categories_of_the_policy() -> None:
    keys = {"gender": ["female", "male", "unknown"], "age_band": ["20s", "30s", "unknown"]}
    assert listed_targets({"gender": ["male", "female"], "age_band": [""]}, keys) == {"gender": ("female", "male")}
    assert listed_targets({"gender": ["unknown"], "age_band": ["90s"], "x": ["y"]}, keys) == {}


def test_what_a_targeting_leaves() -> None:
    assert aim(GENDERS, {"age_band": ("20s",)}) is GENDERS
    assert aim(AREAS, {"prefecture": ("c", "a")}).keys == (("east", "a"), ("east", "c"), ("unknown", "unknown"))
    no_rest = Dimension(("gender",), (("female",), ("male",)))
    assert aim(no_rest, {"gender": ("female",)}) is no_rest
    where, targeting = SHAPE.table("where"), {"c001": {"prefecture": ("a", "d", "e")}}
    at = {
        place[1:]: (zero, n)
        for place, zero, n in zip(
            where.coordinates(), excluded(where, targeting), named_n(where, targeting), strict=True
        )
        if place[0] == "c001"
    }
    assert {place for place, (zero, _) in at.items() if zero} == {("east", "b"), ("east", "c")}
    assert at["east", "a"] == at["east", ALL] == (False, 1), "one prefecture of a region is the region"
    assert (at["west", ALL], at["west", "d"]) == ((False, 1), (False, 2))
    assert not any(
        zero for place, zero in zip(where.coordinates(), excluded(where, targeting), strict=True) if place[0] == "c000"
    )


@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.parametrize("seed", range(3))
def test_projected_is_what_relabelled_people_count(
    targets: Mapping[str, tuple[str, ...]], seed: int, policy: Policy
) -> None:
    shape = _targeted(targets)
    contacts = _contacts(np.random.default_rng(seed), 60)
    cubes = {f"cube__{t.name}": _count(t, contacts) for t in shape.tables}
    cube = project(shape, cubes, REPORT, policy)
    for t in shape.tables:
        expected = _count(t, _relabelled(contacts, shape))
        for measure in MEASURES:
            assert cube.values(t.name, measure).tolist() == expected[measure].to_pylist(), (t.name, measure)
        zero = np.array(shape.zeros(t))
        assert not any(cube.values(t.name, measure)[zero].any() for measure in MEASURES)


def test_only_rows_of_what_happened_are_needed(policy: Policy) -> None:
    shape, contacts = _targeted({"prefecture": ("c",)}), _contacts(np.random.default_rng(4), 9)
    cubes = {f"cube__{t.name}": _count(t, contacts) for t in shape.tables}
    some = {name: rows.filter(pa.array(rows["impression_n"].to_numpy() > 0)) for name, rows in cubes.items()}
    whole, part = project(shape, cubes, REPORT, policy), project(shape, some, REPORT, policy)
    for t in shape.tables:
        assert part.values(t.name, "impression_n").tolist() == whole.values(t.name, "impression_n").tolist()


def test_an_event_outside_the_targeting_changes_unknown_and_margins_alone(policy: Policy) -> None:
    shape = _targeted({"gender": ("female",), "prefecture": ("a", "d")})
    contacts = _contacts(np.random.default_rng(5), 50)
    at = {"age_band": "20s", "gender": "male", "region": "east", "prefecture": "b"}
    events = {"impression_n": 1, "click_n": 0, "conversion_n": 0}
    cubes = [
        project(shape, {f"cube__{t.name}": _count(t, own) for t in shape.tables}, REPORT, policy)
        for own in (contacts, [*contacts, Contact(99, "c001", at, events)])
    ]
    changed = {
        place[1:]
        for t in shape.tables
        for place, one, other in zip(
            t.coordinates(), *(cube.values(t.name, "impression_n") for cube in cubes), strict=True
        )
        if one != other
    }
    assert changed == {
        *((age, gender) for age in ("20s", ALL) for gender in ("unknown", ALL)),
        ("unknown", "unknown"),
        ("unknown", ALL),
        (ALL, ALL),
    }


@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.parametrize("seed", range(3))
def test_people_of_a_week_are_bounded(targets: Mapping[str, tuple[str, ...]], seed: int) -> None:
    """Within a week a person may be in two categories: true numbers lie between the bounds."""
    shape = _targeted(targets)
    contacts = _contacts(np.random.default_rng([seed, 2]), 40, contacts=3)
    some_exact = 0
    for t in shape.tables:
        raw, true = _count(t, contacts), _count(t, _relabelled(contacts, shape))
        mixtures = find_mixtures(t, shape.targeting)
        for family in FAMILIES:
            rest = None if family.rest is None else raw[family.rest].to_numpy()
            least, most, beside = bound_people(mixtures, raw[family.judged].to_numpy(), rest)
            heads = true[family.judged].to_numpy()
            assert np.all(least <= heads)
            assert np.all(heads <= most)
            some_exact += int((least == most).sum())
            zero = np.array(shape.zeros(t))
            assert not most[zero].any()
            if beside is not None:
                assert np.all(beside <= true[family.rest].to_numpy())
    assert some_exact


def test_a_week_sums_the_days_as_they_were_told(policy: Policy) -> None:
    """Events are those of the projected days; people of categories that are moved together are bounds."""
    targets = {"gender": ("female",), "prefecture": ("a", "b")}
    shape = _targeted(targets)
    contacts = [_contacts(np.random.default_rng([9, day]), 30) for day in range(2)]
    days = [
        project(shape, {f"cube__{t.name}": _count(t, own) for t in shape.tables}, REPORT, policy) for own in contacts
    ]
    loose = tuple(
        replace(
            t,
            dimensions=tuple(replace(d, partitions_people=False) for d in t.dimensions),
            measures=tuple(m for m in t.measures if m.kind == "count"),
        )
        for t in shape.tables
    )
    week = replace(shape, period="2026-W47", tables=loose)
    everybody = [one for own in contacts for one in own]
    names = ["campaign_id", "age_band", "gender", "region", "prefecture"]
    rows = [{**dict.fromkeys(names, ALL), **row} for t in week.tables for row in _count(t, everybody).to_pylist()]
    schema = pa.schema([(n, pa.string()) for n in names] + [(m, pa.int64()) for m in MEASURES])
    people = pa.Table.from_pylist(rows, schema)
    cube = sum_days(week, days, people, FAMILIES, {t.name: t.name for t in week.tables})
    for t in week.tables:
        true = _count(t, _relabelled(everybody, shape))
        for family in FAMILIES:
            assert cube.values(t.name, family.count).tolist() == true[family.count].to_pylist()
            heads = true[family.heads].to_numpy()
            assert np.all(cube.values(t.name, family.heads) <= heads)
            assert np.all(heads <= cube.heads_at_most[t.name][family.heads])
    assert set(control(cube, rule_set(heads=10, clicks=10), FAMILIES).tables) == {"who", "where"}


def test_a_coarser_level_is_bounded_by_what_was_left_out_of_it() -> None:
    """Of a region of 100 of which two prefectures of 3 are not targeted, 94 people are sure, not the largest part."""
    shape = _targeted({"prefecture": ("b", "c")})
    t = shape.table("where")
    values = {("east", ALL): 100, ("east", "a"): 3, ("east", "b"): 50, ("east", "c"): 49, (ALL, ALL): 100}
    heads = np.array([values.get(place[1:], 0) if place[0] == "c001" else 0 for place in t.coordinates()])
    least, most, _ = bound_people(find_mixtures(t, shape.targeting), heads, None)
    at = {place[1:]: row for row, place in enumerate(t.coordinates()) if place[0] == "c001"}
    assert (least[at["east", ALL]], most[at["east", ALL]]) == (97, 99)
    assert (least[at["unknown", ALL]], most[at["unknown", "unknown"]]) == (3, 3)


def test_a_cell_that_targeting_excludes_is_published_as_0_and_no_cell_of_a_block(policy: Policy) -> None:
    shape = _targeted({"prefecture": ("c",), "gender": ("female",)})
    cube = project(
        shape,
        {f"cube__{t.name}": _count(t, _contacts(np.random.default_rng(6), 40)) for t in shape.tables},
        REPORT,
        policy,
    )
    safe = control(cube, rule_set(heads=10, clicks=10), FAMILIES)
    for t in shape.tables:
        zero, rows = np.array(shape.zeros(t)), safe.tables[t.name]
        assert zero.any()
        for family in t.families:
            assert set(np.array(rows[f"status_{family}"].to_pylist())[zero]) == {"published"}
        assert all(value == 0 for m in t.measures for value in np.array(rows[m.name].to_pylist())[zero])
    (own,) = [blocks for blocks in build_blocks(shape) if any("c001" in str(key) for key in _keys(shape, blocks))]
    sizes = {block.tables: block.shape for block in own}
    assert sizes["where",] == (3,), "the total, a region that is its prefecture, unknown"
    assert sizes["who",] == (5, 3)


def _keys(shape: PackageShape, blocks: Sequence) -> set[str]:
    found = set()
    for block in blocks:
        for name, rows, _ in block.rows:
            places = list(shape.table(name).coordinates())
            found |= {places[row][0] for row in rows.tolist()}
    return found


def _loose(targets: Mapping[str, tuple[str, ...]]) -> PackageCube:
    """Of 1,005 people, within a week, 1,000 were women and 60 unknown."""
    genders = replace(GENDERS, partitions_people=False)
    shape = package(table("who", plain(1), genders, families=FAMILIES[:1]))
    shape = replace(shape, targeting={"c000": targets} if targets else {})
    counted = {ALL: (1200, 1005), "female": (1100, 1000), "male": (0, 0), "unknown": (100, 60)}
    rows = [counted[place[1]] for place in shape.tables[0].coordinates()]
    columns = {
        c: pa.array([p[i] for p in shape.tables[0].coordinates()]) for i, c in enumerate(("campaign_id", "gender"))
    }
    measures = {"impression_n": 0, "people_n": 1, "people_counted_n": 1}
    columns |= {m: pa.array([row[i] for row in rows], pa.int64()) for m, i in measures.items()}
    return PackageCube(shape, {"who": pa.table(columns)})


def test_a_category_that_targeting_fixes_may_hold_nearly_everybody() -> None:
    def shown(targets: Mapping[str, tuple[str, ...]]) -> set[str]:
        rows = control(_loose(targets), rule_set(), FAMILIES[:1]).tables["who"].to_pylist()
        return {row["gender"] for row in rows if row["status_impressions"] == "published"}

    assert shown({}) == {ALL, "unknown"}
    assert shown({"gender": ("female",)}) == {ALL, "female", "male", "unknown"}
    assert shown({"gender": ("female", "male")}) == {ALL, "unknown"}


def test_a_region_alone_in_the_targeting_is_fixed_and_its_prefectures_are_not() -> None:
    shape = _targeted({"prefecture": ("a", "b")})
    block = next(
        b for blocks in build_blocks(shape) if "c001" in _keys(shape, blocks) for b in blocks if "where" in b.tables
    )
    places = {cell: shape.table("where").coordinates() for cell in range(block.size)}
    listed = list(places[0])
    name = {int(cell): listed[row][1:] for _, rows, cells in block.rows for row, cell in zip(rows, cells, strict=True)}
    fixed = {name[int(child)] for child in block.child[block.fixed]}
    assert fixed == {("east", ALL)}


def test_something_outside_the_targeting_is_refused() -> None:
    cube = _loose({"gender": ("male",)})
    with pytest.raises(ConfigurationError, match="outside the targeting"):
        control(cube, rule_set(), FAMILIES[:1])


def test_a_targeted_dimension_partitions_people() -> None:
    shape = package(table("who", plain(2), replace(GENDERS, partitions_people=False)))
    rows = _count(shape.table("who"), _contacts(np.random.default_rng(7), 5))
    with pytest.raises(ConfigurationError, match="two categories"):
        fold_untargeted(shape.table("who"), rows, {"c001": {"gender": ("female",)}})
    assert fold_untargeted(shape.table("who"), rows, {"c001": {"prefecture": ("a",)}}) is rows


def test_a_plan_keeps_no_zero_back() -> None:
    """Excluded cells are 0 in every package, in whatever period the family is told; a lone prefecture is its region."""
    plan = KeyPlan({"impressions": "day", "clicks": "week", "conversions": "week"}, {"where": {"impressions": 1}})
    shape = replace(_targeted({"prefecture": ("c", "d", "e")}), plan={"c001": plan})
    t = shape.table("where")
    out = {
        family: dict(zip(t.coordinates(), shape.planned_out("day", t, family), strict=True)) for family in t.families
    }
    assert [out["impressions"]["c001", *at] for at in (("east", "a"), ("east", "c"), ("west", "d"))] == [
        False,
        False,
        True,
    ]
    assert not out["clicks"]["c001", "east", "b"]
    assert out["clicks"]["c001", "west", ALL]


def test_an_untargeted_dimension_of_devices_is_untouched() -> None:
    shape = package(table("by", plain(2), flat("device", 3, False)))
    assert not any(excluded(shape.table("by"), {"c001": {"gender": ("female",)}}))
