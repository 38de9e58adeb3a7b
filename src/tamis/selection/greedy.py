"""Pick samples one after the other: each time the one with the largest product of objectives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tamis.errors import UsageError
from tamis.selection.cascade_run import CascadeRun, has_bounds
from tamis.selection.field import survey
from tamis.selection.limits import Allowed
from tamis.selection.plain_run import PlainRun
from tamis.selection.sharded_run import ShardedRun
from tamis.selection.strategies import Strategy, Threshold
from tamis.selection.terms import LEAST_OBJECTIVE
from tamis.selection.threads import product_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tamis.selection.embeddings import Bools, Floats, Indices
    from tamis.selection.field import Field
    from tamis.selection.limits import Limit
    from tamis.selection.sharded_run import Sharding

Run = CascadeRun | PlainRun | ShardedRun

ALL_TAKEN = "all candidates are taken"
CANCELLED = "cancelled"


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
        ruled_out: name of a limit to how many candidates it took out, by what is selected.
    """

    picks: Indices
    objectives: Floats
    factors: Floats
    gains: Floats
    stopped: str | None
    field: Field
    ruled_out: Mapping[str, int]


def select(  # noqa: PLR0913 (what decides, who may be picked, and who watches)
    strategies: Sequence[Strategy],
    *,
    n_samples: int,
    candidate: Bools,
    pool: Sequence[int] = (),
    limits: Sequence[Limit] = (),
    sharding: Sharding | None = None,
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
        limits: what each pick and each of the pool rules out.
        sharding: who holds the samples, for a run of the same picks over many machines; where a strategy has no
            bounds (DIVERSITY or BALANCE of negative strength), all is done here nevertheless.
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
    allowed = Allowed(limits, field_.candidate, pool)
    target = min(n_samples, int(allowed.left.sum()))
    with product_threads() as threads:
        run: Run
        if not has_bounds(strategies):
            run = PlainRun(strategies, field_, pool, threads=threads)
        elif sharding is None:
            run = CascadeRun(strategies, field_, pool, threads=threads)
        else:
            run = ShardedRun(strategies, field_, pool, sharding, threads=threads)
        run.exclude(np.flatnonzero(field_.candidate & ~allowed.left))
        while len(run.picks) < n_samples and run.stopped is None:
            if not allowed.left.any():
                run.stopped = _nobody_left(allowed.ruled_out)
            elif cancelled is not None and cancelled():
                run.stopped = CANCELLED
            elif run.step():
                run.exclude(allowed.take(run.picks[-1]))
                if progress is not None:
                    progress(len(run.picks), target)
        if len(run.picks) == n_samples:
            run.stopped = None
        return _result(run, strategies, field_, allowed.ruled_out)


def _nobody_left(ruled_out: Mapping[str, int]) -> str:
    by = ", ".join(f"{count} by `{name}`" for name, count in ruled_out.items() if count)
    return f"all candidates are taken or ruled out: {by}" if by else ALL_TAKEN


def _result(run: Run, strategies: Sequence[Strategy], field: Field, ruled_out: Mapping[str, int]) -> Selection:
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
        ruled_out=ruled_out,
    )
