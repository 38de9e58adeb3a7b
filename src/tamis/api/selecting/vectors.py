"""Which vectors DIVERSITY, SIMILARITY and TYPICALITY work on: the user's, or some made from the predictions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tamis.api.embedding.options import PREDICTIONS
from tamis.api.embedding.stored import chosen_set, default_vectors, origin_of, read_vectors
from tamis.api.embedding.targets import target_of
from tamis.api.options import ignore_progress
from tamis.engine import Progress
from tamis.errors import UsageError
from tamis.index import EMBEDDING_ENDINGS, read_embeddings
from tamis.scoring import prediction_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tamis.api.embedding.stored import StoredVectors
    from tamis.api.embedding.targets import Target
    from tamis.engine import ProgressListener
    from tamis.index import Embeddings, SampleColumns, SetSpec
    from tamis.model import PredictionColumns
    from tamis.model.columns import Bools, Ints


@dataclass(frozen=True, slots=True, eq=False)
class SampleVectors:
    """One vector a sample.

    Attributes:
        vectors: shape (N, d); zeros where there is none.
        null: which samples have none, shape (N,).
        origin: where they are from, in words.
        n_unknown: vectors of the user's file that no sample has the name of.
        spec: what made them, where they are stored.
    """

    vectors: NDArray[np.floating]
    null: Bools
    origin: str
    n_unknown: int = 0
    spec: SetSpec | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ObjectVectors:
    """One vector an object.

    Attributes:
        vectors: shape (n_objects, d).
        owner: index of the sample of each object, ascending; shape (n_objects,).
        origin: where they are from, in words.
        positions: of the objects in their prediction files, ascending within a sample; shape (n_objects,).
        null: which objects have no vector, but zeros; shape (n_objects,).
        spec: what made them, where they are stored.
        is_of_file: whether they are from a file of the user's.
    """

    vectors: NDArray[np.floating]
    owner: Ints
    origin: str
    positions: Ints
    null: Bools
    spec: SetSpec | None = None
    is_of_file: bool = False


def image_vectors(
    samples: SampleColumns, embeddings: str | Path | None, *, listen: ProgressListener = ignore_progress
) -> SampleVectors:
    """Return the vectors of the samples that a call means.

    Args:
        samples: of a snapshot.
        embeddings: a file of the user's, the name of a stored set, or `predictions`; `None`: the stored set that
            was added to last of those that hold all samples, see `SetStatus.why_not`, or else made from the
            predictions; the origin then says which sets were passed over.
        listen: told how many were made.

    Raises:
        UsageError: when there is no such file or set, or nothing to make vectors from.
        DatasourceError: when the file cannot be read.
    """
    name = _set_name(embeddings)
    if embeddings is not None and name is None:
        return vectors_from_file(samples, Path(embeddings))
    stored, passed_over = _stored(target_of(samples, None), name)
    if stored is not None:
        origin = f"{origin_of(stored.spec)}{passed_over}"
        return SampleVectors(stored.vectors, ~stored.known, origin, spec=stored.spec)
    if passed_over and not samples.snapshot.tasks:
        raise UsageError(
            f"There are no predictions to make vectors from{passed_over}",
            hint="complete them with `tamis embed SRC`, or use them as they are with `--embeddings NAME`",
        )
    made = vectors_from_predictions(samples, listen=listen)
    return replace(made, origin=f"{made.origin}{passed_over}")


def is_embeddings_file(embeddings: str | Path | None) -> bool:
    """Return whether embeddings are a file of the user's, and no stored set."""
    return embeddings is not None and _set_name(embeddings) is None


def _set_name(embeddings: str | Path | None) -> str | None:
    """Return what is the name of a stored set, `None` for a file and for nothing."""
    if embeddings is None or isinstance(embeddings, Path) or "/" in embeddings:
        return None
    return None if Path(embeddings).suffix.lower() in EMBEDDING_ENDINGS else embeddings


def _stored(target: Target, name: str | None) -> tuple[StoredVectors | None, str]:
    """Return the vectors of a stored set, and in words which sets were passed over for them.

    There are none where they are to be made from the predictions.
    """
    if name == PREDICTIONS:
        return None, ""
    root = target.samples.snapshot.root
    if name is None:
        stored, passed_over = default_vectors(root, target)
        return stored, f"; not used: {', '.join(passed_over)}" if passed_over else ""
    one = chosen_set(root, name, target.task)
    if one is None:
        return None, ""
    stored = read_vectors(one, target)
    if len(target) and not stored.known.any():
        raise UsageError(
            f"The embeddings `{name}` hold no vector of what is in the index",
            hint=f"run `{one.spec.command}`, which says why",
        )
    return stored, ""


def vectors_from_file(samples: SampleColumns, path: Path) -> SampleVectors:
    """Read the user's embeddings and line them up with the samples.

    Raises:
        DatasourceError: when the file cannot be read.
        UsageError: when it is no embeddings file, or none of its names is a sample.
    """
    embeddings = read_embeddings(path)
    at = samples.positions(embeddings.keys)
    known = at >= 0
    if not known.any():
        shown = f", e.g. `{embeddings.keys[0]}`" if embeddings.keys else ""
        raise UsageError(
            f"`{path}`: none of its {len(embeddings.keys)} names is a sample{shown}",
            hint="names are paths relative to the datasource"
            + (f", e.g. `{samples.keys[0]}`" if len(samples) else ""),
        )
    vectors, null = _lined_up(embeddings, at, len(samples))
    return SampleVectors(vectors, null, _origin_of_file(path, vectors), int(np.count_nonzero(~known)))


