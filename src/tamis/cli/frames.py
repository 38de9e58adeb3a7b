"""`tamis frames`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from tamis.cli.options import Format, Quiet, Workers  # noqa: TC001 (typer reads the annotations)
from tamis.cli.terminal import OutputFormat, print_note, progress_bar, stdout, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

Pictures = Annotated[str, typer.Option("--picture", metavar="png|jpeg", help="How frames are stored.")]


def frames_command(
    src: Annotated[
        list[str],
        typer.Argument(metavar="VIDEO|SRC...", help="Videos, and folders or URLs that are searched for them."),
    ],
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where the frames go, in the folders of their videos.")
    ],
    every: Annotated[int, typer.Option(min=1, help="Every how many-th frame, from frame 0 on.")] = 1,
    names: Annotated[
        Path | None, typer.Option("--list", metavar="FILE", help="Only these: frame names, one a line.")
    ] = None,
    selection: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only these: `selected.txt` or its folder, or a pool of the one SRC."),
    ] = None,
    picture: Pictures = "png",
    quality: Annotated[
        int | None, typer.Option(min=1, max=95, help="Of JPEG.  [default: 90]", show_default=False)
    ] = None,
    workers: Workers = None,
    output: Format = OutputFormat.TEXT,
    quiet: Quiet = False,
) -> None:
    """Write frames of videos as image files, named as prediction files name them.

    Frames are counted by decoding, and stored as the video holds them: no rotation is applied. Frames that are
    there and not older than their video are kept, so a run that was stopped goes on where it was. Only PNGs carry
    the names of samples; JPEGs end in `.jpg`. Exits with 1 when a video is damaged or a name is not found.

    Examples:
    - `tamis frames clip.mp4 --out frames`
    - `tamis frames data/ --out frames --every 10 --picture jpeg`
    - `tamis frames data/ --out frames --selection round-1`
    """
    import msgspec

    from tamis.api.frames import FrameOptions, extract_frames, picture_format
    from tamis.cli.render_frames import print_frames

    options = FrameOptions(
        every=every,
        names=_names(src, names, selection, quiet=quiet),
        picture=picture_format(picture),
        jpeg_quality=quality,
        workers=workers,
    )
    with progress_bar(quiet=quiet) as listen:
        report = extract_frames(src, out, options, listen=listen)
    if output is OutputFormat.JSON:
        write_json(msgspec.json.format(msgspec.json.encode(report)))
    else:
        print_frames(stdout(), report, out)
    raise typer.Exit(1 if report.n_faults else 0)


def _names(src: Sequence[str], names: Path | None, selection: str | None, *, quiet: bool) -> list[str] | None:
    """Return the frames that are asked for by name, `None` for all."""
    from tamis.api.frames import frames_of_selection
    from tamis.api.key_files import read_keys
    from tamis.errors import UsageError

    if names is not None and selection is not None:
        raise UsageError("`--list` and `--selection` exclude each other", hint="give one of them")
    if names is not None:
        return read_keys(names)
    if selection is None:
        return None
    frames, n_others = frames_of_selection(src, selection)
    if n_others:
        print_note(f"note: {n_others:,} selected samples are no frames of a video", quiet=quiet)
    return frames
