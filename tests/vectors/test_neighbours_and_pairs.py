"""Neighbours, near pairs and duplicates are those of a brute force in float64, whatever the vectors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.vectors import find_duplicates, near_pairs, nearest_rows, project_neighbours, project_pca, unit_rows

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


@settings(deadline=None)
@given(st.integers(0, 1_000), st.integers(0, 90), st.integers(1, 40), KINDS, st.sampled_from([0.0, 0.02, 0.3, 1.2]))
def test_near_pairs_are_those_of_a_brute_force(seed: int, n: int, n_dims: int, kind: str, limit: float) -> None:
    """Each pair at most `limit` apart is yielded once, with its distance, and no other."""
    unit = _vectors(seed, n, n_dims, kind) if n else np.zeros((0, n_dims), np.float32)
    distances = _distances(unit)
    expected = {(i, j) for i in range(n) for j in range(i + 1, n) if distances[i, j] <= limit}
    found = [
        (i, j, distance)
        for pairs in near_pairs(unit, limit)
        for i, j, distance in zip(pairs.first.tolist(), pairs.second.tolist(), pairs.distances, strict=True)
    ]
    assert len(found) == len({(i, j) for i, j, _ in found})
    # Rounding decides at the limit itself.
    at_limit = {(i, j) for i in range(n) for j in range(i + 1, n) if abs(distances[i, j] - limit) < 1e-9}
    assert {(i, j) for i, j, _ in found} ^ expected <= at_limit
    assert all(abs(distances[i, j] - distance) < 1e-12 for i, j, distance in found)


@pytest.mark.parametrize("kind", ["spread", "clusters", "repeated"])
def test_near_pairs_of_many_parts(kind: str) -> None:
    """Thousands of vectors, cut into several parts, by several threads, give what a brute force gives."""
    unit = _vectors(3, 3_000, 48, kind)
    dots = unit.astype(np.float64) @ unit.T.astype(np.float64)
    limit = 0.25
    expected = int(np.triu(np.sqrt(np.maximum(2 - 2 * dots, 0)) <= limit, 1).sum())
    with ThreadPoolExecutor(2) as threads:
        found = sum(len(pairs.first) for pairs in near_pairs(unit, limit, threads=threads))
    assert found == expected


@settings(deadline=None)
@given(st.integers(0, 1_000), st.integers(1, 50), KINDS, st.sampled_from([0.0, 0.1, 0.6]))
def test_duplicates_are_those_of_a_plain_loop(seed: int, n: int, kind: str, limit: float) -> None:
    """Row by row: what has an earlier row's content, or lies near to a row that is kept, is not kept."""
    unit = _vectors(seed, n, 8, kind)
    random = np.random.default_rng(seed)
    known = random.random(n) < 0.9
    contents = [None if random.random() < 0.3 else int(random.integers(0, 30)) for _ in range(n)]
    distances = _distances(unit)
    first = {content: i for i, content in reversed(list(enumerate(contents))) if content is not None}
    kept: list[int] = []
    repeated = []
    for row, content in enumerate(contents):
        same = content is not None and first[content] != row
        near = known[row] and any(known[k] and distances[k, row] <= limit for k in kept) and limit > 0
        repeated.append(bool(same or near))
        if not (same or near):
            kept.append(row)
    found = find_duplicates(unit, known, limit=limit, contents=contents)
    assert found.repeated.tolist() == repeated
    assert not found.repeated[found.of[found.repeated]].any()
    assert not found.exact[~found.repeated].any()


def test_a_slow_chain_is_thinned_and_not_dropped() -> None:
    """Of a video whose frames differ little by little, frames remain all along it."""
    angles = np.linspace(0, np.pi / 2, 100)
    unit = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    found = find_duplicates(unit, np.ones(100, np.bool_), limit=0.2)
    kept = np.flatnonzero(~found.repeated)
    assert 7 <= len(kept) <= 9
    assert np.ptp(np.diff(kept)) <= 1


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
