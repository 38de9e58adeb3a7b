"""What libraries around models return, written as predictions; the libraries' shapes, not the libraries."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from convert_helpers import read_task
from tamis import PredictionWriter, UsageError, masks

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.model import Prediction

CORNERS = np.array([[1, 2, 4, 6], [0.5, 0, 2, 1]], np.float32)
SIZES = [(1.0, 2.0, 3.0, 4.0), (0.5, 0.0, 1.5, 1.0)]
SCORES = np.array([0.75, 0.5], np.float32)
LABELS = np.array([1, 0])
BITMAPS = np.zeros((2, 6, 4), bool)
BITMAPS[0, 2:6, 1:4] = True
BITMAPS[1, 0, 0:2] = True
RUNS = [tuple(masks.encode(one).tolist()) for one in BITMAPS]
POINTS = np.array([[[1, 2, 0.25], [3, 4, 1]], [[0, 0, 0], [1, 1, 0.5]]], np.float32)
FLAT = [tuple(one.ravel().tolist()) for one in POINTS]
NAMES = ["car", "van"]


class Tensor:
    """As PyTorch's: not readable by numpy before it is detached and moved."""

    def __init__(self, values: Any, dtype: str = "torch.float32") -> None:
        self.values, self.dtype, self.moved = np.asarray(values), dtype, False

    def detach(self) -> Tensor:
        return self

    def float(self) -> Tensor:
        return Tensor(self.values)

    def cpu(self) -> Tensor:
        self.moved = True
        return self

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if not self.moved or "bfloat16" in self.dtype:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        return np.asarray(self.values, dtype)


def written(folder: Path, task_type: str, output: Any, **options: Any) -> list[Prediction]:
    categories: Any = [{"id": i, "name": name} for i, name in enumerate(NAMES)]
    if task_type == "keypoint-detection":
        categories = [one | {"keypoint_names": ["a", "b"]} for one in categories]
    with PredictionWriter(folder, task="t", task_type=task_type, categories=categories) as writer:
        assert writer.write_output("1.jpg", output, **options) == []
    return read_task(folder)[1]["1.jpg"]


def refused(folder: Path, task_type: str, output: Any) -> str:
    writer = PredictionWriter(folder, task="t", task_type=task_type, categories=NAMES)
    with pytest.raises(UsageError) as caught:
        writer.write_output("1.jpg", output)
    assert not list(folder.rglob("1.json"))
    return str(caught.value)


def detections(**changed: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"xyxy": CORNERS, "mask": BITMAPS, "confidence": SCORES, "class_id": LABELS} | changed)


def results(**changed: Any) -> SimpleNamespace:
    boxes = SimpleNamespace(xyxy=Tensor(CORNERS), conf=Tensor(SCORES), cls=Tensor(LABELS.astype(float)))
    empty = {"masks": None, "keypoints": None, "probs": None, "obb": None}
    return SimpleNamespace(**{"boxes": boxes, "names": {}, "orig_shape": (6, 4)} | empty | changed)


TORCHVISION = {"boxes": Tensor(CORNERS), "labels": Tensor(LABELS), "scores": Tensor(SCORES, "torch.bfloat16")}
SEGMENTS = np.array(BITMAPS[0] * 7 + BITMAPS[1] * 9)
INFOS = [{"id": 7, "label_id": 1, "score": 0.75}, {"id": 9, "label_id": 0, "score": 0.5}]
SIDES = ("xmin", "ymin", "xmax", "ymax")
PIPELINE = [
    {"label": NAMES[label], "score": float(score), "box": dict(zip(SIDES, box.tolist(), strict=True))}
    for label, score, box in zip(LABELS, SCORES, CORNERS, strict=True)
]


@pytest.mark.parametrize("output", [detections(), results(), TORCHVISION, PIPELINE], ids=lambda o: type(o).__name__)
def test_boxes_of_every_library_are_the_same(tmp_path: Path, output: Any) -> None:
    """Corners become widths, classes category ids, scores stay."""
    found = written(tmp_path, "object-detection", output)
    assert [(one.category_id, one.score, one.bbox) for one in found] == [(1, 0.75, SIZES[0]), (0, 0.5, SIZES[1])]


