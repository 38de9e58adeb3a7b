from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from brute_force import BruteForce

from strategies_selection import Problem, engine_strategies, random_problem
from tamis.errors import UsageError
from tamis.selection.config import Distribution, Operation
from tamis.selection.greedy import Selection, select
from tamis.selection.strategies import (
    Balance,
    Diversity,
    SampleValueError,
    Similarity,
    Strategy,
    Threshold,
    Typicality,
    Weights,
)

SEEDS = range(800)


def _brute(problem: Problem) -> BruteForce | None:
    """The reference, or None where a distribution has no share above 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        brute = BruteForce(problem.strategies, problem.candidate, problem.pool)
    targets = [s["t"] for s in brute.strategies if s["kind"] == "BALANCE"]
    return brute if all(np.isfinite(target).all() for target in targets) else None


def _run(problem: Problem, **changes: Any) -> Selection:
    options = {"n_samples": problem.n, "candidate": problem.candidate, "pool": problem.pool, **changes}
    return select(engine_strategies(problem), **options)


@pytest.mark.parametrize("seed", SEEDS)
def test_picks_are_those_of_the_definition(seed: int) -> None:
    """Every pick, objective and early end is that of the brute force over the definition."""
    problem = random_problem(seed)
    brute = _brute(problem)
    if brute is None:
        with pytest.raises(UsageError, match="gives no class a share"):
            _run(problem)
        return
    picked = _run(problem)
    assert picked.picks.tolist() == brute.run(problem.n)
    assert (picked.stopped is not None) == brute.ended
    brute.chosen = list(problem.pool)
    for row, sample in zip(picked.objectives, picked.picks, strict=True):
        for strategy, objective in zip(problem.strategies, row, strict=True):
            if strategy["kind"] != "THRESHOLD":
                assert objective == pytest.approx(brute.objective(strategy, sample), rel=1e-9, abs=1e-12)
        brute.chosen.append(int(sample))


def test_the_seeds_cover_what_matters() -> None:
    """The random problems end early, are filtered, have pools, nulls, objects and long runs, each many times."""
    problems = [problem for problem in map(random_problem, SEEDS) if _brute(problem) is not None]
    runs = [_run(problem) for problem in problems]
    reasons = [run.stopped or "" for run in runs]
    for part in ("nearest selected", "typicality", "sum over", "all candidates"):
        assert sum(part in reason for reason in reasons) >= 10
    assert sum(len(run.picks) >= 5 for run in runs) > 150
    assert sum(bool(problem.pool) for problem in problems) > 100
    assert sum(any(s.get("owner") is not None for s in problem.strategies) for problem in problems) > 100
    assert sum(any(run.field.excluded.values()) for run in runs) > 200


@pytest.mark.parametrize("seed", range(60))
def test_prefix(seed: int) -> None:
    """The first k of a run of n are the run of k."""
    problem = random_problem(seed)
    if _brute(problem) is not None:
        whole = _run(problem).picks.tolist()
        for k in range(1, len(whole)):
            assert _run(problem, n_samples=k).picks.tolist() == whole[:k]


@pytest.mark.parametrize("seed", range(100, 160))
def test_a_pool_of_the_first_picks_changes_nothing(seed: int) -> None:
    """A run whose pool holds the first picks picks the rest, where no objective looks at the candidates' total."""
    problem = random_problem(seed)
    kept = [s for s in problem.strategies if s["kind"] != "BALANCE"]
    problem = replace(problem, strategies=kept)
    if kept:
        whole = _run(problem)
        for k in range(len(whole.picks)):
            pool = [*problem.pool, *whole.picks[:k].tolist()]
            rest = _run(problem, pool=pool, n_samples=problem.n - k)
            assert rest.picks.tolist() == whole.picks[k:].tolist()


def _floats(seed: int, n: int = 40) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.random(n), rng.standard_normal((n, 4)), rng.random((n, 3))


def _mixed(seed: int, order: Any = None, **scale: float) -> list[Strategy]:
    values, points, rows = _floats(seed)
    order = np.arange(len(values)) if order is None else order
    strength = scale.get("strength", 1.0)
    return [
        Weights(name="w", values=values[order] * scale.get("weights", 1.0), strength=strength),
        Diversity(name="d", embeddings=points[order] * scale.get("points", 1.0), strength=2 * strength),
        Balance(
            name="b",
            rows=rows[order] * scale.get("rows", 1.0),
            classes=("x", "y", "z"),
            distribution=Distribution.UNIFORM,
            strength=strength,
        ),
        Typicality(name="t", embeddings=points[order], n_neighbours=5, strength=-strength),
    ]


def _picks(strategies: list[Strategy], n: int = 20) -> list[int]:
    return [int(i) for i in select(strategies, n_samples=n, candidate=np.ones(40, bool)).picks]


