from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies_scoring import Files, columns_of, make_task, scenes
from tamis.errors import UsageError
from tamis.model import Category, Prediction, Task, TaskType
from tamis.scoring import (
    SCORE_NAMES,
    available_scores,
    category_counts,
    check_score,
    class_rows,
    map_object_frequency,
    object_scores,
    row_uncertainty,
    sample_scores,
)

if TYPE_CHECKING:
    from random import Random

    from tamis.model.columns import Floats

THREE = make_task("object-detection", [0, 1, 2])


def box(category_id: int, score: float, row: tuple[float, ...] | None = None) -> Prediction:
    return Prediction(category_id=category_id, bbox=(0, 0, 9, 9), score=score, probabilities=row)


def score(task: Task, files: Files) -> dict[str, Floats]:
    columns = columns_of(files)
    return sample_scores(task, columns, object_scores=object_scores(task, columns))


def test_golden_values_of_object_detection() -> None:
    """The published example: two objects, none, and one nearly uniform."""
    first = [box(0, 0.6 * 0.5, (0.5, 0.4, 0.1)), box(1, 0.9 * 0.8, (0.1, 0.8, 0.1))]
    scores = score(THREE, [first, [], [box(0, 0.34, (0.34, 0.33, 0.33))]])
    expected = {
        "uncertainty_least_confidence": [0.75, 0, 0.99],
        "uncertainty_margin": [0.9, 0, 0.99],
        "uncertainty_entropy": [0.858673, 0, 0.999909],
        "objectness_least_confidence": [0.49, 0, 0.66],
        "object_frequency": [2, 0, 1],
    }
    assert set(scores) == set(expected)
    for name, values in expected.items():
        assert scores[name].tolist() == pytest.approx(values, abs=1e-6), name
    assert map_object_frequency(scores["object_frequency"]).tolist() == pytest.approx([1, 0.9, 0.95])


def test_golden_values_of_keypoints() -> None:
    """Instances with confidences (.5, .7) and (.1) have a mean uncertainty of .65."""
    task = make_task("keypoint-detection", [0, 1])
    instances = [
        Prediction(category_id=0, score=0.5, keypoints=(1, 2, 0.5, 3, 4, 0.7)),
        Prediction(category_id=0, score=0.5, keypoints=(1, 2, 0.1)),
    ]
    assert score(task, [instances, []])["mean_uncertainty"].tolist() == pytest.approx([0.65, 0])


def test_one_category_has_all_three_scores_from_its_confidence() -> None:
    """With one category the row is [s, 1 - s], s being the score, else the single probability, else null."""
    task = make_task("classification", [7])
    files = [
        [Prediction(category_id=7, score=0.9, probabilities=(0.2,))],
        [Prediction(category_id=7, probabilities=(0.75,))],
        [Prediction(category_id=7)],
    ]
    scores = score(task, files)
    assert scores["uncertainty_least_confidence"].tolist() == pytest.approx([0.2, 0.5, np.nan], nan_ok=True)
    assert scores["uncertainty_margin"].tolist() == pytest.approx([0.2, 0.5, np.nan], nan_ok=True)
    assert scores["uncertainty_entropy"].tolist() == pytest.approx([0.468996, 0.811278, np.nan], nan_ok=True)


def test_one_object_without_probabilities_makes_margin_and_entropy_of_its_sample_null() -> None:
    """Least confidence falls back on the score; margin and entropy are unknown, not the others' maximum."""
    scores = score(THREE, [[box(0, 0.6), box(1, 0.9, (0.1, 0.8, 0.1))], [box(1, 0.9, (0.1, 0.8, 0.1))]])
    assert scores["uncertainty_least_confidence"].tolist() == pytest.approx([0.6, 0.3])
    assert np.isnan(scores["uncertainty_margin"]).tolist() == [True, False]
    assert np.isnan(scores["uncertainty_entropy"]).tolist() == [True, False]


def test_a_file_that_was_dropped_has_null_scores_and_an_empty_one_has_zero() -> None:
    """Unknown is NaN in every score; a file that says "nothing here" is certain."""
    columns = columns_of([[], [], [box(0, 0.5)]])
    has_file = np.array([True, False, True])
    scores = sample_scores(THREE, columns, object_scores=object_scores(THREE, columns), has_file=has_file)
    for name, values in scores.items():
        assert values[0] == 0, name
        assert np.isnan(values[1]), name


