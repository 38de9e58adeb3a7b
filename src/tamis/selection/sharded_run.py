"""A run over samples that others hold, shard by shard: the picks of `CascadeRun`, with one exchange a round.

A round asks every shard for its best samples. Among those the picks are made here, one after the other, for as long
as the best of them is above whatever a shard kept back; then the next round begins. The groups of `cascade` are the
same: its outermost lies with the shards. It is all exact, and so are ties: they go to the lowest index of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tamis.selection.cascade import Cascade, Sizes
from tamis.selection.cascade_run import n_parts
from tamis.selection.columns import Columns, Weighing
from tamis.selection.shard import Part, Question, cut
from tamis.selection.sides import OtherSide, SpreadSide, side_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Executor

    from tamis.selection.cascade import Bounds, Edge, Tolerance
    from tamis.selection.embeddings import Bools, Floats, Indices
    from tamis.selection.field import Field
    from tamis.selection.shard import Answer
    from tamis.selection.strategies import Strategy


class Holders(Protocol):
    """Who hold the shards."""

    def ask(self, questions: Sequence[Question | None]) -> Sequence[Answer | None]:
        """Ask all at once, those with `None` nothing.

        Returns:
            For each the answer; `None` where nothing was asked, and where the shard was lost and is held anew, by
            somebody who was told nothing yet.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharding:
    """How samples are held elsewhere.

    Attributes:
        open: gives parts to those who hold them, one after the other.
        n_shards: how many parts at most, 1 at least.
        size: how many samples a round brings from each, `None`: as many as suit; it decides speed, not picks.
    """

    open: Callable[[Iterable[Part]], Holders]
    n_shards: int
    size: int | None = None


class ShardedRun:
    """Picks by bounds that lie elsewhere.

    Attributes:
        picks: the picks so far.
        stopped: why the run ended, or `None`.
        n_rounds: how often the shards were asked.
    """

    def __init__(
        self,
        strategies: Sequence[Strategy],
        field: Field,
        pool: Sequence[int],
        sharding: Sharding,
        *,
        threads: Executor | None = None,
    ) -> None:
        weighing = Weighing.of(strategies)
        self._tolerance = weighing.tolerance
        sides = [
            side_of(strategy, known, field, pool, weighing, threads)
            for strategy, known in zip(strategies, field.known, strict=True)
        ]
        self._columns = Columns(side.column for side in sides)
        self._columns.add_pool(pool, field.known)
        self._sides = [side for side in sides if not isinstance(side, OtherSide)]
        self._silent = [side.column for side in sides if not isinstance(side, SpreadSide)]
        self._n_parts = n_parts(strategies)
        self._alive = field.candidate.copy()
        self._n_shards = n_shards = max(1, min(sharding.n_shards, len(self._alive)))
        middle = Sizes.of(int(self._alive.sum()), n_parts=self._n_parts).middle
        self._size = sharding.size or max(1, middle // n_shards)
        self._holders = sharding.open(
            Part(
                first=first,
                step=n_shards,
                candidate=cut(self._alive, first, n_shards),
                columns=tuple(side.part(first, n_shards) for side in self._sides),
                weighing=weighing,
            )
            for first in range(n_shards)
        )
        self._told = [_Told([0] * len(self._sides)) for _ in range(n_shards)]
        self._gone: list[Indices] = []
        self._round: _Round | None = None
        self.n_rounds = 0
        self.picks: list[int] = []
        self.stopped: str | None = self._columns.exhaustion()

    def step(self) -> bool:
        """Pick the best candidate, or end the run; return whether it picked."""
        leading, place, sample = self._best()
        self.stopped = self._columns.refusal(sample)
        if self.stopped is not None:
            return False
        self._columns.record(sample)
        leading.take(place)
        for column in self._silent:
            column.add(sample)
        self._alive[sample] = False
        self._gone.append(np.array([sample]))
        self.picks.append(sample)
        self.stopped = self._columns.exhaustion()
        return True

    def exclude(self, of: Indices) -> None:
        """Ask some candidates no more."""
        if len(of):
            self._alive[of] = False
            self._gone.append(of)
            if self._round is not None:
                self._round.exclude(of)

    def answers(self) -> tuple[Floats, Floats]:
        """Return objectives and gains at each pick, both (k, n_strategies)."""
        return self._columns.answers()

    def _best(self) -> tuple[_Round, int, int]:
        """Return the best candidate: the round that it is in, its place there, and which sample it is."""
        size = self._size
        while True:
            best = None if self._round is None else self._round.best()
            if self._round is not None and best is not None:
                return self._round, *best
            self._round = self._next_round(size)
            size *= 2  # a round that brought no pick is followed by a larger one

    def _next_round(self, size: int) -> _Round:
        answers: list[Answer | None] = [None] * self._n_shards
        while None in answers:
            questions = [self._question(n, size) if answer is None else None for n, answer in enumerate(answers)]
            for shard, answer in enumerate(self._holders.ask(questions)):
                if questions[shard] is not None:
                    answers[shard] = answer
                    self._told[shard] = self._all_told() if answer is not None else _Told([0] * len(self._sides))
        self.n_rounds += 1
        found = [answer for answer in answers if answer is not None]
        samples = np.sort(np.concatenate([answer.samples for answer in found]))
        bounds = [side.bounds(samples, found, number) for number, side in enumerate(self._sides)]
        sizes = Sizes(middle=len(samples) + 1, inner=Sizes.of(len(samples), n_parts=self._n_parts).inner)
        return _Round(
            samples, self._alive[samples], bounds, [answer.edge for answer in found], self._tolerance, sizes
        )

    def _question(self, shard: int, size: int) -> Question:
        told = self._told[shard]
        gone = np.concatenate([np.empty(0, np.int64), *self._gone[told.gone :]])
        return Question(
            gone=gone[gone % self._n_shards == shard],
            news=tuple(side.news(since) for side, since in zip(self._sides, told.chosen, strict=True)),
            size=size,
        )

    def _all_told(self) -> _Told:
        return _Told([side.n_chosen for side in self._sides], len(self._gone))


@dataclass(frozen=True, slots=True)
class _Told:
    """What a shard knows of: vectors selected, for each strategy that decides, and entries of what is gone."""

    chosen: list[int]
    gone: int = 0


class _Round:
    """The best samples of all shards, and how good the others can be."""

    def __init__(
        self,
        samples: Indices,
        candidate: Bools,
        bounds: Sequence[Bounds],
        edges: Sequence[Edge],
        tolerance: Tolerance,
        sizes: Sizes,
    ) -> None:
        self._samples = samples
        self._alive = candidate
        self._bounds = bounds
        self._edges = edges
        self._tolerance = tolerance
        self._cascade = Cascade(bounds, candidate, tolerance=tolerance, sizes=sizes)

    def best(self) -> tuple[int, int] | None:
        """Return place and index of the best of all; `None` where that may be one whom a shard kept back."""
        if not self._alive.any():
            return None
        place, score = self._cascade.front()
        sample = int(self._samples[place])
        if any(edge.reaches(self._bounds, sample, score, self._tolerance) for edge in self._edges):
            return None
        return place, sample

    def take(self, place: int) -> None:
        """Count a sample as selected."""
        self._alive[place] = False
        self._cascade.take(place)

    def exclude(self, of: Indices) -> None:
        """Ask some of all samples no more."""
        places = np.flatnonzero(np.isin(self._samples, of))
        self._alive[places] = False
        self._cascade.exclude(places)
