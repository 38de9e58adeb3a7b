"""Frames of videos under the names that prediction files use, in memory and as image files."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tamis.api.engines import local_engine
from tamis.api.frame_files import FrameOptions, VideoFrames, VideoJob, extract_video
from tamis.api.frame_sources import find_videos, known_videos, open_root
from tamis.api.key_files import read_keys
from tamis.api.options import ScanOptions, ignore_progress
from tamis.engine import Progress
from tamis.errors import DatasourceError, UsageError
from tamis.media.frames import PictureFormat
from tamis.media.videos import VideoError, count_frames, read_frames, video_source
from tamis.model import frame_name, parse_frame_stem, stem_of
from tamis.storage import LocalStore, is_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tamis.engine import ProgressListener
    from tamis.storage import Store

__all__ = ["FrameOptions", "FramesReport", "VideoFrames", "extract_frames", "frames_of_selection", "iterate_frames"]


class FramesReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was done with all videos.

    Attributes:
        videos: each video, in the order of their keys.
        not_found: names that were asked for, but that no frame of these videos has; with the reason.
    """

    videos: list[VideoFrames]
    not_found: dict[str, str]

    @property
    def n_written(self) -> int:
        """Frames written now."""
        return sum(video.written for video in self.videos)

    @property
    def n_kept(self) -> int:
        """Frames that were there from before."""
        return sum(video.kept for video in self.videos)

    @property
    def n_faults(self) -> int:
        """Videos that are damaged, and names that were not found."""
        return sum(video.fault is not None for video in self.videos) + len(self.not_found)


