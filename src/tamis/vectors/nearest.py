"""The nearest of many vectors to one, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Singles = NDArray[np.float32]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

_SANE_LENGTHS = (1e-30, 1e30)
_EPSILON = float(np.finfo(np.float32).eps)


def unit_rows(vectors: NDArray[Any], *, in_place: bool = False) -> Singles:
    """Return vectors at length 1, shape (n, d); those of length 0 stay.

    Args:
        vectors: (n, d) finite numbers of any scale.
        in_place: whether `vectors`, of float32, are changed themselves: there may be gigabytes of them.

    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).round(3).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    values = vectors if vectors.dtype == np.float32 else _within_float32(vectors)
    lengths = _lengths(values)
    odd = np.flatnonzero((lengths > 0.0) & ((lengths < _SANE_LENGTHS[0]) | (lengths > _SANE_LENGTHS[1])))
    if len(odd):  # the inverse of their lengths is outside of float32
        values = values if in_place else values.copy()
        values[odd] = _within_float32(values[odd])
        lengths[odd] = _lengths(values[odd])
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0.0)
    unit: Singles = np.multiply(values, scale[:, None].astype(np.float32), out=values if in_place else None)
    return unit


def _lengths(values: Singles) -> Floats:
    lengths: Floats = np.sqrt(np.einsum("ij,ij->i", values, values, dtype=np.float64))
    return lengths


def _within_float32(vectors: NDArray[Any]) -> Singles:
    """Return vectors in float32, each scaled by a power of two so that its largest number is from 1/2 to 1."""
    values = vectors.astype(np.float64)
    exponents = np.frexp(np.abs(values).max(axis=1, initial=0.0))[1]
    scaled: Singles = np.ldexp(values, -exponents[:, None], out=values).astype(np.float32)
    return scaled


def nearest_rows(
    unit: Singles, query: NDArray[Any], count: int, *, allowed: Bools | None = None
) -> tuple[Ints, Floats]:
    """Return the rows nearest to a query, and their distances, ascending; ties in the order of rows.

    One product in float32 finds who may be among them, differences in float64 measure those: the answer is exact
    for any number of rows, and costs one pass over them.

    Args:
        unit: (n, d) vectors of length 1.
        query: (d,) of length 1.
        count: how many, at most.
        allowed: which rows may be returned, shape (n,); `None`: all.

    >>> rows, distances = nearest_rows(np.eye(3, dtype=np.float32), np.array([0.0, 1.0, 0.0]), 2)
    >>> rows.tolist(), distances.round(3).tolist()
    ([1, 0], [0.0, 1.414])
    """
    dots = unit @ np.asarray(query, np.float32)
    if allowed is not None:
        dots[~allowed] = -np.inf
    n = min(count, len(dots) if allowed is None else int(np.count_nonzero(allowed)))
    if n < 1:
        return np.zeros(0, np.int64), np.zeros(0)
    last = float(np.partition(dots, len(dots) - n)[len(dots) - n])
    near = np.flatnonzero(dots >= last - dot_slack(unit.shape[1]))
    difference = unit[near].astype(np.float64) - np.asarray(query, np.float64)
    distances = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    order = np.lexsort((near, distances))[:n]
    return near[order], distances[order]


def dot_slack(n_dims: int) -> float:
    """Return by how much two products of float32 vectors of length 1 may be off against each other."""
    return 4.0 * _EPSILON * (n_dims + 2)
