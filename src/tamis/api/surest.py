"""The one category that a classification names, and its probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tamis.model import PredictionColumns
    from tamis.model.columns import Bools, Floats, Ints


def surest_rows(columns: PredictionColumns) -> Ints:
    """Return the row of each file that is the surest, the first of equals; files without predictions have none."""
    order = np.lexsort((np.arange(len(columns)), -np.nan_to_num(columns.score, nan=-1.0), columns.file))
    file = columns.file[order]
    first: Ints = order[np.append(True, file[1:] != file[:-1])[: len(order)]]
    return first


def class_shares(columns: PredictionColumns, rows: Ints) -> tuple[Bools, Floats]:
    """Return which rows have probabilities, and these divided by their sum: shapes (n_rows,) and (n_there, K)."""
    lists = columns.probabilities
    n_categories = int(lists.lengths[rows].max(initial=0))
    whole = (lists.lengths[rows] == n_categories) & (n_categories > 0)
    values = lists.values[lists.offsets[rows[whole]][:, None] + np.arange(n_categories)]
    sums = values.sum(axis=1, keepdims=True)
    shares: Floats = values / np.where(sums > 0, sums, 1)
    return whole, shares
