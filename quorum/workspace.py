"""One home, opened: everything a night needs, and each step of a night as a call or two into the library.

What belongs here: opening and closing, the lock around a night, which nights may run, which step writes which tables.
What does not: the work of a step, and the order of steps (`assets/` draws it from the contracts).
"""

from __future__ import annotations

import hashlib
import hmac
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from quorum import __version__, intake
from quorum.ask import Answer, ask
from quorum.completeness import Gap
from quorum.desk import Desk
from quorum.disclosure.money import check_bounds
from quorum.engine.choose import DUCKDB, Engine, open_engine
from quorum.engine.store import Store
from quorum.errors import ConfigurationError, InputError, LedgerError, UsageError
from quorum.extract import build as extracts
from quorum.holds import WHOLE_NIGHT, Holds, held_nights, notes_of
from quorum.holds import write_page as write_missing
from quorum.intake.accounting import Accounting
from quorum.intake.context import Intake
from quorum.intake.request_details import TYPED
from quorum.keys import KeyRing, load_keyring
from quorum.ledger import Ledger
from quorum.ledger.reads import ReadLog
from quorum.ledger.store import canonical
from quorum.ledger.tombstones import load_erased
from quorum.lineage.gate import Gate, check_gate
from quorum.lineage.page import write_page
from quorum.lock import hold
from quorum.packages import Packages
from quorum.plans import fixed_on
from quorum.policy import Actor, Policy, load_policy
from quorum.policy.grants import SCHEDULER, actor_of, check_may_act
from quorum.profile import Profiler
from quorum.published import gaps_of_home
from quorum.release.answers import Question
from quorum.release.gate import Release
from quorum.release.recall import PACKAGE_PARTS, RECALL, Recall
from quorum.release.sealed import WORST, worst_of
from quorum.release.shares import Share, withheld_shares
from quorum.rights.retention import ACT, nights_going, run_retention
from quorum.tables import Catalog, load_catalog
from quorum.zones import Home, Zone, zone_of

ROOT = Path(__file__).resolve().parents[1]
"""The checkout: the contracts, the policy and the suites lie here."""

WRITES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "reference": (
            "pseudo__recipient",
            "pseudo__campaign",
            "pseudo__creative",
            "pseudo__section",
            "pseudo__first_party_host",
        ),
        "members": ("vault__member",),
        "logins": ("vault__login",),
        "partners": ("vault__partner_transaction",),
        "preferences": ("vault__preference",),
        "requests": ("vault__request", *TYPED),
        "ads": ("pseudo__ad_event",),
        "access": ("pseudo__access",),
        "beacon": ("pseudo__beacon", "pseudo__third_party"),
        "rest": ("vault__rejected_line",),
    }
)
"""Source to the tables it writes. Every source seals its rejected lines; they are complete when ``rest`` is."""


