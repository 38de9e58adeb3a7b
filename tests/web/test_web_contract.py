"""The description of the routes, the answers that they promise, and the stream of events."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

import tamis
from tamis.web.app import ENDPOINTS
from web_data import NEEDS, Asker, until

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = [e for e in ENDPOINTS if e.method == "GET" and not isinstance(e.answer, str)]


@pytest.mark.parametrize("endpoint", PLAIN, ids=[endpoint.path for endpoint in PLAIN])
def test_answers_are_of_the_type_that_is_promised(page: Asker, endpoint: Any) -> None:
    """Law: every JSON answer decodes strictly as the struct of its route."""
    names = endpoint.request.__struct_fields__
    answer = page.client.get(endpoint.path, params={n: v for n, v in NEEDS.items() if n in names and n != "id"})
    if answer.status_code == 200:
        msgspec.json.decode(answer.content, type=endpoint.answer)


def test_every_route_is_described(page: Asker) -> None:
    """OpenAPI names every route with its parameters, and every reference in it leads somewhere."""
    document = page.read("openapi.json")
    assert document["openapi"] == "3.1.0"
    assert document["info"]["version"] == tamis.__version__
    for endpoint in ENDPOINTS:
        operation = document["paths"][endpoint.path][endpoint.method.lower()]
        assert operation["summary"]
        if endpoint.method == "GET":
            named = [parameter["name"] for parameter in operation["parameters"]]
            assert named == list(endpoint.request.__struct_fields__)
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))
    for reference in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)):
        assert reference in document["components"]["schemas"]


def test_the_page_is_served_everywhere_outside_the_api(page: Asker) -> None:
    """Addresses of views are the page's own; the same page is not sent twice."""
    first = page.client.get("/grid?filter=[]")
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    again = page.client.get("/sample/x", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert page.client.get("/api").status_code in {200, 404}


def test_a_served_page_streams_events_and_ends_at_ctrl_c(datasource: Path) -> None:
    """`tamis serve` prints its address, tells of a scan as it goes, and ends with 0 though a stream is open."""
    command = [sys.executable, "-m", "tamis", "serve", str(datasource), "--port", "0", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        seen: list[tuple[str, Any]] = []
        listener = threading.Thread(target=_listen, args=(f"{address}api/events", seen))
        listener.start()
        until(lambda: any(name == "status" and value["state"] == "ready" for name, value in seen))
        request = urllib.request.Request(  # noqa: S310 (the address of the test's own server)
            f"{address}api/scan", data=b"{}", headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 (as above)
            job = json.load(answer)
        until(
            lambda: any(
                name == "job" and value["id"] == job["id"] and value["state"] == "done" for name, value in seen
            )
        )
        began = time.monotonic()
        os.kill(server.pid, signal.SIGINT)
        assert server.wait(timeout=60) == 0
        assert time.monotonic() - began < 30
        listener.join(timeout=30)
        assert not listener.is_alive()
        assert server.stderr is not None
        assert server.stderr.read() == ""


def _listen(address: str, seen: list[tuple[str, Any]]) -> None:
    with urllib.request.urlopen(address) as stream:  # noqa: S310 (as above)
        name = ""
        for line in stream:
            text = line.decode().rstrip("\n")
            if text.startswith("event: "):
                name = text.removeprefix("event: ")
            elif text.startswith("data: "):
                seen.append((name, json.loads(text.removeprefix("data: "))))
