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

# 64 Ki float64 are half a megabyte: a block and its temporaries stay in the second-level cache.
_BLOCK_VALUES = 1 << 16
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
    largest = np.partition(rows, n_categories - 2, axis=1)
    first, second = largest[:, -1], largest[:, -2]
    totals = rows.sum(axis=1)
    empty = totals == 0
    # Dividing before the logarithm keeps denormal rows exact; the floor makes 0 log 0 = 0.
    shares = rows / np.where(empty, 1, totals)[:, None]
    entropy = -np.einsum("ij,ij->i", shares, np.log2(np.maximum(shares, _SMALLEST)))
    scores = (
        _clip((1 - first) / (1 - 1 / n_categories)),
        _clip(1 - (first - second)),
        _clip(entropy / np.log2(n_categories)),
    )
    for score in scores:
        score[empty] = np.nan
    return scores


def _clip(values: Floats) -> Floats:
    """Clip to [0, 1]; adding zero turns -0.0 into 0.0."""
    clipped: Floats = np.clip(values, 0.0, 1.0) + 0.0
    return clipped
