"""What is said of files that do not plainly belong to one sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.model import Problem, frame_name, parse_frame_stem, stem_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tamis.api.scanning.chunk import Partition


def collision(keys: Sequence[str], said: str | None, *, task: str | None, file: str) -> Problem:
    """Say that several samples share a file that names none of them."""
    listed = " and ".join(f"`{key}`" for key in keys)
    got = "no `file_name`" if said is None else f"`{said}`"
    message = f"{listed} share this file; expected a `file_name` that names one of them, got {got}"
    return Problem(code="name-collision", task=task, file=file, message=message)


def taken(keys: Iterable[str], owner: str, *, task: str | None, file: str) -> list[Problem]:
    """Say of each of these samples that its file belongs to another one."""
    what = "metadata" if task is None else "prediction"
    return [
        Problem(
            code="name-taken",
            task=task,
            file=key,
            message=f"its {what} file `{file}` belongs to `{owner}`, which has the same name without ending",
        )
        for key in keys
        if key != owner
    ]


def orphan(partition: Partition, stem: str, task: str | None, file: str) -> Problem:
    """Say why no sample claims a file; where it looks like a frame of a video that is there, say what is off."""
    frame = parse_frame_stem(stem)
    video = None if frame is None else next((v for v in partition.videos.values() if v.key == frame.video), None)
    if frame is None or video is None:
        whose = "image, frame or video" if task is None else "image or frame"
        message = f"no {whose} is named `{stem}.*`"
        return Problem(code="file-without-sample", task=task, file=file, message=message)
    if frame.number >= video.n_frames:
        message = f"expected a frame number from 0 to {video.n_frames - 1}, got {frame.number}"
        if not video.n_frames:
            message = f"expected a frame of `{video.key}`, of which no frame can be read"
        return Problem(code="frame-number", task=task, file=file, message=message)
    right = stem_of(frame_name(video.key, frame.number, video.n_frames)).rsplit("/", 1)[-1]
    return Problem(
        code="frame-padding",
        task=task,
        file=file,
        message=f"expected the name `{right}.json`, as `{video.key}` has {video.n_frames} frames, "
        f"got `{stem.rsplit('/', 1)[-1]}.json`",
    )
