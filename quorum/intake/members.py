"""Members, as JSON lines or csv: registrations and changes, sealed; the last version of a member stands.

What belongs here: the fields of a registration, spelt one way at the door. What does not: which attributes may leave
the vault (``pseudo__member``). No field is added here without the policy naming it: a password has no column, so a
file that carries one is quarantined.
"""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from quorum.intake import fields as f
from quorum.intake.accounting import Accounting, Reason
from quorum.intake.batches import Declared, Format, Tally
from quorum.intake.context import Intake
from quorum.intake.erased import of_members, refused
from quorum.intake.files import landed_files, record
from quorum.intake.records import read_records, reject
from quorum.intake.sealed import sealed_lines

SOURCE = "members"
DECLARED = Declared(
    fields=(
        *("member_id", "name", "email", "birth_date", "gender", "postal_code", "address", "phone", "occupation"),
        *("industry", "interests", "nickname", "payment_method", "bank_account", "card_number", "updated_at"),
    ),
    formats=frozenset({Format.JSON, Format.CSV}),
    required=frozenset({"member_id", "updated_at"}),
    lists=frozenset({"interests"}),
)

_TERMS = ("gender", "occupation")
_HYPHENS = r"[-‐‑‒–—―−ー－\s]"  # NFKC leaves most of them, U+2212 and U+30FC among them


def take_in_members(intake: Intake, night: date) -> list[Accounting]:
    """Take in the night's registrations and changes into ``vault__member`` (sealed).

    A record needs ``member_id`` and ``updated_at``. Gender and occupation are brought to NFKC and trimmed, postal
    codes to NFKC without hyphens and spaces; a date of birth that is no date, or lies after the night, is a bad
    value.

    Args:
        intake: the surroundings.
        night: the night; running it again gives the same partition.

    Returns:
        The accounting of each file, in order. Members have no date of an event: nothing is waiting or late.
    """
    tallies = []
    statement = _statement(night)
    with sealed_lines(intake, SOURCE, night) as sealed, intake.store.writer("vault__member", night) as vault:
        for landed in landed_files(intake, SOURCE, night):
            tally = Tally(landed)
            tallies.append(tally)
            for batch in read_records(intake, tally, DECLARED, sealed):
                members = _spelt(f.judge(intake.engine, statement, batch, tally, sealed))
                if intake.erased:
                    is_erased = of_members(intake.erased, members["member_id"])
                    reject(tally, sealed, refused(members, is_erased))
                    members = members.filter(pc.invert(is_erased))
                if members.num_rows:
                    file_n = pa.repeat(pa.scalar(landed.file_n, pa.int32()), members.num_rows)
                    vault.write(members.append_column("file_n", file_n))
                    tally.loaded += members.num_rows
    return [record(intake, tally.landed, tally.accounting()) for tally in tallies]


def _spelt(members: pa.Table) -> pa.Table:
    for name in _TERMS:
        text = pc.utf8_trim_whitespace(pc.utf8_normalize(members[name], form="NFKC"))
        members = members.set_column(members.column_names.index(name), name, text)
    text = pc.utf8_normalize(members["postal_code"], form="NFKC")
    text = pc.replace_substring_regex(text, pattern=_HYPHENS, replacement="")
    return members.set_column(members.column_names.index("postal_code"), "postal_code", text)


def _statement(night: date) -> str:
    typed = {"member_id": "member_id", "birth_date": "born", "updated_at": f.at("at_micros")}
    return f.judging_statement(
        prepared={"at_micros": f.micros("updated_at"), "born": f.civil_date("birth_date")},
        checks=(
            f.missing("member_id", "updated_at"),
            f.bad_instant("at_micros", night),
            f.bad_identity("member_id"),
            f.unread("birth_date", "born"),
            f.Check(f"born > DATE '{night.isoformat()}'", Reason.BAD_VALUE),
        ),
        columns={name: typed.get(name, f.text(name)) for name in DECLARED.fields},
    )
