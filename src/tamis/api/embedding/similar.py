"""`similar`: what lies nearest to a sample, an object or a picture of any place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from tamis.api.embedding.encoders import encoder_of_set
from tamis.api.embedding.query_pictures import encode_bytes, encode_files
from tamis.api.embedding.stored import chosen_set, origin_of, read_vectors
from tamis.api.embedding.targets import target_of
from tamis.errors import UsageError
from tamis.index import IMAGE_POSITION, SampleColumns
from tamis.media.pictures import read_picture
from tamis.media.pillow import PictureError
from tamis.model import SampleKind, kind_of_key, parse_object_key
from tamis.storage import NotFoundError
from tamis.vectors import nearest_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tamis.api.embedding.stored import StoredVectors
    from tamis.api.sources import Sources
    from tamis.index import SetSpec, Snapshot
    from tamis.model.columns import Bools


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """Something near.

    Attributes:
        key: of the sample, or of the object (`a/1.jpg#cars#3`).
        sample: key of the sample.
        position: of the object in its prediction file, `None` for images and frames.
        distance: between vectors of length 1, from 0 to 2.
    """

    key: str
    sample: str
    position: int | None
    distance: float


class SimilarReport(msgspec.Struct, frozen=True, kw_only=True):
    """What lies near to a query.

    Attributes:
        query: as it was given.
        embeddings: which were compared, in words.
        searched: how many: all of them, the answer is exact.
        neighbours: the nearest first; the query itself is none.
    """

    query: str
    embeddings: str
    searched: int
    neighbours: list[Neighbour]


@dataclass(frozen=True, slots=True, eq=False)
class VectorIndex:
    """The stored embeddings of images and frames, or of the objects of a task, ready to be searched.

    Attributes:
        stored: the vectors, and what they are of.
    """

    stored: StoredVectors

    @property
    def unit(self) -> NDArray[np.float32]:
        """The vectors at length 1, in the order of `stored.target`; shape (n, d)."""
        return self.stored.vectors

    @property
    def spec(self) -> SetSpec:
        """What made the vectors."""
        return self.stored.spec

    @property
    def known(self) -> Bools:
        """Which rows have a vector, shape (n,)."""
        return self.stored.known

    def row_of(self, key: str) -> int:
        """Return the row of a sample or an object, -1 where there is none."""
        target = self.stored.target
        parsed = None if target.task is None else parse_object_key(key)
        if target.task is None:
            return int(target.locate([key], np.array([IMAGE_POSITION]))[0])
        if parsed is None or parsed.task != target.task.name:
            return -1
        return int(target.locate([parsed.sample], np.array([parsed.position]))[0])

    def search(self, vector: NDArray[np.floating], n: int, *, without: Sequence[int] = ()) -> list[Neighbour]:
        """Return what is nearest to a vector of length 1, exactly.

        Args:
            vector: shape (d,).
            n: how many, at most.
            without: rows that are no answers.
        """
        allowed = self.known.copy()
        allowed[list(without)] = False
        rows, distances = nearest_rows(self.unit, vector, n, allowed=allowed)
        return [self._neighbour(row, length) for row, length in zip(rows.tolist(), distances.tolist(), strict=True)]

    def _neighbour(self, row: int, distance: float) -> Neighbour:
        target = self.stored.target
        return Neighbour(
            key=target.name(row),
            sample=target.samples.keys[target.owner[row]],
            position=None if target.task is None else int(target.positions[row]),
            distance=distance,
        )


def open_vectors(snapshot: Snapshot, *, embeddings: str | None = None, task: str | None = None) -> VectorIndex:
    """Read stored embeddings, to be searched as often as wanted.

    Args:
        snapshot: of the index.
        embeddings: name of the set; the one added to last by default.
        task: whose objects; images and frames by default.

    Raises:
        UsageError: when there are none.
        IndexMissingError: when they are damaged.
    """
    of = None if task is None else snapshot.task(task)
    found = chosen_set(snapshot.root, embeddings, of)
    if found is None:
        what = "images" if task is None else f"objects of `{task}`"
        more = "" if task is None else f" --task {task}"
        raise UsageError(f"There are no embeddings of {what} yet", hint=f"make them with `tamis embed SRC{more}`")
    return VectorIndex(read_vectors(found, target_of(SampleColumns(snapshot), of)))


def similar(
    snapshot: Snapshot,
    sources: Sources,
    query: str | Path,
    *,
    n: int = 10,
    embeddings: str | None = None,
    task: str | None = None,
) -> SimilarReport:
    """Return what lies nearest to a sample, an object or a picture.

    Args:
        snapshot: of the index.
        sources: where its images are.
        query: key of a sample, of an object (`a/1.jpg#cars#3`), or the path of any image file.
        n: how many answers, at most.
        embeddings: name of the set; the one added to last by default.
        task: look among the objects of this task; that of the query by default, images and frames if it is none.

    Raises:
        UsageError: when there are no embeddings, or the query is nothing known.
        DatasourceError: when the query's file cannot be read.
    """
    if n < 1:
        raise UsageError(f"Expected at least 1 neighbour, got {n}")
    named = parse_object_key(str(query))
    index = open_vectors(snapshot, embeddings=embeddings, task=task or (None if named is None else named.task))
    row = index.row_of(str(query))
    if row >= 0 and not index.known[row]:
        raise UsageError(
            f"`{query}` has no embedding in {origin_of(index.spec)}", hint="run `tamis embed`, which says why"
        )
    if row >= 0:
        neighbours = index.search(index.unit[row], n, without=[row])
    else:
        neighbours = index.search(_encoded(index.spec, sources, snapshot, str(query)), n)
    return SimilarReport(
        query=str(query),
        embeddings=origin_of(index.spec),
        searched=int(np.count_nonzero(index.known)),
        neighbours=neighbours,
    )


def _encoded(spec: SetSpec, sources: Sources, snapshot: Snapshot, query: str) -> NDArray[np.float32]:
    """Return the vector of a picture as those of a set were made: of a sample, or of an image file."""
    is_sample = SampleColumns(snapshot).positions([query])[0] >= 0
    if is_sample and kind_of_key(query) is SampleKind.IMAGE and (data := _stored_bytes(sources, query)) is not None:
        return encode_bytes(encoder_of_set(spec), [(query, data)]).reshape(-1)
    path = Path(query).expanduser()
    if not path.is_file():
        raise UsageError(
            f"`{query}` is no sample, no object with a known task, and no image file",
            hint="name a sample by its key, an object as `KEY#TASK#POSITION`, or give the path of a file",
        )
    return encode_files(encoder_of_set(spec), [path]).reshape(-1)


def _stored_bytes(sources: Sources, key: str) -> bytes | None:
    try:
        return read_picture(sources.input, key)
    except PictureError as error:
        raise UsageError(f"`{key}` cannot be compared: {error}") from None
    except NotFoundError:
        return None
