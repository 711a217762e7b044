"""Who may read for which purpose, and who may act, is a file that the officer reviews; everybody else is refused."""

from __future__ import annotations

import pytest

from quorum.errors import PolicyError
from quorum.policy import Actor, Policy
from quorum.policy.grants import SCHEDULER, actor_of, check_may_act, check_may_read, may_read

_GRANTED = {
    "scheduler": {"INFRA", "P-01", "P-02", "P-03", "P-05", "P-07", "P-09", "P-10"},
    "desk": {"P-04", "P-06", "P-08", "P-11"},
    "officer": {"P-04", "P-06", "P-10"},
    "analyst": {"P-02", "P-03"},
    "billing": {"P-07"},
}


@pytest.mark.clause("S-01")
@pytest.mark.parametrize("role", sorted(_GRANTED))
def test_a_role_reads_for_its_purposes_and_no_other(policy: Policy, role: str) -> None:
    actor = Actor("somebody", role)
    assert {code for code in policy.purposes if may_read(policy, actor, code)} == _GRANTED[role]
    for code in policy.purposes:
        if code in _GRANTED[role]:
            check_may_read(policy, actor, code)
        else:
            with pytest.raises(PolicyError, match=rf"roles\.purpose: {code} for the role {role}"):
                check_may_read(policy, actor, code)


@pytest.mark.clause("S-01")
@pytest.mark.parametrize(
    ("role", "act", "may"),
    [
        ("officer", "erase", True),
        ("officer", "disclose", True),
        ("desk", "correct", True),
        ("desk", "erase", False),
        ("analyst", "disclose", False),
        ("scheduler", "disclose", False),
    ],
)
def test_an_act_needs_the_role_for_it(policy: Policy, role: str, act: str, may: bool) -> None:
    actor = Actor("somebody", role)
    if may:
        check_may_act(policy, actor, act)
    else:
        with pytest.raises(PolicyError, match=r"roles\.act"):
            check_may_act(policy, actor, act)


def test_an_unlisted_login_has_the_role_that_the_file_says(policy: Policy) -> None:
    assert actor_of(policy, "somebody") == Actor("somebody", policy.unlisted_role)
    assert actor_of(policy, "somebody", "analyst") == Actor("somebody", "analyst")
    assert SCHEDULER.role in policy.roles
    with pytest.raises(PolicyError, match=r"roles\.actor"):
        actor_of(policy, "somebody", "king")
