"""A folder of label files, one for each image: found, read and handed on, whatever their format."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from tamis.api.converting.elsewhere import Elsewhere, Held
from tamis.api.converting.names import MISSING_CODES, Found, SampleNames
from tamis.api.converting.sink import Sink
from tamis.api.converting.taking import ImageObjects, Taker
from tamis.api.converting.tasks import read_classes, task_or_error
from tamis.api.converting.values import ImportReport, Tally
from tamis.api.converting.videos import Videos
from tamis.engine import Progress
from tamis.errors import UsageError
from tamis.formats import IMPORT_CODES, ForeignError, ParsedImage, TakeOptions, decode_schema
from tamis.model import TaskType, kind_of_key, stem_of
from tamis.storage import LocalStore, StoreError, join_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tamis.api.converting.values import ImportOptions
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.model import Task

_REPORT_EVERY = 200
_SAYS_EMPTY = frozenset({"region-ignored"})  # an image of such regions alone was looked at, and nothing is there


@dataclass(frozen=True, slots=True)
class LabelFiles:
    """Files of one format below a folder, or a single one.

    Attributes:
        store: the folder.
        keys: of the files, sorted.
    """

    store: LocalStore
    keys: list[str]

    def read(self, key: str) -> bytes:
        """Return the content of a file.

        Raises:
            ForeignError: when it cannot be read.
        """
        try:
            return self.store.read(key).data
        except StoreError as error:
            raise ForeignError("file-unreadable", error.message) from None


def find_files(path: Path, endings: Collection[str], *, without: Collection[str] = ()) -> LabelFiles:
    """List the files with some endings below a folder; a file stands for itself.

    Args:
        path: the folder or file.
        endings: with their dot, in lower case.
        without: names of files that are something else.

    Raises:
        DatasourceError: when nothing is there.
        UsageError: when there is no such file.
    """
    if path.is_file():
        return LabelFiles(LocalStore(path.parent), [path.name])
    store = LocalStore.open(path)
    keys, pending = [], [""]
    while pending:
        folder = pending.pop()
        for page in store.list_folder(folder, stamps=False):
            pending += [join_key(folder, name) for name in page.folders if name != ".lightly"]
            keys += [
                join_key(folder, name)
                for name in page.names
                if name.lower().endswith(tuple(endings)) and name not in without
            ]
    if not keys:
        raise UsageError(f"`{path}` holds no files that end in {' or '.join(sorted(endings))}")
    return LabelFiles(store, sorted(keys))


def task_of(options: ImportOptions, task_type: TaskType, categories: Sequence[Any], file: str) -> Task:
    """Return the task of some categories.

    Raises:
        UsageError: when they cannot be one's.
    """
    schema = msgspec.json.encode({"task_type": task_type, "categories": list(categories)})
    return task_or_error(*decode_schema(schema, task=options.task, file=file))


def numbered(names: Iterable[str]) -> list[dict[str, Any]]:
    """Return categories of the names that occur, by name: ids 0, 1, ...; records without one are no category."""
    return [{"id": i, "name": name} for i, name in enumerate(sorted({*names} - {""}))]


def categories_of(
    files: LabelFiles, options: ImportOptions, names: Callable[[bytes], Iterable[str]]
) -> list[dict[str, Any]]:
    """Return the categories that were named, else those that occur, in the order of their names.

    Args:
        files: that are imported.
        options: may name the file with the categories.
        names: returns those that the content of a file has, with ForeignError where it cannot be read.

    Raises:
        UsageError: when there are none.
    """
    if options.classes is not None:
        return read_classes(options.classes_path)
    found: set[str] = set()
    unreadable = ""
    for key in files.keys:
        try:
            found.update(names(files.read(key)))
        except ForeignError as error:  # counted when the file is taken
            unreadable = unreadable or f"; `{key}` cannot be read: {error}"
    if not found - {""}:
        raise UsageError(f"The files name no categories{unreadable}", hint="name them with `--classes`")
    return numbered(found)


def ids_by_name(task: Task) -> Mapping[str, int]:
    """Return the ids of a task's categories by their names."""
    return {category.name: category.id for category in task.categories}


