"""What is in a file: the texts that a person or a program reads in it, and its bytes, unpacked.

What belongs here: taking csv, JSON, HTML, XML, Parquet and zip files apart. What does not: judging what is found
(`quorum.audit.identifiers`).
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

import pyarrow as pa
import pyarrow.parquet as pq

_COUNT = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]+)?")
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_DIGEST_KEYS = ("hash", "digest", "previous", "files")
_READ_ATTRIBUTES = frozenset(("alt", "aria-label", "content", "href", "id", "label", "name", "src", "title", "value"))
_ARROW_SCHEMA = b"ARROW:schema"
_ZIP = b"PK\x03\x04"
_PARQUET = b"PAR1"


@dataclass(frozen=True)
class Content:
    """The content of a file.

    Args:
        texts: each distinct text once: categories, names, descriptions, text of pages, metadata; no counts.
        blobs: the bytes as stored, and again as they are when unpacked or decoded.
        digests: texts that the format says are digests of files or policies.
    """

    texts: tuple[str, ...]
    blobs: tuple[bytes, ...]
    digests: frozenset[str] = frozenset()


def content_of(name: str, data: bytes) -> Content:
    """Take a file apart by what it is; its ending decides only between kinds of text.

    Args:
        name: the file's name, which is a text too.
        data: its bytes.

    Returns:
        Its content. A file that is broken or of an unknown kind has its bytes, and its text if it is UTF-8.

    Guarantee:
        Every byte is in a blob; members of zip files (two deep), values, statistics and metadata of Parquet files are
        there unpacked.

    Source: disclosure.md, attack 12.
    """
    texts, blobs, digests = _take_apart(name, data, depth=0)
    return Content(tuple(dict.fromkeys((name, *texts))), (name.encode(), data, *blobs), digests)


def _take_apart(name: str, data: bytes, depth: int) -> tuple[list[str], list[bytes], frozenset[str]]:
    none: frozenset[str] = frozenset()
    if data.startswith(_ZIP) and depth < 2:
        return (*_zip(data, depth), none)
    if data.startswith(_PARQUET):
        return (*_parquet(data), none)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [], [], none
    if name.endswith(".json"):
        return _json(text)
    if name.endswith(".csv"):
        return _csv(text), [], none
    return _markup(text), [], none


def _zip(data: bytes, depth: int) -> tuple[list[str], list[bytes]]:
    texts: list[str] = []
    blobs: list[bytes] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            texts.append(archive.comment.decode("utf-8", "replace"))
            for member in archive.infolist():
                unpacked = archive.read(member)
                inner_texts, inner_blobs, _ = _take_apart(member.filename, unpacked, depth + 1)
                texts += [member.filename, member.comment.decode("utf-8", "replace"), *inner_texts]
                blobs += [unpacked, *inner_blobs]
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError):
        return texts, blobs  # its bytes are swept as they are
    return texts, blobs


def _parquet(data: bytes) -> tuple[list[str], list[bytes]]:
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        texts, blobs = _footer(file)
        columns = [column for column in file.read().columns if not _is_number(column.type)]
    except (pa.ArrowException, OSError):
        return [], []
    values = [str(value) for column in columns for value in column.unique().to_pylist() if value is not None]
    return texts + values, [*blobs, "\n".join(values).encode()]


def _footer(file: pq.ParquetFile) -> tuple[list[str], list[bytes]]:
    """Return names, metadata and text statistics of a Parquet file."""
    footer = file.metadata
    texts, blobs = [*file.schema_arrow.names, footer.created_by or ""], []
    metadata = dict(footer.metadata or {})
    for field in file.schema_arrow:
        metadata |= field.metadata or {}
    for key, value in metadata.items():
        blobs += [key, value]
        texts.append(key.decode("utf-8", "replace"))
        if key == _ARROW_SCHEMA:
            blobs.append(b64decode(value))
        else:
            texts.append(value.decode("utf-8", "replace"))
    for group in range(footer.num_row_groups):
        chunks = [footer.row_group(group).column(column) for column in range(footer.num_columns)]
        statistics = [chunk.statistics for chunk in chunks if chunk.is_stats_set and chunk.statistics.has_min_max]
        ends = [end for known in statistics for end in (known.min, known.max)]
        texts += [end if isinstance(end, str) else "" for end in ends]
        blobs += [str(end).encode() for end in ends]
    return texts, blobs


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _json(text: str) -> tuple[list[str], list[bytes], frozenset[str]]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        return [text], [], frozenset()
    texts: list[str] = []
    digests: set[str] = set()
    for path, value in _strings(document, ()):
        digest = _DIGEST.fullmatch(value)
        if digest and any(key in _DIGEST_KEYS or key.endswith("_digest") for key in path):
            digests.add(digest[1])
        texts.append(value)
    return texts, ["\n".join(texts).encode()], frozenset(digests)


def _strings(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every text of a JSON document with the keys that lead to it, and every key."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, path)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield (), key
            yield from _strings(item, (*path, key))


def _csv(text: str) -> list[str]:
    try:
        fields = {field for row in csv.reader(io.StringIO(text, newline="")) for field in row}
    except csv.Error:
        return [text]
    return sorted(field for field in fields if not _COUNT.fullmatch(field))


class _Markup(HTMLParser):
    """Collects what is read in a page: text, comments, and attributes that carry text; no drawing, no style."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self._tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        for name, value in attrs:
            if value and (name in _READ_ATTRIBUTES or name.startswith("data-")) and not value.startswith("data:"):
                self.texts.append(value)

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""

    def handle_data(self, data: str) -> None:
        text = data.strip()
        is_number_of_sheet = self._tag == "v" and _COUNT.fullmatch(text)
        if text and self._tag != "style" and not is_number_of_sheet:
            self.texts.append(text)

    def handle_comment(self, data: str) -> None:
        self.texts.append(data)


def _markup(text: str) -> list[str]:
    """Return the texts of a page; a text without any tag is one text."""
    parser = _Markup()
    parser.feed(text)
    parser.close()
    return list(dict.fromkeys(parser.texts))
