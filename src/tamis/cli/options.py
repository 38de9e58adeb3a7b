"""What several commands share: their options, and opening what they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tamis.cli.terminal import OutputFormat, print_note, progress_bar

if TYPE_CHECKING:
    from tamis.api.sources import Sources
    from tamis.index import Snapshot

Source = Annotated[str, typer.Argument(metavar="SRC", help="Folder or URL of the images and videos.")]
Lightly = Annotated[
    str | None, typer.Option(metavar="FOLDER", help="Folder or URL that holds `.lightly`.  [default: SRC]")
]
IndexOption = Annotated[
    Path | None, typer.Option("--index", metavar="FOLDER", help="Folder of the index.  [default: .lightly/tamis]")
]
Workers = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Processes that read.  [default: one a processor]", show_default=False),
]
EngineOption = Annotated[
    str, typer.Option("--engine", metavar="local|ray", help="Work in processes of this machine, or on a cluster.")
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        metavar="ADDR",
        help="Of the cluster: `HOST:PORT`, or `auto`.  [default: `RAY_ADDRESS`, or a Ray of this machine alone]",
    ),
]
Format = Annotated[OutputFormat, typer.Option("--format", help="Tables for people, or JSON for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress and no notes.")]


def open_sources_for(src: str, lightly: str | None, index: Path | None, *, quiet: bool) -> Sources:
    """Open the places that a command names; where the index lies elsewhere, say so."""
    from tamis.api.sources import open_sources

    sources = open_sources(src, lightly=lightly, index=index)
    if sources.index_note is not None:
        print_note(f"note: {sources.index_note}", quiet=quiet)
    return sources


def note_index(sources: Sources, *, quiet: bool) -> None:
    """Say where the index of a bucket is, where it is not in the bucket."""
    note = sources.index.note()
    if note is not None:
        print_note(f"note: {note}", quiet=quiet)


def snapshot_of(sources: Sources, *, quiet: bool) -> Snapshot:
    """Return the index; where there is none yet, scan first."""
    from tamis.engine import telling

    with progress_bar(quiet=quiet) as listen:
        sources.index.fetch(telling(listen, "fetching the index"))
    snapshot = sources.index.latest()
    if snapshot is not None:
        note_index(sources, quiet=quiet)
        return snapshot
    from tamis.api.scanning.scan import scan as run

    print_note("note: there is no index yet: scanning first", quiet=quiet)
    with progress_bar(quiet=quiet) as listen:
        scanned = run(sources, listen=listen).snapshot
    note_index(sources, quiet=quiet)
    return scanned
