"""Write predictions as the format wants them, from the code that makes them.

```python
with PredictionWriter("photos", task="cars", task_type="object-detection", categories=["car", "van"]) as writer:
    for key, image in images:
        boxes, scores, labels = model(image)
        writer.write_boxes(key, boxes, scores=scores, category_ids=labels)
```
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from tamis.api.writer_values import (
    Entries,
    arrays_to_mappings,
    check_sample_key,
    likeliest_categories,
    make_task,
    plain_entries,
)
from tamis.errors import DatasourceError, UsageError
from tamis.formats import (
    PREDICTIONS,
    TASKS_KEY,
    decode_predictions,
    decode_schema,
    decode_tasks,
    encode_predictions,
    encode_schema,
    encode_tasks,
    prediction_key,
    schema_key,
)
from tamis.model import Severity, split_extension
from tamis.storage import LocalStore, NotFoundError, Store, StoreError, folder_locked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import ArrayLike

    from tamis.model import Category, Prediction, Problem, Task, TaskType

Size = tuple[int, int]


class PredictionWriter:
    """Writes one task's predictions into `.lightly/predictions`, a file a sample, each checked before.

    Entering the `with` block (or the first write) adds the task to `tasks.json` and writes its `schema.json`;
    other tasks stay as they are, also those that other processes of this machine add at the same time. Each `write`
    puts its file there at once and whole: whatever happens after it, what was written is valid. A sample that is
    written again gets the new predictions.

    Args:
        datasource: root of the Lightly datasource: an existing folder, or a store.
        task: name of the task, which becomes a folder.
        task_type: what the predictions are.
        categories: names (ids 0, 1, ...), a mapping of ids to names, `Category` values, or mappings with the
            keys of `schema.json`.

    Raises:
        UsageError: when the task cannot be, listing everything that is wrong with it.
        DatasourceError: when the folder is not there.
    """

    def __init__(
        self,
        datasource: str | Path | Store,
        *,
        task: str,
        task_type: TaskType | str,
        categories: Sequence[str] | Sequence[Category] | Sequence[Mapping[str, Any]] | Mapping[int, str],
    ) -> None:
        self._task = make_task(task, task_type, categories)
        self._store = datasource if isinstance(datasource, Store) else LocalStore.open(datasource)
        self._is_declared = False
        self._endings: dict[str, str] = {}

    @property
    def task(self) -> Task:
        """The task that is written."""
        return self._task

    def __enter__(self) -> Self:
        self._declare()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave; there is nothing left to write."""

    def write(
        self,
        sample_key: str,
        predictions: Iterable[Prediction | Mapping[str, Any]],
        *,
        image_size: Size | None = None,
    ) -> list[Problem]:
        """Check and write the predictions of one sample; none is legal: the model saw nothing.

        Numbers may be numpy's, lists may be arrays: a `bbox` of shape (4,), `probabilities` of shape (C,) in
        ascending order of category id, `keypoints` of shape (K, 3) or flat, a `segmentation` as run lengths
        or as a mask of booleans or integers of shape (height, width).

        Args:
            sample_key: path of the image relative to the input datasource, or the name of a video frame.
            predictions: `Prediction` values, or mappings with the keys of the format.
            image_size: width and height in pixels: boxes and masks are then compared with it. A mask that is
                given as an array says it too.

        Returns:
            What is worth a look (probabilities that do not sum to 1, ...) but was written.

        Raises:
            UsageError: listing every fault of the call; nothing was written for this sample.
            StoreError: when the file cannot be written.
        """
        faults = self._name_faults(sample_key)
        entries = plain_entries(self._task, predictions, image_size)
        faults += entries.faults
        key = f"prediction file of {sample_key!r}" if faults else prediction_key(self._task.name, sample_key)
        found, problems = self._check(entries, key)
        errors = [problem for problem in problems if problem.severity is Severity.ERROR]
        faults += [f"{_place(problem)}{problem.message}" for problem in errors]
        if faults:
            raise _refusal(sample_key, faults, errors[0].advice if errors else None)
        self._declare()
        self._store.write(key, encode_predictions(self._task, sample_key, found))
        stem, ending = split_extension(sample_key)
        self._endings[stem] = ending
        return [problem for problem in problems if problem.code != "mask-size-unknown"]

    def write_boxes(
        self,
        sample_key: str,
        boxes: ArrayLike,
        *,
        scores: ArrayLike,
        category_ids: ArrayLike,
        probabilities: ArrayLike | None = None,
        image_size: Size | None = None,
    ) -> list[Problem]:
        """Write the boxes of one sample from arrays.

        Args:
            sample_key: as for `write`.
            boxes: x, y, width, height in pixels from the top-left corner, shape (n, 4). Not corners.
            scores: in [0, 1], shape (n,).
            category_ids: shape (n,).
            probabilities: shape (n, C).
            image_size: as for `write`.
        """
        return self._write_arrays(
            sample_key,
            image_size,
            bbox=boxes,
            score=scores,
            category_id=category_ids,
            probabilities=probabilities,
        )

    def write_masks(
        self,
        sample_key: str,
        masks: ArrayLike,
        *,
        scores: ArrayLike,
        category_ids: ArrayLike,
        boxes: ArrayLike | None = None,
        probabilities: ArrayLike | None = None,
    ) -> list[Problem]:
        """Write the masks of one sample from arrays.

        Args:
            sample_key: as for `write`.
            masks: booleans or integers, shape (n, height, width).
            scores: in [0, 1], shape (n,).
            category_ids: shape (n,).
            boxes: x, y, width, height in pixels, shape (n, 4): for instance segmentation.
            probabilities: shape (n, C).
        """
        return self._write_arrays(
            sample_key,
            None,
            segmentation=masks,
            score=scores,
            category_id=category_ids,
            bbox=boxes,
            probabilities=probabilities,
        )

    def write_keypoints(
        self,
        sample_key: str,
        keypoints: ArrayLike,
        *,
        scores: ArrayLike,
        category_ids: ArrayLike,
        boxes: ArrayLike | None = None,
        probabilities: ArrayLike | None = None,
    ) -> list[Problem]:
        """Write the keypoints of one sample from arrays.

        Args:
            sample_key: as for `write`.
            keypoints: x, y in pixels and a confidence in [0, 1] of each, shape (n, K, 3).
            scores: in [0, 1], shape (n,).
            category_ids: shape (n,).
            boxes: x, y, width, height in pixels, shape (n, 4).
            probabilities: shape (n, C).
        """
        return self._write_arrays(
            sample_key,
            None,
            keypoints=keypoints,
            score=scores,
            category_id=category_ids,
            bbox=boxes,
            probabilities=probabilities,
        )

    def write_classification(self, sample_key: str, probabilities: ArrayLike) -> list[Problem]:
        """Write the class of one sample: the likeliest, the first of equals.

        Args:
            sample_key: as for `write`.
            probabilities: one a category in ascending order of id, shape (C,).
        """
        best = likeliest_categories(self._task, probabilities)
        return self._write_arrays(sample_key, None, category_id=best, probabilities=np.array([probabilities]))

    def _write_arrays(self, sample_key: str, image_size: Size | None, **lists: ArrayLike | None) -> list[Problem]:
        mappings, faults = arrays_to_mappings(lists)
        if faults:
            raise _refusal(sample_key, [*self._name_faults(sample_key), *faults], None)
        return self.write(sample_key, mappings, image_size=image_size)

    def _name_faults(self, sample_key: str) -> list[str]:
        faults = check_sample_key(sample_key)
        if faults:
            return faults
        stem, ending = split_extension(sample_key)
        other = self._endings.get(stem, ending)
        if other != ending:
            return [f"`{stem}.{other}` was written before, and both have one prediction file: rename one image"]
        return []

    def _check(self, entries: Entries, key: str) -> tuple[list[Prediction], list[Problem]]:
        """Read what would be written as a scan would: what passes here passes there."""
        if entries.data is None:
            return [], []
        return decode_predictions(self._task, entries.data, file=key, size=entries.size)

    def _declare(self) -> None:
        if self._is_declared:
            return
        # Of two writers that read the same `tasks.json`, the second would write over what the first added.
        with _alone(self._store):
            self._write_schema()
            names = self._listed_tasks()
            if self._task.name not in names:
                self._store.write(TASKS_KEY, encode_tasks([*names, self._task.name]))
        self._is_declared = True

    def _write_schema(self) -> None:
        key = schema_key(self._task.name)
        try:
            data = self._store.read(key).data
        except NotFoundError:
            self._store.write(key, encode_schema(self._task))
            return
        there, problems = decode_schema(data, task=self._task.name, file=key)
        if there is None:
            raise _not_valid(key, problems)
        differences = list(_differences(there, self._task))
        if differences:
            listed = "\n  ".join(differences)
            raise UsageError(
                f"Task `{self._task.name}` is already there with another schema (`{key}`):\n  {listed}",
                hint="write with its categories, under another task name, or remove the old task's folder",
            )

    def _listed_tasks(self) -> list[str]:
        try:
            data = self._store.read(TASKS_KEY).data
        except NotFoundError:
            return []
        names, problems = decode_tasks(data, file=TASKS_KEY)
        if any(problem.severity is Severity.ERROR for problem in problems):
            raise _not_valid(TASKS_KEY, problems)
        return names


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    """Keep other writers of this machine's folder waiting; other stores have no lock."""
    if store.local_root is None:
        yield
        return
    folder = store.local_root / PREDICTIONS
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(folder_locked(folder))
        except OSError as error:
            raise StoreError(f"`{folder}` cannot be written: {(error.strerror or str(error)).lower()}") from None
        yield


