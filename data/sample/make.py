"""Makes the sample portal: `python data/sample/make.py` writes `landing/` beside it, the same bytes every time."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from quorum.sample import write_sample

LANDING = Path(__file__).parent / "landing"


def make(out: Path) -> None:
    """Write the sample portal's landing folders.

    Args:
        out: a landing folder without these days.
    """
    write_sample(
        out,
        last=date(2026, 11, 21),
        days=7,
        members=3000,
        events=47_000,
        campaigns=30,
        recipients=10,
        ctr=0.065,
        seed=20261121,
        traps=True,
    )


if __name__ == "__main__":
    shutil.rmtree(LANDING, ignore_errors=True)
    make(LANDING)
