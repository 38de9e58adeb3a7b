"""Embeddings as points in a plane, kept with the set so that they are computed once."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from tamis.api.embedding.similar import open_vectors
from tamis.errors import UsageError
from tamis.index import find_set
from tamis.storage import LocalStore
from tamis.vectors import project_neighbours, project_pca

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tamis.api.embedding.similar import VectorIndex
    from tamis.api.embedding.targets import Target
    from tamis.index import SetSpec, Snapshot
    from tamis.model.columns import Bools, Ints

Method = Literal["pca", "neighbours"]
METHODS: tuple[Method, ...] = ("pca", "neighbours")


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Samples, or the objects of a task, as points.

    Attributes:
        spec: which embeddings they were made of.
        method: how.
        samples: index of the sample of each point, in the order of keys; ascending; shape (n,).
        positions: of the objects in their prediction files, -1 for images and frames; shape (n,).
        points: across and up, NaN where there is no embedding; float32 of shape (n, 2).
    """

    spec: SetSpec
    method: Method
    samples: Ints
    positions: Ints
    points: NDArray[np.float32]

    @property
    def known(self) -> Bools:
        """Which samples or objects have a point, shape (n,)."""
        known: Bools = ~np.isnan(self.points[:, 0])
        return known


def project(
    snapshot: Snapshot, *, embeddings: str | None = None, task: str | None = None, method: Method = "pca"
) -> Projection:
    """Return embeddings as points in a plane.

    Args:
        snapshot: of the index.
        embeddings: name of the set; the one added to last by default.
        task: whose objects; images and frames by default.
        method: `pca` is the plane of most variance; `neighbours` keeps what is near near (UMAP, an extra).

    Raises:
        UsageError: when there are no embeddings, or the extra is not installed.
        IndexMissingError: when they are damaged.
    """
    if method not in METHODS:
        raise UsageError(f"Expected a projection of {', '.join(METHODS)}, got `{method}`")
    index = open_vectors(snapshot, embeddings=embeddings, task=task)
    target = index.stored.target
    kept = _Kept(snapshot, index, method)
    points = kept.read(len(target))
    if points is None:
        points = np.full((len(target), 2), np.nan, np.float32)
        make = project_pca if method == "pca" else project_neighbours
        points[index.known] = make(index.unit[index.known])
        kept.write(points)
    return Projection(index.spec, method, target.owner, target.positions, points)


def _digest(target: Target) -> str:
    """Return what changes when a row of a target is of another picture, or in another place."""
    digest = hashlib.blake2b(digest_size=16)
    for key in target.samples.keys:
        digest.update(f"{key}\0".encode("utf-8", "surrogatepass"))  # no key holds a NUL
    for column in (target.owner, target.positions, target.fingerprints):
        digest.update(np.ascontiguousarray(column).data)
    return digest.hexdigest()


class _Kept:
    """The file that holds a projection, named by all that decides it."""

    def __init__(self, snapshot: Snapshot, index: VectorIndex, method: Method) -> None:
        found = find_set(snapshot.root, index.spec.name, index.spec.task)
        self._folder: Path | None = None if found is None else found.folder
        stamp = "" if found is None else found.stamp
        self._prefix = f"projection-{method}-"
        self._name = f"{self._prefix}{stamp}-{_digest(index.stored.target)}.npy"

    def read(self, n: int) -> NDArray[np.float32] | None:
        path = None if self._folder is None else self._folder / self._name
        if path is None or not path.exists():
            return None
        try:
            points: NDArray[np.float32] = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None  # made anew
        return points if points.shape == (n, 2) else None

    def write(self, points: NDArray[np.float32]) -> None:
        if self._folder is None:
            return
        target = io.BytesIO()
        np.save(target, points, allow_pickle=False)
        for old in self._folder.glob(f"{self._prefix}*.npy"):
            old.unlink(missing_ok=True)
        LocalStore(self._folder).write(self._name, target.getvalue())
