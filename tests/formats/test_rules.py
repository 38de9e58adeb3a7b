from __future__ import annotations

import json
from math import isnan
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies_formats import tasks
from tamis.formats.encoder import from_predictions, to_predictions
from tamis.formats.reader import PredictionReader
from tamis.formats.rules import check_broken, check_predictions
from tamis.formats.rules_geometry import box_statistics, score_ranges
from tamis.formats.wire import required_fields
from tamis.model import CODES, Category, Drops, Prediction, PredictionColumns, Problem, Task, TaskType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Found = tuple[int, int, str]
"""File, position, code."""

ONE_A_FILE = {"probabilities-sum", "probabilities-argmax", "bbox-overhang", "mask-size-unknown"}
BOXES = Task(
    name="boxes",
    task_type=TaskType.OBJECT_DETECTION,
    categories=(Category(id=7, name="bus"), Category(id=2, name="car"), Category(id=4, name="van")),
)


def check(
    task: Task, files: Sequence[Sequence[Prediction]], sizes: Sequence[tuple[int, int]] | None = None
) -> tuple[PredictionColumns, list[Problem]]:
    widths, heights = np.array(sizes or [(0, 0)] * len(files), np.int64).reshape(-1, 2).T
    names = [f"{i}.json" for i in range(len(files))]
    return check_predictions(task, from_predictions(files), files=names, widths=widths, heights=heights)


def found(problems: Sequence[Problem]) -> list[Found]:
    """Return where each problem is; of those that stand for a whole file only the file."""
    places = []
    for problem in problems:
        file = int((problem.file or "").split(".")[0])
        position = int((problem.path or "").split("[")[1].split("]")[0])
        places.append((file, -1 if problem.code in ONE_A_FILE else position, problem.code))
    return places


# --- the rules of the format once more, for one prediction at a time


def slow_rules(task: Task, prediction: Prediction, width: int, height: int) -> Iterator[str]:
    ids = sorted(category.id for category in task.categories)
    if prediction.category_id not in ids:
        yield "category-unknown"
    if prediction.score is not None and not 0 <= prediction.score <= 1:
        yield "score-range"
    if prediction.probabilities is not None:
        yield from slow_probabilities(ids, prediction.category_id, prediction.probabilities)
    if prediction.bbox is not None:
        yield from slow_box(prediction.bbox, width, height)
    if prediction.segmentation is not None:
        yield from slow_mask(prediction.segmentation, width, height)
    if prediction.keypoints is not None:
        names = next((c.keypoint_names for c in task.categories if c.id == prediction.category_id), None)
        n = len(prediction.keypoints)
        if n % 3 or (names is not None and n != 3 * len(names)):
            yield "keypoints-length"
        if any(not 0 <= score <= 1 for score in prediction.keypoints[2::3]):
            yield "keypoint-score-range"


def slow_probabilities(ids: list[int], category_id: int, row: Sequence[float]) -> Iterator[str]:
    if len(row) != len(ids):
        yield "probabilities-length"
    elif any(not 0 <= p <= 1 for p in row):
        yield "probability-range"
    else:
        if abs(sum(row) - 1) > 1e-3:
            yield "probabilities-sum"
        if category_id in ids and row[ids.index(category_id)] < max(row):
            yield "probabilities-argmax"


def slow_box(bbox: Sequence[float], width: int, height: int) -> Iterator[str]:
    x, y, w, h = bbox
    if w < 0 or h < 0:
        yield from ["bbox-size" for side in (w, h) if side < 0]
        return
    if w == 0 or h == 0:
        yield "bbox-empty"
    if width and height:
        inside = all(
            start < limit and start + extent > 0 if extent > 0 else 0 <= start <= limit
            for start, extent, limit in ((x, w, width), (y, h, height))
        )
        if not inside:
            yield "bbox-outside-image"
        elif max(-x, -y, x + w - width, y + h - height) > 2:
            yield "bbox-overhang"


def slow_mask(runs: Sequence[int], width: int, height: int) -> Iterator[str]:
    if any(run < 0 for run in runs):
        yield "mask-run-negative"
    elif width and height and sum(runs) != width * height:
        yield "mask-size"
    if not (width and height):
        yield "mask-size-unknown"


def slow_duplicates(task: Task, file: Sequence[Prediction]) -> Iterator[int]:
    if task.task_type is TaskType.SEMANTIC_SEGMENTATION:
        for i, prediction in enumerate(file):
            if any(before.category_id == prediction.category_id for before in file[:i]):
                yield i


# --- values on both sides of every limit

SCORES = st.sampled_from([-0.1, 0.0, 0.5, 1.0, 1.004, 87.5]) | st.floats(-2, 2)
COORDINATES = st.sampled_from([-5.0, -2.5, -2.0, 0.0, 3.0, 10.0, 12.0, 12.5, 20.0]) | st.floats(-30, 30)
PROBABILITIES = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5, -0.25, 0.3335]) | st.floats(0, 1)


