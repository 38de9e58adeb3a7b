"""One strategy of a sharded run, as seen by who selects: what goes to the shards, and what is kept here.

Kept here is what a pick needs: values of single samples, sums over the selected, and the selected vectors. Nothing
here is computed for all samples at each pick or round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tamis.selection.balance import BalanceTerm
from tamis.selection.bounds import SpreadBounds, SumBounds
from tamis.selection.chosen import Chosen
from tamis.selection.columns import FilterColumn, SpreadColumn, TermColumn, bounded_term, lazy_distances
from tamis.selection.embeddings import unit_embeddings
from tamis.selection.nearest import starts_of
from tamis.selection.shard import SharePart, SpreadNews, SpreadPart, SumPart, cut, restricted
from tamis.selection.share_bounds import ShareBounds
from tamis.selection.strategies import Diversity, Threshold
from tamis.selection.vectors import nearest_squares

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from tamis.selection.columns import Column, Weighing
    from tamis.selection.embeddings import Bools, Floats, Indices
    from tamis.selection.field import Field
    from tamis.selection.shard import Answer
    from tamis.selection.strategies import Strategy
    from tamis.selection.terms import SumTerm


@dataclass(frozen=True, slots=True)
class OtherSide:
    """A strategy that decides nothing: a THRESHOLD, or one of strength 0."""

    column: Column


class SumSide:
    """WEIGHTS, and what counts like it."""

    n_chosen = 0

    def __init__(self, term: SumTerm, *, strength: float, alone: bool) -> None:
        self._term = term
        self._strength = strength
        self._alone = alone
        self.column = TermColumn(term, None)

    def part(self, first: int, step: int) -> SumPart:
        """Return what a shard holds."""
        own, empty = cut(self._term.own, first, step), cut(self._term.empty, first, step)
        return SumPart(own=own, empty=empty, strength=self._strength)

    def news(self, since: int) -> float:
        """Return the sum over the selected."""
        del since
        return self._term.total

    def bounds(self, samples: Indices, answers: Sequence[Answer], number: int) -> SumBounds:
        """Return the bounds of the samples of a round."""
        del answers, number
        return SumBounds(self._term.part(samples), strength=self._strength, alone=self._alone)


class ShareSide:
    """BALANCE."""

    n_chosen = 0

    def __init__(self, term: BalanceTerm, *, strength: float, largest: float) -> None:
        self._term = term
        self._strength = strength
        self._largest = largest
        self.column = TermColumn(term, None)

    def part(self, first: int, step: int) -> SharePart:
        """Return what a shard holds."""
        rows = cut(self._term.rows, first, step)
        return SharePart(target=self._term.target, rows=rows, largest=self._largest, strength=self._strength)

    def news(self, since: int) -> Floats:
        """Return the sums over the selected."""
        del since
        return self._term.sums

    def bounds(self, samples: Indices, answers: Sequence[Answer], number: int) -> ShareBounds:
        """Return the bounds of the samples of a round."""
        del answers, number
        return ShareBounds(self._term.part(samples), strength=self._strength, largest=self._largest)


class SpreadSide:
    """DIVERSITY."""

    def __init__(self, strategy: Diversity, known: Bools, *, strength: float, alone: bool) -> None:
        self._strategy = strategy
        self._known = known
        self._strength = strength
        self._alone = alone
        self._near = False
        self._here = _Here(strategy, len(known))
        self._bounds: SpreadBounds | None = None
        self.column = SpreadColumn(strategy, self._here, None)

    @property
    def n_chosen(self) -> int:
        """How many vectors are selected."""
        return self._here.chosen.count

    def part(self, first: int, step: int) -> SpreadPart:
        """Return what a shard holds."""
        own = restricted(self._strategy, np.arange(first, len(self._known), step), self._here.starts)
        return SpreadPart(strategy=own, known=cut(self._known, first, step), strength=self._strength)

    def news(self, since: int) -> SpreadNews:
        """Return the vectors selected since there were so many."""
        if self._bounds is not None:
            self._near = self._bounds.near
        chosen = self._here.chosen
        needs_total = self._near or not self._alone
        total = float(chosen.sums_among()[-1]) if needs_total else 0.0
        return SpreadNews(units=chosen.exact[since:].copy(), total=total, near=self._near)

    def bounds(self, samples: Indices, answers: Sequence[Answer], number: int) -> SpreadBounds:
        """Return the bounds of the samples of a round, exact as the shards measured them."""
        own = restricted(self._strategy, samples, self._here.starts)
        distances = lazy_distances(own, self._known[samples])
        distances.chosen = self._here.chosen
        for answer in answers:
            squares = answer.squares[number]
            if squares is not None:
                distances.settle(np.searchsorted(samples, answer.samples), squares)
        self._bounds = SpreadBounds(distances, strength=self._strength, alone=self._alone)
        self._bounds.near = self._near
        self._here.now = (samples, self._bounds)
        return self._bounds


class _Here:
    """The vectors of all samples, looked at one sample at a time, and those selected."""

    def __init__(self, strategy: Diversity, n: int) -> None:
        self._embeddings = strategy.embeddings
        self.starts = starts_of(strategy.owner, n)
        self.empty: Bools = np.diff(self.starts) == 0
        self.chosen = Chosen(strategy.embeddings.shape[1])
        self.now: tuple[Indices, SpreadBounds] | None = None

    def units_of(self, sample: int) -> Floats:
        return unit_embeddings(self._embeddings[self.starts[sample] : self.starts[sample + 1]])[0]

    def gain(self, sample: int) -> float:
        if self.now is not None:
            samples, bounds = self.now
            return bounds.gain(int(samples.searchsorted(sample)))
        squares = nearest_squares(self.units_of(sample), self.chosen.exact)
        return float(squares.sum() / len(squares))


Side = SumSide | ShareSide | SpreadSide


def side_of(
    strategy: Strategy,
    known: Bools,
    field: Field,
    pool: Sequence[int],
    weighing: Weighing,
    threads: Executor | None,
) -> Side | OtherSide:
    """Start a strategy."""
    if isinstance(strategy, Threshold):
        return OtherSide(FilterColumn(strategy))
    strength, alone = strategy.strength / weighing.scale, weighing.alone
    if isinstance(strategy, Diversity):
        side = SpreadSide(strategy, known, strength=strength, alone=alone)
        return side if strength else OtherSide(side.column)
    term = bounded_term(strategy, known, field, pool, threads=threads)
    if strength == 0.0:
        return OtherSide(TermColumn(term, None))
    if isinstance(term, BalanceTerm):
        return ShareSide(term, strength=strength, largest=term.largest(field.candidate))
    return SumSide(term, strength=strength, alone=alone)
