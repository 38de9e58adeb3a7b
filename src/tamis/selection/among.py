"""How far the selected lie from each other: what a DIVERSITY counts besides the distance of the next pick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.selection.vectors import dot_error, dots_of, pair_squares, places_in, squares_at

if TYPE_CHECKING:
    from tamis.selection.embeddings import Bools, Floats, Indices
    from tamis.selection.vectors import Singles

_BLOCK = 256
_FARTHEST = 8.0  # more than any two unit vectors are apart, squared
_CROWDED = 1 / 16  # so many pairs look near that products of all in double precision are done sooner


class Among:
    """The sum over unit vectors of the squared distance to the nearest other, while vectors are added.

    Attributes:
        sums: that of the first n vectors, for each n from 0 on; 0 for fewer than two.
    """

    def __init__(self) -> None:
        self.sums = [0.0]
        self._nearest = np.empty(64)
        self._total = 0.0

    def extend(self, points: Floats, fast: Singles) -> None:
        """Count in the vectors that came after those counted before.

        Args:
            points: (n, d) all unit vectors so far.
            fast: (n, d) the same in float32.
        """
        n = len(points)
        if n > len(self._nearest):
            self._nearest = np.concatenate([self._nearest, np.empty(max(n, len(self._nearest)))])
        while len(self.sums) <= n:
            start = len(self.sums) - 1
            end = min(start + _BLOCK, n)
            self._extend(points[:end], fast[:end], start)

    def _extend(self, points: Floats, fast: Singles, start: int) -> None:
        """Compare each new vector with those before it, where it may be the nearest of either."""
        dots = dots_of(fast[start:], fast)
        for row, own_dots in enumerate(dots, start=start):
            own_dots[row:] = -np.inf  # not with itself, nor with those after it
        own = pair_squares(points[start:], points[dots.argmax(axis=1)])
        if start == 0:
            own[0] = _FARTHEST
        reach = np.concatenate([self._nearest[:start], own])
        slack = 2.0 * dot_error(points.shape[1] + 1, np.float32)  # and the rounding of the limits
        near = dots >= (1.0 - 0.5 * reach - slack).astype(np.float32)
        near |= dots >= (1.0 - 0.5 * own - slack).astype(np.float32)[:, None]
        rows, columns, squares = _pairs(points, start, near)
        np.minimum.at(own, rows, squares)
        nearer = squares < reach[columns]
        pairs = zip(rows[nearer].tolist(), columns[nearer].tolist(), squares[nearer].tolist(), strict=True)
        self._count_in(start, own, list(pairs))

    def _count_in(self, start: int, own: Floats, nearer: list[tuple[int, int, float]]) -> None:
        nearest, total, at = self._nearest, self._total, 0
        for row, square in enumerate(own.tolist()):
            while at < len(nearer) and nearer[at][0] == row:
                _, other, now = nearer[at]
                before = nearest[other]
                if now < before:
                    total += now - before if before < _FARTHEST else now
                    nearest[other] = now
                at += 1
            nearest[start + row] = square
            total += square if square < _FARTHEST else 0.0
            self.sums.append(max(total, 0.0))
        self._total = total


def _pairs(points: Floats, start: int, near: Bools) -> tuple[Indices, Indices, Floats]:
    """Return new vectors, others before them, and the squared distances of those pairs."""
    rows, columns = places_in(near)
    if len(rows) <= _CROWDED * near.size:
        return rows, columns, squares_at(points, start + rows, points, columns)
    squares = np.maximum(2.0 - 2.0 * dots_of(points[start:], points), 0.0)
    return rows, columns, squares[near]
