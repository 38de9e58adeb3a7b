# ruff: noqa: E501 (a pinned text stands on one line)
from __future__ import annotations

from typing import NamedTuple

import pytest

from tamis.formats import PredictionReader, decode_predictions
from tamis.model import Category, Problem, Task, TaskType
from tamis.model.problem_codes import JSON_CODES, PREDICTION_CODES


class Case(NamedTuple):
    """A faulty file, and all that is said about it: code, path, line and column, message."""

    task_type: str
    data: bytes
    said: list[str]
    size: tuple[int, int] = (10, 5)


CATEGORIES = (
    Category(id=0, name="car"),
    Category(id=1, name="bus"),
    Category(id=2, name="van", keypoint_names=("front", "rear")),
)
CASES = [
    Case(
        "object-detection",
        b'{"file_name": "caf\xe9.jpg",\n "predictions": []}',
        ["json-encoding at the file (1:19): expected UTF-8, got the byte `0xe9`"],
    ),
    Case(
        "object-detection",
        b"\xff\xfe{\x00}\x00",
        ["json-encoding at the file (1:1): expected UTF-8, got UTF-16"],
    ),
    Case(
        "object-detection",
        b'\xef\xbb\xbf{"predictions": []}',
        ["json-bom at the file (1:1): expected the JSON to start at the first byte, got a byte order mark"],
    ),
    Case(
        "object-detection",
        b"",
        ["json-empty at the file (1:1): expected a JSON value, got an empty file"],
    ),
    Case(
        "object-detection",
        b'{"predictions": [\n {"category_id": 0, "bbox": [1, 2',
        ["json-truncated at $.predictions[0].bbox (2:34): expected `]`, got the end of the file"],
    ),
    Case(
        "object-detection",
        b"{'predictions': []}",
        ["json-syntax at $ (1:2): expected a key in double quotes, got `'predictions'`"],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": 0 "bbox": [1, 2, 3, 4], "score": 1}]}',
        ['json-syntax at $.predictions[0] (1:36): expected `,` or `}`, got `"bbox":`'],
    ),
    Case(
        "object-detection",
        b'{"predictions": [\n  {"category_id": 0, "bbox": [1, 2, 3, 4], "score": 1},\n]}',
        ["json-trailing-comma at $.predictions (2:55): expected another entry after the comma, got `]`"],
    ),
    Case(
        "object-detection",
        b'{"predictions": []}\n{"predictions": []}',
        ["json-trailing-text at the file (2:1): expected the end of the file, got `{`"],
    ),
    Case(
        "object-detection",
        b'{"file_name": "images\\q.jpg", "predictions": []}',
        ["json-string at $.file_name (1:22): expected an escape that JSON has, got `\\q`"],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": 0, "bbox": [1, 2, 3, 4], "score": .5}]}',
        ["json-number at $.predictions[0].score (1:68): expected a number as JSON spells it, got `.5`"],
    ),
    Case(
        "object-detection",
        b'{"predictions": [], "predictions": []}',
        ["json-duplicate-key at $.predictions (1:36): expected each key once, got `predictions` again"],
    ),
    Case(
        "object-detection",
        b'{"predictions": [\n {"category_id": 0, "bbox": [NaN, 2, 3, 4], "score": 1}]}',
        ["number-not-finite at $.predictions[0].bbox[0] (2:30): expected a finite number, got `NaN`"],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": 0, "bbox": [1, 2, 3, 1e400], "score": 1}]}',
        ["number-not-finite at $.predictions[0].bbox[3] (1:55): expected a number that fits a float, got `1e400`"],
    ),
    Case(
        "object-detection",
        b'[{"category_id": 0}]',
        ["wrong-type at $ (1:1): expected an object with `predictions`, got a list of 1"],
    ),
    Case(
        "object-detection",
        b'{"file_name": 12, "predictions": {"0": []}}',
        [
            "wrong-type at $.file_name (1:15): expected a string, got `12`",
            "wrong-type at $.predictions (1:34): expected a list of predictions, got an object",
        ],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": "0", "bbox": {"x": 1}, "score": true}, 3]}',
        [
            'wrong-type at $.predictions[0].category_id (1:34): expected an integer, got the string `"0"`',
            "wrong-type at $.predictions[0].bbox (1:47): expected a list of 4 numbers, got an object",
            "wrong-type at $.predictions[0].score (1:66): expected a number, got `true`",
            "wrong-type at $.predictions[1] (1:73): expected an object, got `3`",
        ],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": 1.0, "bbox": [1, 2, 3, 4], "score": 1, "probabilities": ["0.1", "0.9", null]}]}',
        [
            "wrong-type at $.predictions[0].category_id (1:34): expected an integer, got `1.0`",
            'wrong-type at $.predictions[0].probabilities[0] (1:91): expected a number, got the string `"0.1"`, and 2 more like it',
        ],
    ),
    Case(
        "semantic-segmentation",
        b'{"predictions": [{"category_id": 0, "segmentation": {"size": [2, 2], "counts": "04"}, "score": 1}]}',
        ["wrong-type at $.predictions[0].segmentation (1:53): expected a list of run lengths, got an object"],
    ),
    Case(
        "semantic-segmentation",
        b'{"predictions": [{"category_id": 0, "segmentation": [[1.5, 2, 3, 4, 5, 6]], "score": 1}]}',
        ["wrong-type at $.predictions[0].segmentation[0] (1:54): expected a run length, got a list of 6"],
    ),
    Case(
        "semantic-segmentation",
        b'{"predictions": [{"category_id": 0, "segmentation": [4.0, 5.0], "score": 1}]}',
        [
            "wrong-type at $.predictions[0].segmentation[0] (1:54): expected a run length, an integer, got `4.0`, and 1 more like it"
        ],
    ),
    Case(
        "object-detection",
        b'{"file_name": "a.jpg", "detections": []}',
        ["missing-field at $ (1:1): expected the key `predictions`, got an object without it"],
    ),
    Case(
        "object-detection",
        b'{"predictions": [\n  {"score": 0.5}]}',
        [
            "missing-field at $.predictions[0] (2:3): expected the field `category_id` of object-detection, got none",
            "missing-field at $.predictions[0] (2:3): expected the field `bbox` of object-detection, got none",
        ],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": 0, "bbox": [1, 2, 3], "score": 1}]}',
        ["bbox-length at $.predictions[0].bbox (1:45): expected 4 numbers `[x, y, width, height]`, got 3"],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": 0, "bbox": [1, 2, 3, 4]}, {"category_id": 0, "bbox": [1, 2, 3, 4], "score": null}]}',
        [
            "score-missing at $.predictions[0] (1:18): expected a score from 0 to 1, got none",
            "score-missing at $.predictions[1] (1:60): expected a score from 0 to 1, got `null`",
        ],
    ),
    Case(
        "object-detection",
        b'{"filename": "a.jpg", "predictions": []}',
        ["file-name-alias at $.filename: expected the key `file_name`, got `filename`"],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": 3, "bbox": [1, 2, 3, 4], "score": 1}]}',
        [
            "category-unknown at $.predictions[0].category_id: expected a category id of the schema (0 to 2), got `3`"
        ],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": 0, "bbox": [1, 2, 3, 4], "score": 87.5}]}',
        ["score-range at $.predictions[0].score: expected a score from 0 to 1, got `87.5`"],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": 0, "bbox": [1, 2, 3, 4], "score": 1, "probabilities": [0.2, 0.8]}]}',
        ["probabilities-length at $.predictions[0].probabilities: expected 3 probabilities, one a category, got 2"],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": 0, "bbox": [1, 2, 3, 4], "score": 1, "probabilities": [0.2, -1.25, 3]}]}',
        [
            (
                "probability-range at $.predictions[0].probabilities[1]: expected a probability from 0 to 1, "
                "got `-1.25`, and 1 more like it"
            )
        ],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": 0, "bbox": [1, 2, 3, 4], "score": 1, "probabilities": [0.9, 0.8, 0.1]}]}',
        [
            "probabilities-sum at $.predictions[0].probabilities: expected probabilities that sum to 1, got a sum of 1.8"
        ],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": 0, "bbox": [1, 2, 3, 4], "score": 1, "probabilities": [0.2, 0.8, 0]}]}',
        [
            "probabilities-argmax at $.predictions[0].probabilities: expected the highest probability for category 0, got it for category 1"
        ],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": 0, "bbox": [5, 5, -4, 2.5], "score": 1}]}',
        ["bbox-size at $.predictions[0].bbox[2]: expected a width >= 0, got `-4`"],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": 0, "bbox": [5, 5, 4, 0], "score": 1}]}',
        ["bbox-empty at $.predictions[0].bbox[3]: expected a height > 0, got `0`"],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": 0, "bbox": [12, 2, 3, 4], "score": 1}]}',
        [
            "bbox-outside-image at $.predictions[0].bbox: expected a box in the image of 10 x 5 pixels, got `[12, 2, 3, 4]`"
        ],
    ),
    Case(
        "object-detection",
        b'{"predictions": [{"category_id": 0, "bbox": [1, 2, 12, 4], "score": 1}, {"category_id": 0, "bbox": [1, 2, 15.5, 4], "score": 1}]}',
        [
            "bbox-overhang at $.predictions[1].bbox: expected a box within the image of 10 x 5 pixels, got `[1, 2, 15.5, 4]` that reaches 6.5 pixels beyond, the worst of 2 boxes"
        ],
    ),
    Case(
        "semantic-segmentation",
        b'{"predictions": [{"category_id": 0, "segmentation": [52, -2], "score": 1}]}',
        ["mask-run-negative at $.predictions[0].segmentation[1]: expected a run length >= 0, got `-2`"],
    ),
    Case(
        "semantic-segmentation",
        b'{"predictions": [{"category_id": 0, "segmentation": [20, 29], "score": 1}]}',
        [
            "mask-size at $.predictions[0].segmentation: expected run lengths that sum to 50 (5 rows x 10 columns), got 49"
        ],
    ),
    Case(
        "semantic-segmentation",
        b'{"predictions": [{"category_id": 0, "segmentation": [20, 30], "score": 1}, {"category_id": 1, "segmentation": [1], "score": 1}]}',
        [
            "mask-size-unknown at $.predictions[0].segmentation: expected an image of known size for 2 masks, got none"
        ],
        size=(0, 0),
    ),
    Case(
        "semantic-segmentation",
        b'{"predictions": [{"category_id": 1, "segmentation": [20, 30], "score": 1}, {"category_id": 1, "segmentation": [50], "score": 1}]}',
        [
            "mask-duplicate-category at $.predictions[1].category_id: expected one mask of category 1 in a file, got another one after `$.predictions[0]`"
        ],
    ),
    Case(
        "keypoint-detection",
        b'{"predictions": [{"category_id": 0, "keypoints": [1, 2], "score": 1}, {"category_id": 2, "keypoints": [1, 2, 0.5], "score": 1}]}',
        [
            "keypoints-length at $.predictions[0].keypoints: expected triplets x, y, score, got 2 numbers",
            "keypoints-length at $.predictions[1].keypoints: expected 2 triplets, one for each keypoint of category 2, got 1",
        ],
    ),
    Case(
        "keypoint-detection",
        b'{"predictions": [{"category_id": 2, "keypoints": [1, 2, 1, 3, 4, 2], "score": 1}]}',
        [
            "keypoint-score-range at $.predictions[0].keypoints[5]: expected a keypoint's confidence from 0 to 1, got `2`"
        ],
    ),
]


