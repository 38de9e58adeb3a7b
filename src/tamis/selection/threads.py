"""Threads of our own for matrix products, in place of those of BLAS.

OpenBLAS lets its threads wait for each other in loops that take the whole core. Where another process wants that
core, thousands of products of a millisecond each take several times as long as with one thread. So BLAS gets one,
and whole blocks of rows are handed to threads that sleep while they wait.
"""

from __future__ import annotations

import ctypes
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

_LOCK = Lock()
_FOUND: list[int] = []  # how many threads BLAS had, once for each user
_NAMES = ("scipy_openblas_{}_num_threads64_", "scipy_openblas_{}_num_threads", "openblas_{}_num_threads64_")


@contextmanager
def product_threads() -> Iterator[ThreadPoolExecutor | None]:
    """Provide threads for products of blocks, while BLAS uses one for each product.

    Yields:
        The threads; `None` where there is one core, or a BLAS that we cannot tell how many threads to use, so that
        it uses its own.

    >>> with product_threads() as threads:
    ...     squares = list(threads.map(pow, [2, 3], [2, 2])) if threads else [4, 9]
    >>> squares
    [4, 9]
    """
    control, n_cores = _openblas(), _n_cores()
    if control is None:
        yield None
        return
    with _one_each(*control):
        if n_cores == 1:
            yield None
        else:
            with ThreadPoolExecutor(n_cores) as threads:
                yield threads


@contextmanager
def _one_each(get: Callable[[], int], set_to: Callable[[int], Any]) -> Iterator[None]:
    """Let BLAS use one thread; the last of several users at once restores what the first found."""
    with _LOCK:
        _FOUND.append(_FOUND[0] if _FOUND else get())
        set_to(1)
    try:
        yield
    finally:
        with _LOCK:
            found = _FOUND.pop()
            if not _FOUND:
                set_to(found)


def even_blocks(end: int, most: int, threads: Executor | None) -> Iterator[slice]:
    """Cut rows into blocks as large as each other, for each thread as many.

    Args:
        end: number of rows.
        most: rows of a block.
        threads: of `product_threads`, `None` for one.

    >>> [(block.start, block.stop) for block in even_blocks(5, 2, None)]
    [(0, 2), (2, 4), (4, 5)]
    """
    n_threads = 1 if threads is None else _n_cores()
    n_blocks = n_threads * -(-end // (most * n_threads))
    size = -(-end // n_blocks) if n_blocks else 1
    for start in range(0, end, size):
        yield slice(start, min(start + size, end))


def _n_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _openblas() -> tuple[Callable[[], int], Callable[[int], Any]] | None:
    """Return how to ask and tell the OpenBLAS that NumPy's wheels bring along how many threads to use."""
    package = Path(np.__file__).parent
    for folder in (package.parent / "numpy.libs", package / ".dylibs"):
        for path in sorted(folder.glob("*openblas*")):
            library = ctypes.CDLL(str(path))  # loaded already: this is the handle that NumPy has
            for name in _NAMES:
                if hasattr(library, name.format("set")):
                    return getattr(library, name.format("get")), getattr(library, name.format("set"))
    return None
