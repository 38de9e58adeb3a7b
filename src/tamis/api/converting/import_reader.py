"""Labels that another program reads: any reader of labelformat, which tamis itself neither needs nor loads."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tamis.api.converting.label_files import LabelImport, refuse_without_scores, task_of
from tamis.formats import ForeignError, ForeignObject, ParsedImage, RowMask, known_size
from tamis.model import TaskType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tamis.api.converting.values import ImportOptions, ImportReport, Tally
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener

_LOGGER = "labelformat"
_FIRST_IMAGES = 200


class LabelReader(Protocol):
    """What labelformat calls an `ObjectDetectionInput` or an `InstanceSegmentationInput`."""

    def get_categories(self) -> Iterable[Any]:
        """Yield categories with `id` and `name`."""

    def get_labels(self) -> Iterable[Any]:
        """Yield an `image` with `filename`, `width` and `height`, and its `objects`."""


def import_reader(
    sources: Sources, reader: LabelReader, options: ImportOptions, *, listen: ProgressListener
) -> ImportReport:
    """Import what a reader of labelformat reads: boxes with their confidences, polygons and masks.

    A reader that stops at a bad record ends the import there: what it gave before is taken, and what stopped it is
    counted. What it only warns of is counted, too.

    Raises:
        UsageError: when the call cannot be carried out, or would overwrite; nothing was written.
        DatasourceError: when a file cannot be written.
    """
    name = type(reader).__name__
    first = [image for _, image in islice(_images(reader, name), _FIRST_IMAGES) if isinstance(image, ParsedImage)]
    has_masks = any(one.bbox is None for image in first for one in image.objects)
    task_type = options.task_type or (TaskType.INSTANCE_SEGMENTATION if has_masks else TaskType.OBJECT_DETECTION)
    categories = [{"id": one.id, "name": one.name} for one in reader.get_categories()]
    refuse_without_scores(first, options, task_type, Path(name))
    work = LabelImport(sources, options, task_of(options, task_type, categories, name), "object")
    with _counting_warnings(work.tally, name):
        return work.run(_images(reader, name), None, listen)


def _images(reader: LabelReader, name: str) -> Iterator[tuple[str, ParsedImage | ForeignError]]:
    """Yield what the reader says of each image; what stops it is the last."""
    try:
        for label in reader.get_labels():
            image = label.image
            objects = [_object(one, number) for number, one in enumerate(label.objects, 1)]
            yield image.filename, ParsedImage(image.filename, known_size(image.width, image.height), objects, [])
    except Exception as error:  # noqa: BLE001 (another program's code: it raises whatever it likes for bad data)
        yield (
            name,
            ForeignError("reader-stopped", f"expected labels to the end, got {type(error).__name__}: {error}"),
        )


def _object(found: Any, number: int) -> ForeignObject:  # noqa: ANN401 (labelformat's values, by their shape)
    category_id = found.category.id
    if hasattr(found, "box"):
        box = found.box
        corners = (box.xmin, box.ymin, box.xmax - box.xmin, box.ymax - box.ymin)
        score = getattr(found, "confidence", None)
        return ForeignObject(number=number, category_id=category_id, bbox=corners, score=score)
    shape = found.segmentation
    if hasattr(shape, "polygons"):
        rings = [[float(value) for point in ring for value in point] for ring in shape.polygons]
        return ForeignObject(number=number, category_id=category_id, polygons=rings)
    runs = RowMask(tuple(map(int, shape.get_rle())), shape.width, shape.height)
    return ForeignObject(number=number, category_id=category_id, rows=runs)


class _Counter(logging.Handler):
    """Counts warnings instead of printing them."""

    def __init__(self, tally: Tally, name: str) -> None:
        super().__init__(logging.WARNING)
        self._tally, self._name = tally, name

    def emit(self, record: logging.LogRecord) -> None:
        """Count a warning."""
        self._tally.add("reader-warned", record.getMessage(), self._name)


@contextmanager
def _counting_warnings(tally: Tally, name: str) -> Iterator[None]:
    logger, handler = logging.getLogger(_LOGGER), _Counter(tally, name)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