@dataclass(frozen=True)
class Workspace:
    """A home that is open.

    Args:
        home: the run-time state.
        landing: where files land, outside the home; None if no night is to be run.
        policy: the rules.
        catalog: the contracts.
        keys: the key ring.
        ledger: journal, landed files, nights, releases.
        store: partitions.
        engine: statements.
        new_key_file: the key file if opening has just made it; say that it must be backed up.
        actor: who works here.
        gate: what the statements were found to do; the policy allows it.
    """

    home: Home
    landing: Path | None
    policy: Policy
    catalog: Catalog
    keys: KeyRing
    ledger: Ledger
    store: Store
    engine: Engine
    new_key_file: Path | None
    actor: Actor
    gate: Gate

    def is_done(self, night: date) -> bool:
        """Say whether a night is done; it is then served as stored and never worked on again."""
        return self.ledger.night(night) is not None

    def admit(self, night: date) -> None:
        """Refuse a night that may not run.

        Raises:
            InputError: nothing or not all that is required has landed, or far fewer or more lines than usual; a later
                night is done, or an earlier one is held.
            PolicyError: a segment or a survey asks for what its purpose may not use, or a column lands that nobody
                uses and whose date has passed.
        """
        if self.is_done(night):
            return
        _ = self._rules_hold
        self.gate.check_day(night)
        later = [done for done in self.ledger.nights() if done > night]
        if later:
            raise InputError(
                "night.order",
                f"night {night} after night {later[-1]} is done",
                "nights in order; what landed for an earlier night is taken in late by the next one",
                f"run a night after {later[-1]}, or backfill in order into a new home",
            )
        if not (self._landing / night.isoformat()).is_dir() and not self._has_waiting(night):
            self._holds.hold_absent(night)
            raise InputError(
                "landing.folder",
                f"night {night} without a landing folder, and nothing that landed earlier waits for it",
                "<landing>/<date>/<source>/",
                "deliver the files, or an empty folder if there are none",
            )
        self._holds.check_landed(night)

    def take_in(self, source: str, night: date) -> list[Accounting]:
        """Take in a source of a night: every landed line loaded, or sealed with a reason.

        Args:
            source: one of `WRITES`.
            night: the night.

        Returns:
            What became of each file; of a done night as it was stored.
        """
        if self.is_done(night):
            return [Accounting(**record) for record in self.ledger.accounting(night) if _reader(record) == source]
        self.admit(night)
        return intake.take_in(source, self._intake, night)

    def build(self, table: str, night: date) -> None:
        """Run a table's statement for a night, unless the night is done: what is done is frozen."""
        if not self.is_done(night):
            self.admit(night)
            if zone_of(table) is Zone.EXTRACT:
                extracts.build(self.desk, table, night)
            else:
                self.engine.build(table, night)

    def refused(self, table: str, night: date) -> Mapping[str, int]:
        """Return what was left out of an extract when it was built, by reason."""
        return extracts.refused(self.desk, night, table)

    def profile(self, table: str, night: date, metrics: Sequence[str]) -> dict[str, int]:
        """Count what a suite judges; see `quorum.profile`."""
        return Profiler(self.store, self.engine, self.policy).profile(table, night, metrics)

    def make_safe(self, night: date) -> list[Release]:
        """Make safe what the night owes and has not released; return what was refused."""
        self.admit(night)
        if not self.is_done(night):
            self._holds.check_loaded(night)
        return self._packages.make_safe(night)

    def plans(self, night: date) -> list[Mapping[str, Any]]:
        """Return the plans of campaigns that a night fixed, as the ledger has them: public facts and choices."""
        return fixed_on(self.ledger, night)

    def publish(self, night: date) -> list[Release]:
        """Bring every package that the night owes to the door, draw the lineage for analysts, and end the night.

        A night with a blocked package is done too: the others are out, and what it counted is frozen. Run again, it
        brings the blocked ones to the door once more.
        """
        self.admit(night)
        if not self.is_done(night):
            self._holds.check_loaded(night)
        write_page(self.gate, self.home.docs)
        releases = self._packages.publish(night)
        if not self.is_done(night):
            counts = Counter(release.status for release in releases)
            under = {"version": self.policy.version, "digest": self.policy.digest}
            summary = {"releases": dict(sorted(counts.items())), "policy": under}
            was_held = night in held_nights(self.ledger)
            self.ledger.finish_night(night, self._inputs(night), summary)
            if was_held:
                write_missing(self.ledger, self.home)
        return releases

    def recall(self, package: Sequence[str], reason: str, day: date) -> Path:
        """Recall a release and return the folder of the recall.

        Args:
            package: recipient, report and period.
            reason: one of `quorum.release.recall.REASONS`.
            day: the day that the recall bears.

        Raises:
            PolicyError: the role may not.
            UsageError: the package is named otherwise.
        """
        check_may_act(self.policy, self.actor, RECALL)
        recipient, report, period = _named(package)
        return self._packages.recall(Recall(recipient, report, period, reason, day, self.actor.name, self.actor.role))

    def worst(self, package: Sequence[str]) -> list[dict[str, str]]:
        """Return the worst case of every attack that a package did not withstand, each time that it was refused.

        It says which cell falls, so that the reading is entered in the log of reads.

        Args:
            package: recipient, report and period.

        Raises:
            PolicyError: the role may not.
            UsageError: the package is named otherwise.
            LedgerError: an entry was sealed with another key, or changed.
        """
        check_may_act(self.policy, self.actor, WORST)
        found = worst_of(self.ledger, self.keys, _named(package))
        ReadLog(self.ledger, self.actor).note("INFRA", "ledger/worst", len(found))
        return found

    def gaps(self, nights: Sequence[date] | None = None) -> list[Gap]:
        """Return what done nights owe and is not there; see `quorum.published`."""
        return gaps_of_home(self._packages, nights)

    def retain(self, as_of: date | None, *, is_dry: bool) -> dict[str, Any]:
        """Run retention, once nothing is missing of the nights that it would remove; see `quorum.rights.retention`.

        Raises:
            InputError: packages or tables of such a night are missing, and nobody gave the night up.
        """
        check_may_act(self.policy, self.actor, ACT)
        going = nights_going(self.desk, as_of)
        missing = [gap for gap in self.gaps(going) if WHOLE_NIGHT not in dict(notes_of(self.ledger, gap.night))]
        if missing and not is_dry:
            raise InputError(
                "retention.gaps",
                f"retention while {len(missing)} of what its nights owe are not there, the first: {missing[0]}",
                "nights of which everything is there",
                f"restore it, or give it up: quorum note --date {missing[0].night} --source {WHOLE_NIGHT} --why ...",
            )
        return run_retention(self.desk, as_of, is_dry=is_dry)

    def is_settled(self, night: date) -> bool:
        """Say whether nothing is left to do for a night: it is done, and no package of it is blocked."""
        return self.is_done(night) and not self._packages.has_blocked(night)

    def stored(self, night: date) -> list[Release]:
        """Return the releases of a settled night, each compared with what was signed."""
        return self._packages.stored(night)

    def withheld_shares(self, night: date) -> list[Share]:
        """Count what a night made safe and withheld, by report, table and family; it stays inside."""
        return withheld_shares(self.store, night)

    def ask(self, question: Question) -> Answer:
        """Answer a question of an analyst from what was released; see `quorum.ask`."""
        return ask(self._packages, self.home, self.actor, question)

    def _has_waiting(self, night: date) -> bool:
        """Say whether events that landed earlier are dated on a night."""
        return any(self.store.files(table, night) for source in ("access", "ads", "beacon") for table in WRITES[source])

    def _inputs(self, night: date) -> str:
        """Return the keyed digest of what a night is made from: files, policy, code. A file can be guessed: keyed."""
        made_from = {"files": self.ledger.digests(night), "policy": self.policy.digest, "version": __version__}
        return hmac.new(self.keys.derive("digest/night"), canonical(made_from).encode(), hashlib.sha256).hexdigest()

    @property
    def _landing(self) -> Path:
        if self.landing is None:
            raise ConfigurationError(
                "landing.unset", "a night without a landing folder", "--landing DIR or QUORUM_LANDING", "name it"
            )
        return self.landing

    @property
    def desk(self) -> Desk:
        """What acts on stored data are given."""
        return Desk(self.home, self.policy, self.keys, self.ledger, self.store, self.engine, self.actor)

    @property
    def _packages(self) -> Packages:
        return Packages(self.store, self.policy, self.keys, self.ledger)

    @cached_property
    def _rules_hold(self) -> bool:
        """True, or the refusal: asked once, for every step of a night asks and the policy is that of the opening."""
        extracts.check_rules(self.policy)
        return True

    @cached_property
    def _holds(self) -> Holds:
        return Holds(self._intake, self.home)

    @property
    def _intake(self) -> Intake:
        erased = load_erased(self.ledger, self.keys)
        return Intake(self._landing, self.store, self.engine, self.policy, self.ledger, erased)


