"""Predictions drawn over a picture, as SVG in the original's pixels."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from tamis.api.report.overlays import category_colour
from tamis.api.report.scales import number_text
from tamis.api.report.text import shown

if TYPE_CHECKING:
    from tamis.api.report.values import Layer, Mark, Pick, PictureRef

_SHOWN_WIDTH = 360.0  # roughly the width of a card in CSS pixels: what text and dots are sized for
_FONT_PX = 11.5  # as in the style sheet, which shrinks it where a picture is enlarged
_SURE = 0.3  # boxes below this score are thin and unlabelled, so that the picture stays readable
_TRIPLET = 3


class Chip(NamedTuple):
    """A category of a picture in the list below it."""

    colour: str
    category: str
    text: str


def marks_svgs(pick: Pick) -> list[Markup]:
    """Draw each layer's boxes with category and score, keypoints and skeletons; nothing without a picture.

    Weak boxes are thin and unlabelled. A label that would cover another, of any layer, is left out.
    """
    if pick.picture is None:
        return [Markup() for _ in pick.layers]
    unit = max(pick.picture.width_px, pick.picture.height_px * 4 / 3) / _SHOWN_WIDTH
    labels = _Labels(unit, pick.picture)
    return [_marks_svg(layer, pick.picture, unit, labels) for layer in pick.layers]


def _marks_svg(layer: Layer, picture: PictureRef, unit: float, labels: _Labels) -> Markup:
    shapes = [
        Markup('<g data-s="{:.4f}"><title>{}</title>{}{}{}</g>').format(
            1.0 if mark.score is None else mark.score,
            mark_text(mark),
            _box(mark),
            _keypoints(mark, unit),
            labels.place(mark),
        )
        for mark in layer.marks
        if mark.bbox is not None or mark.keypoints is not None
    ]
    # The surest come first in the layer, and are drawn last, over the others.
    return Markup('<svg class="marks" viewBox="0 0 {} {}" style="--u:{:.3f}px" aria-hidden="true">{}</svg>').format(
        picture.width_px, picture.height_px, unit, Markup().join(reversed(shapes))
    )


def chips(layer: Layer) -> list[Chip]:
    """Return what the layer predicts: each category once, with its number and its best score."""
    counts = Counter(mark.category_id for mark in layer.marks)
    result = []
    for category_id, count in counts.items():
        best = next(mark for mark in layer.marks if mark.category_id == category_id)
        value = best.probability if best.score is None else best.score
        text = "" if value is None else f" {value:.2f}"
        if count > 1:
            text = f" \u00d7 {count}" if value is None else f" \u00d7 {count}, best{text}"
        result.append(Chip(category_colour(category_id), shown(best.category), text))
    return result


def mark_text(mark: Mark) -> str:
    """Return category and score for people."""
    return shown(mark.category) + ("" if mark.score is None else f" {number_text(mark.score)}")


class _Labels:
    """Places labels above their boxes, and leaves out those that would cover another."""

    def __init__(self, unit: float, picture: PictureRef) -> None:
        self._unit = unit
        self._picture = picture
        self._taken: list[tuple[float, float, float, float]] = []

    def place(self, mark: Mark) -> Markup:
        if mark.bbox is None or _is_weak(mark):
            return Markup()
        text = shown(mark.category) + ("" if mark.score is None else f" {mark.score:.2f}")
        size = _FONT_PX * self._unit
        width, height = len(text) * size * 0.56, size * 1.25
        x = max(0.0, min(mark.bbox[0], self._picture.width_px - width))
        y = mark.bbox[1] - height if mark.bbox[1] >= height else mark.bbox[1]
        place = (x, y, x + width, y + height)
        if any(_overlap(place, other) for other in self._taken):
            return Markup()
        self._taken.append(place)
        return Markup('<text x="{:.1f}" y="{:.1f}">{}</text>').format(x + self._unit, y + size * 0.95, text)


def _is_weak(mark: Mark) -> bool:
    return mark.score is not None and mark.score < _SURE


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _box(mark: Mark) -> Markup:
    if mark.bbox is None:
        return Markup()
    x, y, width, height = mark.bbox
    return Markup(
        '<rect class="{shade}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}"/>'
        '<rect class="{line}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" stroke="{colour}"/>'
    ).format(
        x=x,
        y=y,
        w=max(width, 0.0),
        h=max(height, 0.0),
        shade="shade weak" if _is_weak(mark) else "shade",
        line="box weak" if _is_weak(mark) else "box",
        colour=category_colour(mark.category_id),
    )


def _keypoints(mark: Mark, unit: float) -> Markup:
    """Draw keypoints as dots and the skeleton as lines, fainter where less sure; confidence 0 is not there."""
    values = mark.keypoints or ()
    points = [values[i : i + _TRIPLET] for i in range(0, len(values) - _TRIPLET + 1, _TRIPLET)]
    colour = category_colour(mark.category_id)
    lines = [
        Markup('<path class="bone" d="M{:.1f},{:.1f}L{:.1f},{:.1f}" stroke="{}" opacity="{:.2f}"/>').format(
            points[a][0],
            points[a][1],
            points[b][0],
            points[b][1],
            colour,
            _opacity(min(points[a][2], points[b][2])),
        )
        for a, b in mark.skeleton
        if a < len(points) and b < len(points) and points[a][2] > 0 and points[b][2] > 0
    ]
    dots = [
        Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{:.1f}" fill="{}" opacity="{:.2f}"/>').format(
            x, y, 2.6 * unit, colour, _opacity(s)
        )
        for x, y, s in points
        if s > 0
    ]
    return Markup().join([*lines, *dots])


def _opacity(confidence: float) -> float:
    return 0.15 + 0.85 * min(1.0, confidence)
