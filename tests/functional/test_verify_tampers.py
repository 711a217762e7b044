"""Ten thousand flipped bytes and hundreds of other tampers: each is named, none stops the verifier or harms another."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from verify_chain import KEYS, chain, release, small_night

from quorum.keys import KeyRing
from quorum.policy import Policy
from quorum.release.certificate import digest_files, export_public_key, load_public_key, sign
from quorum.release.verify import verify_packages
from quorum.zones import Home

CERTIFICATE, SIGNATURE = "certificate.json", "certificate.sig"
SIGNING = Ed25519PrivateKey.from_private_bytes(KEYS.derive("signing"))
STRANGER = KeyRing(bytes(range(1, 33)))
ORDER = 2**252 + 27742317777372353535851937790883648493
TABLES = ("section_age_gender", "section_area", "section_device", "section_hour")
FILES = (
    *(f"{table}.{kind}" for table in TABLES for kind in ("csv", "parquet")),
    "datapackage.json",
    "report.en.html",
    "report.ja.html",
    "report.xlsx",
    CERTIFICATE,
    SIGNATURE,
)


@dataclass(frozen=True)
class Portal:
    """Chains that a tamper may take pieces from; the folders are its own to spoil."""

    root: Path

    @property
    def days(self) -> list[Path]:
        return sorted((self.root / "info-a" / "sections").iterdir())

    @property
    def package(self) -> Path:
        return self.root / "info-a" / "sections" / "2026-11-22"

    @property
    def other(self) -> Path:
        return self.root / "info-b" / "sections" / "2026-11-22"


Tamper = Callable[[Portal], None]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Ed25519PublicKey:
    return load_public_key(export_public_key(Home(tmp_path_factory.mktemp("home")), KEYS))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, policy: Policy) -> Path:
    root, (shape, tables) = tmp_path_factory.mktemp("out"), small_night(policy)
    chain(root, (shape, tables), policy)
    chain(root, (replace(shape, recipient_id="info-b"), tables), policy)
    return root


@pytest.fixture
def portal(made: Path, tmp_path: Path) -> Portal:
    root = tmp_path / "out"
    shutil.copytree(made, root, ignore=shutil.ignore_patterns(".staging"))
    return Portal(root)


def _named(folder: Path, key: Ed25519PublicKey) -> set[str]:
    (verdict,) = verify_packages([folder], key)
    return {problem.file for problem in verdict.problems}


@pytest.mark.slow
def test_ten_thousand_flipped_bytes_are_named(portal: Portal, key: Ed25519PublicKey) -> None:
    rng, package = np.random.default_rng(20261121), portal.package
    whole = {name: (package / name).read_bytes() for name in FILES}
    sizes = np.array([len(whole[name]) for name in FILES])
    by_file, by_byte = rng.integers(0, len(FILES), 5_000), rng.choice(len(FILES), 5_000, p=sizes / sizes.sum())
    for at in (*by_file.tolist(), *by_byte.tolist()):
        name, changed = FILES[at], bytearray(whole[FILES[at]])
        position = int(rng.integers(len(changed)))
        changed[position] ^= 1 << int(rng.integers(8))
        (package / name).write_bytes(changed)
        assert name in _named(package, key), (name, position)
        (package / name).write_bytes(whole[name])
    assert not _named(package, key)


def _on(name: str, change: Callable[[Path], object]) -> Tamper:
    return lambda portal: change(portal.package / name)


def _swap(one: Path, two: Path) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    two.rename(one)
    aside.rename(two)


def _to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _to_link(path: Path) -> None:
    kept = path.parents[3] / "kept"
    path.rename(kept)
    path.symlink_to(kept)


def _to_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def _to_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "removed": Path.unlink,
    "renamed": lambda path: path.rename(path.with_name(f"{path.name}.bak")),
    "in capitals": lambda path: path.rename(path.with_name(path.name.upper())),
    "emptied": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "with a byte more": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "with a mark before it": lambda path: path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes()),
    "twice in one": lambda path: path.write_bytes(path.read_bytes() * 2),
    "a folder": _to_folder,
    "a link to itself moved": _to_link,
    "a link in a circle": _to_loop,
    "a pipe": _to_fifo,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_what_it_was_is_named(
    portal: Portal, key: Ed25519PublicKey, name: str, change: Callable[[Path], object]
) -> None:
    change(portal.package / name)
    verdicts = {verdict.folder: verdict for verdict in verify_packages(portal.days, key)}
    assert name in {problem.file for problem in verdicts[portal.package].problems}
    assert verdicts[portal.days[0]].is_valid


@pytest.mark.parametrize(
    ("name", "size"), [("section_hour.csv", 1 << 28), (CERTIFICATE, 8 << 30), (SIGNATURE, 8 << 30)]
)
def test_a_huge_file_is_named_and_never_held_in_memory(
    portal: Portal, key: Ed25519PublicKey, name: str, size: int
) -> None:
    os.truncate(portal.package / name, size)
    tracemalloc.start()
    try:
        assert name in _named(portal.package, key)
        assert tracemalloc.get_traced_memory()[1] < 1 << 25
    finally:
        tracemalloc.stop()


ADDED: dict[str, Tamper] = {
    "a note": _on("note.txt", Path.touch),
    "a hidden file": _on(".hidden", Path.touch),
    "a name in Japanese": _on("報告.csv", Path.touch),
    "a decomposed twin": _on("re\u0301port.csv", Path.touch),
    "a look-alike": _on("sеction_hour.csv", Path.touch),
    "a name with a line break": _on("x\nvalid    chain intact  y", Path.touch),
    "a name that moves the cursor": _on("\x1b[2K\x1b[1Avalid", Path.touch),
    "a name that reads backwards": _on("\u202exslx.troper", Path.touch),
    "a name in no encoding": lambda portal: (portal.package / os.fsdecode(b"\xff\xfe.csv")).touch(),
    "a name with a space after it": _on("report.xlsx ", Path.touch),
    "a name of a file in the way of a folder": _on("section_hour.csv.d", Path.mkdir),
    "a folder": _on("more", Path.mkdir),
    "folders in folders": _on("a/b/c/d/e", lambda path: path.mkdir(parents=True)),
    "another package within": lambda p: shutil.copytree(p.other, p.package / "2026-11-23"),
    "a dangling link": _on("gone", lambda path: path.symlink_to("/nowhere")),
    "a link to the root": _on("root", lambda path: path.symlink_to("/")),
    "a link to itself": _on("self", lambda path: path.symlink_to(path)),
    "a pipe": _on("pipe", os.mkfifo),
    "a socket": lambda portal: _socket(portal.package / "s"),
    "a second name for a file": _on("copy.csv", lambda path: path.hardlink_to(path.with_name("section_hour.csv"))),
    "a copy of the certificate": _on("certificate.json.bak", Path.touch),
    "a certificate in capitals": _on("Certificate.json", Path.touch),
    "a table in capitals": _on("SECTION_HOUR.CSV", Path.touch),
    "a recall within": _on("recall.md", Path.touch),
    "a list of digests": _on("SHA256SUMS", Path.touch),
    "a key": _on("signing.pub", Path.touch),
    "what a Mac leaves": _on(".DS_Store", Path.touch),
    "what Windows leaves": _on("Thumbs.db", Path.touch),
    "a lock of an office program": _on("~$report.xlsx", Path.touch),
    "a backup of an editor": _on("datapackage.json~", Path.touch),
    "a thousand files": lambda p: [(p.package / f"{n}.csv").touch() for n in range(1_000)] and None,
}


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    os.chdir(here)


@pytest.mark.parametrize("tamper", ADDED.values(), ids=ADDED.keys())
def test_whatever_was_added_is_named(portal: Portal, key: Ed25519PublicKey, tamper: Tamper) -> None:
    before = {path.name for path in portal.package.iterdir()}
    tamper(portal)
    added = {path.name for path in portal.package.iterdir()} - before
    (verdict,) = verify_packages([portal.package], key)
    assert added == {problem.file for problem in verdict.problems}
    assert {problem.check for problem in verdict.problems} == {"files"}


def _text(change: Callable[[bytes], bytes]) -> Tamper:
    """Change the bytes of a certificate and leave its signature."""

    def tamper(portal: Portal) -> None:
        path = portal.package / CERTIFICATE
        path.write_bytes(change(path.read_bytes()))

    return tamper


def _body(change: Callable[[dict[str, Any]], object], keys: KeyRing = STRANGER) -> Tamper:
    """Change what a certificate says and sign it again, with another key."""

    def tamper(portal: Portal) -> None:
        body = json.loads((portal.package / CERTIFICATE).read_bytes())
        change(body)
        sign(portal.package, body, keys)

    return tamper


def _signature(change: Callable[[bytes], bytes]) -> Tamper:
    def tamper(portal: Portal) -> None:
        path = portal.package / SIGNATURE
        path.write_bytes(change(path.read_bytes()))

    return tamper


def _from(name: str, source: Callable[[Portal], Path]) -> Tamper:
    return lambda portal: shutil.copyfile(source(portal) / name, portal.package / name) and None


def _malleable(signature: bytes) -> bytes:
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    return signature[:32] + scalar.to_bytes(32, "little")


FORGED: dict[str, Tamper] = {
    "spaces": _text(lambda text: text.replace(b",", b", ")),
    "a line break at the end": _text(lambda text: text + b"\n"),
    "a comment at the end": _text(lambda text: text + b"//"),
    "a second document": _text(lambda text: text + b"{}"),
    "a key twice": _text(lambda text: b'{"period":"2026-11-22",' + text[1:]),
    "a key twice, another value": _text(lambda text: text[:-1] + b',"recipient":"info-b"}'),
    "another period": _text(lambda text: text.replace(b"2026-11-22", b"2026-11-23")),
    "another recipient": _text(lambda text: text.replace(b"info-a", b"info-b")),
    "a smaller number": _text(lambda text: text.replace(b'"views":50', b'"views":5')),
    "an escape": _text(lambda text: text.replace(b'"info-a"', b'"info\\u002da"')),
    "other encoding": _text(lambda text: text.decode().encode("utf-16")),
    "lines of Windows": _text(lambda text: text.replace(b",", b",\r\n")),
    "no previous": _text(lambda text: text.replace(b'"previous":"', b'"previous":null,"x":"')),
    "a null byte": _text(lambda text: text + b"\0"),
    "nothing but braces": _text(lambda _: b"{}"),
    "a list": _text(lambda text: b"[" + text + b"]"),
    "a text": _text(lambda text: json.dumps(text.decode()).encode()),
    "deep": _text(lambda _: b"[" * 200_000),
    "deep and whole": _text(lambda _: b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "a huge number": _text(lambda _: b'{"period":' + b"9" * 10_000 + b"}"),
    "not a number": _text(lambda text: text.replace(b'"outside":10', b'"outside":NaN')),
    "no UTF-8": _text(lambda text: text.replace(b"info-a", b"info\xff")),
    "signed by a stranger": _body(lambda _: None),
    "edited and signed by a stranger": _body(lambda body: body.update(recipient="info-b")),
    "no files, signed by a stranger": _body(lambda body: body.update(files={})),
    "its digests mended by a stranger": _body(lambda body: body["files"].update({"report.xlsx": "0" * 64})),
    "recalled by a stranger": _body(lambda body: body.update(recalls=[{"certificate": "0" * 64}])),
    "a recall by a stranger": _body(lambda body: body.update(kind="recall", recalled={"reason": "numbers"})),
    "no signature": _signature(lambda _: b""),
    "a signature of 63 bytes": _signature(lambda signature: signature[:-1]),
    "a signature of 65 bytes": _signature(lambda signature: signature + b"\0"),
    "zeros for a signature": _signature(lambda _: bytes(64)),
    "a signature in hex": _signature(lambda signature: signature.hex().encode()),
    "a signature backwards": _signature(lambda signature: signature[::-1]),
    "its halves in exchange": _signature(lambda signature: signature[32:] + signature[:32]),
    "a second form of the signature": _signature(_malleable),
    "a signature of the digest": _text(lambda text: text),
    "the signature of the day before": _from(SIGNATURE, lambda portal: portal.days[0]),
    "the signature of another recipient": _from(SIGNATURE, lambda portal: portal.other),
    "the certificate of the day before": _from(CERTIFICATE, lambda portal: portal.days[0]),
    "the certificate of another recipient": _from(CERTIFICATE, lambda portal: portal.other),
    "certificate and signature in exchange": lambda p: _swap(p.package / CERTIFICATE, p.package / SIGNATURE),
}


def _signed_digest(portal: Portal) -> None:
    text = (portal.package / CERTIFICATE).read_bytes()
    (portal.package / SIGNATURE).write_bytes(SIGNING.sign(hashlib.sha256(text).digest()))


FORGED["a signature of the digest"] = _signed_digest


@pytest.mark.parametrize("tamper", FORGED.values(), ids=FORGED.keys())
def test_what_the_house_did_not_sign_is_named(portal: Portal, key: Ed25519PublicKey, tamper: Tamper) -> None:
    tamper(portal)
    (verdict,) = verify_packages([portal.package], key)
    assert {CERTIFICATE, SIGNATURE} <= {problem.file for problem in verdict.problems if problem.check == "signature"}
    verdicts = verify_packages([portal.days[0], portal.package, portal.other], key)
    assert [verdict.is_valid for verdict in verdicts] == [True, False, True], "and nobody else is blamed"


@pytest.mark.parametrize("name", [CERTIFICATE, SIGNATURE])
def test_of_a_package_without_certificate_nothing_more_is_claimed(
    portal: Portal, key: Ed25519PublicKey, name: str
) -> None:
    (portal.package / name).unlink()
    verdict = verify_packages([portal.days[0], portal.package, portal.other], key)[1]
    assert [(problem.check, problem.file) for problem in verdict.problems] == [("signature", name)]


def _take(names: tuple[str, ...], source: Callable[[Portal], Path]) -> Tamper:
    def tamper(portal: Portal) -> None:
        for name in names:
            shutil.copyfile(source(portal) / name, portal.package / name)

    return tamper


def _replace(source: Callable[[Portal], Path]) -> Tamper:
    def tamper(portal: Portal) -> None:
        given = source(portal)
        shutil.rmtree(portal.package)
        shutil.copytree(given, portal.package)

    return tamper


def _linked(change: Callable[[dict[str, Any]], object]) -> Tamper:
    """Sign with the house's own key what breaks its chain: the mistake, or the lie, of the house itself."""
    return _body(change, KEYS)


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / CERTIFICATE).read_bytes()).hexdigest()


