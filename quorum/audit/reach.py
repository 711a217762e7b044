"""People of a week or month against people of its days and weeks: what links them, and that both are never told.

What belongs here: head counts over time. What does not: events, which add up over time (`quorum.audit.equations`), and
differences of two numbers that are told (`quorum.audit.temporal`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from quorum.audit.package import ParsedPackage
from quorum.audit.periods import parts_of
from quorum.audit.places import Key, Place
from quorum.audit.record import Claim
from quorum.audit.system import PUBLISHED
from quorum.tables.periods import DAY, kind_of
from quorum.tables.shape import Measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

Larger = tuple[Sequence[int], int]
"""Variables whose sum is at least a variable."""


def bound_people(
    places: Mapping[str, Mapping[Place, int]],
    keys: Mapping[str, Collection[Key]],
    measures: Mapping[str, Measure],
    state: NDArray[np.int8],
    variable: Callable[[int, str], int],
) -> Iterator[Larger]:
    """Yield what people of a longer period say of people of its parts, and events of the period of its people.

    Args:
        places: period to its cells, of one universe.
        keys: period to the keys of the report that its packages list.
        measures: by name.
        state: of each variable; 0 where no package lists it.
        variable: of a cell and measure.

    Guarantee:
        Whoever was there in a part was there in the whole; whoever was there in the whole was there in one of the
        parts, where these fill it and all that list the key list the cell. People have at least one event each. Where
        no part tells the cell, parts are left out, so that they do not become one system: everybody may have been
        there in any one of them.

    Source: disclosure.md, rules 6 and 8 (reach of a longer period against its days), attacks 3 and 6.
    """
    counts = {m.family: name for name, m in measures.items() if m.kind == "count" and name.endswith("_n")}
    heads = {name: m.family for name, m in measures.items() if m.kind == "heads"}
    for period in [period for period in places if kind_of(period) != DAY]:
        for place, cell in places[period].items():
            for name in [name for name in heads if state[variable(cell, name)]]:
                whole = variable(cell, name)
                events = counts.get(heads[name])
                if events is not None and state[variable(cell, events)]:
                    yield [variable(cell, events)], whole
                for others, fills in parts_of(period, places):
                    parts = [places[other][place] for other in others if place in places[other]]
                    listed = [variable(part, name) for part in parts if state[variable(part, name)]]
                    if not any(state[part] == PUBLISHED for part in listed):
                        continue
                    yield from (([whole], part) for part in listed)
                    running = [other for other in others if set(place) & set(keys.get(other, ()))]
                    if fills and len(listed) == len(running):
                        yield listed, whole


def told_for_both(packages: Sequence[ParsedPackage]) -> Iterator[Claim]:
    """Yield people of a week or month that are told beside people of a part of it.

    Args:
        packages: held together, of any recipients.

    Yields:
        One claim a package, table and key, whatever the numbers are: people do not add up over days. A part that tells
        that nobody was in a category tells no people.

    Guarantee:
        Without a claim no number of people of a longer period can be compared with one of its own parts.

    Source: disclosure.md, rule 6 (reach over days is published for the margin or for the parts, never both) and rule 7
        (day or week, never both for one cell).
    """
    told: dict[tuple[str, str], dict[tuple[str, str, str], tuple[str, ...]]] = {}
    for package in packages:
        found = told.setdefault((package.shape.report, package.shape.period), {})
        for table in package.tables.values():
            for measure in (m for m in table.shape.measures if m.kind == "heads"):
                rows = table.published[measure.family] & (table.values[measure.name] > 0)
                for row in np.flatnonzero(rows).tolist():
                    place = table.coordinates[row]
                    own = (table.shape.universe, place[0], measure.name)
                    found.setdefault(own, (package.release, table.shape.name, *place))
    for (report, period), cells in told.items():
        for parts, _ in parts_of(period, [other for of, other in told if of == report]):
            for part in parts:
                for own in cells.keys() & told[report, part].keys():
                    release, *where = cells[own]
                    says = f"{own[2]} is told for {period} and for {part}, which lies in it"
                    yield Claim(release, tuple(where), "reach", says, True)
