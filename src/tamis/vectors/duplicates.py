"""Which vectors repeat others: each of them names the one that is kept in its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tamis.vectors.pairs import Space, distances_of, near_between, within

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from concurrent.futures import Executor

    from tamis.vectors.nearest import Bools, Floats, Ints, Singles

_FEW_ROWS = 1_024
_SAMPLED = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Duplicates:
    """What repeats what.

    Attributes:
        of: for each row the one that is kept in its place, -1 where the row itself is kept; shape (n,).
        distances: to that one, 0 for exact repetitions, NaN where the row is kept; shape (n,).
        exact: which rows have the same content as theirs, shape (n,).
    """

    of: Ints
    distances: Floats
    exact: Bools

    @property
    def repeated(self) -> Bools:
        """Which rows are not kept, shape (n,)."""
        return self.of >= 0


def find_duplicates(
    unit: Singles,
    known: Bools,
    *,
    limit: float,
    contents: Sequence[Hashable | None] = (),
    threads: Executor | None = None,
    listen: Callable[[float], None] = lambda _: None,
) -> Duplicates:
    """Find what repeats an earlier row: the same content, or a vector at most `limit` from one that is kept.

    Rows are taken in their order. A row is kept unless it lies near to an earlier row that is kept, so everything
    that is not kept has its like among what is; a chain of small steps (a slow video) is thinned, and not dropped
    but for its start. What is not kept names the nearest row that is.

    Args:
        unit: (n, d) vectors of length 1.
        known: which rows have a vector, shape (n,).
        limit: the largest distance of near-duplicates, > 0; 0: only the same content counts.
        contents: what is equal for the same content, `None` where that is not known; shape (n,), or none at all.
        threads: which share the work.
        listen: told which share of all pairs is decided, from 0 to 1.

    >>> points = np.array([[1.0, 0.0], [0.0, 1.0], [0.999, 0.045]], np.float32)
    >>> find_duplicates(points, np.ones(3, np.bool_), limit=0.1).of.tolist()
    [-1, -1, 0]
    """
    n = len(unit)
    of, distances, exact = np.full(n, -1), np.full(n, np.nan), np.zeros(n, np.bool_)
    first_with: dict[Hashable, int] = {}
    for row, content in enumerate(contents):
        if content is not None and (first := first_with.setdefault(content, row)) != row:
            of[row], distances[row], exact[row] = first, 0.0, True
    rows = np.flatnonzero(known & ~exact)
    if limit > 0.0 and len(rows) > 1:
        space = Space.of(unit, limit)
        kept = _kept(space, rows, _Work(len(rows), threads, listen))
        repeated = np.setdiff1d(rows, kept, assume_unique=True)
        of[repeated], distances[repeated] = _nearest_kept(space, repeated, kept, threads)
    # What repeats a repeated row repeats what that one repeats: nearly, for that one is not its copy.
    chained = exact & (of >= 0)
    chained[chained] = of[of[chained]] >= 0
    distances[chained] = distances[of[chained]]
    of[chained] = of[of[chained]]
    exact[chained] = False
    return Duplicates(of, distances, exact)


def typical_distance(unit: Singles, known: Bools) -> float:
    """Return the median distance between two vectors, of a thousand at most; NaN where there are no two.

    Args:
        unit: (n, d) vectors of length 1.
        known: which rows have a vector, shape (n,).

    >>> points = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]], np.float32)
    >>> round(typical_distance(points, np.array([True, False, True])), 6)
    1.414214
    """
    rows = np.flatnonzero(known)
    some = unit[rows[:: -(-len(rows) // _SAMPLED) or 1]]
    if len(some) < 2:  # noqa: PLR2004 (a pair)
        return float("nan")
    dots = (some @ some.T)[np.triu_indices(len(some), 1)]
    return float(np.sqrt(np.maximum(2.0 - 2.0 * np.median(dots), 0.0)))


@dataclass(slots=True, eq=False)
class _Work:
    """Who does the work, and who is told how much of it is done."""

    n_rows: int
    threads: Executor | None
    listen: Callable[[float], None]
    n_decided: float = field(default=0.0, init=False)

    def decided(self, n_pairs: float) -> None:
        """Count pairs that need not be looked at any more."""
        self.n_decided += n_pairs
        self.listen(min(2.0 * self.n_decided / self.n_rows**2, 1.0))


def _kept(space: Space, rows: Ints, work: _Work) -> Ints:
    """Return the rows that lie near to no earlier one that is kept, ascending.

    What is kept of the first half decides on all of the second at once; what is left of that, among itself.
    """
    if len(rows) <= _FEW_ROWS:
        work.decided(len(rows) ** 2 / 2.0)
        return _kept_of_few(space, rows)
    first, second = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    kept = _kept(space, first, work)
    repeated = np.zeros(int(second[-1]) + 1, np.bool_)
    for part in near_between(space, kept, second, threads=work.threads):
        for pairs in part.pairs:
            repeated[pairs.second] = True
        work.decided(len(first) * len(second) * (part.n_first / len(kept)))
    rest = second[~repeated[second]]
    work.decided((len(second) ** 2 - len(rest) ** 2) / 2.0)
    return np.concatenate([kept, _kept(space, rest, work)])


def _kept_of_few(space: Space, rows: Ints) -> Ints:
    near = within(space, rows, rows)
    np.fill_diagonal(near, val=False)
    gone = np.zeros(len(rows), np.bool_)
    for at in np.flatnonzero(near.any(axis=1)).tolist():
        if not gone[at]:
            gone[at + 1 :] |= near[at, at + 1 :]
    return rows[~gone]


def _nearest_kept(space: Space, rows: Ints, kept: Ints, threads: Executor | None) -> tuple[Ints, Floats]:
    """Return the kept row nearest to each row, the first of several, and how far it is."""
    nearest, apart = np.full(len(rows), -1), np.full(len(rows), np.inf)
    for part in near_between(space, rows, kept, threads=threads):
        for pairs in part.pairs:
            _take_nearer(
                nearest, apart, np.searchsorted(rows, pairs.first), pairs.second, distances_of(space, pairs)
            )
    return nearest, apart


def _take_nearer(nearest: Ints, apart: Floats, at: Ints, kept: Ints, lengths: Floats) -> None:
    order = np.lexsort((kept, lengths, at))
    at, first = np.unique(at[order], return_index=True)
    kept, lengths = kept[order][first], lengths[order][first]
    closer = (lengths < apart[at]) | ((lengths == apart[at]) & (kept < nearest[at]))
    nearest[at[closer]], apart[at[closer]] = kept[closer], lengths[closer]
