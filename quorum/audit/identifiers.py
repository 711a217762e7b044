"""Attack 12: sweep every byte of the packages for identifiers and for planted canaries.

What belongs here: which texts look like identifiers, and the disguises of a canary. What does not: taking files apart
(`quorum.audit.contents`), the patterns (`quorum.patterns`).
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from urllib.parse import quote, quote_plus

from quorum.audit.contents import Content, content_of
from quorum.audit.package import ParsedPackage
from quorum.audit.record import Claim, Findings
from quorum.patterns import find_identifiers, normalise
from quorum.tables.shape import ALL

_SHORTEST = 6
"""Bytes: a shorter disguise of a short canary would be found everywhere."""
_HASH_CHARACTERS = 16
"""Enough of a hash to know it again, also where it was cut short."""


def sweep(packages: Sequence[ParsedPackage], canaries: Sequence[str] = ()) -> Findings:
    """Claim every file in which an identifier or a canary is found.

    Args:
        packages: with all their files.
        canaries: texts known to be in the source data, e.g. e-mail addresses, names, member ids, cookies.

    Returns:
        One claim for each file and pattern, and for each file and disguise of a canary; neither says what was found.
        Targets are the files.

    Guarantee:
        Without a claim, no category, name, description, text of a page, metadata or file name looks like an e-mail
        address, a telephone number, a network address, a card, a postal code or a key; and no canary is in any byte,
        plain, URL-, base64-, HTML- or JSON-encoded, in UTF-8, UTF-16, Shift_JIS or EUC-JP, or as MD5, SHA-1 or SHA-256.
        Counts in measure columns are no texts. A keyed hash is not recognised as that of a canary, only as a key.

    Source: disclosure.md, attack 12; traps.md (NFKC, hyphens).
    """
    disguises = {needle: name for canary in canaries for needle, name in _disguises(canary).items()}
    claims = [claim for package in packages for claim in _sweep_package(package, disguises)]
    return Findings(sum(len(package.files) for package in packages), tuple(claims), 0.0)


def _sweep_package(package: ParsedPackage, disguises: Mapping[bytes, str]) -> Iterator[Claim]:
    contents = {name: content_of(name, data) for name, data in package.files.items()}
    for name, texts in _categories(package).items():
        contents[name] = Content(texts, ("\n".join(texts).encode(),))
    digests = {hashlib.sha256(data).hexdigest() for data in package.files.values()}
    digests = digests.union(*(content.digests for content in contents.values()))
    for name, content in contents.items():
        for pattern in _patterns(content.texts, digests):
            yield Claim(package.release, (name,), pattern, "a text looks like one", True)
        for disguise in _found(content.blobs, disguises):
            yield Claim(package.release, (name,), f"canary {disguise}", "a planted text is there", True)


def _categories(package: ParsedPackage) -> Mapping[str, tuple[str, ...]]:
    """Return the categories of each table, those that look like a count too: in these columns they are names."""
    return {
        f"categories of {name}": tuple(
            {category: None for row in table.coordinates for category in row if category != ALL}
        )
        for name, table in package.tables.items()
    }


def _patterns(texts: Sequence[str], digests: set[str]) -> list[str]:
    """Return the patterns found in texts, in which digests of the package's own files are left out."""
    known = re.compile("|".join(sorted(digests))) if digests else None
    found: dict[str, None] = {}
    for text in texts:
        found |= dict.fromkeys(find_identifiers(known.sub("", text) if known else text))
    return list(found)


def _found(blobs: Sequence[bytes], disguises: Mapping[bytes, str]) -> list[str]:
    """Return the disguises that are in the bytes, whatever the case of their letters."""
    lowered = [blob.lower() for blob in blobs]
    return list(dict.fromkeys(name for needle, name in disguises.items() if any(needle in blob for blob in lowered)))


def _disguises(canary: str) -> Mapping[bytes, str]:
    """Return every way in which a canary may be written, in lower-case bytes, with the name of the disguise."""
    disguises: dict[bytes, str] = {}
    for spelling in dict.fromkeys((canary, canary.lower(), normalise(canary))):
        for name, needle in _written(spelling):
            if len(needle) >= _SHORTEST:
                disguises.setdefault(needle.lower(), name)
    return disguises


def _written(text: str) -> Iterator[tuple[str, bytes]]:
    data = text.encode()
    yield "plain", data
    for encoding in ("utf-16-le", "utf-16-be", "cp932", "euc_jp"):
        with suppress(UnicodeEncodeError):
            yield "plain", text.encode(encoding)
    yield "escaped", json.dumps(text)[1:-1].encode()
    yield "escaped", html.escape(text).encode()
    yield "escaped", text.encode("ascii", "xmlcharrefreplace")
    yield "url", quote(text, safe="").encode()
    yield "url", quote_plus(text).encode()
    for shift in range(3):
        for encode in (b64encode, urlsafe_b64encode):
            yield "base64", _inner_base64(encode(b"\0" * shift + data), shift, len(data))
    for name, digest in (("md5", hashlib.md5), ("sha1", hashlib.sha1), ("sha256", hashlib.sha256)):
        yield name, digest(data, usedforsecurity=False).hexdigest()[:_HASH_CHARACTERS].encode()


def _inner_base64(encoded: bytes, shift: int, length: int) -> bytes:
    """Return the characters that do not depend on what stands before and after in a longer base64 text."""
    return encoded[-(-shift * 8 // 6) : (shift + length) * 8 // 6]
