"""What every reader of landed files is given, and which sources must land.

What belongs here: the reader's surroundings and the reading of ``landing/sources.yaml``. What does not: reading a
landed file, and whether what must land is there (`quorum.completeness`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from quorum.errors import ConfigurationError
from quorum.ledger.tombstones import NOBODY, Erased

if TYPE_CHECKING:
    from quorum.engine.choose import Engine
    from quorum.engine.store import Store
    from quorum.ledger import Ledger
    from quorum.policy import Policy

COMPLETE_MARKER = "_COMPLETE"


@dataclass(frozen=True)
class Intake:
    """What a reader needs.

    Args:
        landing: folder that holds one folder a night, ``<landing>/<night>/<source>/``.
        store: where partitions are written.
        engine: runs the queries from vault to pseudo.
        policy: categories and limits.
        ledger: registry of landed files.
        erased: who was erased; their lines are refused, and are not kept among the rejected ones.
    """

    landing: Path
    store: Store
    engine: Engine
    policy: Policy
    ledger: Ledger
    erased: Erased = NOBODY

    def folder(self, night: date) -> Path:
        """Return the landing folder of a night."""
        return self.landing / night.isoformat()


def required_sources(landing: Path) -> tuple[str, ...]:
    """Return the sources that must arrive, from ``<landing>/sources.yaml``; none if there is no such file.

    Raises:
        ConfigurationError: the file is not ``required: [source, ...]``.
    """
    path = landing / "sources.yaml"
    if not path.is_file():
        return ()
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        document = path.name
    required = document.get("required", []) if isinstance(document, dict) and set(document) <= {"required"} else None
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        raise ConfigurationError("landing.sources", "a malformed sources.yaml", "required: [source, ...]")
    return tuple(required)
