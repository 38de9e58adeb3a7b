"""What `select` reads from standard input, and what it notes besides its result."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tamis.api.freshness import changed_since, pictures_changed_since
from tamis.api.key_files import parse_keys, read_keys
from tamis.cli.render import counted, printable
from tamis.cli.terminal import print_note

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.api.selecting.run import SelectionRun
    from tamis.api.sources import Sources
    from tamis.index import Snapshot

_STANDARD_INPUT = "-"
_SHOWN_UNKNOWN = 3


def keys_of(file: Path) -> list[str]:
    """Read sample keys, one a line, from a file or from standard input."""
    if str(file) == _STANDARD_INPUT:
        return parse_keys(sys.stdin.buffer.read(), name="standard input")
    return read_keys(file)


def note_if_stale(snapshot: Snapshot, sources: Sources, *, quiet: bool) -> None:
    """Note that the index is of another source, or older than predictions, as far as that is seen from outside."""
    if snapshot.manifest.source != sources.input.url:
        print_note(f"note: the index is of `{printable(snapshot.manifest.source)}`, not of SRC", quiet=quiet)
    key = changed_since(snapshot, sources.lightly)
    if key is not None:
        text = f"note: `{printable(key)}` changed after the last scan; `tamis scan` reads what changed"
        print_note(text, quiet=quiet)


def note_if_pictures_changed(snapshot: Snapshot, sources: Sources, *, quiet: bool) -> None:
    """Note that images or videos came, went or changed after the scan: what the index has is what is embedded."""
    key = pictures_changed_since(snapshot, sources.input)
    if key is not None:
        text = (
            f"note: `{printable(key)}` came, went or changed after the last scan; `tamis scan` reads what changed"
        )
        print_note(text, quiet=quiet)


def note_doubt(run: SelectionRun, *, quiet: bool) -> None:
    """Warn where what was left out as repeated may not be that."""
    if run.duplicates_doubt is not None:
        advice = (
            "`tamis check SRC --duplicates` lists them, `without_duplicates` of a config takes a smaller distance"
        )
        print_note(f"warning: {run.duplicates_doubt}; {advice}", quiet=quiet)


def note_unknown(run: SelectionRun, *, quiet: bool) -> None:
    """Note which of the labelled keys are no samples."""
    unknown = run.labelled_unknown
    if unknown:
        names = ", ".join(f"`{printable(key)}`" for key in unknown[:_SHOWN_UNKNOWN])
        more = ", ..." if len(unknown) > _SHOWN_UNKNOWN else ""
        text = f"warning: {counted(len(unknown), 'labelled name')} not among the samples: {names}{more}"
        print_note(text, quiet=quiet)
