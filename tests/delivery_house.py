"""Published packages of two recipients, and homes that hold them, for the tests of delivery."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import yaml
from release_night import NIGHT, cube_tables, pages_of, references, withhold

from quorum.deliver.run import Delivery
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.policy import Policy, load_policy
from quorum.release.certificate import certify, export_public_key, load_public_key, sign
from quorum.release.package import package_path, stage_package
from quorum.release.shapes import package_shapes
from quorum.zones import Home

KEYS = KeyRing(bytes(range(32)))
PAGES = {"report.ja.html": b"<p>" + b"0123456789" * 30_000, "report.en.html": b"<p>report</p>"}
"""The first one is so large that it travels in several pieces."""
PERIODS = ("2026-11-21", "2026-11-22")
RECIPIENTS = ("info-a", "info-b")


def write_home(root: Path, policy: Policy) -> Home:
    """Make a home with two periods of two recipients, released in order."""
    home = Home(root)
    export_public_key(home, KEYS)
    ledger = Ledger(home.ledger)
    first = next(s for s in package_shapes(policy, references(), NIGHT) if s.report == "sections")
    tables = withhold(first, cube_tables(first, policy, people=2_500), policy, totals_only=True)
    for recipient in RECIPIENTS:
        for period in PERIODS:
            shape = replace(first, recipient_id=recipient, period=period)
            folder = stage_package(home.out, shape, tables, policy, {**pages_of(shape, dict(tables), policy), **PAGES})
            previous = ledger.last_certificate(recipient, "sections")
            certificate = certify(folder, shape, policy, code_version="1", checks=[], attacks=[], previous=previous)
            digest = sign(folder, certificate, KEYS)
            ledger.enter_release(recipient, "sections", period, NIGHT, digest, {})
            target = home.out / package_path(shape)
            target.parent.mkdir(parents=True, exist_ok=True)
            folder.replace(target)
    ledger.close()
    return home


@dataclass
class House:
    """A home of its own for a test, with a policy of its own.

    Args:
        home: the run-time state.
        policy_folder: a copy of the policy.
        ledger: of the home.
        environ: what the command would be given.
        pauses: how long a delivery would have waited between attempts.
    """

    home: Home
    policy_folder: Path
    ledger: Ledger
    environ: dict[str, str]
    pauses: list[float]

    def set_targets(self, targets: Mapping[str, object]) -> None:
        """Write ``recipients.yaml``."""
        document = {"default": {"kind": "folder"}, "recipients": targets}
        (self.policy_folder / "recipients.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")

    def delivery(self) -> Delivery:
        return Delivery(
            self.home,
            self.ledger,
            load_policy(self.policy_folder),
            load_public_key(self.home.keys / "signing.pub"),
            self.environ,
            lambda: datetime(2026, 11, 23, 3, 0, tzinfo=UTC),
            self.pauses.append,
        )

    def package(self, recipient: str, period: str) -> dict[str, bytes]:
        """The files of a package, by name."""
        folder = self.home.out / recipient / "sections" / period
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


Build = Callable[[], House]


def copy_house(model: Home, root: Path, policy: Path) -> House:
    """Return a house of its own, with nothing delivered."""
    home = Home(Path(shutil.copytree(model.root, root / "home")))
    folder = Path(shutil.copytree(policy, root / "policy"))
    return House(home, folder, Ledger(home.ledger), {}, [])
