"""Make many packages out of a home's: copies of its chains, each signed anew, for measuring `quorum verify`.

    python -m bench.chains HOME OUT 400

What belongs here: copying and signing. What does not: measuring, which `time quorum verify` does from outside.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

from quorum.keys import KeyRing
from quorum.ledger.store import canonical
from quorum.release.certificate import CERTIFICATE, export_public_key, sign
from quorum.release.package import DESCRIPTOR
from quorum.release.recall import RECALL
from quorum.zones import Home

KEYS = KeyRing(bytes(32))


def chains(home: Path) -> dict[Path, list[Path]]:
    """Return the packages of each recipient and report, in the order of their certificates."""
    found: dict[Path, list[Path]] = {}
    for report in sorted(path for path in (home / "out").glob("*/*") if path.is_dir()):
        after = {json.loads(p.read_bytes())["previous"]: p.parent for p in sorted(report.glob(f"*/{CERTIFICATE}"))}
        previous: str | None = None
        while (folder := after.get(previous)) is not None:
            if not folder.name.endswith(RECALL):
                found.setdefault(report.relative_to(home / "out"), []).append(folder)
            previous = hashlib.sha256((folder / CERTIFICATE).read_bytes()).hexdigest()
    return found


def main(home: Path, out: Path, number: int) -> None:
    """Copy chains until there are so many packages; each copy is a house of its own."""
    export_public_key(Home(out), KEYS)
    made, copy, found = 0, 0, chains(home)
    if not found:
        sys.exit(f"no package in {home}: run some nights first")
    while made < number:
        for name, folders in found.items():
            previous: str | None = None
            for folder in folders[: number - made]:
                body = json.loads((folder / CERTIFICATE).read_bytes())
                called = f"{body['recipient']}-{copy}"  # one recipient has one release of a period
                target = out / "packages" / called / name.name / folder.name
                shutil.copytree(folder, target)
                described = json.loads((target / DESCRIPTOR).read_bytes())
                text = canonical({**described, "quorum:recipient": called}).encode()
                (target / DESCRIPTOR).write_bytes(text)
                files = {**body["files"], DESCRIPTOR: hashlib.sha256(text).hexdigest()}
                previous = sign(target, {**body, "recipient": called, "files": files, "previous": previous}, KEYS)
                made += 1
        copy += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
