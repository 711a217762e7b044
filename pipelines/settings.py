"""Where things are: home, landing, policy, engine; from options, else from the environment, else the checkout.

What belongs here: resolving and refusing. What does not: anything heavy, for the command's help must be quick.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from quorum.errors import ConfigurationError
from quorum.zones import Home

ROOT = Path(__file__).resolve().parents[1]
CIVIL_ZONE = "Asia/Tokyo"
ENGINES = ("duckdb", "spark")


@dataclass(frozen=True)
class Settings:
    """Where things are.

    Args:
        home: ``QUORUM_HOME``, the run-time state.
        landing: ``QUORUM_LANDING``, where files land; None if nobody said.
        policy: ``QUORUM_POLICY``, the policy folder.
        engine: ``QUORUM_ENGINE``, ``duckdb`` or ``spark``.
    """

    home: Path
    landing: Path | None
    policy: Path
    engine: str

    def required_landing(self) -> Path:
        """Return the landing folder.

        Raises:
            ConfigurationError: nobody said where it is.
        """
        if self.landing is None:
            raise ConfigurationError(
                "landing.unset", "a night without a landing folder", "--landing DIR or QUORUM_LANDING", "name it"
            )
        return self.landing


def resolve(
    environ: Mapping[str, str],
    *,
    home: str | None = None,
    landing: str | None = None,
    policy: str | None = None,
    engine: str | None = None,
) -> Settings:
    """Return the settings; an option wins over the environment.

    Args:
        environ: the process environment.
        home: option ``--home``.
        landing: option ``--landing``.
        policy: option ``--policy``.
        engine: option ``--engine``.

    Raises:
        ConfigurationError: there is no engine of that name.
    """
    named = engine or environ.get("QUORUM_ENGINE") or ENGINES[0]
    if named not in ENGINES:
        raise ConfigurationError("engine.name", f"engine {named}", " or ".join(ENGINES), "choose one of them")
    chosen = landing or environ.get("QUORUM_LANDING")
    return Settings(
        home=Path(home or environ.get("QUORUM_HOME") or ROOT / "var").expanduser().absolute(),
        landing=Path(chosen).expanduser().absolute() if chosen else None,
        policy=Path(policy or environ.get("QUORUM_POLICY") or ROOT / "policy").expanduser().absolute(),
        engine=named,
    )


def today() -> date:
    """Return the civil date in Asia/Tokyo."""
    return datetime.now(ZoneInfo(CIVIL_ZONE)).date()


def yesterday() -> date:
    """Return the last whole civil day in Asia/Tokyo, the default night."""
    return today() - timedelta(days=1)


def existing_home(home: Path) -> Home:
    """Return the paths of a home that is there; looking at a home must not make one.

    Raises:
        ConfigurationError: there is no home.
    """
    paths = Home(home)
    if not paths.ledger.is_dir():
        raise ConfigurationError("home.missing", f"no home in {home}", "--home or QUORUM_HOME", "run a night first")
    return paths
