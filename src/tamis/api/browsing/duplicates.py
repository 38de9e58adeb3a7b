"""Duplicates as the page shows them: pairs side by side, and what to do with those that repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tamis.api.browsing.comparing import DuplicatesAbout, duplicates_folder, embeddings_stamp
from tamis.api.browsing.pages import NoSampleError
from tamis.api.browsing.selecting import list_tags
from tamis.api.browsing.values_duplicates import DuplicatePage, DuplicatePair, DuplicatesInfo
from tamis.api.browsing.values_work import JobKind
from tamis.api.tags import change_tag
from tamis.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tamis.api.browsing.jobs import Jobs
    from tamis.api.browsing.values_work import Job, TagInfo
    from tamis.api.browsing.view import View
    from tamis.api.sources import Sources


def show_duplicates(view: View, jobs: Jobs, distance: float) -> DuplicatesInfo:
    """Say whether duplicates up to a distance were looked for, and how many there are.

    Raises:
        IndexMissingError: when the embeddings are damaged.
    """
    running = jobs.running(JobKind.DUPLICATES)
    job = running.id if running is not None and _distance_of(jobs, running) == distance else None
    try:
        data = (duplicates_folder(view.snapshot, distance) / "about.json").read_bytes()
        about = msgspec.json.decode(data, type=DuplicatesAbout)
    except (OSError, msgspec.MsgspecError):
        return DuplicatesInfo(distance=distance, state="missing" if job is None else "running", job=job)
    return DuplicatesInfo(
        distance=distance,
        state="ready",
        job=job,
        version=str(duplicates_stamp(view, distance)),
        is_stale=about.stamp != embeddings_stamp(view.snapshot),
        embeddings=about.embeddings,
        compared=about.compared,
        exact=about.exact,
        near=about.near,
        doubt=about.doubt,
    )


def _distance_of(jobs: Jobs, job: Job) -> float:
    return float(jobs.request(job.id).details["distance"])


def start_duplicates(jobs: Jobs, distance: float) -> Job:
    """Start the worker that looks for duplicates, unless one does.

    Raises:
        UsageError: when one looks for those up to another distance.
        DatasourceError: when the job cannot be started.
    """
    job = jobs.start_once(JobKind.DUPLICATES, f"Duplicates up to {distance:g}", {"distance": distance})
    if (other := _distance_of(jobs, job)) != distance:
        raise UsageError(
            f"Duplicates up to {other:g} are being looked for",
            hint="wait until that is done, or cancel it",
        )
    return job


def read_pairs(view: View, distance: float) -> NDArray[Any]:
    """Return what repeats what up to a distance, an array of `PAIR`, the nearest first.

    Raises:
        NoSampleError: when it was not looked for in what is shown.
    """
    try:
        path = duplicates_folder(view.snapshot, distance) / "pairs.npy"
        pairs: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        raise NoSampleError(
            f"Duplicates up to {distance:g} were not looked for since the last scan",
            hint="look for them in the view Duplicates, or by `POST /api/duplicates`",
        ) from None
    return pairs


def duplicates_stamp(view: View, distance: float) -> int:
    """Return what changes when duplicates are looked for again; 0 where they were not."""
    try:
        return (duplicates_folder(view.snapshot, distance) / "about.json").stat().st_mtime_ns
    except OSError:
        return 0


def page_of_duplicates(view: View, distance: float, *, offset: int, limit: int) -> DuplicatePage:
    """Return part of the pairs.

    Raises:
        NoSampleError: when they were not looked for.
    """
    pairs = read_pairs(view, distance)
    some = pairs[offset : offset + limit]
    names = view.samples.names(np.concatenate([some["row"], some["of"]]).astype(np.int64))
    shown = zip(names, names[len(some) :], some["exact"].tolist(), some["distance"].tolist(), strict=False)
    return DuplicatePage(
        total=len(pairs),
        offset=offset,
        pairs=[DuplicatePair(key=key, of=of, exact=exact, distance=apart) for key, of, exact, apart in shown],
    )


def tag_duplicates(view: View, sources: Sources, distance: float, tag: str) -> list[TagInfo]:
    """Give a tag to all samples that repeat others, and return all tags.

    Raises:
        NoSampleError: when they were not looked for.
        UsageError: when that cannot be the name of a tag.
        StoreError: when it cannot be written; the tag stays as it was.
    """
    keys = view.samples.names(read_pairs(view, distance)["row"].astype(np.int64))
    change_tag(view.snapshot, tag, add=keys, origin=f"duplicates up to {distance:g}")
    sources.index.share()
    return list_tags(view)
