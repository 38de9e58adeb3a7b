"""`tamis scan` on Ray that reads without an end, to be stopped: `ray_endless_scan.py SOURCE INDEX [ADDRESS]`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import tamis.cli
from tamis.api.scanning import scan as scanning
from tamis.api.scanning.partition import read_partition

if TYPE_CHECKING:
    from tamis.api.scanning.chunk import Partition, ScanJob
    from tamis.api.scanning.partition import PartitionResult


def read_slowly(job: ScanJob, partition: Partition) -> PartitionResult:
    """Say that a partition is being read, and read on for as long as somebody waits for it."""
    (job.folder.parents[2] / "reading").touch()
    while job.folder.exists():
        time.sleep(0.01)
    return read_partition(job, partition)


if __name__ == "__main__":
    from ray_endless_scan import read_slowly as found_by_workers

    scanning._SMALLEST_PARTITION_UNITS = 20  # noqa: SLF001 (a test's small datasource)
    scanning.read_partition = found_by_workers  # type: ignore[attr-defined]
    source, index, *address = sys.argv[1:]
    call = ["scan", source, "--full", "--quiet", "--index", index, "--engine", "ray"]
    sys.argv = ["tamis", *call, *(["--ray-address", *address] if address else [])]
    tamis.cli.main()
