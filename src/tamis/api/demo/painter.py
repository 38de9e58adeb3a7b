"""Scenes into pictures, and into maps of what each pixel of the background is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from tamis.api.demo.shapes import Ink, Pen
from tamis.api.demo.world import HEIGHT_PX, HORIZON_PX, WIDTH_PX, Camera, Colour, Scene, Thing, Weather
from tamis.model import Category

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

STUFF = (
    Category(id=0, name="sky"),
    Category(id=1, name="building"),
    Category(id=2, name="vegetation"),
    Category(id=3, name="road"),
    Category(id=4, name="pavement"),
)
NOTHING = 255
"""What the map holds where a thing hides the background."""

_SKY, _BUILDING, _VEGETATION, _ROAD, _PAVEMENT = range(5)
_OVERSAMPLING = 2
_ROAD_PX, _KERB_PX = (212, 296), 4
_JPEG_QUALITY = 88
_SKY_PX = 60

_SKIES: dict[Weather, tuple[Colour, Colour]] = {
    Weather.CLEAR: ((92, 148, 208), (206, 224, 236)),
    Weather.CLOUDY: ((150, 164, 178), (208, 212, 214)),
    Weather.RAIN: ((112, 120, 130), (158, 164, 168)),
    Weather.FOG: ((190, 194, 196), (204, 206, 206)),
}
_NIGHT_SKY: tuple[Colour, Colour] = ((14, 18, 36), (46, 48, 70))
_WALLS: tuple[Colour, ...] = (
    (182, 142, 112),
    (168, 160, 150),
    (148, 104, 88),
    (196, 182, 152),
    (122, 130, 142),
)
_LAMP: Colour = (255, 214, 140)


@dataclass(frozen=True, slots=True)
class Painting:
    """A picture as a camera gives it, and what its pixels show.

    Attributes:
        jpeg: the encoded picture.
        sky: mean red, green and blue of the upper part.
        grey: brightness of each pixel, shape (height, width).
        stuff: index into `STUFF` of each pixel, or `NOTHING`; shape (height, width).
        visible: share of each thing's box that no nearer thing hides, shape (n_things,).
    """

    jpeg: bytes
    sky: tuple[float, float, float]
    grey: NDArray[np.float32]
    stuff: NDArray[np.uint8]
    visible: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Light:
    """What light and weather leave of colours."""

    scene: Scene

    def tint(self, colour: Colour, distance: float) -> Colour:
        mixed = np.array(colour, np.float64)
        if self.scene.weather is Weather.RAIN:
            mixed = 0.75 * mixed + 0.12 * mixed.mean()
        if self.scene.weather is Weather.CLOUDY:
            mixed = 0.88 * mixed + 0.04 * mixed.mean()
        if self.scene.is_night:
            mixed = mixed * (0.42, 0.43, 0.54) * (1 - 0.4 * distance)
        if self.scene.weather is Weather.FOG:
            share = 0.3 + 0.58 * distance
            mixed = (1 - share) * mixed + share * np.array((198, 200, 201))
        red, green, blue = (round(value) for value in mixed.tolist())
        return red, green, blue


def paint(scene: Scene, rng: Generator) -> Painting:
    """Paint a scene as its camera sees it; the same scene and generator state give the same bytes."""
    light = _Light(scene)
    canvas = _sky(scene)
    stuff = Image.new("L", canvas.size, _SKY)
    _draw_background(scene.camera, light, canvas, stuff)
    for thing in scene.things:
        _pen(canvas, thing, partial(light.tint, distance=thing.distance)).draw_thing(thing)
        _pen(stuff, thing, _hide).draw_thing(thing)
    if scene.is_night:
        canvas = ImageChops.screen(canvas, _glow(scene))
    if scene.weather is Weather.RAIN:
        _draw_rain(canvas, rng)
    size = (WIDTH_PX, HEIGHT_PX)
    picture = _expose(canvas.resize(size, Image.Resampling.BOX), scene, rng)
    red, green, blue = ImageStat.Stat(picture.crop((0, 0, WIDTH_PX, _SKY_PX))).mean
    return Painting(
        jpeg=_encode(picture),
        sky=(red, green, blue),
        grey=np.asarray(picture.convert("L"), np.float32),
        stuff=np.asarray(stuff.resize(size, Image.Resampling.NEAREST)),
        visible=_visible(scene),
    )


def _pen(canvas: Image.Image, thing: Thing, tint: Callable[[Colour], Ink]) -> Pen:
    return Pen(
        ImageDraw.Draw(canvas),
        thing.left_px * _OVERSAMPLING,
        (thing.ground_px - thing.height_px) * _OVERSAMPLING,
        thing.width_px * _OVERSAMPLING,
        thing.height_px * _OVERSAMPLING,
        thing.faces_left,
        tint,
    )


def _hide(_: Colour) -> Ink:
    return NOTHING


def _sky(scene: Scene) -> Image.Image:
    top, bottom = _NIGHT_SKY if scene.is_night else _SKIES[scene.weather]
    height, width = HEIGHT_PX * _OVERSAMPLING, WIDTH_PX * _OVERSAMPLING
    down = np.clip(np.arange(height) / (HORIZON_PX * _OVERSAMPLING), 0, 1)[:, None]
    rows = ((1 - down) * top + down * bottom).round().astype(np.uint8)
    return Image.fromarray(rows[:, None]).resize((width, height), Image.Resampling.NEAREST)


def _draw_background(camera: Camera, light: _Light, canvas: Image.Image, stuff: Image.Image) -> None:
    """Draw what stands still: the same houses and trees in each of a camera's pictures."""
    rng = np.random.default_rng(camera.number)
    draw, labels = ImageDraw.Draw(canvas), ImageDraw.Draw(stuff)

    def rectangle(box: tuple[float, ...], colour: Colour, distance: float, label: int) -> None:
        left, top, right, bottom = (value * _OVERSAMPLING for value in box)
        if right > left and bottom > top:
            draw.rectangle((left, top, right - 1, bottom - 1), fill=light.tint(colour, distance))
            labels.rectangle((left, top, right - 1, bottom - 1), fill=label)

    for far_left in range(-20, WIDTH_PX, 38):
        top = HORIZON_PX - rng.uniform(40, 110)
        rectangle((far_left, top, far_left + rng.uniform(24, 40), HORIZON_PX), (150, 156, 168), 1, _BUILDING)
    rectangle((0, HORIZON_PX - 2, WIDTH_PX, HEIGHT_PX), (158, 154, 148), 0.6, _PAVEMENT)
    left = -30.0
    while left < WIDTH_PX:
        width = float(rng.uniform(60, 120))
        if rng.random() < 0.78:  # noqa: PLR2004 (the others are gaps)
            _draw_house((left, left + width), rng, light, rectangle)
        left += width + float(rng.choice([0, 0, 14]))
    rectangle((0, _ROAD_PX[0], WIDTH_PX, _ROAD_PX[1]), (84, 86, 92), 0.35, _ROAD)
    rectangle((0, _ROAD_PX[0] - _KERB_PX, WIDTH_PX, _ROAD_PX[0]), (196, 192, 184), 0.6, _PAVEMENT)
    rectangle((0, _ROAD_PX[1], WIDTH_PX, HEIGHT_PX), (166, 162, 156), 0.05, _PAVEMENT)
    rectangle((0, _ROAD_PX[1], WIDTH_PX, _ROAD_PX[1] + _KERB_PX), (204, 200, 192), 0.05, _PAVEMENT)
    for x in range(int(rng.integers(0, 40)), WIDTH_PX, 56):
        rectangle((x, 247, x + 28, 250), (226, 224, 214), 0.3, _ROAD)
    for x in rng.uniform(10, WIDTH_PX - 10, int(rng.integers(2, 5))).tolist():
        _draw_tree((x, 206), rng, light, draw, labels)


