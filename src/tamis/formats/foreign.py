"""What the files of other tools say of one object, before it is a prediction of ours.

Readers of formats yield `ForeignObject`; `to_prediction` makes predictions of them, or says why it cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from tamis.formats.coco_rle import from_coco
from tamis.formats.wire import MAX_CATEGORY_ID, RunLength
from tamis.model import Prediction, TaskType, masks
from tamis.model.polygons import rasterize

if TYPE_CHECKING:
    from tamis.model.columns import Ints

Box = tuple[float, float, float, float]
Size = tuple[int, int]

_PER_KEYPOINT = 3
_FLAGS = {0.0: 0.0, 1.0: 0.5, 2.0: 1.0}
"""What COCO's visibility becomes: not labelled, labelled but hidden, visible."""


class ImportCode(NamedTuple):
    """A reason why something was not taken, or was taken in a way that is worth a word.

    Attributes:
        summary: what is the matter, one line.
        hint: what to do about it.
        drops: whether what it is about was not taken.
    """

    summary: str
    hint: str
    drops: bool = True


IMPORT_CODES: dict[str, ImportCode] = {
    "record-unreadable": ImportCode(
        "The record is not what its format says", "Mend the record, or the program that wrote it"
    ),
    "file-unreadable": ImportCode("The file cannot be read", "Look at the file; what else was given was taken"),
    "image-unknown": ImportCode(
        "The record is of an image that nothing describes",
        "Give the annotation file that lists this image with `--annotations`",
    ),
    "image-missing": ImportCode(
        "The image is not in the datasource",
        "Put the images there, say where they lie with `--prefix`, or take them anyway with `--keep-missing`",
    ),
    "frame-missing": ImportCode(
        "The video has no frame of that name",
        "Frames count from 0 as PyAV decodes them, padded to the digits of their total: `tamis frames` names them",
    ),
    "image-ambiguous": ImportCode(
        "Several images of the datasource have that name", "Say in which folder they lie with `--prefix`"
    ),
    "image-shared": ImportCode(
        "Several images of the input would be one image of the datasource, by the ends of their paths",
        "Put the images there that the input names, or say where they lie with `--prefix`",
    ),
    "image-twice": ImportCode(
        "Two parts of the input are for one prediction file: of two images that differ in their ending only, or of "
        "one image",
        "Rename one of the images, or put the parts together",
    ),
    "image-name": ImportCode("The image cannot be a sample by that name", "Rename the image"),
    "size-needed": ImportCode(
        "The format counts in shares of the image, whose size is not known", "Put the image into the datasource"
    ),
    "shares-expected": ImportCode(
        "The lengths are no shares of the image, but much larger, as pixels are",
        "Say with `--columns` and `--pixels` that boxes count in pixels; divide polygons by the size of the image",
    ),
    "image-turned": ImportCode(
        "Viewers turn the image, by its orientation in EXIF: shares were taken of the image as it is stored",
        "Nothing, if the shares are of that; where boxes lie wrong, store the image turned, without that flag",
        drops=False,
    ),
    "image-size-differs": ImportCode(
        "The file says another size of the image than the image itself: the image counts",
        "If the predictions were made on a resized image, scale them back first",
        drops=False,
    ),
    "image-elsewhere": ImportCode(
        "The image does not lie where it is said to: it was found by the end of its path",
        "Nothing, if those are the images; else say where they lie with `--prefix`",
        drops=False,
    ),
    "frame-unknown": ImportCode(
        "The record is of a frame whose video is not said, or not in the datasource, or has no such frame",
        "Put the video that the labels were made on into the datasource, under the name that the file gives it",
    ),
    "category-name-unknown": ImportCode(
        "The category is none of those that are described", "Name all categories with `--classes`"
    ),
    "columns-unused": ImportCode(
        "Columns of the table are none that is known: they were left out",
        "Nothing, if they say nothing of predictions; else rename them to columns that are known",
        drops=False,
    ),
    "box-turned": ImportCode(
        "The box is turned: the upright box around it was taken",
        "Nothing, if upright boxes will do; else write polygons",
        drops=False,
    ),
    "box-missing": ImportCode("The record has no box", "Give another `--type`"),
    "mask-missing": ImportCode("The record has no mask", "Give another `--type`"),
    "mask-broken": ImportCode("The mask cannot be read", "Mend the record, or the program that wrote it"),
    "mask-outside-image": ImportCode(
        "No part of the polygons is inside the image",
        "Scale polygons to the image, and check that they belong to it and count from its top-left corner",
    ),
    "mask-size": ImportCode(
        "The mask has another size than its image", "Scale the mask to the image, or use the image it was made on"
    ),
    "more-than-box": ImportCode(
        "The record has a mask or keypoints, but the first records of its file are boxes: its box alone was taken",
        "Say with `--type` what to take: `instance-segmentation`, `keypoint-detection` or `object-detection`",
        drops=False,
    ),
    "keypoints-missing": ImportCode("The record has no keypoints", "Give another `--type`"),
    "keypoints-broken": ImportCode("The keypoints are not three numbers each", "Mend the record"),
    "keypoint-flag": ImportCode(
        "The third number of a keypoint is neither a confidence nor a visibility of 0, 1 or 2",
        "Say with `--visibility` that these are COCO's flags, or write confidences from 0 to 1",
    ),
    "score-missing": ImportCode(
        "The record has no score, and none is invented", "Say with `--score` which score such records get"
    ),
    "empty-unsure": ImportCode(
        "Images are listed without a record, but records are missing that may be theirs: no files were written "
        "that say that nothing is there",
        "Mend the input",
        drops=False,
    ),
    "segment-unknown": ImportCode(
        "The picture has pixels of a segment that nothing describes", "Describe it in `segments_info`"
    ),
    "pixels-ignored": ImportCode(
        "Pixels of value 255 or 65535, which no category has, were left out: by custom they are not labelled",
        "Name that value with `--classes` if it is a category",
        drops=False,
    ),
    "region-ignored": ImportCode(
        "A region is called `DontCare`, by KITTI's custom not labelled: it was left out",
        "Name it with `--classes` if it is a category",
        drops=False,
    ),
    "not-labelled": ImportCode(
        "The image was not labelled yet: nothing was written of it", "Nothing, if that is so", drops=False
    ),
    "reader-stopped": ImportCode(
        "The reader of another program stopped: what it gave before was taken",
        "Mend what it names, or read the file with a format of tamis's own",
    ),
    "reader-warned": ImportCode(
        "The reader of another program had a remark, usually of something that it left out",
        "Look at what it names",
        drops=False,
    ),
    "classes-partial": ImportCode(
        "Not every class has a probability: the likeliest class and its score were taken, the others left out",
        "Write the probabilities of all classes to keep them",
        drops=False,
    ),
    "track-left-out": ImportCode(
        "The line ends in the number of a track, which no prediction has: it was left out",
        "Nothing; if it is no track, say with `--columns` what the numbers of boxes are",
        drops=False,
    ),
    "crowd": ImportCode(
        "The record is a crowd, not one object: it was taken as one prediction",
        "Remove crowds from the file if single objects are wanted",
        drops=False,
    ),
    "file-there-broken": ImportCode(
        "The prediction file that is there has errors and was left as it is", "Mend it, or use `--replace`"
    ),
}
"""Every reason that an import gives of its own; problems of the written predictions have their own codes."""


class ForeignError(ValueError):
    """Why an object cannot be taken.

    Attributes:
        code: a key of `IMPORT_CODES`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def whole_category(value: float | None) -> int:
    """Return a category id that was read as a number.

    Raises:
        ForeignError: when it is no whole number that an id can be.

    >>> whole_category(7.0)
    7
    """
    if value is None or value != value // 1 or abs(value) > MAX_CATEGORY_ID:
        raise ForeignError("record-unreadable", f"expected a whole category id, got {value}")
    return int(value)


class CocoRle(msgspec.Struct, gc=False, frozen=True):
    """A mask as COCO writes it: run lengths down the columns, as a list or compressed."""

    size: tuple[RunLength, RunLength]
    counts: str | list[RunLength]


class RowMask(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """A mask as prediction files hold it, with its size in pixels; 0 x 0 is that of its image."""

    runs: tuple[int, ...]
    width: int
    height: int


class ForeignObject(msgspec.Struct, array_like=True, gc=False, frozen=True, kw_only=True):
    """One object as a file says it, lengths in pixels.

    Attributes:
        number: of the record or line in its file, from 0 or 1 as the format counts.
        category_id: of the schema that is written.
        bbox: x, y, width, height from the top-left corner.
        polygons: rings x1, y1, x2, y2, ... that make up the mask.
        rle: the mask as COCO run lengths.
        rows: the mask as run lengths along the rows.
        keypoints: x, y and a confidence or flag of each.
        score: as the file says it.
        probabilities: one a category in ascending order of id.
    """

    number: int
    category_id: int
    bbox: Box | None = None
    polygons: list[list[float]] | None = None
    rle: CocoRle | None = None
    rows: RowMask | None = None
    keypoints: tuple[float, ...] | None = None
    score: float | None = None
    probabilities: tuple[float, ...] | None = None


class TakeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How objects become predictions.

    Attributes:
        task_type: of the predictions.
        score: of an object without one; `None`: it is refused, unless its type needs none.
        visibility: whether the third numbers of keypoints are COCO's flags, which become 0, .5 and 1; those of
            objects without a score are in any case: they are labels.
    """

    task_type: TaskType
    score: float | None = None
    visibility: bool = False


