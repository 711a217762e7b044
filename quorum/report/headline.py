"""The first screen: what happened, and how it compares with the period before, from released totals alone.

What belongs here: numbers of whole campaigns or sections, and sums of them. What does not: anything below a total.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from quorum.disclosure.invoice import COST_MICROS
from quorum.report.facts import KeyFacts, PageFacts
from quorum.report.figures import NOWHERE, Figure, ratio, rounded, sign, signed, total
from quorum.report.labels import Words, percent, quotient
from quorum.report.model import ELSEWHERE, NOTHING, NUMBER, WITHHELD, Cell, Grid, Row, Tile
from quorum.report.released import Released
from quorum.report.told import told_elsewhere

CLICK, RATE, PER_PERSON, COST = "click_n", "click_rate", "view_rate", "cost"
_BAR = 100


@dataclass(frozen=True)
class Headline:
    """Totals in words.

    Args:
        facts: public facts, and the period before.
        released: the released tables.
        words: of the page's language.
    """

    facts: PageFacts
    released: Released
    words: Words

    def names(self) -> dict[str, str]:
        """Return the names of the keys; where two have the same, each with its id."""
        called = {key.key: self.words.name(key.names[self.words.language]) for key in self.facts.keys}
        often = Counter(called.values())
        return {
            key: name if often[name] == 1 else self.words["named"].format(name, key) for key, name in called.items()
        }

    def tiles(self, key: KeyFacts) -> tuple[Tile, ...]:
        """Return the numbers of a campaign or section, but for those that other packages tell, unless they tell all."""
        found = tuple(self._tile(figure) for figure in self._figures(key))
        return tuple(tile for tile in found if tile.cell.state != ELSEWHERE) or found

    def table(self) -> Grid:
        """Return a row for each campaign or section, with the change of the number of which it is known most often.

        A number that other packages tell of a campaign is a dash, and has no column if they tell it of every one.
        """
        words, names = self.words, self.names()
        of_keys = self._columns()
        changed = self._compared(of_keys)
        largest = max((figures[0].now or 0 for figures in of_keys), default=0)
        rows = []
        for key, figures in zip(self.facts.keys, of_keys, strict=True):
            cells = [Cell("–", ELSEWHERE) if self._is_elsewhere(figure) else self._cell(figure) for figure in figures]
            if figures[0].now is not None:
                cells[0] = Cell(cells[0].text, bar=_BAR * figures[0].now // max(1, largest))
            if changed is not None:
                cells.append(self._change_cell(figures[changed]))
            rows.append(Row(names[key.key], tuple(cells)))
        titles = [words[figure.name] for figure in of_keys[0]]
        if changed is not None:
            titles.append(words["change"].format(titles[changed]))
        header = (words[self.facts.report.key], *titles)
        return Grid(words[f"overview_{self.facts.report.key}"], header, tuple(rows))

    def elsewhere(self) -> str:
        """Return a sentence about the numbers of the table that other packages tell; empty if there are none."""
        missing = [figure for key in self.facts.keys for figure in self._figures(key) if self._is_elsewhere(figure)]
        lines = []
        for kind in dict.fromkeys(figure.elsewhere for figure in missing):
            often = Counter(figure.name for figure in missing if figure.elsewhere == kind)
            parts = [
                self.words["overview_part"].format(self.words["and"].join(self.words[n] for n in names), number)
                for number, names in _together(often)
            ]
            text = self.words[f"overview_elsewhere_{kind}"]
            lines.append(text.format(self.words["comma"].join(parts), len(self.facts.keys)))
        return " ".join(lines)

    def overview(self) -> tuple[Tile, ...]:
        """Return the numbers of the whole report: the one campaign's, or sums over those whose numbers are released."""
        if len(self.facts.keys) == 1:
            return self.tiles(self.facts.keys[0])
        of_keys = [self._figures(key) for key in self.facts.keys]
        # people overlap, so that no number is there by which all views could be divided
        found = [self._sum(figures) for figures in zip(*of_keys, strict=True) if figures[0].name != PER_PERSON]
        return tuple(tile for tile in found if tile.cell.state != ELSEWHERE) or tuple(found)

    def lead(self) -> str:
        """Return a sentence about the period; of what is not released it says nothing."""
        words, keys = self.words, self.facts.keys
        of_keys = [self._figures(key) for key in keys]
        shown = [figures[0].now for figures in of_keys if figures[0].now is not None]
        clicked = [(f[2].now, f[0].now) for f in of_keys if len(f) > 2 and f[2].name == CLICK and f[2].now is not None]
        if not shown and not clicked:
            return words["lead_nothing"].format(n=len(keys))
        lines = []
        if shown:
            many = "" if len(shown) > 1 else "_one"
            text = words[f"lead_{self.released.families[0].name}{many}"]
            lines.append(text.format(n=len(shown), shown=f"{sum(shown):,}"))
        if clicked:
            lines.append(self._clicks(clicked))
        return "".join([*lines, words["lead_end"]])

    def _clicks(self, clicked: Sequence[tuple[int, int | None]]) -> str:
        """Return a sentence about the campaigns whose clicks are released, and the rate of those shown as well."""
        both = [(clicks, of) for clicks, of in clicked if of]
        number, total = len(clicked), f"{sum(clicks for clicks, _ in clicked):,}"
        if not both:
            return self.words["lead_clicks_alone"].format(n=number, clicks=total)
        rate = percent(*(sum(column) for column in zip(*both, strict=True)))
        if len(both) == number:
            return self.words["lead_clicks"].format(n=number, clicks=total, rate=rate)
        return self.words["lead_clicks_more"].format(n=number, clicks=total, both=len(both), rate=rate)

    def _columns(self) -> list[list[Figure]]:
        """Return the numbers of each key; of a week or month without those that other packages tell of every key."""
        of_keys = [self._figures(key) for key in self.facts.keys]
        kept = [n for n, figures in enumerate(zip(*of_keys, strict=True)) if not all(map(self._is_elsewhere, figures))]
        return [[figures[n] for n in kept or range(len(figures))] for figures in of_keys]

    def _compared(self, of_keys: Sequence[Sequence[Figure]]) -> int | None:
        """Return the place of the number whose change is known of most keys, the first of several; None of none."""
        known = [
            sum(bool(f.now is not None and f.before and f.whole is None) for f in column)
            for column in zip(*of_keys, strict=True)
        ]
        return known.index(max(known)) if any(known) else None

    def _is_elsewhere(self, figure: Figure) -> bool:
        return self._cell(figure).state == ELSEWHERE

    def _figures(self, key: KeyFacts) -> list[Figure]:
        """Return the numbers of a key: events, people, then clicks with their rate, or events a person; cost last."""
        base = self.released.families[0]
        count, heads = self._figure(key, base.count), self._figure(key, base.heads)
        families = {family.name: family for family in self.released.families}
        if base.count == base.heads:
            return [heads]
        if "clicks" not in families:
            return [count, heads, ratio(PER_PERSON, count, heads)]
        clicks = self._figure(key, families["clicks"].count)
        found = [count, heads, clicks, ratio(RATE, clicks, count)]
        return [*found, self._cost(key)] if key.booking is not None else found

    def _figure(self, key: KeyFacts, measure: str) -> Figure:
        before = None if self.facts.before is None else self.facts.before.totals.get((key.key, measure))
        now = self.released.total(key.key, measure)
        return Figure(measure, now, before, elsewhere="" if now is not None else self._elsewhere(key, measure))

    def _cost(self, key: KeyFacts) -> Figure:
        assert key.booking is not None  # noqa: S101 - asked for campaigns alone
        micros = self.released.total(key.key, COST_MICROS)
        if micros is None:
            micros = self.released.cost_micros(key.key, key.booking)
        charged = self.released.charged(key.booking)
        before = None
        if charged and self.facts.before is not None:
            count = self.facts.before.totals.get((key.key, charged))
            before = None if count is None else count * key.booking.price_micros
        elsewhere = "" if micros is not None or not charged else self._elsewhere(key, charged)
        return Figure(COST, micros, before, elsewhere=elsewhere)

    def _elsewhere(self, key: KeyFacts, measure: str) -> str:
        own = next((f.name for f in self.released.families if measure in (f.count, f.heads)), "")
        other = next((kind for kind, names in told_elsewhere(self.released, key.key).items() if own in names), "")
        return other if other or self.released.tells(key.key, measure) else NOWHERE

    def _cell(self, figure: Figure) -> Cell:
        if figure.now is None or (figure.name in (RATE, PER_PERSON) and figure.whole is None):
            return Cell(self.words[f"told_{figure.elsewhere}"], ELSEWHERE) if figure.elsewhere else Cell("", WITHHELD)
        if figure.whole is not None:
            written: Callable[[int, int], str] = percent if figure.name == RATE else quotient
            return Cell(written(figure.now, figure.whole)) if figure.whole else Cell("–", NOTHING)
        return Cell(self.words.yen(figure.now) if figure.name == COST else f"{figure.now:,}", NUMBER)

    def _tile(self, figure: Figure) -> Tile:
        cell = self._cell(figure)
        label = self.words[figure.name]
        if self.facts.before is None or cell.state != NUMBER:
            return Tile(label, cell)
        text, trend = self._change(figure)
        return Tile(label, cell, text, trend)

    def _change(self, figure: Figure) -> tuple[str, int]:
        """Return the change against the period before in words, and its direction."""
        words = self.words
        if figure.now is None or figure.before is None or (figure.whole is not None and figure.whole_before is None):
            return words["change_unknown"], 0
        if figure.whole is not None and figure.whole_before is not None:
            if not figure.whole or not figure.whole_before:
                return words["change_unknown"], 0
            is_rate = figure.name == RATE  # in percent, as it is written
            difference = (10_000 if is_rate else 100) * (
                figure.now * figure.whole_before - figure.before * figure.whole
            )
            points = rounded(difference, figure.whole * figure.whole_before)
            return signed(points, 100, words["points"] if is_rate else ""), sign(points)
        if not figure.before:
            return words["change_unknown"], 0
        tenths = rounded(1_000 * (figure.now - figure.before), figure.before)
        return signed(tenths, 10, "%"), sign(tenths)

    def _change_cell(self, figure: Figure) -> Cell:
        if figure.now is None or figure.before is None or not figure.before:
            return Cell("–", NOTHING)
        return Cell(self._change(figure)[0])

    def _sum(self, figures: Sequence[Figure]) -> Tile:
        """Return the sum over the campaigns whose number is released; of people the largest, for they overlap."""
        words, name = self.words, figures[0].name
        told = [f for f in figures if f.now is not None and (f.whole is not None or name not in (RATE, PER_PERSON))]
        if not told:
            elsewhere = Counter(figure.elsewhere for figure in figures).most_common(1)[0][0]
            return Tile(words[name], self._cell(Figure(name, None, elsewhere=elsewhere)))
        if name == self.released.families[0].heads:
            most = max(figure.now or 0 for figure in told)
            return Tile(words[name], Cell(words["at_least"].format(f"{most:,}")), note=words["people_overlap"])
        both = [f for f in told if f.before is not None and (f.whole is None or f.whole_before is not None)]
        note = "" if len(told) == len(figures) else words["of_keys"].format(len(told), len(figures))
        cell = self._cell(total(name, told))
        if self.facts.before is None:
            return Tile(words[name], cell, note=note)
        text, trend = self._change(total(name, both)) if both else (words["change_unknown"], 0)
        if both and len(both) < len(figures):
            note = words["comma"].join([*([note] if note else []), words["change_of"].format(len(both))])
        return Tile(words[name], cell, text, trend, note)


def _together(often: Mapping[str, int]) -> list[tuple[int, list[str]]]:
    """Return the names of each number, the largest number first."""
    numbers = sorted(set(often.values()), reverse=True)
    return [(number, [name for name in often if often[name] == number]) for number in numbers]
