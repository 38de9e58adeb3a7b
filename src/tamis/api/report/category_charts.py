"""Rows of categories as plain SVG: wide bar input, narrow bar selected, tick with range random."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from tamis.api.report.charts import CHART_WIDTH, svg
from tamis.api.report.scales import number_text, percent_text
from tamis.api.report.text import shown
from tamis.api.report.values import CategoryRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.api.report.values import CategoryDistribution

_NAME_WIDTH, _VALUE_WIDTH, _ROW_HEIGHT = 112.0, 46.0, 22.0
_MAX_ROWS = 24
_MAX_NAME = 18


def category_chart(distribution: CategoryDistribution) -> Markup:
    """Draw a row for each category: input as a wide bar, selected as a narrow one, random as a tick with range."""
    rows = visible_rows(distribution.rows)
    totals = _totals(distribution.rows)
    shares = [_row_shares(row, totals) for row in rows]
    longest = max((max(share.values()) for share in shares), default=0.0) or 1.0
    parts = [_category_row(i, row, shares[i], longest) for i, row in enumerate(rows)]
    described = f"{len(distribution.rows)} categories; share of each group's {distribution.unit}"
    return svg(distribution.label, described, parts, max(1, len(rows)) * _ROW_HEIGHT + 4)


def visible_rows(rows: Sequence[CategoryRow]) -> list[CategoryRow]:
    """Return the categories that occur, the most frequent first, those past the limit folded into one row."""
    occurring = [row for row in rows if row.input or row.selected or row.random]
    ordered = sorted(occurring, key=lambda row: -row.input)
    if len(ordered) <= _MAX_ROWS:
        return ordered
    return [*ordered[: _MAX_ROWS - 1], _fold(ordered[_MAX_ROWS - 1 :], rows)]


def _fold(rest: Sequence[CategoryRow], rows: Sequence[CategoryRow]) -> CategoryRow:
    """Return one row for many; the ranges of single categories do not add up, so its range is its mean."""
    random = sum(row.random for row in rest)
    share = random / (sum(row.random for row in rows) or 1.0)
    return CategoryRow(
        name=f"{len(rest)} others",
        input=sum(row.input for row in rest),
        selected=sum(row.selected for row in rest),
        random=random,
        random_share_low=share,
        random_share_high=share,
    )


def _totals(rows: Sequence[CategoryRow]) -> dict[str, float]:
    return {
        "input": sum(row.input for row in rows),
        "selected": sum(row.selected for row in rows),
        "random": sum(row.random for row in rows),
    }


def _row_shares(row: CategoryRow, totals: dict[str, float]) -> dict[str, float]:
    """Return the row's share of each group's occurrences."""
    return {
        "input": row.input / (totals["input"] or 1.0),
        "selected": row.selected / (totals["selected"] or 1.0),
        "random": row.random / (totals["random"] or 1.0),
        "low": row.random_share_low,
        "high": row.random_share_high,
    }


def _category_row(i: int, row: CategoryRow, shares: dict[str, float], longest: float) -> Markup:
    room = CHART_WIDTH - _NAME_WIDTH - _VALUE_WIDTH
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
        CHART_WIDTH,
        _ROW_HEIGHT,
        _NAME_WIDTH - 8,
        middle + 4,
        _shorten(row.name, _MAX_NAME),
        bars,
        CHART_WIDTH,
        middle + 4,
        percent_text(shares["selected"]),
    )


def _row_text(row: CategoryRow, shares: dict[str, float]) -> str:
    return (
        f"{shown(row.name)}\ninput: {row.input:,} ({percent_text(shares['input'])})\n"
        f"selected: {row.selected:,} ({percent_text(shares['selected'])})\n"
        f"random: {number_text(row.random)} ({percent_text(shares['random'])}; "
        f"draws {percent_text(shares['low'])} to {percent_text(shares['high'])})"
    )


def _shorten(text: str, limit: int) -> str:
    visible = shown(text)
    return visible if len(visible) <= limit else visible[: limit - 1] + "\u2026"
