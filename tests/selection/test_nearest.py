from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from brute_force import unit
from hypothesis import given
from hypothesis import strategies as st

from tamis.selection import regions
from tamis.selection.among import Among
from tamis.selection.nearest import LazyDistances
from tamis.selection.regions import Regions
from tamis.selection.vectors import Vectors, places_in

if TYPE_CHECKING:
    from collections.abc import Iterator

Array = Any
SAMPLES = 9


@pytest.fixture(autouse=True, scope="module")
def _regions_from_the_start() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regions, "_EVERYWHERE", 1)
        yield


def _mean_squares(points: Array, owner: Array, chosen: list[int]) -> Array:
    """The definition: for each sample, the mean over its vectors of the squared distance to the nearest chosen."""
    units = unit(points)
    others = units[np.isin(owner, chosen)]
    if not len(others):
        return np.where(np.isin(range(SAMPLES), owner), 4.0, 0.0)
    squares = ((units[:, None] - others[None]) ** 2).sum(axis=2).min(axis=1)
    return np.array([squares[owner == i].mean() if (owner == i).any() else 0.0 for i in range(SAMPLES)])


@given(st.integers(0, 2**32), st.sampled_from([1e-6, 1.0]), st.booleans())
def test_bounds(seed: int, spread: float, objects: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever was asked for before, no bound is below the distance; it meets those refreshed and measured."""
    rng = np.random.default_rng(seed)
    owner = np.sort(rng.integers(0, SAMPLES, 20)) if objects else np.arange(SAMPLES)
    points = (np.ones(3) + spread * rng.standard_normal((len(owner), 3))).astype(rng.choice(["f4", "f8"]))
    starts = np.searchsorted(owner, np.arange(SAMPLES + 1))
    with ThreadPoolExecutor(2) as two:
        threads = two if rng.random() < 0.5 else None
        lazy = LazyDistances(Vectors(points), starts, usable=np.arange(len(owner)), threads=threads)
        chosen: list[int] = []
        for step in range(12):
            of = np.flatnonzero(rng.random(SAMPLES) < 0.6)
            exact = _mean_squares(points, owner, chosen)
            if step % 3 == 0 and owner.size:
                chosen.append(int(rng.choice(owner)))
                lazy.chosen.add(lazy.units_of(chosen[-1]))
                exact = _mean_squares(points, owner, chosen)
            elif step % 3 == 1:
                lazy.sweep()
            elif rng.random() < 0.5:
                lazy.refresh(of)
                assert not lazy.stale(of).any()
                assert lazy.upper[of] == pytest.approx(exact[of], abs=1e-5)
            else:
                lazy.measure(of)
                assert lazy.upper[of] == pytest.approx(exact[of], rel=1e-9, abs=1e-14)
            assert (lazy.upper >= exact - 1e-14).all()


@given(st.integers(0, 2**32))
def test_what_is_near_is_met_once(seed: int) -> None:
    """A vector meets each chosen one of its region once, however often both grow, and itself."""
    points = unit(np.random.default_rng(seed).standard_normal((60, 3))).astype(np.float32)
    some = Regions(Vectors(points), np.arange(60))
    met: list[list[int]] = [[] for _ in points]
    for count in (5, 5, 30, 60):
        some.learn(points[:count])
        for rows, new in some.meet():
            for row in rows:
                met[row] += new.tolist()
    assert all(len(set(mine)) == len(mine) for mine in met)
    assert all(row in mine for row, mine in enumerate(met))


@given(st.integers(0, 2**32), st.lists(st.integers(1, 300), max_size=4), st.sampled_from(["far", "near", "same"]))
def test_sums_among(seed: int, steps: list[int], kind: str) -> None:
    """Each sum is that of the squared distances to the nearest other, among the points so far."""
    rng = np.random.default_rng(seed)
    spread = {"far": 1.0, "near": 1e-5, "same": 0.0}[kind]
    points = unit(1.0 + spread * rng.standard_normal((min(sum(steps), 400), 3)))
    points[::7] = points[:1]  # duplicates
    among = Among()
    for end in np.cumsum(steps):
        among.extend(points[:end], points[:end].astype(np.float32))
    squares = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    expected = [squares[:m, :m].min(axis=1).sum() if m > 1 else 0.0 for m in range(len(points) + 1)]
    assert among.sums == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.integers(0, 2**32), st.integers(0, 5), st.integers(0, 5))
def test_places_in(seed: int, height: int, width: int) -> None:
    """What is true is found where NumPy finds it, in the same order."""
    table = np.random.default_rng(seed).random((height, width)) < 0.5
    assert [places.tolist() for places in places_in(table)] == [places.tolist() for places in np.nonzero(table)]


def test_a_vector_that_nobody_asks_for_may_be_anything() -> None:
    """Vectors that are not usable change no bound of the others, and are no leaders."""
    points = np.random.default_rng(0).standard_normal((300, 4)).astype(np.float32)
    points[::3] = np.array([np.nan, np.inf, 0.0, 1.0])
    usable = np.flatnonzero(np.arange(300) % 3)
    lazy = LazyDistances(Vectors(points), np.arange(301), usable=usable)
    lazy.chosen.add(lazy.units_of(1))
    lazy.sweep()
    units = unit(points[usable])
    squares = ((units - units[0]) ** 2).sum(axis=1)
    assert (lazy.upper[usable] >= squares).all()
    lazy.refresh(usable)
    assert lazy.upper[usable] == pytest.approx(squares, abs=1e-5)
