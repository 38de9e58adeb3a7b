"""Routes about the datasource, its samples and its objects: parse, one call, render."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response

from tamis.api.browsing.detail import read_raw, show_detail
from tamis.api.browsing.objects import show_objects
from tamis.api.browsing.overview import show_overview, show_places, show_problems, show_videos
from tamis.api.browsing.pages import count_found, find_place, show_histogram, show_page, show_timeline
from tamis.api.browsing.values import Bins, ColumnInfo, Overview, Status, VideoInfo
from tamis.api.browsing.values_samples import (
    Counts,
    Neighbours,
    ObjectPage,
    PlacePage,
    SampleDetail,
    SamplePage,
    Timeline,
)
from tamis.api.browsing.view import parse_filter
from tamis.api.check import CheckReport
from tamis.web.requests import (
    CropQuery,
    FilterQuery,
    HistogramQuery,
    KeyQuery,
    ListQuery,
    MasksQuery,
    NeighboursQuery,
    NoQuery,
    ObjectsQuery,
    PictureQuery,
    PlacesQuery,
    RawQuery,
    SamplesQuery,
)
from tamis.web.routing import Router

if TYPE_CHECKING:
    from tamis.api.browsing.pictures import PictureBytes
    from tamis.web.site import Site

router = Router()


@router.get("/api/status", NoQuery, Status)
def status(site: Site, _: NoQuery) -> Status:
    """Say what the server has at hand."""
    return site.project.status()


@router.get("/api/overview", NoQuery, Overview)
def overview(site: Site, _: NoQuery) -> Overview:
    """Count samples, tasks, classes and problems."""
    return show_overview(site.project.view)


@router.get("/api/columns", NoQuery, list[ColumnInfo])
def columns(site: Site, _: NoQuery) -> list[ColumnInfo]:
    """List what samples can be sorted and filtered by."""
    return site.project.view.columns.infos()


@router.get("/api/videos", NoQuery, list[VideoInfo])
def videos(site: Site, _: NoQuery) -> list[VideoInfo]:
    """List the videos."""
    return show_videos(site.project.view.snapshot)


@router.get("/api/samples", SamplesQuery, SamplePage)
def samples(site: Site, query: SamplesQuery) -> SamplePage:
    """Return a page of a filtered and sorted list of samples, with their predictions."""
    return show_page(
        site.project.view,
        parse_filter(query.filter),
        sort=query.sort,
        descending=query.descending,
        offset=query.offset,
        limit=query.limit,
        tasks=None if query.tasks is None else msgspec.json.decode(query.tasks, type=list[str]),
    )


@router.get("/api/samples/numbers", ListQuery, "application/octet-stream")
def numbers(site: Site, query: ListQuery) -> Response:
    """Return the numbers of all samples of a list, in its order, as uint32 (little-endian)."""
    found = site.project.view.numbers(parse_filter(query.filter), sort=query.sort, descending=query.descending)
    return Response(found.astype("<u4").tobytes(), media_type="application/octet-stream")


@router.get("/api/samples/place", NeighboursQuery, Neighbours)
def place(site: Site, query: NeighboursQuery) -> Neighbours:
    """Say where a sample is in a list, and what is before and after it."""
    return find_place(
        site.project.view, parse_filter(query.filter), query.key, sort=query.sort, descending=query.descending
    )


@router.get("/api/counts", FilterQuery, Counts)
def counts(site: Site, query: FilterQuery) -> Counts:
    """Count samples, and predictions of each class, within a filter."""
    return count_found(site.project.view, parse_filter(query.filter))


@router.get("/api/histogram", HistogramQuery, Bins)
def histogram(site: Site, query: HistogramQuery) -> Bins:
    """Count the values of a column in bins, within a filter and of everything."""
    return show_histogram(site.project.view, parse_filter(query.filter), column=query.column, n_bins=query.bins)


@router.get("/api/sample", KeyQuery, SampleDetail)
def sample(site: Site, query: KeyQuery) -> SampleDetail:
    """Return everything known of one sample."""
    project = site.project
    return show_detail(
        project.view,
        project.sources,
        query.key,
        selections=project.selections.picked_by(query.key),
    )


@router.get("/api/raw", RawQuery, "text/plain; charset=utf-8")
def raw(site: Site, query: RawQuery) -> Response:
    """Return the prediction file of a task for a sample as it is, or its metadata file."""
    project = site.project
    links = project.options.follow_links
    data = read_raw(project.view, project.sources, query.key, query.task, follow_links=links)
    return Response(data, media_type="text/plain; charset=utf-8")


@router.get("/api/picture", PictureQuery, "image/jpeg")
def picture(site: Site, query: PictureQuery) -> Response:
    """Return the picture of a sample, in stored orientation."""
    return _picture(site.project.pictures.picture(site.project.view, query.key, query.side))


@router.get("/api/masks", MasksQuery, "image/png")
def masks(site: Site, query: MasksQuery) -> Response:
    """Return the masks of a task on a sample as a picture with transparency."""
    return _picture(site.project.pictures.masks(site.project.view, query.key, query.task))


@router.get("/api/crop", CropQuery, "image/jpeg")
def crop(site: Site, query: CropQuery) -> Response:
    """Return the picture of a predicted object."""
    project = site.project
    return _picture(
        project.pictures.crop(
            project.view, query.key, query.task, query.position, side=query.side, padding=query.padding
        )
    )


@router.get("/api/timeline", KeyQuery, Timeline)
def timeline(site: Site, query: KeyQuery) -> Timeline:
    """Return the frames of a video with their scores; `key` is that of the video."""
    project = site.project
    fps = project.pictures.frames.fps(project.sources.input, query.key)
    return show_timeline(project.view, query.key, fps)


@router.get("/api/objects", ObjectsQuery, ObjectPage)
def objects(site: Site, query: ObjectsQuery) -> ObjectPage:
    """Return a page of a filtered and sorted list of objects."""
    return show_objects(
        site.project.view,
        parse_filter(query.filter),
        task=query.task,
        categories=None if query.categories is None else msgspec.json.decode(query.categories, type=list[int]),
        score_min=query.score_min,
        score_max=query.score_max,
        sort=query.sort,
        descending=query.descending,
        offset=query.offset,
        limit=query.limit,
    )


@router.get("/api/problems", NoQuery, CheckReport)
def problems(site: Site, _: NoQuery) -> CheckReport:
    """Return the problems grouped by code and task, each with a hint and examples."""
    return show_problems(site.project.view, site.project.sources)


@router.get("/api/problems/places", PlacesQuery, PlacePage)
def places(site: Site, query: PlacesQuery) -> PlacePage:
    """Return a page of the problems of one code, each with its place."""
    project = site.project
    return show_places(
        project.view, project.sources, code=query.code, task=query.task, offset=query.offset, limit=query.limit
    )


def _picture(made: PictureBytes) -> Response:
    """Render a picture; browsers ask again after a while, and are told when nothing changed."""
    headers = {"etag": f'"{made.tag}"', "cache-control": "private, max-age=60"}
    kind = re.sub(r"[^a-z/]", "", made.content_type)
    return Response(made.data, media_type=kind, headers=headers)
