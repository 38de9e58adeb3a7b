"""Predictions into the layout, many files at once: checked as a scan would, never over what is there unasked."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np

from tamis.api.converting.choices import IfThere
from tamis.api.task_files import declare_task
from tamis.errors import UsageError
from tamis.formats import (
    PREDICTIONS,
    TASKS_KEY,
    check_predictions,
    decode_predictions,
    decode_tasks,
    encode_predictions,
    from_predictions,
    prediction_key,
)
from tamis.model import CODES, Drops, Severity
from tamis.storage import NotFoundError, StoreError, join_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tamis.api.converting.values import Tally
    from tamis.model import Prediction, Problem, Task
    from tamis.model.columns import Bools
    from tamis.storage import Blob, Stamp, Store

_BATCH_FILES = 500
_BATCH_NUMBERS = 200_000  # of run lengths and probabilities: what a batch holds of memory
_POSITION = re.compile(r"\$\.predictions\[(\d+)\]")
_SHOWN_FILES = 3
_WRITES_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Sample:
    """The predictions of one sample, on their way into a file.

    Attributes:
        key: of the sample.
        size: width and height in pixels, (0, 0) where unknown.
        predictions: in the order of the input.
        places: where each stands in the input.
    """

    key: str
    size: tuple[int, int]
    predictions: Sequence[Prediction]
    places: Sequence[str]


@dataclass(slots=True)
class Written:
    """What was written so far."""

    predictions: int = 0
    files: int = 0
    files_empty: int = 0
    files_unchanged: int = 0


@dataclass(slots=True, eq=False)
class Sink:
    """Takes samples, writes prediction files.

    Args:
        store: the lightly datasource.
        task: the task to write.
        if_there: what to do about files that are there.
        dry_run: whether to write nothing.
        tally: told of what is wrong.
    """

    store: Store
    task: Task
    if_there: IfThere
    dry_run: bool
    tally: Tally
    written: Written = field(default_factory=Written)
    _batch: list[Sample] = field(default_factory=list)
    _n_numbers: int = 0
    _taken: set[int] = field(default_factory=set)
    _is_declared: bool = False

    def start(self) -> None:
        """See whether the task may be written; it is declared with its first file.

        Raises:
            UsageError: when it has prediction files and neither merging nor replacing was asked for, or another
                schema.
        """
        if self.if_there == IfThere.REFUSE:
            self._refuse_files()
        declare_task(_ReadOnly(self.store), self.task)

    def add(self, sample: Sample) -> None:
        """Take a sample; what cannot be taken of it is counted.

        Raises:
            StoreError: when a file cannot be written.
        """
        # Hashes: a million keys would be held for the rare second one.
        file = hash(prediction_key(self.task.name, sample.key))
        if file in self._taken:
            message = "expected each prediction file once, got another image or part of the input for it"
            self.tally.add("image-twice", message, sample.key, count=max(len(sample.predictions), 1))
            return
        self._taken.add(file)
        self._batch.append(sample)
        self._n_numbers += sum(
            len(one.segmentation or ()) + len(one.probabilities or ()) + len(one.keypoints or ())
            for one in sample.predictions
        )
        if len(self._batch) >= _BATCH_FILES or self._n_numbers >= _BATCH_NUMBERS:
            self.flush()

    def finish(self) -> None:
        """Write what was taken last; a task without files is declared only if nothing was left out.

        Raises:
            StoreError: when a file cannot be written.
        """
        self.flush()
        if not self.tally.groups(dropped=True):
            self._declare()

    def _declare(self) -> None:
        if not self._is_declared and not self.dry_run:
            declare_task(self.store, self.task)
            self._is_declared = True

    def flush(self) -> None:
        """Check and write what was taken.

        Raises:
            StoreError: when a file cannot be written.
        """
        batch, self._batch, self._n_numbers = self._batch, [], 0
        if not batch:
            return
        columns = from_predictions([sample.predictions for sample in batch])
        sizes = np.array([sample.size for sample in batch], np.int64)
        kept, problems = check_predictions(
            self.task, columns, files=[sample.key for sample in batch], widths=sizes[:, 0], heights=sizes[:, 1]
        )
        self._count(problems, {sample.key: sample for sample in batch})
        keep: Bools = np.zeros(len(columns), np.bool_)
        keep[np.searchsorted(columns.file, kept.file) + kept.position] = True
        row, samples = 0, []
        for sample in batch:
            n = len(sample.predictions)
            good = [one for one, is_good in zip(sample.predictions, keep[row : row + n], strict=True) if is_good]
            row += n
            if good or not n:
                samples.append(replace(sample, predictions=good))
        self._write(samples)

    def _count(self, problems: Iterable[Problem], by_key: dict[str, Sample]) -> None:
        """Count what is wrong with each prediction; one may have several problems."""
        by_place: dict[tuple[str, str], list[Problem]] = {}
        for problem in problems:
            if problem.severity is Severity.INFO or problem.code == "mask-size-unknown" or problem.file is None:
                continue
            match = _POSITION.match(problem.path or "")
            by_place.setdefault((problem.file, match[1] if match else ""), []).append(problem)
        for (file, position), found in by_place.items():
            self.tally.add_problems(found, by_key[file].places[int(position)] if position else file)

    def _write(self, samples: Sequence[Sample]) -> None:
        keys = [prediction_key(self.task.name, sample.key) for sample in samples]
        there: Iterable[Blob | StoreError | None] = repeat(None, len(keys))
        if self.if_there == IfThere.MERGE:
            there = self.store.read_many(keys)
        files = []
        for key, sample, before in zip(keys, samples, there, strict=True):
            predictions = self._merged(key, sample, before)
            if predictions is None:
                continue
            self.written.predictions += len(predictions)
            self.written.files += 1
            self.written.files_empty += not predictions
            files.append((key, encode_predictions(self.task, sample.key, predictions)))
        if self.dry_run or not files:
            return
        self._declare()
        if self.store.local_root is not None:
            for key, data in files:
                self.store.write(key, data)
        else:  # each waits for an answer, so many go at once
            with ThreadPoolExecutor(_WRITES_AT_ONCE) as pool:
                for _ in pool.map(lambda file: self.store.write(*file), files):
                    pass

    def _merged(self, key: str, sample: Sample, before: Blob | StoreError | None) -> list[Prediction] | None:
        """Return what is there and what is new, `None` where nothing is to be written."""
        if before is None or isinstance(before, NotFoundError):
            return list(sample.predictions)
        if isinstance(before, StoreError):
            raise before
        data = before.data
        there, problems = decode_predictions(self.task, data, file=key, size=sample.size)
        broken = [problem for problem in problems if CODES[problem.code].drops is not Drops.NOTHING]
        if broken:
            n = max(len(sample.predictions), 1)
            self.tally.add("file-there-broken", f"{broken[0].code}: {broken[0].message}", key, count=n)
            return None
        new = [one for one in sample.predictions if one not in there]
        if not new:
            self.written.files_unchanged += 1
            self.written.predictions += len(there)
            return None
        return [*there, *new]

    def _refuse_files(self) -> None:
        files = _prediction_files(self.store, self.task.name)
        if files:
            shown = ", ".join(f"`{name}`" for name in files[:_SHOWN_FILES])
            more = f" and {len(files) - _SHOWN_FILES:,} more" if len(files) > _SHOWN_FILES else ""
            raise UsageError(
                f"Task `{self.task.name}` has prediction files already: {shown}{more}; nothing was written",
                hint="`--merge` adds what is not there yet, `--replace` replaces the files of the imported "
                "samples, or write another `--task`",
            )


def _prediction_files(store: Store, task: str) -> list[str]:
    """Return the prediction files of a task, below its folder, sorted."""
    root = f"{PREDICTIONS}/{task}"
    inner = {f"{PREDICTIONS}/{name}" for name in _listed_tasks(store) if name.startswith(f"{task}/")}
    pending, files = [root], []
    while pending:
        folder = pending.pop()
        for page in store.list_folder(folder, stamps=False):
            pending += [path for name in page.folders if (path := join_key(folder, name)) not in inner]
            files += [join_key(folder, name)[len(root) + 1 :] for name in page.names if name.endswith(".json")]
    return sorted(name for name in files if name != "schema.json")


def _listed_tasks(store: Store) -> list[str]:
    try:
        return decode_tasks(store.read(TASKS_KEY).data, file=TASKS_KEY)[0]
    except NotFoundError:
        return []


class _ReadOnly:
    """A store whose writes go nowhere: a dry run takes the same way as a real one."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, key: str) -> Blob:
        """Read all bytes at a key."""
        return self._store.read(key)

    def write_if(self, key: str, data: bytes, *, there: Stamp | None) -> bool:  # noqa: ARG002 (nothing is written)
        """Write nothing, as if it were written."""
        return True
