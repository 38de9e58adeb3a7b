"""What `embed`, `crops`, `similar`, `tag` and `check --duplicates` print."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from rich.text import Text

from tamis.api.key_files import line_of
from tamis.cli.render import counted, plain_table, print_hanging, printable
from tamis.index import Tag

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from tamis.api.crops import CropsReport
    from tamis.api.embedding.duplicates import DuplicateReport
    from tamis.api.embedding.reports import EmbedReport
    from tamis.api.embedding.similar import SimilarReport
    from tamis.api.tags import TagSummary

_SHOWN_DUPLICATES = 10
_SHOWN_REASONS, _SHOWN_KEYS = 10, 3
_OF_ONE = re.compile(r"`[^`]*`|(?<!\w)-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)")
"""What a message says of one thing alone: names and numbers."""


def print_embed(console: Console, report: EmbedReport) -> None:
    """Print how many were encoded, and what has no embedding."""
    what = "image and frame" if report.task is None else "object"
    things = "images and frames" if report.task is None else "objects"
    verb = "taken over" if report.source.startswith("from ") else "encoded"
    console.print(Text(f"{report.encoded:,} {verb}, {report.kept:,} kept, of {report.total:,} {things}"))
    console.print(
        Text(f"  embeddings `{printable(report.name)}`: {printable(report.source)}, {report.n_dims} numbers")
    )
    if report.unknown:
        console.print(Text(f"  {counted(report.unknown, 'name')} of the file in no {what}", style="yellow"))
    if report.without:
        console.print(Text(f"  without embedding: {report.without:,}", style="yellow"))
    _print_faults(console, [(fault.key, fault.message) for fault in report.faults])
    if not report.total and report.task is not None:
        console.print(Text("  the task has no objects"))


def print_crops(console: Console, report: CropsReport) -> None:
    """Print how many crops were written, and which objects could not be cut out."""
    parts = [f"{counted(report.written, 'crop')} written"]
    parts += [f"{report.kept:,} kept"] if report.kept else []
    parts += [f"{report.removed:,} removed"] if report.removed else []
    print_hanging(console, Text(f"{', '.join(parts)}: {printable(report.out)}"), first=0)
    if report.of_other_tasks or report.gone:
        passed = f"{report.of_other_tasks:,} of other tasks, {report.gone:,} gone from the index"
        console.print(Text(f"  passed over: {passed}", style="yellow"))
    if report.failed:
        console.print(Text(f"  not cut out: {counted(report.failed, 'object')}", style="red"))
    _print_faults(console, [(fault.key, fault.message) for fault in report.faults])


def _print_faults(console: Console, faults: Sequence[tuple[str, str]]) -> None:
    groups = faults_by_reason(faults)
    for reason, some in groups[:_SHOWN_REASONS]:
        print_hanging(console, Text(f"{len(some):,} x {printable(reason)}"), first=4, below=6)
        for key, message in some[:_SHOWN_KEYS]:
            line = Text(printable(key), style="bold")
            if message != reason:
                line.append(f": {printable(message)}", style="not bold")
            print_hanging(console, line, first=6, below=8)
        if len(some) > _SHOWN_KEYS:
            console.print(Text(f"      and {len(some) - _SHOWN_KEYS:,} more", style="dim"))
    if len(groups) > _SHOWN_REASONS:
        console.print(Text(f"    and {counted(len(groups) - _SHOWN_REASONS, 'more reason')}", style="dim"))
    if len(groups) > _SHOWN_REASONS or any(len(some) > _SHOWN_KEYS for _, some in groups):
        console.print(Text("    `--format json` lists all", style="dim"))


def faults_by_reason(faults: Sequence[tuple[str, str]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return reasons with the keys and messages that they stand for, the most frequent first.

    Messages that differ in names and numbers only have one reason, in which those are left out.

    >>> faults_by_reason([("a", "no area: 9 x 0"), ("b", "no area: 1 x 0"), ("c", "no image")])
    [('no area: ... x ...', [('a', 'no area: 9 x 0'), ('b', 'no area: 1 x 0')]), ('no image', [('c', 'no image')])]
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for key, message in faults:
        groups.setdefault(_OF_ONE.sub("...", message), []).append((key, message))
    named = [
        (some[0][1] if len({message for _, message in some}) == 1 else reason, some)
        for reason, some in groups.items()
    ]
    return sorted(named, key=lambda group: -len(group[1]))


def print_similar(console: Console, report: SimilarReport) -> None:
    """Print neighbours with their distances."""
    table = plain_table("distance", "key", numbers=("distance",))
    for neighbour in report.neighbours:
        table.add_row(f"{neighbour.distance:.3f}", printable(neighbour.key))
    console.print(table)
    print_hanging(console, Text(f"nearest of {report.searched:,} by {printable(report.embeddings)}", style="dim"))


def print_tags(console: Console, tags: Sequence[TagSummary]) -> None:
    """Print all tags."""
    if not tags:
        console.print(Text("There are no tags yet: `tamis tag SRC NAME --add ...` makes one"))
        return
    table = plain_table("tag", "samples", "objects", "gone", "last change", numbers=("samples", "objects", "gone"))
    for tag in tags:
        last = f"{tag.changes[-1].when[:16].replace('T', ' ')} {tag.changes[-1].action} {tag.changes[-1].members:,}"
        table.add_row(printable(tag.name), f"{tag.samples:,}", f"{tag.objects:,}", f"{tag.gone:,}", last)
    console.print(table)


def print_tag(console: Console, tag: TagSummary) -> None:
    """Print how large a tag is now."""
    gone = f", {tag.gone:,} gone from the index" if tag.gone else ""
    console.print(Text(f"{printable(tag.name)}: {tag.samples:,} samples, {tag.objects:,} objects{gone}"))


def print_members(root: Path, name: str) -> None:
    """Write the members of a tag to stdout, a key a line, as `selected.txt` holds them."""
    for key in Tag(root, name).members():
        sys.stdout.write(f"{line_of(key)}\n")


def print_duplicates(console: Console, report: DuplicateReport) -> None:
    """Print what repeats what."""
    console.print()
    if not report.duplicates:
        console.print(Text(f"No duplicates among {counted(report.compared, 'picture')}", style="green"))
    else:
        total = len(report.duplicates)
        said = f"{total:,} of {counted(report.compared, 'picture')} repeat others: {report.exact:,} exactly, "
        console.print(Text(f"{said}{report.near:,} nearly", style="yellow"))
        table = plain_table("distance", "picture", "repeats", numbers=("distance",))
        for one in report.duplicates[:_SHOWN_DUPLICATES]:
            table.add_row("same" if one.exact else f"{one.distance:.3f}", printable(one.key), printable(one.of))
        console.print(table)
        if total > _SHOWN_DUPLICATES:
            console.print(Text(f"and {total - _SHOWN_DUPLICATES:,} more: `--format json` lists all", style="dim"))
    if report.not_compared:
        console.print(Text(f"not compared, without an embedding: {len(report.not_compared):,}", style="yellow"))
    _print_faults(console, [(fault.key, fault.message) for fault in report.not_compared])
    print_hanging(console, Text(f"nearer than {report.limit:g} by {printable(report.embeddings)}", style="dim"))
    if report.doubt is not None:
        advice = "look at some of them, or give a smaller --limit"
        print_hanging(console, Text(f"warning: {report.doubt}; {advice}", style="yellow"))
