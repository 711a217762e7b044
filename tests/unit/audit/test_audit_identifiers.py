"""Identifiers and canaries are found in every kind of file and disguise, and counts are not taken for them."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from package_writer import Draft, one_table, parquet_bytes

from quorum.audit.contents import content_of
from quorum.audit.identifiers import sweep
from quorum.audit.package import ParsedPackage, parse_files

CANARY = "hanako.canary@example.jp"
NAME = "山田 花子"
CELL = {"impression_n": 90, "click_n": 30}


def _draft() -> Draft:
    return one_table({"20s": CELL, "30s": CELL})


def _found(files: dict[str, bytes], *canaries: str) -> set[tuple[str, str]]:
    parsed = parse_files({**_draft().files(parquet=True), **files})
    findings = sweep([parsed], canaries)
    assert findings.targets == len(parsed.files)
    return {(claim.where[0], claim.what) for claim in findings.claims}


def _disguised(data: bytes, canary: str = CANARY) -> set[str]:
    return {what for file, what in _found({"certificate.sig": data}, canary) if file == "certificate.sig"}


def test_a_clean_package_makes_no_claim() -> None:
    assert _found({}, CANARY, NAME, "203.0.113.7", "M-0001") == set()


@pytest.mark.parametrize("canary", [CANARY, NAME, "member-000123", "203.0.113.7", "09012345678"])
def test_a_canary_is_found_in_every_disguise(canary: str) -> None:
    data = canary.encode()
    disguises = {
        "plain": [data, canary.upper().encode(), canary.encode("utf-16-le"), canary.encode("cp932")],
        "url": [quote(canary, safe="").encode(), quote(canary, safe="").lower().encode()],
        "base64": [b64encode(b"x" * n + data + b"y" * m) for n in range(3) for m in range(3)]
        + [urlsafe_b64encode(data)],
        "md5": [hashlib.md5(data, usedforsecurity=False).hexdigest().encode()],
        "sha1": [hashlib.sha1(data, usedforsecurity=False).hexdigest().upper().encode()],
        "sha256": [hashlib.sha256(data).hexdigest().encode(), hashlib.sha256(data).hexdigest()[:32].encode()],
    }
    for name, spellings in disguises.items():
        for spelling in spellings:
            expected = "plain" if spelling == data else name
            assert f"canary {expected}" in _disguised(b"\xff<" + spelling + b">", canary), (name, spelling)


def test_a_hash_of_the_lower_case_spelling_is_found() -> None:
    digest = hashlib.sha256(CANARY.encode()).hexdigest().encode()
    assert "canary sha256" in _disguised(digest, CANARY.upper())


def test_text_escapes_are_seen_through() -> None:
    assert "canary escaped" in _disguised(json.dumps(NAME).encode(), NAME)
    assert "canary escaped" in _disguised("".join(f"&#{ord(c)};" if ord(c) > 127 else c for c in NAME).encode(), NAME)
    assert "canary plain" in _disguised("ＨＡＮＡＫＯ".encode(), "ＨＡＮＡＫＯ")


def test_a_canary_that_cannot_be_encoded_is_still_sought() -> None:
    assert "canary plain" in _disguised("𠮷野 😀 家".encode(), "𠮷野 😀 家")


def test_short_canaries_do_not_match_everything() -> None:
    assert _found({}, "M1", "7") == set()


def test_identifiers_in_categories_are_found_though_they_look_like_counts() -> None:
    for category, pattern in (("09012345678", "telephone"), ("4111111111111111", "card"), (CANARY, "email")):
        parsed = parse_files(one_table({"20s": CELL, category: CELL}).files())
        found = {(claim.where[0], claim.what) for claim in sweep([parsed]).claims}
        assert ("categories of audience", pattern) in found


def test_counts_that_look_like_identifiers_are_counts() -> None:
    draft = one_table({"20s": {"impression_n": 4111111111111111, "click_n": 9012345678}, "30s": CELL})
    assert sweep([parse_files(draft.files(parquet=True))]).claims == ()


def test_names_and_texts_of_pages_and_descriptors_are_read() -> None:
    page = f'<html><style>a{{b:"{CANARY}"}}</style><p title="tel 03-1234-5678">100-0001</p><!-- 203.0.113.7 --></html>'
    found = _found({"report.ja.html": page.encode(), "hanako@example.jp.txt": b""})
    assert {what for file, what in found if file == "report.ja.html"} == {"telephone", "postal_code", "ipv4"}
    assert ("hanako@example.jp.txt", "email") in found
    descriptor = json.loads(_draft().files()["datapackage.json"])
    descriptor["description"] = f"asked by {CANARY}"
    assert _found({"datapackage.json": json.dumps(descriptor).encode()}) == {("datapackage.json", "email")}


def test_drawings_are_not_texts() -> None:
    page = (
        '<svg><path d="M0312 3456 7890 100-0001"/><image src="data:image/png;base64,iVBORw0KGgoAAAANSUhEUg1a2b"/></svg>'
    )
    assert _found({"report.en.html": page.encode()}) == set()


def test_digests_of_the_packages_own_files_are_no_keys() -> None:
    files = _draft().files(parquet=True)
    digest = hashlib.sha256(files["audience.csv"]).hexdigest()
    previous = hashlib.sha256(b"previous").hexdigest()
    certificate = json.dumps({"files": {"audience.csv": digest}, "previous": previous, "rule_set_digest": previous})
    clean = {"certificate.json": certificate.encode(), "report.en.html": f"<p>{digest} {previous}</p>".encode()}
    assert _found(clean) == set()
    assert _found({"certificate.json": json.dumps({"note": previous}).encode()}) == {("certificate.json", "key")}
    assert _found({"report.en.html": f"<p>{previous}</p>".encode()}) == {("report.en.html", "key")}


def _parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def test_parquet_metadata_statistics_and_values_are_read() -> None:
    draft = _draft()
    shape = draft.shape.tables[0]
    header, *rows = [line.split(",") for line in draft.files()["audience.csv"].decode().splitlines()]
    noted = parquet_bytes(shape, header, rows, {"author": CANARY})
    assert ("audience.parquet", "email") in _found({"audience.parquet": noted})
    values = pa.table({"a": pa.array([CANARY, None]), "n": [1, 2], "t": pa.array([True, False])})
    found = _found({"extra.parquet": _parquet(values)}, CANARY)
    assert {("extra.parquet", "email"), ("extra.parquet", "canary plain")} <= found
    field = pa.field("a", pa.string(), metadata={"comment": CANARY})
    described = pa.table({"a": ["x"]}, schema=pa.schema([field]))
    assert ("extra.parquet", "canary plain") in _found({"extra.parquet": _parquet(described)}, CANARY)


def test_parquet_without_statistics_or_whole_is_read_as_far_as_it_goes() -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"a": [CANARY]}), out, write_statistics=False, store_schema=False)
    assert ("extra.parquet", "email") in _found({"extra.parquet": out.getvalue()})
    assert _found({"extra.parquet": b"PAR1" + CANARY.encode()}, CANARY) == {("extra.parquet", "canary plain")}


def _zip(members: dict[str, bytes], comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_members_of_a_workbook_are_read() -> None:
    sheet = b"<worksheet><c><v>4111111111111111</v></c><c><t>tablet</t></c></worksheet>"
    assert _found({"book.xlsx": _zip({"xl/worksheets/sheet1.xml": sheet})}) == set()
    core = f"<cp:coreProperties><dc:creator>{CANARY}</dc:creator></cp:coreProperties>".encode()
    found = _found({"book.xlsx": _zip({"docProps/core.xml": core})}, CANARY)
    assert found == {("book.xlsx", "email"), ("book.xlsx", "canary plain")}
    assert ("book.xlsx", "email") in _found({"book.xlsx": _zip({}, CANARY.encode())})
    assert ("book.xlsx", "email") in _found({"book.xlsx": _zip({f"{CANARY}.xml": b""})})
    nested = _zip({"inner.zip": _zip({"a.txt": CANARY.encode()})})
    assert ("book.xlsx", "canary plain") in _found({"book.xlsx": nested}, CANARY)


def test_a_broken_archive_is_swept_as_it_is() -> None:
    assert _found({"book.xlsx": b"PK\x03\x04" + CANARY.encode()}, CANARY) == {("book.xlsx", "canary plain")}


def test_other_csv_and_json_are_read() -> None:
    assert _found({"extra.csv": b"a,b\n1234567,09012345678\n"}) == {("extra.csv", "telephone")}
    assert _found({"extra.csv": b'"a' + CANARY.encode() + b'"b"\n'}) == {("extra.csv", "email")}
    assert _found({"extra.csv": b"a" * 140_000 + b" " + CANARY.encode()}) == {("extra.csv", "email")}
    assert _found({"extra.json": b"{ " + CANARY.encode()}) == {("extra.json", "email")}
    assert _found({"extra.json": json.dumps([{CANARY: 1}, None, 3.5]).encode()}) == {("extra.json", "email")}


def test_packages_built_in_memory_are_swept_too() -> None:
    parsed = parse_files(one_table({"20s": CELL, CANARY: CELL}).files())
    bare = ParsedPackage(parsed.shape, parsed.tables, {})
    assert {claim.what for claim in sweep([bare], [CANARY]).claims} >= {"email", "canary plain"}


def test_texts_are_listed_once() -> None:
    content = content_of("a.html", b"<p>one</p><p>one</p><p> two </p>")
    assert content.texts == ("a.html", "one", "two")
