from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from brute_force import unit
from hypothesis import given
from hypothesis import strategies as st

from tamis.selection import nearest
from tamis.selection.nearest import LazyDistances, Vectors
from tamis.selection.regions import Regions

if TYPE_CHECKING:
    from collections.abc import Iterator

Array = Any
SAMPLES = 9


@pytest.fixture(autouse=True, scope="module")
def _regions_from_the_start() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "_FEW_IN_REGION", 0)
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
                lazy.add(chosen[-1])
                exact = _mean_squares(points, owner, chosen)
            elif step % 3 == 1:
                lazy.approach(of)
                assert not lazy.loose(of).any()
            elif rng.random() < 0.5:
                lazy.refresh(of)
                assert not lazy.stale(of).any()
                assert lazy.upper[of] == pytest.approx(exact[of], abs=1e-5)
            else:
                lazy.measure(of)
                assert lazy.upper[of] == pytest.approx(exact[of], rel=1e-9, abs=1e-14)
            assert (lazy.upper >= exact - 1e-14).all()


@given(st.integers(0, 2**32))
def test_what_is_near_is_told_once(seed: int) -> None:
    """A vector hears of each chosen one of its region once, however often both grow, and of its own direction."""
    rng = np.random.default_rng(seed)
    points = unit(rng.standard_normal((60, 3))).astype(np.float32)
    regions = Regions(points[:8], 60)
    rows, since = np.arange(60), np.zeros(60, np.int64)
    heard: list[list[int]] = [[] for _ in rows]
    regions.place(rows, points)
    for count in (5, 5, 30, 60):
        regions.learn(points[:count])
        for places, new in regions.near(rows, since):
            for place in places:
                heard[place] += new.tolist()
        since[:] = count
    assert all(len(set(mine)) == len(mine) for mine in heard)
    assert all(row in mine for row, mine in enumerate(heard))
    assert not len(regions.unplaced(rows))


def test_a_vector_that_nobody_asks_for_may_be_anything() -> None:
    """Vectors that are not usable change no bound of the others, and are no leaders."""
    points = np.random.default_rng(0).standard_normal((300, 4)).astype(np.float32)
    points[::3] = np.array([np.nan, np.inf, 0.0, 1.0])
    usable = np.flatnonzero(np.arange(300) % 3)
    lazy = LazyDistances(Vectors(points), np.arange(301), usable=usable)
    lazy.add(1)
    lazy.approach(usable)
    units = unit(points[usable])
    squares = ((units - units[0]) ** 2).sum(axis=1)
    assert (lazy.upper[usable] >= squares).all()
    lazy.refresh(usable)
    assert lazy.upper[usable] == pytest.approx(squares, abs=1e-5)
