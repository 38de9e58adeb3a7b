from __future__ import annotations

import json

import numpy as np
from PIL import Image

from real_data import DATA, needs_data
from tamis import masks


@needs_data
def test_real_polygons_have_the_areas_of_pycocotools() -> None:
    """The 1,458 polygons of COCO128, drawn one by one, have the areas that pycocotools 2.0.11 counts."""
    polygons, sizes = [], []
    for path in sorted((DATA / "coco128/instance_segmentation/labels").rglob("*.txt")):
        image = DATA / "coco128/images" / path.parent.name / f"{path.stem}.jpg"
        with Image.open(image) as opened:
            width, height = opened.size
        for line in path.read_text().splitlines():
            shares = np.array(line.split()[1:], float).reshape(-1, 2)
            polygons.append([shares * (width, height)])
            sizes.append((height, width))
    areas = masks.areas(masks.rasterize_all(polygons, sizes)).astype(int).tolist()
    # Of all areas in order, so that no two may be swapped: the sum of pycocotools', and this number of them.
    number = 0
    for area in areas:
        number = (number * 31 + area) % (2**61 - 1)
    assert (len(areas), sum(areas), number) == (1458, 19_145_166, 391_764_371_762_993_017)


@needs_data
def test_outlines_of_real_masks_give_them_back() -> None:
    """Masks of a real model survive the way through polygons without holes and COCO's two forms."""
    results = json.loads((DATA / "cocoapi/results/instances_val2014_fakesegm100_results.json").read_text())
    coco = [result["segmentation"] for result in results[:100]]
    many = masks.from_coco_all(coco)
    rings = [
        [piece.as_ring() for piece in masks.contours(runs, *size)]
        for runs, size in zip(many.runs.rows(), many.sizes, strict=True)
        if runs is not None
    ]
    drawn = masks.rasterize_all(rings, many.sizes)
    assert masks.to_coco_all(drawn, many.sizes, compressed=True) == coco
