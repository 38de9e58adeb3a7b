"""Part of the samples, held by somebody who finds the best of them: what a round asks, and what it is told.

A shard knows nothing of the other shards. It is told what was selected since it was last asked, brings the bounds
of its best samples up to date, and answers with those, and with what is known of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.selection.balance import BalanceTerm
from tamis.selection.bounds import SpreadBounds, SumBounds
from tamis.selection.cascade import Edge, draw_fresh
from tamis.selection.chosen import Chosen
from tamis.selection.columns import lazy_distances
from tamis.selection.nearest import rows_of
from tamis.selection.share_bounds import ShareBounds
from tamis.selection.strategies import Diversity
from tamis.selection.terms import SumTerm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tamis.selection.columns import Weighing
    from tamis.selection.embeddings import Bools, Floats, Indices

_WIDER = 2  # what will soon be at the top is refreshed with it


@dataclass(frozen=True, kw_only=True, eq=False)
class SumPart:
    """WEIGHTS and what counts like it, of the samples of a shard: `own` and `empty` as in `SumTerm`."""

    own: Floats
    empty: Bools
    strength: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SharePart:
    """BALANCE of the samples of a shard: `target` and `rows` as in `BalanceTerm`, `largest` of all shards."""

    target: Floats
    rows: Floats
    largest: float
    strength: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SpreadPart:
    """DIVERSITY of the samples of a shard, its owners counted within it; `known` as in `Field`."""

    strategy: Diversity
    known: Bools
    strength: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """One of every `step` samples, so that the best are spread evenly over the shards.

    Attributes:
        first: the first sample.
        step: how many shards there are.
        candidate: which may be picked, shape (n,).
        columns: the strategies that decide.
        weighing: of all strategies.
    """

    first: int
    step: int
    candidate: Bools
    columns: tuple[SumPart | SharePart | SpreadPart, ...]
    weighing: Weighing


@dataclass(frozen=True, kw_only=True, eq=False)
class SpreadNews:
    """What a DIVERSITY tells: vectors that were selected since, (n, d), and where all of them stand."""

    units: Floats
    total: float
    near: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """What a round asks a shard.

    Attributes:
        gone: samples of the shard that may not be picked any more, since it was last asked.
        news: one for each column: of a sum its total, of a BALANCE its (C,) sums, of a DIVERSITY `SpreadNews`.
        size: how many samples are wanted.
    """

    gone: Indices
    news: tuple[Any, ...]
    size: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What a shard answers.

    Attributes:
        samples: the best, ascending.
        squares: for each column of a DIVERSITY the exact squared distances of their vectors, in their order.
        edge: what is known of all others.
    """

    samples: Indices
    squares: tuple[Floats | None, ...]
    edge: Edge


class Shard:
    """Holds a part and answers questions."""

    def __init__(self, part: Part) -> None:
        self._first, self._step = part.first, part.step
        self._tolerance = part.weighing.tolerance
        self._alive = part.candidate.copy()
        self._columns = [_open(column, alone=part.weighing.alone) for column in part.columns]
        self._terms = [column.bounds for column in self._columns]

    def answer(self, question: Question) -> Answer:
        """Take in what is new and return the best."""
        self._alive[(question.gone - self._first) // self._step] = False
        for column, news in zip(self._columns, question.news, strict=True):
            column.learn(news)
        for term in self._terms:
            term.sweep()
        everyone = slice(None)
        draw = draw_fresh(
            self._terms, everyone, self._alive, question.size, tolerance=self._tolerance, wider=_WIDER
        )
        return Answer(
            samples=self._global(draw.top),
            squares=tuple(column.squares(draw.top) for column in self._columns),
            edge=draw.edge(
                self._terms,
                everyone,
                first=draw.first if draw.first < 0 else self._first + self._step * draw.first,
            ),
        )

    def _global(self, samples: Indices) -> Indices:
        return self._first + self._step * samples


def open_shard(part: Part) -> Any:  # noqa: ANN401 (a method, for those who hold it)
    """Return what answers the questions to a part."""
    return Shard(part).answer


class _Sum:
    def __init__(self, part: SumPart, *, alone: bool) -> None:
        self._term = SumTerm("", part.own, part.own, empty=part.empty)
        self.bounds = SumBounds(self._term, strength=part.strength, alone=alone)

    def learn(self, news: float) -> None:
        self._term.total = news

    def squares(self, of: Indices) -> None:
        del of


class _Share:
    def __init__(self, part: SharePart) -> None:
        self._term = BalanceTerm(part.target, part.rows)
        self.bounds = ShareBounds(self._term, strength=part.strength, largest=part.largest)

    def learn(self, news: Floats) -> None:
        self.bounds.renew(news)

    def squares(self, of: Indices) -> None:
        del of


class _Spread:
    def __init__(self, part: SpreadPart, *, alone: bool) -> None:
        self._distances = lazy_distances(part.strategy, part.known)
        self._chosen = _ToldChosen(part.strategy.embeddings.shape[1])
        self._distances.chosen = self._chosen
        self.bounds = SpreadBounds(self._distances, strength=part.strength, alone=alone)

    def learn(self, news: SpreadNews) -> None:
        self._chosen.add(news.units)
        self._chosen.total = news.total
        self.bounds.near = news.near

    def squares(self, of: Indices) -> Floats:
        self._distances.measure(of)
        return self._distances.exact_rows(of)[1]


class _ToldChosen(Chosen):
    """The vectors selected everywhere; how far they are from each other is summed up by who selects."""

    total = 0.0

    def sums_among(self) -> Sequence[float]:
        return (self.total,)


def _open(part: SumPart | SharePart | SpreadPart, *, alone: bool) -> _Sum | _Share | _Spread:
    if isinstance(part, SumPart):
        return _Sum(part, alone=alone)
    return _Share(part) if isinstance(part, SharePart) else _Spread(part, alone=alone)


def cut(array: NDArray[Any], first: int, step: int) -> NDArray[Any]:
    """Return the rows of a shard, one after the other in memory.

    >>> cut(np.arange(5), 1, 2).tolist()
    [1, 3]
    """
    return np.ascontiguousarray(array[first::step])


def restricted(strategy: Diversity, samples: Indices, starts: Indices) -> Diversity:
    """Return a DIVERSITY of some samples alone, ascending, which count from 0 on.

    Args:
        strategy: of all samples.
        samples: which to keep, (n,).
        starts: where the vectors of each of all samples start, as of `starts_of`.

    >>> own = Diversity(name="d", embeddings=np.eye(3), owner=np.array([0, 2, 2]))
    >>> part = restricted(own, np.array([1, 2]), np.array([0, 1, 1, 3]))
    >>> part.embeddings.tolist(), part.owner.tolist()
    ([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [1, 1])
    """
    if strategy.owner is None:
        rows, owner = samples, None
    else:
        rows = rows_of(starts, samples)
        owner = np.repeat(np.arange(len(samples)), starts[samples + 1] - starts[samples])
    return Diversity(
        name=strategy.name,
        embeddings=strategy.embeddings[rows],
        owner=owner,
        strength=strategy.strength,
        stop_min_distance=strategy.stop_min_distance,
    )
