"""`scan`: list, compare, read, look at the whole, commit. `check` is the same without the commit."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tamis.api.engines import on_ray, open_engine
from tamis.api.options import ScanOptions, ignore_progress
from tamis.api.scanning.chunk import Partition, ScanJob
from tamis.api.scanning.findings import find_in_dataset
from tamis.api.scanning.partition import read_partition, score_columns
from tamis.api.scanning.project import Project, read_project
from tamis.api.scanning.rows import metadata_columns
from tamis.api.scanning.videos import VideoCounter, doubt_orphans
from tamis.api.scanning.walk import Walk
from tamis.engine import InlineEngine, Progress, telling
from tamis.errors import DatasourceError, IndexMissingError
from tamis.index import Changes, Manifest, Snapshot, all_units, find_changes
from tamis.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tamis.api.sources import Sources
    from tamis.engine import Engine, ProgressListener
    from tamis.index import Listing, Shard, Video
    from tamis.model import Problem

# Starting processes takes .3 s: as much as reading this many units here.
_INLINE_UNITS = 3_000
_PARTITION_UNITS = 5_000
_PARTITIONS_PER_WORKER = 4
_SMALLEST_PARTITION_UNITS = 250


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan did.

    Attributes:
        snapshot: the index as it is now.
        n_units: everything listed: samples with their files, and files without a sample.
        n_read: units that were read, as they were new or had changed.
        n_removed: units that are gone since the last scan.
        seconds: how long it took.
    """

    snapshot: Snapshot
    n_units: int
    n_read: int
    n_removed: int
    seconds: float


def scan(
    sources: Sources,
    options: ScanOptions | None = None,
    *,
    listen: ProgressListener = ignore_progress,
    commit_unchanged: bool = True,
) -> ScanResult:
    """Bring the index up to date with the files.

    Args:
        sources: the datasources and the index.
        options: how to read.
        listen: told how far the scan is.
        commit_unchanged: whether to make a new snapshot also where it would say what the last one says.

    Raises:
        DatasourceError: when the datasource cannot be read, or the index cannot be written.
        IndexConflictError: when another scan replaced the index meanwhile.
        WorkerError: when a worker process was killed; the old snapshot stands.
    """
    try:
        with sources.index.staging() as staging:
            result = _scan(sources, options or ScanOptions(), listen, _Target(staging.folder, staging.scan_id))
            base = None if commit_unchanged else _base(sources, listen)
            if base is not None and _says_the_same(base.manifest, result.snapshot.manifest):
                return replace(result, snapshot=base)
            sources.index.commit(result.snapshot.manifest, telling(listen, "sharing the index"))
    except OSError as error:
        # Reading turns these into problems or store errors, so what is left is writing: a full disk, a lost mount.
        raise DatasourceError(
            f"The index in `{sources.index.root}` cannot be written: {error.strerror or error}",
            hint="the last index stands; make room, or give another folder with `--index`, and scan again",
        ) from error
    return result


@contextmanager
def dry_scan(
    sources: Sources, options: ScanOptions | None = None, *, listen: ProgressListener = ignore_progress
) -> Iterator[ScanResult]:
    """Scan into a temporary folder and leave the index as it is; the snapshot lives as long as the context.

    Machines of a cluster share no temporary folder: theirs is in the index, which forgets it at the end.
    """
    if on_ray(options or ScanOptions()):
        with sources.index.staging() as staging:
            yield _scan(sources, options or ScanOptions(), listen, _Target(staging.folder, staging.scan_id))
        return
    with tempfile.TemporaryDirectory(prefix="tamis-check-") as folder:
        yield _scan(sources, options or ScanOptions(), listen, _Target(Path(folder), folder))


@dataclass(frozen=True, slots=True)
class _Target:
    """Where new shards go, and what their ids begin with."""

    folder: Path
    prefix: str


def _scan(sources: Sources, options: ScanOptions, listen: ProgressListener, target: _Target) -> ScanResult:
    began = time.monotonic()
    project = read_project(sources.lightly, options)
    base = None if options.full else _base(sources, listen)
    known_videos = base.manifest.videos if base else ()
    if base is not None and base.manifest.settings != project.settings:
        base = None
    bucket = sources.index.open_shared() if on_ray(options) else None
    places = (sources.input, sources.lightly, target.folder if bucket is None else None)
    with open_engine(options, places, warm_up=_nothing) as engine:
        counter = VideoCounter(sources.input, engine, known_videos)
        walk = Walk(
            input_store=sources.input,
            lightly_store=sources.lightly,
            tasks=[task.name for task in project.tasks],
            listed=project.listed,
            has_metadata=bool(project.metadata),
            stamped=base is not None,
            relevant=project.relevant,
            count_frames=counter.count,
            listen=_start_early(engine, listen) if base is None and options.n_workers > 1 else listen,
        )
        listing = walk.run()
        if base is None:
            changes = all_units(listing)
        else:
            changes = find_changes(doubt_orphans(listing, known_videos, counter.videos.values()), base)
        job = ScanJob(
            input=sources.input,
            lightly=sources.lightly,
            tasks=project.tasks,
            metadata=project.metadata,
            strict=options.strict,
            folder=target.folder,
            prefix=target.prefix,
            bucket=bucket,
            patience_secs=options.patience_secs,
        )
        videos = {i: counter.videos[key] for i, key in enumerate(listing.videos)}
        n_read = len(changes.to_read)
        reader = engine if _is_worth_it(options, n_read) else InlineEngine()
        n_workers = reader.workers if on_ray(options) else options.n_workers
        partitions = _partitions(listing, changes, videos, n_workers)
        shards = _read(reader, job, partitions, n_read, listen)
    _remove_repeats(target.folder, shards)
    manifest = Manifest(
        id=target.prefix,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source=sources.input.url,
        lightly=sources.lightly.url,
        settings=project.settings,
        tasks=project.tasks,
        scores=score_columns(project.tasks),
        metadata=metadata_columns(project.metadata),
        shards=(*changes.shards, *shards),
        dead=changes.dead,
        videos=tuple(counter.videos.values()),
        problems=(*project.problems, *walk.problems, *counter.problems(), *_unmatched(project, listing)),
    )
    snapshot = Snapshot(sources.index.root, manifest)
    if bucket is not None:
        bucket.fetch_files(snapshot, telling(listen, "fetching the index"))
    snapshot = _with_findings(snapshot)
    seconds = time.monotonic() - began
    return ScanResult(snapshot, len(listing), n_read, changes.n_removed, seconds)


