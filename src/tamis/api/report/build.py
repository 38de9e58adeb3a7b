"""From the arrays of a selection to the numbers of its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.api.report.coverage import is_embedded, measure_coverage, nearest_distances
from tamis.api.report.distributions import (
    Groups,
    category_distribution,
    count_edges,
    distance_histogram,
    draw_groups,
    group_means,
    histogram,
    histogram_edges,
    known_mean,
)
from tamis.api.report.gallery import build_picks
from tamis.api.report.inputs import ReportOptions
from tamis.api.report.values import CategoryDistribution, Histogram, Report, StrategySummary, Summary
from tamis.model import TaskType

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tamis.api.report.inputs import LabelInput, NumberInput, ReportInputs, TaskInput
    from tamis.model.columns import Ints

_MAX_NEIGHBOUR_QUERIES = 5000
_NEIGHBOUR_DRAWS = 5


def build_report(inputs: ReportInputs, options: ReportOptions | None = None) -> Report:
    """Measure everything that the report shows.

    Raises:
        ValueError: when the arrays do not fit each other.
    """
    options = options or ReportOptions()
    _check(inputs)
    groups = draw_groups(inputs.candidate, inputs.picks, n_draws=options.n_draws, seed=options.seed)
    picks, blobs = build_picks(inputs, options)
    return Report(
        summary=_summarise(inputs, groups),
        strategies=_summarise_strategies(inputs, groups),
        picks=picks,
        categories=(
            *(_task_categories(task, groups) for task in inputs.tasks),
            *(_labels(labels, groups) for labels in inputs.labels),
        ),
        histograms=(
            *(_number(number, groups) for number in inputs.numbers),
            *(_task_counts(task, groups) for task in inputs.tasks if task.task.task_type.has_objects),
        ),
        distances=_neighbours(inputs, groups, options.seed),
        coverage=None
        if inputs.embeddings is None
        else measure_coverage(
            inputs.embeddings,
            groups=groups,
            pool=inputs.pool,
            max_evaluated=options.max_evaluated,
            seed=options.seed,
        ),
        problems=tuple(inputs.problems),
        n_draws=options.n_draws,
        seed=options.seed,
        blobs=blobs,
    )


def _check(inputs: ReportInputs) -> None:
    """Refuse arrays that speak of different samples: the report would be wrong without a sign of it."""
    n, k = len(inputs.keys), len(inputs.picks)
    lengths = [
        ("candidate", len(inputs.candidate), n),
        ("embeddings", n if inputs.embeddings is None else len(inputs.embeddings), n),
        *((f"values of `{x.label}`", len(x.values), n) for x in inputs.numbers),
        *((f"codes of `{x.label}`", len(x.codes), n) for x in inputs.labels),
        *((f"has_file of `{x.task.name}`", len(x.has_file), n) for x in inputs.tasks),
        *((f"values of `{x.label}`", len(x.values), n) for x in inputs.strategies if x.values is not None),
        *((f"shares of `{x.label}`", len(x.shares), k) for x in inputs.strategies if x.shares is not None),
    ]
    for name, got, expected in lengths:
        if got != expected:
            raise ValueError(f"expected {expected} entries in {name}, got {got}")
    if not inputs.candidate[inputs.picks].all():
        raise ValueError("expected every pick among the candidates")


def _summarise(inputs: ReportInputs, groups: Groups) -> Summary:
    return Summary(
        source=inputs.source,
        created=inputs.created,
        config=inputs.config,
        n_requested=inputs.n_requested,
        n_picked=len(groups.selected),
        n_candidates=len(groups.input),
        n_pool=len(inputs.pool),
        n_samples=len(inputs.keys),
        embeddings=inputs.embeddings_name,
        stopped=inputs.stopped,
        left_out=tuple(inputs.left_out),
        ruled_out=tuple(inputs.ruled_out),
        of=inputs.of,
    )


def _summarise_strategies(inputs: ReportInputs, groups: Groups) -> tuple[StrategySummary, ...]:
    shares = [s.shares for s in inputs.strategies if s.shares is not None]
    largest = np.max(shares, axis=0) if shares else np.zeros(len(groups.selected))
    return tuple(
        StrategySummary(
            label=s.label,
            description=s.description,
            strength=s.strength,
            mean_share=None if s.shares is None else known_mean(s.shares),
            n_led=0 if s.shares is None else int((s.shares >= largest).sum()),
            means=None if s.values is None else group_means(s.values, groups),
        )
        for s in inputs.strategies
    )


def _task_categories(task: TaskInput, groups: Groups) -> CategoryDistribution:
    ids = np.array(task.task.category_ids, np.int64)
    category = np.searchsorted(ids, task.category_id)
    if len(category) and not np.isin(task.category_id, ids).all():
        raise ValueError(f"expected category ids of task `{task.task.name}`")
    unit = _UNITS.get(task.task.task_type, "objects")
    return category_distribution(
        f"{task.task.name}: {unit} per category",
        unit=unit,
        names=task.task.category_names,
        owner=task.owner,
        category=category,
        groups=groups,
        known=task.has_file,
    )


_UNITS = {TaskType.CLASSIFICATION: "predictions", TaskType.SEMANTIC_SEGMENTATION: "masks"}


def _labels(labels: LabelInput, groups: Groups) -> CategoryDistribution:
    known = labels.codes >= 0
    return category_distribution(
        labels.label,
        unit="samples",
        names=labels.names,
        owner=np.flatnonzero(known),
        category=labels.codes[known],
        groups=groups,
        known=known,
    )


def _number(number: NumberInput, groups: Groups) -> Histogram:
    involved = np.concatenate([groups.input, groups.selected])
    edges = histogram_edges(number.values[involved], number.limits)
    return histogram(number.label, number.values, groups=groups, edges=edges)


def _task_counts(task: TaskInput, groups: Groups) -> Histogram:
    counts = np.bincount(task.owner, minlength=len(task.has_file)).astype(np.float64)
    counts[~task.has_file] = np.nan
    edges = count_edges(counts[groups.input])
    return histogram(f"{task.task.name}: objects per image", counts, groups=groups, edges=edges)


def _neighbours(inputs: ReportInputs, groups: Groups, seed: int) -> Histogram | None:
    """Measure how near selected samples are to each other: near means that labels are spent twice."""
    if inputs.embeddings is None or not len(groups.selected):
        return None
    n_queries = min(len(groups.selected), _MAX_NEIGHBOUR_QUERIES)
    note = f"measured from {n_queries:,} of {len(groups.selected):,}"
    return distance_histogram(
        f"Distance to the nearest other selected {inputs.of.removesuffix('s')}",
        selected=_nearest_within(inputs.embeddings, groups.selected, inputs.pool, n_queries, seed),
        random=[
            _nearest_within(inputs.embeddings, draw, inputs.pool, n_queries, seed)
            for draw in groups.random[:_NEIGHBOUR_DRAWS]
        ],
        note=note if n_queries < len(groups.selected) else None,
    )


def _nearest_within(
    embeddings: NDArray[np.floating], chosen: Ints, pool: Ints, n_queries: int, seed: int
) -> NDArray[np.float64]:
    """Return distances from some of `chosen` to the nearest other of `chosen` and `pool`."""
    queries = np.random.default_rng(seed).permutation(chosen)[:n_queries]
    among = np.concatenate([chosen, pool])
    queries, among = (rows[is_embedded(embeddings[rows])] for rows in (queries, among))
    return nearest_distances(embeddings, samples=queries, among=among)
