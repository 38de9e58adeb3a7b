"""Files that hold many images, a record each, into the layout: TFRecord and exports of Labelbox."""

from __future__ import annotations

import re
from contextlib import contextmanager
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any

from tamis.api.converting.label_files import (
    LabelImport,
    find_files,
    ids_by_name,
    numbered,
    refuse_without_scores,
    task_of,
)
from tamis.api.converting.tasks import read_classes
from tamis.errors import DatasourceError, UsageError
from tamis.formats import (
    ForeignError,
    ParsedImage,
    decode_example,
    decode_labelbox,
    decode_tf_objects,
    labelbox_names,
    parse_labelbox,
    read_records,
    tf_names,
)
from tamis.model import TaskType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tamis.api.converting.values import ImportOptions, ImportReport
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener

    Record = bytes | ForeignError
    Part = tuple[str, ParsedImage | ForeignError]

_FIRST_RECORDS = 200
_LABEL_MAP = "label_map.pbtxt"
_TFRECORD = re.compile(r"\.(tf)?records?(-\d+-of-\d+)?$")


def import_tfrecord(
    sources: Sources, path: Path, options: ImportOptions, *, listen: ProgressListener
) -> ImportReport:
    """Import TFRecord files of TensorFlow's Object Detection API: boxes of labels or of a model.

    Args:
        sources: where the images and `.lightly` are.
        path: a file, or a folder of them.
        options: how; the categories are those of `classes`, else of `label_map.pbtxt` beside the files, else those
            that occur with number and name.
        listen: told how far it is.

    Raises:
        UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
        DatasourceError: when a file cannot be read or written.
    """
    files = _tfrecord_files(path)
    task = task_of(
        options, options.task_type or TaskType.OBJECT_DETECTION, _tf_categories(files, options), str(path)
    )
    known = {category.id: category.name for category in task.categories}

    def parts() -> Iterator[Part]:
        return _parts(files, _tf_records, lambda data: decode_tf_objects(decode_example(data), known))

    _refuse_without_scores(parts(), options, task.task_type, path)
    n_images = sum(1 for file in files for _ in _tf_records(file))
    return LabelImport(sources, options, task, "object").run(parts(), n_images, listen)


def import_labelbox(
    sources: Sources, path: Path, options: ImportOptions, *, listen: ProgressListener
) -> ImportReport:
    """Import an export of Labelbox in JSON lines: its boxes and polygons.

    Images are found by their global key, else by their external id. Masks are pictures behind an address, which is
    not opened: they are counted as not taken.

    Raises:
        UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
        DatasourceError: when the file cannot be read or a file not be written.
    """
    found = find_files(path, (".ndjson", ".jsonl"))
    files = [(found.store.local_root / key) for key in found.keys]
    names, n_polygons, n_rows = _labelbox_contents(files)
    categories = read_classes(options.classes_path) if options.classes else numbered(names)
    if not categories:
        raise UsageError(f"`{path}` names no categories", hint="name them with `--classes`")
    has_masks = TaskType.INSTANCE_SEGMENTATION if n_polygons else TaskType.OBJECT_DETECTION
    task = task_of(options, options.task_type or has_masks, categories, str(path))
    ids = ids_by_name(task)

    def parts() -> Iterator[Part]:
        return _parts(files, _lines, lambda line: decode_labelbox(parse_labelbox(line), ids))

    _refuse_without_scores(parts(), options, task.task_type, path)
    return LabelImport(sources, options, task, "object").run(parts(), n_rows, listen)


def _refuse_without_scores(parts: Iterator[Part], options: ImportOptions, task_type: TaskType, path: Path) -> None:
    first = (part for _, part in islice(parts, _FIRST_RECORDS) if isinstance(part, ParsedImage))
    refuse_without_scores(first, options, task_type, path)


def _parts(
    files: Sequence[Path], records: Callable[[Path], Iterator[Record]], decode: Callable[[bytes], ParsedImage]
) -> Iterator[Part]:
    """Yield each record with what it says, or why it cannot be read."""
    for file in files:
        for number, record in enumerate(records(file), 1):
            place = f"{file.name} record {number:,}"
            try:
                yield place, record if isinstance(record, ForeignError) else decode(record)
            except ForeignError as error:
                yield place, error


def _lines(file: Path) -> Iterator[bytes]:
    """Yield the lines of a file that say anything."""
    with _opened(file) as lines:
        for line in lines:
            if line.strip():
                yield line


def _tf_records(file: Path) -> Iterator[Record]:
    """Yield the records of a file; where it is broken, what is the matter is the last."""
    with _opened(file) as opened:
        try:
            yield from read_records(opened)
        except ForeignError as error:
            yield error


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    try:
        with file.open("rb") as opened:
            yield opened
    except OSError as error:
        raise DatasourceError(f"`{file}` cannot be read: {(error.strerror or str(error)).lower()}") from None


def _tfrecord_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DatasourceError(f"There is no file or folder `{path}`", hint="check the path for a typo")
    files = sorted(file for file in path.rglob("*") if _TFRECORD.search(file.name) and file.is_file())
    if not files:
        raise UsageError(f"`{path}` holds no files that end in .tfrecord or .record")
    return files


def _tf_categories(files: Sequence[Path], options: ImportOptions) -> list[dict[str, Any]]:
    """Return the categories that were named, else those of a label map beside the files, else those that occur."""
    beside = files[0].with_name(_LABEL_MAP)
    if options.classes is not None or beside.is_file():
        return read_classes(options.classes_path if options.classes else beside)
    names: dict[int, str] = {}
    for file in files:
        for record in _tf_records(file):
            try:
                names |= {} if isinstance(record, ForeignError) else dict(tf_names(decode_example(record)))
            except ForeignError:
                continue  # counted when the record is taken
    if not names:
        raise UsageError("The files name no categories", hint="name them with `--classes`, e.g. `label_map.pbtxt`")
    return [{"id": number, "name": name} for number, name in sorted(names.items()) if name and number >= 0]


def _labelbox_contents(files: Sequence[Path]) -> tuple[set[str], int, int]:
    """Return the names of objects, how many are polygons, and how many rows there are."""
    names: set[str] = set()
    n_polygons = n_rows = 0
    for line in chain.from_iterable(map(_lines, files)):
        n_rows += 1
        try:
            found = list(labelbox_names(parse_labelbox(line)))
        except ForeignError:
            continue  # counted when the row is taken
        names |= {name for name, _ in found}
        n_polygons += sum(is_polygon for _, is_polygon in found)
    return names, n_polygons, n_rows
