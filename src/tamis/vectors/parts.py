"""Vectors cut into parts around centres. Good centres make a search fast; what it finds does not depend on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from tamis.vectors.nearest import Ints, Singles

_PART_ROWS = 2_048  # of both groups together: halves of it keep the products of two parts large enough
_FITTED_A_CENTRE = 24
_ROUNDS = 3
_ASSIGNED_ROWS = 8_192


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Rows, ordered by the centre that is nearest.

    Attributes:
        centres: shape (k, d).
        rows: those of the first centre, of the second, ...; shape (n,).
        seen: the coordinates of these rows, in the same order, and two numbers more; shape (n, d + 2).
        starts: where each part starts in `rows`, and their end; shape (k + 1,).
        extents: how far each part reaches towards each centre: the largest product of a row with the difference of
            that centre to the part's own, minus infinity where it has no rows; shape (k, k).
    """

    centres: Singles
    rows: Ints
    seen: Singles
    starts: Ints
    extents: Singles

    def slice_of(self, number: int) -> slice:
        """Return where a part is in `rows`."""
        return slice(int(self.starts[number]), int(self.starts[number + 1]))


def find_centres(seen: Singles, *groups: Ints) -> Singles:
    """Return centres for parts of some groups of rows, by a few rounds of k-means over some of them; shape (k, d).

    Args:
        seen: coordinates of all rows, and two numbers more; shape (n, d + 2).
        groups: rows.
    """
    n = sum(map(len, groups))
    k = max(n // _PART_ROWS, 1)
    every = max(n // (k * _FITTED_A_CENTRE), 1)
    some = np.concatenate([seen[rows[::every], :-2] for rows in groups])
    centres: Singles = some[:: max(len(some) // k, 1)][:k].copy()
    for _ in range(_ROUNDS if k > 1 else 0):
        nearest = _nearest(some, centres)
        order = np.argsort(nearest, kind="stable")
        found, starts = np.unique(nearest[order], return_index=True)
        centres[found] = np.add.reduceat(some[order], starts) / np.diff(starts, append=len(order))[:, None]
    return centres


def cut_in_parts(seen: Singles, rows: Ints, centres: Singles, *, threads: Executor | None = None) -> Parts:
    """Put each row to the nearest centre.

    Args:
        seen: coordinates of all rows, and two numbers more; shape (n, d + 2).
        rows: which to cut, shape (m,), m > 0.
        centres: shape (k, d).
        threads: which share the work.
    """
    over = map if threads is None else threads.map
    blocks = [rows[at : at + _ASSIGNED_ROWS] for at in range(0, len(rows), _ASSIGNED_ROWS)]
    nearest = np.concatenate(list(over(lambda block: _nearest(seen[block, :-2], centres), blocks)))
    order = np.argsort(nearest, kind="stable")
    starts = np.searchsorted(nearest[order], np.arange(len(centres) + 1))
    ordered = seen[rows[order]]

    def extents_of(number: int) -> Singles:
        own = ordered[starts[number] : starts[number + 1], :-2]
        if not len(own):
            return np.full(len(centres), -np.inf, np.float32)
        reach: Singles = (own @ (centres - centres[number]).T).max(axis=0)
        return reach

    extents = np.stack(list(over(extents_of, range(len(centres)))))
    return Parts(centres, rows[order], ordered, starts, extents)


def _nearest(seen: Singles, centres: Singles) -> Ints:
    halves = np.einsum("ij,ij->i", centres, centres) / 2.0
    closest: Ints = (seen @ centres.T - halves).argmax(axis=1)
    return closest