def _differences(there: Task, here: Task) -> Iterable[str]:
    """Say how a schema on disk differs from the one that is to be written; the order of categories is free."""
    if there.task_type != here.task_type:
        yield f"its type is {there.task_type}, expected {here.task_type}"
    for category_id in sorted({*there.category_ids, *here.category_ids}):
        old, new = there.by_id.get(category_id), here.by_id.get(category_id)
        if old is None and new is not None:
            yield f"category {category_id} (`{new.name}`) is not in it"
        elif new is None and old is not None:
            yield f"category {category_id} (`{old.name}`) is in it, but not expected"
        elif old is not None and new is not None and old != new:
            what = "name" if old.name != new.name else "keypoints"
            names = f": `{old.name}`, expected `{new.name}`" if what == "name" else ""
            yield f"category {category_id} has another {what}{names}"


def _not_valid(key: str, problems: Sequence[Problem]) -> DatasourceError:
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    listed = "\n  ".join(f"{_place(problem)}{problem.message}" for problem in errors)
    return DatasourceError(
        f"`{key}` is not valid and was left as it is:\n  {listed}",
        hint=errors[0].advice if errors else None,
    )


def _place(problem: Problem) -> str:
    path = (problem.path or "").removeprefix("$").removeprefix(".")
    return f"{path}: " if path else ""


def _refusal(sample_key: str, faults: Sequence[str], hint: str | None) -> UsageError:
    return UsageError(f"Predictions of `{sample_key}` were not written:\n  " + "\n  ".join(faults), hint=hint)