def said(problems: list[Problem]) -> list[str]:
    texts = []
    for problem in problems:
        place = "" if problem.line is None else f" ({problem.line}:{problem.column})"
        texts.append(f"{problem.code} at {problem.path or 'the file'}{place}: {problem.message}")
    return texts


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.said[0].split()[0])
def test_the_whole_text_of_every_problem(case: Case) -> None:
    """Each fault says where it is, what was expected and what is there, word for word."""
    task = Task(name="cars", task_type=TaskType(case.task_type), categories=CATEGORIES)
    _, problems = decode_predictions(task, case.data, file="a.json", size=case.size, strict=True)
    assert said(problems) == case.said
    assert {(problem.task, problem.file) for problem in problems} == {("cars", "a.json")}


def test_deep_nesting_is_one_fault_and_no_exhausted_stack() -> None:
    """10,000 open brackets are reported where the limit is passed."""
    task = Task(name="cars", task_type=TaskType.OBJECT_DETECTION, categories=CATEGORIES)
    _, problems = decode_predictions(task, b'{"predictions": ' + b"[" * 10_000, file="a.json")
    (problem,) = [problem for problem in problems if problem.code == "json-depth"]
    assert (problem.line, problem.column) == (1, 80)
    assert problem.message == "expected at most 64 nested lists and objects, got more"


