"""Routes as values: each with its request and answer, from which it is decoded, encoded and described."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from tamis.web.faults import answer_fault, fault_of

if TYPE_CHECKING:
    from collections.abc import Sequence

Handler = Callable[[Any, Any], Any]  # (site, decoded request) -> answer


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route.

    Attributes:
        method: GET or POST.
        path: below the root, without parameters: names of files go into the query.
        request: struct that the query (GET) or the JSON body (POST) is decoded to.
        answer: type of the JSON answer, or the content type of another one.
        handler: called in a thread with the site and the request; returns the answer, or a response.
        about: one sentence for the reference.
    """

    method: str
    path: str
    request: type[msgspec.Struct]
    answer: Any
    handler: Handler
    about: str


@dataclass(slots=True)
class Router:
    """Collects endpoints by decorators."""

    endpoints: list[Endpoint] = field(default_factory=list)

    def get(self, path: str, request: type[msgspec.Struct], answer: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401
        """Add a GET; the first sentence of the handler's docstring is its description."""
        return partial(self._add, "GET", path, request, answer)

    def post(self, path: str, request: type[msgspec.Struct], answer: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401
        """Add a POST, likewise."""
        return partial(self._add, "POST", path, request, answer)

    def _add(
        self,
        method: str,
        path: str,
        request: type[msgspec.Struct],
        answer: Any,  # noqa: ANN401 (a type, or the content type of bytes)
        handler: Handler,
    ) -> Handler:
        about = (handler.__doc__ or "").strip().split("\n")[0]
        self.endpoints.append(Endpoint(method, path, request, answer, handler, about))
        return handler


def routes_of(endpoints: Sequence[Endpoint], site: Any) -> list[Route]:  # noqa: ANN401 (what handlers are given)
    """Return Starlette's routes."""
    return [
        Route(endpoint.path, partial(_serve, endpoint, site), methods=[endpoint.method]) for endpoint in endpoints
    ]


async def _serve(endpoint: Endpoint, site: Any, request: Request) -> Response:  # noqa: ANN401 (as above)
    try:
        if endpoint.method == "GET":
            wanted = decode_query(endpoint.request, request)
        else:
            wanted = msgspec.json.decode(await request.body(), type=endpoint.request)
        answer = await anyio.to_thread.run_sync(endpoint.handler, site, wanted, limiter=site.limiter(endpoint))
    except ClientDisconnect:
        return Response(status_code=413)
    except Exception as error:  # noqa: BLE001 (the outermost handler: a bug is answered, and told on stderr)
        return answer_fault(*fault_of(error, index_gone=site.project.browser.is_gone()))
    if isinstance(answer, Response):
        return answer
    return Response(msgspec.json.encode(answer), media_type="application/json")


def decode_query(kind: type[msgspec.Struct], request: Request) -> msgspec.Struct:
    """Return the query of a request as a struct.

    Raises:
        msgspec.ValidationError: when a name is unknown or given twice, or a value is not of its type.
    """
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in given:
            raise msgspec.ValidationError(f"`{name}` is given twice")
        given[name] = value
    return msgspec.convert(given, kind, strict=False)
