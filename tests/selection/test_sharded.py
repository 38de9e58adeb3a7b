from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from strategies_selection import bounded_problem, engine_strategies, finish
from tamis.errors import UsageError
from tamis.selection.cascade_run import CascadeRun, has_bounds
from tamis.selection.config import Distribution
from tamis.selection.field import survey
from tamis.selection.greedy import select
from tamis.selection.limits import AtMost
from tamis.selection.shard import open_shard
from tamis.selection.sharded_run import ShardedRun, Sharding
from tamis.selection.strategies import Balance, Diversity, Strategy, Weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tamis.selection.shard import Answer, Part, Question


class Holders:
    """Shards in this process; a few are lost now and then, and held anew from their parts."""

    def __init__(self, parts: Iterable[Part], rng: np.random.Generator, *, losing: float) -> None:
        self._parts = list(parts)
        self._shards = [open_shard(part) for part in self._parts]
        self._rng = rng
        self._losing = losing
        self.n_asked = self.n_lost = 0

    def ask(self, questions: Sequence[Question | None]) -> list[Answer | None]:
        return [None if question is None else self._ask(n, question) for n, question in enumerate(questions)]

    def _ask(self, number: int, question: Question) -> Answer | None:
        self.n_asked += 1
        answer: Answer = self._shards[number](question)
        if self._rng.random() >= self._losing:
            return answer
        self.n_lost += 1  # after the work, or before: the answer is lost either way
        self._shards[number] = open_shard(self._parts[number])
        return None


def sharded(  # noqa: PLR0913 (what a case varies)
    strategies: list[Strategy],
    candidate: Any,
    pool: Sequence[int] = (),
    *,
    seed: int = 0,
    losing: float = 0.0,
    size: int | None = None,
    n_shards: int = 3,
) -> tuple[ShardedRun, list[Holders]]:
    made: list[Holders] = []

    def open_shards(parts: Iterable[Part]) -> Holders:
        made.append(Holders(parts, np.random.default_rng(seed), losing=losing))
        return made[-1]

    field = survey(strategies, candidate=candidate, pool=pool)
    run = ShardedRun(strategies, field, pool, Sharding(open=open_shards, n_shards=n_shards, size=size))
    return run, made


@pytest.mark.parametrize("seed", range(300))
def test_shards_pick_what_one_machine_picks(seed: int) -> None:
    """Any problem, cut into shards of any number, some of them lost on the way: same picks, objectives, and end."""
    problem = bounded_problem(seed)
    strategies = engine_strategies(problem)
    if not has_bounds(strategies):
        return
    field = survey(strategies, candidate=problem.candidate, pool=problem.pool)
    k = min(problem.n, int(field.candidate.sum()))
    rng = np.random.default_rng(seed)
    try:
        here = finish(CascadeRun(strategies, field, problem.pool), k)
    except UsageError:  # a target without a share
        with pytest.raises(UsageError):
            sharded(strategies, problem.candidate, problem.pool)
        return
    run, _ = sharded(
        strategies,
        problem.candidate,
        problem.pool,
        seed=seed,
        losing=float(rng.choice([0.0, 0.3])),
        size=int(rng.choice([1, 2, 7, 1000])),
        n_shards=int(rng.integers(1, 6)),
    )
    finish(run, k)
    assert run.picks == here.picks
    assert run.stopped == here.stopped
    if here.picks:
        for ours, theirs in zip(run.answers(), here.answers(), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def _points(kind: str, rng: np.random.Generator, n: int, width: int = 16) -> Any:
    if kind == "video":  # neighbours are nearly the same
        return np.cumsum(rng.normal(size=(n, width)), axis=0).astype(np.float32) + 50
    if kind == "duplicates":
        return rng.normal(size=(n // 20, width)).astype(np.float32)[rng.integers(0, n // 20, n)]
    centres = rng.normal(size=(20, width))
    return (centres[rng.integers(0, 20, n)] + 0.1 * rng.normal(size=(n, width))).astype(np.float32)


def _strategies(mix: str, points: Any, rng: np.random.Generator) -> list[Strategy]:
    n = len(points)
    diverse = Diversity(name="d", embeddings=points)
    if mix == "alone":
        return [diverse]
    if mix == "objects":
        owner = np.sort(rng.integers(0, n // 3, n))
        weights = Weights(name="w", values=rng.random(n // 3))
        return [Diversity(name="d", embeddings=points, owner=owner), weights]
    weights = Weights(name="w", values=rng.random(n), strength=0.5)
    rows = np.eye(5)[rng.integers(0, 5, n)] * rng.integers(0, 4, (n, 1))
    shares = Balance(name="b", rows=rows, classes=list("abcde"), distribution=Distribution.UNIFORM)
    return [diverse, weights, shares]


@pytest.mark.parametrize("mix", ["alone", "product", "objects"])
@pytest.mark.parametrize("kind", ["clusters", "duplicates", "video"])
def test_thousands_are_picked_alike(kind: str, mix: str) -> None:
    """Thousands of samples: the same picks to the bit, also where limits rule samples out and shards are lost."""
    rng = np.random.default_rng(len(kind) + len(mix))
    strategies = _strategies(mix, _points(kind, rng, 6000), rng)
    n = 2000 if mix == "objects" else 6000
    limits = [AtMost(name="group", group=np.arange(n) // 20, most=3)]
    asked: list[Holders] = []

    def hold(parts: Iterable[Part]) -> Holders:
        asked.append(Holders(parts, rng, losing=0.1))
        return asked[-1]

    common: Any = {"n_samples": 250, "candidate": np.ones(n, bool), "pool": range(0, n, 500), "limits": limits}
    here = select(strategies, **common)
    there = select(strategies, **common, sharding=Sharding(open=hold, n_shards=4, size=n // 40))
    assert there.picks.tolist() == here.picks.tolist()
    np.testing.assert_array_equal(there.objectives, here.objectives)
    np.testing.assert_array_equal(there.gains, here.gains)
    assert there.ruled_out == here.ruled_out
    assert asked[0].n_lost


def test_an_exchange_serves_many_picks() -> None:
    """Where nothing is lost, a round among thousands brings dozens of picks."""
    points = _points("clusters", np.random.default_rng(1), 6000)
    run, _ = sharded([Diversity(name="d", embeddings=points)], np.ones(6000, bool), size=400)
    assert finish(run, 600).n_rounds < 600 / 25


def test_the_cases_cover_what_matters() -> None:
    """Most random problems have bounds, and some of their shards are lost: the laws above say something."""
    found = [bounded_problem(seed) for seed in range(300)]
    assert sum(has_bounds(engine_strategies(problem)) for problem in found) > 200
