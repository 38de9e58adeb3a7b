"""Plots as the page draws them: points, owners, colours, and what a point stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from tamis.api.browsing.columns import Labels
from tamis.api.browsing.pages import NoSampleError
from tamis.api.browsing.plotting import OBJECTS, SAMPLES, PlotAbout, embeddings_stamp, plot_folder
from tamis.api.browsing.values_work import JobKind, JobState, Legend, PlotInfo, PointInfo
from tamis.api.report.overlays import CATEGORY_COLOURS, category_colour
from tamis.index import embedding_sets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tamis.api.browsing.jobs import Jobs
    from tamis.api.browsing.values_work import Job
    from tamis.api.browsing.view import View
    from tamis.index import TaskRows
    from tamis.model.columns import Floats, Ints

_UNKNOWN = 255
_MOST_LABELS = 250
_SELECTION = "selection:"
_POSITION_BITS = 31


def list_plots(view: View, jobs: Jobs) -> list[PlotInfo]:
    """Return the plots that there are or can be made."""
    running = {
        str(jobs.request(job.id).details.get("space")): job.id
        for job in jobs.all(JobKind.PLOT)
        if job.state is JobState.RUNNING
    }
    spaces = [SAMPLES] if view.snapshot.tasks or _has_embeddings(view) else []
    spaces += [f"{OBJECTS}{task.name}" for task in view.snapshot.tasks if task.task_type.has_objects]
    return [_info(view, space, running.get(space)) for space in spaces]


def _has_embeddings(view: View) -> bool:
    return any(one.spec.task is None for one in embedding_sets(view.snapshot.root))


def _info(view: View, space: str, job: str | None) -> PlotInfo:
    of = space.removeprefix(OBJECTS) if space.startswith(OBJECTS) else SAMPLES
    label = "Samples" if of == SAMPLES else f"Objects of {of}"
    try:
        about = msgspec.json.decode((plot_folder(view.snapshot, space) / "about.json").read_bytes(), type=PlotAbout)
    except (OSError, msgspec.MsgspecError):
        return PlotInfo(space=space, label=label, of=of, state="missing" if job is None else "running", job=job)
    return PlotInfo(
        space=space,
        label=label,
        of=of,
        state="ready",
        job=job,
        version=str(plot_stamp(view, space)),
        is_stale=about.embeddings != embeddings_stamp(view.snapshot, space),
        points=about.points,
        origin=about.origin,
        explained=about.explained,
    )


def start_plot(jobs: Jobs, view: View, space: str) -> Job:
    """Start the worker that makes a plot, unless one does.

    Raises:
        NoSampleError: when there is no such plot.
    """
    plot = next((plot for plot in list_plots(view, jobs) if plot.space == space), None)
    if plot is None:
        raise NoSampleError(f"There is no plot `{space}`")
    return jobs.start_once(JobKind.PLOT, plot.label, {"space": space}, per="space")


def read_points(view: View, space: str) -> tuple[NDArray[np.uint16], NDArray[np.uint32] | None]:
    """Return x and y of each point, shape (n, 2), and for objects the number of the sample of each.

    Raises:
        NoSampleError: when the plot was not made.
    """
    folder = plot_folder(view.snapshot, space)
    try:
        xy = np.load(folder / "xy.npy", mmap_mode="r", allow_pickle=False)
        owner = np.load(folder / "owner.npy", mmap_mode="r", allow_pickle=False) if space != SAMPLES else None
    except (OSError, ValueError):
        raise NoSampleError(
            "The points were not laid out since the last scan",
            hint="the Embedding view does it; then draw the area again",
        ) from None
    return xy, owner


def plot_stamp(view: View, space: str) -> int:
    """Return what changes when a plot is made again; 0 where there is none."""
    try:
        return (plot_folder(view.snapshot, space) / "about.json").stat().st_mtime_ns
    except OSError:
        return 0


def colour_points(view: View, space: str, by: str) -> tuple[NDArray[np.uint8], Legend]:
    """Return a byte for each point, and what the bytes mean.

    Args:
        view: of the snapshot.
        space: of the plot.
        by: id of a column, `selection:ID`, and for objects also `category` or `score`.

    Raises:
        NoSampleError: when the plot was not made, or there is no such selection.
        UsageError: when there is no such column.
    """
    _, owner = read_points(view, space)
    if owner is not None and by in {"category", "score"}:
        return _colour_objects(view, space, by)
    if by.startswith(_SELECTION):
        chosen = np.zeros(len(view.samples), np.uint8)
        chosen[view.samples.numbers(view.lists.selection(by.removeprefix(_SELECTION)))] = 1
        legend = Legend(
            kind="label", label="selected", labels=[("not selected", "#8b949e"), ("selected", "#ffb000")]
        )
        return (chosen if owner is None else chosen[owner]), legend
    values = view.columns.values(by)
    label = view.columns.info(by).label
    if isinstance(values, Labels):
        codes = values.codes if owner is None else values.codes[owner]
        return _by_label(codes, values.names, label, [CATEGORY_COLOURS[i % 12] for i in range(len(values.names))])
    return _by_number(values if owner is None else values[owner], label)


def _colour_objects(view: View, space: str, by: str) -> tuple[NDArray[np.uint8], Legend]:
    rows = view.rows(space.removeprefix(OBJECTS))
    order = _rows_of_points(view, rows, space)
    if by == "score":
        return _by_number(rows.score[order], "score")
    ids = rows.task.category_ids
    names = [rows.task.by_id[i].name for i in ids]
    return _by_label(rows.category[order].astype(np.int32), names, "class", [category_colour(i) for i in ids])


def _rows_of_points(view: View, rows: TaskRows, space: str) -> Ints:
    """Return the row of the object that each point stands for."""
    _, owner = read_points(view, space)
    position = _read_positions(view, space)
    sample = np.repeat(np.arange(len(rows.has_file)), rows.counts)
    order = np.lexsort((rows.position, sample))
    names = (sample[order] << _POSITION_BITS) | rows.position[order]
    wanted = (np.asarray(owner, np.int64) << _POSITION_BITS) | position
    return np.asarray(order[np.searchsorted(names, wanted)])


def _read_positions(view: View, space: str) -> Ints:
    path = plot_folder(view.snapshot, space) / "position.npy"
    return np.asarray(np.load(path, allow_pickle=False), np.int64)


def _by_number(values: Floats, label: str) -> tuple[NDArray[np.uint8], Legend]:
    known = values[~np.isnan(values)]
    if not len(known):
        return np.full(len(values), _UNKNOWN, np.uint8), Legend(kind="number", label=label)
    low, high = float(known.min()), float(known.max())
    scaled = np.nan_to_num((values - low) / max(high - low, 1e-12) * (_UNKNOWN - 1))
    colours = np.where(np.isnan(values), _UNKNOWN, scaled.round()).astype(np.uint8)
    return colours, Legend(kind="number", label=label, min=low, max=high)


def _by_label(
    codes: NDArray[np.int32], names: list[str], label: str, colours: list[str]
) -> tuple[NDArray[np.uint8], Legend]:
    """Give the most frequent labels a byte each; the others share one."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    kept = np.argsort(-counts, kind="stable")[:_MOST_LABELS]
    byte_of = np.full(len(names) + 1, len(kept), np.uint8)
    byte_of[kept] = np.arange(len(kept))
    byte_of[-1] = _UNKNOWN
    labels = [(names[i], colours[i]) for i in kept.tolist()]
    if len(kept) < len(names):
        labels.append(("others", "#8b949e"))
    return byte_of[codes], Legend(kind="label", label=label, labels=labels)


def show_point(view: View, space: str, point: int) -> PointInfo:
    """Say what a point stands for.

    Raises:
        NoSampleError: when the plot was not made, or has no such point.
    """
    xy, owner = read_points(view, space)
    if point >= len(xy):
        raise NoSampleError(f"The plot `{space}` has no point {point}")
    if owner is None:
        return PointInfo(number=point, key=view.samples.names([point])[0])
    rows = view.rows(space.removeprefix(OBJECTS))
    number, position = int(owner[point]), int(_read_positions(view, space)[point])
    row = rows.row(number, position)
    if row is None:
        raise NoSampleError(f"The object of point {point} is there no longer", hint="make the plot again")
    return PointInfo(
        number=number,
        key=view.samples.names([number])[0],
        position=position,
        category=rows.task.category_ids[rows.category[row]],
    )
