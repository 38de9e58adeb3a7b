"""Holding the predictions of a task against labels, which are a task too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.api.compared import compared_shape
from tamis.api.evaluating.calibration import calibrate
from tamis.api.evaluating.classes import (
    class_confusions,
    class_errors,
    class_metrics,
    class_rows,
    classify,
    unknown_counts,
)
from tamis.api.evaluating.gathering import gather
from tamis.api.evaluating.objects import (
    MISSES,
    OUTCOMES,
    category_rows,
    confusions,
    curves,
    match,
    object_calibration,
    threshold_rows,
)
from tamis.api.evaluating.options import EvaluateOptions
from tamis.api.evaluating.pixels import count_pixels, pixel_confusions, pixel_metrics, pixel_rows
from tamis.api.evaluating.values import Evaluation, WorstSample
from tamis.api.options import ignore_progress
from tamis.api.overlaps import of_samples
from tamis.api.pairing import Pairing, Side
from tamis.errors import UsageError
from tamis.index import SampleColumns, object_keys
from tamis.model import TaskType

if TYPE_CHECKING:
    from collections.abc import Callable

    from tamis.api.evaluating.gathering import Gathered
    from tamis.api.evaluating.objects import Matching
    from tamis.engine import ProgressListener
    from tamis.index import Snapshot
    from tamis.model import Task
    from tamis.scoring.matching import Shape

Columns = dict[str, Any]


@dataclass(frozen=True, eq=False)
class EvaluationRun:
    """An evaluation, and what it says of every sample and object.

    Attributes:
        report: the figures.
        samples: columns by name, `key` first; a row for each evaluated sample.
        pairing: labels, then predictions.
        make_objects: makes the columns of objects; `None` where there are none.
    """

    report: Evaluation
    samples: Columns
    pairing: Pairing
    make_objects: Callable[[], Columns] | None = None

    @cached_property
    def objects(self) -> Columns | None:
        """Columns by name, `key` first; a row for each prediction, then for each label; without objects `None`."""
        return None if self.make_objects is None else self.make_objects()


def evaluate(
    snapshot: Snapshot,
    task: str,
    labels: str,
    options: EvaluateOptions | None = None,
    *,
    listen: ProgressListener = ignore_progress,
) -> EvaluationRun:
    """Hold the predictions of a task against the labels of another.

    Categories are matched by name. Samples without labels are left out.

    Args:
        snapshot: of the index.
        task: whose predictions.
        labels: the task that holds the labels, e.g. made by `tamis import`.
        options: how.
        listen: told how many samples were compared.

    Raises:
        UsageError: when there is no such task, the two cannot be compared, or no sample has labels.
    """
    given = options or EvaluateOptions()
    samples = SampleColumns(snapshot)
    truth, predicted = snapshot.task(labels), snapshot.task(task)
    pairing = Pairing(Side(samples, truth), Side(samples, predicted))
    _check(pairing, given)
    shape = compared_shape(predicted, truth, given.shape)
    if truth.task_type is TaskType.CLASSIFICATION:
        return _evaluate_classes(pairing, given, listen)
    if truth.task_type is TaskType.SEMANTIC_SEGMENTATION:
        return _evaluate_pixels(pairing, given, listen)
    return _evaluate_objects(pairing, shape, given, listen)


def _check(pairing: Pairing, options: EvaluateOptions) -> None:
    truth, predicted = pairing.first.task, pairing.second.task
    if truth.name == predicted.name:
        raise UsageError(f"`{truth.name}` cannot be held against itself", hint="name the task with the labels")
    if not set(truth.category_names) & set(predicted.category_names):
        raise UsageError(
            f"`{predicted.name}` and `{truth.name}` have no category in common: {_few(predicted)} against "
            f"{_few(truth)}",
            hint="categories are matched by name: give both the same names in their schemas",
        )
    if not (pairing.in_both if options.only_predicted else pairing.in_first).any():
        what = "labels and predictions" if options.only_predicted else "labels"
        raise UsageError(f"No sample has {what}: there is nothing to evaluate `{predicted.name}` by")
    if not pairing.in_both.any():
        raise UsageError(
            f"No sample has predictions of `{predicted.name}` and labels of `{truth.name}`",
            hint="run the model on the labelled samples, then `tamis scan`",
        )


def _few(task: Task) -> str:
    names = task.category_names
    return ", ".join(f"`{name}`" for name in names[:3]) + (", ..." if len(names) > 3 else "")  # noqa: PLR2004


def _evaluate_objects(
    pairing: Pairing, shape: Shape, options: EvaluateOptions, listen: ProgressListener
) -> EvaluationRun:
    gathered = gather(pairing, shape, min_iou=options.min_iou, only_predicted=options.only_predicted, listen=listen)
    matching = match(gathered, min_iou=options.min_iou, min_score=options.min_score)
    names = pairing.first.task.category_names
    columns = _sample_columns(pairing, gathered, matching, options)
    report = Evaluation(
        **_head(pairing, options, shape),
        unknown_categories=gathered.unknown,
        metrics=gathered.average_precision.metrics() | _counted_metrics(gathered, matching),
        min_iou=options.min_iou,
        min_score=matching.min_score,
        outcomes=_outcomes(matching),
        categories=category_rows(gathered, matching, names),
        thresholds=threshold_rows(gathered, matching),
        curves=curves(gathered),
        calibration=object_calibration(gathered, matching, options.n_bins),
        confusion=confusions(gathered, matching, names),
        worst=_worst(columns, options.n_worst),
    )
    return EvaluationRun(report, columns, pairing, lambda: _object_columns(pairing, gathered, matching))


def _counted_metrics(gathered: Gathered, matching: Matching) -> dict[str, float | None]:
    counts = gathered.predictions.score >= matching.min_score
    n, n_labels = int(counts.sum()), len(gathered.labels.sample)
    right = int((counts & matching.correct).sum())
    return {
        "precision": right / n if n else None,
        "recall": right / n_labels if n_labels else None,
        "f1": 2 * right / (n + n_labels) if n + n_labels else None,
    }


def _outcomes(matching: Matching) -> dict[str, int]:
    predictions = np.bincount(matching.outcome, minlength=len(OUTCOMES)).tolist()
    missed = int((matching.miss == MISSES.index("missed")).sum())
    return {**dict(zip(OUTCOMES, predictions, strict=True)), "missed": missed}


def _sample_columns(pairing: Pairing, gathered: Gathered, matching: Matching, options: EvaluateOptions) -> Columns:
    n = len(pairing.first.samples)
    sample, outcome = gathered.predictions.sample, matching.outcome
    counts = outcome != OUTCOMES.index("below the score")
    found = of_samples(outcome == 0, sample, n)
    false_positives = of_samples(counts, sample, n) - found
    false_negatives = of_samples(matching.miss > 0, gathered.labels.sample, n)
    wrong = of_samples(outcome == OUTCOMES.index("wrong category"), sample, n)
    worst = np.full(n, np.inf)
    np.minimum.at(worst, gathered.labels.sample, np.where(matching.miss == 0, matching.best, 0))
    total = 2 * found + false_positives + false_negatives
    errors = (false_positives + false_negatives) / np.maximum(total, 1)
    at = np.flatnonzero(pairing.in_both if options.only_predicted else pairing.in_first)
    keys = pairing.first.samples.keys
    return {
        "key": [keys[i] for i in at.tolist()],
        "error": errors[at],
        "found": found[at],
        "false_positives": false_positives[at],
        "false_negatives": false_negatives[at],
        "wrong_category": wrong[at],
        "worst_iou": np.where(np.isinf(worst), np.nan, worst)[at],
    }


def _object_columns(pairing: Pairing, gathered: Gathered, matching: Matching) -> Columns:
    keys, labels, predictions = pairing.first.samples.keys, gathered.labels, gathered.predictions
    truth, task = pairing.first.task, pairing.second.task
    names = np.array(truth.category_names, object)
    partner = np.where(matching.label >= 0, matching.label, matching.confused)
    labelled = np.array([*names[labels.category], None], object)[partner]
    outcomes, misses = np.array(OUTCOMES, object), np.array(MISSES, object)
    error = np.abs(matching.correct - predictions.score)
    n = len(labels.sample)
    return {
        "key": [
            *object_keys(keys, predictions.sample, task.name, predictions.position).to_pylist(),
            *object_keys(keys, labels.sample, truth.name, labels.position).to_pylist(),
        ],
        "outcome": [*outcomes[matching.outcome], *misses[matching.miss]],
        "error": np.concatenate([error, (matching.miss > 0).astype(np.float64)]),
        "score": np.concatenate([predictions.score, np.full(n, np.nan)]),
        "iou": np.concatenate([matching.overlap, matching.best]),
        "category": [*names[predictions.category], *names[labels.category]],
        "labelled_as": [*labelled, *names[labels.category]],
    }


def _evaluate_classes(pairing: Pairing, options: EvaluateOptions, listen: ProgressListener) -> EvaluationRun:
    given = classify(pairing, only_predicted=options.only_predicted, listen=listen)
    truth, task = pairing.first.task, pairing.second.task
    rows = class_rows(given, truth.category_names)
    at, right = given.evaluated, given.labelled == given.predicted
    errors, keys = class_errors(given), pairing.first.samples.keys
    said = np.array([*task.category_names, None, None], object)
    columns = {
        "key": [keys[i] for i in at.tolist()],
        "error": errors[at],
        "correct": right[at],
        "confidence": given.confidence[at],
        "probability_of_label": given.own[at],
        "labelled": np.array(truth.category_names, object)[given.labelled[at]].tolist(),
        "predicted": said[given.predicted_id[at]].tolist(),
    }
    report = Evaluation(
        **_head(pairing, options, "classes") | {"samples": len(at)},
        samples_ambiguous=int((given.labelled == -3).sum()),  # noqa: PLR2004 (several labels)
        unknown_categories=unknown_counts(given, task),
        metrics=class_metrics(given, rows, top_k=options.top_k),
        categories=rows,
        calibration=calibrate(given.confidence[at], right[at], options.n_bins),
        confusion=class_confusions(given, truth, task),
        worst=_worst(columns, options.n_worst),
    )
    return EvaluationRun(report, columns, pairing)


def _evaluate_pixels(pairing: Pairing, options: EvaluateOptions, listen: ProgressListener) -> EvaluationRun:
    given = count_pixels(pairing, only_predicted=options.only_predicted, listen=listen)
    names = pairing.first.task.category_names
    rows, keys = pixel_rows(given, names), pairing.first.samples.keys
    at = np.flatnonzero(given.labelled > 0)
    columns = {
        "key": [keys[i] for i in at.tolist()],
        "error": 1 - given.right[at] / given.labelled[at],
        "found": given.right[at].astype(np.int64),
        "false_negatives": (given.labelled - given.right)[at].astype(np.int64),
    }
    report = Evaluation(
        **_head(pairing, options, "pixels"),
        unknown_categories=given.unknown,
        metrics=pixel_metrics(given, rows),
        categories=rows,
        confusion=pixel_confusions(given, names),
        worst=_worst(columns, options.n_worst),
    )
    return EvaluationRun(report, columns, pairing)


def _head(pairing: Pairing, options: EvaluateOptions, compared: str) -> Columns:
    truth, task = pairing.first.task, pairing.second.task
    without = 0 if options.only_predicted else int((pairing.in_first & ~pairing.in_both).sum())
    return {
        "task": task.name,
        "labels": truth.name,
        "source": pairing.first.samples.snapshot.manifest.source,
        "compared": str(compared),
        "samples": int(pairing.in_both.sum()) + without,
        "samples_without_predictions": without,
        "samples_without_labels": int((pairing.in_second & ~pairing.in_first).sum()),
        "never_predicted": tuple(n for n in truth.category_names if n not in set(task.category_names)),
    }


def _worst(columns: Columns, n: int) -> tuple[WorstSample, ...]:
    """Return the samples with the largest error, of those that have any; of equals the one with the most faults."""
    errors = np.nan_to_num(columns["error"])
    faults = np.zeros(len(errors))
    for name in ("false_positives", "false_negatives"):
        faults = faults + columns.get(name, 0)
    order = np.lexsort((-faults, -errors))[:n]
    return tuple(_worst_sample(columns, i) for i in order.tolist() if errors[i] > 0)


def _worst_sample(columns: Columns, i: int) -> WorstSample:
    def count(name: str) -> int:
        return int(columns[name][i]) if name in columns else 0

    labelled = columns.get("labelled")
    predicted = columns.get("predicted")
    iou = float(columns["worst_iou"][i]) if "worst_iou" in columns else np.nan
    right = bool(columns["correct"][i]) if "correct" in columns else False
    is_class = "correct" in columns
    return WorstSample(
        sample=columns["key"][i],
        error=float(columns["error"][i]),
        found=int(right) if is_class else count("found"),
        false_positives=int(not right) if is_class else count("false_positives"),
        false_negatives=int(not right) if is_class else count("false_negatives"),
        worst_iou=None if np.isnan(iou) else iou,
        labelled=None if labelled is None else labelled[i],
        predicted=None if predicted is None else predicted[i],
    )
