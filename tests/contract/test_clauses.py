"""Every clause is enforced and proved, and every proof is of a clause: clauses.yaml and the marks agree both ways."""

from __future__ import annotations

import ast
import importlib.util
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from quorum.policy import Policy
from quorum.policy.clauses import CLAUSES

_MARK = "clause"


@pytest.fixture(scope="module")
def marked(root: Path) -> Mapping[str, set[str]]:
    """Clause to the tests that carry its mark, ``path::name``."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((root / "tests").rglob("test_*.py")):
        for clause, name in marks_of(path.read_text(encoding="utf-8")):
            found[clause].add(f"{path.relative_to(root).as_posix()}::{name}")
    return found


def marks_of(source: str) -> Iterator[tuple[str, str]]:
    """Yield the clause and the test of every mark of a module; nothing is imported."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name.startswith(("test_", "Test")):
            for decorator in node.decorator_list:
                yield from ((clause, node.name) for clause in _clauses(decorator))


def _clauses(decorator: ast.expr) -> list[str]:
    if not (isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute)):
        return []
    if decorator.func.attr != _MARK:
        return []
    return [ast.literal_eval(argument) for argument in decorator.args]


def test_marks_are_found_where_they_stand() -> None:
    source = (
        '@pytest.mark.clause("C-01", "C-02")\n@pytest.mark.slow\ndef test_a():\n    pass\n\ndef test_b():\n    pass\n'
    )
    assert list(marks_of(source)) == [("C-01", "test_a"), ("C-02", "test_a")]


def test_there_are_thirty_five_clauses(policy: Policy) -> None:
    assert len(CLAUSES) == len(set(CLAUSES)) == 35
    assert [code for code in policy.clauses if code not in CLAUSES] == ["P-03n"]


def test_every_clause_has_a_proof_that_exists(policy: Policy, root: Path) -> None:
    unproved = [code for code, clause in policy.clauses.items() if not clause.proved_by]
    assert unproved == []
    for code, clause in policy.clauses.items():
        for proof in clause.proved_by:
            path, _, name = proof.partition("::")
            assert (root / path).is_file(), f"{code}: {proof}"
            assert f"def {name}(" in (root / path).read_text(encoding="utf-8"), f"{code}: {proof}"


def test_marks_and_clauses_agree_both_ways(policy: Policy, marked: Mapping[str, set[str]]) -> None:
    assert set(marked) <= set(policy.clauses), "a test proves a clause that the policy does not have"
    for code, clause in policy.clauses.items():
        listed = set(clause.proved_by)
        assert sorted(marked.get(code, set()) - listed) == [], f"clauses.yaml: {code} does not list what is marked"
        assert sorted(listed - marked.get(code, set())) == [], f"{code} lists what does not carry its mark"


def test_what_enforces_a_clause_exists(policy: Policy) -> None:
    for code, clause in policy.clauses.items():
        assert clause.enforced_by, code
        for enforcer in clause.enforced_by:
            if enforcer.startswith("quorum "):
                assert _command(enforcer.split()[1:]) is not None, f"{code}: {enforcer}"
            else:
                assert importlib.util.find_spec(enforcer) is not None, f"{code}: {enforcer}"


def _command(words: list[str]) -> click.Command | None:
    from pipelines.cli import cli

    found: click.Command | None = cli
    for word in words:
        found = found.commands.get(word) if isinstance(found, click.Group) else None
    return found
