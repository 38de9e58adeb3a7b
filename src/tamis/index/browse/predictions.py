"""The predictions of a task as memory-mapped columns, and *postings*: for each category its rows by score.

Rows lie sample by sample in the order of keys, the surest of a sample first, so that a page of samples is a few
slices. A filter by class and score is a range of the postings.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tamis.model import Task
    from tamis.model.columns import Bools, Ints

_FEW = 8  # a sample in so many: then its own predictions are looked at, not all
_MOST_FLAGS = 1 << 24
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class RaggedRows:
    """A list for each row, -1 long where there is none.

    Attributes:
        starts: where each begins in `values`, shape (n,).
        lengths: shape (n,).
        values: of all rows.
    """

    starts: NDArray[np.int64]
    lengths: NDArray[np.int32]
    values: NDArray[Any]

    def row(self, row: int) -> NDArray[Any] | None:
        """Return the list of a row."""
        start, length = int(self.starts[row]), int(self.lengths[row])
        return None if length < 0 else self.values[start : start + length]


@dataclass(frozen=True, slots=True, eq=False)
class TaskRows:
    """The predictions of a task.

    Attributes:
        task: the task.
        offsets: where each sample's rows begin, and the end of the last: shape (N + 1,).
        has_file: which samples have a valid file, shape (N,).
        position: place in the file, shape (n,).
        category: index into `task.category_ids`, shape (n,).
        score: in [0, 1], NaN where there is none; shape (n,).
        likely: of a classification, the probability of the category; `None` where no row has one.
        box: x, y, width, height in pixels, NaN where there is none; shape (n, 4). `None` where no row has one.
        keypoints: `None` where no row has them.
        masks: run lengths, `None` where no row has them.
        scores: further scores of the predictions by name, shape (n,) each.
        sample_scores: scores of the samples by name, NaN where there is none; shape (N,) each.
        posting_starts: where each category's postings begin, and the end of the last: shape (C + 1,).
        posting_score: ascending within a category, NaN last; shape (n,).
        posting_row: row of each posting, shape (n,).
        posting_sample: its sample, shape (n,).
        pair_starts: as `posting_starts`, of the pairs of category and sample.
        pair_sample: samples that have the category, shape (n_pairs,).
    """

    task: Task
    offsets: NDArray[np.int64]
    has_file: NDArray[np.bool_]
    position: NDArray[np.int32]
    category: NDArray[np.uint16]
    score: NDArray[np.float64]
    likely: NDArray[np.float64] | None
    box: NDArray[np.float32] | None
    keypoints: RaggedRows | None
    masks: RaggedRows | None
    scores: dict[str, NDArray[np.float64]]
    sample_scores: dict[str, NDArray[np.float64]]
    posting_starts: NDArray[np.int64]
    posting_score: NDArray[np.float64]
    posting_row: NDArray[np.uint32]
    posting_sample: NDArray[np.uint32]
    pair_starts: NDArray[np.int64]
    pair_sample: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.score)

    @property
    def counts(self) -> Ints:
        """Number of predictions of each sample, shape (N,)."""
        return np.diff(self.offsets)

    def of_categories(self, ids: Sequence[int] | None) -> list[int]:
        """Return which categories ids name, all for `None`; unknown ids name none."""
        if ids is None:
            return list(range(len(self.task.category_ids)))
        return [i for i, known in enumerate(self.task.category_ids) if known in set(ids)]

    def postings(
        self, categories: Sequence[int], score_min: float | None, score_max: float | None
    ) -> Iterator[slice]:
        """Yield for each category the range of postings whose score lies between two limits, both included."""
        for category in categories:
            start, end = int(self.posting_starts[category]), int(self.posting_starts[category + 1])
            scores = self.posting_score[start:end]
            low, high = 0, end - start
            if score_min is not None:
                low = int(np.searchsorted(scores, score_min, "left"))
            if score_max is not None or score_min is not None:
                high = int(np.searchsorted(scores, np.inf if score_max is None else score_max, "right"))
            if low < high:
                yield slice(start + low, start + high)

    def sample_of_row(self, row: int) -> int:
        """Return the sample that a row belongs to."""
        return int(np.searchsorted(self.offsets, row, "right")) - 1

    def rows_of(self, numbers: Ints, most: int) -> tuple[Ints, Ints]:
        """Return the first rows of some samples, at most `most` of each, and how many of each there are."""
        begins = self.offsets[numbers]
        counts = np.minimum(self.offsets[np.asarray(numbers) + 1] - begins, most)
        total = int(counts.sum())
        ends = np.cumsum(counts)
        return np.arange(total) - np.repeat(ends - counts, counts) + np.repeat(begins, counts), counts

    def row(self, number: int, position: int) -> int | None:
        """Return the row of the prediction at a position of a sample's file."""
        begin, end = int(self.offsets[number]), int(self.offsets[number + 1])
        found = np.flatnonzero(self.position[begin:end] == position)
        return begin + int(found[0]) if len(found) else None

    def class_counts(self, among: Bools | None) -> tuple[Ints, Ints]:
        """Return for each category how many predictions and how many samples have it, among some samples."""
        if among is None:
            return np.diff(self.posting_starts), np.diff(self.pair_starts)
        few = self._few(among)
        n_categories = len(self.task.category_ids)
        if few is not None and len(few) * n_categories <= _MOST_FLAGS:
            rows, counts = self.rows_of(few, self.n_most)
            category = self.category[rows]
            has = np.zeros((len(few), n_categories), np.bool_)
            has[np.repeat(np.arange(len(few)), counts), category] = True
            return np.bincount(category, minlength=n_categories), has.sum(axis=0)
        return (
            _sums(among, self.posting_sample, self.posting_starts),
            _sums(among, self.pair_sample, self.pair_starts),
        )

    def score_counts(self, edges: NDArray[np.float64], among: Bools | None) -> Ints:
        """Count scores between edges, a value on an edge above it, and after them those without a score.

        Args:
            edges: ascending, shape (k + 1,); no score lies outside.
            among: which samples count, shape (N,); `None`: all.

        Returns:
            Shape (k + 1,).
        """
        found = np.zeros(len(edges), np.int64)
        if among is None:
            for start, end in pairwise(self.posting_starts.tolist()):
                scores = self.posting_score[start:end]
                n_known = int(np.searchsorted(scores, np.inf, "right"))
                places = np.searchsorted(scores[:n_known], edges[:-1], "left")
                found += np.diff(np.append(places, [n_known, end - start]))
            return found
        few = self._few(among)
        if few is not None:
            return _binned(self.score[self.rows_of(few, self.n_most)[0]], edges)
        for start in range(0, len(self), _BLOCK):  # not all 8 million at once
            part = slice(start, start + _BLOCK)
            found += _binned(self.posting_score[part][among[self.posting_sample[part]]], edges)
        return found

    @property
    def n_most(self) -> int:
        """More than any sample has predictions."""
        return len(self) + 1

    def _few(self, among: Bools) -> Ints | None:
        """Return the samples among which to count, `None` where a pass over all predictions is shorter."""
        numbers = np.flatnonzero(among)
        return numbers if len(numbers) * _FEW <= len(among) else None


