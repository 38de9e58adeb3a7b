"""`scan --watch`: scan again and again, so that samples count with their predictions as they arrive."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tamis.api.options import ScanOptions, ignore_progress
from tamis.api.scanning.scan import scan
from tamis.errors import TamisError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tamis.api.scanning.scan import ScanResult
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener

INTERVAL_SECS = 10.0
PATIENCE_SECS = 2.0
_YEAR_SECS = 366 * 24 * 3600  # beyond it, clocks of some machines overflow
"""How long a round waits for files that look half written."""


@dataclass(frozen=True, slots=True)
class Round:
    """One look at the files.

    Attributes:
        number: from 1.
        result: what the scan did, `None` where it could not.
        error: why it could not; the index stays as it was, and the next round tries again.
    """

    number: int
    result: ScanResult | None
    error: TamisError | None = None

    @property
    def has_changed(self) -> bool:
        """Whether there is something new to say: a first state, a change or an error."""
        result = self.result
        return self.number == 1 or result is None or result.n_read > 0 or result.n_removed > 0


def watch(
    sources: Sources,
    options: ScanOptions | None = None,
    *,
    interval_secs: float = INTERVAL_SECS,
    listen: ProgressListener = ignore_progress,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Round]:
    """Scan, wait, and scan again without an end; whoever iterates ends it.

    A round that finds nothing new leaves the index as it is. A file that looks half written and changed just now is
    read again for some seconds before that is a problem, and whenever it changes later. Pools are not touched.

    Args:
        sources: the datasources and the index.
        options: how to read; `full` is for the first round alone.
        interval_secs: from the end of a round to the start of the next, > 0.
        listen: told how far each scan is.
        pause: waits so many seconds.

    Raises:
        UsageError: when the interval is not positive, or longer than a year.
        TamisError: when the first round fails; later ones carry their error.
    """
    if not 0 < interval_secs <= _YEAR_SECS:
        raise UsageError(f"Expected an interval of more than 0 seconds, at most a year, got {interval_secs:g}")
    options = replace(options or ScanOptions(), patience_secs=PATIENCE_SECS)
    yield Round(1, scan(sources, options, listen=listen, commit_unchanged=False))
    options, number = replace(options, full=False), 1
    while True:
        pause(interval_secs)
        number += 1
        try:
            yield Round(number, scan(sources, options, listen=listen, commit_unchanged=False))
        except TamisError as error:
            yield Round(number, None, error)
