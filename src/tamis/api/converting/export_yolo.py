"""Predictions as YOLO text: `labels/` with a file a sample, and `data.yaml` with the names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tamis.api.converting.export_folder import SampleFiles
from tamis.api.converting.exporting import ExportReport, Losses
from tamis.errors import UsageError
from tamis.formats import encode_yolo
from tamis.model import TaskType, stem_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tamis.api.converting.exporting import Chosen, ExportOptions, ExportSample
    from tamis.model import Task


def export_yolo(chosen: Chosen, options: ExportOptions) -> ExportReport:
    """Write a folder of YOLO text; a sample in which nothing was seen has an empty file.

    Class numbers are the category ids where these are 0, 1, ...; else categories are numbered in the order of
    their ids, which is said. Put images beside it with `tamis export files --out FOLDER/images`.

    Raises:
        UsageError: when no folder is named or it holds something, or the task is a classification.
        DatasourceError: when it cannot be written.
    """
    task = chosen.task
    if task.task_type is TaskType.CLASSIFICATION:
        raise UsageError(
            "YOLO has a folder for each class, not files of labels", hint="`csv` and `jsonl` hold them"
        )
    n_keypoints = _n_keypoints(task)
    files, losses = SampleFiles(options, chosen.samples, lambda key: f"labels/{stem_of(key)}.txt"), Losses()
    numbers = {category_id: number for number, category_id in enumerate(task.category_ids)}
    n_samples = n_predictions = 0
    for sample in chosen:
        written = _text(sample, numbers, losses, scores=options.scores, n_keypoints=n_keypoints)
        if written is None:
            continue
        text, n_lines = written
        files.write(sample.key, text)
        n_samples += 1
        n_predictions += n_lines
    data = yaml.safe_dump(_data(task, n_keypoints), sort_keys=False, allow_unicode=True)
    files.store.write("data.yaml", data.encode())
    if any(number != category_id for category_id, number in numbers.items()):
        losses.add("task whose category ids are not 0, 1, ...: classes are numbered in their order", task.name)
    for key in chosen.without_file():
        losses.add("samples without a valid prediction file", key)
    if any(category.keypoint_skeleton for category in task.categories):
        losses.add("skeleton of the keypoints", task.name)
    return ExportReport(
        out=str(options.out),
        samples=n_samples,
        predictions=n_predictions,
        not_held=losses.all(),
        removed=files.remove_others(),
    )


def _text(
    sample: ExportSample, numbers: Mapping[int, int], losses: Losses, *, scores: bool, n_keypoints: int | None
) -> tuple[bytes, int] | None:
    """Return the lines of a sample and their number, `None` where they cannot be written."""
    if sample.predictions and not sample.width:
        losses.add("samples whose image size is not known", sample.key)
        return None
    held = []
    for one in sample.predictions:
        if n_keypoints is not None and len(one.keypoints or ()) != 3 * n_keypoints:
            losses.add("objects with another number of keypoints than the first category", sample.key)
        else:
            held.append(one)
    text, lost = encode_yolo(held, (sample.width, sample.height), numbers, scores=scores)
    for what in lost:
        losses.add(what, sample.key)
    return text, text.count(b"\n")


def _data(task: Task, n_keypoints: int | None) -> dict[str, Any]:
    """Return what `data.yaml` says, as Ultralytics reads it."""
    data: dict[str, Any] = {"path": ".", "train": "images", "val": "images"}
    if n_keypoints is not None:
        data["kpt_shape"] = [n_keypoints, 3]
        names = {number: list(category.keypoint_names or ()) for number, category in enumerate(task.categories)}
        data["kpt_names"] = {number: own for number, own in names.items() if len(own) == n_keypoints}
    return data | {"names": dict(enumerate(task.category_names))}


def _n_keypoints(task: Task) -> int | None:
    """Return how many keypoints each object has: YOLO has one number for all.

    Raises:
        UsageError: when the schema does not name them.
    """
    if task.task_type is not TaskType.KEYPOINT_DETECTION:
        return None
    for category in task.categories:
        if category.keypoint_names is not None:
            return len(category.keypoint_names)
    raise UsageError(
        f"The schema of `{task.name}` does not name keypoints, and YOLO needs their number",
        hint="add `keypoint_names` to its categories",
    )
