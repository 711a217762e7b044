"""The invented portal, protected: the clean release from which every mutant is made."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from package_writer import RULES, Draft, portal, protect

sys.path.append(str(Path(__file__).parents[1] / "property"))  # mutants release the portals of the tests of periods


@pytest.fixture(scope="session")
def clean() -> Draft:
    return protect(portal(), RULES["heads"], RULES["outside"])
