from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies_masks import bool_masks
from tamis.model import Ragged
from tamis.model.mask_batches import bounding_boxes, decode_all, encode_all, transpose, transpose_all
from tamis.model.mask_overlap import iou, iou_matrix
from tamis.model.masks import areas, bounding_box, decode, encode

if TYPE_CHECKING:
    from numpy.typing import NDArray


@st.composite
def stacks(draw: st.DrawFn, *, min_masks: int = 0) -> NDArray[np.bool_]:
    """Several masks of one size, at least one pixel high and wide."""
    height, width, n = draw(st.integers(1, 9)), draw(st.integers(1, 9)), draw(st.integers(min_masks, 5))
    size = height * width
    flips = [draw(st.lists(st.integers(0, size), max_size=size)) for _ in range(n)]
    counts = np.array([np.bincount(row, minlength=size + 1) for row in flips], np.int64).reshape(n, size + 1)
    stack: NDArray[np.bool_] = (np.cumsum(counts, axis=1)[:, :size] % 2 == 1).reshape(n, height, width)
    return stack


def with_runs_of_0(runs: NDArray[np.int64], at: int) -> list[int]:
    """Return runs of the same mask with two runs of 0 and one run cut in two."""
    listed = runs.tolist()
    i = at % len(listed)
    return [*listed[:i], listed[i] // 2, 0, listed[i] - listed[i] // 2, *listed[i + 1 :]]


@given(stacks())
def test_encode_all_is_encode_of_each(masks: NDArray[np.bool_]) -> None:
    """Coding many masks is coding each, and decoding them gives them back."""
    coded = encode_all(masks)
    assert [row.tolist() for row in coded.rows() if row is not None] == [encode(mask).tolist() for mask in masks]
    assert np.array_equal(decode_all(coded, *masks.shape[1:]), masks)
    assert np.array_equal(decode_all([encode(mask) for mask in masks], *masks.shape[1:]), masks)


@pytest.mark.parametrize("shape", [(3, 0, 4), (2, 4, 0), (0, 2, 2), (2, 0, 0)])
def test_masks_without_pixels(shape: tuple[int, int, int]) -> None:
    """Masks without a pixel, and no masks at all, have no runs and come back."""
    coded = encode_all(np.zeros(shape, np.uint8))
    assert len(coded) == shape[0]
    assert decode_all(coded, *shape[1:]).shape == shape


@given(bool_masks(max_side=12), st.integers(0, 50))
def test_transpose_is_that_of_the_mask(mask: NDArray[np.bool_], at: int) -> None:
    """Turned run lengths are those of the transposed mask, runs of 0 or not; turning twice changes nothing."""
    runs = encode(mask)
    turned = transpose(runs, *mask.shape)
    assert turned.tolist() == encode(mask.T).tolist()
    assert transpose(turned, *mask.T.shape).tolist() == runs.tolist()
    if len(runs):
        assert transpose(with_runs_of_0(runs, at), *mask.shape).tolist() == turned.tolist()


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60), st.integers(1, 30)), max_size=4))
def test_large_masks_turn_by_their_spans(discs: list[tuple[int, int, int]]) -> None:
    """Masks with few spans, which are not decoded, turn as their pixels do, alone and with others."""
    y, x = np.mgrid[:300, :400]
    masks = [(y - 7 * cy) ** 2 + (x - 6 * cx) ** 2 < 25 * r * r for cy, cx, r in discs]
    masks.append(np.ones((300, 400), np.bool_))
    together = transpose_all([encode(mask) for mask in masks], [(300, 400)] * len(masks))
    assert [row.tolist() for row in together.rows() if row is not None] == [
        encode(mask.T).tolist() for mask in masks
    ]


@given(stacks(min_masks=1), st.integers(0, 50))
def test_boxes_of_many_equal_the_box_of_each(masks: NDArray[np.bool_], at: int) -> None:
    """Bounding boxes of many masks equal those taken one by one; NaN where a mask is empty or null."""
    runs = [encode(mask) for mask in masks]
    boxes = bounding_boxes([with_runs_of_0(runs[0], at), *runs[1:], None], masks.shape[2])
    expected = [bounding_box(row, masks.shape[2]) or (np.nan,) * 4 for row in runs]
    np.testing.assert_array_equal(boxes, np.array([*expected, (np.nan,) * 4]))


def naive_iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 0.0


@given(stacks(min_masks=2), st.integers(0, 50))
def test_iou_equals_a_count_of_pixels(masks: NDArray[np.bool_], at: int) -> None:
    """IoU of all pairs, and of a list of pairs, is shared pixels over covered pixels."""
    runs = [encode(mask) for mask in masks]
    runs[0] = np.array(with_runs_of_0(runs[0], at))
    expected = np.array([[naive_iou(a, b) for b in masks[1:]] for a in masks])
    np.testing.assert_array_equal(iou_matrix(runs, runs[1:], width=masks.shape[2]), expected)
    pairs = iou(runs[1:], runs[:-1], width=masks.shape[2])
    np.testing.assert_array_equal(pairs, [naive_iou(a, b) for a, b in zip(masks[1:], masks, strict=False)])


