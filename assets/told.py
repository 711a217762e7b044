"""What the metadata of a materialisation tells besides rows: people, shares of what is withheld, pages to open.

What belongs here: counts and paths as Dagster shows them. What does not: counting, and any value about a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg

from assets.data_docs import docs_page
from quorum.lineage.page import PAGE
from quorum.release.shares import Share
from quorum.tables import Table
from quorum.zones import Home

_PEOPLE = ("person_key", "person_n", "member_key", "member_id", "subject_key")
_BLOCKS = 20


def people_metric(table: Table) -> str | None:
    """Return the metric that counts the people of a table; None where no column of it stands for a person."""
    columns = {column.name for column in table.columns}
    return next((f"distinct_n({name})" for name in _PEOPLE if name in columns), None)


def page_links(home: Home, table: str, night: date) -> dict[str, dg.MetadataValue[Any]]:
    """Return the pages about a table of a night; they lie in the home, and Dagster shows where.

    Args:
        home: the run-time state.
        table: the table.
        night: the night.
    """
    return {
        "data_docs": dg.MetadataValue.path(f"{docs_page(home.docs, night)}#{table}"),
        "lineage_page": dg.MetadataValue.path(f"{home.docs / PAGE}#{table}"),
        "night_page": dg.MetadataValue.path(str(home.docs / "night" / f"{night.isoformat()}.html")),
    }


def packages_pages(home: Home, night: date) -> dict[str, dg.MetadataValue[Any]]:
    """Return the pages about the packages of a night: the night's own, and the dossier of the attacks on them."""
    return {
        name: dg.MetadataValue.path(str(home.docs / folder / f"{night.isoformat()}.html"))
        for name, folder in (("night_page", "night"), ("dossier", "attacks"))
    }


def shares_chart(shares: Sequence[Share]) -> str:
    """Return the shares of what is withheld as a table with bars, in Markdown; pictures are not shown there."""
    lines = ["| report | period | table | family | cells | withheld | |", "|---|---|---|---|---|---|---|"]
    for share in shares:
        cells = share.published + share.withheld
        full = round(_BLOCKS * share.withheld / cells)
        place = f"| {share.report} | {share.kind} | {share.table} | {share.family} "
        bar = "█" * full + "░" * (_BLOCKS - full)
        lines.append(f"{place}| {cells:,} | {100 * share.withheld / cells:.1f} % | {bar} |")
    return "\n".join(lines) + "\n"


def package_links(releases: Sequence[Mapping[str, Any]]) -> str:
    """Return where the pages of released packages lie, in Markdown."""
    lines = ["| recipient | report | period | status | page |", "|---|---|---|---|---|"]
    for release in releases:
        place = f"| {release['recipient_id']} | {release['report']} | {release['period']} | {release['status']} "
        page = "" if release["path"] is None else f"`{release['path']}/report.ja.html`"
        lines.append(f"{place}| {page} |")
    return "\n".join(lines) + "\n"
