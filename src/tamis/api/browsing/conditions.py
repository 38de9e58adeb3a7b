"""Filters as values: a list of conditions that a sample must all meet. In a URL they are JSON."""

from __future__ import annotations

import msgspec


class _Condition(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", forbid_unknown_fields=True
):
    """What all conditions share.

    Attributes:
        exclude: whether samples that meet the condition are left out instead.
    """

    exclude: bool = False


class PredictionsCondition(_Condition, frozen=True, kw_only=True, tag="predictions"):
    """Samples by the predictions of a task.

    Attributes:
        task: name of the task.
        categories: ids of which predictions count, `None` for all.
        score_min: predictions below it do not count; with either limit, nor do those without a score.
        score_max: predictions above it do not count.
        count_min: how many predictions must count, at least.
        count_max: at most; samples without a valid file never meet the condition.
    """

    task: str
    categories: tuple[int, ...] | None = None
    score_min: float | None = None
    score_max: float | None = None
    count_min: int = 1
    count_max: int | None = None


class FileCondition(_Condition, frozen=True, kw_only=True, tag="file"):
    """Samples with a valid prediction file of a task."""

    task: str


class NumberCondition(_Condition, frozen=True, kw_only=True, tag="number"):
    """Samples by a number.

    Attributes:
        column: id of a column of kind `number`.
        min: least value, included.
        max: greatest value, included.
        unknown: whether samples without a value meet the condition.
    """

    column: str
    min: float | None = None
    max: float | None = None
    unknown: bool = False


class LabelCondition(_Condition, frozen=True, kw_only=True, tag="label"):
    """Samples by a label.

    Attributes:
        column: id of a column of kind `label`.
        values: any of these, as text; `None` stands for samples without a value.
    """

    column: str
    values: tuple[str | None, ...]


class PathCondition(_Condition, frozen=True, kw_only=True, tag="path"):
    """Samples whose key holds a text, in upper or lower case."""

    text: str


class ProblemCondition(_Condition, frozen=True, kw_only=True, tag="problem"):
    """Samples with a problem in one of their files.

    Attributes:
        code: of the problem, `None` for any.
        task: that it is about, `None` for any.
        severity: `error`, `warning` or `info`, `None` for any.
    """

    code: str | None = None
    task: str | None = None
    severity: str | None = None


class SelectionCondition(_Condition, frozen=True, kw_only=True, tag="selection"):
    """Samples that a selection picked; `id` is that of its job."""

    id: str


class PoolCondition(_Condition, frozen=True, kw_only=True, tag="pool"):
    """Members of a pool."""

    name: str


class TagCondition(_Condition, frozen=True, kw_only=True, tag="tag"):
    """Samples that have a tag, or an object that has it."""

    name: str


class SqlCondition(_Condition, frozen=True, kw_only=True, tag="sql"):
    """Samples that a query returns, in its column `key` or `sample`."""

    query: str


class LassoCondition(_Condition, frozen=True, kw_only=True, tag="lasso"):
    """Samples with a point inside a polygon of an embedding plot.

    Attributes:
        space: of the plot.
        polygon: x and y of each corner, in the units of the points: 0 to 65534.
        version: of the plot that it was drawn in; in another one it would mean other samples, and is refused.
    """

    space: str
    polygon: tuple[tuple[float, float], ...]
    version: str | None = None


class DuplicateCondition(_Condition, frozen=True, kw_only=True, tag="duplicate"):
    """Samples that repeat another one which is kept, as far as duplicates were looked for since the scan.

    Attributes:
        distance: the largest distance of near-duplicates; 0: only exact ones.
    """

    distance: float


class KeysCondition(_Condition, frozen=True, kw_only=True, tag="keys"):
    """Samples by name."""

    keys: tuple[str, ...]


Condition = (
    PredictionsCondition
    | FileCondition
    | NumberCondition
    | LabelCondition
    | PathCondition
    | ProblemCondition
    | SelectionCondition
    | PoolCondition
    | TagCondition
    | SqlCondition
    | LassoCondition
    | DuplicateCondition
    | KeysCondition
)
Filter = tuple[Condition, ...]
ListCondition = (
    SelectionCondition | PoolCondition | TagCondition | DuplicateCondition | KeysCondition | SqlCondition
)
"""Conditions that name samples in an order."""
ChangingCondition = PoolCondition | TagCondition | LassoCondition | DuplicateCondition
"""Conditions that mean other samples when what they name changes."""
