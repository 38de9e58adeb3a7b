"""How long work says how far it is: values handed to whoever listens."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Progress(NamedTuple):
    """How far one stage of the work is.

    Attributes:
        stage: what is being done: "listing", "reading", "selecting", ...
        done: how much of it, in `unit`s.
        total: how much there is, `None` where it is not known yet.
        unit: what is counted: "files", "picks", ...
        note: something to show beside it, e.g. the number of problems so far.
    """

    stage: str
    done: int
    total: int | None
    unit: str
    note: str = ""


ProgressListener = Callable[[Progress], None]


def telling(listen: ProgressListener, stage: str, unit: str = "files") -> Callable[[int, int], None]:
    """Return what tells a listener how far a stage is, given how much is done and how much there is."""
    return lambda done, total: listen(Progress(stage, done, total, unit))
