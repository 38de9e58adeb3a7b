"""Wire entries to columns: flattened a small batch at a time, while they are still in the processor's cache.

Measured in `benchmarks/`: batches of some 50 files are twice as fast as one pass over thousands.
"""

from __future__ import annotations

from math import nan
from struct import pack
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.formats.wire import field_names
from tamis.model import PredictionColumns, Ragged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.model import TaskType
    from tamis.model.columns import Floats, Ints

_NO_BOX = (nan, nan, nan, nan)


class ColumnPacker:
    """Collects entries of one task type as packed bytes, and makes columns of them."""

    def __init__(self, task_type: TaskType) -> None:
        self._fields = frozenset(field_names(task_type))
        self._n = 0
        self._category_id = bytearray()
        self._score = bytearray()
        self._bbox = bytearray()
        self._probabilities = _PackedLists("d")
        self._mask = _PackedLists("q")
        self._keypoints = _PackedLists("d")

    def add(self, entries: Sequence[Any]) -> None:
        """Append entries, all of the task type's struct."""
        n = len(entries)
        self._n += n
        self._category_id += pack(f"{n}q", *[entry.category_id for entry in entries])
        scores = [entry.score for entry in entries]
        if None in scores:
            scores = [nan if score is None else score for score in scores]
        self._score += pack(f"{n}d", *scores)
        self._probabilities.add([entry.probabilities for entry in entries])
        if "bbox" in self._fields:
            boxes: list[float] = []
            for entry in entries:
                boxes += entry.bbox or _NO_BOX
            self._bbox += pack(f"{4 * n}d", *boxes)
        if "segmentation" in self._fields:
            self._mask.add([entry.segmentation for entry in entries])
        if "keypoints" in self._fields:
            self._keypoints.add([entry.keypoints for entry in entries])

    def columns(self, counts: Sequence[int]) -> PredictionColumns:
        """Return what was added as columns.

        Args:
            counts: number of entries of each file; entries were added in the order of files.
        """
        n = self._n
        starts = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(np.array(counts, np.int64), out=starts[1:])
        file: Ints = np.repeat(np.arange(len(counts)), np.diff(starts))
        return PredictionColumns(
            n_files=len(counts),
            file=file,
            position=np.arange(n) - starts[file],
            category_id=np.frombuffer(self._category_id, np.int64),
            score=np.frombuffer(self._score, np.float64),
            bbox=self._boxes(),
            probabilities=self._probabilities.ragged(n),
            mask=self._mask.ragged(n),
            keypoints=self._keypoints.ragged(n),
        )

    def _boxes(self) -> Floats:
        if "bbox" in self._fields:
            return np.frombuffer(self._bbox, np.float64).reshape(-1, 4)
        return np.full((self._n, 4), np.nan)


class _PackedLists:
    """A ragged column while it is collected."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._values = bytearray()
        self._lengths = bytearray()

    def add(self, rows: list[Sequence[float] | None]) -> None:
        present = [row for row in rows if row is not None]
        if len(present) == len(rows):
            lengths = list(map(len, present))
        else:
            lengths = [-1 if row is None else len(row) for row in rows]
        values: list[float] = []
        for row in present:
            values += row
        self._values += pack(f"{len(values)}{self._kind}", *values)
        self._lengths += pack(f"{len(rows)}q", *lengths)

    def ragged(self, n: int) -> Ragged:
        """Return the column; one that was never filled is null in all `n` rows."""
        values = np.frombuffer(self._values, np.dtype(self._kind))
        if not self._lengths:
            return Ragged(values, np.full(n, -1, np.int64))
        return Ragged(values, np.frombuffer(self._lengths, np.int64))
