"""What a home needs: one line for each thing that can stand in the way of tonight, and what to do about it.

Looking changes nothing: no folder, no key and no database is made.

What belongs here: the subjects in order, and those about nights. What does not: looking at the machine
(`pipelines.doctor_looks`), printing (`pipelines.cli_ops`), and repairing anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pipelines import doctor_looks as looks
from pipelines.doctor_looks import Looked, Patient
from pipelines.settings import ROOT, Settings, existing_home
from quorum.errors import QuorumError
from quorum.keys import DEFAULT_KEY_FILE, KeyRing, load_keyring
from quorum.ledger import Ledger
from quorum.policy import load_policy
from quorum.redaction import describe
from quorum.tables import load_catalog
from quorum.zones import Home


def look_over(settings: Settings, environ: Mapping[str, str]) -> list[Looked]:
    """Look a home over.

    Args:
        settings: where things are.
        environ: the process environment, for key and alerts.

    Returns:
        One finding or more for each subject, in a fixed order.

    Raises:
        ConfigurationError: there is no home.
    """
    home = existing_home(settings.home)
    found = []
    policy, keys = None, None
    try:
        policy = load_policy(settings.policy)
        found.append(Looked("policy", f"version {policy.version} loads"))
    except QuorumError as error:
        found.append(_refused("policy", error))
    try:
        keys, _ = load_keyring(dict(environ), make=False)
        found.append(_key(home, keys, environ))
    except QuorumError as error:
        found.append(_refused("key", error))
    patient = Patient(settings, environ, home, policy, keys, load_catalog(ROOT / "sql"))
    for subject, look in _LOOKS.items():
        try:
            found += list(look(patient))
        except Exception as error:
            found.append(_refused(subject, error))
    return found


def _refused(subject: str, error: Exception) -> Looked:
    told = describe(error)
    return Looked(subject, told.message, f"see docs/runbook.md, exit {told.code}")


def _key(home: Home, keys: KeyRing, environ: Mapping[str, str]) -> Looked:
    from quorum.release.certificate import PUBLIC_KEY, export_public_key

    where = "the environment" if "QUORUM_MASTER_KEY" in environ else "its file, which only its owner can read"
    mark = keys.derive("doctor/fingerprint", 4).hex()
    if (home.keys / PUBLIC_KEY).is_file():
        export_public_key(home, keys)  # refuses a key that did not make this home; writes nothing where one is
    default = "" if "QUORUM_MASTER_KEY" in environ else f" ({environ.get('QUORUM_MASTER_KEY_FILE', DEFAULT_KEY_FILE)})"
    return Looked("key", f"in {where}{default}; mark {mark}: that of the backup must be the same")


def _landing(patient: Patient) -> Iterator[Looked]:
    from quorum.intake.context import required_sources

    if patient.settings.landing is None:
        yield Looked("landing", "nobody said where it is", "--landing DIR or QUORUM_LANDING")
    elif not patient.settings.landing.is_dir():
        yield Looked("landing", "is no folder", "mount it, or name another")
    else:
        required = required_sources(patient.settings.landing)
        yield Looked("landing", f"{len(required)} source(s) must arrive")


def _alerts(patient: Patient) -> Iterator[Looked]:
    from pipelines.alerts import load_channels

    channels = load_channels(patient.home, patient.environ)
    told = f"{len(channels)} channel(s)"
    yield Looked("alerts", told, "" if channels else "name one in alerts.yaml of the home; see docs/runbook.md")


def _nights(patient: Patient) -> Iterator[Looked]:
    from quorum.engine.store import Store
    from quorum.holds import held_nights
    from quorum.packages import Packages
    from quorum.published import gaps_of_home

    ledger = Ledger(patient.home.ledger)
    try:
        for night, missing in held_nights(ledger).items():
            told = f"night {night} is held: {'; '.join(map(str, missing))}"
            yield Looked("nights", told, f"deliver it and run {night} again, or explain it: quorum note")
        if patient.policy is not None and patient.keys is not None:
            store = Store(patient.home, patient.catalog, patient.keys)
            gaps = gaps_of_home(Packages(store, patient.policy, patient.keys, ledger))
            if gaps:
                told = f"{len(gaps)} gap(s), the first: {gaps[0]}"
                yield Looked("nights", told, "restore what is gone from a backup before retention; see docs/runbook.md")
            else:
                yield Looked("nights", f"{len(ledger.nights())} done, nothing that they owe is missing")
    finally:
        ledger.close()


_LOOKS: Mapping[str, Callable[[Patient], Iterator[Looked]]] = {
    "disk": looks.disk,
    "versions": looks.versions,
    "permissions": looks.permissions,
    "lock": looks.lock,
    "ledger": looks.ledger,
    "upgrade": looks.upgrade,
    "dagster": looks.dagster,
    "landing": _landing,
    "alerts": _alerts,
    "nights": _nights,
}
