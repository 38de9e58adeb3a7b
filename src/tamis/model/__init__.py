"""The values that every part speaks in: each convention (pixels, row-major, ...) is stated here, once."""

from tamis.model import masks
from tamis.model.columns import PredictionColumns, Ragged
from tamis.model.objects import ObjectKey, parse_object_key
from tamis.model.predictions import Prediction
from tamis.model.problems import CODES, Drops, Problem, ProblemCode, Severity
from tamis.model.samples import (
    IMAGE_ENDINGS,
    VIDEO_ENDINGS,
    FrameName,
    SampleKind,
    frame_name,
    kind_of_ending,
    kind_of_key,
    parse_frame_stem,
    split_extension,
    stem_of,
)
from tamis.model.tasks import Category, Task, TaskType

__all__ = [
    "CODES",
    "IMAGE_ENDINGS",
    "VIDEO_ENDINGS",
    "Category",
    "Drops",
    "FrameName",
    "ObjectKey",
    "Prediction",
    "PredictionColumns",
    "Problem",
    "ProblemCode",
    "Ragged",
    "SampleKind",
    "Severity",
    "Task",
    "TaskType",
    "frame_name",
    "kind_of_ending",
    "kind_of_key",
    "masks",
    "parse_frame_stem",
    "parse_object_key",
    "split_extension",
    "stem_of",
]
