"""The other two simulated models: one says what the weather is, one what each pixel of the background is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tamis.api.demo.detector import round_shares
from tamis.api.demo.painter import NOTHING, STUFF
from tamis.api.demo.world import Scene, Weather
from tamis.model import Category, Prediction, masks

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from tamis.api.demo.painter import Painting

WEATHERS = tuple(Category(id=i, name=weather.value) for i, weather in enumerate(Weather))

# Blueness of the sky and contrast of the picture by day, as measured on painted scenes.
_LOOKS = {
    Weather.CLEAR: (0.91, 0.43),
    Weather.CLOUDY: (0.22, 0.46),
    Weather.RAIN: (0.15, 0.33),
    Weather.FOG: (0.05, 0.25),
}
_MISTAKEN_FOR = {"sky": "building", "building": "sky", "vegetation": "building", "road": "pavement"}
_LIKE_PAVEMENT = "road"


def classify_weather(painting: Painting, rng: Generator) -> Prediction:
    """Say what the weather is by the blueness of the sky and the contrast: at night it can only guess."""
    blueness = (painting.sky[2] - painting.sky[0]) / 110
    contrast = float(painting.grey.std()) / 90
    distances = np.array([(blueness - b) ** 2 + 2 * (contrast - c) ** 2 for b, c in _LOOKS.values()])
    logits = -30 * distances + rng.normal(0, 0.7, len(distances))
    odds = np.exp(logits - logits.max())
    probabilities = round_shares(odds / odds.sum())
    best = max(range(len(probabilities)), key=probabilities.__getitem__)
    return Prediction(category_id=best, score=probabilities[best], probabilities=probabilities)


def segment_background(scene: Scene, painting: Painting, rng: Generator) -> list[Prediction]:
    """Say what each pixel of the background is: borders waver, and in fog and night whole patches are wrong."""
    trouble = 0.06 + 0.34 * scene.is_night + {"fog": 0.5, "rain": 0.16}.get(scene.weather, 0.0)
    labels = _wavering(painting.stuff, rng, amplitude_px=1.5 + 5 * trouble)
    labels = _with_wrong_patches(labels, rng, trouble)
    found = []
    for category in STUFF:
        mask = labels == category.id
        if mask.any():
            row = _stuff_probabilities(category, trouble, rng)
            runs = tuple(masks.encode(mask).tolist())
            found.append(
                Prediction(category_id=category.id, segmentation=runs, score=row[category.id], probabilities=row)
            )
    return found


def _stuff_probabilities(category: Category, trouble: float, rng: Generator) -> tuple[float, ...]:
    row = np.full(len(STUFF), 0.01)
    doubt = float(np.clip(trouble * rng.uniform(0.5, 1.0), 0.02, 0.48))
    row[_index(_MISTAKEN_FOR.get(category.name, _LIKE_PAVEMENT))] += doubt
    row[category.id] += 1 - doubt
    return round_shares(row / row.sum())


def _wavering(labels: NDArray[np.uint8], rng: Generator, *, amplitude_px: float) -> NDArray[np.uint8]:
    height, width = labels.shape
    shifts = [_field(labels.shape, rng) * amplitude_px for _ in range(2)]
    rows = np.clip(np.arange(height)[:, None] + shifts[0].round(), 0, height - 1).astype(np.int64)
    columns = np.clip(np.arange(width) + shifts[1].round(), 0, width - 1).astype(np.int64)
    moved: NDArray[np.uint8] = labels[rows, columns]
    moved[labels == NOTHING] = NOTHING
    return moved


def _with_wrong_patches(labels: NDArray[np.uint8], rng: Generator, trouble: float) -> NDArray[np.uint8]:
    is_wrong = _field(labels.shape, rng) > 2.4 - 2.6 * trouble
    wrong = labels.copy()
    for name, other in _MISTAKEN_FOR.items():
        wrong[is_wrong & (labels == _index(name))] = _index(other)
    return wrong


def _field(shape: tuple[int, ...], rng: Generator) -> NDArray[np.float32]:
    """Return smooth noise of about unit variance."""
    coarse = Image.fromarray(rng.standard_normal((8, 12), np.float32))
    return np.asarray(coarse.resize((shape[1], shape[0]), Image.Resampling.BICUBIC))


def _index(name: str) -> int:
    return next(category.id for category in STUFF if category.name == name)
