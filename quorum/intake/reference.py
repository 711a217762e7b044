"""Reference data, as csv: campaigns, creatives, recipients, hosts, sections; the last list that landed stands.

Every night has a complete partition of each table: the list that landed tonight, else a copy of the night before. So a
night that is run again years later still knows what was booked then.

What belongs here: the fields of the lists. What does not: judging names; what may be published is the release's to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa

from quorum.engine.store import conform
from quorum.intake import fields as f
from quorum.intake.accounting import Accounting, Reason
from quorum.intake.batches import Declared, Format, Tally
from quorum.intake.context import Intake
from quorum.intake.files import Landed, landed_files, line_blocks, record
from quorum.intake.records import look, read_records
from quorum.intake.sealed import SealedLines, sealed_lines
from quorum.policy import Category

SOURCE = "reference"
RECIPIENT_KINDS = ("advertiser", "information_provider", "service_provider", "site")
PRICE_MODELS = ("cpm", "cpc", "cpa")
_FOLDER = "[A-Za-z0-9_-]{1,64}"  # a recipient's id names a folder
_HOST = r"[^\s/@:?#]{1,253}"
_PATH = r"/[^\s?#]{0,999}"
_TARGETS = {
    "target_age_bands": "age_bands",
    "target_genders": "genders",
    "target_prefectures": "prefectures",
    "target_occupations": "occupations",
}


@dataclass(frozen=True)
class Catalogue:
    """One kind of list.

    Args:
        table: where it goes.
        declared: its fields; ``required`` are those by which its header is recognised.
        statement: judges its records.
        key: of the records with the same key the last one stands.
    """

    table: str
    declared: Declared
    statement: str
    key: tuple[str, ...]


def _declared(required: tuple[str, ...], *others: str) -> Declared:
    return Declared(
        fields=(*required, *others),
        formats=frozenset({Format.CSV}),
        required=frozenset(required),
        numbers=frozenset({"booked_impressions", "price_micros"}),
    )


def _name(field: str, *substitutes: str) -> str:
    """A name, or what else names the thing; a report never has an empty cell for one."""
    return f"coalesce({', '.join(f.text(name) for name in (field, *substitutes))})"


CATALOGUES = (
    Catalogue(
        table="pseudo__campaign",
        declared=_declared(
            ("campaign_id", "starts_on"),
            *("recipient_id", "name_ja", "name_en", "ends_on", "booked_impressions", "price_model", "price_micros"),
            *_TARGETS,
        ),
        key=("campaign_id",),
        statement=f.judging_statement(
            prepared={
                "first_day": f.civil_date("starts_on"),
                "last_day": f.civil_date("ends_on"),
                "booked": f.count("booked_impressions"),
                "price": f.count("price_micros"),
            },
            checks=(
                f.missing("campaign_id", "recipient_id", "starts_on", "ends_on"),
                f.missing("booked_impressions", "price_model", "price_micros"),
                f.bad_code("campaign_id"),
                f.bad_code("recipient_id", pattern=_FOLDER),
                f.unread("starts_on", "first_day"),
                f.unread("ends_on", "last_day"),
                f.Check("last_day < first_day", Reason.BAD_VALUE),
                f.unread("booked_impressions", "booked"),
                f.unread("price_micros", "price"),
                f.not_among("price_model", *PRICE_MODELS),
            ),
            columns={
                "campaign_id": "campaign_id",
                "recipient_id": "recipient_id",
                "name_ja": _name("name_ja", "name_en", "campaign_id"),
                "name_en": _name("name_en", "name_ja", "campaign_id"),
                "starts_on": "first_day",
                "ends_on": "last_day",
                "booked_impressions": "booked",
                "price_model": "price_model",
                "price_micros": "price",
                **{field: f.text(field) for field in _TARGETS},
            },
        ),
    ),
    Catalogue(
        table="pseudo__creative",
        declared=_declared(("creative_id", "campaign_id"), "name"),
        key=("creative_id", "campaign_id"),
        statement=f.judging_statement(
            checks=(f.missing("creative_id", "campaign_id"), f.bad_code("creative_id", "campaign_id")),
            columns={
                "creative_id": "creative_id",
                "campaign_id": "campaign_id",
                "name": _name("name", "creative_id"),
            },
        ),
    ),
    Catalogue(
        table="pseudo__recipient",
        declared=_declared(("recipient_id", "kind"), "name_ja", "name_en"),
        key=("recipient_id",),
        statement=f.judging_statement(
            checks=(
                f.missing("recipient_id", "kind"),
                f.bad_code("recipient_id", pattern=_FOLDER),
                f.not_among("kind", *RECIPIENT_KINDS),
            ),
            columns={
                "recipient_id": "recipient_id",
                "kind": "kind",
                "name_ja": _name("name_ja", "name_en", "recipient_id"),
                "name_en": _name("name_en", "name_ja", "recipient_id"),
            },
        ),
    ),
    Catalogue(
        table="pseudo__first_party_host",
        declared=_declared(("host",)),
        key=("host",),
        statement=f.judging_statement(
            checks=(f.missing("host"), f.bad_code("host", pattern=_HOST)), columns={"host": "lower(host)"}
        ),
    ),
    Catalogue(
        table="pseudo__section",
        declared=_declared(("path_prefix", "section_id"), "recipient_id", "name_ja", "name_en"),
        key=("path_prefix",),
        statement=f.judging_statement(
            checks=(
                f.missing("path_prefix", "section_id", "recipient_id"),
                f.bad_code("section_id"),
                f.bad_code("recipient_id", pattern=_FOLDER),
                f.bad_code("path_prefix", pattern=_PATH),
            ),
            columns={
                "path_prefix": "path_prefix",
                "section_id": "section_id",
                "recipient_id": "recipient_id",
                "name_ja": _name("name_ja", "name_en", "section_id"),
                "name_en": _name("name_en", "name_ja", "section_id"),
            },
        ),
    ),
)


def take_in_reference(intake: Intake, night: date) -> list[Accounting]:
    """Take in the night's lists into the five tables of `CATALOGUES`.

    A list is recognised by its header. The last one of its kind stands, whole: what it does not name is gone. Of
    records with the same key the last one stands, the others count as duplicates. A list without a single good record
    among its records does not stand.

    Args:
        intake: the surroundings.
        night: the night; running it again gives the same partitions.

    Returns:
        The accounting of each file, in order. A list that was delivered before counts as duplicate if it says what
        stands already; one that comes back after another stands again, and is loaded.
    """
    standing = {c.table: intake.store.read(c.table, night, "previous") for c in CATALOGUES}
    accountings = []
    with sealed_lines(intake, SOURCE, night) as sealed:
        for landed in landed_files(intake, SOURCE, night):
            tally = Tally(replace(landed, is_duplicate=False))
            catalogue = _recognise(landed)
            rows = _read(intake, catalogue or CATALOGUES[0], tally, sealed)
            if catalogue is not None and (tally.loaded or not tally.read):
                if landed.is_duplicate and rows.equals(standing[catalogue.table]):
                    tally.loaded, tally.duplicate = 0, tally.duplicate + tally.loaded
                standing[catalogue.table] = rows
            accountings.append(record(intake, landed, tally.accounting()))
    for table, rows in standing.items():
        intake.store.write(table, night, rows)
    return accountings


def _recognise(landed: Landed) -> Catalogue | None:
    head = b"" if landed.is_truncated else next(line_blocks(landed), b"")
    return next((c for c in CATALOGUES if head and look(head, c.declared) is Format.CSV), None)


def _read(intake: Intake, catalogue: Catalogue, tally: Tally, sealed: SealedLines) -> pa.Table:
    """Return the good records of a list in the order of the file, one for each key."""
    parts = [
        f.judge(intake.engine, catalogue.statement, batch, tally, sealed)
        for batch in read_records(intake, tally, catalogue.declared, sealed)
    ]
    schema = intake.store.catalog[catalogue.table].arrow_schema()
    rows = pa.concat_tables([schema.empty_table(), *(conform(part.drop_columns(["line_n"]), schema) for part in parts)])
    last = {key: n for n, key in enumerate(zip(*(rows[name].to_pylist() for name in catalogue.key), strict=True))}
    tally.loaded += len(last)
    tally.duplicate += rows.num_rows - len(last)
    rows = rows.take(pa.array(sorted(last.values()), pa.int64())).combine_chunks()
    for name, key_set in _TARGETS.items():
        if name in rows.column_names:
            targets = [_as_keys(text, intake.policy.categories[key_set]) for text in rows[name].to_pylist()]
            rows = rows.set_column(rows.column_names.index(name), name, pa.array(targets, pa.string()))
    return rows


def _as_keys(targets: str | None, categories: Sequence[Category]) -> str | None:
    """Return a list of targets as keys of the policy; one that is neither key, label nor term stays as it is."""
    keys = {term: c.key for c in categories for term in (*c.terms, c.ja.lower(), c.en.lower(), c.key.lower())}
    items = [] if targets is None else [item.strip() for item in targets.split(";")]
    return ";".join(keys.get(item.lower(), item) for item in items if item) or None
