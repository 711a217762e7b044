"""Expectation suites as files: ``expectations/<table>.json``, in Great Expectations' own form, about a table's profile.

An expectation names a metric of `quorum.profile` as its column, says in ``meta.severity`` whether its failure is
``blocking`` (nothing downstream is made that night) or a ``warning``, and in ``meta.why`` what it means.

What belongs here: reading suites and refusing what is not whole. What does not: judging a night (`assets.checks`); this
module does not need Great Expectations.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorum.errors import ConfigurationError
from quorum.profile import other_tables, parse_metric
from quorum.tables import Catalog, Table

BLOCKING = "blocking"
WARNING = "warning"


@dataclass(frozen=True)
class Expectation:
    """One expectation of a suite.

    Args:
        type: Great Expectations' name, e.g. ``expect_column_values_to_be_between``.
        metric: the metric it judges, e.g. ``null_n(person_key)``.
        severity: ``blocking`` or ``warning``.
        why: what it means when it fails.
    """

    type: str
    metric: str
    severity: str
    why: str


@dataclass(frozen=True)
class Suite:
    """The suite of a table.

    Args:
        table: the table.
        expectations: in the file's order.
        document: the file, as Great Expectations reads it.
    """

    table: str
    expectations: tuple[Expectation, ...]
    document: Mapping[str, Any]

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that the profile must hold, each once."""
        return tuple(dict.fromkeys(expectation.metric for expectation in self.expectations))

    @property
    def compared_with(self) -> tuple[str, ...]:
        """The other tables of the same night that a metric looks into, e.g. for references without their row."""
        return tuple(dict.fromkeys(table for metric in self.metrics for table in other_tables(metric)))


def load_suites(folder: Path, catalog: Catalog) -> dict[str, Suite]:
    """Load the suite of every table that is kept.

    Args:
        folder: the ``expectations`` folder.
        catalog: the contracts that the metrics must fit.

    Raises:
        ConfigurationError: a kept table has no suite, a suite has no table, or a file is not what it should be.
    """
    kept = {name: table for name, table in catalog.tables.items() if not table.in_memory}
    files = {path.stem: path for path in sorted(folder.glob("*.json"))}
    for name in sorted(set(kept) ^ set(files)):
        what = f"no suite for {name}" if name in kept else f"a suite for {name}, which is no kept table"
        raise ConfigurationError("suites.one_each", what, "expectations/<table>.json for every kept table")
    return {name: _load(files[name], table) for name, table in sorted(kept.items())}


def _load(path: Path, table: Table) -> Suite:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        expectations = tuple(
            Expectation(e["type"], e["kwargs"]["column"], e["meta"]["severity"], e["meta"]["why"])
            for e in document["expectations"]
        )
        name = document["name"]
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(
            "suites.form",
            f"expectations/{path.name}",
            "name, and expectations with type, kwargs.column, meta.severity and meta.why",
        ) from None
    if name != table.name or not expectations:
        raise ConfigurationError("suites.form", f"expectations/{path.name}", "its table's name, and one expectation")
    if len({(e.type, e.metric) for e in expectations}) != len(expectations):
        raise ConfigurationError("suites.form", f"expectations/{path.name}", "each type and metric once")
    for expectation in expectations:
        parse_metric(expectation.metric, table)
        if expectation.severity not in (BLOCKING, WARNING):
            raise ConfigurationError("suites.severity", f"expectations/{path.name}", f"{BLOCKING} or {WARNING}")
    return Suite(table.name, expectations, document)