def _with_findings(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot that also tells of the problems of the dataset as a whole."""
    problems = (*snapshot.manifest.problems, *find_in_dataset(snapshot))
    return Snapshot(snapshot.root, msgspec.structs.replace(snapshot.manifest, problems=problems))


def _base(sources: Sources, listen: ProgressListener) -> Snapshot | None:
    """Return what there is to build on; an index that cannot be read is made anew, as the files are the truth."""
    try:
        sources.index.fetch(telling(listen, "fetching the index"))
        return sources.index.latest()
    except IndexMissingError:
        return None


def _says_the_same(one: Manifest, other: Manifest) -> bool:
    """Whether two snapshots differ by when they were made alone."""
    return one == msgspec.structs.replace(other, id=one.id, created=one.created)


def _nothing() -> None:
    """Do nothing: to get here a worker has imported all that reading needs."""


def _is_worth_it(options: ScanOptions, n_units: int) -> bool:
    """Whether an engine reads so many units sooner than this process alone."""
    if on_ray(options):
        return n_units > _SMALLEST_PARTITION_UNITS
    return n_units > _INLINE_UNITS and options.n_workers > 1


def _start_early(engine: Engine, listen: ProgressListener) -> ProgressListener:
    """Start the workers as soon as the listing shows that they will be needed."""

    def listen_and_start(progress: Progress) -> None:
        if progress.done > 2 * _INLINE_UNITS:
            engine.start()
        listen(progress)

    return listen_and_start


def _partitions(listing: Listing, changes: Changes, videos: dict[int, Video], workers: int) -> Iterator[Partition]:
    """Cut what is to be read into partitions, in the order of the listing."""
    n = len(changes.to_read)
    size = min(max(-(-n // (workers * _PARTITIONS_PER_WORKER)), _SMALLEST_PARTITION_UNITS), _PARTITION_UNITS)
    for number, start in enumerate(range(0, n, size)):
        rows = changes.to_read[start : start + size]
        stems = listing.stems.take(rows).to_pylist()
        yield Partition(
            number=number,
            stems=stems,
            extensions=listing.extensions.take(rows).to_pylist(),
            frame_video=listing.frame_video[rows].tolist(),
            frame_number=listing.frame_number[rows].tolist(),
            present={slot: present[rows].tolist() for slot, present in listing.present.items()},
            videos=videos,
            namesakes={i: listing.namesakes[row] for i, row in enumerate(rows.tolist()) if row in listing.namesakes}
            if listing.namesakes
            else {},
            video_namesakes=listing.video_namesakes,
        )


def _read(
    engine: Engine, job: ScanJob, partitions: Iterator[Partition], n_units: int, listen: ProgressListener
) -> list[Shard]:
    """Read partitions and return their shards in the order of the partitions."""
    shards: list[Shard] = []
    n_done = 0
    n_problems: Counter[Severity] = Counter()
    for result in engine.map(partial(read_partition, job), partitions):
        shards.append(result.shard)
        n_done += result.shard.n_units
        n_problems.update(result.n_problems)
        n_errors, n_warnings = n_problems[Severity.ERROR], n_problems[Severity.WARNING]
        listen(Progress("reading", n_done, n_units, "samples", f"{n_errors} errors, {n_warnings} warnings"))
    return sorted(shards, key=lambda shard: shard.id)


def _remove_repeats(folder: Path, shards: list[Shard]) -> None:
    """Remove what workers of a cluster wrote that were lost before they could report it."""
    reported = {shard.id.rpartition("/")[2] for shard in shards}
    for path in folder.glob("*.parquet"):
        if path.name.partition(".")[0] not in reported:
            path.unlink(missing_ok=True)


def _unmatched(project: Project, listing: Listing) -> list[Problem]:
    """Say which relevant filenames name nothing."""
    if project.relevant is None:
        return []
    stems, extensions = listing.stems.to_pylist(), listing.extensions.to_pylist()
    keys = [
        f"{stem}.{extension}"
        for stem, joined in zip(stems, extensions, strict=True)
        for extension in joined.split("/")
        if extension
    ]
    return list(project.relevant.unmatched([*keys, *listing.videos]))
