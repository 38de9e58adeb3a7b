"""Writing one shard: Parquet files that nobody changes afterwards."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from tamis.index.manifest import Shard
from tamis.index.tables import Column, to_batch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tamis.index.manifest import Manifest

# Of 100k files: no compression .25 s and 125 MB, lz4 .45 s and 68 MB, zstd .6-.75 s and 52 MB.
_COMPRESSION = "lz4"
# File systems take names of up to 255 bytes.
_LONGEST_NAME = 160


def table_path(shard: Path, table: str) -> Path:
    """Return the file of a shard's table; a task's name becomes safe for every file system and glob."""
    name = quote(table, safe="")
    if len(name) > _LONGEST_NAME:
        name = name[:_LONGEST_NAME] + hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
    return shard.with_name(f"{shard.name}.{name}.parquet")


def shard_files(manifest: Manifest) -> set[str]:
    """Return the files that a snapshot refers to, as keys below the folder of the index."""
    return {
        table_path(Path("shards") / shard.id, table).as_posix()
        for shard in manifest.shards
        for table in shard.tables
    }


class ShardWriter:
    """Collects rows table by table. Nothing refers to the files before the snapshot is committed.

    Args:
        folder: where the files go; it must exist.
        shard_id: its id in the manifest; the last part names the files.
        schemas: columns of every table that `add` may be given.
    """

    def __init__(self, folder: Path, shard_id: str, schemas: Mapping[str, pa.Schema]) -> None:
        self._base = folder / shard_id.rsplit("/", 1)[-1]
        self._id = shard_id
        self._schemas = schemas
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._n_units = 0

    def add(self, table: str, columns: Mapping[str, Column]) -> None:
        """Append rows; a table without rows gets no file."""
        batch = to_batch(self._schemas[table], columns)
        if table == "units":
            self._n_units += batch.num_rows
        if batch.num_rows == 0:
            return
        if table not in self._writers:
            self._writers[table] = self._open(table)
        self._writers[table].write_batch(batch)

    def close(self) -> Shard:
        """Finish the files and return what the manifest says of them."""
        for writer in self._writers.values():
            writer.close()
        return Shard(id=self._id, n_units=self._n_units, tables=frozenset(self._writers))

    def _open(self, table: str) -> pq.ParquetWriter:
        schema = self._schemas[table]
        repeating = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        return pq.ParquetWriter(
            table_path(self._base, table), schema, compression=_COMPRESSION, use_dictionary=repeating
        )
