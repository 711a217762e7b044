"""The architecture itself: import law, names, categories, locks, generated pages."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.tables.dictionary import render
from quorum.zones import Zone

_UNIT_SUFFIX = re.compile(r"_(n|micros|yen|share|date|at|key|id|band|on|hour|years|days|from|to)$|^(is|has)_")
_FIELD_TERMS = {"status", "booked_impressions", "policy_version"}  # fixed by the input formats, or by a clause (P-01)


def test_the_import_law_holds() -> None:
    done = subprocess.run([str(Path(sys.executable).with_name("lint-imports"))], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


def test_the_library_loads_without_orchestrator_and_validation_framework(root: Path) -> None:
    modules = [
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((root / "quorum").rglob("*.py"))
    ]
    code = (
        "import sys, importlib\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'dagster', 'great_expectations', 'click'}: raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        f"[importlib.import_module(name) for name in {modules!r}]\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr[-2000:]


def test_every_column_has_a_category_that_may_enter_its_zone(catalog: Catalog, policy: Policy) -> None:
    for table in catalog.tables.values():
        for column in table.columns:
            category = policy.columns[column.category]
            assert table.zone.value in category.zones, f"{table.name}.{column.name} ({column.category})"
            assert column.unit and column.description


@pytest.mark.clause("C-07")
def test_behind_the_vault_no_column_is_an_identifier(catalog: Catalog, policy: Policy) -> None:
    for table in catalog.tables.values():
        if not table.zone.is_sealed:
            classes = {policy.columns[column.category].klass for column in table.columns}
            assert not classes & {"identifier", "restricted"}, table.name


@pytest.mark.clause("P-03n")
def test_cubes_and_what_follows_hold_no_key_of_a_person(catalog: Catalog, policy: Policy) -> None:
    for zone in (Zone.CUBE, Zone.SAFE):
        for table in catalog.in_zone(zone):
            assert "pseudonym" not in {policy.columns[c.category].klass for c in table.columns}, table.name


def test_measures_carry_their_unit_in_the_name(catalog: Catalog) -> None:
    for table in catalog.tables.values():
        for column in table.columns:
            if column.type in {"BIGINT", "INTEGER", "DATE", "TIMESTAMP", "BOOLEAN"}:
                assert _UNIT_SUFFIX.search(column.name) or column.name in _FIELD_TERMS, f"{table.name}.{column.name}"


def test_no_floats_before_out(catalog: Catalog) -> None:
    assert all(c.type not in {"DOUBLE", "FLOAT", "REAL"} for t in catalog.tables.values() for c in t.columns)


def test_retention_does_not_grow_behind_the_vault(policy: Policy) -> None:
    days = policy.retention_days
    assert days["seg"] <= days["pseudo"] <= days["vault"]


def test_the_data_dictionary_is_fresh(root: Path, catalog: Catalog, policy: Policy) -> None:
    assert (root / "docs" / "data_dictionary.md").read_text(encoding="utf-8") == render(catalog, policy), "make docs"


_LOCKS = {
    "requirements.lock": 50,
    "requirements-dev.lock": 50,
    "requirements-bench.lock": 20,
    "requirements-spark.lock": 2,
}
"""Lock to the fewest packages that it has if nothing broke off."""


def test_every_lock_is_looked_at(root: Path) -> None:
    assert {path.name for path in root.glob("*.lock")} == set(_LOCKS)


@pytest.mark.parametrize("name", _LOCKS)
def test_locks_pin_with_hashes_and_name_no_address(root: Path, name: str) -> None:
    text = (root / name).read_text(encoding="utf-8")
    assert not re.search(r"https?://|--index|--find-links|--extra-index", text)
    requirements = re.split(r"(?<!\\)\n", text.strip())
    assert len(requirements) >= _LOCKS[name]
    for requirement in requirements:
        assert re.match(r"[A-Za-z0-9_.\[\]-]+==\S+", requirement), requirement[:60]
        assert "--hash=sha256:" in requirement, requirement[:60]


def test_the_development_lock_contains_the_other(root: Path) -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^\S+==\S+", (root / name).read_text(encoding="utf-8"), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


@pytest.mark.clause("C-02", "C-03")
def test_what_a_partner_or_the_person_gave_says_so(catalog: Catalog) -> None:
    origins = {
        name: {column.origin for column in catalog[name].columns if column.category != "META"}
        for name in ("vault__member", "vault__partner_transaction")
    }
    assert origins == {"vault__member": {"subject", None}, "vault__partner_transaction": {"partner"}}
    unasked = [column.name for column in catalog["vault__member"].columns if column.origin is None]
    assert unasked == ["file_n", "line_n", "member_id", "updated_at"]


def test_every_test_module_has_a_name_of_its_own(root: Path) -> None:
    """Two modules of one name are not collected together; each by itself passes."""
    names = Counter(path.name for path in (root / "tests").rglob("*.py") if path.name != "conftest.py")
    assert [name for name, often in names.items() if often > 1] == []
