"""Reading some units: image headers, prediction files and metadata, as columns side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tamis.formats import PREDICTIONS, PredictionReader, decode_metadata, metadata_key
from tamis.index import FRAME, IMAGE, METADATA, Video, salt, task_slot
from tamis.media import read_image_size
from tamis.model import Problem, SampleKind, stem_of
from tamis.storage import NotFoundError, Stamp, StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.formats import MetadataField
    from tamis.model import Task
    from tamis.storage import Store

# What is held at once: enough for numpy to be quick, little enough for memory to stay flat.
_CHUNK_UNITS = 2_000
_CHUNK_BYTES = 16 << 20
# No image is larger, whatever a damaged header says; so large it would not fit the tables.
_MAX_SIDE_PX = (1 << 31) - 1


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
        prefix: what their ids begin with.
    """

    input: Store
    lightly: Store
    tasks: tuple[Task, ...]
    metadata: tuple[MetadataField, ...]
    strict: bool
    folder: Path
    prefix: str


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
    """

    number: int
    stems: list[str]
    extensions: list[str]
    frame_video: list[int]
    frame_number: list[int]
    present: dict[str, list[bool]]
    videos: dict[int, Video]


@dataclass(slots=True, eq=False)
class TaskFiles:
    """The prediction files of one task in a chunk, in the order of their units; keys begin with `folder`."""

    task: Task
    reader: PredictionReader
    folder: str
    units: list[int] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    sizes_bytes: list[int] = field(default_factory=list)
    mtimes_ns: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Samples:
    """The samples of a chunk, in the order of their units."""

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

    def add(self, unit: int, key: str, kind: SampleKind, size: tuple[int, int], stamp: Stamp) -> None:
        """Add a sample of `size` (width, height) in pixels, (0, 0) where it is not known."""
        self.units.append(unit)
        self.keys.append(key)
        self.kinds.append(kind)
        self.widths.append(size[0])
        self.heights.append(size[1])
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
        stamps: what each unit's fingerprint is made of besides prediction files: (unit, salt, size, time) as four
            columns.
        problems: with the unit that each is about.
    """

    start: int
    stop: int
    samples: Samples
    tasks: list[TaskFiles]
    stamps: tuple[list[int], list[int], list[int], list[int]]
    problems: list[tuple[int, Problem]]


