"""The value rules of predictions, over columns: the same for files that were read fast or slowly.

Python runs only for rows that break a rule. Errors drop the prediction; warnings and infos keep it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.formats.findings import Findings, exact, more_like_it, rounded, worst_of_each_file
from tamis.formats.rules_geometry import check_boxes, check_keypoints, check_masks
from tamis.formats.wire import NO_CATEGORY
from tamis.model import CODES, Drops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.model import PredictionColumns, Problem, Task
    from tamis.model.columns import Bools, Floats, Ints

SUM_TOLERANCE = 1e-3
_SUM_SLACK = 1e-9  # of adding up floats: a sum of exactly 1.001 is within the tolerance
_MAX_LISTED_IDS = 10
_ROUNDING = 1.01
_OVERSHOOT = 1.8  # a pose model's published results reach 1.79
_PERCENT = 100


def check_predictions(
    task: Task, columns: PredictionColumns, *, files: Sequence[str], widths: Ints, heights: Ints
) -> tuple[PredictionColumns, list[Problem]]:
    """Check the values of predictions and leave out those with errors.

    Problems carry a JSON path, no line: `json_source.locate` finds it where a report needs it.

    Args:
        task: whose predictions they are.
        columns: the predictions as read.
        files: key of each prediction file, n_files of them.
        widths: of the files' images in pixels, 0 where unknown; shape (n_files,).
        heights: likewise.

    Returns:
        The predictions without errors, and all problems in the order of the files.
    """
    findings = Findings(task.name, columns, files)
    _check_categories(task, columns, findings)
    _check_scores(columns, findings)
    _check_probabilities(task, columns, findings)
    check_boxes(columns, findings, widths=widths, heights=heights)
    check_masks(task, columns, findings, widths=widths, heights=heights)
    check_keypoints(task, columns, findings)
    return columns.keep(findings.keep), findings.problems()


def check_broken(
    task: Task, columns: PredictionColumns, *, files: Sequence[str], widths: Ints, heights: Ints
) -> list[Problem]:
    """Return what else would drop predictions that are dropped already: the errors of what could be read of them.

    Args:
        task: whose predictions they are.
        columns: as `ReadPredictions.broken`.
        files: as in `check_predictions`.
        widths: likewise.
        heights: likewise.
    """
    if not len(columns):
        return []
    _, problems = check_predictions(task, columns, files=files, widths=widths, heights=heights)
    absent = {
        (files[int(columns.file[row])], f"$.predictions[{columns.position[row]}].category_id")
        for row in np.flatnonzero(columns.category_id == NO_CATEGORY).tolist()
    }
    return [
        problem
        for problem in problems
        if CODES[problem.code].drops is Drops.PREDICTION and (problem.file, problem.path) not in absent
    ]


def _check_categories(task: Task, columns: PredictionColumns, findings: Findings) -> None:
    ids = np.array(task.category_ids, np.int64)
    unknown = np.flatnonzero(~np.isin(columns.category_id, ids))
    if len(unknown):
        known = _listed_ids(task.category_ids)
        for row in unknown.tolist():
            message = f"expected a category id of the schema ({known}), got `{columns.category_id[row]}`"
            findings.add(row, "category-unknown", ".category_id", message)


def _listed_ids(ids: Sequence[int]) -> str:
    if len(ids) == ids[-1] - ids[0] + 1 and len(ids) > 1:
        return f"{ids[0]} to {ids[-1]}"
    if len(ids) <= _MAX_LISTED_IDS:
        return ", ".join(map(str, ids))
    return f"{', '.join(map(str, ids[: _MAX_LISTED_IDS - 1]))}, ... {ids[-1]}"


def _check_scores(columns: PredictionColumns, findings: Findings) -> None:
    score = columns.score
    for row in np.flatnonzero((score < 0) | (score > 1)).tolist():
        value = float(score[row])
        message = f"expected a score from 0 to 1, got `{exact(value)}`"
        findings.add(row, "score-range", ".score", message, hint=_score_hint(value))


def _score_hint(value: float) -> str | None:
    if 1 < value <= _ROUNDING:
        return "Rounding pushed it past 1: clip with `min(score, 1.0)` before writing"
    if 1 < value <= _OVERSHOOT:
        return (
            "Some models, pose models above all, give scores slightly above 1: clip with `min(score, 1.0)`. If the "
            "others are larger, this is percent (divide by 100) or a logit (put it through a sigmoid)"
        )
    if 1 < value <= _PERCENT:
        return "This looks like percent or a logit: divide percent by 100, put logits through a sigmoid"
    return None


def _check_probabilities(task: Task, columns: PredictionColumns, findings: Findings) -> None:
    n_categories = len(task.categories)
    lengths = columns.probabilities.lengths
    for row in np.flatnonzero((lengths >= 0) & (lengths != n_categories)).tolist():
        message = f"expected {n_categories} probabilities, one a category, got {lengths[row]}"
        findings.add(row, "probabilities-length", ".probabilities", message)
    right = lengths == n_categories
    rows = np.flatnonzero(right)
    if not len(rows):
        return
    # Rows of one length lie end to end: without any other list the values already are the matrix.
    is_matrix = len(columns.probabilities.values) == len(rows) * n_categories
    values = columns.probabilities.values if is_matrix else columns.probabilities.keep(right).values
    table: Floats = values.reshape(len(rows), n_categories)
    if table.min() < 0 or table.max() > 1:  # over the whole table: by rows takes 30 times as long
        in_range = _check_probability_ranges(rows, table, findings)
        rows, table = rows[in_range], table[in_range]
    _check_sums(columns, rows, np.einsum("ij->i", table), findings)
    _check_argmax(task, columns, rows, table, findings)


def _check_probability_ranges(rows: Ints, table: Floats, findings: Findings) -> Bools:
    """Report the rows with probabilities that are out of range; return which rows have none."""
    in_range: Bools = (table.min(axis=1) >= 0) & (table.max(axis=1) <= 1)
    for i in np.flatnonzero(~in_range).tolist():
        wrong = np.flatnonzero((table[i] < 0) | (table[i] > 1))
        first = int(wrong[0])
        message = (
            f"expected a probability from 0 to 1, got `{exact(table[i, first])}`{more_like_it(len(wrong) - 1)}"
        )
        findings.add(int(rows[i]), "probability-range", f".probabilities[{first}]", message)
    return in_range


def _check_sums(columns: PredictionColumns, rows: Ints, sums: Floats, findings: Findings) -> None:
    off = np.abs(sums - 1)
    wrong = off > SUM_TOLERANCE + _SUM_SLACK
    if not wrong.any():
        return
    sum_of_row = dict(zip(rows[wrong].tolist(), sums[wrong].tolist(), strict=True))
    for row, count in worst_of_each_file(columns.file, off[wrong], rows[wrong]):
        others = f", the worst of {count} predictions" if count > 1 else ""
        message = f"expected probabilities that sum to 1, got a sum of {rounded(sum_of_row[row])}{others}"
        findings.add(row, "probabilities-sum", ".probabilities", message)


def _check_argmax(task: Task, columns: PredictionColumns, rows: Ints, table: Floats, findings: Findings) -> None:
    ids = np.array(task.category_ids, np.int64)
    category = columns.category_id[rows]
    index = np.minimum(np.searchsorted(ids, category), len(ids) - 1)
    highest = table.max(axis=1)
    lead = highest - table[np.arange(len(rows)), index]
    other = (lead > 0) & (ids[index] == category)
    if not other.any():
        return
    best = dict(zip(rows[other].tolist(), table[other].argmax(axis=1).tolist(), strict=True))
    for row, count in worst_of_each_file(columns.file, lead[other], rows[other]):
        others = f", as in {count - 1} more predictions" if count > 1 else ""
        message = (
            f"expected the highest probability for category {columns.category_id[row]}, "
            f"got it for category {ids[best[row]]}{others}"
        )
        findings.add(row, "probabilities-argmax", ".probabilities", message)