def vectors_from_predictions(
    samples: SampleColumns, *, listen: ProgressListener = ignore_progress
) -> SampleVectors:
    """Describe each sample by its predictions of all tasks side by side; a task without a file is zeros.

    Args:
        samples: of a snapshot.
        listen: told how many were described.

    Raises:
        UsageError: when there is no task.
    """
    tasks = samples.snapshot.tasks
    if not tasks:
        raise UsageError("There are no predictions to make vectors from", hint="give `--embeddings FILE`")
    widths, heights = sizes_of(samples)
    blocks: list[NDArray[np.float32]] = []
    null = np.ones(len(samples), np.bool_)
    n_done = 0
    for task in tasks:
        block: NDArray[np.float32] | None = None
        for part in samples.prediction_parts(task.name):
            at = part.samples
            vectors = prediction_vectors(task, part.columns, widths[at], heights[at])
            if block is None:
                block = np.zeros((len(samples), vectors.shape[1]), np.float32)
            block[at] = vectors
            null[at] = False
            n_done += len(at)
            listen(Progress("vectors", n_done, len(samples) * len(tasks), "samples"))
        if block is not None:
            blocks.append(block)
    vectors = np.concatenate(blocks, axis=1) if blocks else np.zeros((len(samples), 1), np.float32)
    names = ", ".join(f"`{task.name}`" for task in tasks)
    return SampleVectors(vectors, null, f"made from the predictions of {names} ({vectors.shape[1]} dimensions)")


def object_vectors(
    target: Target, embeddings: str | Path | None = None, *, listen: ProgressListener = ignore_progress
) -> ObjectVectors:
    """Return a vector for each object of a task that has one: stored, or made of its class, box and score.

    Args:
        target: the objects.
        embeddings: as for `image_vectors`; a file that names none of the objects says nothing of them.
        listen: told how many objects were described, where they are described by their predictions.

    Raises:
        UsageError: when there is no such set.
        DatasourceError: when the file cannot be read.
    """
    if embeddings is not None and is_embeddings_file(embeddings):
        given = _object_vectors_from_file(target, Path(embeddings))
        if given is not None:
            return given
    stored, passed_over = _stored(target, _set_name(embeddings))
    if stored is None:
        made = _object_vectors_from_predictions(target, listen)
        return replace(made, origin=f"{made.origin}{passed_over}")
    origin = f"{origin_of(stored.spec)}{passed_over}"
    return ObjectVectors(stored.vectors, target.owner, origin, target.positions, ~stored.known, stored.spec)


def _object_vectors_from_file(target: Target, path: Path) -> ObjectVectors | None:
    """Return what a file says of the objects of a task, `None` where it names none of them."""
    embeddings = read_embeddings(path)
    at = target.named(embeddings.keys)
    if not (at >= 0).any():
        return None
    vectors, null = _lined_up(embeddings, at, len(target))
    origin = _origin_of_file(path, vectors)
    return ObjectVectors(vectors, target.owner, origin, target.positions, null, is_of_file=True)


def _lined_up(embeddings: Embeddings, at: Ints, n: int) -> tuple[NDArray[np.floating], Bools]:
    """Return the vectors of a file in the order of n rows, and which of these it has none for."""
    known = at >= 0
    vectors = np.zeros((n, embeddings.vectors.shape[1]), embeddings.vectors.dtype)
    vectors[at[known]] = embeddings.vectors[known]
    null = np.ones(n, np.bool_)
    null[at[known]] = False
    return vectors, null


def _origin_of_file(path: Path, vectors: NDArray[np.floating]) -> str:
    return f"{path.name} ({vectors.shape[1]} dimensions)"


def _object_vectors_from_predictions(target: Target, listen: ProgressListener) -> ObjectVectors:
    task, n, n_done = target.task, len(target), 0
    if task is None:
        raise TypeError(target)
    vectors = np.zeros((n, 1), np.float32)
    widths, heights = sizes_of(target.samples)
    for part in target.samples.prediction_parts(task.name):
        owner = part.samples[part.columns.file]
        own = prediction_vectors(task, one_file_each(part.columns), widths[owner], heights[owner])
        if vectors.shape[1] != own.shape[1]:
            vectors = np.zeros((n, own.shape[1]), np.float32)
        vectors[target.rows_of(owner, part.columns.position)] = own
        n_done += len(owner)
        listen(Progress("vectors", n_done, n, "objects"))
    origin = f"made from the objects of `{task.name}` ({vectors.shape[1]} dimensions)"
    return ObjectVectors(vectors, target.owner, origin, target.positions, np.zeros(n, np.bool_))


def one_file_each(columns: PredictionColumns) -> PredictionColumns:
    """Return the same predictions as if each were the only one of its file."""
    n = len(columns)
    return replace(columns, n_files=n, file=np.arange(n), position=np.zeros(n, np.int64))


def sizes_of(samples: SampleColumns) -> tuple[Ints, Ints]:
    """Return widths and heights in pixels, 0 where unknown."""
    width, height = samples.numbers("samples", "width"), samples.numbers("samples", "height")
    return np.nan_to_num(width).astype(np.int64), np.nan_to_num(height).astype(np.int64)
