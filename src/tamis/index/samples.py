"""Columns over all samples of a snapshot, in one order: by key. What scores and selections are computed from."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tamis.model import PredictionColumns, Ragged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tamis.index.manifest import Shard
    from tamis.index.snapshot import Snapshot
    from tamis.model.columns import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class PredictionPart:
    """The predictions of a task in one shard: a sample's are never spread over two.

    Attributes:
        samples: which sample each file is of, as index into all samples; shape (n_files,).
        columns: the predictions, `file` counts within this part.
    """

    samples: Ints
    columns: PredictionColumns


@dataclass(frozen=True, eq=False)
class SampleColumns:
    """All samples of a snapshot, ordered by key (bytes of UTF-8), and what is known of each.

    Attributes:
        snapshot: where the columns are read from.
        known_keys: its sample keys, ascending, where they were sorted already.
    """

    snapshot: Snapshot
    known_keys: pa.Array | None = None
    _rows: dict[str, Ints] = field(default_factory=dict, init=False, repr=False)  # a table's rows: which samples

    def __len__(self) -> int:
        return len(self._arrow_keys)

    @cached_property
    def keys(self) -> list[str]:
        """Sample keys, shape (N,), ascending."""
        keys: list[str] = self._arrow_keys.to_pylist()
        return keys

    def positions(self, keys: pa.Array | Sequence[str]) -> Ints:
        """Return where each key is among all samples, -1 for a key that no sample has."""
        wanted = keys if isinstance(keys, pa.Array | pa.ChunkedArray) else pa.array(keys, pa.string())
        span = self._span(wanted)
        # Those of one shard lie close together: looking among all keys for each shard would cost their square.
        found = pc.index_in(wanted, value_set=self._arrow_keys.slice(span.start, len(span)))
        return np.asarray(pc.add(found, span.start).fill_null(-1).to_numpy(zero_copy_only=False), np.int64)

    def _span(self, wanted: pa.Array | pa.ChunkedArray) -> range:
        """Return where all of the wanted keys are that are there."""
        ends = pc.min_max(wanted)
        low, high = ends["min"].as_py(), ends["max"].as_py()
        if low is None:
            return range(0)
        n, keys = range(len(self)), self._arrow_keys
        first = bisect_left(n, low, key=lambda i: keys[i].as_py())
        return range(first, bisect_right(n, high, key=lambda i: keys[i].as_py()))

    def numbers(self, table: str, column: str) -> Floats:
        """Return a numeric column of `samples`, `metadata` or `sample_scores:TASK`; NaN where there is none."""
        read, rows = self._read(table, column)
        values = np.full(len(self), np.nan)
        values[rows] = read.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return values

    def integers(self, table: str, column: str) -> Ints:
        """Return a column of whole numbers, exact where `numbers` rounds them; 0 where there is none."""
        read, rows = self._read(table, column)
        values = np.zeros(len(self), np.int64)
        values[rows] = read.fill_null(0).cast(pa.int64()).to_numpy(zero_copy_only=False)
        return values

    def labels(self, table: str, column: str) -> list[Any]:
        """Return a column of any type as Python values; `None` where there is none."""
        read, rows = self._read(table, column)
        values = np.full(len(self), None, object)
        values[rows] = np.array([*read.to_pylist(), None], object)[:-1]
        return values.tolist()

    def codes(self, table: str, column: str) -> tuple[NDArray[np.int32], list[str]]:
        """Return labels as numbers, -1 where there is none, shape (N,); and what each number stands for."""
        read, rows = self._read(table, column)
        encoded = pc.dictionary_encode(read.cast(pa.string())).combine_chunks()
        codes = np.full(len(self), -1, np.int32)
        if not len(read):
            return codes, []
        codes[rows] = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return codes, encoded.dictionary.to_pylist()

    def has_file(self, task: str) -> Bools:
        """Return which samples have a valid prediction file of a task."""
        there = np.zeros(len(self), np.bool_)
        there[self._read(f"sample_scores:{task}", "n_predictions")[1]] = True
        return there

    def prediction_parts(self, task: str, *, at: Ints | None = None) -> Iterator[PredictionPart]:
        """Yield the predictions of a task shard by shard, so that memory stays flat.

        Args:
            task: name of the task.
            at: only the files of these samples, `None` for all.
        """
        for shard in self._shards_of(task):
            samples, names = self._files_of(shard, task)
            wanted = None if at is None else np.isin(samples, at)
            if wanted is not None and not wanted.any():
                continue
            columns = self._predictions_of(shard, task, names)
            if wanted is not None:
                columns = _files_only(columns, wanted)
                samples = samples[wanted]
            yield PredictionPart(samples, columns)

    def prediction_part(self, task: str, number: int) -> PredictionPart:
        """Return one of the parts that `prediction_parts` yields, by its place."""
        shard = self._shards_of(task)[number]
        samples, names = self._files_of(shard, task)
        return PredictionPart(samples, self._predictions_of(shard, task, names))

    def part_samples(self, task: str) -> Iterator[Ints]:
        """Yield the samples of each of the parts that `prediction_parts` yields, without reading those."""
        for shard in self._shards_of(task):
            yield self._files_of(shard, task)[0]

    def _shards_of(self, task: str) -> list[Shard]:
        return [shard for shard in self.snapshot.manifest.shards if f"sample_scores:{task}" in shard.tables]

    def _files_of(self, shard: Shard, task: str) -> tuple[Ints, pa.StringArray]:
        """Return the samples that a shard has files of, as index into all samples and by their keys."""
        names = self.snapshot.shard_table(shard, f"sample_scores:{task}", ["sample"])["sample"].combine_chunks()
        return self.positions(names), names

    def _predictions_of(self, shard: Shard, task: str, names: pa.StringArray) -> PredictionColumns:
        predictions = f"predictions:{task}"
        rows = self.snapshot.shard_table(shard, predictions, None) if predictions in shard.tables else None
        return _prediction_columns(self.snapshot.empty(predictions) if rows is None else rows, names)

    def categories(self, task: str) -> tuple[Ints, Ints]:
        """Return the sample and the category id of each prediction of a task, in the order of samples."""
        table = self.snapshot.table(f"predictions:{task}", ["sample", "category_id"])
        words = table["sample"].combine_chunks()
        category = table["category_id"].to_numpy().astype(np.int64)
        if isinstance(words, pa.ChunkedArray):  # of a table without rows
            return np.zeros(0, np.int64), category
        owner = self.positions(words.dictionary)[words.indices.to_numpy(zero_copy_only=False)]
        order = np.argsort(owner, kind="stable")
        return owner[order], category[order]

    @cached_property
    def _arrow_keys(self) -> pa.StringArray:
        if self.known_keys is not None:
            return self.known_keys.cast(pa.string())
        keys = self.snapshot.table("samples", ["key"])["key"]
        return keys.take(pc.sort_indices(keys)).combine_chunks()

    def _read(self, table: str, column: str) -> tuple[pa.ChunkedArray, Ints]:
        if table not in self._rows:
            key = "key" if table == "samples" else "sample"
            self._rows[table] = self.positions(self.snapshot.table(table, [key])[key])
        return self.snapshot.table(table, [column])[column], self._rows[table]


def _prediction_columns(table: pa.Table, files: pa.StringArray) -> PredictionColumns:
    sample = table["sample"].combine_chunks()
    if isinstance(sample, pa.ChunkedArray):  # of a table without rows
        sample = pa.array([], pa.string()).dictionary_encode()
    # The position of each word, then of each row: a word stands for many rows.
    file_of_word = pc.index_in(sample.dictionary, value_set=files).fill_null(-1).to_numpy(zero_copy_only=False)
    file = file_of_word[sample.indices.to_numpy(zero_copy_only=False)] if len(sample) else np.zeros(0, np.int64)
    bbox = [_floats(table[name]) for name in ("bbox_x", "bbox_y", "bbox_width", "bbox_height")]
    return PredictionColumns(
        n_files=len(files),
        file=np.asarray(file, np.int64),
        position=table["position"].to_numpy().astype(np.int64),
        category_id=table["category_id"].to_numpy().astype(np.int64),
        score=_floats(table["score"]),
        bbox=np.stack(bbox, axis=1),
        probabilities=_ragged(table["probabilities"], np.float64),
        mask=_ragged(table["mask"], np.int64),
        keypoints=_ragged(table["keypoints"], np.float64),
    )


def _floats(column: pa.ChunkedArray) -> Floats:
    return np.asarray(column.to_numpy(), np.float64)


def _ragged(column: pa.ChunkedArray, dtype: type) -> Ragged:
    lengths = pc.list_value_length(column).fill_null(-1).to_numpy().astype(np.int64)
    values: NDArray[Any] = np.asarray(pc.list_flatten(column).to_numpy(), dtype)
    return Ragged(values, lengths)


def _files_only(columns: PredictionColumns, wanted: Bools) -> PredictionColumns:
    """Return the predictions of some files, numbered anew."""
    kept = columns.keep(wanted[columns.file])
    number = np.cumsum(wanted) - 1
    return replace(kept, n_files=int(np.count_nonzero(wanted)), file=number[kept.file])
