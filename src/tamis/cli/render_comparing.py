"""What `evaluate` and `diff` print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tamis.cli.render import counted, plain_table, print_hanging, printable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import Console

    from tamis.api.diffing import Diff
    from tamis.api.evaluating import Evaluation
    from tamis.api.evaluating.values import CategoryRow

_SHOWN_CATEGORIES = 20
_SHOWN = 8


def print_evaluation(console: Console, report: Evaluation, out: Path | None) -> None:
    """Print the figures, the categories, what is confused and the worst samples."""
    head = f"`{printable(report.task)}` against `{printable(report.labels)}`: {report.compared} of "
    print_hanging(console, Text(head + counted(report.samples, "sample")), first=0)
    _print_left_out(console, report)
    console.print()
    for name, value in report.metrics.items():
        console.print(Text(f"  {name.replace('_', ' '):<24}{_figure(value)}"))
    if report.calibration is not None:
        error = f"{_figure(report.calibration.ece)} (largest {_figure(report.calibration.mce)})"
        console.print(Text(f"  {'calibration error':<24}{error}"))
    if report.min_score is not None:
        note = (
            f"precision, recall and F1 are those of scores from {report.min_score:.3g} and overlaps from "
            f"{report.min_iou:g} on"
        )
        print_hanging(console, Text(note, style="dim"), below=2)
    console.print()
    _print_categories(console, report)
    _print_mistakes(console, report)
    _print_worst(console, report)
    if out is not None:
        console.print(Text(f"page: {out / 'evaluation.html'}"))
        console.print(Text(f"scores to select by: {out / 'samples.parquet'}"))


def _print_left_out(console: Console, report: Evaluation) -> None:
    notes = (
        (report.samples_without_predictions, "without prediction file: counted as nothing predicted"),
        (report.samples_without_labels, "with predictions but no labels: left out"),
        (report.samples_ambiguous, "with labels of several categories: left out"),
    )
    for n, text in notes:
        if n:
            print_hanging(console, Text(f"{counted(n, 'sample')} {text}", style="yellow"))
    if report.unknown_categories:
        names = ", ".join(f"{printable(name)} ({n:,})" for name, n in report.unknown_categories.items())
        print_hanging(console, Text(f"no label can have these categories: {names}; left out", style="yellow"))
    if report.never_predicted:
        names = ", ".join(map(printable, report.never_predicted[:_SHOWN]))
        more = f" and {len(report.never_predicted) - _SHOWN} more" if len(report.never_predicted) > _SHOWN else ""
        print_hanging(console, Text(f"the predictions cannot have: {names}{more}", style="yellow"))


def _print_categories(console: Console, report: Evaluation) -> None:
    known = [row for row in report.categories if row.labelled or row.predicted]
    rows = sorted(known, key=lambda row: -row.labelled)[:_SHOWN_CATEGORIES]
    extra = [name for name in ("ap", "ap50", "iou") if any(getattr(row, name) is not None for row in rows)]
    heads = {"ap": "AP", "ap50": "AP50", "iou": "IoU"}
    columns = ("category", "labels", "predicted", *(heads[name] for name in extra), "precision", "recall", "F1")
    table = plain_table(*columns, numbers=columns[1:])
    for row in rows:
        table.add_row(printable(row.category), *_cells(row, extra))
    console.print(table)
    if len(known) > len(rows):
        console.print(Text(f"  and {len(known) - len(rows):,} categories with fewer labels", style="dim"))
    console.print()


def _cells(row: CategoryRow, extra: list[str]) -> list[str]:
    values = [getattr(row, name) for name in extra] + [row.precision, row.recall, row.f1]
    return [f"{row.labelled:,}", f"{row.predicted:,}", *map(_figure, values)]


def _print_mistakes(console: Console, report: Evaluation) -> None:
    if report.outcomes:
        print_hanging(console, Text(f"Outcomes: {_listed(report.outcomes)}"), first=0, below=2)
    confused = [
        one
        for one in report.confusion
        if None not in {one.labelled, one.predicted} and one.labelled != one.predicted
    ]
    if confused:
        said = (
            f"{printable(one.labelled or '')} as {printable(one.predicted or '')} x {one.count:,}"
            for one in confused[:_SHOWN]
        )
        print_hanging(console, Text(f"Confused: {', '.join(said)}"), first=0, below=2)
    if report.outcomes or confused:
        console.print()


def _print_worst(console: Console, report: Evaluation) -> None:
    if not report.worst:
        console.print(Text("No sample has an error", style="green"))
        return
    is_class = report.compared == "classes"
    columns = ("error", "labelled", "predicted") if is_class else ("error", "found", "false", "missed")
    table = plain_table(*columns, "sample", numbers=("error", "found", "false", "missed"))
    for one in report.worst[:_SHOWN]:
        cells = (
            (one.labelled or "", one.predicted or "nothing")
            if is_class
            else (f"{one.found:,}", f"{one.false_positives:,}", f"{one.false_negatives:,}")
        )
        table.add_row(f"{one.error:.3f}", *map(printable, cells), printable(one.sample))
    console.print(table)
    console.print()


def print_diff(console: Console, report: Diff, out: Path | None) -> None:
    """Print what became of the predictions, counts, flips, scores and the samples that changed the most."""
    names = [f"`{printable(side.task)}`" for side in (report.first, report.second)]
    if report.first.source != report.second.source:
        names = [
            f"{name} of {printable(side.source)}"
            for name, side in zip(names, (report.first, report.second), strict=True)
        ]
    head = f"{names[0]} against {names[1]}: {report.compared} of {counted(report.samples, 'sample')}"
    print_hanging(console, Text(f"{head}, {report.samples_changed:,} changed"), first=0)
    _print_schema(console, report)
    console.print()
    if report.is_same:
        console.print(Text("No difference", style="green"))
    for name, n in report.outcomes.items():
        console.print(Text(f"  {name:<20}{n:>12,}"))
    mean = _figure(report.mean_disagreement)
    console.print(Text(f"  {'mean disagreement':<20}{mean:>12}\n"))
    _print_counts(console, report)
    _print_scores(console, report)
    _print_changed(console, report)
    if out is not None:
        console.print(Text(f"scores to select by: {out / 'samples.parquet'}"))


def _print_schema(console: Console, report: Diff) -> None:
    for which, only in (("first", report.only_first), ("second", report.only_second)):
        if only.count:
            such = ", ".join(map(printable, only.examples)) + (", ..." if only.count > len(only.examples) else "")
            text = f"{counted(only.count, 'sample')} of the {which} run alone: {such}"
            print_hanging(console, Text(text, style="yellow"))
    schema = report.schema
    renamed = [f"{one.first} -> {one.second}" for one in schema.renamed]
    kinds = {"added": schema.added, "removed": schema.removed, "renamed": renamed, "renumbered": schema.renumbered}
    for kind, categories in kinds.items():
        if categories:
            shown = ", ".join(map(printable, categories[:_SHOWN]))
            more = f" and {len(categories) - _SHOWN} more" if len(categories) > _SHOWN else ""
            print_hanging(console, Text(f"categories {kind}: {shown}{more}", style="yellow"))


def _print_counts(console: Console, report: Diff) -> None:
    table = plain_table("category", "first", "second", "change", numbers=("first", "second", "change"))
    for row in report.categories[:_SHOWN_CATEGORIES]:
        table.add_row(printable(row.category), f"{row.first:,}", f"{row.second:,}", f"{row.second - row.first:+,}")
    console.print(table)
    if len(report.categories) > _SHOWN_CATEGORIES:
        console.print(Text(f"  and {len(report.categories) - _SHOWN_CATEGORIES:,} more", style="dim"))
    console.print()
    if report.flips:
        said = (
            f"{printable(one.first or 'nothing')} to {printable(one.second or 'nothing')} x {one.count:,}"
            for one in report.flips[:_SHOWN]
        )
        print_hanging(console, Text(f"Called otherwise: {', '.join(said)}\n"), first=0, below=2)


def _print_scores(console: Console, report: Diff) -> None:
    scores = report.scores
    if scores is None:
        return
    quantiles = [f"{100 * q:g} %" for q in scores.quantiles]
    table = plain_table("scores", "mean", *quantiles, numbers=("mean", *quantiles))
    for name, mean, values in (
        ("first", scores.first_mean, scores.first),
        ("second", scores.second_mean, scores.second),
    ):
        table.add_row(name, *(f"{value:.2f}" for value in (mean, *values)))
    console.print(table)
    same = "" if scores.matched_mean is None else f"; of the same things {scores.matched_mean:+.3f} on average"
    console.print(Text(f"  largest distance of the distributions {scores.distance:.3f}{same}\n", style="dim"))


def _print_changed(console: Console, report: Diff) -> None:
    if not report.most_changed:
        return
    wanted = ("removed", "added", "moved", "category changed", "flipped")
    shown = [name for name in wanted if name in report.outcomes]
    heads = ["category" if name == "category changed" else name for name in shown]
    table = plain_table("disagreement", *heads, "sample", numbers=("disagreement", *heads))
    for one in report.most_changed:
        counts = (f"{one.outcomes[name]:,}" for name in shown)
        table.add_row(f"{one.disagreement:.3f}", *counts, printable(one.sample))
    console.print(table)
    console.print()


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in counts.items() if n) or "none"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
