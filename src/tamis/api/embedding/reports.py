"""What an embedding run says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from tamis.api.embedding.stored import SetStatus
    from tamis.api.embedding.targets import Target
    from tamis.index import EmbeddingSet

_SHOWN_FAULTS = 10


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
        faults: the first of those without, with the reason.
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


def report_of(
    into: EmbeddingSet, target: Target, status: SetStatus, *, n_new: int, n_unknown: int = 0
) -> EmbedReport:
    """Say what became of a set in a run that looked at `n_new` rows."""
    n_without = len(target) - int(np.count_nonzero(status.known))
    faults = [
        Fault(key=target.name(row), message=text) for row, text in sorted(status.faults.items())[:_SHOWN_FAULTS]
    ]
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
