"""Writes the arrays of one task: two passes over its shards, memory bounded by a few columns.

Two shards are read at once: what takes time is done by arrow and numpy, which let other threads go on.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tamis.index.browse.build_postings import save_postings
from tamis.index.browse.predictions import TaskFiles
from tamis.model import TaskType

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tamis.index.browse.owners import Owners
    from tamis.index.samples import SampleColumns
    from tamis.model import Task
    from tamis.model.columns import Floats, Ints

_BOX = ("bbox_x", "bbox_y", "bbox_width", "bbox_height")
_THREADS = 2
_LISTS: dict[str, Any] = {"keypoints": np.float32, "mask": np.int32}


def build_task(samples: SampleColumns, owners: Owners, task: Task, folder: Path) -> None:
    """Write the predictions of a task into a folder that is there.

    Args:
        samples: of the snapshot.
        owners: which samples the predictions are of.
        task: whose predictions.
        folder: where to.
    """
    name = f"predictions:{task.name}"
    shards = [i for i, shard in enumerate(samples.snapshot.manifest.shards) if name in shard.tables]
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="tamis-browse") as pool:
        owner = list(pool.map(lambda i: owners.of_task(task.name, i), shards))
        counts = np.bincount(np.concatenate([np.zeros(0, np.int32), *owner]), minlength=len(samples))
        offsets = np.zeros(len(samples) + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        work = _Columns(folder, task, samples.snapshot.manifest.scores[task.name].objects, int(offsets[-1]))
        with ExitStack() as files:
            work.open_lists(files)

            def put(shard: int, of: NDArray[np.int32]) -> None:
                written = samples.snapshot.manifest.shards[shard]
                work.put(samples.snapshot.shard_table(written, name, work.names), of, offsets)

            deque(pool.map(put, shards, owner), maxlen=0)
        save_postings(folder, work.category, work.score, counts, len(task.category_ids), pool)
    np.save(folder / "offsets.npy", offsets)
    np.save(folder / "has_file.npy", samples.has_file(task.name))
    kept = _save_sample_scores(samples, task, folder)
    (folder / "files.json").write_bytes(msgspec.json.encode(work.finish(kept)))


@dataclass(slots=True, eq=False)
class _Columns:
    """The columns of a task while they are written."""

    folder: Path
    task: Task
    score_names: tuple[str, ...]
    n_rows: int
    position: Ints = field(init=False)
    category: NDArray[np.uint16] = field(init=False)
    score: Floats = field(init=False)
    box: NDArray[np.float32] = field(init=False)
    likely: Floats | None = field(init=False)
    scores: list[Floats] = field(init=False)
    _lists: dict[str, tuple[IO[bytes], Ints, Ints]] = field(init=False, default_factory=dict)
    _ids: Ints = field(init=False)
    _turn: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.position = self._array("position", np.int32)
        self.category = self._array("category", np.uint16)
        self.score = self._array("score", np.float64)
        self.box = self._array("box", np.float32, 4)
        self.likely = self._array("likely", np.float64) if self._is_classified else None
        self.scores = [self._array(f"score_{i}", np.float64) for i in range(len(self.score_names))]
        self._ids = np.array(self.task.category_ids, np.int64)

    @property
    def names(self) -> list[str]:
        """Columns of the table that are read."""
        has = (
            ("keypoints", self._has_keypoints),
            ("mask", self._has_masks),
            ("probabilities", self._is_classified),
        )
        lists = [name for name, is_there in has if is_there]
        return ["position", "category_id", "score", *_BOX, *self.score_names, *lists]

    @property
    def _is_classified(self) -> bool:
        return self.task.task_type is TaskType.CLASSIFICATION

    @property
    def _has_masks(self) -> bool:
        return self.task.task_type.has_masks

    @property
    def _has_keypoints(self) -> bool:
        return any(category.keypoint_names is not None for category in self.task.categories) or (
            "keypoint" in self.task.task_type
        )

    def _array(self, name: str, dtype: type, width: int | None = None) -> NDArray[Any]:
        shape = (self.n_rows,) if width is None else (self.n_rows, width)
        return np.lib.format.open_memmap(self.folder / f"{name}.npy", "w+", np.dtype(dtype), shape)

    def open_lists(self, files: ExitStack) -> None:
        """Open the files that lists are appended to."""
        for name, saved in (("keypoints", "keypoints"), ("mask", "masks")):
            if name in self.names:
                file = files.enter_context((self.folder / f"{saved}.bin").open("wb"))
                starts, lengths = (
                    self._array(f"{saved}_starts", np.int64),
                    self._array(f"{saved}_lengths", np.int32),
                )
                self._lists[name] = (file, starts, lengths)

    def put(self, table: pa.Table, owner: NDArray[np.int32], offsets: Ints) -> None:
        """Write the rows of a shard where they belong: those of one sample are all in it."""
        if not len(owner):
            return
        score = _floats(table["score"])
        position = table["position"].to_numpy()
        order = _surest_first(owner, position, score)
        owner = owner[order]
        first = np.concatenate([[True], owner[1:] != owner[:-1]])
        begin = np.maximum.accumulate(np.where(first, np.arange(len(owner)), 0))
        at = offsets[owner] + np.arange(len(owner)) - begin
        self.position[at] = position[order]
        category = np.searchsorted(self._ids, table["category_id"].to_numpy())
        self.category[at] = category[order]
        if self.likely is not None:
            self.likely[at] = _own_probability(table["probabilities"], category)[order]
        self.score[at] = score[order]
        for column, name in enumerate(_BOX):
            self.box[at, column] = _floats(table[name])[order]
        for target, name in zip(self.scores, self.score_names, strict=True):
            target[at] = _floats(table[name])[order]
        for name, (file, starts, lengths) in self._lists.items():
            length = pc.list_value_length(table[name]).fill_null(-1).to_numpy()
            ends = np.cumsum(np.maximum(length, 0))
            values = pc.list_flatten(table[name]).to_numpy().astype(_LISTS[name])
            with self._turn:
                begin = file.tell() // values.itemsize
                file.write(values.tobytes())
            starts[at] = (begin + ends - np.maximum(length, 0))[order]
            lengths[at] = length[order]

    def finish(self, sample_scores: list[str]) -> TaskFiles:
        """Say which columns there are; those without a value are removed."""
        kept = [not np.isnan(score).all() for score in self.scores]
        names: list[str] = []
        for i, keep in enumerate(kept):
            path = self.folder / f"score_{i}.npy"
            if keep:
                path.rename(self.folder / f"score_{len(names)}.npy")
                names.append(self.score_names[i])
            else:
                path.unlink()
        return TaskFiles(
            has_box=bool(self.n_rows) and not np.isnan(self.box[:, 0]).all(),
            has_keypoints="keypoints" in self._lists,
            has_masks="mask" in self._lists,
            has_likely=self.likely is not None and not np.isnan(self.likely).all(),
            scores=names,
            sample_scores=sample_scores,
        )


def _surest_first(owner: NDArray[np.int32], position: NDArray[np.int32], score: Floats) -> Ints:
    """Order rows by sample, then by score downwards, NaN last, then by their place in the file."""
    same = owner[1:] == owner[:-1]
    if bool(np.all((owner[1:] > owner[:-1]) | (same & (position[1:] > position[:-1])))):
        return np.lexsort((-score, owner))  # as scans write them: a stable sort leaves the places in order
    return np.lexsort((position, -score, owner))


def _save_sample_scores(samples: SampleColumns, task: Task, folder: Path) -> list[str]:
    """Save the scores that any sample has, and return their names."""
    names: list[str] = []
    for name in samples.snapshot.manifest.scores[task.name].samples:
        values = samples.numbers(f"sample_scores:{task.name}", name)
        if not np.isnan(values).all():
            np.save(folder / f"sample_score_{len(names)}.npy", values)
            names.append(name)
    return names


def _own_probability(lists: pa.ChunkedArray, category: Ints) -> Floats:
    """Return the probability of each row's own category, NaN where there is none."""
    lengths = pc.list_value_length(lists).fill_null(-1).to_numpy()
    starts = np.cumsum(np.maximum(lengths, 0)) - np.maximum(lengths, 0)
    values = pc.list_flatten(lists).to_numpy()
    found = np.full(len(lengths), np.nan)
    there = category < lengths
    found[there] = values[(starts + category)[there]]
    return found


def _floats(column: pa.ChunkedArray) -> Floats:
    return np.asarray(column.to_numpy(), np.float64)
