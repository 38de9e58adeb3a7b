from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies_masks import bool_masks
from tamis.model.masks import decode, encode
from tamis.model.polygons import Polygon, contours, rasterize, rasterize_all

if TYPE_CHECKING:
    from numpy.typing import NDArray

Ring = list[float]

COORDINATES = st.one_of(
    st.integers(-30, 120).map(lambda n: n / 10),
    st.integers(-3, 12).map(float),
    st.floats(-20, 30, allow_nan=False),
)
RINGS = st.lists(COORDINATES, min_size=3, max_size=9).flatmap(
    lambda xs: st.lists(COORDINATES, min_size=len(xs), max_size=len(xs)).map(
        lambda ys: [value for pair in zip(xs, ys, strict=True) for value in pair]
    )
)
SIDES = st.integers(0, 12)


def walk(ring: Ring) -> list[tuple[int, int]]:
    """List every step of an outline on the fine grid, as the rule says it."""
    fine = [int(5 * value + 0.5) for value in ring]
    corners = list(zip(fine[::2], fine[1::2], strict=True))
    steps: list[tuple[int, int]] = []
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        is_flat = abs(x1 - x0) >= abs(y1 - y0)
        backwards = x0 > x1 if is_flat else y0 > y1
        (xs, ys), (xe, ye) = ((x1, y1), (x0, y0)) if backwards else ((x0, y0), (x1, y1))
        n = max(abs(x1 - x0), abs(y1 - y0))
        slope = ((ye - ys) if is_flat else (xe - xs)) / n if n else 0.0
        if is_flat:
            edge = [(xs + t, int(ys + slope * t + 0.5)) for t in range(n + 1)]
        else:
            edge = [(int(xs + slope * t + 0.5), ys + t) for t in range(n + 1)]
        steps += edge[::-1] if backwards else edge
    return steps


