"""Distances to a growing set of chosen vectors, measured no earlier than they are needed.

The squared distance to the nearest chosen vector only falls while vectors are added, so a stale value is an upper
bound of the true one. `LazyDistances` keeps such bounds, tightens them with matrix products in float32 whose error
it adds, and measures in float64, as sums of squared differences, the few that decide.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.selection.chosen import Chosen
from tamis.selection.regions import Regions
from tamis.selection.threads import even_blocks
from tamis.selection.vectors import dot_error, largest_dots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from tamis.selection.embeddings import Bools, Floats, Indices
    from tamis.selection.vectors import Singles, Vectors

_BLOCK_ROWS = 512
_CHUNK_CHOSEN = 512  # with a block of rows: products that stay in the cache
_CHUNK_EXACT = 4096
_MOST = 0.8


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
        self._owner = np.repeat(np.arange(len(self._counts)), self._counts)
        self._single = bool((self._counts == 1).all())
        self.empty: Bools = self._counts == 0
        self.upper = np.where(self.empty, 0.0, 4.0)
        n_vectors, width = int(starts[-1]), vectors.shape[1]
        self._regions = Regions(vectors, usable)
        self.chosen = Chosen(width)
        self._bounds = self.upper if self._single else np.full(n_vectors, 4.0)
        self._exact = np.full(n_vectors, 4.0)
        # How many of the chosen vectors a bound, and an exact distance, takes into account.
        self._seen = np.zeros(len(self._counts), np.int32)
        self._exact_seen = np.zeros(len(self._counts), np.int32)
        self._error = 2.0 * dot_error(width, np.float32)

    def rows(self, of: Indices) -> Indices:
        """Return the rows of the vectors of some samples."""
        return of if self._single else rows_of(self._starts, of)

    def units_of(self, sample: int) -> Floats:
        """Return the vectors of a sample, (n, d) in float64."""
        return self._vectors.exact(slice(self._starts[sample], self._starts[sample + 1]))

    def ends(self, of: Indices) -> Indices:
        """Return where the vectors of each of some samples end among those of all of them, (n,)."""
        return np.cumsum(self._counts[of])

    def sweep(self) -> None:
        """Take into account, in the bounds of all samples, the chosen vectors that lie near to each."""
        self._regions.learn(self.chosen.fast)
        self._share(lambda part: self._lower(*part), self._regions.meet())
        if not self._single:
            self.upper = self._all_means(self._bounds)

    def _lower(self, rows: Indices, chosen: Indices) -> None:
        """Lower the bounds of vectors by the nearest of some chosen vectors."""
        self._lower_to(rows, largest_dots(self._vectors.fast(rows), self.chosen.fast[chosen]))

    def _lower_to(self, rows: Indices, dots: Singles) -> None:
        squares = np.maximum(2.0 - 2.0 * dots.astype(np.float64) + self._error, 0.0)
        self._bounds[rows] = np.minimum(self._bounds[rows], squares)

    def _share(self, work: Callable[[Any], None], parts: Iterable[Any]) -> None:
        deque(map(work, parts) if self._threads is None else self._threads.map(work, parts), maxlen=0)

    def _even_blocks(self, end: int) -> Iterator[slice]:
        return even_blocks(end, _BLOCK_ROWS, self._threads)

    def stale(self, of: Indices) -> Bools:
        """Return which of some samples have a bound that ignores some chosen vector."""
        return self._seen[of] < self.chosen.count

    def refresh(self, of: Indices) -> None:
        """Take all chosen vectors into account in the bounds of some samples."""
        rows, seen = self.rows(of), self._per_row(self._seen, of)
        self._share(lambda block: self._catch_up(rows[block], seen[block]), self._even_blocks(len(rows)))
        self._seen[of] = self.chosen.count
        self._update(of, rows)

    def _catch_up(self, rows: Indices, seen: Indices) -> None:
        units = self._vectors.fast(rows)
        largest = np.full(len(rows), -2.0, np.float32)
        for chunk in _blocks(self.chosen.count, _CHUNK_CHOSEN, start=int(seen.min())):
            which = seen < chunk.stop
            most = np.count_nonzero(which) > _MOST * len(which)
            behind: Bools | slice = slice(None) if most else which  # a copy of most costs more than it saves
            dots = largest_dots(units[behind], self.chosen.fast[chunk])
            largest[behind] = np.maximum(largest[behind], dots)
        self._lower_to(rows, largest)

    def measure(self, of: Indices) -> None:
        """Make the bounds of some samples exact."""
        self.refresh(of[self.stale(of)])
        behind = of[(self._exact_seen[of] < self.chosen.count) & ~self.empty[of]]
        if len(behind):
            rows, seen = self.rows(behind), self._per_row(self._exact_seen, behind)
            self._share(lambda block: self._measure(rows[block], seen[block]), self._even_blocks(len(rows)))
            self.settle(behind, self._exact[rows])

    def gain(self, sample: int) -> float:
        """Return the exact bound of one sample."""
        self.measure(np.array([sample]))
        return float(self.upper[sample])

    def _measure(self, rows: Indices, seen: Indices) -> None:
        units = self._vectors.exact(rows)
        for chunk in _blocks(self.chosen.count, _CHUNK_EXACT, start=int(seen.min())):
            behind = np.flatnonzero((seen < chunk.stop) & (self._exact[rows] > 0.0))
            which = rows[behind]
            squares = self.chosen.nearer_squares(units[behind], self._bounds[which], chunk)
            self._exact[which] = np.minimum(self._exact[which], squares)

    def settle(self, of: Indices, squares: Floats) -> None:
        """Record exact squared distances that were measured elsewhere.

        Args:
            of: samples.
            squares: one for each of their vectors.
        """
        rows = self.rows(of)
        self._exact[rows] = self._bounds[rows] = squares
        self._seen[of] = self._exact_seen[of] = self.chosen.count
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

    def _all_means(self, squares: Floats) -> Floats:
        sums = np.bincount(self._owner, weights=squares, minlength=len(self._counts))
        means: Floats = sums / np.maximum(self._counts, 1)
        return means

    def means(self, of: Indices, squares: Floats) -> Floats:
        """Average values of the vectors of some samples for each sample, 0 where it has none."""
        if self._single:
            return squares
        counts = self._counts[of]
        owner = np.repeat(np.arange(len(of)), counts)
        sums = np.bincount(owner, weights=squares, minlength=len(of))
        means: Floats = sums / np.maximum(counts, 1)
        return means


def starts_of(owner: Indices | None, n: int) -> Indices:
    """Return where the vectors of each of n samples start, and their end, (n + 1,).

    Args:
        owner: the sample of each vector, ascending; `None`: vector i is of sample i.
        n: number of samples.

    >>> starts_of(np.array([0, 2, 2]), 3).tolist()
    [0, 1, 1, 3]
    """
    samples = np.arange(n + 1)
    return samples if owner is None else np.searchsorted(np.asarray(owner, np.int64), samples)


def rows_of(starts: Indices, of: Indices) -> Indices:
    """Return the rows of the vectors of some samples, one sample after the other.

    >>> rows_of(np.array([0, 1, 1, 3]), np.array([1, 2])).tolist()
    [1, 2]
    """
    counts = starts[of + 1] - starts[of]
    ends = np.cumsum(counts)
    within = np.arange(int(ends[-1]) if len(of) else 0) - np.repeat(ends - counts, counts)
    rows: Indices = np.repeat(starts[of], counts) + within
    return rows


def _blocks(end: int, size: int, *, start: int = 0) -> Iterator[slice]:
    for first in range(start, end, size):
        yield slice(first, min(first + size, end))
