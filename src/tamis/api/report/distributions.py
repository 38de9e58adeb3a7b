"""Compare what was selected with the input and with random draws: categories, labels, numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tamis.api.report.scales import nice_step
from tamis.api.report.values import CategoryDistribution, CategoryRow, Histogram, Means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.model.columns import Bools, Floats, Ints

_BINS = 20
_TINY = 1e-200  # differences below it are those of equal values


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The samples that are compared, as indices.

    Attributes:
        input: what could have been picked; shape (n,).
        selected: what was picked, in pick order; shape (k,).
        random: draws of as many from `input`, without replacement, in random order; shape (n_draws, k).
    """

    input: Ints
    selected: Ints
    random: Ints


def draw_groups(candidate: Bools, picks: Ints, *, n_draws: int, seed: int) -> Groups:
    """Draw random selections of the size of the real one.

    Args:
        candidate: what may be drawn; shape (N,).
        picks: indices of what was picked; shape (k,), k <= number of candidates.
        n_draws: how many selections to draw, >= 1.
        seed: of the draws: the same seed draws the same.

    Raises:
        ValueError: when there are fewer candidates than picks, or `n_draws` < 1.

    >>> draw_groups(np.array([True, False, True]), np.array([2]), n_draws=2, seed=0).random.shape
    (2, 1)
    """
    available = np.flatnonzero(candidate)
    if len(picks) > len(available):
        raise ValueError(f"expected at most {len(available)} picks, one a candidate, got {len(picks)}")
    if n_draws < 1:
        raise ValueError(f"expected n_draws >= 1, got {n_draws}")
    rng = np.random.default_rng(seed)
    draws = [rng.choice(available, len(picks), replace=False) for _ in range(n_draws)]
    return Groups(available, picks.astype(np.int64), np.array(draws, np.int64).reshape(n_draws, len(picks)))


def category_distribution(  # noqa: PLR0913 (two labels, two columns, names and groups: nothing to bundle)
    label: str, *, unit: str, names: Sequence[str], owner: Ints, category: Ints, groups: Groups, known: Bools
) -> CategoryDistribution:
    """Count how often each category occurs in the samples of each group.

    Args:
        label: what is counted.
        unit: the word for one occurrence, plural.
        names: one a category.
        owner: the sample of each occurrence, ascending; shape (m,).
        category: its category, 0 <= category < len(names); shape (m,).
        groups: the samples to compare.
        known: samples whose occurrences are known; shape (N,).

    Raises:
        ValueError: when `owner` does not ascend.

    >>> groups = Groups(np.arange(3), np.array([1]), np.array([[0]]))
    >>> owner, category, known = np.array([0, 1, 1]), np.array([0, 1, 1]), np.ones(3, bool)
    >>> d = category_distribution("a", unit="objects", names=["x", "y"], owner=owner, category=category,
    ...                           groups=groups, known=known)
    >>> [(row.name, row.input, row.selected, row.random) for row in d.rows]
    [('x', 1, 0, 1.0), ('y', 2, 2, 0.0)]
    """
    if len(owner) and bool((np.diff(owner) < 0).any()):
        raise ValueError("expected the owners of predictions in ascending order")
    starts = np.searchsorted(owner, np.arange(len(known) + 1))

    def count(samples: Ints) -> Ints:
        return np.bincount(category[_rows_of(starts, samples)], minlength=len(names))

    everything, selected = count(groups.input).tolist(), count(groups.selected).tolist()
    draws = np.stack([count(draw) for draw in groups.random])
    shares = draws / np.maximum(draws.sum(axis=1, keepdims=True), 1)
    columns = (names, everything, selected, *_columns(draws.mean(0), shares.min(0), shares.max(0)))
    return CategoryDistribution(
        label=label,
        unit=unit,
        rows=tuple(
            CategoryRow(name=a, input=b, selected=c, random=d, random_share_low=e, random_share_high=f)
            for a, b, c, d, e, f in zip(*columns, strict=True)
        ),
        n_unknown=_count_unknown(known, groups),
    )


def histogram_edges(values: Floats, limits: tuple[float, float] | None = None) -> Floats:
    """Choose round edges for about 20 bins that hold every finite value.

    Args:
        values: finite or NaN, which is ignored; any shape.
        limits: a scale that the edges cover, unless the values take up less than half of it.

    Returns:
        Ascending edges, at least 2.

    Raises:
        ValueError: when a value is infinite.

    >>> histogram_edges(np.array([3.0, 21.5]))[:3].tolist()
    [3.0, 4.0, 5.0]
    >>> histogram_edges(np.array([7.0, 7.0])).tolist()
    [6.5, 7.5]
    """
    low, high = _range(values, limits)
    bin_width = high / _BINS - low / _BINS
    if bin_width <= max(abs(low), abs(high), _TINY) * 1e-13:
        half = max(0.5, abs(low) * 0.01)
        return np.array([low - half, high + half])
    step = nice_step(bin_width)
    edges = np.arange(np.floor(low / step), np.ceil(high / step) + 1) * step
    # 3 x 0.1 is 0.30000000000000004: rounding far below the step gives the number that people write.
    edges = np.round(edges, min(300, max(0, 2 - math.floor(math.log10(step)))))
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    return edges


def count_edges(counts: Floats) -> Floats:
    """Choose edges half-way between whole numbers for about 20 bins of counts.

    Args:
        counts: whole numbers >= 0, NaN where unknown; any shape.

    >>> count_edges(np.array([0.0, 3.0])).tolist()
    [-0.5, 0.5, 1.5, 2.5, 3.5]
    """
    largest = _range(counts, (0.0, 0.0))[1]
    step = max(1.0, nice_step((largest + 1) / _BINS))
    return np.arange(np.ceil((largest + 1) / step) + 1) * step - 0.5


