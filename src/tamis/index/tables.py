"""The tables of the index: their columns, and how numpy columns become Arrow.

`unit` ties the rows of a shard together and is left out of what users see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from tamis.model import Ragged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tamis.index.manifest import MetadataColumn, ScoreNames

_WORD = pa.dictionary(pa.int32(), pa.string())

UNITS = pa.schema([("stem", pa.string()), ("fingerprint", pa.uint64())])

SAMPLES = pa.schema(
    [
        ("unit", pa.int32()),
        ("key", pa.string()),
        ("kind", _WORD),
        ("video", _WORD),
        ("frame", pa.int32()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("size_bytes", pa.int64()),
        ("mtime_ns", pa.int64()),
    ]
)

# One row a prediction file, with what the findings about the whole dataset are counted from.
FILES = pa.schema(
    [
        ("unit", pa.int32()),
        ("task", _WORD),
        ("file", pa.string()),
        ("sample", pa.string()),
        ("size_bytes", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("valid", pa.bool_()),
        ("n_listed", pa.int32()),
        ("n_predictions", pa.int32()),
        ("n_boxes", pa.int32()),
        ("n_sized", pa.int32()),
        ("n_leaving_as_xywh", pa.int32()),
        ("n_leaving_as_corners", pa.int32()),
        ("n_normalized", pa.int32()),
        ("score_min", pa.float64()),
        ("score_max", pa.float64()),
        ("category_min", pa.int64()),
        ("category_max", pa.int64()),
    ]
)

PROBLEMS = pa.schema(
    [
        ("unit", pa.int32()),
        ("code", _WORD),
        ("severity", _WORD),
        ("task", _WORD),
        ("file", pa.string()),
        ("path", pa.string()),
        ("line", pa.int32()),
        ("column", pa.int32()),
        ("message", pa.string()),
        ("hint", pa.string()),
    ]
)

_PREDICTIONS = [
    ("unit", pa.int32()),
    ("sample", _WORD),
    ("position", pa.int32()),
    ("category_id", pa.int64()),
    ("score", pa.float64()),
    ("bbox_x", pa.float64()),
    ("bbox_y", pa.float64()),
    ("bbox_width", pa.float64()),
    ("bbox_height", pa.float64()),
    ("probabilities", pa.list_(pa.float64())),
    ("mask", pa.list_(pa.int64())),
    ("keypoints", pa.list_(pa.float64())),
]

_METADATA_TYPES = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(), "string": pa.string()}

BASE_TABLES = {"units": UNITS, "samples": SAMPLES, "files": FILES, "problems": PROBLEMS}

Column: TypeAlias = "NDArray[Any] | Ragged | Sequence[Any] | pa.Array"  # of the type that the table says


def predictions_schema(score_names: Sequence[str]) -> pa.Schema:
    """Return the columns of a task's predictions, one score column for each name."""
    return pa.schema([*_PREDICTIONS, *((name, pa.float64()) for name in score_names)])


def sample_scores_schema(score_names: Sequence[str]) -> pa.Schema:
    """Return the columns of a task's sample scores: one row a sample with a valid file."""
    return pa.schema(
        [
            ("unit", pa.int32()),
            ("sample", pa.string()),
            ("n_predictions", pa.int32()),
            *((name, pa.float64()) for name in score_names),
        ]
    )


def metadata_schema(columns: Sequence[MetadataColumn]) -> pa.Schema:
    """Return the columns of the metadata table: one row a sample."""
    return pa.schema(
        [
            ("unit", pa.int32()),
            ("sample", pa.string()),
            *((column.column, _METADATA_TYPES[column.type]) for column in columns),
        ]
    )


def shard_schemas(scores: Mapping[str, ScoreNames], metadata: Sequence[MetadataColumn]) -> dict[str, pa.Schema]:
    """Return the schemas of all tables of a shard.

    Args:
        scores: for each task the names of its score columns.
        metadata: the metadata columns.
    """
    schemas = {**BASE_TABLES, "metadata": metadata_schema(metadata)}
    for task, names in scores.items():
        schemas[f"predictions:{task}"] = predictions_schema(names.objects)
        schemas[f"sample_scores:{task}"] = sample_scores_schema(names.samples)
    return schemas


def to_batch(schema: pa.Schema, columns: Mapping[str, Column]) -> pa.RecordBatch:
    """Make a batch of the columns that the schema names; NaN becomes null, and so does what is not given."""
    n_rows = len(columns["unit"]) if "unit" in columns else len(columns[schema.names[0]])
    arrays = [
        pa.nulls(n_rows, field.type) if field.name not in columns else _to_array(columns[field.name], field)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _to_array(column: Column, field: pa.Field) -> pa.Array:
    if isinstance(column, Ragged):
        values = pa.array(column.values, field.type.value_type)
        offsets = pa.array(column.offsets, pa.int32())
        return pa.ListArray.from_arrays(offsets, values, type=field.type, mask=pa.array(column.lengths < 0))
    if isinstance(column, pa.Array):
        return column
    if pa.types.is_dictionary(field.type):
        return pa.array(column, field.type.value_type).dictionary_encode().cast(field.type)
    return pa.array(column, field.type, from_pandas=isinstance(column, np.ndarray))


def words(indices: NDArray[Any], vocabulary: Sequence[str]) -> pa.DictionaryArray:
    """Return a column that repeats few words: `vocabulary[i]` for each i of `indices`."""
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32()), pa.array(vocabulary, pa.string()))
