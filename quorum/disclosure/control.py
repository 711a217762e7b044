"""The one way from counts to released cells.

What belongs here: what a package must be to be judged, and the sealed cube of what was decided. What does not: the
decisions (`decide`) and the rules (`primary`, `suppress`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import cast

import numpy as np
import pyarrow as pa

from quorum.disclosure.decide import Told, Values, decide
from quorum.disclosure.equations import Block, build_blocks
from quorum.disclosure.frequency import in_bands, is_told
from quorum.disclosure.grid import Bools, rows_of
from quorum.disclosure.invoice import COST, COST_MICROS, TOTALS
from quorum.disclosure.reach import REACH, tell_reach, without_reach
from quorum.disclosure.sums import verify_sums
from quorum.disclosure.targeting import verify_zeros, zeros_of
from quorum.disclosure.types import PUBLISHED, SEAL, WITHHELD, PackageCube, SafeCube
from quorum.errors import ConfigurationError
from quorum.policy import FamilySpec, RuleSet
from quorum.tables.periods import MONTH, kind_of
from quorum.tables.shape import PackageShape, TableShape

Statuses = dict[str, dict[str, Bools]]
Keys = Mapping[str, Collection[str]]
"""Family to keys of the report."""


def control(
    cube: PackageCube,
    rule_set: RuleSet,
    families: Sequence[FamilySpec],
    earlier: Sequence[SafeCube] = (),
    told_elsewhere: Told = MappingProxyType({}),
    kept_back: Keys = MappingProxyType({}),
) -> SafeCube:
    """Decide which cells of a package may be said out loud.

    Args:
        cube: what was counted.
        rule_set: the numbers of the rules.
        families: of the report; a family comes after the one it requires.
        earlier: what this recipient was given before. Restatements are not judged against it yet, so that a package of
            the same report and period is refused.
        told_elsewhere: family to table to the rows whose number this recipient's packages of shorter periods tell, all
            of them: what requires the family may be published there, without the family itself.
        kept_back: family to the keys of the report of which it is withheld as a whole, so that the total of a month
            that the invoice tells leaves room.

    Returns:
        The safe cube: per table and family a status, and measures that are null where withheld.

    Raises:
        ConfigurationError: the cube does not add up; shape, families and rule set do not fit together; totals are
            declared for another package than that of a month; or ``earlier`` holds this recipient, report and period.
        ReleaseError: the result does not pass its own checks.

    Guarantee:
        Every published number is about enough people of its family (rule 1), leaves enough people of the cell outside
        the family and of the margin outside the group (rule 2), people who count (rule 5) in each case; and from all
        numbers of the package together, no withheld one follows, each can still be 0 and at least min(threshold, known
        total), and every sum of withheld cells that follows is about enough people who count (rule 6); nothing is
        published that the shape's plan keeps for another period, or leaves to a coarser level (rule 7). What public
        targeting makes 0 is published as 0, whatever the data. People by how often they saw a campaign are told
        with all bands or not at all, after everything else was decided, and leave all of this as it is. So do people
        reached in a week or month, told where the events of the same campaign are. Declared totals
        alone are exempt: rule 9. Equal cubes give equal results; all that is withheld looks the same. Not guaranteed:
        anything about packages of this recipient in which the same family of a key is told for another kind of period,
        or other recipients of a campaign.

    Source: disclosure.md, rules 1, 2, 5, 6 and 7; docs/decisions/0003-complementary-suppression.md,
        0007-periods-and-plans.md, 0008-what-one-person-adds-and-who-counts.md.
    """
    _refuse_misfits(cube.shape, rule_set, families, earlier)
    verify_sums(cube, families)
    verify_zeros(cube)
    statuses: Statuses = {
        table.name: {
            name: zeros_of(cube, table)
            for name in dict.fromkeys((*(family.name for family in families), *table.families))
        }
        for table in cube.shape.tables
    }
    together = without_reach(cube)
    values = Values(together, families, told_elsewhere, kept_back)
    declared = _declared(cube.shape, families)
    by_band: dict[str, tuple[int, ...]] = {}
    for blocks in build_blocks(together.shape):
        decided = decide(blocks, values, rule_set, families)
        if cube.bands and blocks:
            key = _key_of(blocks[0], cube.shape)
            if is_told(blocks, values, decided, cube, key, rule_set, families):
                by_band[key] = tuple(in_bands(cube, key)[0].tolist())
        for family, published in decided.items():
            for block, shown in zip(blocks, published, strict=True):
                if block.has_root and family in declared:
                    shown[0] = True
                for table, rows, cell in block.rows:
                    statuses[table][family][rows] = shown[cell]
    if COST in declared:
        statuses[TOTALS][COST][:] = True
    if REACH in statuses:
        statuses[REACH][families[0].name] = tell_reach(cube, statuses, rule_set, families[0])
    return SafeCube(
        shape=cube.shape,
        tables={table.name: _released(cube, table, statuses[table.name]) for table in cube.shape.tables},
        rule_set=rule_set.name,
        rule_set_digest=digest_rule_set(rule_set),
        cube_digest=_digest_cube(cube),
        seal=SEAL,
        frequency=by_band,
    )


def digest_rule_set(rule_set: RuleSet) -> str:
    """Return the SHA-256, hex, of a rule set's name and numbers in canonical JSON.

    Args:
        rule_set: any.

    Guarantee:
        Equal rule sets give equal digests; a changed number gives another one.

    Source: architecture.md, "One way through" (safe carries the digest of the rule set).
    """
    numbers = {name: getattr(rule_set, name) for name in RuleSet.__dataclass_fields__}
    numbers["heads"] = dict(rule_set.heads)
    text = json.dumps(numbers, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _declared(shape: PackageShape, families: Sequence[FamilySpec]) -> set[str]:
    """Return the families whose totals the invoice tells: published whatever they hold, in every table, as one cell."""
    said = {str(name) for invariant in shape.invariants for name in cast(Sequence[str], invariant["measures"])}
    return {family.name for family in families if family.count in said} | ({COST} if COST_MICROS in said else set())


def _key_of(block: Block, shape: PackageShape) -> str:
    """Return the key of the report that a block is of."""
    table, rows, _ = block.rows[0]
    return rows_of(shape.table(table))[int(rows[0])][0]


def _refuse_misfits(
    shape: PackageShape,
    rule_set: RuleSet,
    families: Sequence[FamilySpec],
    earlier: Sequence[SafeCube],
) -> None:
    known: set[str] = set()
    for family in families:
        if family.name not in rule_set.heads:
            raise ConfigurationError("disclosure.family", f"{rule_set.name} has no head count for {family.name}")
        if family.requires is not None and family.requires not in known:
            raise ConfigurationError("disclosure.family", f"{family.name} before {family.requires}, which it requires")
        known.add(family.name)
    heads = {family.heads for family in families}
    for table in shape.tables:
        if not set(table.families) - ({COST} if table.name == TOTALS else set()) <= known:
            raise ConfigurationError("disclosure.family", f"{table.name} has a family without a rule", "the report's")
        if any(m.name in heads for m in table.measures) and not _adds_up(table):
            raise ConfigurationError(
                "disclosure.reach",
                f"head counts of {table.name}, where a person may be in two categories",
                "reach for the margin or for the parts, never both",
            )
    if shape.invariants and kind_of(shape.period) != MONTH:
        raise ConfigurationError("disclosure.invariants", "totals declared as known", "in a package of a month alone")
    for safe in earlier:
        same = (safe.shape.recipient_id, safe.shape.report, safe.shape.period)
        if same == (shape.recipient_id, shape.report, shape.period):
            raise ConfigurationError(
                "disclosure.earlier", "a second release of the same period", "once", "serve the one that was released"
            )


def _adds_up(table: TableShape) -> bool:
    first, *others = table.dimensions
    nested = [first] if len(first.levels) > 1 or first.has_margin else []
    return all(dimension.partitions_people for dimension in (*nested, *others))


def _released(cube: PackageCube, table: TableShape, published: Mapping[str, Bools]) -> pa.Table:
    counted = cube.tables[table.name]
    columns: dict[str, pa.Array] = {name: counted[name] for name in table.columns}
    for measure in table.measures:
        hidden = ~published[measure.family]
        columns[measure.name] = pa.array(np.where(hidden, 0, cube.values(table.name, measure.name)), mask=hidden)
    for family in table.families:
        words = pa.array([WITHHELD, PUBLISHED])
        columns[f"status_{family}"] = words.take(pa.array(published[family].astype(np.int64)))
    return pa.table(columns)


def _digest_cube(cube: PackageCube) -> str:
    digest = hashlib.sha256()
    for name, rows in sorted(cube.tables.items()):
        digest.update(name.encode() + b"\0")
        for column in rows.column_names:
            digest.update(column.encode() + b"\0")
            if rows[column].type == pa.int64():
                digest.update(cube.values(name, column).astype("<i8").tobytes())
            else:
                digest.update("\0".join(rows[column].to_pylist()).encode() + b"\0\0")
    for key, seen in sorted(cube.seen.items()):
        for part in (seen.people, seen.counted, seen.unnamed):
            digest.update(key.encode() + b"\0" + part.astype("<i8").tobytes())
    return digest.hexdigest()
