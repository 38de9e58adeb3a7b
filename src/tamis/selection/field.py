"""Who may be picked: candidates that every strategy knows and no threshold leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tamis.errors import UsageError
from tamis.selection.config import Operation
from tamis.selection.strategies import Strategy, Threshold, unknown, usable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tamis.selection.embeddings import Bools

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
        known: for each strategy (N,) whether it knows the sample, and can use what it knows.
        eligible: (N,) candidates outside of the pool that every strategy knows: what a proportion counts.
        candidate: (N,) the eligible that satisfy every THRESHOLD.
        excluded: strategy name to how many candidates it left out; one left out twice counts for both.
    """

    known: tuple[Bools, ...]
    eligible: Bools
    candidate: Bools
    excluded: Mapping[str, int]


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
    playing = kept.copy()
    playing[list(pool)] = True
    used = tuple(usable(strategy, knows, playing) for strategy, knows in zip(strategies, known, strict=True))
    return Field(known=used, eligible=eligible, candidate=kept, excluded=excluded)


def _check_pool(pool: Sequence[int], n: int) -> None:
    if len(set(pool)) < len(pool):
        raise UsageError("expected each sample of the pool once, got one twice")
    if len(pool) and not 0 <= min(pool) <= max(pool) < n:
        raise UsageError(f"expected indices of the pool below {n}, got {min(pool)} to {max(pool)}")
