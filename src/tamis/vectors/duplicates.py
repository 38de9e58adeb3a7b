"""Which vectors repeat others: each of them names the one that is kept in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tamis.vectors.pairs import near_pairs

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence
    from concurrent.futures import Executor

    from tamis.vectors.nearest import Bools, Floats, Ints, Singles
    from tamis.vectors.pairs import Pairs


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
) -> Duplicates:
    """Find what repeats an earlier row: the same content, or a vector at most `limit` from one that is kept.

    Rows are taken in their order. A row is kept unless it lies near to a row that is kept, so everything that is
    not kept has its like among what is; a chain of small steps (a slow video) is thinned, and not dropped but for
    its start.

    Args:
        unit: (n, d) vectors of length 1.
        known: which rows have a vector, shape (n,).
        limit: the largest distance of near-duplicates, > 0; 0: only the same content counts.
        contents: what is equal for the same content, `None` where that is not known; shape (n,), or none at all.
        threads: which share the work.

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
    if limit > 0.0:
        some = unit if len(rows) == n else unit[rows]
        _add_near(near_pairs(some, limit, threads=threads), rows, of, distances)
    # What repeats a repeated row repeats what that one repeats.
    chained = exact & (of >= 0)
    chained[chained] = of[of[chained]] >= 0
    distances[chained] = distances[of[chained]]
    of[chained] = of[of[chained]]
    return Duplicates(of, distances, exact)


def _add_near(found: Iterator[Pairs], rows: Ints, of: Ints, distances: Floats) -> None:
    earlier: list[Ints] = []
    later: list[Ints] = []
    apart: list[Floats] = []
    for pairs in found:
        earlier.append(rows[pairs.first])
        later.append(rows[pairs.second])
        apart.append(pairs.distances)
    if not earlier:
        return
    first, second, distance = np.concatenate(earlier), np.concatenate(later), np.concatenate(apart)
    order = np.lexsort((distance, second))
    for keeper, row, length in zip(
        first[order].tolist(), second[order].tolist(), distance[order].tolist(), strict=True
    ):
        if of[row] < 0 and of[keeper] < 0:
            of[row], distances[row] = keeper, length
