"""A run over any strategies of which bounds are known: the same picks as the plain loop, much sooner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.selection.balance import BalanceTerm
from tamis.selection.bounds import SpreadBounds, SumBounds
from tamis.selection.cascade import Cascade, Sizes
from tamis.selection.columns import (
    Columns,
    FilterColumn,
    SpreadColumn,
    TermColumn,
    Weighing,
    bounded_term,
    lazy_distances,
    strength_of,
)
from tamis.selection.share_bounds import ShareBounds
from tamis.selection.strategies import Balance, Diversity, Threshold

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from tamis.selection.columns import Column
    from tamis.selection.embeddings import Bools, Floats, Indices
    from tamis.selection.field import Field
    from tamis.selection.strategies import Strategy


def has_bounds(strategies: Sequence[Strategy]) -> bool:
    """Return whether a cascade can decide: DIVERSITY and BALANCE have no bounds where strength < 0.

    >>> has_bounds([Diversity(name="d", embeddings=np.eye(2), strength=-1.0)])
    False
    """
    turned = (isinstance(s, Diversity | Balance) and s.strength < 0.0 for s in strategies)
    return any(strength_of(strategy) for strategy in strategies) and not any(turned)


class CascadeRun:
    """Picks by bounds.

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
        sizes: Sizes | None = None,
        threads: Executor | None = None,
    ) -> None:
        self._threads = threads
        self._weighing = Weighing.of(strategies)
        self._columns = Columns(
            self._column(strategy, known, field, pool)
            for strategy, known in zip(strategies, field.known, strict=True)
        )
        self._columns.add_pool(pool, field.known)
        self._cascade = Cascade(
            self._columns.bounds,
            field.candidate,
            tolerance=self._weighing.tolerance,
            sizes=sizes or Sizes.of(int(field.candidate.sum()), n_parts=n_parts(strategies)),
        )
        self.picks: list[int] = []
        self.stopped: str | None = self._columns.exhaustion()

    def step(self) -> bool:
        """Pick the best candidate, or end the run; return whether it picked."""
        sample = self._cascade.best()
        self.stopped = self._columns.refusal(sample)
        if self.stopped is not None:
            return False
        self._columns.record(sample)
        self._cascade.take(sample)
        self._columns.add_others(sample)
        self.picks.append(sample)
        self.stopped = self._columns.exhaustion()
        return True

    def exclude(self, of: Indices) -> None:
        """Ask some candidates no more."""
        self._cascade.exclude(of)

    def answers(self) -> tuple[Floats, Floats]:
        """Return objectives and gains at each pick, both (k, n_strategies)."""
        return self._columns.answers()

    def _column(self, strategy: Strategy, known: Bools, field: Field, pool: Sequence[int]) -> Column:
        if isinstance(strategy, Threshold):
            return FilterColumn(strategy)
        strength = strategy.strength / self._weighing.scale
        alone = self._weighing.alone
        if isinstance(strategy, Diversity):
            distances = lazy_distances(strategy, known, threads=self._threads)
            spread = SpreadBounds(distances, strength=strength, alone=alone) if strength else None
            return SpreadColumn(strategy, distances, spread)
        term = bounded_term(strategy, known, field, pool, threads=self._threads)
        if strength == 0.0:
            return TermColumn(term, None)
        if isinstance(term, BalanceTerm):
            return TermColumn(term, ShareBounds(term, strength=strength, largest=term.largest(field.candidate)))
        return TermColumn(term, SumBounds(term, strength=strength, alone=alone))


def n_parts(strategies: Sequence[Strategy]) -> float:
    """Return how many vectors a sample has in the DIVERSITY that has most of them."""
    owners = (s.owner for s in strategies if isinstance(s, Diversity) and s.owner is not None and len(s.owner))
    return max((len(owner) / len(np.unique(owner)) for owner in owners), default=1.0)
