"""What anybody can check of a package folder without trusting the house: its files against its own description.

What belongs here: checks that the door (`quorum.release.gate`) and the verifier (`quorum.release.verify`) both run, on
top of the outsider's reading (`quorum.audit.package`). What does not: signatures, chains and attacks. No message quotes
a value.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorum.audit.package import ParsedPackage, parse_files, read_files
from quorum.audit.reparse import read_again
from quorum.audit.rules import read_rules
from quorum.audit.truth import Truth
from quorum.errors import ReleaseError
from quorum.release.package import DESCRIPTOR, WORKBOOK

PAGES = ("report.en.html", "report.ja.html")
_TYPES = {"string": "string", "integer": "int64"}


@dataclass(frozen=True)
class Problem:
    """Something that does not hold.

    Args:
        check: ``signature``, ``files``, ``schema``, ``rules`` or ``chain``.
        file: the file's name, or the package's folder name.
        message: what does not hold; no value about a person.
    """

    check: str
    file: str
    message: str


def check_files(folder: Path, digests: Mapping[str, str], besides: Sequence[str] = ()) -> list[Problem]:
    """Compare the files of a folder with their digests.

    Args:
        folder: the package.
        digests: file name to SHA-256, hex.
        besides: files that are there without a digest.

    Returns:
        One problem per file that was changed, is missing or does not belong.

    Guarantee:
        No problem means: exactly these files, with exactly these bytes.

    Source: FIPS 180-4.
    """
    there = {path.name: path for path in folder.iterdir()}
    problems = [Problem("files", name, "is missing") for name in sorted(set(digests) - set(there))]
    for name, path in sorted(there.items()):
        if path.is_symlink() or not path.is_file():
            problems.append(Problem("files", name, "is not a plain file"))
        elif name in digests:
            if digest_of(path) != digests[name]:
                problems.append(Problem("files", name, "was changed: its digest is another"))
        elif name not in besides:
            problems.append(Problem("files", name, "does not belong to the package"))
    return problems


def digest_of(path: Path) -> str | None:
    """Return the SHA-256 of a file, hex, or None if it cannot be read.

    Args:
        path: a plain file of any size; it is never in memory as a whole.

    Guarantee:
        Of all its bytes.

    Source: FIPS 180-4.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def check_schema(folder: Path, *, with_workbook: bool = True) -> tuple[list[Problem], ParsedPackage | None]:
    """Check csv and Parquet against ``datapackage.json`` and each other.

    Args:
        folder: the package.
        with_workbook: whether the workbook is read too, which takes longer than all the rest. The door and the red team
            do; whoever verifies hundreds of packages holds the signature of a house that did.

    Returns:
        The problems, and the package as an outsider reads it, if it can be read.

    Guarantee:
        No problem means: the folder holds exactly what its description announces, the two pages, the workbook and the
        certificate's files; every table has a csv and a Parquet file, and a sheet if that was read, with equal rows and
        columns; each lists the whole product of the announced categories once; a measure is empty exactly where its
        status is withheld.

    Source: architecture.md, A report package; Frictionless Table Schema v1.
    """
    try:
        files = read_files(folder)
        package = parse_files({name: files[name] for name in files if with_workbook or name != WORKBOOK})
        descriptor = json.loads(package.files[DESCRIPTOR])
        announced = [_described(entry, package) for entry in descriptor["resources"]]
    except ReleaseError as error:
        return [Problem("schema", DESCRIPTOR, f"cannot be read: {error.asked}")], None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # the text of an error may quote a value
        return [Problem("schema", DESCRIPTOR, "is not the description of a package")], None
    problems = [problem for found in announced for problem in found]
    tables = [name for entry in descriptor["resources"] for name in (entry["path"], entry["quorum:parquet"])]
    names = {DESCRIPTOR, WORKBOOK, *PAGES, *tables}
    there = {name for name in files if not name.startswith("certificate.")}
    problems += [Problem("schema", name, "is not announced, or not there") for name in sorted(names ^ there)]
    return problems, package


def check_rules(package: ParsedPackage, numbers: Mapping[str, Any]) -> list[Problem]:
    """Hold published cells against the rules, as far as the files alone can show it.

    Args:
        package: from `check_schema`.
        numbers: the rule set as the certificate states it.

    Returns:
        One problem per table and rule that a published cell of it breaks; no cell is named.

    Guarantee:
        No problem means: no published head count, and no published count of events, is below its family's number, but
        for zeros below a published zero; a family is published only where the one it requires is; parts add up to
        their margin; tables of a universe agree on every cell that both list.

    Source: disclosure.md, rules 1, 2 and 6.
    """
    try:
        claims = read_again([package], read_rules(numbers), Truth({})).claims
    except ReleaseError as error:
        return [Problem("rules", DESCRIPTOR, f"cannot be judged: {error.asked}")]
    broken = dict.fromkeys((claim.where[0], claim.what) for claim in claims)
    return [Problem("rules", f"{table}.csv", f"publishes a cell against the rule: {rule}") for table, rule in broken]


def _described(entry: Mapping[str, Any], package: ParsedPackage) -> list[Problem]:
    """Compare a resource's announcement with its files: digest, categories, types, and no metadata of anyone's."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path, copy, fields = entry["path"], entry["quorum:parquet"], entry["schema"]["fields"]
    problems = []
    if entry["hash"] != f"sha256:{hashlib.sha256(package.files[path]).hexdigest()}":
        problems.append(Problem("schema", path, "has another digest than announced"))
    table = package.tables[entry["name"]]
    for position, column in enumerate(table.shape.columns):
        listed = next(field["constraints"]["enum"] for field in fields if field["name"] == column)
        if {coordinate[position] for coordinate in table.coordinates} != set(listed):
            problems.append(Problem("schema", path, f"lists other categories of {column} than announced"))
    parquet = pq.ParquetFile(pa.BufferReader(package.files[copy]))
    types = {field["name"]: _TYPES[field["type"]] for field in fields}
    if {column.name: str(column.type) for column in parquet.schema_arrow} != types or parquet.metadata.metadata:
        problems.append(Problem("schema", copy, "has other types than announced, or metadata"))
    return problems
