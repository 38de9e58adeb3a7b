"""What `import` and `export` print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tamis.cli.render import counted, print_hanging, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from tamis.api.converting.exporting import ExportReport
    from tamis.api.converting.values import ImportGroup, ImportReport


def print_import(console: Console, report: ImportReport) -> None:
    """Print what was taken, what was not, and what is worth a look."""
    verb = "would be written" if report.dry_run else "written"
    console.print(Text(f"{printable(report.task)} ({report.task_type})", style="bold"))
    parts = [
        f"{counted(report.records, 'record')} read in {report.seconds:.1f} s",
        f"{counted(report.predictions, 'prediction')} in {counted(report.files, 'file')} {verb}",
    ]
    if report.files_empty:
        parts.append(f"{report.files_empty:,} of them without predictions")
    if report.files_unchanged:
        parts.append(f"{report.files_unchanged:,} held all of it before")
    print_hanging(console, Text("; ".join(parts)), first=0, below=2)
    if report.not_taken:
        console.print(Text(f"\nNot taken: {counted(report.n_not_taken, 'record')}", style="bold red"))
        _print_groups(console, report.not_taken)
    if report.notes:
        console.print(Text("\nTaken, but worth a look", style="yellow"))
        _print_groups(console, report.notes)


def _print_groups(console: Console, groups: Sequence[ImportGroup]) -> None:
    for group in groups:
        reason = Text(f"{group.code} x {group.count:,}: {printable(group.summary)}")
        print_hanging(console, reason, first=0, below=2)
        for example in group.examples:
            line = Text.assemble((printable(example.place), "bold"), f": {printable(example.message)}")
            print_hanging(console, line)
        print_hanging(console, Text.assemble(("hint: ", "cyan"), printable(group.hint)))


def print_export(console: Console, report: ExportReport) -> None:
    """Print what was written, and what the format cannot hold."""
    n = f"{counted(report.predictions, 'prediction')} of " if report.predictions else ""
    where = "" if report.out is None else f": {printable(report.out)}"
    console.print(Text(f"{n}{counted(report.samples, 'sample')}{where}"))
    if report.removed:
        console.print(Text(f"  removed: {report.removed:,} files of samples that are not exported now"))
    if report.gone:
        console.print(Text(f"  passed over: {report.gone:,} gone from the index", style="yellow"))
    if report.not_held:
        console.print(Text("Not held", style="yellow"))
    for loss in report.not_held:
        shown = ", ".join(map(printable, loss.examples))
        more = ", ..." if loss.count > len(loss.examples) else ""
        line = Text(f"{loss.count:,} {printable(loss.what)} ({shown}{more})")
        print_hanging(console, line)
