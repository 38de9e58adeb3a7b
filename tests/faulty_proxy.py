"""A server between a bucket's client and its server that breaks answers, by a plan that a seed fixes."""

from __future__ import annotations

import http.client
import random
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate</Message></Error>"
DENIED = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
EXPIRED = b"<Error><Code>ExpiredToken</Code><Message>the token AKIASECRET has expired</Message></Error>"
FAULTS = ("busy", "reset", "cut short")


@dataclass
class Faults:
    """Which answers are broken.

    Attributes:
        share: of requests that are broken at random.
        seed: of that chance.
        until: a request that makes this true, or comes after one that did, gets `then`; takes number and path.
        only: a part of the paths whose answers are `then`, and no others.
        then: what the answers are from then on: one of `FAULTS`, "denied", "expired".
        n_requests: seen so far.
        n_broken: answers broken so far.
    """

    share: float = 0.0
    seed: int = 0
    until: Callable[[int, str], bool] | None = None
    only: str | None = None
    then: str = "busy"
    n_requests: int = 0
    n_broken: int = 0
    _is_down: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311 (no secret)

    def next(self, path: str) -> str | None:
        """Return what is wrong with the answer to this request, or `None`."""
        with self._lock:
            self.n_requests += 1
            self._is_down = self._is_down or (self.until is not None and self.until(self.n_requests, path))
            fault = None
            if self._is_down or (self.only is not None and self.only in path):
                fault = self.then
            elif self._dice.random() < self.share:
                fault = self._dice.choice(FAULTS)
            self.n_broken += fault is not None
            return fault


class ForwardingHandler(BaseHTTPRequestHandler):
    """Hands a request on to the server at `host`, and its answer back."""

    protocol_version = "HTTP/1.1"
    host: str

    def forward(self) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers of the server's answer."""
        length = int(self.headers.get("Content-Length", 0))
        sent = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        connection = http.client.HTTPConnection(self.host, timeout=30)
        connection.request(self.command, self.path, self.rfile.read(length), sent)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body, dict(answer.getheaders())

    def answer(self, status: int, body: bytes, headers: dict[str, str], *, cut: bool = False) -> None:
        """Send an answer, or half of it."""
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                self.send_header(name, value)
        length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = cut

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: object) -> None:
        """Clients go away when they have what they want."""


@contextmanager
def serving(handler: type[ForwardingHandler]) -> Iterator[str]:
    """Run a proxy in a thread; give its address."""
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def faulty(address: str, faults: Faults) -> Iterator[str]:
    """Run the proxy of a server that breaks answers; give its address."""

    class Handler(ForwardingHandler):
        host = urlsplit(address).netloc

        def do_GET(self) -> None:
            fault = faults.next(self.path)
            if fault == "reset":
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
            elif fault in _ANSWERS:
                status, body = _ANSWERS[fault]
                self.answer(status, body, {})
            else:
                status, body, headers = self.forward()
                self.answer(status, body, headers, cut=fault == "cut short")

        do_PUT = do_DELETE = do_HEAD = do_POST = do_GET  # noqa: N815 (the names that http.server calls)

    with serving(Handler) as proxy:
        yield proxy


_ANSWERS = {"busy": (503, SLOW_DOWN), "denied": (403, DENIED), "expired": (400, EXPIRED)}
