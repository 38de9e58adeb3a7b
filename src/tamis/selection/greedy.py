"""Pick samples one after the other: each time the one with the largest product of objectives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tamis.errors import UsageError
from tamis.selection.cascade_run import CascadeRun, has_bounds
from tamis.selection.config import Operation
from tamis.selection.plain_run import PlainRun
from tamis.selection.strategies import Strategy, Threshold, unknown
from tamis.selection.terms import LEAST_OBJECTIVE
from tamis.selection.threads import product_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tamis.selection.embeddings import Bools, Floats, Indices

ALL_TAKEN = "all candidates are taken"
CANCELLED = "cancelled"

_COMPARE = {
    Operation.SMALLER: np.less,
    Operation.SMALLER_EQUAL: np.less_equal,
    Operation.BIGGER: np.greater,
    Operation.BIGGER_EQUAL: np.greater_equal,
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Field:
    """Who may be picked, once unknown values and thresholds are sorted out.

    Attributes:
        known: for each strategy (N,) whether it knows the sample.
        eligible: (N,) candidates outside of the pool that every strategy knows: what a proportion counts.
        candidate: (N,) the eligible that satisfy every THRESHOLD.
        excluded: strategy name to how many candidates it left out; one left out twice counts for both.
    """

    known: tuple[Bools, ...]
    eligible: Bools
    candidate: Bools
    excluded: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Selection:
    """What was picked, in order, and how it came about.

    Attributes:
        picks: (k,) sample indices in the order in which they were picked.
        objectives: (k, n_strategies) each strategy's objective at that pick; of a THRESHOLD the value.
        factors: (k, n_strategies) max(objective, 1e-8)^strength, whose product decided; 1 for a THRESHOLD.
        gains: (k, n_strategies) what the pick brought by itself: weight, squared distance, typicality, ...
        stopped: why it ended before the asked number, or `None`.
        field: who could have been picked.
    """

    picks: Indices
    objectives: Floats
    factors: Floats
    gains: Floats
    stopped: str | None
    field: Field


def survey(strategies: Sequence[Strategy], *, candidate: Bools, pool: Sequence[int]) -> Field:
    """Find out who may be picked.

    Args:
        strategies: what decides.
        candidate: (N,) what the caller offers.
        pool: indices of what is selected already.

    Raises:
        SampleValueError: when a sample has a value that a strategy cannot use.
        UsageError: when arrays do not fit together, or the pool repeats or exceeds the samples.
    """
    n = len(candidate)
    _check_pool(pool, n)
    known = tuple(~unknown(strategy, n) for strategy in strategies)
    offered = np.array(candidate, bool)
    offered[list(pool)] = False
    eligible = np.logical_and.reduce([offered, *known])
    kept = eligible.copy()
    excluded: dict[str, int] = {}
    for strategy, knows in zip(strategies, known, strict=True):
        left_out = offered & ~knows
        if isinstance(strategy, Threshold):
            fails = eligible & ~_COMPARE[strategy.operation](strategy.values, strategy.threshold)
            kept &= ~fails
            left_out |= fails
        excluded[strategy.name] = excluded.get(strategy.name, 0) + int(left_out.sum())
    return Field(known=known, eligible=eligible, candidate=kept, excluded=excluded)


def _check_pool(pool: Sequence[int], n: int) -> None:
    if len(set(pool)) < len(pool):
        raise UsageError("expected each sample of the pool once, got one twice")
    if len(pool) and not 0 <= min(pool) <= max(pool) < n:
        raise UsageError(f"expected indices of the pool below {n}, got {min(pool)} to {max(pool)}")


def select(
    strategies: Sequence[Strategy],
    *,
    n_samples: int,
    candidate: Bools,
    pool: Sequence[int] = (),
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Selection:
    """Pick up to `n_samples` new samples.

    Each step takes the candidate with the largest product of max(objective, 1e-8)^strength over the strategies, the
    pool counting as selected before. Products that differ by rounding only are a tie; ties go to the lowest index.
    The first k of a run of n are the run of k.

    Args:
        strategies: what decides, all over the same N samples, ordered by sample key.
        n_samples: how many new samples to pick, >= 0.
        candidate: (N,) what may be picked.
        pool: indices of what is selected already.
        progress: told after each pick how many of how many there are.
        cancelled: asked before each pick whether to end.

    Raises:
        SampleValueError: when a sample has a value that a strategy cannot use.
        UsageError: when arrays do not fit together, an option is out of its range, or a distribution has no share
            above 0.

    >>> from tamis.selection.strategies import Weights
    >>> entropy = Weights(name="entropy", values=np.array([0.2, 0.9, 0.9]))
    >>> select([entropy], n_samples=2, candidate=np.ones(3, bool)).picks.tolist()
    [1, 2]
    """
    if n_samples < 0:
        raise UsageError(f"expected 0 samples to pick at least, got {n_samples}")
    field_ = survey(strategies, candidate=candidate, pool=pool)
    target = min(n_samples, int(field_.candidate.sum()))
    with product_threads() as threads:
        run: CascadeRun | PlainRun
        if has_bounds(strategies):
            run = CascadeRun(strategies, field_, pool, threads=threads)
        else:
            run = PlainRun(strategies, field_, pool, threads=threads)
        while len(run.picks) < target and run.stopped is None:
            if cancelled is not None and cancelled():
                run.stopped = CANCELLED
            elif run.step() and progress is not None:
                progress(len(run.picks), target)
        if len(run.picks) == n_samples:
            run.stopped = None
        elif run.stopped is None:
            run.stopped = ALL_TAKEN
        return _result(run, strategies, field_)


def _result(run: CascadeRun | PlainRun, strategies: Sequence[Strategy], field: Field) -> Selection:
    objectives, gains = run.answers()
    strengths = np.array([0.0 if isinstance(s, Threshold) else s.strength for s in strategies])
    with np.errstate(over="ignore", under="ignore"):
        factors = np.maximum(objectives, LEAST_OBJECTIVE) ** strengths
    return Selection(
        picks=np.array(run.picks, np.int64),
        objectives=objectives,
        factors=factors,
        gains=gains,
        stopped=run.stopped,
        field=field,
    )
