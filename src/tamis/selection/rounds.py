"""Farthest-first picking in rounds: the picks of the plain loop, for a small part of its distances.

Distances to the selected only ever fall, so an old one is an upper bound. A round brings the samples of the largest
bounds up to date, by matrix products over the picks that they missed, and picks among them for as long as none of
the others can be farther. Products decide nothing within their rounding: there, differences are measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.selection.embeddings import blocks, squared_distances
from tamis.selection.terms import ROUNDING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tamis.selection.embeddings import Bools, Floats, Indices

_ROUND = 1024  # samples that a round picks among; measured best of 512 to 8192 at N = 100,000, d = 128
_WIDER = 4  # so many times more are brought up to date at once, for the rounds to come
_PICKS_AT_ONCE = 256
_ROWS_AT_ONCE = 8192
_TOO_MANY = 1 << 16


class TooManyTiesError(Exception):
    """More samples tie than a round can hold: the plain loop does it."""


class FarthestFirst:
    """The candidates of a DIVERSITY that decides alone, and what is selected of them.

    Attributes:
        count: how many samples are selected, the pool included.
        selected: (count, d) their unit vectors in the order of selection.
    """

    def __init__(self, embeddings: NDArray[Any], candidate: Bools, most: int) -> None:
        """Start with nothing selected.

        Args:
            embeddings: (N, d) raw, finite and not zero for every candidate.
            candidate: (N,) what may be picked.
            most: how many samples will be selected at most, the pool included.
        """
        n, width = embeddings.shape
        self._embeddings = embeddings
        self._scales = inverse_lengths(embeddings)
        self._selected = np.empty((most, width))
        self.count = 0
        # Cosines with the nearest of the first `seen` selected, d^2 = 2 - 2 cos; +inf: not to be picked.
        self._cosines = np.where(candidate, -np.inf, np.inf)
        self._seen = np.zeros(n, np.int32)
        self._error = 4.0 * (width + 8) * float(np.finfo(np.float64).eps)
        self._round = np.empty(0, np.int64)
        self._points = np.empty((0, width))
        self._near = np.empty(0)
        self._outside = np.inf
        self._only_duplicates = False  # then they stay at distance 0, whatever is picked

    @property
    def selected(self) -> Floats:
        """Return the selected so far."""
        return self._selected[: self.count]

    def add(self, sample: int) -> None:
        """Count a sample as selected."""
        point = self._selected[self.count]
        np.multiply(self._embeddings[sample], self._scales[sample], out=point)
        self.count += 1
        self._cosines[sample] = np.inf
        if len(self._round):
            np.maximum(self._near, self._points @ point, out=self._near)
            place = int(np.searchsorted(self._round, sample))
            if place < len(self._round) and self._round[place] == sample:
                self._near[place] = np.inf

    def farthest(self, among: float) -> tuple[int, float]:
        """Return the candidate that is farthest from everything selected, ties to the lowest index.

        Args:
            among: the objective's sum over the selected; products within its rounding tie.

        Returns:
            Its index and squared distance.

        Raises:
            TooManyTiesError: when a round cannot hold all that tie.
        """
        if self._only_duplicates:
            return int(np.isfinite(self._cosines).argmax()), 0.0
        slack = self._error + ROUNDING * (among + 4.0)
        best = float(self._near.min(initial=np.inf))
        if not best + slack < self._outside:
            self._start_round(slack)
            best = float(self._near.min())
        places = np.flatnonzero(self._near <= best + slack)
        if len(places) == 1 and 2.0 - 2.0 * best > 1e-3:  # noqa: PLR2004 - above, the product's digits suffice
            return int(self._round[places[0]]), 2.0 - 2.0 * best
        squares = np.array([self._measured(int(place)) for place in places])
        self._only_duplicates = not squares.any()
        limit = squares.max() - ROUNDING * (among + squares.max())
        first = int((squares >= limit).argmax())
        return int(self._round[places[first]]), float(squares[first])

    def _unit(self, samples: Indices) -> Floats:
        return self._embeddings[samples].astype(np.float64) * self._scales[samples, None]

    def _measured(self, place: int) -> float:
        point = self._points[place]
        chosen = self._selected[: self.count]
        near = chosen @ point >= self._near[place] - self._error
        return float(squared_distances(chosen[near], point).min())

    def _start_round(self, slack: float) -> None:
        self._cosines[self._round] = self._near
        self._seen[self._round] = self.count
        if np.isinf(self._cosines.min(initial=np.inf)):
            self._refresh(np.flatnonzero(np.isneginf(self._cosines)), np.inf)
        while True:
            chosen, rest = self._nearest_to_none(_ROUND, 4.0 * slack)
            stale = chosen[self._seen[chosen] < self.count]
            if not len(stale):
                break
            wider, _ = self._nearest_to_none(_WIDER * _ROUND, 0.0)
            self._refresh(
                np.union1d(stale, wider[self._seen[wider] < self.count]), self._fresh_limit() + 4.0 * slack
            )
        self._round, self._outside = chosen, rest
        self._points = self._unit(chosen)
        self._near = self._cosines[chosen]

    def _nearest_to_none(self, size: int, slack: float) -> tuple[Indices, float]:
        """Return, ascending, the `size` samples of the smallest cosines with all that tie, and the next cosine."""
        cosines = self._cosines
        limit = np.partition(cosines, size - 1)[size - 1] if size < len(cosines) else np.inf
        inside = cosines <= limit + slack
        chosen = np.flatnonzero(inside & (cosines < np.inf))
        if len(chosen) > max(_TOO_MANY, _ROUND) and slack:
            raise TooManyTiesError
        return chosen, float(cosines[~inside].min(initial=np.inf))

    def _fresh_limit(self) -> float:
        """Return a cosine above which no sample is among a round's, whatever becomes of the others."""
        fresh = self._cosines[self._seen == self.count]
        return float(np.partition(fresh, _ROUND - 1)[_ROUND - 1]) if len(fresh) > _ROUND else np.inf

    def _refresh(self, samples: Indices, limit: float) -> None:
        for start in range(0, len(samples), _ROWS_AT_ONCE):
            self._refresh_block(samples[start : start + _ROWS_AT_ONCE], limit)

    def _refresh_block(self, samples: Indices, limit: float) -> None:
        """Compare samples with the picks that they missed, each only until its cosine exceeds the limit."""
        points, cosines, seen = self._unit(samples), self._cosines[samples], self._seen[samples]
        for start in range(int(seen.min()), self.count, _PICKS_AT_ONCE):
            end = min(start + _PICKS_AT_ONCE, self.count)
            late = np.flatnonzero((seen >= start) & (seen < end) & (cosines <= limit))
            products = points[late] @ self._selected[start:end].T
            cosines[late] = np.maximum(cosines[late], products.max(axis=1))
            seen[late] = end
        self._cosines[samples] = cosines
        self._seen[samples] = seen


