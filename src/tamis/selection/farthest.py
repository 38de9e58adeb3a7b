"""A run in which one DIVERSITY decides: the same picks as the plain loop, by rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.selection.rounds import FarthestFirst, sums_among
from tamis.selection.strategies import Diversity, Threshold
from tamis.selection.terms import too_near

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.selection.embeddings import Bools, Floats
    from tamis.selection.strategies import Strategy


def lone_diversity(strategies: Sequence[Strategy]) -> tuple[int, Diversity] | None:
    """Return the strategy that decides alone by the images' distances, and its position, or `None`.

    >>> lone_diversity([Diversity(name="d", embeddings=np.eye(2), strength=-1.0)]) is None
    True
    """
    acting = [(i, strategy) for i, strategy in enumerate(strategies) if not isinstance(strategy, Threshold)]
    if len(acting) != 1:
        return None
    column, strategy = acting[0]
    if isinstance(strategy, Diversity) and strategy.owner is None and strategy.strength > 0.0:
        return column, strategy
    return None


class FarthestRun:
    """Picks farthest-first.

    Attributes:
        picks: the picks so far.
        gains: their squared distances to what was selected before.
        stopped: why the run ended, or `None`.
    """

    def __init__(
        self, strategy: Diversity, *, known: Bools, candidate: Bools, pool: Sequence[int], n_picks: int
    ) -> None:
        self._strategy = strategy
        self._candidate = candidate
        usable = [sample for sample in pool if known[sample]]
        self._first = len(usable)
        self._space = FarthestFirst(strategy.embeddings, candidate, len(usable) + n_picks)
        for sample in usable:
            self._space.add(sample)
        self.picks: list[int] = []
        self.gains: list[float] = []
        self.stopped: str | None = None
        self._among = 0.0  # about the sum of squared distances among the selected

    def step(self) -> bool:
        """Pick the farthest candidate, or end the run; return whether it picked.

        Raises:
            TooManyTiesError: when the plain loop must go on.
        """
        if self._space.count == 0:
            sample, square = int(self._candidate.argmax()), np.inf
        else:
            sample, square = self._space.farthest(self._among)
            self.stopped = too_near(self._strategy.name, square, self._strategy.stop_min_distance)
        if self.stopped is not None:
            return False
        self._space.add(sample)
        self.picks.append(sample)
        self.gains.append(square)
        self._among += square if np.isfinite(square) else 0.0
        return True

    def objectives(self) -> Floats:
        """Return (k,) the objective at each pick, 1 for the first where nothing was selected before."""
        values: Floats = sums_among(self._space.selected, self._first) + np.array(self.gains)
        if self._first == 0:
            values[:1] = 1.0
        return values
