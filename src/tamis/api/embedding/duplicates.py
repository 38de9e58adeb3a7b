"""What repeats what: files with the same content, and pictures that look the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from tamis.api.embedding.embed import embed
from tamis.api.embedding.options import EmbedOptions
from tamis.api.embedding.reports import Fault
from tamis.api.embedding.stored import chosen_set, origin_of, read_vectors
from tamis.api.embedding.targets import target_of
from tamis.api.options import ignore_progress
from tamis.engine import Progress
from tamis.errors import UsageError
from tamis.index import SampleColumns
from tamis.media.visual import VisualEncoder
from tamis.selection.threads import product_threads
from tamis.vectors import Duplicates, find_duplicates, typical_distance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.api.embedding.stored import StoredVectors
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.index import Snapshot
    from tamis.model.columns import Bools
    from tamis.vectors.nearest import Singles

DEFAULT_LIMIT = 0.4
"""Pictures nearer than this by the built-in descriptor count as near-duplicates, see docs/embeddings.md."""

_FURTHEST = 2.0
_VARIED = 1.2  # the typical distance of varied pictures by the built-in descriptor, be they photos or drawings
_ALIKE = 0.65  # from here on the limit is hardly less than what tells any two of the pictures apart


class Duplicate(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that repeats another one.

    Attributes:
        key: of the sample.
        of: key of the sample that is kept in its place.
        exact: whether the files, or the pixels of the frames, are the same.
        distance: between their embeddings, 0 where exact.
    """

    key: str
    of: str
    exact: bool
    distance: float


class DuplicateReport(msgspec.Struct, frozen=True, kw_only=True):
    """What repeats what in a datasource.

    Attributes:
        embeddings: which were compared, in words.
        limit: the largest distance of near-duplicates.
        compared: images and frames that have an embedding.
        not_compared: each that has none, with the reason: whether it repeats another one is not known.
        exact: how many have the content of an earlier one.
        near: how many look like an earlier one, but for those.
        typical_distance: the median between two pictures, `None` where there are no two.
        doubt: why what is near may be no duplicate, `None` where nothing speaks for that.
        duplicates: all of them, in the order of keys.
    """

    embeddings: str
    limit: float
    compared: int
    not_compared: list[Fault]
    exact: int
    near: int
    typical_distance: float | None
    doubt: str | None
    duplicates: list[Duplicate]


class FoundDuplicates(NamedTuple):
    """The same as arrays over all samples, in the order of their keys."""

    found: Duplicates
    stored: StoredVectors
    limit: float
    typical: float
    without: list[Fault]


def duplicates_in(
    sources: Sources,
    snapshot: Snapshot,
    *,
    limit: float | None = None,
    embeddings: str | None = None,
    listen: ProgressListener = ignore_progress,
) -> FoundDuplicates:
    """Find images and frames that repeat earlier ones, by key.

    Args:
        sources: images and index.
        snapshot: of the index.
        limit: the largest distance of near-duplicates, `DEFAULT_LIMIT` by default; 0: only exact ones.
        embeddings: set to compare; by default the built-in descriptor, which is made for what has none yet.
        listen: told how far that is.

    Raises:
        UsageError: when there is no such set, or it has no limit of its own.
        DatasourceError: when the datasource cannot be read, or the index not be written.
    """
    if limit is not None and not 0.0 <= limit < _FURTHEST:
        raise UsageError(f"Expected a distance from 0 to below 2, got {limit:g}")
    made = embed(sources, snapshot, EmbedOptions(), listen=listen) if embeddings is None else None
    name = embeddings or VisualEncoder().name
    one = chosen_set(sources.index.root, name, None)
    if one is None:  # it was just made, or named
        raise UsageError(f"There are no embeddings `{name}`")
    if limit is None and one.spec.encoder != VisualEncoder().identity:
        raise UsageError(
            f"How near duplicates are is not known for the embeddings `{name}`",
            hint="give a limit, from 0 to 2; `tamis similar` shows how far pictures are from each other",
        )
    stored = read_vectors(one, target_of(SampleColumns(snapshot), None), contents=True)
    limit = DEFAULT_LIMIT if limit is None else limit
    found = compare(stored.vectors, stored.known, stored.contents, limit=limit, listen=listen)
    without = _without(stored) if made is None else made.faults
    return FoundDuplicates(found, stored, limit, typical_distance(stored.vectors, stored.known), without)


def _without(stored: StoredVectors) -> list[Fault]:
    why = f"it has no embedding in `{stored.spec.name}`"
    return [Fault(key=stored.target.name(row), message=why) for row in np.flatnonzero(~stored.known).tolist()]


def compare(
    vectors: Singles,
    known: Bools,
    contents: Sequence[bytes | None],
    *,
    limit: float,
    listen: ProgressListener = ignore_progress,
) -> Duplicates:
    """Find which pictures repeat an earlier one, and tell how far that is; arguments as of `find_duplicates`."""
    n = int(np.count_nonzero(known))
    listen(Progress("comparing", 0, n, "pictures"))
    with product_threads() as threads:
        return find_duplicates(
            vectors,
            known,
            limit=limit,
            contents=contents,
            threads=threads,
            listen=lambda share: listen(Progress("comparing", round(share * n), n, "pictures")),
        )


def doubt_about(found: Duplicates, *, limit: float, typical: float) -> str | None:
    """Say why pictures that are near may be no duplicates; `None` where nothing speaks for that.

    Args:
        found: by the built-in descriptor.
        limit: up to which pictures were near.
        typical: the median distance between two of all pictures.

    >>> nothing = Duplicates(np.array([-1]), np.array([np.nan]), np.array([False]))
    >>> doubt_about(nothing, limit=0.4, typical=0.5) is None
    True
    """
    if not (found.repeated & ~found.exact).any() or not typical < _ALIKE or limit <= typical * DEFAULT_LIMIT:
        return None
    return (
        f"half of all pairs of these pictures are nearer than {typical:.2f} to each other, those of varied "
        f"pictures than {_VARIED}: what is nearer than {limit:g} may be another picture of the same kind"
    )


def duplicate_report(found: FoundDuplicates) -> DuplicateReport:
    """Return duplicates as plain values."""
    keys = found.stored.target.samples.keys
    result = found.found
    rows = np.flatnonzero(result.repeated).tolist()
    return DuplicateReport(
        embeddings=origin_of(found.stored.spec),
        limit=found.limit,
        compared=int(np.count_nonzero(found.stored.known)),
        not_compared=found.without,
        exact=int(np.count_nonzero(result.exact)),
        near=int(np.count_nonzero(result.repeated & ~result.exact)),
        typical_distance=None if math.isnan(found.typical) else found.typical,
        doubt=doubt_of(found),
        duplicates=[
            Duplicate(
                key=keys[row],
                of=keys[result.of[row]],
                exact=bool(result.exact[row]),
                distance=float(result.distances[row]),
            )
            for row in rows
        ],
    )


def doubt_of(found: FoundDuplicates) -> str | None:
    """Say the same of the duplicates of a datasource; other encoders have their own limits and distances."""
    if found.stored.spec.encoder != VisualEncoder().identity:
        return None
    return doubt_about(found.found, limit=found.limit, typical=found.typical)
