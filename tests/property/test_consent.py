"""Whoever is disclosed about has consented, and the other way round: random histories against a replay of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.keys import KeyRing
from quorum.policy import Policy
from quorum.register.consent import standing_consents
from quorum.tables import Catalog
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
START = datetime(2026, 11, 20, tzinfo=UTC).replace(tzinfo=None)
NEEDS = (("NAME",), ("NAME", "ADDR"), ("ITEM",), ("NAME", "ITEM", "TEL"))


class Choice(NamedTuple):
    person: str
    scope: str
    recipient: str | None
    choice: str
    minute: int


choices = st.lists(
    st.builds(
        Choice,
        st.sampled_from(("p", "q")),
        st.sampled_from(("provide_contact", "provide_purchases", "all", "ads", "unheard_of")),
        st.sampled_from(("adv-01", "adv-02", None)),
        st.sampled_from(("consent", "consent", "withdraw", "opt_out", "opt_in")),
        st.integers(0, 6),
    ),
    max_size=8,
)


def oracle(history: list[Choice], recipient: str, items: tuple[str, ...], policy: Policy) -> set[str]:
    """Replay each person's choices minute by minute; within a minute refusals come last. An opt-in is no consent."""
    allowed = set()
    for person in {choice.person for choice in history}:
        held: set[str] = set()
        own = [choice for choice in history if choice.person == person and choice.recipient in (recipient, None)]
        for choice in sorted(own, key=lambda c: (c.minute, c.choice != "consent", c.choice in ("opt_out", "withdraw"))):
            if choice.choice == "consent":
                held |= {choice.scope} if choice.recipient == recipient else set()
            elif choice.choice == "opt_in":
                held -= {choice.scope} if choice.recipient == recipient else set()
            elif choice.scope == "all" or choice.scope not in policy.scopes:
                held.clear()
            else:
                held.discard(choice.scope)
        provided = {code for scope in held & set(policy.scopes) for code in policy.scopes[scope].provides}
        if set(items) <= provided:
            allowed.add(person)
    return allowed


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, policy: Policy) -> Iterator[DuckEngine]:
    keys = KeyRing(bytes(range(32)))
    home = Home(tmp_path_factory.mktemp("home"))
    made = DuckEngine(Store(home, catalog, keys), policy, keys, memory_limit="500MB", threads=1)
    yield made
    made.close()


def standing(engine: DuckEngine, catalog: Catalog, history: list[Choice]) -> pa.Table:
    """Return what the night's own statement says that stands."""
    schema = catalog["pseudo__preference"].arrow_schema()
    rows: list[dict[str, Any]] = [
        {
            **dict.fromkeys(schema.names),
            **{"person_key": c.person, "member_key": c.person, "choice": c.choice, "scope": c.scope},
            **{"recipient_id": c.recipient, "preference_at": START + timedelta(minutes=c.minute)},
            "preference_date": START.date(),
        }
        for c in history
    ]
    return engine.run(
        "pseudo__standing_choice",
        NIGHT,
        {
            "pseudo__preference__history": pa.Table.from_pylist(rows, schema),
            "pseudo__login_link": catalog["pseudo__login_link"].arrow_schema().empty_table(),
        },
    )


@pytest.mark.clause("D-03")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=choices)
def test_those_who_are_disclosed_about_are_those_who_consent(
    engine: DuckEngine, catalog: Catalog, policy: Policy, history: list[Choice]
) -> None:
    stand = standing(engine, catalog, history)
    for items in NEEDS:
        found = standing_consents(stand, "adv-01", items, policy.scopes)
        assert set(found) == oracle(history, "adv-01", items, policy)