def _draw_house(span: tuple[float, float], rng: Generator, light: _Light, rectangle: Any) -> None:  # noqa: ANN401
    wall = _WALLS[int(rng.integers(len(_WALLS)))]
    left, right = span
    top, bottom = HORIZON_PX - float(rng.uniform(50, 140)), 196.0
    rectangle((left, top, right, bottom), wall, 0.62, _BUILDING)
    rectangle((left, top, right, top + 4), (92, 82, 78), 0.62, _BUILDING)
    lit = rng.random(400) < 0.35  # noqa: PLR2004 (windows with a light on)
    windows = [(x, y) for y in np.arange(top + 12, bottom - 26, 20) for x in np.arange(left + 8, right - 12, 17)]
    for on, (x, y) in zip(lit, windows, strict=False):
        colour = _LAMP if light.scene.is_night and on else (104, 122, 138)
        rectangle((x, y, x + 9, y + 12), colour, 0 if colour is _LAMP else 0.6, _BUILDING)
    rectangle((left + 10, bottom - 22, left + 20, bottom), (86, 66, 54), 0.6, _BUILDING)


def _draw_tree(foot: tuple[float, float], rng: Generator, light: _Light, draw: Any, labels: Any) -> None:  # noqa: ANN401
    x, y = (value * _OVERSAMPLING for value in foot)
    for brush, trunk in ((draw, light.tint((96, 74, 58), 0.5)), (labels, _VEGETATION)):
        brush.rectangle((x - 5, y - 90, x + 5, y), fill=trunk)
    for dx, dy, r in zip(rng.uniform(-26, 26, 9), rng.uniform(-128, -80, 9), rng.uniform(22, 36, 9), strict=True):
        green = (int(70 + dx), int(116 + dx), 62)
        box = (x + dx - r, y + dy - r, x + dx + r, y + dy + r)
        draw.ellipse(box, fill=light.tint(green, 0.5))
        labels.ellipse(box, fill=_VEGETATION)


