"""`embed`: vectors of images, frames and objects, kept with the index; only what is new or changed is encoded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from tamis.api.embedding.jobs import EmbedJob, run_job
from tamis.api.embedding.pictures import batches_of
from tamis.api.embedding.stored import holds, read_status
from tamis.api.embedding.targets import target_of
from tamis.api.engines import on_ray, open_engine
from tamis.api.options import ignore_progress
from tamis.engine import EngineName, Progress
from tamis.errors import UsageError
from tamis.index import EmbeddingRows, SampleColumns, SetSpec, make_set, read_embeddings
from tamis.media.visual import VisualEncoder
from tamis.model import parse_object_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tamis.api.embedding.jobs import Encoder
    from tamis.api.embedding.stored import SetStatus
    from tamis.api.embedding.targets import Target
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.index import EmbeddingSet, Snapshot
    from tamis.model.columns import Ints

DEFAULT_PADDING = 0.1
PREDICTIONS = "predictions"
"""No set may have this name: it stands for the vectors that are made from predictions when they are needed."""

_ROWS_A_FILE = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedOptions:
    """What to embed, and how.

    Attributes:
        task: whose objects; `None` for images and frames.
        model: an image encoder in an ONNX file; the built-in descriptor by default.
        preprocessing: JSON file that says how pictures become the model's input; the one beside it by default.
        file: embeddings of the user's to take over instead, see `read_embeddings`.
        name: what the set is called; `visual`, or the name of the model or file, by default.
        padding: by which part the boxes of objects are widened, see `crop_area`; .1 by default.
        full: whether everything is encoded again, and a set of that name replaced whatever made it.
        workers: processes that decode and encode; `None` is one for each processor that this process may use, or
            that the cluster has.
        engine: `local`, or `ray`: on a cluster.
        ray_address: of the cluster, see `RaySession`.
    """

    task: str | None = None
    model: str | Path | None = None
    preprocessing: str | Path | None = None
    file: str | Path | None = None
    name: str | None = None
    padding: float | None = None
    full: bool = False
    workers: int | None = None
    engine: str = EngineName.LOCAL
    ray_address: str | None = None


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What has no embedding, and why."""

    key: str
    message: str


class EmbedReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an embedding run did.

    Attributes:
        name: of the set.
        task: whose objects, `None` for images and frames.
        source: what made the vectors, in words.
        n_dims: length of the vectors.
        total: images and frames, or objects, that the index has.
        encoded: how many were encoded, or taken over, now.
        kept: how many were there from before.
        without: how many have no embedding.
        unknown: names of the user's file that nothing in the index has.
        faults: each of those that was looked at, with the reason.
    """

    name: str
    task: str | None
    source: str
    n_dims: int
    total: int
    encoded: int
    kept: int
    without: int
    unknown: int
    faults: list[Fault]


def embed(
    sources: Sources,
    snapshot: Snapshot,
    options: EmbedOptions | None = None,
    *,
    listen: ProgressListener = ignore_progress,
) -> EmbedReport:
    """Embed what has no embedding yet, or changed since.

    What was encoded is kept as it comes, so a run that was stopped goes on where it was. Pictures that cannot be
    read are noted with the reason, and tried again once they change.

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
    _check(wanted)
    task = None if wanted.task is None else snapshot.task(wanted.task)
    target = target_of(SampleColumns(snapshot), task)
    if wanted.file is not None:
        return _take_over(sources, target, wanted, Path(wanted.file))
    encoder = encoder_of(wanted.model, wanted.preprocessing, name=wanted.name)
    into = make_set(sources.index.root, _spec(wanted, encoder), anew=wanted.full)
    before = read_status(into, target)
    missing = before.missing
    _encode(sources, target, missing, _Work(encoder, into, wanted), listen)
    into.compact(_once(target))
    sources.index.share()
    return _report(into, target, read_status(into, target), n_new=len(missing))


def encoder_of(
    model: str | Path | None = None, preprocessing: str | Path | None = None, *, name: str | None = None
) -> Encoder:
    """Return the encoder that a call means: the built-in descriptor, or the model of a file.

    Raises:
        UsageError: when the file is no image encoder, or onnxruntime is not installed.
        DatasourceError: when the file cannot be read.
        EncoderError: when the model fails.
    """
    if model is None:
        if preprocessing is not None:
            raise UsageError("Preprocessing is for a model", hint="give `--model FILE`, or leave it out")
        return VisualEncoder(name=name or VisualEncoder().name)
    from tamis.media.onnx_encoder import open_encoder, read_preprocessing  # noqa: PLC0415 (for models only)

    if preprocessing is not None and not Path(preprocessing).exists():
        raise UsageError(f"There is no file `{preprocessing}`")
    steps = None if preprocessing is None else read_preprocessing(Path(preprocessing))
    return open_encoder(Path(model), steps, name=name)


def encoder_of_set(spec: SetSpec) -> Encoder:
    """Return the encoder that made a set, for pictures that are not in the index.

    Raises:
        UsageError: when the vectors were brought by the user, or the model changed since.
        DatasourceError: when its model is gone.
    """
    if spec.encoder.startswith("file"):
        raise UsageError(
            f"The embeddings `{spec.name}` are from a file: other pictures cannot be compared with them",
            hint="name a sample of the datasource, or embeddings that `tamis embed` made",
        )
    encoder = encoder_of(spec.model, name=spec.name)
    if encoder.identity != spec.encoder:
        raise UsageError(
            f"`{spec.model or spec.name}` is not what made the embeddings `{spec.name}` any more",
            hint=f"make them again: `tamis embed SRC --name {spec.name} --full`",
        )
    return encoder