@pytest.mark.parametrize(
    "output",
    [
        detections(),
        results(masks=SimpleNamespace(data=Tensor(BITMAPS.astype(float)))),
        TORCHVISION | {"masks": Tensor(BITMAPS[:, None] * 0.5)},
        {"segmentation": Tensor(SEGMENTS), "segments_info": INFOS},
        {"segmentation": Tensor(BITMAPS * 1.0), "segments_info": INFOS},
        [PIPELINE[i] | {"mask": Image.fromarray(BITMAPS[i] * np.uint8(255))} for i in (0, 1)],
    ],
    ids=["supervision", "ultralytics", "torchvision", "segments", "binary maps", "pipeline"],
)
def test_masks_of_every_library_are_the_same(tmp_path: Path, output: Any) -> None:
    """Each object has its pixels, its own box or the one around them, its class and score."""
    found = written(tmp_path, "instance-segmentation", output)
    assert [(one.category_id, one.score, one.segmentation) for one in found] == [
        (1, 0.75, RUNS[0]),
        (0, 0.5, RUNS[1]),
    ]
    assert found[0].bbox == SIZES[0]


def test_masks_of_another_size_than_the_image_are_drawn_from_their_polygons(tmp_path: Path) -> None:
    """Ultralytics gives bitmaps of its network's size, and polygons in pixels of the image."""
    rings = [np.array([[1, 2], [4, 2], [4, 6], [1, 6]]), np.array([[0, 0], [2, 0], [2, 1], [0, 1]])]
    output = results(masks=SimpleNamespace(data=Tensor(np.zeros((2, 64, 64))), xy=rings))
    assert [one.segmentation for one in written(tmp_path, "instance-segmentation", output)] == RUNS


@pytest.mark.parametrize(
    "output",
    [
        SimpleNamespace(
            xy=POINTS[..., :2],
            keypoint_confidence=POINTS[..., 2],
            detection_confidence=SCORES,
            class_id=LABELS,
        ),
        results(keypoints=SimpleNamespace(data=Tensor(POINTS))),
        TORCHVISION
        | {"keypoints": Tensor(np.ones_like(POINTS)), "keypoints_scores": Tensor(POINTS[..., 2])}
        | {"keypoints": Tensor(np.dstack((POINTS[..., :2], np.ones((2, 2)))))},
    ],
    ids=["supervision", "ultralytics", "torchvision"],
)
def test_keypoints_of_every_library_are_the_same(tmp_path: Path, output: Any) -> None:
    """Each keypoint has its place and its confidence, not torchvision's constant flag."""
    found = written(tmp_path, "keypoint-detection", output)
    assert [(one.category_id, one.score, one.keypoints) for one in found] == [(1, 0.75, FLAT[0]), (0, 0.5, FLAT[1])]


@pytest.mark.parametrize(
    ("output", "probabilities", "score"),
    [
        (results(boxes=None, probs=SimpleNamespace(data=Tensor([0.25, 0.75]))), (0.25, 0.75), None),
        ([{"label": "van", "score": 0.75}, {"label": "car", "score": 0.25}], (0.25, 0.75), 0.75),
        ([{"label": "van", "score": 0.75}], None, 0.75),
    ],
)
def test_classes_are_the_likeliest_with_all_probabilities_or_none(
    tmp_path: Path, output: Any, probabilities: Any, score: Any
) -> None:
    """Probabilities are kept where every category has one, and never filled up."""
    [one] = written(tmp_path, "classification", output)
    assert (one.category_id, one.probabilities, one.score) == (1, probabilities, score)


def test_nothing_seen_is_written_as_nothing(tmp_path: Path) -> None:
    """An output without objects is an empty file."""
    none = detections(xyxy=np.zeros((0, 4)), mask=None, confidence=np.zeros(0), class_id=np.zeros(0, int))
    assert written(tmp_path, "instance-segmentation", none) == []
    assert written(tmp_path, "instance-segmentation", []) == []


def test_classes_of_the_model_are_mapped_to_categories(tmp_path: Path) -> None:
    """Other numbers, such as torchvision's that count from 1, become ids by `category_ids`."""
    output = TORCHVISION | {"labels": Tensor([17, 3])}
    found = written(tmp_path, "object-detection", output, category_ids={17: 1, 3: 0})
    assert [one.category_id for one in found] == [1, 0]


