"""All samples of a snapshot by key, as memory-mapped columns: a sample's *number* is its place here."""

from __future__ import annotations

from bisect import bisect_left
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tamis.index.snapshot import Snapshot
    from tamis.model.columns import Bools, Floats, Ints

_FILE = "samples.arrow"
_THREADS = 2
_FEW = 1_000  # 20 us each; hashing a million keys takes .2 s
_COLUMNS = ["key", "kind", "video", "frame", "width", "height", "size_bytes"]


@dataclass(frozen=True, slots=True, eq=False)
class SampleTable:
    """The table `samples` in the order of keys, and in which shard each sample's rows are.

    Attributes:
        keys: ascending by bytes of UTF-8, shape (N,).
        table: columns `kind`, `video`, `frame`, `width`, `height`, `size_bytes` and `shard`.
    """

    keys: pa.LargeStringArray
    table: pa.Table

    def __len__(self) -> int:
        return len(self.keys)

    def number(self, key: str) -> int | None:
        """Return the number of a sample, `None` where there is none of that key."""
        wanted = key.encode()
        at = bisect_left(range(len(self)), wanted, key=lambda i: self.keys[i].as_py().encode())
        return at if at < len(self) and self.keys[at].as_py() == key else None

    def numbers(self, keys: Sequence[str] | pa.Array) -> Ints:
        """Return the numbers of those keys that are samples, in their order, each once."""
        if isinstance(keys, pa.Array):
            at = pc.index_in(pc.unique(keys), value_set=self.keys)
            return np.asarray(at.drop_null().to_numpy(), np.int64)
        wanted = list(dict.fromkeys(keys))
        if len(wanted) <= _FEW:
            found = (self.number(key) for key in wanted)
            return np.array([number for number in found if number is not None], np.int64)
        at = pc.index_in(pa.array(wanted, pa.large_string()), value_set=self.keys)
        return np.asarray(at.drop_null().to_numpy(), np.int64)

    def names(self, numbers: Sequence[int] | Ints) -> list[str]:
        """Return the keys of some samples."""
        names: list[str] = self.keys.take(pa.array(numbers, pa.int64())).to_pylist()
        return names

    def rows(self, numbers: Sequence[int] | Ints) -> list[dict[str, Any]]:
        """Return the columns of some samples, a mapping each."""
        rows: list[dict[str, Any]] = self.table.take(pa.array(numbers, pa.int64())).to_pylist()
        return rows

    def values(self, column: str) -> Floats:
        """Return a numeric column, NaN where it is not known; shape (N,)."""
        values = self.table[column].cast(pa.float64(), safe=False)
        return np.asarray(values.to_numpy(zero_copy_only=False), np.float64)

    def codes(self, column: str) -> tuple[NDArray[np.int32], list[str]]:
        """Return `kind` or `video` as numbers, -1 where there is none, and what each number stands for."""
        words = self.table[column].combine_chunks()
        if not len(self):
            return np.zeros(0, np.int32), []
        codes = words.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return np.asarray(codes, np.int32), words.dictionary.to_pylist()

    def with_text(self, text: str) -> Bools:
        """Return which keys hold a text in upper or lower case, shape (N,)."""
        found = pc.match_substring(self.keys, text, ignore_case=True)
        return np.asarray(found.to_numpy(zero_copy_only=False), np.bool_)

    def of_video(self, video: str) -> Ints:
        """Return the numbers of the frames of a video, by frame."""
        at = np.flatnonzero(np.asarray(pc.fill_null(pc.equal(self.table["video"], video), False)))
        frames = self.table["frame"].take(pa.array(at)).to_numpy()
        return np.asarray(at[np.argsort(frames, kind="stable")], np.int64)


def build_samples(snapshot: Snapshot, folder: Path) -> None:
    """Write the samples of a snapshot into a folder, sorted by key."""

    def read(number: int) -> pa.Table:
        part = snapshot.shard_table(snapshot.manifest.shards[number], "samples", _COLUMNS)
        return part.append_column("shard", pa.array(np.full(part.num_rows, number, np.int32)))

    numbers = [i for i, shard in enumerate(snapshot.manifest.shards) if "samples" in shard.tables]
    with ThreadPoolExecutor(_THREADS) as pool:
        parts = list(pool.map(read, numbers))
    empty = snapshot.empty("samples").select(_COLUMNS).append_column("shard", pa.array([], pa.int32()))
    table = pa.concat_tables(parts or [empty]).unify_dictionaries().combine_chunks()
    # Offsets of 32 bits would end at 2 GiB of keys.
    table = table.set_column(0, "key", table["key"].cast(pa.large_string()))
    table = table.take(pc.sort_indices(table["key"])).combine_chunks()
    with pa.OSFile(str(folder / _FILE), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def open_samples(folder: Path) -> SampleTable:
    """Map the samples of a folder."""
    table = pa.ipc.open_file(pa.memory_map(str(folder / _FILE))).read_all()
    keys = table["key"].combine_chunks()
    if isinstance(keys, pa.ChunkedArray):  # of a table without rows
        keys = pa.array([], pa.large_string())
    return SampleTable(keys, table.drop_columns("key"))
