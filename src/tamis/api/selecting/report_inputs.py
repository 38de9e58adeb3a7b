"""What the report of a selection is built from."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from tamis.api.check import report_problems
from tamis.api.frame_readers import FrameReaders
from tamis.api.options import ignore_progress
from tamis.api.report.build import build_report
from tamis.api.report.inputs import LabelInput, NumberInput, ReportInputs, ReportOptions, StrategyInput, TaskInput
from tamis.api.report.values import LeftOut, ProblemCount, Reason
from tamis.api.selecting.report_objects import OPEN_VIDEOS, object_pictures, object_scores_of, object_task
from tamis.engine import Progress
from tamis.errors import UsageError
from tamis.formats import to_predictions
from tamis.index import embedding_sets
from tamis.media.pictures import Picture, read_picture, shrink, thumbnail
from tamis.media.pillow import PictureError
from tamis.scoring import OBJECT_FREQUENCY, SCORE_NAMES, map_object_frequency
from tamis.selection import Balance, Threshold, Weights, describe, encode_config
from tamis.storage import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from tamis.api.report.values import Report
    from tamis.api.selecting.rows import Rows
    from tamis.api.selecting.run import SelectionRun
    from tamis.api.selecting.vectors import ObjectVectors, SampleVectors
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.index import SampleColumns, Snapshot
    from tamis.model import Prediction, Task
    from tamis.model.columns import Ints
    from tamis.selection import Strategy

_PICTURE_SIDE_PX = 480
_MAX_LABELS = 50
_REPEATED = "repeats another sample"


def report_of(
    run: SelectionRun, sources: Sources, *, created: datetime, listen: ProgressListener = ignore_progress
) -> Report:
    """Measure everything that the report of a selection shows, and tell how many pictures were read."""
    options = ReportOptions()
    selection, samples, rows = run.selection, run.samples, run.rows
    snapshot = samples.snapshot
    vectors = _vectors(run)
    shown = selection.picks[: options.max_pictures]
    is_objects = rows.target is not None
    if is_objects:
        picture = object_pictures(rows, shown, sources, side_px=_PICTURE_SIDE_PX)
        tasks, scores = [object_task(rows, shown)], object_scores_of(rows)
    else:
        picture = sample_pictures(snapshot, sources)
        tasks = [_task(samples, task, shown) for task in snapshot.tasks]
        scores = [number for task in snapshot.tasks for number in _scores(samples, task)]
    inputs = ReportInputs(
        source=snapshot.manifest.source,
        created=created,
        config=encode_config(run.config),
        keys=rows.keys,
        candidate=selection.field.candidate,
        picks=selection.picks,
        pool=np.array(run.pool, np.int64),
        n_requested=run.n_requested,
        reasons=_reasons(run),
        picture=_counted(picture, len(shown), listen),
        strategies=[_strategy(run, column) for column in range(len(run.strategies))],
        stopped=selection.stopped,
        left_out=[
            LeftOut(reason=reason, count=n, note=run.duplicates_doubt if reason == _REPEATED else None)
            for reason, n in left_out(run).items()
            if n
        ],
        ruled_out=[LeftOut(reason=reason, count=n) for reason, n in selection.ruled_out.items() if n],
        embeddings=None if vectors is None else vectors.vectors,
        embeddings_name=None if vectors is None else vectors.origin,
        tasks=tasks,
        numbers=scores + [_spread_number(number, rows) for number in _numeric_metadata(samples)],
        labels=[replace(label, codes=rows.spread(label.codes)) for label in _labels(samples)],
        problems=[
            ProblemCount(
                code=group.code,
                task=group.task,
                severity=group.severity,
                count=group.count,
                message=group.message,
            )
            for group in report_problems(sources, snapshot).problems
        ],
        of=run.rows.of_what,
    )
    return build_report(inputs, options)


def left_out(run: SelectionRun) -> dict[str, int]:
    """Return how many were no candidates, by reason."""
    repeated = {_REPEATED: run.n_duplicates} if run.n_duplicates else {}
    return {**repeated, **run.selection.field.excluded}


def _vectors(run: SelectionRun) -> SampleVectors | ObjectVectors | None:
    """Return the vectors that coverage is measured by; `None` where there are none."""
    if run.rows.task is not None:
        return run.inputs.objects(run.rows.task.name)
    has_any = run.samples.snapshot.tasks or run.inputs.embeddings or embedding_sets(run.samples.snapshot.root)
    try:
        return run.inputs.vectors() if has_any else None
    except UsageError:
        # None were asked for, and none serve; or those of objects were, by a name that none of images have.
        if run.embeddings or run.inputs.embeddings is None:
            return None
        raise


def _spread_number(number: NumberInput, rows: Rows) -> NumberInput:
    return replace(number, values=rows.spread(number.values))


def _reasons(run: SelectionRun) -> Callable[[int], Sequence[Reason]]:
    def reasons(pick: int) -> list[Reason]:
        return [
            Reason(
                strategy=name,
                sentence=describe([reason], keys=run.rows.keys, of=run.rows.of_what),
                share=None if isinstance(strategy, Threshold) else float(run.shares[pick, column]),
            )
            for column, (name, strategy, reason) in enumerate(
                zip(run.names, run.strategies, run.reasons[pick], strict=True)
            )
        ]

    return reasons


def _strategy(run: SelectionRun, column: int) -> StrategyInput:
    strategy = run.strategies[column]
    values = None
    if isinstance(strategy, Weights | Threshold):
        null = np.zeros(len(strategy.values), np.bool_) if strategy.null is None else strategy.null
        values = np.where(null, np.nan, strategy.values)
    if isinstance(strategy, Threshold):
        description = f"keeps samples whose value is {strategy.operation} than {strategy.threshold:g}"
        return StrategyInput(label=run.names[column], description=description, values=values)
    return StrategyInput(
        label=run.names[column],
        description=_description(strategy),
        strength=strategy.strength,
        shares=run.shares[:, column],
        values=values,
    )


def _description(strategy: Strategy) -> str:
    if isinstance(strategy, Weights):
        return "prefers large values" if strategy.strength >= 0 else "prefers small values"
    if isinstance(strategy, Balance):
        return f"brings the selected classes near to their {strategy.distribution.lower()} shares"
    words = {
        "Diversity": "prefers what is far from everything selected",
        "Similarity": "prefers what is near to the query set",
        "Typicality": "prefers what has near neighbours",
    }
    return words[type(strategy).__name__]


def sample_pictures(snapshot: Snapshot, sources: Sources) -> Callable[[str], Picture | str]:
    """Return what reads the picture of a sample: the image, or the frame of a video."""
    table = snapshot.table("samples", ["key", "video", "frame"])
    frames = {
        key: (video, frame)
        for key, video, frame in zip(*(table[name].to_pylist() for name in table.column_names), strict=True)
        if video is not None
    }

    readers = FrameReaders(most_open=OPEN_VIDEOS)

    def picture(key: str) -> Picture | str:
        try:
            if key not in frames:
                return thumbnail(read_picture(sources.input, key), max_side_px=_PICTURE_SIDE_PX)
            video, number = frames[key]
            image = readers.read(sources.input, video, number, n_frames=snapshot.frame_counts.get(video))
            return shrink(image, max_side_px=_PICTURE_SIDE_PX)
        except (StoreError, PictureError) as error:
            return str(error)

    return picture


def _counted(
    picture: Callable[[str], Picture | str], total: int, listen: ProgressListener
) -> Callable[[str], Picture | str]:
    """Return the same function, which also tells how often it was called."""
    done = count(1)

    def counted(key: str) -> Picture | str:
        found = picture(key)
        listen(Progress("pictures", next(done), total, "pictures"))
        return found

    return counted


def _task(samples: SampleColumns, task: Task, shown: Ints) -> TaskInput:
    owner, category_id = samples.categories(task.name)
    drawn: dict[str, list[Prediction]] = {}
    for part in samples.prediction_parts(task.name, at=shown):
        for sample, predictions in zip(part.samples.tolist(), to_predictions(part.columns), strict=True):
            drawn[samples.keys[sample]] = predictions
    return TaskInput(
        task=task,
        owner=owner,
        category_id=category_id,
        has_file=samples.has_file(task.name),
        predictions=lambda key: drawn.get(key, ()),
    )


def _scores(samples: SampleColumns, task: Task) -> list[NumberInput]:
    """Return the scores of a task that any sample has."""
    numbers = []
    for name in SCORE_NAMES[task.task_type]:
        values = samples.numbers(f"sample_scores:{task.name}", name)
        if name == OBJECT_FREQUENCY:
            values = map_object_frequency(values)
        if not np.isnan(values).all():
            numbers.append(NumberInput(label=f"{task.name}: {name}", values=values, limits=(0.0, 1.0)))
    return numbers


def _numeric_metadata(samples: SampleColumns) -> list[NumberInput]:
    columns = samples.snapshot.manifest.metadata
    return [
        NumberInput(label=column.name, values=samples.numbers("metadata", column.column))
        for column in columns
        if column.type == "float"
    ]


def _labels(samples: SampleColumns) -> list[LabelInput]:
    """Return the categorical metadata with few enough different values to be read."""
    labels = []
    for column in samples.snapshot.manifest.metadata:
        if column.type == "float":
            continue
        values = samples.labels("metadata", column.column)
        names = sorted({str(value) for value in values if value is not None})
        if 0 < len(names) <= _MAX_LABELS:
            at = {name: i for i, name in enumerate(names)}
            codes = np.array([-1 if value is None else at[str(value)] for value in values], np.int64)
            labels.append(LabelInput(label=column.name, names=names, codes=codes))
    return labels
