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
    parse_columns,
)
from tamis.model import Category, Task, TaskType

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tamis.api.converting.values import ImportOptions, ImportReport
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.model import Task

_FIRST_FILES = 200
_BOX_NUMBERS = frozenset({5, 6})
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
    columns = _columns(options)
    task_type = options.task_type or _guess(files, n_keypoints)
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
    refuse_without_scores(first, options, task_type, path)
    return work.run(parts_of(files, decode), len(files.keys), listen)


def _decode(data: bytes, task: Task, columns: Columns, n_keypoints: int | None) -> ParsedImage:
    if task.task_type is not TaskType.CLASSIFICATION:
        return decode_yolo(data, task.task_type, columns=columns, n_keypoints=n_keypoints)
    return decode_yolo_classes(data, ids_by_name(task))


def _columns(options: ImportOptions) -> Columns:
    if options.columns is None:
        if options.pixels:
            raise UsageError("`--pixels` says nothing without `--columns`", hint="name the columns of the lines")
        return DETECTION_COLUMNS
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


def _guess(files: LabelFiles, n_keypoints: int | None) -> TaskType:
    """Return the type of the first lines: boxes have 5 or 6 numbers, keypoints are named in `data.yaml`."""
    if n_keypoints is not None:
        return TaskType.KEYPOINT_DETECTION
    lines = list(_first_words(files))
    if 2 * sum(len(words) > 1 and not _is_number(words[1]) for words in lines) > len(lines):
        return TaskType.CLASSIFICATION
    n_boxes = sum(len(words) in _BOX_NUMBERS for words in lines)
    return TaskType.OBJECT_DETECTION if 2 * n_boxes >= len(lines) else TaskType.INSTANCE_SEGMENTATION


def _first_words(files: LabelFiles) -> Iterable[list[str]]:
    for key in files.keys[:_FIRST_FILES]:
        try:
            text = files.read(key).decode("utf-8", "replace")
        except ForeignError:
            continue
        yield from (line.split() for line in text.splitlines() if line.strip())


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
