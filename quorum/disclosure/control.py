"""The one way from counts to released cells.

What belongs here: the order of things: sums, rules 1 and 2, rule 6, family by family, then the sealed cube. What does
not: the rules themselves (`primary`, `suppress`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from quorum.disclosure import primary
from quorum.disclosure.equations import TWO_WAY, Block, build_blocks
from quorum.disclosure.grid import Bools, Ints
from quorum.disclosure.linear import settle
from quorum.disclosure.sums import verify_sums
from quorum.disclosure.suppress import suppress
from quorum.disclosure.two_way import find_tables
from quorum.disclosure.types import PUBLISHED, SEAL, WITHHELD, PackageCube, SafeCube
from quorum.disclosure.witness import Base, Layer, Protection
from quorum.errors import ConfigurationError
from quorum.policy import FamilySpec, RuleSet
from quorum.tables.shape import PackageShape, TableShape

Statuses = dict[str, dict[str, Bools]]


def control(
    cube: PackageCube, rule_set: RuleSet, families: Sequence[FamilySpec], earlier: Sequence[SafeCube] = ()
) -> SafeCube:
    """Decide which cells of a package may be said out loud.

    Args:
        cube: what was counted.
        rule_set: the numbers of the rules.
        families: of the report; a family comes after the one it requires.
        earlier: what this recipient was given before. Longer periods and restatements are not judged against it yet, so
            that a package of the same report and period is refused.

    Returns:
        The safe cube: per table and family a status, and measures that are null where withheld.

    Raises:
        ConfigurationError: the cube does not add up; shape, families and rule set do not fit together; totals are
            declared as known from elsewhere; or ``earlier`` holds this recipient, report and period.
        ReleaseError: the result does not pass its own checks.

    Guarantee:
        Every published number is about enough people of its family (rule 1), leaves enough people of the cell outside
        the family and of the margin outside the group (rule 2); and from all numbers of the package together, no
        withheld one follows, each can still be 0 and at least min(threshold, known total), and every sum of withheld
        cells that follows is about enough people (rule 6). Equal cubes give equal results; all that is withheld looks
        the same. Not guaranteed: anything about this recipient's other packages, or other recipients of a campaign.

    Source: disclosure.md, rules 1, 2 and 6; docs/decisions/0003-complementary-suppression.md.
    """
    _refuse_misfits(cube.shape, rule_set, families, earlier)
    verify_sums(cube, families)
    statuses: Statuses = {
        table.name: {family.name: np.zeros(cube.tables[table.name].num_rows, dtype=np.bool_) for family in families}
        for table in cube.shape.tables
    }
    values = _Values(cube, families)
    for blocks in build_blocks(cube.shape):
        _control_key(blocks, values, rule_set, families, statuses)
    return SafeCube(
        shape=cube.shape,
        tables={table.name: _released(cube, table, statuses[table.name]) for table in cube.shape.tables},
        rule_set=rule_set.name,
        rule_set_digest=digest_rule_set(rule_set),
        cube_digest=_digest_cube(cube),
        seal=SEAL,
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


class _Values:
    """The measures of a cube by column and table, read once."""

    def __init__(self, cube: PackageCube, families: Sequence[FamilySpec]) -> None:
        columns = {c for family in families for c in (family.count, family.heads, family.rest) if c is not None}
        tables = [table.name for table in cube.shape.tables]
        self._exact = {column: {table: cube.values(table, column) for table in tables} for column in sorted(columns)}
        self._at_most = {
            column: {table: cube.heads_at_most.get(table, {}).get(column, of[table]) for table in tables}
            for column, of in self._exact.items()
        }

    def of(self, block: Block, column: str) -> Ints:
        """Return a measure, one a cell of the block.

        Raises:
            ConfigurationError: two rows that are one cell differ.
        """
        cells = block.gather(self._exact[column])
        if not block.agrees(self._exact[column], cells):
            raise ConfigurationError(
                "cube.sums", f"{column} differs between tables that list the same cell", "one number"
            )
        return cells

    def at_most(self, block: Block, column: str) -> Ints:
        """Return upper bounds of a head count, one a cell of the block."""
        return block.gather(self._at_most[column])


def _control_key(
    blocks: Sequence[Block], values: _Values, rule_set: RuleSet, families: Sequence[FamilySpec], statuses: Statuses
) -> None:
    """Decide one key of the report, family by family, and note the status of its rows."""
    _refuse_unequal_totals(blocks, values, families)
    decided: dict[str, list[Bools]] = {}
    bases: list[Base | None] = [None] * len(blocks)
    for family in families:
        protections, eligible = [], []
        for index, (block, base) in enumerate(zip(blocks, bases, strict=True)):
            required = None if family.requires is None else decided[family.requires][index]
            eligible.append(_eligible(block, values, rule_set, family, required))
            protections.append(_protection(block, values, rule_set, family, base))
        weights = [values.of(block, family.count) for block in blocks]
        decided[family.name] = suppress(protections, _same_total(blocks, eligible), weights)
        for block, published in zip(blocks, decided[family.name], strict=True):
            for table, rows, cell in block.rows:
                statuses[table][family.name][rows] = published[cell]
        if family.requires is None:
            inside = [_largest_inside(block, values, families) for block in blocks]
            bases = [_base(*one) for one in zip(protections, decided[family.name], inside, strict=True)]


def _eligible(block: Block, values: _Values, rule_set: RuleSet, family: FamilySpec, required: Bools | None) -> Bools:
    """Return which cells pass rules 1 and 2 by themselves."""
    heads = values.of(block, family.heads)
    rest = None if family.rest is None else values.of(block, family.rest)
    groups = primary.leaves_people_of_parent(
        heads, values.at_most(block, family.heads), block.child, block.parent, rule_set.outside
    )
    return (
        primary.has_enough_heads(heads, rule_set.heads[family.name])
        & primary.has_required(required, block.size)
        & primary.leaves_people_beside(rest, rule_set.outside, block.size)
        & groups
    )


def _same_total(blocks: Sequence[Block], eligible: Sequence[Bools]) -> list[Bools]:
    """Return eligibility with the total eligible in all blocks or in none."""
    rooted = [block.has_root for block in blocks]
    total = all(able[0] for able, root in zip(eligible, rooted, strict=True) if root)
    for able, root in zip(eligible, rooted, strict=True):
        if root:
            able[0] = total
    return list(eligible)


def _protection(block: Block, values: _Values, rule_set: RuleSet, family: FamilySpec, base: Base | None) -> Protection:
    """Return what must stay open in a block.

    Where people add up, a reader may hold head counts and events: heads must be able to be 0 and to reach the
    threshold, and events beyond one a head must be able to be 0. Both together let events be 0 and reach the threshold.
    """
    counts, heads = values.of(block, family.count), values.of(block, family.heads)
    threshold = rule_set.heads[family.name]
    if not block.partitions:
        return Protection(block, (Layer(f"{family.name}.count", counts, threshold),), heads, threshold)
    bounded = Layer(f"{family.name}.heads", heads, threshold, None if family.requires is None else base)
    return Protection(block, (bounded, Layer(f"{family.name}.excess", counts - heads, 0)), heads, threshold)


def _largest_inside(block: Block, values: _Values, families: Sequence[FamilySpec]) -> Ints:
    """Return the people of each cell in the family, of those that require another, that has most of them there."""
    heads = [values.of(block, family.heads) for family in families if family.requires is not None]
    return np.asarray(np.max([np.zeros(block.size, dtype=np.int64), *heads], axis=0), dtype=np.int64)


def _base(protection: Protection, published: Bools, inside: Ints) -> Base | None:
    """Return the heads of a decided family as bounds for those that require it; None where people do not add up."""
    block = protection.block
    if not block.partitions:
        return None
    layer = protection.layers[0]
    tables = np.zeros((0, block.size), dtype=np.int64)
    if block.form == TWO_WAY and published.any():
        proposed = [find_tables(protection, layer, published, keep) for keep in (inside, None)]
        _, tables = settle(block, layer, published, np.concatenate(proposed))
    return Base(layer, published, tables)


def _refuse_misfits(
    shape: PackageShape, rule_set: RuleSet, families: Sequence[FamilySpec], earlier: Sequence[SafeCube]
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
        if not set(table.families) <= known:
            raise ConfigurationError("disclosure.family", f"{table.name} has a family without a rule", "the report's")
        if any(m.name in heads for m in table.measures) and not _adds_up(table):
            raise ConfigurationError(
                "disclosure.reach",
                f"head counts of {table.name}, where a person may be in two categories",
                "reach for the margin or for the parts, never both",
            )
    if shape.invariants:
        raise ConfigurationError("disclosure.invariants", "totals declared as known", "none in a package of a day")
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


def _refuse_unequal_totals(blocks: Sequence[Block], values: _Values, families: Sequence[FamilySpec]) -> None:
    rooted = [block for block in blocks if block.has_root]
    for column in (c for f in families for c in (f.count, f.heads, f.rest) if c is not None):
        if len({int(values.of(block, column)[0]) for block in rooted}) > 1:
            raise ConfigurationError("cube.sums", f"totals of {column} differ between tables", "one number a total")


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
    return digest.hexdigest()
