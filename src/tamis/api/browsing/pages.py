"""Pages of samples and objects, counts and histograms of what a filter lets through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.api.browsing.columns import Labels
from tamis.api.browsing.values import Bins
from tamis.api.browsing.values_samples import (
    CategoryCount,
    Counts,
    Layer,
    Neighbours,
    SampleCard,
    SamplePage,
    TaskCounts,
    Timeline,
)
from tamis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.api.browsing.conditions import Filter
    from tamis.api.browsing.view import View
    from tamis.index import RaggedRows, TaskRows
    from tamis.model.columns import Bools, Floats, Ints

_MAX_MARKS = 200
_OF_PREDICTIONS = "predictions:"


def show_page(  # noqa: PLR0913 (a page is where, how sorted and how much)
    view: View, wanted: Filter, *, sort: str, descending: bool, offset: int, limit: int, tasks: Sequence[str] | None
) -> SamplePage:
    """Return part of a filtered and sorted list of samples.

    Raises:
        UsageError: when the filter, the sort or a task names what there is not.
        StillLoadingError: when the filter or the sort needs what is still being read.
    """
    found = view.numbers(wanted, sort=sort, descending=descending)
    numbers = found[offset : offset + limit].astype(np.int64)
    cards = _cards(view, numbers, tasks, _sort_values(view, sort, numbers))
    return SamplePage(
        snapshot=view.snapshot.id, total=len(found), offset=offset, samples=cards, complete=view.tasks is not None
    )


def show_cards(view: View, keys: Sequence[str]) -> list[SampleCard]:
    """Return those samples of some keys that there are, each once, with their predictions."""
    found = dict.fromkeys(view.samples.number(key) for key in keys)
    numbers = np.array([number for number in found if number is not None], np.int64)
    return _cards(view, numbers, None, [None] * len(numbers))


def _cards(
    view: View, numbers: Ints, tasks: Sequence[str] | None, values: Sequence[float | str | None]
) -> list[SampleCard]:
    loaded = view.tasks or {}
    chosen = list(loaded) if tasks is None else [view.snapshot.task(name).name for name in tasks]
    layers = [layers_of(loaded[name], numbers) for name in chosen if name in loaded]
    problems = [0] * len(numbers) if view.tasks is None else view.problems.counts[numbers].tolist()
    names, rows = view.samples.names(numbers), view.samples.rows(numbers)
    return [
        SampleCard(
            number=number,
            key=names[i],
            width=rows[i]["width"],
            height=rows[i]["height"],
            video=rows[i]["video"],
            frame=rows[i]["frame"],
            value=values[i],
            problems=problems[i],
            layers=[own for layer in layers if (own := layer[i]) is not None],
        )
        for i, number in enumerate(numbers.tolist())
    ]


def _sort_values(view: View, sort: str, numbers: Ints) -> Sequence[float | str | None]:
    if sort in {"key", "pick"}:
        return [None] * len(numbers)
    values = view.columns.values(sort)
    if isinstance(values, Labels):
        return [values.names[code] if code >= 0 else None for code in values.codes[numbers].tolist()]
    return known(values[numbers])


def known(values: Floats, digits: int | None = None) -> list[float | None]:
    """Return numbers as JSON can say them: `None` for NaN."""
    rounded = values if digits is None else values.round(digits)
    return [None if value != value else value for value in rounded.tolist()]  # noqa: PLR0124 (NaN)


def layers_of(rows: TaskRows, numbers: Ints) -> list[Layer | None]:
    """Return the predictions of a task on some samples; `None` where a sample has no valid file."""
    at, counts = rows.rows_of(numbers, _MAX_MARKS)
    ids = np.array(rows.task.category_ids, np.int64)
    positions, categories = rows.position[at].tolist(), ids[rows.category[at]].tolist()
    scores = known(rows.score[at], 4)
    likely = None if rows.likely is None else known(rows.likely[at], 4)
    boxes = None if rows.box is None else _boxes(rows.box[at])
    keypoints = None if rows.keypoints is None else _keypoints(rows.keypoints, at)
    has_masks = None if rows.masks is None else (rows.masks.lengths[at] >= 0).tolist()
    totals = (rows.offsets[numbers + 1] - rows.offsets[numbers]).tolist()
    there = rows.has_file[numbers].tolist()
    layers: list[Layer | None] = []
    end = 0
    for i, count in enumerate(counts.tolist()):
        part = slice(end, end + count)
        end += count
        if not there[i]:
            layers.append(None)
            continue
        layers.append(
            Layer(
                task=rows.task.name,
                positions=positions[part],
                categories=categories[part],
                scores=scores[part],
                probabilities=None if likely is None else likely[part],
                boxes=None if boxes is None else boxes[part],
                keypoints=None if keypoints is None else keypoints[part],
                masks=has_masks is not None and any(has_masks[part]),
                hidden=totals[i] - count,
            )
        )
    return layers


def _boxes(boxes: Any) -> list[list[float] | None]:  # noqa: ANN401 (float32, shape (n, 4))
    rounded = boxes.astype(np.float64).round(2).tolist()
    return [None if box[0] != box[0] else box for box in rounded]


def _keypoints(lists: RaggedRows, at: Ints) -> list[list[float] | None]:
    found = [lists.row(row) for row in at.tolist()]
    return [None if row is None else row.astype(np.float64).round(2).tolist() for row in found]


def find_place(view: View, wanted: Filter, key: str, *, sort: str, descending: bool) -> Neighbours:
    """Say where a sample is in a filtered and sorted list, and what is beside it.

    Raises:
        UsageError: when there is no such sample, or the filter or the sort names what there is not.
    """
    number = number_of(view, key)
    found = view.numbers(wanted, sort=sort, descending=descending)
    at = np.flatnonzero(found == number)
    if not len(at):
        return Neighbours(total=len(found), place=None, previous=None, next=None)
    place = int(at[0])
    beside = [
        view.samples.names([int(found[i])])[0] if 0 <= i < len(found) else None for i in (place - 1, place + 1)
    ]
    return Neighbours(total=len(found), place=place, previous=beside[0], next=beside[1])


class NoSampleError(UsageError):
    """There is no sample, picture or file of that name."""


def number_of(view: View, key: str) -> int:
    """Return the number of a sample.

    Raises:
        NoSampleError: when there is none of that key.
    """
    number = view.samples.number(key)
    if number is None:
        raise NoSampleError(
            f"There is no sample `{key}`", hint="samples are named by their paths in the datasource"
        )
    return number


def count_found(view: View, wanted: Filter) -> Counts:
    """Count samples, and predictions of each class, among what a filter lets through.

    Raises:
        UsageError: when the filter names what there is not.
        StillLoadingError: while predictions are being read.
    """
    mask = view.mask(wanted)
    return Counts(
        snapshot=view.snapshot.id,
        samples=len(view.samples) if mask is None else int(np.count_nonzero(mask)),
        all_samples=len(view.samples),
        tasks=[_count_task(view.rows(task.name), mask) for task in view.snapshot.tasks],
    )


def _count_task(rows: TaskRows, mask: Bools | None) -> TaskCounts:
    predictions, samples = rows.class_counts(mask)
    there = rows.has_file if mask is None else rows.has_file & mask
    return TaskCounts(
        task=rows.task.name,
        samples_with_file=int(np.count_nonzero(there)),
        predictions=int(predictions.sum()),
        categories=[
            CategoryCount(id=category, predictions=n, samples=m)
            for category, n, m in zip(rows.task.category_ids, predictions.tolist(), samples.tolist(), strict=True)
        ],
    )


def show_histogram(view: View, wanted: Filter, *, column: str, n_bins: int) -> Bins:
    """Count the values of a column of numbers, or the scores of a task's predictions (`predictions:TASK`), in bins.

    Raises:
        UsageError: when the filter or the column names what there is not.
        StillLoadingError: when it needs what is still being read.
    """
    mask = view.mask(wanted)
    if column.startswith(_OF_PREDICTIONS):
        return score_bins(view.rows(column.removeprefix(_OF_PREDICTIONS)), mask, n_bins)
    values = view.columns.numbers(column)
    info = view.columns.info(column)
    edges = _edges(info.min, info.max, n_bins, whole=bool((values[:1000] % 1 == 0).all()))
    if len(edges) < 2:  # noqa: PLR2004 (no value at all)
        return Bins(edges=(), counts=(), unknown=len(values) if mask is None else int(np.count_nonzero(mask)))
    shown = values if mask is None else values[mask]
    return Bins(
        edges=tuple(edges.tolist()),
        counts=tuple(np.histogram(shown[~np.isnan(shown)], edges)[0].tolist()),
        all=None if mask is None else tuple(np.histogram(values[~np.isnan(values)], edges)[0].tolist()),
        unknown=int(np.count_nonzero(np.isnan(shown))),
    )


def score_bins(rows: TaskRows, mask: Bools | None, n_bins: int) -> Bins:
    """Count the scores of predictions in equal bins from 0 to 1."""
    edges = np.arange(n_bins + 1) / n_bins
    everything = rows.score_counts(edges, None)
    shown = everything if mask is None else rows.score_counts(edges, mask)
    return Bins(
        edges=tuple(edges.tolist()),
        counts=tuple(shown[:-1].tolist()),
        all=None if mask is None else tuple(everything[:-1].tolist()),
        unknown=int(shown[-1]),
    )


def _edges(low: float | None, high: float | None, n_bins: int, *, whole: bool) -> Floats:
    if low is None or high is None:
        return np.zeros(0)
    if whole and high - low < n_bins:  # a bin for each whole number
        return np.arange(np.floor(low), np.floor(high) + 2) - 0.5
    if low >= 0 and high <= 1 and high - low > 0.1:  # noqa: PLR2004 (a score)
        low, high = 0.0, 1.0
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, n_bins + 1)


def show_timeline(view: View, video: str, fps: float | None) -> Timeline:
    """Return the frames of a video, and the scores and the number of predictions of each.

    Raises:
        NoSampleError: when there is no such video.
    """
    n_frames = view.snapshot.frame_counts.get(video)
    if n_frames is None:
        raise NoSampleError(f"There is no video `{video}`")
    numbers = view.samples.of_video(video)
    groups = [task.name for task in view.snapshot.tasks]
    ids = [i for i in view.columns.ids() if i.split(":")[0] in {"score", "count", "highest"}] if groups else []
    return Timeline(
        video=video,
        n_frames=n_frames,
        fps=fps,
        keys=view.samples.names(numbers),
        frames=view.samples.table["frame"].take(numbers).to_pylist(),
        columns={i: known(view.columns.numbers(i)[numbers], 4) for i in ids},
    )
