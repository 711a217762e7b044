"""Recipients who were told of the same thing: a campaign that changed hands, a section that two were given.

What belongs here: whose packages have to be read together. What does not: reading them (`quorum.audit.equations`).
"""

from __future__ import annotations

from collections.abc import Sequence

from quorum.audit.package import ParsedPackage


def colluders(packages: Sequence[ParsedPackage]) -> list[list[ParsedPackage]]:
    """Return, for each report, the packages of recipients who were told of a key of which another one was told too.

    Args:
        packages: of any recipients and reports.

    Returns:
        One list a report that has such recipients, by name of the report; of each such recipient all packages.

    Guarantee:
        Whoever is left out shares no cell, and no sum of cells, with another recipient of the report: nothing sums over
        keys.

    Source: disclosure.md, "The attacker" (may collude with another recipient) and attack 5.
    """
    told: dict[str, dict[tuple[str, str], set[str]]] = {}
    for package in packages:
        of_report = told.setdefault(package.shape.report, {})
        for table in package.tables.values():
            for coordinate in table.coordinates:
                key = (table.shape.universe, coordinate[0])
                of_report.setdefault(key, set()).add(package.shape.recipient_id)
    found = []
    for report, of_report in sorted(told.items()):
        shared = set().union(*(recipients for recipients in of_report.values() if len(recipients) > 1))
        if shared:
            own = [package for package in packages if package.shape.report == report]
            found.append([package for package in own if package.shape.recipient_id in shared])
    return found
