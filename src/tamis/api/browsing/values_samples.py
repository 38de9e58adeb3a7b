"""Answers about samples: pages of them, what is predicted on them, their problems. What is unknown is `None`."""

from __future__ import annotations

from typing import Any

import msgspec

from tamis.model import Problem, Severity


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all answers."""


class Layer(_Value, frozen=True, kw_only=True, omit_defaults=True):
    """The predictions of one task on one sample, the surest first, as parallel lists.

    Attributes:
        task: name of the task.
        positions: where each stands in its file.
        categories: id of each.
        scores: of each, in [0, 1], 4 decimals.
        probabilities: of a classification, that of each category; absent where the task has none.
        boxes: x, y, width, height in pixels of the original, 2 decimals; absent where the task has none.
        keypoints: x1, y1, s1, x2, ... of each; absent where the task has none.
        masks: whether `/api/masks` has a picture of its masks.
        hidden: further predictions that are not listed.
    """

    task: str
    positions: list[int]
    categories: list[int]
    scores: list[float | None]
    probabilities: list[float | None] | None = None
    boxes: list[list[float] | None] | None = None
    keypoints: list[list[float] | None] | None = None
    masks: bool = False
    hidden: int = 0


class SampleCard(_Value, frozen=True, kw_only=True):
    """A sample of a grid.

    Attributes:
        number: its place among all samples by key, from 0: binary answers are in this order.
        key: of the sample.
        width: of the original in pixels.
        height: likewise.
        video: of a frame, the key of its video.
        frame: of a frame, its number from 0.
        value: of the column that the page is sorted by, a number or a text.
        problems: how many problems its files have.
        layers: of the tasks that were asked for and have a valid file of this sample.
    """

    number: int
    key: str
    width: int | None
    height: int | None
    video: str | None
    frame: int | None
    value: float | str | None
    problems: int
    layers: list[Layer]


class SamplePage(_Value, frozen=True, kw_only=True):
    """Part of a filtered and sorted list of samples.

    Attributes:
        snapshot: id of the snapshot that `number` speaks of.
        total: samples that the filter lets through.
        offset: place of the first one in the list.
        samples: the part.
        complete: whether predictions were loaded already; if not, layers are empty: ask again when `ready`.
    """

    snapshot: str
    total: int
    offset: int
    samples: list[SampleCard]
    complete: bool = True


class CategoryCount(_Value, frozen=True, kw_only=True):
    """How often a category is predicted in what a filter lets through."""

    id: int
    predictions: int
    samples: int


class TaskCounts(_Value, frozen=True, kw_only=True):
    """Counts of one task in what a filter lets through.

    Attributes:
        task: name of the task.
        samples_with_file: samples with a valid file.
        predictions: of all categories.
        categories: in ascending order of id.
    """

    task: str
    samples_with_file: int
    predictions: int
    categories: list[CategoryCount]


class Counts(_Value, frozen=True, kw_only=True):
    """How much a filter lets through: samples, and predictions of each class."""

    snapshot: str
    samples: int
    all_samples: int
    tasks: list[TaskCounts]


class Place(_Value, frozen=True, kw_only=True):
    """One problem of the data.

    Attributes:
        code: of the problem.
        severity: of the code.
        task: that it is about.
        file: key of the file.
        sample: key of the sample that the file speaks of; `None` where there is none.
        path: JSON path of the value.
        line: from 1.
        column: likewise, in characters.
        message: expected ..., got ...
        hint: what to do.
        count: how many places a finding about the whole dataset stands for.
    """

    code: str
    severity: Severity
    task: str | None
    file: str | None
    sample: str | None
    path: str | None
    line: int | None
    column: int | None
    message: str
    hint: str
    count: int = 1

    @classmethod
    def of(cls, problem: Problem, sample: str | None) -> Place:
        """Return the place of a problem of a file that speaks of a sample."""
        return cls(
            code=problem.code,
            severity=problem.severity,
            task=problem.task,
            file=problem.file,
            sample=sample,
            path=problem.path,
            line=problem.line,
            column=problem.column,
            message=problem.message,
            hint=problem.advice,
            count=problem.count,
        )


class PlacePage(_Value, frozen=True, kw_only=True):
    """Part of the places of one kind of problem."""

    total: int
    offset: int
    places: list[Place]


class PredictionDetail(_Value, frozen=True, kw_only=True):
    """One prediction whole, as its file has it.

    Attributes:
        position: place in the file.
        category_id: an id of the schema.
        category: its name.
        score: in [0, 1].
        bbox: x, y, width, height in pixels.
        probabilities: one a category in ascending order of id.
        mask: run lengths of the row-major mask, the first counts zeros.
        keypoints: x1, y1, s1, x2, ...
        scores: its own scores by name.
    """

    position: int
    category_id: int
    category: str
    score: float | None
    bbox: tuple[float, float, float, float] | None
    probabilities: list[float] | None
    mask: list[int] | None
    keypoints: list[float] | None
    scores: dict[str, float]


class TaskOfSample(_Value, frozen=True, kw_only=True):
    """What a task says of a sample.

    Attributes:
        task: name of the task.
        file: key of its prediction file, `None` where there is none: `/api/raw` has its text.
        valid: whether the file could be used.
        scores: of the sample, by name.
        predictions: in the order of the file.
    """

    task: str
    file: str | None
    valid: bool
    scores: dict[str, float | None]
    predictions: list[PredictionDetail]


class SampleDetail(_Value, frozen=True, kw_only=True):
    """Everything known of one sample.

    Attributes:
        number: its place among all samples by key, from 0.
        key: of the sample.
        kind: image or frame.
        width: in pixels.
        height: in pixels.
        size_bytes: of the image file.
        video: of a frame, the key of its video.
        frame: of a frame, its number from 0.
        metadata: by name; whole numbers beyond 2^53 are text.
        tasks: all, in the order of `tasks.json`.
        problems: of its files, with their places.
        selections: ids of the selections that picked it.
        pools: names of the pools that it is in.
        tags: names of the tags that it or an object of it has.
    """

    number: int
    key: str
    kind: str
    width: int | None
    height: int | None
    size_bytes: int | None
    video: str | None
    frame: int | None
    metadata: dict[str, Any]
    tasks: list[TaskOfSample]
    problems: list[Place]
    selections: list[str]
    pools: list[str]
    tags: list[str]


class Neighbours(_Value, frozen=True, kw_only=True):
    """Where a sample is in a filtered and sorted list.

    Attributes:
        total: length of the list.
        place: of the sample from 0, `None` where the filter leaves it out.
        previous: key of the one before it.
        next: key of the one after it.
    """

    total: int
    place: int | None
    previous: str | None
    next: str | None


class Timeline(_Value, frozen=True, kw_only=True):
    """The frames of a video that are samples, and numbers of each.

    Attributes:
        video: key of the video.
        n_frames: frames that decode.
        fps: frames a second that its header says, `None` where it says nothing.
        keys: of the frames, ascending.
        frames: their numbers.
        columns: by id of the column, a value a frame: the scores of all tasks and their numbers of predictions.
    """

    video: str
    n_frames: int
    fps: float | None
    keys: list[str]
    frames: list[int]
    columns: dict[str, list[float | None]]


class ObjectCard(_Value, frozen=True, kw_only=True):
    """A predicted object. Its picture is `/api/crop`.

    Attributes:
        number: of its sample.
        key: of its sample.
        position: in its file.
        category: its id.
        score: in [0, 1].
        box: x, y, width, height in pixels of the original: that of the mask or the keypoints where it has none.
        value: what the page is sorted by.
    """

    number: int
    key: str
    position: int
    category: int
    score: float | None
    box: list[float] | None
    value: float | None


class ObjectPage(_Value, frozen=True, kw_only=True):
    """Part of a filtered and sorted list of objects."""

    snapshot: str
    total: int
    offset: int
    objects: list[ObjectCard]
