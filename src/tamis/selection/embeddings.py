"""Embeddings as points on the unit sphere, and exact squared distances between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Indices = NDArray[np.int64]

_BLOCK_ELEMENTS = 1 << 19  # 4 MB of float64: a block and its differences stay in the cache


def unit_embeddings(embeddings: NDArray[Any]) -> tuple[Floats, Bools]:
    """Scale embeddings to length 1.

    Args:
        embeddings: (n, d) finite numbers of any scale.

    Returns:
        (n, d) unit vectors and an (n,) mask of the rows of length zero, whose direction is unknown: they stay zero.

    >>> unit, null = unit_embeddings(np.array([[3.0, 4.0], [0.0, 0.0]]))
    >>> unit.tolist(), null.tolist()
    ([[0.6, 0.8], [0.0, 0.0]], [False, True])
    """
    unit = embeddings.astype(np.float64)
    largest = np.abs(unit).max(axis=1, initial=0.0)
    null = largest == 0.0
    # By powers of two first: the squares of 1e-200 and 1e200 are outside of float64, and this rounds nothing.
    np.ldexp(unit, -np.frexp(largest)[1][:, None], out=unit)
    lengths = np.sqrt(np.einsum("ij,ij->i", unit, unit))
    lengths[null] = 1.0
    unit /= lengths[:, None]
    return unit, null


def squared_distances(points: Floats, point: Floats) -> Floats:
    """Return the squared Euclidean distance of each point to one, as a sum of squared differences.

    Args:
        points: (n, d).
        point: (d,).

    Unlike `|a|^2 + |b|^2 - 2ab` this loses nothing where points are near to each other: duplicates are at 0.

    >>> squared_distances(np.eye(3), np.array([1.0, 0.0, 0.0])).tolist()
    [0.0, 2.0, 2.0]
    """
    distances = np.empty(len(points))
    for rows in blocks(*points.shape):
        difference = points[rows] - point
        np.einsum("ij,ij->i", difference, difference, out=distances[rows])
    return distances


def blocks(n: int, width: int) -> Iterator[slice]:
    """Yield slices over n rows of `width` numbers, each small enough for the cache.

    >>> [rows.start for rows in blocks(3, 1 << 19)]
    [0, 1, 2]
    """
    step = max(1, _BLOCK_ELEMENTS // max(width, 1))
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))