@st.composite
def any_predictions(draw: st.DrawFn, task: Task) -> Prediction:
    """A prediction with the right types and any values."""
    kind = task.task_type
    n = len(task.categories)
    some = st.booleans() if kind is TaskType.KEYPOINT_DETECTION else st.just(value=True)
    box_types = {TaskType.OBJECT_DETECTION, TaskType.INSTANCE_SEGMENTATION, TaskType.KEYPOINT_DETECTION}
    has_box = kind in box_types and draw(some)
    rows = st.none() | st.lists(PROBABILITIES, min_size=n, max_size=n) | st.lists(PROBABILITIES, max_size=n + 1)
    probabilities = draw(rows)
    runs = st.lists(st.integers(-1, 12), max_size=4) | st.sampled_from([[100], [0, 100], [40, 60], [99]])
    keypoints = st.lists(COORDINATES, max_size=12)
    known = st.sampled_from([category.id for category in task.categories])
    return Prediction(
        category_id=draw(known | st.integers(-1, 3)),
        bbox=draw(st.tuples(*[COORDINATES] * 4)) if has_box else None,
        segmentation=tuple(draw(runs)) if kind.has_masks else None,
        keypoints=tuple(draw(keypoints)) if kind is TaskType.KEYPOINT_DETECTION else None,
        score=draw(st.none() | SCORES if kind is TaskType.CLASSIFICATION else SCORES),
        probabilities=None if probabilities is None else tuple(probabilities),
    )


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_rules_over_columns_are_the_rules_of_the_format(data: st.DataObject) -> None:
    """Columns give the problems, and keep the predictions, that a loop over single predictions does."""
    task = data.draw(tasks())
    files = data.draw(st.lists(st.lists(any_predictions(task), max_size=4), max_size=4))
    size = st.sampled_from([(0, 0), (10, 10), (10, 0), (20, 5)])
    sizes = [data.draw(size) for _ in files]
    expected: list[Found] = []
    of_files: set[Found] = set()
    kept: list[list[Prediction]] = []
    for i, (file, (width, height)) in enumerate(zip(files, sizes, strict=True)):
        kept.append([])
        for position, prediction in enumerate(file):
            codes = list(slow_rules(task, prediction, width, height))
            expected += [(i, position, code) for code in codes if code not in ONE_A_FILE]
            of_files |= {(i, -1, code) for code in codes if code in ONE_A_FILE}
            if all(CODES[code].drops is Drops.NOTHING for code in codes):
                kept[-1].append(prediction)
        expected += [(i, position, "mask-duplicate-category") for position in slow_duplicates(task, file)]
    columns, problems = check(task, files, sizes)
    places = found(problems)
    assert sorted(places) == sorted([*expected, *of_files])
    assert to_predictions(columns) == kept
    assert [place[0] for place in places] == sorted(place[0] for place in places)


@settings(deadline=None)
@given(st.data())
def test_a_prediction_without_a_field_has_the_faults_of_its_others(data: st.DataObject) -> None:
    """What is absent or of the wrong type hides no error of the rest, and has none but that itself."""
    task = data.draw(tasks())
    prediction = data.draw(any_predictions(task))
    field = data.draw(st.sampled_from(required_fields(task.task_type)))
    whole = {key: value for key, value in msgspec.to_builtins(prediction).items() if value is not None}
    broken = {key: value for key, value in whole.items() if key != field}
    if data.draw(st.booleans()):
        broken[field] = "x"
    reader = PredictionReader(task)
    for one in (whole, broken):
        reader.add("", json.dumps({"predictions": [one]}).encode())
    read = reader.finish()
    sizes: dict[str, Any] = {
        "widths": np.array([20, 20]),
        "heights": np.array([5, 5]),
        "files": ["whole", "broken"],
    }
    _, found = check_predictions(task, read.columns, **sizes)
    errors = [p for p in found if CODES[p.code].drops is Drops.PREDICTION]
    of_names = field == "category_id" and len(prediction.keypoints or ()) % 3 == 0
    expected = [
        (p.code, p.path)
        for p in errors
        if f"].{field}" not in str(p.path) and not (of_names and p.code == "keypoints-length")
    ]
    said = check_broken(task, read.broken, **sizes)
    assert [(p.code, p.path) for p in said] == expected
    assert {p.file for p in said} <= {"broken"}
    assert len(read.problems) == 1


def box(*bbox: float, **options: object) -> Prediction:
    x, y, w, h = bbox
    options.setdefault("score", 0.5)
    return Prediction(category_id=2, bbox=(x, y, w, h), **options)  # type: ignore[arg-type]


def test_warnings_of_a_file_name_its_worst_prediction() -> None:
    """One warning a file stands for all of it: its path is the worst prediction's, its text counts them."""
    rows = [(0.3, 0.3, 0.3), (1.0, 1.0, 1.0), (0.2, 0.3, 0.5), (1.0, 0.5, 0.0)]
    _, problems = check(BOXES, [[box(0, 0, 1, 1, probabilities=row) for row in rows]])
    assert [(p.code, p.path, p.message) for p in problems] == [
        (
            "probabilities-sum",
            "$.predictions[1].probabilities",
            "expected probabilities that sum to 1, got a sum of 3, the worst of 3 predictions",
        ),
        (
            "probabilities-argmax",
            "$.predictions[2].probabilities",
            "expected the highest probability for category 2, got it for category 7",
        ),
    ]


