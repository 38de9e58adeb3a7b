"""GETs by obstore and nothing else: what a scan of a bucket is measured against.

    python benchmarks/bare_gets.py URL WORKERS IN_FLIGHT

Reads the start of every image and every prediction file whole, as a first scan does, in as many processes with as
many requests in flight each. Prints the requests a second: of the whole with its listing, and of reading alone.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import obstore
from obstore.store import S3Store

_START_BYTES = 4096


def open_bucket(bucket: str) -> S3Store:
    """Return obstore's client of the endpoint in the environment."""
    return S3Store(bucket, endpoint=os.environ["AWS_ENDPOINT_URL"], client_options={"allow_http": True})


def read_all(store: S3Store, keys: list[str], in_flight: int) -> int:
    """Read the keys and return how many bytes came."""

    def read(key: str) -> int:
        if key.endswith(".json"):
            return len(bytes(obstore.get(store, key).bytes()))
        return len(bytes(obstore.get(store, key, options={"range": (0, _START_BYTES)}).bytes()))

    with ThreadPoolExecutor(in_flight) as threads:
        return sum(threads.map(read, keys))


def _read_part(bucket: str, keys: list[str], in_flight: int) -> None:
    read_all(open_bucket(bucket), keys, in_flight)


def main() -> None:
    bucket, workers, in_flight = sys.argv[1].removeprefix("s3://"), int(sys.argv[2]), int(sys.argv[3])
    began = time.perf_counter()
    keys = [meta["path"] for chunk in obstore.list(open_bucket(bucket), chunk_size=1000) for meta in chunk]
    listed = time.perf_counter()
    if workers == 1:
        _read_part(bucket, keys, in_flight)
    else:
        parts = [keys[i::workers] for i in range(workers)]
        processes = [
            multiprocessing.get_context("spawn").Process(target=_read_part, args=(bucket, part, in_flight))
            for part in parts
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
    ended = time.perf_counter()
    print(f"{len(keys) / (ended - began):.1f} {len(keys) / (ended - listed):.1f}")


if __name__ == "__main__":
    main()
