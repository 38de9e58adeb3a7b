"""All pairs of vectors that lie near to each other, exactly, at the cost of few numbers a pair.

1. The directions in which the vectors vary most are found, and each vector is seen from the first of these: from
   there distances are never longer than the whole, so nothing is missed.
2. Cuts at the middle, each along the direction in which a part is widest, give parts of some hundred vectors. Two
   parts whose boxes are further apart than the limit hold no pair.
3. Of other parts, one matrix product over the first directions tells which pairs may be near: |a - b|^2 <= r^2 is
   a.b - |a|^2 / 2 - |b|^2 / 2 >= -r^2 / 2, which is a product of vectors with two more coordinates.
4. Those are few, and are measured in full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tamis.vectors.nearest import dot_slack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from tamis.vectors.nearest import Floats, Ints, Singles

_PART_ROWS = 1_024
_BOX_DIMS = 24
_FIRST_DIMS = 30
_SAMPLED = 20_000
_MEASURED = 65_536  # pairs that are measured at once
_ROUNDING = 1e-5  # of coordinates in float32: boxes count as that much nearer


class Pairs(NamedTuple):
    """Pairs of rows and their distances.

    Attributes:
        first: shape (n,).
        second: shape (n,), each > `first`.
        distances: shape (n,).
    """

    first: Ints
    second: Ints
    distances: Floats


def near_pairs(unit: Singles, limit: float, *, threads: Executor | None = None) -> Iterator[Pairs]:
    """Yield all pairs of rows at most `limit` apart, part by part.

    Args:
        unit: (n, d) vectors of length 1.
        limit: the largest distance, >= 0.
        threads: which share the work.

    >>> points = np.array([[1.0, 0.0], [0.0, 1.0], [0.999, 0.045]], np.float32)
    >>> [(pairs.first.tolist(), pairs.second.tolist()) for pairs in near_pairs(points, 0.1)]
    [([0], [2])]
    """
    if len(unit) < 2:  # noqa: PLR2004 (a pair)
        return
    turned = _turned(unit)
    parts = _parts(turned)
    low = np.stack([turned[rows, :_BOX_DIMS].min(axis=0) for rows in parts]) - _ROUNDING
    high = np.stack([turned[rows, :_BOX_DIMS].max(axis=0) for rows in parts]) + _ROUNDING
    halves = np.einsum("ij,ij->i", turned, turned)[:, None] / -2.0
    left = np.concatenate([turned, halves, np.ones_like(halves)], axis=1)
    right = np.concatenate([turned, np.ones_like(halves), halves], axis=1)

    def pairs_of(number: int) -> list[Pairs]:
        gaps = np.maximum(low[number:] - high[number], low[number] - high[number:])
        apart = np.einsum("ij,ij->i", *(np.maximum(gaps, 0.0),) * 2)
        mine = left[parts[number]]
        found: list[Pairs] = []
        for other in (number + np.flatnonzero(apart <= limit**2)).tolist():
            products = mine @ right[parts[other]].T
            at = np.flatnonzero(products >= -(limit**2) / 2.0 - dot_slack(mine.shape[1]))
            own, others = np.divmod(at, products.shape[1])
            found += _measured(unit, parts[number][own], parts[other][others], limit, once=number == other)
        return found

    for found in map(pairs_of, range(len(parts))) if threads is None else threads.map(pairs_of, range(len(parts))):
        yield from found


def _turned(unit: Singles) -> Singles:
    """Return the coordinates along the directions of most variance, the widest first; shape (n, at most 30)."""
    some = unit[:: max(len(unit) // _SAMPLED, 1)].astype(np.float64)
    some -= some.mean(axis=0)
    _, directions = np.linalg.eigh(some.T @ some)
    return unit @ directions[:, ::-1][:, :_FIRST_DIMS].astype(np.float32)


def _parts(turned: Singles) -> list[Ints]:
    """Return the rows of each part."""
    waiting, parts = [np.arange(len(turned))], []
    while waiting:
        rows = waiting.pop()
        if len(rows) <= _PART_ROWS:
            parts.append(rows)
            continue
        values = turned[rows, :_BOX_DIMS]
        widest = int((values.max(axis=0) - values.min(axis=0)).argmax())
        order = np.argpartition(values[:, widest], len(rows) // 2)
        waiting += [rows[order[: len(rows) // 2]], rows[order[len(rows) // 2 :]]]
    return parts


def _measured(unit: Singles, own: Ints, others: Ints, limit: float, *, once: bool) -> Iterator[Pairs]:
    """Yield those of some pairs that are near.

    Args:
        unit: all vectors.
        own: rows, shape (n,).
        others: rows, shape (n,).
        limit: the largest distance.
        once: whether each pair is met twice, and each row with itself.
    """
    first, second = np.minimum(own, others), np.maximum(own, others)
    if once:
        met = own < others
        first, second = first[met], second[met]
    least = 1.0 - limit**2 / 2.0 - dot_slack(unit.shape[1])
    for start in range(0, len(first), _MEASURED):
        some, like = first[start : start + _MEASURED], second[start : start + _MEASURED]
        # Once more in float32: the rest is measured in float64, and costs ten times as much.
        near = np.einsum("ij,ij->i", unit[some], unit[like]) >= least
        some, like = some[near], like[near]
        difference = unit[some].astype(np.float64) - unit[like]
        distances = np.sqrt(np.einsum("ij,ij->i", difference, difference))
        right = distances <= limit
        if right.any():
            yield Pairs(some[right], like[right], distances[right])
