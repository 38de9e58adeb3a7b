"""Samples that repeat others are left out before anything is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tamis.api.embedding.duplicates import DEFAULT_LIMIT, compare, doubt_about
from tamis.api.embedding.stored import read_status, read_vectors
from tamis.api.embedding.targets import target_of
from tamis.errors import UsageError
from tamis.index import find_set
from tamis.media.visual import VisualEncoder
from tamis.vectors import typical_distance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.api.selecting.rows import Rows
    from tamis.engine import ProgressListener
    from tamis.model.columns import Bools


class Repeated(NamedTuple):
    """What is left out.

    Attributes:
        rows: which rows repeat another one, shape (N,).
        unknown: which rows have no embedding to compare, shape (N,).
        doubt: why they may be no duplicates, see `doubt_about`.
    """

    rows: Bools
    unknown: Bools
    doubt: str | None


def repeated_rows(
    rows: Rows,
    wanted: bool | float,  # noqa: FBT001 (of the config)
    pool: Sequence[int],
    listen: ProgressListener,
) -> Repeated:
    """Find the rows that repeat another one: an image in the pool, or an earlier one by key.

    Args:
        rows: what is selected from; objects repeat others where their images do.
        wanted: whether to look, or the largest distance of near-duplicates.
        pool: rows that are selected already: these are kept, whatever repeats what.
        listen: told how far the comparisons are.

    Raises:
        UsageError: when the built-in descriptor was not made of all samples yet.
    """
    if wanted is False:
        nothing = np.zeros(len(rows), np.bool_)
        return Repeated(nothing, nothing, None)
    target = target_of(rows.samples, None)
    name = VisualEncoder().name
    one = find_set(rows.samples.snapshot.root, name, None)
    if one is None or read_status(one, target).n_unseen:
        raise UsageError(
            f"Duplicates are found by the embeddings `{name}`, which not all samples have",
            hint="run `tamis embed SRC` first",
        )
    stored = read_vectors(one, target, contents=True)
    # What is selected already comes first, so that it is what the others repeat.
    first = np.unique(rows.owner[list(pool)])
    order = np.concatenate([first, np.setdiff1d(np.arange(len(target)), first)])
    limit = DEFAULT_LIMIT if wanted is True else float(wanted)
    found = compare(
        stored.vectors[order],
        stored.known[order],
        [stored.contents[i] for i in order.tolist()],
        limit=limit,
        listen=listen,
    )
    repeated = np.zeros(len(target), np.bool_)
    repeated[order] = found.repeated
    doubt = doubt_about(found, limit=limit, typical=typical_distance(stored.vectors, stored.known))
    spread = [np.asarray(rows.spread(each), np.bool_) for each in (repeated, ~stored.known)]
    return Repeated(spread[0], spread[1], doubt)