def to_prediction(found: ForeignObject, options: TakeOptions, size: Size | None) -> Prediction:
    """Make a prediction of an object.

    Args:
        found: the object.
        options: how.
        size: width and height of its image in pixels, `None` where unknown.

    Raises:
        ForeignError: when it cannot be one.

    >>> options = TakeOptions(task_type=TaskType.INSTANCE_SEGMENTATION, score=1.0)
    >>> square = ForeignObject(number=0, category_id=3, polygons=[[1, 0, 3, 0, 3, 2, 1, 2]])
    >>> to_prediction(square, options, (4, 2))  # doctest: +NORMALIZE_WHITESPACE
    Prediction(category_id=3, bbox=(1.0, 0.0, 2.0, 2.0), segmentation=(1, 2, 2, 2, 1), keypoints=None,
               score=1.0, probabilities=None)
    """
    kind = options.task_type
    score = options.score if found.score is None else found.score
    if score is None and kind is not TaskType.CLASSIFICATION:
        raise ForeignError("score-missing", "expected a score, got none")
    runs = _runs(found, size) if kind.has_masks else None
    bbox = found.bbox
    if kind is TaskType.INSTANCE_SEGMENTATION and bbox is None and runs is not None:
        bbox = _box_around(*runs)
    if kind in {TaskType.OBJECT_DETECTION, TaskType.INSTANCE_SEGMENTATION} and bbox is None:
        raise ForeignError("box-missing", "expected a box, got none")
    return Prediction(
        category_id=found.category_id,
        bbox=bbox if kind.has_objects else None,
        segmentation=None if runs is None else tuple(runs[0].tolist()),
        keypoints=_keypoints(found, options) if kind is TaskType.KEYPOINT_DETECTION else None,
        score=score,
        probabilities=found.probabilities,
    )


def _runs(found: ForeignObject, size: Size | None) -> tuple[Ints, int]:
    """Return the run lengths and the width of a mask."""
    if found.rows is not None:
        rows = found.rows
        if not rows.width:
            return np.array(rows.runs, np.int64), 0 if size is None else size[0]
        if size not in {None, (rows.width, rows.height)}:
            raise ForeignError("mask-size", _size_message(size, rows.width, rows.height))
        return np.array(rows.runs, np.int64), rows.width
    if found.rle is not None:
        try:
            mask = from_coco({"size": list(found.rle.size), "counts": found.rle.counts})
        except ValueError as error:
            raise ForeignError("mask-broken", str(error)) from None
        if size not in {None, (mask.width, mask.height)}:
            raise ForeignError("mask-size", _size_message(size, mask.width, mask.height))
        return mask.runs, mask.width
    if not found.polygons:
        raise ForeignError("mask-missing", "expected a mask, got none")
    return _drawn(found.polygons, size)


def _drawn(polygons: list[list[float]], size: Size | None) -> tuple[Ints, int]:
    if size is None:
        raise ForeignError("size-needed", "expected an image of known size to draw polygons in, got none")
    try:
        runs = rasterize(polygons, size[1], size[0])
    except ValueError as error:
        raise ForeignError("mask-broken", str(error)) from None
    if not any(_reaches_into(ring, size) for ring in polygons):
        x, y = polygons[0][:2]
        message = f"expected a polygon within {size[0]} x {size[1]} pixels, got one at {x:g}, {y:g}"
        raise ForeignError("mask-outside-image", message)
    return runs, size[0]


def _reaches_into(ring: list[float], size: Size) -> bool:
    """Whether the box around a ring and the image have a part in common."""
    return all(min(ring[i::2]) < side and max(ring[i::2]) > 0 for i, side in enumerate(size))


def _size_message(size: Any, width: int, height: int) -> str:  # noqa: ANN401 (a size that is not None)
    return f"expected a mask of {size[0]} x {size[1]} pixels, got {width} x {height}"


def _box_around(runs: Ints, width: int) -> Box:
    # An empty mask has COCO's empty box.
    box = masks.bounding_box(runs, width) if width else None
    x, y, w, h = box or (0, 0, 0, 0)
    return (float(x), float(y), float(w), float(h))


def _keypoints(found: ForeignObject, options: TakeOptions) -> tuple[float, ...]:
    points = found.keypoints
    if not points:
        raise ForeignError("keypoints-missing", "expected keypoints, got none")
    if len(points) % _PER_KEYPOINT:
        raise ForeignError("keypoints-broken", f"expected 3 numbers a keypoint, got {len(points)} numbers")
    if options.visibility or found.score is None:
        try:
            flags = [_FLAGS[value] for value in points[2::3]]
        except KeyError as error:
            raise ForeignError("keypoint-flag", f"expected a visibility of 0, 1 or 2, got {error}") from None
        return tuple(n for x, y, s in zip(points[0::3], points[1::3], flags, strict=True) for n in (x, y, s))
    for value in points[2::3]:
        if not 0 <= value <= 1:
            raise ForeignError("keypoint-flag", f"expected a confidence from 0 to 1, got {value:g}")
    return points
