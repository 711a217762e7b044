"""Columns on their way up a plan, and what their values come from.

What belongs here: values, fields of structs, and how a reference finds its column. What does not: expressions
(`quorum.lineage.expressions`) and operators.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from quorum.lineage.refusal import LineageError

Plan = Mapping[str, Any]
Expression = Mapping[str, Any]
Binding = tuple[int, int]


@dataclass(frozen=True)
class Outer:
    """A column of the row for which a correlated statement is run: within one run it is a constant.

    Args:
        domain: the engine's number for the rows it is run for.
        place: the column's place among those that it may refer to.
    """

    domain: int
    place: int


@dataclass(frozen=True)
class Renamed:
    """A mark: on the way the column was referred to by a name that is not its own; empty if that is not told."""

    name: str


Base = str | Outer | Renamed


@dataclass(frozen=True)
class Value:
    """Where a value comes from.

    Args:
        bases: base columns, ``table.column``.
        fields: of a struct whose fields are known apart, their names in lower case and their values, in order.
        is_written_out: it is a list of so many expressions, whatever their values.
        uses: base columns that decide which rows it is made of, and in which order; they count where the value does.
        moves: those of them by which a window moves the rows themselves: that shows wherever the window is made.
    """

    bases: frozenset[Base] = frozenset()
    fields: tuple[tuple[str, Value], ...] | None = None
    is_written_out: bool = False
    uses: frozenset[Base] = frozenset()
    moves: frozenset[Base] = frozenset()

    @property
    def all(self) -> frozenset[Base]:
        """Base columns of either kind."""
        return self.bases | self.uses

    def field(self, key: str | int) -> Value | None:
        """Return the value of a field, by name or by number from one; None if it is not known apart.

        The other fields are made as well, with the windows in them.
        """
        fields = self.fields or ()
        if isinstance(key, int):
            value = fields[key - 1][1] if 1 <= key <= len(fields) else None
        else:
            value = next((value for name, value in fields if name == key.lower()), None)
        return value and replace(value, uses=value.uses | self.moves, moves=self.moves)

    def changed(self, change: Callable[[frozenset[Base]], frozenset[Base]]) -> Value:
        """Return it with other base columns, field by field."""
        fields = self.fields and tuple((name, value.changed(change)) for name, value in self.fields)
        return Value(change(self.bases), fields, self.is_written_out, change(self.uses), change(self.moves))

    def marked(self, name: str) -> Value:
        """Return it with the mark of a name by which it was referred to."""
        return self.changed(lambda bases: bases | {Renamed(name)} if bases else bases)


def struct_of(names: Sequence[str], values: Sequence[Value]) -> Value:
    """Return the value of a struct made of values."""
    fields = tuple(zip((name.lower() for name in names), values, strict=True))
    return replace(together(values), fields=fields)


def together(values: Iterable[Value]) -> Value:
    """Return a value made of all values."""
    given, none = list(values), frozenset[Base]()
    return Value(
        none.union(*(value.bases for value in given)),
        uses=none.union(*(value.uses for value in given)),
        moves=none.union(*(value.moves for value in given)),
    )


def merged(values: Sequence[Value]) -> Value:
    """Return what a value comes from that may be any of these; fields stay apart if all have the same ones."""
    telling = [value for value in values if value.all or value.fields]
    names = {tuple(name for name, _ in value.fields) if value.fields else None for value in telling}
    if len(names) != 1 or names == {None}:
        return together(values)
    fields = [value.fields for value in telling if value.fields]
    same = [merged([value for _, value in place]) for place in zip(*fields, strict=True)]
    return struct_of([name for name, _ in fields[0]], same)


def named(bases: Iterable[Base]) -> frozenset[str]:
    """Return base columns as they are shown.

    Raises:
        LineageError: one of them stands for a row that is not there.
    """
    if any(isinstance(base, Outer) for base in bases):
        raise LineageError("a reference to an outer statement")
    return frozenset(base for base in bases if isinstance(base, str))


def unmarked(bases: Iterable[Base]) -> frozenset[Base]:
    """Return base columns without marks."""
    return frozenset(base for base in bases if not isinstance(base, Renamed))


def is_constant(bases: Iterable[Base]) -> bool:
    """Tell whether there are base columns and all are of the one row that a correlated statement is run for."""
    left = unmarked(bases)
    return bool(left) and all(isinstance(base, Outer) for base in left)


@dataclass(frozen=True)
class Column:
    """A column between two operators.

    Args:
        binding: the engine's name for it: table index, column index.
        type: the type's id, e.g. ``INTEGER``; empty if the plan does not say.
        value: where its value comes from.
        name: as references to it say; empty if the plan does not say.
        origin: of a column of rows that are referred to by number: that number, and its place.
    """

    binding: Binding
    type: str
    value: Value
    name: str = ""
    origin: tuple[int, int] | None = None

    def with_value(self, value: Value) -> Column:
        """Return it with another value."""
        return replace(self, value=value)


def type_id(declared: Mapping[str, Any]) -> str:
    """Return the id of a type."""
    return str(declared["id"])


def type_of(expression: Expression) -> str:
    """Return the id of an expression's type; empty if the plan does not say."""
    declared = expression["value"]["type"] if "value" in expression else expression.get("return_type")
    return type_id(declared) if declared else ""


def referred(reference: Expression, columns: Sequence[Column]) -> Column:
    """Return the column that a reference means: by place, or by the engine's name.

    Raises:
        LineageError: there is no such column, or it is of another type.
    """
    if reference["expression_class"] == "BOUND_REF":
        place = int(reference["index"])
        column = columns[place] if place < len(columns) else None
    else:
        if reference["depth"]:
            raise LineageError("a reference to an outer statement")
        wanted = (reference["binding"]["table_index"], reference["binding"]["column_index"])
        column = next((column for column in columns if column.binding == wanted), None)
    if column is None or (column.type and column.type != type_id(reference["return_type"])):
        raise LineageError("a plan that is not laid out as expected")
    return column


def resolver(columns: Sequence[Column], given: Collection[str] = ()) -> Callable[[Expression], Value]:
    """Return what says of a reference what its value comes from.

    Args:
        columns: those that may be referred to.
        given: names, in lower case, that may stand for any column: of a field that it makes, or of a parameter.
    """

    def resolve(reference: Expression) -> Value:
        column, name = referred(reference, columns), str(reference.get("alias") or "").lower()
        if name and name == column.name.lower() and name not in given:
            return column.value
        return column.value.marked("" if name in given else name)

    return resolve
