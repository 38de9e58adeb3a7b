"""Find the best candidate of each step without asking every sample at every step.

Three nested groups: all candidates, with upper bounds that may be out of date; some thousand of the best of them,
with bounds that take the picks near them into account; and some hundred of the best of those, with bounds that take
all picks into account, which are measured exactly after every pick. The best of the innermost is the best of all as
soon as no bound outside reaches it; otherwise a group is drawn anew from the one around it. It is all exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tamis.selection.embeddings import Bools, Floats, Indices

ROUNDING = 1e-13
_PATIENCE = 8
_WIDER = 4  # what will soon be at the top is refreshed with it: few large products cost less than many small

Tolerance = Callable[[float], float]


class Bounds(Protocol):
    """A strategy of which bounds are known. Scores are logarithms of factors, up to what all samples share."""

    def bounds(self, of: Indices | slice) -> Floats:
        """Return what the scores of samples are at most, with everything selected so far."""

    def sweep(self) -> None:
        """Tighten all bounds at little cost, most of them to nearly the score."""

    def stale(self, of: Indices) -> Bools:
        """Return which bounds `refresh` could tighten."""

    def refresh(self, of: Indices) -> None:
        """Tighten the bounds of samples by everything selected so far, to the score but for rounding."""

    def release(self) -> None:
        """Keep what is known of those focused on."""

    def focus(self, of: Indices) -> None:
        """Measure these samples exactly, now and after each selected sample."""

    def focused(self) -> Floats:
        """Return the exact scores of those focused on."""

    def add(self, sample: int) -> None:
        """Count a sample as selected."""

    def state(self, of: Indices | slice) -> Any:  # noqa: ANN401 - each term reads its own alone
        """Remember where the term stands, for `drift`."""

    def drift(self, state: Any, kept: float) -> float:  # noqa: ANN401 - as `state` returned it
        """Return how far the score of any of those samples may be above a part of its bound then, 0 < kept <= 1."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many samples the groups hold; they decide the speed, never the picks.

    Attributes:
        middle: those whose bounds were tightened at little cost.
        inner: those measured exactly.
    """

    middle: int
    inner: int = 128

    @classmethod
    def of(cls, n_candidates: int, *, n_parts: float = 1.0) -> Sizes:
        """Return sizes that suit so many candidates, by trials at d = 128 on two cores.

        Args:
            n_candidates: a draw of the middle looks at all bounds: the more there are, the fewer there should be.
            n_parts: how many vectors a sample has; samples of many are fewer to a group.

        >>> Sizes.of(1_000_000).middle
        15625
        """
        part = min(max(1, round(n_parts)), 4)
        return cls(middle=int(min(max(8192, n_candidates // 64), 16384) / part**1.5), inner=128 // part)


@dataclass(frozen=True, eq=False)
class Edge:
    """What is known of the samples that a group left outside.

    Attributes:
        bound: no score outside was above it when the group was drawn.
        first: whoever outside ties with the bound has at least this index.
        best: the largest score or bound of all then.
        states: where the terms stood then.
    """

    bound: float
    first: int
    best: float
    states: tuple[Any, ...]

    def reaches(self, terms: Sequence[Bounds], sample: int, score: float, tolerance: Tolerance) -> bool:
        """Return whether somebody outside may be as good as a sample, with everything selected since."""
        if self.bound == -np.inf:
            return False
        return all(self._may_reach(terms, sample, score, tolerance(score), kept) for kept in self._parts(score))

    def _parts(self, score: float) -> Iterator[float]:
        """Yield parts of old scores that may be left of them.

        Any part gives a bound. As more is selected all scores fall alike, so that the part left of the best suits.
        """
        yield 1.0
        if 0.0 < score < self.best:
            yield score / self.best

    def _may_reach(self, terms: Sequence[Bounds], sample: int, score: float, slack: float, kept: float) -> bool:
        drifts = (term.drift(state, kept) for term, state in zip(terms, self.states, strict=True))
        bound = kept * self.bound + sum(drifts)
        return bound > score + slack or (bound >= score - slack and sample >= self.first)


class Cascade:
    """The candidates, ordered no more than needed to know the best."""

    def __init__(self, terms: Sequence[Bounds], candidate: Bools, *, tolerance: Tolerance, sizes: Sizes) -> None:
        self._terms = terms
        self._alive = candidate.copy()
        self._tolerance = tolerance
        self._sizes = sizes
        self._middle: Indices = np.empty(0, np.int64)
        self._inner: Indices = np.empty(0, np.int64)
        self._outer_edge = self._inner_edge = Edge(np.inf, -1, np.inf, ())

    def best(self) -> int:
        """Return the candidate of the largest score, ties to the lowest index; there must be one."""
        return self.front()[0]

    def front(self) -> tuple[int, float]:
        """Return the same, and the largest score."""
        draws = 0
        while True:
            front = self._front()
            middle_done = front is None or self._reaches(self._outer_edge, *front)
            if front is not None and not middle_done and not self._reaches(self._inner_edge, *front):
                return front
            growth = 1 << draws // _PATIENCE
            # An inner group that is spent may leave a middle that is not.
            if middle_done and (draws or not self._alive[self._middle].any()):
                self._draw_middle(self._sizes.middle * growth)
            self._draw_inner(self._sizes.inner * growth)
            draws += 1

    def take(self, sample: int) -> None:
        """Count a candidate as selected."""
        self._alive[sample] = False
        for term in self._terms:
            term.add(sample)

    def exclude(self, of: Indices) -> None:
        """Ask some candidates no more."""
        self._alive[of] = False

    def _front(self) -> tuple[int, float] | None:
        if not len(self._inner):
            return None
        scores: Floats = np.add.reduce([term.focused() for term in self._terms])
        scores[~self._alive[self._inner]] = -np.inf
        most = float(scores.max())
        if most == -np.inf:
            return None
        return int(self._inner[(scores >= most - self._tolerance(most)).argmax()]), most

    def _reaches(self, edge: Edge, sample: int, score: float) -> bool:
        return edge.reaches(self._terms, sample, score, self._tolerance)

    def _draw_middle(self, size: int) -> None:
        everyone = slice(None)
        for term in self._terms:
            term.release()
            term.sweep()
        draw = draw_top(_bounds(self._terms, everyone, self._alive), size, self._tolerance)
        self._middle = draw.top
        self._outer_edge = draw.edge(self._terms, everyone)

    def _draw_inner(self, size: int) -> None:
        for term in self._terms:
            term.release()
        middle = self._middle
        draw = draw_fresh(self._terms, middle, self._alive, size, tolerance=self._tolerance, wider=_WIDER)
        self._inner_edge = draw.edge(self._terms, middle)
        self._inner = middle[draw.top]
        for term in self._terms:
            term.focus(self._inner)


@dataclass(frozen=True, eq=False)
class Draw:
    """Places of the largest scores.

    Attributes:
        top: ascending.
        bound: the largest score outside of the top.
        first: the lowest place outside of the top that ties with the bound.
        best: the largest score of all.
    """

    top: Indices
    bound: float
    first: int
    best: float

    def edge(self, terms: Sequence[Bounds], of: Indices | slice, *, first: int | None = None) -> Edge:
        """Return what is known of those outside of the top, with all terms as they stand.

        Args:
            terms: which gave the scores.
            of: whom the draw was from.
            first: in place of its own, where the indices of samples are others than their places.
        """
        first = self.first if first is None else first
        return Edge(self.bound, first, self.best, tuple(term.state(of) for term in terms))


def draw_fresh(
    terms: Sequence[Bounds],
    of: Indices | slice,
    alive: Bools,
    size: int,
    *,
    tolerance: Tolerance,
    wider: int,
) -> Draw:
    """Find the largest bounds, tightened until none of them ignores a selected sample.

    Args:
        terms: which give the bounds.
        of: whom to draw from, all for `slice(None)`.
        alive: which of all samples may be picked, (N,).
        size: how many.
        tolerance: how far two scores may be apart and tie.
        wider: how many times as many are refreshed with them.
    """
    while True:
        scores = _bounds(terms, of, alive)
        draw = draw_top(scores, size, tolerance)
        top = _samples(of, draw.top)
        if not any(term.stale(top).any() for term in terms):
            return draw
        more = _samples(of, draw_top(scores, wider * size, tolerance).top)
        for term in terms:
            term.refresh(more[term.stale(more)])


def _samples(of: Indices | slice, places: Indices) -> Indices:
    return places if isinstance(of, slice) else of[places]


def _bounds(terms: Sequence[Bounds], of: Indices | slice, alive: Bools) -> Floats:
    scores: Floats = np.add.reduce([term.bounds(of) for term in terms])
    scores[~alive[of]] = -np.inf
    return scores


def draw_top(scores: Floats, size: int, tolerance: Tolerance) -> Draw:
    """Find the `size` largest, ties to the lowest place."""
    if size < len(scores):
        limit = float(np.partition(scores, len(scores) - size)[len(scores) - size])
        if limit > -np.inf:
            return Draw(*_cut_at(scores, limit, size, tolerance(limit)), float(scores.max()))
    return Draw(np.flatnonzero(scores > -np.inf), -np.inf, -1, float(scores.max(initial=-np.inf)))


def _cut_at(scores: Floats, limit: float, size: int, slack: float) -> tuple[Indices, float, int]:
    """Return the places of the `size` largest, and bound and first place of the others."""
    at_least = np.flatnonzero(scores >= limit - slack)
    sure = scores[at_least] > limit + slack
    tied = at_least[~sure]
    kept, left = np.split(tied, [size - int(sure.sum())])
    top = np.sort(np.concatenate([at_least[sure], kept]))
    if len(left):
        return top, float(scores[left].max()), int(left[0])
    others = scores[scores < limit - slack]
    return top, float(others.max(initial=-np.inf)), -1
