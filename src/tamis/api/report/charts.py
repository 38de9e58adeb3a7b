"""Charts as plain SVG: numbers in, markup out.

Colours come from the page's style sheet by class (`input`, `selected`, `random`), so that light and dark schemes
share one drawing; form tells the groups apart where colour does not: filled area, solid line, dashed line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from tamis.api.report.scales import nice_ticks, number_text, percent_text, tick_text
from tamis.api.report.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tamis.api.report.values import Coverage, Curve, Histogram

CHART_WIDTH, _HEIGHT = 380.0, 210.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 10.0, 20.0, 36.0


@dataclass(frozen=True, slots=True)
class Plane:
    """A plotting area with linear axes; `x` and `y` place values in it."""

    x_low: float
    x_high: float
    y_high: float

    def x(self, value: float) -> float:
        """Return how far to the right a value is, in the units of the drawing."""
        return _LEFT + (CHART_WIDTH - _LEFT - _RIGHT) * (value - self.x_low) / ((self.x_high - self.x_low) or 1.0)

    def y(self, value: float) -> float:
        """Return how far down a value is."""
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / (self.y_high or 1.0)


def histogram_chart(histogram: Histogram) -> Markup:
    """Draw shares of each group by bin: input filled, selected as a line, random dashed."""
    counted: list[tuple[str, Sequence[float]]] = [
        ("input", histogram.input or ()),
        ("random", histogram.random),
        ("selected", histogram.selected),
    ]
    groups = [(name, _shares(counts)) for name, counts in counted if sum(counts)]
    edges = histogram.edges
    plane = Plane(edges[0], edges[-1], _headroom(max((max(s) for _, s in groups), default=1.0)))
    steps = [
        Markup('<path class="{} {}" d="{}"/>').format(
            name, "area" if name == "input" else "line", _step_path(plane, edges, shares)
        )
        for name, shares in groups
    ]
    columns = [_bin_column(plane, histogram, i) for i in range(len(edges) - 1)]
    whole = all(edge % 1 == 0.5 for edge in edges)  # noqa: PLR2004 (such edges are those of counts)
    drawn_axes = axes(plane, x_label="value", y_label="share of each group", percent=True, whole=whole)
    means = histogram.means
    described = ", ".join(
        f"{name} {number_text(mean)}"
        for name, mean in (("input", means.input), ("selected", means.selected), ("random", means.random))
        if mean is not None
    )
    return svg(histogram.label, f"Mean: {described or 'unknown'}", [*drawn_axes, *steps, *columns], _HEIGHT)


def coverage_chart(coverage: Coverage, curve: Curve, label: str) -> Markup:
    """Draw a distance by number of picks: selected as a line, random dashed with the range of its draws."""
    budgets = coverage.budgets
    known = [v for v in (*curve.selected, *curve.random_high) if v is not None]
    plane = Plane(0.0, max(float(budgets[-1]), 1.0), _headroom(max(known, default=1.0)))
    upper, lower = _points(plane, budgets, curve.random_high), _points(plane, budgets, curve.random_low)
    parts = axes(plane, x_label="picks", y_label=label, percent=False, whole=True)
    if upper:
        parts.append(Markup('<path class="random band" d="M{}Z"/>').format(join_points([*upper, *lower[::-1]])))
        parts.append(_line(plane, budgets, curve.random, "random"))
        parts.append(_line(plane, budgets, curve.selected, "selected"))
    if coverage.elbow is not None:
        parts.append(_elbow(plane, coverage.elbow))
    last, random = curve.selected[-1], curve.random[-1]
    described = f"{number_text(last)} after {budgets[-1]:,} picks, {number_text(random)} at random"
    return svg(label, described, parts, _HEIGHT)


def svg(title: str, description: str, parts: Iterable[Markup], height: float) -> Markup:
    """Return a chart of the common width with its accessible title and description."""
    return Markup(
        '<svg class="chart" role="img" viewBox="0 0 {:g} {:g}"><title>{}</title><desc>{}</desc>{}</svg>'
    ).format(CHART_WIDTH, height, shown(title), shown(description), Markup().join(parts))


def _headroom(highest: float) -> float:
    return highest * 1.06 or 1.0


def _shares(counts: Sequence[float]) -> list[float]:
    total = sum(counts)
    return [count / total for count in counts] if total else [0.0 for _ in counts]


def join_points(points: Iterable[tuple[float, float]]) -> str:
    """Return the points of an SVG path, each joined to the next by a line."""
    return "L".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _step_path(plane: Plane, edges: Sequence[float], shares: Sequence[float]) -> str:
    points = [(plane.x(edges[0]), plane.y(0))]
    for i, share in enumerate(shares):
        points += [(plane.x(edges[i]), plane.y(share)), (plane.x(edges[i + 1]), plane.y(share))]
    return "M" + join_points([*points, (plane.x(edges[-1]), plane.y(0))])


def _bin_column(plane: Plane, histogram: Histogram, i: int) -> Markup:
    """An invisible column over a bin that shows its numbers under the pointer."""
    left, right = histogram.edges[i], histogram.edges[i + 1]
    counts = [("input", histogram.input), ("selected", histogram.selected), ("random", histogram.random)]
    text = "\n".join(
        f"{name}: {number_text(c[i])} ({percent_text(_shares(c)[i])})" for name, c in counts if c is not None
    )
    return Markup(
        '<rect class="hit" x="{:.1f}" y="{:g}" width="{:.1f}" height="{:g}"><title>{}</title></rect>'
    ).format(
        plane.x(left),
        _TOP,
        plane.x(right) - plane.x(left),
        _HEIGHT - _TOP - _BOTTOM,
        f"{number_text(left)} to {number_text(right)}\n{text}",
    )


def axes(plane: Plane, *, x_label: str, y_label: str, percent: bool, whole: bool) -> list[Markup]:
    """Draw ticks, grid lines and the labels of both axes of a chart."""
    parts = []
    y_ticks = nice_ticks(0.0, plane.y_high, at_most=5)
    for value in y_ticks:
        text = percent_text(value) if percent else tick_text(value, _step(y_ticks))
        parts.append(
            Markup(
                '<line class="grid" x1="{:g}" x2="{:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
                '<text class="tick" x="{:g}" y="{:.1f}" text-anchor="end">{}</text>'
            ).format(_LEFT, CHART_WIDTH - _RIGHT, _LEFT - 6, plane.y(value) + 3.5, text, y=plane.y(value))
        )
    x_ticks = nice_ticks(plane.x_low, plane.x_high, at_most=7, whole=whole)
    parts += [
        Markup('<text class="tick" x="{:.1f}" y="{:g}" text-anchor="middle">{}</text>').format(
            plane.x(value), _HEIGHT - _BOTTOM + 15, tick_text(value, _step(x_ticks))
        )
        for value in x_ticks
    ]
    labels = ((CHART_WIDTH - _RIGHT, _HEIGHT - 5, "end", x_label), (_LEFT, _TOP - 8, "start", y_label))
    parts += [
        Markup('<text class="axis" x="{:g}" y="{:g}" text-anchor="{}">{}</text>').format(*label) for label in labels
    ]
    return parts


def _step(ticks: Sequence[float]) -> float:
    return ticks[1] - ticks[0] if len(ticks) > 1 else abs(ticks[0]) or 1.0


def _points(plane: Plane, budgets: Sequence[int], values: Sequence[float | None]) -> list[tuple[float, float]]:
    pairs = zip(budgets, values, strict=True)
    return [(plane.x(budget), plane.y(value)) for budget, value in pairs if value is not None]


def _line(plane: Plane, budgets: Sequence[int], values: Sequence[float | None], group: str) -> Markup:
    points = _points(plane, budgets, values)
    if len(points) == 1:
        return Markup('<circle class="{} dot" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(group, *points[0])
    return Markup('<path class="{} line" d="M{}"/>').format(group, join_points(points))


def _elbow(plane: Plane, budget: int) -> Markup:
    x = plane.x(budget)
    is_left = x < CHART_WIDTH * 0.7
    return Markup(
        '<line class="elbow" x1="{x:.1f}" x2="{x:.1f}" y1="{:g}" y2="{:g}"/>'
        '<text class="note" x="{:.1f}" y="{:g}" text-anchor="{}">bend at {:,}</text>'
    ).format(
        _TOP,
        _HEIGHT - _BOTTOM,
        x + 5 if is_left else x - 5,
        _TOP + 9,
        "start" if is_left else "end",
        budget,
        x=x,
    )
