from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from strategies_report import BOXES, DETECTOR, FakePicture, detector_input, jpeg, report_inputs
from tamis.api.report.build import build_report
from tamis.api.report.inputs import NumberInput, ReportOptions
from tamis.api.report.values import Means, decode_report, encode_report
from tamis.model import Prediction, Task, TaskType
from tamis.model.masks import encode


def test_the_json_holds_every_number() -> None:
    """Reading report.json gives the report back, but for the bytes of pictures."""
    report = build_report(report_inputs())
    assert report.blobs
    data = encode_report(report)
    assert decode_report(data) == msgspec.structs.replace(report, blobs={})
    assert b"\n" in data


def test_the_same_inputs_give_the_same_report() -> None:
    """A report depends on its inputs and options alone."""
    assert build_report(report_inputs()) == build_report(report_inputs())
    assert build_report(report_inputs(), ReportOptions(seed=1)).seed == 1


def test_the_summary_counts_what_was_in_play() -> None:
    """Candidates, pool, picks and those left out add up."""
    summary = build_report(report_inputs(stopped="all candidates are taken")).summary
    assert (summary.n_samples, summary.n_candidates, summary.n_pool, summary.n_picked) == (6, 4, 1, 2)
    assert summary.left_out[0].count == 1
    assert summary.stopped == "all candidates are taken"


def test_strategies_are_summed_up_over_the_picks() -> None:
    """Mean shares and leads are over the picks, means over each group; a filter has no share."""
    spread, doubt, keep = build_report(report_inputs()).strategies
    assert (spread.mean_share, spread.n_led) == (0.5, 1)
    assert (doubt.mean_share, doubt.n_led) == (0.5, 1)
    assert doubt.means is not None
    assert doubt.means.input == pytest.approx((0.5 + 0.1 + 0.2 + 0.4) / 4)
    assert doubt.means.selected == pytest.approx(0.45)
    assert (keep.mean_share, keep.n_led, keep.means) == (None, 0, None)


def test_distributions_count_candidates_only() -> None:
    """The input is the candidates: neither the pool nor what was left out is counted."""
    report = build_report(report_inputs())
    objects, weather = report.categories
    assert [(row.name, row.input, row.selected) for row in objects.rows] == [("cat", 4, 2), ("dog", 4, 2)]
    assert [(row.name, row.input, row.selected) for row in weather.rows] == [("sun", 1, 1), ("rain", 2, 1)]
    assert weather.n_unknown == (1, 0)
    doubt, counts = report.histograms
    assert doubt.input is not None
    assert sum(doubt.input) == 4
    assert doubt.means.selected == pytest.approx(0.45)
    assert counts.label == "detector: objects per image"
    assert counts.means == Means(input=2.0, selected=2.0, random=2.0)


def test_samples_without_a_file_have_an_unknown_number_of_objects() -> None:
    """No prediction file is not the same as no object: such samples are counted apart."""
    has_file = np.array([True, False, True, True, True, True])
    owner = np.repeat([0, 2, 3, 5], 2)
    task = detector_input(owner=owner, category_id=np.tile([2, 7], 4), has_file=has_file)
    report = build_report(report_inputs(tasks=[task], numbers=[]))
    (counts,) = report.histograms
    assert counts.n_unknown == (1, 1)
    assert counts.input is not None
    assert sum(counts.input) == 3
    assert counts.means.selected == 0.0
    assert [pick.layers[0].has_file for pick in report.picks] == [True, False]


def test_neighbours_are_measured_among_selection_and_pool() -> None:
    """The distance of a pick is that to its nearest other pick or pool member."""
    report = build_report(report_inputs())
    assert report.distances is not None
    assert report.distances.means.selected == pytest.approx(2**0.5)
    assert report.distances.input is None
    assert report.coverage is not None
    assert report.coverage.budgets == (0, 1, 2)
    assert build_report(report_inputs(embeddings=None)).distances is None
    assert build_report(report_inputs(embeddings=None)).coverage is None


def test_picks_are_told_with_all_they_have() -> None:
    """A pick has its number, key, picture, reasons and predictions, the surest first."""
    first, second = build_report(report_inputs()).picks
    assert (first.number, first.key) == (1, "day/4.jpg")
    assert (second.number, second.key, second.reasons[0].sentence) == (2, "day/1.jpg", "far from 1 others")
    assert first.picture is not None
    assert (first.picture.width_px, first.picture.height_px) == (100, 80)
    (layer,) = first.layers
    assert [(mark.category, mark.score) for mark in layer.marks] == [("dog", 0.875), ("cat", 0.25)]
    assert layer.marks[0].probability == 0.9
    assert layer.marks[1].probability is None


def test_a_missing_picture_is_said() -> None:
    """A pick whose picture cannot be read keeps its place, with the reason."""
    report = build_report(report_inputs(picture=lambda key: f"{key} is cut off"))
    assert [pick.fault for pick in report.picks] == ["day/4.jpg is cut off", "day/1.jpg is cut off"]
    assert [pick.picture for pick in report.picks] == [None, None]
    assert len(report.picks[0].layers[0].marks) == 2
    assert report.blobs == {}