def slow_fill(ring: Ring, height: int, width: int) -> NDArray[np.bool_]:
    """Fill one ring pixel by pixel: inside where an odd number of crossings lies above in the column."""
    crossings: Counter[tuple[int, float]] = Counter()
    steps = walk(ring)
    for (x0, y0), (x1, y1) in pairwise(steps):
        if x0 != x1 and min(x0, x1) % 5 == 2:
            crossings[min(x0, x1) // 5, (min(y0, y1) + 0.5) / 5] += 1
    mask = np.zeros((height, width), np.bool_)
    for y in range(height):
        for x in range(width):
            mask[y, x] = sum(n for (column, at), n in crossings.items() if column == x and at <= y + 0.5) % 2
    return mask


@given(st.lists(RINGS, max_size=3), SIDES, SIDES)
def test_rasterize_equals_the_rule_step_by_step(rings: list[Ring], height: int, width: int) -> None:
    """Polygons cover what walking their outlines and filling them one by one covers, whatever is cut off."""
    expected = np.zeros((height, width), np.bool_)
    for ring in rings:
        expected |= slow_fill(ring, height, width)
    assert rasterize(rings, height, width).tolist() == encode(expected).tolist()


@given(st.lists(st.tuples(st.lists(RINGS, max_size=3), SIDES, SIDES), max_size=5))
def test_many_masks_at_once_equal_one_by_one(masks: list[tuple[list[Ring], int, int]]) -> None:
    """Drawing many masks of different sizes at once is drawing each."""
    many = rasterize_all([rings for rings, _, _ in masks], [(height, width) for _, height, width in masks])
    one_by_one = [rasterize(*mask) for mask in masks]
    assert [row.tolist() for row in many.rows() if row is not None] == [row.tolist() for row in one_by_one]


@given(RINGS, st.integers(0, 9))
def test_a_ring_starts_anywhere_and_runs_either_way(ring: Ring, start: int) -> None:
    """A ring covers the same whichever corner is its first and whichever way it runs."""
    corners = np.array(ring).reshape(-1, 2)
    expected = rasterize([corners], 12, 12).tolist()
    assert rasterize([np.roll(corners, start, axis=0)], 12, 12).tolist() == expected
    assert rasterize([corners[::-1]], 12, 12).tolist() == expected


@given(bool_masks(max_side=14))
def test_contours_draw_the_mask_again(mask: NDArray[np.bool_]) -> None:
    """Outlines give back exactly the mask that they are of, with holes as rings or joined to the outline."""
    runs = encode(mask)
    pieces = contours(runs, *mask.shape)
    assert rasterize(pieces, *mask.shape).tolist() == runs.tolist()
    rings = [piece.as_ring() for piece in pieces]
    assert rasterize(rings, *mask.shape).tolist() == runs.tolist()
    expected = np.zeros(mask.shape, np.bool_)
    for ring in rings:
        expected |= slow_fill(ring.ravel().tolist(), *mask.shape)
    assert np.array_equal(expected, mask)


def pieces_of(mask: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Return the pieces of pixels that share a side, in the order of their first pixel."""
    todo = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    pieces = []
    while todo:
        piece = np.zeros_like(mask)
        reached = [min(todo)]
        todo.remove(reached[0])
        while reached:
            y, x = reached.pop()
            piece[y, x] = True
            beside = {(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)} & todo
            todo -= beside
            reached += beside
        pieces.append(piece)
    return pieces


def signed_area(ring: NDArray[np.float64]) -> float:
    x, y = ring.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


@given(bool_masks(max_side=14))
def test_each_piece_of_a_mask_is_one_polygon(mask: NDArray[np.bool_]) -> None:
    """A polygon is a piece of pixels that share a side, with that piece's holes and no others."""
    polygons = contours(encode(mask), *mask.shape)
    expected = pieces_of(mask)
    assert [rasterize([polygon], *mask.shape).tolist() for polygon in polygons] == [
        encode(piece).tolist() for piece in expected
    ]


@given(bool_masks(max_side=14))
def test_outlines_run_around_what_they_enclose(mask: NDArray[np.bool_]) -> None:
    """Outer rings run clockwise, holes the other way, so the areas of a polygon's rings sum to its pixels."""
    for polygon, piece in zip(contours(encode(mask), *mask.shape), pieces_of(mask), strict=True):
        assert signed_area(polygon.outer) > 0
        assert all(signed_area(hole) < 0 for hole in polygon.holes)
        rings = [polygon.outer, *polygon.holes]
        assert sum(map(signed_area, rings)) == signed_area(polygon.as_ring()) == piece.sum()


@given(bool_masks(max_side=14))
def test_corners_are_corners(mask: NDArray[np.bool_]) -> None:
    """Outlines run along pixel borders and turn at every corner, so none can be left out."""
    for polygon in contours(encode(mask), *mask.shape):
        for ring in (polygon.outer, *polygon.holes):
            steps = np.roll(ring, -1, axis=0) - ring
            assert ((steps == 0).sum(axis=1) == 1).all()
            assert (np.diff(steps[:, 0] == 0) != 0).all()


@given(st.lists(st.integers(0, 4), max_size=14), st.integers(1, 6))
def test_runs_of_0_outline_nothing(runs: list[int], width: int) -> None:
    """Runs of 0 anywhere leave the outlines as they are."""
    runs.append(-sum(runs) % width)
    height = sum(runs) // width
    plain = contours(encode(decode(runs, height, width)), height, width)
    assert [polygon.outer.tolist() for polygon in contours(runs, height, width)] == [
        polygon.outer.tolist() for polygon in plain
    ]


@pytest.mark.parametrize(
    ("rings", "column_runs"),
    [
        ([[1.2, 1.4, 7.9, 2.3, 4.4, 8.8]], [11, 1, 10, 2, 8, 5, 5, 7, 3, 5, 5, 3, 7, 1, 7]),
        ([[0, 0, 4, 4, 0, 4, 4, 0]], [3, 1, 6, 1, 1, 2, 6, 1, 1, 2, 9, 1, 46]),
        (
            [[2.5, 2.5, 6.5, 2.5, 6.5, 6.5, 2.5, 6.5], [-3, 4, 3, 9, 30, 4]],
            [4, 3, 7, 4, 6, 4, 5, 6, 4, 6, 4, 6, 4, 5, 6, 4, 2],
        ),
    ],
)
def test_masks_made_by_pycocotools(rings: list[Ring], column_runs: list[int]) -> None:
    """Polygons cover what pycocotools 2.0.11 says that they cover in 10 rows and 8 columns."""
    turned = decode(column_runs, 8, 10)
    assert np.array_equal(decode(rasterize(rings, 10, 8), 10, 8), turned.T)


@pytest.mark.parametrize(
    ("polygons", "message"),
    [
        ([[1, 2, 3]], "expected an even number of values in polygon 0, got 3"),
        ([[0, 0, 9, 0, 9, 9], [1, 2, 3, 4]], "expected at least 3 corners in polygon 1, got 2"),
        ([[]], "expected at least 3 corners in polygon 0, got 0"),
        ([[0, 0, 1, 0, float("nan"), 1]], "expected finite corners within 268,435,456 pixels in polygon 0"),
        ([[0, 0, 1, 0, None, 1]], "expected finite corners within 268,435,456 pixels in polygon 0"),
        ([[0, 0, 1e9, 0, 1, 1]], "expected finite corners within 268,435,456 pixels in polygon 0"),
        ([np.zeros((3, 3))], "expected corners of shape (n, 2) in polygon 0, got shape (3, 3)"),
        ([7], "expected corners of shape (n, 2) in polygon 0, got shape ()"),
        (
            [["a", 0, 0, 0, 0, 0]],
            "expected numbers in polygon 0 (could not convert string to float: 'a')",
        ),
        (
            [{"counts": 1}],
            "expected numbers in polygon 0 (float() argument must be a string or a real number, not 'dict')",
        ),
    ],
)
def test_what_is_no_polygon_is_refused(polygons: Any, message: str) -> None:
    """A ring that cannot be drawn is refused, and the text says which and why."""
    with pytest.raises(ValueError, match="expected") as caught:
        rasterize(polygons, 9, 9)
    assert str(caught.value) == message


def test_the_mask_is_named_where_there_are_several() -> None:
    """Among many masks, the text names the mask of the ring too."""
    with pytest.raises(ValueError, match=r"^expected at least 3 corners in polygon 1 of mask 2, got 1$"):
        rasterize_all([[], [], [[0, 0, 1, 0, 1, 1], [0, 0]]], [(1, 1)] * 3)
    with pytest.raises(ValueError, match=r"^expected as many sizes as masks, got 1 for 2$"):
        rasterize_all([[], []], [(1, 1)])


@pytest.mark.parametrize("size", [(-1, 3), (3, -1), (1 << 30, 1 << 30)])
def test_sizes_that_are_none(size: tuple[int, int]) -> None:
    """A mask has a size that can be counted."""
    height, width = size
    for call in (lambda: rasterize([], height, width), lambda: contours([], height, width)):
        with pytest.raises(ValueError, match=rf"^expected a height and a width >= 0 .*, got {height} x {width}$"):
            call()


def test_contours_refuse_runs_of_another_size() -> None:
    """Runs that do not fill the size have no outlines."""
    with pytest.raises(ValueError, match=r"^expected run lengths that sum to 6 \(2 x 3\), got 5$"):
        contours([5], 2, 3)


def test_a_polygon_keeps_its_holes() -> None:
    """A hole is left out of its own polygon only: another polygon may cover it."""
    square = np.array([[0.0, 0], [5, 0], [5, 5], [0, 5]])
    with_hole = Polygon(square, (square[::-1] * 0.6 + 1,))
    assert decode(rasterize([with_hole], 5, 5), 5, 5).sum() == 25 - 9
    assert decode(rasterize([with_hole, square * 0.6 + 1], 5, 5), 5, 5).sum() == 25
