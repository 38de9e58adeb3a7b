"""What repeats what, found in a worker and kept: comparing a million pictures takes minutes.

It is kept as `duplicates/<snapshot>/<distance>/` in the folder of the index: `pairs.npy`, the nearest first, and
`about.json`.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from tamis.api.browsing.embedding import embeddings_of_pictures
from tamis.api.embedding.duplicates import doubt_of, duplicates_in
from tamis.api.embedding.stored import origin_of
from tamis.errors import IndexMissingError
from tamis.storage import LocalStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from tamis.api.browsing.jobs import JobRequest
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.index import Snapshot
    from tamis.vectors import Duplicates

PAIR = np.dtype([("row", "<u4"), ("of", "<u4"), ("distance", "<f8"), ("exact", "?")])
"""A sample and the one that is kept in its place, by number; how far apart they are; whether they are the same."""

_KEPT_SNAPSHOTS = 2
_KEPT_DISTANCES = 12


class DuplicatesAbout(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of duplicates besides the pairs.

    Attributes:
        embeddings: which were compared, in words.
        stamp: what `embeddings_stamp` said of these.
        compared: how many have an embedding.
        exact: how many pairs are the same.
        near: how many are alike.
        doubt: why these may be no duplicates, `None` where nothing speaks for that.
    """

    embeddings: str
    stamp: str
    compared: int
    exact: int
    near: int
    doubt: str | None = None


def duplicates_folder(snapshot: Snapshot, distance: float) -> Path:
    """Return where the duplicates up to a distance lie."""
    return snapshot.root / "duplicates" / snapshot.id / str(distance)


def embeddings_stamp(snapshot: Snapshot) -> str:
    """Return what changes when built-in embeddings are added.

    Raises:
        IndexMissingError: when they are damaged.
    """
    one = embeddings_of_pictures(snapshot)
    return "" if one is None else one.stamp


def work_duplicates(sources: Sources, request: JobRequest, listen: ProgressListener) -> str:
    """Find duplicates in the worker, and return what was found in words.

    Raises:
        UsageError: when there are other embeddings of the built-in name.
        IndexMissingError: when there is no index.
        DatasourceError: when something cannot be read or written.
    """
    snapshot = sources.index.latest()
    if snapshot is None:
        raise IndexMissingError("The index is gone", hint="scan again")
    distance = float(request.details["distance"])
    found = duplicates_in(sources, snapshot, limit=distance, listen=listen)
    pairs = pairs_of(found.found, found.stored.contents)
    n_exact = int(np.count_nonzero(pairs["exact"]))
    about = DuplicatesAbout(
        embeddings=origin_of(found.stored.spec),
        stamp=embeddings_stamp(snapshot),
        compared=int(np.count_nonzero(found.stored.known)),
        exact=n_exact,
        near=len(pairs) - n_exact,
        doubt=doubt_of(found),
    )
    _save(duplicates_folder(snapshot, distance), pairs, about)
    return f"{about.exact:,} exact and {about.near:,} near among {about.compared:,}"


def pairs_of(found: Duplicates, contents: Sequence[bytes | None]) -> NDArray[Any]:
    """Return what repeats what as an array of `PAIR`, the nearest first, those that are the same before others.

    Args:
        found: which of the samples repeat which.
        contents: digest of each sample's file or frame, `None` where it has none.
    """
    rows = np.flatnonzero(found.repeated)
    pairs = np.empty(len(rows), PAIR)
    pairs["row"], pairs["of"], pairs["distance"] = rows, found.of[rows], found.distances[rows]
    # The same as the one that is kept: what repeats a near-duplicate exactly is near to that one.
    same = ((contents[row], contents[of]) for row, of in zip(rows.tolist(), pairs["of"].tolist(), strict=True))
    pairs["exact"] = [one is not None and one == other for one, other in same]
    return pairs[np.lexsort((pairs["row"], ~pairs["exact"], pairs["distance"]))]


def _save(place: Path, pairs: NDArray[Any], about: DuplicatesAbout) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".tamis-", dir=place.parent))
    try:
        np.save(temporary / "pairs.npy", pairs)
        LocalStore(temporary).write("about.json", msgspec.json.encode(about))
        shutil.rmtree(place, ignore_errors=True)
        temporary.rename(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    for folder, kept in ((place.parent, _KEPT_DISTANCES), (place.parent.parent, _KEPT_SNAPSHOTS)):
        for old in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)[:-kept]:
            shutil.rmtree(old, ignore_errors=True)
