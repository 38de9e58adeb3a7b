"""What the strategies' factors are at most: the terms that `cascade` works with.

A term's score is strength * log(objective), less what all samples have in common, so that sums over hundreds of
thousands selected do not swallow the difference between two candidates. A term that decides alone may instead say
its own part of the objective as it is: the order is the same.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tamis.selection.terms import LEAST_OBJECTIVE
from tamis.selection.vectors import dot_error, pair_squares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.selection.embeddings import Bools, Floats, Indices
    from tamis.selection.nearest import LazyDistances
    from tamis.selection.terms import SumTerm

_EPS = 4.0 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class SumState:
    """A sum over the selected, and between which limits the own parts of some samples are."""

    total: float
    least: float
    most: float
    any_empty: bool


def sum_scores(total: float, own: Floats) -> Floats:
    """Return log(max(total + own, 1e-8)), less log(max(total, 1e-8)).

    >>> sum_scores(1e15, np.array([0.0, 1.0])).round(20).tolist()
    [0.0, 1e-15]
    """
    if total >= LEAST_OBJECTIVE:
        return np.log1p(own / total)
    return np.log(np.maximum(total + own, LEAST_OBJECTIVE) / LEAST_OBJECTIVE)


def empty_score(total: float) -> float:
    """Return the same for a sample whose whole objective is 1e-8.

    >>> empty_score(0.0)
    0.0
    """
    return math.log(LEAST_OBJECTIVE / max(total, LEAST_OBJECTIVE))


def _sum_score(total: float, own: float) -> float:
    if total >= LEAST_OBJECTIVE:
        return math.log1p(own / total)
    return math.log(max(total + own, LEAST_OBJECTIVE) / LEAST_OBJECTIVE)


def sum_drift(strength: float, state: SumState, total: float, kept: float) -> float:
    """Return how far strength * score of any sample may be above a part of what it was, since the sum changed.

    Between the places where the least objective begins the difference is smooth, so that it is largest at one of
    those, at a limit of the own parts, or where its slope is 0: 1 / (total + own) = kept / (total then + own).
    """
    if total == state.total and kept == 1.0:
        return 0.0
    bends = [LEAST_OBJECTIVE - state.total, LEAST_OBJECTIVE - total]
    if kept < 1.0:
        bends.append((kept * total - state.total) / (1.0 - kept))
    parts = {state.least, state.most, *(min(max(bend, state.least), state.most) for bend in bends)}
    scores = [(_sum_score(total, own), _sum_score(state.total, own)) for own in parts]
    if state.any_empty:
        scores.append((empty_score(total), empty_score(state.total)))
    return largest_rise(strength, scores, kept)


def largest_rise(strength: float, scores: Sequence[tuple[float, float]], kept: float) -> float:
    """Return how far strength * score may be above a part of what it was, and what rounding may hide of it.

    Args:
        strength: any.
        scores: now and then.
        kept: the part.

    >>> round(largest_rise(2.0, [(0.5, 0.25), (0.0, 1.0)], 0.8), 12)
    0.6
    """
    rise = max(strength * (now - kept * then) for now, then in scores)
    return rise + _EPS * abs(strength) * sum(abs(now) + abs(then) for now, then in scores)


class ScoreBounds(ABC):
    """Bounds that are the scores themselves, as these are known at little cost: there is nothing to tighten."""

    def __init__(self) -> None:
        self._focus: Indices = np.empty(0, np.int64)

    @abstractmethod
    def bounds(self, of: Indices | slice) -> Floats:
        """Return the scores themselves."""

    def sweep(self) -> None:  # noqa: B027 (a score needs no tightening)
        """Do nothing."""

    def stale(self, of: Indices) -> Bools:
        """Return that no bound is stale."""
        return np.zeros(len(of), bool)

    def refresh(self, of: Indices) -> None:  # noqa: B027 (a score is never stale)
        """Do nothing."""

    def release(self) -> None:  # noqa: B027 (a score is never stale)
        """Do nothing."""

    def focus(self, of: Indices) -> None:
        """Remember the samples."""
        self._focus = of

    def focused(self) -> Floats:
        """Return their scores."""
        return self.bounds(self._focus)


class SumBounds(ScoreBounds):
    """WEIGHTS and what counts like it: own parts that never change, so that the bounds are the scores."""

    def __init__(self, term: SumTerm, *, strength: float, alone: bool) -> None:
        super().__init__()
        self._term = term
        self._strength = strength
        self._alone = alone and strength > 0.0

    def bounds(self, of: Indices | slice) -> Floats:
        """Return the scores themselves."""
        term = self._term
        if self._alone:
            least = LEAST_OBJECTIVE - term.total
            return np.where(term.empty[of], least, np.maximum(term.own[of], least))
        scores = np.where(term.empty[of], empty_score(term.total), sum_scores(term.total, term.own[of]))
        return self._strength * scores

    def add(self, sample: int) -> None:
        """Count what the sample adds."""
        self._term.add(sample)

    def state(self, of: Indices | slice) -> SumState:
        """Return the sum and the limits of the own parts."""
        own = self._term.own[of]
        return SumState(self._term.total, float(own.min()), float(own.max()), bool(self._term.empty[of].any()))

    def drift(self, state: SumState, kept: float) -> float:
        """Return how far a score may be above a part of what it was."""
        if self._alone:
            return 0.0 if kept == 1.0 else np.inf
        return sum_drift(self._strength, state, self._term.total, kept)


@dataclass(frozen=True, slots=True)
class SpreadState:
    """Where a DIVERSITY stood."""

    sums: SumState
    started: bool
    clamped: bool


class SpreadBounds:
    """DIVERSITY of strength > 0.

    Attributes:
        near: alone: whether the least objective can matter, so that the sum over the selected must be known.
    """

    def __init__(self, distances: LazyDistances, *, strength: float, alone: bool) -> None:
        self._distances = distances
        self._strength = strength
        self._alone = alone
        self._any_empty = bool(distances.empty.any())
        self.near = False
        self._focus: Indices = np.empty(0, np.int64)
        self._ends: Indices = np.empty(0, np.int64)  # of each one's vectors among the following
        self._units: Floats = np.empty((0, distances.chosen.exact.shape[1]))
        self._squares: Floats = np.empty(0)
        self._error = 2.0 * dot_error(distances.chosen.exact.shape[1], np.float64)

    def bounds(self, of: Indices | slice) -> Floats:
        """Return what the scores are at most, from bounds of the distances."""
        return self._scores(self._distances.upper[of], self._distances.empty[of])

    def _scores(self, squares: Floats, empty: Bools) -> Floats:
        if not self._distances.chosen.count:
            return np.where(empty, self._strength * np.log(LEAST_OBJECTIVE), 0.0)
        if self._alone:
            least = LEAST_OBJECTIVE - self._total if self.near else -1.0
            scores = np.maximum(squares, least)
            scores[empty] = least
            return scores
        scores = sum_scores(self._total, squares)
        scores[empty] = empty_score(self._total)
        scores *= self._strength
        return scores

    @property
    def _total(self) -> float:
        return float(self._distances.chosen.sums_among()[-1])

    def sweep(self) -> None:
        """Tighten all bounds by the selected vectors near to each."""
        self._distances.sweep()

    def stale(self, of: Indices) -> Bools:
        """Return which bounds ignore some selected sample."""
        return self._distances.stale(of)

    def refresh(self, of: Indices) -> None:
        """Tighten bounds by all selected vectors."""
        self._distances.refresh(of)

    def release(self) -> None:
        """Keep what was measured of those focused on as their bounds."""
        if len(self._focus):
            self._distances.settle(self._focus, self._squares)

    def focus(self, of: Indices) -> None:
        """Measure these samples."""
        self._distances.measure(of)
        self._focus, self._ends = of, self._distances.ends(of)
        self._units, self._squares = self._distances.exact_rows(of)

    def gain(self, sample: int) -> float:
        """Return the exact mean squared distance of one of those focused on."""
        squares = self._squares[self._rows_in_focus(sample)]
        return float(squares.sum() / len(squares))

    def _rows_in_focus(self, sample: int) -> slice:
        """Return the rows of a sample's vectors among those focused on, none where it is not one of those."""
        at = int(self._focus.searchsorted(sample))
        if at == len(self._focus) or self._focus[at] != sample:
            return slice(0, 0)
        return slice(int(self._ends[at - 1]) if at else 0, int(self._ends[at]))

    def focused(self) -> Floats:
        """Return their scores."""
        squares = self._distances.means(self._focus, self._squares)
        empty = self._distances.empty[self._focus]
        most = float(squares.max(where=~empty, initial=-1.0))
        if self._alone and (0.0 < most < LEAST_OBJECTIVE or (most == 0.0 and self._any_empty)):
            self.near = True
        return self._scores(squares, empty)

    def add(self, sample: int) -> None:
        """Measure those focused on from the sample's vectors."""
        in_focus = self._rows_in_focus(sample)
        added = self._units[in_focus] if in_focus.stop else self._distances.units_of(sample)
        self._distances.chosen.add(added)
        dots = self._units @ added.T
        near = 2.0 - 2.0 * dots - self._error < self._squares[:, None]
        if near.any():
            rows, places = np.nonzero(near)
            np.minimum.at(self._squares, rows, pair_squares(self._units[rows], added[places]))

    def state(self, of: Indices | slice) -> SpreadState:
        """Return the set's sum, unless it is of no consequence, and the limits of the bounds."""
        upper = self._distances.upper[of]
        total = 0.0 if self._alone and not self.near else self._total
        sums = SumState(total, 0.0, float(upper.max()), self._any_empty)
        return SpreadState(sums, self._distances.chosen.count > 0, self.near)

    def drift(self, state: SpreadState, kept: float) -> float:
        """Return how far a score may be above a part of what it was: distances fall, but so may the set's sum."""
        if state.started != (self._distances.chosen.count > 0) or state.clamped != self.near:
            return np.inf
        if not self._alone:
            return sum_drift(self._strength, state.sums, self._total, kept)
        if kept < 1.0:
            return np.inf
        if not self.near:
            return 0.0
        now, then = self._total, state.sums.total
        return max(0.0, then - now) + _EPS * (now + then) if now != then else 0.0
