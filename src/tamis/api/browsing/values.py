"""Answers about the datasource as a whole. What is unknown is `None`."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tamis.api.check import TaskSummary


class IndexState(StrEnum):
    """Whether there is something to look at."""

    MISSING = "missing"  # never scanned: start a scan
    LOADING = "loading"  # pages of samples come, those of predictions must wait
    READY = "ready"  # everything can be asked for, also while a newer scan is being read
    BROKEN = "broken"  # damaged, or gone: scan again


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all answers."""


class Status(_Value, frozen=True, kw_only=True):
    """What the server has at hand.

    Attributes:
        version: of tamis.
        source: the input datasource.
        lightly: the lightly datasource.
        index: folder of the index.
        state: of the index.
        snapshot: id of what is shown; another one after a scan. `None` while there is none.
        scanned: when it was made, ISO 8601.
        samples: number of samples.
        stale: a file or folder that changed since; `None` where none was seen.
        message: why there is nothing to show, or how far reading is; `None` when all was read.
        hint: what to do about it.
        job: id of a scan that is running.
    """

    version: str
    source: str
    lightly: str
    index: str
    state: IndexState
    snapshot: str | None = None
    scanned: str | None = None
    samples: int = 0
    stale: str | None = None
    message: str | None = None
    hint: str | None = None
    job: str | None = None


class CategoryInfo(_Value, frozen=True, kw_only=True):
    """A category, and how often it is predicted.

    Attributes:
        id: of the category.
        name: of the category.
        colour: `#rrggbb`, the same everywhere.
        predictions: how many.
        samples: in how many samples.
        keypoint_names: in the order of the triplets; `None` where it has none.
        skeleton: pairs of indices into the keypoints that a line connects.
    """

    id: int
    name: str
    colour: str
    predictions: int
    samples: int
    keypoint_names: tuple[str, ...] | None = None
    skeleton: tuple[tuple[int, int], ...] = ()


class Bins(_Value, frozen=True, kw_only=True):
    """A histogram.

    Attributes:
        edges: one more than bins; a value on an edge is in the bin above, the last edge in the last bin.
        counts: of what the filter lets through.
        all: of everything, the same length; `None` where there was no filter.
        unknown: how many have no value, of what the filter lets through.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    all: tuple[int, ...] | None = None
    unknown: int = 0


class TaskInfo(_Value, frozen=True, kw_only=True):
    """A task at a glance.

    Attributes:
        name: of the task.
        summary: files and predictions.
        categories: in ascending order of id, which is the order of `probabilities`.
        scores: ids of the columns of its sample scores.
        prediction_scores: names by which its predictions can be sorted: `score`, then those of objects.
        score_bins: of the predictions' scores; 50 bins from 0 to 1.
        count_bins: of the number of predictions of a sample.
        has_boxes: whether any prediction has a box.
        has_masks: whether any has a mask.
        has_keypoints: whether any has keypoints.
    """

    name: str
    summary: TaskSummary
    categories: tuple[CategoryInfo, ...]
    scores: tuple[str, ...]
    prediction_scores: tuple[str, ...]
    score_bins: Bins
    count_bins: Bins
    has_boxes: bool
    has_masks: bool
    has_keypoints: bool


class VideoInfo(_Value, frozen=True, kw_only=True):
    """A video: its frames are samples."""

    key: str
    n_frames: int
    width: int
    height: int
    fault: str | None


class Overview(_Value, frozen=True, kw_only=True):
    """The datasource at a glance.

    Attributes:
        source: the input datasource.
        snapshot: id of the snapshot.
        scanned: when, ISO 8601.
        samples: number of samples of each kind: image, frame.
        tasks: in the order of `tasks.json`.
        coverage: how many samples have a valid file of k tasks, for k = 0, 1, ...
        metadata: names and types of the metadata.
        videos: how many.
        errors: number of problems that are errors.
        warnings: number of problems that are warnings.
    """

    source: str
    snapshot: str
    scanned: str
    samples: dict[str, int]
    tasks: tuple[TaskInfo, ...]
    coverage: tuple[int, ...]
    metadata: dict[str, str]
    videos: int
    errors: int
    warnings: int


class ColumnKind(StrEnum):
    """How a column can be filtered."""

    NUMBER = "number"
    LABEL = "label"
    TEXT = "text"


class ColumnInfo(_Value, frozen=True, kw_only=True):
    """Something that samples can be sorted and filtered by.

    Attributes:
        id: what requests name it by.
        label: what people name it by.
        group: `sample`, `metadata` or the name of a task.
        kind: numbers by range, labels by value, text by what it holds.
        min: the smallest value of a number.
        max: the largest value.
        unknown: how many samples have no value.
        values: of a label, the most frequent first, at most 200: (text, how many samples).
    """

    id: str
    label: str
    group: str
    kind: ColumnKind
    min: float | None = None
    max: float | None = None
    unknown: int = 0
    values: tuple[tuple[str, int], ...] = ()
