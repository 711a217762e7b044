"""The invented portal, protected: the clean release from which every mutant is made."""

from __future__ import annotations

import pytest
from package_writer import RULES, Draft, portal, protect


@pytest.fixture(scope="session")
def clean() -> Draft:
    return protect(portal(), RULES["heads"], RULES["outside"])
