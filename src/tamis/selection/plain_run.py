"""A run that asks every candidate at every pick: negative DIVERSITY and BALANCE have no bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.selection.strategies import Threshold
from tamis.selection.terms import LEAST_OBJECTIVE, ROUNDING, make_term

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from tamis.selection.embeddings import Floats, Indices
    from tamis.selection.field import Field
    from tamis.selection.strategies import Strategy
    from tamis.selection.terms import Acting, Term


class PlainRun:
    """Picks as the definition says it.

    Attributes:
        picks: the picks so far.
        stopped: why the run ended, or `None`.
    """

    def __init__(
        self,
        strategies: Sequence[Strategy],
        field: Field,
        pool: Sequence[int],
        *,
        threads: Executor | None = None,
    ) -> None:
        self._strategies = strategies
        self._field = field
        self.picks: list[int] = []
        in_play = field.candidate.copy()
        in_play[list(pool)] = True
        self._terms: dict[int, tuple[Acting, Term]] = {
            column: (strategy, make_term(strategy, field.known[column], in_play, field.candidate, threads=threads))
            for column, strategy in enumerate(strategies)
            if not isinstance(strategy, Threshold)
        }
        self._live = np.flatnonzero(field.candidate)
        self._objectives: dict[int, list[float]] = {column: [] for column in self._terms}
        self._gains: dict[int, list[float]] = {column: [] for column in self._terms}
        for sample in pool:
            self._add(sample)
        # The scale of all strengths changes no order, and keeps the sum of logarithms finite.
        self._scale = max((abs(strategy.strength) for strategy, _ in self._terms.values()), default=0.0)
        self.stopped: str | None = self._exhaustion()

    def step(self) -> bool:
        """Pick the best candidate, or end the run; return whether it picked."""
        sample = self._best()
        refusals = (term.refusal(sample) for _, term in self._terms.values())
        self.stopped = next((refusal for refusal in refusals if refusal is not None), None)
        if self.stopped is not None:
            return False
        self._record(sample)
        self._live = np.delete(self._live, np.searchsorted(self._live, sample))
        self._add(sample)
        self.picks.append(sample)
        self.stopped = self._exhaustion()
        return True

    def exclude(self, of: Indices) -> None:
        """Ask some candidates no more."""
        if len(of):
            self._live = np.setdiff1d(self._live, of, assume_unique=True)

    def answers(self) -> tuple[Floats, Floats]:
        """Return objectives and gains at each pick, both (k, n_strategies); of a THRESHOLD the values."""
        objectives = np.empty((len(self.picks), len(self._strategies)))
        gains = np.empty_like(objectives)
        for column, strategy in enumerate(self._strategies):
            if isinstance(strategy, Threshold):
                objectives[:, column] = gains[:, column] = strategy.values[np.array(self.picks, np.int64)]
            else:
                objectives[:, column], gains[:, column] = self._objectives[column], self._gains[column]
        return objectives, gains

    def _best(self) -> int:
        total = np.zeros(len(self._live))
        weight = 0.0
        for strategy, term in self._terms.values():
            if strategy.strength != 0.0:
                share = strategy.strength / self._scale
                weight += abs(share)
                total += share * np.log(np.maximum(term.objectives(self._live), LEAST_OBJECTIVE))
        return int(self._live[(total >= total.max() - ROUNDING * weight).argmax()])

    def _record(self, sample: int) -> None:
        of = np.array([sample])
        for column, (_, term) in self._terms.items():
            self._objectives[column].append(float(term.objectives(of)[0]))
            self._gains[column].append(float(term.gains(of)[0]))

    def _add(self, sample: int) -> None:
        for column, (_, term) in self._terms.items():
            if self._field.known[column][sample]:
                term.add(sample)

    def _exhaustion(self) -> str | None:
        reasons = (term.exhaustion() for _, term in self._terms.values())
        return next((reason for reason in reasons if reason is not None), None)
