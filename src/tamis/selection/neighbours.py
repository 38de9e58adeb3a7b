"""Distances to nearest neighbours, and the weights of SIMILARITY and TYPICALITY that follow from them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from tamis.selection.embeddings import blocks
from tamis.selection.vectors import dot_error, dots_of

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from tamis.selection.embeddings import Floats
    from tamis.selection.vectors import Singles

_SPARSE = 8


def similarity_weights(points: Floats, queries: Floats, *, threads: Executor | None = None) -> Floats:
    """Return how near each point is to a query set: exp(-d / mean d), d to the nearest query, in (0, 1].

    Args:
        points: (n, d) unit vectors.
        queries: (m, d) unit vectors, m >= 1.
        threads: which share the work.

    >>> similarity_weights(np.eye(2), np.array([[1.0, 0.0]])).round(3).tolist()
    [1.0, 0.135]
    """
    return _closeness(nearest_distances(points, queries, 1, threads=threads))[:, 0]


def typicality_weights(points: Floats, n_neighbours: int, *, threads: Executor | None = None) -> Floats:
    """Return how near each point is to its neighbours: the mean of exp(-d / mean d) over the nearest, in (0, 1].

    Args:
        points: (n, d) unit vectors.
        n_neighbours: how many neighbours count, >= 1; at most n - 1 do.
        threads: which share the work.

    >>> typicality_weights(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), 1).round(3).tolist()
    [1.0, 1.0, 0.05]
    """
    count = min(n_neighbours, len(points) - 1)
    if count < 1:
        return np.ones(len(points))
    close = _closeness(nearest_distances(points, points, count, skip_self=True, threads=threads))
    means: Floats = close.mean(axis=1)
    return means


def _closeness(distances: Floats) -> Floats:
    mean = float(distances.mean()) if distances.size else 0.0
    if mean == 0.0:
        return np.ones(distances.shape)
    close: Floats = np.exp(-distances / mean)
    return close


def nearest_distances(
    points: Floats, others: Floats, count: int, *, skip_self: bool = False, threads: Executor | None = None
) -> Floats:
    """Return each point's distances to its nearest others, ascending, exact to rounding.

    A matrix product in float32 finds who may be among the nearest, differences in float64 measure those.

    Args:
        points: (n, d) unit vectors.
        others: (m, d) unit vectors.
        count: how many, <= m, or <= m - 1 when `skip_self`.
        skip_self: whether `others` are the points themselves, and none is its own neighbour.
        threads: which share the work.

    Returns:
        (n, count) Euclidean distances.

    >>> nearest_distances(np.eye(2), np.eye(2), 1, skip_self=True).round(3).tolist()
    [[1.414], [1.414]]
    """
    found = np.empty((len(points), count))
    fast = others.astype(np.float32)

    def fill(rows: slice) -> None:
        dots = dots_of(points[rows].astype(np.float32), fast)
        if skip_self:
            dots[np.arange(len(dots)), np.arange(rows.start, rows.stop)] = -np.inf
        for row, own in enumerate(dots, start=rows.start):
            found[row] = _measured(points[row], others, own, count)

    work = blocks(len(points), len(others) // 8)
    deque(map(fill, work) if threads is None else threads.map(fill, work), maxlen=0)
    return found


def _measured(point: Floats, others: Floats, dots: Singles, count: int) -> Floats:
    slack = 2.0 * dot_error(len(point), np.float32)
    near = np.flatnonzero(dots >= _at_most_the_last(dots, count) - slack)
    near = near[dots[near] >= _last_of_largest(dots[near], count) - slack]
    difference = others[near] - point
    squares = np.einsum("ij,ij->i", difference, difference)
    squares.sort()
    nearest: Floats = np.sqrt(squares[:count])
    return nearest


def _at_most_the_last(dots: Singles, count: int) -> float:
    """Return a number that at least `count` reach, by a look at every eighth."""
    some = dots[::_SPARSE]
    return _last_of_largest(some, count) if len(some) > _SPARSE * count else -np.inf


def _last_of_largest(values: Singles, count: int) -> float:
    return float(np.partition(values, len(values) - count)[len(values) - count])
