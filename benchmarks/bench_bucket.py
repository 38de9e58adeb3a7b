"""Buckets far away: a scan over S3's protocol with 30 ms to each answer, against GETs by obstore and nothing else.

    python benchmarks/bench_bucket.py [--quick]

Prints rows as `run.py` does; each round measures both, one after the other, at the same number of requests in
flight. The endpoint (`slow_s3.py`) runs on the same processors.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import bench_inputs
from bench_measure import peak_bytes, run, spread
from bench_results import Row, render

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
LATENCY_MS = 30
IN_FLIGHT = 64
URL = "s3://bucket"
_SCAN_CODES = (0, 1)


def compare(work: Path, *, n_files: int, repeats: int) -> list[Row]:
    """Return the rows: reads alone, and whole scans by one and by two processes."""
    inputs = bench_inputs.build(work, n_files)
    index = work / "bucket-index"
    rows = []
    with endpoint(inputs.root):
        rows.append(_reads(inputs, repeats))
        for workers in (1, 2):
            scans: list[float] = []
            gets: list[float] = []
            command: list[str | Path] = [sys.executable, "-m", "tamis", "scan", URL, "--index", index, "--quiet"]
            command += ["--workers", str(workers)]
            bare: list[str | Path] = [sys.executable, HERE / "bare_gets.py", URL, str(workers), str(IN_FLIGHT)]
            for _ in range(repeats):
                gets.append(run(bare).seconds)
                shutil.rmtree(index, ignore_errors=True)
                scans.append(run(command, codes=_SCAN_CODES).seconds)
            shutil.rmtree(index)
            rate = f"{2 * n_files / median(scans):,.0f} requests/s"
            rows.append(
                Row(
                    f"scan of {n_files:,} files and as many images in a bucket, {LATENCY_MS} ms away, "
                    f"{workers} x {IN_FLIGHT} requests in flight",
                    ">= .8x bare obstore GETs, listing and start included in both",
                    f"{spread(scans)} s against {spread(gets)} s: {rate}",
                    f"{median(b / a for a, b in zip(scans, gets, strict=True)):.2f}x",
                    repeats,
                    peak_bytes(command),
                )
            )
            shutil.rmtree(index)
    return rows


@contextmanager
def endpoint(root: Path) -> Iterator[None]:
    """Serve a folder as a bucket, to this process and those that it starts."""
    command: list[str | Path] = [sys.executable, HERE / "slow_s3.py", root, "--latency-ms", str(LATENCY_MS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None  # noqa: S101 (for the type checker)
        address = f"http://127.0.0.1:{int(server.stdout.readline())}"
        os.environ |= {
            "AWS_ENDPOINT_URL": address,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
        }
        try:
            yield
        finally:
            server.terminate()


def _reads(inputs: bench_inputs.Inputs, repeats: int) -> Row:
    """Compare `read_many` with the same GETs, in this process."""
    from bare_gets import open_bucket, read_all  # noqa: PLC0415 (after the endpoint is known)

    from tamis.storage import StoreError  # noqa: PLC0415
    from tamis.storage.bucket import BucketStore  # noqa: PLC0415

    task = inputs.root / ".lightly" / "predictions" / bench_inputs.TASK
    keys = sorted(path.relative_to(inputs.root).as_posix() for path in task.rglob("*.json"))
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(repeats):
        began = time.perf_counter()
        read_all(open_bucket("bucket"), keys, IN_FLIGHT)
        bare.append(time.perf_counter() - began)
        began = time.perf_counter()
        n_read = sum(not isinstance(blob, StoreError) for blob in BucketStore(URL).read_many(keys))
        ours.append(time.perf_counter() - began)
        if n_read != len(keys):
            raise RuntimeError(f"{n_read} of {len(keys)} were read")
    return Row(
        f"{len(keys):,} reads from a bucket, {LATENCY_MS} ms away, {IN_FLIGHT} in flight",
        ">= .8x bare obstore GETs",
        f"{spread(ours)} s against {spread(bare)} s: {len(keys) / median(ours):,.0f} requests/s",
        f"{median(b / a for a, b in zip(ours, bare, strict=True)):.2f}x",
        repeats,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure scans of a bucket that is far away")
    parser.add_argument("--quick", action="store_true", help="few files, one round")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--files", type=int, default=10_000)
    options = parser.parse_args()
    work = HERE / "work"
    work.mkdir(exist_ok=True)
    n_files, repeats = (2_000, 1) if options.quick else (options.files, options.repeats)
    print(render(compare(work, n_files=n_files, repeats=repeats), notes=""))


if __name__ == "__main__":
    main()