def _binned(scores: NDArray[np.float64], edges: NDArray[np.float64]) -> Ints:
    at = np.searchsorted(edges[1:-1], scores, "right")  # NaN lies beyond all
    at[np.isnan(scores)] = len(edges) - 1
    return np.bincount(at, minlength=len(edges))


def _sums(among: Bools, sample: NDArray[np.uint32], starts: Ints) -> Ints:
    """Count the samples that are among some, in each range between two starts."""
    counts = [np.count_nonzero(among[sample[start:end]]) for start, end in pairwise(starts.tolist())]
    return np.array(counts, np.int64)


class TaskFiles(msgspec.Struct, frozen=True):
    """Which columns a task has: what is beside its arrays."""

    has_box: bool
    has_keypoints: bool
    has_masks: bool
    has_likely: bool
    scores: list[str]
    sample_scores: list[str]


def open_task(task: Task, folder: Path) -> TaskRows:
    """Map the predictions of a task."""
    files = msgspec.json.decode((folder / "files.json").read_bytes(), type=TaskFiles)

    def load(name: str) -> Any:  # noqa: ANN401 (an array of the column's type)
        return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)

    def load_lists(name: str) -> RaggedRows:
        lengths = load(f"{name}_lengths")
        dtype = np.float32 if name == "keypoints" else np.int32
        path = folder / f"{name}.bin"
        values = np.memmap(path, dtype, "r") if path.stat().st_size else np.zeros(0, dtype)
        return RaggedRows(load(f"{name}_starts"), lengths, values)

    plain = [
        "offsets",
        "has_file",
        "position",
        "category",
        "score",
        "posting_starts",
        "posting_score",
        "posting_row",
        "posting_sample",
        "pair_starts",
        "pair_sample",
    ]
    return TaskRows(
        task=task,
        likely=load("likely") if files.has_likely else None,
        box=load("box") if files.has_box else None,
        keypoints=load_lists("keypoints") if files.has_keypoints else None,
        masks=load_lists("masks") if files.has_masks else None,
        scores={name: load(f"score_{i}") for i, name in enumerate(files.scores)},
        sample_scores={name: load(f"sample_score_{i}") for i, name in enumerate(files.sample_scores)},
        **{name: load(name) for name in plain},
    )
