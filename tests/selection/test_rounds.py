from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from brute_force import unit

from tamis.selection import rounds
from tamis.selection.farthest import FarthestRun
from tamis.selection.greedy import select
from tamis.selection.rounds import inverse_lengths
from tamis.selection.strategies import Diversity, Weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Rows = Any
N = 5000


def _clustered(rng: np.random.Generator) -> Rows:
    centres = rng.standard_normal((40, 16))
    return (centres[rng.integers(0, 40, N)] + 0.2 * rng.standard_normal((N, 16))).astype(np.float32)


def _on_a_circle(rng: np.random.Generator) -> Rows:
    angles = rng.uniform(0, 2 * np.pi, N)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _outwards(rng: np.random.Generator) -> Rows:
    """Each sample lies farther from the first than those before it: every bound is wrong for long."""
    angles = np.linspace(0.0, 0.5, N)
    return np.stack([np.cos(angles), np.sin(angles), 1e-3 * rng.standard_normal(N)], axis=1)


def _video(rng: np.random.Generator) -> Rows:
    """A slow walk in float32: frames that differ by little more than the rounding of their products."""
    walk = 3e-5 * np.cumsum(rng.standard_normal((N, 32)), axis=0)
    return unit(walk + 1.0).astype(np.float32)


SETS: dict[str, Callable[[np.random.Generator], Rows]] = {
    "clustered": _clustered,
    "iid": lambda rng: rng.standard_normal((N, 16)),
    "duplicates": lambda _: np.ones((N, 4)),
    "few distinct": lambda rng: rng.standard_normal((200, 8))[rng.integers(0, 200, N)],
    "grid": lambda rng: rng.integers(-1, 2, (N, 4)).astype(float) + np.eye(4)[0] * 5,
    "circle": _on_a_circle,
    "outwards": _outwards,
    "video": _video,
}


def _farthest_first(rows: NDArray[Any], k: int) -> list[int]:
    """The definition for one DIVERSITY: largest squared distance to the nearest selected, lowest index of a tie."""
    points = unit(rows)
    nearest = ((points - points[0]) ** 2).sum(axis=1)
    picks = [0]
    while len(picks) < k:
        nearest[picks] = -1.0
        best = int((nearest >= nearest.max() - 1e-13).argmax())
        picks.append(best)
        nearest = np.minimum(nearest, ((points - points[best]) ** 2).sum(axis=1))
    return picks


@pytest.mark.parametrize("size", [64, 1024])
@pytest.mark.parametrize("name", list(SETS))
def test_rounds_pick_as_the_definition(name: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds of any size give the picks of the brute force, on easy and on hostile embeddings."""
    monkeypatch.setattr(rounds, "_ROUND", size)
    rows = SETS[name](np.random.default_rng(7))
    run = select([Diversity(name="d", embeddings=rows)], n_samples=300, candidate=np.ones(N, bool))
    assert run.picks.tolist() == _farthest_first(rows, 300)


@pytest.mark.parametrize("name", ["clustered", "few distinct"])
def test_rounds_and_the_plain_loop_agree(name: str) -> None:
    """Picks, objectives and gains are those of the plain loop, with a pool and samples that are no candidates."""
    rng = np.random.default_rng(3)
    rows = SETS[name](rng)[:1500]
    diverse, silent = Diversity(name="d", embeddings=rows), Weights(name="w", values=np.ones(1500), strength=0.0)
    options: dict[str, Any] = {"n_samples": 250, "candidate": rng.random(1500) < 0.7, "pool": [5, 3, 999]}
    fast, plain = select([diverse], **options), select([diverse, silent], **options)
    assert fast.picks.tolist() == plain.picks.tolist()
    np.testing.assert_allclose(fast.objectives[:, 0], plain.objectives[:, 0], rtol=1e-9)
    np.testing.assert_allclose(fast.gains[:, 0], plain.gains[:, 0], rtol=1e-9, atol=1e-12)


def test_the_plain_loop_takes_over_where_too_many_tie(monkeypatch: pytest.MonkeyPatch) -> None:
    """More ties than a round holds change who does the work, not the picks."""
    monkeypatch.setattr(rounds, "_ROUND", 16)
    monkeypatch.setattr(rounds, "_TOO_MANY", 20)
    rows = np.repeat(np.random.default_rng(0).standard_normal((60, 5)), 30, axis=0)
    run = select([Diversity(name="d", embeddings=rows)], n_samples=150, candidate=np.ones(1800, bool))
    assert run.picks.tolist() == _farthest_first(rows, 150)
    assert run.gains[1:60].min() > 0.0
    assert run.gains[60:].max() == 0.0


def test_rounds_leave_most_distances_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round measures far less than every sample against every pick."""
    measured = 0
    refresh = rounds.FarthestFirst._refresh_block  # noqa: SLF001 - the one place where distances are made

    def counting(self: rounds.FarthestFirst, samples: Any, limit: float) -> None:
        nonlocal measured
        before = self._seen[samples].astype(int).sum()
        refresh(self, samples, limit)
        measured += int(self._seen[samples].astype(int).sum() - before)

    monkeypatch.setattr(rounds.FarthestFirst, "_refresh_block", counting)
    monkeypatch.setattr(rounds, "_ROUND", 64)
    rows = SETS["clustered"](np.random.default_rng(1))
    run = FarthestRun(
        Diversity(name="d", embeddings=rows),
        known=np.ones(N, bool),
        candidate=np.ones(N, bool),
        pool=[],
        n_picks=500,
    )
    while len(run.picks) < 500:
        run.step()
    assert N <= measured < 0.6 * N * 500


def test_lengths_of_any_scale() -> None:
    """Lengths are exact to rounding from the smallest to the largest float64 whose inverse exists."""
    rows = np.array([[3.0, 4.0], [3e-300, 4e-300], [3e300, 4e300], [0.0, 0.0], [np.nan, 1.0]])
    np.testing.assert_allclose(inverse_lengths(rows), [0.2, 2e299, 2e-301, 0.0, 0.0], rtol=1e-15)
