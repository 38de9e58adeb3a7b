"""Unit vectors: embeddings of any scale and kind, their products and distances, and what rounding does to those."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.selection.embeddings import unit_embeddings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tamis.selection.embeddings import Bools, Floats, Indices

    Singles = NDArray[np.float32]

_CHUNK_ROWS = 4096
_SANE_LENGTHS = (1e-15, 1e15)  # whose inverses and products float32 holds
_PAIRS = 1 << 14
_BLOCK_ROWS = 1024  # so that the products with 512 others stay in the cache
_SAME = 1e-28  # unit vectors that differ by rounding alone: 1e-14 apart


class Vectors:
    """Embeddings of any scale and float type as unit vectors, without a copy of them all."""

    def __init__(self, embeddings: NDArray[Any]) -> None:
        self._raw = embeddings
        self.shape: tuple[int, int] = (embeddings.shape[0], embeddings.shape[1])
        self._inverse = self._inverse_lengths() if embeddings.dtype == np.float32 else None

    def _inverse_lengths(self) -> Singles | None:
        inverse = np.empty(self.shape[0], np.float32)
        for start in range(0, self.shape[0], _CHUNK_ROWS):
            rows = self._raw[start : start + _CHUNK_ROWS].astype(np.float64)
            lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
            lengths[(lengths == 0.0) | ~np.isfinite(lengths)] = 1.0  # unknown vectors, which nobody asks for
            if not _SANE_LENGTHS[0] < lengths.min() <= lengths.max() < _SANE_LENGTHS[1]:
                return None
            inverse[start : start + _CHUNK_ROWS] = 1.0 / lengths
        return inverse

    def exact(self, rows: Indices | slice) -> Floats:
        """Return some vectors, (n, d) in float64."""
        return unit_embeddings(self._raw[rows])[0]

    def fast(self, rows: Indices) -> Singles:
        """Return some vectors, (n, d) in float32."""
        if self._inverse is None:
            return self.exact(rows).astype(np.float32)
        found: Singles = self._raw.take(rows, axis=0)
        found *= self._inverse[rows][:, None]
        return found


def dot_error(width: int, kind: type[np.floating[Any]]) -> float:
    """Return how far a computed dot product of two unit vectors may be from the true one.

    Args:
        width: number of dimensions.
        kind: the precision in which vectors were rounded, scaled, multiplied and summed.

    The sum of d products of |a_i b_i| <= 1 loses at most d roundings, the vectors themselves five.

    >>> dot_error(123, np.float32) == 128 * 2.0**-24
    True
    """
    return (width + 5) * float(np.finfo(kind).eps) / 2.0


def dots_of(points: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """Return all dot products, (n, m) for (n, d) and (m, d) finite numbers.

    OpenBLAS computes on what lies beside short rows, drops the result, and leaves the flag of an invalid operation.

    >>> dots_of(np.eye(2), np.array([[2.0, 3.0]])).tolist()
    [[2.0], [3.0]]
    """
    with np.errstate(invalid="ignore"):
        dots: NDArray[Any] = points @ others.T
    return dots


def largest_dots(points: Singles, others: Singles) -> Singles:
    """Return the largest dot product of each point with any other, (n,).

    Args:
        points: (n, d).
        others: (m, d), m >= 1.

    >>> largest_dots(np.eye(2, dtype=np.float32), np.array([[2.0, 3.0], [4.0, 1.0]], np.float32)).tolist()
    [4.0, 3.0]
    """
    largest = np.empty(len(points), np.float32)
    for start in range(0, len(points), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        dots_of(points[rows], others).max(axis=1, out=largest[rows])
    return largest


def pair_squares(points: Floats, others: Floats) -> Floats:
    """Return the squared distance of each unit vector to its other, 0 where rounding alone tells them apart.

    Args:
        points: (n, d).
        others: (n, d).

    >>> pair_squares(np.eye(2), np.array([[1.0, 0.0], [1.0, 0.0]])).tolist()
    [0.0, 2.0]
    """
    difference = points - others
    squares: Floats = np.einsum("ij,ij->i", difference, difference)
    squares[squares < _SAME] = 0.0
    return squares


def squares_at(points: Floats, rows: Indices, others: Floats, columns: Indices) -> Floats:
    """Return the squared distances of some pairs, (n,).

    Args:
        points: (n_points, d) unit vectors.
        rows: (n,) which of them.
        others: (n_others, d) unit vectors.
        columns: (n,) which of those.

    >>> squares_at(np.eye(2), np.array([0, 0]), np.eye(2), np.array([0, 1])).tolist()
    [0.0, 2.0]
    """
    squares = np.empty(len(rows))
    for start in range(0, len(rows), _PAIRS):
        part = slice(start, start + _PAIRS)
        squares[part] = pair_squares(points[rows[part]], others[columns[part]])
    return squares


def places_in(table: Bools) -> tuple[Indices, Indices]:
    """Return rows and columns of what is true, row by row; sooner than `np.nonzero` where that is little.

    >>> [places.tolist() for places in places_in(np.array([[False, True], [True, False]]))]
    [[0, 1], [1, 0]]
    """
    rows, columns = np.divmod(np.flatnonzero(table), max(table.shape[1], 1))
    return rows, columns


def nearest_squares(units: Floats, others: Floats) -> Floats:
    """Return the squared distance of each unit vector to its nearest other one, exact to rounding.

    A matrix product finds who may be the nearest, differences then measure those: duplicates are at 0.

    Args:
        units: (n, d).
        others: (m, d), m >= 1.

    >>> nearest_squares(np.eye(2), np.array([[1.0, 0.0], [0.6, 0.8]])).round(6).tolist()
    [0.0, 0.4]
    """
    dots = dots_of(units, others)
    places = dots.argmax(axis=1)
    found = pair_squares(units, others[places])
    slack = 2.0 * dot_error(units.shape[1], np.float64)
    near = dots >= dots[np.arange(len(units)), places][:, None] - slack
    near[np.arange(len(units)), places] = False
    near[found == 0.0] = False  # nothing is nearer
    rows, columns = places_in(near)
    np.minimum.at(found, rows, squares_at(units, rows, others, columns))
    return found