def test_masks_weigh_by_their_area() -> None:
    """A mask of 3 pixels counts three times as much as one of 1 pixel; empty masks count as no masks."""
    task = make_task("semantic-segmentation", [0, 1])
    small = Prediction(category_id=0, score=1, segmentation=(0, 1, 3), probabilities=(1, 0))
    large = Prediction(category_id=1, score=1, segmentation=(1, 3), probabilities=(0.5, 0.5))
    empty = Prediction(category_id=1, score=1, segmentation=(4,), probabilities=(0.5, 0.5))
    assert score(task, [[small, large], [empty], []])["uncertainty_entropy"].tolist() == [0.75, 0, 0]
    assert class_rows(task, columns_of([[small, large]])).tolist() == [[2.5, 1.5]]


def test_rows_that_sum_to_zero_say_nothing_and_others_need_not_sum_to_one() -> None:
    """Sigmoid rows: least confidence and margin take them as they are, entropy divides by the sum."""
    scores = row_uncertainty(np.array([[0.0, 0.0], [0.9, 0.9], [5e-324, 5e-324]]))
    assert np.isnan([values[0] for values in scores]).all()
    assert [values[1] for values in scores] == pytest.approx([0.2, 1, 1])
    assert scores.entropy[2] == 1


@given(scenes(), st.randoms(use_true_random=False))
def test_the_order_of_predictions_in_a_file_does_not_matter(scene: tuple[Task, Files], random: Random) -> None:
    """Shuffling a file's predictions leaves its scores as they are."""
    task, files = scene
    shuffled = [list(ones) for ones in files]
    for ones in shuffled:
        random.shuffle(ones)
    before, after = score(task, files), score(task, shuffled)
    for name, values in before.items():
        np.testing.assert_allclose(after[name], values, rtol=0, atol=1e-12, err_msg=name)


@given(scenes())
def test_a_file_scores_the_same_alone_to_the_last_bit(scene: tuple[Task, Files]) -> None:
    """What a file is scored together with changes no bit: a rescan of one file agrees with a full scan."""
    task, files = scene
    together, rows = score(task, files), class_rows(task, columns_of(files))
    for i, ones in enumerate(files):
        for name, values in score(task, [ones]).items():
            np.testing.assert_array_equal(values, together[name][i : i + 1], err_msg=name)
        np.testing.assert_array_equal(class_rows(task, columns_of([ones])), rows[i : i + 1])


@given(scenes())
def test_scores_lie_in_the_unit_interval_without_negative_zero(scene: tuple[Task, Files]) -> None:
    """Every score but the stored object frequency is NaN or in [0, 1], and zero is +0."""
    task, files = scene
    scores = score(task, files) | {f"object {k}": v for k, v in object_scores(task, columns_of(files)).items()}
    for name, values in scores.items():
        known = values[~np.isnan(values)]
        assert not np.signbit(known).any(), name
        assert name == "object_frequency" or (known <= 1).all(), name


