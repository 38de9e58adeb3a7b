from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from brute_force import unit
from hypothesis import given
from hypothesis import strategies as st

from tamis.selection import threads
from tamis.selection.neighbours import nearest_distances
from tamis.selection.threads import product_threads

Array = Any


def _sorted_distances(points: Array, others: Array) -> Array:
    return np.sort(np.sqrt(((points[:, None] - others[None]) ** 2).sum(axis=2)), axis=1)


@given(st.integers(0, 2**32), st.integers(1, 3), st.sampled_from([1.0, 1e-4, 0.0]), st.booleans())
def test_nearest_distances(seed: int, count: int, spread: float, threaded: bool) -> None:  # noqa: FBT001 - drawn
    """The nearest that float32 finds are those of all distances, close together or the same."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((30, 4))
    others = unit(centres[rng.integers(0, 30, 300)] + spread * rng.standard_normal((300, 4)))
    points = unit(rng.standard_normal((40, 4)))
    with ThreadPoolExecutor(2) as two:
        found = nearest_distances(points, others, count, threads=two if threaded else None)
    np.testing.assert_allclose(found, _sorted_distances(points, others)[:, :count], rtol=1e-12)
    own = nearest_distances(others, others, count, skip_self=True)
    np.testing.assert_allclose(own, _sorted_distances(others, others)[:, 1 : count + 1], rtol=1e-9, atol=1e-15)


def test_blas_gets_its_threads_back() -> None:
    """However runs overlap, BLAS has one thread while any of them lasts, and as many as before afterwards."""
    control = threads._openblas()  # noqa: SLF001 - the only way to ask
    if control is None:
        pytest.skip("this NumPy brings no OpenBLAS along")
    count, set_to = control
    before = count()
    set_to(2)
    try:
        first, second = product_threads(), product_threads()
        first.__enter__()
        second.__enter__()
        assert count() == 1
        first.__exit__(None, None, None)
        assert count() == 1
        second.__exit__(None, None, None)
        assert count() == 2
    finally:
        set_to(before)