MOVED: dict[str, tuple[Tamper, str]] = {
    "certificate and signature of the day before": (_take((CERTIFICATE, SIGNATURE), lambda p: p.days[0]), "files"),
    "certificate and signature of another": (_take((CERTIFICATE, SIGNATURE), lambda p: p.other), "files"),
    "the description of the day before": (_take(("datapackage.json",), lambda p: p.days[0]), "files"),
    "an older package in its place": (_replace(lambda p: p.days[0]), "chain"),
    "a newer package in its place": (_replace(lambda p: p.days[2]), "chain"),
    "another recipient's package in its place": (_replace(lambda p: p.other), "chain"),
    "two packages in exchange": (lambda p: _swap(p.package, p.days[2]), "chain"),
    "two recipients in exchange": (lambda p: _swap(p.package, p.other), "chain"),
    "two recipients' folders in exchange": (lambda p: _swap(p.root / "info-a", p.root / "info-b"), "chain"),
    "no first link": (_linked(lambda body: body.update(previous=None)), "chain"),
    "a link to nothing": (_linked(lambda body: body.update(previous="0" * 64)), "chain"),
    "a link to no digest": (_linked(lambda body: body.update(previous="x")), "chain"),
    "another's link": (
        lambda p: _linked(lambda body: body.update(previous=_digest(p.root / "info-b/sections/2026-11-21")))(p),
        "chain",
    ),
    "a link to what follows": (
        lambda p: _linked(lambda body: body.update(previous=_digest(p.days[2])))(p),
        "chain",
    ),
    "a second release of the period": (
        lambda p: _linked_copy(p, p.days[3].with_name("2026-11-22.r2"), period="2026-11-22.r2"),
        "chain",
    ),
}


