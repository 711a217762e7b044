"""The policy, loaded once from ``policy/`` and frozen. Missing or unknown means refuse.

What belongs here: types for the officer's files, their validation and their digest. What does not: thresholds (they are
data; only floors are code) and enforcement (each rule lives beside what it guards).
"""

from quorum.policy.load import load_policy
from quorum.policy.types import (
    Actor,
    Category,
    DataCategory,
    DimensionSpec,
    FamilySpec,
    FrequencySpec,
    Policy,
    Purpose,
    ReportSpec,
    Role,
    RuleSet,
    Scope,
    TableSpec,
    WhoCounts,
)

__all__ = [
    "Actor",
    "Category",
    "DataCategory",
    "DimensionSpec",
    "FamilySpec",
    "FrequencySpec",
    "Policy",
    "Purpose",
    "ReportSpec",
    "Role",
    "RuleSet",
    "Scope",
    "TableSpec",
    "WhoCounts",
    "load_policy",
]
