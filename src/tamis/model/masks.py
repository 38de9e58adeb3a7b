"""Masks as run lengths: the **row-major** flattened (height, width) mask, the first run counts zeros.

`[[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 0, 1]]` is read left to right, top to bottom: 2 zeros, 2 ones, 1 zero,
3 ones, 3 zeros, 1 one. A mask whose first pixel is set starts with a run of 0 zeros. COCO counts down the
columns instead and is converted (`tamis.formats.coco_rle`), never copied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.model.columns import NULL_LENGTH, Ragged
from tamis.model.spans import offsets_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tamis.model.columns import Bools, Floats, Ints

    Runs = Sequence[int] | NDArray[np.integer[Any]]
    Masks = Ragged | Sequence[Runs | None]

_MAX_PIXELS = 2**53


def encode(mask: NDArray[Any]) -> Ints:
    """Return the run lengths of a mask: shape (n,), the runs alternate and only the first may be 0.

    Args:
        mask: shape (height, width), booleans or numbers; every value but 0 is part of the mask.

    Raises:
        ValueError: when `mask` has not two dimensions.

    >>> encode(np.array([[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 0, 1]])).tolist()
    [2, 2, 1, 3, 3, 1]
    >>> encode(np.ones((1, 3))).tolist()
    [0, 3]
    """
    if mask.ndim != 2:  # noqa: PLR2004 (height and width)
        raise ValueError(f"expected a mask of shape (height, width), got shape {mask.shape}")
    flat = np.ravel(mask.astype(bool, copy=False), order="C")
    if not flat.size:
        return np.zeros(0, np.int64)
    return np.diff(changes_of(flat), prepend=0, append=flat.size)


def changes_of(flat: Bools) -> Ints:
    """Return the pixels that differ from the one before them, ascending; before the first lies one that is not set.

    Args:
        flat: at least one pixel, shape (n,).

    >>> changes_of(np.array([True, True, False, True])).tolist()
    [0, 2, 3]
    """
    # Padded to whole words: most hold no change, and are passed over eight pixels at a time.
    changed = np.zeros(-(-flat.size // 8) * 8, np.bool_)
    changed[0] = flat[0]
    np.not_equal(flat[1:], flat[:-1], out=changed[1 : flat.size])
    at = np.flatnonzero(changed.view(np.uint64) != 0)
    word, pixel = np.nonzero(changed.reshape(-1, 8)[at])
    return 8 * at[word] + pixel


def decode(runs: Runs, height: int, width: int) -> Bools:
    """Return the mask of shape (height, width) that the run lengths describe.

    Runs of 0 anywhere are legal. The inverse of `encode`.

    Raises:
        ValueError: when a run is negative or no integer, or they do not sum to height x width.

    >>> decode([2, 2, 1, 3, 3, 1], 3, 4).astype(int).tolist()
    [[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 0, 1]]
    """
    lengths = as_runs(runs)
    total = int(lengths.sum())
    if height < 0 or width < 0 or total != height * width:
        size = f"{height * width} ({height} rows x {width} columns)"
        raise ValueError(f"expected run lengths that sum to {size}, got {total}")
    is_set: Bools = np.arange(len(lengths)) % 2 == 1
    return np.repeat(is_set, lengths).reshape(height, width)


def area(runs: Runs) -> int:
    """Return the number of pixels that are set: the sum of every second run.

    Raises:
        ValueError: when a run is negative or no integer.

    >>> area([2, 2, 1, 3, 3, 1])
    6
    """
    return int(as_runs(runs)[1::2].sum())


def areas(masks: Masks) -> Floats:
    """Return the area of each of many masks in pixels, shape (n,), NaN where the mask is null.

    Args:
        masks: run lengths of n masks; a `Ragged` must have passed the checks, negative runs are not looked for.

    Raises:
        ValueError: when a run in a list of masks is negative or no integer.

    >>> areas([[2, 2, 1, 3, 3, 1], None, [], [0, 9]]).tolist()
    [6.0, nan, 0.0, 9.0]
    """
    given = as_masks(masks)
    offsets = given.offsets
    # Every second run is one of zeros, and where a mask starts decides which: so two sums over half the runs.
    of_odd, of_even = offsets_of(given.values[1::2]), offsets_of(given.values[0::2])
    starts_even = offsets[:-1] % 2 == 0
    odd = of_odd[offsets[1:] // 2] - of_odd[offsets[:-1] // 2]
    even = of_even[(offsets[1:] + 1) // 2] - of_even[(offsets[:-1] + 1) // 2]
    return np.where(given.present, np.where(starts_even, odd, even), np.nan)


def bounding_box(runs: Runs, width: int) -> tuple[int, int, int, int] | None:
    """Return x, y, width, height in pixels of the smallest box around a mask; `None` where it is empty.

    The mask is not decoded: the cost is that of the runs, not of the pixels.

    Args:
        runs: run lengths of the row-major mask.
        width: width of the mask in pixels, > 0.

    Raises:
        ValueError: when a run is negative or no integer, or `width` is not positive.

    >>> bounding_box([2, 2, 1, 3, 3, 1], 4)
    (1, 0, 3, 3)
    """
    if width <= 0:
        raise ValueError(f"expected a width > 0, got {width}")
    lengths = as_runs(runs)
    ones = lengths[1::2]
    starts = np.cumsum(lengths)[0::2][: len(ones)][ones > 0]
    lasts = starts + ones[ones > 0] - 1
    if not len(starts):
        return None
    top, bottom = int(starts[0]) // width, int(lasts[-1]) // width
    # A run that goes on in the next row touches the right border in the one and the left in the other.
    if (starts // width != lasts // width).any():
        return 0, top, width, bottom - top + 1
    left, right = int((starts % width).min()), int((lasts % width).max())
    return left, top, right - left + 1, bottom - top + 1


def as_runs(runs: Runs) -> Ints:
    """Return run lengths as an int64 array of shape (n,).

    Raises:
        ValueError: when a run is negative or no integer, or the mask is larger than any image.

    >>> as_runs([2, 2, 1]).dtype
    dtype('int64')
    """
    lengths = np.asarray(runs)
    if lengths.ndim != 1 or (lengths.size and lengths.dtype.kind not in "iu"):
        raise ValueError("expected run lengths as a flat list of integers")
    result: Ints = lengths.astype(np.int64, copy=False)
    if result.size and int(result.min()) < 0:
        raise ValueError(f"expected run lengths >= 0, got {int(result.min())} at index {int(result.argmin())}")
    if result.sum(dtype=np.float64) >= _MAX_PIXELS:  # a sum that wraps around could pass for a small mask
        raise ValueError(f"expected run lengths of fewer than {_MAX_PIXELS} pixels together")
    return result


def as_masks(masks: Masks) -> Ragged:
    """Return run lengths of many masks as a column of lists, which is handed back as it is.

    Raises:
        ValueError: when a run in a list of masks is negative or no integer, naming the mask, or a column of lists
            does not hold integers.

    >>> as_masks([[2, 2, 1], None]).lengths.tolist()
    [3, -1]
    """
    if isinstance(masks, Ragged):
        if masks.values.dtype.kind not in "iu":
            raise ValueError(f"expected run lengths as integers, got {masks.values.dtype}")
        return masks
    rows: list[Ints] = []
    for i, runs in enumerate(masks):
        try:
            rows.append(np.zeros(0, np.int64) if runs is None else as_runs(runs))
        except ValueError as error:
            raise ValueError(f"{error} (mask {i})") from None
    lengths = [NULL_LENGTH if runs is None else len(runs) for runs in masks]
    return Ragged(np.concatenate([np.zeros(0, np.int64), *rows]), np.array(lengths, np.int64))
