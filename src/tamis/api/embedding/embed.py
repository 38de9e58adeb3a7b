"""`embed`: vectors of images, frames and objects, kept with the index; only what is new or changed is encoded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tamis.api.embedding.encoders import encoder_of, steps_of
from tamis.api.embedding.jobs import EmbedJob, run_job
from tamis.api.embedding.options import DEFAULT_PADDING, EmbedOptions, check_options, set_name
from tamis.api.embedding.pictures import batches_of
from tamis.api.embedding.reports import report_of
from tamis.api.embedding.stored import holds, read_status
from tamis.api.embedding.taking_over import take_over
from tamis.api.embedding.targets import target_of
from tamis.api.engines import on_ray, open_engine
from tamis.api.options import ignore_progress
from tamis.engine import Progress
from tamis.index import SampleColumns, SetSpec, UnreadRows, make_set, write_unread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tamis.api.embedding.jobs import Encoder
    from tamis.api.embedding.reports import EmbedReport
    from tamis.api.embedding.targets import Target
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.index import EmbeddingRows, EmbeddingSet, Snapshot
    from tamis.model.columns import Ints


def embed(
    sources: Sources,
    snapshot: Snapshot,
    options: EmbedOptions | None = None,
    *,
    listen: ProgressListener = ignore_progress,
) -> EmbedReport:
    """Embed what has no embedding yet, or changed since.

    What was encoded is kept as it comes, so a run that was stopped goes on where it was. Pictures that are damaged
    are noted with the reason, and tried again once they change; those that the store did not give, the next time.

    Args:
        sources: images and index.
        snapshot: of the index.
        options: what to embed, and how.
        listen: told how far the work is.

    Raises:
        UsageError: when the model, the file, the task or an option is not what it should be.
        DatasourceError: when the model, the file or the datasource cannot be read, or the index not be written.
        EncoderError: when the model fails.
    """
    wanted = options or EmbedOptions()
    check_options(wanted)
    task = None if wanted.task is None else snapshot.task(wanted.task)
    target = target_of(SampleColumns(snapshot), task)
    if wanted.file is not None:
        return take_over(sources, target, wanted, Path(wanted.file))
    encoder = encoder_of(wanted.model, wanted.preprocessing, name=set_name(wanted))
    into = make_set(sources.index.root, _spec(wanted, encoder), anew=wanted.full)
    before = read_status(into, target)
    unread = _encode(sources, target, before.missing, _Work(encoder, into, wanted), listen)
    write_unread(into, _as_rows(sorted(unread), target))
    into.compact(_once(target))
    sources.index.share()
    n_before = int(np.count_nonzero(before.known))
    return report_of(into, target, read_status(into, target), n_before=n_before, unread=unread)


def _spec(options: EmbedOptions, encoder: Encoder) -> SetSpec:
    path = None if options.model is None else str(Path(options.model).absolute())
    padding = 0.0
    if options.task is not None:
        padding = DEFAULT_PADDING if options.padding is None else options.padding
    return SetSpec(
        name=encoder.name,
        task=options.task,
        encoder=encoder.identity,
        source="built-in visual descriptor" if path is None else f"ONNX encoder {Path(path).name}",
        n_dims=encoder.n_dims,
        padding=padding,
        model=path,
        steps=steps_of(encoder),
        preprocessing=None if options.preprocessing is None else str(Path(options.preprocessing).absolute()),
        created=datetime.now(UTC).isoformat(),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    encoder: Encoder
    into: EmbeddingSet
    options: EmbedOptions


def _as_rows(rows: Sequence[int], target: Target) -> UnreadRows:
    at = np.array(rows, np.int64)
    return UnreadRows(
        keys=[target.samples.keys[sample] for sample in target.owner[at].tolist()],
        positions=target.positions[at].tolist(),
        fingerprints=target.fingerprints[at].tolist(),
    )


def _encode(
    sources: Sources, target: Target, missing: Ints, work: _Work, listen: ProgressListener
) -> dict[int, str]:
    """Encode rows of a target; return which could not be read, and why."""
    into = sources.index.for_other_machines(work.into) if on_ray(work.options) else work.into
    jobs = [EmbedJob(batch, work.encoder, into) for batch in batches_of(target, missing, sources.input)]
    model = None if work.options.model is None else Path(work.options.model)
    places = [sources.input, into.folder if into.bucket is None else None, model]
    engine = open_engine(work.options, places, n_jobs=len(jobs))
    unit = "pictures" if target.task is None else "objects"
    n_done = n_faults = 0
    unread: dict[int, str] = {}
    listen(Progress("embedding", 0, len(missing), unit))
    with engine:
        for done in engine.map(run_job, jobs):
            n_done += done.rows
            n_faults += done.faulty
            unread |= done.unread
            listen(Progress("embedding", n_done, len(missing), unit, f"{n_faults:,} without" if n_faults else ""))
    if into.bucket is not None:
        sources.index.share()
    return unread


class _once:  # noqa: N801 (a function with a memory)
    """Tells which rows of a set to keep: those that hold, each once."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._seen = np.zeros(len(target), np.bool_)

    def __call__(self, rows: EmbeddingRows) -> NDArray[np.bool_]:
        at = self._target.locate(rows.keys, rows.positions)
        kept = holds(rows, at, self._target)
        kept[kept] = ~self._seen[at[kept]]
        self._seen[at[kept]] = True
        return kept
