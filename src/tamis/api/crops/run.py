"""`crops`: which objects, what is there already, and the work on the rest."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tamis.api.crops.chosen import chosen_objects
from tamis.api.crops.files import CropJob, CropWork, crop_batch
from tamis.api.crops.options import CropFault, CropOptions, CropsReport
from tamis.api.crops.records import SOURCE, options_document, options_of, picture_of, write_metadata_schema
from tamis.api.embedding.pictures import batches_of
from tamis.api.embedding.targets import target_of
from tamis.api.engines import on_ray, open_engine
from tamis.api.options import ignore_progress
from tamis.api.selecting.rows import Rows
from tamis.api.writer import PredictionWriter
from tamis.engine import Progress
from tamis.errors import DatasourceError, UsageError
from tamis.formats import METADATA, prediction_key
from tamis.index import SampleColumns
from tamis.media.frames import PictureFormat
from tamis.model import Task, TaskType, parse_object_key, split_extension
from tamis.storage import LocalStore, NotFoundError, join_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tamis.api.embedding.pictures import PictureBatch
    from tamis.api.embedding.targets import Target
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.index import Snapshot
    from tamis.storage import Store

OPTIONS_KEY = ".lightly/crops.json"
_BATCHES_READ = 64  # some ten thousand pictures


def write_crops(
    sources: Sources,
    snapshot: Snapshot,
    task: str,
    out: str | Path,
    options: CropOptions | None = None,
    *,
    listen: ProgressListener = ignore_progress,
) -> CropsReport:
    """Cut the objects of a task out of their images and frames, into a datasource of its own.

    Each crop is an image `<sample>#<task>#<position>.jpg`, with its predicted class (and probabilities) as a
    classification of a task of the same name, and metadata that lead back to its box. Each file is put in place
    whole; crops that are there and still right are kept, so a run that was stopped goes on where it was. Crops of
    objects that are not asked for any more are removed.

    Args:
        sources: images and index.
        snapshot: of the index.
        task: whose objects.
        out: folder of the crops: new, or of an earlier run.
        options: which objects, and how.
        listen: told how far the work is.

    Raises:
        UsageError: when an option or the task cannot be, or the folder holds other crops.
        DatasourceError: when the datasource cannot be read, or the folder not be written.
    """
    wanted = options or CropOptions()
    _check(wanted)
    found = snapshot.task(task)
    target = target_of(SampleColumns(snapshot), found)
    if wanted.masked and found.task_type is not TaskType.INSTANCE_SEGMENTATION:
        raise UsageError(f"Task `{task}` has no masks: its type is {found.task_type}")
    chosen = chosen_objects(target, wanted)
    rows = np.flatnonzero(chosen.rows)
    crops = Task(name=task, task_type=TaskType.CLASSIFICATION, categories=found.categories)
    store = _prepare(Path(out), options_document(found, wanted, snapshot.manifest.source), crops, wanted)
    batches = batches_of(target, rows, sources.input)
    written, kept, faults = _run(
        _jobs(batches, target, CropWork(found, crops, store, wanted)),
        places=[sources.input, store],
        n_jobs=len(batches),
        n_rows=len(rows),
        options=wanted,
        listen=listen,
    )
    failed = {key for key, _ in faults}
    names = {target.name(int(row)) for row in rows} - failed
    return CropsReport(
        out=str(out),
        task=task,
        chosen=len(rows),
        of_other_tasks=chosen.n_others,
        gone=chosen.n_gone,
        written=written,
        kept=kept,
        removed=_remove_others(store, crops, names),
        failed=len(faults),
        faults=[CropFault(key=key, message=message) for key, message in sorted(faults)],
    )


def _check(options: CropOptions) -> None:
    on_ray(options)
    if not 0.0 <= options.padding <= 10.0:  # noqa: PLR2004 (a box of 11 times the size)
        raise UsageError(f"Expected a padding from 0 to 10, got {options.padding:g}")
    if options.jpeg_quality is not None:
        if options.picture is not PictureFormat.JPEG:
            raise UsageError("A quality is for JPEG only: PNG keeps every pixel")
        if not 1 <= options.jpeg_quality <= 95:  # noqa: PLR2004 (Pillow's range)
            raise UsageError(f"Expected a quality from 1 to 95, got {options.jpeg_quality}")
    if not 0.0 <= options.min_size_px < inf:
        raise UsageError(f"Expected a least size of 0 pixels or more, got {options.min_size_px:g}")
    if options.min_score is not None and not 0.0 <= options.min_score <= 1.0:
        raise UsageError(f"Expected a score from 0 to 1, got {options.min_score:g}")


def _prepare(out: Path, document: dict[str, Any], crops: Task, options: CropOptions) -> LocalStore:
    """Make the folder a datasource of crops, or see that it is one of the same options."""
    if out.is_file():
        raise DatasourceError(f"`{out}` is a file, expected a folder for the crops")
    store = LocalStore(out)
    try:
        before = options_of(store.read(OPTIONS_KEY).data)
    except NotFoundError:
        if out.is_dir() and any(out.iterdir()):
            raise UsageError(
                f"`{out}` is not empty, and holds no crops of an earlier run", hint="give a new folder"
            ) from None
    else:
        if before != document and not options.full:
            same_options = before == {**document, SOURCE: before.get(SOURCE)}
            raise UsageError(
                f"`{out}` holds crops of `{before[SOURCE]}`"
                if same_options
                else f"`{out}` holds crops that were made with other options",
                hint="give another folder, or make all of them again with `--full`",
            )
    store.write(OPTIONS_KEY, msgspec.json.format(msgspec.json.encode(document)))
    with PredictionWriter(store, task=crops.name, task_type=crops.task_type, categories=crops.categories):
        write_metadata_schema(store)
    return store


def _jobs(batches: Sequence[PictureBatch], target: Target, work: CropWork) -> Iterator[CropJob]:
    """Yield the jobs; the predictions of some batches at a time are read, as those of all may take gigabytes."""
    objects = Rows(target.samples, target)
    for first in range(0, len(batches), _BATCHES_READ):
        some = batches[first : first + _BATCHES_READ]
        predictions = objects.predictions(np.concatenate([item.rows for batch in some for item in batch.items]))
        for batch in some:
            own = (int(row) for item in batch.items for row in item.rows)
            yield CropJob(batch, {row: predictions[row] for row in own}, work)


def _run(
    jobs: Iterator[CropJob],
    *,
    places: Sequence[Store],
    n_jobs: int,
    n_rows: int,
    options: CropOptions,
    listen: ProgressListener,
) -> tuple[int, int, list[tuple[str, str]]]:
    written = kept = 0
    faults: list[tuple[str, str]] = []
    engine = open_engine(options, places, n_jobs=n_jobs)
    listen(Progress("crops", 0, n_rows, "objects"))
    with engine:
        for done in engine.map(crop_batch, jobs):
            written, kept = written + done.written, kept + done.kept
            faults += done.faults or []
            note = f"{len(faults):,} failed" if faults else ""
            listen(Progress("crops", written + kept + len(faults), n_rows, "objects", note))
    return written, kept, faults


def _remove_others(store: LocalStore, crops: Task, names: set[str]) -> int:
    """Remove crops whose objects are not among the names any more; what no run wrote stays.

    Crops are found by their metadata, which go last: a removal that was stopped is ended by the next run.
    """
    removed = 0
    for metadata in list(_files_in(store, METADATA)):
        name = split_extension(metadata.removeprefix(f"{METADATA}/"))[0]
        key = parse_object_key(name)
        if key is None or key.task != crops.name or name in names:
            continue
        picture = picture_of(store.read(metadata).data, name)
        if picture is None:
            continue
        for part in (picture, prediction_key(crops.name, picture), metadata):
            store.delete(part)
        removed += 1
    return removed


def _files_in(store: LocalStore, folder: str) -> Iterator[str]:
    for page in store.list_folder(folder, stamps=False):
        yield from (join_key(folder, name) for name in page.names)
        for name in page.folders:
            yield from _files_in(store, join_key(folder, name))
