"""Serving the application with uvicorn: one address, a quiet end."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from tamis.api.browsing.project import Project, ServeOptions
from tamis.errors import DatasourceError, UsageError
from tamis.web.app import create_app
from tamis.web.guard import Access
from tamis.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from tamis.api.sources import Sources

_ENDING_SECS = 2
_SHORTEST_TOKEN = 16
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Where to listen, and for whom.

    Attributes:
        host: name or address to listen on.
        port: 0 is any that is free.
        token: what others than this machine have to show; `None`: none for loopback, else a new one.
        names: further names that the page is reached by, e.g. behind a proxy.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    token: str | None = None
    names: tuple[str, ...] = ()


def serve(
    sources: Sources,
    options: ServerOptions,
    serve_options: ServeOptions,
    *,
    listening: Callable[[str], None],
) -> None:
    """Serve a datasource until Ctrl-C.

    Args:
        sources: the places of the project.
        options: where to listen, and for whom.
        serve_options: what is shown.
        listening: given the address to open, token included, as soon as it answers.

    Raises:
        UsageError: when the token is too short, or the host cannot be listened on.
        DatasourceError: when the port is taken.
    """
    access = access_of(options)
    opened = _listen(options.host, options.port)
    site = Site(Project(sources, serve_options))
    config = uvicorn.Config(
        create_app(site, access),
        log_config=None,
        log_level="error",  # who sends nonsense is told so; the terminal need not be
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_ENDING_SECS,
        h11_max_incomplete_event_size=320 << 10,  # a filter in the address
    )
    server = _Server(config, site, lambda: listening(_address(options, opened, access.token)))
    try:
        with suppress(KeyboardInterrupt):  # how one ends it: nothing went wrong
            server.run(sockets=[opened])
    finally:
        opened.close()


def access_of(options: ServerOptions) -> Access:
    """Return who may ask: without a token only who reaches this machine by a loopback name.

    Raises:
        UsageError: when the token is too short to be safe.
    """
    if options.token is not None and len(options.token) < _SHORTEST_TOKEN:
        raise UsageError(
            f"The token is too short: expected {_SHORTEST_TOKEN} characters or more",
            hint="leave `--token` out, and one is made",
        )
    names = frozenset(name.lower() for name in (*_LOOPBACK_NAMES, *options.names))
    if is_loopback(options.host):
        return Access(hosts=names, token=options.token)
    token = options.token or secrets.token_urlsafe(24)
    if is_any(options.host):  # whatever name leads here; the token keeps others out
        return Access(hosts=frozenset(), token=token)
    return Access(hosts=names | {_in_url(options.host).lower()}, token=token)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on a host."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_any(host: str) -> bool:
    """Whether a host stands for all addresses of this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return not host


class _Server(uvicorn.Server):
    """Ends its event streams first: it would wait for them."""

    def __init__(self, config: uvicorn.Config, site: Site, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._site = site
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._site.end_streams()
        super().handle_exit(sig, frame)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]") or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        opened = socket.socket(family, kind, protocol)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.set_inheritable(False)
    except socket.gaierror as error:
        raise UsageError(f"`{host}` is no address to listen on: {error.strerror}") from None
    except OSError as error:
        raise DatasourceError(
            f"Port {port} of `{host}` cannot be listened on: {(error.strerror or str(error)).lower()}",
            hint="another `tamis serve` may be running: give another `--port`, or `--port 0` for any",
        ) from None
    return opened


def _address(options: ServerOptions, opened: socket.socket, token: str | None) -> str:
    host = socket.gethostname() if is_any(options.host) else options.host
    query = "" if token is None else f"?token={token}"
    return f"http://{_in_url(host)}:{opened.getsockname()[1]}/{query}"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
