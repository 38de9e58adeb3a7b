"""What an embedding run says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tamis.api.embedding.stored import SetStatus
    from tamis.api.embedding.targets import Target
    from tamis.index import EmbeddingSet


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
        encoded: how many vectors were made, or taken over, now.
        kept: how many vectors were there from before.
        without: how many have no vector; the three are the total.
        unknown: names of the user's file that nothing in the index has.
        faults: each of those without of which the reason is known.
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
    into: EmbeddingSet,
    target: Target,
    status: SetStatus,
    *,
    n_before: int,
    n_unknown: int = 0,
    unread: Mapping[int, str] | None = None,
) -> EmbedReport:
    """Say what became of a set.

    Args:
        into: the set.
        target: what it is of.
        status: what it holds of it now.
        n_before: how many vectors it held before.
        n_unknown: names of the user's file that nothing in the index has.
        unread: why pictures could not be read this time, by row of the target.
    """
    n_known = int(np.count_nonzero(status.known))
    return EmbedReport(
        name=into.spec.name,
        task=into.spec.task,
        source=into.spec.source,
        n_dims=into.spec.n_dims,
        total=len(target),
        encoded=n_known - n_before,
        kept=n_before,
        without=len(target) - n_known,
        unknown=n_unknown,
        faults=_faults(into, target, dict(unread or {}), status),
    )


def _faults(into: EmbeddingSet, target: Target, unread: dict[int, str], status: SetStatus) -> list[Fault]:
    faults = unread | status.faults
    if into.spec.file is not None:
        why = f"`{into.spec.file}` has no vector for it"
        faults |= dict.fromkeys(status.missing.tolist(), why)
    return [Fault(key=target.name(row), message=text) for row, text in sorted(faults.items())]
