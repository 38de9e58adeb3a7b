"""Reading some units at a time: enough for numpy to be quick, little enough for memory to stay flat.

The reads of the next blocks are on their way while one is looked at, so that a bucket far away never waits for us.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from tamis.api.scanning.chunk import UNREAD, Chunk, Samples, Stamps, TaskFiles, checked, unreadable
from tamis.api.scanning.half_written import await_whole
from tamis.api.scanning.sample_reader import SampleReader
from tamis.formats import MAX_FILE_BYTES, PREDICTIONS, PredictionReader
from tamis.index import task_slot
from tamis.storage import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tamis.api.scanning.chunk import Partition, ScanJob
    from tamis.api.scanning.sample_reader import SampleReads
    from tamis.model import Task
    from tamis.storage import Blob

_CHUNK_UNITS = 5_000
_CHUNK_BYTES = 16 << 20
# Read side by side before the chunk's bytes are looked at again.
_BLOCK_UNITS = 64
# Checking a chunk takes as long as a bucket needs for some hundred reads.
_BLOCKS_AHEAD = 4
_CHUNK_UNITS_OF_BUCKET = 1_000


@dataclass(frozen=True, slots=True)
class _PredictionReads:
    """The reads of a task's files in a block."""

    units: list[int]
    keys: list[str]
    blobs: Iterator[Blob | StoreError]


@dataclass(frozen=True, slots=True)
class _BlockReads:
    """All reads of a block: of the samples, and of each task in the order of the job."""

    block: range
    samples: SampleReads
    tasks: list[_PredictionReads]


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
        self._is_far = job.lightly.local_root is None or job.input.local_root is None
        n = len(partition.stems)
        self._waiting = (range(i, min(i + _BLOCK_UNITS, n)) for i in range(0, n, _BLOCK_UNITS))
        self._started: deque[_BlockReads] = deque()

    def read(self, start: int) -> Chunk:
        """Read the units from `start` on, where the last chunk ended, until the chunk is full or all are read."""
        job, n = self._job, len(self._partition.stems)
        tasks = [TaskFiles(task, PredictionReader(task, strict=job.strict)) for task in job.tasks]
        chunk = Chunk(start, start, Samples(), tasks, Stamps(), [])
        last = min(start + (_CHUNK_UNITS_OF_BUCKET if self._is_far else _CHUNK_UNITS), n)
        n_bytes = 0
        try:
            while chunk.stop < last and n_bytes < _CHUNK_BYTES:
                reads = self._next_block()
                self._samples.take(chunk, reads.samples)
                for files, read in zip(tasks, reads.tasks, strict=True):
                    blobs = await_whole(job.lightly, read.keys, read.blobs, patience_secs=job.patience_secs)
                    n_bytes += _take_predictions(files, read, blobs)
                chunk.stop = reads.block.stop
        except BaseException:
            self._started.clear()  # nobody waits for reads that a bucket which does not answer is still asked for
            raise
        return chunk

    def _next_block(self) -> _BlockReads:
        """Return the block whose turn it is, after the reads of those behind it were started."""
        room = 1 + (_BLOCKS_AHEAD if self._is_far else 0) - len(self._started)
        self._started.extend(map(self._start, islice(self._waiting, room)))
        return self._started.popleft()

    def _start(self, block: range) -> _BlockReads:
        return _BlockReads(
            block, self._samples.start(block), [self._start_task(task, block) for task in self._job.tasks]
        )

    def _start_task(self, task: Task, block: range) -> _PredictionReads:
        stems, present = self._partition.stems, self._partition.present[task_slot(task.name)]
        units = [unit for unit in block if present[unit]]
        keys = [f"{PREDICTIONS}/{task.name}/{stems[unit]}.json" for unit in units]
        return _PredictionReads(units, keys, self._job.lightly.read_many(keys, n_bytes=MAX_FILE_BYTES + 1))


def _take_predictions(files: TaskFiles, reads: _PredictionReads, blobs: Iterable[Blob | StoreError]) -> int:
    """Add what was read of a task to the chunk and return how many bytes it was."""
    n_bytes = 0
    for unit, key, answer in zip(reads.units, reads.keys, blobs, strict=True):
        blob = checked(key, answer)
        if isinstance(blob, StoreError):
            files.reader.add_unreadable(unreadable(key, blob, task=files.task.name))
            size_bytes, mtime_ns = UNREAD
        else:
            data, (size_bytes, mtime_ns) = blob
            files.reader.add(key, data)
            n_bytes += len(data)
        files.units.append(unit)
        files.files.append(key)
        files.sizes_bytes.append(size_bytes)
        files.mtimes_ns.append(mtime_ns)
    return n_bytes
