from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.api.report.coverage import (
    choose_budgets,
    choose_evaluated,
    distances_by_budget,
    find_elbow,
    measure_coverage,
    nearest_distances,
)
from tamis.api.report.distributions import Groups, draw_groups

if TYPE_CHECKING:
    from tamis.model.columns import Floats, Ints


def unit_rows(n: int, d: int, seed: int, *, n_distinct: int | None = None) -> Floats:
    rng = np.random.default_rng(seed)
    rows: Floats = rng.normal(size=(n_distinct or n, d))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows[rng.integers(0, len(rows), n)] if n_distinct else rows


def brute_force(rows: Floats, sample: int, among: list[int]) -> float:
    return min((float(np.linalg.norm(rows[sample] - rows[j])) for j in among), default=np.nan)


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 9), st.data())
def test_nearest_distances_are_those_of_a_loop(n: int, d: int, seed: int, data: st.DataObject) -> None:
    """The distance is the smallest to any other sample, 0 to a copy, and NaN without another."""
    rows = unit_rows(n, d, seed, n_distinct=data.draw(st.sampled_from([None, max(1, n // 3)])))
    among = data.draw(st.lists(st.integers(0, n - 1), unique=True))
    samples = data.draw(st.lists(st.integers(0, n - 1), min_size=1))
    got = nearest_distances(rows, samples=np.array(samples), among=np.array(among, np.int64))
    expected = [brute_force(rows, i, [j for j in among if j != i]) for i in samples]
    assert got == pytest.approx(np.array(expected), abs=1e-3, nan_ok=True)


@settings(max_examples=60)
@given(st.integers(2, 30), st.integers(0, 9), st.data())
def test_curves_are_those_of_a_loop(n: int, seed: int, data: st.DataObject) -> None:
    """At each budget the curve is mean and maximum of the distances to the pool and the first picks."""
    rows = unit_rows(n, 4, seed)
    shuffled = np.random.default_rng(seed).permutation(n)
    n_pool = data.draw(st.integers(0, n // 2))
    pool, order = shuffled[:n_pool], shuffled[n_pool:]
    budgets = sorted(data.draw(st.sets(st.integers(0, len(order)), min_size=1)))
    evaluated = np.arange(0, n, 2)
    mean, farthest = distances_by_budget(rows, evaluated=evaluated, order=order, pool=pool, budgets=budgets)
    for i, budget in enumerate(budgets):
        among = [*pool.tolist(), *order[:budget].tolist()]
        expected = [brute_force(rows, j, among) for j in evaluated.tolist()]
        assert mean[i] == pytest.approx(float(np.mean(expected)), abs=1e-4, nan_ok=True)
        assert farthest[i] == pytest.approx(max(expected), abs=1e-4, nan_ok=True)


def test_blocks_do_not_show() -> None:
    """More rows than a block and a part of them at a time give the distances of all at once."""
    rows = unit_rows(2600, 5, 0)
    got = nearest_distances(rows, samples=np.arange(2600), among=np.arange(2600))
    squared = 2 - 2 * rows @ rows.T
    np.fill_diagonal(squared, np.inf)
    assert got == pytest.approx(np.sqrt(squared.min(axis=1)), abs=1e-6)


def test_more_picks_never_cover_less() -> None:
    """Both curves fall, and are 0 once every sample is picked."""
    rows = unit_rows(50, 3, 1)
    mean, farthest = distances_by_budget(
        rows, evaluated=np.arange(50), order=np.arange(50), pool=np.array([], np.int64), budgets=range(1, 51)
    )
    assert (np.diff(mean) <= 0).all()
    assert (np.diff(farthest) <= 0).all()
    assert mean[-1] == farthest[-1] == 0.0


def farthest_first(rows: Floats, k: int) -> Ints:
    picks = [0]
    for _ in range(k - 1):
        distances = np.min([np.linalg.norm(rows - rows[j], axis=1) for j in picks], axis=0)
        picks.append(int(distances.argmax()))
    return np.array(picks)


def clusters() -> Floats:
    """Ten tight clusters of 30."""
    rows = np.repeat(unit_rows(10, 16, 3), 30, axis=0)
    rows = rows + np.random.default_rng(0).normal(scale=0.01, size=rows.shape)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)  # type: ignore[no-any-return]


def test_ten_clusters_bend_at_ten_picks() -> None:
    """One pick a cluster covers everything: the bend is there, and random picks need many more."""
    rows = clusters()
    groups = draw_groups(np.ones(300, bool), farthest_first(rows, 40), n_draws=5, seed=0)
    coverage = measure_coverage(rows, groups=groups, pool=np.array([], np.int64), max_evaluated=1000, seed=0)
    assert coverage is not None
    assert coverage.elbow is not None
    assert 8 <= coverage.elbow <= 11
    (row,) = [row for row in coverage.table if row.picks == 10]
    assert row.farthest < 0.2 < row.random_mean
    assert row.random_picks is None or row.random_picks > 15


def test_random_needs_as_many_picks_where_its_curve_falls_to_the_same_mean() -> None:
    """A selection that is itself the mean random draw needs as many random picks as it has."""
    rows = unit_rows(60, 8, 5)
    order = np.random.default_rng(9).permutation(60)[:30]
    groups = Groups(np.arange(60), order, order[None, :])
    coverage = measure_coverage(rows, groups=groups, pool=np.array([], np.int64), max_evaluated=99, seed=0)
    assert coverage is not None
    assert coverage.mean.selected == coverage.mean.random
    assert [row.random_picks for row in coverage.table] == [row.picks for row in coverage.table]


def test_samples_without_an_embedding_take_no_part() -> None:
    """Rows of zeros are neither measured nor nearest, as candidates, picks and pool alike."""
    rows = unit_rows(20, 4, 2)
    holes = np.concatenate([rows, np.zeros((5, 4))])
    picks = np.array([3, 22, 7])
    groups = Groups(np.arange(25), picks, np.array([[21, 5, 6]]))
    with_holes = measure_coverage(holes, groups=groups, pool=np.array([1, 24]), max_evaluated=99, seed=0)
    assert with_holes is not None
    assert with_holes.n_samples == with_holes.n_evaluated == 20
    mean, _ = distances_by_budget(
        rows, evaluated=np.arange(20), order=np.array([3, 7]), pool=np.array([1]), budgets=[0, 1, 1, 2]
    )
    assert with_holes.mean.selected == pytest.approx(tuple(mean))


def test_a_part_of_the_samples_is_said_to_be_one() -> None:
    """Beyond the limit a random part is measured, the same for a seed, and the report says how many."""
    groups = draw_groups(np.ones(500, bool), np.arange(3), n_draws=2, seed=0)
    pool = np.array([], np.int64)
    rows = unit_rows(500, 3, 0)
    part = measure_coverage(rows, groups=groups, pool=pool, max_evaluated=50, seed=0)
    assert part is not None
    assert (part.n_evaluated, part.n_samples) == (50, 500)
    everything = measure_coverage(rows, groups=groups, pool=pool, max_evaluated=500, seed=0)
    assert everything is not None
    assert part.mean.selected[-1] == pytest.approx(everything.mean.selected[-1], rel=0.3)
    assert part == measure_coverage(rows, groups=groups, pool=pool, max_evaluated=50, seed=0)


def test_work_is_bounded_however_many_picks() -> None:
    """Samples times compared rows stay bounded, but never fewer than a thousand samples are measured."""
    sizes = [
        len(choose_evaluated(np.arange(10**6), n_compared=n, max_evaluated=20_000, seed=0))
        for n in (10, 10**6, 10**9)
    ]
    assert sizes == [20_000, 3000, 1000]


def test_nothing_selected_gives_no_curve() -> None:
    """Without picks and pool there is no coverage to tell of; a pool alone covers something."""
    none, rows = np.array([], np.int64), unit_rows(5, 2, 0)
    groups = draw_groups(np.ones(5, bool), none, n_draws=1, seed=0)
    assert measure_coverage(rows, groups=groups, pool=none, max_evaluated=9, seed=0) is None
    assert measure_coverage(np.zeros((5, 2)), groups=groups, pool=none, max_evaluated=9, seed=0) is None
    alone = measure_coverage(rows, groups=groups, pool=np.array([2]), max_evaluated=9, seed=0)
    assert alone is not None
    assert alone.budgets == (0,)


@given(st.integers(1, 100_000), st.booleans())
def test_budgets_run_from_the_start_to_all_picks(n_picks: int, has_pool: bool) -> None:  # noqa: FBT001 (hypothesis passes by position)
    """Budgets ascend to the number of picks, are not many, and 0 is one of them only with a pool."""
    budgets = choose_budgets(n_picks, has_pool=has_pool)
    assert list(budgets) == sorted(set(budgets))
    assert budgets[0] == (0 if has_pool else 1)
    assert budgets[-1] == n_picks
    assert len(budgets) <= 46


@given(st.lists(st.floats(0.01, 1), min_size=3, max_size=20), st.floats(0.1, 10), st.floats(0.1, 10))
def test_the_bend_does_not_depend_on_units(drops: list[float], x_scale: float, y_scale: float) -> None:
    """Stretching either axis moves no bend: it is a property of the curve's shape."""
    falling = np.sort(drops)[::-1]
    y = np.concatenate([[0.0], -np.cumsum(falling)])
    x = np.arange(len(y)) * 1000
    bend = find_elbow(x.tolist(), y.tolist())
    stretched = find_elbow((x * 7).tolist(), (y * y_scale + x_scale).tolist())
    if bend is not None and stretched is not None:
        gaps = 1 - x / x[-1] - (y - y[-1]) / (y[0] - y[-1])
        assert gaps[x == stretched / 7] == pytest.approx(gaps[x == bend])


def test_a_straight_or_rising_curve_has_no_bend() -> None:
    """A bend is said only where the curve has one."""
    assert find_elbow([1, 2, 3, 4], [4.0, 3.0, 2.0, 1.0]) is None
    assert find_elbow([1, 2, 3], [1.0, 1.0, 1.0]) is None
    assert find_elbow([1, 2], [1.0, 0.0]) is None
    assert find_elbow([0, 5, 100], [1.0, 0.1, 0.0]) == 5
