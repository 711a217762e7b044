"""The form of questions on the page of a night: what it offers as data, and the script that fills it.

What belongs here: what the browser is given. What does not: what can be asked (`pipelines.offered`), the answer
(`quorum.ask`). The script sends nothing: it fills in what opens Dagster's launchpad of the job `ask`, and the command.

Names of campaigns and sections come from others. They reach the page as JSON in which nothing is markup, and the script
puts them there as text alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pipelines.ask_job import ASK, answer
from pipelines.settings import ROOT
from quorum.report.answer import column_name, key_set_of, label_of

if TYPE_CHECKING:
    from quorum.policy import Policy

DAGSTER = "http://127.0.0.1:3000"
LAUNCHPAD = f"/locations/pipelines.definitions/jobs/{ASK}/playground/setup"
"""Where Dagster's server takes ``?config=`` and opens the launchpad with it."""
_SCRIPT = ROOT / "pipelines" / "templates" / "ask_form.js"


@cache
def script() -> Markup:
    """Return the script of the form, which is the same on every page."""
    return Markup(_SCRIPT.read_text(encoding="utf-8"))  # noqa: S704 - our own file


@cache
def script_source() -> str:
    """Return what a Content-Security-Policy must name so that this script runs, and no other."""
    digest = hashlib.sha256(str(script()).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def form_data(policy: Policy, offers: Mapping[str, Any], language: str) -> Markup:
    """Return what the form offers, as JSON that may stand in a page.

    Args:
        policy: labels of reports and categories.
        offers: from `pipelines.offered.all_offered`.
        language: ``ja`` or ``en``.

    Returns:
        Reports with their periods, tables and columns; each different list of categories once, named by its place in
        ``lists``, for sixty periods list much the same.
    """
    from jinja2.utils import htmlsafe_json_dumps

    lists: dict[tuple[str, ...], int] = {}

    def place(categories: Sequence[str]) -> int:
        return lists.setdefault(tuple(categories), len(lists))

    reports = {
        name: {
            "label": policy.reports[name].name_ja if language == "ja" else policy.reports[name].name_en,
            "key": policy.reports[name].key,
            "periods": [
                [period, {table: {column: place(own) for column, own in of.items()} for table, of in tables.items()}]
                for period, tables in periods.items()
            ],
        }
        for name, periods in offers["reports"].items()
    }
    columns = {
        column: None
        for periods in offers["reports"].values()
        for tables in periods.values()
        for of in tables.values()
        for column in of
    }
    categories = {
        column: {
            each.key: label_of(policy, column, each.key, language)
            for each in policy.categories.get(key_set_of(policy, column), ())
        }
        for column in columns
    }
    keys = {
        column: {key: told[language] or key for key, told in named.items()} for column, named in offers["names"].items()
    }
    return htmlsafe_json_dumps(
        {
            "path": LAUNCHPAD,
            "op": answer.name,
            "reports": reports,
            "lists": [list(each) for each in lists],
            "columns": {column: column_name(column, language) for column in columns},
            "labels": {**categories, **keys},
        },
        ensure_ascii=False,
        sort_keys=False,
    )
