"""What changed since a snapshot: which units of a listing to read, and which rows of old shards still count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tamis.index.listing import Listing
    from tamis.index.manifest import Shard
    from tamis.index.snapshot import Snapshot

# Shards are never merged in place: one that is mostly dead, or one of many small ones, is read anew instead.
_MOSTLY_DEAD = 0.5
_SMALL_SHARD_UNITS = 1_000
_MANY_SMALL_SHARDS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What to do to get from a snapshot to a listing.

    Attributes:
        to_read: units of the listing to read, ascending.
        shards: those of the snapshot that are kept.
        dead: for each kept shard id its units that no longer count, where there are any.
        n_removed: units of the snapshot that are gone from the listing.
    """

    to_read: NDArray[np.int64]
    shards: tuple[Shard, ...]
    dead: dict[str, list[int]]
    n_removed: int


def all_units(listing: Listing) -> Changes:
    """Return the changes from nothing: everything is to be read."""
    return Changes(np.arange(len(listing)), (), {}, 0)


def find_changes(listing: Listing, base: Snapshot) -> Changes:
    """Compare a stamped listing with a snapshot made with the same settings."""
    old = _OldUnits(base)
    at = pc.index_in(listing.stems, value_set=old.stems).fill_null(-1).to_numpy()
    known = np.flatnonzero(at >= 0)
    same = known[old.fingerprints[at[known]] == listing.fingerprints[known]]
    alive = np.zeros(len(old.stems), np.bool_)
    alive[at[same]] = True
    kept = _without_many_small(
        [shard for shard in base.manifest.shards if not _is_worn(shard, alive[old.rows(shard)])]
    )
    reused = np.zeros(len(old.stems), np.bool_)
    dead = {}
    for shard in kept:
        rows = old.rows(shard)
        reused[rows] = alive[rows]
        gone = [*base.manifest.dead.get(shard.id, ()), *old.unit_numbers(shard)[~alive[rows]].tolist()]
        if gone:
            dead[shard.id] = sorted(gone)
    to_read = np.ones(len(listing), np.bool_)
    to_read[same[reused[at[same]]]] = False
    return Changes(np.flatnonzero(to_read), tuple(kept), dead, len(old.stems) - len(known))


class _OldUnits:
    """The living units of a snapshot, end to end."""

    def __init__(self, snapshot: Snapshot) -> None:
        stems: list[Any] = []
        prints = [np.empty(0, np.uint64)]
        self._numbers: dict[str, NDArray[np.int64]] = {}
        self._rows: dict[str, slice] = {}
        n = 0
        for shard, table in snapshot.units():
            numbers = np.delete(np.arange(table.num_rows), snapshot.manifest.dead.get(shard.id, []))
            living = table.take(pa.array(numbers))
            stems += living["stem"].chunks
            prints.append(living["fingerprint"].to_numpy())
            self._numbers[shard.id] = numbers
            self._rows[shard.id] = slice(n, n + len(numbers))
            n += len(numbers)
        self.stems = pa.chunked_array(stems, pa.string()).combine_chunks()
        self.fingerprints = np.concatenate(prints)

    def rows(self, shard: Shard) -> slice:
        return self._rows[shard.id]

    def unit_numbers(self, shard: Shard) -> NDArray[np.int64]:
        return self._numbers[shard.id]


def _is_worn(shard: Shard, alive: NDArray[np.bool_]) -> bool:
    return bool(np.count_nonzero(alive) <= _MOSTLY_DEAD * shard.n_units)


def _without_many_small(shards: list[Shard]) -> list[Shard]:
    small = [shard for shard in shards if shard.n_units < _SMALL_SHARD_UNITS]
    if len(small) < _MANY_SMALL_SHARDS:
        return shards
    return [shard for shard in shards if shard.n_units >= _SMALL_SHARD_UNITS]
