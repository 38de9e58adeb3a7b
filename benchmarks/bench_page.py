"""Measure the page's server at a million samples and 8 million boxes: start, pages, scrolling, plot, memory.

    python benchmarks/bench_page.py [--samples 1000000] [--work benchmarks/work]

A page is the answer to one GET: filter by class and score (another one each time), sort by a score, the first 50
samples with their boxes. Its floor is the same server answering a page without filter and sort.
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
from urllib.parse import urlencode

from bench_measure import tree_bytes
from page_index import N_CATEGORIES, TASK, write_index

HERE = Path(__file__).parent
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


def start(folder: Path) -> tuple[Server, float]:
    """Start the server; return it and the seconds until the first page of samples was there."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "tamis", "serve", str(folder), "--port", "0", "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if process.stdout is None:
        raise RuntimeError("no output")
    address = process.stdout.readline()
    server = Server(process, int(address.rstrip("/\n").rpartition(":")[2]))
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
    """Return the milliseconds of each of some requests of some clients at once."""
    times: list[float] = []
    faults: list[BaseException] = []

    def work(seed: int) -> None:
        rng, connection = random.Random(seed), server.connect()  # noqa: S311 (which page, no secret)
        try:
            for _ in range(requests):
                query = page_query(rng)
                began = time.perf_counter()
                server.get(connection, "/api/samples", **query)
                times.append(1000 * (time.perf_counter() - began))
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


def time_once(server: Server, path: str, **query: object) -> tuple[float, int]:
    """Return the milliseconds and the bytes of one answer."""
    connection = server.connect()
    began = time.perf_counter()
    size = len(server.get(connection, path, **query))
    return 1000 * (time.perf_counter() - began), size


def _spread(times: list[float]) -> str:
    cuts = quantiles(times, n=100)
    return f"p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms ({len(times)} requests)"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the page's server")
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=200, help="requests in all, of 1 and of 20 clients")
    parser.add_argument("--work", type=Path, default=HERE / "work")
    options = parser.parse_args()
    folder = write_index(options.work / f"page-{options.samples}", n_samples=options.samples, mean_boxes=8)

    shutil.rmtree(folder / ".lightly" / "tamis" / "browse", ignore_errors=True)
    server, seconds = start(folder)
    print(f"first start, nothing prepared: {seconds:.2f} s to the first page of samples", flush=True)
    began = time.perf_counter()
    wait_until_ready(server)
    print(f"  {time.perf_counter() - began:.1f} s more until filters answer", flush=True)
    print(f"  memory of all processes {tree_bytes(server.process.pid) / 2**20:.0f} MB", flush=True)
    stop(server)

    server, seconds = start(folder)
    print(f"start: {seconds:.2f} s to the first page of samples", flush=True)
    wait_until_ready(server)
    for sort in _SORTS:
        time_once(server, "/api/samples", sort=sort, descending="true")
    try:
        measure(server, options.requests)
    finally:
        stop(server)


def measure(server: Server, requests: int) -> None:
    """Print what pages, scrolling and counts cost."""
    plain = [time_once(server, "/api/samples", offset=i * 50, limit=50)[0] for i in range(requests)]
    print(f"floor, no filter and no sort: {_spread(plain)}")
    for clients in (1, 20):
        times = time_pages(server, clients=clients, requests=max(requests // clients, 5))
        print(f"filter + sort + first 50 with boxes, {clients} clients: {_spread(times)}", flush=True)
    total = json.loads(server.get(server.connect(), "/api/status"))["samples"]
    ends = [time_once(server, "/api/samples", offset=total - 50 - i, sort=_SORTS[0])[0] for i in range(50)]
    print(f"scrolled to the end: {_spread(ends)}")
    query = {"filter": str(page_query(random.Random(7))["filter"])}  # noqa: S311 (as above)
    for path in ("/api/counts", "/api/samples/numbers"):
        took, size = time_once(server, path, **query)
        print(f"{path}: {took:.0f} ms, {size / 1e3:.0f} kB")
    took, size = time_once(server, "/api/histogram", column=f"predictions:{TASK.name}", **query)
    print(f"/api/histogram: {took:.0f} ms, {size / 1e3:.1f} kB")
    took, size = time_once(server, "/api/objects", task=TASK.name, categories="[3]", **query)
    print(f"/api/objects: {took:.0f} ms, {size / 1e3:.0f} kB")
    print(f"memory of all processes: {tree_bytes(server.process.pid) / 2**20:.0f} MB", flush=True)


def stop(server: Server) -> None:
    """End the server as Ctrl-C would."""
    server.process.terminate()
    server.process.wait(timeout=20)


if __name__ == "__main__":
    main()
