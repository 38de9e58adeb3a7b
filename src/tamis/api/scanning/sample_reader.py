"""Reading the samples of some units: image headers, frames of videos, metadata."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING

from tamis.api.scanning.chunk import UNREAD, checked, unreadable
from tamis.formats import MAX_FILE_BYTES, decode_metadata, metadata_key
from tamis.index import FRAME, IMAGE, METADATA, salt
from tamis.media import read_image_sizes
from tamis.model import Problem, SampleKind, stem_of
from tamis.storage import NotFoundError, Stamp, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tamis.api.scanning.chunk import Chunk, Partition, ScanJob
    from tamis.media import ImageSize
    from tamis.storage import Blob

# No image is larger, whatever a damaged header says; so large it would not fit the tables.
_MAX_SIDE_PX = (1 << 31) - 1

_Metadata = tuple[Stamp | None, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class SampleReads:
    """The reads of a block that a bucket has begun to answer.

    Attributes:
        block: the units.
        images: of the units: (unit, ending), in their order.
        sizes: for each image.
        described: the units with a metadata file.
        metadata: for each of those.
    """

    block: range
    images: list[tuple[int, str]]
    sizes: Iterator[ImageSize]
    described: list[int]
    metadata: Iterator[Blob | StoreError]


class SampleReader:
    """Reads the samples of a partition block by block, a block being a range of its units.

    Args:
        job: what all partitions share.
        partition: the units.
    """

    def __init__(self, job: ScanJob, partition: Partition) -> None:
        self._job = job
        self._partition = partition
        self._video_metadata: dict[int, _Metadata] = {}
        self._defaults = tuple(column.default for column in job.metadata)

    def start(self, block: range) -> SampleReads:
        """Ask for all that `take` will need."""
        job, partition = self._job, self._partition
        joined = partition.extensions
        images = [(unit, extension) for unit in block if joined[unit] for extension in joined[unit].split("/")]
        keys = [f"{partition.stems[unit]}.{extension}" for unit, extension in images]
        described = [unit for unit in block if partition.present[METADATA][unit]] if job.metadata else []
        return SampleReads(
            block,
            images,
            read_image_sizes(job.input, keys),
            described,
            job.lightly.read_many([self._metadata_key(unit) for unit in described], n_bytes=MAX_FILE_BYTES + 1),
        )

    def take(self, chunk: Chunk, reads: SampleReads) -> None:
        """Add the samples of a block to the chunk, in the order of their units."""
        frame_video, block = self._partition.frame_video, reads.block
        first = len(chunk.samples.keys)
        if max(frame_video[block.start : block.stop]) < 0:
            self._add_images(chunk, reads.images, reads.sizes)
        else:
            images_of = {unit: list(images) for unit, images in groupby(reads.images, key=lambda image: image[0])}
            for unit in block:
                before = len(chunk.samples.keys)
                self._add_images(chunk, images_of.get(unit, []), reads.sizes)
                if frame_video[unit] >= 0:
                    self._add_frame(chunk, unit, before)
        if self._job.metadata:
            self._add_metadata(chunk, reads, first)

    def _add_images(self, chunk: Chunk, images: Sequence[tuple[int, str]], read: Iterator[ImageSize]) -> None:
        stems = self._partition.stems
        keys = [f"{stems[unit]}.{extension}" for unit, extension in images]
        sizes = list(islice(read, len(keys)))
        n, samples, stamps = len(keys), chunk.samples, chunk.stamps
        units = [unit for unit, _ in images]
        for i, (width, height, _, fault, _) in enumerate(sizes):
            if fault is not None or width > _MAX_SIDE_PX or height > _MAX_SIDE_PX:
                sizes[i] = sizes[i]._replace(width=0, height=0)
                reason = fault or f"{width} x {height} pixels"
                chunk.problems.append((units[i], _unknown_size(keys[i], reason)))
        samples.units += units
        samples.keys += keys
        samples.kinds += [SampleKind.IMAGE] * n
        samples.videos += [None] * n
        samples.frames += [None] * n
        samples.widths += [size.width for size in sizes]
        samples.heights += [size.height for size in sizes]
        sizes_bytes = [size.stamp.size_bytes for size in sizes]
        mtimes_ns = [size.stamp.mtime_ns for size in sizes]
        samples.sizes_bytes += sizes_bytes
        samples.mtimes_ns += mtimes_ns
        stamps.units += units
        stamps.salts += [salt(IMAGE, extension) for _, extension in images]
        stamps.sizes_bytes += sizes_bytes
        stamps.mtimes_ns += mtimes_ns

    def _add_frame(self, chunk: Chunk, unit: int, before: int) -> None:
        """Make the image of a frame that lies there a frame, else add the frame of the video itself."""
        partition, samples = self._partition, chunk.samples
        video = partition.videos[partition.frame_video[unit]]
        key = f"{partition.stems[unit]}.png"
        chunk.stamps.add(unit, salt(FRAME), Stamp(video.size_bytes, video.mtime_ns))
        if key in samples.keys[before:]:
            row = samples.keys.index(key, before)
        else:
            row = len(samples.keys)
            samples.units.append(unit)
            samples.keys.append(key)
            samples.kinds.append(SampleKind.FRAME)
            samples.videos.append(None)
            samples.frames.append(None)
            samples.widths.append(video.width)
            samples.heights.append(video.height)
            samples.sizes_bytes.append(video.size_bytes)
            samples.mtimes_ns.append(video.mtime_ns)
        samples.kinds[row] = SampleKind.FRAME
        samples.videos[row] = video.key
        samples.frames[row] = partition.frame_number[unit]

    def _metadata_key(self, unit: int) -> str:
        return metadata_key(f"{self._partition.stems[unit]}.json")

    def _add_metadata(self, chunk: Chunk, reads: SampleReads, first: int) -> None:
        """Add a row of metadata for each of the samples from `first` on: their own, their video's, or defaults."""
        partition, block = self._partition, reads.block
        own = {
            unit: self._decode(chunk, unit, self._metadata_key(unit), blob)
            for unit, blob in zip(reads.described, reads.metadata, strict=True)
        }
        values_of: dict[int, tuple[object, ...]] = {}
        for unit in block:
            found = own.get(unit) or self._of_video(partition.frame_video[unit])
            stamp, values_of[unit] = found
            if stamp is not None:
                chunk.stamps.add(unit, salt(METADATA), stamp)
        chunk.samples.metadata += [values_of[unit] for unit in chunk.samples.units[first:]]

    def _decode(self, chunk: Chunk, unit: int, key: str, answer: Blob | StoreError) -> _Metadata:
        blob = checked(key, answer)
        if isinstance(blob, StoreError):
            chunk.problems.append((unit, unreadable(key, blob)))
            return UNREAD, (None,) * len(self._job.metadata)
        values, _, problems = decode_metadata(blob.data, self._job.metadata, file=key, strict=self._job.strict)
        chunk.problems += [(unit, problem) for problem in problems]
        return blob.stamp, tuple(values)

    def _of_video(self, video: int) -> _Metadata:
        """Return the metadata of a video (-1: none); its problems are those of the unit that the file itself is."""
        if video < 0:
            return None, self._defaults
        if video not in self._video_metadata:
            key = metadata_key(f"{stem_of(self._partition.videos[video].key)}.json")
            self._video_metadata[video] = self._read_of_video(key)
        return self._video_metadata[video]

    def _read_of_video(self, key: str) -> _Metadata:
        try:
            blob = checked(key, self._job.lightly.read_start(key, MAX_FILE_BYTES + 1))
        except NotFoundError:
            return None, self._defaults
        except StoreError as error:
            blob = error
        if isinstance(blob, StoreError):
            return UNREAD, (None,) * len(self._job.metadata)
        values, _, _ = decode_metadata(blob.data, self._job.metadata, file=key)
        return blob.stamp, tuple(values)


def _unknown_size(key: str, reason: str) -> Problem:
    message = f"expected an image of known size, but {reason}"
    return Problem(code="image-size-unknown", file=key, message=message)
