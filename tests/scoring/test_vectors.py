from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from strategies_scoring import Files, columns_of, make_task, scenes
from tamis.model import Prediction, Task, TaskType, masks
from tamis.scoring import prediction_vectors, vector_names
from tamis.scoring.geometry import grid_coverage, mask_coverage, object_corners
from tamis.scoring.sketch import SKETCH_SIZE, sketch

if TYPE_CHECKING:
    from random import Random

    from numpy.typing import NDArray

DETECTION = make_task("object-detection", range(6))
SIZES = st.sampled_from([(0, 0), (6, 4), (640, 480), (0, 480)])


def describe(task: Task, files: Files, size: tuple[int, int] = (640, 480)) -> NDArray[np.float32]:
    widths, heights = (np.full(len(files), side, np.int64) for side in size)
    return prediction_vectors(task, columns_of(files), widths, heights)


def mask_size(task: Task, size: tuple[int, int]) -> tuple[int, int]:
    """Masks of the strategies have 6 x 4 pixels: an image of another size would be an error in the data."""
    return (size if size == (0, 0) else (6, 4)) if task.task_type.has_masks else size


def street(rng: np.random.Generator, classes: list[int], middle: float, side: float) -> list[Prediction]:
    """A scene of about eight objects of some classes around a height, of about one size."""
    ones = []
    for _ in range(rng.integers(7, 10)):
        w, h = side * rng.uniform(0.8, 1.2, 2)
        x, y = rng.uniform(0, 640 - w), np.clip(middle + rng.normal(0, 20), 0, 480 - h)
        row = np.full(6, 0.02)
        category_id = int(rng.choice(classes))
        row[category_id] = 0.9
        score = float(rng.uniform(0.6, 0.9))
        ones.append(Prediction(category_id=category_id, bbox=(x, y, w, h), score=score, probabilities=tuple(row)))
    return ones


@given(scenes(), SIZES)
def test_every_file_has_a_vector_of_length_one(scene: tuple[Task, Files], size: tuple[int, int]) -> None:
    """Whatever a file holds, and whether its image's size is known or not, its vector is finite and unit."""
    task, files = scene
    vectors = describe(task, files, mask_size(task, size))
    assert vectors.shape == (len(files), len(vector_names(task)))
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@given(scenes(), SIZES, st.randoms(use_true_random=False))
def test_the_order_of_predictions_does_not_matter(
    scene: tuple[Task, Files], size: tuple[int, int], random: Random
) -> None:
    """Shuffling a file's predictions leaves its vector as it is."""
    task, files = scene
    shuffled = [list(ones) for ones in files]
    for ones in shuffled:
        random.shuffle(ones)
    size = mask_size(task, size)
    np.testing.assert_allclose(describe(task, shuffled, size), describe(task, files, size), atol=1e-6)


@given(scenes(), SIZES)
def test_a_vector_depends_on_its_own_file_only(scene: tuple[Task, Files], size: tuple[int, int]) -> None:
    """A file described alone has the vector that it has among others, to the last bit."""
    task, files = scene
    size = mask_size(task, size)
    together = describe(task, files, size)
    for i, ones in enumerate(files):
        np.testing.assert_array_equal(describe(task, [ones], size)[0], together[i])


def scaled(files: Files, factor: float, shift: float = 0) -> Files:
    """The same detections with all boxes scaled and then shifted."""

    def move(one: Prediction) -> Prediction:
        assert one.bbox is not None
        x, y, w, h = (value * factor for value in one.bbox)
        return structs.replace(one, bbox=(x + shift, y + shift, w, h))

    return [[move(one) for one in ones] for ones in files]


@given(scenes(task=DETECTION), st.sampled_from([0.5, 2, 4]))
def test_scaling_an_image_and_its_boxes_changes_nothing(scene: tuple[Task, Files], factor: float) -> None:
    """The same scene in another resolution has the same vector."""
    task, files = scene
    size = (int(640 * factor), int(480 * factor))
    np.testing.assert_allclose(describe(task, scaled(files, factor), size), describe(task, files), atol=1e-6)


@given(scenes(task=DETECTION))
def test_without_a_size_boxes_are_relative_to_their_extent(scene: tuple[Task, Files]) -> None:
    """Where the image's size is unknown, shifting and scaling all boxes of a file changes nothing."""
    task, files = scene
    moved = describe(task, scaled(files, 2, 100), (0, 0))
    np.testing.assert_allclose(moved, describe(task, files, (0, 0)), atol=1e-4)


def test_similar_scenes_are_nearer_than_different_ones() -> None:
    """Of scenes drawn from four kinds (classes, place, size), the nearest other is of the same kind."""
    rng = np.random.default_rng(0)
    kinds = [([0, 1], 100, 40), ([0, 1], 350, 40), ([0, 1], 100, 120), ([3, 4], 100, 40)]
    files = [street(rng, *kinds[i % 4]) for i in range(80)]
    vectors = describe(DETECTION, files)
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -1)
    assert np.mean(similarity.argmax(axis=1) % 4 == np.arange(80) % 4) >= 0.95


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"category_id": 3}, "category"),
        ({"bbox": (400.0, 300.0, 80.0, 60.0)}, "place"),
        ({"bbox": (20.0, 20.0, 160.0, 120.0)}, "size"),
        ({"bbox": (20.0, 20.0, 60.0, 80.0)}, "aspect"),
        ({"score": 0.4}, "score"),
    ],
)
def test_each_property_of_an_object_moves_the_vector(change: dict[str, Any], what: str) -> None:
    """Another category, place, size, shape or score is seen."""
    base = Prediction(category_id=0, bbox=(20.0, 20.0, 80.0, 60.0), score=0.9)
    vectors = describe(DETECTION, [[base], [structs.replace(base, **change)]])
    assert np.linalg.norm(vectors[0] - vectors[1]) > 0.1, what