def iterate_frames(
    video: str | Path, *, datasource: str | Path | None = None
) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the name and the pixels of each frame of a video, as the format numbers and names them.

    The video is decoded twice, as names hold the number of its frames. One that is damaged ends at the fault: the
    frames before it are all that there are, and a scan reports it.

    Args:
        video: path of the video; with `datasource`, relative to that.
        datasource: root of the input datasource, a folder or URL, so that the names are sample keys. Without it
            they start with the name of the file.

    Yields:
        The name, and red, green and blue from 0 to 255 as stored (not turned): uint8 of shape (height, width, 3).

    Raises:
        DatasourceError: when there is no such file, or not a single frame of it can be decoded.
    """
    path = Path(video)
    store = LocalStore(path.absolute().parent) if datasource is None else open_root(datasource)
    key = path.name if datasource is None else path.as_posix()
    try:
        source = video_source(store, key)
        n_frames = count_frames(source).decoded
        for number, image in read_frames(source, range(n_frames)):
            yield frame_name(key, number, n_frames), np.asarray(image)
    except VideoError as error:
        raise DatasourceError(f"`{key}` in {store.url} cannot be read: {error}") from None


def picture_format(name: str) -> PictureFormat:
    """Return a format by its name.

    Raises:
        UsageError: when it is none.
    """
    try:
        return PictureFormat({"jpg": "jpeg"}.get(name, name))
    except ValueError:
        raise UsageError(f"Expected a format of {', '.join(PictureFormat)}, got `{name}`") from None


def frames_of_selection(sources: Sequence[str | Path], selection: str) -> tuple[list[str], int]:
    """Return the frame names of a selection, and how many of its samples are no frames.

    Args:
        sources: as for `extract_frames`; a pool can be named where they are a single folder.
        selection: `selected.txt` or its folder, any file with a sample key a line, or the name of a pool.

    Raises:
        UsageError: when there is no such selection.
        DatasourceError: when it, or the folder, cannot be read.
    """
    # These load the index, which nothing else here needs.
    from tamis.api.converting.exporting import selected_keys  # noqa: PLC0415
    from tamis.api.sources import open_sources  # noqa: PLC0415

    path = Path(selection)
    if path.exists():
        keys = read_keys(path / "selected.txt" if path.is_dir() else path)
    elif len(sources) == 1 and (is_url(sources[0]) or Path(sources[0]).is_dir()):
        keys = selected_keys(open_sources(sources[0]), selection)
    else:
        raise UsageError(f"There is no file or folder `{selection}`", hint="a pool needs a single folder as source")
    frames = [key for key in keys if parse_frame_stem(stem_of(key)) is not None]
    return frames, len(keys) - len(frames)


def extract_frames(
    sources: Sequence[str | Path],
    out: str | Path,
    options: FrameOptions | None = None,
    *,
    listen: ProgressListener = ignore_progress,
) -> FramesReport:
    """Write frames of videos as image files, named as prediction files name them.

    Each file is put in place whole; those that are there and not older than their video are kept, so a run that
    was stopped goes on where it was. Damage is reported, never raised; the frames before it are written.

    Args:
        sources: videos, and folders that are searched for them; paths or URLs. Names are relative to the folder
            given, so give the root of the datasource for names that are its sample keys.
        out: folder for the frames, with the folders of their videos in it.
        options: which frames, and how.
        listen: told how far the work is.

    Raises:
        UsageError: when two videos have one name, or an option cannot be.
        DatasourceError: when a source is not there, there is no video, or a frame cannot be written.
    """
    wanted = options or FrameOptions()
    _check_options(wanted)
    if Path(out).is_file():
        raise DatasourceError(f"`{out}` is a file, expected a folder for the frames")
    videos = find_videos(sources)
    stems, not_found = _stems_by_video(wanted.names, videos)
    folder = LocalStore(out)
    known = known_videos(sources)
    jobs = [
        VideoJob(store, key, folder, replace(wanted, names=None), stems.get(key), known.get((store.url, key)))
        for key, store in sorted(videos.items())
        if wanted.names is None or key in stems
    ]
    done = sorted(_run(jobs, wanted, listen), key=lambda video: video.video)
    if wanted.names is not None:
        not_found |= _wrong_names(wanted.names, {video.video: video for video in done})
    return FramesReport(videos=done, not_found=not_found)


def _check_options(options: FrameOptions) -> None:
    if options.every < 1:
        raise UsageError(f"Expected every 1st frame or fewer, got every {options.every}")
    if options.every > 1 and options.names is not None:
        raise UsageError("Every so many-th frame and a list of frames exclude each other", hint="give one of them")
    if options.jpeg_quality is not None:
        if options.picture is not PictureFormat.JPEG:
            raise UsageError("A quality is for JPEG only: PNG keeps every pixel")
        if not 1 <= options.jpeg_quality <= 95:  # noqa: PLR2004 (Pillow's range)
            raise UsageError(f"Expected a quality from 1 to 95, got {options.jpeg_quality}")


def _stems_by_video(
    names: Sequence[str] | None, videos: dict[str, Store]
) -> tuple[dict[str, frozenset[str]], dict[str, str]]:
    """Return the frames asked for of each video, and the names that speak of none."""
    stems: dict[str, set[str]] = defaultdict(set)
    not_found = {}
    for name in names or ():
        stem = stem_of(name)
        frame = parse_frame_stem(stem)
        if frame is None:
            not_found[name] = "it is no name of a frame"
        elif frame.video not in videos:
            not_found[name] = f"there is no video `{frame.video}`"
        else:
            stems[frame.video].add(stem)
    return {video: frozenset(some) for video, some in stems.items()}, not_found


def _wrong_names(names: Sequence[str], videos: dict[str, VideoFrames]) -> dict[str, str]:
    """Return the names of frames that a video does not have, or has by another name."""
    wrong = {}
    for name in names:
        frame = parse_frame_stem(stem_of(name))
        if frame is None or frame.video not in videos:
            continue
        n_frames = videos[frame.video].frames
        right = frame_name(frame.video, frame.number, n_frames)
        if frame.number >= n_frames:
            wrong[name] = f"the video has {n_frames:,} frames"
        elif stem_of(right) != stem_of(name):
            wrong[name] = f"its name is `{right}`"
    return wrong


def _run(jobs: list[VideoJob], options: FrameOptions, listen: ProgressListener) -> Iterator[VideoFrames]:
    n_workers = ScanOptions(workers=options.workers).n_workers
    if len(jobs) <= 1:
        # A single video is done here, where it can say how far it is.
        def tell(done: int, total: int) -> None:
            listen(Progress("frames", done, total, "frames"))

        yield from (extract_video(replace(job, threads=n_workers, listen=tell)) for job in jobs)
        return
    n_processes = min(n_workers, len(jobs))
    shared = [replace(job, threads=max(n_workers // n_processes, 1)) for job in jobs]
    with local_engine(n_processes) as engine:
        n_frames = 0
        listen(Progress("frames", 0, len(jobs), "videos"))
        for done, video in enumerate(engine.map(extract_video, shared), start=1):
            n_frames += video.written
            listen(Progress("frames", done, len(jobs), "videos", f"{n_frames:,} frames written"))
            yield video
