from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies_formats import prediction_lists, tasks, tasks_with_predictions, text
from tamis.formats.encoder import decode_predictions, encode_predictions, from_predictions, to_predictions
from tamis.model import Category, Prediction, Severity, Task, TaskType

BOXES = Task(name="boxes", task_type=TaskType.OBJECT_DETECTION, categories=(Category(id=0, name="car"),))


@given(tasks_with_predictions(), st.none() | text)
def test_decoding_what_was_encoded_gives_the_same_predictions_without_error(
    drawn: tuple[Task, list[Prediction]], file_name: str | None
) -> None:
    """decode(encode(x)) == x for every task type."""
    task, predictions = drawn
    decoded, problems = decode_predictions(task, encode_predictions(task, file_name, predictions), file="f.json")
    assert decoded == predictions
    assert [problem for problem in problems if problem.severity is Severity.ERROR] == []


@given(st.data())
def test_columns_and_predictions_are_inverse(data: st.DataObject) -> None:
    """to_predictions(from_predictions(x)) == x for any number of files."""
    task = data.draw(tasks())
    files = data.draw(st.lists(prediction_lists(task), max_size=4))
    assert to_predictions(from_predictions(files)) == files


def test_only_fields_of_the_task_type_are_written() -> None:
    """A detection file holds neither masks nor keypoints, and null is written as absence."""
    prediction = Prediction(
        category_id=0, bbox=(1.5, 2.0, 3.0, 4.0), segmentation=(1,), keypoints=(1.0, 2.0, 0.5), score=0.25
    )
    written = json.loads(encode_predictions(BOXES, None, [prediction]))
    assert written == {"predictions": [{"category_id": 0, "bbox": [1.5, 2.0, 3.0, 4.0], "score": 0.25}]}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_json_cannot_say_is_refused(value: float) -> None:
    """A number that is not finite raises, naming field and prediction, instead of becoming null."""
    prediction = Prediction(category_id=0, bbox=(0.0, 0.0, value, 1.0), score=0.5)
    with pytest.raises(ValueError, match=r"expected finite numbers in bbox of prediction 1"):
        encode_predictions(BOXES, "a.jpg", [Prediction(category_id=0, bbox=(0, 0, 1, 1), score=1), prediction])


@given(st.floats(0, 1))
def test_floats_survive_exactly(score: float) -> None:
    """Every double in a file reads back with the same bits."""
    data = encode_predictions(BOXES, None, [Prediction(category_id=0, bbox=(0, 0, 1, 1), score=score)])
    decoded, _ = decode_predictions(BOXES, data, file="f.json")
    assert decoded[0].score is not None
    assert decoded[0].score.hex() == score.hex()
