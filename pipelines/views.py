"""Commands that look and change nothing: status, ledger, packages.

What belongs here: what they print. What does not: options and exit codes (`pipelines.cli`), and any judgement.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from pipelines.settings import existing_home
from quorum.errors import EXIT_DONE, EXIT_RELEASE
from quorum.zones import Home


def show_status(home: Path) -> None:
    """Print the nights that are done, what was released in them, what is held, and how many erasures wait."""
    from quorum.holds import held_nights
    from quorum.ledger import Ledger

    paths = existing_home(home)
    ledger = Ledger(paths.ledger)
    try:
        nights = ledger.nights()
        releases = [entry.body for entry in ledger.entries("release")]
        click.echo(f"home      {paths.root}")
        click.echo(f"nights    {len(nights)}" + (f", {nights[0]} to {nights[-1]}" if nights else ""))
        click.echo(f"releases  {len(releases)}")
        click.echo(f"reports   {paths.out}")
        for night in nights[-7:]:
            files = ledger.accounting(night)
            read, loaded = (sum(int(landed[name]) for landed in files) for name in ("read", "loaded"))
            released = sum(body["night"] == night.isoformat() for body in releases)
            click.echo(f"{night}  {len(files)} files, {loaded:,} of {read:,} lines loaded, {released} released")
        for night, missing in held_nights(ledger).items():
            click.echo(f"held      {night}: {'; '.join(map(str, missing))}")
        pending = _pending_erasures(paths)
        click.echo("erasures  " + ("unknown without the key" if pending is None else f"{pending} asked for, not done"))
    finally:
        ledger.close()


def _pending_erasures(home: Home) -> int | None:
    """Return how many requests to erase landed and are not done; None without the key, for requests are sealed."""
    import os

    from quorum.engine.store import Store
    from quorum.errors import LedgerError
    from quorum.keys import load_keyring
    from quorum.rights.erase import pending
    from quorum.tables import load_catalog
    from quorum.workspace import ROOT

    try:
        keys, _ = load_keyring(dict(os.environ), make=False)
        return pending(Store(home, load_catalog(ROOT / "sql"), keys))
    except LedgerError:
        return None


def show_ledger(home: Path, kind: str | None = None) -> None:
    """Print the entries of the ledger, all or of one kind, one JSON object a line."""
    from quorum.ledger import Ledger

    ledger = Ledger(existing_home(home).ledger)
    try:
        for entry in ledger.entries(kind):
            fields = {"seq": entry.seq, "kind": entry.kind, **entry.body, "hash": entry.hash}
            click.echo(json.dumps(fields, ensure_ascii=False))
    finally:
        ledger.close()


def verify_ledger(home: Path) -> None:
    """Check the chain of the ledger.

    Raises:
        LedgerError: an entry was changed, removed or put in.
    """
    from quorum.ledger import Ledger

    ledger = Ledger(existing_home(home).ledger)
    try:
        click.echo(f"{ledger.verify()} entries, each follows from the one before")
    finally:
        ledger.close()


def verify_folders(folders: Sequence[Path], public_key: Path | None, home: Path) -> int:
    """Verify packages and print a line for each; return the exit code."""
    from quorum.release.certificate import PUBLIC_KEY, load_public_key
    from quorum.release.verify import verify_packages

    key = load_public_key(public_key or Home(home).keys / PUBLIC_KEY)
    verdicts = verify_packages(folders, key)
    for verdict in verdicts:
        said = (
            f"{'valid  ' if verdict.is_valid else 'INVALID'}  chain {verdict.chain}  {printable(str(verdict.folder))}"
        )
        click.echo(said)
        for problem in verdict.problems:
            click.echo(f"         {problem.check}: {printable(problem.file)} {problem.message}")
    return EXIT_DONE if all(verdict.is_valid for verdict in verdicts) else EXIT_RELEASE


def printable(name: str) -> str:
    """Return a name that somebody else chose without line breaks and what moves a terminal's cursor."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape", "replace").decode() for each in name)
