"""Charts of an evaluation as plain SVG and tables, in the manner of the report's."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from markupsafe import Markup

from tamis.api.report.charts import Plane, axes, join_points, svg
from tamis.api.report.scales import number_text
from tamis.api.report.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tamis.api.evaluating.values import Calibration, Confusion, Curve, Evaluation

_HEIGHT = 210.0
_MOST_CATEGORIES = 20
_SQUARE = Plane(0.0, 1.0, 1.0)


def precision_chart(curves: Sequence[Curve]) -> Markup:
    """Draw precision by recall, a line an overlap."""
    lines = [
        [(i / (len(curve.precision) - 1), value) for i, value in enumerate(curve.precision) if value is not None]
        for curve in curves
    ]
    described = ", ".join(curve.label for curve in curves)
    return _lines("Precision by recall", described, lines, x_label="recall", y_label="precision")


def threshold_chart(report: Evaluation) -> Markup:
    """Draw precision, recall and F1 by the smallest score that counts; a line marks the one that was used."""
    rows = report.thresholds
    lines: list[list[tuple[float, float]]] = [
        [(row.min_score, row.precision) for row in rows if row.precision is not None],
        [(row.min_score, row.recall) for row in rows],
        [(row.min_score, row.f1) for row in rows],
    ]
    x = _SQUARE.x(report.min_score or 0.0)
    chosen = Markup('<line class="chosen" x1="{x:.1f}" x2="{x:.1f}" y1="{:.1f}" y2="{:.1f}"/>').format(
        _SQUARE.y(0), _SQUARE.y(1), x=x
    )
    described = f"used: {number_text(report.min_score)}"
    return _lines("Precision, recall and F1 by score", described, lines, [chosen], x_label="score", y_label="share")


def reliability_chart(calibration: Calibration) -> Markup:
    """Draw which part of the predictions of each bin of scores is right; on the dotted line, scores are true."""
    bars = [
        Markup(
            '<rect class="bin" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
        ).format(
            _SQUARE.x(one.low) + 1,
            _SQUARE.y(one.accuracy),
            _SQUARE.x(one.high) - _SQUARE.x(one.low) - 2,
            _SQUARE.y(0) - _SQUARE.y(one.accuracy),
            f"{one.count:,} with a score of {number_text(one.confidence)} on average: "
            f"{number_text(one.accuracy)} of them right",
        )
        for one in calibration.bins
        if one.accuracy is not None
    ]
    ideal = Markup('<path class="ideal" d="M{}"/>').format(
        join_points([(_SQUARE.x(0), _SQUARE.y(0)), (_SQUARE.x(1), _SQUARE.y(1))])
    )
    described = f"expected calibration error {number_text(calibration.ece)}"
    drawn = axes(_SQUARE, x_label="score", y_label="share that is right", percent=False, whole=False)
    return svg("Reliability", described, [*drawn, *bars, ideal], _HEIGHT)


def confusion_chart(confusion: Sequence[Confusion]) -> Markup:
    """Draw the categories that are confused the most as a matrix: labels down, predictions across."""
    mistakes: Counter[str | None] = Counter()
    everything: Counter[str | None] = Counter()
    for cell in confusion:
        for name in (cell.labelled, cell.predicted):
            everything[name] += cell.count
            if cell.labelled != cell.predicted:
                mistakes[name] += cell.count
    named = [name for name in everything if name is not None]
    named.sort(key=lambda name: (-mistakes[name], -everything[name], name))
    names: list[str | None] = [*named[:_MOST_CATEGORIES], *([None] if None in everything else [])]
    counts = {(cell.labelled, cell.predicted): cell.count for cell in confusion}
    # Each row is coloured by its own share, so that rare categories are seen as well as frequent ones.
    rows = [_confusion_row(name, names, counts) for name in names]
    heads = Markup().join(Markup("<th>{}</th>").format(_named(name)) for name in names)
    return Markup('<table class="confusion"><thead><tr><td></td>{}</tr></thead><tbody>{}</tbody></table>').format(
        heads, Markup().join(rows)
    )


def _confusion_row(
    name: str | None, names: Sequence[str | None], counts: dict[tuple[str | None, str | None], int]
) -> Markup:
    total = sum(counts.get((name, other), 0) for other in names) or 1
    cells = [
        Markup(
            '<td class="{}" style="background:color-mix(in srgb, var(--selected) {:.0f}%, transparent)">{}</td>'
        ).format(
            "right" if name == other and name is not None else "",
            75 * counts.get((name, other), 0) / total,
            number_text(count) if (count := counts.get((name, other), 0)) else "",
        )
        for other in names
    ]
    return Markup("<tr><th>{}</th>{}</tr>").format(_named(name), Markup().join(cells))


def _named(name: str | None) -> str:
    return "(nothing)" if name is None else shown(name)


def _lines(
    title: str,
    described: str,
    lines: Iterable[Sequence[tuple[float, float]]],
    more: Sequence[Markup] = (),
    *,
    x_label: str,
    y_label: str,
) -> Markup:
    paths = [
        Markup('<path class="line-{}" d="M{}"/>').format(
            i, join_points((_SQUARE.x(x), _SQUARE.y(y)) for x, y in line)
        )
        for i, line in enumerate(lines)
        if line
    ]
    drawn = axes(_SQUARE, x_label=x_label, y_label=y_label, percent=False, whole=False)
    return svg(title, described, [*drawn, *more, *paths], _HEIGHT)
