"""All pairs of vectors from two groups that lie near to each other, exactly, at the cost of few numbers a pair.

1. The directions in which the vectors vary most are found, and each vector is seen from the first of these: from
   there distances are never longer than the whole, so nothing is missed.
2. Centres cut both groups into parts of some thousand vectors (`parts.py`), and two parts are seen along the line
   between their centres: distances along it are never longer, either. Where the gap between them is wider than the
   limit, they hold no pair.
3. Else, in their order along that line, each vector has all that may be near to it in one stretch. In many
   dimensions it is a short one: parts meet at planes, and few vectors of either lie close to that plane.
4. Of a stretch, one matrix product over the first directions tells which pairs may be near: |a - b|^2 <= r^2 is
   a.b - |a|^2 / 2 - |b|^2 / 2 >= -r^2 / 2, which is a product of vectors with two more coordinates.
5. Those are few, and compared in full; where they are many, the whole block is. The worst case is a brute force.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tamis.vectors.nearest import dot_slack
from tamis.vectors.parts import cut_in_parts, find_centres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from tamis.vectors.nearest import Bools, Floats, Ints, Singles
    from tamis.vectors.parts import Parts

_FIRST_DIMS = 30
_SAMPLED = 20_000
_BLOCK_ROWS = 256
_BLOCK_OTHERS = 8_192
_MEASURED = 16_384  # pairs that are compared in full at once
_MANY = 1 / 16  # of a block: then its product in full costs less than its pairs one by one
_SHORTEST = 1e-3  # line that has a direction in float32
_ROUNDING = 1e-5  # of distances in float32: that much further still counts as near


class Pairs(NamedTuple):
    """Pairs of rows.

    Attributes:
        first: rows of the one group, shape (n,).
        second: rows of the other, shape (n,).
    """

    first: Ints
    second: Ints


class NearPart(NamedTuple):
    """The pairs of one part of the first group.

    Attributes:
        n_first: rows of that part.
        pairs: in no order, each once.
    """

    n_first: int
    pairs: list[Pairs]


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Vectors, and how they are seen from the first directions.

    Attributes:
        unit: (n, d) vectors of length 1.
        limit: the largest distance of pairs that are near, > 0.
        seen: coordinates along the first directions, the negative half of their squared length, and 1; shape
            (n, at most 32).
    """

    unit: Singles
    limit: float
    seen: Singles

    @classmethod
    def of(cls, unit: Singles, limit: float) -> Space:
        """Find the first directions, and see the vectors from there."""
        some = unit[:: max(len(unit) // _SAMPLED, 1)].astype(np.float64)
        some -= some.mean(axis=0)
        directions = np.linalg.eigh(some.T @ some)[1][:, ::-1][:, :_FIRST_DIMS].astype(np.float32)
        n_first = directions.shape[1]
        seen = np.empty((len(unit), n_first + 2), np.float32)
        np.matmul(unit, directions, out=seen[:, :n_first])
        seen[:, -2] = np.einsum("ij,ij->i", seen[:, :n_first], seen[:, :n_first]) / -2.0
        seen[:, -1] = 1.0
        return cls(unit, limit, seen)


def near_between(space: Space, first: Ints, second: Ints, *, threads: Executor | None = None) -> Iterator[NearPart]:
    """Yield all pairs of a row of one group and a row of another that are at most the limit apart, part by part.

    Args:
        space: the vectors.
        first: rows of the one group, shape (n,).
        second: rows of the other, shape (m,); none of the first.
        threads: which share the work.

    >>> points = np.array([[1.0, 0.0], [0.0, 1.0], [0.999, 0.045]], np.float32)
    >>> found = near_between(Space.of(points, 0.1), np.array([0, 1]), np.array([2]))
    >>> [(pairs.first.tolist(), pairs.second.tolist()) for part in found for pairs in part.pairs]
    [([0], [2])]
    """
    if not len(first) or not len(second):
        return
    centres = find_centres(space.seen, first, second)
    left, right = (cut_in_parts(space.seen, rows, centres, threads=threads) for rows in (first, second))

    def pairs_of(number: int) -> NearPart:
        return NearPart(
            int(left.starts[number + 1] - left.starts[number]), list(_pairs_of_part(space, left, right, number))
        )

    numbers = range(len(centres))
    yield from map(pairs_of, numbers) if threads is None else threads.map(pairs_of, numbers)


def _pairs_of_part(space: Space, left: Parts, right: Parts, number: int) -> Iterator[Pairs]:
    mine = left.slice_of(number)
    own = left.seen[mine]
    lines = left.centres - left.centres[number]
    lengths = np.sqrt(np.einsum("ij,ij->i", lines, lines))
    reach = space.limit + _ROUNDING
    gaps = -right.extents[:, number] - left.extents[number]  # along the lines, times their lengths
    for other in np.flatnonzero(gaps <= reach * lengths + _ROUNDING).tolist():
        theirs = right.slice_of(other)
        line = lines[other] / lengths[other] if lengths[other] > _SHORTEST else np.zeros_like(lines[other])
        seen = right.seen[theirs]
        for some, others in _stretches(own[:, :-2] @ line, seen[:, :-2] @ line, reach):
            yield from _near(space, left.rows[mine][some], right.rows[theirs][others], own[some], seen[others])


def _stretches(own: Singles, others: Singles, reach: float) -> Iterator[tuple[Ints, Ints]]:
    """Yield blocks of vectors that may be near along a line.

    Args:
        own: where vectors of the one part are on it, shape (n,).
        others: where those of the other are, shape (m,).
        reach: the largest distance.
    """
    mine = np.flatnonzero((own >= others.min() - reach) & (own <= others.max() + reach))
    mine = mine[np.argsort(own[mine])]
    if not len(mine):
        return
    order = np.flatnonzero((others >= own[mine[0]] - reach) & (others <= own[mine[-1]] + reach))
    order = order[np.argsort(others[order])]
    placed = others[order]
    for start in range(0, len(mine), _BLOCK_ROWS):
        some = mine[start : start + _BLOCK_ROWS]
        low, high = np.searchsorted(placed, [own[some[0]] - reach, own[some[-1]] + reach]).tolist()
        for at in range(low, high, _BLOCK_OTHERS):
            yield some, order[at : min(at + _BLOCK_OTHERS, high)]


def _near(space: Space, first: Ints, second: Ints, left: Singles, right: Singles) -> Iterator[Pairs]:
    """Yield those pairs of a block that are near.

    Args:
        space: the vectors.
        first: rows, shape (n,).
        second: rows, shape (m,).
        left: how the first are seen.
        right: how the second are seen.
    """
    turned = right.copy()
    turned[:, -2:] = right[:, :-3:-1]  # so that the product is a.b - |a|^2 / 2 - |b|^2 / 2
    may_be = left @ turned.T >= -(space.limit**2) / 2.0 - dot_slack(left.shape[1])
    at = np.flatnonzero(may_be)
    if len(at) > _MANY * may_be.size:
        is_near = within(space, first, second)
        own, others = np.nonzero(is_near)
        if len(own):
            yield Pairs(first[own], second[others])
        return
    for start in range(0, len(at), _MEASURED):
        own, others = np.divmod(at[start : start + _MEASURED], len(second))
        pairs = Pairs(first[own], second[others])
        dots = np.einsum("ij,ij->i", space.unit[pairs.first], space.unit[pairs.second])
        right_ones = _decided(space, pairs, dots)
        if right_ones.any():
            yield Pairs(pairs.first[right_ones], pairs.second[right_ones])


def within(space: Space, first: Ints, second: Ints) -> Bools:
    """Return which of some rows are near to which of others, all compared in full; shape (n, m)."""
    dots = space.unit[first] @ space.unit[second].T
    own, others = np.nonzero(np.abs(dots - _least(space)) <= dot_slack(space.unit.shape[1]))
    near: Bools = dots >= _least(space)
    for start in range(0, len(own), _MEASURED):
        one, other = own[start : start + _MEASURED], others[start : start + _MEASURED]
        near[one, other] = distances_of(space, Pairs(first[one], second[other])) <= space.limit
    return near


def _decided(space: Space, pairs: Pairs, dots: Singles) -> Bools:
    """Return which pairs are near by their product in float32, or by float64 where that leaves it open."""
    near: Bools = dots >= _least(space)
    open_ones = np.flatnonzero(np.abs(dots - _least(space)) <= dot_slack(space.unit.shape[1]))
    near[open_ones] = distances_of(space, Pairs(pairs.first[open_ones], pairs.second[open_ones])) <= space.limit
    return near


def _least(space: Space) -> float:
    return 1.0 - space.limit**2 / 2.0


def distances_of(space: Space, pairs: Pairs) -> Floats:
    """Return the distance of each pair, measured in float64; shape (n,)."""
    difference = space.unit[pairs.first].astype(np.float64) - space.unit[pairs.second]
    lengths: Floats = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    return lengths
