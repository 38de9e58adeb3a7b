from __future__ import annotations

import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tamis.media.decoding import crop_area, decode_picture
from tamis.media.pillow import PictureError
from tamis.media.visual import N_DIMS, VisualEncoder, describe


def _picture(seed: int, width: int = 200, height: int = 140) -> Image.Image:
    """Return blots of colour: low frequencies, as photos have."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def _described(image: Image.Image) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    encoder = VisualEncoder()
    return encoder.encode(encoder.prepare(image)[None]).reshape(-1)


def test_descriptors_are_unit_rows_that_depend_on_their_picture_alone() -> None:
    """A row is of length 1, and the same whatever is described with it; a blank picture has one, too."""
    pixels = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), np.uint8)
    pixels[0], pixels[1] = 0, 255
    rows = describe(pixels)
    assert rows.shape == (5, N_DIMS)
    assert np.isfinite(rows).all()
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)
    for i in range(5):
        assert np.allclose(describe(pixels[i : i + 1])[0], rows[i], atol=1e-6)


@given(st.integers(0, 10_000))
def test_a_mirrored_picture_is_the_same(seed: int) -> None:
    """Mirroring changes no number but by rounding."""
    pixels = np.random.default_rng(seed).integers(0, 256, (1, 64, 64, 3), np.uint8)
    assert np.allclose(describe(pixels), describe(pixels[:, :, ::-1]), atol=1e-5)


def test_turning_upside_down_is_a_change() -> None:
    """The descriptor does see where things are: another order of rows is another picture."""
    apart = np.linalg.norm(_described(_picture(1)) - _described(_picture(1).transpose(Image.Transpose.ROTATE_180)))
    assert apart > 0.4


@pytest.mark.parametrize("seed", range(5))
def test_what_looks_the_same_is_near_and_what_does_not_is_far(seed: int) -> None:
    """A smaller copy is nearer than any other picture."""
    one, small = _picture(seed), _picture(seed).resize((90, 63))
    near = np.linalg.norm(_described(one) - _described(small))
    far = min(np.linalg.norm(_described(one) - _described(_picture(other))) for other in range(10, 20))
    assert near < 0.25 < far


@given(
    box=st.tuples(st.floats(-50, 150), st.floats(-50, 150), st.floats(0, 120), st.floats(0, 120)),
    size=st.tuples(st.integers(1, 100), st.integers(1, 100)),
    padding=st.floats(0, 2),
    square=st.booleans(),
)
def test_a_crop_lies_in_its_picture_and_holds_its_box(
    *, box: tuple[float, float, float, float], size: tuple[int, int], padding: float, square: bool
) -> None:
    """The area is inside the picture, not empty, and holds what of the box is inside."""
    (x, y, w, h), (width, height) = box, size
    area = crop_area([x, y, w, h], width, height, padding=padding, square=square)
    inside = min(x + w, width) > max(x, 0) and min(y + h, height) > max(y, 0)
    assert (area is not None) is inside
    if area is None:
        return
    left, top, right, bottom = area
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert left <= max(x, 0) + 1e-5
    assert right >= min(x + w, width) - 1e-5
    assert top <= max(y, 0) + 1e-5
    assert bottom >= min(y + h, height) - 1e-5
    wide, high = right - left, bottom - top
    if square and max(wide, high) <= min(width, height):
        assert wide == high
    if square:
        assert max(wide, high) <= math.ceil(max(w, h) * (1 + padding)) + 1


def test_padding_is_split_evenly() -> None:
    """0.1 widens a box by a tenth of it, half of that to each side; a border cuts it."""
    assert crop_area([100, 100, 40, 20], 500, 500, padding=0.1) == (98, 99, 142, 121)
    assert crop_area([0, 480, 40, 20], 500, 500, padding=0.5) == (0, 475, 50, 500)


def test_boxes_without_a_picture() -> None:
    """No area, outside, or no numbers: there is nothing to cut out."""
    for box in ([5.0, 5.0, 0.0, 3.0], [100.0, 0.0, 5.0, 5.0], [float("nan")] * 4, [-9.0, 0.0, 9.0, 5.0]):
        assert crop_area(box, 100, 100) is None


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_pictures_of_all_kinds_are_decoded_to_rgb(mode: str) -> None:
    """Whatever a file holds comes as red, green and blue of its size."""
    image = Image.new(mode, (5, 3)) if mode in {"I;16", "F"} else _picture(0, 5, 3).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "TIFF" if mode in {"CMYK", "F"} else "PNG")
    decoded = decode_picture(buffer.getvalue())
    assert (decoded.mode, decoded.size) == ("RGB", (5, 3))


def test_coarser_grids_keep_the_side_that_is_needed() -> None:
    """A JPEG may come smaller, but not below what was asked for; a damaged one is refused with the reason."""
    buffer = io.BytesIO()
    _picture(0, 1600, 900).save(buffer, "JPEG")
    assert min(decode_picture(buffer.getvalue(), min_side_px=64).size) in range(64, 900)
    assert decode_picture(buffer.getvalue()).size == (1600, 900)
    with pytest.raises(PictureError, match="damaged"):
        decode_picture(buffer.getvalue()[:3000])
