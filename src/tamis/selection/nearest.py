"""Distances to a growing set of chosen vectors, measured no earlier than they are needed.

The squared distance to the nearest chosen vector only falls while vectors are added, so a stale value is an upper
bound of the true one. `LazyDistances` keeps such bounds, tightens those asked for with a matrix product in float32
whose error it adds, and measures in float64, as sums of squared differences, the few that decide.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.selection.chosen import Chosen, dot_error, largest_dots
from tamis.selection.embeddings import unit_embeddings
from tamis.selection.regions import N_REGIONS, Regions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from tamis.selection.embeddings import Bools, Floats, Indices

    Singles = NDArray[np.float32]

_CHUNK_ROWS = 4096
_CHUNK_EXACT = 2048
_BLOCK_ROWS = 512
_FEW_IN_REGION = 2
_MOST = 0.8
_CHUNK_CHOSEN = 512
_SANE_LENGTHS = (1e-15, 1e15)  # whose inverses and products float32 holds


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


class LazyDistances:
    """Upper bounds of the mean squared distance of each sample's vectors to their nearest chosen one.

    Attributes:
        upper: (N,) the bounds, 4 at the most; samples without a vector have 0.
        chosen: the chosen vectors.
        empty: (N,) which samples have no vector.
    """

    def __init__(
        self, vectors: Vectors, starts: Indices, *, usable: Indices, threads: Executor | None = None
    ) -> None:
        """Start with nothing chosen.

        Args:
            vectors: the vectors of all samples, those of a sample together.
            starts: (N + 1,) where each sample's vectors start.
            usable: indices of the vectors that may be asked for; the others may be anything.
            threads: which share the matrix products.
        """
        self._threads = threads
        self._vectors = vectors
        self._starts = starts
        self._counts = np.diff(starts)
        self._single = bool((self._counts == 1).all())
        self.empty: Bools = self._counts == 0
        self.upper = np.where(self.empty, 0.0, 4.0)
        self.chosen = Chosen(vectors.shape[1])
        n_vectors = int(starts[-1])
        self._bounds = self.upper if self._single else np.full(n_vectors, 4.0)
        self._exact = np.full(n_vectors, 4.0)
        # How many of the chosen vectors a bound takes into account: all up to here; up to here in its own region.
        self._seen = np.zeros(len(self._counts), np.int32)
        self._seen_near = np.zeros(len(self._counts), np.int32)
        self._exact_seen = np.zeros(len(self._counts), np.int32)
        leaders = usable[:: max(1, len(usable) // N_REGIONS)][:N_REGIONS]
        self._regions = Regions(vectors.fast(leaders), n_vectors)
        self._error = 2.0 * dot_error(vectors.shape[1], np.float32)

    def rows(self, of: Indices) -> Indices:
        """Return the rows of the vectors of some samples."""
        if self._single:
            return of
        counts = self._counts[of]
        ends = np.cumsum(counts)
        within = np.arange(int(ends[-1]) if len(of) else 0) - np.repeat(ends - counts, counts)
        rows: Indices = np.repeat(self._starts[of], counts) + within
        return rows

    def add(self, sample: int) -> Floats:
        """Choose all vectors of a sample, and return them, (n, d) in float64."""
        units = self._vectors.exact(slice(self._starts[sample], self._starts[sample + 1]))
        self.chosen.add(units)
        return units

    def loose(self, of: Indices) -> Bools:
        """Return which of some samples have a bound that ignores some chosen vector near to them."""
        return self._seen_near[of] < self.chosen.count

    def approach(self, of: Indices) -> None:
        """Take the chosen vectors into account that lie near to some samples."""
        if self.chosen.count <= _FEW_IN_REGION * N_REGIONS:
            self.refresh(of)
            return
        rows = self.rows(of)
        if len(rows):
            self._compare_near(rows, self._per_row(self._seen_near, of))
        self._seen_near[of] = self.chosen.count
        self._update(of, rows)

    def _compare_near(self, rows: Indices, since: Indices) -> None:
        self._regions.learn(self.chosen.fast)
        unplaced = self._regions.unplaced(rows)
        self._share(self._place, [unplaced[block] for block in _row_blocks(len(unplaced))])
        parts = self._regions.near(rows, since)
        self._share(lambda part: self._compare(rows[part[0]], self.chosen.fast[part[1]]), parts)

    def _place(self, rows: Indices) -> None:
        self._regions.place(rows, self._vectors.fast(rows))

    def stale(self, of: Indices) -> Bools:
        """Return which of some samples have a bound that ignores some chosen vector."""
        return self._seen[of] < self.chosen.count

    def refresh(self, of: Indices) -> None:
        """Take all chosen vectors into account in the bounds of some samples."""
        rows, seen = self.rows(of), self._per_row(self._seen, of)

        def catch_up(block: slice) -> None:
            units, of_block, since = self._vectors.fast(rows[block]), rows[block], seen[block]
            for start in range(int(since.min()), self.chosen.count, _CHUNK_CHOSEN):
                end = min(start + _CHUNK_CHOSEN, self.chosen.count)
                which = since < end
                most = np.count_nonzero(which) > _MOST * len(which)
                behind: Bools | slice = slice(None) if most else which  # a copy of most costs more than it saves
                self._lower(of_block[behind], largest_dots(units[behind], self.chosen.fast[start:end]))

        self._share(catch_up, _row_blocks(len(rows)))
        self._seen[of] = self._seen_near[of] = self.chosen.count
        self._update(of, rows)

    def _compare(self, rows: Indices, others: Singles) -> None:
        self._lower(rows, largest_dots(self._vectors.fast(rows), others))

    def _lower(self, rows: Indices, largest: Singles) -> None:
        squares = np.maximum(2.0 - 2.0 * largest.astype(np.float64) + self._error, 0.0)
        self._bounds[rows] = np.minimum(self._bounds[rows], squares)

    def _share(self, work: Callable[[Any], None], parts: Iterable[Any]) -> None:
        deque(map(work, parts) if self._threads is None else self._threads.map(work, parts), maxlen=0)

    def measure(self, of: Indices) -> None:
        """Make the bounds of some samples exact."""
        behind = of[(self._exact_seen[of] < self.chosen.count) & ~self.empty[of]]
        if len(behind):
            self._measure(behind, self._vectors.exact(self.rows(behind)))

    def _measure(self, of: Indices, units: Floats) -> None:
        rows, seen = self.rows(of), self._per_row(self._exact_seen, of)

        def catch_up(block: slice) -> None:
            for start in range(int(seen[block].min()), self.chosen.count, _CHUNK_EXACT):
                end = min(start + _CHUNK_EXACT, self.chosen.count)
                behind = np.flatnonzero((seen[block] < end) & (self._exact[rows[block]] > 0.0))
                squares = self.chosen.nearest_squares(units[block][behind], start, end)
                which = rows[block][behind]
                self._exact[which] = np.minimum(self._exact[which], squares)

        self._share(catch_up, _row_blocks(len(rows)))
        self.settle(of, self._exact[rows])

    def settle(self, of: Indices, squares: Floats) -> None:
        """Record exact squared distances that were measured elsewhere.

        Args:
            of: samples.
            squares: one for each of their vectors.
        """
        rows = self.rows(of)
        self._exact[rows] = self._bounds[rows] = squares
        self._seen[of] = self._seen_near[of] = self._exact_seen[of] = self.chosen.count
        self._update(of, rows)

    def exact_rows(self, of: Indices) -> tuple[Floats, Floats]:
        """Return the vectors of some samples in float64, and their squared distances as last measured."""
        rows = self.rows(of)
        return self._vectors.exact(rows), self._exact[rows]

    def _per_row(self, values: NDArray[Any], of: Indices) -> NDArray[Any]:
        return values[of] if self._single else np.repeat(values[of], self._counts[of])

    def _update(self, of: Indices, rows: Indices) -> None:
        if not self._single:
            self.upper[of] = self.means(of, self._bounds[rows])

    def means(self, of: Indices, squares: Floats) -> Floats:
        """Average values of the vectors of some samples for each sample, 0 where it has none."""
        if self._single:
            return squares
        counts = self._counts[of]
        owner = np.repeat(np.arange(len(of)), counts)
        sums = np.bincount(owner, weights=squares, minlength=len(of))
        means: Floats = sums / np.maximum(counts, 1)
        return means


def _row_blocks(n: int) -> Iterator[slice]:
    for start in range(0, n, _BLOCK_ROWS):
        yield slice(start, start + _BLOCK_ROWS)
