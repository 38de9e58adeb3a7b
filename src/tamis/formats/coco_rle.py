"""COCO's run lengths to ours and back.

COCO counts **down the columns** (`{"size": [height, width], "counts": ...}`), the prediction files count
along the rows (`tamis.model.masks`): the numbers of the one are a wrong mask in the other, which is why
nothing is copied here. `counts` is a list of run lengths, or their compressed form. There each run from the
fourth on is written as its difference to the last run of the same kind. A number is a row of five-bit groups,
lowest first, each one character: `chr(48 + bits)`, plus 32 where more follow; the last one's top bit is the
sign.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tamis.model import masks
from tamis.model.mask_batches import transpose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tamis.model.columns import Ints
    from tamis.model.masks import Runs

MAX_MASK_PIXELS = 1 << 30

_FIRST_CHARACTER = 48
_GROUP_BITS = 5
_MAX_GROUPS = 11  # 55 bits; a run of an image of `MAX_MASK_PIXELS` needs 7
_MORE = 0x20
_VALUE = 0x1F
_SIGN = 0x10


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
    counts = segmentation.get("counts")
    match counts:
        case str():
            columns_first = _decompress(counts.encode("utf-8", "surrogatepass"))
        case bytes():
            columns_first = _decompress(counts)
        case list() | tuple() | np.ndarray():
            columns_first = masks.as_runs(counts)
        case _:
            raise ValueError(f"expected `counts` as a list of run lengths or a string, got {type(counts).__name__}")
    total = int(columns_first.sum())
    if total != height * width:
        raise ValueError(f"expected `counts` that sum to {height * width} ({height} x {width}), got {total}")
    # Each column of the mask is a row here.
    return RowMajorMask(transpose(columns_first, width, height), height, width)


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
    columns_first = transpose(runs, height, width)
    counts = _compress(columns_first) if compressed else columns_first.tolist()
    return {"size": [height, width], "counts": counts}


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


def _decompress(text: bytes) -> Ints:
    """Return the run lengths that the compressed form stands for."""
    if not text:
        return np.zeros(0, np.int64)
    codes = np.frombuffer(text, np.uint8).astype(np.int64) - _FIRST_CHARACTER
    bad = np.flatnonzero((codes < 0) | (codes >= 2 * _MORE))
    if len(bad):
        raise ValueError(f"expected characters `0` to `o` in `counts`, got byte {text[bad[0]]} at index {bad[0]}")
    last = np.flatnonzero(codes & _MORE == 0)
    if not len(last) or last[-1] != len(codes) - 1:
        raise ValueError("expected `counts` to end with its last run, got text that breaks off within one")
    first = np.concatenate(([0], last[:-1] + 1))
    n_groups = last - first + 1
    if n_groups.max() > _MAX_GROUPS:
        raise ValueError(f"expected runs of at most {_MAX_GROUPS} characters in `counts`")
    shifts = _GROUP_BITS * (np.arange(len(codes)) - np.repeat(first, n_groups))
    values = np.add.reduceat((codes & _VALUE) << shifts, first)
    values -= np.where(codes[last] & _SIGN, 1 << (_GROUP_BITS * n_groups), 0)
    return masks.as_runs(_undo_differences(values))


def _undo_differences(values: Ints) -> Ints:
    """Return runs from their differences: the third run is written whole, as the first two are."""
    runs = values.copy()
    runs[1::2] = np.cumsum(values[1::2])
    runs[2::2] = np.cumsum(values[2::2])
    return runs


def _compress(runs: Ints) -> str:
    """Return the compressed form of run lengths; every number in as few characters as can hold it."""
    values = runs.copy()
    values[3:] -= runs[1:-2]
    groups = np.arange(_MAX_GROUPS)
    limits = 1 << (_GROUP_BITS * (groups + 1) - 1)
    n_groups = 1 + ((values[:, None] >= limits) | (values[:, None] < -limits)).sum(axis=1)
    codes = (values[:, None] >> (_GROUP_BITS * groups)) & _VALUE
    codes += np.where(groups < n_groups[:, None] - 1, _MORE, 0) + _FIRST_CHARACTER
    written: bytes = codes[groups < n_groups[:, None]].astype(np.uint8).tobytes()
    return written.decode("ascii")
