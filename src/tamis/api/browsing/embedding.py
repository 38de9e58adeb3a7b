"""The built-in embeddings as a job: what duplicates are found by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.api.browsing.values_duplicates import EmbeddingState
from tamis.api.browsing.values_work import JobKind
from tamis.api.embedding.duplicates import DEFAULT_LIMIT
from tamis.api.embedding.embed import embed
from tamis.api.embedding.options import EmbedOptions
from tamis.api.embedding.stored import read_status
from tamis.api.embedding.targets import target_of
from tamis.errors import IndexMissingError, UsageError
from tamis.index import find_set, unread_stamp
from tamis.media.visual import VisualEncoder

if TYPE_CHECKING:
    from tamis.api.browsing.jobs import Jobs
    from tamis.api.browsing.values_work import Job
    from tamis.api.browsing.view import View
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener
    from tamis.index import EmbeddingSet, Snapshot

_TITLE = "Built-in embeddings"


def embeddings_of_pictures(snapshot: Snapshot) -> EmbeddingSet | None:
    """Return the set of the built-in descriptor, `None` where nothing was embedded yet.

    Raises:
        IndexMissingError: when it is damaged.
    """
    return find_set(snapshot.root, VisualEncoder().name, None)


def embedding_state(view: View, jobs: Jobs) -> EmbeddingState:
    """Say how much has built-in embeddings.

    Raises:
        IndexMissingError: when they are damaged.
    """
    running = jobs.running(JobKind.EMBEDDING)
    missing, without = _not_embedded(view)
    return EmbeddingState(
        samples=len(view.samples),
        missing=missing,
        without=without,
        job=None if running is None else running.id,
        near=DEFAULT_LIMIT,
    )


def _not_embedded(view: View) -> tuple[int, int]:
    """Return how many samples were not looked at, and how many of the others have no vector."""
    one = embeddings_of_pictures(view.snapshot)
    if one is None:
        return len(view.samples), 0

    def count() -> tuple[int, int]:
        status = read_status(one, target_of(view.sample_columns, None))
        missing = status.n_unseen
        return missing, len(view.samples) - missing - int(np.count_nonzero(status.known))

    return view.fact(f"embeddings {one.stamp} {unread_stamp(one)}", count)


def start_embedding(jobs: Jobs) -> Job:
    """Start the worker that embeds what is missing, unless one does.

    Raises:
        DatasourceError: when the job cannot be started.
    """
    return jobs.start_once(JobKind.EMBEDDING, _TITLE, {})


def check_embedded(view: View) -> None:
    """Make sure that duplicates can be found.

    Raises:
        UsageError: when samples were not embedded yet.
        IndexMissingError: when the embeddings are damaged.
    """
    missing, _ = _not_embedded(view)
    if missing:
        raise UsageError(
            f"Duplicates are found by the built-in embeddings, which {missing:,} of {len(view.samples):,} samples "
            "do not have yet",
            hint="make them first: by the button of the form, `POST /api/embeddings`, or `tamis embed SRC`",
        )


def work_embedding(sources: Sources, listen: ProgressListener) -> str:
    """Embed what is missing in its worker, and return what was done in words.

    Raises:
        UsageError: when the set of that name is of something else.
        IndexMissingError: when there is no index.
        DatasourceError: when something cannot be read or written.
    """
    snapshot = sources.index.latest()
    if snapshot is None:
        raise IndexMissingError("The index is gone", hint="scan again")
    report = embed(sources, snapshot, EmbedOptions(), listen=listen)
    without = f", {report.without:,} without" if report.without else ""
    return f"{report.encoded:,} embedded, {report.kept:,} kept{without}"
