"""Pseudonyms equal Python's HMAC, networks equal Python's, key sets are whole and without double keys."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import ipaddress
import random
from collections.abc import Iterator
from datetime import date
from types import MappingProxyType

import pyarrow as pa
import pytest

from quorum.engine.duck import DuckEngine
from quorum.engine.relations import policy_relations
from quorum.engine.store import Store
from quorum.errors import ConfigurationError
from quorum.keys import KeyRing
from quorum.policy import Category, Policy
from quorum.tables import Catalog
from quorum.zones import Home

KEYS = KeyRing(bytes(range(32)))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, policy: Policy) -> Iterator[DuckEngine]:
    engine = DuckEngine(Store(Home(tmp_path_factory.mktemp("macros")), catalog, KEYS), policy, KEYS, threads=1)
    yield engine
    engine.close()


def expected(kind: str, message: str | None) -> str | None:
    if message is None:
        return None
    return hmac.new(KEYS.derive(f"pseudonym/{kind}"), message.encode(), hashlib.sha256).hexdigest()[:32]


def random_texts() -> list[str | None]:
    draw = random.Random(20261121)
    alphabet = [*map(chr, range(32, 127)), *"あいうカタカナ漢字𠮷é'\\|\n\t"]
    lengths = [0, 1, 55, 56, 63, 64, 65, 127, 128, 300, *(draw.randrange(200) for _ in range(500))]
    return [None, *("".join(draw.choice(alphabet) for _ in range(length)) for length in lengths)]


@pytest.mark.clause("C-07", "K-01")
@pytest.mark.parametrize("kind", ["cookie", "member", "event", "public"])
def test_a_pseudonym_is_the_hmac_of_the_identifier(engine: DuckEngine, kind: str) -> None:
    texts = random_texts()
    rows = {"given": pa.table({"message": pa.array(texts, pa.string())})}
    found = engine.query(f"SELECT pseudonym_{kind}(message) AS key FROM given", rows)["key"].to_pylist()
    assert found == [expected(kind, text) for text in texts]


def test_kinds_have_keys_of_their_own(engine: DuckEngine) -> None:
    kinds = ("cookie", "member", "event", "public")
    row = engine.query("SELECT " + ", ".join(f"pseudonym_{kind}('a') AS {kind}" for kind in kinds), {})
    assert len({*row.to_pylist()[0].values()}) == len(kinds)


def test_the_browser_key_is_of_date_network_and_agent(engine: DuckEngine) -> None:
    rows = pa.table(
        {
            "day": pa.array([date(2026, 11, 21)] * 3, pa.date32()),
            "network": ["203.0.113.0/24", "203.0.113.0/24", None],
            "agent": ["ブラウザ", None, "x"],
        }
    )
    found = engine.query("SELECT pseudonym_browser(day, network, agent) AS key FROM given", {"given": rows})
    assert found["key"].to_pylist() == [
        expected("browser", "2026-11-21|203.0.113.0/24|ブラウザ"),
        expected("browser", "2026-11-21|203.0.113.0/24|"),
        None,
    ]


def networks(engine: DuckEngine, addresses: list[str | None]) -> list[str | None]:
    rows = {"given": pa.table({"ip": pa.array(addresses, pa.string())})}
    return engine.query("SELECT truncate_network(ip) AS network FROM given", rows)["network"].to_pylist()


@pytest.mark.clause("C-07")
@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("255.254.253.252", "255.254.253.0/24"),
        ("::1", "0000:0000:0000::/48"),
        ("::", "0000:0000:0000::/48"),
        ("1::", "0001:0000:0000::/48"),
        ("2001:db8::1", "2001:0db8:0000::/48"),
        ("2001:DB8:ABCD:1:2:3:4:5", "2001:0db8:abcd::/48"),
        ("::2:3:4:5:6:7:8", "0000:0002:0003::/48"),
        ("1:2:3:4:5:6:7::", "0001:0002:0003::/48"),
        ("::ffff:1.2.3.4", "1.2.3.0/24"),
        ("::FFFF:1.2.3.4", "1.2.3.0/24"),
        ("::ffff:102:304", "1.2.3.0/24"),
        ("::ffff:ff00:1", "255.0.0.0/24"),
        ("localhost", None),
        ("", None),
        (None, None),
    ],
)
def test_addresses_are_truncated(engine: DuckEngine, address: str | None, network: str | None) -> None:
    assert networks(engine, [address]) == [network]


def test_random_addresses_are_truncated_as_python_does(engine: DuckEngine) -> None:
    draw = random.Random(20261121)
    groups = [[draw.choice(["0", f"{draw.getrandbits(16):x}"]) for _ in range(8)] for _ in range(3000)]
    addresses = [ipaddress.IPv6Address(":".join(group)) for group in groups]
    wanted = [f"{address.exploded[:14]}::/48" for address in addresses]
    assert networks(engine, [str(address) for address in addresses]) == wanted


def test_relations_hold_the_whole_policy(policy: Policy) -> None:
    relations = policy_relations(policy)
    assert sorted(relations["policy__hour_band"]["hour"].to_pylist()) == list(range(24))
    assert relations["policy__postal"].num_rows == len(policy.postal_prefixes)
    assert {"prefecture": "tokyo", "region": "kanto"} in relations["policy__prefecture"].to_pylist()
    assert {"term": "男性", "gender": "male"} in relations["policy__gender_term"].to_pylist()
    assert relations["policy__age_band"].to_pylist()[0] == {"first": 0, "last": 19, "age_band": "u20"}
    assert {"name": "bot_page_views_per_minute", "value": 30} in relations["policy__limit"].to_pylist()
    assert {"event_type": "click", "most_n": 10} in relations["policy__contribution"].to_pylist()
    assert relations["policy__placement"].num_rows == len(policy.categories["placements"])
    assert {"term": "学生", "occupation": "student"} in relations["policy__occupation_term"].to_pylist()


def test_a_term_of_two_categories_is_refused(policy: Policy) -> None:
    genders = (*policy.categories["genders"], Category("both", "両方", "both", terms=("male",)))
    twice = dataclasses.replace(policy, categories=MappingProxyType({**policy.categories, "genders": genders}))
    with pytest.raises(ConfigurationError, match=r"policy\.ambiguous"):
        policy_relations(twice)
