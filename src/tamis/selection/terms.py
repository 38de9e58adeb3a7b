"""What a strategy remembers of the samples selected so far, and what it says of the others.

A term answers for an ascending array `of` of sample indices: `objectives`, of which the product decides, and
`gains`, what each sample would bring by itself. `add` tells it of a selected sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from tamis.selection.balance import BalanceTerm, wanted
from tamis.selection.embeddings import squared_distances, unit_embeddings
from tamis.selection.neighbours import similarity_weights, typicality_weights
from tamis.selection.strategies import Balance, Diversity, Similarity, Typicality, Weights

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from tamis.selection.embeddings import Bools, Floats, Indices
    from tamis.selection.strategies import Embedded

LEAST_OBJECTIVE = 1e-8
ROUNDING = 16 * float(np.finfo(np.float64).eps)
_SUM_ROUNDING = 1e-12

Acting = Weights | Diversity | Similarity | Typicality | Balance


class Term(Protocol):
    """A strategy at work."""

    def objectives(self, of: Indices) -> Floats:
        """Return the objective that each sample would bring about."""

    def gains(self, of: Indices) -> Floats:
        """Return what each sample brings by itself, in the strategy's own unit."""

    def add(self, sample: int) -> None:
        """Count a sample as selected."""

    def refusal(self, sample: int) -> str | None:
        """Return why the run ends before this best candidate, or `None`."""

    def exhaustion(self) -> str | None:
        """Return why the run ends with what is selected, or `None`."""


def make_term(
    strategy: Acting, known: Bools, in_play: Bools, candidate: Bools, *, threads: Executor | None = None
) -> Term:
    """Start a strategy.

    Args:
        strategy: what decides.
        known: (N,) the samples of which the strategy knows something.
        in_play: (N,) the candidates and the pool.
        candidate: (N,) what may be picked.
        threads: which share the search for neighbours.
    """
    if isinstance(strategy, Weights):
        values = np.where(known, strategy.values, 0.0).astype(np.float64)
        return SumTerm(strategy.name, values, values, stop_max_sum=strategy.stop_max_sum)
    if isinstance(strategy, Balance):
        target, rows, _ = wanted(strategy, known & in_play, candidate)
        return BalanceTerm(target, rows)
    points = _Points(strategy, known & in_play)
    if isinstance(strategy, Diversity):
        return DiversityTerm(strategy, points)
    return _near_term(strategy, points, threads)


class _Points:
    """The embeddings in play as unit vectors, and which sample each belongs to.

    Attributes:
        unit: (n_points, d) unit vectors.
        counts: (N,) how many points each sample has.
        has_point: (N,) whether it has any.
    """

    def __init__(self, strategy: Embedded, playing: Bools) -> None:
        n = len(playing)
        owner = np.arange(n) if strategy.owner is None else np.asarray(strategy.owner, np.int64)
        rows = np.flatnonzero(playing[owner])
        self._owner = owner[rows]
        self._starts = np.searchsorted(self._owner, np.arange(n + 1))
        self.unit, _ = unit_embeddings(strategy.embeddings[rows])
        self.counts = np.diff(self._starts)
        self.has_point = self.counts > 0

    def of(self, sample: int) -> range:
        """Return the points of a sample."""
        return range(int(self._starts[sample]), int(self._starts[sample + 1]))

    def sums(self, values: Floats) -> Floats:
        """Sum (n_points,) values for each sample."""
        sums: Floats = np.bincount(self._owner, weights=values, minlength=len(self.counts)).astype(np.float64)
        return sums

    def means(self, values: Floats) -> Floats:
        """Average (n_points,) values for each sample, 0 where it has none."""
        return self.sums(values) / np.maximum(self.counts, 1)

    def maxima(self, values: Floats) -> Floats:
        """Return the largest of (n_points,) values >= 0 for each sample, 0 where it has none."""
        largest = np.zeros(len(self.counts))
        np.maximum.at(largest, self._owner, values)
        return largest