def test_pictures_stop_at_the_limit_of_bytes() -> None:
    """The bytes of a report are bounded, and each pick without a picture for that reason says so."""
    size = len(jpeg())
    report = build_report(report_inputs(), ReportOptions(max_picture_bytes=size + 1))
    assert sum(map(len, report.blobs.values())) <= size + 1
    assert report.picks[0].fault is None
    fault = report.picks[1].fault
    assert fault is not None
    assert fault.startswith("left out: the pictures of this report reach ")


def test_the_gallery_shows_the_first_picks() -> None:
    """Beyond the limit picks are counted, not shown."""
    report = build_report(report_inputs(), ReportOptions(max_pictures=1))
    assert [pick.number for pick in report.picks] == [1]
    assert report.summary.n_picked == 2


def test_predictions_beyond_the_limit_are_counted() -> None:
    """A picture takes so many predictions, the surest; the rest is counted, not forgotten."""
    (layer, *_) = build_report(report_inputs(), ReportOptions(max_marks=1)).picks[0].layers
    assert [mark.category for mark in layer.marks] == ["dog"]
    assert layer.n_hidden == 1


SEGMENTER = Task(name="segmenter", task_type=TaskType.SEMANTIC_SEGMENTATION, categories=DETECTOR.categories)


def mask_report(*masks: tuple[int, ...], size: tuple[int, int] = (100, 80)) -> Any:
    predictions = [Prediction(category_id=2, segmentation=mask, score=0.5) for mask in masks]
    task = detector_input(task=SEGMENTER, predictions=lambda _: predictions)
    picture = FakePicture(jpeg(), *size)
    return build_report(report_inputs(tasks=[task], picture=lambda _: picture))


def test_an_overlay_is_opaque_where_the_mask_is() -> None:
    """A pixel of the overlay is transparent exactly where no mask covers the picture."""
    mask = np.zeros((80, 100), bool)
    mask[10:30, 20:70] = True
    report = mask_report(tuple(encode(mask).tolist()))
    (layer,) = report.picks[0].layers
    overlay = np.asarray(Image.open(BytesIO(report.blobs[layer.masks])).convert("RGBA"))
    assert overlay.shape == (80, 100, 4)
    assert ((overlay[..., 3] > 0) == mask).all()
    assert overlay[10, 20, 3] > overlay[20, 40, 3] > 0
    assert layer.mask_fault is None


def test_large_overlays_shrink_with_their_shape() -> None:
    """An overlay is at most 640 pixels long, and covers the same part of the picture."""
    mask = np.zeros((1500, 3000), bool)
    mask[:750, :1500] = True
    report = mask_report(tuple(encode(mask).tolist()), size=(3000, 1500))
    overlay = Image.open(BytesIO(report.blobs["1-0.png"])).convert("RGBA")
    assert overlay.size == (640, 320)
    alpha = np.asarray(overlay)[..., 3] > 0
    assert alpha[:160, :320].all()
    assert alpha.mean() == pytest.approx(0.25)


def test_masks_that_do_not_fit_are_said() -> None:
    """A mask of another size is left out, the others are drawn, and the pick says so."""
    (layer,) = mask_report((10, 20), (0, 8000)).picks[0].layers
    assert layer.mask_fault == "1 of 2 masks do not fit 100 x 80 pixels"
    assert layer.masks == "1-0.png"
    (layer,) = mask_report((10, 20)).picks[0].layers
    assert layer.masks is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"candidate": np.ones(5, bool)}, "expected 6 entries in candidate, got 5"),
        ({"embeddings": np.ones((4, 2))}, "expected 6 entries in embeddings, got 4"),
        (
            {"numbers": [NumberInput(label="doubt", values=np.ones(2))]},
            "expected 6 entries in values of `doubt`, got 2",
        ),
        ({"picks": np.array([0])}, "expected 1 entries in shares of `spread`, got 2"),
        ({"picks": np.array([4, 0])}, "expected every pick among the candidates"),
        (
            {"tasks": [detector_input(category_id=np.full(12, 5))]},
            "expected category ids of task `detector`",
        ),
    ],
)
def test_inputs_that_do_not_fit_each_other_are_refused(changes: dict[str, Any], message: str) -> None:
    """Arrays of other lengths would give a report that is wrong without a sign of it."""
    with pytest.raises(ValueError, match=message):
        build_report(report_inputs(**changes))


def test_nothing_picked_is_a_report_too() -> None:
    """Without picks there are still the input's distributions and what the pool covers."""
    inputs = report_inputs(picks=np.array([], np.int64), reasons=lambda _: ())
    strategies = [replace(s, shares=None if s.shares is None else s.shares[:0]) for s in inputs.strategies]
    report = build_report(replace(inputs, strategies=strategies))
    assert report.picks == ()
    assert report.distances is None
    assert report.strategies[0].mean_share is None
    assert report.categories[0].rows[0].input == 4
    assert decode_report(encode_report(report)) == report


def test_predictions_are_asked_for_picks_only() -> None:
    """Reading predictions costs: only the picks that are shown are read."""
    asked: list[str] = []

    def predictions(key: str) -> tuple[Prediction, ...]:
        asked.append(key)
        return BOXES

    task = detector_input(predictions=predictions)
    build_report(report_inputs(tasks=[task]), ReportOptions(max_pictures=1))
    assert set(asked) == {"day/4.jpg"}