class ChunkReader:
    """Reads a partition chunk by chunk.

    Args:
        job: what all partitions share.
        partition: the units.
    """

    def __init__(self, job: ScanJob, partition: Partition) -> None:
        self._job = job
        self._partition = partition
        self._salts: dict[tuple[str, str], int] = {}
        self._video_metadata: dict[int, tuple[Stamp | None, tuple[object, ...]]] = {}

    def read(self, start: int) -> Chunk:
        """Read units from `start` on, until the chunk is full or the partition ends."""
        job, partition = self._job, self._partition
        tasks = [
            TaskFiles(task, PredictionReader(task, strict=job.strict), f"{PREDICTIONS}/{task.name}/")
            for task in job.tasks
        ]
        present = [partition.present[task_slot(task.name)] for task in job.tasks]
        chunk = Chunk(start, start, Samples(), tasks, ([], [], [], []), [])
        last = min(start + _CHUNK_UNITS, len(partition.stems))
        n_bytes = 0
        while chunk.stop < last and n_bytes < _CHUNK_BYTES:
            unit = chunk.stop
            self._read_samples(chunk, unit)
            for files, is_present in zip(tasks, present, strict=True):
                if is_present[unit]:
                    n_bytes += self._read_predictions(chunk, files, unit)
            chunk.stop += 1
        return chunk

    def _read_samples(self, chunk: Chunk, unit: int) -> None:
        partition, samples = self._partition, chunk.samples
        before = len(samples.keys)
        stem, extensions = partition.stems[unit], partition.extensions[unit]
        frame_key = f"{stem}.png" if partition.frame_video[unit] >= 0 else None
        for extension in extensions.split("/") if extensions else ():
            key = f"{stem}.{extension}"
            self._read_image(chunk, unit, key, extension, is_frame=key == frame_key)
        if frame_key is not None:
            video = partition.videos[partition.frame_video[unit]]
            self._stamp(chunk, unit, FRAME, "", video.size_bytes, video.mtime_ns)
            if frame_key not in samples.keys[before:]:
                size, stamp = (video.width, video.height), Stamp(video.size_bytes, video.mtime_ns)
                samples.add(unit, frame_key, SampleKind.FRAME, size, stamp)
        for i in range(before, len(samples.keys)):
            is_frame = samples.keys[i] == frame_key
            samples.videos.append(video.key if is_frame else None)
            samples.frames.append(partition.frame_number[unit] if is_frame else None)
        if self._job.metadata:
            self._read_metadata(chunk, unit, len(samples.keys) - before)

    def _read_image(self, chunk: Chunk, unit: int, key: str, extension: str, *, is_frame: bool) -> None:
        try:
            width, height, stamp, fault = read_image_size(self._job.input, key)
        except StoreError as error:
            width, height, stamp, fault = 0, 0, Stamp(0, 0), error.message
        if max(width, height) > _MAX_SIDE_PX:
            fault = f"{width} x {height} pixels"
            width, height = 0, 0
        kind = SampleKind.FRAME if is_frame else SampleKind.IMAGE
        chunk.samples.add(unit, key, kind, (width, height), stamp)
        self._stamp(chunk, unit, IMAGE, extension, *stamp)
        if fault is not None:
            problem = Problem(
                code="image-size-unknown", file=key, message=f"expected an image of known size, but {fault}"
            )
            chunk.problems.append((unit, problem))

    def _read_predictions(self, chunk: Chunk, files: TaskFiles, unit: int) -> int:
        key = f"{files.folder}{self._partition.stems[unit]}.json"
        try:
            data, stamp = self._job.lightly.read(key)
        except StoreError as error:
            chunk.problems.append((unit, unreadable(key, error, task=files.task.name)))
            return 0
        files.reader.add(key, data)
        files.units.append(unit)
        files.files.append(key)
        files.sizes_bytes.append(stamp.size_bytes)
        files.mtimes_ns.append(stamp.mtime_ns)
        return len(data)

    def _read_metadata(self, chunk: Chunk, unit: int, n_samples: int) -> None:
        partition = self._partition
        video = partition.frame_video[unit]
        if partition.present[METADATA][unit]:
            stamp, values = self._metadata_of(chunk, unit, partition.stems[unit])
        elif video >= 0:
            if video not in self._video_metadata:
                stem = stem_of(partition.videos[video].key)
                # Its problems are those of the unit that the file itself is.
                self._video_metadata[video] = self._metadata_of(chunk, unit, stem, of_video=True)
            stamp, values = self._video_metadata[video]
        else:
            stamp, values = None, self._defaults()
        if stamp is not None:
            self._stamp(chunk, unit, METADATA, "", *stamp)
        chunk.samples.metadata.extend([values] * n_samples)

    def _metadata_of(
        self, chunk: Chunk, unit: int, stem: str, *, of_video: bool = False
    ) -> tuple[Stamp | None, tuple[object, ...]]:
        key = metadata_key(f"{stem}.json")
        try:
            data, stamp = self._job.lightly.read(key)
        except StoreError as error:
            if of_video and isinstance(error, NotFoundError):
                return None, self._defaults()
            if not of_video:
                chunk.problems.append((unit, unreadable(key, error)))
            return None, (None,) * len(self._job.metadata)
        values, _, problems = decode_metadata(data, self._job.metadata, file=key)
        if not of_video:
            chunk.problems += [(unit, problem) for problem in problems]
        return stamp, tuple(values)

    def _defaults(self) -> tuple[object, ...]:
        return tuple(column.default for column in self._job.metadata)

    def _stamp(self, chunk: Chunk, unit: int, slot: str, extension: str, size_bytes: int, mtime_ns: int) -> None:
        name = (slot, extension)
        number = self._salts.get(name)
        if number is None:
            number = self._salts[name] = salt(slot, extension)
        units, salts, sizes, times = chunk.stamps
        units.append(unit)
        salts.append(number)
        sizes.append(size_bytes)
        times.append(mtime_ns)


def unreadable(key: str, error: StoreError, *, task: str | None = None) -> Problem:
    """Return the problem of a file that is listed but cannot be read."""
    return Problem(code="file-unreadable", task=task, file=key, message=error.message)
