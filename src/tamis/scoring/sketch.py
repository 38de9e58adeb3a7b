"""Bounded stand-ins for long or continuous values: signed sketches of many items, and soft histograms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tamis.model.columns import Floats

SKETCH_SIZE = 128
"""Dimensions at most; as many items or fewer keep a dimension each."""

_PLACES = 8
_PLACE_SIZE = SKETCH_SIZE // _PLACES


def sketch_size(n_items: int) -> int:
    """Return the number of dimensions that `n_items` items are given."""
    return min(n_items, SKETCH_SIZE)


def sketch(values: Floats, items: Sequence[int]) -> Floats:
    """Project rows over many items onto a bounded number of dimensions.

    Up to `SKETCH_SIZE` items keep theirs. Beyond, each item has a dimension and a sign in each of 8 groups
    of 16, drawn by a hash of its number, so that it is the same in every run. Distances are kept in
    expectation (Kane & Nelson, "Sparser Johnson-Lindenstrauss Transforms", 2014), within about 10 %; two
    items share all their places with probability 32^-8.

    Args:
        values: shape (n, n_items).
        items: a stable number >= 0 of each item.

    Returns:
        Shape (n, sketch_size(n_items)).
    """
    n_items = len(items)
    if n_items <= SKETCH_SIZE:
        return values
    sketched = np.zeros((len(values), SKETCH_SIZE))
    for place in range(_PLACES):
        code = _hash(np.array(items, np.uint64) * np.uint64(_PLACES) + np.uint64(place))
        dimension = (code % np.uint64(_PLACE_SIZE)).astype(np.int64)
        signs = np.where(code >> np.uint64(63), -1.0, 1.0) / np.sqrt(_PLACES)
        order = np.argsort(dimension, kind="stable")
        used, starts = np.unique(dimension[order], return_index=True)
        sums = np.add.reduceat(values[:, order] * signs[order], starts, axis=1)
        sketched[:, place * _PLACE_SIZE + used] = sums
    return sketched


def soft_bins(positions: Floats, n_bins: int) -> Floats:
    """Spread each position over its two nearest bins, so that a small change stays one.

    Args:
        positions: shape (n,), cut to [0, n_bins - 1]; bin i has its centre at i.
        n_bins: number of bins, >= 2.

    Returns:
        Shape (n, n_bins), rows sum to 1.

    >>> soft_bins(np.array([0.25, 9.0]), 3).tolist()
    [[0.75, 0.25, 0.0], [0.0, 0.0, 1.0]]
    """
    cut = np.clip(positions, 0, n_bins - 1)
    bins: Floats = np.maximum(1 - np.abs(cut[:, None] - np.arange(n_bins)), 0)
    return bins


def unit_rows(values: Floats) -> Floats:
    """Scale rows to length 1; rows of zeros stay."""
    lengths = np.sqrt(np.einsum("ij,ij->i", values, values))
    return values / np.where(lengths > 0, lengths, 1)[:, None]


def _hash(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits of 64-bit numbers (the finalizer of splitmix64; overflow wraps on purpose)."""
    mixed: NDArray[np.uint64] = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return result
