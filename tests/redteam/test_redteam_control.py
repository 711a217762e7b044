"""Defender and attacker were written apart: what one releases, the other does not break; what is weakened, it does.

The cubes are invented; the package is written by the tests' own writer.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from package_writer import RULES, Draft, portal

from quorum.audit.catalogue import DEAR
from quorum.audit.package import parse_files
from quorum.audit.record import FAILED, PASSED
from quorum.audit.run import run_attacks
from quorum.disclosure import PackageCube, control
from quorum.policy.types import FamilySpec, RuleSet

FAMILIES = (
    FamilySpec("impressions", "impression_n", "people_n"),
    FamilySpec("clicks", "click_n", "clicker_n", "clicker_rest_n", "impressions"),
)
STANDARD = RuleSet("standard", RULES["heads"], RULES["outside"], 10, 2, 90, 50)


def _released(draft: Draft, rule_set: RuleSet) -> Draft:
    """The draft with the statuses that control gives it."""
    safe = control(PackageCube(draft.shape, draft.truth()), rule_set, FAMILIES)
    withheld = set()
    for table in draft.shape.tables:
        rows: pa.Table = safe.tables[table.name]
        for family in table.families:
            statuses = zip(table.coordinates(), rows.column(f"status_{family}").to_pylist(), strict=True)
            withheld |= {(table.name, row, family) for row, status in statuses if status == "withheld"}
    return replace(draft, withheld=frozenset(withheld))


def _verdicts(draft: Draft) -> dict[str, str]:
    parsed = parse_files(draft.files())
    records = run_attacks([parsed], RULES, {parsed.release: draft.truth()})
    assert all(record.unreached == 0 for record in records if record.attack not in DEAR)
    return {record.attack: record.verdict for record in records}


@pytest.mark.clause("P-03n")
@pytest.mark.parametrize(("seed", "events"), [(1, 9000), (2, 5000), (3, 2500), (4, 1200), (5, 300), (6, 20000)])
def test_what_control_releases_no_attack_breaks(seed: int, events: int) -> None:
    released = _released(portal(seed, events=events), STANDARD)
    assert len(released.withheld) < sum(2 * len(rows) for rows in released.cells.values()), "something is published"
    assert set(_verdicts(released).values()) == {PASSED}


@pytest.mark.parametrize("weaker", [{"impressions": 40}, {"clicks": 15}])
def test_a_rule_set_below_the_rules_is_seen(weaker: dict[str, int]) -> None:
    weak = replace(STANDARD, heads={**RULES["heads"], **weaker})
    assert any(_verdicts(_released(portal(seed, events=4000), weak))["reparse"] == FAILED for seed in range(1, 4))


def test_every_withheld_cell_matters() -> None:
    """Any single cell that control withholds beside a published margin of its table breaks something if released."""
    released = _released(portal(2, events=5000), STANDARD)
    areas = sorted(cell for cell in released.withheld if cell[0] == "audience_area" and cell[1][0] == "c1")
    assert areas
    for table, row, family in areas[:12]:
        assert FAILED in _verdicts(released.publish(table, row, family=family)).values(), row
