"""Masks as run lengths, row-major, the first run counts zeros: what prediction files hold as `segmentation`.

>>> import numpy as np
>>> runs = encode(np.array([[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 0, 1]]))
>>> runs.tolist(), area(runs), bounding_box(runs, width=4)
([2, 2, 1, 3, 3, 1], 6, (1, 0, 3, 3))
>>> decode(runs, height=3, width=4).sum()
np.int64(6)
"""

from tamis.model.masks import area, bounding_box, decode, encode

__all__ = ["area", "bounding_box", "decode", "encode"]
