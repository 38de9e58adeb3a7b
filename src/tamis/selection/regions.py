"""Which chosen vectors lie in the same region of the sphere as a vector.

The nearest chosen vector of most is one in their own region. So distances to those alone are bounds that are nearly
the distances, for a small part of the work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.selection.vectors import dots_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tamis.selection.embeddings import Indices
    from tamis.selection.vectors import Singles, Vectors

_N_REGIONS = 64
_REACH = 3  # a chosen vector counts in as many regions, because neighbours may lie on two sides of a border
_EVERYWHERE = 64  # so many of the first chosen count in all regions: there are too few yet to be in each
_CHUNK_ROWS = 4096


class Regions:
    """Vectors by the nearest of a few leaders; they decide the speed, never the picks."""

    def __init__(self, vectors: Vectors, usable: Indices) -> None:
        """Start with nothing chosen.

        Args:
            vectors: all vectors.
            usable: which of them have a region.
        """
        self._leaders = vectors.fast(usable[:: max(1, len(usable) // _N_REGIONS)][:_N_REGIONS])
        region = np.empty(len(usable), np.int16)
        for start in range(0, len(usable), _CHUNK_ROWS):
            some = slice(start, start + _CHUNK_ROWS)
            region[some] = dots_of(vectors.fast(usable[some]), self._leaders).argmax(axis=1)
        order = np.argsort(region, kind="stable")
        borders = np.searchsorted(region[order], np.arange(1, len(self._leaders)))
        self._members = np.split(usable[order], borders) if len(usable) else []
        self._new: list[list[int]] = [[] for _ in self._leaders]
        self._n_known = 0

    def learn(self, chosen: Singles) -> None:
        """Place those of the chosen vectors, (n, d), that were added since the last time."""
        first, self._n_known = self._n_known, len(chosen)
        everywhere = range(first, min(len(chosen), _EVERYWHERE))
        for new in self._new:
            new.extend(everywhere)
        first = max(first, _EVERYWHERE)
        if first < len(chosen):
            dots = dots_of(chosen[first:], self._leaders)
            reach = min(_REACH, len(self._leaders))
            nearest = np.argpartition(dots, len(self._leaders) - reach, axis=1)[:, -reach:]
            for index, regions in enumerate(nearest.tolist(), start=first):
                for region in regions:
                    self._new[region].append(index)

    def meet(self) -> Iterator[tuple[Indices, Indices]]:
        """Yield vectors of one region, and the chosen ones that are new there; each pair once."""
        for region, vectors in enumerate(self._members):
            new, self._new[region] = np.array(self._new[region], np.int64), []
            for start in range(0, len(vectors) if len(new) else 0, _CHUNK_ROWS):
                yield vectors[start : start + _CHUNK_ROWS], new
