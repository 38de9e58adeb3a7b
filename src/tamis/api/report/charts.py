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

    from tamis.api.report.values import CategoryDistribution, CategoryRow, Coverage, Curve, Histogram

_WIDTH, _HEIGHT = 420.0, 230.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 12.0, 12.0, 40.0
_NAME_WIDTH, _VALUE_WIDTH, _ROW_HEIGHT = 118.0, 46.0, 22.0
_MAX_ROWS = 24
_MAX_NAME = 18


@dataclass(frozen=True, slots=True)
class _Plane:
    """A plotting area with linear axes."""

    x_low: float
    x_high: float
    y_high: float

    def x(self, value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (value - self.x_low) / ((self.x_high - self.x_low) or 1.0)

    def y(self, value: float) -> float:
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
    plane = _Plane(edges[0], edges[-1], _headroom(max((max(s) for _, s in groups), default=1.0)))
    steps = [
        Markup('<path class="{} {}" d="{}"/>').format(
            name, "area" if name == "input" else "line", _step_path(plane, edges, shares)
        )
        for name, shares in groups
    ]
    columns = [_bin_column(plane, histogram, i) for i in range(len(edges) - 1)]
    axes = _axes(plane, x_label=histogram.label, y_label="share of group", percent=True)
    means = histogram.means
    described = ", ".join(
        f"{name} {number_text(mean)}"
        for name, mean in (("input", means.input), ("selected", means.selected), ("random", means.random))
        if mean is not None
    )
    return _svg(histogram.label, f"Mean: {described or 'unknown'}", [*axes, *steps, *columns], _HEIGHT)


def category_chart(distribution: CategoryDistribution) -> Markup:
    """Draw a row for each category: input as a wide bar, selected as a narrow one, random as a tick with range."""
    rows = visible_rows(distribution.rows)
    totals = _totals(distribution.rows)
    shares = [_row_shares(row, totals) for row in rows]
    longest = max((max(share.values()) for share in shares), default=0.0) or 1.0
    parts = [_category_row(i, row, shares[i], longest) for i, row in enumerate(rows)]
    described = f"{len(distribution.rows)} categories; share of each group's {distribution.unit}"
    return _svg(distribution.label, described, parts, max(1, len(rows)) * _ROW_HEIGHT + 4)


def coverage_chart(coverage: Coverage, curve: Curve, label: str) -> Markup:
    """Draw a distance by number of picks: selected as a line, random dashed with the range of its draws."""
    budgets = coverage.budgets
    known = [v for v in (*curve.selected, *curve.random_high) if v is not None]
    plane = _Plane(0.0, max(float(budgets[-1]), 1.0), _headroom(max(known, default=1.0)))
    upper, lower = _points(plane, budgets, curve.random_high), _points(plane, budgets, curve.random_low)
    parts = _axes(plane, x_label="picks", y_label=label, percent=False)
    if upper:
        parts.append(Markup('<path class="random band" d="M{}Z"/>').format(_join([*upper, *lower[::-1]])))
        parts.append(_line(plane, budgets, curve.random, "random"))
        parts.append(_line(plane, budgets, curve.selected, "selected"))
    if coverage.elbow is not None:
        parts.append(_elbow(plane, coverage.elbow))
    last, random = curve.selected[-1], curve.random[-1]
    described = f"{number_text(last)} after {budgets[-1]:,} picks, {number_text(random)} at random"
    return _svg(label, described, parts, _HEIGHT)


def visible_rows(rows: Sequence[CategoryRow]) -> list[CategoryRow]:
    """Return the categories that occur, the most frequent first, those past the limit folded into one row."""
    occurring = [row for row in rows if row.input or row.selected or row.random_high]
    ordered = sorted(occurring, key=lambda row: -row.input)
    if len(ordered) <= _MAX_ROWS:
        return ordered
    rest = ordered[_MAX_ROWS - 1 :]
    folded = type(rest[0])(
        name=f"{len(rest)} others",
        input=sum(row.input for row in rest),
        selected=sum(row.selected for row in rest),
        random=sum(row.random for row in rest),
        # The draws' ranges of single categories do not add up to a range of their sum.
        random_low=round(sum(row.random for row in rest)),
        random_high=round(sum(row.random for row in rest)),
    )
    return [*ordered[: _MAX_ROWS - 1], folded]


def _svg(title: str, description: str, parts: Iterable[Markup], height: float) -> Markup:
    return Markup(
        '<svg class="chart" role="img" viewBox="0 0 {:g} {:g}"><title>{}</title><desc>{}</desc>{}</svg>'
    ).format(_WIDTH, height, shown(title), shown(description), Markup().join(parts))


def _headroom(highest: float) -> float:
    return highest * 1.06 or 1.0


def _shares(counts: Sequence[float]) -> list[float]:
    total = sum(counts)
    return [count / total for count in counts] if total else [0.0 for _ in counts]


def _join(points: Iterable[tuple[float, float]]) -> str:
    return "L".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _step_path(plane: _Plane, edges: Sequence[float], shares: Sequence[float]) -> str:
    points = [(plane.x(edges[0]), plane.y(0))]
    for i, share in enumerate(shares):
        points += [(plane.x(edges[i]), plane.y(share)), (plane.x(edges[i + 1]), plane.y(share))]
    return "M" + _join([*points, (plane.x(edges[-1]), plane.y(0))])


def _bin_column(plane: _Plane, histogram: Histogram, i: int) -> Markup:
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


def _axes(plane: _Plane, *, x_label: str, y_label: str, percent: bool) -> list[Markup]:
    parts = []
    y_ticks = nice_ticks(0.0, plane.y_high, at_most=5)
    for value in y_ticks:
        text = percent_text(value) if percent else tick_text(value, _step(y_ticks))
        parts.append(
            Markup(
                '<line class="grid" x1="{:g}" x2="{:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
                '<text class="tick" x="{:g}" y="{:.1f}" text-anchor="end">{}</text>'
            ).format(_LEFT, _WIDTH - _RIGHT, _LEFT - 6, plane.y(value) + 3.5, text, y=plane.y(value))
        )
    x_ticks = nice_ticks(plane.x_low, plane.x_high, at_most=7)
    parts += [
        Markup('<text class="tick" x="{:.1f}" y="{:g}" text-anchor="middle">{}</text>').format(
            plane.x(value), _HEIGHT - _BOTTOM + 15, tick_text(value, _step(x_ticks))
        )
        for value in x_ticks
    ]
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(
        Markup('<text class="axis" x="{:g}" y="{:g}" text-anchor="middle">{}</text>').format(
            middle, _HEIGHT - 8, _shorten(x_label, 60)
        )
    )
    parts.append(
        Markup(
            '<text class="axis" transform="translate(10 {:g}) rotate(-90)" text-anchor="middle">{}</text>'
        ).format((_TOP + _HEIGHT - _BOTTOM) / 2, _shorten(y_label, 36))
    )
    return parts


def _step(ticks: Sequence[float]) -> float:
    return ticks[1] - ticks[0] if len(ticks) > 1 else abs(ticks[0]) or 1.0


def _points(plane: _Plane, budgets: Sequence[int], values: Sequence[float | None]) -> list[tuple[float, float]]:
    pairs = zip(budgets, values, strict=True)
    return [(plane.x(budget), plane.y(value)) for budget, value in pairs if value is not None]


def _line(plane: _Plane, budgets: Sequence[int], values: Sequence[float | None], group: str) -> Markup:
    points = _points(plane, budgets, values)
    if len(points) == 1:
        return Markup('<circle class="{} dot" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(group, *points[0])
    return Markup('<path class="{} line" d="M{}"/>').format(group, _join(points))


def _elbow(plane: _Plane, budget: int) -> Markup:
    x = plane.x(budget)
    is_left = x < _WIDTH * 0.7
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


def _totals(rows: Sequence[CategoryRow]) -> dict[str, float]:
    return {
        "input": sum(row.input for row in rows),
        "selected": sum(row.selected for row in rows),
        "random": sum(row.random for row in rows),
    }


def _row_shares(row: CategoryRow, totals: dict[str, float]) -> dict[str, float]:
    """Return the row's share of each group's occurrences; the draws' range is relative to their mean total."""
    random_total = totals["random"] or 1.0
    return {
        "input": row.input / (totals["input"] or 1.0),
        "selected": row.selected / (totals["selected"] or 1.0),
        "random": row.random / random_total,
        "low": row.random_low / random_total,
        "high": row.random_high / random_total,
    }


def _category_row(i: int, row: CategoryRow, shares: dict[str, float], longest: float) -> Markup:
    room = _WIDTH - _NAME_WIDTH - _VALUE_WIDTH
    length = {name: share / longest * room for name, share in shares.items()}
    middle = i * _ROW_HEIGHT + _ROW_HEIGHT / 2 + 2
    bars = Markup(
        '<rect class="input area" x="{left:g}" y="{:.1f}" width="{:.1f}" height="16" rx="2"/>'
        '<rect class="selected bar" x="{left:g}" y="{:.1f}" width="{:.1f}" height="8" rx="1"/>'
        '<path class="random whisker" d="M{low:.1f},{y:.1f}H{high:.1f}"/>'
        '<path class="random mark" d="M{at:.1f},{top:.1f}V{bottom:.1f}"/>'
    ).format(
        middle - 8,
        length["input"],
        middle - 4,
        length["selected"],
        left=_NAME_WIDTH,
        y=middle,
        low=_NAME_WIDTH + length["low"],
        high=_NAME_WIDTH + length["high"],
        at=_NAME_WIDTH + length["random"],
        top=middle - 7,
        bottom=middle + 7,
    )
    return Markup(
        '<g><title>{}</title><rect class="hit" x="0" y="{:.1f}" width="{:g}" height="{:g}"/>'
        '<text class="name" x="{:g}" y="{:.1f}" text-anchor="end">{}</text>{}'
        '<text class="value" x="{:g}" y="{:.1f}" text-anchor="end">{}</text></g>'
    ).format(
        _row_text(row, shares),
        middle - _ROW_HEIGHT / 2,
        _WIDTH,
        _ROW_HEIGHT,
        _NAME_WIDTH - 8,
        middle + 4,
        _shorten(row.name, _MAX_NAME),
        bars,
        _WIDTH,
        middle + 4,
        percent_text(shares["selected"]),
    )


def _row_text(row: CategoryRow, shares: dict[str, float]) -> str:
    return (
        f"{shown(row.name)}\ninput: {row.input:,} ({percent_text(shares['input'])})\n"
        f"selected: {row.selected:,} ({percent_text(shares['selected'])})\n"
        f"random: {number_text(row.random)} ({percent_text(shares['random'])}), "
        f"{row.random_low:,} to {row.random_high:,}"
    )


def _shorten(text: str, limit: int) -> str:
    visible = shown(text)
    return visible if len(visible) <= limit else visible[: limit - 1] + "\u2026"
