from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.api.report.distributions import (
    bin_counts,
    category_distribution,
    count_edges,
    distance_histogram,
    draw_groups,
    histogram,
    histogram_edges,
)

_finite = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.data())
def test_draws_are_sets_of_candidates_of_the_size_of_the_selection(
    candidate: list[bool], data: st.DataObject
) -> None:
    """Each draw holds as many different candidates as were picked."""
    available = [i for i, is_candidate in enumerate(candidate) if is_candidate]
    k = data.draw(st.integers(0, len(available)))
    groups = draw_groups(np.array(candidate), np.array(available[:k], np.int64), n_draws=3, seed=1)
    assert groups.input.tolist() == available
    for draw in groups.random.tolist():
        assert len(set(draw)) == k
        assert set(draw) <= set(available)


def test_draws_depend_on_the_seed_alone() -> None:
    """The same seed draws the same samples, another seed others."""
    arguments = np.ones(200, bool), np.arange(50)
    first = draw_groups(*arguments, n_draws=2, seed=4).random
    assert first.tolist() == draw_groups(*arguments, n_draws=2, seed=4).random.tolist()
    assert first.tolist() != draw_groups(*arguments, n_draws=2, seed=5).random.tolist()


def test_draws_prefer_no_candidate() -> None:
    """Over many draws each candidate is drawn equally often, and at each place."""
    draws = draw_groups(np.ones(5, bool), np.arange(2), n_draws=5000, seed=0).random
    for place in range(2):
        counts = np.bincount(draws[:, place], minlength=5)
        assert counts.min() > 880
        assert counts.max() < 1120


def test_more_picks_than_candidates_are_refused() -> None:
    """A selection cannot be larger than what it is selected from."""
    with pytest.raises(ValueError, match="expected at most 1 picks, one a candidate, got 2"):
        draw_groups(np.array([True, False]), np.array([0, 1]), n_draws=1, seed=0)
    with pytest.raises(ValueError, match="expected n_draws >= 1, got 0"):
        draw_groups(np.array([True]), np.array([0]), n_draws=0, seed=0)


@given(st.data())
def test_categories_are_counted_as_a_loop_counts_them(data: st.DataObject) -> None:
    """Every group's count of a category is the number of its samples' occurrences of it."""
    n, n_categories = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 4))
    occurrences = sorted(
        data.draw(
            st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n_categories - 1)), max_size=40),
        )
    )
    candidate = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    picks = np.array(data.draw(st.permutations(np.flatnonzero(candidate).tolist())), np.int64)
    picks = picks[: data.draw(st.integers(0, len(picks)))]
    known = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    groups = draw_groups(candidate, picks, n_draws=3, seed=0)

    result = category_distribution(
        "x",
        unit="objects",
        names=[f"c{i}" for i in range(n_categories)],
        owner=np.array([o for o, _ in occurrences], np.int64),
        category=np.array([c for _, c in occurrences], np.int64),
        groups=groups,
        known=known,
    )

    def count(samples: list[int]) -> Counter[int]:
        return Counter(c for sample in samples for o, c in occurrences if o == sample)

    draws = [count(draw) for draw in groups.random.tolist()]
    for i, row in enumerate(result.rows):
        assert row.input == count(groups.input.tolist())[i]
        assert row.selected == count(picks.tolist())[i]
        assert row.random == pytest.approx(sum(draw[i] for draw in draws) / 3)
        shares = [draw[i] / max(1, draw.total()) for draw in draws]
        assert (row.random_share_low, row.random_share_high) == pytest.approx((min(shares), max(shares)))
    assert result.n_unknown == (
        sum(not known[i] for i in groups.input),
        sum(not known[i] for i in picks),
    )


def test_owners_out_of_order_are_refused() -> None:
    """Owners that do not ascend would be counted for the wrong sample."""
    groups = draw_groups(np.ones(2, bool), np.array([0]), n_draws=1, seed=0)
    with pytest.raises(ValueError, match="ascending order"):
        category_distribution(
            "x",
            unit="objects",
            names=["a"],
            owner=np.array([1, 0]),
            category=np.array([0, 0]),
            groups=groups,
            known=np.ones(2, bool),
        )


