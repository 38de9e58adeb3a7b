"""One partition, from bytes to a shard. Runs in the workers of a scan."""

from __future__ import annotations

import secrets
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.api.scanning.chunk_reader import ChunkReader
from tamis.api.scanning.ownership import LEFT_OUT, assign_owners
from tamis.api.scanning.rows import (
    file_rows,
    metadata_columns,
    metadata_rows,
    prediction_rows,
    problem_rows,
    sample_rows,
    score_rows,
)
from tamis.formats import box_statistics, check_broken, check_predictions, score_ranges
from tamis.index import METADATA, ScoreNames, Shard, ShardWriter, mix, salt, shard_schemas, task_slot
from tamis.model import CODES, Drops, Severity
from tamis.scoring import SCORE_NAMES, UNCERTAINTIES, object_scores, sample_scores

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from tamis.api.scanning.chunk import Chunk, Partition, ScanJob, TaskFiles
    from tamis.model import PredictionColumns, Task


@dataclass(frozen=True, slots=True)
class PartitionResult:
    """What a worker reports: the shard, and what to show while the scan runs.

    Attributes:
        shard: as the manifest will hold it.
        n_files: prediction files read.
        n_problems: by severity.
    """

    shard: Shard
    n_files: int
    n_problems: dict[Severity, int]


def read_partition(job: ScanJob, partition: Partition) -> PartitionResult:
    """Read, check and score the units of a partition and write their shard.

    A cluster may read a partition twice at once, where it takes a worker for dead that is not: each time the shard
    has a name of its own, and the one that is reported counts.
    """
    if job.bucket is None:
        return _read_into(job.folder, job, partition)
    with tempfile.TemporaryDirectory(prefix="tamis-shard-") as folder:
        result = _read_into(Path(folder), job, partition)
        job.bucket.put_shard(Path(folder), result.shard)
    return result


def _read_into(folder: Path, job: ScanJob, partition: Partition) -> PartitionResult:
    shard_id = f"{job.prefix}/{partition.number:06d}-{secrets.token_hex(4)}"
    writer = ShardWriter(folder, shard_id, shard_schemas(score_columns(job.tasks), metadata_columns(job.metadata)))
    reader = ChunkReader(job, partition)
    n_files = 0
    n_problems: Counter[Severity] = Counter()
    start = 0
    while start < len(partition.stems):
        chunk = reader.read(start)
        for files in chunk.tasks:
            _add_task(writer, partition, chunk, files)
            n_files += len(files.files)
        _add_units(writer, partition, chunk)
        writer.add("samples", sample_rows(chunk.samples))
        if job.metadata:
            writer.add(METADATA, metadata_rows(chunk.samples, job.metadata))
        writer.add("problems", problem_rows(chunk.problems))
        n_problems.update(problem.severity for _, problem in chunk.problems)
        start = chunk.stop
    return PartitionResult(writer.close(), n_files, dict(n_problems))


def _add_task(writer: ShardWriter, partition: Partition, chunk: Chunk, files: TaskFiles) -> None:
    """Check, score and write what was read of one task."""
    if not files.files:
        return
    task, samples = files.task, chunk.samples
    read = files.reader.finish()
    owner_rows, beside, disputes = assign_owners(partition, samples, files, read)
    owners = np.array(owner_rows)
    owned = owners >= 0
    left_out = {files.files[i] for i in np.flatnonzero(owners == LEFT_OUT).tolist()}
    # A file that nobody owns is checked all the same; one that is disputed is dropped.
    disputed = {problem.file for _, problem in disputes if problem.severity is Severity.ERROR}
    valid = read.valid & ~np.array([file in disputed and file is not None for file in files.files])
    columns = read.columns.keep((read.valid & (owners != LEFT_OUT))[read.columns.file])
    widths = np.where(owned, np.array([*samples.widths, 0])[owners], 0)
    heights = np.where(owned, np.array([*samples.heights, 0])[owners], 0)
    kept, faults = check_predictions(task, columns, files=files.files, widths=widths, heights=heights)
    faults += check_broken(task, read.broken, files=files.files, widths=widths, heights=heights)
    # Without a sample there is no image to ask for, which the dispute says already.
    faults = [fault for fault in faults if fault.code != "mask-size-unknown" or fault.file not in disputed]
    faults = [fault for fault in [*read.problems, *faults] if fault.file not in left_out]
    kept = kept.keep((valid & owned)[kept.file])
    of_objects = object_scores(task, kept)
    of_samples = sample_scores(task, kept, object_scores=of_objects)
    keys = [samples.keys[row] if row >= 0 else None for row in beside]
    statistics: dict[str, NDArray[Any] | list[int | None]] = {
        "n_listed": read.n_listed,
        **box_statistics(columns, widths, heights),
        **score_ranges(kept),
        **_category_range(columns),
    }
    writer.add("files", file_rows(files, keys, valid, kept.counts(), statistics))
    writer.add(f"predictions:{task.name}", prediction_rows(files, keys, kept, of_objects))
    # A file that lost all its predictions says nothing: unknown, not "no objects".
    lost = {p.file for p in faults if CODES[p.code].drops is Drops.PREDICTION}
    silent = (kept.counts() == 0) & np.array([file in lost for file in files.files])
    scored = np.flatnonzero(valid & owned & ~silent)
    writer.add(f"sample_scores:{task.name}", score_rows(files, keys, scored, kept.counts(), of_samples))
    unit_of = dict(zip(files.files, files.units, strict=True))
    chunk.problems += disputes
    chunk.problems += [(unit_of[problem.file or ""], problem) for problem in faults]


def _category_range(columns: PredictionColumns) -> dict[str, list[int | None]]:
    """Return the smallest and largest category id of each file, `None` where there is none."""
    low = np.full(columns.n_files, np.iinfo(np.int64).max)
    high = np.full(columns.n_files, np.iinfo(np.int64).min)
    np.minimum.at(low, columns.file, columns.category_id)
    np.maximum.at(high, columns.file, columns.category_id)
    pairs = list(zip(low.tolist(), high.tolist(), strict=True))
    return {
        "category_min": [first if first <= last else None for first, last in pairs],
        "category_max": [last if first <= last else None for first, last in pairs],
    }


def _add_units(writer: ShardWriter, partition: Partition, chunk: Chunk) -> None:
    stamps = chunk.stamps
    fingerprints = np.zeros(chunk.stop - chunk.start, np.uint64)
    mixed = mix(
        np.array(stamps.salts, np.uint64),
        np.array(stamps.sizes_bytes, np.int64),
        np.array(stamps.mtimes_ns, np.int64),
    )
    np.add.at(fingerprints, np.array(stamps.units, np.int64) - chunk.start, mixed)
    for files in chunk.tasks:
        read = np.array(files.units, np.int64) - chunk.start
        slot = salt(task_slot(files.task.name))
        fingerprints[read] += mix(slot, np.array(files.sizes_bytes, np.int64), np.array(files.mtimes_ns, np.int64))
    writer.add("units", {"stem": partition.stems[chunk.start : chunk.stop], "fingerprint": fingerprints})


def score_columns(tasks: Iterable[Task]) -> dict[str, ScoreNames]:
    """Return the names of the scores that are stored for each task."""
    return {task.name: ScoreNames(objects=UNCERTAINTIES, samples=SCORE_NAMES[task.task_type]) for task in tasks}
