"""The attacks let clean releases pass; `clean_nights` does more of them by hand."""

from __future__ import annotations

import pytest
from clean_nights import blocked


@pytest.mark.slow
def test_hardly_any_clean_release_is_blocked() -> None:
    released, found = blocked(range(12))
    assert released >= 24
    assert sum(found.values()) < 0.05 * released, found
