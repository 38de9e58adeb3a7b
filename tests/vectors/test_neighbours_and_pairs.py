"""Neighbours and projections are those of a brute force in float64, whatever the vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.vectors import nearest_rows, project_neighbours, project_pca, unit_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _vectors(seed: int, n: int, n_dims: int, kind: str) -> NDArray[np.float32]:
    """Return vectors that are spread, in clusters, repeated, or along a line."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(n, n_dims))
    if kind == "clusters":
        values = random.normal(size=(3, n_dims))[random.integers(0, 3, n)] + 0.05 * values
    if kind == "repeated":
        values = values[random.integers(0, max(n // 3, 1), n)]
    if kind == "line":
        values = np.outer(np.linspace(0, 1, n), values[0]) + values[min(1, n - 1)]
    return unit_rows(values)


def _distances(unit: NDArray[np.float32]) -> NDArray[np.float64]:
    exact = unit.astype(np.float64)
    distances: NDArray[np.float64] = np.sqrt(((exact[:, None] - exact[None]) ** 2).sum(axis=2))
    return distances


KINDS = st.sampled_from(["spread", "clusters", "repeated", "line"])
cases = given(st.integers(0, 1_000), st.integers(1, 60), st.integers(1, 40), KINDS)


@cases
def test_unit_rows_have_length_1(seed: int, n: int, n_dims: int, kind: str) -> None:
    """Scaling changes no direction and makes each length 1; a row of zeros stays."""
    unit = _vectors(seed, n, n_dims, kind)
    assert np.allclose(np.linalg.norm(unit, axis=1), 1.0, atol=1e-5)
    assert np.allclose(unit_rows(unit * 7.5), unit, atol=1e-6)
    assert not unit_rows(np.zeros((1, n_dims))).any()


@cases
def test_the_nearest_are_those_of_a_brute_force(seed: int, n: int, n_dims: int, kind: str) -> None:
    """Rows and distances are those of sorting all distances in float64; what is not allowed is no answer."""
    unit = _vectors(seed, n, n_dims, kind)
    allowed = np.random.default_rng(seed).random(n) < 0.8
    distances = _distances(unit)[0]
    rows, found = nearest_rows(unit, unit[0], 5, allowed=allowed)
    expected = sorted(np.flatnonzero(allowed).tolist(), key=lambda row: (distances[row], row))[:5]
    assert rows.tolist() == expected
    assert np.allclose(found, distances[expected], atol=1e-12)


@given(st.integers(0, 1_000), st.integers(1, 40), st.integers(1, 12))
def test_pca_keeps_the_most_variance(seed: int, n: int, n_dims: int) -> None:
    """The two coordinates have the variances of the two largest eigenvalues, and a shift changes nothing."""
    values = np.random.default_rng(seed).normal(size=(n, n_dims)) * np.arange(1, n_dims + 1)
    points = project_pca(values)
    assert points.shape == (n, 2)
    largest = np.sort(np.linalg.eigvalsh(np.cov(values.T, bias=True).reshape(n_dims, n_dims)))[::-1][:2]
    assert np.allclose(points.var(axis=0)[: len(largest)], np.maximum(largest, 0), rtol=1e-3, atol=1e-4)
    assert np.allclose(project_pca(values + 5.0), points, atol=1e-2)


def test_neighbours_stay_together() -> None:
    """Of three clusters, the nearest point of each is of its own cluster."""
    pytest.importorskip("umap", reason="the extra `umap` is not installed")
    unit = _vectors(0, 90, 20, "clusters")
    cluster = np.argmax(unit @ unit[[0]].T > 0.9, axis=1)
    points = project_neighbours(unit).astype(np.float64)
    apart = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (cluster[apart.argmin(axis=1)] == cluster).all()
    assert project_neighbours(unit[:3]).shape == (3, 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("in_place", [False, True])
def test_directions_are_kept_at_any_scale(dtype: type, *, in_place: bool) -> None:
    """Rows at the ends of what their type holds have the direction that they have at length 1."""
    unit = _vectors(3, 20, 7, "spread").astype(np.float64)
    ends = [1e-300, 1e-60, 1.0, 1e60, 1e300] if dtype is np.float64 else [1e-36, 1e-20, 1.0, 1e20, 3e37]
    scaled = (unit * np.resize(ends, 20)[:, None]).astype(dtype)
    given = scaled.copy()
    found = unit_rows(given, in_place=in_place and dtype is np.float32)
    assert np.allclose(found, unit, atol=1e-6)
    assert in_place or np.array_equal(given, scaled)
