"""What embeddings are wanted of: all images and frames of an index, or all objects of a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, overload

import numpy as np

from tamis.errors import UsageError
from tamis.index import IMAGE_POSITION, mix, salt
from tamis.model import ObjectKey, parse_object_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tamis.index import SampleColumns
    from tamis.model import Task
    from tamis.model.columns import Floats, Ints

_POSITIONS = 1 << 31


@dataclass(frozen=True, eq=False)
class Target:
    """Images and frames, or the objects of a task, as they are in the index; ordered by sample, then position.

    Attributes:
        samples: all samples of the index.
        task: whose objects, `None` for images and frames.
        owner: index of the sample of each row, ascending; shape (n,).
        positions: of the objects in their prediction files, `IMAGE_POSITION` for images; shape (n,).
        fingerprints: of the image file, and of the box; another one, another picture; shape (n,).
        boxes: x, y, width, height in pixels of each object, NaN where it has none; `None` for images.
    """

    samples: SampleColumns
    task: Task | None
    owner: Ints
    positions: Ints
    fingerprints: NDArray[np.uint64]
    boxes: Floats | None

    def __len__(self) -> int:
        return len(self.owner)

    def locate(self, keys: Sequence[str], positions: NDArray[np.integer]) -> Ints:
        """Return which row is that of each sample key and position, -1 where there is none."""
        return self.rows_of(self.samples.positions(keys), positions)

    def named(self, names: Sequence[str]) -> Ints:
        """Return which row each sample key, or key of an object of the task, is of; -1 where it is of none."""
        if self.task is None:
            return self.locate(names, np.full(len(names), IMAGE_POSITION))
        parsed = [parse_object_key(name) for name in names]
        own = {at: key for at, key in enumerate(parsed) if key is not None and key.task == self.task.name}
        rows = np.full(len(names), -1)
        positions = np.array([key.position for key in own.values()], np.int64)
        rows[list(own)] = self.locate([key.sample for key in own.values()], positions)
        return rows

    def rows_of(self, owner: Ints, positions: NDArray[np.integer]) -> Ints:
        """Return which row is that of each sample, by its index, and position, -1 where there is none."""
        wanted = _codes(owner, positions)
        at = np.searchsorted(self._codes, wanted)
        found = np.zeros(len(wanted), np.bool_)
        inside = at < len(self._codes)
        found[inside] = self._codes[at[inside]] == wanted[inside]
        return np.where(found & (owner >= 0), at, -1)

    @cached_property
    def _codes(self) -> Ints:
        return _codes(self.owner, self.positions)

    @property
    def names(self) -> Sequence[str]:
        """The key of each row."""
        return self.samples.keys if self.task is None else Names(self)

    def name(self, row: int) -> str:
        """Return the key of a row: of its sample, or of its object."""
        sample = self.samples.keys[self.owner[row]]
        return sample if self.task is None else str(ObjectKey(sample, self.task.name, int(self.positions[row])))


class Names(Sequence[str]):
    """The keys of all rows, made as they are asked for: those of millions of objects take seconds and gigabytes."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def __len__(self) -> int:
        return len(self._target)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [self._target.name(one) for one in range(*row.indices(len(self)))]
        return self._target.name(range(len(self))[row])


def _codes(owner: NDArray[np.integer], positions: NDArray[np.integer]) -> Ints:
    return owner.astype(np.int64) * _POSITIONS + positions + 1


def target_of(samples: SampleColumns, task: Task | None) -> Target:
    """Return all images and frames, or all objects of a task.

    Raises:
        UsageError: when the task's predictions are no objects.
    """
    return _images(samples) if task is None else _objects(samples, task)


def _images(samples: SampleColumns) -> Target:
    n = len(samples)
    return Target(
        samples=samples,
        task=None,
        owner=np.arange(n),
        positions=np.full(n, IMAGE_POSITION),
        fingerprints=_of_files(samples),
        boxes=None,
    )


def _objects(samples: SampleColumns, task: Task) -> Target:
    if not task.task_type.has_objects:
        raise UsageError(
            f"Task `{task.name}` has no objects: its type is {task.task_type}",
            hint="leave the task out for the images as a whole",
        )
    owners, positions, boxes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros((0, 4))]
    for part in samples.prediction_parts(task.name):
        owners.append(part.samples[part.columns.file])
        positions.append(part.columns.position)
        boxes.append(part.columns.bbox)
    owner, position, bbox = np.concatenate(owners), np.concatenate(positions), np.concatenate(boxes)
    order = np.lexsort((position, owner))
    owner, position, bbox = owner[order], position[order], bbox[order]
    bits = np.ascontiguousarray(bbox).view(np.int64)
    prints = _of_files(samples)[owner] + mix(salt("box x y"), bits[:, 0], bits[:, 1])
    return Target(samples, task, owner, position, prints + mix(salt("box w h"), bits[:, 2], bits[:, 3]), bbox)


def _of_files(samples: SampleColumns) -> NDArray[np.uint64]:
    sizes, times = samples.integers("samples", "size_bytes"), samples.integers("samples", "mtime_ns")
    return mix(salt("embedding"), sizes, times)
