from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from brute_force import BruteForce, unit
from hypothesis import given
from hypothesis import strategies as st

from strategies_selection import bounded_problem, engine_strategies, finish
from tamis.selection import among, chosen, regions, vectors
from tamis.selection.balance import BalanceTerm, wanted
from tamis.selection.bounds import SpreadBounds, SumBounds
from tamis.selection.cascade import Sizes
from tamis.selection.cascade_run import CascadeRun, has_bounds
from tamis.selection.config import Distribution
from tamis.selection.field import survey
from tamis.selection.greedy import select
from tamis.selection.nearest import LazyDistances
from tamis.selection.share_bounds import ShareBounds
from tamis.selection.strategies import Balance, Diversity, Strategy, Weights
from tamis.selection.terms import SumTerm
from tamis.selection.vectors import Vectors, nearest_squares

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Array = Any
TINY = Sizes(middle=5, inner=2)
MEDIUM = Sizes(middle=100, inner=10)
EVERYWHERE = regions._EVERYWHERE  # noqa: SLF001 - regions matter from some hundred picks on


@pytest.fixture(autouse=True, scope="module")
def _regions_from_the_start() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regions, "_EVERYWHERE", 1)
        yield


def _run(strategies: Sequence[Strategy], k: int, candidate: Array, pool: Sequence[int] = ()) -> CascadeRun:
    return finish(CascadeRun(strategies, survey(strategies, candidate=candidate, pool=pool), pool, sizes=TINY), k)


@pytest.mark.parametrize("seed", range(600))
def test_picks_are_those_of_the_definition(seed: int) -> None:
    """Groups that hold next to nothing give the picks, objectives and early ends of the brute force."""
    problem = bounded_problem(seed)
    strategies = engine_strategies(problem)
    with np.errstate(invalid="ignore", divide="ignore"):
        brute = BruteForce(problem.strategies, problem.candidate, problem.pool)
    targets = [s["t"] for s in brute.strategies if s["kind"] == "BALANCE"]
    if not has_bounds(strategies) or not all(np.isfinite(target).all() for target in targets):
        return
    candidates = int(survey(strategies, candidate=problem.candidate, pool=problem.pool).candidate.sum())
    run = _run(strategies, min(problem.n, candidates), problem.candidate, problem.pool)
    assert run.picks == brute.run(problem.n)
    brute.chosen = list(problem.pool)
    for row, sample in zip(run.answers()[0], run.picks, strict=True):
        for strategy, objective in zip(problem.strategies, row, strict=True):
            if strategy["kind"] != "THRESHOLD":
                assert objective == pytest.approx(brute.objective(strategy, sample), rel=1e-9, abs=1e-12)
        brute.chosen.append(sample)


def test_the_seeds_cover_what_matters() -> None:
    """Most random problems have bounds, and many of them mix strategies or measure objects."""
    problems = [problem for problem in map(bounded_problem, range(600)) if has_bounds(engine_strategies(problem))]
    assert len(problems) > 400
    assert sum(len(problem.strategies) > 1 for problem in problems) > 200
    assert sum(any(s.get("owner") is not None for s in problem.strategies) for problem in problems) > 100


N = 1500


def _video(rng: np.random.Generator) -> Array:
    """A slow walk in float32: frames that differ by less than the error of float32 products."""
    walk = 3e-5 * np.cumsum(rng.standard_normal((N, 32)), axis=0)
    return unit(walk + 1.0).astype(np.float32)


POINTS: dict[str, Callable[[np.random.Generator], Array]] = {
    "clustered": lambda rng: (
        rng.standard_normal((20, 8))[rng.integers(0, 20, N)] + 0.2 * rng.standard_normal((N, 8))
    ),
    "few distinct": lambda rng: rng.standard_normal((60, 8))[rng.integers(0, 60, N)].astype(np.float32),
    "video": _video,
    "extreme scales": lambda rng: rng.standard_normal((N, 4)) * 10.0 ** rng.integers(-200, 200, (N, 1)),
    "line": lambda rng: rng.standard_normal((N, 1)),
    "close together": lambda rng: 1.0 + 1e-5 * rng.standard_normal((N, 3)),
}


