"""One hash for each table of an index: two indexes of the same files have the same, wherever the files lie."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from tamis.index import Snapshot

PLACE_AND_TIME = frozenset({"mtime_ns", "fingerprint"})
"""Columns that no two places share: the times of change, and the hash of a unit's names, sizes and times."""


def table_hashes(snapshot: Snapshot) -> dict[str, str]:
    """Return the SHA-256 of each table, by its name: of its Parquet files' rows as they stand, one after the other.

    All columns are in it but `PLACE_AND_TIME`: names, types and values, floats to their last digit.
    """
    shards = snapshot.manifest.shards
    assert not snapshot.manifest.dead, "an index that was scanned once has no dead rows"
    hashes = {name: hashlib.sha256() for shard in shards for name in shard.tables}
    for shard in shards:
        for name in sorted(shard.tables):
            table = pq.read_table(snapshot.table_file(shard, name))
            kept = table.drop_columns([column for column in table.column_names if column in PLACE_AND_TIME])
            hashes[name].update(repr((kept.schema.names, kept.schema.types)).encode())
            for row in kept.to_pylist():
                hashes[name].update(repr(row).encode())
    return {name: digest.hexdigest() for name, digest in hashes.items()}
