"""Masks as pictures: a category a pixel, and COCO panoptic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tamis.api.converting.export_folder import SampleFiles
from tamis.api.converting.exporting import ExportReport, Losses, temporary_beside, write_list
from tamis.errors import UsageError
from tamis.formats import encode_category, paint, segment_colours
from tamis.media.label_maps import write_label_map
from tamis.model import masks, stem_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tamis.api.converting.exporting import Chosen, ExportOptions, ExportSample
    from tamis.formats import Painted

_HIDDEN = "pixels of masks that another mask with a higher score hides"
_NO_SIZE = "samples whose image size is not known"
_NOTHING_SEEN = "samples in which nothing was seen: their pictures read as not labelled"
_EIGHT_BITS, _SIXTEEN_BITS = 255, 65_535
_encode = msgspec.json.Encoder().encode


def export_masks(chosen: Chosen, options: ExportOptions) -> ExportReport:
    """Write a PNG a sample, whose pixels are category ids; pixels of no mask are 255 (of 16 bits: 65535).

    Raises:
        UsageError: when the task has no masks or too large ids, no folder is named, or it holds something.
        DatasourceError: when it cannot be written.
    """
    work = _Export(chosen, options)
    largest = max(chosen.task.category_ids)
    if largest >= _SIXTEEN_BITS:
        raise UsageError(
            f"Pixels hold category ids below {_SIXTEEN_BITS}, got {largest}", hint="`coco` holds any id"
        )
    background = _EIGHT_BITS if largest < _EIGHT_BITS else _SIXTEEN_BITS
    kind = np.uint8 if largest < _EIGHT_BITS else np.uint16
    files = SampleFiles(options, chosen.samples, lambda key: f"{stem_of(key)}.png")
    for sample in work.samples():
        painted = work.paint(sample, [one.category_id for one in sample.predictions], background)
        work.lose("scores", sum(one.score is not None for one in sample.predictions), sample)
        work.lose(_NOTHING_SEEN, not sample.predictions, sample)
        files.write(sample.key, write_label_map(painted.pixels.astype(kind)))
    return work.report(removed=files.remove_others())


def export_panoptic(chosen: Chosen, options: ExportOptions) -> ExportReport:
    """Write `panoptic.json` and the pictures of its segments in `panoptic/`; each prediction is a segment.

    Raises:
        UsageError: when the task has no masks, no folder is named, or it holds something.
        DatasourceError: when it cannot be written.
    """
    work = _Export(chosen, options)
    files, images = SampleFiles(options, chosen.samples, lambda key: f"panoptic/{stem_of(key)}.png"), []

    def annotations() -> Iterator[bytes]:
        for sample in work.samples():
            image_id, picture = sample.number + 1, f"{stem_of(sample.key)}.png"
            images.append({"id": image_id, "file_name": sample.key, "width": sample.width, "height": sample.height})
            numbers = list(range(1, len(sample.predictions) + 1))
            painted = work.paint(sample, numbers, 0)
            files.write(sample.key, write_label_map(segment_colours(painted.pixels)))
            segments = [found for i in numbers if (found := _segment(sample, painted, i)) is not None]
            work.lose("segments without a pixel of their own", len(numbers) - len(segments), sample)
            yield _encode({"image_id": image_id, "file_name": picture, "segments_info": segments})

    categories = [encode_category(category) for category in chosen.task.categories]
    out = files.folder / "panoptic.json"
    with temporary_beside(out, replace=options.replace) as temporary, temporary.open("wb") as file:
        file.write(b'{"categories": ' + _encode(categories) + b',\n"annotations": ')
        write_list(file, annotations())
        file.write(b',"images": ' + _encode(images) + b"}\n")
    return work.report(removed=files.remove_others())


def _segment(sample: ExportSample, painted: Painted, number: int) -> dict[str, Any] | None:
    """Return what is said of a segment, by the pixels that are seen of it."""
    one = sample.predictions[number - 1]
    runs = masks.encode(painted.pixels == number)
    box = masks.bounding_box(runs, sample.width)
    if box is None:
        return None
    said = {"id": number, "category_id": one.category_id, "area": masks.area(runs), "bbox": box, "iscrowd": 0}
    return said if one.score is None else said | {"score": one.score}


class _Export:
    """Counts what is written and what is not."""

    def __init__(self, chosen: Chosen, options: ExportOptions) -> None:
        if not chosen.task.task_type.has_masks:
            raise UsageError(f"`{chosen.task.name}` has no masks: it is {chosen.task.task_type}")
        self._chosen = chosen
        self._options = options
        self._losses = Losses()
        self._n_samples = 0
        self._n_predictions = 0

    def samples(self) -> Iterator[ExportSample]:
        for sample in self._chosen:
            if not sample.width:
                self.lose(_NO_SIZE, 1, sample)
                continue
            self._n_samples += 1
            self._n_predictions += len(sample.predictions)
            yield sample

    def paint(self, sample: ExportSample, numbers: list[int], background: int) -> Painted:
        painted = paint(sample.predictions, numbers, (sample.width, sample.height), background=background)
        self.lose(_HIDDEN, painted.n_hidden, sample)
        self.lose("probabilities", sum(one.probabilities is not None for one in sample.predictions), sample)
        return painted

    def lose(self, what: str, count: int, sample: ExportSample) -> None:
        if count:
            self._losses.add(what, sample.key, count=count)

    def report(self, *, removed: int) -> ExportReport:
        for key in self._chosen.without_file():
            self._losses.add("samples without a valid prediction file", key)
        return ExportReport(
            out=str(self._options.out),
            samples=self._n_samples,
            predictions=self._n_predictions,
            not_held=self._losses.all(),
            removed=removed,
        )
