"""What `show`, `select`, `doctor` and `demo` print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from tamis.api.doctor import Verdict
from tamis.cli.render import counted, plain_table, print_hanging, printable
from tamis.selection import Threshold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

    from tamis.api.doctor import Diagnosis
    from tamis.api.selecting.run import SelectionRun
    from tamis.api.show import Overview, SampleRow, SampleView
    from tamis.api.tour import DemoResult

_SHOWN_CLASSES = 20
_SHOWN_PICKS = 10
_VERDICT_STYLE = {Verdict.GOOD: "green", Verdict.NOTE: "yellow", Verdict.BAD: "bold red"}


def print_overview(console: Console, overview: Overview) -> None:
    """Print samples, tasks and classes."""
    counts = ", ".join(f"{n:,} {kind}s" for kind, n in overview.samples.items()) or "no samples"
    console.print(Text(f"{printable(overview.source)}: {counts}; scanned {overview.scanned}\n"))
    for name, task in overview.tasks.items():
        console.print(Text(f"{printable(name)} ({task.task_type})", style="bold"))
        console.print(
            Text(
                f"{task.predictions:,} predictions in {task.valid_files:,} valid of {task.files:,} files; "
                f"{task.samples_without_file:,} samples without file"
            )
        )
        table = plain_table("id", "category", "predictions", "samples", numbers=("id", "predictions", "samples"))
        used = [count for count in overview.classes[name] if count.predictions]
        for count in used[:_SHOWN_CLASSES]:
            table.add_row(str(count.id), printable(count.name), f"{count.predictions:,}", f"{count.samples:,}")
        if used:
            console.print(table)
        if len(used) > _SHOWN_CLASSES:
            console.print(Text(f"... and {len(used) - _SHOWN_CLASSES} more categories", style="dim"))
        if unused := len(overview.classes[name]) - len(used):
            verb = "category is" if unused == 1 else "categories are"
            console.print(Text(f"{unused:,} {verb} never predicted", style="dim"))
        console.print()
    if overview.metadata:
        console.print(Text("metadata: " + ", ".join(f"{n} ({t})" for n, t in overview.metadata.items())))


def print_samples(console: Console, rows: Sequence[SampleRow], sort: str | None) -> None:
    """Print a list of samples."""
    value = sort or "score"
    table = plain_table("sample", "width", "height", value, numbers=("width", "height", value))
    for row in rows:
        numbers = ("" if row.width is None else str(row.width), "" if row.height is None else str(row.height))
        table.add_row(printable(row.key), *numbers, "" if row.value is None else f"{row.value:.4f}")
    console.print(table)


def print_sample(console: Console, view: SampleView) -> None:
    """Print everything known of one sample."""
    size = f"{view.width} x {view.height}" if view.width else "size unknown"
    console.print(Text(f"{printable(view.key)} ({view.kind}, {size})", style="bold"))
    for name, value in view.metadata.items():
        console.print(Text(f"  {printable(name)}: {printable(str(value))}"))
    for name, task in view.tasks.items():
        console.print(Text(f"\n{printable(name)}", style="bold"))
        for score, value in task.scores.items():
            console.print(Text(f"  {score}: {'unknown' if value is None else f'{value:.4f}'}"))
        if task.predictions:
            console.print(_predictions_table(task.predictions))
    for severity, code, message in view.problems:
        console.print(Text(f"{severity} {code}: {printable(message)}"))


def _predictions_table(predictions: Sequence[Mapping[str, Any]]) -> Table:
    """Return a table of the columns that any of the predictions has."""
    rows = [_prediction_cells(row) for row in predictions]
    headers = [header for header in rows[0] if any(row[header] for row in rows)]
    table = plain_table(*headers, numbers=("score", "probability", "keypoints", "entropy"))
    for row in rows:
        table.add_row(*(row[header] for header in headers))
    return table


def _prediction_cells(row: Mapping[str, Any]) -> dict[str, str]:
    def number(name: str) -> str:
        return f"{row[name]:.3f}" if name in row else ""

    return {
        "category": printable(row["category"]),
        "score": number("score"),
        "probability": number("probability"),
        "box": " ".join(f"{row[c]:.1f}" for c in ("bbox_x", "bbox_y", "bbox_width", "bbox_height") if c in row),
        "keypoints": str(len(row["keypoints"]) // 3) if "keypoints" in row else "",
        "mask": "yes" if "mask" in row else "",
        "entropy": number("uncertainty_entropy"),
    }


def print_selection(console: Console, run: SelectionRun, out: Path) -> None:
    """Print what was picked, the first picks with their reasons, and where the rest is."""
    selection = run.selection
    n_candidates = int(selection.field.candidate.sum())
    console.print(Text(f"Picked {len(selection.picks):,} of {n_candidates:,} candidates", style="bold"))
    _print_left_out(console, run)
    if run.rows.target is not None:
        console.print(Text(f"  objects of {counted(len(run.images), 'image')}"))
    n_pool = len(run.pool) - len(run.labelled)
    others = "objects of other tasks" if run.rows.target is not None else "objects, which count for no image"
    passed_over = [
        f"{n:,} more are {what}"
        for n, what in ((run.n_pool_others, others), (run.n_pool_gone, "gone from the datasource"))
        if n
    ]
    if n_pool or passed_over:
        more = f" ({', '.join(passed_over)})" if passed_over else ""
        console.print(Text(f"  in the pool: {n_pool:,}{more}"))
    if run.labelled:
        console.print(Text(f"  labelled already: {len(run.labelled):,}"))
    for origin in run.embeddings:
        print_hanging(console, Text(f"embeddings: {printable(origin)}"))
    console.print(Text(f"  index: scanned {run.samples.snapshot.manifest.created}"))
    if selection.stopped is not None:
        console.print(Text(f"  ended before {run.n_requested:,}: {selection.stopped}", style="yellow"))
    console.print()
    for number, key in enumerate(run.keys[:_SHOWN_PICKS]):
        console.print(Text.assemble((f"{number + 1:>3} {printable(key)}", "bold")))
        print_hanging(console, Text(printable(run.sentence(number))), first=4)
    if len(run.keys) > _SHOWN_PICKS:
        console.print(Text(f"    ... and {len(run.keys) - _SHOWN_PICKS:,} more", style="dim"))
    console.print(Text(f"\nnames: {out / 'selected.txt'}\nreport: {out / 'report.html'}"))


def _print_left_out(console: Console, run: SelectionRun) -> None:
    """Print how many samples could not be picked and why, before the run or because of its picks."""
    filters = {
        name for name, strategy in zip(run.names, run.strategies, strict=True) if isinstance(strategy, Threshold)
    }
    if run.n_duplicates:
        console.print(Text(f"  left out as they repeat others: {run.n_duplicates:,}"))
    if run.n_not_compared:
        console.print(Text(f"  may repeat others, without an embedding: {run.n_not_compared:,}", style="yellow"))
    for name, count in run.selection.field.excluded.items():
        if count:
            why = "left out by" if name in filters else "left out for want of"
            console.print(Text(f"  {why} {printable(name)}: {count:,}"))
    for name, count in run.selection.ruled_out.items():
        if count:
            console.print(Text(f"  ruled out by {printable(name)}: {count:,}"))


def print_diagnosis(console: Console, diagnosis: Diagnosis) -> None:
    """Print each point with its verdict, and the next step."""
    for finding in diagnosis.findings:
        verdict = (f"{finding.verdict:<5}", _VERDICT_STYLE[finding.verdict])
        said = Text.assemble(verdict, f" {printable(finding.name)}: {printable(finding.detail)}")
        print_hanging(console, said, first=0, below=6)
        if finding.hint is not None:
            print_hanging(console, Text.assemble(("hint: ", "cyan"), printable(finding.hint)), first=6, below=6)
    console.print()
    print_hanging(console, Text.assemble("next: ", (diagnosis.next_step, "bold")), first=0, below=6)


def print_demo(console: Console, result: DemoResult) -> None:
    """Print what the demo built and where to look."""
    console.print(Text(f"{result.n_images} images in {result.folder}\n", style="bold"))
    print_selection(console, result.run, result.out)
    console.print(
        Text(
            f"\nOpen {result.out / 'report.html'} in a browser.\nSome files are broken on purpose, see\n"
            f"  tamis check {result.folder}\n"
            f"See it all in a page, and select there:\n"
            f"  tamis serve {result.folder}\n"
            f"Or select again, your way:\n"
            f"  tamis select {result.folder} --n 20 --score street-objects:uncertainty_margin --diverse"
        )
    )
