from __future__ import annotations

import numpy as np
import pytest

from strategies_selection import engine_strategies, random_problem
from tamis.errors import UsageError
from tamis.selection.config import Distribution
from tamis.selection.greedy import select
from tamis.selection.reasons import describe, explain
from tamis.selection.strategies import Balance, Diversity, Strategy, Weights

KEYS = ["cat/0.jpg", "cat/1.jpg", "cat/2.jpg", "cat/3.jpg"]


def test_the_sentence() -> None:
    """A pick's sentence holds its weight's rank, its nearest selected sample and the class that it fills."""
    strategies: list[Strategy] = [
        Weights(name="entropy", values=np.array([0.9, 0.1, 0.8, 0.2])),
        Diversity(name="pictures", embeddings=np.array([[1.0, 0], [0, 1], [0.6, 0.8], [1, 0.01]])),
        Balance(
            name="classes",
            rows=np.eye(2)[[0, 1, 1, 0]],
            classes=("car", "bicycle"),
            distribution=Distribution.UNIFORM,
        ),
    ]
    run = select(strategies, n_samples=4, candidate=np.array([False, True, True, True]), pool=[0])
    first, second, third = (describe(row, keys=KEYS) for row in explain(strategies, run, pool=[0]))
    assert first == (
        "entropy 0.1, the lowest of all candidates; 1.4 from its nearest selected sample cat/0.jpg; "
        "fills `bicycle` (0 % of selected, target 50 %)"
    )
    assert second == (
        "entropy 0.8, the highest of all candidates; 0.63 from its nearest selected sample cat/1.jpg; "
        "fills no class that is short of its target"
    )
    assert third == (
        "entropy 0.2, higher than 33 % of candidates; 0.01 from its nearest selected sample cat/0.jpg; "
        "fills `car` (33 % of selected, target 50 %)"
    )


def test_the_first_pick_and_strategies_without_a_say() -> None:
    """The first pick is far from nothing; strength 0 is not named; a negative one prefers low values."""
    strategies: list[Strategy] = [
        Diversity(name="d", embeddings=np.eye(4)),
        Weights(name="silent", values=np.ones(4), strength=0.0),
        Weights(name="blur", values=np.array([3, 1, 2, 4]), strength=-1.0),
        Weights(name="flat", values=np.ones(4)),
    ]
    run = select(strategies, n_samples=1, candidate=np.ones(4, bool))
    sentence = describe(explain(strategies, run)[0], keys=KEYS)
    assert sentence == (
        "nothing selected to measure its distance from; blur 1, the lowest of all candidates; "
        "flat 1, like every candidate's"
    )
    assert describe([], keys=KEYS) == "no strategy told it from the others"


@pytest.mark.parametrize(
    ("value", "strength", "said"),
    [
        (0.0, 1.0, "the lowest of all candidates"),
        (1.0, 1.0, "higher than less than 1 % of candidates"),
        (250.0, 1.0, "higher than 62 % of candidates"),
        (250.0, -1.0, "lower than 37 % of candidates"),
        (399.0, -1.0, "the highest of all candidates"),
        (398.0, -1.0, "lower than less than 1 % of candidates"),
    ],
)
def test_the_rank_of_a_weight(value: float, strength: float, said: str) -> None:
    """Only what nobody exceeds is the highest, and only what exceeds nobody the lowest; no rank is 0 %."""
    ordered = np.arange(400.0)
    weights = Weights(name="w", values=ordered, strength=strength)
    run = select([weights], n_samples=400, candidate=np.ones(400, bool))
    reasons = explain([weights], run)[run.picks.tolist().index(int(value))]
    assert describe(reasons, keys=[]) == f"w {value:.3g}, {said}"


@pytest.mark.parametrize("seed", range(80))
def test_the_nearest_is_at_the_distance_that_was_said(seed: int) -> None:
    """For images the named nearest sample was selected before, and lies at the distance that decided."""
    problem = random_problem(seed)
    strategies = engine_strategies(problem)
    try:
        run = select(strategies, n_samples=problem.n, candidate=problem.candidate, pool=problem.pool)
    except UsageError:
        return
    reasons = explain(strategies, run, pool=problem.pool)
    assert len(reasons) == len(run.picks)
    for column, strategy in enumerate(strategies):
        if isinstance(strategy, Diversity) and strategy.owner is None:
            unit = strategy.embeddings / np.maximum(np.linalg.norm(strategy.embeddings, axis=1), 1e-9)[:, None]
            for step, pick in enumerate(run.picks):
                reason = reasons[step][column]
                before = {*problem.pool, *run.picks[:step].tolist()}
                assert (reason.nearest is None) == (not any(run.field.known[column][list(before)]))
                if reason.nearest is not None:
                    assert reason.nearest in before
                    there = float(np.linalg.norm(unit[pick] - unit[reason.nearest]))
                    assert reason.distance == pytest.approx(there, abs=1e-6)


def test_a_class_is_filled_towards_its_target() -> None:
    """The shares before and after are those of the selected with and without the pick."""
    rows = np.eye(2)[[0, 0, 1, 1]]
    half = Balance(
        name="b", rows=rows, classes=("a", "b"), distribution=Distribution.TARGET, target={"a": 1, "b": 3}
    )
    run = select([half], n_samples=3, candidate=np.ones(4, bool))
    found = [(r[0].fills, r[0].share_before, r[0].share_after, r[0].share_wanted) for r in explain([half], run)]
    assert found == [("b", 0.0, 1.0, 0.75), ("a", 0.0, 0.5, 0.25), ("b", 0.5, pytest.approx(2 / 3), 0.75)]
