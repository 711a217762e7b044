"""The walk over a bound plan of DuckDB 2.0: from the tables up to the output.

What belongs here: going from operator to operator, what is used on the way, and rows that are referred to by number.
What does not: the operators themselves (`quorum.lineage.operators`). Columns are referred to by place; the type of each
place is compared with the reference's, and an operator or a field with an expression in it that is not known is
refused: a plan of another version fails, it is not misread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from quorum.lineage.columns import (
    Base,
    Column,
    Expression,
    Outer,
    Plan,
    Value,
    referred,
    resolver,
    together,
    type_of,
    unmarked,
)
from quorum.lineage.expressions import arranging, everything, holds_expression, is_reference, use_of, value_of
from quorum.lineage.refusal import LineageError


@dataclass(frozen=True)
class Domain:
    """The rows for which a correlated statement is run: the different ones among the outer rows.

    Args:
        source: the engine's number for the outer rows.
        places: which of their columns the statement refers to.
        values: what those columns come from.
    """

    source: int
    places: tuple[int, ...]
    values: tuple[Value, ...]


@dataclass
class Walk:
    """One walk over one plan; `use` grows on the way.

    Args:
        rules: for each operator, how it is read, and the fields in which it may hold expressions.
        aliases: names, in lower case, that the statement gives to columns which had another one.
    """

    rules: Mapping[str, Rule]
    aliases: frozenset[str] = frozenset()
    use: set[Base] = field(default_factory=set)
    domains: dict[int, Domain] = field(default_factory=dict)
    _open: set[int] = field(default_factory=set)
    _named: dict[int, Callable[[], Sequence[Value]]] = field(default_factory=dict)

    def columns(self, plan: Plan) -> list[Column]:
        """Return the columns that a plan puts out, in order.

        Raises:
            LineageError: an operator, an expression, a function or a field that is not known.
        """
        kind = str(plan["type"])
        rule = self.rules.get(kind)
        if rule is None:
            raise LineageError(f"operator {kind}")
        read, fields = rule
        for name, value in plan.items():
            if name not in fields and name != "children" and holds_expression(value):
                raise LineageError(f"operator {kind} with {name}")
        return read(self, plan)

    def child(self, plan: Plan, number: int = 0) -> list[Column]:
        """Return the columns of a child."""
        return self.columns(plan["children"][number])

    def count(self, bases: Iterable[Base]) -> None:
        """Count base columns as used."""
        self.use |= unmarked(bases)

    def used(self, part: Any, columns: Sequence[Column]) -> None:
        """Count all that a part of an operator refers to as used."""
        self.count(everything(part, resolver(columns)))

    def arranged(self, part: Any, columns: Sequence[Column]) -> None:
        """Count what rows are grouped or sorted by as used; a constant arranges nothing."""
        self.count(arranging(part, resolver(columns)))

    def made(self, table: int, expressions: Iterable[Expression], columns: Sequence[Column]) -> list[Column]:
        """Return the columns that expressions make; what they filter, partition or order by is used where they are."""
        resolve = resolver(columns, self.aliases)
        made = []
        for number, expression in enumerate(expressions):
            name, value = str(expression.get("alias") or ""), value_of(expression, resolve)
            used = use_of(expression, resolve)
            if value.fields:
                self.count(used)  # a field of it may be all that is taken later
            value = replace(value, uses=value.uses | used)
            if is_reference(expression) and self._is_renamed(name, referred(expression, columns).name):
                value = value.marked("")  # whose name it was before is not told
            made.append(Column((table, number), type_of(expression), value, name))
        return made

    def _is_renamed(self, name: str, before: str) -> bool:
        """Tell whether a column has, or may have, another name than before; a cast that changes nothing is gone."""
        return "*" in self.aliases or before.lower() not in ("", name.lower())

    def name(self, index: int, rows: Callable[[], Sequence[Value]]) -> None:
        """Give rows that are referred to by number; they are walked only if they are referred to."""
        self._named[index] = rows

    def named(self, index: int) -> Sequence[Value]:
        """Return the values of rows that were named; in a run for one outer row, that row is a constant."""
        if index in self._open:
            return [Value(frozenset({Outer(index, place)})) for place in range(len(self.domains[index].values))]
        if index not in self._named:
            raise LineageError("rows referred to before they are made")
        values = self._named[index]()
        if index in self.domains:  # not the rows of a run: that they are made different shows
            self.count(together(values).all)
        return values

    @contextmanager
    def runs(self, domains: Iterable[int]) -> Iterator[Callable[[Value], Value]]:
        """Walk a statement as it is run for one outer row; yield what puts the outer columns back in their places."""
        opened = set(domains) - self._open
        before, self.use = self.use, set()
        self._open |= opened

        def settle(bases: frozenset[Base]) -> frozenset[Base]:
            found = frozenset[Base]()
            for base in bases:
                of_run = isinstance(base, Outer) and base.domain in opened
                found |= self.domains[base.domain].values[base.place].bases if of_run else {base}  # type: ignore[union-attr]
            return found

        yield lambda value: value.changed(settle)
        self._open -= opened
        self.use = before | unmarked(settle(frozenset(self.use)))


Rule = tuple[Callable[[Walk, Plan], list[Column]], frozenset[str]]
