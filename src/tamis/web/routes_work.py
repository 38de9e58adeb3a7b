"""Routes about scans, selections, plots and queries: parse, one call, render."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from tamis.api.browsing.plots import colour_points, list_plots, read_points, show_point, start_plot
from tamis.api.browsing.querying import list_tables, run_query
from tamis.api.browsing.selecting import check_config, list_pools, list_tags, show_options, start_selection
from tamis.api.browsing.values_work import (
    Comparison,
    ConfigCheck,
    ConfigOptions,
    Job,
    JobKind,
    Legend,
    PickPage,
    PlotInfo,
    PointInfo,
    PoolInfo,
    SelectionInfo,
    SelectionRequest,
    SqlResult,
    SqlTable,
    TagInfo,
)
from tamis.api.report.values import Report
from tamis.web.requests import (
    ColourQuery,
    CompareQuery,
    ConfigBody,
    ExportQuery,
    IdQuery,
    NoQuery,
    PicksQuery,
    PlotBody,
    PointQuery,
    PoolBody,
    ScanBody,
    SpaceQuery,
    SqlQuery,
)
from tamis.web.routing import Router

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.web.site import Site

_BYTES = "application/octet-stream"
router = Router()


@router.post("/api/scan", ScanBody, Job)
def scan(site: Site, body: ScanBody) -> Job:
    """Start a scan, unless one is running."""
    title = "Scan of every file" if body.full else "Scan of what changed"
    return site.project.jobs.start_once(JobKind.SCAN, title, {"full": body.full})


@router.get("/api/jobs", NoQuery, list[Job])
def jobs(site: Site, _: NoQuery) -> list[Job]:
    """List the jobs, the newest first."""
    return site.project.jobs.all()


@router.get("/api/job", IdQuery, Job)
def job(site: Site, query: IdQuery) -> Job:
    """Say how far a job is."""
    return site.project.jobs.job(query.id)


@router.post("/api/job/cancel", IdQuery, Job)
def cancel(site: Site, body: IdQuery) -> Job:
    """Stop a job; what was there before it stands."""
    return site.project.jobs.cancel(body.id)


@router.get("/api/config/options", NoQuery, ConfigOptions)
def options(site: Site, _: NoQuery) -> ConfigOptions:
    """Return what a form for configs can offer."""
    return show_options(site.project.view, site.project.sources)


@router.post("/api/config/check", ConfigBody, ConfigCheck)
def check(_: Site, body: ConfigBody) -> ConfigCheck:
    """Say whether a config can be run, or all that is wrong with it."""
    return check_config(body.config)


@router.get("/api/tags", NoQuery, list[TagInfo])
def tags(site: Site, _: NoQuery) -> list[TagInfo]:
    """List the tags that have members, with how many samples they are about."""
    return list_tags(site.project.view)


@router.get("/api/pools", NoQuery, list[PoolInfo])
def pools(site: Site, _: NoQuery) -> list[PoolInfo]:
    """List the pools."""
    return list_pools(site.project.view)


@router.post("/api/selections", SelectionRequest, Job)
def select(site: Site, body: SelectionRequest) -> Job:
    """Start a selection; the id of the job is that of the selection."""
    return start_selection(site.project.jobs, site.project.view, body)


@router.get("/api/selections", NoQuery, list[SelectionInfo])
def selections(site: Site, _: NoQuery) -> list[SelectionInfo]:
    """List the selections, the newest first."""
    return site.project.selections.all()


@router.get("/api/selection", IdQuery, SelectionInfo)
def selection(site: Site, query: IdQuery) -> SelectionInfo:
    """Return a selection: what was asked for and what came of it."""
    return site.project.selections.info(query.id)


@router.post("/api/selection/delete", IdQuery, list[SelectionInfo])
def delete(site: Site, body: IdQuery) -> list[SelectionInfo]:
    """Remove a selection and its results; return those that are left."""
    site.project.selections.info(body.id)
    site.project.jobs.delete(body.id)
    return site.project.selections.all()


@router.get("/api/selection/picks", PicksQuery, PickPage)
def picks(site: Site, query: PicksQuery) -> PickPage:
    """Return a page of the picks of a selection with their reasons."""
    return site.project.selections.picks(site.project.view, query.id, offset=query.offset, limit=query.limit)


@router.get("/api/selection/report", IdQuery, Report)
def report(site: Site, query: IdQuery) -> Response:
    """Return the report of a selection: distributions, coverage, what each strategy did."""
    return Response(site.project.selections.report(query.id), media_type="application/json")


@router.get("/api/selection/compare", CompareQuery, Comparison)
def compare(site: Site, query: CompareQuery) -> Comparison:
    """Set two selections side by side."""
    return site.project.selections.compare(site.project.view, query.a, query.b)


@router.get("/api/selection/export", ExportQuery, _BYTES)
def export(site: Site, query: ExportQuery) -> Response:
    """Return a file of a selection: its names, its predictions for another tool, its config or its report."""
    found = site.project.selections
    path, name = found.export(site.project.view, query.id, query.format, task=query.task, base=query.base)
    is_temporary = path.name.startswith("tamis-export-")
    remove = BackgroundTask(_remove, path) if is_temporary else None
    return FileResponse(path, filename=name, media_type=_BYTES, background=remove)


@router.post("/api/selection/pool", PoolBody, list[PoolInfo])
def join_pool(site: Site, body: PoolBody) -> list[PoolInfo]:
    """Let the picks of a selection join a pool; return all pools."""
    site.project.selections.join_pool(body.id, body.pool)
    return list_pools(site.project.view)


@router.get("/api/plots", NoQuery, list[PlotInfo])
def plots(site: Site, _: NoQuery) -> list[PlotInfo]:
    """List the plots that there are or can be made."""
    return list_plots(site.project.view, site.project.jobs)


@router.post("/api/plots", PlotBody, Job)
def plot(site: Site, body: PlotBody) -> Job:
    """Start the job that makes a plot."""
    return start_plot(site.project.jobs, site.project.view, body.space)


@router.get("/api/plots/points", SpaceQuery, _BYTES)
def points(site: Site, query: SpaceQuery) -> Response:
    """Return x and y of every point as uint16 (little-endian), 65535 where there is none."""
    xy, _ = read_points(site.project.view, query.space)
    return Response(xy.astype("<u2").tobytes(), media_type=_BYTES)


@router.get("/api/plots/owners", SpaceQuery, _BYTES)
def owners(site: Site, query: SpaceQuery) -> Response:
    """Return the number of the sample of every point as uint32 (little-endian); empty where that is its place."""
    _, owner = read_points(site.project.view, query.space)
    return Response(b"" if owner is None else owner.astype("<u4").tobytes(), media_type=_BYTES)


@router.get("/api/plots/colours", ColourQuery, _BYTES)
def colours(site: Site, query: ColourQuery) -> Response:
    """Return a byte for every point; the legend says what it means."""
    return Response(colour_points(site.project.view, query.space, query.by)[0].tobytes(), media_type=_BYTES)


@router.get("/api/plots/legend", ColourQuery, Legend)
def legend(site: Site, query: ColourQuery) -> Legend:
    """Say what the colour bytes mean."""
    return colour_points(site.project.view, query.space, query.by)[1]


@router.get("/api/plots/point", PointQuery, PointInfo)
def point(site: Site, query: PointQuery) -> PointInfo:
    """Say what a point stands for."""
    return show_point(site.project.view, query.space, query.point)


@router.get("/api/sql", SqlQuery, SqlResult)
def sql(site: Site, query: SqlQuery) -> SqlResult:
    """Run one SELECT over the tables of the index."""
    return run_query(site.project.view, query.query, limit=query.limit)


@router.get("/api/sql/tables", NoQuery, list[SqlTable])
def tables(site: Site, _: NoQuery) -> list[SqlTable]:
    """List the tables that queries may read."""
    return list_tables(site.project.view)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