class SumTerm:
    """WEIGHTS, and what counts like it: objective = sum over the selected + own.

    `own` (N,) is what a candidate says, `added` (N,) what it adds when selected, `empty` (N,) whose whole objective
    is the least there is.
    """

    def __init__(
        self,
        name: str,
        own: Floats,
        added: Floats,
        *,
        empty: Bools | None = None,
        stop_max_sum: float | None = None,
        stop_min_own: float | None = None,
    ) -> None:
        self._name = name
        self.own = own
        self.added = added
        self.empty = np.zeros(len(own), bool) if empty is None else empty
        self._max_sum = stop_max_sum
        self._min_own = stop_min_own
        self.total = 0.0

    def part(self, of: Indices) -> SumTerm:
        """Return the term of some of the samples, with the same selected."""
        term = SumTerm(
            self._name,
            self.own[of],
            self.added[of],
            empty=self.empty[of],
            stop_max_sum=self._max_sum,
            stop_min_own=self._min_own,
        )
        term.total = self.total
        return term

    def objectives(self, of: Indices) -> Floats:
        """Return the sum over the selected and each sample."""
        return np.where(self.empty[of], LEAST_OBJECTIVE, self.total + self.own[of])

    def gains(self, of: Indices) -> Floats:
        """Return the samples' own values."""
        return self.own[of]

    def add(self, sample: int) -> None:
        """Add what the sample adds."""
        self.total += float(self.added[sample])

    def refusal(self, sample: int) -> str | None:
        """Compare the best candidate's own value with its limit."""
        if self._min_own is None or self.empty[sample]:
            return None
        own = float(self.own[sample])
        if own >= self._min_own * (1.0 - _SUM_ROUNDING):
            return None
        return f"`{self._name}`: the best candidate's typicality {own:.6g} is below the limit {self._min_own:.6g}"

    def exhaustion(self) -> str | None:
        """Compare the sum with its limit."""
        if self._max_sum is None or self.total < self._max_sum * (1.0 - _SUM_ROUNDING):
            return None
        return f"`{self._name}`: the sum over the selected, {self.total:.6g}, reached the limit {self._max_sum:.6g}"


def _near_term(strategy: Similarity | Typicality, points: _Points, threads: Executor | None) -> SumTerm:
    empty = ~points.has_point if strategy.owner is not None else None
    if isinstance(strategy, Similarity):
        queries, null = unit_embeddings(strategy.queries)
        weights = similarity_weights(points.unit, queries[~null], threads=threads)
        return SumTerm(strategy.name, points.maxima(weights), points.sums(weights), empty=empty)
    weights = typicality_weights(points.unit, strategy.n_neighbours, threads=threads)
    limit = strategy.stop_min_typicality
    own, added = points.means(weights), points.sums(weights)
    return SumTerm(strategy.name, own, added, empty=empty, stop_min_own=limit)


class DiversityTerm:
    """DIVERSITY: squared distances to the nearest selected point, plus those among the selected themselves."""

    def __init__(self, strategy: Diversity, points: _Points) -> None:
        self._name = strategy.name
        self._points = points
        self._limit = strategy.stop_min_distance
        self._of_objects = strategy.owner is not None
        n = len(points.unit)
        self._aligned = not self._of_objects and n == len(points.counts)  # then point i is of sample i
        self._nearest = np.full(n, np.inf)  # squared, to the nearest selected point
        self._among = np.full(n, np.inf)  # of selected points: squared, to the nearest other selected one
        self._selected = np.zeros(n, bool)

    def objectives(self, of: Indices) -> Floats:
        """Return the squared distances among the selected, and to each sample; 1 while nothing is selected."""
        values = self._set_sum() + self.gains(of) if self._selected.any() else np.ones(len(of))
        if self._of_objects:
            values[~self._points.has_point[of]] = LEAST_OBJECTIVE
        return values

    def _set_sum(self) -> float:
        among = self._among[self._selected]
        return 0.0 if len(among) == 1 else float(among.sum())

    def gains(self, of: Indices) -> Floats:
        """Return the mean squared distance to the nearest selected, infinite while nothing is."""
        if self._aligned:
            return self._nearest[of]
        return self._points.means(self._nearest)[of]

    def add(self, sample: int) -> None:
        """Measure every point from the sample's own."""
        for point in self._points.of(sample):
            squares = squared_distances(self._points.unit, self._points.unit[point])
            chosen = self._selected
            self._among[chosen] = np.minimum(self._among[chosen], squares[chosen])
            self._among[point] = self._nearest[point]
            np.minimum(self._nearest, squares, out=self._nearest)
            self._selected[point] = True

    def refusal(self, sample: int) -> str | None:
        """Compare the best candidate's distance with its limit."""
        if self._limit is None or not self._selected.any() or not self._points.has_point[sample]:
            return None
        return too_near(self._name, float(self.gains(np.array([sample]))[0]), self._limit)

    def exhaustion(self) -> str | None:
        """Return `None`: what is selected ends no run."""
        return None


def too_near(name: str, square: float, limit: float | None) -> str | None:
    """Say why a run of DIVERSITY ends before a candidate at a squared distance, or return `None`."""
    if limit is None or square >= limit**2 * (1.0 - ROUNDING):
        return None
    return (
        f"`{name}`: the best candidate is {square**0.5:.6g} from its nearest selected, "
        f"nearer than the limit {limit:.6g}"
    )
