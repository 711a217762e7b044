"""Survey samples over many nights: the same again from the same seed, as large as they can be, nobody too often."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quorum.extract.build import build
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.zones import Home

sys.path.append(str(Path(__file__).parents[1] / "unit" / "extract_a"))
from extract_house import MEMBER, NIGHT, VIEW, open_house, survey, with_rules

PEOPLE, REST_DAYS = 10, 30
TABLES = ("p02__survey_sample", "p03__effect_sample")
PURPOSE = dict(zip(TABLES, ("P-02", "P-03"), strict=True))
Row = dict[str, Any]


@dataclass(frozen=True)
class Portal:
    """What happens on a portal.

    Args:
        members: key to gender, and whether the campaign was shown.
        nights: in order.
        stops: by night, who is out of both purposes from then on.
        surveys: as the file states them.
    """

    members: Mapping[str, tuple[str, bool]]
    nights: Sequence[date]
    stops: Sequence[frozenset[str]]
    surveys: Mapping[str, Any]

    def out(self, night: date) -> frozenset[str]:
        return frozenset().union(*(gone for on, gone in zip(self.nights, self.stops, strict=True) if on <= night))


@st.composite
def portals(draw: st.DrawFn) -> Portal:
    size = draw(st.integers(8, 60))
    traits = st.tuples(st.sampled_from(["female", "male"]), st.booleans())
    members = {f"m{n:03}": draw(traits) for n in range(size)}
    gaps = draw(st.lists(st.sampled_from([1, 1, 10, 29, 30, 31]), min_size=1, max_size=3))
    nights = [NIGHT + timedelta(days=sum(gaps[:n])) for n in range(len(gaps) + 1)]
    stops = [frozenset(draw(st.sets(st.sampled_from(sorted(members)), max_size=4))) for _ in nights]
    surveys = {}
    for number in range(draw(st.integers(1, 3))):
        first = draw(st.sampled_from(nights))
        effect = {"purpose": "P-03", "campaign_id": "k1", "seen_within_days": 90} if draw(st.booleans()) else {}
        surveys[f"s{number}"] = survey(
            seed=f"seed {number}",
            strata=draw(st.sampled_from([[], ["gender"]])),
            per_stratum=draw(st.integers(1, 12)),
            **{"from": first, "until": first + timedelta(days=draw(st.integers(0, 90)))},
            **effect,
        )
    return Portal(members, nights, stops, surveys)


def run(portal: Portal, catalog: Catalog, policy: Policy, *, backwards: bool) -> dict[tuple[str, date], list[Row]]:
    """Run all nights in a home of its own; the members stand in another order if asked for."""
    keys = sorted(portal.members, reverse=backwards)
    with tempfile.TemporaryDirectory() as folder:
        rules = with_rules(policy, Path(folder) / "rules", surveys=portal.surveys, people=PEOPLE, rest_days=REST_DAYS)
        with open_house(Home(Path(folder) / "home"), catalog, rules) as house:
            for night in portal.nights:
                house.rows(
                    "seg__member", [{**MEMBER, "person_key": k, "gender": portal.members[k][0]} for k in keys], night
                )
                views = [{**VIEW, "person_key": k, "campaign_id": "k1" if portal.members[k][1] else None} for k in keys]
                house.rows("seg__person_view", [{**view, "last_viewed_on": night} for view in views], night)
                out = [{"person_key": k, "purpose": p} for k in sorted(portal.out(night)) for p in PURPOSE.values()]
                house.rows("pseudo__stop", out, night)
                for table in TABLES:
                    build(house.desk, table, night)
            return {(table, night): house.kept(table, night) for table in TABLES for night in portal.nights}


def strata_of(portal: Portal, name: str) -> dict[str, set[str]]:
    """The members of each stratum of a survey, whoever opted out included."""
    spec = portal.surveys[name]
    found: dict[str, set[str]] = {}
    for key, (gender, is_exposed) in portal.members.items():
        told = [("exposed" if is_exposed else "not_exposed")] if spec["purpose"] == "P-03" else []
        told += [f"gender={gender}"] if spec["strata"] else []
        found.setdefault(",".join(told) or "all", set()).add(key)
    return found


@pytest.mark.clause("P-02")
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(portal=portals())
def test_samples_over_many_nights(portal: Portal, catalog: Catalog, policy: Policy) -> None:
    kept = run(portal, catalog, policy, backwards=False)
    assert run(portal, catalog, policy, backwards=True) == kept

    drawn: list[Row] = []
    strata_drawn: set[tuple[str, str]] = set()
    for night in portal.nights:
        out = portal.out(night)
        for table in TABLES:
            rows = kept[table, night]
            assert not {row["person_key"] for row in rows} & out
            new = [row for row in rows if row["sampled_on"] == night]
            sizes = Counter((row["survey_id"], row["stratum"]) for row in new)
            for name, spec in portal.surveys.items():  # in the order of drawing
                if spec["purpose"] != PURPOSE[table] or not spec["from"] <= night <= spec["until"]:
                    continue
                resting = {row["person_key"] for row in drawn if (night - row["sampled_on"]).days < REST_DAYS}
                for stratum, members in strata_of(portal, name).items():
                    there = members - out
                    is_due = len(there) >= PEOPLE and (name, stratum) not in strata_drawn
                    wanted = min(spec["per_stratum"], len(there - resting)) if is_due else 0
                    assert sizes.pop((name, stratum), 0) == wanted
                mine = [row for row in new if row["survey_id"] == name]
                assert all(row["person_key"] in strata_of(portal, name)[row["stratum"]] for row in mine)
                assert all(row["seed"] == spec["seed"] for row in mine)
                drawn += mine
                strata_drawn |= {(name, row["stratum"]) for row in mine}
            assert not sizes, "drawn for a survey that is not in the field"

    by_person: dict[str, list[date]] = {}
    for row in drawn:
        by_person.setdefault(row["person_key"], []).append(row["sampled_on"])
    for dates in by_person.values():
        dates.sort()
        assert all((later - sooner).days >= REST_DAYS for sooner, later in pairwise(dates))
