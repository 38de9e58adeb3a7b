"""Each strategy of a run by bounds: what decides, and what it said of each pick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from tamis.selection.balance import BalanceTerm
from tamis.selection.nearest import LazyDistances, starts_of
from tamis.selection.strategies import Threshold
from tamis.selection.terms import LEAST_OBJECTIVE, ROUNDING, SumTerm, make_term, too_near
from tamis.selection.vectors import Vectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Executor

    from tamis.selection.bounds import SpreadBounds
    from tamis.selection.cascade import Bounds
    from tamis.selection.chosen import Chosen
    from tamis.selection.embeddings import Bools, Floats
    from tamis.selection.field import Field
    from tamis.selection.strategies import Balance, Diversity, Similarity, Strategy, Typicality, Weights
    from tamis.selection.terms import Term

_ALONE_ROUNDING = 1e-13  # relative: what is left of a squared distance after normalising, subtracting and summing


@dataclass(frozen=True, slots=True)
class Weighing:
    """How strategies count towards a score; the scale of all strengths changes no order.

    Attributes:
        scale: the largest strength.
        weight: the sum of all, in that scale.
        alone: whether one strategy decides.
    """

    scale: float
    weight: float
    alone: bool

    @classmethod
    def of(cls, strategies: Sequence[Strategy]) -> Self:
        """Look at the strengths; one at least must not be 0."""
        acting = [abs(strength_of(strategy)) for strategy in strategies if strength_of(strategy)]
        return cls(max(acting), sum(acting) / max(acting), len(acting) == 1)

    def tolerance(self, score: float) -> float:
        """Return how far two scores may be apart and tie."""
        return _ALONE_ROUNDING * abs(score) if self.alone else ROUNDING * self.weight


def strength_of(strategy: Strategy) -> float:
    """Return the exponent of a strategy's objective, 0 for those that have none."""
    return 0.0 if isinstance(strategy, Threshold) else strategy.strength


class Column(Protocol):
    """One strategy in the run."""

    @property
    def bounds(self) -> Bounds | None:
        """Its bounds, where it decides."""

    def add(self, sample: int) -> None:
        """Count a sample as selected."""

    def refusal(self, sample: int) -> str | None:
        """Return why the run ends before this best candidate, or `None`."""

    def exhaustion(self) -> str | None:
        """Return why the run ends with what is selected, or `None`."""

    def record(self, sample: int) -> None:
        """Remember what the strategy says of a pick, before it is added."""

    def answers(self) -> tuple[Floats, Floats]:
        """Return objectives and gains of the picks recorded, (k,) each."""


class Columns:
    """All strategies of a run.

    Attributes:
        bounds: those that decide.
    """

    def __init__(self, columns: Iterable[Column]) -> None:
        self._columns = tuple(columns)
        self.bounds = [column.bounds for column in self._columns if column.bounds is not None]

    def refusal(self, sample: int) -> str | None:
        """Return why the run ends before this best candidate, or `None`."""
        reasons = (column.refusal(sample) for column in self._columns)
        return next((reason for reason in reasons if reason is not None), None)

    def exhaustion(self) -> str | None:
        """Return why the run ends with what is selected, or `None`."""
        reasons = (column.exhaustion() for column in self._columns)
        return next((reason for reason in reasons if reason is not None), None)

    def record(self, sample: int) -> None:
        """Remember what the strategies say of a pick, before it is added."""
        for column in self._columns:
            column.record(sample)

    def add_others(self, sample: int) -> None:
        """Count a sample as selected with those that do not decide; `Cascade.take` tells those that do."""
        for column in self._columns:
            if column.bounds is None:
                column.add(sample)

    def add_pool(self, pool: Sequence[int], known: Sequence[Bools]) -> None:
        """Count the pool as selected with the strategies that know its samples."""
        for column, knows in zip(self._columns, known, strict=True):
            for sample in pool:
                if knows[sample]:
                    column.add(sample)

    def answers(self) -> tuple[Floats, Floats]:
        """Return objectives and gains at each pick, both (k, n_strategies)."""
        answers = [column.answers() for column in self._columns]
        return (
            np.column_stack([objectives for objectives, _ in answers]),
            np.column_stack([gains for _, gains in answers]),
        )


