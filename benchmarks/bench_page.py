"""Measure the page at a million samples and 8 million boxes, and write its rows into `benchmarks/results.md`.

    python benchmarks/bench_page.py [--quick] [--work benchmarks/work]

Starts until the first samples are there, pages of the server, and in a real Chromium the grid and a million points.
A page is the answer to one GET: filter by class and score (another one each time), sort by a score, the first 50
samples with their boxes. `--quick` shows that it runs: fewer samples and requests, and prints only.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import bench_page_browser as chromium
from bench_measure import spread, tree_bytes
from bench_results import Row, put_rows
from page_index import N_CATEGORIES, TASK, write_index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Page

HERE = Path(__file__).parent
WORK = "page"
_START_SECS = 2.0
_PAGE_SECS = 0.15
_FRAME_SECS = 1 / 30  # fluid
_SORTS = [f"score:{TASK.name}:{name}" for name in ("uncertainty_entropy", "uncertainty_margin")]


@dataclass(slots=True)
class Server:
    """A running `tamis serve`."""

    process: subprocess.Popen[str]
    port: int

    def get(self, connection: http.client.HTTPConnection, path: str, **query: object) -> bytes:
        connection.request("GET", f"{path}?{urlencode(query)}", headers={"Host": f"127.0.0.1:{self.port}"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
        return body

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)


def serve(folder: Path) -> Server:
    """Start the server, and return when it listens."""
    command = [sys.executable, "-m", "tamis", "serve", str(folder), "--port", "0", "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if process.stdout is None:
        raise RuntimeError("no output")
    address = process.stdout.readline()
    return Server(process, int(address.rstrip("/\n").rpartition(":")[2]))


def start(folder: Path) -> tuple[Server, float]:
    """Start the server; return it and the seconds until the first page of samples was there."""
    began = time.perf_counter()
    server = serve(folder)
    connection = server.connect()
    while True:
        try:
            server.get(connection, "/api/samples", limit=50)
        except RuntimeError:
            time.sleep(0.02)
            continue
        return server, time.perf_counter() - began


def wait_until_ready(server: Server) -> None:
    """Wait until predictions are loaded and columns read."""
    connection = server.connect()
    while json.loads(server.get(connection, "/api/status"))["state"] != "ready":
        time.sleep(0.1)
    server.get(connection, "/api/columns")


def page_query(rng: random.Random) -> dict[str, object]:
    """Return a page that nobody asked for before."""
    low = rng.random() * 0.8
    condition = {
        "type": "predictions",
        "task": TASK.name,
        "categories": [rng.randrange(N_CATEGORIES)],
        "score_min": low,
        "score_max": low + rng.random() * 0.2,
    }
    return {"filter": json.dumps([condition]), "sort": rng.choice(_SORTS), "descending": "true", "limit": 50}


def time_pages(server: Server, *, clients: int, requests: int) -> list[float]:
    """Return the seconds of each of some requests of some clients at once."""
    times: list[float] = []
    faults: list[BaseException] = []

    def work(seed: int) -> None:
        rng, connection = random.Random(seed), server.connect()  # noqa: S311 (which page, no secret)
        try:
            for _ in range(requests):
                query = page_query(rng)
                began = time.perf_counter()
                server.get(connection, "/api/samples", **query)
                times.append(time.perf_counter() - began)
        except (OSError, RuntimeError) as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(time.time_ns() + i,)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(f"{len(faults)} of {clients} clients failed: {faults[0]}")
    return times


def time_once(server: Server, path: str, **query: object) -> float:
    """Return the seconds of one answer."""
    connection = server.connect()
    began = time.perf_counter()
    server.get(connection, path, **query)
    return time.perf_counter() - began


def run(work: Path, *, quick: bool, repeats: int) -> list[Row]:
    """Measure everything; rows name the samples that there were."""
    n = 20_000 if quick else 1_000_000
    folder = write_index(work / f"page-{n}", n_samples=n, mean_boxes=8)
    of = f"{WORK}, {n:,} samples with 8 boxes each"
    rows = _starts(folder, of, repeats)
    server, _ = start(folder)
    try:
        wait_until_ready(server)
        rows += _pages(server, of, requests=20 if quick else 200)
        rows += _window(server, of)
    finally:
        stop(server)
    return rows


def _starts(folder: Path, of: str, repeats: int) -> list[Row]:
    """Start where nothing is prepared, and again where it is."""
    first, ready, again, seen = [], [], [], []
    for _ in range(repeats):
        for made in ("browse", "plots"):
            shutil.rmtree(folder / ".lightly" / "tamis" / made, ignore_errors=True)
        server, took = start(folder)
        first.append(took)
        ready.append(took + chromium.seconds(lambda server=server: wait_until_ready(server)))  # type: ignore[misc]
        stop(server)
        server, took = start(folder)
        again.append(took)
        stop(server)
        with chromium.window() as page:
            seen.append(_until_seen(folder, page))
    target = f"<= {_START_SECS:g} s"
    return [
        _row(of, "first start after a scan, to the first 50", target, first, _START_SECS),
        _row(of, "first start after a scan, until every filter answers", "for information", ready, _START_SECS),
        _row(of, "start, to the first 50", target, again, _START_SECS),
        _row(of, "start, to the first card of the grid in Chromium", target, seen, _START_SECS),
    ]


def _until_seen(folder: Path, page: Page) -> float:
    """Return the seconds from the command until a window that is open shows the grid."""
    began = time.perf_counter()
    server = serve(folder)
    try:
        chromium.first_card(page, server.port)
        return time.perf_counter() - began
    finally:
        stop(server)


def _pages(server: Server, of: str, *, requests: int) -> list[Row]:
    """Ask for pages that nobody asked for before, alone and among others."""
    for sort in _SORTS:
        time_once(server, "/api/samples", sort=sort, descending="true")
    total = json.loads(server.get(server.connect(), "/api/status"))["samples"]
    plain = [time_once(server, "/api/samples", offset=i * 50, limit=50) for i in range(requests)]
    ends = [time_once(server, "/api/samples", offset=total - 50 - i, sort=_SORTS[0]) for i in range(50)]
    rows = [_p95(of, "floor: 50 of them without filter and sort", "for information", plain, _PAGE_SECS)]
    for clients in (1, 20):
        times = time_pages(server, clients=clients, requests=max(requests // clients, 5))
        work = f"filter + sort + first 50 with boxes, {clients} client{'s' if clients > 1 else ''} at once"
        rows.append(_p95(of, work, f"p95 <= {_PAGE_SECS:g} s", times, _PAGE_SECS))
    rows.append(_p95(of, "the last 50, sorted", f"p95 <= {_PAGE_SECS:g} s", ends, _PAGE_SECS))
    return rows


def _window(server: Server, of: str) -> list[Row]:
    """Use the grid and the plot as somebody would."""
    info, fluid = "for information", f"p95 <= {_FRAME_SECS:.3f} s"
    with chromium.window() as page:
        chromium.first_card(page, server.port)
        end = chromium.seconds(lambda: chromium.scroll_to_end(page))
        wheel = chromium.scroll_frames(page)
        made = chromium.seconds(lambda: chromium.lay_out(page))
        drawn = chromium.seconds(lambda: chromium.draw_points(page))
        panned, zoomed = chromium.pan(page), chromium.zoom(page)
        pointed = chromium.seconds(lambda: chromium.hover(page))
        lasso = chromium.lasso(page)
        marked = chromium.pan(page)
    return [
        _row(of, "Chromium, the scroll bar thrown to the last card", info, [end], 1),
        _p95(of, "Chromium, a frame while the wheel turns through the grid", fluid, wheel, _FRAME_SECS),
        _row(of, "Chromium, points of the embedding laid out, once for each scan", info, [made], 1),
        _row(of, "Chromium, embedding view opened, to all points in colour", info, [drawn], 1),
        _p95(of, "Chromium, a frame while the points are dragged", fluid, panned, _FRAME_SECS),
        _p95(of, "Chromium, a frame while the points are zoomed", fluid, zoomed, _FRAME_SECS),
        _p95(of, "Chromium, a frame while they are dragged, some in a filter", fluid, marked, _FRAME_SECS),
        _row(of, "Chromium, pointer at a point, to its name", info, [pointed], 1),
        _row(of, "Chromium, lasso let go, to its points standing out", info, [lasso], 1, server),
    ]


def _row(of: str, work: str, target: str, times: list[float], limit: float, server: Server | None = None) -> Row:
    held = None if server is None else tree_bytes(server.process.pid)
    return Row(f"{of}: {work}", target, f"{spread(times)} s", _share(max(times), limit), len(times), held)


def _p95(of: str, work: str, target: str, times: Sequence[float], limit: float) -> Row:
    cuts = quantiles(times, n=100)
    measured = f"p50 {cuts[49]:.3f} s, p95 {cuts[94]:.3f} s"
    return Row(f"{of}: {work}", target, measured, _share(cuts[94], limit), len(times))


def _share(took: float, limit: float) -> str:
    return f"{took / limit:.0%} of {limit:.2g} s"


def stop(server: Server) -> None:
    """End the server as Ctrl-C would."""
    server.process.terminate()
    server.process.wait(timeout=20)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the page, and write its rows into benchmarks/results.md")
    parser.add_argument("--quick", action="store_true", help="few samples, print only")
    parser.add_argument("--repeats", type=int, default=3, help="starts")
    parser.add_argument("--work", type=Path, default=HERE / "work", help="where the generated index lies")
    options = parser.parse_args()
    rows = run(options.work, quick=options.quick, repeats=1 if options.quick else options.repeats)
    print("\n".join(row.line() for row in rows), flush=True)
    if not options.quick:
        put_rows(HERE / "results.md", rows, of=WORK)


if __name__ == "__main__":
    main()
