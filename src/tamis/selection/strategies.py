"""What decides a selection, as values over the same N samples, ordered by sample key.

Every array has one row a sample (or one an object, with `owner` telling its sample). `null` marks samples whose
value is unknown: they are no candidates, and in the pool they add nothing. Higher = more worth labelling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tamis.selection.config import Distribution, Operation
    from tamis.selection.embeddings import Bools, Indices


class SampleValueError(UsageError):
    """A sample has a value that a strategy cannot use.

    Attributes:
        strategy: name of the strategy.
        sample: index of the first such sample.
    """

    def __init__(self, strategy: str, sample: int, message: str) -> None:
        super().__init__(f"Strategy `{strategy}`, sample {sample}: {message}")
        self.strategy = strategy
        self.sample = sample


@dataclass(frozen=True, kw_only=True, eq=False)
class Weights:
    """Prefer large values: objective = sum over the selected + own.

    Attributes:
        name: what errors and reasons call it, e.g. `uncertainty_entropy`.
        values: (N,) finite, >= 0.
        strength: exponent of the objective.
        stop_max_sum: the run ends when the selected samples' sum reaches it.
        null: (N,) true where the value is unknown.
    """

    name: str
    values: NDArray[Any]
    strength: float = 1.0
    stop_max_sum: float | None = None
    null: Bools | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Threshold:
    """Keep candidates whose value satisfies a comparison.

    Attributes:
        name: what errors and reasons call it.
        values: (N,) finite.
        threshold: right side of the comparison.
        operation: the comparison.
        null: (N,) true where the value is unknown.
    """

    name: str
    values: NDArray[Any]
    threshold: float
    operation: Operation
    null: Bools | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Diversity:
    """Prefer what is far from everything selected.

    Attributes:
        name: what errors and reasons call it.
        embeddings: (N, d) finite, of any scale; a row of zeros is unknown.
        owner: `None`, or (n_objects,) ascending: which sample each row of `embeddings` (n_objects, d) belongs to.
        strength: exponent of the objective.
        stop_min_distance: the run ends before a pick nearer than this to what is selected, on the unit sphere.
        null: (N,) true where the embedding is unknown.
    """

    name: str
    embeddings: NDArray[Any]
    owner: Indices | None = None
    strength: float = 1.0
    stop_min_distance: float | None = None
    null: Bools | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Similarity:
    """Prefer what is near to a query set.

    Attributes:
        name: what errors and reasons call it.
        embeddings: as in `Diversity`.
        queries: (n_queries, d) embeddings, at least one of them not zero.
        owner: as in `Diversity`.
        strength: exponent of the objective.
        null: (N,) true where the embedding is unknown.
    """

    name: str
    embeddings: NDArray[Any]
    queries: NDArray[Any]
    owner: Indices | None = None
    strength: float = 1.0
    null: Bools | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Typicality:
    """Prefer what has near neighbours.

    Attributes:
        name: what errors and reasons call it.
        embeddings: as in `Diversity`.
        n_neighbours: how many neighbours count, >= 1.
        owner: as in `Diversity`.
        strength: exponent of the objective.
        stop_min_typicality: the run ends before a pick less typical than this.
        null: (N,) true where the embedding is unknown.
    """

    name: str
    embeddings: NDArray[Any]
    n_neighbours: int
    owner: Indices | None = None
    strength: float = 1.0
    stop_min_typicality: float | None = None
    null: Bools | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Balance:
    """Bring the selected class shares near to a distribution.

    Attributes:
        name: what errors and reasons call it.
        rows: (N, C) finite, >= 0: how much of each class a sample holds.
        classes: the C names.
        distribution: where the wanted shares come from.
        target: class name to share, for `TARGET`; the classes that it does not name count as one.
        strength: exponent of the objective.
        null: (N,) true where the row is unknown.
    """

    name: str
    rows: NDArray[Any]
    classes: Sequence[str]
    distribution: Distribution
    target: Mapping[str, float] | None = None
    strength: float = 1.0
    null: Bools | None = None


Embedded = Diversity | Similarity | Typicality
Strategy = Weights | Threshold | Diversity | Similarity | Typicality | Balance


def unknown(strategy: Strategy, n: int) -> Bools:
    """Return which of n samples a strategy knows nothing of.

    Raises:
        SampleValueError: for the first sample with an embedding that is not finite, or such a value of a THRESHOLD.
        UsageError: when the arrays do not fit together, or an option is out of its range.
    """
    _check_options(strategy)
    null = np.zeros(n, bool) if strategy.null is None else np.asarray(strategy.null, bool)
    _expect_shape(strategy, "null", null, (n,))
    if isinstance(strategy, Weights | Threshold):
        _expect_shape(strategy, "values", strategy.values, (n,))
        if isinstance(strategy, Threshold):
            _refuse(strategy, ~np.isfinite(strategy.values) & ~null)
        return null
    if isinstance(strategy, Balance):
        _expect_shape(strategy, "rows", strategy.rows, (n, len(strategy.classes)))
        return null
    return _embedding_nulls(strategy, null, n)


def usable(strategy: Strategy, known: Bools, playing: Bools) -> Bools:
    """Return which values a strategy can use, of those that are known; who does not play may have any.

    Args:
        strategy: the strategy.
        known: (N,) which samples it knows.
        playing: (N,) which samples count: those that all THRESHOLDs keep, and the pool.

    Raises:
        SampleValueError: for the first sample that plays with a value that is not finite, or below 0.
    """
    if isinstance(strategy, Weights):
        bad = ~(np.isfinite(strategy.values) & (strategy.values >= 0.0))
    elif isinstance(strategy, Balance):
        bad = ~(np.isfinite(strategy.rows) & (strategy.rows >= 0.0)).all(axis=1)
    else:
        return known
    _refuse(strategy, bad & known & playing)
    fine: Bools = known & ~bad
    return fine


def _check_options(strategy: Strategy) -> None:
    if not isinstance(strategy, Threshold) and not np.isfinite(strategy.strength):
        raise UsageError(f"Strategy `{strategy.name}`: expected a finite strength, got {strategy.strength}")
    if isinstance(strategy, Typicality) and strategy.n_neighbours < 1:
        raise UsageError(f"Strategy `{strategy.name}`: expected 1 neighbour at least, got {strategy.n_neighbours}")
    if isinstance(strategy, Similarity):
        queries, width = strategy.queries, strategy.embeddings.shape[-1]
        if queries.ndim != 2 or queries.shape[1] != width:  # noqa: PLR2004 - rows and columns
            raise UsageError(
                f"Strategy `{strategy.name}`: expected queries of {width} dimensions, got shape {queries.shape}"
            )
        if not np.isfinite(queries).all() or not queries.any():
            raise UsageError(f"Strategy `{strategy.name}`: expected finite queries, at least one of them not zero")


def _refuse(strategy: Weights | Threshold | Balance, bad: Bools) -> None:
    """Raise the error about the first sample with a value that cannot be used, if there is one."""
    if not bad.any():
        return
    sample = int(bad.argmax())
    value = strategy.rows[sample] if isinstance(strategy, Balance) else strategy.values[sample]
    expected = {Weights: "a finite number >= 0", Threshold: "a finite number", Balance: "finite numbers >= 0"}
    raise SampleValueError(strategy.name, sample, f"expected {expected[type(strategy)]}, got {value}")


def _embedding_nulls(strategy: Embedded, null: Bools, n: int) -> Bools:
    rows, owner = strategy.embeddings, strategy.owner
    if rows.ndim != 2:  # noqa: PLR2004 - rows and columns
        raise UsageError(f"Strategy `{strategy.name}`: expected rows of embeddings, got shape {rows.shape}")
    owners = np.arange(n) if owner is None else np.asarray(owner)
    _expect_shape(strategy, "embeddings", rows, (len(owners), rows.shape[1]))
    if owner is not None and len(owners) and (np.diff(owners, prepend=0).min() < 0 or owners[-1] >= n):
        raise UsageError(f"Strategy `{strategy.name}`: expected `owner` to be ascending indices below {n}")
    # A sum is finite exactly when its terms are, but for overflow: look closer only then.
    if not np.isfinite(rows.sum(axis=1, dtype=np.float64)).all():
        bad = ~np.isfinite(rows).all(axis=1) & ~null[owners]
        if bad.any():
            raise SampleValueError(strategy.name, int(owners[bad.argmax()]), "expected a finite embedding")
    null = null.copy()
    null[owners[~rows.any(axis=1)]] = True
    return null


def _expect_shape(strategy: Strategy, what: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise UsageError(f"Strategy `{strategy.name}`: expected `{what}` of shape {shape}, got {array.shape}")
