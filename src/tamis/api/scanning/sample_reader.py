"""Reading the samples of some units: image headers and frames of videos, with their metadata."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING

from tamis.api.scanning.chunk import NO_STAMP
from tamis.api.scanning.metadata_reader import MetadataReader
from tamis.index import FRAME, IMAGE, METADATA, NAMESAKES, salt
from tamis.media import read_image_sizes
from tamis.model import Problem, SampleKind
from tamis.storage import Stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tamis.api.scanning.chunk import Chunk, Partition, ScanJob
    from tamis.media import ImageSize
    from tamis.storage import Blob, StoreError

# No image is larger, whatever a damaged header says; so large it would not fit the tables.
_MAX_SIDE_PX = (1 << 31) - 1


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
        self._metadata = MetadataReader(job, partition)

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
            self._metadata.start(described),
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
            self._metadata.take(chunk, block, reads.described, reads.metadata, first=first)
        if self._partition.namesakes:
            for unit in block:
                if (endings := self._partition.namesakes.get(unit)) is not None:
                    chunk.stamps.add(unit, salt(NAMESAKES, endings), NO_STAMP)

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


def _unknown_size(key: str, reason: str) -> Problem:
    message = f"expected an image of known size, but {reason}"
    return Problem(code="image-size-unknown", file=key, message=message)
