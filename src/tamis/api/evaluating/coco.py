"""Average precision and recall by COCO's protocol, computed by hotcoco: part by part, so that memory stays flat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.model.mask_batches import transpose_all
from tamis.model.masks import areas
from tamis.model.spans import offsets_of
from tamis.scoring.matching import Shape, boxes_of, keypoint_sigmas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tamis.model import PredictionColumns
    from tamis.model.columns import Floats, Ints

_IOU_TYPES = {Shape.BOXES: "bbox", Shape.MASKS: "segm", Shape.KEYPOINTS: "keypoints"}
_TRIPLET = 3


@dataclass(frozen=True, slots=True, eq=False)
class AveragePrecision:
    """What COCO's protocol gives; -1 where no label can tell.

    Attributes:
        precision: by IoU .50 to .95, recall 0 to 1, category, size (all, small, medium, large; of keypoints
            without small) and most predictions a sample (1, 10, 100; of keypoints 20): shape (10, 101, K, A, M).
        recall: the same without recalls, shape (10, K, A, M).
        sizes: names of the sizes.
        max_predictions: predictions a sample.
    """

    precision: Floats
    recall: Floats
    sizes: tuple[str, ...]
    max_predictions: tuple[int, ...]

    def metrics(self) -> dict[str, float | None]:
        """Return the figures that COCO's evaluation prints, by the names that it gives them."""
        found = {"AP": self.ap(), "AP50": self.ap(iou=0), "AP75": self.ap(iou=5)}
        for size in self.sizes[1:]:
            found[f"AP_{size}"] = self.ap(size=size)
        for i, most in enumerate(self.max_predictions):
            found[f"AR_{most}"] = known_mean(self.recall[:, :, 0, i])
        for size in self.sizes[1:]:
            found[f"AR_{size}"] = known_mean(self.recall[:, :, self.sizes.index(size), -1])
        return found

    def ap(
        self, *, iou: int | slice = slice(None), category: int | slice = slice(None), size: str = "all"
    ) -> float | None:
        """Return average precision, in [0, 1], at one or all IoUs, of one or all categories."""
        return known_mean(self.precision[iou, :, category, self.sizes.index(size), -1])

    def ar(self, category: int) -> float | None:
        """Return the mean recall of a category with the most predictions a sample."""
        return known_mean(self.recall[:, category, 0, -1])

    def curve(self, iou: int) -> list[float | None]:
        """Return the precision at each recall, mean over the categories, at one IoU."""
        return [known_mean(row) for row in self.precision[iou, :, :, 0, -1]]


def known_mean(values: NDArray[Any]) -> float | None:
    """Return the mean of what is not -1, COCO's "no label can tell"; `None` where all is.

    >>> known_mean(np.array([-1.0, 0.5, 1.0]))
    0.75
    """
    known = values[values > -1]
    return float(known.mean()) if known.size else None


class CocoProtocol:
    """Takes labels and predictions part by part; then says average precision and recall.

    Args:
        shape: what is compared.
        n_categories: they are 0 to `n_categories` - 1.
        n_keypoints: of each category, for keypoints.
    """

    def __init__(self, shape: Shape, n_categories: int, n_keypoints: int = 0) -> None:
        import hotcoco  # noqa: PLC0415 (loaded where it is used)

        params = hotcoco.Params(_IOU_TYPES[shape])
        if shape is Shape.KEYPOINTS:
            params.kpt_oks_sigmas = keypoint_sigmas(n_keypoints).tolist()
        categories = [{"id": i + 1, "name": str(i)} for i in range(n_categories)]
        self._stream = hotcoco.StreamingEval(categories, _IOU_TYPES[shape], params=params)
        self._shape = shape

    def add(
        self, samples: Ints, sizes: NDArray[Any], labels: PredictionColumns, predictions: PredictionColumns
    ) -> None:
        """Take labels and predictions of some samples; their `category_id` counts categories from 0.

        Args:
            samples: a number of each file's sample, shape (n_files,).
            sizes: width and height of each in pixels, 0 = unknown; shape (n_files, 2).
            labels: of these files.
            predictions: of these files.
        """
        images = [
            {"id": i + 1, "width": max(w, 1), "height": max(h, 1)}
            for i, (w, h) in zip(samples.tolist(), sizes.tolist(), strict=True)
        ]
        widths = sizes[:, 0]
        truth = self._labels(labels, samples, widths)
        self._stream.update(images, truth, self._results(predictions, samples, widths))

    def result(self) -> AveragePrecision:
        """Return what there is to say of everything that was added."""
        evaluation = self._stream.finalize()
        evaluation.accumulate()
        found: dict[str, Any] = evaluation.eval or {}
        params = evaluation.params
        return AveragePrecision(
            found["precision"], found["recall"], tuple(params.area_rng_lbl), tuple(params.max_dets)
        )

    def _labels(self, columns: PredictionColumns, samples: Ints, widths: Ints) -> list[dict[str, Any]]:
        """Return labels; their area is that of the mask where there is one, as in COCO's own, else of the box."""
        boxes = boxes_of(columns, widths)
        area = np.where(columns.mask.present, areas(columns.mask), boxes[:, 2] * boxes[:, 3])
        records = self._records(columns, samples, widths)
        for record, box, size in zip(records, boxes.tolist(), np.nan_to_num(area).tolist(), strict=True):
            record |= {"bbox": box, "area": size, "iscrowd": 0}
            if self._shape is Shape.KEYPOINTS:
                record["num_keypoints"] = sum(shown > 0 for shown in record["keypoints"][2::_TRIPLET])
        return records

    def _results(self, columns: PredictionColumns, samples: Ints, widths: Ints) -> Floats | list[dict[str, Any]]:
        """Return predictions: masks and keypoints without a box, which would be taken for their size."""
        if self._shape is Shape.BOXES:
            owner = samples[columns.file] + 1
            return np.column_stack([owner, boxes_of(columns, widths), columns.score, columns.category_id + 1])
        records = self._records(columns, samples, widths)
        for record, score in zip(records, columns.score.tolist(), strict=True):
            record["score"] = score
        return records

    def _records(self, columns: PredictionColumns, samples: Ints, widths: Ints) -> list[dict[str, Any]]:
        owner, category = samples[columns.file] + 1, columns.category_id + 1
        records: list[dict[str, Any]] = [
            {"image_id": image, "category_id": number}
            for image, number in zip(owner.tolist(), category.tolist(), strict=True)
        ]
        if self._shape is Shape.MASKS:
            for record, outline in zip(records, self._outlines(columns, widths), strict=True):
                record["segmentation"] = outline
        if self._shape is Shape.KEYPOINTS:
            for record, row in zip(records, columns.keypoints.rows(), strict=True):
                record["keypoints"] = [] if row is None else row.tolist()
        return records

    def _outlines(self, columns: PredictionColumns, widths: Ints) -> list[dict[str, Any]]:
        """Return masks as COCO counts them, down the columns."""
        n_pixels = np.diff(offsets_of(columns.mask.values)[columns.mask.offsets])
        width = widths[columns.file]
        # Of a picture of unknown size, all pixels count as one row: the shares are the same.
        width = np.where((width > 0) & (n_pixels % np.maximum(width, 1) == 0), width, n_pixels)
        sizes = [(int(n // max(w, 1)), int(w)) for n, w in zip(n_pixels.tolist(), width.tolist(), strict=True)]
        turned = transpose_all(columns.mask, sizes)
        return [
            {"size": list(size), "counts": [] if runs is None else runs.tolist()}
            for size, runs in zip(sizes, turned.rows(), strict=True)
        ]
