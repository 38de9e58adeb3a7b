"""What `frames` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tamis.cli.render import counted, print_hanging, printable

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from tamis.api.frames import FramesReport, VideoFrames

_SHOWN_NAMES = 10


def print_frames(console: Console, report: FramesReport, out: Path) -> None:
    """Print how many frames were written, and what is to be said of single videos."""
    kept = f", {report.n_kept:,} kept" if report.n_kept else ""
    text = f"{counted(report.n_written, 'frame')} of {counted(len(report.videos), 'video')} written{kept}: "
    console.print(Text(text + printable(str(out))))
    for video in report.videos:
        for style, remark in _remarks(video):
            line = Text.assemble((printable(video.video), "bold"), (f": {printable(remark)}", style))
            print_hanging(console, line)
    if report.not_found:
        console.print(Text(f"Not found: {counted(len(report.not_found), 'name')}", style="bold red"))
    for name, reason in list(report.not_found.items())[:_SHOWN_NAMES]:
        line = Text.assemble((printable(name), "bold"), f": {printable(reason)}")
        print_hanging(console, line)
    if len(report.not_found) > _SHOWN_NAMES:
        console.print(Text(f"  and {len(report.not_found) - _SHOWN_NAMES:,} more"))


def _remarks(video: VideoFrames) -> list[tuple[str, str]]:
    remarks = []
    if video.fault is not None and not video.frames:
        remarks.append(("red", video.fault))
    elif video.fault is not None:
        promised = f" of {video.frames_in_header:,} in its header" if video.frames_in_header else ""
        remarks.append(("red", f"{video.frames:,} frames{promised} can be decoded before a fault: {video.fault}"))
    elif video.header_is_wrong:
        remarks.append(("yellow", f"its header says {video.frames_in_header:,} frames, {video.frames:,} decode"))
    elif not video.frames_in_header:
        remarks.append(("dim", f"{video.frames:,} frames; its header does not say how many"))
    if video.rotation:
        remarks.append(("dim", f"players turn it by {video.rotation} degrees; its frames are as stored"))
    return remarks
