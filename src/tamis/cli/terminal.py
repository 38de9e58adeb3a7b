"""What every command shares: stdout for data, stderr for the rest, progress while a person watches."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tamis.engine import Progress, ProgressListener
    from tamis.errors import TamisError


class OutputFormat(StrEnum):
    """How a command answers."""

    TEXT = "text"
    JSON = "json"


def stdout() -> Console:
    """Return the console for data. Names from the data are never read as markup."""
    return Console(markup=False, highlight=False, emoji=False, soft_wrap=False)


def stderr() -> Console:
    """Return the console for everything else."""
    return Console(stderr=True, markup=False, highlight=False, emoji=False)


def write_json(data: bytes) -> None:
    """Write JSON text and a line end to stdout."""
    sys.stdout.buffer.write(data + b"\n")
    sys.stdout.buffer.flush()


def print_error(error: TamisError) -> None:
    """Say what happened and what to do."""
    console = stderr()
    console.print(Text.assemble(("error: ", "bold red"), error.message))
    if error.hint is not None:
        console.print(Text.assemble(("hint: ", "bold cyan"), error.hint))


def print_note(text: str, *, quiet: bool) -> None:
    """Say something that is not data."""
    if not quiet:
        stderr().print(Text(text))


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[ProgressListener]:
    """Show progress with rate and time left on stderr, while that is a terminal; yield what to tell."""
    console = stderr()
    if quiet or not console.is_terminal:
        yield lambda _: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import (
        Progress as Bars,
    )

    columns = [
        TextColumn("{task.description:>9}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}", style="dim"),
    ]
    with Bars(*columns, console=console, transient=True) as bars:
        stages: dict[str, TaskID] = {}

        def listen(progress: Progress) -> None:
            if progress.stage not in stages:
                stages[progress.stage] = bars.add_task(
                    progress.stage, total=progress.total, unit=progress.unit, rate="", note=""
                )
            stage = stages[progress.stage]
            speed = bars.tasks[stage].speed
            bars.update(
                stage,
                completed=progress.done,
                total=progress.total,
                note=progress.note,
                rate=f"{speed:,.0f}/s" if speed else "",
            )

        yield listen
