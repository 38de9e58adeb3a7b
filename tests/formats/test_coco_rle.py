from __future__ import annotations

import json
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies_masks import bool_masks
from tamis.formats.coco_rle import from_coco, from_coco_all, to_coco, to_coco_all
from tamis.model import masks

if TYPE_CHECKING:
    from numpy.typing import NDArray

REAL = Path("/work/shared/data")
REAL_MASKS = [
    REAL / "coco128/results/deeplabv3_voc_coco128_val_semseg_rle.json",
    REAL / "cocoapi/results/instances_val2014_fakesegm100_results.json",
]


def column_runs(mask: NDArray[np.bool_]) -> list[int]:
    flat = [bool(mask[y, x]) for x in range(mask.shape[1]) for y in range(mask.shape[0])]
    runs = [len(list(group)) for _, group in groupby(flat)]
    return [0, *runs] if flat and flat[0] else runs


def slow_compress(runs: list[int]) -> str:
    """Write one bit group after the other, as the format's description says."""
    text = ""
    for i, run in enumerate(runs):
        value = run - runs[i - 2] if i > 2 else run
        while True:
            group, value = value & 31, value >> 5
            done = value == (-1 if group & 16 else 0)
            text += chr(48 + group + (0 if done else 32))
            if done:
                break
    return text


@given(bool_masks(max_side=40))
def test_from_coco_turns_columns_into_rows(mask: NDArray[np.bool_]) -> None:
    """Reading COCO's runs, listed or compressed, gives the runs of the same mask along its rows."""
    counts = column_runs(mask)
    for form in (counts, slow_compress(counts), slow_compress(counts).encode()):
        runs, height, width = from_coco({"size": list(mask.shape), "counts": form})
        assert (height, width) == mask.shape
        assert runs.tolist() == masks.encode(mask).tolist()


@given(bool_masks(max_side=40))
def test_to_coco_turns_rows_into_columns(mask: NDArray[np.bool_]) -> None:
    """Writing gives the runs down the columns, and the compressed text that goes with them."""
    runs = masks.encode(mask)
    counts = column_runs(mask)
    assert to_coco(runs, *mask.shape, compressed=False) == {"size": list(mask.shape), "counts": counts}
    assert to_coco(runs, *mask.shape, compressed=True)["counts"] == slow_compress(counts)


@given(st.lists(st.integers(0, 3_000_000), max_size=9), st.integers(1, 4))
def test_long_runs_survive(runs: list[int], width: int) -> None:
    """Runs that need many characters come back from the compressed form."""
    total = sum(runs)
    runs.append(-total % width)
    height = sum(runs) // width
    mask = masks.decode(runs, height, width)
    back = from_coco(to_coco(runs, height, width, compressed=True))
    assert np.array_equal(masks.decode(back.runs, back.height, back.width), mask)


@given(st.lists(st.tuples(bool_masks(max_side=30), st.sampled_from(["list", "text", "bytes"])), max_size=6))
def test_many_at_once_equal_one_by_one(some: list[tuple[NDArray[np.bool_], str]]) -> None:
    """Masks of any sizes and forms, converted together, are what each is alone, both ways."""
    coco = []
    for mask, form in some:
        counts = column_runs(mask)
        text = slow_compress(counts)
        forms: dict[str, object] = {"list": counts, "text": text, "bytes": text.encode()}
        coco.append({"size": list(mask.shape), "counts": forms[form]})
    many = from_coco_all(coco)
    one_by_one = [from_coco(one) for one in coco]
    assert many.sizes == [one[1:] for one in one_by_one]
    assert [row.tolist() for row in many.runs.rows() if row is not None] == [
        one.runs.tolist() for one in one_by_one
    ]
    for compressed in (True, False):
        assert to_coco_all(*many, compressed=compressed) == [
            to_coco(*one, compressed=compressed) for one in one_by_one
        ]


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ({"size": [2], "counts": "6"}, "expected `size` as [height, width], got [2] (mask 1)"),
        ({"size": [2, 3], "counts": [5]}, "expected `counts` that sum to 6 (2 x 3), got 5 (mask 1)"),
        ({"size": [2, 3], "counts": [7, -1]}, "expected run lengths >= 0, got -1 at index 1 (mask 1)"),
        (
            {"size": [2, 3], "counts": "6 "},
            "expected characters `0` to `o` in `counts`, got byte 32 at index 1 (mask 1)",
        ),
        (
            {"size": [2, 3], "counts": "6P"},
            "expected `counts` to end with its last run, got text that breaks off within one (mask 1)",
        ),
        (
            {"size": [2, 3], "counts": "P" * 11 + "1"},
            "expected runs of at most 11 characters in `counts` (mask 1)",
        ),
    ],
)
def test_of_many_the_bad_one_is_named(segmentation: dict[str, Any], message: str) -> None:
    """Where one of many masks is none, the text says which, listed ones before it counted too."""
    good = {"size": [2, 3], "counts": [6]}
    with pytest.raises(ValueError, match="expected") as caught:
        from_coco_all([good, segmentation, {"size": [2, 3], "counts": "6"}])
    assert str(caught.value) == message


