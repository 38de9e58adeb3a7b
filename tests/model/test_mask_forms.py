from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from strategies_masks import bool_masks
from tamis import masks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Size = tuple[int, int]

# Each form that a mask can have: how it is made from run lengths, and how it is read back.
FORMS: dict[str, tuple[Callable[[Any, Size], Any], Callable[[Any, Size], Any]]] = {
    "bitmap": (
        lambda runs, size: masks.decode(runs, *size),
        lambda bitmap, _: masks.encode(bitmap),
    ),
    "bitmaps": (
        lambda runs, size: masks.decode_all([runs, runs], *size),
        lambda bitmaps, _: masks.encode_all(bitmaps).rows()[1],
    ),
    "runs down the columns": (
        lambda runs, size: masks.transpose(runs, *size),
        lambda runs, size: masks.transpose(runs, *size[::-1]),
    ),
    "COCO, listed": (
        lambda runs, size: masks.to_coco(runs, *size, compressed=False),
        lambda coco, _: masks.from_coco(coco).runs,
    ),
    "COCO, compressed": (
        lambda runs, size: masks.to_coco(runs, *size, compressed=True),
        lambda coco, _: masks.from_coco(coco).runs,
    ),
    "polygons with holes": (
        lambda runs, size: masks.contours(runs, *size),
        lambda polygons, size: masks.rasterize(polygons, *size),
    ),
    "COCO's polygons": (
        lambda runs, size: [piece.as_ring().ravel().tolist() for piece in masks.contours(runs, *size)],
        lambda polygons, size: masks.rasterize(polygons, *size),
    ),
}


@given(bool_masks(max_side=14), st.lists(st.sampled_from(list(FORMS)), min_size=1, max_size=4))
def test_any_way_through_the_forms_leads_back(mask: NDArray[np.bool_], way: list[str]) -> None:
    """A mask that goes through any forms, one after the other, comes back pixel for pixel, and so measured."""
    runs: Any = masks.encode(mask)
    for name in way:
        make, read = FORMS[name]
        runs = read(make(runs, mask.shape), mask.shape)
    assert np.array_equal(masks.decode(runs, *mask.shape), mask)
    assert masks.area(runs) == mask.sum()
    if mask.any():
        y, x = np.nonzero(mask)
        box = (x.min(), y.min(), x.max() - x.min() + 1, y.max() - y.min() + 1)
        assert masks.bounding_box(runs, mask.shape[1]) == box
        assert masks.iou([runs], [masks.encode(mask)], width=mask.shape[1]).tolist() == [1.0]
