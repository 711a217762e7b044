"""What a blocked release would have given away is read by who holds the master key, and by nobody else."""

from __future__ import annotations

import pytest

from quorum.audit.record import Claim, Findings, score
from quorum.errors import LedgerError
from quorum.keys import KeyRing
from quorum.release.sealed import open_worst, seal_worst

CLAIM = Claim("adv-01/campaign/2026-11-21", ("audience_age", "c003", "70s"), "clicker_n", "is 47", True)
FAILED = score("elimination", CLAIM.release, Findings(9, (CLAIM,)), power=True, seconds=1.0)
PASSED = score("reparse", CLAIM.release, Findings(9, ()), power=True, seconds=1.0)


def test_the_worst_case_comes_back_whole(keys: KeyRing) -> None:
    sealed = seal_worst(keys, [PASSED, FAILED])
    assert open_worst(keys, sealed) == [FAILED.as_sealed()]
    assert "is 47" in open_worst(keys, sealed)[0]["worst"]
    assert sealed == seal_worst(keys, [PASSED, FAILED]), "a rerun enters the same"


def test_nothing_of_it_is_in_what_is_stored(keys: KeyRing) -> None:
    stored = bytes.fromhex(seal_worst(keys, [FAILED]))
    for text in (b"audience_age", b"c003", b"70s", b"47", b"adv-01"):
        assert text not in stored


def test_another_key_and_a_changed_byte_are_refused(keys: KeyRing) -> None:
    sealed = seal_worst(keys, [FAILED])
    changed = f"{int(sealed[0], 16) ^ 1:x}{sealed[1:]}"
    for ring, text in ((KeyRing(bytes(32)), sealed), (keys, changed), (keys, "no hex")):
        with pytest.raises(LedgerError, match=r"ledger\.sealed"):
            open_worst(ring, text)