@pytest.mark.parametrize("n_categories", [2, 3, 64, 65, 1000])
def test_blocks_do_not_show(n_categories: int) -> None:
    """Rows scored in many blocks are scored as by themselves."""
    rows = np.random.default_rng(0).dirichlet(np.full(n_categories, 0.3), 200_000 // n_categories)
    scores = row_uncertainty(rows)
    for i in (0, len(rows) // 2, len(rows) - 1):
        alone = row_uncertainty(rows[i : i + 1])
        assert [values[0] for values in alone] == [values[i] for values in scores]


def test_files_that_fill_blocks_are_summed_whole() -> None:
    """Class rows of large files are the plain sums of their rows."""
    rng = np.random.default_rng(1)
    task = make_task("object-detection", range(500))
    rows = [[tuple(row) for row in rng.random((n, 500)).tolist()] for n in (300, 0, 1, 200)]
    files = [[box(0, 0.5, row) for row in ones] for ones in rows]
    expected = [np.sum(ones, axis=0) if ones else np.zeros(500) for ones in rows]
    np.testing.assert_allclose(class_rows(task, columns_of(files)), expected)


@given(st.lists(st.one_of(st.just(np.nan), st.floats(0, 1e6)), max_size=8), st.floats(0, 1))
def test_object_frequency_is_mapped_onto_its_range_in_order(n: list[float], minimum: float) -> None:
    """The smallest becomes `minimum`, the largest 1, order is kept and nulls stay null."""
    frequency = np.array(n, np.float64)
    mapped = map_object_frequency(frequency, minimum=minimum)
    assert np.isnan(mapped).tolist() == np.isnan(frequency).tolist()
    known, values = frequency[~np.isnan(frequency)], mapped[~np.isnan(mapped)]
    if len(known):
        assert values[known.argmax()] == pytest.approx(1)
        assert values[known.argmin()] == pytest.approx(1 if known.min() == known.max() else minimum)
        assert (np.diff(values[np.argsort(known)]) >= 0).all()


def test_category_counts_count_all_or_the_named() -> None:
    """Counts are per file, of the named categories only where names are given."""
    columns = columns_of([[box(0, 0.5), box(2, 0.5), box(2, 0.5)], [], [box(1, 0.5)]])
    assert category_counts(THREE, columns).tolist() == [3, 0, 1]
    assert category_counts(THREE, columns, ["class 2", "class 1"]).tolist() == [2, 0, 1]
    assert category_counts(THREE, columns, []).tolist() == [0, 0, 0]


def test_two_categories_of_one_name_are_counted_together() -> None:
    """A name that two categories share stands for both."""
    twins = (Category(id=3, name="cat"), Category(id=8, name="cat"), Category(id=9, name="dog"))
    task = Task(name="t", task_type=TaskType.OBJECT_DETECTION, categories=twins)
    columns = columns_of([[box(3, 0.5), box(8, 0.5), box(9, 0.5)]])
    assert category_counts(task, columns, ["cat"]).tolist() == [2]


def test_an_unknown_category_name_is_refused() -> None:
    """The error lists the task's categories and the nearest name."""
    with pytest.raises(UsageError) as caught:
        category_counts(THREE, columns_of([[]]), ["clas 2"])
    assert str(caught.value) == (
        "Task `task` has no category `clas 2`; it has `class 0`, `class 1`, `class 2`\n"
        "hint: did you mean `class 2`?"
    )


@pytest.mark.parametrize("task_type", list(TaskType))
@pytest.mark.parametrize("n_categories", [1, 3])
def test_available_scores_are_those_that_some_sample_has(task_type: TaskType, n_categories: int) -> None:
    """A score is offered exactly when predictions without probabilities, or with them, are given a number."""
    task = make_task(task_type, range(n_categories))
    for with_rows in (False, True):
        row = (0.5,) * n_categories if with_rows else None
        one = Prediction(category_id=0, score=0.5, probabilities=row, segmentation=(0, 4), keypoints=(1, 1, 0.5))
        scores = score(task, [[one]])
        expected = tuple(name for name in SCORE_NAMES[task_type] if not np.isnan(scores[name]).all())
        assert available_scores(task, has_probabilities=with_rows) == expected
        for name in expected:
            check_score(task, name, has_probabilities=with_rows)


@pytest.mark.parametrize(
    ("task_type", "name", "has", "text"),
    [
        (
            "object-detection",
            "uncertainty_margin",
            (False, True),
            (
                "Task `task` has no score `uncertainty_margin`: its predictions have no `probabilities`; "
                "it has `uncertainty_least_confidence`, `objectness_least_confidence`, `object_frequency`\n"
                "hint: write the probability of every category, in ascending order of id, as `probabilities`"
            ),
        ),
        (
            "classification",
            "object_frequency",
            (True, True),
            (
                "Task `task` has no score `object_frequency`: a task of type classification cannot have it; "
                "it has `uncertainty_least_confidence`, `uncertainty_margin`, `uncertainty_entropy`"
            ),
        ),
        (
            "semantic-segmentation",
            "uncertainty_entorpy",
            (True, True),
            (
                "Task `task` has no score `uncertainty_entorpy`: there is no score of that name; it has "
                "`uncertainty_least_confidence`, `uncertainty_margin`, `uncertainty_entropy`\n"
                "hint: did you mean `uncertainty_entropy`?"
            ),
        ),
        (
            "classification",
            "uncertainty_least_confidence",
            (False, False),
            (
                "Task `task` has no score `uncertainty_least_confidence`: its predictions have neither "
                "`probabilities` nor `score`; it has no score at all\n"
                "hint: write the probability of every category, in ascending order of id, as `probabilities`"
            ),
        ),
    ],
)
def test_a_score_that_a_task_cannot_have_is_refused(
    task_type: str, name: str, has: tuple[bool, bool], text: str
) -> None:
    """The error says why, lists what the task has, and what to do."""
    with pytest.raises(UsageError) as caught:
        check_score(make_task(task_type, range(3)), name, has_probabilities=has[0], has_confidences=has[1])
    assert str(caught.value) == text


def test_rows_of_another_length_are_refused() -> None:
    """Unchecked probabilities are a bug of the caller, said as such."""
    with pytest.raises(ValueError, match="expected rows of 3 probabilities, got others"):
        object_scores(THREE, columns_of([[box(0, 0.5, (0.5, 0.5))]]))
    with pytest.raises(ValueError, match="at least 2 probabilities, got 1"):
        row_uncertainty(np.ones((4, 1)))
