"""The ``quorum`` command: parses, calls, tells, exits.

What belongs here: options, exit codes, what goes to stdout and what to stderr. What does not: work; and nothing heavy
is imported before a command needs it, so that ``quorum --help`` is quick.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NoReturn

import click

from pipelines.cli_ask import ask
from pipelines.cli_deliver import deliver
from pipelines.cli_desk import case, correct
from pipelines.cli_disclose import disclose, register
from pipelines.cli_extract import extract
from pipelines.cli_feasibility import feasibility
from pipelines.cli_ops import doctor, note
from pipelines.cli_policy import policy
from pipelines.cli_recall import recall
from pipelines.cli_rights import erase, retention
from pipelines.cli_why import why
from pipelines.options import DAY, opened, where, whose
from pipelines.settings import ENGINES
from quorum.errors import EXIT_BUG, EXIT_DONE, EXIT_USAGE, UsageError, worst
from quorum.redaction import describe

if TYPE_CHECKING:
    from pipelines.outcome import Outcome
    from pipelines.settings import Settings

_JSON_COMMANDS = ("nightly", "backfill")


_EXIT_CODES = """\b
Exit codes:
   0  done (lines in quarantine alone are 0)
   1  a bug
   2  usage
  10  configuration
  11  input incomplete or refused, or a package did not arrive
  12  a release was blocked, or a package does not verify
  13  the policy refuses
  14  ledger, budget or key
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EXIT_CODES)
def cli() -> None:
    """Quorum: nightly advertiser reports in which nobody can be identified."""


@cli.command()
@click.option("--date", "night", type=DAY, help="The night, a civil date in Asia/Tokyo. [yesterday]")
@click.option("--profile", "is_profiled", is_flag=True, help="Write where the slowest stages spend their time.")
@where
def nightly(night: date | None, as_json: bool, is_profiled: bool, **where: str | None) -> None:
    """Run one night: from what landed to what is published. A night that is done is served as stored.

    With --profile, profiles of the slowest stages (Python) and their statements (DuckDB) lie in docs/profile/<date>/ of
    the home: functions, operators, seconds and rows, no value of any row.
    """
    from pipelines.settings import yesterday

    _run([night or yesterday()], where, as_json=as_json, is_profiled=is_profiled)


@cli.command()
@click.option("--from", "first", type=DAY, help="First night. [the first that waits: after the latest that is done]")
@click.option("--to", "last", type=DAY, help="Last night. [yesterday]")
@where
def backfill(first: date | None, last: date | None, as_json: bool, **where: str | None) -> None:
    """Run nights in order; those that are done are passed over, so that it can be resumed.

    Stops at the first night that does not get done. Without dates: every night that waits; so it runs unattended.
    """
    from pipelines.settings import yesterday

    last = last or yesterday()
    if first is None:
        from pipelines.settings import resolve
        from pipelines.waiting import waiting_nights

        _run(waiting_nights(resolve(os.environ, **where), last), where, as_json=as_json)
    if last < first:
        raise click.UsageError(f"--to {last} lies before --from {first}")
    days = [date.fromordinal(day) for day in range(first.toordinal(), last.toordinal() + 1)]
    _run(days, where, as_json=as_json)


def _run(days: Sequence[date], where: dict[str, str | None], *, as_json: bool, is_profiled: bool = False) -> NoReturn:
    """Run nights, tell about each as soon as it is over, and exit."""
    from pipelines import outcome

    codes: list[int] = []
    settings = None
    try:
        from pipelines.progress import shown
        from pipelines.run import open_nights
        from pipelines.settings import resolve
        from quorum.holds import held_nights

        settings = resolve(os.environ, **where)
        with (
            shown(sys.stderr.isatty()) as progress,
            open_nights(settings, days, progress, is_profiled=is_profiled) as nights,
        ):
            _tell_new_key(nights.workspace.new_key_file)
            for day in days:
                was_held = day in held_nights(nights.workspace.ledger)
                done = nights.run(day)
                codes.append(done.exit_code)
                _alert(done, was_held=was_held, home=settings.home)
                _tell(done, settings, as_json=as_json)
                if not nights.workspace.is_done(day):
                    break
    except Exception as error:
        told = describe(error)
        codes.append(told.code)
        engine = settings.engine if settings else str(where["engine"] or os.environ.get("QUORUM_ENGINE", ""))
        done = outcome.failed(days[len(codes) - 1] if days else None, engine, told)
        _tell_failure(done, as_json=as_json)
        if settings is not None and settings.home.is_dir():
            _alert(done, was_held=False, home=settings.home)
    sys.exit(worst(codes))


def _alert(done: Outcome, *, was_held: bool, home: Path) -> None:
    """Tell the channels of the home what went wrong, or that a night which was held is done; counts and rules only."""
    from pipelines.alerts import Alert
    from pipelines.telling import RECOVERED, alert_of, announce

    night = "" if done.date is None else done.date.isoformat()
    alert = alert_of(night, done.errors)
    if alert is None and was_held:
        alert = Alert(RECOVERED, night, EXIT_DONE, {})
    announce(alert, home, os.environ)


def _tell(done: Outcome, settings: Settings, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(done.as_record(), ensure_ascii=False))
        return
    from pipelines.summary import show

    show(done, settings.home)


def _tell_failure(done: Outcome, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(done.as_record(), ensure_ascii=False))
    for error in done.errors:
        click.echo(f"quorum: {error['message']}", err=True)


