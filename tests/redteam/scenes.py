"""Small seeded portals on the way that every release goes: cubes, control, files, and the attacks with the truth.

What a reader holds of one campaign: a day with every kind of table, a week with its days, months with their invoices, a
campaign in two hands. Everything is looked up when it is called, so that a rule that was weakened beforehand is weak.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import test_months
import test_periods
import test_planted_people
import test_two_hands
from disclosure_portal import (
    COUNTED,
    Habits,
    count_people,
    fill,
    flat,
    keyed,
    nested,
    package,
    plain,
    rule_set,
    table,
)
from release_night import NIGHT, cube_tables, references

import quorum.disclosure
from quorum.audit.package import parse_files, read_files
from quorum.audit.record import PASSED
from quorum.audit.run import ATTACKS, run_attacks
from quorum.disclosure import PackageCube, SafeCube
from quorum.errors import ConfigurationError, ReleaseError
from quorum.policy import Policy, ReportSpec, RuleSet, TableSpec, WhoCounts, load_policy
from quorum.release import package as writer
from quorum.release.package import rule_numbers, table_files
from quorum.release.shapes import package_shapes
from quorum.report import workbook
from quorum.report.facts import page_facts
from quorum.report.html import render
from quorum.tables import Measure, PackageShape, TableShape

ROOT = Path(__file__).parents[2]
READING = "reading"
"""Refused before it is attacked: the files are no package."""

Tables = Mapping[str, pa.Table]


@dataclass(frozen=True)
class Held:
    """Packages in one reader's hands: files, and what was counted, by release."""

    files: Sequence[Mapping[str, bytes]]
    numbers: Mapping[str, object]
    truth: Mapping[str, Tables]
    canaries: Sequence[str] = ()

    def caught(self, names: Collection[str] | None = None) -> set[str]:
        """Return the attacks that do not pass, of those named; none where nothing was let out."""
        if not self.files:
            return set()
        try:
            packages = [parse_files(files) for files in self.files]
        except ReleaseError:
            return {READING}
        held = {package.release for package in packages}
        truth = {release: tables for release, tables in self.truth.items() if release in held}
        attacks = [attack for attack in ATTACKS if names is None or attack.name in names]
        records = run_attacks(packages, self.numbers, truth, self.canaries, attacks=attacks)
        return {record.attack for record in records if record.verdict != PASSED}


def _house(report: ReportSpec, rules: RuleSet) -> SimpleNamespace:
    return SimpleNamespace(
        reports={"campaign": report},
        dimensions=test_periods.DIMENSIONS,
        families={family.name: family for family in COUNTED},
        rule_sets={"standard": rules},
        contribution={"impression": 20, "click": 10, "conversion": 5},
        who_counts=WhoCounts(28, 3, 5),
        version=1,
        digest="0" * 64,
    )


# --- a day ------------------------------------------------------------------------------------------------------------

DAY_RULES = rule_set(heads=20, clicks=10, outside=10)
_KEY = plain(1)
_AGE, _GENDER, _REGION = flat("age_band", 4), flat("gender", 3), flat("region", 3)
_DEVICE, _HOUR = flat("device", 3, partitions=False), flat("hour_band", 4, partitions=False)
DAY_TABLES = {
    "performance": table("performance", keyed(1, 3), flat("placement", 3, partitions=False)),
    "grid": table("audience_grid", _KEY, _AGE, _GENDER),
    "area": table("audience_area", _KEY, nested("region", "prefecture", (1, 4, 3))),
    "reach": replace(
        table("audience_device", _KEY, _DEVICE), measures=table("audience_device", _KEY, flat("device", 3)).measures
    ),
    "device": table("audience_device", _KEY, _DEVICE),
    "hour": table("audience_hour", _KEY, _HOUR),
    "cross": table("audience_device_hour", _KEY, _DEVICE, _HOUR),
    "occupation": table("audience_occupation", _KEY, flat("occupation", 7)),
    "area_gender": table("audience_area_gender", _KEY, nested("region", "prefecture", (1, 3, 2)), _GENDER),
    "cube": table("audience_cube", _KEY, _AGE, _GENDER, _REGION, families=COUNTED[:1]),
    "region": table("audience_region", _KEY, _REGION),
    "cube_of_all": table("audience_cube", _KEY, _AGE, _GENDER, _REGION),
}
PLAIN = ("performance", "grid", "area", "device", "occupation")
LINKED = ("grid", "region", "cube_of_all")
USUAL = Habits(click=0.15, conversion=0.4)
NEWCOMERS = Habits(click=0.15, conversion=0.4, newcomers=0.2, crowd=0.5)
KEEN = Habits(click=0.5, conversion=0.5, skew=1.5)


