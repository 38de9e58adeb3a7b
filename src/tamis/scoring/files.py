"""From predictions to files: sums and maxima over the runs of an ascending `file` column.

Each file's result depends on its own predictions only, to the last bit: it does not matter which other files
were scored with it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from tamis.model import PredictionColumns
    from tamis.model.columns import Floats, Ints

_BLOCK_VALUES = 1 << 14  # of float64: 128 KiB of temporaries stay in the cache


def bin_sums(index: Ints, values: Floats, n_bins: int) -> Floats:
    """Sum values of shape (n,) by the bin that each belongs to, in their order: shape (n_bins,)."""
    return cast("Floats", np.bincount(index, values, n_bins))  # numpy's stubs forget the weights' type


def sum_by_file(columns: PredictionColumns, values: Floats) -> Floats:
    """Sum values of shape (n,) over each file's predictions: shape (n_files,), 0 for none."""
    return bin_sums(columns.file, values, columns.n_files)


def max_by_file(columns: PredictionColumns, values: Floats) -> Floats:
    """Return each file's largest of values >= 0 of shape (n,): shape (n_files,), 0 for none, NaN wins."""
    largest = np.zeros(columns.n_files)
    starts = file_starts(columns.file)
    if len(starts):
        largest[columns.file[starts]] = np.maximum.reduceat(values, starts)
    return largest


def sum_rows(file: Ints, rows: Floats, weights: Floats, n_files: int) -> Floats:
    """Sum the weighted rows of each file's predictions.

    Args:
        file: which file each row is of, ascending; shape (n,).
        rows: shape (n, d).
        weights: shape (n,).
        n_files: number of files.

    Returns:
        Shape (n_files, d), zeros for a file without rows.
    """
    sums = np.zeros((n_files, rows.shape[1]))
    for block in blocks_of_files(file, _BLOCK_VALUES // max(rows.shape[1], 1)):
        starts = file_starts(file[block])
        sums[file[block][starts]] = np.add.reduceat(rows[block] * weights[block, None], starts, axis=0)
    return sums


def file_starts(file: Ints) -> Ints:
    """Return where each file's run of predictions starts, files without predictions left out."""
    return np.flatnonzero(np.diff(file, prepend=-1))


def blocks_of_files(file: Ints, n_rows: int) -> list[slice]:
    """Cut predictions into slices of whole files, each of about `n_rows` predictions and never of none.

    >>> blocks_of_files(np.array([0, 0, 0, 3, 3, 7]), 2)
    [slice(0, 3, None), slice(3, 5, None), slice(5, 6, None)]
    """
    starts = np.append(file_starts(file), len(file))
    wanted = np.arange(0, len(file), max(n_rows, 1))
    edges = np.unique(np.append(starts[np.searchsorted(starts, wanted)], len(file))).tolist()
    return [slice(start, stop) for start, stop in pairwise(edges)]
