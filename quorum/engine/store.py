"""Partitions as Parquet: plain behind the vault, sealed (AES-GCM modular encryption) in it, each file atomic.

What belongs here: paths, schemas, sealing. What does not: queries.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from quorum.errors import ConfigurationError, LedgerError
from quorum.keys import KeyRing
from quorum.tables import Catalog
from quorum.zones import Home, zone_of

_KEY_NAME = "vault"
OnRead = Callable[[str, str, int], None]


class _LocalKms(pe.KmsClient):  # type: ignore[misc]
    """Wraps data keys with a key derived from the master key; no service is asked."""

    def __init__(self, key: bytes) -> None:
        pe.KmsClient.__init__(self)
        self._key = key

    def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> str:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(12)
        return (nonce + AESGCM(self._key).encrypt(nonce, key_bytes, master_key_identifier.encode())).hex()

    def unwrap_key(self, wrapped_key: str, master_key_identifier: str) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        raw = bytes.fromhex(wrapped_key if isinstance(wrapped_key, str) else wrapped_key.decode("ascii"))
        try:
            return AESGCM(self._key).decrypt(raw[:12], raw[12:], master_key_identifier.encode())
        except InvalidTag:
            raise LedgerError(
                "vault.key", "a vault sealed with another key", "", "give the key it was made with"
            ) from None


class PartitionWriter:
    """Writes one file of a partition in batches; it appears under its name when the context ends without error."""

    def __init__(self, writer: pq.ParquetWriter, schema: pa.Schema) -> None:
        self._writer, self._schema, self.rows = writer, schema, 0

    def write(self, data: pa.Table) -> None:
        """Append rows; columns are taken by name and cast to the contract's types.

        Raises:
            ConfigurationError: a column is missing or has a type that does not cast without loss.
        """
        conformed = conform(data, self._schema)
        self._writer.write_table(conformed)
        self.rows += conformed.num_rows


def conform(data: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the data with exactly the contract's columns, in order and type.

    Raises:
        ConfigurationError: the columns differ or do not cast without loss.
    """
    if set(data.column_names) != set(schema.names):
        difference = sorted(set(data.column_names) ^ set(schema.names))
        raise ConfigurationError("tables.contract", f"columns {difference}", "exactly the contract's columns")
    try:
        return data.select(schema.names).cast(schema)
    except pa.ArrowInvalid:  # its text may quote a value
        raise ConfigurationError("tables.contract", "a column that does not cast to its contract's type") from None


class Store:
    """Reads and writes partitions of the tables of a catalogue.

    Args:
        home: where they lie.
        catalog: their contracts.
        keys: the key ring; the vault's key is derived from it.
        on_read: told purpose, table and rows of every read of a sealed table, before the rows are handed over.
    """

    def __init__(self, home: Home, catalog: Catalog, keys: KeyRing, on_read: OnRead | None = None) -> None:
        self.home, self.catalog, self._on_read = home, catalog, on_read
        vault_key = keys.derive("vault")
        self._factory = pe.CryptoFactory(lambda _: _LocalKms(vault_key))

    @contextmanager
    def writer(self, table: str, night: date, part: str = "part") -> Iterator[PartitionWriter]:
        """Open one file of a partition for writing, ``date=<night>/<part>.parquet``; replaced atomically at the end."""
        contract = self.catalog[table]
        if contract.in_memory:
            raise ConfigurationError("store.in_memory", f"writing {table}", "tables that are kept")
        schema = contract.arrow_schema()
        target = self.home.partition(table, night) / f"{part}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.tmp")
        try:
            with pq.ParquetWriter(
                unfinished, schema, compression="zstd", encryption_properties=self._encryption(table)
            ) as out:
                writer = PartitionWriter(out, schema)
                yield writer
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        unfinished.replace(target)

    def write(self, table: str, night: date, data: pa.Table, part: str = "part") -> int:
        """Write one file of a partition and return its rows."""
        with self.writer(table, night, part) as writer:
            writer.write(data)
        return writer.rows

    def remove(self, table: str, night: date, part: str) -> None:
        """Remove one file of a partition, if it is there."""
        (self.home.partition(table, night) / f"{part}.parquet").unlink(missing_ok=True)

    def nights(self, table: str) -> list[date]:
        """Return the nights of which a table has a partition, in order."""
        found = (
            path.name.removeprefix("date=")
            for path in self.home.table(table).glob("date=*")
            if any(path.glob("*.parquet"))
        )
        return sorted(date.fromisoformat(name) for name in found)

    def files(self, table: str, night: date, window: str = "night") -> list[Path]:
        """Return the files of a window: ``night``, ``previous`` (latest earlier) or ``history`` (up to the night)."""
        if window == "night":
            wanted = [night]
        elif window == "previous":
            wanted = [n for n in self.nights(table) if n < night][-1:]
        else:
            wanted = [n for n in self.nights(table) if n <= night]
        return [path for n in wanted for path in sorted(self.home.partition(table, n).glob("*.parquet"))]

    def read(
        self,
        table: str,
        night: date,
        window: str = "night",
        columns: Sequence[str] | None = None,
        *,
        purpose: str = "INFRA",
    ) -> pa.Table:
        """Return the rows of a window of a table, in the order of nights and files; none without a partition.

        Args:
            table: its name.
            night: the night.
            window: as for `files`.
            columns: the ones to read, in the contract's order; all if None.
            purpose: what the rows are read for; the pipeline itself by default.
        """
        schema = self.catalog[table].arrow_schema()
        empty = schema.empty_table() if columns is None else schema.empty_table().select(columns)
        files = self.files(table, night, window)
        rows = pa.concat_tables([empty, *(self._read_file(table, path, columns) for path in files)])
        self.note(table, rows.num_rows, purpose=purpose)
        return rows

    def open_part(self, table: str, path: Path) -> pq.ParquetFile:
        """Open one file of a table, for an act that goes through every partition; it says what it read by `note`."""
        return pq.ParquetFile(path, decryption_properties=self._decryption(table))

    def note(self, table: str, rows: int, *, purpose: str = "INFRA") -> None:
        """Tell of rows that were read of a sealed table by `open_part`."""
        if self._on_read is not None and zone_of(table).is_sealed:
            self._on_read(purpose, table, rows)

    def _read_file(self, table: str, path: Path, columns: Sequence[str] | None) -> pa.Table:
        return self.open_part(table, path).read(None if columns is None else list(columns))

    def _encryption(self, table: str) -> pe.FileEncryptionProperties | None:
        if not zone_of(table).is_sealed:
            return None
        config = pe.EncryptionConfiguration(
            footer_key=_KEY_NAME, uniform_encryption=True, cache_lifetime=timedelta(minutes=5)
        )
        return self._factory.file_encryption_properties(pe.KmsConnectionConfig(), config)

    def _decryption(self, table: str) -> pe.FileDecryptionProperties | None:
        if not zone_of(table).is_sealed:
            return None
        config = pe.DecryptionConfiguration(cache_lifetime=timedelta(minutes=5))
        return self._factory.file_decryption_properties(pe.KmsConnectionConfig(), config)
