from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tamis
from comparing_data import put_task
from strategies_datasource import png
from tamis.api.evaluating import EvaluateOptions
from tamis.errors import UsageError
from tamis.model import masks

LABELS = ("cat", "dog", "emu")
MODEL = ("emu", "cat", "dog", "fox")  # ids differ, and one category has no label
N = 40
SIDE = 24


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> tamis.Datasource:
    """Forty images with classifications and pixels, labelled and predicted at random; some have no prediction."""
    rng = np.random.default_rng(3)
    root = tmp_path_factory.mktemp("kinds")
    keys = [f"{i:02}.png" for i in range(N)]
    for key in keys:
        (root / key).write_bytes(png(SIDE, SIDE))
    probabilities = rng.dirichlet(np.ones(4), N).round(6)
    truth = rng.integers(3, size=N)
    classes = {key: [{"category_id": int(c), "score": 1.0}] for key, c in zip(keys, truth, strict=True)}
    put_task(root, "labels", "classification", LABELS, classes)
    said: dict[str, Any] = {
        key: [{"category_id": int(row.argmax()), "score": float(row.max()), "probabilities": row.tolist()}]
        for key, row in zip(keys[:-3], probabilities, strict=False)
    }
    put_task(root, "model", "classification", MODEL, said)
    for task, names in (("ground", LABELS), ("segmenter", MODEL)):
        pixels = {}
        for key in keys[:9]:
            image = rng.integers(0, len(names), (SIDE, SIDE))
            image[: SIDE // 2] = 0
            found = [(c, image == c) for c in range(len(names)) if task == "segmenter" or c > 0]
            pixels[key] = [
                {"category_id": c, "segmentation": masks.encode(mask).tolist(), "score": 0.5} for c, mask in found
            ]
        put_task(root, task, "semantic-segmentation", names, pixels)
    made = tamis.open(root)
    made.scan()
    return made


def _rows(source: tamis.Datasource, task: str) -> dict[str, list[Any]]:
    table = source.predictions(task).to_arrow().to_pylist()
    found: dict[str, list[Any]] = {}
    for row in table:
        found.setdefault(row["sample"], []).append(row)
    return found


def test_figures_of_classifications_are_those_counted_one_by_one(source: tamis.Datasource) -> None:
    """Accuracy, top-2, macro F1, log loss and Brier score are those of a loop over the samples."""
    report = source.evaluate("model", "labels", EvaluateOptions(top_k=2)).report
    truth = {key: LABELS[rows[0]["category_id"]] for key, rows in _rows(source, "labels").items()}
    said = {key: rows[0] for key, rows in _rows(source, "model").items()}
    right = [key for key in said if MODEL[said[key]["category_id"]] == truth[key]]
    losses, briers, top = [], [], 0
    for key, row in said.items():
        shares = np.array(row["probabilities"]) / sum(row["probabilities"])
        own = MODEL.index(truth[key])
        losses.append(-np.log(shares[own]))
        briers.append(((shares - np.eye(4)[own]) ** 2).sum())
        top += own in np.argsort(-shares)[:2]
    f1s = []
    for name in LABELS:
        n_right = sum(truth[key] == name for key in right)
        n_said = sum(MODEL[row["category_id"]] == name for row in said.values())
        f1s.append(2 * n_right / (n_said + sum(one == name for one in truth.values())))
    assert report.samples == N
    assert report.samples_without_predictions == 3
    assert report.metrics["accuracy"] == len(right) / N
    assert report.metrics["top_2_accuracy"] == top / N
    assert report.metrics["macro_f1"] == pytest.approx(np.mean(f1s))
    assert report.metrics["nll"] == pytest.approx(np.mean(losses))
    assert report.metrics["brier"] == pytest.approx(np.mean(briers))
    assert report.unknown_categories == {"fox": sum(MODEL[r["category_id"]] == "fox" for r in said.values())}
    assert sum(one.count for one in report.confusion) == N
    only = source.evaluate("model", "labels", EvaluateOptions(only_predicted=True)).report
    assert only.metrics["accuracy"] == len(right) / (N - 3)


def test_calibration_is_that_of_a_loop_over_bins(source: tamis.Datasource) -> None:
    """The expected calibration error is the mean gap between confidence and accuracy, weighted by samples."""
    report = source.evaluate("model", "labels", EvaluateOptions(only_predicted=True, n_bins=5)).report
    truth = {key: LABELS[rows[0]["category_id"]] for key, rows in _rows(source, "labels").items()}
    rows = {key: found[0] for key, found in _rows(source, "model").items()}
    sure = np.array([max(row["probabilities"]) / sum(row["probabilities"]) for row in rows.values()])
    right = np.array([MODEL[row["category_id"]] == truth[key] for key, row in rows.items()])
    gaps = []
    for low in np.arange(5) / 5:
        inside = (sure > low) & (sure <= low + 0.2)
        if inside.any():
            gaps.append(inside.mean() * abs(sure[inside].mean() - right[inside].mean()))
    assert report.calibration is not None
    assert report.calibration.ece == pytest.approx(sum(gaps))
    assert sum(one.count for one in report.calibration.bins) == N - 3


def test_figures_of_pixels_are_those_of_decoded_masks(source: tamis.Datasource) -> None:
    """IoU and accuracy from run lengths are those of pictures; pixels without a label are left out."""
    report = source.evaluate("segmenter", "ground").report
    confusion = np.zeros((3, 5), np.int64)
    predicted = _rows(source, "segmenter")
    for key, rows in _rows(source, "ground").items():
        image = np.full((SIDE, SIDE), 4)
        for row in predicted[key]:
            image[masks.decode(row["mask"], SIDE, SIDE)] = row["category_id"]
        for row in rows:
            own = image[masks.decode(row["mask"], SIDE, SIDE)]
            confusion[row["category_id"]] += np.bincount(own, minlength=5)
    order = [MODEL.index(name) for name in LABELS]
    square = confusion[:, order]
    ious = np.diag(square) / np.maximum(square.sum(axis=0) + confusion.sum(axis=1) - np.diag(square), 1)
    occurs = (square.sum(axis=0) + confusion.sum(axis=1)) > 0
    assert report.metrics["mIoU"] == pytest.approx(ious[occurs].mean())
    assert report.metrics["pixel_accuracy"] == pytest.approx(np.trace(square) / confusion.sum())
    assert report.unknown_categories == {"fox": confusion[:, MODEL.index("fox")].sum()}
    assert_allclose([row.iou or 0 for row in report.categories], ious)


@pytest.mark.parametrize(
    ("task", "labels", "said"),
    [
        ("model", "model", "cannot be held against itself"),
        ("model", "ground", "`model` is of type classification, `ground` of type semantic-segmentation"),
        ("nothing", "labels", "no task `nothing`"),
    ],
)
def test_what_cannot_be_compared_is_refused(source: tamis.Datasource, task: str, labels: str, said: str) -> None:
    """Tasks that are the same, of different types, or not there are refused in words."""
    with pytest.raises(UsageError, match=said):
        source.evaluate(task, labels)