@contextmanager
def open_workspace(
    home: Home,
    landing: Path | None,
    policy_dir: Path,
    environ: Mapping[str, str],
    login: str | None = None,
    role: str | None = None,
    engine_name: str = DUCKDB,
) -> Iterator[Workspace]:
    """Open a home, and close it at the end.

    Args:
        home: the run-time state; made if missing.
        landing: where files land.
        policy_dir: the policy folder.
        environ: the process environment, for the master key.
        login: who works here; the scheduler if None.
        role: the role to work in; the login's own if None.
        engine_name: ``duckdb`` or ``spark``.

    Raises:
        ConfigurationError: policy or contracts are wrong, or landing and home lie in each other.
        PolicyError: the login may not take the role, or a statement does what the policy does not allow.
        LedgerError: the key is malformed or can be read by others.
    """
    policy = load_policy(policy_dir)
    check_bounds(policy)
    catalog = load_catalog(ROOT / "sql")
    gate = check_gate(catalog, policy)
    if landing is not None:
        _apart(home.root, landing)
    actor = SCHEDULER if login is None else actor_of(policy, login, role)
    keys, new_key_file = load_keyring(dict(environ))
    home.root.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(home.ledger)
    store = Store(home, catalog, keys, ReadLog(ledger, actor).note)
    engine = open_engine(engine_name, store, policy, keys, environ)
    try:
        yield Workspace(home, landing, policy, catalog, keys, ledger, store, engine, new_key_file, actor, gate)
    finally:
        engine.close()
        ledger.close()


@contextmanager
def night_lock(home: Home) -> Iterator[None]:
    """Hold the one lock of a home, and wipe its scratch space: what a killed night left there may be in the clear.

    The lock is the kernel's: it is free again as soon as the process is gone, however it went.

    Raises:
        LedgerError: another process holds it.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    taken = LedgerError(
        "night.lock", "a second night in the same home", "one at a time", "wait until the other has ended"
    )
    with hold(home.lock, taken):
        shutil.rmtree(home.tmp, ignore_errors=True)
        yield


@contextmanager
def locked_workspace(
    home: Home,
    landing: Path | None,
    policy_dir: Path,
    environ: Mapping[str, str],
    login: str | None = None,
    role: str | None = None,
    engine_name: str = DUCKDB,
) -> Iterator[Workspace]:
    """Hold the lock of a home and open it; arguments and errors as for `night_lock` and `open_workspace`."""
    with night_lock(home), open_workspace(home, landing, policy_dir, environ, login, role, engine_name) as workspace:
        yield workspace


def _reader(record: Mapping[str, object]) -> str:
    """Return which of `WRITES` took in the file of a stored accounting."""
    source = str(record["source"])
    return source if source in WRITES else "rest"


def _named(package: Sequence[str]) -> tuple[str, str, str]:
    if len(package) != PACKAGE_PARTS:
        raise UsageError("package.name", "/".join(package), "<recipient>/<report>/<period>", "name the package")
    recipient, report, period = package
    return recipient, report, period


def _apart(home: Path, landing: Path) -> None:
    inner, outer = landing.resolve(), home.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise ConfigurationError(
            "landing.place", "a landing folder and a home that lie in each other", "two folders apart", "move one"
        )