def rectangle() -> NDArray[np.bool_]:
    mask = np.zeros((480, 640), np.bool_)
    mask[100:300, 50:600] = True
    return mask


def disc() -> NDArray[np.bool_]:
    y, x = np.mgrid[:60, :90]
    inside: NDArray[np.bool_] = (y - 30) ** 2 + (x - 40) ** 2 < 25**2
    return inside


@pytest.mark.parametrize(
    ("mask", "counts"),
    [
        (np.array([[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 0, 1]]), "411101"),
        (np.ones((3, 2)), "06"),
        (np.zeros((3, 2)), "6"),
        (rectangle(), f"Tag0X6h8{'0' * 1097}ldb0"),
        (
            disc(),
            (
                "hn0=\\16K4L4M2M4M2N2N2O0O2N2O0O2O0O2O000O2O000000000000000000000001N10001N101N101N2N101N2N"
                "2N3L3N3L4L5JW^1"
            ),
        ),
    ],
)
def test_texts_made_by_pycocotools(mask: NDArray[Any], counts: str) -> None:
    """Both directions agree with what pycocotools 2.0 wrote for the same masks."""
    assert to_coco(masks.encode(mask), *mask.shape, compressed=True)["counts"] == counts
    back = from_coco({"size": list(mask.shape), "counts": counts})
    assert np.array_equal(masks.decode(back.runs, back.height, back.width), mask.astype(bool))


@pytest.mark.parametrize("path", REAL_MASKS, ids=lambda path: path.parts[4])
def test_real_masks_round_trip(path: Path) -> None:
    """Masks of real models come back text for text."""
    if not path.exists():
        pytest.skip("the folder of real data is not on this machine")
    for result in json.loads(path.read_text())[:200]:
        segmentation = result["segmentation"]
        assert to_coco(*from_coco(segmentation), compressed=True) == segmentation


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ({"counts": "6"}, "expected `size` as [height, width], got None"),
        ({"size": [2], "counts": "6"}, "expected `size` as [height, width], got [2]"),
        ({"size": [2, True], "counts": "6"}, "expected `size` as [height, width], got [2, True]"),
        ({"size": [2, 3.0], "counts": "6"}, "expected `size` as [height, width], got [2, 3.0]"),
        ({"size": [2, -3], "counts": "6"}, "expected a `size` >= 0, got [2, -3]"),
        (
            {"size": [1 << 20, 1 << 20], "counts": [1 << 40]},
            "expected at most 1073741824 pixels, got 1048576 x 1048576",
        ),
        ({"size": [2, 3]}, "expected `counts` as a list of run lengths or a string, got NoneType"),
        ({"size": [2, 3], "counts": 6}, "expected `counts` as a list of run lengths or a string, got int"),
        ({"size": [2, 3], "counts": [5]}, "expected `counts` that sum to 6 (2 x 3), got 5"),
        ({"size": [2, 3], "counts": [[6]]}, "expected run lengths as a flat list of integers"),
        ({"size": [2, 3], "counts": [7, -1]}, "expected run lengths >= 0, got -1 at index 1"),
        (
            {"size": [2, 3], "counts": "6 "},
            "expected characters `0` to `o` in `counts`, got byte 32 at index 1",
        ),
        (
            {"size": [2, 3], "counts": "6\ud800"},
            "expected characters `0` to `o` in `counts`, got byte 237 at index 1",
        ),
        (
            {"size": [2, 3], "counts": "6P"},
            "expected `counts` to end with its last run, got text that breaks off within one",
        ),
        ({"size": [2, 3], "counts": "P" * 11 + "1"}, "expected runs of at most 11 characters in `counts`"),
    ],
)
def test_what_is_no_coco_mask_is_refused(segmentation: dict[str, Any], message: str) -> None:
    """Bad input raises with the whole text pinned here."""
    with pytest.raises(ValueError, match="expected") as caught:
        from_coco(segmentation)
    assert str(caught.value) == message


@given(st.binary(max_size=12), st.integers(0, 5), st.integers(0, 5))
def test_any_counts_give_a_mask_or_a_value_error(counts: bytes, height: int, width: int) -> None:
    """Arbitrary bytes as counts end in a mask of that size or in a `ValueError`, in nothing else."""
    with suppress(ValueError):
        runs, *_ = from_coco({"size": [height, width], "counts": counts})
        assert runs.sum() == height * width
