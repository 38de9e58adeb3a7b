"""How uncertain a model is about one prediction. Higher = more worth labelling; everything lies in [0, 1].

A null score is NaN: unknown, which is not the same as certain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from tamis.model import PredictionColumns, Task
    from tamis.model.columns import Floats

LEAST_CONFIDENCE = "uncertainty_least_confidence"
MARGIN = "uncertainty_margin"
ENTROPY = "uncertainty_entropy"

# 16 Ki float64 are 128 KiB: temporaries stay in the cache, and below the size at which malloc asks the
# system for fresh pages each time (measured: 64 Ki take twice as long).
_BLOCK_VALUES = 1 << 14
_FEW_CATEGORIES = 64
_SMALLEST = np.finfo(np.float64).tiny


class RowUncertainty(NamedTuple):
    """The three uncertainties of probability rows, each of shape (n,), NaN where the row says nothing."""

    least_confidence: Floats
    margin: Floats
    entropy: Floats


def row_uncertainty(rows: Floats) -> RowUncertainty:
    """Measure how uncertain each row of class probabilities is.

    With p the row, C its length and p1, p2 its two largest values:
    least confidence is (1 - p1) / (1 - 1/C), margin is 1 - (p1 - p2), and entropy is
    -sum(q log2 q) / log2 C with q = p / sum(p). The first two take a row as it is, whatever its sum
    (sigmoid detectors); all are clipped to [0, 1]. A row that sums to 0 names no class at all: null.

    Args:
        rows: finite values in [0, 1], shape (n, C) with C >= 2.

    Returns:
        Three arrays of shape (n,).

    Raises:
        ValueError: when a row has fewer than two values.

    >>> scores = row_uncertainty(np.array([[0.8, 0.1, 0.1], [0.5, 0.4, 0.1], [1.0, 0.0, 0.0]]))
    >>> scores.least_confidence.round(6).tolist()
    [0.3, 0.75, 0.0]
    >>> scores.margin.round(6).tolist()
    [0.3, 0.9, 0.0]
    >>> scores.entropy.round(6).tolist()
    [0.581672, 0.858673, 0.0]
    """
    n_rows, n_categories = rows.shape
    if n_categories < 2:  # noqa: PLR2004 (a margin needs a first and a second)
        raise ValueError(f"expected rows of at least 2 probabilities, got {n_categories}")
    scores = RowUncertainty(np.empty(n_rows), np.empty(n_rows), np.empty(n_rows))
    n_block = max(_BLOCK_VALUES // n_categories, 1)
    for start in range(0, n_rows, n_block):
        block = slice(start, start + n_block)
        for score, values in zip(scores, _block_uncertainty(rows[block]), strict=True):
            score[block] = values
    return scores


def object_scores(task: Task, columns: PredictionColumns) -> dict[str, Floats]:
    """Score every prediction by itself: what the per-sample scores are made from.

    A task with one category has the rows [s, 1 - s], where s is the prediction's score, else its single
    probability. With several categories, a prediction without probabilities has a least confidence from
    its score alone, and neither margin nor entropy.

    Args:
        task: whose categories give the length of a row.
        columns: checked predictions of that task.

    Returns:
        `uncertainty_least_confidence`, `uncertainty_margin` and `uncertainty_entropy`: arrays of shape (n,)
        in [0, 1], NaN where null.

    Raises:
        ValueError: when a probability row does not have one value a category.
    """
    n_categories = len(task.category_ids)
    if n_categories == 1:
        confidence = _single_confidence(columns)
        given = ~np.isnan(confidence)
        rows = np.stack([confidence[given], 1 - confidence[given]], axis=1)
    else:
        given = columns.probabilities.present
        rows = probability_rows(columns, n_categories)
    scores = np.full((3, len(columns)), np.nan)
    if len(rows):
        scores[:, given] = row_uncertainty(rows)
    if n_categories > 1:
        absent = ~given
        scores[0, absent] = _clip((1 - columns.score[absent]) / (1 - 1 / n_categories))
    return {LEAST_CONFIDENCE: scores[0], MARGIN: scores[1], ENTROPY: scores[2]}


def probability_rows(columns: PredictionColumns, n_categories: int) -> Floats:
    """Return the probabilities that are there as a matrix (a view), shape (n_present, n_categories).

    Raises:
        ValueError: when a row has another length.
    """
    lengths = columns.probabilities.lengths
    if np.any((lengths >= 0) & (lengths != n_categories)):
        raise ValueError(f"expected rows of {n_categories} probabilities, got others: check them first")
    return columns.probabilities.values.reshape(-1, n_categories)


def _single_confidence(columns: PredictionColumns) -> Floats:
    """Of a task with one category: the score, else the single probability, else NaN; shape (n,)."""
    confidence = columns.score.copy()
    rows = np.full(len(columns), np.nan)
    rows[columns.probabilities.present] = probability_rows(columns, 1)[:, 0]
    missing = np.isnan(confidence)
    confidence[missing] = rows[missing]
    return confidence


def _block_uncertainty(rows: Floats) -> tuple[Floats, Floats, Floats]:
    n_categories = rows.shape[1]
    measure = _measure_columns if n_categories <= _FEW_CATEGORIES else _measure_rows
    first, second, total, entropy = measure(rows)
    scores = (
        _clip((1 - first) / (1 - 1 / n_categories)),
        _clip(1 - (first - second)),
        _clip(entropy / np.log2(n_categories)),
    )
    for score in scores:
        score[total == 0] = np.nan
    return scores


def _measure_columns(rows: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return largest, second largest, sum and entropy in bits of each row, a category at a time."""
    columns = np.ascontiguousarray(rows.T)
    first, second, total = columns[0], np.zeros(len(rows)), columns[0]
    for column in columns[1:]:
        second = np.maximum(second, np.minimum(first, column))
        first = np.maximum(first, column)
        total = total + column
    divisor = np.where(total == 0, 1, total)
    entropy = np.zeros(len(rows))
    for column in columns:
        entropy -= _x_log2_x(column / divisor)
    return first, second, total, entropy


def _measure_rows(rows: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the same as `_measure_columns`, faster for rows of many categories."""
    largest = np.partition(rows, rows.shape[1] - 2, axis=1)
    total = rows.sum(axis=1)
    shares = rows / np.where(total == 0, 1, total)[:, None]
    return largest[:, -1], largest[:, -2], total, -_x_log2_x(shares).sum(axis=1)


def _x_log2_x(shares: Floats) -> Floats:
    """Return q log2 q. Shares, not bare probabilities: that keeps denormal rows exact; 0 log 0 = 0."""
    terms: Floats = shares * np.log2(np.maximum(shares, _SMALLEST))
    return terms


def _clip(values: Floats) -> Floats:
    """Clip to [0, 1]; adding zero turns -0.0 into 0.0."""
    clipped: Floats = np.clip(values, 0.0, 1.0) + 0.0
    return clipped
