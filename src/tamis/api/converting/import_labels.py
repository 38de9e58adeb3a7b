"""Pascal VOC, KITTI and LabelMe into the layout: labels that name their categories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.api.converting.label_files import (
    LabelFiles,
    LabelImport,
    categories_of,
    find_files,
    ids_by_name,
    parts_of,
    refuse_without_scores,
    task_of,
)
from tamis.formats import (
    ForeignError,
    ParsedImage,
    decode_kitti,
    decode_labelme,
    decode_voc,
    kitti_names,
    labelme_shapes,
    parse_labelme,
    parse_xml,
    voc_names,
)
from tamis.model import TaskType

if TYPE_CHECKING:
    from collections.abc import Callable
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
    categories = categories_of(files, options, lambda data: voc_names(parse_xml(data)))
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
    categories = categories_of(files, options, kitti_names)
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
    categories = categories_of(
        files, options, lambda data: (one.label for one in labelme_shapes(parse_labelme(data)))
    )
    task_type = options.task_type or _labelme_type(files)
    task = task_of(options, task_type, categories, str(path))
    ids = ids_by_name(task)
    work = LabelImport(sources, options, task, "shape")
    return _run(work, files, path, lambda data: decode_labelme(parse_labelme(data), ids), listen)


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


def _labelme_type(files: LabelFiles) -> TaskType:
    """Return the type of shapes that occur: any polygon means masks."""
    for key in files.keys:
        try:
            shapes = labelme_shapes(parse_labelme(files.read(key)))
        except ForeignError:
            continue
        if any(shape.shape_type == "polygon" for shape in shapes):
            return TaskType.INSTANCE_SEGMENTATION
    return TaskType.OBJECT_DETECTION
