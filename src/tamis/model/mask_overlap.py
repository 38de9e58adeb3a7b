"""How much masks overlap, from their run lengths: no mask is decoded, the work is that of the spans they share.

Two masks are compared row by row, where both have any: all rows of all pairs at once, the first span of each,
then, where a row has more, the span that ends first makes way for the next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tamis.model.columns import Ragged
from tamis.model.masks import as_masks
from tamis.model.spans import counted, offsets_of, spans_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from tamis.model.columns import Bools, Floats, Ints
    from tamis.model.masks import Masks

_MAX_ROWS_AT_ONCE = 1 << 14  # arrays that stay in the processor's cache: half the time of 1 << 18


class _Rows(NamedTuple):
    """The rows from the first to the last that each mask has anything in, those of all masks end to end."""

    top: Ints  # (n_masks,)
    bottom: Ints  # (n_masks,), the row after the last; `top` where the mask is empty
    left: Ints  # (n_masks,)
    right: Ints  # (n_masks,)
    size: Ints  # pixels of each mask, (n_masks,)
    offset: Ints  # of each mask's first row, (n_masks,)
    span: Ints  # the first span of each row, an empty one where a row has none, (n_rows,)
    first: Ints  # (n_spans + 1,), the last of them empty
    end: Ints
    continues: Bools  # whether the next span is in the same row


def iou(first: Masks, second: Masks, *, width: int | Ints, pairs: ArrayLike | None = None) -> Floats:
    """Return intersection over union of pairs of masks, in [0, 1], shape (n_pairs,).

    The pairs may be of many images: one call for all of them is several times faster than one for each. Two empty
    masks have 0, as in pycocotools; a null mask has NaN.

    Args:
        first: run lengths of row-major masks.
        second: run lengths of others.
        width: of the masks in pixels; or of each of the `first`, shape (len(first),).
        pairs: which of the first with which of the second, shape (n_pairs, 2); without them, mask i of the one
            with mask i of the other.

    Raises:
        ValueError: when without `pairs` there are not as many masks in both, a pair names a mask that is not there,
            the masks of a pair have not the same width and number of pixels, a run is negative or no integer, or
            a width is not positive.

    >>> iou([[2, 2, 1, 3, 3, 1], [12]], [[3, 5, 4], [12]], width=4)
    array([0.57142857, 0.        ])
    >>> iou([[2, 2, 1, 3, 3, 1]], [[12], [3, 5, 4]], width=4, pairs=[[0, 1]])
    array([0.57142857])
    """
    one, other = as_masks(first), as_masks(second)
    if pairs is None:
        if len(one) != len(other):
            raise ValueError(f"expected as many masks in both, got {len(one)} and {len(other)}")
        i = j = np.arange(len(one))
    else:
        i, j = _indices(pairs, len(one), len(other))
    own = np.broadcast_to(np.asarray(width, np.int64), len(one))
    others = np.full(len(other), own.max(initial=1))  # of those that are in no pair, any width will do
    others[j] = own[i]
    for at in np.flatnonzero(others[j] != own[i])[:1]:
        raise ValueError(f"expected masks of one width, got {own[i[at]]} and {others[j[at]]} (pair {at})")
    return _iou(one, other, i, j, np.concatenate((own, others)))


def iou_matrix(first: Masks, second: Masks, *, width: int) -> Floats:
    """Return intersection over union of each of n masks with each of m others, shape (n, m), in [0, 1].

    Two empty masks have 0, as in pycocotools; a null mask has NaN.

    Args:
        first: run lengths of n row-major masks, all of one size.
        second: run lengths of m others of that size.
        width: of the masks in pixels.

    Raises:
        ValueError: when the masks have not all the same number of pixels, a run is negative or no integer, or
            the width is not positive.

    >>> iou_matrix([[2, 2, 1, 3, 3, 1]], [[3, 5, 4], [12], [0, 12]], width=4)
    array([[0.57142857, 0.        , 0.5       ]])
    """
    one, other = as_masks(first), as_masks(second)
    n, m = len(one), len(other)
    i, j = np.repeat(np.arange(n), m), np.tile(np.arange(m), n)
    return _iou(one, other, i, j, np.full(n + m, width, np.int64)).reshape(n, m)


def _indices(pairs: ArrayLike, n_first: int, n_second: int) -> tuple[Ints, Ints]:
    given = np.asarray(pairs)
    if not given.size:
        given = np.zeros((0, 2), np.int64)
    if given.ndim != 2 or given.shape[1] != 2 or given.dtype.kind not in "iu":  # noqa: PLR2004 (two of a pair)
        raise ValueError(f"expected `pairs` as integers of shape (n, 2), got {given.dtype} of shape {given.shape}")
    for pair in given[((given < 0) | (given >= [n_first, n_second])).any(axis=1)][:1].tolist():
        raise ValueError(f"expected pairs of {n_first} and {n_second} masks, counted from 0, got {pair}")
    i, j = given.astype(np.int64).T
    return i, j


def _iou(one: Ragged, other: Ragged, i: Ints, j: Ints, widths: Ints) -> Floats:
    """Return the IoU of mask `i` of the one with mask `j` of the other, pair by pair."""
    if len(widths) and widths.min() <= 0:
        raise ValueError(f"expected a width > 0, got {widths.min()}")
    masks = Ragged(np.concatenate((one.values, other.values)), np.concatenate((one.lengths, other.lengths)))
    j = j + len(one)
    _check_same_size(masks, i, j, len(one))
    rows = _rows(masks, widths)
    shared = _intersections(rows, i, j)
    size = np.where(masks.present, rows.size, np.nan)
    union = size[i] + size[j] - shared
    return np.divide(shared, union, out=np.where(np.isnan(union), np.nan, 0.0), where=union > 0)


def _check_same_size(masks: Ragged, i: Ints, j: Ints, n_first: int) -> None:
    n_pixels = np.diff(offsets_of(masks.values)[masks.offsets])
    differ = np.flatnonzero((n_pixels[i] != n_pixels[j]) & masks.present[i] & masks.present[j])
    if len(differ):
        a, b = int(i[differ[0]]), int(j[differ[0]])
        raise ValueError(
            f"expected masks of one size, got {n_pixels[a]} pixels (mask {a}) and {n_pixels[b]} "
            f"(mask {b - n_first} of the others)"
        )


class _Lines(NamedTuple):
    """The spans of all masks, by row; rows are numbered through from mask to mask, or anew in each."""

    row: Ints  # (n_spans,)
    first: Ints
    end: Ints
    bounds: Ints  # where the spans of each mask start, and the end of the last, (n_masks + 1,)
    start: Ints  # number of each mask's row 0, (n_masks,)


def _lines(masks: Ragged, widths: Ints) -> _Lines:
    starts = offsets_of(masks.values)[masks.offsets]
    if len(widths) and (widths == widths[0]).all() and not (starts % widths[0]).any():
        return _lines_of_one_width(masks, int(widths[0]), starts // widths[0])
    spans = spans_of(masks, widths)
    bounds = np.searchsorted(spans.mask, np.arange(len(masks) + 1))
    return _Lines(spans.line, spans.first, spans.end, bounds, np.zeros(len(masks), np.int64))


def _lines_of_one_width(masks: Ragged, width: int, starts: Ints) -> _Lines:
    """Return the same as `spans_of`, faster: as if all masks were one, each below the last."""
    ends = np.cumsum(masks.values)
    # A mask that ends with zeros goes over into the zeros of the next.
    is_odd = np.maximum(masks.lengths, 0) % 2 == 1
    first, end = np.delete(ends, masks.offsets[1:][is_odd] - 1).reshape(-1, 2).T.copy()
    row = first // width
    n_rows = (end - 1) // width - row + 1
    if len(n_rows) and n_rows.min() < 1:  # runs of 0
        first, end, row, n_rows = first[n_rows > 0], end[n_rows > 0], row[n_rows > 0], n_rows[n_rows > 0]
    if len(n_rows) and n_rows.max() > 1:
        first, end = np.repeat(first, n_rows), np.repeat(end, n_rows)
        row = np.repeat(row, n_rows) + counted(n_rows)
    at = row * width
    first, end = np.maximum(first - at, 0), np.minimum(end - at, width)
    return _Lines(row, first, end, np.searchsorted(row, starts), starts[:-1])


def _rows(masks: Ragged, widths: Ints) -> _Rows:
    lines = _lines(masks, widths)
    row, bounds, n_spans = lines.row, lines.bounds, len(lines.row)
    has_any = bounds[1:] > bounds[:-1]
    begins, lasts = bounds[:-1][has_any], bounds[1:][has_any] - 1
    top, bottom, left, right, size = (np.zeros(len(masks), np.int64) for _ in range(5))
    if n_spans:
        top[has_any], bottom[has_any] = row[begins], row[lasts] + 1
        left[has_any] = np.minimum.reduceat(lines.first, begins)
        right[has_any] = np.maximum.reduceat(lines.end, begins)
        size[has_any] = np.add.reduceat(lines.end - lines.first, begins)
    offsets = offsets_of(bottom - top)
    at = row + np.repeat(offsets[:-1] - top, np.diff(bounds))
    continues = np.zeros(n_spans + 1, np.bool_)
    np.equal(row[1:], row[:-1], out=continues[: max(n_spans - 1, 0)])
    continues[bounds[1:][bounds[1:] > 0] - 1] = False
    span = np.full(offsets[-1], n_spans)
    span[at[::-1]] = np.arange(n_spans)[::-1]  # the first span of a row is the last to be put
    first, end = np.append(lines.first, 0), np.append(lines.end, 0)
    top, bottom = top - lines.start * has_any, bottom - lines.start * has_any
    return _Rows(top, bottom, left, right, size, offsets[:-1], span, first, end, continues)


def _intersections(rows: _Rows, i: Ints, j: Ints) -> Ints:
    """Return the pixels that mask `i` and mask `j` share, pair by pair."""
    top, bottom = np.maximum(rows.top[i], rows.top[j]), np.minimum(rows.bottom[i], rows.bottom[j])
    meet = (top < bottom) & (rows.left[i] < rows.right[j]) & (rows.left[j] < rows.right[i])
    pairs = np.flatnonzero(meet)
    result = np.zeros(len(i), np.int64)
    if not len(pairs):
        return result
    n_rows = offsets_of((bottom - top)[pairs])
    cuts = np.searchsorted(n_rows, np.arange(0, n_rows[-1], _MAX_ROWS_AT_ONCE), side="left")
    for begin, end in zip(cuts, [*cuts[1:], len(pairs)], strict=True):
        some = pairs[begin:end]
        result[some] = _shared(rows, i[some], j[some], top[some], bottom[some])
    return result


def _shared(rows: _Rows, i: Ints, j: Ints, top: Ints, bottom: Ints) -> Ints:
    n_rows = bottom - top
    offsets = offsets_of(n_rows)
    in_i = np.repeat(rows.offset[i] + top - rows.top[i] - offsets[:-1], n_rows) + np.arange(offsets[-1])
    in_j = in_i + np.repeat(rows.offset[j] - rows.top[j] - rows.offset[i] + rows.top[i], n_rows)
    span_i, span_j = rows.span.take(in_i), rows.span.take(in_j)
    shared = _overlap(rows, span_i, span_j)
    both = (span_i < len(rows.first) - 1) & (span_j < len(rows.first) - 1)
    more = np.flatnonzero((rows.continues.take(span_i) | rows.continues.take(span_j)) & both)
    if len(more):
        shared[more] += _overlap_of_more(rows, span_i[more], span_j[more])
    totals = offsets_of(shared)
    return totals[offsets[1:]] - totals[offsets[:-1]]


def _overlap(rows: _Rows, i: Ints, j: Ints) -> Ints:
    """Return the pixels that spans of one row share."""
    shared = np.minimum(rows.end.take(i), rows.end.take(j))
    shared -= np.maximum(rows.first.take(i), rows.first.take(j))
    return np.maximum(shared, 0, out=shared)


def _overlap_of_more(rows: _Rows, i: Ints, j: Ints) -> Ints:
    """Return what all but the first spans of rows share: the one that ends first makes way for the next."""
    result = np.zeros(len(i), np.int64)
    slot = np.arange(len(i))
    while True:
        i_ends_first: Bools = rows.end.take(i) < rows.end.take(j)
        goes_on = np.flatnonzero(rows.continues.take(np.where(i_ends_first, i, j)))
        if not len(goes_on):
            return result
        slot, i_ends_first = slot[goes_on], i_ends_first[goes_on]
        i, j = i[goes_on] + i_ends_first, j[goes_on] + ~i_ends_first
        result[slot] += _overlap(rows, i, j)