def histogram(label: str, values: Floats, *, groups: Groups, edges: Floats, note: str | None = None) -> Histogram:
    """Count the values of each group in bins.

    Args:
        label: what is measured.
        values: NaN where unknown; shape (N,).
        groups: the samples to compare.
        edges: ascending, and no value is outside; shape (bins + 1,).
        note: what a reader must know.

    Raises:
        ValueError: when a value is outside the edges.

    >>> groups = Groups(np.arange(4), np.array([3]), np.array([[0], [1]]))
    >>> h = histogram("a", np.array([0.1, 0.6, np.nan, 1.0]), groups=groups, edges=np.array([0, 0.5, 1]))
    >>> h.input, h.selected, h.random, h.n_unknown
    ((1, 2), (0, 1), (0.5, 0.5), (1, 0))
    """
    middle, low, high = _over_draws([bin_counts(values[draw], edges) for draw in groups.random])
    return Histogram(
        label=label,
        edges=tuple(edges.tolist()),
        input=tuple(bin_counts(values[groups.input], edges).tolist()),
        selected=tuple(bin_counts(values[groups.selected], edges).tolist()),
        random=middle,
        random_low=low,
        random_high=high,
        means=group_means(values, groups),
        n_unknown=_count_unknown(~np.isnan(values), groups),
        note=note,
    )


def distance_histogram(
    label: str, *, selected: Floats, random: Sequence[Floats], note: str | None = None
) -> Histogram:
    """Compare distances that were measured for the selection and for each draw, in bins from 0.

    Args:
        label: what is measured.
        selected: distances >= 0, NaN where there is none; shape (n,).
        random: the same of each draw, at least one.
        note: what a reader must know.

    >>> h = distance_histogram("a", selected=np.array([1.0]), random=[np.array([0.2]), np.array([0.4])])
    >>> h.selected[-1], h.random[4], h.means.random
    (1, 0.5, 0.30000000000000004)
    """
    everything = np.concatenate([selected, *random])
    edges = histogram_edges(everything, (0.0, 0.0) if np.nansum(everything) else (0.0, 1.0))
    middle, low, high = _over_draws([bin_counts(draw, edges) for draw in random])
    return Histogram(
        label=label,
        edges=tuple(edges.tolist()),
        selected=tuple(bin_counts(selected, edges).tolist()),
        random=middle,
        random_low=low,
        random_high=high,
        means=Means(selected=known_mean(selected), random=known_mean(np.concatenate(random))),
        note=note,
    )


def bin_counts(values: Floats, edges: Floats) -> Ints:
    """Count the values of each bin; NaN is not counted.

    Args:
        values: shape (n,).
        edges: ascending; shape (bins + 1,). A value on an edge is in the bin above, the last in the last bin.

    Raises:
        ValueError: when a value is outside the edges.

    >>> bin_counts(np.array([0.0, 0.5, 1.0, np.nan]), np.array([0.0, 0.5, 1.0])).tolist()
    [1, 2]
    """
    known = values[~np.isnan(values)]
    if known.size and (known.min() < edges[0] or known.max() > edges[-1]):
        raise ValueError(f"expected values within [{edges[0]}, {edges[-1]}]")
    n_bins = len(edges) - 1
    bins = np.minimum(np.searchsorted(edges, known, side="right") - 1, n_bins - 1)
    return np.bincount(bins, minlength=n_bins)


def group_means(values: Floats, groups: Groups) -> Means:
    """Return the mean of the known values of each group; all draws together are one group.

    >>> group_means(np.array([1.0, 3.0, np.nan]), Groups(np.arange(3), np.array([2]), np.array([[0]])))
    Means(input=2.0, selected=None, random=1.0)
    """
    return Means(
        input=known_mean(values[groups.input]),
        selected=known_mean(values[groups.selected]),
        random=known_mean(values[groups.random]),
    )


def known_mean(values: Floats) -> float | None:
    """Return the mean of what is not NaN, `None` where nothing is.

    >>> known_mean(np.array([1.0, np.nan, 2.0])), known_mean(np.array([np.nan]))
    (1.5, None)
    """
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


def _rows_of(starts: Ints, samples: Ints) -> Ints:
    """Return the rows that belong to the samples, where sample `i` owns `starts[i]` to `starts[i + 1]`."""
    lengths = starts[samples + 1] - starts[samples]
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    rows: Ints = np.arange(total) + np.repeat(starts[samples] - (ends - lengths), lengths)
    return rows


def _columns(*arrays: Floats) -> list[list[float]]:
    return [array.tolist() for array in arrays]


def _over_draws(counts: list[Ints]) -> tuple[tuple[float, ...], tuple[int, ...], tuple[int, ...]]:
    """Return mean, lowest and highest count of each bin over the draws."""
    stacked = np.stack(counts)
    means = stacked.mean(axis=0).tolist()
    return tuple(means), tuple(stacked.min(axis=0).tolist()), tuple(stacked.max(axis=0).tolist())


def _count_unknown(known: Bools, groups: Groups) -> tuple[int, int]:
    return int((~known[groups.input]).sum()), int((~known[groups.selected]).sum())


def _range(values: Floats, limits: tuple[float, float] | None) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if np.isinf(known).any():
        raise ValueError("expected finite values or NaN, got an infinite one")
    if not known.size:
        return limits or (0.0, 1.0)
    low, high = float(known.min()), float(known.max())
    if limits is None or 0 < high - low < (limits[1] - limits[0]) / 2:
        return low, high
    return min(low, limits[0]), max(high, limits[1])