@pytest.mark.parametrize(
    ("task_type", "output", "expected"),
    [
        ("object-detection", detections(confidence=None), "expected a score of each object, got none"),
        ("object-detection", detections(class_id=None), "expected `class_id` in the output, got none"),
        ("object-detection", [TORCHVISION], "`output[0]`"),
        ("object-detection", [results()], "`output[0]`"),
        ("object-detection", TORCHVISION | {"boxes": CORNERS / 10}, "`target_sizes`"),
        ("object-detection", results(boxes=None, obb=1), "expected upright boxes, got oriented boxes"),
        ("object-detection", [{"label": "bus", "score": 1.0}], "expected the name of a category, got 'bus'"),
        ("object-detection", TORCHVISION | {"scores": SCORES[:1]}, "expected 2 of each, got 1 of score"),
        ("object-detection", TORCHVISION | {"labels": [0.5, 1]}, "expected whole class numbers"),
        ("object-detection", 7, "got int"),
        ("object-detection", {"pred": 1}, "got a mapping of 'pred'"),
        ("object-detection", TORCHVISION | {"labels": [3, 1]}, "category_id"),
        ("instance-segmentation", TORCHVISION, "expected `segmentation` in the output"),
        ("instance-segmentation", {"segmentation": [[1]], "segments_info": INFOS}, "`return_coco_annotation`"),
        (
            "keypoint-detection",
            TORCHVISION | {"keypoints": POINTS, "keypoints_scores": POINTS[..., 2] * 20},
            "sigmoid()",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused(tmp_path: Path, task_type: str, output: Any, expected: str) -> None:
    """Nothing is invented or guessed: the message says what is missing, and no file is written."""
    assert expected in refused(tmp_path, task_type, output)


MAPS = hnp.arrays(np.float64, st.tuples(st.just(3), st.integers(1, 5), st.integers(1, 5)), elements=st.floats(0, 1))


@given(values=MAPS, statistic=st.sampled_from(["mean", "median"]))
def test_masks_of_a_probability_map_part_the_image(tmp_path_factory: Any, values: Any, statistic: str) -> None:
    """Every pixel is in the mask of its likeliest category alone, whose score is that statistic of its pixels."""
    folder = tmp_path_factory.mktemp("maps")
    writer = PredictionWriter(
        folder, task="t", task_type="semantic-segmentation", categories={9: "z", 2: "b", 4: "c"}
    )
    writer.write_probability_map("1.jpg", values, statistic=statistic, keep_probabilities=True)
    found = read_task(folder)[1]["1.jpg"]
    rows = {2: 0, 4: 1, 9: 2}
    _, height, width = values.shape
    owner = np.full((height, width), -1)
    for one in found:
        mask = masks.decode(one.segmentation or (), height, width)
        assert (owner[mask] == -1).all()
        owner[mask] = rows[one.category_id]
        own = values[rows[one.category_id]]
        assert (own[mask] == values[:, mask].max(axis=0)).all()
        middle = sorted(own[mask].tolist())
        n = len(middle)
        expected = sum(middle) / n if statistic == "mean" else (middle[n // 2] + middle[(n - 1) // 2]) / 2
        assert one.score == pytest.approx(expected)
        assert one.probabilities == pytest.approx([row[mask].sum() / n for row in values])
    assert (owner >= 0).all()


@pytest.mark.parametrize(
    ("values", "statistic", "expected"),
    [
        (np.zeros((3, 2, 2)), "median", "expected probabilities of shape (2, height, width), got (3, 2, 2)"),
        (np.full((2, 2, 2), 3.0), "mean", "apply softmax to logits"),
        (np.full((2, 2, 2), np.nan), "mean", "expected probabilities in [0, 1], got nan"),
        (np.zeros((2, 2, 2)), "max", "expected `median` or `mean`, got `max`"),
        (np.zeros((2, 0, 2)), "mean", "got (2, 0, 2)"),
    ],
)
def test_maps_that_are_none_are_refused(tmp_path: Path, values: Any, statistic: str, expected: str) -> None:
    """Another shape, logits and unknown statistics are named, and nothing is written."""
    writer = PredictionWriter(tmp_path, task="t", task_type="semantic-segmentation", categories=NAMES)
    with pytest.raises(UsageError) as caught:
        writer.write_probability_map("1.jpg", values, statistic=statistic)
    assert expected in str(caught.value)
    assert not list(tmp_path.rglob("1.json"))


def test_the_library_itself_gives_the_same(tmp_path: Path) -> None:
    """`supervision.Detections` as it is, where it is installed."""
    sv = pytest.importorskip("supervision", reason="supervision is not installed")
    found = written(
        tmp_path,
        "instance-segmentation",
        sv.Detections(xyxy=CORNERS, mask=BITMAPS, confidence=SCORES, class_id=LABELS),
    )
    assert [one.segmentation for one in found] == RUNS
