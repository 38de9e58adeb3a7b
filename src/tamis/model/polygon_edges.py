"""Where the outlines of polygons cross the middles of pixel columns: COCO's rule, see `tamis.model.polygons`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tamis.model.spans import Spans, counted, offsets_of

if TYPE_CHECKING:
    from tamis.model.columns import Bools, Floats, Ints

_SUBPIXELS = 5
_BEFORE_MIDDLE = 2  # the middle of a pixel lies between its subpixels 2 and 3


class Rings(NamedTuple):
    """Rings of corners, those of a polygon together, the polygons of a mask together.

    Attributes:
        corners: x, y in pixels of all rings end to end, shape (n_corners, 2).
        sizes: corners of each ring, shape (n_rings,).
        polygon: the polygon of each ring, shape (n_rings,).
        mask: the mask of each polygon, shape (n_polygons,).
    """

    corners: Floats
    sizes: Ints
    polygon: Ints
    mask: Ints


class _Edges(NamedTuple):
    """Lines between corners on the fine grid, walked rightwards or downwards; arrays of shape (n_edges,)."""

    x: Floats
    y: Floats
    x_end: Floats
    slope: Floats  # how far a step along the longer side leads along the shorter
    is_flat: Bools  # whether the longer side is along x
    polygon: Ints

    def take(self, at: Ints) -> _Edges:
        x, y, x_end, slope, is_flat, polygon = self
        return _Edges(x[at], y[at], x_end[at], slope[at], is_flat[at], polygon[at])


def covered_columns(rings: Rings, heights: Ints, widths: Ints) -> Spans:
    """Return what polygons cover of the columns of their masks; the polygons of a mask are joined.

    Args:
        rings: what to draw.
        heights: of each mask in pixels, shape (n_masks,).
        widths: of each mask in pixels, shape (n_masks,).

    >>> square = np.array([[0.0, 1], [2, 1], [2, 3], [0, 3]])
    >>> rings = Rings(square, *(np.array([value]) for value in (4, 0, 0)))
    >>> [part.tolist() for part in covered_columns(rings, np.array([9]), np.array([9]))]
    [[0, 0], [0, 1], [1, 1], [3, 3]]
    """
    edges = _edges(rings)
    mask_of_edge = rings.mask[edges.polygon]
    edge, column, row = _crossings(edges, heights[mask_of_edge], widths[mask_of_edge])
    stride = heights + 1
    starts = offsets_of((stride * widths)[rings.mask])
    polygon = edges.polygon[edge]
    # A ring crosses each column an even number of times: sorted, two by two, the crossings are its spans.
    ends = np.sort(starts[polygon] + column * stride[rings.mask[polygon]] + row).reshape(-1, 2)
    ends = ends[ends[:, 0] != ends[:, 1]]
    polygon = np.searchsorted(starts, ends[:, 0], side="right") - 1
    mask = rings.mask[polygon]
    ends += (offsets_of(stride * widths)[mask] - starts[polygon])[:, None]
    return _spans(_joined(ends) if len(rings.mask) > len(np.unique(rings.mask)) else ends, stride, widths)


def _edges(rings: Rings) -> _Edges:
    """Join each corner to the next of its ring; an edge is the same whichever way the ring runs."""
    fine = np.trunc(_SUBPIXELS * rings.corners + 0.5)
    offsets = offsets_of(rings.sizes)
    following = np.arange(1, len(fine) + 1)
    following[offsets[1:] - 1] = offsets[:-1]
    (x, y), (x_end, y_end) = fine.T, fine[following].T
    dx, dy = np.abs(x_end - x), np.abs(y_end - y)
    is_flat = dx >= dy
    backwards = np.where(is_flat, x > x_end, y > y_end)
    x, x_end = np.where(backwards, x_end, x), np.where(backwards, x, x_end)
    y, y_end = np.where(backwards, y_end, y), np.where(backwards, y, y_end)
    slope = np.where(is_flat, y_end - y, x_end - x) / np.maximum(np.maximum(dx, dy), 1)
    return _Edges(x, y, x_end, slope, is_flat, np.repeat(rings.polygon, rings.sizes))


def _crossings(edges: _Edges, heights: Ints, widths: Ints) -> tuple[Ints, Ints, Ints]:
    """Return edge, column and row of every crossing; sizes are those of each edge's mask."""
    left, right = np.minimum(edges.x, edges.x_end), np.maximum(edges.x, edges.x_end)
    first = np.maximum(np.ceil((left - _BEFORE_MIDDLE) / _SUBPIXELS), 0).astype(np.int64)
    last = np.floor((right - _BEFORE_MIDDLE - 1) / _SUBPIXELS).astype(np.int64)
    n_columns = np.maximum(np.minimum(last, widths - 1) - first + 1, 0)
    edge = np.repeat(np.arange(len(first)), n_columns)
    column = np.repeat(first, n_columns) + counted(n_columns)
    crossed = edges.take(edge)
    before = _SUBPIXELS * column + _BEFORE_MIDDLE
    y = np.where(crossed.is_flat, _y_of_flat(crossed, before), _y_of_steep(crossed, before))
    row = np.ceil(np.clip((y + 0.5) / _SUBPIXELS - 0.5, 0, heights[edge]))
    return edge, column, row.astype(np.int64)


def _y_of_flat(edges: _Edges, before: Ints) -> Floats:
    """Return the smaller y of the two steps at x = `before` and one further."""
    steps = before - edges.x
    y = np.trunc(edges.y + edges.slope * steps + 0.5)
    return np.minimum(y, np.trunc(edges.y + edges.slope * (steps + 1) + 0.5))


def _y_of_steep(edges: _Edges, before: Ints) -> Floats:
    """Return the y of the last step downwards before x changes between `before` and one further."""
    slope = np.where(edges.slope == 0, 1, edges.slope)  # an edge straight down crosses nothing

    def is_past(step: Floats) -> Bools:
        right_of_middle: Bools = np.trunc(edges.x + edges.slope * step + 0.5) > before
        return np.equal(right_of_middle, slope > 0)

    step = np.floor((before + 0.5 - edges.x) / slope)
    step += ~is_past(step + 1)  # rounding may put the division one step off
    step -= is_past(step)
    return edges.y + step


def _joined(ends: Ints) -> Ints:
    """Merge spans that overlap or touch: where the number of spans that are open falls to 0."""
    positions = ends.T.ravel()
    order = np.argsort(positions, kind="stable")  # starts before ends, so that spans that touch become one
    n_open = np.cumsum(np.where(order < len(ends), 1, -1))
    is_end = n_open == 0
    is_start = np.concatenate(([True], is_end[:-1])) if len(is_end) else is_end
    return np.stack((positions[order[is_start]], positions[order[is_end]]), axis=1)


def _spans(ends: Ints, stride: Ints, widths: Ints) -> Spans:
    starts = offsets_of(stride * widths)
    mask = np.searchsorted(starts, ends[:, 0], side="right") - 1
    column, first = np.divmod(ends[:, 0] - starts[mask], stride[mask])
    return Spans(mask, column, first, first + ends[:, 1] - ends[:, 0])
