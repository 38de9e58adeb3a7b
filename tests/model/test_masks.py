from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies_masks import bool_masks
from tamis import masks
from tamis.model import Ragged
from tamis.model.masks import area, areas, as_runs, bounding_box, decode, encode

if TYPE_CHECKING:
    from numpy.typing import NDArray


def naive_runs(mask: NDArray[np.bool_]) -> list[int]:
    flat = [bool(value) for row in mask for value in row]
    runs = [len(list(group)) for _, group in groupby(flat)]
    return [0, *runs] if flat and flat[0] else runs


def naive_pixels(runs: list[int], width: int) -> list[tuple[int, int]]:
    flat = [i % 2 for i, run in enumerate(runs) for _ in range(run)]
    return [(i % width, i // width) for i, value in enumerate(flat) if value]


@given(bool_masks())
def test_encode_counts_runs_row_by_row(mask: NDArray[np.bool_]) -> None:
    """Encoding equals grouping the pixels one by one in row-major order."""
    assert encode(mask).tolist() == naive_runs(mask)


@given(
    st.integers(4070, 4200),
    st.lists(st.tuples(st.integers(0, 4200), st.integers(0, 70)), max_size=20),
    st.booleans(),
)
def test_large_masks_are_read_word_by_word(size: int, pieces: list[tuple[int, int]], inverted: bool) -> None:  # noqa: FBT001 (drawn)
    """Masks large enough to be read eight pixels at a time have the runs that counting gives."""
    flat = np.full(size, inverted)
    for start, length in pieces:
        flat[start : start + length] ^= True
    for mask in (flat[None, :], flat[:, None]):
        assert encode(mask).tolist() == naive_runs(mask)


@pytest.mark.parametrize("share", [0.001, 0.02, 0.5])
def test_noise_is_read_however_dense(share: float) -> None:
    """Masks of noise, from nearly empty to half full, come back from their runs."""
    mask = np.random.default_rng(0).random((97, 103)) < share
    assert encode(mask).tolist() == naive_runs(mask)


@given(bool_masks())
def test_encode_sees_every_memory_layout(mask: NDArray[np.bool_]) -> None:
    """Encoding depends on the mask's values, not on their order in memory or their type."""
    assert encode(np.asfortranarray(mask)).tolist() == encode(mask).tolist()
    assert encode(mask * np.float32(0.5)).tolist() == encode(mask).tolist()


@given(bool_masks())
def test_decode_inverts_encode(mask: NDArray[np.bool_]) -> None:
    """Decoding what was encoded gives the mask back."""
    decoded = decode(encode(mask), *mask.shape)
    assert decoded.dtype == np.bool_
    assert np.array_equal(decoded, mask)


@given(st.lists(st.integers(0, 6), max_size=12), st.integers(1, 7))
def test_area_and_box_equal_a_count_of_pixels(runs: list[int], width: int) -> None:
    """Area and bounding box, runs of 0 included, equal those of the pixels listed one by one."""
    pixels = naive_pixels(runs, width)
    expected = None
    if pixels:
        xs, ys = zip(*pixels, strict=True)
        expected = (min(xs), min(ys), max(xs) - min(xs) + 1, max(ys) - min(ys) + 1)
    assert bounding_box(runs, width) == expected
    assert area(runs) == len(pixels)


@given(st.lists(st.none() | st.lists(st.integers(0, 1000), max_size=6), max_size=8))
def test_areas_equal_area_of_each(rows: list[list[int] | None]) -> None:
    """Areas of many masks at once equal those taken one by one, NaN where there is none."""
    result = areas(Ragged.from_rows(rows, np.int64))
    expected = [np.nan if row is None else float(area(row)) for row in rows]
    np.testing.assert_array_equal(result, np.array(expected))


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([3, 4], "expected run lengths that sum to 6 (2 rows x 3 columns), got 7"),
        ([], "expected run lengths that sum to 6 (2 rows x 3 columns), got 0"),
        ([8, -2], "expected run lengths >= 0, got -2 at index 1"),
        ([5.5, 0.5], "expected run lengths as a flat list of integers"),
        ([[6]], "expected run lengths as a flat list of integers"),
        ([2**70], "expected run lengths as a flat list of integers"),
        ([True], "expected run lengths as a flat list of integers"),
    ],
)
def test_decode_refuses(runs: Any, message: str) -> None:
    """Runs that describe no mask of that size are refused, and the text says how."""
    with pytest.raises(ValueError, match="expected") as caught:
        decode(runs, 2, 3)
    assert str(caught.value) == message


def test_a_sum_that_overflows_is_refused() -> None:
    """Run lengths whose sum leaves int64 never pass as a small mask."""
    with pytest.raises(ValueError, match="expected run lengths of fewer than"):
        decode([2**62, 2**62, 2**62, 2**62, 6], 2, 3)


@pytest.mark.parametrize("shape", [(4,), (2, 2, 2), ()])
def test_encode_refuses_other_dimensions(shape: tuple[int, ...]) -> None:
    """A mask has two dimensions."""
    with pytest.raises(ValueError, match=r"expected a mask of shape \(height, width\), got shape"):
        encode(np.zeros(shape))


def test_bounding_box_refuses_a_width_of_zero() -> None:
    """No box lies in an image without columns."""
    with pytest.raises(ValueError, match="expected a width > 0, got 0"):
        bounding_box([1, 2], 0)


def test_the_public_module_is_the_model() -> None:
    """`tamis.masks` hands on functions, it has none of its own, and every name that it lists is there."""
    assert (masks.encode, masks.decode, masks.area, masks.bounding_box) == (
        encode,
        decode,
        area,
        bounding_box,
    )
    assert all(callable(getattr(masks, name)) for name in masks.__all__)
    assert as_runs(np.array([1, 2], np.uint8)).dtype == np.int64
