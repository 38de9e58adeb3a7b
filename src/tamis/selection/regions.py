"""Which chosen vectors lie in the same region of the sphere as a vector.

The nearest chosen vector of most is one in their own region. So distances to those alone are bounds that are nearly
the distances, for a small part of the work.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from tamis.selection.chosen import dots_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tamis.selection.chosen import Singles
    from tamis.selection.embeddings import Indices

N_REGIONS = 64
_REACH = 2  # a chosen vector counts in as many regions, because neighbours may lie on two sides of a border
_UNKNOWN = -1


class Regions:
    """Vectors by the nearest of a few leaders; they decide the speed, never the picks."""

    def __init__(self, leaders: Singles, n_vectors: int) -> None:
        """Start with nothing chosen.

        Args:
            leaders: (n, d) unit vectors, one for each region.
            n_vectors: how many vectors there are to be placed.
        """
        self._leaders = leaders
        self._region = np.full(n_vectors, _UNKNOWN, np.int16)
        self._members: list[list[int]] = [[] for _ in leaders]
        self._n_known = 0

    def learn(self, chosen: Singles) -> None:
        """Place the chosen vectors, (n, d), that were added since the last time."""
        dots = dots_of(chosen[self._n_known :], self._leaders)
        reach = min(_REACH, len(self._leaders))
        nearest = np.argpartition(dots, len(self._leaders) - reach, axis=1)[:, -reach:]
        for index, regions in enumerate(nearest.tolist(), start=self._n_known):
            for region in regions:
                self._members[region].append(index)
        self._n_known = len(chosen)

    def unplaced(self, rows: Indices) -> Indices:
        """Return which of some vectors have no region yet."""
        found: Indices = rows[self._region[rows] == _UNKNOWN]
        return found

    def place(self, rows: Indices, units: Singles) -> None:
        """Find the regions of vectors, `units` (n, d)."""
        self._region[rows] = dots_of(units, self._leaders).argmax(axis=1)

    def near(self, rows: Indices, since: Indices) -> Iterator[tuple[Indices, Indices]]:
        """Yield vectors of one region after the other, and the chosen ones that are new there.

        Args:
            rows: vectors that have a region.
            since: how many chosen vectors each of them has seen.

        Yields:
            places among `rows`, and indices of chosen vectors, both at least one.
        """
        regions = self._region[rows]
        order = np.argsort(regions, kind="stable")
        borders = np.flatnonzero(np.diff(regions[order])) + 1
        for places in np.split(order, borders):
            members = self._members[regions[places[0]]]
            new = members[bisect_left(members, int(since[places].min())) :]
            if new:
                yield places, np.array(new)
