"""The outlines of a mask along the borders of its pixels, from its spans.

Every ring is walked with the mask on its right hand: outer rings clockwise as seen on a screen, holes the other
way round. Where two pixels touch at a corner only, the walk turns right, so they are two pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from tamis.model.columns import Bools, Floats, Ints
    from tamis.model.spans import Spans


class _Corners(NamedTuple):
    """Where outlines turn, row by row; each array of shape (n_corners,)."""

    x: Ints
    y: Ints
    turn: Ints  # how the step from above to below changes from left to right: +-1, +-2 where pieces touch


class _Sides(NamedTuple):
    """Straight pieces of outline from corner to corner, along x or along y; each array of shape (n_sides,)."""

    start: Ints
    end: Ints
    is_forward: Bools  # to the right, or down


def outlines(spans: Spans, height: int, width: int) -> list[tuple[Floats, tuple[Floats, ...]]]:
    """Return the outer ring of each connected piece, and the rings of its holes: corners x, y, shape (n, 2).

    Args:
        spans: of one mask, row by row; none touch within a row.
        height: of the mask in pixels.
        width: of the mask in pixels.
    """
    corners = _corners(spans, width)
    if not len(corners.x):
        return []
    across = _sides(np.arange(len(corners.x)), corners.turn, forward=1)
    down = _sides(np.lexsort((corners.y, corners.x)), corners.turn, forward=-1)
    # Turning right: after a side to the right down, after one down to the left, and so on.
    next_down = _next_sides(across, down, wants_forward=across.is_forward)
    following = _next_sides(down, across, wants_forward=~down.is_forward)[next_down]
    rings, ring_of_across = _rings(following.tolist())
    ring_of_down = np.empty(len(down.start), np.int64)
    ring_of_down[next_down] = ring_of_across
    xy = np.stack((corners.x, corners.y), axis=1).astype(np.float64)
    drawn = [xy[np.stack((across.start[ring], across.end[ring]), axis=1).ravel()] for ring in rings]
    # A ring's first side is its highest: the top of a piece, or the lower border of what is above a hole.
    first = np.array([ring[0] for ring in rings], np.int64)
    holes = np.flatnonzero(~across.is_forward[first])
    beside = _sides_left_of(across.end[first[holes]], corners, down, spans, (height, width))
    return _pieces(drawn, dict(zip(holes.tolist(), ring_of_down[beside].tolist(), strict=True)))


def _corners(spans: Spans, width: int) -> _Corners:
    """Return the corners: both ends of every span turn its upper and, the other way, its lower border."""
    row_size = width + 1
    top_left, top_right = spans.line * row_size + spans.first, spans.line * row_size + spans.end
    places = np.concatenate((top_left, top_right, top_left + row_size, top_right + row_size))
    turns = np.repeat([1, -1, -1, 1], len(top_left))
    place, inverse = np.unique(places, return_inverse=True)
    turn = np.zeros(len(place), np.int64)
    np.add.at(turn, inverse, turns)
    y, x = np.divmod(place[turn != 0], row_size)
    return _Corners(x, y, turn[turn != 0])


def _sides(order: Ints, turn: Ints, *, forward: int) -> _Sides:
    """Join neighbouring corners in `order` where one of the two sides of the line between them is mask."""
    step = np.cumsum(turn[order])
    at = np.flatnonzero(step)
    lower, upper = order[at], order[at + 1]
    is_forward = step[at] == forward
    return _Sides(np.where(is_forward, lower, upper), np.where(is_forward, upper, lower), is_forward)


def _next_sides(arriving: _Sides, leaving: _Sides, *, wants_forward: Bools) -> Ints:
    """Return the side that leaves where each side arrives; at a corner of two pieces, the wanted one of two."""
    by_corner = np.full((2, int(leaving.start.max()) + 1), -1)
    by_corner[leaving.is_forward.astype(np.int64), leaving.start] = np.arange(len(leaving.start))
    wanted = wants_forward.astype(np.int64)
    side = by_corner[wanted, arriving.end]
    return np.where(side >= 0, side, by_corner[1 - wanted, arriving.end])


def _rings(following: list[int]) -> tuple[list[list[int]], Ints]:
    """Return the sides of each ring from its highest on, and the ring of each side."""
    ring_of_side = [-1] * len(following)
    rings: list[list[int]] = []
    for side in range(len(following)):
        if ring_of_side[side] >= 0:
            continue
        ring = []
        at = side
        while ring_of_side[at] < 0:
            ring_of_side[at] = len(rings)
            ring.append(at)
            at = following[at]
        rings.append(ring)
    return rings, np.array(ring_of_side, np.int64)


def _sides_left_of(corner: Ints, corners: _Corners, down: _Sides, spans: Spans, size: tuple[int, int]) -> Ints:
    """Return the side along y where the span begins that lies just above each of the given corners."""
    height, width = size
    row = corners.y[corner] - 1
    span = np.searchsorted(spans.line * width + spans.first, row * width + corners.x[corner], side="right") - 1
    upper = np.where(down.is_forward, down.start, down.end)
    places = corners.x[upper] * (height + 1) + corners.y[upper]
    return np.searchsorted(places, spans.first[span] * (height + 1) + row, side="right") - 1


def _pieces(rings: list[Floats], beside: dict[int, int]) -> list[tuple[Floats, tuple[Floats, ...]]]:
    """Give each hole to its piece: that of the ring beside it, which may be a hole that starts higher."""
    piece_of_ring: dict[int, int] = {}
    holes: dict[int, list[Floats]] = {}
    for i, ring in enumerate(rings):
        if i in beside:
            piece_of_ring[i] = piece_of_ring[beside[i]]
            holes[piece_of_ring[i]].append(ring)
        else:
            piece_of_ring[i] = i
            holes[i] = []
    return [(rings[i], tuple(inner)) for i, inner in holes.items()]
