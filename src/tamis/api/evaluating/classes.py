"""Metrics of classifications: one category a sample, with or without probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tamis.api.evaluating.objects import confusion_cells, rate
from tamis.api.evaluating.values import CategoryRow
from tamis.api.options import ignore_progress
from tamis.api.overlaps import category_codes
from tamis.api.surest import class_shares, surest_rows
from tamis.engine import Progress
from tamis.scoring.files import bin_sums

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.api.evaluating.values import Confusion
    from tamis.api.pairing import PairedPart, Pairing
    from tamis.engine import ProgressListener
    from tamis.model import PredictionColumns, Task
    from tamis.model.columns import Floats, Ints

_UNKNOWN, _NONE, _SEVERAL = -1, -2, -3


@dataclass(frozen=True, slots=True, eq=False)
class Classified:
    """What each sample is labelled and predicted as; every array of shape (n_samples,) of the labels' side.

    Attributes:
        labelled: category in the order of the labels'; -2: no label, -3: several.
        predicted: likewise; -1: a category that no label can have, -2: no prediction.
        predicted_id: place of the predicted category among those of the predictions' task, -2: no prediction.
        confidence: of the prediction: its probability or score, NaN where it does not say.
        own: probability of the labelled category, NaN without probabilities.
        squares: sum over the categories of (probability - is labelled)^2, NaN without probabilities.
        rank: how many categories are at least as probable as the labelled one, 1 is the best; 0 without.
    """

    labelled: Ints
    predicted: Ints
    predicted_id: Ints
    confidence: Floats
    own: Floats
    squares: Floats
    rank: Ints

    @property
    def evaluated(self) -> Ints:
        """Index of the samples with one label, ascending."""
        return np.flatnonzero(self.labelled >= 0)


def classify(pairing: Pairing, *, only_predicted: bool, listen: ProgressListener = ignore_progress) -> Classified:
    """Read what labels (the first side) and predictions (the second) say of every sample."""
    n = len(pairing.first.samples)
    none, unknown = np.full(n, _NONE), np.full(n, np.nan)
    found = Classified(
        none, none.copy(), none.copy(), unknown, unknown.copy(), unknown.copy(), np.zeros(n, np.int64)
    )
    labels, task = pairing.first.task, pairing.second.task
    codes = category_codes(task, labels.category_names)
    total = int((pairing.in_both if only_predicted else pairing.in_first).sum())
    done = 0
    for part in pairing.parts(every_first=not only_predicted):
        _take(found, part, labels, task, codes)
        done += len(part.samples)
        listen(Progress("comparing", done, total, "samples"))
    return found


def _take(found: Classified, part: PairedPart, labels: Task, task: Task, codes: Ints) -> None:
    truth = _labels_of(part.first, labels)
    found.labelled[part.samples] = truth
    rows = surest_rows(part.second)
    at, file = part.samples[part.second.file[rows]], part.second.file[rows]
    ids = np.searchsorted(np.array(task.category_ids), part.second.category_id[rows])
    found.predicted_id[at], found.predicted[at] = ids, codes[ids]
    found.confidence[at] = part.second.score[rows]
    whole, shares = class_shares(part.second, rows)
    if not whole.any():
        return
    at, file, ids = at[whole], file[whole], ids[whole]
    found.confidence[at] = shares[np.arange(len(at)), ids]
    known = truth[file] >= 0
    _take_probabilities(found, at[known], truth[file][known], shares[known], codes)


def _take_probabilities(found: Classified, at: Ints, truth: Ints, shares: Floats, codes: Ints) -> None:
    is_own = codes == truth[:, None]
    own = np.where(is_own, shares, 0).sum(axis=1)
    found.own[at] = own
    # The labelled category may be none that the model knows: then it has probability 0 there.
    found.squares[at] = (shares**2).sum(axis=1) - 2 * own + 1
    found.rank[at] = np.where(is_own.any(axis=1), (shares >= own[:, None]).sum(axis=1), len(codes) + 1)


def _labels_of(columns: PredictionColumns, labels: Task) -> Ints:
    """Return the labelled category of each file, -2 where there is none and -3 where there are several."""
    category = np.searchsorted(np.array(labels.category_ids), columns.category_id)
    low, high = np.full(columns.n_files, len(labels.categories)), np.full(columns.n_files, -1)
    np.minimum.at(low, columns.file, category)
    np.maximum.at(high, columns.file, category)
    return np.where(high < 0, _NONE, np.where(low == high, low, _SEVERAL))


def class_metrics(given: Classified, rows: Sequence[CategoryRow], *, top_k: int) -> dict[str, float | None]:
    """Return the headline figures; those that need probabilities only where there are any."""
    at = given.evaluated
    right = int((given.labelled[at] == given.predicted[at]).sum())
    metrics = {"accuracy": rate(right, len(at))}
    ranked = given.rank[at] > 0
    if ranked.any() and top_k > 1:
        metrics[f"top_{top_k}_accuracy"] = rate(int((ranked & (given.rank[at] <= top_k)).sum()), len(at))
    labelled = [row for row in rows if row.labelled]
    for name in ("precision", "recall", "f1"):
        values = [getattr(row, name) or 0.0 for row in labelled]
        metrics[f"macro_{name}"] = sum(values) / len(values) if values else None
    if ranked.any():
        own = given.own[at][ranked]
        # As others do, a probability of 0 counts as the smallest that can be told from 0.
        metrics["nll"] = float(-np.log(np.clip(own, np.finfo(np.float64).eps, 1)).mean())
        metrics["brier"] = float(given.squares[at][ranked].mean())
    return metrics


def class_rows(given: Classified, names: Sequence[str]) -> tuple[CategoryRow, ...]:
    """Return how well each category is predicted."""
    at, n = given.evaluated, len(names)
    truth, predicted = given.labelled[at], given.predicted[at]
    labelled = np.bincount(truth, minlength=n).tolist()
    said = np.bincount(predicted[predicted >= 0], minlength=n).tolist()
    right = np.bincount(truth[truth == predicted], minlength=n).tolist()
    return tuple(
        CategoryRow(
            category=name,
            labelled=labelled[i],
            predicted=said[i],
            precision=rate(right[i], said[i]),
            recall=rate(right[i], labelled[i]),
            f1=rate(2 * right[i], said[i] + labelled[i]),
        )
        for i, name in enumerate(names)
    )


def class_confusions(given: Classified, labels: Task, task: Task) -> tuple[Confusion, ...]:
    """Return what was taken for what; categories that only predictions can have are named too."""
    names: list[str | None] = [*labels.category_names]
    places = {name: i for i, name in enumerate(names)}
    for name in task.category_names:
        if name not in places:
            places[name] = len(names)
            names.append(name)
    at = given.evaluated
    of_id = np.array([*(places[name] for name in task.category_names), len(names), len(names)])
    predicted = of_id[given.predicted_id[at]]  # -2 is the last but one: nothing
    return confusion_cells(given.labelled[at], predicted, [*names, None])


def class_errors(given: Classified) -> Floats:
    """Return how wrong each sample is, in [0, 1], NaN where it was not evaluated; shape (n_samples,).

    1 less the probability of the labelled category. Without probabilities: how sure a wrong prediction is, or
    1 less how sure a right one is; without scores 1 or 0.
    """
    right = given.labelled == given.predicted
    sure = np.nan_to_num(given.confidence, nan=1.0)
    errors = np.where(np.isnan(given.own), np.where(right, 1 - sure, sure), 1 - given.own)
    errors = np.where(given.predicted_id == _NONE, 1.0, errors)
    return np.where(given.labelled >= 0, np.clip(errors, 0, 1), np.nan)


def unknown_counts(given: Classified, task: Task) -> dict[str, int]:
    """Return how often each category was predicted that no label can have."""
    ids = given.predicted_id[(given.predicted == _UNKNOWN) & (given.labelled >= 0)]
    counts = bin_sums(ids, np.ones(len(ids)), len(task.categories))
    return {task.category_names[i]: int(counts[i]) for i in np.flatnonzero(counts).tolist()}
