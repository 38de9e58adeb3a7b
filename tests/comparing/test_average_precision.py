from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hotcoco import metrics

from comparing_data import NAMES, Random
from tamis.api.evaluating import EvaluateOptions
from tamis.api.evaluating.gathering import gather
from tamis.api.evaluating.objects import match
from tamis.api.pairing import Pairing, Side
from tamis.index import SampleColumns
from tamis.scoring.matching import Shape

if TYPE_CHECKING:
    from pathlib import Path

    from tamis import Datasource

METRICS = {
    "bbox": [
        "AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large",
        "AR_1", "AR_10", "AR_100", "AR_small", "AR_medium", "AR_large",
    ],
    "keypoints": [
        "AP", "AP50", "AP75", "AP_medium", "AP_large", "AR_20", "", "", "AR_medium", "AR_large",
    ],
}  # fmt: skip
METRICS["segm"] = METRICS["bbox"]


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Random, Datasource]:
    made = Random("bbox")
    return made, made.write(tmp_path_factory.mktemp("boxes") / "data")


@pytest.mark.parametrize("kind", ["bbox", "segm", "keypoints", "boxes of masks"])
def test_average_precision_is_that_of_the_coco_api(tmp_path: Path, kind: str) -> None:
    """Of boxes, masks and keypoints, all figures of the COCO API are its own, whatever the ids of categories."""
    made = Random("segm", compared="bbox") if kind == "boxes of masks" else Random(kind)
    options = EvaluateOptions(shape=Shape.BOXES if made.compared else None)
    found = made.write(tmp_path / "data").evaluate("model", "labels", options).report
    for name, expected in zip(METRICS[made.compared or kind], made.coco_stats().tolist(), strict=True):
        if name:
            value = found.metrics[name]
            assert (-1.0 if value is None else value) == pytest.approx(expected, abs=1e-12), name
    assert 0.2 < (found.metrics["AP"] or 0) < 0.9


def test_what_is_found_has_the_average_precision_of_the_protocol(boxes: tuple[Random, Datasource]) -> None:
    """What counts as right has, category by category, the AP50 and AP75 that COCO's protocol gives."""
    snapshot = boxes[1].snapshot
    samples = SampleColumns(snapshot)
    pairing = Pairing(Side(samples, snapshot.task("labels")), Side(samples, snapshot.task("model")))
    given = gather(pairing, Shape.BOXES, min_iou=0.5, only_predicted=False)
    for iou, index in ((0.5, 0), (0.75, 5)):
        matching = match(given, min_iou=iou, min_score=0.0)
        for category in range(len(NAMES)):
            own = given.predictions.category == category
            order = np.argsort(-given.predictions.score[own], kind="stable")
            value = metrics.average_precision(
                given.predictions.score[own][order],
                matching.correct[own][order],
                int((given.labels.category == category).sum()),
            )
            assert value == pytest.approx(given.average_precision.ap(iou=index, category=category))


def test_every_prediction_and_label_is_counted_once(boxes: tuple[Random, Datasource]) -> None:
    """Rows of the confusions sum to the labels, columns to the predictions; so do outcomes and samples."""
    made, source = boxes
    run = source.evaluate("model", "labels", EvaluateOptions(min_score=0.35))
    report = run.report
    n_labels = sum(map(len, made.labels.values()))
    scores = [entry["score"] for entries in made.predictions.values() for entry in entries]
    n_counting = sum(score >= 0.35 for score in scores)
    assert sum(one.count for one in report.confusion if one.labelled is not None) == n_labels
    assert sum(one.count for one in report.confusion if one.predicted is not None) == n_counting
    right = sum(one.count for one in report.confusion if one.labelled == one.predicted)
    assert report.outcomes["correct"] == right == run.samples["found"].sum()
    assert sum(report.outcomes.values()) - report.outcomes["missed"] == len(scores)
    assert run.samples["false_positives"].sum() == n_counting - right
    assert run.samples["false_negatives"].sum() == n_labels - right
    assert report.metrics["precision"] == right / n_counting
    assert run.objects is not None
    assert len(run.objects["key"]) == len(set(run.objects["key"])) == n_labels + len(scores)


def test_the_best_score_has_the_best_f1(boxes: tuple[Random, Datasource]) -> None:
    """No other smallest score gives a better F1 than the one that is used when none is given."""
    _, source = boxes
    best = source.evaluate("model", "labels").report
    f1s = [
        source.evaluate("model", "labels", EvaluateOptions(min_score=i / 10)).report.metrics["f1"]
        for i in range(10)
    ]
    assert best.metrics["f1"] == max(one for one in f1s if one is not None)


def test_labels_held_against_themselves_are_perfect(tmp_path: Path) -> None:
    """Predictions that are the labels have AP 1 and no error, and nothing is confused."""
    made = Random("bbox")
    made.predictions = made.labels
    report = made.write(tmp_path / "data").evaluate("model", "labels").report
    assert report.metrics["AP"] == report.metrics["f1"] == 1.0
    assert report.worst == ()
    assert {one.labelled for one in report.confusion} == {one.predicted for one in report.confusion} == set(NAMES)
