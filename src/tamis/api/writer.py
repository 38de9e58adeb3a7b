"""Write predictions as the format wants them, from the code that makes them.

```python
with PredictionWriter("photos", task="cars", task_type="object-detection", categories=["car", "van"]) as writer:
    for key, image in images:
        boxes, scores, labels = model(image)
        writer.write_boxes(key, boxes, scores=scores, category_ids=labels)
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from tamis.api.detected import OutputError
from tamis.api.model_outputs import read_output
from tamis.api.probability_maps import map_faults, masks_of_map
from tamis.api.task_files import declare_task, place_in_file
from tamis.api.writer_values import (
    Entries,
    arrays_to_mappings,
    as_array,
    check_sample_key,
    likeliest_categories,
    make_task,
    plain_entries,
)
from tamis.errors import UsageError
from tamis.formats import decode_predictions, encode_predictions, prediction_key
from tamis.model import Severity, split_extension
from tamis.storage import LocalStore, Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
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
        faults += [f"{place_in_file(problem)}{problem.message}" for problem in errors]
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

    def write_probability_map(
        self,
        sample_key: str,
        probabilities: ArrayLike,
        *,
        statistic: str = "median",
        keep_probabilities: bool = False,
        image_size: Size | None = None,
    ) -> list[Problem]:
        """Write what a model of semantic segmentation says of each pixel: a mask for each category that wins any.

        A pixel belongs to its likeliest category, the first of equals. The score of a mask is the median or the
        mean of its category's probability over its pixels.

        Args:
            sample_key: as for `write`.
            probabilities: in [0, 1], shape (n_categories, height, width), categories in ascending order of id;
                height and width are the image's.
            statistic: `median` or `mean`. Of an even number of pixels, the median is the mean of the middle two.
            keep_probabilities: whether each mask also gets the mean of every category's probability over its
                pixels, which scores of uncertainty need.
            image_size: as for `write`.
        """
        values = as_array(probabilities)
        faults = map_faults(self._task, values, statistic)
        if faults:
            raise _refusal(sample_key, [*self._name_faults(sample_key), *faults], None)
        entries = masks_of_map(self._task, values, statistic, keep_probabilities=keep_probabilities)
        return self.write(sample_key, entries, image_size=image_size)

    def write_output(
        self,
        sample_key: str,
        output: object,
        *,
        category_ids: Mapping[Any, int] | None = None,
        image_size: Size | None = None,
    ) -> list[Problem]:
        """Write what a library around a model returned for one image.

        Known are `Detections` and `KeyPoints` of supervision, `Results` of Ultralytics, the outputs of
        torchvision's detectors, and those of Hugging Face's post-processing and pipelines. Tensors may be on a
        GPU. What the type of the task does not have, such as masks of boxes, is left out; what it needs must be
        there.

        Args:
            sample_key: as for `write`.
            output: of one image, not of a batch.
            category_ids: the category of each class of the model, by its number or name. Without it numbers are
                ids of categories, and names their names.
            image_size: as for `write`.
        """
        try:
            entries = read_output(self._task, output, category_ids)
        except OutputError as error:
            faults = [*self._name_faults(sample_key), str(error)]
            raise _refusal(sample_key, faults, error.hint) from None
        return self.write(sample_key, entries, image_size=image_size)

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
        if not self._is_declared:
            declare_task(self._store, self._task)
            self._is_declared = True


def _refusal(sample_key: str, faults: Sequence[str], hint: str | None) -> UsageError:
    return UsageError(f"Predictions of `{sample_key}` were not written:\n  " + "\n  ".join(faults), hint=hint)
