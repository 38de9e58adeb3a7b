"""The vectors that are selected, and exact distances to them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from tamis.selection.embeddings import Floats

    Singles = NDArray[np.float32]

_PAIRS = 1 << 14
_CROWD = 16
_BLOCK_POINTS = 256
_BLOCK_ROWS = 1024  # so that the products with 512 others stay in the cache
_SAME = 1e-28  # unit vectors that differ by rounding alone: 1e-14 apart


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


class Chosen:
    """A growing set of unit vectors."""

    def __init__(self, width: int) -> None:
        self.count = 0
        self._exact = np.zeros((64, width))
        self._fast = np.zeros((64, width), np.float32)
        self._among = np.empty(64)  # squared distance to the nearest other, of the first `_settled`
        self._settled = 0

    @property
    def exact(self) -> Floats:
        """All vectors, (count, d) in float64."""
        return self._exact[: self.count]

    @property
    def fast(self) -> Singles:
        """All vectors, (count, d) in float32."""
        return self._fast[: self.count]

    def add(self, units: Floats) -> None:
        """Add (n, d) unit vectors."""
        end = self.count + len(units)
        if end > len(self._exact):
            size = max(end, 2 * len(self._exact))
            self._exact, self._fast = _grown(self._exact, size), _grown(self._fast, size)
            self._among = _grown(self._among, size)
        self._exact[self.count : end] = units
        self._fast[self.count : end] = units
        self.count = end

    def nearest_squares(self, units: Floats, start: int, end: int) -> Floats:
        """Return the squared distance of unit vectors to the nearest of some of the chosen, exact to rounding.

        Single precision finds who may be the nearest; where those are many, double precision finds fewer.

        Args:
            units: (n, d).
            start: index of the first of the chosen.
            end: index after the last of them, at least one.
        """
        slack = 2.0 * dot_error(units.shape[1] + 1, np.float32)  # and the rounding of the limit
        dots = dots_of(units.astype(np.float32), self._fast[start:end])
        near = dots >= dots.max(axis=1, keepdims=True) - np.float32(slack)
        crowded = np.count_nonzero(near, axis=1) > _CROWD
        near[crowded] = False
        rows, places = np.divmod(np.flatnonzero(near), end - start)
        found = np.full(len(units), 4.0)
        np.minimum.at(found, rows, pair_squares(units[rows], self._exact[start + places]))
        if crowded.any():
            found[crowded] = nearest_squares(units[crowded], self._exact[start:end])
        return found

    def sum_among(self) -> float:
        """Return the sum over all of the squared distance to the nearest other, 0 for fewer than two."""
        step = max(1, (1 << 22) // max(self.count, 1))
        while self._settled < self.count:
            self._settle(min(self._settled + step, self.count))
        return float(self._among[: self.count].sum()) if self.count > 1 else 0.0

    def _settle(self, end: int) -> None:
        start, self._settled = self._settled, end
        dots = dots_of(self._exact[start:end], self._exact[:end])
        dots[np.arange(end - start), np.arange(start, end)] = -np.inf
        squares = np.maximum(2.0 - 2.0 * dots, 0.0)
        self._among[start:end] = squares.min(axis=1)
        np.minimum(self._among[:start], squares[:, :start].min(axis=0), out=self._among[:start])


def sums_among(points: Floats, *, threads: Executor | None = None) -> Floats:
    """Return the sum over the first n points of the squared distance to the nearest other of them, for each n.

    Args:
        points: (m, d) unit vectors.
        threads: which share the work.

    Returns:
        (m + 1,) sums, the first two of them 0.

    >>> sums_among(np.eye(3)).tolist()
    [0.0, 0.0, 4.0, 6.0]
    """
    nearest = np.zeros(len(points))  # halves of squared distances
    sums = np.zeros(len(points) + 1)
    for start in range(0, len(points), _BLOCK_POINTS):
        halves = _half_squares(points[start : start + _BLOCK_POINTS], points[: start + _BLOCK_POINTS], threads)
        for n, row in enumerate(halves, start=start):
            nearest[n] = row[:n].min(initial=2.0)
            np.minimum(nearest[:n], row[:n], out=nearest[:n])
            if n == 1:
                nearest[0] = nearest[1]
            sums[n + 1] = 2.0 * np.add.reduce(nearest[: n + 1]) if n else 0.0
    return sums


def _half_squares(points: Floats, others: Floats, threads: Executor | None) -> Floats:
    halves = np.empty((len(points), len(others)))

    def fill(start: int) -> None:
        part = slice(start, start + _BLOCK_ROWS)
        dots = dots_of(points, others[part])
        np.subtract(1.0, dots, out=dots)
        np.maximum(dots, 0.0, out=halves[:, part])

    starts = range(0, len(others), _BLOCK_ROWS)
    deque(map(fill, starts) if threads is None else threads.map(fill, starts), maxlen=0)
    return halves


def _grown(array: NDArray[Any], size: int) -> NDArray[Any]:
    grown = np.zeros((size, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown


def nearest_squares(units: Floats, chosen: Floats) -> Floats:
    """Return the squared distance of each unit vector to its nearest chosen one, exact to rounding.

    A matrix product finds who may be the nearest, differences then measure those: duplicates are at 0.

    Args:
        units: (n, d).
        chosen: (m, d), m >= 1.

    >>> nearest_squares(np.eye(2), np.array([[1.0, 0.0], [0.6, 0.8]])).round(6).tolist()
    [0.0, 0.4]
    """
    dots = dots_of(units, chosen)
    places = dots.argmax(axis=1)
    found = pair_squares(units, chosen[places])
    slack = 2.0 * dot_error(units.shape[1], np.float64)
    near = dots >= dots[np.arange(len(units)), places][:, None] - slack
    near[np.arange(len(units)), places] = False
    near[found == 0.0] = False  # nothing is nearer
    rows, columns = np.nonzero(near)
    for start in range(0, len(rows), _PAIRS):
        some, others = rows[start : start + _PAIRS], columns[start : start + _PAIRS]
        np.minimum.at(found, some, pair_squares(units[some], chosen[others]))
    return found


def dots_of(points: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """Return all dot products, (n, m) for (n, d) and (m, d) finite numbers.

    OpenBLAS computes on what lies beside short rows, drops the result, and leaves the flag of an invalid operation.

    >>> dots_of(np.eye(2), np.array([[2.0, 3.0]])).tolist()
    [[2.0], [3.0]]
    """
    with np.errstate(invalid="ignore"):
        dots: NDArray[Any] = points @ others.T
    return dots


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
