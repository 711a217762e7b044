"""Fixtures of the register: its rules, an office, what lies in its home."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from register_office import ENVIRON, Office, furnish

from quorum.policy import Policy
from quorum.register.rules import load_rules
from quorum.register.types import Rules
from quorum.workspace import open_workspace
from quorum.zones import Home


@pytest.fixture(scope="session")
def rules(root: Path, policy: Policy) -> Rules:
    return load_rules(root / "policy", policy)


@pytest.fixture
def office(home: Home, root: Path, tmp_path: Path, rules: Rules) -> Iterator[Office]:
    with open_workspace(home, None, root / "policy", ENVIRON, "first") as workspace:
        made = Office(workspace, rules, tmp_path / "given" / "to")
        made.out.parent.mkdir()
        furnish(made)
        yield made


@pytest.fixture
def untouched(home: Home) -> Callable[[], dict[str, bytes]]:
    """Return what lies in the home but the ledger: names and bytes."""

    def look() -> dict[str, bytes]:
        files = [path for path in home.root.rglob("*") if path.is_file() and path.parent != home.ledger]
        return {path.relative_to(home.root).as_posix(): path.read_bytes() for path in files}

    return look
