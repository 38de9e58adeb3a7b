"""Many masks in one call: coded, decoded, transposed and boxed, several times faster than one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.model.masks import as_masks, changes_of, decode, encode
from tamis.model.spans import offsets_of, runs_of_changes, set_runs, spans_of, turned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tamis.model.columns import Bools, Floats, Ints, Ragged
    from tamis.model.masks import Masks, Runs

_PIXELS_A_SPAN = 64  # about what a span takes in bytes, as arrays of 64-bit numbers


def encode_all(masks: NDArray[Any]) -> Ragged:
    """Return the run lengths of many masks of one size, n rows, each as `encode` gives them.

    Args:
        masks: shape (n, height, width), booleans or numbers; every value but 0 is part of a mask.

    Raises:
        ValueError: when `masks` has not three dimensions.

    >>> encode_all(np.array([[[0, 0, 1], [1, 0, 0]], [[1, 0, 0], [0, 0, 0]]])).rows()
    [array([2, 2, 2]), array([0, 1, 5])]
    """
    if masks.ndim != 3:  # noqa: PLR2004 (which mask, height and width)
        raise ValueError(f"expected masks of shape (n, height, width), got shape {masks.shape}")
    size = masks.shape[1] * masks.shape[2]
    changes = []
    for i, mask in enumerate(masks if size else ()):
        flat = np.ravel(mask.astype(bool, copy=False), order="C")
        changes.append(changes_of(flat) + i * (size + 1))
    return runs_of_changes(np.concatenate([np.zeros(0, np.int64), *changes]), np.full(len(masks), size))


def decode_all(masks: Masks, height: int, width: int) -> Bools:
    """Return the masks of shape (n, height, width) that the run lengths describe. The inverse of `encode_all`.

    Raises:
        ValueError: when a mask is null, a run is negative or no integer, or those of a mask do not sum to
            height x width.

    >>> decode_all([[2, 2, 2], [0, 1, 5]], 2, 3).astype(int).tolist()
    [[[0, 0, 1], [1, 0, 0]], [[1, 0, 0], [0, 0, 0]]]
    """
    given = as_masks(masks)
    offsets = given.offsets
    _check_totals(given, [(height, width)] * len(given))
    index_in_row = np.arange(len(given.values)) - np.repeat(offsets[:-1], np.diff(offsets))
    return np.repeat(index_in_row % 2 == 1, given.values).reshape(len(given), height, width)


def transpose(runs: Runs, height: int, width: int) -> Ints:
    """Return the run lengths of the transposed mask, of `width` rows and `height` columns.

    This is what turns runs down the columns, which COCO counts, into runs along the rows, and back. No decoding:
    the work is that of the runs.

    Raises:
        ValueError: when a run is negative or no integer, or they do not sum to height x width.

    >>> transpose([2, 2, 1, 3, 3, 1], 3, 4).tolist()
    [4, 1, 1, 2, 1, 3]
    """
    return np.asarray(transpose_all([runs], [(height, width)]).values)


def transpose_all(masks: Masks, sizes: Sequence[tuple[int, int]]) -> Ragged:
    """Return the run lengths of many transposed masks, n rows, each as `transpose` gives them.

    Args:
        masks: run lengths of n masks.
        sizes: height and width of each in pixels, n of them.

    Raises:
        ValueError: as `transpose`; or when there are not as many sizes as masks.

    >>> transpose_all([[2, 2, 1, 3, 3, 1], [0, 1]], [(3, 4), (1, 1)]).rows()
    [array([4, 1, 1, 2, 1, 3]), array([0, 1])]
    """
    given = as_masks(masks)
    if len(given) != len(sizes):
        raise ValueError(f"expected as many sizes as masks, got {len(sizes)} for {len(given)}")
    _check_totals(given, sizes)
    heights, widths = np.array(sizes, np.int64).reshape(-1, 2).T
    if _is_dense(given, heights, widths):
        rows = [encode(decode(runs, *size).T) for runs, size in zip(given.rows(), sizes, strict=True)]  # type: ignore[arg-type]  # none is null
        return as_masks(rows)
    return turned(spans_of(given, widths), widths, heights)


def _is_dense(masks: Ragged, heights: Ints, widths: Ints) -> bool:
    """Whether the masks have so many spans for their pixels that spans would take more memory than pixels."""
    mask, first, end = set_runs(masks)
    width = widths[mask]
    n_spans = int(((end - 1) // width - first // width + 1).sum()) + int((heights + widths).sum())
    return n_spans * _PIXELS_A_SPAN > int((heights * widths).sum())


def bounding_boxes(masks: Masks, widths: int | Ints) -> Floats:
    """Return x, y, width, height in pixels of the smallest box around each mask, shape (n, 4).

    A mask that is empty or null has a row of NaN.

    Args:
        masks: run lengths of n masks.
        widths: of the masks in pixels, > 0; or of each, shape (n,).

    Raises:
        ValueError: when a run is negative or no integer, or a width is not positive.

    >>> bounding_boxes([[2, 2, 1, 3, 3, 1], [12]], 4).tolist()
    [[1.0, 0.0, 3.0, 3.0], [nan, nan, nan, nan]]
    """
    given = as_masks(masks)
    width = np.broadcast_to(np.asarray(widths, np.int64), len(given))
    if len(width) and width.min() <= 0:
        raise ValueError(f"expected widths > 0, got {width.min()}")
    spans = spans_of(given, width)
    starts = np.flatnonzero(np.diff(spans.mask, prepend=-1))
    boxes = np.full((len(given), 4), np.nan)
    if len(starts):
        left, right = np.minimum.reduceat(spans.first, starts), np.maximum.reduceat(spans.end, starts)
        top, last = spans.line[starts], spans.line[np.append(starts[1:], len(spans.mask)) - 1]
        boxes[spans.mask[starts]] = np.stack((left, top, right - left, last - top + 1), axis=1)
    return boxes


def _check_totals(masks: Ragged, sizes: Sequence[tuple[int, int]]) -> None:
    totals = np.diff(offsets_of(masks.values)[masks.offsets]).tolist()
    for i, ((height, width), total) in enumerate(zip(sizes, totals, strict=True)):
        got = total if masks.lengths[i] >= 0 else "none"
        if got != height * width or height < 0:
            size = f"{height * width} ({height} rows x {width} columns)"
            raise ValueError(f"expected run lengths of mask {i} that sum to {size}, got {got}")
