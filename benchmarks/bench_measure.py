"""Wall time of a command, and what all its processes hold together."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_SAMPLE_SECS = 0.05


class Took(NamedTuple):
    """What a command cost.

    Attributes:
        seconds: from start to exit.
        processor_seconds: of all its processes together, user and system.
    """

    seconds: float
    processor_seconds: float


def run(command: Sequence[str | Path], *, codes: Sequence[int] = (0,)) -> Took:
    """Run a command from start to exit; compiled Python is kept from run to run, as where tamis is installed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = _of_children()
    began = time.perf_counter()
    done = subprocess.run(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
    )
    took = time.perf_counter() - began
    if done.returncode not in codes:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr}")
    return Took(took, _of_children() - before)


def _of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def peak_bytes(command: Sequence[str | Path]) -> int:
    """Run a command and return the highest sum of PSS (shared pages counted once) of its process tree.

    Sampling slows the command down: never time the same run.
    """
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, tree_bytes(process.pid))
        time.sleep(_SAMPLE_SECS)
    return peak


def tree_bytes(root: int) -> int:
    """Return what a process and all below it hold now, shared pages counted once."""
    return sum(map(_pss_bytes, _tree(root)))


def spread(times: Sequence[float]) -> str:
    """Return the median and the range as text: `1.20 (1.10-1.40)`."""
    return f"{median(times):.2f} ({min(times):.2f}-{max(times):.2f})"


def _tree(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for process in Path("/proc").glob("[1-9]*"):
        with suppress(OSError):
            _, parent = (process / "stat").read_text().rsplit(")", 1)[1].split()[:2]
            children.setdefault(int(parent), []).append(int(process.name))
    found, pending = [], [root]
    while pending:
        found.append(pending.pop())
        pending += children.get(found[-1], [])
    return found


def _pss_bytes(process: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
