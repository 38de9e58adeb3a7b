"""`show`: what is in the index, as tables: tasks and classes, samples by a score, one sample whole."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tamis.api.check import TaskSummary, summarise_tasks
from tamis.api.selecting.inputs import what_is_known
from tamis.errors import UsageError
from tamis.index import SampleColumns
from tamis.model import Severity, frame_name, parse_frame_stem, stem_of
from tamis.scoring import OBJECT_FREQUENCY, SCORE_NAMES, check_score, map_object_frequency

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from tamis.index import Snapshot
    from tamis.model import Task

_MAX_COMPARED = 100_000  # comparing spellings takes a second for as many


class ClassCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often a category is predicted.

    Attributes:
        id: of the category.
        name: of the category.
        predictions: how many.
        samples: in how many samples.
    """

    id: int
    name: str
    predictions: int
    samples: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """A datasource at a glance.

    Attributes:
        source: the input datasource.
        scanned: when, ISO 8601.
        samples: number of samples of each kind.
        tasks: what there is of each task.
        classes: of each task, the most frequent first.
        metadata: names and types of the metadata.
    """

    source: str
    scanned: str
    samples: dict[str, int]
    tasks: dict[str, TaskSummary]
    classes: dict[str, tuple[ClassCount, ...]]
    metadata: dict[str, str]


class SampleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A sample in a list; `None` is unknown."""

    key: str
    width: int | None
    height: int | None
    value: float | None


class TaskOfSample(msgspec.Struct, frozen=True, kw_only=True):
    """What a task says of one sample.

    Attributes:
        scores: by name; `None` where it does not exist.
        predictions: one mapping of column to value each.
    """

    scores: dict[str, float | None]
    predictions: tuple[dict[str, Any], ...]


class SampleView(msgspec.Struct, frozen=True, kw_only=True):
    """One sample and everything known of it.

    Attributes:
        key: of the sample.
        kind: image or frame.
        width: in pixels, `None` where unknown.
        height: likewise.
        metadata: by name.
        tasks: of which it has a valid file.
        problems: of its files: (severity, code, message).
    """

    key: str
    kind: str
    width: int | None
    height: int | None
    metadata: dict[str, Any]
    tasks: dict[str, TaskOfSample]
    problems: tuple[tuple[Severity, str, str], ...]


def show_overview(snapshot: Snapshot) -> Overview:
    """Count what is there."""
    kinds, counts = np.unique(
        snapshot.table("samples", ["kind"])["kind"].to_numpy().astype(str), return_counts=True
    )
    manifest = snapshot.manifest
    return Overview(
        source=manifest.source,
        scanned=manifest.created,
        samples=dict(zip(kinds.tolist(), counts.tolist(), strict=True)),
        tasks=summarise_tasks(snapshot),
        classes={task.name: _classes(snapshot, task) for task in snapshot.tasks},
        metadata={column.name: column.type for column in manifest.metadata},
    )


def show_samples(snapshot: Snapshot, *, sort: str | None, limit: int) -> list[SampleRow]:
    """Return the first samples by key, or those with the highest score.

    Args:
        snapshot: of the index.
        sort: `TASK:SCORE`, or `None` for the order of keys.
        limit: how many.

    Raises:
        UsageError: when there is no such task or score.
    """
    samples = SampleColumns(snapshot)
    values = np.full(len(samples), np.nan)
    order = np.arange(len(samples))
    if sort is not None:
        values = _score(samples, sort)
        # NaN sorts last; ties keep the order of keys.
        order = np.argsort(-values, kind="stable")
    width, height = samples.numbers("samples", "width"), samples.numbers("samples", "height")
    return [
        SampleRow(
            key=samples.keys[i], width=_integer(width[i]), height=_integer(height[i]), value=_known(values[i])
        )
        for i in order[:limit].tolist()
    ]


def show_sample(snapshot: Snapshot, key: str, connection: DuckDBPyConnection | None = None) -> SampleView:
    """Return everything known of one sample, through a connection to the snapshot where there is one.

    Raises:
        UsageError: when there is no such sample.
    """
    connection = connection or snapshot.connect()
    rows = _rows(connection.execute("SELECT * FROM samples WHERE key = ?", [key]))
    if not rows:
        raise UsageError(
            f"There is no sample `{key}`", hint=_frame_hint(snapshot, key) or _sample_hint(snapshot, key)
        )
    sample = rows[0]
    metadata = _rows(connection.execute("SELECT * FROM metadata WHERE sample = ?", [key]))
    problems = connection.execute(
        "SELECT severity, code, message FROM problems WHERE file = ? "
        "OR file IN (SELECT file FROM files WHERE sample = ?) ORDER BY ALL",
        [key, key],
    ).fetchall()
    tasks = {}
    for task in snapshot.tasks:
        schema = snapshot.sql_schemas()[task.name]
        scores = _rows(connection.execute(f"SELECT * FROM {schema}.sample_scores WHERE sample = ?", [key]))  # noqa: S608
        if scores:
            predictions = _rows(
                connection.execute(f"SELECT * FROM {schema}.predictions WHERE sample = ? ORDER BY position", [key])  # noqa: S608
            )
            tasks[task.name] = _task_of_sample(task, _mapped(connection, schema, scores[0]), predictions)
    return SampleView(
        key=key,
        kind=sample["kind"],
        width=sample["width"],
        height=sample["height"],
        metadata={name: value for row in metadata for name, value in row.items() if name != "sample"},
        tasks=tasks,
        problems=tuple((Severity(severity), code, message) for severity, code, message in problems),
    )


def _frame_hint(snapshot: Snapshot, key: str) -> str | None:
    """Say which frames the video has that a key names, or one of whose frames it seems to name."""
    frame = parse_frame_stem(stem_of(key))
    named = {key} if frame is None else {key, frame.video}
    video = next((video for video in snapshot.manifest.videos if video.key in named), None)
    if video is None:
        return None
    if not video.n_frames:
        return f"of the video `{video.key}` no frame can be read"
    if frame is not None and frame.video == video.key and frame.number < video.n_frames:
        right = frame_name(video.key, frame.number, video.n_frames)
        return f"frame {frame.number} of `{video.key}` is named `{right}`"
    first, last = (frame_name(video.key, i, video.n_frames) for i in (0, video.n_frames - 1))
    return f"the samples of `{video.key}` are its {video.n_frames:,} frames, `{first}` to `{last}`"


def _sample_hint(snapshot: Snapshot, key: str) -> str:
    keys = snapshot.table("samples", ["key"])["key"].to_pylist()
    close = get_close_matches(key, keys[:_MAX_COMPARED], n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    return "samples are named by their paths in the datasource" + (f", e.g. `{keys[0]}`" if keys else "")


def _task_of_sample(task: Task, scores: dict[str, Any], predictions: list[dict[str, Any]]) -> TaskOfSample:
    kept = []
    for prediction in predictions:
        row = {name: value for name, value in prediction.items() if name != "sample" and value is not None}
        of_category = {"category": task.by_id[row["category_id"]].name}
        if row.get("probabilities") is not None:
            of_category["probability"] = row["probabilities"][task.category_ids.index(row["category_id"])]
        kept.append({**of_category, **row})
    shown = {name: scores[name] for name in SCORE_NAMES[task.task_type]}
    return TaskOfSample(scores=shown, predictions=tuple(kept))


def _mapped(connection: DuckDBPyConnection, schema: str, scores: dict[str, Any]) -> dict[str, Any]:
    """Return the scores of a sample; what its object frequency becomes depends on those of all."""
    own = scores.get(OBJECT_FREQUENCY)
    if own is None:
        return scores
    ends = connection.execute(
        f"SELECT min({OBJECT_FREQUENCY}), max({OBJECT_FREQUENCY}) FROM {schema}.sample_scores"  # noqa: S608
    ).fetchall()[0]
    return scores | {OBJECT_FREQUENCY: float(map_object_frequency(np.array([own, *ends]))[0])}


def _classes(snapshot: Snapshot, task: Task) -> tuple[ClassCount, ...]:
    schema = snapshot.sql_schemas()[task.name]
    counted = (
        snapshot.connect("predictions")
        .execute(f"SELECT category_id, count(*), count(DISTINCT sample) FROM {schema}.predictions GROUP BY 1")  # noqa: S608
        .fetchall()
    )
    by_id = {row[0]: row[1:] for row in counted}
    classes = [
        ClassCount(
            id=category.id,
            name=category.name,
            predictions=by_id.get(category.id, (0, 0))[0],
            samples=by_id.get(category.id, (0, 0))[1],
        )
        for category in task.categories
    ]
    return tuple(sorted(classes, key=lambda count: (-count.predictions, count.id)))


def _score(samples: SampleColumns, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    task_name, colon, score = name.rpartition(":")
    if not colon:
        raise UsageError(f"`{name}` names no score", hint="write it as TASK:SCORE")
    task = samples.snapshot.task(task_name)
    has_probabilities, has_confidences = what_is_known(samples.snapshot, task)
    check_score(task, score, has_probabilities=has_probabilities, has_confidences=has_confidences)
    values = samples.numbers(f"sample_scores:{task_name}", score)
    return map_object_frequency(values) if score == OBJECT_FREQUENCY else values


def _rows(result: Any) -> list[dict[str, Any]]:  # noqa: ANN401 (a DuckDB result)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _integer(value: float) -> int | None:
    return None if np.isnan(value) else int(value)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
