"""How much masks overlap, from their run lengths: no mask is decoded, the work is that of the spans they share.

Two masks are compared row by row, where both have any: all rows of all pairs at once, the first span of each,
then, where a row has more, the span that ends first makes way for the next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tamis.model.columns import Ragged
from tamis.model.masks import areas, as_masks
from tamis.model.spans import offsets_of, spans_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from tamis.model.columns import Bools, Floats, Ints
    from tamis.model.masks import Masks

_MAX_ROWS_AT_ONCE = 1 << 18  # a few MB an array
_WIDER_THAN_ANY = 1 << 53  # of masks that are in no pair: all in one row, so that they cost little
_NO_SPAN = -(1 << 40)  # more than any row has spans, so that adding to it never comes out positive


class _Rows(NamedTuple):
    """The rows from the first to the last that each mask has anything in, those of all masks end to end."""

    top: Ints  # (n_masks,)
    bottom: Ints  # (n_masks,), the row after the last; `top` where the mask is empty
    left: Ints  # (n_masks,)
    right: Ints  # (n_masks,)
    offset: Ints  # of each mask's first row, (n_masks,)
    first: Ints  # of the first span in a row, (n_rows,)
    end: Ints  # 0 where a row has none
    n_more: Ints  # spans in a row besides the first; `_NO_SPAN` where a row has none
    span: Ints  # index of the first
    span_first: Ints  # (n_spans,)
    span_end: Ints


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
    others = np.full(len(other), _WIDER_THAN_ANY)
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
    size = areas(masks)
    shared = _intersections(_rows(masks, widths), i, j)
    union = size[i] + size[j] - shared
    return np.divide(shared, union, out=np.where(np.isnan(union), np.nan, 0.0), where=union > 0)


def _check_same_size(masks: Ragged, i: Ints, j: Ints, n_first: int) -> None:
    totals = np.concatenate(([0], np.cumsum(masks.values)))
    n_pixels = np.diff(totals[masks.offsets])
    differ = np.flatnonzero((n_pixels[i] != n_pixels[j]) & masks.present[i] & masks.present[j])
    if len(differ):
        a, b = int(i[differ[0]]), int(j[differ[0]])
        raise ValueError(
            f"expected masks of one size, got {n_pixels[a]} pixels (mask {a}) and {n_pixels[b]} "
            f"(mask {b - n_first} of the others)"
        )


def _rows(masks: Ragged, widths: Ints) -> _Rows:
    spans = spans_of(masks, widths)
    n_spans = len(spans.mask)
    starts_row = np.ones(n_spans, np.bool_)
    starts_row[1:] = (spans.line[1:] != spans.line[:-1]) | (spans.mask[1:] != spans.mask[:-1])
    at = np.flatnonzero(starts_row)
    line, mask = spans.line[at], spans.mask[at]
    n_lines = np.bincount(mask, minlength=len(masks))
    has_any = n_lines > 0
    line_offsets = offsets_of(n_lines)
    begins = line_offsets[:-1][has_any]
    top, bottom, left, right = (np.zeros(len(masks), np.int64) for _ in range(4))
    top[has_any] = line[begins]
    bottom[has_any] = line[line_offsets[1:][has_any] - 1] + 1
    if n_spans:
        left[has_any] = np.minimum.reduceat(spans.first, at[begins])
        right[has_any] = np.maximum.reduceat(spans.end, at[begins])
    offsets = offsets_of(bottom - top)
    row = line + (offsets[:-1] - top)[mask]
    first, end, span = (np.zeros(offsets[-1], np.int64) for _ in range(3))
    n_more = np.full(offsets[-1], _NO_SPAN)
    first[row], end[row], span[row] = spans.first[at], spans.end[at], at
    n_more[row] = np.diff(at, append=n_spans) - 1
    return _Rows(top, bottom, left, right, offsets[:-1], first, end, n_more, span, spans.first, spans.end)


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
    shared = np.minimum(rows.end.take(in_i), rows.end.take(in_j))
    shared -= np.maximum(rows.first.take(in_i), rows.first.take(in_j))
    np.maximum(shared, 0, out=shared)
    more = np.flatnonzero(rows.n_more.take(in_i) + rows.n_more.take(in_j) > 0)
    if len(more):
        shared[more] += _shared_of_more(rows, in_i[more], in_j[more])
    totals = np.concatenate(([0], np.cumsum(shared)))
    return totals[offsets[1:]] - totals[offsets[:-1]]


def _shared_of_more(rows: _Rows, in_i: Ints, in_j: Ints) -> Ints:
    """Return what all but the first spans of rows share: the one that ends first makes way for the next."""
    result = np.zeros(len(in_i), np.int64)
    slot = np.arange(len(in_i))
    i, j = rows.span[in_i], rows.span[in_j]
    last_i, last_j = i + rows.n_more[in_i], j + rows.n_more[in_j]
    while True:
        i_ends_first: Bools = rows.span_end[i] < rows.span_end[j]
        i, j = i + i_ends_first, j + ~i_ends_first
        goes_on = np.flatnonzero((i <= last_i) & (j <= last_j))
        if not len(goes_on):
            return result
        i, j, last_i, last_j = i[goes_on], j[goes_on], last_i[goes_on], last_j[goes_on]
        slot = slot[goes_on]
        shared = np.minimum(rows.span_end[i], rows.span_end[j])
        shared -= np.maximum(rows.span_first[i], rows.span_first[j])
        result[slot] += np.maximum(shared, 0)
