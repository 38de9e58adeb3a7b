"""The vectors that are selected, and exact distances to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.selection.among import Among
from tamis.selection.vectors import dot_error, dots_of, nearest_squares, places_in, squares_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tamis.selection.embeddings import Floats
    from tamis.selection.vectors import Singles

_CROWDED = 1 / 16  # of the pairs look near: then products in double precision find the nearest sooner


class Chosen:
    """A growing set of unit vectors."""

    def __init__(self, width: int) -> None:
        self.count = 0
        self._error = dot_error(width, np.float32)
        self._exact = np.zeros((64, width))
        self._fast = np.zeros((64, width), np.float32)
        self._among = Among()

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
        start, end = self.count, self.count + len(units)
        if end > len(self._exact):
            size = max(end, 2 * len(self._exact))
            self._exact, self._fast = _grown(self._exact, size), _grown(self._fast, size)
        self._exact[start:end] = units
        self._fast[start:end] = units
        self.count = end

    def sums_among(self) -> Sequence[float]:
        """Return the sum over the first n of the squared distance to the nearest other, for each n from 0 on."""
        if len(self._among.sums) <= self.count:
            self._among.extend(self.exact, self.fast)
        return self._among.sums

    def nearer_squares(self, units: Floats, most: Floats, of: slice) -> Floats:
        """Return the squared distance of unit vectors to the nearest of some of the chosen, exact to rounding.

        Args:
            units: (n, d).
            most: (n,) what the distance to the nearest of all chosen is at most, squared.
            of: which of the chosen, one at least.

        Returns:
            (n,) the distances as far as they are not above `most`; for others anything above.
        """
        limits = (1.0 - 0.5 * most - 2.0 * self._error).astype(np.float32)
        near = dots_of(units.astype(np.float32), self.fast[of]) >= limits[:, None]
        rows, places = places_in(near)
        if len(rows) > _CROWDED * near.size:
            return nearest_squares(units, self.exact[of])
        found = np.full(len(units), 4.0)
        np.minimum.at(found, rows, squares_at(units, rows, self.exact, of.start + places))
        return found


def _grown(array: NDArray[Any], size: int) -> NDArray[Any]:
    grown = np.zeros((size, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown
