"""COCO's run lengths to ours and back.

COCO counts **down the columns** (`{"size": [height, width], "counts": ...}`), the prediction files count
along the rows (`tamis.model.masks`): the numbers of the one are a wrong mask in the other, which is why
nothing is copied here. `counts` is a list of run lengths, or their compressed form (`tamis.formats.coco_text`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tamis.formats.coco_text import compress, decompress
from tamis.model import masks
from tamis.model.mask_batches import transpose, transpose_all
from tamis.model.spans import offsets_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tamis.model.columns import Ints, Ragged
    from tamis.model.masks import Masks, Runs

MAX_MASK_PIXELS = 1 << 30


class RowMajorMask(NamedTuple):
    """A mask as prediction files hold it.

    Attributes:
        runs: run lengths of the row-major mask, the first counts zeros; shape (n,).
        height: in pixels.
        width: in pixels.
    """

    runs: Ints
    height: int
    width: int


class RowMajorMasks(NamedTuple):
    """Many masks as prediction files hold them.

    Attributes:
        runs: run lengths of each row-major mask, n rows.
        sizes: height and width of each in pixels, n of them.
    """

    runs: Ragged
    sizes: list[tuple[int, int]]


def from_coco(segmentation: Mapping[str, Any]) -> RowMajorMask:
    """Convert a COCO mask, `counts` a list or compressed (text or bytes), to row-major run lengths.

    Args:
        segmentation: has `size` [height, width] and `counts`; other keys are ignored.

    Raises:
        ValueError: when it is no COCO mask: the text says what was expected.

    >>> mask = from_coco({"size": [3, 4], "counts": [4, 1, 1, 2, 1, 3]})
    >>> mask.runs.tolist(), mask.height, mask.width
    ([2, 2, 1, 3, 3, 1], 3, 4)
    >>> from_coco({"size": [3, 4], "counts": "411101"}).runs.tolist()
    [2, 2, 1, 3, 3, 1]
    """
    height, width = _size(segmentation)
    counts = _counts(segmentation)
    columns_first = masks.as_runs(decompress([counts]).values if isinstance(counts, bytes) else counts)
    total = int(columns_first.sum())
    if total != height * width:
        raise ValueError(f"expected `counts` that sum to {height * width} ({height} x {width}), got {total}")
    # Each column of the mask is a row here.
    return RowMajorMask(transpose(columns_first, width, height), height, width)


def from_coco_all(segmentations: Sequence[Mapping[str, Any]]) -> RowMajorMasks:
    """Convert many COCO masks at once, each as `from_coco` does, which is several times faster than one by one.

    Args:
        segmentations: n masks, of any sizes, listed or compressed.

    Raises:
        ValueError: when one is no COCO mask: what was expected, and its index.

    >>> many = from_coco_all([{"size": [3, 4], "counts": "411101"}, {"size": [1, 2], "counts": [0, 2]}])
    >>> many.runs.rows(), many.sizes
    ([array([2, 2, 1, 3, 3, 1]), array([0, 2])], [(3, 4), (1, 2)])
    """
    sizes: list[tuple[int, int]] = []
    counts: list[bytes | Runs] = []
    for i, segmentation in enumerate(segmentations):
        try:
            sizes.append(_size(segmentation))
            counts.append(_counts(segmentation))
        except ValueError as error:
            raise ValueError(f"{error} (mask {i})") from None
    columns_first = _columns_first(counts)
    totals = np.diff(offsets_of(columns_first.values)[columns_first.offsets]).tolist()
    for i, ((height, width), total) in enumerate(zip(sizes, totals, strict=True)):
        if total != height * width:
            size = f"{height * width} ({height} x {width})"
            raise ValueError(f"expected `counts` that sum to {size}, got {total} (mask {i})")
    return RowMajorMasks(transpose_all(columns_first, [size[::-1] for size in sizes]), sizes)


def _columns_first(counts: list[bytes | Runs]) -> Ragged:
    """Return the runs of masks of which some are compressed and some are listed."""
    written = decompress([one if isinstance(one, bytes) else b"" for one in counts]).rows()
    return masks.as_masks(
        [text if isinstance(one, bytes) else one for one, text in zip(counts, written, strict=True)]
    )


def to_coco(runs: Runs, height: int, width: int, *, compressed: bool) -> dict[str, Any]:
    """Convert row-major run lengths to a COCO mask that JSON can hold.

    Args:
        runs: run lengths of the row-major mask, the first counts zeros.
        height: of the mask in pixels.
        width: of the mask in pixels.
        compressed: write `counts` as text, as pycocotools does, instead of a list.

    Raises:
        ValueError: when the runs do not sum to height x width, or one is negative.

    >>> to_coco([2, 2, 1, 3, 3, 1], 3, 4, compressed=False)
    {'size': [3, 4], 'counts': [4, 1, 1, 2, 1, 3]}
    >>> to_coco([2, 2, 1, 3, 3, 1], 3, 4, compressed=True)
    {'size': [3, 4], 'counts': '411101'}
    """
    [coco] = to_coco_all([runs], [(height, width)], compressed=compressed)
    return coco


def to_coco_all(runs: Masks, sizes: Sequence[tuple[int, int]], *, compressed: bool) -> list[dict[str, Any]]:
    """Convert many masks at once, each as `to_coco` does, which is several times faster than one by one.

    Args:
        runs: run lengths of n row-major masks.
        sizes: height and width of each in pixels, n of them.
        compressed: as for `to_coco`.

    Raises:
        ValueError: as `to_coco`; or when there are not as many sizes as masks.

    >>> to_coco_all([[2, 2, 1, 3, 3, 1], [0, 2]], [(3, 4), (1, 2)], compressed=True)
    [{'size': [3, 4], 'counts': '411101'}, {'size': [1, 2], 'counts': '02'}]
    """
    columns_first = transpose_all(runs, sizes)
    rows = [row for row in columns_first.rows() if row is not None]
    counts = compress(columns_first) if compressed else [row.tolist() for row in rows]
    return [{"size": list(size), "counts": one} for size, one in zip(sizes, counts, strict=True)]


def _counts(segmentation: Mapping[str, Any]) -> bytes | Runs:
    match segmentation.get("counts"):
        case str(text):
            return text.encode("utf-8", "surrogatepass")
        case bytes(text):
            return text
        case list() | tuple() | np.ndarray() as counts:
            return counts
        case other:
            raise ValueError(f"expected `counts` as a list of run lengths or a string, got {type(other).__name__}")


def _size(segmentation: Mapping[str, Any]) -> tuple[int, int]:
    match segmentation.get("size"):
        case [int(height), int(width)] if not isinstance(height, bool) and not isinstance(width, bool):
            if height < 0 or width < 0:
                raise ValueError(f"expected a `size` >= 0, got [{height}, {width}]")
            if height * width > MAX_MASK_PIXELS:
                raise ValueError(f"expected at most {MAX_MASK_PIXELS} pixels, got {height} x {width}")
            return height, width
        case other:
            raise ValueError(f"expected `size` as [height, width], got {str(other)[:40]}")
