"""What is selected from: the samples of an index, or the objects of a task, each of which is then a sample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tamis.api.embedding.targets import target_of
from tamis.api.selecting.vectors import one_file_each, sizes_of
from tamis.formats import to_predictions
from tamis.index import SampleColumns
from tamis.model import parse_object_key
from tamis.scoring import OBJECT_FREQUENCY, SCORE_NAMES, category_counts, class_rows, object_scores, sample_scores
from tamis.selection import Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tamis.api.embedding.targets import Target
    from tamis.index import Snapshot
    from tamis.model import Prediction, PredictionColumns, Task
    from tamis.model.columns import Bools, Floats, Ints
    from tamis.selection import SelectConfig

SCORE = "score"
BOX_SIZES = ("bbox_width", "bbox_height", "bbox_area", "bbox_area_share")
"""What an object can be scored by besides its uncertainties: pixels, and the share of its image."""


@dataclass(frozen=True, eq=False)
class Rows:
    """What is selected from, in the order of sample keys, then of positions.

    Attributes:
        samples: all samples of the index.
        target: the objects that are selected from, `None` where samples are.
    """

    samples: SampleColumns
    target: Target | None = None

    def __len__(self) -> int:
        return len(self.samples) if self.target is None else len(self.target)

    @property
    def task(self) -> Task | None:
        """The task whose objects are selected from, `None` where samples are."""
        return None if self.target is None else self.target.task

    @property
    def of_what(self) -> Literal["samples", "objects"]:
        """What the rows are, in a word."""
        return "samples" if self.target is None else "objects"

    @property
    def keys(self) -> Sequence[str]:
        """The key of each row: of its sample, or of its object."""
        return self.samples.keys if self.target is None else self.target.names

    @property
    def owner(self) -> Ints:
        """Index of the sample of each row, ascending; shape (N,)."""
        return np.arange(len(self.samples)) if self.target is None else self.target.owner

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return for each row what is known of its sample: (n_samples, ...) becomes (N, ...)."""
        return values if self.target is None else values[self.target.owner]

    def of(self, keys: Sequence[str]) -> tuple[list[int], list[str]]:
        """Return the rows that keys stand for, each once in their order, and the keys that stand for none.

        The key of a sample stands for all of its objects where objects are selected from.
        """
        at = self.samples.positions(keys).tolist()
        if self.target is None:
            known = dict.fromkeys(row for row in at if row >= 0)
            return list(known), [key for key, row in zip(keys, at, strict=True) if row < 0]
        starts = np.searchsorted(self.target.owner, np.arange(len(self.samples) + 1))
        others = [key for key, sample in zip(keys, at, strict=True) if sample < 0]
        row_of = dict(zip(others, self.target.named(others).tolist(), strict=True))
        rows: dict[int, None] = {}
        unknown = []
        for key, sample in zip(keys, at, strict=True):
            if sample >= 0:
                rows.update(dict.fromkeys(range(starts[sample], starts[sample + 1])))
            elif row_of[key] >= 0:
                rows[row_of[key]] = None
            else:
                unknown.append(key)
        return list(rows), unknown

    def n_other_objects(self, keys: Sequence[str]) -> int:
        """Return how many keys are of objects of samples that there are, whatever is selected from."""
        named = [one.sample for one in map(parse_object_key, keys) if one is not None]
        return int(np.count_nonzero(self.samples.positions(named) >= 0))

    def parts(self) -> Iterator[tuple[Ints, Ints, PredictionColumns]]:
        """Yield rows, their samples and their predictions, as if each were alone in its file, shard by shard."""
        if self.target is None or self.task is None:
            return
        for part in self.samples.prediction_parts(self.task.name):
            owner = part.samples[part.columns.file]
            yield self.target.rows_of(owner, part.columns.position), owner, one_file_each(part.columns)

    def predictions(self, at: Ints) -> dict[int, Prediction]:
        """Return the predictions that some objects are, by their row."""
        if self.target is None or self.task is None:
            return {}
        is_wanted = np.zeros(len(self), np.bool_)
        is_wanted[at] = True
        found: dict[int, Prediction] = {}
        for part in self.samples.prediction_parts(self.task.name, at=np.unique(self.owner[at])):
            rows = self.target.rows_of(part.samples[part.columns.file], part.columns.position)
            wanted = is_wanted[rows]
            kept = (one for file in to_predictions(part.columns.keep(wanted)) for one in file)
            found.update(zip(rows[wanted].tolist(), kept, strict=True))
        return found

    def own_scores(self, names: Sequence[str]) -> dict[str, Floats]:
        """Return those scores that objects have by themselves, NaN where one is not known; shape (N,) each."""
        if self.task is None:
            return {}
        there = {SCORE, *BOX_SIZES, *SCORE_NAMES[self.task.task_type]} - {OBJECT_FREQUENCY}
        values = {name: np.full(len(self), np.nan) for name in names if name in there}
        widths, heights = sizes_of(self.samples)
        for rows, owner, columns in self.parts():
            found = _object_values(self.task, columns, (widths * heights)[owner])
            for name, own in values.items():
                own[rows] = found.get(name, np.nan)
        return values

    def own_names(self, there: Sequence[str]) -> list[str]:
        """Return which scores objects have, given those of their images."""
        return [SCORE, *(name for name in there if name != OBJECT_FREQUENCY), *BOX_SIZES]

    def own_classes(self) -> Floats:
        """Return the class probabilities of each object, one-hot without; shape (N, C)."""
        task = self.task
        if task is None:
            raise TypeError(self)
        values = np.zeros((len(self), len(task.categories)))
        for rows, _, columns in self.parts():
            values[rows] = class_rows(task, columns)
        return values

    def own_counts(self, categories: Sequence[str] | None) -> Floats:
        """Return 1 for each object of some categories, 0 for the others."""
        values = np.zeros(len(self))
        for rows, _, columns in self.parts():
            if self.task is not None:
                values[rows] = category_counts(self.task, columns, categories)
        return values

    @cached_property
    def category_ids(self) -> Ints:
        """The category of each object, shape (N,)."""
        values = np.zeros(len(self), np.int64)
        for rows, _, columns in self.parts():
            values[rows] = columns.category_id
        return values


def _object_values(task: Task, columns: PredictionColumns, image_areas: Ints) -> dict[str, Floats]:
    """Return all that each object can be scored by."""
    wide, high = columns.bbox[:, 2], columns.bbox[:, 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(image_areas > 0, wide * high / image_areas, np.nan)
    sizes = dict(zip(BOX_SIZES, (wide, high, wide * high, share), strict=True))
    scores = sample_scores(task, columns, object_scores=object_scores(task, columns))
    return {SCORE: columns.score, **sizes, **scores}


def rows_of(snapshot: Snapshot, select: SelectConfig) -> Rows:
    """Return what a config selects from.

    Raises:
        UsageError: when there is no such task, or its predictions are no objects.
    """
    samples = SampleColumns(snapshot)
    if select.level is Level.IMAGES or select.task is None:
        return Rows(samples)
    return Rows(samples, target_of(samples, snapshot.task(select.task)))


def known_rows(rows: Rows, task: str) -> Bools:
    """Return which rows have predictions of a task, shape (N,)."""
    there: Bools = np.asarray(rows.spread(rows.samples.has_file(task)), np.bool_)
    return there