@given(st.floats(0, 500), st.floats(0, 400), st.floats(0, 0.95))
def test_a_small_change_stays_small(x: float, y: float, score: float) -> None:
    """Moving a box by a pixel and its score by a hundredth moves the vector by little: no bin has an edge."""
    files = [
        [Prediction(category_id=0, bbox=(x, y, 80, 60), score=score + 0.02)],
        [Prediction(category_id=0, bbox=(x + 1, y + 1, 80, 60), score=score + 0.03)],
    ]
    vectors = describe(DETECTION, files)
    assert np.linalg.norm(vectors[0] - vectors[1]) < 0.15


@given(
    scenes(task=make_task("semantic-segmentation", [1, 5])),
    st.sampled_from([(6, 4), (4, 6), (3, 8), (24, 1)]),
)
def test_mask_coverage_equals_counting_pixels(scene: tuple[Task, Files], size: tuple[int, int]) -> None:
    """The covered part of each cell is what averaging the decoded mask, each pixel cut in 4 x 4, gives."""
    _, files = scene
    width, height = size
    columns = columns_of(files)
    sides = (np.full(len(files), side, np.int64) for side in size)
    expected = []
    for runs in columns.mask.rows():
        assert runs is not None
        fine = np.kron(masks.decode(runs, height, width), np.ones((4, 4)))
        cells = fine.reshape(4, height, 4, width).mean(axis=(1, 3))
        expected.append(cells.ravel())
    found = mask_coverage(columns, *sides)
    np.testing.assert_allclose(found, np.array(expected).reshape(-1, 16), atol=1e-9)


@given(st.tuples(*[st.integers(0, 40)] * 4))
def test_grid_coverage_equals_a_drawn_rectangle(corners: tuple[int, int, int, int]) -> None:
    """The covered part of each cell is what drawing the rectangle on 40 x 40 pixels gives."""
    left, right = sorted(corners[:2])
    top, bottom = sorted(corners[2:])
    drawn = np.zeros((40, 40))
    drawn[top:bottom, left:right] = 1
    found = grid_coverage(np.array([[left, top, right, bottom]]) / 40)
    np.testing.assert_allclose(found[0], drawn.reshape(4, 10, 4, 10).mean(axis=(1, 3)).ravel(), atol=1e-9)


def test_a_mask_of_unknown_width_covers_all_cells_alike() -> None:
    """Rows of a mask cannot be told without the image: its share of the pixels stands in every cell."""
    columns = columns_of([[Prediction(category_id=1, score=1, segmentation=(3, 1))]])
    coverage = mask_coverage(columns, np.array([0]), np.array([0]))
    assert coverage.tolist() == [[0.25] * 16]


def test_an_object_without_a_box_lies_where_its_keypoints_are() -> None:
    """Keypoints of confidence 0 are not there; without any, nothing is known of the place."""
    ones = [
        Prediction(category_id=0, score=1, keypoints=(5, 9, 0.5, 2, 11, 0.1, 0, 0, 0)),
        Prediction(category_id=0, score=1, keypoints=(0, 0, 0)),
        Prediction(category_id=0, score=1, keypoints=(5, 9, 0.5), bbox=(1, 2, 3, 4)),
    ]
    found = object_corners(columns_of([ones])).tolist()
    assert found[0] == [2, 9, 5, 11]
    assert np.isnan(found[1]).all()
    assert found[2] == [1, 2, 4, 6]


@pytest.mark.parametrize("task_type", list(TaskType))
def test_every_dimension_has_its_own_name(task_type: TaskType) -> None:
    """Names are unique, and bounded in number however many categories there are."""
    for n_categories in (1, 10, 5000):
        names = vector_names(make_task(task_type, range(n_categories)))
        assert len(set(names)) == len(names) <= 310


def test_a_sketch_keeps_distances() -> None:
    """A thousand categories in 128 dimensions: distances stay within a third, most within 10 %."""
    rng = np.random.default_rng(0)
    rows = np.where(rng.random((60, 1000)) < 0.01, rng.random((60, 1000)), 0)
    sketched = sketch(rows, range(1000))
    assert sketched.shape == (60, SKETCH_SIZE)
    before, after = (np.linalg.norm(x[:, None] - x[None], axis=2)[np.triu_indices(60, 1)] for x in (rows, sketched))
    ratio = after / before
    assert 0.67 < ratio.min() <= ratio.max() < 1.33
    assert np.median(np.abs(ratio - 1)) < 0.1


def test_no_two_of_many_categories_share_their_sketch() -> None:
    """One-hot rows of 1,500 categories stay apart: none comes nearer than half as far as it was."""
    sketched = sketch(np.eye(1500), range(1500))
    similarity = sketched @ sketched.T - np.eye(1500)
    assert similarity.max() <= 0.75
    assert math.isclose(similarity.mean(), 0, abs_tol=1e-2)


def test_blocks_of_files_do_not_show() -> None:
    """Files described in many blocks have the vectors that they have by themselves."""
    rng = np.random.default_rng(2)
    files = [street(rng, [0, 5], 200, 50) if i % 3 else [] for i in range(1500)]
    vectors = describe(DETECTION, files)
    for i in (0, 1, 700, 1498, 1499):
        np.testing.assert_array_equal(describe(DETECTION, [files[i]])[0], vectors[i])