def test_probabilities_follow_ascending_ids_not_the_order_of_the_schema() -> None:
    """The first value belongs to the lowest id, wherever the schema lists it."""
    _, problems = check(BOXES, [[box(0, 0, 1, 1, probabilities=(0.8, 0.1, 0.1))]])
    assert problems == []


@pytest.mark.parametrize(("total", "codes"), [(1.0, []), (1.001, []), (0.999, []), (1.0011, ["probabilities-sum"])])
def test_sums_have_a_tolerance(total: float, codes: list[str]) -> None:
    """A sum within 0.001 of 1 is silent, one beyond is a warning that keeps the prediction."""
    columns, problems = check(BOXES, [[box(0, 0, 1, 1, probabilities=(0.5, 0.25, total - 0.75))]])
    assert [problem.code for problem in problems] == codes
    assert len(columns) == 1


def test_boxes_at_the_end_of_the_floats_are_only_outside() -> None:
    """Sums that overflow a float are no warning of the computation, only boxes beyond their image."""
    columns, problems = check(BOXES, [[box(1e308, 0, 1.7e308, 5), box(0, 0, 1.7e308, 1)]], [(100, 100)])
    assert [problem.code for problem in problems] == ["bbox-outside-image", "bbox-overhang"]
    assert len(columns) == 1
    statistics = box_statistics(from_predictions([[box(1e308, 0, 1.7e308, 5)]]), np.array([9]), np.array([9]))
    assert statistics["n_leaving_as_xywh"].tolist() == [1]


def test_no_predictions_give_no_problems() -> None:
    """Files without predictions, and no files at all, pass."""
    empty: list[list[list[Prediction]]] = [[], [[]], [[], []]]
    for files in empty:
        columns, problems = check(BOXES, files)
        assert (columns.n_files, len(columns), problems) == (len(files), 0, [])


# --- statistics for findings about the dataset


def test_statistics_count_boxes_as_a_loop_does() -> None:
    """Each count equals that of a loop over the boxes of the file."""
    rng = np.random.default_rng(3)
    sizes = [(100, 80), (0, 0), (50, 50), (10, 10)]
    fractions = np.round(rng.uniform(0, 1.2, (60, 4)), 1)
    pixels = np.round(rng.uniform(-10, 110, (60, 4)), 1)
    rows = np.where(np.arange(60)[:, None] % 3 > 0, pixels, fractions).tolist()
    boxes_with_score = [box(*row, score=None if i == 2 else float(rng.uniform())) for i, row in enumerate(rows)]
    files = [boxes_with_score[i : i + 20] for i in (0, 20, 40)]
    files.append([])
    widths, heights = np.array(sizes).T
    statistics = box_statistics(from_predictions(files), widths, heights)
    ranges = score_ranges(from_predictions(files))
    for i, (file, (width, height)) in enumerate(zip(files, sizes, strict=True)):
        boxes = [prediction.bbox for prediction in file if prediction.bbox is not None]
        sized = boxes if width else []
        leaving = [b for b in sized if leaves(b, width, height)]
        corners = [(x1, y1, x2 - x1, y2 - y1) for x1, y1, x2, y2 in sized]
        scores = [prediction.score for prediction in file if prediction.score is not None]
        assert statistics["n_boxes"][i] == len(boxes)
        assert statistics["n_sized"][i] == len(sized)
        assert statistics["n_leaving_as_xywh"][i] == len(leaving)
        assert statistics["n_leaving_as_corners"][i] == sum(
            leaves(b, width, height) or b[2] <= 0 or b[3] <= 0 for b in corners
        )
        assert statistics["n_normalized"][i] == sum(all(0 <= v <= 1 for v in b) for b in boxes)
        assert ranges["score_min"][i] == min(scores) if scores else isnan(ranges["score_min"][i])
        assert ranges["score_max"][i] == max(scores) if scores else isnan(ranges["score_max"][i])
    assert statistics["n_leaving_as_xywh"][0] > 0
    assert statistics["n_normalized"].sum() > 0


def leaves(bbox: Sequence[float], width: int, height: int) -> bool:
    x, y, w, h = bbox
    return x < -2 or y < -2 or x + w > width + 2 or y + h > height + 2 or w < 0 or h < 0


def test_statistics_see_corners() -> None:
    """Corners written as boxes leave their images as documented and do not as corners."""
    corners = [box(60, 60, 90, 90), box(10, 50, 95, 99), box(80, 5, 99, 15)]
    statistics = box_statistics(from_predictions([corners]), np.array([100]), np.array([100]))
    assert {name: values.tolist() for name, values in statistics.items()} == {
        "n_boxes": [3],
        "n_sized": [3],
        "n_leaving_as_xywh": [3],
        "n_leaving_as_corners": [0],
        "n_normalized": [0],
    }
