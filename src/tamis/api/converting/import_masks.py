"""Masks as pictures into the layout: PNG masks of categories, and COCO panoptic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.api.converting.coco_input import read_table, records
from tamis.api.converting.label_files import (
    LabelImport,
    find_files,
    parts_of,
    task_of,
)
from tamis.api.converting.tasks import read_classes
from tamis.api.converting.values import Tally
from tamis.errors import UsageError
from tamis.formats import (
    ForeignError,
    PanopticImage,
    ParsedImage,
    Unreadable,
    by_category,
    decode_index_mask,
    decode_panoptic,
)
from tamis.model import TaskType
from tamis.storage import LocalStore, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from tamis.api.converting.coco_input import CocoTable
    from tamis.api.converting.values import ImportOptions, ImportReport
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener

_ENDINGS = (".png", ".bmp", ".tif", ".tiff")


def import_masks(sources: Sources, path: Path, options: ImportOptions, *, listen: ProgressListener) -> ImportReport:
    """Import a folder of pictures whose pixels are category ids, one an image.

    Raises:
        UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
        DatasourceError: when the folder cannot be read or a file not be written.
    """
    if options.classes is None:
        raise UsageError(
            f"What the pixels of `{path}` mean is not said", hint="name the categories with `--classes`"
        )
    files = find_files(path, _ENDINGS)
    task_type = _mask_type(options, TaskType.SEMANTIC_SEGMENTATION)
    _refuse_without_score(options, path)
    task = task_of(options, task_type, read_classes(options.classes_path), options.classes)
    ids = set(task.category_ids)
    parts = parts_of(files, lambda data: decode_index_mask(_pixels(data), ids))
    return LabelImport(sources, options, task, "mask of category").run(parts, len(files.keys), listen)


def import_panoptic(
    sources: Sources, path: Path, options: ImportOptions, *, listen: ProgressListener
) -> ImportReport:
    """Import a COCO panoptic file and its pictures: each segment is one prediction.

    As semantic segmentation, the segments of a category are one mask.

    Raises:
        UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
        DatasourceError: when a file cannot be read or written.
    """
    task_type = _mask_type(options, TaskType.INSTANCE_SEGMENTATION)
    tally = Tally()
    pictures = LocalStore.open(options.masks or path.with_suffix(""))
    table = read_table(path, tally)
    task = task_of(options, task_type, table.categories, str(path))
    work = LabelImport(sources, options, task, "segment", tally)
    first = (found for _, found, _ in records(path, PanopticImage, Tally()))
    _refuse_segments_without_scores(next(first, []), options, path)
    parts = _segments(path, pictures, table, work)
    return work.run(parts, len(table.names), listen)


def _segments(
    path: Path, pictures: LocalStore, table: CocoTable, work: LabelImport
) -> Iterator[tuple[str, ParsedImage | ForeignError]]:
    """Yield what the file says of each image."""
    for first, found, _ in records(path, PanopticImage, work.tally):
        for number, image in enumerate(found, first):
            place = f"record {number:,}"
            if isinstance(image, Unreadable):
                yield place, ForeignError("record-unreadable", f"{image.message}: {image.shown}")
                continue
            index = table.find(image.image_id)
            if index is None:
                message = f"expected the id of an image that is described, got {image.image_id!r}"
                yield place, ForeignError("image-unknown", message)
                continue
            try:
                pixels = _pixels(pictures.read(image.file_name).data)
            except StoreError as error:
                yield image.file_name, ForeignError("file-unreadable", error.message)
            except ForeignError as error:
                yield image.file_name, error
            else:
                parsed = by_category(decode_panoptic(pixels, image), work.task.task_type)
                yield image.file_name, parsed._replace(name=table.names[index])


def _pixels(data: bytes) -> NDArray[Any]:
    from tamis.media.label_maps import read_label_map  # noqa: PLC0415 (Pillow, which other imports do not need)
    from tamis.media.pillow import PictureError  # noqa: PLC0415

    try:
        return read_label_map(data)
    except PictureError as error:
        raise ForeignError("file-unreadable", f"expected a picture: {error}") from None


def _mask_type(options: ImportOptions, usual: TaskType) -> TaskType:
    task_type = options.task_type or usual
    if not task_type.has_masks:
        raise UsageError(
            f"Pictures of masks are no {task_type}", hint="give `semantic-segmentation` or `instance-segmentation`"
        )
    return task_type


def _refuse_without_score(options: ImportOptions, path: Path) -> None:
    if options.score is None:
        raise UsageError(
            f"The masks of `{path}` have no scores, and none are invented",
            hint="`--score 1` gives labels the score of a sure prediction",
        )


def _refuse_segments_without_scores(found: list[Any], options: ImportOptions, path: Path) -> None:
    images = [image for image in found if isinstance(image, PanopticImage)]
    segments = [segment for image in images for segment in image.segments_info]
    if segments and all(segment.score is None for segment in segments):
        _refuse_without_score(options, path)
