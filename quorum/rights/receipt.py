"""The receipt of an erasure: what was written again, what the operator has to do, what stays and why. It names nobody.

What belongs here: from the ledger's entry to a document. What does not: erasing (`quorum.rights.erase`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from quorum.desk import Desk
from quorum.errors import ConfigurationError
from quorum.rights.rules import EXEMPT
from quorum.zones import Home

_STAYS = (
    ("cube, safe", "counts over many people without a key of a person; frozen, and not computed again"),
    ("out", "released packages are statistics, signed and served as stored"),
    ("ledger", "entries carry counts and keyed references, and the tombstone by which an old file is refused"),
)
NOT_ATTRIBUTABLE = (
    "Requests that carried no cookie are known by a daily keyed hash of network and browser only. Nothing tells whose "
    "they were, so they are not removed by an erasure; they go with their partition's retention."
)
_WITHHELD = "(its name names the person)"


def receipt_of(desk: Desk, done: Mapping[str, Any]) -> dict[str, Any]:
    """Return the receipt of an erasure that is done.

    Args:
        desk: the ledger that knows the landed files.
        done: what `quorum.rights.erase.erase` returned.

    Returns:
        JSON-compatible: counts by table and night, landed files, and what stays. No identifier and no pseudonym.
    """
    removed = [
        {"table": table, "night": night, "rows": rows}
        for table, nights in done["rows"].items()
        for night, rows in nights.items()
    ]
    return {
        "erasure": done["reference"],
        "tombstone": done["reference"],
        "refused_until": (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=done["until_us"])).isoformat(),
        "policy_version": done["policy_version"],
        "policy_digest": done["policy_digest"],
        "removed_rows": sum(entry["rows"] for entry in removed),
        "removed": removed,
        "struck": [{"table": table, "rows": rows} for table, rows in done["struck"].items()],
        "landing_files": [
            {
                "source": file.source,
                "night": file.night.isoformat(),
                "name": _WITHHELD if file.file_n in done["unnamed"] else file.name,
            }
            for file in desk.ledger.landed(done["files"])
        ],
        "landing_files_remedy": "These files held the person and lie outside the home: delete them, and their copies",
        "stays": [{"what": what, "why": why} for what, why in (*_STAYS, *EXEMPT.items())],
        "not_attributable": NOT_ATTRIBUTABLE,
    }


def as_text(receipt: Mapping[str, Any]) -> str:
    """Return a receipt for a person to read."""
    lines = [f"erased      {receipt['erasure']}", f"rows        {receipt['removed_rows']}"]
    lines += [f"            {each['table']} {each['night']}: {each['rows']}" for each in receipt["removed"]]
    lines += [f"struck      {each['table']}: text of {each['rows']} rows" for each in receipt["struck"]]
    lines += [f"to delete   {each['night']}/{each['source']}/{each['name']}" for each in receipt["landing_files"]]
    lines += [f"stays       {each['what']}: {each['why']}" for each in receipt["stays"]]
    return "\n".join([*lines, f"note        {receipt['not_attributable']}"])


def write_receipt(receipt: Mapping[str, Any], folder: Path, home: Home) -> Path:
    """Write a receipt into a folder outside the home, readable by the owner only, atomically; return the file.

    Raises:
        ConfigurationError: the folder lies in the home.
    """
    if folder.resolve().is_relative_to(home.root.resolve()):
        raise ConfigurationError("erase.out", "a receipt inside the home", "a folder outside it", "name another folder")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"erasure-{receipt['erasure']}.json"
    unfinished = path.with_name(f".{path.name}.tmp")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(json.dumps(receipt, ensure_ascii=False, indent=2) + "\n")
    unfinished.replace(path)
    return path
