"""Predictions of two tasks for the same samples, read together shard by shard."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.model import PredictionColumns, Ragged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tamis.index import PredictionPart, SampleColumns
    from tamis.model import Task
    from tamis.model.columns import Bools, Ints

_KEPT_PARTS = 3  # of the second side: samples come in much the same order on both


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A task of a datasource.

    Attributes:
        samples: all samples of its index.
        task: the task.
    """

    samples: SampleColumns
    task: Task


@dataclass(frozen=True, slots=True, eq=False)
class PairedPart:
    """What both sides say of the same samples.

    Attributes:
        samples: which samples, as index into those of the first side; shape (n_files,).
        first: predictions of the first side, `file` counts within this part.
        second: those of the second side, for the same files.
    """

    samples: Ints
    first: PredictionColumns
    second: PredictionColumns


@dataclass(eq=False)
class Pairing:
    """Two tasks, of one datasource or of two, and the samples that both have a valid file of.

    Attributes:
        first: the side whose samples are counted.
        second: the other; of the same or another datasource.
    """

    first: Side
    second: Side
    _parts: OrderedDict[int, PredictionPart] = field(default_factory=OrderedDict, repr=False)

    def __post_init__(self) -> None:
        one, other = self.first.samples, self.second.samples
        self.is_same_source = one is other
        n = len(one)
        self.position: Ints = np.arange(n) if self.is_same_source else other.positions(one.keys)
        """Where each sample of the first side is among those of the second, -1: nowhere; shape (n_samples,)."""
        self.in_first: Bools = one.has_file(self.first.task.name)
        """Which samples have a file of the first side, shape (n_samples,)."""
        self.has_second: Bools = other.has_file(self.second.task.name)
        """Which samples of the second side's datasource have a file of it."""
        self.in_second: Bools = (self.position >= 0) & np.append(self.has_second, [False])[self.position]
        """Which samples have a file of the second side, shape (n_samples,)."""
        self.in_both: Bools = self.in_first & self.in_second
        """Which samples both sides have a file of, shape (n_samples,)."""
        self.only_second: Bools = self.has_second.copy()
        """Which samples of the second side's datasource have a file of it, but none of the first side."""
        self.only_second[self.position[self.in_both]] = False

    def parts(self, *, every_first: bool = False) -> Iterator[PairedPart]:
        """Yield what both say of the samples that both have a file of; memory is that of a few shards.

        Args:
            every_first: also those that only the first side has a file of, with nothing from the second.
        """
        homes = self._homes()
        wanted_samples = self.in_first if every_first else self.in_both
        for part in self.first.samples.prediction_parts(self.first.task.name):
            of_file = part.samples
            wanted = wanted_samples[of_file]
            if not wanted.any():
                continue
            number = np.cumsum(wanted) - 1
            first = _numbered(part.columns, np.where(wanted, number, -1), int(wanted.sum()))
            samples = of_file[wanted]
            yield PairedPart(samples, first, self._second_of(samples, homes))

    def _second_of(self, samples: Ints, homes: Ints) -> PredictionColumns:
        """Return what the second side says of some samples of the first, file by file in their order."""
        there = self.in_both[samples]
        position = self.position[samples[there]]
        place = np.full(len(self.second.samples), -1)
        place[position] = np.flatnonzero(there)
        found = [
            _numbered(other.columns, place[other.samples], len(samples))
            for other in map(self._second_part, np.unique(homes[position]).tolist())
        ]
        return _joined(found, len(samples)) if found else _nothing(len(samples))

    def _homes(self) -> Ints:
        """Return the number of the part that holds each sample of the second side."""
        homes = np.full(len(self.second.samples), -1)
        for number, samples in enumerate(self.second.samples.part_samples(self.second.task.name)):
            homes[samples] = number
        return homes

    def _second_part(self, number: int) -> PredictionPart:
        if number not in self._parts:
            self._parts[number] = self.second.samples.prediction_part(self.second.task.name, number)
            if len(self._parts) > _KEPT_PARTS:
                self._parts.popitem(last=False)
        self._parts.move_to_end(number)
        return self._parts[number]


def _numbered(columns: PredictionColumns, number: Ints, n_files: int) -> PredictionColumns:
    """Return the predictions of the files that have a number, each by its new one, in their order."""
    file = number[columns.file]
    kept = columns.keep(file >= 0)
    file = file[file >= 0]
    order = np.argsort(file, kind="stable")
    if (order[1:] > order[:-1]).all():
        order = np.arange(len(file))
    return PredictionColumns(
        n_files=n_files,
        file=file[order],
        position=kept.position[order],
        category_id=kept.category_id[order],
        score=kept.score[order],
        bbox=kept.bbox[order],
        probabilities=_taken(kept.probabilities, order),
        mask=_taken(kept.mask, order),
        keypoints=_taken(kept.keypoints, order),
    )


def _taken(lists: Ragged, order: Ints) -> Ragged:
    if len(order) < 2 or (order[1:] > order[:-1]).all():  # noqa: PLR2004 (one row has one order)
        return lists
    rows = lists.rows()
    values = [rows[i] for i in order.tolist()]
    there = [row for row in values if row is not None]
    return Ragged(np.concatenate([lists.values[:0], *there]), lists.lengths[order])


def _nothing(n_files: int) -> PredictionColumns:
    none, lists = np.zeros(0, np.int64), Ragged(np.zeros(0), np.zeros(0, np.int64))
    runs = Ragged(none, none)
    return PredictionColumns(n_files, none, none, none, np.zeros(0), np.zeros((0, 4)), lists, runs, lists)


def _joined(parts: list[PredictionColumns], n_files: int) -> PredictionColumns:
    """Return the predictions of several parts as those of one, in the order of their files."""
    if len(parts) == 1:
        return parts[0]

    def lists(name: str) -> Ragged:
        columns: list[Ragged] = [getattr(part, name) for part in parts]
        return Ragged(
            np.concatenate([one.values for one in columns]), np.concatenate([one.lengths for one in columns])
        )

    def flat(name: str) -> Any:  # noqa: ANN401 (an array of the type of that column)
        return np.concatenate([getattr(part, name) for part in parts])

    columns = PredictionColumns(
        n_files,
        *map(flat, ("file", "position", "category_id", "score", "bbox")),
        *map(lists, ("probabilities", "mask", "keypoints")),
    )
    return _numbered(columns, np.arange(n_files), n_files)
