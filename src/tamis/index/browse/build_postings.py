"""Writes the postings of a task: for each category its samples, and its rows by score."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    from numpy.typing import NDArray

    from tamis.model.columns import Floats, Ints


def save_postings(
    folder: Path,
    category: NDArray[np.uint16],
    score: Floats,
    counts: Ints,
    n_categories: int,
    pool: ThreadPoolExecutor,
) -> None:
    """Write the postings of the rows of a task.

    Args:
        folder: where to.
        category: of each row, shape (n,).
        score: of each row, NaN where there is none, shape (n,).
        counts: rows of each sample, shape (N,); rows lie sample by sample.
        n_categories: how many there are.
        pool: threads that sort.
    """
    sample = np.repeat(np.arange(len(counts), dtype=np.uint32), counts)
    starts = np.zeros(n_categories + 1, np.int64)
    np.cumsum(np.bincount(category, minlength=n_categories), out=starts[1:])
    row = np.argsort(category, kind="stable").astype(np.uint32)
    _save_pairs(folder, sample[row], category[row], starts)

    def sort(ends: tuple[int, int]) -> None:
        part = row[slice(*ends)]
        part[:] = part[np.argsort(score[part], kind="stable")]  # NaN sorts last

    list(pool.map(sort, pairwise(starts.tolist())))
    np.save(folder / "posting_starts.npy", starts)
    np.save(folder / "posting_row.npy", row)
    np.save(folder / "posting_score.npy", score[row])
    np.save(folder / "posting_sample.npy", sample[row])


def _save_pairs(folder: Path, sample: NDArray[np.uint32], category: NDArray[np.uint16], starts: Ints) -> None:
    """Write each pair of category and sample once, given the rows by category."""
    is_first = np.ones(len(sample), np.bool_)
    is_first[1:] = (sample[1:] != sample[:-1]) | (category[1:] != category[:-1])
    np.save(folder / "pair_sample.npy", sample[is_first])
    firsts = np.zeros(len(sample) + 1, np.int64)
    np.cumsum(is_first, out=firsts[1:])
    np.save(folder / "pair_starts.npy", firsts[starts])