@lru_cache(maxsize=64)
def day_cube(seed: int, people: int, names: tuple[str, ...], habits: Habits) -> PackageCube:
    """Count an invented day of one campaign."""
    shape = package(*(DAY_TABLES[name] for name in names))
    cube = fill(shape, count_people(shape, [people], np.random.default_rng(seed), habits))
    return PackageCube(shape, {name: _with_values(rows) for name, rows in cube.tables.items()})


def _with_values(rows: pa.Table) -> pa.Table:
    """What the recipient says that conversions are worth: for everybody another value."""
    conversions = rows["conversion_n"].to_numpy()
    return rows.append_column("value_micros", pa.array(conversions * 1_000_000 + 2 ** (conversions % 40), pa.int64()))


def day(names: Sequence[str] = PLAIN, people: int = 120, seed: int = 0, habits: Habits = USUAL) -> Held:
    """Release a day and hold it; nothing, where control refuses the shape."""
    cube = day_cube(seed, people, tuple(names), habits)
    house, numbers = _day_house(cube.shape)
    try:
        safe = quorum.disclosure.control(cube, DAY_RULES, COUNTED)
    except ConfigurationError:
        return Held([], numbers, {})
    return Held([table_files(cube.shape, safe.tables, house)], numbers, {_name(cube.shape): cube.tables})


def _day_house(shape: PackageShape) -> tuple[SimpleNamespace, Mapping[str, object]]:
    specs = tuple(TableSpec(t.name, t.name, tuple(d.levels[-1] for d in t.dimensions[1:])) for t in shape.tables)
    report = replace(test_periods.REPORT, tables=specs)
    house = _house(report, DAY_RULES)
    return house, rule_numbers(DAY_RULES, report, house)


def _name(shape: PackageShape) -> str:
    return f"{shape.recipient_id}/{shape.report}/{shape.period}"


# --- longer periods ---------------------------------------------------------------------------------------------------


def weekend(seed: int, *, erased: int = 0, days: int = 3, changed: bool = False) -> Held:
    """Release a week that begins on a Friday, and its days; some people may be erased before it ends."""
    house = _house(test_periods.REPORT, test_periods.RULES)
    made = test_periods.release(house, seed, days=days, erased=erased, changed=changed)
    packages = [made.week, *made.days]
    files = [table_files(shape, safe.tables, house) for shape, safe in packages]
    numbers = rule_numbers(test_periods.RULES, test_periods.REPORT, house)
    return Held(files, numbers, {_name(made.week[0]): made.counted.tables})


def months(seed: int, kind: type[test_months.Portal] = test_months.Portal) -> Held:
    """Release forty nights of a campaign, by day, week and month as its plan has it."""
    portal = kind(seed)
    house, report = test_months.HOUSE, test_months.REPORT
    packages = [(shape, safe.tables) for shape, safe in portal.held.values()]
    invoices = _invoices(portal) if isinstance(portal, test_two_hands.Moved) else ()
    files = [table_files(shape, tables, house) for shape, tables in (*packages, *invoices)]
    truth = {_name(shape): portal.counted[period].tables for period, (shape, _) in portal.held.items()}
    return Held(files, rule_numbers(test_months.RULES, report, house), truth)


def hands(seed: int) -> Held:
    """Release the same of a campaign that changes hands, with what both hold, and one invoice a month."""
    return months(seed, test_two_hands.Moved)


def _invoices(portal: test_two_hands.Moved) -> Iterator[tuple[PackageShape, Tables]]:
    """Yield what the invoice of each month says, written as a package of it; one for both hands of a campaign."""
    said: dict[str, dict[str, int]] = {}
    for family in test_months.FAMILIES:
        for name, _, value in test_two_hands.bills(portal, family.name, (None,)):
            said.setdefault(name[:7], {})[family.name] = value
    for month, totals in sorted(said.items()):
        families = [family for family in test_months.FAMILIES if family.name in totals]
        measures = tuple(Measure(family.count, family.name, "count", ("period",)) for family in families)
        invoice = {"period": month, "dimensions": ["campaign_id"], "measures": [measure.name for measure in measures]}
        shape = PackageShape(
            "invoice", "campaign", month, (TableShape("invoice", "ads", (_KEY,), measures),), (invoice,)
        )
        columns = {"campaign_id": pa.array([test_months.KEY])}
        columns |= {family.count: pa.array([totals[family.name]], pa.int64()) for family in families}
        columns |= {f"status_{family.name}": pa.array(["published"]) for family in families}
        yield shape, {"invoice": pa.table(columns)}


