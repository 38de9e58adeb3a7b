"""Objects of two tasks as columns over all samples, and which of them overlap; grown part by part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tamis.scoring.matching import Pairs, Shape, overlapping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.model import PredictionColumns, Task
    from tamis.model.columns import Bools, Floats, Ints


class Objects(NamedTuple):
    """Objects of all samples; every array of shape (n,).

    Attributes:
        sample: index of the sample.
        position: place in its prediction file.
        category: counted as the caller does.
        score: in [0, 1], NaN where null.
    """

    sample: Ints
    position: Ints
    category: Ints
    score: Floats


@dataclass(eq=False)
class Overlaps:
    """Grows by the objects of both tasks and the pairs of them that overlap.

    Memory is about 100 bytes an object, whatever masks and keypoints there are.

    Attributes:
        shape: what is compared.
        at_least: the smallest overlap that counts.
    """

    shape: Shape
    at_least: float
    _first: list[Objects] = field(default_factory=list, repr=False)
    _second: list[Objects] = field(default_factory=list, repr=False)
    _pairs: list[Pairs] = field(default_factory=list, repr=False)
    _n_first: int = 0
    _n_second: int = 0

    def add(self, samples: Ints, first: PredictionColumns, second: PredictionColumns, widths: Ints) -> None:
        """Take the objects of some samples.

        Args:
            samples: index of each file's sample, shape (n_files,).
            first: of one task, in these files.
            second: of the other, in these files.
            widths: of the samples' images in pixels, 0 = unknown; shape (n_files,).
        """
        near = overlapping(first, second, self.shape, widths=widths, at_least=self.at_least)
        self._pairs.append(Pairs(near.first + self._n_first, near.second + self._n_second, near.overlap))
        self._first.append(_objects(samples, first))
        self._second.append(_objects(samples, second))
        self._n_first += len(first)
        self._n_second += len(second)

    @property
    def first(self) -> Objects:
        """The objects of the one task."""
        return _joined(self._first)

    @property
    def second(self) -> Objects:
        """The objects of the other task."""
        return _joined(self._second)

    @property
    def pairs(self) -> Pairs:
        """Which overlap."""
        none = np.zeros(0, np.int64)
        parts = [Pairs(none, none, np.zeros(0)), *self._pairs]
        return Pairs(*(np.concatenate([getattr(one, name) for one in parts]) for name in Pairs.__slots__))


def category_codes(task: Task, names: Sequence[str]) -> Ints:
    """Return for each category of a task, ascending by id, its place among some names; -1 where it has none."""
    at = {name: i for i, name in enumerate(names)}
    return np.array([at.get(name, -1) for name in task.category_names], np.int64)


def of_samples(chosen: Bools, sample: Ints, n_samples: int) -> Ints:
    """Return how many of the chosen objects each sample holds, shape (n_samples,)."""
    return np.bincount(sample[chosen], minlength=n_samples)


def _objects(samples: Ints, columns: PredictionColumns) -> Objects:
    return Objects(samples[columns.file], columns.position, columns.category_id, columns.score)


def _joined(parts: list[Objects]) -> Objects:
    none = np.zeros(0, np.int64)
    return Objects(*map(np.concatenate, zip(Objects(none, none, none, np.zeros(0)), *parts, strict=True)))
