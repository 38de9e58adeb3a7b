"""YOLO text into the layout."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from msgspec import structs

from tamis.api.converting.label_files import (
    LabelFiles,
    LabelImport,
    find_files,
    ids_by_name,
    parts_of,
    refuse_without_scores,
    task_of,
)
from tamis.api.converting.tasks import read_classes, read_document
from tamis.errors import UsageError
from tamis.formats import (
    DETECTION_COLUMNS,
    Columns,
    ForeignError,
    ParsedImage,
    decode_yolo,
    decode_yolo_classes,
    guess_type,
    parse_columns,
    tracks_from,
)
from tamis.model import Category, Task, TaskType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tamis.api.converting.values import ImportOptions, ImportReport
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.model import Task

    Words = list[list[str]]
    Line = list[float]

_FIRST_FILES = 200
_CLASSES = "classes.txt"
_NO_LABELS = (_CLASSES, "README.txt", "requirements.txt")


def import_yolo(sources: Sources, path: Path, options: ImportOptions, *, listen: ProgressListener) -> ImportReport:
    """Import a folder of YOLO text files, one an image; an empty one says that nothing is there.

    Args:
        sources: where the images and `.lightly` are.
        path: the folder.
        options: how; the categories are those of `classes`, else of `data.yaml` or `classes.txt` in the folder or
            above it.
        listen: told how far it is.

    Raises:
        UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
        DatasourceError: when the folder cannot be read or a file not be written.
    """
    files = find_files(path, (".txt",), without=_NO_LABELS)
    classes = _classes_file(path, options)
    n_keypoints = _n_keypoints(classes)
    words = list(_first_words(files))
    task_type, columns = _layout(words, options, n_keypoints, path)
    if task_type is TaskType.KEYPOINT_DETECTION and n_keypoints is None:
        raise UsageError(
            f"How many keypoints each object has is not said in `{classes}`",
            hint="name them in YAML with `kpt_shape: [17, 3]`",
        )
    task = task_of(options, task_type, read_classes(classes), str(classes))
    if task_type is TaskType.KEYPOINT_DETECTION:
        task = _with_keypoint_names(task, classes, n_keypoints)
    work = LabelImport(sources, options, task, "line")

    def decode(data: bytes) -> ParsedImage:
        return _decode(data, task, columns, n_keypoints)

    first = (part for _, part in islice(parts_of(files, decode), _FIRST_FILES) if isinstance(part, ParsedImage))
    remark = "" if columns.tracks_from is None else " (their lines end in numbers of tracks)"
    refuse_without_scores(first, options, task_type, path, remark=remark)
    return work.run(parts_of(files, decode), len(files.keys), listen)


def _decode(data: bytes, task: Task, columns: Columns, n_keypoints: int | None) -> ParsedImage:
    if task.task_type is not TaskType.CLASSIFICATION:
        return decode_yolo(data, task.task_type, columns=columns, n_keypoints=n_keypoints)
    return decode_yolo_classes(data, ids_by_name(task))


def _layout(
    files: Sequence[Words], options: ImportOptions, n_keypoints: int | None, path: Path
) -> tuple[TaskType, Columns]:
    """Return what lines describe, and which number is what: as it was said, else as the first files look."""
    said = _said_columns(options)
    if said is not None:
        boxes = TaskType.OBJECT_DETECTION if n_keypoints is None else TaskType.KEYPOINT_DETECTION
        return options.task_type or boxes, said
    numbers = [[line for words in file if (line := _numbers(words)) is not None] for file in files]
    try:
        task_type = options.task_type or _guess(files, numbers, n_keypoints)
        if task_type is TaskType.CLASSIFICATION:
            return task_type, DETECTION_COLUMNS
        return task_type, DETECTION_COLUMNS._replace(tracks_from=tracks_from(numbers, task_type, n_keypoints))
    except ValueError as error:
        raise UsageError(
            f"The lines of `{path}` {error}",
            hint="say with `--columns 'class cx cy w h score track'` what the numbers of boxes are (`track` is "
            "left out), or give the `--type`",
        ) from None


def _said_columns(options: ImportOptions) -> Columns | None:
    if options.columns is None:
        if options.pixels:
            raise UsageError("`--pixels` says nothing without `--columns`", hint="name the columns of the lines")
        return None
    try:
        return parse_columns(options.columns, is_pixels=options.pixels)
    except ValueError as error:
        raise UsageError(f"`--columns`: {error}", hint="as in `--columns 'class score x y x2 y2'`") from None


def _classes_file(path: Path, options: ImportOptions) -> Path:
    if options.classes is not None:
        return options.classes_path
    for folder in (path, path.parent):
        for name in ("data.yaml", _CLASSES):
            if (folder / name).is_file():
                return folder / name
    raise UsageError(
        f"What the class numbers of `{path}` mean is not said",
        hint="name the categories with `--classes`: `data.yaml`, or a file with a name a line",
    )


def _n_keypoints(classes: Path) -> int | None:
    """Return the number of keypoints that a `data.yaml` says.

    Raises:
        UsageError: when they have no third number: there is no confidence to write, and none is invented.
    """
    document = read_document(classes)
    shape = document.get("kpt_shape") if isinstance(document, dict) else None
    match shape:
        case [int(n), 3]:
            return n
        case None:
            return None
        case _:
            raise UsageError(
                f"`{classes}`: expected `kpt_shape` as [keypoints, 3], got {shape}",
                hint="keypoints need a confidence or flag each, and none is invented",
            )


def _with_keypoint_names(task: Task, classes: Path, n_keypoints: int | None) -> Task:
    """Name the keypoints of each class as `kpt_names` of a `data.yaml` does; other lists say nothing of them."""
    document = read_document(classes)
    given = document.get("kpt_names") if isinstance(document, dict) else None
    if not isinstance(given, dict):
        return task

    def named(number: int, category: Category) -> Category:
        names = given.get(number)
        if not isinstance(names, list) or len(names) != n_keypoints:
            return category
        return structs.replace(category, keypoint_names=tuple(map(str, names)))

    return structs.replace(task, categories=tuple(named(number, one) for number, one in enumerate(task.categories)))


def _guess(files: Sequence[Words], numbers: Sequence[Sequence[Line]], n_keypoints: int | None) -> TaskType:
    """Return the type of the first lines: keypoints are named in `data.yaml`, names follow probabilities."""
    if n_keypoints is not None:
        return TaskType.KEYPOINT_DETECTION
    lines = [words for file in files for words in file]
    if 2 * sum(len(words) > 1 and _numbers(words[1:2]) is None for words in lines) > len(lines):
        return TaskType.CLASSIFICATION
    return guess_type(numbers)


def _first_words(files: LabelFiles) -> Iterator[Words]:
    """Yield the words of each line of the first files."""
    for key in files.keys[:_FIRST_FILES]:
        try:
            text = files.read(key).decode("utf-8", "replace")
        except ForeignError:
            continue
        yield [line.split() for line in text.splitlines() if line.strip()]


def _numbers(words: Sequence[str]) -> Line | None:
    """Return the numbers of a line, `None` where a word is none."""
    try:
        return [float(word) for word in words]
    except ValueError:
        return None
