"""How well a selection covers all samples: distances to the nearest selected one, by budget.

Distances are Euclidean between rows of length 1, 0 to 2; rows are scaled as they are looked at, which a selection
of some of millions does with few of them. The nearest row is found by float32 matrix products, and
its distance is then measured in float64: right to 1e-3 where two rows are nearly equally near, else exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.api.report.values import BudgetRow, Coverage, Curve
from tamis.selection.embeddings import blocks, unit_embeddings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tamis.api.report.distributions import Groups
    from tamis.model.columns import Bools, Floats, Ints

    Vectors = NDArray[np.floating[Any]]

_BLOCK_ROWS = 512
_MEASURE_ROWS = 2048
_DRAWS = 5
_MAX_PAIRS = 3_000_000_000  # pairs of vectors to compare for one curve: some 10 s at 128 dimensions on 2 cores
_MIN_EVALUATED = 1000
_TABLE_SHARES = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
_MIN_BEND = 0.1


@dataclass(slots=True, eq=False)
class _Nearest:
    """For each target row the most similar row seen so far; `advance` shows it more rows."""

    vectors: Vectors
    targets: Ints
    target_vectors: NDArray[np.float32]
    similarity: NDArray[np.float32]
    nearest: Ints
    distance: Floats

    @classmethod
    def of(cls, vectors: Vectors, targets: Ints) -> _Nearest:
        n = len(targets)
        rows = _units(vectors, targets).astype(np.float32)
        return cls(vectors, targets, rows, np.full(n, -np.inf, np.float32), np.full(n, -1), np.full(n, np.nan))

    def copy(self) -> _Nearest:
        return _Nearest(
            self.vectors,
            self.targets,
            self.target_vectors,
            self.similarity.copy(),
            self.nearest.copy(),
            self.distance.copy(),
        )

    def advance(self, rows: Ints, *, except_itself: bool = False) -> None:
        """Take more rows into account; with `except_itself` a row is no neighbour of itself."""
        before = self.nearest.copy()
        for start in range(0, len(rows), _BLOCK_ROWS):
            block = rows[start : start + _BLOCK_ROWS]
            products = self.target_vectors @ _units(self.vectors, block).astype(np.float32).T
            if except_itself:
                products[self.targets[:, None] == block[None, :]] = -np.inf
            best = products.argmax(axis=1)
            similarity = products[np.arange(len(best)), best]
            closer = similarity > self.similarity
            self.similarity[closer] = similarity[closer]
            self.nearest[closer] = block[best[closer]]
        self._measure(np.flatnonzero(self.nearest != before))

    def _measure(self, changed: Ints) -> None:
        for start in range(0, len(changed), _MEASURE_ROWS):
            part = changed[start : start + _MEASURE_ROWS]
            difference = _units(self.vectors, self.targets[part]) - _units(self.vectors, self.nearest[part])
            self.distance[part] = np.sqrt(np.einsum("ij,ij->i", difference, difference))


def _units(vectors: Vectors, rows: Ints) -> Floats:
    return unit_embeddings(vectors[rows])[0]


def is_embedded(vectors: Vectors) -> Bools:
    """Return which rows are not all zeros, shape (N,)."""
    found = np.empty(len(vectors), np.bool_)
    for rows in blocks(*vectors.shape):
        found[rows] = vectors[rows].any(axis=1)
    return found


def nearest_distances(vectors: Vectors, *, samples: Ints, among: Ints) -> Floats:
    """Return the distance of each sample to its nearest *other* one: shape (len(samples),), NaN without one.

    Args:
        vectors: shape (N, d).
        samples: indices of the rows to measure from; shape (n,).
        among: indices of the possible neighbours, without duplicates; shape (m,).

    >>> rows = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    >>> nearest_distances(rows, samples=np.array([0, 1]), among=np.array([0, 1, 2])).round(4).tolist()
    [0.8944, 0.6325]
    """
    state = _Nearest.of(vectors, samples)
    state.advance(among, except_itself=True)
    return state.distance


def distances_by_budget(
    vectors: Vectors, *, evaluated: Ints, order: Ints, pool: Ints, budgets: Sequence[int]
) -> tuple[Floats, Floats]:
    """Return mean and largest distance of the evaluated samples to the nearest of pool and first picks.

    Args:
        vectors: shape (N, d).
        evaluated: indices of the samples that count; shape (m,), m >= 1.
        order: indices in pick order; shape (k,).
        pool: indices selected before the first pick; shape (n_pool,).
        budgets: numbers of picks, ascending, each <= k.

    Returns:
        Two arrays of shape (len(budgets),), NaN while nothing is selected.

    >>> rows = np.eye(2)
    >>> mean, farthest = distances_by_budget(
    ...     rows, evaluated=np.arange(2), order=np.arange(2), pool=np.array([], int), budgets=[0, 1, 2]
    ... )
    >>> mean.round(3).tolist(), farthest.round(3).tolist()
    ([nan, 0.707, 0.0], [nan, 1.414, 0.0])
    """
    state = _Nearest.of(vectors, evaluated)
    state.advance(pool)
    return _walk(state, order, budgets)


def choose_budgets(n_picks: int, *, has_pool: bool) -> tuple[int, ...]:
    """Return at most some 40 budgets up to `n_picks`, dense at the start; 0 only if a pool covers something.

    >>> choose_budgets(5, has_pool=True)
    (0, 1, 2, 3, 4, 5)
    """
    if not n_picks:
        return (0,) if has_pool else ()
    even, growing = np.linspace(1, n_picks, 25), np.geomspace(1, n_picks, 20)
    budgets = np.unique(np.concatenate([even, growing]).round().astype(np.int64)).tolist()
    return (0, *budgets) if has_pool else tuple(budgets)


def find_elbow(budgets: Sequence[int], values: Sequence[float]) -> int | None:
    """Return the budget at which a falling curve lies farthest below its chord, `None` without a clear bend.

    There the slope equals that of the chord: later picks pay less than the average pick.

    >>> find_elbow([0, 10, 20, 30, 40], [1.0, 0.2, 0.15, 0.1, 0.05])
    10
    >>> find_elbow([0, 10, 20], [1.0, 0.5, 0.0]) is None
    True
    """
    x, y = np.asarray(budgets, np.float64), np.asarray(values, np.float64)
    if len(x) < 3 or not y[0] > y[-1]:  # noqa: PLR2004 (a bend needs three points)
        return None
    below = 1 - (x - x[0]) / (x[-1] - x[0]) - (y - y[-1]) / (y[0] - y[-1])
    best = int(below.argmax())
    return int(budgets[best]) if below[best] >= _MIN_BEND else None


def choose_evaluated(available: Ints, *, n_compared: int, max_evaluated: int, seed: int) -> Ints:
    """Return the samples to measure, in order: all, or a random part where that is too much work.

    Args:
        available: indices of the samples with an embedding; shape (n,).
        n_compared: rows that each of them is compared with.
        max_evaluated: upper limit.
        seed: of the choice.

    >>> len(choose_evaluated(np.arange(50_000), n_compared=100, max_evaluated=20_000, seed=0))
    20000
    """
    affordable = max(_MIN_EVALUATED, _MAX_PAIRS // max(1, n_compared))
    size = min(len(available), max_evaluated, affordable)
    if size == len(available):
        return available
    return np.sort(np.random.default_rng(seed).choice(available, size, replace=False))


def measure_coverage(
    vectors: Vectors, *, groups: Groups, pool: Ints, max_evaluated: int, seed: int
) -> Coverage | None:
    """Measure how selection and random draws cover the samples, budget by budget.

    Args:
        vectors: zeros where a sample has none (it is left out everywhere); shape (N, d).
        groups: input, selected in pick order, and random draws.
        pool: indices selected before the first pick; shape (n_pool,).
        max_evaluated: samples whose distance is measured; all of `groups.input` and `pool` if they are fewer.
        seed: of the choice of these samples.

    Returns:
        The curves, or `None` when nothing is selected or no sample has an embedding.
    """
    has_vector = is_embedded(vectors)
    counts = np.zeros(len(vectors), np.bool_)
    counts[groups.input] = counts[pool] = True
    available, pool = np.flatnonzero(counts & has_vector), pool[has_vector[pool]]
    budgets = choose_budgets(len(groups.selected), has_pool=bool(len(pool)))
    if not len(available) or not budgets:
        return None
    draws = groups.random[:_DRAWS]
    n_compared = len(pool) + len(groups.selected) * (1 + len(draws))
    evaluated = choose_evaluated(available, n_compared=n_compared, max_evaluated=max_evaluated, seed=seed)
    start = _Nearest.of(vectors, evaluated)
    start.advance(pool)
    selected = _walk(start.copy(), groups.selected, budgets, has_vector)
    random = [_walk(start.copy(), draw, budgets, has_vector) for draw in draws]
    mean = _curve(selected[0], [r[0] for r in random])
    farthest = _curve(selected[1], [r[1] for r in random])
    elbow = _elbow_of(budgets, mean)
    return Coverage(
        budgets=budgets,
        mean=mean,
        farthest=farthest,
        elbow=elbow,
        table=_table(budgets, mean, farthest, elbow),
        n_evaluated=len(evaluated),
        n_samples=len(available),
        n_draws=len(draws),
        seed=seed,
    )


def _walk(
    state: _Nearest, order: Ints, budgets: Sequence[int], usable: NDArray[np.bool_] | None = None
) -> tuple[Floats, Floats]:
    """Advance through the picks, and measure at each budget."""
    means, largest, done = [], [], 0
    for budget in budgets:
        new = order[done:budget]
        state.advance(new if usable is None else new[usable[new]])
        means.append(state.distance.mean())
        largest.append(state.distance.max())
        done = budget
    return np.array(means), np.array(largest)


def _curve(selected: Floats, random: list[Floats]) -> Curve:
    stacked = np.stack(random)
    parts = (selected, stacked.mean(axis=0), stacked.min(axis=0), stacked.max(axis=0))
    return Curve(
        selected=_nullable(parts[0]),
        random=_nullable(parts[1]),
        random_low=_nullable(parts[2]),
        random_high=_nullable(parts[3]),
    )


def _nullable(values: Floats) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else float(value) for value in values)


def _elbow_of(budgets: Sequence[int], curve: Curve) -> int | None:
    known = [(b, y) for b, y in zip(budgets, curve.selected, strict=True) if y is not None]
    return find_elbow([b for b, _ in known], [y for _, y in known])


def _table(budgets: Sequence[int], mean: Curve, farthest: Curve, elbow: int | None) -> tuple[BudgetRow, ...]:
    """Return the rows at some shares of the largest budget, and at the elbow."""
    wanted = {round(budgets[-1] * share) for share in _TABLE_SHARES} | {elbow}
    nearest = {min(range(len(budgets)), key=lambda i: abs(budgets[i] - w)) for w in wanted if w is not None}
    rows = []
    for i in sorted(nearest):
        m, f, r = mean.selected[i], farthest.selected[i], mean.random[i]
        if m is None or f is None or r is None:
            continue
        same = _random_picks_for(m, budgets, mean.random)
        rows.append(BudgetRow(picks=budgets[i], mean=m, farthest=f, random_mean=r, random_picks=same))
    return tuple(rows)


def _random_picks_for(target: float, budgets: Sequence[int], random: Sequence[float | None]) -> int | None:
    """Return the number of random picks at which their mean distance falls to `target`, interpolated."""
    known = [(b, y) for b, y in zip(budgets, random, strict=True) if y is not None]
    for (b0, y0), (b1, y1) in pairwise(known):
        if y0 <= target:
            return b0
        if y1 <= target:
            return round(b0 + (b1 - b0) * (y0 - target) / (y0 - y1))
    return known[-1][0] if known and known[-1][1] <= target else None
