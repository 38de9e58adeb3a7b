"""A run over any strategies of which bounds are known: the same picks as the plain loop, much sooner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from tamis.selection.balance import BalanceTerm
from tamis.selection.bounds import SpreadBounds, SumBounds
from tamis.selection.cascade import Cascade, Sizes
from tamis.selection.nearest import LazyDistances
from tamis.selection.share_bounds import ShareBounds
from tamis.selection.strategies import Balance, Diversity, Threshold
from tamis.selection.terms import LEAST_OBJECTIVE, ROUNDING, SumTerm, make_term, too_near
from tamis.selection.vectors import Vectors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from tamis.selection.cascade import Bounds
    from tamis.selection.embeddings import Bools, Floats, Indices
    from tamis.selection.field import Field
    from tamis.selection.strategies import Strategy
    from tamis.selection.terms import Term

_ALONE_ROUNDING = 1e-13  # relative: what is left of a squared distance after normalising, subtracting and summing


def has_bounds(strategies: Sequence[Strategy]) -> bool:
    """Return whether a cascade can decide: DIVERSITY and BALANCE have no bounds where strength < 0.

    >>> has_bounds([Diversity(name="d", embeddings=np.eye(2), strength=-1.0)])
    False
    """
    turned = (isinstance(s, Diversity | Balance) and s.strength < 0.0 for s in strategies)
    return any(_strength(strategy) for strategy in strategies) and not any(turned)


def _strength(strategy: Strategy) -> float:
    return 0.0 if isinstance(strategy, Threshold) else strategy.strength


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
        acting = [abs(_strength(strategy)) for strategy in strategies if _strength(strategy)]
        self._scale = max(acting)
        self._alone = len(acting) == 1
        self._columns = [
            self._column(strategy, known, field, pool)
            for strategy, known in zip(strategies, field.known, strict=True)
        ]
        self._add_pool(pool, field)
        weight = sum(acting) / self._scale
        self._cascade = Cascade(
            [column.bounds for column in self._columns if column.bounds is not None],
            field.candidate,
            tolerance=_relative if self._alone else lambda _: ROUNDING * weight,
            sizes=sizes or Sizes.of(int(field.candidate.sum()), n_parts=_n_parts(strategies)),
        )
        self.picks: list[int] = []
        self.stopped: str | None = self._exhaustion()

    def step(self) -> bool:
        """Pick the best candidate, or end the run; return whether it picked."""
        sample = self._cascade.best()
        refusals = (column.refusal(sample) for column in self._columns)
        self.stopped = next((refusal for refusal in refusals if refusal is not None), None)
        if self.stopped is not None:
            return False
        for column in self._columns:
            column.record(sample)
        self._cascade.take(sample)
        for column in self._columns:
            if column.bounds is None:
                column.add(sample)
        self.picks.append(sample)
        self.stopped = self._exhaustion()
        return True

    def exclude(self, of: Indices) -> None:
        """Ask some candidates no more."""
        self._cascade.exclude(of)

    def answers(self) -> tuple[Floats, Floats]:
        """Return objectives and gains at each pick, both (k, n_strategies)."""
        answers = [column.answers() for column in self._columns]
        return (
            np.column_stack([objectives for objectives, _ in answers]),
            np.column_stack([gains for _, gains in answers]),
        )

    def _column(self, strategy: Strategy, known: Bools, field: Field, pool: Sequence[int]) -> _Column:
        if isinstance(strategy, Threshold):
            return _FilterColumn(strategy)
        strength = strategy.strength / self._scale
        if isinstance(strategy, Diversity):
            return _SpreadColumn(strategy, known, strength=strength, alone=self._alone, threads=self._threads)
        in_play = field.candidate.copy()
        in_play[list(pool)] = True
        term = make_term(strategy, known, in_play, field.candidate, threads=self._threads)
        if strength == 0.0:
            return _TermColumn(term, None)
        if isinstance(term, BalanceTerm):
            return _TermColumn(term, ShareBounds(term, strength=strength, candidate=field.candidate))
        if isinstance(term, SumTerm):
            return _TermColumn(term, SumBounds(term, strength=strength, alone=self._alone))
        raise TypeError(f"expected a term of known bounds, got {type(term).__name__}")

    def _add_pool(self, pool: Sequence[int], field: Field) -> None:
        for column, known in zip(self._columns, field.known, strict=True):
            for sample in pool:
                if known[sample]:
                    column.add(sample)

    def _exhaustion(self) -> str | None:
        reasons = (column.exhaustion() for column in self._columns)
        return next((reason for reason in reasons if reason is not None), None)


def _n_parts(strategies: Sequence[Strategy]) -> float:
    """Return how many vectors a sample has in the DIVERSITY that has most of them."""
    owners = (s.owner for s in strategies if isinstance(s, Diversity) and s.owner is not None and len(s.owner))
    return max((len(owner) / len(np.unique(owner)) for owner in owners), default=1.0)


def _relative(score: float) -> float:
    return _ALONE_ROUNDING * abs(score)


class _Column(Protocol):
    """One strategy in the run, its bounds where it decides, and what it said of each pick."""

    @property
    def bounds(self) -> Bounds | None: ...

    def add(self, sample: int) -> None: ...

    def refusal(self, sample: int) -> str | None: ...

    def exhaustion(self) -> str | None: ...

    def record(self, sample: int) -> None: ...

    def answers(self) -> tuple[Floats, Floats]: ...


class _FilterColumn:
    """A THRESHOLD: it says its value and decides nothing more."""

    bounds: Bounds | None = None

    def __init__(self, strategy: Threshold) -> None:
        self._values = strategy.values
        self._picks: list[int] = []

    def add(self, sample: int) -> None:
        """Do nothing."""

    def refusal(self, sample: int) -> str | None:  # noqa: ARG002 - a filter ends no run
        return None

    def exhaustion(self) -> str | None:
        return None

    def record(self, sample: int) -> None:
        self._picks.append(sample)

    def answers(self) -> tuple[Floats, Floats]:
        values = np.asarray(self._values[np.array(self._picks, np.int64)], np.float64)
        return values, values


class _TermColumn:
    """A strategy whose term can say at once what it thinks of a sample."""

    def __init__(self, term: Term, bounds: Bounds | None) -> None:
        self.bounds = bounds
        self._term = term
        self._objectives: list[float] = []
        self._gains: list[float] = []
        self.add = term.add
        self.refusal = term.refusal
        self.exhaustion = term.exhaustion

    def record(self, sample: int) -> None:
        of = np.array([sample])
        self._objectives.append(float(self._term.objectives(of)[0]))
        self._gains.append(float(self._term.gains(of)[0]))

    def answers(self) -> tuple[Floats, Floats]:
        return np.array(self._objectives), np.array(self._gains)


class _SpreadColumn:
    """A DIVERSITY, measured for picks alone; the distances among the selected are summed up when all is done."""

    def __init__(
        self, strategy: Diversity, known: Bools, *, strength: float, alone: bool, threads: Executor | None
    ) -> None:
        self._strategy = strategy
        n = len(known)
        owner = np.arange(n) if strategy.owner is None else np.asarray(strategy.owner, np.int64)
        starts = np.searchsorted(owner, np.arange(n + 1))
        usable = np.flatnonzero(known[owner])
        self._distances = LazyDistances(Vectors(strategy.embeddings), starts, usable=usable, threads=threads)
        self.bounds = SpreadBounds(self._distances, strength=strength, alone=alone) if strength else None
        self._gains: list[float] = []
        self._before: list[int] = []  # how many vectors were selected before each pick
        self._empty: list[bool] = []

    def add(self, sample: int) -> None:
        if self.bounds is None:
            self._distances.chosen.add(self._distances.units_of(sample))
        else:
            self.bounds.add(sample)

    def refusal(self, sample: int) -> str | None:
        limit = self._strategy.stop_min_distance
        if limit is None or not self._distances.chosen.count or self._distances.empty[sample]:
            return None
        return too_near(self._strategy.name, self._gain(sample), limit)

    def exhaustion(self) -> str | None:
        return None

    def _gain(self, sample: int) -> float:
        if self._distances.empty[sample]:
            return 0.0
        if not self._distances.chosen.count:
            return np.inf
        if self.bounds is not None:
            return self.bounds.gain(sample)
        self._distances.measure(np.array([sample]))
        return float(self._distances.upper[sample])

    def record(self, sample: int) -> None:
        self._gains.append(self._gain(sample))
        self._before.append(self._distances.chosen.count)
        self._empty.append(bool(self._distances.empty[sample]))

    def answers(self) -> tuple[Floats, Floats]:
        gains, before = np.array(self._gains), np.array(self._before, np.int64)
        sums = np.array(self._distances.chosen.sums_among())[before]
        objectives = np.where(before == 0, 1.0, sums + gains)
        objectives[np.array(self._empty, bool)] = LEAST_OBJECTIVE
        return objectives, gains
