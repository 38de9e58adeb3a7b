"""What each condition means: a mask over all samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, assert_never

import numpy as np

from tamis.api.browsing.conditions import (
    Condition,
    DuplicateCondition,
    FileCondition,
    Filter,
    KeysCondition,
    LabelCondition,
    LassoCondition,
    ListCondition,
    NumberCondition,
    PathCondition,
    PoolCondition,
    PredictionsCondition,
    ProblemCondition,
    SelectionCondition,
    SqlCondition,
    TagCondition,
)
from tamis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tamis.api.browsing.conditions import ChangingCondition
    from tamis.api.browsing.view import View
    from tamis.model.columns import Bools, Ints

NAMING = ("key", "sample")
"""Columns of a query that name samples."""


class Lists(Protocol):
    """Where lists of samples are found."""

    def selection(self, selection_id: str) -> Sequence[str]:
        """Return the keys that a selection picked, in its order; raises `UsageError` when there is none."""

    def pool(self, name: str) -> Sequence[str]:
        """Return the members of a pool; raises `UsageError` when that cannot be its name."""

    def tag(self, name: str) -> Sequence[str]:
        """Return the samples that have a tag or an object with it; raises `UsageError` when that is no name."""

    def plot(self, view: View, space: str) -> tuple[NDArray[np.uint16], NDArray[np.uint32] | None]:
        """Return points and owners of a plot; raises `UsageError` when it was not made."""

    def duplicates(self, view: View, distance: float) -> Ints:
        """Return the numbers of the samples that repeat others, the nearest to theirs first.

        Raises:
            UsageError: when they were not looked for.
        """

    def pools(self) -> dict[str, Sequence[str]]:
        """Return the members of each pool by its name."""

    def tags(self) -> dict[str, Sequence[str]]:
        """Return what `tag` does for each tag that has members."""

    def stamp(self, view: View, condition: ChangingCondition) -> int:
        """Return what changes when a pool grows, a tag is changed, or a plot or duplicates are made again."""


def evaluate(view: View, condition: Condition) -> Bools:
    """Return which samples meet a condition, shape (N,).

    Raises:
        UsageError: when it names what there is not.
        StillLoadingError: when it needs what is still being read.
    """
    mask = _meets(view, condition)
    return ~mask if condition.exclude else mask


def listed(view: View, wanted: Filter) -> NDArray[np.uint32]:
    """Return the samples in the order of the first list that a filter names: of picks, pool members, keys, rows.

    Raises:
        UsageError: when it names none.
    """
    for condition in wanted:
        if not condition.exclude and isinstance(condition, ListCondition):
            return _numbers(view, condition).astype(np.uint32)
    raise UsageError(
        "There is no order of picks",
        hint="filter by a selection, a pool, a tag, duplicates, a list or a query first",
    )


def _meets(view: View, condition: Condition) -> Bools:  # noqa: PLR0911 (one return a kind of condition)
    match condition:
        case PredictionsCondition():
            return _by_predictions(view, condition)
        case FileCondition():
            return np.asarray(view.rows(condition.task).has_file)
        case NumberCondition():
            return _by_number(view, condition)
        case LabelCondition():
            return _by_label(view, condition)
        case PathCondition():
            return view.samples.with_text(condition.text)
        case ProblemCondition():
            return view.problems.samples_with(code=condition.code, task=condition.task, severity=condition.severity)
        case LassoCondition():
            return _by_lasso(view, condition)
        case (
            SelectionCondition()
            | PoolCondition()
            | TagCondition()
            | DuplicateCondition()
            | SqlCondition()
            | KeysCondition()
        ):
            mask = np.zeros(len(view.samples), np.bool_)
            mask[_numbers(view, condition)] = True
            return mask
    assert_never(condition)


def _by_predictions(view: View, condition: PredictionsCondition) -> Bools:
    rows = view.rows(condition.task)
    categories = rows.of_categories(condition.categories)
    ranges = rows.postings(categories, condition.score_min, condition.score_max)
    if condition.count_min == 1 and condition.count_max is None:
        there = np.zeros(len(view.samples), np.bool_)
        for part in ranges:
            there[rows.posting_sample[part]] = True
        return there
    counts = np.zeros(len(view.samples), np.int64)
    for part in ranges:
        counts += np.bincount(rows.posting_sample[part], minlength=len(counts))
    most = np.inf if condition.count_max is None else condition.count_max
    return np.asarray(rows.has_file & (counts >= condition.count_min) & (counts <= most))


def _by_number(view: View, condition: NumberCondition) -> Bools:
    values = view.columns.numbers(condition.column)
    least = -np.inf if condition.min is None else condition.min
    most = np.inf if condition.max is None else condition.max
    mask = (values >= least) & (values <= most)
    return mask | np.isnan(values) if condition.unknown else mask


def _by_label(view: View, condition: LabelCondition) -> Bools:
    labels = view.columns.labels(condition.column)
    wanted = set(condition.values)
    chosen = np.array([*(name in wanted for name in labels.names), None in wanted])
    return np.asarray(chosen[labels.codes])  # -1 is the last


def _numbers(view: View, condition: ListCondition) -> Ints:
    """Return the samples of a list in its order."""
    match condition:
        case SelectionCondition():
            return view.samples.numbers(view.lists.selection(condition.id))
        case PoolCondition():
            return view.samples.numbers(view.lists.pool(condition.name))
        case TagCondition():
            return view.samples.numbers(view.lists.tag(condition.name))
        case DuplicateCondition():
            return view.lists.duplicates(view, condition.distance)
        case KeysCondition():
            return view.samples.numbers(condition.keys)
        case SqlCondition():
            return view.samples.numbers(view.sandbox.column(condition.query, NAMING))
    assert_never(condition)


def _by_lasso(view: View, condition: LassoCondition) -> Bools:
    points, owners = view.lists.plot(view, condition.space)
    if condition.version not in {None, str(view.lists.stamp(view, condition))}:
        raise UsageError(
            "The points were laid out anew since this area was drawn around some of them",
            hint="draw it again in the Embedding view",
        )
    inside = inside_polygon(points, condition.polygon)
    if owners is None:
        return inside
    mask = np.zeros(len(view.samples), np.bool_)
    mask[owners[inside]] = True
    return mask


def inside_polygon(points: NDArray[np.uint16], polygon: Sequence[tuple[float, float]]) -> Bools:
    """Return which points lie inside a polygon: those from which a ray crosses its border an odd number of times.

    Args:
        points: x and y, shape (n, 2); 65535 means that there is no point.
        polygon: its corners.

    >>> inside_polygon(np.array([[1, 1], [3, 1]], np.uint16), [(0, 0), (2, 0), (2, 2), (0, 2)]).tolist()
    [True, False]
    """
    corners = np.asarray(polygon, np.float64).reshape(-1, 2)
    inside = np.zeros(len(points), np.bool_)
    if len(corners) < 3:  # noqa: PLR2004 (a polygon has at least three)
        return inside
    low, high = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero(((points >= low) & (points <= high) & (points < 65535)).all(axis=1))  # noqa: PLR2004
    x, y = points[near, 0].astype(np.float64), points[near, 1].astype(np.float64)
    odd = np.zeros(len(near), np.bool_)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crosses = (y0 > y) != (y1 > y)
        with np.errstate(over="ignore", invalid="ignore"):  # of corners that are no places of a plot
            before, after = (x - x0) * (y1 - y0), (x1 - x0) * (y - y0)
        odd ^= crosses & (before < after if y1 > y0 else before > after)
    inside[near] = odd
    return inside
