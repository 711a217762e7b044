"""Disclosure control: from counts to the cells that may be said out loud.

What belongs here: the rules of a release as pure functions, the equations of a package, complementary suppression with
its proofs, the types that carry the guarantee. What does not: engines, files, clocks, keys, randomness, the attacker
(`quorum.audit`). Everything reaches this package as an argument.
"""

from quorum.disclosure.control import control
from quorum.disclosure.project import project
from quorum.disclosure.types import PackageCube, SafeCube

__all__ = ["PackageCube", "SafeCube", "control", "project"]
