"""The vectorised scorers against a slow scalar reading of the rules."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given

from strategies_scoring import Files, columns_of, scenes
from tamis.model import Prediction, Task, TaskType
from tamis.scoring import SCORE_NAMES, class_rows, object_scores, row_uncertainty, sample_scores

NULL = math.nan
Three = tuple[float, float, float]


def limit(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def score_row(row: tuple[float, ...]) -> Three:
    if sum(row) == 0:
        return NULL, NULL, NULL
    n = len(row)
    first, second = sorted(row, reverse=True)[:2]
    shares = [p / sum(row) for p in row]
    bits = -sum(q * math.log2(q) for q in shares if q > 0)
    return limit((1 - first) / (1 - 1 / n)), limit(1 - (first - second)), limit(bits / math.log2(n))


def score_prediction(task: Task, one: Prediction) -> Three:
    n = len(task.categories)
    if n == 1:
        s = one.score
        if s is None and one.probabilities is not None:
            s = one.probabilities[0]
        return (NULL, NULL, NULL) if s is None else score_row((s, 1 - s))
    if one.probabilities is not None:
        return score_row(one.probabilities)
    return NULL if one.score is None else limit((1 - one.score) / (1 - 1 / n)), NULL, NULL


def pixels(one: Prediction) -> int:
    return sum((one.segmentation or ())[1::2])


def largest(values: list[float]) -> float:
    return NULL if any(math.isnan(v) for v in values) else max(values, default=0.0)


def area_mean(values: list[float], areas: list[int]) -> float:
    if any(math.isnan(v) for v in values):
        return NULL
    total = sum(areas)
    return 0.0 if total == 0 else sum(v * a for v, a in zip(values, areas, strict=True)) / total


def frequency(ones: list[Prediction]) -> float:
    seen: set[int] = set()
    total = 0.0
    for one in ones:
        total += 0.25 if one.category_id in seen else 1.0
        seen.add(one.category_id)
    return total


def keypoint_uncertainty(ones: list[Prediction]) -> float:
    if not ones:
        return 0.0
    means = []
    for one in ones:
        confidences = (one.keypoints or ())[2::3]
        means.append(sum(confidences) / len(confidences) if confidences else NULL)
    return 1 - sum(means) / len(means)


def score_file(task: Task, ones: list[Prediction]) -> dict[str, float]:
    rows = [score_prediction(task, one) for one in ones]
    kind = task.task_type
    names = ("uncertainty_least_confidence", "uncertainty_margin", "uncertainty_entropy")
    scores = {}
    for i, name in enumerate(names):
        values = [row[i] for row in rows]
        if kind is TaskType.SEMANTIC_SEGMENTATION:
            scores[name] = area_mean(values, [pixels(one) for one in ones])
        else:
            scores[name] = largest(values)
    if kind.has_objects:
        confidences = [one.score or 0.0 for one in ones]
        scores["objectness_least_confidence"] = 1 - sum(confidences) / len(ones) if ones else 0.0
        scores["object_frequency"] = frequency(ones)
    if kind is TaskType.KEYPOINT_DETECTION:
        scores["mean_uncertainty"] = keypoint_uncertainty(ones)
    return scores


def class_row(task: Task, ones: list[Prediction]) -> list[float]:
    total = [0.0] * len(task.categories)
    for one in ones:
        weight = pixels(one) if task.task_type is TaskType.SEMANTIC_SEGMENTATION else 1
        one_hot = [float(i == one.category_id) for i in task.category_ids]
        for c, p in enumerate(one.probabilities or one_hot):
            total[c] += weight * p
    return total


@given(scenes())
def test_object_scores_equal_the_scalar_reference(scene: tuple[Task, Files]) -> None:
    """Every prediction's three uncertainties are what the rules say, nulls included."""
    task, files = scene
    scores = object_scores(task, columns_of(files))
    expected = np.array([score_prediction(task, one) for ones in files for one in ones]).reshape(-1, 3)
    np.testing.assert_allclose(np.stack(list(scores.values()), axis=1), expected, rtol=0, atol=1e-6)


@given(scenes())
def test_sample_scores_equal_the_scalar_reference(scene: tuple[Task, Files]) -> None:
    """Every file's scores are what the rules say, in the order of `SCORE_NAMES`, nulls included."""
    task, files = scene
    columns = columns_of(files)
    scores = sample_scores(task, columns, object_scores=object_scores(task, columns))
    assert tuple(scores) == SCORE_NAMES[task.task_type]
    for name, values in scores.items():
        expected = [score_file(task, ones)[name] for ones in files]
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-6, err_msg=name)


@given(scenes())
def test_class_rows_equal_the_scalar_reference(scene: tuple[Task, Files]) -> None:
    """A file's class row sums its predictions' rows, one-hot where absent, by area for semantic masks."""
    task, files = scene
    expected = np.array([class_row(task, ones) for ones in files]).reshape(-1, len(task.categories))
    np.testing.assert_allclose(class_rows(task, columns_of(files)), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n_categories", [63, 64, 65, 300])
def test_rows_of_many_categories_equal_the_scalar_reference(n_categories: int) -> None:
    """Rows of any length are scored by the same rules."""
    rng = np.random.default_rng(n_categories)
    rows = np.concatenate([rng.dirichlet(np.full(n_categories, 0.1), 20), rng.random((20, n_categories))])
    expected = [score_row(tuple(row)) for row in rows.tolist()]
    np.testing.assert_allclose(np.stack(row_uncertainty(rows), axis=1), expected, rtol=0, atol=1e-6)
