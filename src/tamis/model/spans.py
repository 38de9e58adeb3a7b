"""Run lengths of many masks as spans, the pieces of set pixels line by line, and the way back.

What turns, outlines and compares masks works on spans: their number is that of the runs, not of the pixels.
Lines are rows here; where a mask was read down its columns, lines are columns and everything else is alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tamis.model.columns import Ragged

if TYPE_CHECKING:
    from tamis.model.columns import Ints


class Spans(NamedTuple):
    """Set pixels of many masks, each span within one line; every array of shape (n_spans,), ascending.

    Attributes:
        mask: which mask it is of.
        line: number of its row.
        first: its first pixel in that row.
        end: the pixel after its last.
    """

    mask: Ints
    line: Ints
    first: Ints
    end: Ints


def offsets_of(sizes: Ints) -> Ints:
    """Return where each of consecutive pieces starts, and the end of the last: shape (n + 1,).

    >>> offsets_of(np.array([2, 0, 3])).tolist()
    [0, 2, 2, 5]
    """
    offsets = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    return offsets


def counted(counts: Ints) -> Ints:
    """Return 0, 1, ..., count - 1 for each count, end to end.

    >>> counted(np.array([2, 0, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    offsets = offsets_of(counts)
    return np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)


def spans_of(masks: Ragged, widths: Ints) -> Spans:
    """Cut the runs of set pixels at the ends of the lines.

    Args:
        masks: run lengths of n masks, the first of each counts zeros; null is none.
        widths: pixels in a line of each mask, shape (n,).

    >>> [part.tolist() for part in spans_of(Ragged.from_rows([[2, 4]], np.int64), np.array([4]))]
    [[0, 0], [0, 1], [2, 0], [4, 2]]
    """
    mask, first, end = set_runs(masks)
    # Dividing by one number is several times faster than by an array.
    width = widths[mask] if len(np.unique(widths)) > 1 else np.maximum(widths[:1], 1)
    row = first // width
    n_rows = (end - 1) // width - row + 1
    if len(n_rows) and n_rows.max() > 1:
        below = counted(n_rows)
        mask, row = np.repeat(mask, n_rows), np.repeat(row, n_rows) + below
        width = np.repeat(width, n_rows) if len(width) > 1 else width
        first, end = np.repeat(first, n_rows), np.repeat(end, n_rows)
    start = row * width
    return Spans(mask, row, np.maximum(first - start, 0), np.minimum(end - start, width))


def set_runs(masks: Ragged) -> tuple[Ints, Ints, Ints]:
    """Return the mask, the first pixel and the pixel after the last of each run of set pixels, shape (n_runs,).

    >>> [part.tolist() for part in set_runs(Ragged.from_rows([[2, 2, 1, 3, 0, 0], [0, 1]], np.int64))]
    [[0, 0, 1], [2, 5, 0], [4, 8, 1]]
    """
    offsets = masks.offsets
    n_set = np.diff(offsets) // 2
    ends = offsets_of(masks.values)
    # Every second run of a mask is set, from its second on.
    begins = offsets[:-1] - 2 * offsets_of(n_set)[:-1] + 1
    at = np.repeat(begins, n_set) + np.arange(0, 2 * n_set.sum(), 2)
    mask = np.repeat(np.arange(len(n_set)), n_set)
    start = np.repeat(ends[offsets[:-1]], n_set)
    first, end = ends[at] - start, ends[at + 1] - start
    if len(first) and (first == end).any():
        mask, first, end = mask[first < end], first[first < end], end[first < end]
    return mask, first, end


def turned(spans: Spans, heights: Ints, widths: Ints) -> Ragged:
    """Return the run lengths, line after line, of masks whose spans lie in the other direction.

    Two neighbouring columns differ where the combined ends of their spans leave an odd number behind: each
    row there has a change between them. So the work is that of the runs that come out.

    Args:
        spans: their `line` is a column, their `first` and `end` are rows; none overlap.
        heights: rows of each mask, shape (n,).
        widths: columns of each mask, shape (n,).

    >>> column_0_row_1 = Spans(*(np.array([value]) for value in (0, 0, 1, 2)))
    >>> turned(column_0_row_1, np.array([2]), np.array([3])).rows()
    [array([3, 1, 2])]
    """
    stride = heights + 1
    starts = offsets_of(stride * (widths + 1))
    step = stride[spans.mask]
    at = starts[spans.mask] + spans.line * step
    own = np.stack((at + spans.first, at + spans.end), axis=1)
    ends = np.sort(np.concatenate((own, own + step[:, None]), axis=None)).reshape(-1, 2)
    ends = ends[ends[:, 0] != ends[:, 1]]
    mask = np.searchsorted(starts, ends[:, 0], side="right") - 1
    column, row = np.divmod(ends[:, 0] - starts[mask], stride[mask])
    n_rows = ends[:, 1] - ends[:, 0]
    sizes = heights * widths
    first = offsets_of(sizes + 1)[mask] + row * widths[mask] + column
    changes = np.repeat(first, n_rows) + counted(n_rows) * np.repeat(widths[mask], n_rows)
    changes.sort()
    return runs_of_changes(changes, sizes)


def runs_of_changes(changes: Ints, sizes: Ints) -> Ragged:
    """Return run lengths from the pixels at which masks change; an even number of them at one pixel is none.

    Args:
        changes: ascending; those of a mask count from where it starts, and each mask takes one place more
            than it has pixels, for a change after its last pixel, which means nothing.
        sizes: pixels of each mask, shape (n,).

    >>> runs_of_changes(np.array([2, 4, 5, 8, 11, 13]), np.array([12, 2])).rows()
    [array([2, 2, 1, 3, 3, 1]), array([0, 2])]
    """
    starts = offsets_of(sizes + 1)
    last = np.flatnonzero(np.concatenate((changes[1:] != changes[:-1], np.ones(len(changes[:1]), np.bool_))))
    changes = changes[last[np.diff(last, prepend=-1) % 2 == 1]]
    mask = np.searchsorted(starts, changes, side="right") - 1
    inside = changes < starts[mask + 1] - 1
    changes, mask = changes[inside], mask[inside]
    n_changes = np.bincount(mask, minlength=len(sizes))
    # An empty mask has no run at all; every other one more than it has changes.
    lengths = n_changes + (sizes > 0)
    offsets = offsets_of(lengths)
    ends = np.empty(offsets[-1], np.int64)
    is_last = np.zeros(offsets[-1], np.bool_)
    is_last[offsets[1:][lengths > 0] - 1] = True
    ends[is_last] = (starts[1:] - 1)[lengths > 0]
    ends[~is_last] = changes
    before = np.empty_like(ends)
    before[1:] = ends[:-1]
    before[offsets[:-1][lengths > 0]] = starts[:-1][lengths > 0]
    return Ragged(ends - before, lengths)
