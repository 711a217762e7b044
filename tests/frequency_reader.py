"""Somebody who holds one package with people by how often; nothing of the house is in here.

What belongs here: reading csv and ``datapackage.json``, people by exact number of impressions in every cell of every
table in which people add up, programs over all of them together. What does not: truth, and any module of the house.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

ALL, UNKNOWN = "ALL", "unknown"
NEAR = 1e-6
Cell = frozenset[tuple[str, str]]


class Reader:
    """One campaign of a package.

    Args:
        files: of the package.
        key: the campaign; it must be listed by how often.
        bounded: whether the reader knows what a band means.
    """

    def __init__(self, files: Mapping[str, bytes], key: str, *, bounded: bool = True) -> None:
        about = json.loads(files["datapackage.json"])
        self.heads, self.key = about["quorum:rule_set"]["heads"], key
        self.families = about["quorum:rule_set"]["families"]
        self.rows: dict[Cell, dict[str, int]] = {}
        self.sums: set[tuple[Cell, tuple[Cell, ...]]] = set()
        self.crowds: set[Cell] = set()
        self.hidden: set[tuple[Cell, str]] = set()
        self.bands: dict[str, tuple[int, int]] = {}
        self.often: dict[str, int] = {}
        self.unnamed: list[int] = []
        for resource in about["resources"]:
            self._read(resource, list(csv.DictReader(io.StringIO(files[resource["path"]].decode()))))
        self.times = list(range(1, max(last for _, last in self.bands.values()) + 1))
        self.names: dict[object, int] = {}
        self.less: list[tuple[dict[int, float], float]] = []
        self.equal: list[tuple[dict[int, float], float]] = []
        self._write(bounded=bounded)

    def _read(self, resource: Mapping, rows: list[dict[str, str]]) -> None:
        fields = resource["schema"]["fields"]
        columns = [f["name"] for f in fields if f["quorum:role"] == "dimension"]
        measures = {f["name"]: f for f in fields if f["quorum:role"] == "measure"}
        mine = [row for row in rows if row["campaign_id"] == self.key]
        banded = [f for f in fields if "quorum:frequency" in f]
        if banded:
            self.bands = {band: tuple(ends) for band, ends in banded[0]["quorum:frequency"].items()}
            self.often = {row["frequency"]: int(row["people_n"]) for row in mine if row["frequency"] != ALL}
            return
        adds_up = "people_n" in measures
        ladders = {tuple(f["quorum:hierarchy"]) for f in fields if f["quorum:role"] == "dimension"}
        for row in mine:
            cell = self._cell(row, columns)
            self.rows.setdefault(cell, {})
            for name, field in measures.items():
                if row[f"status_{field['quorum:family']}"] == "published":
                    self.rows[cell][name] = int(row[name])
                elif adds_up:
                    self.hidden.add((cell, name))
            if adds_up:
                self.crowds.add(cell)
            elif all(level in (ALL, UNKNOWN, self.key) for level in (row[c] for c in columns)) and row["impression_n"]:
                self.unnamed.append(int(row["impression_n"]))
        for ladder in ladders if adds_up else ():
            self._add_up(mine, columns, ladder)

    def _cell(self, row: Mapping[str, str], columns: list[str]) -> Cell:
        return frozenset((c, row[c]) for c in columns if row[c] != ALL and c != "campaign_id")

    def _add_up(self, rows: list[dict[str, str]], columns: list[str], ladder: tuple[str, ...]) -> None:
        parts: dict[Cell, list[Cell]] = {}
        for row in rows:
            depth = sum(row[level] != ALL for level in ladder)
            if ladder[0] != "campaign_id" and depth:
                whole = {**row, ladder[depth - 1]: ALL}
                parts.setdefault(self._cell(whole, columns), []).append(self._cell(row, columns))
        self.sums |= {(whole, tuple(listed)) for whole, listed in parts.items()}

    def _of(self, name: object) -> int:
        return self.names.setdefault(name, len(self.names))

    def _people(self, cell: Cell) -> dict[int, float]:
        return {self._of((cell, n)): 1.0 for n in self.times}

    def _write(self, *, bounded: bool) -> None:
        nobody = self._of("nobody")
        if self.unnamed:
            self.less.append(({nobody: 1.0}, float(min(self.unnamed))))
        for cell in sorted(self.crowds, key=sorted):
            events = self._of((cell, "impression_n"))
            saw = {self._of((cell, n)): -float(n) for n in self.times}
            if bounded:
                extra = {nobody: -1.0} if all(level == UNKNOWN for _, level in cell) else {}
                self.equal.append(({events: 1.0, **saw, **extra}, 0.0))
            told = self.rows[cell]
            if "impression_n" in told:
                self.equal += [
                    ({events: 1.0}, float(told["impression_n"])),
                    (self._people(cell), float(told["people_n"])),
                ]
            for heads in ("clicker_n", "converter_n"):
                own = self._of((cell, heads))
                self.less.append(({own: 1.0, **dict.fromkeys(self._people(cell), -1.0)}, 0.0))
                if heads in told:
                    self.equal.append(({own: 1.0}, float(told[heads])))
        for whole, parts in sorted(self.sums, key=lambda each: (sorted(each[0]), [sorted(part) for part in each[1]])):
            for measure in (*self.times, "impression_n", "clicker_n", "converter_n"):
                row = {self._of((part, measure)): -1.0 for part in parts}
                self.equal.append(({self._of((whole, measure)): 1.0, **row}, 0.0))
        for band, (first, last) in self.bands.items():
            row = {self._of((frozenset(), n)): 1.0 for n in range(first, last + 1)}
            if bounded:
                self.equal.append((row, float(self.often[band])))

    def range_of(self, cell: Cell, measure: str) -> tuple[float, float]:
        """Return the least and the most of people, impressions, clickers or converters of a cell."""
        own = self._people(cell) if measure == "people_n" else {self._of((cell, measure)): 1.0}
        ends = []
        for sign in (1.0, -1.0):
            cost = np.zeros(len(self.names))
            for variable in own:
                cost[variable] = sign
            upper, equal = (self._matrix(rows) for rows in (self.less, self.equal))
            found = linprog(
                cost,
                A_ub=upper,
                b_ub=[m for _, m in self.less],
                A_eq=equal,
                b_eq=[v for _, v in self.equal],
                bounds=(0, None),
            )
            assert found.status != 2, "no world at all"
            ends.append(np.inf if found.x is None else float(found.x[list(own)].sum()))
        return ends[0], ends[1]

    def _matrix(self, rows: list[tuple[dict[int, float], float]]) -> coo_array:
        place = [n for n, (row, _) in enumerate(rows) for _ in row]
        columns = [v for row, _ in rows for v in row]
        values = [c for row, _ in rows for c in row.values()]
        return coo_array((values, (place, columns)), shape=(len(rows), len(self.names))).tocsr()

    def narrowed(self) -> list[tuple[list[tuple[str, str]], str, float, float]]:
        """Return the withheld people, impressions and heads that cannot be 0 or cannot reach their threshold."""
        found = []
        family = {of["heads"]: name for name, of in self.families.items()} | {"impression_n": "impressions"}
        for cell, measure in sorted(self.hidden, key=lambda each: (sorted(each[0]), each[1])):
            if measure not in family:
                continue
            low, high = self.range_of(cell, measure)
            need = self.heads[family[measure]]
            known = [
                told
                for told in (self.rows[cell].get("people_n"), self.rows[frozenset()].get(measure))
                if told is not None
            ]
            if low > NEAR or high < min([need, *known]) - NEAR:
                found.append((sorted(cell), measure, low, high))
        return found
