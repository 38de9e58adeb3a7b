"""The application: routes of the API, static files, the page, and the guard around all of them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route

from tamis.api.browsing.values_work import Fault
from tamis.web import routes_duplicates, routes_samples, routes_work
from tamis.web.faults import answer_fault, fault_of
from tamis.web.guard import Access, Guard
from tamis.web.openapi import describe_routes
from tamis.web.pages import STATIC, Files, Page, read_page, script_hashes
from tamis.web.routing import routes_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from tamis.web.site import Site

ENDPOINTS = [*routes_samples.router.endpoints, *routes_work.router.endpoints, *routes_duplicates.router.endpoints]


def create_app(site: Site, access: Access, *, page: bytes | None = None) -> ASGIApp:
    """Return the application that serves a project.

    Args:
        site: what is served; it is started and closed with the application.
        access: who may ask.
        page: `index.html`, `None` for that of the installation.

    Raises:
        DatasourceError: when the page is missing from the installation.
    """
    shown = read_page() if page is None else page

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        site.project.start()
        try:
            yield
        finally:
            site.project.close()

    description = msgspec.json.encode(describe_routes(ENDPOINTS))
    app = Starlette(
        routes=[
            *routes_of(ENDPOINTS, site),
            Route("/api/events", partial(_events, site)),
            Route("/api/openapi.json", lambda _: Response(description, media_type="application/json")),
            Route("/api/{path:path}", _no_route, methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
            Mount("/static", Files(directory=STATIC, check_dir=False)),
            Route("/{path:path}", Page(shown).answer, methods=["GET"]),
        ],
        lifespan=lifespan,
        exception_handlers={Exception: _bug},
    )
    return Guard(app, access, script_hashes(shown))


async def _events(site: Site, _: Request) -> Response:
    """Send the status and all jobs, then every change of them, as server-sent events."""

    async def lines() -> AsyncIterator[bytes]:
        async for name, value in site.events():
            yield b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(value) + b"\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


async def _no_route(request: Request) -> Response:
    fault = Fault(
        code="not-found", message=f"There is no route `{request.url.path}`", hint="`/api/openapi.json` lists them"
    )
    return answer_fault(404, fault)


async def _bug(_: Request, error: Exception) -> Response:
    return answer_fault(*fault_of(error))