def _tell_new_key(path: Path | None) -> None:
    if path is not None:
        click.echo(
            f"quorum: made the master key {path}. Back it up: without it the vault cannot be read, and pseudonyms and "
            "signatures cannot be made again.",
            err=True,
        )


@cli.command()
@click.argument("out", type=click.Path())
@click.option("--date", "last", type=DAY, required=True, help="Last day.")
@click.option("--days", type=click.IntRange(1), required=True, help="How many days end on it.")
@click.option("--members", type=click.IntRange(0), required=True, help="Registered people.")
@click.option("--events", type=click.IntRange(0), required=True, help="Events a day.")
@click.option("--campaigns", type=click.IntRange(0), default=30, show_default=True)
@click.option("--recipients", type=click.IntRange(0), default=10, show_default=True)
@click.option("--ctr", type=click.FloatRange(0, 1), default=0.01, show_default=True, help="Clicks an impression.")
@click.option("--seed", type=int, required=True, help="The same seed gives the same files.")
def sample(out: str, **size: Any) -> None:
    """Make landing folders of a synthetic portal in OUT."""
    from quorum.sample import write_sample

    write_sample(Path(out), **size)
    click.echo(f"{size['days']} landing folders up to {size['last']} in {out}")


@cli.command()
@click.option("--home", type=click.Path(), help="The run-time state. [QUORUM_HOME, else var/ of the checkout]")
def status(home: str | None) -> None:
    """Show which nights are done and what was released."""
    from pipelines.settings import resolve
    from pipelines.views import show_status

    show_status(resolve(os.environ, home=home).home)


@cli.command()
@click.argument("package", nargs=-1, required=True, type=click.Path())
@click.option("--public-key", type=click.Path(), help="The key to verify with. [keys/ of the home]")
def verify(package: tuple[str, ...], public_key: str | None) -> None:
    """Verify packages offline: signature, chain, checksums, schema, k."""
    from pipelines.settings import resolve
    from pipelines.views import verify_folders

    key = Path(public_key) if public_key else None
    sys.exit(verify_folders([Path(folder) for folder in package], key, resolve(os.environ).home))


@cli.command()
@click.argument("package", nargs=-1, required=True, type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def attack(package: tuple[str, ...], as_json: bool) -> None:
    """Attack packages as an outsider would, on their files alone.

    Packages of several recipients may be given together: those of one are attacked together, and those who were told of
    the same campaign as if they colluded.
    """
    from pipelines.attack_view import attack_folders

    sys.exit(attack_folders([Path(folder) for folder in package], as_json=as_json))


@cli.group()
def ledger() -> None:
    """The ledger: what happened, in a chain that shows when somebody changed it."""


@ledger.command("show")
@click.option("--kind", help="Entries of one kind only, e.g. disclosure.")
@click.option("--home", type=click.Path(), help="The run-time state. [QUORUM_HOME, else var/ of the checkout]")
def ledger_show(home: str | None, kind: str | None) -> None:
    """Print the entries, each as a line of JSON."""
    from pipelines.settings import resolve
    from pipelines.views import show_ledger

    show_ledger(resolve(os.environ, home=home).home, kind)


@ledger.command("verify")
@click.option("--home", type=click.Path(), help="The run-time state. [QUORUM_HOME, else var/ of the checkout]")
def ledger_verify(home: str | None) -> None:
    """Check the whole chain."""
    from pipelines.settings import resolve
    from pipelines.views import verify_ledger

    verify_ledger(resolve(os.environ, home=home).home)


@ledger.command("worst")
@click.argument("package", type=click.Path())
@whose
def ledger_worst(package: str, **whose: str | None) -> None:
    """Print what the attacks found in PACKAGE, <recipient>/<report>/<period>, when it was refused; a line of JSON each.

    It says which cell falls, and to what, so that it is for the officer alone, and each reading is in the ledger.
    Nothing is printed of a package that was never refused by an attack.
    """
    with opened(**whose) as workspace:
        for found in workspace.worst(PurePath(package).parts[-3:]):
            click.echo(json.dumps(found, ensure_ascii=False))


cli.add_command(policy)
cli.add_command(ask)
cli.add_command(extract)
cli.add_command(correct)
cli.add_command(case)
cli.add_command(disclose)
cli.add_command(register)
cli.add_command(erase)
cli.add_command(retention)
cli.add_command(recall)
cli.add_command(why)
cli.add_command(deliver)
cli.add_command(feasibility)
cli.add_command(note)
cli.add_command(doctor)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its code; of an error of our own only the message is shown, never a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    code = EXIT_DONE
    try:
        cli.main(given, prog_name="quorum", standalone_mode=False)
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.ClickException as error:
        error.show()
        code = EXIT_USAGE
        _tell_usage(given, error)
    except click.Abort:
        code = EXIT_BUG
    except Exception as error:
        told = describe(error)
        click.echo(f"quorum: {told.message}", err=True)
        code = told.code
    sys.exit(code)


def _tell_usage(given: Sequence[str], error: click.ClickException) -> None:
    """Keep the promise of ``--json``: one object, also when the command was called wrongly."""
    if given[:1] and given[0] in _JSON_COMMANDS and "--json" in given:
        from pipelines import outcome

        told = describe(UsageError("usage", error.format_message(), remedy=f"quorum {given[0]} --help"))
        click.echo(json.dumps(outcome.failed(None, ENGINES[0], told).as_record(), ensure_ascii=False))