class FilterColumn:
    """A THRESHOLD: it says its value and decides nothing more."""

    bounds: Bounds | None = None

    def __init__(self, strategy: Threshold) -> None:
        self._values = strategy.values
        self._picks: list[int] = []

    def add(self, sample: int) -> None:
        """Do nothing."""

    def refusal(self, sample: int) -> str | None:  # noqa: ARG002 - a filter ends no run
        """Return `None`."""
        return None

    def exhaustion(self) -> str | None:
        """Return `None`."""
        return None

    def record(self, sample: int) -> None:
        """Remember the pick."""
        self._picks.append(sample)

    def answers(self) -> tuple[Floats, Floats]:
        """Return the values, twice."""
        values = np.asarray(self._values[np.array(self._picks, np.int64)], np.float64)
        return values, values


class TermColumn:
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
        """Ask the term."""
        of = np.array([sample])
        self._objectives.append(float(self._term.objectives(of)[0]))
        self._gains.append(float(self._term.gains(of)[0]))

    def answers(self) -> tuple[Floats, Floats]:
        """Return what the term said."""
        return np.array(self._objectives), np.array(self._gains)


class Placed(Protocol):
    """The vectors of samples, and those of them that are selected; as of `LazyDistances`."""

    chosen: Chosen
    empty: Bools

    def units_of(self, sample: int) -> Floats:
        """Return the vectors of a sample, (n, d) in float64."""

    def gain(self, sample: int) -> float:
        """Return the exact mean squared distance of a sample's vectors to the nearest chosen ones."""


class SpreadColumn:
    """A DIVERSITY, measured for picks alone; the distances among the selected are summed up when all is done."""

    def __init__(self, strategy: Diversity, distances: Placed, bounds: SpreadBounds | None) -> None:
        self._strategy = strategy
        self._distances = distances
        self.bounds = bounds
        self._gains: list[float] = []
        self._before: list[int] = []  # how many vectors were selected before each pick
        self._empty: list[bool] = []

    def add(self, sample: int) -> None:
        """Add the sample's vectors."""
        if self.bounds is None:
            self._distances.chosen.add(self._distances.units_of(sample))
        else:
            self.bounds.add(sample)

    def refusal(self, sample: int) -> str | None:
        """Compare the best candidate's distance with its limit."""
        limit = self._strategy.stop_min_distance
        if limit is None or not self._distances.chosen.count or self._distances.empty[sample]:
            return None
        return too_near(self._strategy.name, self._gain(sample), limit)

    def exhaustion(self) -> str | None:
        """Return `None`: what is selected ends no run."""
        return None

    def _gain(self, sample: int) -> float:
        if self._distances.empty[sample]:
            return 0.0
        if not self._distances.chosen.count:
            return np.inf
        if self.bounds is not None:
            return self.bounds.gain(sample)
        return self._distances.gain(sample)

    def record(self, sample: int) -> None:
        """Measure the pick."""
        self._gains.append(self._gain(sample))
        self._before.append(self._distances.chosen.count)
        self._empty.append(bool(self._distances.empty[sample]))

    def answers(self) -> tuple[Floats, Floats]:
        """Return objectives and squared distances."""
        gains, before = np.array(self._gains), np.array(self._before, np.int64)
        sums = np.array(self._distances.chosen.sums_among())[before]
        objectives = np.where(before == 0, 1.0, sums + gains)
        objectives[np.array(self._empty, bool)] = LEAST_OBJECTIVE
        return objectives, gains


def bounded_term(
    strategy: Weights | Similarity | Typicality | Balance,
    known: Bools,
    field: Field,
    pool: Sequence[int],
    *,
    threads: Executor | None,
) -> SumTerm | BalanceTerm:
    """Start a strategy of which bounds follow from its term alone: all but DIVERSITY."""
    in_play = field.candidate.copy()
    in_play[list(pool)] = True
    term = make_term(strategy, known, in_play, field.candidate, threads=threads)
    if not isinstance(term, SumTerm | BalanceTerm):
        raise TypeError(f"expected a term of known bounds, got {type(term).__name__}")
    return term


def lazy_distances(strategy: Diversity, known: Bools, *, threads: Executor | None = None) -> LazyDistances:
    """Return the distances that a DIVERSITY goes by, with nothing selected yet."""
    starts = starts_of(strategy.owner, len(known))
    usable = np.flatnonzero(np.repeat(known, np.diff(starts)))
    return LazyDistances(Vectors(strategy.embeddings), starts, usable=usable, threads=threads)
