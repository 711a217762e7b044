"""``quorum policy notice|gaps|clauses``: what the policy says, as pages and lists.

What belongs here: asking the library, printing, writing the notice. What does not: any judgement.
"""

from __future__ import annotations

from pathlib import Path

import click

from quorum.errors import PolicyError, UsageError
from quorum.policy import load_policy
from quorum.policy.diff import announced, changes, documents


def write_notice(folder: Path, old: Path | None, out: Path) -> None:
    """Write ``notice.ja.html`` and ``notice.en.html``.

    Args:
        folder: the policy folder.
        old: the folder of the policy that it replaces; None for the whole policy.
        out: where to; made if missing.

    Raises:
        PolicyError: a material change is not announced as R-02 asks: no notice with a wrong date gets out.
        UsageError: the pages cannot be written there.
    """
    from quorum.report.notice import render_notice

    after, before = documents(folder), None if old is None else documents(old)
    if before is not None:
        wrong = announced(before, after, changes(before, after))
        if wrong:
            raise PolicyError(
                "policy.announce",
                f"a notice of changes that are not announced as R-02 asks: {wrong[0]}",
                "a new version, an effective_on after the old one's, and nothing collected before it for what is new",
                "see `quorum policy diff`",
            )
    pages = render_notice(load_policy(folder), after, before)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, page in pages.items():
            temporary = out / f".{name}.tmp"
            temporary.write_bytes(page)
            temporary.replace(out / name)
            click.echo(str(out / name))
    except OSError:
        raise UsageError("notice.out", "a folder that cannot be written", "--out DIR", "name another") from None
