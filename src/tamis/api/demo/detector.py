"""A simulated detector that errs as real ones do: by what is to be seen in the pixels.

It looks at contrast, size, light and how much of a thing is hidden. Where there is little of that, it misses
things, mistakes a van for a car or a motorcycle for a bicycle, and its probabilities say so; in crowds it
finds people twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tamis.api.demo.world import HEIGHT_PX, OBJECTS, WIDTH_PX, Scene, Thing
from tamis.model import Prediction

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from tamis.api.demo.painter import Painting

_NAMES = tuple(category.name for category in OBJECTS)
_IDS = tuple(category.id for category in OBJECTS)
_LOOKS_LIKE = {"bicycle": "motorcycle", "motorcycle": "bicycle", "car": "van", "van": "car", "dog": "person"}
_OBJECTNESS_LIMIT = 0.25
_DECIMALS = 4


class Evidence(NamedTuple):
    """How well a thing can be seen, each in [0, 1]: how clearly at all, and how dark it is there."""

    clarity: float
    darkness: float


def detect_things(scene: Scene, painting: Painting, rng: Generator) -> list[Prediction]:
    """Find the things of a scene, or what is taken for some; scores are objectness times probability."""
    found: list[Prediction] = []
    for thing, visible in zip(scene.things, painting.visible.tolist(), strict=True):
        evidence = _look_at(painting.grey, thing, visible)
        objectness = _sigmoid(10 * (evidence.clarity - 0.42) + rng.normal(0, 0.5))
        if objectness < _OBJECTNESS_LIMIT:
            continue
        row = _class_probabilities(thing.category, evidence, rng)
        found.append(_prediction(_shaken(thing.box, evidence, rng), row, objectness))
        if scene.is_crowded and rng.random() < 0.3 - 0.25 * visible:
            again = _shaken(thing.box, Evidence(0.1, 0), rng)
            found.append(_prediction(again, _softened(row), objectness * rng.uniform(0.55, 0.85)))
    found += _see_ghosts(scene, rng)
    return sorted(found, key=lambda one: -(one.score or 0))


def _look_at(grey: NDArray[np.float32], thing: Thing, visible: float) -> Evidence:
    left, top, width, height = (round(value) for value in thing.box)
    inside = grey[max(top, 0) : top + max(height, 2), max(left, 0) : left + max(width, 2)]
    # Averaging over 3 x 3 pixels takes most of the sensor's noise out of the contrast.
    rows, columns = (side // 3 * 3 for side in inside.shape)
    coarse = inside[:rows, :columns].reshape(rows // 3, 3, columns // 3, 3).mean(axis=(1, 3))
    contrast = float(np.clip(coarse.std() / 42, 0, 1)) if coarse.size else 0.0
    size = float(np.clip(np.sqrt(width * height) / 60, 0.1, 1))
    clarity = contrast**0.6 * size**0.5 * max(visible, 0.02) ** 0.6
    return Evidence(clarity, float(np.clip(1 - inside.mean() / 100, 0, 1)))


def _class_probabilities(category: str, evidence: Evidence, rng: Generator) -> NDArray[np.float64]:
    logits = rng.normal(0, 0.3 + 0.9 * (1 - evidence.clarity), len(_NAMES))
    logits[_NAMES.index(category)] += 1.2 + 5.5 * evidence.clarity
    if category in _LOOKS_LIKE:
        alike = 0.5 + 0.5 * evidence.darkness
        logits[_NAMES.index(_LOOKS_LIKE[category])] += (1.2 + 5.5 * evidence.clarity) * alike
    odds = np.exp(logits - logits.max())
    probabilities: NDArray[np.float64] = odds / odds.sum()
    return probabilities


def _shaken(
    box: tuple[float, float, float, float], evidence: Evidence, rng: Generator
) -> tuple[float, float, float, float]:
    """Move the sides of a box: the less there is to see, the farther; it stays inside the picture."""
    left, top, width, height = box
    spread = 0.015 + 0.09 * (1 - evidence.clarity)
    shifts = np.clip(rng.normal(0, spread, 4), -0.25, 0.25) * (width, height, width, height)
    right = min(left + width + shifts[2], WIDTH_PX)
    bottom = min(top + height + shifts[3], HEIGHT_PX)
    left, top = max(left + shifts[0], 0), max(top + shifts[1], 0)
    x, y, w, h = (round(float(value), 2) for value in (left, top, right - left, bottom - top))
    return x, y, max(w, 1.0), max(h, 1.0)


def _softened(row: NDArray[np.float64]) -> NDArray[np.float64]:
    softer: NDArray[np.float64] = 0.7 * row + 0.3 / len(row)
    return softer


def _see_ghosts(scene: Scene, rng: Generator) -> list[Prediction]:
    """Find things that are not there: reflections at night, shapes in the fog."""
    rate = 0.15 + 0.8 * scene.is_night + 0.5 * (scene.weather == "fog")
    ghosts = []
    for _ in range(int(rng.poisson(rate))):
        width, height = rng.uniform(18, 70), rng.uniform(18, 50)
        x, y = rng.uniform(0, WIDTH_PX - width), rng.uniform(150, HEIGHT_PX - height)
        box = tuple(round(float(value), 2) for value in (x, y, width, height))
        row = rng.dirichlet(np.full(len(_NAMES), 0.8))
        ghosts.append(_prediction((box[0], box[1], box[2], box[3]), row, rng.uniform(0.3, 0.65)))
    return ghosts


def _prediction(bbox: tuple[float, float, float, float], row: NDArray[np.float64], objectness: float) -> Prediction:
    probabilities = round_shares(row)
    best = max(range(len(_IDS)), key=probabilities.__getitem__)
    return Prediction(
        category_id=_IDS[best],
        bbox=bbox,
        score=round(float(objectness) * probabilities[best], _DECIMALS),
        probabilities=probabilities,
    )


def round_shares(row: NDArray[np.float64]) -> tuple[float, ...]:
    """Round probabilities so that they still sum to 1: the largest takes up what is left."""
    rounded = row.round(_DECIMALS)
    rounded[rounded.argmax()] += 1 - rounded.sum()
    return tuple(rounded.round(_DECIMALS).tolist())


def _sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))
