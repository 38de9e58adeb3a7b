"""What stands in the demo's streets: scenes as values, drawn from a seed. Painting them is `painter`'s part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from tamis.model import Category

if TYPE_CHECKING:
    from numpy.random import Generator

WIDTH_PX, HEIGHT_PX = 480, 320
HORIZON_PX = 178
FAR_PX, NEAR_PX = 196, 312
"""Where the ground begins and ends on which things stand, in pixels from the top."""

Colour = tuple[int, int, int]

# Ids with gaps, as in COCO: nothing may count on 0, 1, 2, ...
OBJECTS = (
    Category(id=1, name="person"),
    Category(id=2, name="bicycle"),
    Category(id=3, name="car"),
    Category(id=4, name="motorcycle"),
    Category(id=8, name="van"),
    Category(id=18, name="dog"),
)

# Width and height in pixels of a thing that stands nearest to the camera.
_SIZES_PX = {
    "person": (30, 84),
    "bicycle": (74, 54),
    "car": (150, 56),
    "motorcycle": (82, 56),
    "van": (158, 88),
    "dog": (46, 34),
}
_ON_ROAD = frozenset({"bicycle", "car", "motorcycle", "van"})
_LANES_PX = (232, 282)
_PAVEMENTS_PX = (200, 308)
_PAINTS: tuple[Colour, ...] = (
    (178, 58, 52),
    (44, 92, 148),
    (226, 222, 212),
    (62, 66, 72),
    (222, 170, 62),
    (74, 124, 96),
    (140, 88, 130),
    (200, 112, 62),
)
_STAYS_SHARE = 0.3


class Weather(StrEnum):
    """What the sky does; the classes of the demo's classification task, in this order."""

    CLEAR = "clear"
    CLOUDY = "cloudy"
    RAIN = "rain"
    FOG = "fog"


@dataclass(frozen=True, slots=True)
class Camera:
    """A place that pictures are taken at; its name is a folder of the demo."""

    name: str
    number: int
    prefix: str


CAMERAS = (
    Camera("harbour", 0, "img_"),
    Camera("north gate", 1, "frame "),
    Camera("Café Übersee", 2, "Bild "),
    Camera("駅前", 3, "写真-"),
)


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of a scene.

    Attributes:
        category: name of its category.
        left_px: left side of its box.
        ground_px: bottom of its box: the larger, the nearer.
        width_px: width of its box.
        height_px: height of its box.
        faces_left: which way it looks.
        paint: its main colour.
    """

    category: str
    left_px: float
    ground_px: float
    width_px: float
    height_px: float
    faces_left: bool
    paint: Colour

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width, height of what is inside the picture, in pixels."""
        left, right = max(self.left_px, 0), min(self.left_px + self.width_px, WIDTH_PX)
        top = max(self.ground_px - self.height_px, 0)
        return left, top, right - left, self.ground_px - top

    @property
    def distance(self) -> float:
        """0 where things are nearest, 1 where they are farthest."""
        return float(np.clip((NEAR_PX - self.ground_px) / (NEAR_PX - FAR_PX), 0, 1))


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture of the demo before it is painted.

    Attributes:
        camera: where.
        weather: what the sky does.
        is_night: whether it is dark.
        is_crowded: whether there are people everywhere.
        hour: of the day, 0 to 23.
        temperature_c: in degrees Celsius.
        things: from far to near: the order of painting.
    """

    camera: Camera
    weather: Weather
    is_night: bool
    is_crowded: bool
    hour: int
    temperature_c: float
    things: tuple[Thing, ...]


def draw_scenes(n_scenes: int, seed: int) -> list[Scene]:
    """Draw scenes; some show what the one before them shows, a moment later."""
    scenes: list[Scene] = []
    for i in range(n_scenes):
        rng = np.random.default_rng([seed, i])
        if scenes and rng.random() < _STAYS_SHARE:
            scenes.append(_a_moment_later(scenes[-1], rng))
        else:
            scenes.append(_new_scene(rng))
    return scenes


def _new_scene(rng: Generator) -> Scene:
    kind = rng.choice(
        ["day", "night", "fog", "rain", "rainy night", "crowd"], p=[0.38, 0.18, 0.14, 0.1, 0.05, 0.15]
    )
    is_night, is_crowded = "night" in kind, kind == "crowd"
    clear_or_cloudy = Weather.CLEAR if rng.random() < 0.6 else Weather.CLOUDY  # noqa: PLR2004 (a share)
    weather = {"fog": Weather.FOG, "rain": Weather.RAIN, "rainy night": Weather.RAIN}.get(
        str(kind), clear_or_cloudy
    )
    hour = int(rng.choice([22, 23, 0, 1, 2, 4]) if is_night else rng.integers(7, 19))
    return Scene(
        camera=CAMERAS[int(rng.integers(len(CAMERAS)))],
        weather=weather,
        is_night=is_night,
        is_crowded=is_crowded,
        hour=hour,
        temperature_c=round(float(rng.normal(7 if is_night else 16, 4)), 1),
        things=_draw_things(rng, is_crowded=is_crowded),
    )


def _draw_things(rng: Generator, *, is_crowded: bool) -> tuple[Thing, ...]:
    names = list(_SIZES_PX)
    shares = [0.72, 0.1, 0.05, 0.02, 0.03, 0.08] if is_crowded else [0.27, 0.14, 0.27, 0.1, 0.14, 0.08]
    n_things = int(rng.integers(13, 22) if is_crowded else rng.integers(2, 9))
    things: list[Thing] = []
    for name in rng.choice(names, n_things, p=shares).tolist():
        thing = _draw_thing(name, rng)
        if is_crowded or not _hides(thing, things):
            things.append(thing)
    return tuple(sorted(things, key=lambda thing: thing.ground_px))


def _draw_thing(name: str, rng: Generator) -> Thing:
    ground = float(rng.choice(_LANES_PX if name in _ON_ROAD else _PAVEMENTS_PX) + rng.normal(0, 4))
    if name == "person" and rng.random() < 0.3:  # noqa: PLR2004 (a share)
        ground = float(rng.uniform(FAR_PX, NEAR_PX))  # crosses the road
    ground = float(np.clip(ground, FAR_PX, NEAR_PX))
    scale = 0.42 + 0.58 * (ground - FAR_PX) / (NEAR_PX - FAR_PX)
    width, height = (side * scale * rng.uniform(0.9, 1.1) for side in _SIZES_PX[name])
    return Thing(
        category=name,
        left_px=float(rng.uniform(-0.2 * width, WIDTH_PX - 0.8 * width)),
        ground_px=ground,
        width_px=float(width),
        height_px=float(height),
        faces_left=bool(rng.random() < 0.5),  # noqa: PLR2004 (a coin)
        paint=_PAINTS[int(rng.integers(len(_PAINTS)))],
    )


def _hides(thing: Thing, others: list[Thing]) -> bool:
    """Whether it overlaps another in width on nearly the same ground."""
    return any(
        abs(thing.ground_px - other.ground_px) < 20  # noqa: PLR2004 (less than a lane)
        and thing.left_px < other.left_px + other.width_px
        and other.left_px < thing.left_px + thing.width_px
        for other in others
    )


def _a_moment_later(scene: Scene, rng: Generator) -> Scene:
    moved = []
    for thing in scene.things:
        step = rng.uniform(2, 14) * (-1 if thing.faces_left else 1) * (1.2 - thing.distance)
        left = thing.left_px + step
        if -0.4 * thing.width_px < left < WIDTH_PX - 0.6 * thing.width_px:
            moved.append(replace(thing, left_px=float(left)))
    return replace(scene, things=tuple(moved))
