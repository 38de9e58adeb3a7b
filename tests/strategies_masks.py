"""Hypothesis strategies for masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray


@st.composite
def bool_masks(draw: st.DrawFn, *, min_side: int = 0, max_side: int = 9) -> NDArray[np.bool_]:
    """Masks of any small shape: noise, and blobs with long runs."""
    height = draw(st.integers(min_side, max_side))
    width = draw(st.integers(min_side, max_side))
    n = height * width
    flips = draw(st.lists(st.integers(0, max(n, 1)), max_size=n))
    flat: NDArray[Any] = np.zeros(n + 1, np.int64)
    np.add.at(flat, flips, 1)
    mask: NDArray[np.bool_] = (np.cumsum(flat)[:n] % 2 == 1).reshape(height, width)
    return mask
