"""Find the best candidate of each step without asking every sample at every step.

Three nested groups: all candidates with upper bounds that may be stale, some thousand of the best of them
with bounds that take all picks into account, and some hundred of the best of those, which are measured exactly
after every pick. The best of the innermost is the best of all as soon as no bound outside reaches it;
otherwise a group is drawn anew from the one around it. Nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.selection.embeddings import Bools, Floats, Indices

ROUNDING = 1e-13
_PATIENCE = 8
_WIDER = 4

Tolerance = Callable[[float], float]


class Bounds(Protocol):
    """A strategy of which bounds are known. Scores are logarithms of factors, up to what all samples share."""

    def bounds(self, of: Indices | slice) -> Floats:
        """Return what the scores of samples are at most, with everything selected so far."""

    def stale(self, of: Indices) -> Bools:
        """Return which bounds could be tightened."""

    def refresh(self, of: Indices) -> None:
        """Tighten the bounds of samples cheaply."""

    def hold(self, of: Indices) -> None:
        """Get ready to tighten the bounds of these samples often."""

    def refresh_held(self) -> None:
        """Tighten the bounds of those held."""

    def focus(self, of: Indices) -> None:
        """Measure these samples exactly, now and after each selected sample."""

    def focused(self) -> Floats:
        """Return the exact scores of those focused on."""

    def add(self, sample: int) -> None:
        """Count a sample as selected."""

    def state(self, of: Indices | slice) -> Any:  # noqa: ANN401 - each term reads its own alone
        """Remember where the term stands, for `drift`."""

    def drift(self, state: Any) -> float:  # noqa: ANN401 - as `state` returned it
        """Return how much the bound of any of those samples may have risen since."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many samples the groups hold; they decide the speed, never the picks.

    Attributes:
        middle: those with fresh bounds.
        inner: those measured exactly.
    """

    middle: int
    inner: int = 128

    @classmethod
    def of(cls, n_candidates: int) -> Sizes:
        """Return sizes that suit so many candidates, by trials at d = 128 on two cores.

        A draw of the middle looks at all bounds: the more there are, the fewer draws there should be.

        >>> Sizes.of(1_000_000).middle
        15625
        """
        return cls(middle=min(max(2048, n_candidates // 64), 16384))


@dataclass(frozen=True, eq=False)
class _Edge:
    """What is known of the samples that a group left outside.

    Attributes:
        bound: no score outside was above it when the group was drawn.
        first: whoever outside ties with the bound has at least this index.
        states: where the terms stood then.
    """

    bound: float
    first: int
    states: tuple[Any, ...]


class Cascade:
    """The candidates, ordered no more than needed to know the best."""

    def __init__(self, terms: Sequence[Bounds], candidate: Bools, *, tolerance: Tolerance, sizes: Sizes) -> None:
        self._terms = terms
        self._alive = candidate.copy()
        self._tolerance = tolerance
        self._sizes = sizes
        self._middle: Indices = np.empty(0, np.int64)
        self._inner: Indices = np.empty(0, np.int64)
        self._outer_edge = self._inner_edge = _Edge(np.inf, -1, ())

    def best(self) -> int:
        """Return the candidate of the largest score, ties to the lowest index; there must be one."""
        draws = 0
        while True:
            front = self._front()
            middle_done = front is None or self._reaches(self._outer_edge, *front)
            if front is not None and not middle_done and not self._reaches(self._inner_edge, *front):
                return front[0]
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

    def _front(self) -> tuple[int, float] | None:
        if not len(self._inner):
            return None
        scores: Floats = np.add.reduce([term.focused() for term in self._terms])
        scores[~self._alive[self._inner]] = -np.inf
        most = float(scores.max())
        if most == -np.inf:
            return None
        return int(self._inner[(scores >= most - self._tolerance(most)).argmax()]), most

    def _reaches(self, edge: _Edge, sample: int, score: float) -> bool:
        if edge.bound == -np.inf:
            return False
        drifts = (term.drift(state) for term, state in zip(self._terms, edge.states, strict=True))
        bound = edge.bound + sum(drifts)
        slack = self._tolerance(score)
        return bound > score + slack or (bound >= score - slack and sample >= edge.first)

    def _draw_middle(self, size: int) -> None:
        everyone = slice(None)
        while True:
            scores = self._bounds(everyone)
            top, edge = self._cut(scores, size)
            stale = self._stale(top)
            if not len(stale):
                break
            wider, _ = self._cut(scores, _WIDER * size)
            for term in self._terms:
                term.refresh(wider[term.stale(wider)])
        self._middle = top
        self._outer_edge = _Edge(*edge, tuple(term.state(everyone) for term in self._terms))
        for term in self._terms:
            term.hold(top)

    def _bounds(self, of: Indices | slice) -> Floats:
        scores: Floats = np.add.reduce([term.bounds(of) for term in self._terms])
        scores[~self._alive[of]] = -np.inf
        return scores

    def _stale(self, of: Indices) -> Indices:
        return of[np.logical_or.reduce([term.stale(of) for term in self._terms])]

    def _draw_inner(self, size: int) -> None:
        for term in self._terms:
            term.refresh_held()
        scores = self._bounds(self._middle)
        top, edge = self._cut(scores, size)
        self._inner_edge = _Edge(*edge, tuple(term.state(self._middle) for term in self._terms))
        self._inner = self._middle[top]
        for term in self._terms:
            term.focus(self._inner)

    def _cut(self, scores: Floats, size: int) -> tuple[Indices, tuple[float, int]]:
        """Return the places of the `size` largest, ties to the lowest, and bound and first place of the others."""
        if size < len(scores):
            limit = float(np.partition(scores, len(scores) - size)[len(scores) - size])
            if limit > -np.inf:
                return _cut_at(scores, limit, size, self._tolerance(limit))
        return np.flatnonzero(scores > -np.inf), (-np.inf, -1)


def _cut_at(scores: Floats, limit: float, size: int, slack: float) -> tuple[Indices, tuple[float, int]]:
    at_least = np.flatnonzero(scores >= limit - slack)
    sure = scores[at_least] > limit + slack
    tied = at_least[~sure]
    kept, left = np.split(tied, [size - int(sure.sum())])
    top = np.sort(np.concatenate([at_least[sure], kept]))
    if len(left):
        return top, (float(scores[left].max()), int(left[0]))
    others = scores[scores < limit - slack]
    return top, (float(others.max(initial=-np.inf)), -1)
