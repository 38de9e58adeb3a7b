"""How things look: each category drawn by polygons and ellipses in the unit square of its box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PIL import ImageDraw

    from tamis.api.demo.world import Colour, Thing

Point = tuple[float, float]
Ink = int | tuple[int, int, int]
"""What a canvas is painted with: a colour, or a number where it has one channel."""

_GLASS, _TYRE, _SKIN, _METAL = (150, 176, 190), (34, 34, 38), (214, 168, 138), (120, 124, 130)


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws in the unit square of a thing's box: x to the front of the thing, y downwards.

    Attributes:
        draw: the canvas.
        left: left side of the box on the canvas.
        top: its upper side.
        width: its width.
        height: its height.
        mirrored: whether the front is at the left.
        tint: turns a colour into what goes on the canvas.
    """

    draw: ImageDraw.ImageDraw
    left: float
    top: float
    width: float
    height: float
    mirrored: bool
    tint: Callable[[Colour], Ink]

    def at(self, x: float, y: float) -> Point:
        """Return where a point of the unit square lies on the canvas."""
        return self.left + (1 - x if self.mirrored else x) * self.width, self.top + y * self.height

    def draw_thing(self, thing: Thing) -> None:
        """Draw one thing by its category."""
        _SHAPES[thing.category](self, thing.paint)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon."""
        self.draw.polygon([self.at(x, y) for x, y in points], fill=self.tint(colour))

    def line(self, points: Sequence[Point], colour: Colour, thickness: float) -> None:
        """Draw a line through points; the thickness is relative to the width."""
        width = max(round(thickness * self.width), 1)
        self.draw.line([self.at(x, y) for x, y in points], self.tint(colour), width, joint="curve")

    def disc(self, centre: Point, radius: float, colour: Colour, *, rim: float | None = None) -> None:
        """Fill a circle, or draw its rim; radius and rim are relative to the width."""
        x, y = self.at(*centre)
        r = radius * self.width
        box = (x - r, y - r, x + r, y + r)
        if rim is None:
            self.draw.ellipse(box, fill=self.tint(colour))
        else:
            self.draw.ellipse(box, outline=self.tint(colour), width=max(round(rim * self.width), 1))


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(round(value * factor), 255) for value in colour)
    return red, green, blue


def _wheel(pen: Pen, x: float, radius: float) -> None:
    y = 1 - radius * pen.width / pen.height
    pen.disc((x, y), radius, _TYRE)
    pen.disc((x, y), radius * 0.5, _METAL)


def _car(pen: Pen, paint: Colour) -> None:
    cabin = [(0.16, 0.42), (0.3, 0.04), (0.64, 0.02), (0.82, 0.42)]
    pen.polygon(cabin, _shade(paint, 0.9))
    pen.polygon([(0.22, 0.4), (0.32, 0.11), (0.46, 0.1), (0.46, 0.4)], _GLASS)
    pen.polygon([(0.5, 0.4), (0.5, 0.1), (0.62, 0.1), (0.75, 0.4)], _GLASS)
    body = [(0, 0.5), (0.04, 0.4), (0.82, 0.4), (0.97, 0.5), (1, 0.66), (0.98, 0.84), (0.02, 0.84)]
    pen.polygon(body, paint)
    pen.polygon([(0.01, 0.7), (0.99, 0.7), (0.98, 0.84), (0.02, 0.84)], _shade(paint, 0.75))
    pen.line([(0.48, 0.42), (0.48, 0.7)], _shade(paint, 0.7), 0.008)
    pen.polygon([(0.95, 0.5), (1, 0.56), (1, 0.64), (0.96, 0.62)], (246, 236, 196))
    _wheel(pen, 0.2, 0.1)
    _wheel(pen, 0.8, 0.1)


def _van(pen: Pen, paint: Colour) -> None:
    body = [(0, 0.1), (0.03, 0), (0.72, 0), (0.84, 0.34), (0.98, 0.46), (1, 0.9), (0, 0.9)]
    pen.polygon(body, paint)
    pen.polygon([(0.7, 0.08), (0.79, 0.36), (0.58, 0.36), (0.58, 0.08)], _GLASS)
    pen.polygon([(0.08, 0.12), (0.5, 0.12), (0.5, 0.3), (0.08, 0.3)], _shade(paint, 0.86))
    pen.polygon([(0, 0.76), (1, 0.76), (1, 0.9), (0, 0.9)], _shade(paint, 0.72))
    pen.line([(0.54, 0.06), (0.54, 0.76)], _shade(paint, 0.7), 0.008)
    pen.polygon([(0.94, 0.5), (0.99, 0.52), (1, 0.6), (0.95, 0.6)], (246, 236, 196))
    _wheel(pen, 0.2, 0.095)
    _wheel(pen, 0.8, 0.095)


def _bicycle(pen: Pen, paint: Colour) -> None:
    rise = 1 - 0.23 * pen.width / pen.height
    for x in (0.24, 0.76):
        pen.disc((x, rise), 0.23, _TYRE, rim=0.035)
    pen.line([(0.24, rise), (0.36, 0.3), (0.66, 0.28), (0.48, rise), (0.24, rise)], paint, 0.03)
    pen.line([(0.48, rise), (0.36, 0.3), (0.34, 0.18)], paint, 0.03)
    pen.line([(0.76, rise), (0.64, 0.12), (0.72, 0.08)], _METAL, 0.03)
    pen.line([(0.27, 0.17), (0.41, 0.17)], _TYRE, 0.05)


def _motorcycle(pen: Pen, paint: Colour) -> None:
    rise = 1 - 0.21 * pen.width / pen.height
    for x in (0.22, 0.78):
        pen.disc((x, rise), 0.2, _TYRE, rim=0.075)
        pen.disc((x, rise), 0.07, _METAL)
    pen.polygon([(0.22, rise), (0.34, 0.4), (0.62, 0.4), (0.7, rise)], _shade(_METAL, 0.7))
    pen.polygon([(0.4, 0.42), (0.46, 0.22), (0.64, 0.2), (0.72, 0.44)], paint)
    pen.polygon([(0.1, 0.34), (0.14, 0.26), (0.44, 0.3), (0.42, 0.42)], _TYRE)
    pen.line([(0.78, rise), (0.66, 0.16), (0.58, 0.06)], _METAL, 0.04)
    pen.disc((0.7, 0.24), 0.05, (246, 236, 196))


def _person(pen: Pen, paint: Colour) -> None:
    trousers = _shade(paint, 0.45)
    pen.line([(0.5, 0.52), (0.3, 0.76), (0.16, 0.98)], trousers, 0.2)
    pen.line([(0.5, 0.52), (0.68, 0.76), (0.78, 0.98)], trousers, 0.2)
    pen.line([(0.5, 0.24), (0.2, 0.42), (0.24, 0.56)], _shade(paint, 0.85), 0.15)
    pen.polygon([(0.3, 0.19), (0.7, 0.19), (0.74, 0.54), (0.28, 0.54)], paint)
    pen.line([(0.58, 0.24), (0.84, 0.4), (0.98, 0.5)], _shade(paint, 1.1), 0.15)
    pen.disc((0.52, 0.09), 0.2, _SKIN)
    pen.polygon([(0.3, 0.09), (0.34, 0.02), (0.56, 0), (0.74, 0.05), (0.5, 0.06)], (70, 52, 42))


def _dog(pen: Pen, paint: Colour) -> None:
    fur = _shade(paint, 0.6)
    for x in (0.22, 0.32, 0.62, 0.7):
        pen.line([(x, 0.6), (x + 0.02, 0.99)], _shade(fur, 0.8), 0.07)
    pen.polygon([(0.14, 0.4), (0.7, 0.36), (0.78, 0.5), (0.72, 0.7), (0.18, 0.7)], fur)
    pen.line([(0.16, 0.46), (0, 0.16)], fur, 0.06)
    pen.polygon([(0.66, 0.44), (0.72, 0.08), (0.86, 0.1), (1, 0.32), (0.96, 0.4), (0.8, 0.42)], fur)
    pen.polygon([(0.72, 0.1), (0.7, 0.36), (0.62, 0.32)], _shade(fur, 0.7))


_SHAPES: dict[str, Callable[[Pen, Colour], None]] = {
    "person": _person,
    "bicycle": _bicycle,
    "car": _car,
    "motorcycle": _motorcycle,
    "van": _van,
    "dog": _dog,
}
