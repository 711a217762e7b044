"""Fixtures that every kind of test uses: the contracts, the policy, a key, an empty home."""

from __future__ import annotations

from pathlib import Path

import pytest

from quorum.keys import KeyRing
from quorum.policy import Policy, load_policy
from quorum.tables import Catalog, load_catalog
from quorum.zones import Home

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real logs and published answers, beside the checkout; a test that needs them fails without them."""
    folder = ROOT.parent / "shared"
    assert folder.is_dir(), "shared/ must lie beside the checkout"
    return folder


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog(ROOT / "sql")


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load_policy(ROOT / "policy")


@pytest.fixture
def keys() -> KeyRing:
    return KeyRing(bytes(range(32)))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")
