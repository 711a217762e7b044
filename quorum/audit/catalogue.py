"""The twelve kinds of attack: what each attacker knows, what counts as success and what silence does not prove.

What belongs here: the list, in the order of disclosure.md's table. What does not: an attack's own work, and running
them (`quorum.audit.run`).
"""

from __future__ import annotations

from collections.abc import Mapping

from quorum.audit.averaging import decode_release
from quorum.audit.case import Attack, Case
from quorum.audit.composition import intersect
from quorum.audit.elimination import recover_exactly
from quorum.audit.frequency import judge_bands
from quorum.audit.identifiers import sweep
from quorum.audit.insider import know_oneself
from quorum.audit.membership import ask_for_members
from quorum.audit.planting import plant
from quorum.audit.record import Findings
from quorum.audit.reparse import read_again
from quorum.audit.residuals import differences
from quorum.audit.temporal import compare_periods

_FILES = "every file this recipient ever received, the rules and their numbers, plans, targeting, this source code"


def _insider(case: Case) -> Findings:
    known = frozenset((claim.release, claim.where, claim.what) for claim in case.pinned.claims)
    bounds: Mapping[tuple[str, str], int] = {
        (package.release, family.count): bound
        for package in case.packages
        for family in case.rules.of(package.shape.report).families.values()
        if (bound := case.rules.of(package.shape.report).bound(family.count)) is not None
    }
    families = [of for package in case.packages for of in case.rules.of(package.shape.report).families.values()]
    heads = frozenset(family.heads for family in families)
    return know_oneself(case.system, case.reduced[0], case.bounds, case.effort, known, bounds, heads)


def _reconstruction(case: Case) -> Findings:
    from quorum.audit.reconstruction import rebuild  # its solver takes a third of a second to load

    return rebuild(case.blocks, case.effort)


ATTACKS = (
    Attack(
        "reparse",
        1,
        f"{_FILES}; inside, the true heads",
        "a published cell under a threshold, with too few people outside it, or at odds with another",
        "that nothing follows from several cells together; without truth, heads that the files do not carry",
        "a cell told with 49 people; a family told in a week that its plan keeps for days",
        lambda case: read_again(case.packages, case.rules, case.truth),
    ),
    Attack(
        "elimination",
        2,
        f"{_FILES}: margins, hierarchies, linked tables, periods, declared totals",
        "a withheld cell that follows exactly",
        "that no withheld cell is nearly known; that a sum of withheld cells holds enough people",
        "a cell withheld alone in its line; one of nine that is 47 though each line withholds two",
        lambda case: recover_exactly(case.system),
    ),
    Attack(
        "propagation",
        3,
        "the same, and that counts are whole numbers of 0 or more, events at least people",
        "a withheld count that cannot be 0, or cannot be min(threshold, known total)",
        "that withheld values are equally likely; that a sum of withheld cells holds enough people",
        "two withheld cells that sum to 5, so that neither can be 20",
        lambda case: case.pinned,
    ),
    Attack(
        "frequency",
        3,
        "the same, and how many people saw how many, with the bounds of one person that the descriptor states",
        "a withheld number of people or events that these narrow, or a band that is withheld",
        "what whole numbers alone would say; that clickers among the people are not narrowed",
        "a campaign of two ages and genders whose bands say that all of one age saw once",
        lambda case: judge_bands(case.packages, case.rules),
    ),
    Attack(
        "insider",
        4,
        "the same, and what one or two people themselves contributed",
        "that somebody else is in a cell, or too few are, which nobody outside can tell",
        "anything of three insiders, or one with many events (measured); positions beyond the budget",
        "a square of four withheld cells without slack: who is in one knows of somebody in the opposite one",
        _insider,
    ),
    Attack(
        "residuals",
        5,
        f"{_FILES}: every difference of margins, linked tables, groups, periods and recipients",
        "a known sum of withheld cells that is about fewer people than the threshold",
        "without truth, that a sum of many events is of many people; differences of more than nested sums",
        "two withheld cells that hold 60 impressions of 12 people",
        lambda case: differences(case.packages, case.system, case.rules, case.truth),
    ),
    Attack(
        "temporal",
        6,
        f"{_FILES}: days, weeks and months of one campaign, and restatements",
        "a difference of periods that is about one person to one short of the threshold",
        "differences that hold more events than the threshold, which attacks 2, 3 and 5 judge",
        "a week whose six published days leave 9 clicks; a restatement that moves 3 impressions",
        lambda case: compare_periods(case.packages, case.rules),
    ),
    Attack(
        "composition",
        7,
        f"{_FILES}; of somebody all attributes but one, and that they are in every release",
        "one candidate value left for the attribute asked",
        "that candidates are equally likely: how alike a group is, is measured and not judged",
        "two days of which each leaves two regions, and both together one",
        lambda case: intersect(case.packages, case.rules, case.system, case.bounds.high),
    ),
    Attack(
        "planted",
        8,
        "the rules, and 1 to 2k - 1 people of the reader's own in a cell",
        "a cell told because of people who do not count; how often a victim decides is measured",
        "anything against planted people who count: under `standard` the defence is mitigation, only `dp` is proof",
        "a cell of 150 people of whom 40 count",
        lambda case: plant(case.packages, case.rules, case.truth),
    ),
    Attack(
        "reconstruction",
        9,
        f"{_FILES}: all tables that tell of the people of one campaign or section",
        "one set of people alone agrees with two tables, and fewer than the threshold share a combination",
        "larger blocks, three tables at once, that nobody is the same in all solutions",
        "five people, all of one age, whose area is told",
        _reconstruction,
    ),
    Attack(
        "decoding",
        10,
        f"{_FILES}; of everybody the cells they are in; and all copies of a number",
        "who is in a family, better than by the majority; noise that averages away",
        "larger blocks; that an attribute which a group shares cannot be guessed (attack 7 measures it)",
        "24 people counted in 60 small groups; a number told in copies with noise",
        lambda case: decode_release(case.packages, case.blocks, case.effort, case.seed),
    ),
    Attack(
        "membership",
        11,
        f"{_FILES}; of somebody every attribute and event; of people at large as many others",
        "members found, at one stranger in a thousand, more often than 5 in a thousand",
        "larger blocks; a reader who knows exactly what would have been told without the person",
        "24 people told in 60 small groups",
        lambda case: ask_for_members(case.blocks, case.effort, case.seed),
    ),
    Attack(
        "identifiers",
        12,
        "every byte of the package; inside, the planted canaries",
        "a text that looks like an identifier, or a canary in any disguise",
        "that no keyed hash or unknown encoding of an identifier is there",
        "a page with an e-mail address",
        lambda case: sweep(case.packages, case.canaries),
    ),
)
"""In the order of disclosure.md's table. Names stand in certificates."""

DEAR = frozenset(("insider", "reconstruction", "decoding", "membership"))
"""Those that go over new packages alone, small things first, within `quorum.audit.effort.Effort`."""

CHEAP = tuple(attack for attack in ATTACKS if attack.name not in DEAR)
"""Those that go over everything every night."""
