"""Options of the use cases: each default stands here, once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tamis.engine import EngineName

if TYPE_CHECKING:
    from tamis.engine import Progress


def ignore_progress(progress: Progress) -> None:
    """Listen to progress and do nothing."""
    del progress


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """How to read a datasource.

    Attributes:
        workers: processes that read; `None` is one for each processor that this process may use, or that the
            cluster has.
        engine: `local`, or `ray`: on a cluster.
        ray_address: of the cluster, see `RaySession`.
        strict: also look for duplicate keys, which costs reading each file with unknown keys twice.
        full: read every file again, also those whose size and time did not change.
        relevant_filenames: path of a relevant-filenames file inside `.lightly`, or `None` for all samples.
        patience_secs: how long to wait for files that look half written and changed just now.
    """

    workers: int | None = None
    engine: str = EngineName.LOCAL
    ray_address: str | None = None
    strict: bool = False
    full: bool = False
    relevant_filenames: str | None = None
    patience_secs: float = 0.0

    @property
    def n_workers(self) -> int:
        """The number of processes that `workers` means."""
        if self.workers is not None:
            return self.workers
        if hasattr(os, "sched_getaffinity"):  # Linux: a container or `taskset` may allow fewer than there are
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
