"""Plots of samples or objects as points: vectors are reduced to their two principal components in a worker.

The vectors are those that a selection would use: stored embeddings that are complete, or made from predictions.

Points are kept as `plots/<snapshot>/<space>/` in the folder of the index: `xy.npy` (uint16, 65535 = no point), for
objects also `owner.npy` (number of the sample of each) and `position.npy`, and `about.json`.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
import numpy as np

from tamis.api.embedding.stored import chosen_set
from tamis.api.embedding.targets import target_of
from tamis.api.selecting.vectors import image_vectors, object_vectors
from tamis.engine import Progress
from tamis.errors import IndexMissingError, UsageError
from tamis.index import SampleColumns
from tamis.storage import LocalStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tamis.api.browsing.jobs import JobRequest
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.index import Snapshot
    from tamis.model.columns import Bools

SAMPLES = "samples"
OBJECTS = "objects:"
NO_POINT = 65_535
_TOP = 65_534
_BLOCK = 1 << 16
_MOST_FITTED = 200_000  # more points do not move the components by what can be seen
_TAIL = 0.0005  # of the points at each end are drawn on the border, or few outliers would press all others together


class PlotAbout(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a plot besides its points.

    Attributes:
        points: how many.
        origin: where its vectors are from, in words.
        explained: share of the variance that each axis shows, in [0, 1].
        embeddings: what `embeddings_stamp` said when it was made.
    """

    points: int
    origin: str
    explained: tuple[float, float]
    embeddings: str


def plot_folder(snapshot: Snapshot, space: str) -> Path:
    """Return where the points of a plot lie."""
    return snapshot.root / "plots" / snapshot.id / quote(space, safe="")


def embeddings_stamp(snapshot: Snapshot, space: str) -> str:
    """Return what changes when a plot would be made of other vectors: the stored set that was added to last."""
    task = snapshot.task(space.removeprefix(OBJECTS)) if space.startswith(OBJECTS) else None
    one = chosen_set(snapshot.root, None, task)
    return "" if one is None else f"{one.folder.name}-{one.stamp}"


def work_plot(sources: Sources, request: JobRequest, listen: ProgressListener) -> str:
    """Make the points of a plot in its worker, and return what was done in words.

    Raises:
        UsageError: when there is nothing to make vectors from.
        IndexMissingError: when there is no index.
    """
    snapshot = sources.index.latest()
    if snapshot is None:
        raise IndexMissingError("The index is gone", hint="scan again")
    space = str(request.details["space"])
    if space != SAMPLES and not space.startswith(OBJECTS):
        raise UsageError(f"There is no plot `{space}`", hint="`/api/plots` lists them")
    samples = SampleColumns(snapshot)
    stamp = embeddings_stamp(snapshot, space)  # before they are read: what is added meanwhile is news
    owner = position = None
    if space == SAMPLES:
        of_samples = image_vectors(samples, None, listen=listen)
        vectors, there, origin = of_samples.vectors, ~of_samples.null, of_samples.origin
    else:
        task = snapshot.task(space.removeprefix(OBJECTS))
        of_objects = object_vectors(target_of(samples, task), listen=listen)
        vectors, there, origin = of_objects.vectors, ~of_objects.null, of_objects.origin
        owner, position = of_objects.owner, of_objects.positions
    listen(Progress("projecting", 0, len(vectors), "points"))
    xy, explained = project(vectors, there)
    listen(Progress("projecting", len(vectors), len(vectors), "points"))
    about = PlotAbout(points=int(np.count_nonzero(there)), origin=origin, explained=explained, embeddings=stamp)
    _save(plot_folder(snapshot, space), xy, owner, position, about)
    return f"{about.points:,} points, {sum(explained):.0%} of the variance"


def project(vectors: NDArray[np.floating], there: Bools) -> tuple[NDArray[np.uint16], tuple[float, float]]:
    """Return each vector's place on the two principal components.

    Args:
        vectors: shape (n, d).
        there: which rows count, shape (n,).

    Returns:
        x and y from 0 to 65534, equally scaled, 65535 where there is no point, shape (n, 2); and the share of the
        variance that each axis shows, in [0, 1]. The sign of an axis is such that its largest weight is positive.
    """
    n, d = vectors.shape
    xy = np.full((n, 2), NO_POINT, np.uint16)
    rows = np.flatnonzero(there)
    if not len(rows):
        return xy, (0.0, 0.0)
    fitted = rows[:: max(len(rows) // _MOST_FITTED, 1)]
    sample = np.asarray(vectors[fitted], np.float64)
    mean = sample.mean(axis=0)
    covariance = (sample - mean).T @ (sample - mean) / len(sample)
    values, axes = np.linalg.eigh(covariance)
    order = np.argsort(-values)[:2]
    axes = axes[:, order]
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(len(order))] < 0, -1.0, 1.0)
    if d == 1:
        axes = np.column_stack([axes, np.zeros(1)])
    places = np.empty((len(rows), 2))
    for start in range(0, len(rows), _BLOCK):
        places[start : start + _BLOCK] = (vectors[rows[start : start + _BLOCK]] - mean) @ axes
    low, high = np.quantile(places, [_TAIL, 1 - _TAIL], axis=0)
    extent = max(float((high - low).max()), 1e-12)
    middle = (low + high) / 2
    xy[rows] = np.clip((places - middle) / extent * _TOP + _TOP / 2, 0, _TOP).round().astype(np.uint16)
    total = max(float(values.clip(0).sum()), 1e-12)
    shares = [*(values[order].clip(0) / total).tolist(), 0.0]
    return xy, (shares[0], shares[1])


def _save(
    place: Path,
    xy: NDArray[np.uint16],
    owner: NDArray[np.int64] | None,
    position: NDArray[np.int64] | None,
    about: PlotAbout,
) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".tamis-", dir=place.parent))
    try:
        np.save(temporary / "xy.npy", xy)
        if owner is not None and position is not None:
            np.save(temporary / "owner.npy", owner.astype(np.uint32))
            np.save(temporary / "position.npy", position.astype(np.int32))
        LocalStore(temporary).write("about.json", msgspec.json.encode(about))
        shutil.rmtree(place, ignore_errors=True)
        temporary.rename(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    for old in sorted(place.parent.parent.iterdir(), key=lambda path: path.stat().st_mtime)[:-2]:
        shutil.rmtree(old, ignore_errors=True)
