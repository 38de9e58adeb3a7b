"""Reading some units at a time: enough for numpy to be quick, little enough for memory to stay flat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.api.scanning.chunk import Chunk, Samples, Stamps, TaskFiles, unreadable
from tamis.api.scanning.sample_reader import SampleReader
from tamis.formats import PREDICTIONS, PredictionReader
from tamis.index import task_slot
from tamis.storage import StoreError

if TYPE_CHECKING:
    from tamis.api.scanning.chunk import Partition, ScanJob

_CHUNK_UNITS = 5_000
_CHUNK_BYTES = 16 << 20
# Read side by side before the chunk's bytes are looked at again.
_BLOCK_UNITS = 64


class ChunkReader:
    """Reads a partition chunk by chunk.

    Args:
        job: what all partitions share.
        partition: the units.
    """

    def __init__(self, job: ScanJob, partition: Partition) -> None:
        self._job = job
        self._partition = partition
        self._samples = SampleReader(job, partition)

    def read(self, start: int) -> Chunk:
        """Read units from `start` on, until the chunk is full or the partition ends."""
        job, partition = self._job, self._partition
        tasks = [
            TaskFiles(task, PredictionReader(task, strict=job.strict), f"{PREDICTIONS}/{task.name}/")
            for task in job.tasks
        ]
        chunk = Chunk(start, start, Samples(), tasks, Stamps(), [])
        last = min(start + _CHUNK_UNITS, len(partition.stems))
        n_bytes = 0
        while chunk.stop < last and n_bytes < _CHUNK_BYTES:
            block = range(chunk.stop, min(chunk.stop + _BLOCK_UNITS, last))
            self._samples.read(chunk, block)
            for files in tasks:
                n_bytes += self._read_predictions(chunk, files, block)
            chunk.stop = block.stop
        return chunk

    def _read_predictions(self, chunk: Chunk, files: TaskFiles, block: range) -> int:
        stems, present = self._partition.stems, self._partition.present[task_slot(files.task.name)]
        units = [unit for unit in block if present[unit]]
        keys = [f"{files.folder}{stems[unit]}.json" for unit in units]
        n_bytes = 0
        for unit, key, blob in zip(units, keys, self._job.lightly.read_many(keys), strict=True):
            if isinstance(blob, StoreError):
                chunk.problems.append((unit, unreadable(key, blob, task=files.task.name)))
                continue
            data, (size_bytes, mtime_ns) = blob
            files.reader.add(key, data)
            files.units.append(unit)
            files.files.append(key)
            files.sizes_bytes.append(size_bytes)
            files.mtimes_ns.append(mtime_ns)
            n_bytes += len(data)
        return n_bytes
