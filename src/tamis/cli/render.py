"""Values as text for people: 80 columns are enough for everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from tamis.model import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from tamis.api.check import CheckReport, Example, ProblemGroup
    from tamis.api.scanning.scan import ScanResult

_LONGEST_PATH = 60
_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def plain_table(*columns: str, numbers: Sequence[str] = ()) -> Table:
    """Return an empty table; the columns named in `numbers` are aligned to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    return table


def printable(text: str) -> str:
    """Return text with control characters escaped, so that no file name can move the cursor."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def counted(n: int, thing: str) -> str:
    """Return a number and what it counts.

    >>> counted(1, "error"), counted(2_000, "error")
    ('1 error', '2,000 errors')
    """
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"


def print_check(console: Console, report: CheckReport) -> None:
    """Print tasks and problems."""
    _print_tasks(console, report)
    for group in report.problems:
        _print_group(console, group)
    _print_verdict(console, report)


def print_scan(console: Console, result: ScanResult, report: CheckReport) -> None:
    """Print what a scan did, with one line a problem code."""
    _print_tasks(console, report)
    n, read = result.n_units, result.n_read
    unchanged = f", {n - read:,} unchanged" if read < n else ""
    removed = f", {result.n_removed:,} removed" if result.n_removed else ""
    console.print(Text(f"Read {read:,} samples{unchanged}{removed} in {result.seconds:.1f} s\n"))
    for group in report.problems:
        console.print(_headline(group))
    _print_verdict(console, report)
    if report.problems:
        console.print(Text("`tamis check` shows each problem with its place and what to do", style="dim"))


def print_round(console: Console, clock: str, result: ScanResult, report: CheckReport) -> None:
    """Print what a round of watching found, as a line."""
    changes = [f"{result.n_read:,} read"] + ([f"{result.n_removed:,} removed"] if result.n_removed else [])
    state = [
        counted(report.samples, "sample"),
        counted(report.errors, "error"),
        counted(report.warnings, "warning"),
    ]
    console.print(Text.assemble((clock, "dim"), f"  {', '.join(changes)}: {', '.join(state)}"))


def _print_tasks(console: Console, report: CheckReport) -> None:
    columns = ("task", "type", "files", "valid", "predictions", "no file")
    table = plain_table(*columns, numbers=columns[2:])
    for name, task in report.tasks.items():
        numbers = (task.files, task.valid_files, task.predictions, task.samples_without_file)
        table.add_row(printable(name), task.task_type, *(f"{number:,}" for number in numbers))
    console.print(Text(f"{counted(report.samples, 'sample')}, {counted(len(report.tasks), 'task')}\n"))
    if report.tasks:
        console.print(table)
        console.print()


def _headline(group: ProblemGroup) -> Text:
    task = f" in {printable(group.task)}" if group.task else ""
    return Text.assemble(
        (group.severity, _STYLE[group.severity]), f" {group.code} x {group.count:,}", (task, "dim")
    )


def _print_group(console: Console, group: ProblemGroup) -> None:
    console.print(_headline(group))
    if len(group.examples) > 1:
        print_hanging(console, Text(printable(group.message)), below=2)
    for example in group.examples:
        print_hanging(console, _place(example))
    if group.count > len(group.examples) > 1:
        print_hanging(console, Text(f"... and {group.count - len(group.examples):,} more", style="dim"))
    print_hanging(console, Text.assemble(("hint: ", "cyan"), printable(group.hint)))
    console.print()


def _place(example: Example) -> Text:
    text = Text()
    if example.file is not None:
        where = printable(example.file)
        if example.path is not None:
            where += f" {_shortened(printable(example.path))}"
        if example.line is not None:
            where += f" ({example.line}:{example.column})"
        text.append(where + ": ", style="bold")
    return text.append(printable(example.message))


def _shortened(json_path: str) -> str:
    """Return a JSON path without its middle where it is too long to be read."""
    half = _LONGEST_PATH // 2
    return json_path if len(json_path) <= _LONGEST_PATH else f"{json_path[:half]}...{json_path[-half:]}"


def print_hanging(console: Console, text: Text, *, first: int = 2, below: int = 4) -> None:
    """Print a paragraph by `first` to the right, its further lines by `below`: where one ends is seen."""
    for i, line in enumerate(text.wrap(console, console.width - below)):
        line.rstrip()
        console.print(Text(" " * (below if i else first)) + line, no_wrap=True, overflow="ignore", crop=False)


def _print_verdict(console: Console, report: CheckReport) -> None:
    infos = sum(group.count for group in report.problems if group.severity is Severity.INFO)
    if not report.problems:
        console.print(Text("No problems found", style="green"))
        return
    style = _STYLE[Severity.ERROR] if report.errors else "green"
    console.print(
        Text(
            ", ".join(
                [counted(report.errors, "error"), counted(report.warnings, "warning"), counted(infos, "info")]
            ),
            style=style,
        )
    )
