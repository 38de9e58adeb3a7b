from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brute_force import BruteForce

from strategies_selection import engine_strategies, random_problem
from tamis.errors import UsageError
from tamis.selection import AtMost, Limit, MinGap, Selection, Weights, select

SEEDS = range(400)


def _random_limits(seed: int, n: int) -> tuple[dict[str, Any], ...]:
    """One or two limits over few groups, some samples in none."""
    rng = np.random.default_rng([seed, 7])
    limits: list[dict[str, Any]] = []
    for _ in range(int(rng.integers(1, 3))):
        limit: dict[str, Any] = {"group": rng.integers(-1, 4, n)}
        if rng.random() < 0.5:
            limit["most"] = int(rng.integers(1, 4))
        else:
            limit |= {"place": rng.integers(0, 12, n), "gap": int(rng.integers(1, 6))}
        limits.append(limit)
    return tuple(limits)


def _engine_limits(limits: tuple[dict[str, Any], ...]) -> list[Limit]:
    return [
        AtMost(name=f"cap {number}", **limit) if "most" in limit else MinGap(name=f"gap {number}", **limit)
        for number, limit in enumerate(limits)
    ]


def _runs(seed: int) -> tuple[BruteForce, list[int], Selection] | None:
    """The reference, its picks and the engine's; None where a distribution has no share above 0."""
    problem = random_problem(seed)
    limits = _random_limits(seed, len(problem.candidate))
    with np.errstate(invalid="ignore", divide="ignore"):
        brute = BruteForce(problem.strategies, problem.candidate, problem.pool, limits)
    if not all(np.isfinite(s["t"]).all() for s in brute.strategies if s["kind"] == "BALANCE"):
        return None
    run = select(
        engine_strategies(problem),
        n_samples=problem.n,
        candidate=problem.candidate,
        pool=problem.pool,
        limits=_engine_limits(limits),
    )
    return brute, brute.run(problem.n), run


@pytest.mark.parametrize("seed", SEEDS)
def test_picks_within_limits_are_those_of_the_definition(seed: int) -> None:
    """With any limits over any strategies, every pick and early end is that of the brute force."""
    runs = _runs(seed)
    if runs is not None:
        brute, expected, run = runs
        assert run.picks.tolist() == expected
        assert (run.stopped is not None) == brute.ended
        left = [i for i in brute.live if not brute.allowed(i)]
        assert sum(run.ruled_out.values()) == len(left)


def test_the_seeds_rule_out() -> None:
    """The random limits take out candidates and end runs, both by caps and by gaps, many times each."""
    runs = [run for _, _, run in filter(None, map(_runs, SEEDS))]
    for kind in ("cap", "gap"):
        assert sum(any(kind in name and n for name, n in run.ruled_out.items()) for run in runs) > 60
    assert sum("ruled out" in (run.stopped or "") for run in runs) > 30


def test_the_pool_counts() -> None:
    """A member of the pool fills its group before the first pick."""
    weights = Weights(name="w", values=np.array([3.0, 2.0, 1.0]))
    cap = AtMost(name="at most 1 a video", group=np.array([0, 0, 1]), most=1)
    run = select([weights], n_samples=2, candidate=np.ones(3, bool), pool=[1], limits=[cap])
    assert run.picks.tolist() == [2]
    assert run.stopped == "all candidates are taken or ruled out: 1 by `at most 1 a video`"
    assert run.ruled_out == {"at most 1 a video": 1}


def test_frames_a_gap_apart_are_allowed() -> None:
    """Places exactly a gap apart may both be selected; nearer ones, and only those of one group, may not."""
    weights = Weights(name="w", values=np.array([9.0, 8.0, 7.0, 6.0, 5.0]))
    gap = MinGap(name="gap", group=np.array([0, 0, 0, 0, 1]), place=np.array([10, 14, 15, 5, 12]), gap=5)
    run = select([weights], n_samples=5, candidate=np.ones(5, bool), limits=[gap])
    assert run.picks.tolist() == [0, 2, 3, 4]


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        (AtMost(name="a", group=np.zeros(3, int), most=0), "Limit `a`: expected 1 at least, got 0"),
        (
            AtMost(name="a", group=np.zeros(2, int), most=1),
            r"Limit `a`: expected `group` of shape \(3,\), got \(2,\)",
        ),
        (
            MinGap(name="g", group=np.zeros(3, int), place=np.zeros(4, int), gap=1),
            r"Limit `g`: expected `place` of shape \(3,\), got \(4,\)",
        ),
    ],
)
def test_limits_that_do_not_fit_are_refused(limit: Limit, message: str) -> None:
    """A number below 1 and arrays of other lengths are named."""
    weights = Weights(name="w", values=np.ones(3))
    with pytest.raises(UsageError, match=message):
        select([weights], n_samples=1, candidate=np.ones(3, bool), limits=[limit])
