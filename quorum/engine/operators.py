"""A statement's profile: what its operators cost, and nothing of what they saw.

What belongs here: reading what DuckDB measured. What does not: switching it on (`quorum.engine.duck`), files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Operators = list[dict[str, str | int | float]]


def read_operators(profile: str) -> Operators:
    """Return the operators of a statement that ran, outermost first.

    Args:
        profile: DuckDB's profile as JSON. Its texts quote the statement's expressions, where keys and values of rows
            may stand.

    Returns:
        Of each operator ``depth``, ``operator``, ``seconds`` and ``rows``.

    Guarantee:
        Kinds of operators and numbers only; no text of the profile passes that is not the name of a kind.
    """
    tree = json.loads(profile)
    return [found for top in tree.get("operator", []) for found in _walk(top, 0)]


def _walk(node: dict[str, Any], depth: int) -> Iterator[dict[str, str | int | float]]:
    kind = str(node.get("type", ""))
    yield {
        "depth": depth,
        "operator": kind if kind.replace("_", "").isalpha() and kind.isupper() else "OTHER",
        "seconds": round(float(node.get("timing", 0)), 6),
        "rows": int(node.get("intermediate_rows", 0)),
    }
    for child in node.get("children", []):
        yield from _walk(child, depth + 1)
