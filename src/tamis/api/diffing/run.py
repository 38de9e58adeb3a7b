"""Comparing two runs of a model: two tasks of a datasource, or tasks of two."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.api.compared import compared_shape
from tamis.api.diffing.classes import compare_classes
from tamis.api.diffing.objects import compare_objects, found_in_objects
from tamis.api.diffing.options import DiffOptions
from tamis.api.diffing.schemas import join_categories
from tamis.api.diffing.values import (
    CategoryCount,
    ChangedSample,
    Diff,
    Flip,
    OnlyIn,
    RunSide,
    ScoreShift,
)
from tamis.api.options import ignore_progress
from tamis.api.pairing import Pairing, Side
from tamis.errors import UsageError
from tamis.index import SampleColumns
from tamis.model import TaskType

if TYPE_CHECKING:
    from tamis.api.diffing.found import Found
    from tamis.api.diffing.schemas import Categories
    from tamis.engine import ProgressListener
    from tamis.index import Snapshot
    from tamis.model.columns import Bools, Floats

_QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
_EXAMPLES = 5

Columns = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class DiffRun:
    """A comparison, and what it says of every sample.

    Attributes:
        report: the figures.
        samples: columns by name, `key` first; a row for each sample that both runs have a file of.
    """

    report: Diff
    samples: Columns


def diff(
    first: Snapshot,
    task: str,
    second: Snapshot,
    other_task: str,
    options: DiffOptions | None = None,
    *,
    listen: ProgressListener = ignore_progress,
) -> DiffRun:
    """Compare two runs; samples are matched by key, categories by name.

    Args:
        first: index of the old run.
        task: its task.
        second: index of the new run, may be the same.
        other_task: its task.
        options: how.
        listen: told how many samples were compared.

    Raises:
        UsageError: when there is no such task, both are the same, they cannot be compared, or share no sample.
    """
    given = options or DiffOptions()
    one, other = first.task(task), second.task(other_task)
    samples = SampleColumns(first)
    is_same = first.root == second.root and first.id == second.id
    if is_same and task == other_task:
        raise UsageError(
            f"`{task}` cannot be compared with itself", hint="name another task, or another datasource"
        )
    pairing = Pairing(Side(samples, one), Side(samples if is_same else SampleColumns(second), other))
    shape = compared_shape(one, other, given.shape)
    if not pairing.in_both.any():
        raise UsageError(
            f"No sample has predictions of both `{task}` and `{other_task}`",
            hint="samples are matched by key: the paths below both datasources have to be the same",
        )
    categories = join_categories(one, other)
    if one.task_type is TaskType.CLASSIFICATION:
        found, compared = compare_classes(pairing, categories, given, listen), "classes"
    else:
        changes = compare_objects(pairing, shape, categories, given, listen)
        found, compared = found_in_objects(changes, len(samples)), str(shape)
    columns = _columns(pairing, found)
    return DiffRun(_report(pairing, categories, found, columns, compared, given), columns)


def _columns(pairing: Pairing, found: Found) -> Columns:
    at = np.flatnonzero(pairing.in_both)
    keys = pairing.first.samples.keys
    counts = {name.replace(" ", "_"): found.outcomes[i, at] for i, name in enumerate(found.names)}
    return {"key": [keys[i] for i in at.tolist()], "disagreement": found.disagreement[at], **counts}


def _report(
    pairing: Pairing, categories: Categories, found: Found, columns: Columns, compared: str, options: DiffOptions
) -> Diff:
    disagreement = columns["disagreement"]
    changed = found.outcomes[1:].sum(axis=0)[pairing.in_both] > 0
    return Diff(
        first=_side(pairing.first, pairing.in_first, len(found.first_categories)),
        second=_side(pairing.second, pairing.has_second, len(found.second_categories)),
        compared=compared,
        samples=len(disagreement),
        samples_changed=int(changed.sum()),
        only_first=_only(pairing.first, pairing.in_first & ~pairing.in_both),
        only_second=_only(pairing.second, pairing.only_second),
        schema=categories.change,
        outcomes=dict(zip(found.names, found.outcomes.sum(axis=1).tolist(), strict=True)),
        categories=_category_counts(categories, found),
        flips=_flips(categories, found),
        scores=_score_shift(found),
        mean_disagreement=float(disagreement.mean()),
        most_changed=_most_changed(found, columns, options.n_samples),
    )


def _side(side: Side, has_file: Bools, n_predictions: int) -> RunSide:
    return RunSide(
        task=side.task.name,
        source=side.samples.snapshot.manifest.source,
        task_type=side.task.task_type,
        samples=int(has_file.sum()),
        predictions=n_predictions,
    )


def _only(side: Side, which: Bools) -> OnlyIn:
    at = np.flatnonzero(which)
    return OnlyIn(count=len(at), examples=tuple(side.samples.keys[i] for i in at[:_EXAMPLES].tolist()))


def _category_counts(categories: Categories, found: Found) -> tuple[CategoryCount, ...]:
    n = len(categories.names)
    one = np.bincount(found.first_categories, minlength=n)
    other = np.bincount(found.second_categories, minlength=n)
    order = np.lexsort((-(one + other), -np.abs(other - one)))
    return tuple(
        CategoryCount(category=categories.names[i], first=int(one[i]), second=int(other[i]))
        for i in order.tolist()
        if one[i] or other[i]
    )


def _flips(categories: Categories, found: Found) -> tuple[Flip, ...]:
    names = [*categories.names, None]
    counts = Counter(map(tuple, found.flips.tolist()))
    return tuple(Flip(first=names[a], second=names[b], count=n) for (a, b), n in counts.most_common())


def _score_shift(found: Found) -> ScoreShift | None:
    one, other = (scores[~np.isnan(scores)] for scores in (found.first_scores, found.second_scores))
    if not len(one) or not len(other):
        return None
    changes = found.score_changes[~np.isnan(found.score_changes)]
    return ScoreShift(
        quantiles=_QUANTILES,
        first=tuple(np.quantile(one, _QUANTILES).tolist()),
        second=tuple(np.quantile(other, _QUANTILES).tolist()),
        first_mean=float(one.mean()),
        second_mean=float(other.mean()),
        distance=_distance(one, other),
        matched_mean=float(changes.mean()) if len(changes) else None,
    )


def _distance(one: Floats, other: Floats) -> float:
    """Return the largest distance of the cumulated distributions (Kolmogorov-Smirnov)."""
    one, other = np.sort(one), np.sort(other)
    values = np.concatenate([one, other])
    shares = [np.searchsorted(scores, values, side="right") / len(scores) for scores in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


def _most_changed(found: Found, columns: Columns, n: int) -> tuple[ChangedSample, ...]:
    disagreement = columns["disagreement"]
    order = np.argsort(-disagreement, kind="stable")[:n].tolist()
    return tuple(
        ChangedSample(
            sample=columns["key"][i],
            disagreement=float(disagreement[i]),
            outcomes={name: int(columns[name.replace(" ", "_")][i]) for name in found.names},
        )
        for i in order
        if disagreement[i] > 0
    )