def again(seed: int) -> Held:
    """Release a day, erase people, and ask for the same day again; held is whatever is let out."""
    shape = package(DAY_TABLES["area"])
    whole = day_cube(seed, 400, ("area",), Habits(click=0.15))
    left = fill(shape, count_people(shape, [390], np.random.default_rng(seed), Habits(click=0.15)))
    first = quorum.disclosure.control(whole, DAY_RULES, COUNTED)
    safes = [first]
    with suppress(ConfigurationError):
        safes.append(quorum.disclosure.control(left, DAY_RULES, COUNTED, earlier=[first]))
    house, numbers = _day_house(shape)
    return Held([table_files(shape, safe.tables, house) for safe in safes], numbers, {})


# --- who counts -------------------------------------------------------------------------------------------------------

DEFENCES_OFF: tuple[str, ...] = ()
"""Of `test_planted_people.OFF`: what the statements of the night do without."""


def crowd(days: int, nights: int, network: str | None = None) -> Held:
    """Run the night's statements over a reader's own cookies around one victim; the truth is that of all statements."""
    return _crowd(tuple(test_planted_people.attack(days, nights, network)))


def busy() -> Held:
    """The same over people of long standing who are shown one campaign thirty times in an hour and more."""
    cookie = test_planted_people.Cookie
    often = [cookie(f"often{n}", 3, 60, network=f"198.51.{n}.0/24", events=30 + n) for n in range(60)]
    return _crowd((*test_planted_people.real(), *often))


def _crowd(cookies: tuple[test_planted_people.Cookie, ...]) -> Held:
    policy = load_policy(ROOT / "policy")
    true, cube = _counted(cookies, ()), _counted(cookies, DEFENCES_OFF)
    report = policy.reports["campaign"]
    rules, families = policy.rule_sets[report.rule_set], [policy.families[name] for name in report.families]
    safe = quorum.disclosure.control(cube, rules, families)
    files = table_files(cube.shape, safe.tables, policy)
    return Held([files], rule_numbers(rules, report, policy), {_name(cube.shape): true.tables})


@lru_cache(maxsize=8)
def _counted(cookies: tuple[test_planted_people.Cookie, ...], without: tuple[str, ...]) -> PackageCube:
    with TemporaryDirectory() as folder:
        house = test_planted_people.House(ROOT / "sql", load_policy(ROOT / "policy"), Path(folder))
        return (house.without(*without) if without else house).count(cookies)


# --- files ------------------------------------------------------------------------------------------------------------

CANARY = "taro.yamada@example.jp"


@lru_cache(maxsize=1)
def _night() -> tuple[Policy, PackageCube, SafeCube]:
    policy = load_policy(ROOT / "policy")
    shape = next(s for s in package_shapes(policy, references(2), NIGHT) if s.report == "sections")
    cube = PackageCube(shape, cube_tables(shape, policy, 900, 1))
    families = [policy.families[name] for name in policy.reports["sections"].families]
    rules = policy.rule_sets[policy.reports["sections"].rule_set]
    return policy, cube, quorum.disclosure.control(cube, rules, families)


def files() -> Held:
    """Stage the package of an information provider: tables in three forms and two pages."""
    policy, cube, safe = _night()
    facts = page_facts(policy, references(2), cube.shape)
    pages = {**render(facts, safe.tables), **workbook.render_workbook(facts, safe.tables)}
    with TemporaryDirectory() as folder:
        staged = writer.stage_package(Path(folder), cube.shape, safe.tables, policy, pages)
        written = read_files(staged)
    report = policy.reports["sections"]
    numbers = rule_numbers(policy.rule_sets[report.rule_set], report, policy)
    return Held([written], numbers, {_name(cube.shape): cube.tables}, [CANARY])


def counted_rows() -> Mapping[str, pa.Table]:
    """Return what was counted for `files`, table by table: what no file may tell."""
    return _night()[1].tables
