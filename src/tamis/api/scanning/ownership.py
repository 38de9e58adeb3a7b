"""Which sample each prediction file speaks of: its own path decides, and `file_name` must agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.model import Problem, frame_name, parse_frame_stem, stem_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.api.scanning.chunk import Partition, Samples, TaskFiles

NO_OWNER = -1


def assign_owners(
    partition: Partition, samples: Samples, files: TaskFiles, file_names: Sequence[str | None]
) -> tuple[list[int], list[tuple[int, Problem]]]:
    """Return for each file the row of its sample in `samples`, or NO_OWNER, and the problems with their units.

    Args:
        partition: the units.
        samples: of the chunk, in the order of their units.
        files: of one task of the chunk, in the order of their units.
        file_names: what each file says itself, `None` where it says nothing.
    """
    first, count = _rows_by_unit(samples)
    owners: list[int] = []
    problems: list[tuple[int, Problem]] = []
    for i, (unit, said) in enumerate(zip(files.units, file_names, strict=True)):
        n_samples = count.get(unit, 0)
        if n_samples == 1 and (said is None or said == samples.keys[first[unit]]):
            owners.append(first[unit])
            continue
        rows = range(first[unit], first[unit] + n_samples) if n_samples else range(0)
        owner, found = _dispute(partition, files, i, [samples.keys[row] for row in rows], said)
        owners.append(NO_OWNER if owner is None else rows[owner])
        problems += [(unit, problem) for problem in found]
    return owners, problems


def _rows_by_unit(samples: Samples) -> tuple[dict[int, int], dict[int, int]]:
    first: dict[int, int] = {}
    count: dict[int, int] = {}
    for row, unit in enumerate(samples.units):
        first.setdefault(unit, row)
        count[unit] = count.get(unit, 0) + 1
    return first, count


def _dispute(
    partition: Partition, files: TaskFiles, i: int, keys: list[str], said: str | None
) -> tuple[int | None, list[Problem]]:
    """Decide a file that does not plainly belong to one sample: which of `keys`, and why not."""
    task, file = files.task.name, files.files[i]
    if not keys:
        return None, [_orphan(partition, partition.stems[files.units[i]], task, file)]
    if len(keys) == 1:
        message = f"expected `{keys[0]}`, got `{said}`"
        code = "file-name-mismatch"
        return None, [Problem(code=code, task=task, file=file, path="$.file_name", message=message)]
    listed = " and ".join(f"`{key}`" for key in keys)
    if said not in keys:
        got = "no `file_name`" if said is None else f"`{said}`"
        message = f"{listed} share this file; expected a `file_name` that names one of them, got {got}"
        return None, [Problem(code="name-collision", task=task, file=file, message=message)]
    others = [
        Problem(
            code="name-taken",
            task=task,
            file=key,
            message=f"its prediction file `{file}` belongs to `{said}`, which has the same name without ending",
        )
        for key in keys
        if key != said
    ]
    return keys.index(said), others


def _orphan(partition: Partition, stem: str, task: str, file: str) -> Problem:
    """Say why no sample claims a file; where it looks like a frame of a video that is there, say what is off."""
    frame = parse_frame_stem(stem)
    video = None if frame is None else next((v for v in partition.videos.values() if v.key == frame.video), None)
    if frame is None or video is None:
        return Problem(
            code="file-without-sample", task=task, file=file, message=f"no image or frame is named `{stem}.*`"
        )
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
