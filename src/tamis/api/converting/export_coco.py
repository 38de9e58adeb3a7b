"""Predictions as COCO results, and as an annotation file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tamis.api.converting.coco_input import read_table
from tamis.api.converting.exporting import ExportReport, Losses, output_file, write_list
from tamis.api.converting.values import Tally
from tamis.errors import UsageError
from tamis.formats import encode_annotation, encode_category, encode_result, with_flags
from tamis.model import TaskType, masks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tamis.api.converting.coco_input import CocoTable
    from tamis.api.converting.exporting import Chosen, ExportOptions, ExportSample
    from tamis.model import Prediction, Task

_NO_SIZE = "masks of images whose size is not known"
_encode = msgspec.json.Encoder().encode


def export_coco_results(chosen: Chosen, options: ExportOptions) -> ExportReport:
    """Write a list of results, a line each.

    Raises:
        UsageError: when the task's type is not COCO's, or what is there may not be replaced.
        DatasourceError: when the file cannot be written.
    """
    work = _Export(chosen, options)
    with output_file(options) as file:
        write_list(file, work.results())
    return work.report()


def export_coco(chosen: Chosen, options: ExportOptions) -> ExportReport:
    """Write an annotation file: images with a prediction file, annotations with scores, categories.

    Raises:
        UsageError: when the task's type is not COCO's, or what is there may not be replaced.
        DatasourceError: when the file cannot be written.
    """
    work = _Export(chosen, options)
    categories = [
        encode_category(category) | {"id": work.category_ids[category.id]}
        for category in chosen.task.categories
        if category.id in work.category_ids
    ]
    with output_file(options) as file:
        file.write(b'{"categories": ' + _encode(categories) + b',\n"annotations": ')
        write_list(file, work.annotations())
        file.write(b',"images": ')
        write_list(file, iter(work.images))
        file.write(b"}\n")
    return work.report()


class _Export:
    """One run over the samples."""

    def __init__(self, chosen: Chosen, options: ExportOptions) -> None:
        if chosen.task.task_type is TaskType.CLASSIFICATION:
            raise UsageError("COCO files hold no classifications", hint="`csv`, `jsonl` and `yolo` do")
        self.images: list[bytes] = []
        self._chosen = chosen
        self._options = options
        table = None if options.annotations is None else read_table(Path(options.annotations), Tally())
        self.category_ids = _category_ids(chosen.task, table)
        self._ids = None if table is None else _image_ids(table)
        self._losses = Losses()
        self._n_samples = 0
        self._n_predictions = 0

    def results(self) -> Iterator[bytes]:
        for image_id, sample in self._samples():
            for prediction in self._held(sample):
                size = (sample.width, sample.height)
                result = encode_result(prediction, image_id, size, boxes=self._options.boxes)
                result["category_id"] = self.category_ids[prediction.category_id]
                if "bbox" not in result and _has_own_box(prediction, sample.width):
                    self._losses.add("boxes of masks or keypoints; `--boxes` keeps them", sample.key)
                yield _encode(self._flagged(result, sample))

    def annotations(self) -> Iterator[bytes]:
        number = 0
        for image_id, sample in self._samples():
            said = {"id": image_id, "file_name": sample.key, "width": sample.width, "height": sample.height}
            if not sample.width:
                self._losses.add("sizes of images that cannot be read", sample.key)
            self.images.append(_encode(said))
            for prediction in self._held(sample):
                number += 1
                found = encode_annotation(prediction, image_id, (sample.width, sample.height))
                found["category_id"] = self.category_ids[prediction.category_id]
                yield _encode({"id": number} | self._flagged(found, sample))

    def report(self) -> ExportReport:
        """Say what was written; samples without a file were never looked at, and are in no list."""
        for key in self._chosen.without_file():
            self._losses.add("samples without a valid prediction file", key)
        return ExportReport(
            out=None if self._options.out is None else str(self._options.out),
            samples=self._n_samples,
            predictions=self._n_predictions,
            not_held=self._losses.all(),
        )

    def _samples(self) -> Iterator[tuple[int | str, ExportSample]]:
        for sample in self._chosen:
            image_id = sample.number + 1 if self._ids is None else self._ids(sample.key)
            if image_id is None:
                self._losses.add(f"samples that `{self._options.annotations}` does not list", sample.key)
                continue
            self._n_samples += 1
            yield image_id, sample

    def _held(self, sample: ExportSample) -> Iterator[Prediction]:
        for prediction in sample.predictions:
            if prediction.segmentation is not None and not sample.width:
                self._losses.add(_NO_SIZE, sample.key)
                continue
            if prediction.category_id not in self.category_ids:
                what = f"predictions of categories that `{self._options.annotations}` does not name"
                self._losses.add(what, sample.key)
                continue
            self._n_predictions += 1
            yield prediction

    def _flagged(self, found: dict[str, Any], sample: ExportSample) -> dict[str, Any]:
        if self._options.visibility and "keypoints" in found:
            flags = with_flags(found["keypoints"])
            if flags is None:
                self._losses.add("confidences of keypoints that are no flag: left as they are", sample.key)
            else:
                return found | {"keypoints": flags}
        return found


def _category_ids(task: Task, table: CocoTable | None) -> dict[int, int]:
    """Return the id that each category gets: its own, or that of the same name in another file.

    A category that the other file does not name keeps its id, and is left out where that is another category there.
    """
    listed = [one for one in ([] if table is None else table.categories) if isinstance(one, dict)]
    by_name = {one["name"]: one["id"] for one in listed if "id" in one and isinstance(one.get("name"), str)}
    taken = set(by_name.values())
    ids = ((one.id, by_name.get(one.name, None if one.id in taken else one.id)) for one in task.categories)
    return {own: other for own, other in ids if other is not None}


def _image_ids(table: CocoTable) -> Callable[[str], int | str | None]:
    """Return what tells the id of a sample: by its key, else by its last part where only one image has it."""
    by_name = {table.names[i]: image_id for image_id, i in table.index.items()}
    lasts = Counter(name.rpartition("/")[2] for name in by_name)
    by_last = {name.rpartition("/")[2]: image_id for name, image_id in by_name.items()}

    def id_of(key: str) -> int | str | None:
        last = key.rpartition("/")[2]
        return by_name.get(key, by_last.get(last) if lasts[last] == 1 else None)

    return id_of


def _has_own_box(prediction: Prediction, width: int) -> bool:
    """Whether a box says something that its mask does not."""
    if prediction.bbox is None:
        return False
    if prediction.segmentation is None:
        return True
    return prediction.bbox != (masks.bounding_box(prediction.segmentation, width) or (0, 0, 0, 0))
