"""Masks as run lengths, row-major, the first run counts zeros: what prediction files hold as `segmentation`.

>>> import numpy as np
>>> runs = encode(np.array([[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 0, 1]]))
>>> runs.tolist(), area(runs), bounding_box(runs, width=4)
([2, 2, 1, 3, 3, 1], 6, (1, 0, 3, 3))
>>> decode(runs, height=3, width=4).sum()
np.int64(6)
>>> to_coco(runs, 3, 4, compressed=True)
{'size': [3, 4], 'counts': '411101'}
>>> rasterize(contours(runs, 3, 4), 3, 4).tolist()
[2, 2, 1, 3, 3, 1]

Functions that end in `_all`, `areas`, `bounding_boxes`, `iou` and `iou_matrix` take many masks in one call: a list
of run lengths, or a `Ragged`, as they return it.
"""

from tamis.formats.coco_rle import RowMajorMask, RowMajorMasks, from_coco, from_coco_all, to_coco, to_coco_all
from tamis.model.columns import Ragged
from tamis.model.mask_batches import bounding_boxes, decode_all, encode_all, transpose, transpose_all
from tamis.model.mask_overlap import iou, iou_matrix
from tamis.model.masks import area, areas, bounding_box, decode, encode
from tamis.model.polygons import Polygon, contours, rasterize, rasterize_all

__all__ = [
    "Polygon",
    "Ragged",
    "RowMajorMask",
    "RowMajorMasks",
    "area",
    "areas",
    "bounding_box",
    "bounding_boxes",
    "contours",
    "decode",
    "decode_all",
    "encode",
    "encode_all",
    "from_coco",
    "from_coco_all",
    "iou",
    "iou_matrix",
    "rasterize",
    "rasterize_all",
    "to_coco",
    "to_coco_all",
    "transpose",
    "transpose_all",
]
