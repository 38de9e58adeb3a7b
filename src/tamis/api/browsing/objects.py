"""Pages of predicted objects, filtered and sorted by class and score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.api.browsing.pages import known
from tamis.api.browsing.pictures import row_box
from tamis.api.browsing.values_samples import ObjectCard, ObjectPage
from tamis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tamis.api.browsing.conditions import Filter
    from tamis.api.browsing.view import View
    from tamis.index import TaskRows
    from tamis.model.columns import Ints


def show_objects(  # noqa: PLR0913 (a page is where, how sorted and how much)
    view: View,
    wanted: Filter,
    *,
    task: str,
    categories: Sequence[int] | None,
    score_min: float | None,
    score_max: float | None,
    sort: str,
    descending: bool,
    offset: int,
    limit: int,
) -> ObjectPage:
    """Return part of a filtered and sorted list of objects: those of the samples that a filter lets through.

    Raises:
        UsageError: when the filter, the task or the sort names what there is not, or the task has no objects.
        StillLoadingError: while predictions are being read.
    """
    rows = view.rows(task)
    if rows.box is None and rows.masks is None and rows.keypoints is None:
        raise UsageError(f"Task `{task}` has no objects: its type is {rows.task.task_type}")
    key = ("objects", view.filter_key(wanted), task, tuple(categories or ()), categories is None)
    found = view.remembered(
        (*key, score_min, score_max, sort, descending),
        lambda: _find(view, rows, wanted, categories, (score_min, score_max), sort, descending=descending),
    )
    at = found[offset : offset + limit].astype(np.int64)
    return ObjectPage(
        snapshot=view.snapshot.id, total=len(found), offset=offset, objects=_cards(view, rows, at, sort)
    )


def _find(  # noqa: PLR0913 (as above)
    view: View,
    rows: TaskRows,
    wanted: Filter,
    categories: Sequence[int] | None,
    limits: tuple[float | None, float | None],
    sort: str,
    *,
    descending: bool,
) -> NDArray[np.uint32]:
    mask = view.mask(wanted)
    parts = list(rows.postings(rows.of_categories(categories), *limits))
    postings = np.concatenate([np.zeros(0, np.int64), *(np.arange(part.start, part.stop) for part in parts)])
    if mask is not None:
        postings = postings[mask[rows.posting_sample[postings]]]
    row = rows.posting_row[postings]
    if sort == "key":
        row = np.sort(row)
        return np.asarray(row[::-1] if descending else row)
    if sort != "score" and sort not in rows.scores:
        listed = ", ".join(f"`{name}`" for name in ("key", "score", *rows.scores))
        raise UsageError(f"Objects of `{rows.task.name}` cannot be sorted by `{sort}`", hint=f"sorts: {listed}")
    values = rows.posting_score[postings] if sort == "score" else rows.scores[sort][row]
    if sort == "score" and len(parts) == 1:  # postings of one class are sorted already
        unknown = np.isnan(values)
        ordered = row[~unknown]
        return np.concatenate([ordered[::-1] if descending else ordered, row[unknown]])
    # NaN sorts last, of negated values too.
    return np.asarray(row[np.argsort(-values if descending else values, kind="stable")])


def _cards(view: View, rows: TaskRows, at: Ints, sort: str) -> list[ObjectCard]:
    numbers = np.searchsorted(rows.offsets, at, "right") - 1
    names, samples = view.samples.names(numbers), view.samples.rows(numbers)
    scores = known(rows.score[at], 4)
    values = scores if sort in {"score", "key"} else known(rows.scores[sort][at], 4)
    ids = rows.task.category_ids
    cards = []
    for i, row in enumerate(at.tolist()):
        box = row_box(rows, row, samples[i]["width"])
        cards.append(
            ObjectCard(
                number=int(numbers[i]),
                key=names[i],
                position=int(rows.position[row]),
                category=ids[rows.category[row]],
                score=scores[i],
                box=None if box is None else list(box),
                value=values[i],
            )
        )
    return cards
