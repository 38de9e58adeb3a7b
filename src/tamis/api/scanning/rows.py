"""From what a chunk holds to the columns of the index's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.index import MetadataColumn, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tamis.api.scanning.chunk import Samples, TaskFiles
    from tamis.formats import MetadataField
    from tamis.model import PredictionColumns, Problem
    from tamis.model.columns import Bools, Floats, Ints

Columns = dict[str, Any]

_COLUMN_TYPES = {
    "NUMERIC_INT": "int",
    "CATEGORICAL_INT": "int",
    "CATEGORICAL_TIMESTAMP": "int",
    "NUMERIC_FLOAT": "float",
    "CATEGORICAL_BOOLEAN": "bool",
}


def metadata_columns(fields: Sequence[MetadataField]) -> tuple[MetadataColumn, ...]:
    """Return which column of the index holds each metadata field; SQL does not tell `Day` from `day`."""
    taken = {"unit", "sample"}
    columns = []
    for field in fields:
        name = field.name
        while name.lower() in taken:
            name += "_"
        taken.add(name.lower())
        columns.append(MetadataColumn(name=field.name, column=name, type=_COLUMN_TYPES.get(field.type, "string")))
    return tuple(columns)


def sample_rows(samples: Samples) -> Columns:
    """Return the rows of `samples`; a size that is not known is null."""
    return {
        "unit": samples.units,
        "key": samples.keys,
        "kind": samples.kinds,
        "video": samples.videos,
        "frame": samples.frames,
        "width": [width or None for width in samples.widths],
        "height": [height or None for height in samples.heights],
        "size_bytes": samples.sizes_bytes,
        "mtime_ns": samples.mtimes_ns,
    }


def metadata_rows(samples: Samples, fields: Sequence[MetadataField]) -> Columns:
    """Return the rows of `metadata`: one a sample."""
    columns = list(zip(*samples.metadata, strict=True)) or [()] * len(fields)
    names = [column.column for column in metadata_columns(fields)]
    values = {name: list(column) for name, column in zip(names, columns, strict=True)}
    return {"unit": samples.units, "sample": samples.keys, **values}


def file_rows(
    files: TaskFiles,
    keys: Sequence[str | None],
    valid: Bools,
    counts: Ints,
    statistics: Mapping[str, NDArray[Any] | list[int | None]],
) -> Columns:
    """Return the rows of `files`: one a prediction file, `keys` are their samples."""
    stamps = list(zip(files.sizes_bytes, files.mtimes_ns, strict=True))  # both 0: UNREAD
    return {
        "unit": files.units,
        "task": [files.task.name] * len(files.files),
        "file": files.files,
        "sample": keys,
        "size_bytes": [size if size or time else None for size, time in stamps],
        "mtime_ns": [time if size or time else None for size, time in stamps],
        "valid": valid,
        "n_predictions": counts,
        **statistics,
    }


def prediction_rows(
    files: TaskFiles, keys: Sequence[str | None], columns: PredictionColumns, scores: Mapping[str, Floats]
) -> Columns:
    """Return the rows of a task's predictions; all of `columns` have a sample."""
    return {
        "unit": np.array(files.units, np.int64)[columns.file],
        "sample": words(columns.file, [key or "" for key in keys]),
        "position": columns.position,
        "category_id": columns.category_id,
        "score": columns.score,
        "bbox_x": columns.bbox[:, 0],
        "bbox_y": columns.bbox[:, 1],
        "bbox_width": columns.bbox[:, 2],
        "bbox_height": columns.bbox[:, 3],
        "probabilities": columns.probabilities,
        "mask": columns.mask,
        "keypoints": columns.keypoints,
        **scores,
    }


def score_rows(
    files: TaskFiles,
    keys: Sequence[str | None],
    scored: NDArray[np.intp],
    counts: Ints,
    scores: Mapping[str, Floats],
) -> Columns:
    """Return the rows of a task's sample scores, for the files numbered in `scored`."""
    return {
        "unit": np.array(files.units, np.int64)[scored],
        "sample": [keys[i] for i in scored.tolist()],
        "n_predictions": counts[scored],
        **{name: values[scored] for name, values in scores.items()},
    }


def problem_rows(problems: Sequence[tuple[int, Problem]]) -> Columns:
    """Return the rows of `problems`; their severity and advice come with the code."""
    return {
        "unit": [unit for unit, _ in problems],
        "code": [problem.code for _, problem in problems],
        "severity": [problem.severity for _, problem in problems],
        "task": [problem.task for _, problem in problems],
        "file": [problem.file for _, problem in problems],
        "path": [problem.path for _, problem in problems],
        "line": [problem.line for _, problem in problems],
        "column": [problem.column for _, problem in problems],
        "message": [problem.message for _, problem in problems],
        "hint": [problem.hint for _, problem in problems],
    }
