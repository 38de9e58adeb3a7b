"""One sample whole, and its files as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tamis.api.browsing.digits import with_all_digits
from tamis.api.browsing.pages import number_of
from tamis.api.browsing.pictures import check_contained
from tamis.api.browsing.values_samples import Place, PredictionDetail, SampleDetail, TaskOfSample
from tamis.api.check import place_found
from tamis.api.show import show_sample
from tamis.errors import UsageError
from tamis.formats import metadata_key, prediction_key
from tamis.index import Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

    from tamis.api.browsing.view import View
    from tamis.api.show import TaskOfSample as ShownTask
    from tamis.api.sources import Sources

_BOX = ("bbox_x", "bbox_y", "bbox_width", "bbox_height")
_MAX_RAW_BYTES = 4 << 20


def show_detail(view: View, sources: Sources, key: str, *, selections: Sequence[str]) -> SampleDetail:
    """Return everything known of one sample; only the shard that holds it is read.

    Raises:
        NoSampleError: when there is no such sample.
    """
    number = number_of(view, key)
    row = view.samples.rows([number])[0]
    part = _part(view.snapshot, row["shard"])
    connection = part.connect()
    shown = show_sample(part, key, connection)
    files = dict(connection.execute("SELECT task, (file, valid) FROM files WHERE sample = ?", [key]).fetchall())
    tasks = [_task(task.name, shown.tasks.get(task.name), files.get(task.name)) for task in view.snapshot.tasks]
    return SampleDetail(
        number=number,
        key=key,
        kind=shown.kind,
        width=shown.width,
        height=shown.height,
        size_bytes=row["size_bytes"],
        video=row["video"],
        frame=row["frame"],
        metadata=with_all_digits(shown.metadata),
        tasks=tasks,
        problems=_problems(connection, sources, key),
        selections=list(selections),
        pools=[name for name, members in view.lists.pools().items() if key in members],
        tags=[name for name, members in view.lists.tags().items() if key in members],
    )


def _part(snapshot: Snapshot, shard: int) -> Snapshot:
    """Return the snapshot as if it held one shard only: everything about a sample is in one."""
    manifest = snapshot.manifest
    return Snapshot(snapshot.root, msgspec.structs.replace(manifest, shards=(manifest.shards[shard],), problems=()))


def _task(name: str, shown: ShownTask | None, file: Any) -> TaskOfSample:  # noqa: ANN401 (a DuckDB row)
    path, valid = (None, False) if file is None else (list(file.values()) if isinstance(file, dict) else file)
    return TaskOfSample(
        task=name,
        file=path,
        valid=bool(valid),
        scores={} if shown is None else shown.scores,
        predictions=[] if shown is None else [_prediction(row) for row in shown.predictions],
    )


def _prediction(row: dict[str, Any]) -> PredictionDetail:
    box = tuple(row[name] for name in _BOX) if all(name in row for name in _BOX) else None
    return PredictionDetail(
        position=row["position"],
        category_id=row["category_id"],
        category=row["category"],
        score=row.get("score"),
        bbox=box,
        probabilities=row.get("probabilities"),
        mask=row.get("mask"),
        keypoints=row.get("keypoints"),
        scores={name: value for name, value in row.items() if name.startswith("uncertainty")},
    )


def _problems(connection: DuckDBPyConnection, sources: Sources, key: str) -> list[Place]:
    which = "file = ? OR file IN (SELECT file FROM files WHERE sample = ?)"
    return [Place.of(problem, key) for problem in place_found(sources, connection, which, [key, key])]


def read_raw(view: View, sources: Sources, key: str, task: str | None, *, follow_links: bool) -> bytes:
    """Return the prediction file of a task for a sample as it is, or without a task its metadata file.

    Raises:
        NoSampleError: when there is no such sample.
        UsageError: when there is no such task, or the file is too large to be looked at.
        StoreError: when the file is not there or cannot be read.
    """
    number_of(view, key)
    file = metadata_key(key) if task is None else prediction_key(view.snapshot.task(task).name, key)
    if not follow_links:
        check_contained(sources.lightly, file)
    blob = sources.lightly.read_start(file, _MAX_RAW_BYTES)
    if blob.stamp.size_bytes > _MAX_RAW_BYTES:
        raise UsageError(
            f"`{file}` has {blob.stamp.size_bytes:,} bytes: more than the {_MAX_RAW_BYTES:,} shown here",
            hint="open it in an editor",
        )
    return blob.data
