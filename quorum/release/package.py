"""The files of a package, built in staging: csv, Parquet, ``datapackage.json``, and the pages that are handed in.

What belongs here: turning safe tables into deterministic bytes that outside programs read. What does not: deciding what
is published (`quorum.disclosure`), signing it (`quorum.release.certificate`), letting it out (`quorum.release.gate`).
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorum.errors import ReleaseError
from quorum.policy import Policy, ReportSpec, RuleSet
from quorum.release.extracts import draw, with_extracts
from quorum.release.frequency import bands_of, with_frequency
from quorum.release.shapes import is_safe_id
from quorum.tables import Dimension, PackageShape, TableShape
from quorum.tables.shape import ALL

if TYPE_CHECKING:
    import pyarrow as pa

STAGING = ".staging"
DESCRIPTOR = "datapackage.json"
WORKBOOK = "report.xlsx"
PUBLISHED = "published"
WITHHELD = "withheld"
CODE_LIST = "SDMX:CL_CONF_STATUS(1.2)"
"""The list that the codes of the two words are from: cross-domain code list for confidentiality status."""
CODES = {PUBLISHED: "F", WITHHELD: "C"}
"""Free for publication; confidential statistical information. The list has other codes for small counts, for dominance
and for secondary confidentiality: each would tell why a cell is withheld, so that all have the one that does not."""
_PAGE = re.compile(r"report\.([a-z]{2}\.html|xlsx)")
_PERIOD = re.compile(r"\d{4}-(\d{2}-\d{2}|W\d{2}|\d{2})(\.r\d+)?")
_PLAIN = re.compile(r"[A-Za-z0-9][ -~]*")
_UNITS = {"count": "events", "heads": "people"}
_MICRO_YEN = "micro-yen"


def package_path(shape: PackageShape) -> Path:
    """Return the folder of a package below ``out/`` or ``out/.staging/``: ``<recipient>/<report>/<period>``.

    Args:
        shape: recipient, report and period.

    Raises:
        ReleaseError: one of them is no file name.

    Guarantee:
        The path stays below the folder that it is joined to.

    Source: architecture.md, A report package.
    """
    if not (is_safe_id(shape.recipient_id) and is_safe_id(shape.report) and _PERIOD.fullmatch(shape.period)):
        raise ReleaseError("release.path", "a recipient, report or period that is no file name", "a safe id")
    return Path(shape.recipient_id, shape.report, shape.period)


def stage_package(
    out: Path, shape: PackageShape, tables: Mapping[str, pa.Table], policy: Policy, pages: Mapping[str, bytes]
) -> Path:
    """Build a package in ``out/.staging/``, anew, and return its folder; it has no certificate yet.

    Args:
        out: ``QUORUM_HOME/out``.
        shape: the public shape.
        tables: per table of the shape its rows as `quorum.release.safe.read_safe` returns them: dimension columns
            (string), measures (int64, null where withheld), ``status_<family>`` (string).
        policy: titles, families and the rule set.
        pages: ``report.<language>.html`` and ``report.xlsx`` to their bytes.

    Returns:
        ``out/.staging/<recipient>/<report>/<period>``.

    Raises:
        ReleaseError: the tables are not those of the shape, or a page has another name.

    Guarantee:
        The same arguments give the same bytes in every file. Nothing but the arguments reaches a file: no time of the
        run, no path, no metadata of the writing program beyond the Parquet library's own version.

    Source: architecture.md, A report package; Frictionless Data Package v1 (specs.frictionlessdata.io).
    """
    shape = with_frequency(shape, tables, policy)
    if set(tables) != {table.name for table in shape.tables}:
        raise ReleaseError("release.tables", "tables that the report does not have", "exactly those of reports.yaml")
    if not all(_PAGE.fullmatch(name) for name in pages):
        raise ReleaseError("release.page", "a page of another name", "report.<language>.html or report.xlsx")
    folder = out / STAGING / package_path(shape)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for name, content in {**table_files(shape, tables, policy), **pages}.items():
        (folder / name).write_bytes(content)
    return folder


def table_files(shape: PackageShape, tables: Mapping[str, pa.Table], policy: Policy) -> dict[str, bytes]:
    """Return the files of a package that carry its numbers: csv, Parquet and ``datapackage.json``, name to bytes.

    Args:
        shape: the public shape.
        tables: as in `stage_package`.
        policy: as in `stage_package`.

    Guarantee:
        The bytes that `stage_package` writes: of every table of the shape, and of those drawn from it.

    Source: architecture.md, A report package.
    """
    shape, tables = with_extracts(with_frequency(shape, tables, policy), policy), draw(shape, tables, policy)
    files = {f"{table.name}.csv": csv_bytes(tables[table.name]) for table in shape.tables}
    digests = {name.removesuffix(".csv"): hashlib.sha256(text).hexdigest() for name, text in files.items()}
    files |= {f"{table.name}.parquet": _parquet_bytes(tables[table.name]) for table in shape.tables}
    descriptor = json.dumps(describe(shape, policy, digests), ensure_ascii=False, indent=1)
    return {**files, DESCRIPTOR: f"{descriptor}\n".encode()}


def csv_bytes(table: pa.Table) -> bytes:
    r"""Return a table as csv: UTF-8 without a byte order mark, ``\n``, a header, empty for null.

    Args:
        table: string and int64 columns.

    Raises:
        ReleaseError: a key is not ASCII, or begins with another character than a letter or a digit.

    Guarantee:
        Every key is ASCII, so that Excel reads the file intact without a mark that other programs stumble over; no
        cell starts with a character that a spreadsheet takes for a formula.

    Source: RFC 4180; docs/decisions/0004-packages-and-chain.md.
    """
    keys = {key for column in table.columns if str(column.type) == "string" for key in column.unique().to_pylist()}
    if not all(_PLAIN.fullmatch(key) for key in keys):
        raise ReleaseError(
            "release.key", "a key that a spreadsheet might compute or spoil", "ASCII, a letter or digit first"
        )
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return text.getvalue().encode()


def rule_numbers(rule_set: RuleSet, report: ReportSpec, policy: Policy) -> dict[str, Any]:
    """Return a rule set with its numbers as a package states them, for the families of a report.

    Args:
        rule_set: the rule set.
        report: the report; families that it does not have are left out.
        policy: the columns of a family, and which it requires.

    Returns:
        ``name, heads {family: n}, outside, p_percent, dominance {n, share_percent}, single_share_percent, contribution
        {kind of event: most of one person, of the kinds that the report counts}, who_counts {seasoned_days,
        active_nights, network_people}, families {family: {count, heads, counted, rest, requires}}``, as the attacks of
        `quorum.audit` take them. No package carries ``counted`` and ``rest``: whoever counts is one of ``heads``.

    Guarantee:
        All numbers that decided the package, and no others: a function of the policy alone.

    Source: disclosure.md, Rules of a release.
    """
    return {
        "name": rule_set.name,
        "heads": {family: rule_set.heads[family] for family in report.families},
        "outside": rule_set.outside,
        "p_percent": rule_set.p_percent,
        "dominance": {"n": rule_set.dominance_n, "share_percent": rule_set.dominance_percent},
        "single_share_percent": rule_set.single_share_percent,
        "contribution": {
            kind: bound
            for kind, bound in sorted(policy.contribution.items())
            if any(policy.families[family].count == f"{kind}_n" for family in report.families)
        },
        "who_counts": {
            "seasoned_days": policy.who_counts.seasoned_days,
            "active_nights": policy.who_counts.active_nights,
            "network_people": policy.who_counts.network_people,
        },
        "families": {
            family.name: {
                "count": family.count,
                "heads": family.heads,
                "counted": family.counted,
                "rest": family.rest,
                "requires": family.requires,
            }
            for family in (policy.families[name] for name in report.families)
        },
    }


def describe(shape: PackageShape, policy: Policy, digests: Mapping[str, str]) -> dict[str, Any]:
    """Return ``datapackage.json``: from it alone an outside program rebuilds every equation that links two cells.

    Args:
        shape: the public shape.
        policy: titles and the rule set.
        digests: table to the SHA-256 of its csv, hex.

    Guarantee:
        A function of public facts and of the published files.

    Source: architecture.md, A report package; Frictionless Data Package v1.
    """
    report = policy.reports[shape.report]
    return {
        "profile": "tabular-data-package",
        "name": f"{shape.report}-{shape.period}".lower(),
        "title": f"{report.name_en} {shape.period}",
        "quorum:recipient": shape.recipient_id,
        "quorum:report": shape.report,
        "quorum:period": shape.period,
        "quorum:invariants": [dict(invariant) for invariant in shape.invariants],
        "quorum:groups": {column: dict(groups) for column, groups in shape.groups.items()},
        "quorum:plan": {
            key: {
                "periods": dict(plan.periods),
                "levels": {table: dict(levels) for table, levels in plan.levels.items()},
            }
            for key, plan in shape.plan.items()
        },
        "quorum:targeting": {
            key: {column: list(categories) for column, categories in targets.items()}
            for key, targets in shape.targeting.items()
        },
        "quorum:head_counts": shape.head_counts,
        "quorum:rule_set": rule_numbers(policy.rule_sets[report.rule_set], report, policy),
        "quorum:policy": {"version": policy.version, "digest": policy.digest},
        "resources": [_resource(table, digests[table.name], _bands(table, report, policy)) for table in shape.tables],
    }


def _bands(table: TableShape, report: ReportSpec, policy: Policy) -> Mapping[str, tuple[int, int]]:
    """Return what the bands of people by how often mean; nothing for any other table."""
    if report.frequency is None or report.frequency.name != table.name:
        return {}
    return bands_of(policy, report.frequency)


def _resource(table: TableShape, digest: str, bands: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    fields = [_dimension(dimension, level) for dimension in table.dimensions for level in dimension.levels]
    if bands:
        fields[-1]["quorum:frequency"] = {band: list(ends) for band, ends in bands.items()}
    fields += [
        {
            "name": measure.name,
            "type": "integer",
            "constraints": {"minimum": 0},
            "quorum:role": "measure",
            "quorum:family": measure.family,
            "quorum:unit": _MICRO_YEN if measure.name.endswith("_micros") else _UNITS[measure.kind],
            "quorum:additive_over": list(measure.additive_over),
        }
        for measure in table.measures
    ]
    fields += [_status(family) for family in table.families]
    return {
        "profile": "tabular-data-resource",
        "name": table.name,
        "path": f"{table.name}.csv",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "hash": f"sha256:{digest}",
        "dialect": {"lineTerminator": "\n", "delimiter": ",", "header": True},
        "quorum:universe": table.universe,
        "quorum:parquet": f"{table.name}.parquet",
        "schema": {"fields": fields, "missingValues": [""], "primaryKey": list(table.columns)},
    }


def _dimension(dimension: Dimension, level: str) -> dict[str, Any]:
    """Return the field of a level; its categories are listed in the order of the file, ALL first where it occurs."""
    depth = dimension.levels.index(level)
    keys = list(dict.fromkeys(path[depth] for path in dimension.keys))
    return {
        "name": level,
        "type": "string",
        "constraints": {"required": True, "enum": ([ALL] if dimension.has_margin or depth else []) + keys},
        "quorum:role": "dimension",
        "quorum:hierarchy": list(dimension.levels),
    }


def _status(family: str) -> dict[str, Any]:
    return {
        "name": f"status_{family}",
        "type": "string",
        "description": "withheld measures are empty, never 0 (SDMX CL_CONF_STATUS: published F, withheld C)",
        "constraints": {"required": True, "enum": [PUBLISHED, WITHHELD]},
        "quorum:role": "status",
        "quorum:family": family,
        "quorum:code_list": CODE_LIST,
        "quorum:codes": dict(CODES),
    }


def _parquet_bytes(table: pa.Table) -> bytes:
    """Return a table as Parquet in one row group, without a schema of Arrow's or metadata of anyone's."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = pa.BufferOutputStream()
    pq.write_table(table, out, compression="zstd", store_schema=False, row_group_size=max(1, table.num_rows))
    return bytes(out.getvalue())