@given(st.lists(bool_masks(min_side=1), min_size=1, max_size=5))
def test_pairs_may_be_of_different_sizes(masks: list[NDArray[np.bool_]]) -> None:
    """A list of pairs may hold masks of different images, each pair with its own width."""
    flipped = [mask[::-1, ::-1] for mask in masks]
    widths = np.array([mask.shape[1] for mask in masks])
    result = iou(list(map(encode, masks)), list(map(encode, flipped)), width=widths)
    np.testing.assert_array_equal(result, [naive_iou(a, b) for a, b in zip(masks, flipped, strict=True)])


@given(stacks(min_masks=1), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=9))
def test_any_pairs_are_those_of_the_matrix(masks: NDArray[np.bool_], pairs: list[tuple[int, int]]) -> None:
    """Listed pairs, in any order and any number of times, have the IoU that all pairs say."""
    runs, width = encode_all(masks), masks.shape[2]
    listed = [(i % len(masks), j % len(masks)) for i, j in pairs]
    matrix = iou_matrix(runs, runs, width=width)
    assert iou(runs, runs, width=width, pairs=listed).tolist() == [matrix[pair] for pair in listed]


def test_more_rows_than_fit_at_once() -> None:
    """Many long masks, compared in several goes, give what each pair gives alone."""
    rng = np.random.default_rng(0)
    masks = [encode(rng.random((9000, 3)) < 0.5) for _ in range(12)]
    matrix = iou_matrix(masks[:6], masks[6:], width=3)
    alone = [[float(iou([a], [b], width=3)[0]) for b in masks[6:]] for a in masks[:6]]
    np.testing.assert_array_equal(matrix, alone)
    assert matrix.min() > 0.3


def test_null_masks_have_no_overlap_to_speak_of() -> None:
    """A null mask is not an empty one: its IoU is NaN."""
    result = iou_matrix([[0, 4], None], [[4], [0, 4]], width=2)
    np.testing.assert_array_equal(result, [[0.0, 1.0], [np.nan, np.nan]])
    assert iou_matrix([], [[4]], width=2).shape == (0, 1)


@given(st.lists(st.none() | st.lists(st.integers(0, 1000), max_size=6), max_size=8))
def test_areas_take_lists(rows: list[list[int] | None]) -> None:
    """Areas of a list of masks are those of the column that holds the same."""
    np.testing.assert_array_equal(areas(rows), areas(Ragged.from_rows(rows, np.int64)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: encode_all(np.zeros((2, 2))), "expected masks of shape (n, height, width), got shape (2, 2)"),
        (
            lambda: decode_all([[6], [5]], 2, 3),
            "expected run lengths of mask 1 that sum to 6 (2 rows x 3 columns), got 5",
        ),
        (
            lambda: decode_all([[6], None], 2, 3),
            "expected run lengths of mask 1 that sum to 6 (2 rows x 3 columns), got none",
        ),
        (lambda: decode_all([[6], [7, -1]], 2, 3), "expected run lengths >= 0, got -1 at index 1 (mask 1)"),
        (
            lambda: transpose([5], 2, 3),
            "expected run lengths of mask 0 that sum to 6 (2 rows x 3 columns), got 5",
        ),
        (
            lambda: transpose([6], -2, -3),
            "expected run lengths of mask 0 that sum to 6 (-2 rows x -3 columns), got 6",
        ),
        (lambda: transpose_all([[5]], []), "expected as many sizes as masks, got 0 for 1"),
        (lambda: bounding_boxes([[5]], 0), "expected widths > 0, got 0"),
        (lambda: iou([[5]], [], width=5), "expected as many masks in both, got 1 and 0"),
        (
            lambda: iou([[5]], [[5]], width=5, pairs=[[0, 1]]),
            "expected pairs of 1 and 1 masks, counted from 0, got [0, 1]",
        ),
        (
            lambda: iou([[5]], [[5]], width=5, pairs=[0, 0]),
            "expected `pairs` as integers of shape (n, 2), got int64 of shape (2,)",
        ),
        (
            lambda: iou([[6], [6]], [[6]], width=np.array([2, 3]), pairs=[[0, 0], [1, 0]]),
            "expected masks of one width, got 2 and 3 (pair 0)",
        ),
        (lambda: iou([[5]], [[5]], width=0), "expected a width > 0, got 0"),
        (
            lambda: iou_matrix([[5]], [[5], [6]], width=5),
            "expected masks of one size, got 5 pixels (mask 0) and 6 (mask 1 of the others)",
        ),
    ],
)
def test_what_cannot_be_is_refused(call: Any, message: str) -> None:
    """Input that is no set of masks raises with the whole text pinned here."""
    with pytest.raises(ValueError, match="expected") as caught:
        call()
    assert str(caught.value) == message


def test_decode_all_reads_a_column_as_it_is() -> None:
    """A column of run lengths, as a reader leaves it, is decoded without being listed first."""
    column = Ragged(np.array([1, 1, 0, 2], np.int64), np.array([2, 2], np.int64))
    assert decode_all(column, 1, 2).tolist() == [[[False, True]], [[True, True]]]
    assert np.array_equal(decode_all(column, 1, 2)[1], decode([0, 2], 1, 2))


def test_columns_that_hold_no_integers_are_refused() -> None:
    """Run lengths as floats are no run lengths, whichever function gets them."""
    with pytest.raises(ValueError, match="expected run lengths as integers, got float64"):
        iou_matrix(Ragged.from_rows([[2, 4]]), [[2, 4]], width=3)