@given(st.lists(_finite, min_size=1, max_size=30))
def test_edges_hold_every_value_in_few_bins(values: list[float]) -> None:
    """The edges ascend, are not many, and no value is outside of them."""
    edges = histogram_edges(np.array(values))
    assert (np.diff(edges) > 0).all()
    assert 2 <= len(edges) <= 45
    assert bin_counts(np.array(values), edges).sum() == len(values)


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([0.1, 0.9], (0.0, 1.0)),  # they take up most of the scale
        ([0.5, 0.5], (0.0, 1.0)),  # all equal: the scale says where they are
        ([], (0.0, 1.0)),
        ([0.81, 0.99], (0.81, 0.99)),  # the scale would squeeze them into a few bins
        ([0.1, 1.9], (0.0, 1.9)),  # beyond the scale
    ],
)
def test_a_scale_is_shown_unless_it_squeezes_the_values(values: list[float], ends: tuple[float, float]) -> None:
    """Limits widen the edges except where values would take up less than half of them."""
    edges = histogram_edges(np.array(values), (0.0, 1.0))
    assert (edges[0], edges[-1]) == pytest.approx(ends)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30))
def test_whole_numbers_are_never_on_the_edge_between_bins(counts: list[int]) -> None:
    """Edges of counts lie half-way between whole numbers, start below 0 and hold all counts."""
    edges = count_edges(np.array(counts, np.float64))
    assert edges[0] == -0.5
    assert edges[-1] > max(counts)
    assert (edges % 1 == 0.5).all()
    assert len(edges) <= 45


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=2, max_size=30),
    st.integers(1, 8),
)
def test_histograms_count_as_a_loop_does(raw: list[float | None], n_bins: int) -> None:
    """A value is counted in the one bin with lower edge <= value < upper edge, the last bin closed."""
    values = np.array([np.nan if v is None else v for v in raw])
    edges = np.linspace(0, 1, n_bins + 1)
    groups = draw_groups(np.ones(len(raw), bool), np.arange(len(raw) // 2), n_draws=4, seed=0)
    result = histogram("x", values, groups=groups, edges=edges)

    def count(samples: list[int]) -> list[int]:
        counts = [0] * n_bins
        for value in (raw[i] for i in samples):
            for b in range(n_bins):
                last = b == n_bins - 1
                if value is not None and edges[b] <= value and (value < edges[b + 1] or last):
                    counts[b] += 1
        return counts

    draws = [count(draw) for draw in groups.random.tolist()]
    assert result.input is not None
    assert list(result.input) == count(list(range(len(raw))))
    assert list(result.selected) == count(list(range(len(raw) // 2)))
    for b in range(n_bins):
        column = [draw[b] for draw in draws]
        assert result.random[b] == pytest.approx(sum(column) / 4)
        assert (result.random_low[b], result.random_high[b]) == (min(column), max(column))
    known = [v for v in raw if v is not None]
    assert result.means.input == (pytest.approx(sum(known) / len(known)) if known else None)
    assert result.n_unknown[0] == raw.count(None)


def test_a_value_outside_the_edges_is_refused() -> None:
    """No value is dropped because no bin takes it."""
    with pytest.raises(ValueError, match=r"expected values within \[0.0, 1.0\]"):
        bin_counts(np.array([1.5]), np.array([0.0, 1.0]))
    with pytest.raises(ValueError, match="expected finite values or NaN, got an infinite one"):
        histogram_edges(np.array([0.0, np.inf]))


@pytest.mark.parametrize("distances", [[0.0, 0.0], [np.nan], [], [0.3, 2.0]])
def test_distances_are_shown_from_zero(distances: list[float]) -> None:
    """The bins of distances start at 0 and hold all of them, copies and single samples included."""
    values = np.array(distances)
    result = distance_histogram("x", selected=values, random=[values, values])
    assert result.edges[0] == 0.0
    assert sum(result.selected) == np.isfinite(values).sum() == sum(result.random)
    assert result.input is None
