"""COCO annotation files and results into the layout, whatever their size.

Records come in any order; those of one image are put together by a spill, and images are written one after the
other. What is held is the list of images and one part of the spill.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tamis.api.converting.coco_groups import ImageGroups
from tamis.api.converting.coco_input import CocoTable, first_records, is_list, open_stream, read_table, records
from tamis.api.converting.names import SampleNames
from tamis.api.converting.sink import Sink
from tamis.api.converting.spill import Spill
from tamis.api.converting.taking import ImageObjects, Taker
from tamis.api.converting.tasks import read_classes, task_or_error
from tamis.api.converting.values import ImportReport, Tally
from tamis.api.converting.videos import Videos
from tamis.engine import Progress
from tamis.errors import DatasourceError, UsageError
from tamis.formats import (
    CocoBoxRecord,
    ForeignError,
    ForeignObject,
    ImageId,
    TakeOptions,
    Unreadable,
    guess_task_type,
    record_type,
    task_of_categories,
    to_object,
)
from tamis.model import TaskType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.api.converting.values import ImportOptions
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.formats import CocoRecord
    from tamis.model import Task

_MEGABYTE = 1 << 20
_REPORT_EVERY = 2_000


def import_coco(sources: Sources, path: Path, options: ImportOptions, *, listen: ProgressListener) -> ImportReport:
    """Import a COCO annotation file, or a list of results together with the file that describes its images.

    Args:
        sources: where the images and `.lightly` are.
        path: the file.
        options: how.
        listen: told how far it is.

    Raises:
        UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
        DatasourceError: when a file cannot be read or written.
    """
    started = time.monotonic()
    tally = Tally()
    is_results = is_list(path)
    table = _table(path, options, tally, is_results=is_results)
    task = _task(path, options, table)
    names = SampleNames(sources.input, Videos(sources), options.prefix)
    taking = TakeOptions(task_type=task.task_type, score=options.score, visibility=options.visibility)
    sink = Sink(sources.lightly, task, options.if_there, options.dry_run, tally)
    work = _Import(path, options, table, Taker(sources.input, names, taking, sink, tally, "record"), sink, tally)
    sink.start()
    work.run(listen, with_empty=options.empty or not is_results)
    work.taker.flush()
    return ImportReport(
        task=task.name,
        task_type=task.task_type,
        dry_run=options.dry_run,
        records=work.n_records,
        predictions=sink.written.predictions,
        files=sink.written.files,
        files_empty=sink.written.files_empty,
        files_unchanged=sink.written.files_unchanged,
        not_taken=tally.groups(dropped=True),
        n_not_taken=tally.n_not_taken,
        notes=tally.groups(dropped=False),
        seconds=time.monotonic() - started,
    )


def _table(path: Path, options: ImportOptions, tally: Tally, *, is_results: bool) -> CocoTable:
    """Return what describes the images and categories."""
    if options.annotations is not None:
        if not is_results:
            _refuse_two_descriptions(path, Path(options.annotations))
        return read_table(Path(options.annotations), tally)
    if not is_results:
        return read_table(path, tally)
    if options.classes is None:
        raise UsageError(
            f"`{path}` is a list of results, which does not say what its images and categories are",
            hint="give the annotation file with `--annotations`, or where results name their images, "
            "the categories with `--classes`",
        )
    return CocoTable(categories=read_classes(Path(options.classes)), by_name=True)


def _refuse_two_descriptions(path: Path, annotations: Path) -> None:
    """Refuse a file that describes images or categories itself, beside another one that does.

    Raises:
        UsageError: when both do: their ids need not mean the same.
    """
    own = _described(path)
    if own is not None and not (annotations.exists() and annotations.samefile(path)):
        raise UsageError(
            f"`{path}` has `{own}` of its own, and those of `{annotations}` need not be the same",
            hint="leave `--annotations` out, or give a file with nothing but the list of annotations",
        )


def _described(path: Path) -> str | None:
    """Return which of images and categories an annotation file lists, `None` for neither."""
    # A file that breaks off is no error yet: what is before that is read.
    with suppress(DatasourceError), open_stream(path) as stream:
        for key in stream.members():
            if key in {"images", "categories"} and stream.peek() == "[":
                for _ in stream.elements(msgspec.Raw):
                    return key
    return None


def _task(path: Path, options: ImportOptions, table: CocoTable) -> Task:
    first = first_records(path)
    task_type = options.task_type or guess_task_type(first)
    if task_type is None:
        raise UsageError(
            f"`{path}` holds no boxes, masks or keypoints",
            hint="say with `--type` what it holds, where its first records are not like the others",
        )
    if task_type is TaskType.CLASSIFICATION:
        raise UsageError("COCO files hold no classifications", hint="give another `--type`")
    if first and options.score is None and not any("score" in record for record in first):
        raise UsageError(
            f"The records of `{path}` have no scores, and none are invented",
            hint="`--score 1` gives labels the score of a sure prediction",
        )
    file = options.annotations or options.classes or str(path)
    return task_or_error(*task_of_categories(table.categories, task_type, name=options.task, file=file))


class _OnlyImage(msgspec.Struct):
    """What can be known of a record that cannot be read otherwise."""

    image_id: ImageId


@dataclass(slots=True, eq=False)
class _Import:
    """One run: reads records into groups of one sample each, then hands on the samples."""

    path: Path
    options: ImportOptions
    table: CocoTable
    taker: Taker
    sink: Sink
    tally: Tally
    n_records: int = 0
    _groups: ImageGroups = field(init=False)
    _with_records: set[int] = field(default_factory=set)
    _is_whole: bool = True

    def __post_init__(self) -> None:
        self._groups = ImageGroups(self.table, self.taker.names, self.options.keep_missing)

    def run(self, listen: ProgressListener, *, with_empty: bool) -> None:
        n_bytes = self.path.stat().st_size
        with Spill(ForeignObject, n_bytes) as spill:
            self._read(spill, n_bytes, listen)
            self._groups.tell_apart()
            for done, (group, objects) in enumerate(spill.groups()):
                self._take(group, objects)
                if done % _REPORT_EVERY == 0:
                    listen(Progress("writing", done, len(self._groups.keys), "images"))
        if with_empty:
            self._write_empty()

    def _take(self, group: int, objects: Sequence[ForeignObject]) -> None:
        key, name = self._groups.keys[group], self.table.names[group]
        if group in self._groups.refused:
            self.tally.add_error(self._groups.refused[group], name, count=max(len(objects), 1))
            return
        if self._groups.is_elsewhere(group):
            self.tally.add("image-elsewhere", f"found as `{key}`", name)
        self.taker.take(ImageObjects(key, objects, self.table.sizes[group]))

    def _read(self, spill: Spill[ForeignObject], n_bytes: int, listen: ProgressListener) -> None:
        kind = record_type(self.sink.task.task_type, is_guess=self.options.task_type is None)
        for first, found, n_read in records(self.path, kind, self.tally):
            for number, record in enumerate(found, first):
                self._add(spill, record, number)
            self.n_records = first + len(found)
            listen(Progress("reading", n_read // _MEGABYTE, n_bytes // _MEGABYTE, "MB"))
            if n_read == n_bytes:
                break

    def _add(self, spill: Spill[ForeignObject], record: CocoRecord | Unreadable, number: int) -> None:
        if isinstance(record, Unreadable):
            self._miss(record, number)
            return
        index = self.table.find(record.image_id)
        if index is None:
            message = f"expected the id of an image that is described, got {record.image_id!r}"
            self.tally.add("image-unknown", message, f"record {number:,}")
            return
        self._with_records.add(index)
        group = self._groups.of(index)
        if group is None:
            self.tally.add_error(self._groups.refused[index], self.table.names[index])
            return
        try:
            spill.add(group, to_object(record, number))
        except ForeignError as error:
            self.tally.add_error(error, f"record {number:,} ({self._groups.keys[group]})")
            return
        if record.iscrowd:
            self.tally.add("crowd", "`iscrowd` is 1", f"record {number:,} ({self._groups.keys[group]})")
        if isinstance(record, CocoBoxRecord) and (more := record.more()):
            self.tally.add("more-than-box", f"got {more}, too", f"record {number:,} ({self._groups.keys[group]})")

    def _miss(self, record: Unreadable, number: int) -> None:
        """Count a record that cannot be read; its image, where that can be told, is not without objects."""
        place = f"record {number:,}"
        try:
            index = self.table.find(msgspec.json.decode(record.text, type=_OnlyImage).image_id)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            index, self._is_whole = None, False
        if index is not None:
            self._with_records.add(index)
            place += f" ({self.table.names[index]})"
        self.tally.add("record-unreadable", f"{record.message}: {record.shown}", place)

    def _write_empty(self) -> None:
        """Say of each image that is listed without records that nothing was seen."""
        listed = [index for index in range(len(self.table.names)) if index not in self._with_records]
        if not self._is_whole:
            if listed:
                message = f"{len(listed):,} listed images have no record, but some records cannot be read"
                self.tally.add("empty-unsure", message, self.path.name)
            return
        seen = {self._groups.of(index) for index in self._with_records}
        for index in listed:
            group = self._groups.of(index)
            if group is None:
                self.tally.add_error(self._groups.refused[index], self.table.names[index])
            elif group not in seen:
                seen.add(group)
                self._take(group, ())