@dataclass(eq=False)
class LabelImport:
    """An import in which each part of the input is about one image.

    Args:
        sources: where the images and `.lightly` are.
        options: how.
        task: the task to write.
        unit: what the numbers of objects count: "line", "object".
    """

    sources: Sources
    options: ImportOptions
    task: Task
    unit: str
    tally: Tally = field(default_factory=Tally)
    n_records: int = 0
    _started: float = field(default_factory=time.monotonic)

    @cached_property
    def names(self) -> SampleNames:
        """What other tools may call the samples."""
        return SampleNames(self.sources.input, Videos(self.sources), self.options.prefix)

    def run(
        self, parts: Iterator[tuple[str, ParsedImage | ForeignError]], n_parts: int | None, listen: ProgressListener
    ) -> ImportReport:
        """Take every part: its file, and what it says or why it cannot be read.

        Raises:
            UsageError: when the task is there and may not be changed; nothing was written.
            DatasourceError: when a file cannot be written.
        """
        taking = TakeOptions(
            task_type=self.task.task_type, score=self.options.score, visibility=self.options.visibility
        )
        sink = Sink(self.sources.lightly, self.task, self.options.if_there, self.options.dry_run, self.tally)
        taker = Taker(self.sources.input, self.names, taking, sink, self.tally, self.unit)
        sink.start()
        with Elsewhere(taker) as elsewhere:
            for done, (file, parsed) in enumerate(parts):
                if isinstance(parsed, ForeignError):
                    self.n_records += 1
                    self.tally.add_error(parsed, file)
                else:
                    self._take(elsewhere, file, parsed)
                if done % _REPORT_EVERY == 0:
                    listen(Progress("reading", done, n_parts, "files"))
            elsewhere.release()
        taker.flush()
        return ImportReport(
            task=self.task.name,
            task_type=self.task.task_type,
            dry_run=self.options.dry_run,
            records=self.n_records,
            predictions=sink.written.predictions,
            files=sink.written.files,
            files_empty=sink.written.files_empty,
            files_unchanged=sink.written.files_unchanged,
            not_taken=self.tally.groups(dropped=True),
            n_not_taken=self.tally.n_not_taken,
            notes=self.tally.groups(dropped=False),
            seconds=time.monotonic() - self._started,
        )

    def _take(self, elsewhere: Elsewhere, file: str, parsed: ParsedImage) -> None:
        self.n_records += len(parsed.objects) + sum(IMPORT_CODES[fault.code].drops for fault in parsed.faults)
        for fault in parsed.faults:
            place = file if fault.number is None else f"{self.unit} {fault.number:,} ({file})"
            self.tally.add(fault.code, fault.message, place)
        is_lost = not parsed.objects and any(fault.code not in _SAYS_EMPTY for fault in parsed.faults)
        try:
            found = self._find(elsewhere.taker.names, file, parsed.name)
        except ForeignError as error:
            if not is_lost:
                self.tally.add_error(error, file, count=max(len(parsed.objects), 1))
            return
        if found.is_exact:
            elsewhere.name(found.key)
        if not is_lost:
            self._hand_on(elsewhere, found, file, parsed)

    def _hand_on(self, elsewhere: Elsewhere, found: Found, file: str, parsed: ParsedImage) -> None:
        if found.is_exact:
            elsewhere.taker.take(ImageObjects(found.key, parsed.objects, parsed.size, parsed.is_relative))
            return
        missing_key = None
        with suppress(ForeignError):  # a name that no sample can have is not written
            missing_key = self._missing_key(elsewhere.taker.names, parsed.name)
        name = parsed.name or stem_of(file)
        held = Held(name, file, parsed.objects, parsed.size, parsed.is_relative, missing_key)
        elsewhere.hold(found.key, held)

    def _find(self, names: SampleNames, file: str, said: str | None) -> Found:
        """Return the image that a file is about: the one it names, else the one it is named like."""
        stem = stem_of(file)
        folder = file.rpartition("/")[0]
        try:
            if said is None or kind_of_key(said) is None:
                return names.find_stem(stem)
            return names.find_beside(said, folder)
        except ForeignError as error:
            missing_key = self._missing_key(names, said) if error.code in MISSING_CODES else None
            if missing_key is None:
                raise
            return Found(missing_key, is_exact=True)

    def _missing_key(self, names: SampleNames, said: str | None) -> str | None:
        """Return what to write of an image that is not there, `None` where nothing is to be.

        Raises:
            ForeignError: when no sample can have that name.
        """
        return names.missing_key(said) if self.options.keep_missing and said is not None else None


def refuse_without_scores(
    parts: Iterable[ParsedImage], options: ImportOptions, task_type: TaskType, path: Path, *, remark: str = ""
) -> None:
    """Refuse labels without a score, unless one was named.

    Args:
        parts: the first of them.
        options: may name a score.
        task_type: of the task.
        path: where they lie.
        remark: a clause about what might be taken for scores.

    Raises:
        UsageError: when no object of these has one, and their type needs it.
    """
    if options.score is not None or task_type is TaskType.CLASSIFICATION:
        return
    objects = [one for part in parts for one in part.objects]
    if objects and all(one.score is None for one in objects):
        raise UsageError(
            f"The labels of `{path}` have no scores{remark}, and none are invented",
            hint="`--score 1` gives labels the score of a sure prediction",
        )


def parts_of(
    files: LabelFiles, decode: Callable[[bytes], ParsedImage]
) -> Iterator[tuple[str, ParsedImage | ForeignError]]:
    """Yield each file with what it says, or why it cannot be read."""
    for key in files.keys:
        try:
            yield key, decode(files.read(key))
        except ForeignError as error:
            yield key, error
