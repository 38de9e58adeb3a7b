"""The datasource at a glance, and the problems of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.api.browsing.pages import score_bins
from tamis.api.browsing.values import Bins, CategoryInfo, Overview, TaskInfo, VideoInfo
from tamis.api.browsing.values_samples import Place, PlacePage
from tamis.api.check import place_problems, report_problems, summarise_tasks
from tamis.api.report.overlays import category_colour
from tamis.model import Severity

if TYPE_CHECKING:
    from tamis.api.browsing.view import View
    from tamis.api.check import CheckReport, TaskSummary
    from tamis.api.sources import Sources
    from tamis.index import Snapshot, TaskRows

_SCORE_BINS = 50
_MOST_COUNT_BINS = 50


def show_overview(view: View) -> Overview:
    """Count samples, predictions, classes and problems.

    Raises:
        StillLoadingError: while predictions are being read.
    """
    return view.fact("overview", lambda: _overview(view))


def _overview(view: View) -> Overview:
    snapshot = view.snapshot
    connection = snapshot.connect()
    summaries = summarise_tasks(snapshot, connection)
    kinds = connection.execute("SELECT kind, count(*) FROM samples GROUP BY kind ORDER BY kind").fetchall()
    severities = dict(connection.execute("SELECT severity, count(*) FROM problems GROUP BY severity").fetchall())
    for problem in snapshot.manifest.problems:
        severities[problem.severity] = severities.get(problem.severity, 0) + problem.count
    rows = [view.rows(task.name) for task in snapshot.tasks]
    n_files = np.sum([task.has_file for task in rows], axis=0) if rows else np.zeros(len(view.samples), np.int64)
    return Overview(
        source=snapshot.manifest.source,
        snapshot=snapshot.id,
        scanned=snapshot.manifest.created,
        samples=dict(kinds),
        tasks=tuple(_task(task, summaries[task.task.name]) for task in rows),
        coverage=tuple(np.bincount(n_files, minlength=len(rows) + 1).tolist()),
        metadata={column.name: column.type for column in snapshot.manifest.metadata},
        videos=len(snapshot.manifest.videos),
        errors=severities.get(Severity.ERROR, 0),
        warnings=severities.get(Severity.WARNING, 0),
    )


def _task(rows: TaskRows, summary: TaskSummary) -> TaskInfo:
    predictions, samples = rows.class_counts(None)
    at = {category: i for i, category in enumerate(rows.task.category_ids)}
    name = rows.task.name
    return TaskInfo(
        name=name,
        summary=summary,
        categories=tuple(
            CategoryInfo(
                id=i,
                name=rows.task.by_id[i].name,
                colour=category_colour(i),
                predictions=int(predictions[at[i]]),
                samples=int(samples[at[i]]),
                keypoint_names=rows.task.by_id[i].keypoint_names,
                skeleton=rows.task.by_id[i].keypoint_skeleton or (),
            )
            for i in rows.task.category_ids
        ),
        scores=tuple(f"score:{name}:{score}" for score in rows.sample_scores),
        prediction_scores=("score", *rows.scores),
        score_bins=score_bins(rows, None, _SCORE_BINS),
        count_bins=_count_bins(rows),
        has_boxes=rows.box is not None,
        has_masks=rows.masks is not None,
        has_keypoints=rows.keypoints is not None,
    )


def _count_bins(rows: TaskRows) -> Bins:
    counts = rows.counts[rows.has_file]
    n_without = len(rows.has_file) - len(counts)
    if not len(counts):
        return Bins(edges=(), counts=(), unknown=n_without)
    width = max(-(-(int(counts.max()) + 1) // _MOST_COUNT_BINS), 1)
    edges = np.arange(0, int(counts.max()) + width + 1, width)
    found = np.histogram(counts, edges)[0]
    return Bins(edges=tuple(edges.tolist()), counts=tuple(found.tolist()), unknown=n_without)


def show_videos(snapshot: Snapshot) -> list[VideoInfo]:
    """List the videos."""
    return [
        VideoInfo(key=video.key, n_frames=video.n_frames, width=video.width, height=video.height, fault=video.fault)
        for video in snapshot.manifest.videos
    ]


def show_problems(view: View, sources: Sources) -> CheckReport:
    """Return the problems grouped by code and task, each with a hint and examples."""
    return view.fact("problems", lambda: report_problems(sources, view.snapshot))


def show_places(view: View, sources: Sources, *, code: str, task: str | None, offset: int, limit: int) -> PlacePage:
    """Return part of the problems of one code, with line and column wherever they can be found."""
    total, problems = place_problems(sources, view.snapshot, code=code, task=task, offset=offset, limit=limit)
    files = [problem.file for problem in problems if problem.file is not None]
    owners = dict(
        view.snapshot.connect("files")
        .execute("SELECT file, sample FROM files WHERE sample IS NOT NULL AND file IN (SELECT unnest(?))", [files])
        .fetchall()
        if files
        else ()
    )
    return PlacePage(
        total=total,
        offset=offset,
        places=[Place.of(problem, owners.get(problem.file) or _own(view, problem.file)) for problem in problems],
    )


def _own(view: View, file: str | None) -> str | None:
    """Return the key of a file that is a sample itself."""
    return file if file is not None and view.samples.number(file) is not None else None
