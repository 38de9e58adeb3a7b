"""Predictions of many files as columns: the reader fills them, the rules check them, the scorers read them.

Nulls: float columns hold NaN (the format allows finite numbers only, so NaN can mean nothing else); ragged
columns hold the length -1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]

NULL_LENGTH = -1


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """A column of lists: all values end to end, and the length of each row (-1: null)."""

    values: NDArray[Any]
    lengths: Ints

    @classmethod
    def from_rows(cls, rows: Sequence[Sequence[float] | None], dtype: type = np.float64) -> Ragged:
        """Build the column from Python rows.

        >>> Ragged.from_rows([[1.0, 2.0], None, []]).lengths.tolist()
        [2, -1, 0]
        """
        lengths = np.array([NULL_LENGTH if row is None else len(row) for row in rows], np.int64)
        flat = [value for row in rows if row is not None for value in row]
        return cls(np.array(flat, dtype), lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def present(self) -> Bools:
        """Which rows are not null, shape (n,)."""
        return self.lengths >= 0

    @property
    def offsets(self) -> Ints:
        """Where each row starts in `values`, and the end of the last: shape (n + 1,)."""
        offsets = np.zeros(len(self.lengths) + 1, np.int64)
        np.cumsum(np.maximum(self.lengths, 0), out=offsets[1:])
        return offsets

    def row(self, i: int) -> NDArray[Any] | None:
        """Return the values of row `i` as a view, or `None` where it is null."""
        if self.lengths[i] < 0:
            return None
        offsets = self.offsets
        return self.values[offsets[i] : offsets[i + 1]]

    def rows(self) -> list[NDArray[Any] | None]:
        """Return all rows as views."""
        offsets = self.offsets.tolist()
        return [
            None if length < 0 else self.values[offsets[i] : offsets[i + 1]]
            for i, length in enumerate(self.lengths.tolist())
        ]

    def row_of_value(self) -> Ints:
        """Return the row that each of `values` belongs to, shape (len(values),)."""
        return np.repeat(np.arange(len(self.lengths)), np.maximum(self.lengths, 0))

    def keep(self, mask: Bools) -> Ragged:
        """Return the rows where `mask` is true."""
        return Ragged(self.values[mask[self.row_of_value()]], self.lengths[mask])


@dataclass(frozen=True, slots=True, eq=False)
class PredictionColumns:
    """The predictions of `n_files` files of one task, row by row in the order of files and lists.

    Attributes:
        n_files: number of files, those without a prediction and those that were dropped included.
        file: which file each prediction is from, 0 <= file < n_files, ascending; shape (n,).
        position: its index in the file's `predictions` list as written (dropped ones leave gaps); shape (n,).
        category_id: shape (n,).
        score: in [0, 1], NaN where null; shape (n,).
        bbox: x, y, width, height in pixels from the top-left corner, a row of NaN where null; shape (n, 4).
        probabilities: one value a category in ascending order of id, null where absent.
        mask: run lengths of the row-major mask, the first of zeros (int64), null where the task has none.
        keypoints: x1, y1, s1, x2, ... in pixels and [0, 1], null where the task has none.
    """

    n_files: int
    file: Ints
    position: Ints
    category_id: Ints
    score: Floats
    bbox: Floats
    probabilities: Ragged
    mask: Ragged
    keypoints: Ragged

    def __len__(self) -> int:
        return len(self.category_id)

    def keep(self, mask: Bools) -> PredictionColumns:
        """Return the predictions where `mask` is true; the number of files stays."""
        if mask.all():
            return self
        return replace(
            self,
            file=self.file[mask],
            position=self.position[mask],
            category_id=self.category_id[mask],
            score=self.score[mask],
            bbox=self.bbox[mask],
            probabilities=self.probabilities.keep(mask),
            mask=self.mask.keep(mask),
            keypoints=self.keypoints.keep(mask),
        )

    def counts(self) -> Ints:
        """Return the number of predictions of each file, shape (n_files,)."""
        return np.bincount(self.file, minlength=self.n_files)
