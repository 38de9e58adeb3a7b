"""What the parts of a scan hand to each other: what to read, and what was read as columns side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tamis.formats import MAX_FILE_BYTES
from tamis.model import Problem
from tamis.storage import Stamp, StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.formats import MetadataField, PredictionReader
    from tamis.index import SharedIndex, Video
    from tamis.model import Task
    from tamis.storage import Blob, Store


NO_STAMP = Stamp(0, 0)
"""Stands in a unit's fingerprint for what is no file."""

UNREAD = Stamp(0, 0)
"""Stamp of a file that could not be read: no listing has it, so the next scan looks again, also if it is gone."""


@dataclass(frozen=True, slots=True)
class ScanJob:
    """What every partition of a scan has in common; sent to the workers.

    Attributes:
        input: images and videos.
        lightly: predictions and metadata.
        tasks: those with a valid schema.
        metadata: fields of the metadata schema.
        strict: whether to look for duplicate keys.
        folder: where the shards go.
        bucket: where they go instead, for workers of other machines: they do not see the folder.
        prefix: what their ids begin with.
        patience_secs: how long a block waits for files that look half written.
    """

    input: Store
    lightly: Store
    tasks: tuple[Task, ...]
    metadata: tuple[MetadataField, ...]
    strict: bool
    folder: Path
    prefix: str
    bucket: SharedIndex | None = None
    patience_secs: float = 0.0


@dataclass(frozen=True, slots=True)
class Partition:
    """Units to read, as columns of a listing.

    Attributes:
        number: unique in its scan.
        stems: of the units.
        extensions: endings of their images joined by `/`, empty where there is none.
        frame_video: index into `videos`, -1 where the unit is no frame.
        frame_number: 0-based.
        present: for each slot of metadata and tasks, whether the unit has that file.
        videos: those whose frames are here, and those whose folders are: (index, video).
        namesakes: of units that share their stem with something that is none of their samples, as in a listing.
        video_namesakes: likewise of videos, by their index.
    """

    number: int
    stems: list[str]
    extensions: list[str]
    frame_video: list[int]
    frame_number: list[int]
    present: dict[str, list[bool]]
    videos: dict[int, Video]
    namesakes: dict[int, str] = field(default_factory=dict)
    video_namesakes: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class TaskFiles:
    """The prediction files of one task in a chunk, in the order of their units."""

    task: Task
    reader: PredictionReader
    units: list[int] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    sizes_bytes: list[int] = field(default_factory=list)
    mtimes_ns: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Samples:
    """The samples of a chunk, in the order of their units; a width and height of 0 are not known."""

    units: list[int] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    videos: list[str | None] = field(default_factory=list)
    frames: list[int | None] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    sizes_bytes: list[int] = field(default_factory=list)
    mtimes_ns: list[int] = field(default_factory=list)
    metadata: list[tuple[object, ...]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Stamps:
    """What each unit's fingerprint is made of besides prediction files, in no order."""

    units: list[int] = field(default_factory=list)
    salts: list[int] = field(default_factory=list)
    sizes_bytes: list[int] = field(default_factory=list)
    mtimes_ns: list[int] = field(default_factory=list)

    def add(self, unit: int, number: int, stamp: Stamp) -> None:
        """Add a file whose slot has this salt."""
        self.units.append(unit)
        self.salts.append(number)
        self.sizes_bytes.append(stamp.size_bytes)
        self.mtimes_ns.append(stamp.mtime_ns)


@dataclass(slots=True, eq=False)
class Chunk:
    """What was read of the units `start` to `stop` of a partition.

    Attributes:
        start: first unit.
        stop: the unit after the last.
        samples: their samples.
        tasks: the prediction files, task by task.
        stamps: of the units' images, videos and metadata files.
        problems: with the unit that each is about.
    """

    start: int
    stop: int
    samples: Samples
    tasks: list[TaskFiles]
    stamps: Stamps
    problems: list[tuple[int, Problem]]


def unreadable(key: str, error: StoreError, *, task: str | None = None) -> Problem:
    """Return the problem of a file that is listed but cannot be read."""
    return Problem(code="file-unreadable", task=task, file=key, message=error.message)


def checked(key: str, blob: Blob | StoreError) -> Blob | StoreError:
    """Return what was read of a JSON file; an error where fewer bytes came than the file has."""
    if isinstance(blob, StoreError) or len(blob.data) >= min(blob.stamp.size_bytes, MAX_FILE_BYTES):
        return blob
    return StoreError(f"`{key}` cannot be read: {len(blob.data):,} of {blob.stamp.size_bytes:,} bytes came")
