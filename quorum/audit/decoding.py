"""LP decoding: what noisy counts of known groups give away of one attribute of each person.

What belongs here: the program and its reading. What does not: which counts a release tells, and exact ones
(`quorum.audit.microdata`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack, vstack

from quorum.errors import ReleaseError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Decoded:
    """What decoding says of each person.

    Args:
        has: by person, whether the attribute is ascribed to them.
        weight: by person, the program's value in [0, 1]; the nearer to one half, the less it knows.
        misfit: sum of absolute differences between answers and the program's counts.
    """

    has: NDArray[np.bool_]
    weight: Floats
    misfit: float


def decode(members: NDArray[np.bool_], answers: NDArray[np.int64]) -> Decoded:
    """Find the people whose counts are nearest to noisy answers.

    Args:
        members: questions by people; is the person in the question's group?
        answers: by question, the noisy number of the group's members who have the attribute.

    Returns:
        For each person the attribute that fits best: least sum of absolute differences over weights in [0, 1],
        rounded at one half.

    Raises:
        ReleaseError: answers and groups do not match, or the program finds no end.

    Guarantee:
        The weights are optimal. With n people, some n random groups and noise that is small beside the square root of
        n, all but a vanishing share of people is right.

    Source: Dinur and Nissim, PODS 2003; Cohen and Nissim, Journal of Privacy and Confidentiality 10 (2020), Linear
    Program Reconstruction in Practice; disclosure.md, attack 10.
    """
    questions, people = members.shape
    if answers.shape != (questions,):
        raise ReleaseError("attack.decoding", f"{len(answers)} answers", f"{questions}", "give one answer a question")
    groups, slack = csr_array(members.astype(np.float64)), eye_array(questions, format="csr")
    # Least absolute differences: slack is at least the difference on either side.
    differences = vstack([hstack([groups, -slack]), hstack([-groups, -slack])])
    found = milp(
        np.concatenate([np.zeros(people), np.ones(questions)]),
        constraints=LinearConstraint(differences, -np.inf, np.concatenate([answers, -answers])),
        bounds=Bounds(0, np.concatenate([np.ones(people), np.full(questions, np.inf)])),
    )
    if found.status != 0:
        raise ReleaseError("attack.decoding", "no optimum", "an optimum", "give fewer answers")
    weight = found.x[:people]
    return Decoded(weight > 0.5, weight, float(found.fun))