def _classes(rng: np.random.Generator) -> Balance:
    rows = rng.random((N, 4)) * rng.integers(0, 6, (N, 1))
    shares = {"a": 0.1, "b": 0.4, "c": 0.3}
    return Balance(name="b", rows=rows, classes=list("abcd"), distribution=Distribution.TARGET, target=shares)


def _product(rng: np.random.Generator, points: Array) -> list[Strategy]:
    values = rng.integers(0, 50, N) / 50.0
    return [
        Diversity(name="d", embeddings=points, strength=2.0),
        Weights(name="w", values=values, strength=-0.5),
        _classes(rng),
    ]


def _objects(rng: np.random.Generator, points: Array) -> list[Strategy]:
    owner = np.sort(rng.integers(0, N // 3, N))
    return [
        Diversity(name="o", embeddings=points, owner=owner),
        Weights(name="w", values=rng.random(N), strength=0.1),
    ]


MIXES: dict[str, Callable[[np.random.Generator, Array], list[Strategy]]] = {
    "product": _product,
    "objects": _objects,
    "objects alone": lambda rng, points: _objects(rng, points)[:1],
}


def _negligible(strategies: list[Strategy]) -> list[Strategy]:
    """The same strategies, and one that tells nothing apart but has no bounds: the plain loop decides."""
    return [*strategies, Diversity(name="same", embeddings=np.ones((N, 2)), strength=-1.0)]


@pytest.mark.parametrize("mix", list(MIXES))
@pytest.mark.parametrize("points", list(POINTS))
def test_groups_pick_like_the_plain_loop(points: str, mix: str) -> None:
    """Groups of a tenth of the samples pick what the plain loop picks, on data made to mislead bounds."""
    rng = np.random.default_rng(len(points))
    strategies = MIXES[mix](rng, POINTS[points](rng))
    everyone = np.ones(N, bool)
    field = survey(strategies, candidate=everyone, pool=[7, 3])
    fast = finish(CascadeRun(strategies, field, [7, 3], sizes=MEDIUM), 80).picks
    plain = select(_negligible(strategies), n_samples=80, candidate=everyone, pool=[7, 3]).picks
    assert fast == plain.tolist()


MANY = 5000


def _clustered(rng: np.random.Generator) -> Array:
    centres = rng.standard_normal((40, 16))
    return (centres[rng.integers(0, 40, MANY)] + 0.2 * rng.standard_normal((MANY, 16))).astype(np.float32)


def _on_a_circle(rng: np.random.Generator) -> Array:
    angles = rng.uniform(0, 2 * np.pi, MANY)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _outwards(rng: np.random.Generator) -> Array:
    """Each sample lies farther from the first than those before it: every bound is wrong for long."""
    angles = np.linspace(0.0, 0.5, MANY)
    return np.stack([np.cos(angles), np.sin(angles), 1e-3 * rng.standard_normal(MANY)], axis=1)


def _long_video(rng: np.random.Generator) -> Array:
    """A slow walk in float32: frames that differ by little more than the rounding of their products."""
    walk = 3e-5 * np.cumsum(rng.standard_normal((MANY, 32)), axis=0)
    return unit(walk + 1.0).astype(np.float32)


LONE_SETS: dict[str, Callable[[np.random.Generator], Array]] = {
    "clustered": _clustered,
    "iid": lambda rng: rng.standard_normal((MANY, 16)),
    "duplicates": lambda _: np.ones((MANY, 4)),
    "few distinct": lambda rng: rng.standard_normal((200, 8))[rng.integers(0, 200, MANY)],
    "grid": lambda rng: rng.integers(-1, 2, (MANY, 4)).astype(float) + np.eye(4)[0] * 5,
    "circle": _on_a_circle,
    "outwards": _outwards,
    "video": _long_video,
}


def _farthest_first(rows: Array, k: int) -> list[int]:
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


@pytest.mark.parametrize("sizes", [Sizes(middle=64, inner=8), Sizes(middle=1024, inner=128)])
@pytest.mark.parametrize("name", list(LONE_SETS))
def test_one_diversity_picks_farthest_first(name: str, sizes: Sizes) -> None:
    """Groups of any size give the picks of farthest-first, on easy and on hostile embeddings."""
    rows = LONE_SETS[name](np.random.default_rng(7))
    field = survey([Diversity(name="d", embeddings=rows)], candidate=np.ones(MANY, bool), pool=[])
    run = CascadeRun([Diversity(name="d", embeddings=rows)], field, [], sizes=sizes)
    assert finish(run, 300).picks == _farthest_first(rows, 300)


def test_duplicates_come_last_and_at_no_distance() -> None:
    """Once only duplicates are left, they are picked by index, at a distance of exactly 0."""
    rows = np.repeat(np.random.default_rng(0).standard_normal((60, 5)), 30, axis=0)
    run = select([Diversity(name="d", embeddings=rows)], n_samples=150, candidate=np.ones(1800, bool))
    assert run.picks.tolist() == _farthest_first(rows, 150)
    assert run.gains[1:60].min() > 0.0
    assert run.gains[60:].max() == 0.0


@given(st.integers(0, 2**32), st.sampled_from([1e-5, 3e-5, 1e-4]), st.booleans())
def test_what_the_least_objective_swallows_ties(seed: int, spread: float, objects: bool) -> None:  # noqa: FBT001
    """Embeddings so near to each other that 1e-8 hides their distances are picked as the definition has it."""
    rng = np.random.default_rng(seed)
    points = 1.0 + spread * rng.standard_normal((12, 2))
    owner = np.sort(rng.integers(0, 9, 12)) if objects else None
    n = 12 if owner is None else 9
    plain = {"kind": "DIVERSITY", "strength": 1.0, "null": np.zeros(n, bool), "stop": None}
    brute = BruteForce([{**plain, "points": points, "owner": owner}], np.ones(n, bool), [])
    run = _run([Diversity(name="d", embeddings=points, owner=owner)], n, np.ones(n, bool))
    assert run.picks == brute.run(n)


@pytest.mark.parametrize("objects", [False, True])
def test_most_distances_are_left_out(monkeypatch: pytest.MonkeyPatch, objects: bool) -> None:  # noqa: FBT001
    """A run compares few samples with few picks, in few products, and measures next to none in double precision."""
    compared: Counter[str] = Counter()
    dots_of, pair_squares = vectors.dots_of, vectors.pair_squares

    def counting(points: Array, others: Array) -> Array:
        compared[str(points.dtype)] += len(points) * len(others)
        compared["products"] += 1
        return dots_of(points, others)

    def measuring(points: Array, others: Array) -> Array:
        compared["pairs"] += len(points)
        return pair_squares(points, others)

    for module in (among, chosen, regions, vectors):
        monkeypatch.setattr(module, "dots_of", counting)
    monkeypatch.setattr(vectors, "pair_squares", measuring)
    monkeypatch.setattr(regions, "_EVERYWHERE", EVERYWHERE)
    n, k = (4_000, 400) if objects else (20_000, 2_000)
    rng = np.random.default_rng(1)
    centres = 2.0 * rng.standard_normal((200, 8))
    points = (centres[rng.integers(0, 200, 20_000)] + 0.5 * rng.standard_normal((20_000, 8))).astype(np.float32)
    owner = np.arange(20_000) // 5 if objects else None
    strategies = [Diversity(name="d", embeddings=points, owner=owner)]
    finish(CascadeRun(strategies, survey(strategies, candidate=np.ones(n, bool), pool=[]), []), k)
    every = 20_000 * 2_000
    assert 20_000 <= compared["float32"] < 0.6 * every
    assert compared["float64"] < 0.01 * every
    assert compared["pairs"] < 10_000
    assert compared["products"] < 1_500


@given(st.integers(0, 2**32))
def test_nearest_squares(seed: int) -> None:
    """The nearest by products and differences is the nearest by differences alone, duplicates at 0."""
    rng = np.random.default_rng(seed)
    chosen = unit(rng.standard_normal((6, 3)))
    points = np.concatenate(
        [chosen[:2], unit(chosen[:2] + 1e-9 * rng.standard_normal((2, 3))), unit(rng.random((3, 3)))]
    )
    differences = ((points[:, None] - chosen[None]) ** 2).sum(axis=2).min(axis=1)
    assert nearest_squares(points, chosen) == pytest.approx(differences, rel=1e-12, abs=1e-28)
    assert (nearest_squares(points, chosen)[:2] == 0.0).all()


def _assert_bounded(bounds: Any, exact: Callable[[], Array], picks: Sequence[int]) -> None:
    """Wherever the run stood, no exact score is above any part of an old bound by more than the drift."""
    marks = []
    for pick in picks:
        marks.append((bounds.bounds(slice(None)), bounds.state(slice(None))))
        bounds.add(pick)
        for bound, state in marks:
            for kept in (1.0, 0.99, 0.7, 0.1):
                assert (exact() <= kept * bound + bounds.drift(state, kept) + 1e-12).all()


@given(st.integers(0, 2**32), st.sampled_from([-1.0, 0.5, 1.0]), st.booleans())
def test_drift_of_sums(seed: int, strength: float, alone: bool) -> None:  # noqa: FBT001 - drawn
    """A sum's old bounds hold with their drift, zeros, tiny and empty ones included."""
    rng = np.random.default_rng(seed)
    own = rng.random(9) * rng.choice([0.0, 1e-9, 1.0], 9)
    term = SumTerm("w", own, own, empty=rng.random(9) < 0.2)
    bounds = SumBounds(term, strength=strength, alone=alone)
    _assert_bounded(bounds, lambda: bounds.bounds(slice(None)), range(9))


@given(st.integers(0, 2**32), st.sampled_from([1e-6, 1.0]))
def test_drift_of_distances(seed: int, spread: float) -> None:
    """A diversity's old bounds hold with their drift, whether the set's sum grows or falls."""
    rng = np.random.default_rng(seed)
    points = np.ones(3) + spread * rng.standard_normal((12, 3))
    starts = np.array([0, 2, 2, 5, 6, 7, 9, 12])
    lazy, fresh = (LazyDistances(Vectors(points), starts, usable=np.arange(12)) for _ in range(2))
    bounds, exact = (SpreadBounds(d, strength=1.0, alone=False) for d in (lazy, fresh))
    everyone = np.arange(7)

    def measured() -> Array:
        while fresh.chosen.count < lazy.chosen.count:
            exact.add(order[len(added)])
            added.append(1)
        exact.focus(everyone)
        return exact.focused()

    order = [p for p in rng.permutation(7).tolist() if p != 1]
    added: list[int] = []
    _assert_bounded(bounds, measured, order)


@given(st.integers(0, 2**32))
def test_drift_of_shares(seed: int) -> None:
    """A balance's old bounds hold with their drift, classes that nothing holds included."""
    rng = np.random.default_rng(seed)
    rows = rng.random((10, 3)) * (rng.random((10, 3)) < 0.4) * rng.integers(0, 9, (10, 1))
    rows[0, 0] = 1.0
    everyone = np.ones(10, bool)
    target = {"a": 0.5, "b": 0.2}
    strategy = Balance(name="b", rows=rows, classes=list("abc"), distribution=Distribution.TARGET, target=target)
    shares, rows, _ = wanted(strategy, everyone, everyone)
    term = BalanceTerm(shares, rows)
    bounds = ShareBounds(term, strength=1.0, largest=term.largest(everyone))
    _assert_bounded(bounds, lambda: bounds.bounds(slice(None)), rng.permutation(10).tolist())
