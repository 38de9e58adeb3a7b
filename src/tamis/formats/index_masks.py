"""Masks as pictures: a category (PNG masks) or a segment (COCO panoptic) is a number a pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from tamis.formats.foreign import ForeignError, ForeignObject, RowMask
from tamis.formats.parsed import Fault, ParsedImage
from tamis.formats.wire import CategoryId
from tamis.model import masks

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from tamis.model import Prediction, TaskType

    Size = tuple[int, int]

NOT_LABELLED = frozenset({255, 65_535})
"""What masks of 8 and 16 bits have by custom where nobody looked."""


class PanopticSegment(msgspec.Struct, frozen=True, gc=False):
    """One segment of an image: `id` is the number of its pixels."""

    id: int
    category_id: CategoryId
    score: float | None = None
    iscrowd: int | bool = False


class PanopticImage(msgspec.Struct, frozen=True):
    """What a panoptic file says of an image, in `annotations`."""

    image_id: int | float | str
    file_name: str
    segments_info: list[PanopticSegment]


def decode_index_mask(pixels: NDArray[Any], category_ids: Collection[int]) -> ParsedImage:
    """Read a mask whose pixels are category ids: one mask for each id that occurs.

    Args:
        pixels: shape (height, width), integers.
        category_ids: those that there are.

    >>> parsed = decode_index_mask(np.array([[3, 3, 0], [0, 3, 0]]), [0, 3])
    >>> [(one.category_id, one.rows.runs) for one in parsed.objects]
    [(0, (2, 2, 1, 1)), (3, (0, 2, 2, 1, 1))]
    """
    if pixels.ndim != 2 or pixels.dtype.kind not in "biu":  # noqa: PLR2004 (height and width)
        message = f"expected a mask of one whole number a pixel, got {pixels.dtype} of shape {pixels.shape}"
        return ParsedImage(None, None, [], [Fault(None, "file-unreadable", message)])
    height, width = pixels.shape
    objects, faults = [], []
    for value in np.unique(pixels).tolist():
        if value in category_ids:
            objects.append(_object(pixels == value, int(value), int(value)))
        elif value in NOT_LABELLED:
            faults.append(Fault(None, "pixels-ignored", f"{int((pixels == value).sum()):,} pixels"))
        else:
            faults.append(Fault(None, "category-name-unknown", f"expected pixels of a category, got value {value}"))
    return ParsedImage(None, (width, height), objects, faults)


def decode_panoptic(pixels: NDArray[Any], image: PanopticImage) -> ParsedImage:
    """Read the segments of a panoptic picture.

    Args:
        pixels: red, green and blue of each pixel, whose segment is red + 256 green + 256² blue: shape (height,
            width, 3), 8 bits. Segment 0 is none.
        image: what is said of the segments.
    """
    try:
        ids = segment_ids(pixels)
    except ForeignError as error:
        return ParsedImage(None, None, [], [Fault(None, error.code, str(error))])
    objects, faults = [], []
    for number, segment in enumerate(image.segments_info, 1):
        if segment.iscrowd:
            faults.append(Fault(number, "crowd", "`iscrowd` is 1"))
        mask = ids == segment.id
        if mask.any():
            objects.append(_object(mask, segment.category_id, number, segment.score))
        else:
            faults.append(Fault(number, "mask-missing", f"expected pixels of segment {segment.id}, got none"))
    described = {segment.id for segment in image.segments_info} | {0}
    unknown = sorted({*np.unique(ids).tolist()} - described)
    faults += [Fault(None, "segment-unknown", f"expected segments that are described, got {i}") for i in unknown]
    return ParsedImage(None, (ids.shape[1], ids.shape[0]), objects, faults)


def by_category(parsed: ParsedImage, task_type: TaskType) -> ParsedImage:
    """Return the masks of each category put together, for semantic segmentation; else as they are.

    A category's score is kept where all its segments have the same one.
    """
    if task_type != "semantic-segmentation":
        return parsed
    groups: dict[int, list[ForeignObject]] = {}
    for one in parsed.objects:
        groups.setdefault(one.category_id, []).append(one)
    merged = [one if len(ones) == 1 else _union(ones) for ones in groups.values() for one in ones[:1]]
    return parsed._replace(objects=merged)


def segment_ids(pixels: NDArray[Any]) -> NDArray[np.int64]:
    """Return the segment of each pixel of a panoptic picture, shape (height, width).

    Raises:
        ForeignError: when it is no picture of 8-bit colours.
    """
    if pixels.ndim != 3 or pixels.shape[2] < 3 or pixels.dtype != np.uint8:  # noqa: PLR2004 (height, width, colours)
        message = f"expected a picture of 8-bit colours, got {pixels.dtype} of shape {pixels.shape}"
        raise ForeignError("file-unreadable", message)
    weights: NDArray[np.int64] = np.array([1, 1 << 8, 1 << 16], np.int64)
    ids: NDArray[np.int64] = pixels[:, :, :3].astype(np.int64) @ weights
    return ids


def _object(mask: NDArray[np.bool_], category_id: int, number: int, score: float | None = None) -> ForeignObject:
    height, width = mask.shape
    rows = RowMask(tuple(masks.encode(mask).tolist()), width, height)
    return ForeignObject(number=number, category_id=category_id, rows=rows, score=score)


def _union(ones: list[ForeignObject]) -> ForeignObject:
    rows = [one.rows for one in ones if one.rows is not None]
    whole = np.any([masks.decode(row.runs, row.height, row.width) for row in rows], axis=0)
    scores = {one.score for one in ones}
    return _object(whole, ones[0].category_id, ones[0].number, scores.pop() if len(scores) == 1 else None)


class Painted(NamedTuple):
    """A picture of masks.

    Attributes:
        pixels: the number of each pixel, shape (height, width).
        n_hidden: pixels of masks that another mask hides.
    """

    pixels: NDArray[np.uint32]
    n_hidden: int


def paint(predictions: Sequence[Prediction], numbers: Sequence[int], size: Size, *, background: int) -> Painted:
    """Paint masks over each other, those with a higher score over those with a lower, the first over equals.

    Args:
        predictions: with masks.
        numbers: what each is painted as.
        size: width and height in pixels.
        background: what the pixels of no mask are.

    >>> from tamis.model import Prediction
    >>> ones = [Prediction(category_id=0, segmentation=runs, score=0.5) for runs in ((0, 2, 2), (1, 2, 1))]
    >>> paint(ones, [8, 9], (2, 2), background=0)
    Painted(pixels=array([[8, 8],
           [9, 0]], dtype=uint32), n_hidden=1)
    """
    pixels: NDArray[np.uint32] = np.full((size[1], size[0]), background, np.uint32)
    free = np.ones(pixels.shape, np.bool_)
    n_hidden = 0
    order = sorted(range(len(predictions)), key=lambda i: -(predictions[i].score or 0))
    for i in order:
        mask = masks.decode(predictions[i].segmentation or (), size[1], size[0])
        shown = mask & free
        n_hidden += int(mask.sum()) - int(shown.sum())
        pixels[shown] = numbers[i]
        free &= ~mask
    return Painted(pixels, n_hidden)


def segment_colours(ids: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return the picture of segments: the inverse of `segment_ids`, shape (height, width, 3)."""
    parts = [(ids >> shift) & 0xFF for shift in (0, 8, 16)]
    colours: NDArray[np.uint8] = np.stack(parts, axis=2).astype(np.uint8)
    return colours