@pytest.mark.parametrize("seed", range(20))
def test_order_of_samples_does_not_matter(seed: int) -> None:
    """Permuted samples give the same picks, permuted, where nothing ties."""
    order = np.random.default_rng(seed).permutation(40)
    assert [int(order[i]) for i in _picks(_mixed(seed, order))] == _picks(_mixed(seed))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    "scale", [{"weights": 3.7}, {"points": 1e-30}, {"points": 1e170}, {"rows": 41.0}, {"strength": 1e300}]
)
def test_scale_does_not_matter(seed: int, scale: dict[str, float]) -> None:
    """The unit of weights, embeddings and class rows, and a factor of all strengths, change no pick."""
    assert _picks(_mixed(seed, **scale)) == _picks(_mixed(seed))


def test_duplicates_come_last_and_in_order() -> None:
    """Exact duplicates of what is selected are at distance 0, and ties go to the lowest index."""
    points = np.repeat(np.random.default_rng(0).standard_normal((5, 7)).astype(np.float32), 3, axis=0)
    run = select([Diversity(name="d", embeddings=points)], n_samples=15, candidate=np.ones(15, bool))
    assert sorted(run.picks[:5].tolist()) == [0, 3, 6, 9, 12]
    assert run.picks[5:].tolist() == [1, 2, 4, 5, 7, 8, 10, 11, 13, 14]
    assert run.gains[5:, 0].tolist() == [0.0] * 10


def test_shares_of_a_symmetric_class_tie() -> None:
    """One-hot classes that are equally wanted and equally far away are taken in the order of the samples."""
    rows = np.eye(3)[[2, 1, 0] * 4]
    even = Balance(name="b", rows=rows, classes=("x", "y", "z"), distribution=Distribution.UNIFORM)
    assert _picks_all(even, 12) == list(range(12))


def _picks_all(strategy: Strategy, n: int) -> list[int]:
    return [int(i) for i in select([strategy], n_samples=n, candidate=np.ones(n, bool)).picks]


def test_classes_without_a_target_fold_into_one() -> None:
    """A target of .5 for one class leaves .5 to all the others together."""
    rows = np.eye(4)[[0, 0, 0, 0, 1, 1, 2, 3]]
    half = Balance(
        name="b", rows=rows, classes=("a", "b", "c", "d"), distribution=Distribution.TARGET, target={"a": 0.5}
    )
    assert _picks_all(half, 8) == [0, 4, 1, 5, 2, 6, 3, 7]


@pytest.mark.parametrize(
    ("operation", "kept"),
    [
        (Operation.SMALLER, [0]),
        (Operation.SMALLER_EQUAL, [0, 1]),
        (Operation.BIGGER, [2]),
        (Operation.BIGGER_EQUAL, [1, 2]),
    ],
)
def test_threshold_operations(operation: Operation, kept: list[int]) -> None:
    """The value stands left of the operation, the threshold right; the pool is not filtered."""
    limit = Threshold(name="count", values=np.array([1, 2, 3]), threshold=2, operation=operation)
    run = select([limit], n_samples=3, candidate=np.ones(3, bool))
    assert run.picks.tolist() == kept
    assert run.field.excluded == {"count": 3 - len(kept)}
    assert run.field.eligible.all()


@pytest.mark.parametrize(
    ("strategy", "n_picks", "stopped"),
    [
        (
            Weights(name="boxes", values=np.array([3, 5, 2]), stop_max_sum=8),
            2,
            "`boxes`: the sum over the selected, 8, reached the limit 8",
        ),
        (Weights(name="tenths", values=np.full(12, 0.1), stop_max_sum=1), 10, "`tenths`: the sum over"),
        (
            Diversity(name="d", embeddings=np.array([[1, 0], [0, 1], [3, 4]]), stop_min_distance=1),
            2,
            "`d`: the best candidate is 0.632456 from its nearest selected, nearer than the limit 1",
        ),
        (Diversity(name="d", embeddings=np.eye(3), stop_min_distance=2**0.5), 3, "all candidates are taken"),
        (
            Typicality(
                name="t", embeddings=np.array([[1, 0], [1, 0], [0, 1]]), n_neighbours=1, stop_min_typicality=0.5
            ),
            2,
            "`t`: the best candidate's typicality 0.0497871 is below the limit 0.5",
        ),
        (Weights(name="w", values=np.ones(3)), 3, "all candidates are taken"),
    ],
)
def test_why_a_run_ends(strategy: Strategy, n_picks: int, stopped: str) -> None:
    """Every end before n says why, with the strategy, the value and the limit."""
    n = 12 if strategy.name == "tenths" else 3
    run = select([strategy], n_samples=99, candidate=np.ones(n, bool))
    assert len(run.picks) == n_picks
    assert run.stopped is not None
    assert run.stopped.startswith(stopped)


def test_cancelling_and_progress() -> None:
    """A cancelled run keeps its picks and says so; progress counts them."""
    seen: list[tuple[int, int]] = []
    run = select(
        [Weights(name="w", values=np.ones(9))],
        n_samples=9,
        candidate=np.ones(9, bool),
        progress=lambda done, total: seen.append((done, total)),
        cancelled=lambda: len(seen) == 4,
    )
    assert (run.picks.tolist(), run.stopped) == ([0, 1, 2, 3], "cancelled")
    assert seen == [(1, 9), (2, 9), (3, 9), (4, 9)]


