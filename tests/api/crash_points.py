"""Scans that are killed before each of their steps that touch the index. A script of its own: it forks.

`python crash_points.py SRC` scans SRC once for each n, from the same index, and dies by SIGKILL before its
n-th step. It prints a line of JSON for each n: what the index held afterwards, and what the scan after that left.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strategies_datasource import leftovers
from tamis.api.scanning.scan import scan
from tamis.api.sources import INDEX_FOLDER, open_sources

if TYPE_CHECKING:
    from collections.abc import Callable

# What changes files; to die before a step that only looks is to die before the next one that changes.
STEPS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir"}


def is_step(event: str, args: tuple[Any, ...], folder: bytes) -> bool:
    """Whether an audit event is about to change something below a folder."""
    if not args or not isinstance(args[0], str | bytes | os.PathLike):
        return False
    writes = event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    return bool(event in STEPS or writes) and os.fsencode(args[0]).startswith(folder)


def in_child(work: Callable[[], Any]) -> tuple[bool, Any]:
    """Do work in a fork of this process, which itself stays without threads; say whether it lived to the end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, json.dumps(work()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status):
        raise SystemExit(f"a scan failed with exit code {os.WEXITSTATUS(status)}")
    return not os.WIFSIGNALED(status), json.loads(answer) if answer else None


def scan_until(source: Path, last: int) -> int:
    """Scan, and die before the step of that number."""
    index = os.fsencode(source / INDEX_FOLDER)
    n_steps = 0

    def watch(event: str, args: tuple[Any, ...]) -> None:
        nonlocal n_steps
        if is_step(event, args, index):
            n_steps += 1
            if n_steps == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    scan(open_sources(source))
    return n_steps


def scores(source: Path) -> list[float]:
    """Return the scores of all predictions in the index; ends with an error if it cannot be read."""
    snapshot = open_sources(source).index.latest()
    if snapshot is None:
        return []
    found: list[float] = snapshot.table("predictions:cars", ["score"])["score"].to_pylist()
    return sorted(found)


def look_and_mend(source: Path) -> dict[str, Any]:
    """Return what a killed scan left, and what the scan after it makes of that."""
    after = scores(source)
    scan(open_sources(source))
    left = leftovers(source / INDEX_FOLDER)
    return {"after": after, "mended": scores(source), "leftovers": sorted(left)}


def main() -> None:
    source = Path(sys.argv[1])
    index, backup = source / INDEX_FOLDER, source.parent / "backup"
    if index.exists():
        shutil.copytree(index, backup)
    lived, step = False, 0
    while not lived:
        step += 1
        shutil.rmtree(index, ignore_errors=True)
        if backup.exists():
            shutil.copytree(backup, index)
        lived, _ = in_child(partial(scan_until, source, step))
        _, found = in_child(partial(look_and_mend, source))
        print(json.dumps({"step": step, "lived": lived, **found}))  # noqa: T201 (read by the test)


if __name__ == "__main__":
    main()
