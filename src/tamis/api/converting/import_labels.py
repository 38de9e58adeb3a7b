"""Pascal VOC, CVAT, KITTI and LabelMe into the layout: labels that name their categories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tamis.api.converting.label_files import (
    LabelFiles,
    LabelImport,
    find_files,
    ids_by_name,
    numbered,
    parts_of,
    refuse_without_scores,
    task_of,
)
from tamis.api.converting.tasks import read_classes
from tamis.errors import UsageError
from tamis.formats import (
    ForeignError,
    ParsedImage,
    cvat_names,
    decode_cvat,
    decode_kitti,
    decode_labelme,
    decode_voc,
    kitti_names,
    parse_labelme,
    parse_xml,
    voc_names,
)
from tamis.model import TaskType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from tamis.api.converting.values import ImportOptions, ImportReport
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener


def import_voc(sources: Sources, path: Path, options: ImportOptions, *, listen: ProgressListener) -> ImportReport:
    """Import a folder of Pascal VOC files; categories are the names that occur, unless `classes` lists them.

    Raises:
        UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
        DatasourceError: when the folder cannot be read or a file not be written.
    """
    files = find_files(path, (".xml",))
    categories = _categories(files, options, lambda data: voc_names(parse_xml(data)))
    task = task_of(options, options.task_type or TaskType.OBJECT_DETECTION, categories, str(path))
    ids = ids_by_name(task)
    return _run(
        LabelImport(sources, options, task, "object"),
        files,
        path,
        lambda data: decode_voc(parse_xml(data), ids),
        listen,
    )


def import_kitti(sources: Sources, path: Path, options: ImportOptions, *, listen: ProgressListener) -> ImportReport:
    """Import a folder of KITTI files; categories are the names that occur, unless `classes` lists them.

    Raises:
        UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
        DatasourceError: when the folder cannot be read or a file not be written.
    """
    files = find_files(path, (".txt",))
    categories = _categories(files, options, kitti_names)
    task = task_of(options, options.task_type or TaskType.OBJECT_DETECTION, categories, str(path))
    ids = ids_by_name(task)
    work = LabelImport(sources, options, task, "line")
    return _run(work, files, path, lambda data: decode_kitti(data, ids), listen)


def import_labelme(
    sources: Sources, path: Path, options: ImportOptions, *, listen: ProgressListener
) -> ImportReport:
    """Import a folder of LabelMe files; categories are the names that occur, unless `classes` lists them.

    Raises:
        UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
        DatasourceError: when the folder cannot be read or a file not be written.
    """
    files = find_files(path, (".json",))
    categories = _categories(files, options, lambda data: (s.label for s in parse_labelme(data).shapes))
    task_type = options.task_type or _labelme_type(files)
    task = task_of(options, task_type, categories, str(path))
    ids = ids_by_name(task)
    work = LabelImport(sources, options, task, "shape")
    return _run(work, files, path, lambda data: decode_labelme(parse_labelme(data), ids), listen)


def import_cvat(sources: Sources, path: Path, options: ImportOptions, *, listen: ProgressListener) -> ImportReport:
    """Import an `annotations.xml` of the form "CVAT for images 1.1": its boxes, polygons, masks and tags.

    Raises:
        UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
        DatasourceError: when the file cannot be read or a file not be written.
    """
    files = find_files(path, (".xml",))
    categories = _categories(files, options, lambda data: cvat_names(parse_xml(data)))
    parsed = [(key, data) for key in files.keys if (data := _readable(files, key)) is not None]
    task_type = options.task_type or _cvat_type([data for _, data in parsed])
    task = task_of(options, task_type, categories, str(path))
    work = LabelImport(sources, options, task, "shape")
    images = [image for _, data in parsed for image in decode_cvat(parse_xml(data), ids_by_name(task))]
    refuse_without_scores(images, options, task.task_type, path)
    return work.run(((str(image.name), image) for image in images), len(images), listen)


def _run(
    work: LabelImport,
    files: LabelFiles,
    path: Path,
    decode: Callable[[bytes], ParsedImage],
    listen: ProgressListener,
) -> ImportReport:
    found = (part for _, part in parts_of(files, decode) if isinstance(part, ParsedImage))
    refuse_without_scores(found, work.options, work.task.task_type, path)
    return work.run(parts_of(files, decode), len(files.keys), listen)


def _categories(
    files: LabelFiles, options: ImportOptions, names: Callable[[bytes], Iterable[str]]
) -> list[dict[str, Any]]:
    """Return the categories that were named, else those that occur, in the order of their names."""
    if options.classes is not None:
        return read_classes(options.classes_path)
    found = numbered(_names(files, names))
    if not found:
        raise UsageError("The files name no categories", hint="name them with `--classes`")
    return found


def _names(files: LabelFiles, names: Callable[[bytes], Iterable[str]]) -> Iterator[str]:
    for key in files.keys:
        try:
            yield from names(files.read(key))
        except ForeignError:
            continue  # counted when the file is taken


def _readable(files: LabelFiles, key: str) -> bytes | None:
    try:
        data = files.read(key)
        parse_xml(data)
    except ForeignError as error:
        raise UsageError(f"`{key}` is no CVAT file: {error}") from None
    return data


def _cvat_type(texts: Sequence[bytes]) -> TaskType:
    """Return the type of shapes that occur: any polygon or mask means masks, tags alone are classifications."""
    if any(b"<polygon" in text or b"<mask" in text for text in texts):
        return TaskType.INSTANCE_SEGMENTATION
    has_tags = any(b"<tag" in text for text in texts) and not any(b"<box" in text for text in texts)
    return TaskType.CLASSIFICATION if has_tags else TaskType.OBJECT_DETECTION


def _labelme_type(files: LabelFiles) -> TaskType:
    """Return the type of shapes that occur: any polygon means masks."""
    for key in files.keys:
        try:
            shapes = parse_labelme(files.read(key)).shapes
        except ForeignError:
            continue
        if any(shape.shape_type == "polygon" for shape in shapes):
            return TaskType.INSTANCE_SEGMENTATION
    return TaskType.OBJECT_DETECTION