def _glow(scene: Scene) -> Image.Image:
    """Return what lamps and headlights add, drawn small and blurred."""
    scale = 0.5
    glow = Image.new("RGB", (round(WIDTH_PX * scale), round(HEIGHT_PX * scale)))
    draw = ImageDraw.Draw(glow)
    for x in range(40 + 30 * scene.camera.number, WIDTH_PX, 150):
        draw.polygon([(x * scale, 60), ((x - 46) * scale, 112), ((x + 46) * scale, 112)], fill=(70, 56, 30))
        draw.ellipse((x * scale - 3, 57, x * scale + 3, 63), fill=_LAMP)
    for thing in scene.things:
        if thing.category in {"car", "van", "motorcycle"}:
            front = thing.left_px + (0 if thing.faces_left else thing.width_px)
            reach = thing.width_px * (-0.6 if thing.faces_left else 0.6)
            y = thing.ground_px - 0.42 * thing.height_px
            tip = [(front * scale, y * scale)]
            ends = [((front + reach) * scale, (y + d * thing.height_px) * scale) for d in (-0.05, 0.42)]
            draw.polygon(tip + ends, fill=(150, 140, 104))
            draw.ellipse(_around(front * scale, y * scale, 3), fill=(255, 246, 214))
    blurred = glow.filter(ImageFilter.GaussianBlur(3))
    return blurred.resize((WIDTH_PX * _OVERSAMPLING, HEIGHT_PX * _OVERSAMPLING), Image.Resampling.BILINEAR)


def _around(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return x - radius, y - radius, x + radius, y + radius


def _draw_rain(canvas: Image.Image, rng: Generator) -> None:
    draw = ImageDraw.Draw(canvas, "RGBA")
    for x, y, length in zip(
        rng.uniform(0, canvas.width, 260),
        rng.uniform(-20, canvas.height, 260),
        rng.uniform(16, 40, 260),
        strict=True,
    ):
        draw.line((x, y, x - 0.25 * length, y + length), (222, 228, 236, 80), 2)


def _expose(picture: Image.Image, scene: Scene, rng: Generator) -> Image.Image:
    """Add the sensor's noise: the darker, the more."""
    spread = 7.0 if scene.is_night else 2.0
    noise = rng.standard_normal((HEIGHT_PX, WIDTH_PX, 1), np.float32) * spread
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


def _encode(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "JPEG", quality=_JPEG_QUALITY)
    return file.getvalue()


def _visible(scene: Scene) -> NDArray[np.float64]:
    front = np.full((HEIGHT_PX, WIDTH_PX), -1, np.int64)
    areas = []
    for i, thing in enumerate(scene.things):
        left, top, width, height = (round(value) for value in thing.box)
        front[top : top + height, left : left + width] = i
        areas.append(max(width * height, 1))
    counts = np.bincount(front.ravel() + 1, minlength=len(areas) + 1)[1:]
    return np.clip(counts / np.array(areas, np.float64), 0, 1)
