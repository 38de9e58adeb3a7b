"""How cost grows, as a picture: lines over logarithmic axes, in an SVG of its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLOURS = ("#1f6feb", "#d1570b", "#2da44e")
_LEFT, _TOP, _WIDE, _HIGH, _RIGHT = 60, 20, 420, 260, 90


def draw(curves: Mapping[str, Sequence[tuple[int, float]]], *, title: str) -> str:
    """Return an SVG of seconds over sizes, one named line for each curve of (size, seconds).

    Args:
        curves: their sizes are the same.
        title: what stands below.
    """
    points = [point for curve in curves.values() for point in curve]
    low = math.floor(math.log10(min(took for _, took in points)))
    high = math.ceil(math.log10(max(took for _, took in points)))
    sizes = sorted({size for size, _ in points})
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def x(size: float) -> float:
        return _LEFT + _WIDE * (math.log10(size) - first) / (last - first)

    def y(took: float) -> float:
        return _TOP + _HIGH * (high - math.log10(took)) / (high - low)

    parts = [
        f'<line x1="{_LEFT}" x2="{_LEFT + _WIDE}" y1="{y(10.0**e):.0f}" y2="{y(10.0**e):.0f}" stroke="#ccc"/>'
        f'<text x="{_LEFT - 6}" y="{y(10.0**e) + 4:.0f}" text-anchor="end">{10.0**e:g} s</text>'
        for e in range(low, high + 1)
    ]
    parts += [f'<text x="{x(n):.0f}" y="{_TOP + _HIGH + 18}" text-anchor="middle">{n:,}</text>' for n in sizes]
    for (name, curve), colour in zip(curves.items(), COLOURS, strict=False):
        line = " ".join(f"{x(size):.1f},{y(took):.1f}" for size, took in curve)
        end = y(curve[-1][1]) + 4
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{_LEFT + _WIDE + 6}" y="{end:.0f}" fill="{colour}">{name}</text>')
    parts.append(f'<text x="{_LEFT}" y="{_TOP + _HIGH + 38}">{title}</text>')
    size = f'width="{_LEFT + _WIDE + _RIGHT}" height="{_TOP + _HIGH + 50}"'
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12" fill="#333">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )
