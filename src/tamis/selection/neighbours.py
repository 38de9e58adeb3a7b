"""Distances to nearest neighbours, and the weights of SIMILARITY and TYPICALITY that follow from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.selection.embeddings import blocks

if TYPE_CHECKING:
    from tamis.selection.embeddings import Floats


def similarity_weights(points: Floats, queries: Floats) -> Floats:
    """Return how near each point is to a query set: exp(-d / mean d), d to the nearest query, in (0, 1].

    Args:
        points: (n, d) unit vectors.
        queries: (m, d) unit vectors, m >= 1.

    >>> similarity_weights(np.eye(2), np.array([[1.0, 0.0]])).round(3).tolist()
    [1.0, 0.135]
    """
    return _closeness(nearest_distances(points, queries, 1))[:, 0]


def typicality_weights(points: Floats, n_neighbours: int) -> Floats:
    """Return how near each point is to its neighbours: the mean of exp(-d / mean d) over the nearest, in (0, 1].

    Args:
        points: (n, d) unit vectors.
        n_neighbours: how many neighbours count, >= 1; at most n - 1 do.

    >>> typicality_weights(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), 1).round(3).tolist()
    [1.0, 1.0, 0.05]
    """
    count = min(n_neighbours, len(points) - 1)
    if count < 1:
        return np.ones(len(points))
    close = _closeness(nearest_distances(points, points, count, skip_self=True))
    means: Floats = close.mean(axis=1)
    return means


def _closeness(distances: Floats) -> Floats:
    mean = float(distances.mean()) if distances.size else 0.0
    if mean == 0.0:
        return np.ones(distances.shape)
    close: Floats = np.exp(-distances / mean)
    return close


def nearest_distances(points: Floats, others: Floats, count: int, *, skip_self: bool = False) -> Floats:
    """Return each point's distances to its nearest others, ascending, exact to rounding.

    A matrix product finds who may be among the nearest, differences then measure those.

    Args:
        points: (n, d) unit vectors.
        others: (m, d) unit vectors.
        count: how many, <= m, or <= m - 1 when `skip_self`.
        skip_self: whether `others` are the points themselves, and none is its own neighbour.

    Returns:
        (n, count) Euclidean distances.

    >>> nearest_distances(np.eye(2), np.eye(2), 1, skip_self=True).round(3).tolist()
    [[1.414], [1.414]]
    """
    found = np.empty((len(points), count))
    lengths = np.einsum("ij,ij->i", others, others)
    for rows in blocks(len(points), len(others) // 16):
        rough = points[rows] @ (-2.0 * others.T)
        rough += lengths
        if skip_self:
            rough[np.arange(rows.stop - rows.start), np.arange(rows.start, rows.stop)] = np.inf
        for row, squares in enumerate(rough, start=rows.start):
            found[row] = _measured(points[row], others, squares, count)
    return found


def _measured(point: Floats, others: Floats, rough: Floats, count: int) -> Floats:
    error = 4.0 * (len(point) + 4) * np.finfo(np.float64).eps
    limit = np.partition(rough, count - 1)[count - 1]
    difference = others[rough <= limit + 2.0 * error] - point
    squares = np.einsum("ij,ij->i", difference, difference)
    squares.sort()
    nearest: Floats = np.sqrt(squares[:count])
    return nearest
