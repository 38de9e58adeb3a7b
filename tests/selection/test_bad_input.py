"""What the engine says to input that it cannot use, or does with what it can."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tamis.errors import UsageError
from tamis.selection.greedy import Selection, select
from tamis.selection.strategies import Diversity, SampleValueError, Similarity, Strategy, Typicality, Weights

Array = Any
EVERYONE = np.ones(4, bool)
POINTS = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.6, 0.8]])


def _diversity(points: Array, **more: Any) -> Diversity:
    return Diversity(name="d", embeddings=points, **more)


def _run(strategy: Strategy, n_samples: int = 4, **more: Any) -> Selection:
    return select([strategy], n_samples=n_samples, candidate=EVERYONE, **more)


def _with(row: list[float]) -> Array:
    points = POINTS.copy()
    points[1] = row
    return points


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("row", [[np.nan, 0.0], [np.inf, 0.0], [0.0, -np.inf]])
def test_embeddings_are_finite(row: list[float], kind: Any) -> None:
    """An embedding that is not finite is an error that names the sample, unless it is said to be unknown."""
    points = _with(row).astype(kind)
    with pytest.raises(SampleValueError, match="Strategy `d`, sample 1: expected a finite embedding"):
        _run(_diversity(points))
    unknown = np.array([False, True, False, False])
    run = _run(_diversity(points, null=unknown))
    assert (run.picks.tolist(), run.field.excluded) == ([0, 2, 3], {"d": 1})


def test_zero_vectors() -> None:
    """A vector without a direction is unknown: no candidate, counted, and without effect in the pool."""
    alone = _run(_diversity(_with([0.0, 0.0])))
    assert (alone.picks.tolist(), alone.field.excluded) == ([0, 2, 3], {"d": 1})
    pooled = _run(_diversity(_with([0.0, 0.0])), pool=[1])
    assert (pooled.picks.tolist(), pooled.field.excluded) == ([0, 2, 3], {"d": 0})
    assert pooled.objectives[0, 0] == 1.0


@pytest.mark.parametrize("points", [np.zeros((4, 2)), np.ones((4, 0))])
def test_only_zero_vectors(points: Array) -> None:
    """Where no sample has a direction, nothing is picked, and all are counted."""
    run = _run(_diversity(points))
    assert (run.picks.tolist(), run.stopped, run.field.excluded) == ([], "all candidates are taken", {"d": 4})


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (_diversity(np.ones(4)), "Strategy `d`: expected rows of embeddings, got shape (4,)"),
        (_diversity(np.ones((4, 2, 1))), "Strategy `d`: expected rows of embeddings, got shape (4, 2, 1)"),
        (_diversity(np.ones((5, 2))), "Strategy `d`: expected `embeddings` of shape (4, 2), got (5, 2)"),
        (
            Similarity(name="s", embeddings=POINTS, queries=np.ones((1, 3))),
            "Strategy `s`: expected queries of 2 dimensions, got shape (1, 3)",
        ),
        (
            Similarity(name="s", embeddings=POINTS, queries=np.ones(2)),
            "Strategy `s`: expected queries of 2 dimensions, got shape (2,)",
        ),
        (
            Similarity(name="s", embeddings=POINTS, queries=np.zeros((2, 2))),
            "Strategy `s`: expected finite queries, at least one of them not zero",
        ),
        (
            Similarity(name="s", embeddings=POINTS, queries=np.array([[1.0, np.nan]])),
            "Strategy `s`: expected finite queries, at least one of them not zero",
        ),
        (
            Typicality(name="t", embeddings=POINTS, n_neighbours=0),
            "Strategy `t`: expected 1 neighbour at least, got 0",
        ),
        (
            Weights(name="w", values=np.ones(4), strength=np.inf),
            "Strategy `w`: expected a finite strength, got inf",
        ),
    ],
)
def test_shapes_and_options(strategy: Strategy, message: str) -> None:
    """Wrong dimensions and options out of range are refused by the strategy's name, with what was expected."""
    with pytest.raises(UsageError) as caught:
        _run(strategy)
    assert str(caught.value) == message


def test_how_many() -> None:
    """0 picks nothing and needs no reason, more than there are picks all and says so, fewer than 0 is refused."""
    nothing = _run(_diversity(POINTS), 0)
    assert (nothing.picks.tolist(), nothing.stopped) == ([], None)
    everything = _run(_diversity(POINTS), 9)
    assert (sorted(everything.picks), everything.stopped) == ([0, 1, 2, 3], "all candidates are taken")
    with pytest.raises(UsageError, match="expected 0 samples to pick at least, got -1"):
        _run(_diversity(POINTS), -1)


def test_pool_members_that_are_gone() -> None:
    """A pool index beyond the samples is refused: a caller leaves out who is gone."""
    with pytest.raises(UsageError, match="expected indices of the pool below 4, got 2 to 7"):
        _run(_diversity(POINTS), pool=[2, 7])
