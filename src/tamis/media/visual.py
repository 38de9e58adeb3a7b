"""A descriptor of pictures that needs no weights: where edges run, how light and colour lie, what texture there is.

A picture is shrunk to 64 x 64 pixels, whatever its shape. Four groups, each scaled to its weight, are put end to
end and scaled to length 1:

| group | dimensions | weight | what it holds |
|---|---|---|---|
| gradients | 200 | 1 | square root of the strength of edges in 8 x 8 cells and 8 directions: the 5 x 5 lowest \
frequencies of a cosine transform over the cells |
| light | 24 | .5 | the 5 x 5 lowest frequencies of brightness but the mean, over 16 x 16 cells |
| colour | 32 | .35 | the 4 x 4 lowest frequencies of red against green, and of yellow against blue |
| texture | 20 | .3 | square root of the shares of the uniform binary patterns, at distances of 1 and 2 pixels |

**A picture and its mirror image have the same descriptor.** Mirroring turns the sign of some of these numbers (odd
frequencies across; sums and differences of mirrored directions), and of those only the size is kept.

Sources: histograms of oriented gradients (Dalal and Triggs 2005), the colour layout descriptor of MPEG-7, rotation
invariant uniform binary patterns (Ojala et al. 2002).

Limits: it knows shapes and colours, not meanings. Two pictures of one thing from another side are as far apart as
pictures of two things.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.media.decoding import as_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL import Image

    Singles = NDArray[np.float32]
    Bytes = NDArray[np.uint8]

SIDE_PX = 64
N_DIMS = 276

_CELLS, _DIRECTIONS, _GRADIENT_FREQUENCIES = 8, 8, 5
_LAYOUT_CELLS, _LIGHT_FREQUENCIES, _COLOUR_FREQUENCIES = 16, 5, 4
_TEXTURE_DISTANCES = (1, 2)
_WEIGHTS = (1.0, 0.5, 0.35, 0.3)  # of gradients, light, colour, texture
# A group weaker than this counts for less: a blank wall has no layout, and its noise is none either.
_FLOORS = (0.5, 0.02, 0.02, 0.0)
_LEVEL = 0.01  # differences of brightness below it are no texture


@dataclass(frozen=True, slots=True)
class VisualEncoder:
    """The built-in descriptor as an encoder.

    Attributes:
        name: what sets of it are called.
        batch_size: pictures that are described at once; more are not faster.
    """

    name: str = "visual"
    batch_size: int = 64

    @property
    def identity(self) -> str:
        """What decides its vectors; another version of it is another identity."""
        return "visual 1"

    @property
    def n_dims(self) -> int:
        """Length of its vectors."""
        return N_DIMS

    @property
    def side_px(self) -> int:
        """Pictures may be decoded in a coarser grid, as long as their sides stay above this."""
        return SIDE_PX

    def prepare(self, image: Image.Image) -> NDArray[Any]:
        """Return a picture as the input of `encode`: uint8 of shape (64, 64, 3)."""
        return as_pixels(image, SIDE_PX, SIDE_PX)

    def encode(self, inputs: NDArray[Any]) -> Singles:
        """Return the descriptors of prepared pictures, shape (n, 276)."""
        return describe(inputs)


def describe(pixels: Bytes) -> Singles:
    """Return the descriptor of each picture: rows of length 1, shape (n, 276).

    Args:
        pixels: red, green and blue from 0 to 255, shape (n, 64, 64, 3).

    >>> picture = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), np.uint8)
    >>> bool(np.allclose(describe(picture), describe(picture[:, :, ::-1]), atol=1e-5))
    True
    """
    red, green, blue = np.moveaxis(pixels.astype(np.float32) / 255.0, -1, 0)
    light = 0.299 * red + 0.587 * green + 0.114 * blue
    groups = (
        _gradients(light),
        _layout(light, _LIGHT_FREQUENCIES)[:, 1:],
        np.concatenate(
            [
                _layout(red - green, _COLOUR_FREQUENCIES),
                _layout((red + green) / 2.0 - blue, _COLOUR_FREQUENCIES),
            ],
            axis=1,
        ),
        _texture(light),
    )
    scaled = [
        group * (weight / np.maximum(np.linalg.norm(group, axis=1, keepdims=True), max(floor, 1e-9)))
        for group, weight, floor in zip(groups, _WEIGHTS, _FLOORS, strict=True)
    ]
    whole = np.concatenate(scaled, axis=1)
    unit: Singles = (whole / np.linalg.norm(whole, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _gradients(light: Singles) -> Singles:
    """Return low frequencies of the strength of edges by cell and direction, shape (n, 200)."""
    cells = _directions_of_cells(light)
    half = _DIRECTIONS // 2
    mirrored = cells[..., : half - 1 : -1]
    sums, differences = cells[..., :half] + mirrored, cells[..., :half] - mirrored
    # How strong edges are on the whole says little; which directions are stronger says much.
    low_sums, low_differences = (_low_frequencies(part, _GRADIENT_FREQUENCIES) for part in (sums, differences))
    low_sums[:, 0, 0] -= low_sums[:, 0, 0].mean(axis=-1, keepdims=True)
    low_sums[:, :, 1::2] = np.abs(low_sums[:, :, 1::2])
    low_differences[:, :, 0::2] = np.abs(low_differences[:, :, 0::2])
    flat: Singles = np.concatenate([low_sums, low_differences], axis=-1).reshape(len(light), -1)
    return flat


def _directions_of_cells(light: Singles) -> Singles:
    """Return the square root of the strength of edges, shape (n, 8, 8, 8): rows, columns, directions.

    Directions are centred so that mirroring turns the k-th into the k-th from the end.
    """
    across, down = np.zeros_like(light), np.zeros_like(light)
    across[:, :, 1:-1] = light[:, :, 2:] - light[:, :, :-2]
    down[:, 1:-1] = light[:, 2:] - light[:, :-2]
    strength = np.hypot(across, down)
    place = np.arctan2(down, across) % np.pi / np.pi * _DIRECTIONS - 0.5
    lower = np.floor(place)
    share = place - lower
    first = lower.astype(np.int8) % _DIRECTIONS
    upper_part = strength * share
    lower_part = strength - upper_part
    sums = np.empty((len(light), _CELLS, _CELLS, _DIRECTIONS), np.float32)
    for direction in range(_DIRECTIONS):
        own = np.where(first == direction, lower_part, 0.0)
        own += np.where(first == (direction - 1) % _DIRECTIONS, upper_part, 0.0)
        sums[..., direction] = _cell_means(own, _CELLS) * (SIDE_PX // _CELLS) ** 2
    return np.sqrt(sums)


def _layout(plane: Singles, n: int) -> Singles:
    """Return the n x n lowest frequencies of a plane, mirrored or not the same; shape (pictures, n * n)."""
    low = _low_frequencies(_cell_means(plane, _LAYOUT_CELLS)[..., None], n)[..., 0] / np.float32(_LAYOUT_CELLS)
    low[:, :, 1::2] = np.abs(low[:, :, 1::2])
    flat: Singles = low.reshape(len(plane), -1)
    return flat


def _cell_means(plane: Singles, n_cells: int) -> Singles:
    side = plane.shape[1] // n_cells
    means: Singles = plane.reshape(len(plane), n_cells, side, n_cells, side).mean(axis=(2, 4))
    return means


def _low_frequencies(cells: Singles, n: int) -> Singles:
    """Return the cosine transform over rows and columns, shape (pictures, n, n, channels)."""
    waves = _cosines(cells.shape[1])[:n]
    low: Singles = np.einsum("yi,pijk,xj->pyxk", waves, cells, waves, optimize=True)
    return low


@cache
def _cosines(n: int) -> Singles:
    """Return the orthonormal cosine transform (DCT-II) of n values as a matrix."""
    waves = np.cos(np.pi * np.outer(np.arange(n), np.arange(n) + 0.5) / n) * np.sqrt(2.0 / n)
    waves[0] /= np.sqrt(2.0)
    single: Singles = waves.astype(np.float32)
    return single


def _texture(light: Singles) -> Singles:
    """Return the square root of the shares of the ten rotation invariant patterns at each distance."""
    shares = [share for distance in _TEXTURE_DISTANCES for share in _pattern_shares(light, distance)]
    roots: Singles = np.sqrt(np.stack(shares, axis=1)).astype(np.float32)
    return roots


def _pattern_shares(light: Singles, distance: int) -> Iterator[Singles]:
    """Yield how many pixels have 0 to 8 brighter neighbours side by side, and how many any other pattern."""
    n, size = distance, light.shape[1]
    centre = light[:, n:-n, n:-n] + _LEVEL
    ring = ((-n, -n), (-n, 0), (-n, n), (0, n), (n, n), (n, 0), (n, -n), (0, -n))
    brighter = np.stack([light[:, n + y : size - n + y, n + x : size - n + x] > centre for y, x in ring])
    n_changes = np.count_nonzero(brighter != np.roll(brighter, 1, axis=0), axis=0)
    pattern = np.where(n_changes <= 2, np.count_nonzero(brighter, axis=0), len(ring) + 1)  # noqa: PLR2004 (there and back)
    for kind in range(len(ring) + 2):
        yield np.mean(pattern == kind, axis=(1, 2), dtype=np.float32)