def test_nothing_to_pick_from() -> None:
    """No candidate at all is an empty run that says so, for every kind of strategy."""
    strategies = [*_mixed(0)[:2], Similarity(name="s", embeddings=np.eye(40), queries=np.eye(40)[:1])]
    run = select(strategies, n_samples=3, candidate=np.zeros(40, bool))
    assert (run.picks.tolist(), run.objectives.shape, run.stopped) == ([], (0, 3), "all candidates are taken")


ONES = np.ones(3)
BAD = np.array([1.0, np.nan, -1.0])


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (Weights(name="w", values=BAD), "Strategy `w`, sample 1: expected a finite number >= 0, got nan"),
        (Weights(name="w", values=-ONES), "Strategy `w`, sample 0: expected a finite number >= 0, got -1.0"),
        (
            Threshold(name="h", values=BAD, threshold=0, operation=Operation.BIGGER),
            "Strategy `h`, sample 1: expected a finite number, got nan",
        ),
        (
            Diversity(name="d", embeddings=np.array([[1.0], [2.0], [np.inf]]), owner=np.array([0, 1, 1])),
            "Strategy `d`, sample 1: expected a finite embedding",
        ),
        (
            Balance(name="b", rows=BAD[:, None], classes=("x",), distribution=Distribution.UNIFORM),
            "Strategy `b`, sample 1: expected finite numbers >= 0, got [nan]",
        ),
    ],
)
def test_values_that_no_strategy_can_use(strategy: Strategy, message: str) -> None:
    """A value that is not finite, or negative, is an error that names strategy and sample."""
    with pytest.raises(SampleValueError) as caught:
        select([strategy], n_samples=1, candidate=np.ones(3, bool))
    assert str(caught.value) == message


def test_classes_of_one_name_are_one_class() -> None:
    """Two categories that are both called car have the share of car together, not each."""
    rows = np.repeat(np.eye(3), 6, axis=0)
    balance = Balance(
        name="b",
        rows=rows,
        classes=("car", "car", "bus"),
        distribution=Distribution.TARGET,
        target={"car": 1, "bus": 1},
    )
    picks = select([balance], n_samples=8, candidate=np.ones(18, bool)).picks
    assert (rows[picks, :2].sum(), rows[picks, 2].sum()) == (4, 4)


@pytest.mark.parametrize("strength", [1.0, -0.5])
def test_what_a_threshold_leaves_out_may_have_any_value(strength: float) -> None:
    """All THRESHOLDs filter first: -1 for "not measured" is left out by one, and then no weight and no class."""
    rng = np.random.default_rng(0)
    values, rows = rng.random(40), rng.random((40, 3))
    out = rng.random(40) < 0.3
    points = rng.standard_normal((40, 4))

    def picks(weights: Any, shares: Any) -> Any:
        measured = np.where(out, -1.0, values)
        strategies: list[Strategy] = [
            Threshold(name="t", values=measured, threshold=0.0, operation=Operation.BIGGER_EQUAL),
            Weights(name="w", values=weights, strength=strength),
            Balance(name="b", rows=shares, classes="xyz", distribution=Distribution.UNIFORM, strength=strength),
            Diversity(name="d", embeddings=points, strength=strength),
        ]
        return select(strategies, n_samples=40, candidate=np.ones(40, bool)).picks.tolist()

    expected = picks(values, rows)
    assert len(expected) == 40 - out.sum() < 40
    for bad in (-1.0, np.nan, np.inf):
        assert picks(np.where(out, bad, values), np.where(out[:, None], bad, rows)) == expected


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (Weights(name="w", values=np.ones(4)), "Strategy `w`: expected `values` of shape (3,), got (4,)"),
        (
            Diversity(name="d", embeddings=np.ones((2, 2)), owner=np.array([1, 0])),
            "Strategy `d`: expected `owner` to be ascending indices below 3",
        ),
        (
            Balance(
                name="b",
                rows=np.ones((3, 1)),
                classes=("cat",),
                distribution=Distribution.TARGET,
                target={"cats": 1},
            ),
            "Strategy `b`: there is no class `cats`\nhint: did you mean `cat`?",
        ),
    ],
)
def test_values_that_do_not_fit(strategy: Strategy, message: str) -> None:
    """Arrays and names that do not fit together are refused by the strategy's name."""
    with pytest.raises(UsageError) as caught:
        select([strategy], n_samples=1, candidate=np.ones(3, bool))
    assert str(caught.value) == message


def test_a_pool_is_checked() -> None:
    """A pool that repeats a sample, or leaves the samples, is refused."""
    for pool in ([1, 1], [3], [-1]):
        with pytest.raises(UsageError):
            select([Weights(name="w", values=ONES)], n_samples=1, candidate=np.ones(3, bool), pool=pool)


def test_an_end_at_the_asked_number_is_no_early_end() -> None:
    """A limit that is reached by the last pick that was asked for needs no reason."""
    run = select([Weights(name="w", values=ONES, stop_max_sum=2)], n_samples=2, candidate=np.ones(3, bool))
    assert (len(run.picks), run.stopped) == (2, None)
