"""What a page shows of every campaign or section, in order: headline, findings, tables, and what other packages tell.

What belongs here: putting the parts of a section together. What does not: the parts, and markup (`templates/`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from quorum.disclosure.invoice import TOTALS
from quorum.report.audience import Audience
from quorum.report.effective import Comparisons
from quorum.report.facts import KeyFacts, PageFacts
from quorum.report.findings import Teller
from quorum.report.headline import Headline
from quorum.report.labels import Words
from quorum.report.model import Block, Grid, Panel, Section, blocks
from quorum.report.released import Released
from quorum.report.rows import Rows
from quorum.report.told import told_elsewhere
from quorum.report.why_page import withheld_lines
from quorum.tables import TableShape
from quorum.tables.periods import DAY, kind_of

DETAILED_KEYS = 12


def sections(
    facts: PageFacts, released: Released, words: Words, comparisons: Mapping[str, Comparisons]
) -> tuple[Section, ...]:
    """Return what a page shows of the keys that it details, in the order of the facts; none of which nothing is told.

    Args:
        facts: public facts.
        released: the released tables.
        words: of the page's language.
        comparisons: of each of these keys.
    """
    view = _View(facts, released, words, any(found.all for found in comparisons.values()))
    keys = [key for key in facts.keys[:DETAILED_KEYS] if len(facts.keys) == 1 or released.tells_some(key.key)]
    return tuple(view.section(key, comparisons[key.key]) for key in keys)


@dataclass(frozen=True)
class _View:
    facts: PageFacts
    released: Released
    words: Words
    has_comparisons: bool

    def section(self, key: KeyFacts, comparisons: Comparisons) -> Section:
        words = self.words
        groups, untold = self._groups(key, comparisons)
        return Section(
            words.name(key.names[words.language]),
            key.key,
            self._booking(key),
            Headline(self.facts, self.released, words).tiles(key),
            groups,
            Teller(words).tell(comparisons) if self.has_comparisons else None,
            (*self._elsewhere(key), *(words["untold_parts"].format(name) for name in untold)),
            withheld_lines(self.released, key.key, words),
        )

    def _groups(
        self, key: KeyFacts, comparisons: Comparisons
    ) -> tuple[tuple[tuple[str, tuple[Block, ...]], ...], list[str]]:
        """Return the audience first, then placements and creatives; the totals of a month are its headline.

        Beside them the names of numbers that the plan lets none of their tables tell: said once, not below each.
        """
        tables = [table for table in self.released.shape.tables if table.name != TOTALS]
        own = [table for table in tables if self.released.lists(table, key.key)]
        delivery = [table for table in own if len(table.dimensions[0].levels) > 1]
        audience = [table for table in own if table not in delivery]
        found = {
            "group_audience": self._panels(audience, key, comparisons),
            "group_delivery": self._panels(delivery, key, comparisons),
        }
        untold = [panel.untold for panels in found.values() for panel in panels if panel.untold is not None]
        everywhere = [name for name in (untold[0] if untold else ()) if all(name in names for names in untold)]
        groups = tuple(
            (self.words[name], blocks([self._noted(panel, everywhere) for panel in panels]))
            for name, panels in found.items()
            if panels
        )
        return groups, everywhere

    def _noted(self, panel: Panel, everywhere: Sequence[str]) -> Panel:
        """Return a panel that says of which numbers it tells nothing, but for those that no panel tells."""
        own = [name for name in panel.untold or () if name not in everywhere]
        if not own:
            return panel
        note = self.words["untold_level"].format(self.words["comma"].join(own))
        return replace(panel, notes=(*panel.notes, note))

    def _panels(self, tables: list[TableShape], key: KeyFacts, comparisons: Comparisons) -> tuple[Panel, ...]:
        """Return the panels of tables; what two of them tell alike, a margin of one that is the other, once."""
        found: dict[Grid, Panel] = {}
        for table in tables:
            for panel in Audience(Rows(self.released, table, key.key, self.words, comparisons)).panels():
                found.setdefault(panel.grid, panel)
        return tuple(found.values())

    def _booking(self, key: KeyFacts) -> tuple[tuple[str, str], ...]:
        booking, words = key.booking, self.words
        if booking is None:
            return ()
        targets = [
            f"{words[name]}: "
            + "・".join(words.policy.label(name, category, words.language) for category in categories)
            for name, categories in booking.targets
        ]
        return (
            (words["flight"], f"{words.day(booking.starts_on)} – {words.day(booking.ends_on)}"),
            (words["booked"], f"{booking.booked_impressions:,}"),
            (words["price"], words.price(booking.price_model, booking.price_micros)),
            (words["targets"], " / ".join(targets) or words["no_targets"]),
            *([(words["series"], words["series_break"])] if key.key in self.facts.breaks else []),
        )

    def _elsewhere(self, key: KeyFacts) -> Iterator[str]:
        """Yield a sentence for each kind of period whose packages tell some families of a key."""
        words, counts = self.words, {family.name: family.count for family in self.released.families}
        for kind, names in told_elsewhere(self.released, key.key).items():
            listed = words["comma"].join(words[counts[name]] for name in names)
            here = kind_of(self.released.shape.period)
            yield words[f"elsewhere_{kind}" if here == DAY or kind == DAY else f"elsewhere_other_{kind}"].format(listed)