def test_every_code_that_reading_can_give_has_a_case() -> None:
    """A code without a pinned text fails here."""
    emitted = {text.split()[0] for case in CASES for text in case.said}
    elsewhere = {"file-unreadable", "file-too-large", "json-depth"}
    codes = {code.code for code in (*JSON_CODES, *PREDICTION_CODES)} - elsewhere
    assert emitted == codes | {"file-name-alias"}


@pytest.mark.parametrize(
    ("score", "hint"),
    [
        (1.0000001, "Rounding pushed it past 1: clip with `min(score, 1.0)` before writing"),
        (
            1.25,
            "Some models, pose models above all, give scores slightly above 1: clip with `min(score, 1.0)`. If the others are larger, this is percent (divide by 100) or a logit (put it through a sigmoid)",
        ),
        (87.5, "This looks like percent or a logit: divide percent by 100, put logits through a sigmoid"),
    ],
)
def test_a_score_out_of_range_says_how_to_scale_it(score: float, hint: str) -> None:
    """The advice depends on the value, which is shown with all its digits."""
    task = Task(name="cars", task_type=TaskType.CLASSIFICATION, categories=CATEGORIES)
    data = b'{"predictions": [{"category_id": 0, "score": %r}]}' % score
    (problem,) = decode_predictions(task, data, file="a.json")[1]
    assert problem.message == f"expected a score from 0 to 1, got `{score!r}`"
    assert problem.advice == hint


@pytest.mark.parametrize(
    ("segmentation", "words"),
    [(b'{"size": [5, 10], "counts": [50]}', "counts down the columns"), (b"[[0, 0, 4, 0, 4, 4]]", "polygon")],
)
def test_other_spellings_of_masks_say_how_to_convert_them(segmentation: bytes, words: str) -> None:
    """COCO's run lengths and polygons are named as what they are."""
    task = Task(name="cars", task_type=TaskType.SEMANTIC_SEGMENTATION, categories=CATEGORIES)
    reader = PredictionReader(task)
    reader.add("a.json", b'{"predictions": [{"category_id": 0, "score": 1, "segmentation": %b}]}' % segmentation)
    (problem,) = reader.finish().problems
    assert problem.code == "wrong-type"
    assert words in problem.advice