def _check(options: EmbedOptions) -> None:
    on_ray(options)
    if options.model is not None and options.file is not None:
        raise UsageError("A model and a file of embeddings exclude each other", hint="give one of them")
    if options.padding is not None and options.task is None:
        raise UsageError("Padding is for objects", hint="give `--task TASK`, or leave it out")
    if options.padding is not None and not 0.0 <= options.padding <= 10.0:  # noqa: PLR2004 (a box of 11 times the size)
        raise UsageError(f"Expected a padding from 0 to 10, got {options.padding:g}")
    if options.name == PREDICTIONS:
        raise UsageError(
            f"Embeddings cannot be called `{PREDICTIONS}`: that stands for vectors made from predictions",
            hint="give another `--name`",
        )


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
        created=datetime.now(UTC).isoformat(),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    encoder: Encoder
    into: EmbeddingSet
    options: EmbedOptions


def _encode(sources: Sources, target: Target, missing: Ints, work: _Work, listen: ProgressListener) -> None:
    into = sources.index.for_other_machines(work.into) if on_ray(work.options) else work.into
    jobs = [EmbedJob(batch, work.encoder, into) for batch in batches_of(target, missing, sources.input)]
    model = None if work.options.model is None else Path(work.options.model)
    places = [sources.input, into.folder if into.bucket is None else None, model]
    engine = open_engine(work.options, places, n_jobs=len(jobs))
    unit = "pictures" if target.task is None else "objects"
    n_done = n_faults = 0
    listen(Progress("embedding", 0, len(missing), unit))
    with engine:
        for written, faulty in engine.map(run_job, jobs):
            n_done += written
            n_faults += faulty
            listen(Progress("embedding", n_done, len(missing), unit, f"{n_faults:,} without" if n_faults else ""))
    if into.bucket is not None:
        sources.index.share()


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


def _take_over(sources: Sources, target: Target, options: EmbedOptions, path: Path) -> EmbedReport:
    """Store the embeddings of a file, for what the index has."""
    given = read_embeddings(path)
    keys, positions = _names(given.keys, target)
    at = target.locate(keys, positions)
    if not (at >= 0).any():
        example = f", e.g. `{given.keys[0]}`" if given.keys else ""
        raise UsageError(
            f"`{path}`: none of its {len(given.keys)} names is in the index{example}",
            hint="names are "
            + ("sample keys" if target.task is None else "names of objects")
            + (f", e.g. `{target.name(0)}`" if len(target) else ""),
        )
    spec = SetSpec(
        name=options.name or path.stem,
        task=options.task,
        encoder=f"file {path.name}",
        source=f"from {path.name}",
        n_dims=given.vectors.shape[1],
        created=datetime.now(UTC).isoformat(),
    )
    into = make_set(sources.index.root, spec, anew=True)
    known = np.flatnonzero(at >= 0)
    for start in range(0, len(known), _ROWS_A_FILE):
        some = known[start : start + _ROWS_A_FILE]
        into.append(_rows_of_file(given.vectors, target, keys, some, at[some]))
    sources.index.share()
    status = read_status(into, target)
    return _report(into, target, status, n_new=len(known), n_unknown=len(keys) - len(known))


def _names(names: Sequence[str], target: Target) -> tuple[Sequence[str], NDArray[np.int32]]:
    """Return sample keys and positions; a name that is none of an object of the task gets a position nobody has."""
    if target.task is None:
        return names, np.full(len(names), -1, np.int32)
    parsed = [parse_object_key(name) for name in names]
    own = [key if key is not None and key.task == target.task.name else None for key in parsed]
    keys = [name if key is None else key.sample for name, key in zip(names, own, strict=True)]
    return keys, np.array([-1 if key is None else key.position for key in own], np.int32)


def _rows_of_file(
    vectors: NDArray[np.floating], target: Target, keys: Sequence[str], some: Ints, at: Ints
) -> EmbeddingRows:
    values = np.asarray(vectors[some], np.float32)
    zero: list[bool] = np.asarray(~values.any(axis=1)).tolist()
    return EmbeddingRows(
        keys=[keys[i] for i in some.tolist()],
        positions=target.positions[at].astype(np.int32),
        fingerprints=target.fingerprints[at],
        contents=[None] * len(some),
        faults=["it is all zeros in the file" if is_zero else None for is_zero in zero],
        vectors=values,
    )


def _report(
    into: EmbeddingSet, target: Target, status: SetStatus, *, n_new: int, n_unknown: int = 0
) -> EmbedReport:
    n_without = len(target) - int(np.count_nonzero(status.known))
    faults = [Fault(key=target.name(row), message=text) for row, text in sorted(status.faults.items())]
    return EmbedReport(
        name=into.spec.name,
        task=into.spec.task,
        source=into.spec.source,
        n_dims=into.spec.n_dims,
        total=len(target),
        encoded=n_new,
        kept=len(target) - n_new - (len(status.missing)),
        without=n_without,
        unknown=n_unknown,
        faults=faults,
    )