def inverse_lengths(embeddings: NDArray[Any]) -> Floats:
    """Return 1 / |row| of (n, d) rows, 0 for rows that are zero or not finite.

    >>> inverse_lengths(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [0.2, 0.0]
    """
    scales = np.empty(len(embeddings))
    for rows in blocks(*embeddings.shape):
        block = embeddings[rows].astype(np.float64)
        largest = np.abs(block).max(axis=1, initial=0.0)
        usable = np.isfinite(largest) & (largest > 0.0)
        powers = np.frexp(np.where(usable, largest, 1.0))[1]
        np.ldexp(block, -powers[:, None], out=block)
        block[~usable] = 1.0
        lengths = np.sqrt(np.einsum("ij,ij->i", block, block))
        scales[rows] = np.where(usable, np.ldexp(1.0 / lengths, -powers), 0.0)
    return scales


def sums_among(points: Floats, first: int) -> Floats:
    """Return, before each pick, the sum of squared distances from each selected point to its nearest other.

    Args:
        points: (n, d) unit vectors in the order of selection.
        first: how many of them were selected before the first pick.

    Returns:
        (n - first,) sums; 0 while less than two are selected.

    >>> sums_among(np.eye(3), 0).tolist()
    [0.0, 0.0, 4.0]
    """
    nearest = np.full(len(points), np.inf)
    sums = np.zeros(len(points))
    for start in range(0, len(points), _PICKS_AT_ONCE):
        rows = points[start : start + _PICKS_AT_ONCE]
        squares = np.maximum(2.0 - 2.0 * (rows @ points[: start + len(rows)].T), 0.0)
        for offset, row in enumerate(squares):
            n = start + offset
            sums[n] = nearest[:n].sum() if n > 1 else 0.0
            nearest[n] = row[:n].min(initial=np.inf)
            np.minimum(nearest[:n], row[:n], out=nearest[:n])
    return sums[first:]