def test_a_place_is_known_however_it_is_named(
    portal: Portal, key: Ed25519PublicKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    _replace(lambda p: p.days[0])(portal)
    monkeypatch.chdir(portal.package)
    (portal.root / "2026-11-21").symlink_to(portal.package)
    (portal.root / "2026-11-24").symlink_to(portal.days[0])
    (portal.root / "latest").symlink_to(portal.days[0])
    places = (portal.package, portal.root / "2026-11-21", portal.root / "2026-11-24")
    for folder in (Path(), Path("../2026-11-22"), Path("../2026-11-23/../2026-11-22"), *places):
        (verdict,) = verify_packages([folder], key)
        assert [problem.check for problem in verdict.problems] == ["chain"], folder
        assert verdict.problems[0].file
    assert not _named(portal.root / "latest", key)
    assert not _named(Path("../2026-11-21"), key)


def _linked_copy(portal: Portal, folder: Path, **change: str) -> None:
    shutil.copytree(portal.package, folder)
    body = json.loads((folder / CERTIFICATE).read_bytes())
    sign(folder, {**body, **change}, KEYS)


@pytest.mark.parametrize(("tamper", "check"), MOVED.values(), ids=MOVED.keys())
def test_what_stands_in_another_place_is_named(
    portal: Portal, key: Ed25519PublicKey, tamper: Tamper, check: str
) -> None:
    tamper(portal)
    given = [*portal.days, *sorted((portal.root / "info-b" / "sections").iterdir())]
    found = [problem for verdict in verify_packages(given, key) for problem in verdict.problems]
    assert check in {problem.check for problem in found}


WRONG: dict[str, Callable[[dict[str, Any]], object]] = {
    "files as a list": lambda body: body.update(files=[]),
    "files as a text": lambda body: body.update(files="x"),
    "digests as numbers": lambda body: body.update(files=dict.fromkeys(body["files"], 1)),
    "a digest in capitals": lambda body: body["files"].update({k: v.upper() for k, v in body["files"].items()}),
    "a file above": lambda body: body["files"].update({"../2026-11-21/report.xlsx": "0" * 64}),
    "a file at the root": lambda body: body["files"].update({"/etc/hostname": "0" * 64}),
    "a file without a name": lambda body: body["files"].update({"": "0" * 64}),
    "the certificate among its files": lambda body: body["files"].update({CERTIFICATE: "0" * 64}),
    "no rule set": lambda body: body.pop("rule_set"),
    "a rule set of nothing": lambda body: body.update(rule_set={}),
    "heads of nothing": lambda body: body["rule_set"].update(heads={}),
    "heads as a text": lambda body: body["rule_set"].update(heads="x"),
    "heads as a list": lambda body: body["rule_set"].update(heads=[1]),
    "a threshold as a text": lambda body: body["rule_set"]["heads"].update(views="50"),
    "a threshold of none": lambda body: body["rule_set"]["heads"].update(views=None),
    "a threshold below nothing": lambda body: body["rule_set"]["heads"].update(views=-1),
    "families of nothing": lambda body: body["rule_set"].update(families=None),
    "a recipient as a number": lambda body: body.update(recipient=7),
    "a recipient as a list": lambda body: body.update(recipient=["info-a"]),
    "a report of none": lambda body: body.update(report=None),
    "a period as a list": lambda body: body.update(period=[]),
    "a previous as a number": lambda body: body.update(previous=1),
    "recalls as a text": lambda body: body.update(recalls="x"),
    "recalls of texts": lambda body: body.update(recalls=["x"]),
    "recalls of nothing": lambda body: body.update(recalls=[{}]),
    "a recall for a reason of its own": lambda body: body.update(
        recalls=[{"certificate": "0" * 64, "date": "x", "reason": "because", "period": "x"}]
    ),
    "a kind of its own": lambda body: body.update(kind="recall"),
    "a recall of nothing": lambda body: body.update(kind="recall", recalled={}),
    "a recall with a package": lambda body: body.update(
        kind="recall", recalled={"certificate": "0" * 64, "date": "2026-11-22", "reason": "numbers", "period": "x"}
    ),
    "a recall for a list of reasons": lambda body: body.update(kind="recall", recalled={"reason": []}),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_a_certificate_that_makes_no_sense_is_named_though_the_house_signed_it(
    portal: Portal, key: Ed25519PublicKey, change: Callable[[dict[str, Any]], object]
) -> None:
    _linked(change)(portal)
    verdicts = verify_packages([portal.days[0], portal.package, portal.other], key)
    assert [verdict.is_valid for verdict in verdicts] == [True, False, True]


@pytest.mark.parametrize(
    "text",
    [b'{"a":1,"a":2}', b"[" * 100_000, b'{"kind":"recall"}', b"1", b'"x"', b"NaN", b"\xef\xbb\xbf{}", b"{} "],
    ids=range(8),
)
def test_a_signed_text_that_is_no_certificate_is_named(portal: Portal, key: Ed25519PublicKey, text: bytes) -> None:
    (portal.package / CERTIFICATE).write_bytes(text)
    (portal.package / SIGNATURE).write_bytes(SIGNING.sign(text))
    assert _named(portal.package, key) == {CERTIFICATE}


def test_a_signed_certificate_in_another_form_is_named(portal: Portal, key: Ed25519PublicKey) -> None:
    text = (portal.package / CERTIFICATE).read_bytes()
    for other in (text + b"\n", b'{"period":"2026-11-22",' + text[1:], text.replace(b"info-a", b"info\\u002da")):
        (portal.package / CERTIFICATE).write_bytes(other)
        (portal.package / SIGNATURE).write_bytes(SIGNING.sign(other))
        assert _named(portal.package, key) == {CERTIFICATE}


def test_signed_files_that_are_no_package_are_named(portal: Portal, key: Ed25519PublicKey) -> None:
    whole = {name: (portal.package / name).read_bytes() for name in FILES[:-2]}
    for name in whole:
        for content in (b"", b"\xff\xfe", b"{", b"[" * 100_000, b"a,b\n1,2\n", b"PK\3\4"):
            if "report." in name:
                continue
            (portal.package / name).write_bytes(content)
            body = json.loads((portal.package / CERTIFICATE).read_bytes())
            sign(portal.package, {**body, "files": digest_files(portal.package)}, KEYS)
            assert _named(portal.package, key), (name, content[:9])
        (portal.package / name).write_bytes(whole[name])


def test_many_packages_are_verified_alike_on_several_processors(
    portal: Portal, key: Ed25519PublicKey, policy: Policy
) -> None:
    shape, tables = small_night(policy)
    for n in range(48):
        release(portal.root, replace(shape, recipient_id=f"info-{n:03}"), tables, policy, None)
    (portal.root / "info-007/sections/2026-11-21/section_hour.csv").write_bytes(b"x")
    given = sorted(portal.root.glob("info-*/sections/2026-11-21"))
    assert len(given) == 50
    verdicts = verify_packages(given, key)
    assert [verdict.folder for verdict in verdicts] == given
    assert [verdict.recipient for verdict in verdicts if not verdict.is_valid] == ["info-007"]
