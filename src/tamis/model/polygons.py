"""Polygons to run lengths, as COCO draws them.

The rule is that of the COCO API (`rleFrPoly` in `maskApi.c`), so that areas are those that pycocotools counts:

1. Corners are moved to a grid five times finer than the pixels: `trunc(5 * value + 0.5)`.
2. Between two corners the outline takes whole steps on that grid, along its longer direction.
3. Where it crosses the middle of a pixel column, it counts from the first pixel whose middle lies below the
   crossing, the higher of the two steps around it. What is left, right, above or below the mask is cut off.
4. A pixel is inside where an odd number of crossings lies above it in its column.

Pixel (x, y) covers x to x + 1 and y to y + 1: the ring (0, 0), (2, 0), (2, 1), (0, 1) is two pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tamis.model.masks import as_runs
from tamis.model.outlines import outlines
from tamis.model.polygon_edges import Rings, covered_columns
from tamis.model.spans import runs_of_changes, spans_of, turned

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike

    from tamis.model.columns import Floats, Ints, Ragged
    from tamis.model.masks import Runs

_MIN_CORNERS = 3
_MAX_COORDINATE = 1 << 28  # COCO's own arithmetic overflows above
_MAX_PIXELS = 1 << 40


class Polygon(NamedTuple):
    """A connected piece of a mask.

    Attributes:
        outer: its outline, corners (x, y) in pixels from the top-left corner of the image; shape (n, 2).
        holes: the outlines of its holes, each of shape (m, 2).
    """

    outer: Floats
    holes: tuple[Floats, ...] = ()

    def as_ring(self) -> Floats:
        """Return one ring that draws the same pixels, for formats that know no holes (COCO): shape (n, 2).

        Each hole is joined to the outline by a line that is walked there and back, which has no area.

        >>> square = np.array([[0.0, 0], [3, 0], [3, 3], [0, 3]])
        >>> ring = Polygon(square, (square[::-1] / 3 + 1,)).as_ring()
        >>> rasterize([ring], height=3, width=3).tolist()
        [0, 4, 1, 4]
        """
        if not self.holes:
            return self.outer
        start = self.outer[:1]
        parts = [self.outer, start]
        for hole in self.holes:
            parts += [hole, hole[:1], start]
        return np.concatenate(parts)


def rasterize(polygons: Iterable[ArrayLike | Polygon], height: int, width: int) -> Ints:
    """Return the run lengths of the row-major mask that polygons cover together: shape (n,).

    The rule is COCO's, see the top of this module.

    Args:
        polygons: each a ring of corners in pixels, `[x1, y1, x2, y2, ...]` or shape (n, 2), at least three,
            closed by itself; or a `Polygon`, whose holes are left out. A COCO `segmentation` is such a list.
        height: of the mask in pixels.
        width: of the mask in pixels.

    Raises:
        ValueError: when a ring has an odd number of values, fewer than three corners, or one that is not finite
            or beyond 2^28 pixels.

    >>> rasterize([[1, 0, 4, 0, 4, 2, 1, 2]], height=3, width=4).tolist()
    [1, 3, 1, 3, 4]
    """
    return np.asarray(rasterize_all([polygons], [(height, width)]).values)


def rasterize_all(masks: Sequence[Iterable[ArrayLike | Polygon]], sizes: Sequence[tuple[int, int]]) -> Ragged:
    """Draw many masks at once, each as `rasterize` does, which is faster than one by one.

    Args:
        masks: the polygons of each mask, n of them.
        sizes: height and width of each in pixels, n of them.

    Returns:
        The run lengths of each mask, n rows.

    Raises:
        ValueError: as `rasterize`, naming the mask and the polygon by their index; or when there are not as many
            sizes as masks.

    >>> rasterize_all([[[0, 0, 2, 0, 2, 1, 0, 1]], []], [(1, 3), (2, 2)]).rows()
    [array([0, 2, 1]), array([4])]
    """
    if len(masks) != len(sizes):
        raise ValueError(f"expected as many sizes as masks, got {len(sizes)} for {len(masks)}")
    for height, width in sizes:
        _check_size(height, width)
    heights, widths = np.array(sizes, np.int64).reshape(-1, 2).T
    return turned(covered_columns(_rings(masks), heights, widths), heights, widths)


def contours(runs: Runs, height: int, width: int) -> list[Polygon]:
    """Return the outlines of a mask along the borders of its pixels, from the top down.

    Exact: `rasterize` of them gives the mask back, and so does COCO of `[piece.as_ring() for piece in ...]`.
    Pieces that touch at a corner only are two. No decoding: the work is that of the runs.

    Args:
        runs: run lengths of the row-major mask.
        height: of the mask in pixels.
        width: of the mask in pixels.

    Raises:
        ValueError: when a run is negative or no integer, or they do not sum to height x width.

    >>> [piece] = contours([0, 4, 1, 4], height=3, width=3)
    >>> piece.outer.tolist()
    [[0.0, 0.0], [3.0, 0.0], [3.0, 3.0], [0.0, 3.0]]
    >>> [hole.tolist() for hole in piece.holes]
    [[[2.0, 1.0], [1.0, 1.0], [1.0, 2.0], [2.0, 2.0]]]
    """
    _check_size(height, width)
    lengths = as_runs(runs)
    total = int(lengths.sum())
    if total != height * width:
        raise ValueError(f"expected run lengths that sum to {height * width} ({height} x {width}), got {total}")
    # Runs of 0 between others would make spans that touch.
    plain = runs_of_changes(np.cumsum(lengths)[:-1], np.array([total]))
    spans = spans_of(plain, np.array([width]))
    return [Polygon(outer, holes) for outer, holes in outlines(spans, height, width)]


def _check_size(height: int, width: int) -> None:
    if height < 0 or width < 0 or height * width > _MAX_PIXELS:
        raise ValueError(f"expected a height and a width >= 0 in pixels, got {height} x {width}")


def _rings(masks: Sequence[Iterable[ArrayLike | Polygon]]) -> Rings:
    rings: list[Floats] = []
    polygon_of_ring: list[int] = []
    mask_of_polygon: list[int] = []
    for mask, polygons in enumerate(masks):
        for i, polygon in enumerate(polygons):
            name = f"polygon {i}" if len(masks) == 1 else f"polygon {i} of mask {mask}"
            for ring in (polygon.outer, *polygon.holes) if isinstance(polygon, Polygon) else (polygon,):
                rings.append(_ring(ring, name))
                polygon_of_ring.append(len(mask_of_polygon))
            mask_of_polygon.append(mask)
    corners = np.concatenate([np.empty((0, 2)), *rings])
    sizes = [len(ring) for ring in rings]
    return Rings(corners, *(np.array(part, np.int64) for part in (sizes, polygon_of_ring, mask_of_polygon)))


def _ring(values: ArrayLike, name: str) -> Floats:
    try:
        ring = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"expected numbers in {name} ({error})") from None
    if ring.ndim == 1:
        if len(ring) % 2:
            raise ValueError(f"expected an even number of values in {name}, got {len(ring)}")
        ring = ring.reshape(-1, 2)
    if ring.ndim != 2 or ring.shape[1] != 2:  # noqa: PLR2004 (x and y)
        raise ValueError(f"expected corners of shape (n, 2) in {name}, got shape {ring.shape}")
    if len(ring) < _MIN_CORNERS:
        raise ValueError(f"expected at least {_MIN_CORNERS} corners in {name}, got {len(ring)}")
    if not (np.abs(ring) <= _MAX_COORDINATE).all():
        raise ValueError(f"expected finite corners within {_MAX_COORDINATE:,} pixels in {name}")
    return ring
