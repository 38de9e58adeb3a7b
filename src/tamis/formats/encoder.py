"""Predictions as values: to JSON and back, to columns and back."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tamis.formats.reader import PredictionReader
from tamis.formats.rules import check_predictions
from tamis.formats.wire import field_names
from tamis.model import Prediction, PredictionColumns, Problem, Ragged, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

UNKNOWN_SIZE = (0, 0)

_encoder = msgspec.json.Encoder()


def encode_predictions(task: Task, file_name: str | None, predictions: Sequence[Prediction]) -> bytes:
    """Return the prediction file of one sample; floats are written so that they read back exactly.

    Written are the fields that the task's type has. Whether the values keep the format's rules is what
    `decode_predictions` says.

    Args:
        task: whose file it is.
        file_name: the sample's key; `None` writes none.
        predictions: any number of them.

    Raises:
        ValueError: when a number is not finite, which JSON cannot say.

    >>> from tamis.model import Category, TaskType
    >>> task = Task(
    ...     name="cars",
    ...     task_type=TaskType.OBJECT_DETECTION,
    ...     categories=(Category(id=0, name="car"),),
    ... )
    >>> encode_predictions(task, "a.jpg", [Prediction(category_id=0, bbox=(1, 2, 3, 4), score=0.5)])
    b'{"file_name":"a.jpg","predictions":[{"category_id":0,"bbox":[1,2,3,4],"score":0.5}]}'
    """
    fields = field_names(task.task_type)
    entries = [_entry(fields, prediction, position) for position, prediction in enumerate(predictions)]
    name = {} if file_name is None else {"file_name": file_name}
    return _encoder.encode({**name, "predictions": entries})


def _entry(fields: tuple[str, ...], prediction: Prediction, position: int) -> dict[str, Any]:
    entry = {field: value for field in fields if (value := getattr(prediction, field)) is not None}
    for field, value in entry.items():
        if not all(map(isfinite, value if isinstance(value, tuple) else (value,))):
            raise ValueError(f"expected finite numbers in {field} of prediction {position}, got {value}")
    return entry


def decode_predictions(
    task: Task, data: bytes, *, file: str, size: tuple[int, int] = UNKNOWN_SIZE, strict: bool = False
) -> tuple[list[Prediction], list[Problem]]:
    """Return the predictions of one file that have no error, and all problems of the file.

    Args:
        task: whose file it is.
        data: the bytes of the file.
        file: its key, for the problems.
        size: width and height of the image in pixels, (0, 0) where unknown: boxes and masks are then not
            compared with it.
        strict: also look for keys that an object has twice.
    """
    reader = PredictionReader(task, strict=strict)
    reader.add(file, data)
    read = reader.finish()
    widths, heights = np.array([size[0]], np.int64), np.array([size[1]], np.int64)
    columns, problems = check_predictions(task, read.columns, files=[file], widths=widths, heights=heights)
    return to_predictions(columns)[0], [*read.problems, *problems]


def to_predictions(columns: PredictionColumns) -> list[list[Prediction]]:
    """Return the predictions of each file as values: the inverse of `from_predictions`."""
    files: list[list[Prediction]] = [[] for _ in range(columns.n_files)]
    rows = zip(
        columns.file.tolist(),
        columns.category_id.tolist(),
        columns.score.tolist(),
        columns.bbox.tolist(),
        _tuples(columns.probabilities),
        _tuples(columns.mask),
        _tuples(columns.keypoints),
        strict=True,
    )
    for file, category_id, score, bbox, probabilities, mask, keypoints in rows:
        prediction = Prediction(
            category_id=category_id,
            score=_null_if_nan(score),
            bbox=None if _null_if_nan(bbox[0]) is None else tuple(bbox),
            probabilities=probabilities,
            segmentation=mask,
            keypoints=keypoints,
        )
        files[file].append(prediction)
    return files


def _null_if_nan(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124 (NaN is the null of float columns)


def _tuples(column: Ragged) -> Iterable[tuple[Any, ...] | None]:
    for row in column.rows():
        yield None if row is None else tuple(row.tolist())


def from_predictions(predictions: Iterable[Sequence[Prediction]]) -> PredictionColumns:
    """Return the predictions of several files as columns.

    >>> columns = from_predictions([[Prediction(category_id=3, score=0.5)], []])
    >>> columns.n_files, columns.category_id.tolist(), columns.bbox.tolist()
    (2, [3], [[nan, nan, nan, nan]])
    """
    files = list(predictions)
    rows = [prediction for file in files for prediction in file]
    no_box = (np.nan,) * 4
    return PredictionColumns(
        n_files=len(files),
        file=np.repeat(np.arange(len(files)), [len(file) for file in files]).astype(np.int64),
        position=np.array([i for file in files for i in range(len(file))], np.int64),
        category_id=np.array([row.category_id for row in rows], np.int64),
        score=np.array([np.nan if row.score is None else row.score for row in rows], np.float64),
        bbox=np.array([row.bbox or no_box for row in rows], np.float64).reshape(-1, 4),
        probabilities=Ragged.from_rows([row.probabilities for row in rows]),
        mask=Ragged.from_rows([row.segmentation for row in rows], np.int64),
        keypoints=Ragged.from_rows([row.keypoints for row in rows]),
    )
