"""The picks with their pictures, predictions and reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from tamis.api.report.overlays import mask_overlay
from tamis.api.report.values import Layer, Mark, Pick, PictureRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.api.report.inputs import PictureLike, ReportInputs, ReportOptions, TaskInput
    from tamis.model import Prediction, Task


def build_picks(inputs: ReportInputs, options: ReportOptions) -> tuple[tuple[Pick, ...], dict[str, bytes]]:
    """Return the first picks, and the bytes of their pictures and overlays by name.

    Once the bytes reach `options.max_picture_bytes`, further picks have no picture, and their `fault` says so.
    """
    picks: list[Pick] = []
    blobs: dict[str, bytes] = {}
    room = options.max_picture_bytes
    for index in range(min(len(inputs.picks), options.max_pictures)):
        pick, own = _build_pick(inputs, index, options)
        size = sum(map(len, own.values()))
        if size > room:
            room = 0
            pick, own = _build_pick(inputs, index, options, fault=_full(options))
        room -= sum(map(len, own.values()))
        picks.append(pick)
        blobs |= own
    return tuple(picks), blobs


def _full(options: ReportOptions) -> str:
    return f"left out: the pictures of this report reach {options.max_picture_bytes / 2**20:.3g} MiB"


def _build_pick(
    inputs: ReportInputs, index: int, options: ReportOptions, *, fault: str | None = None
) -> tuple[Pick, dict[str, bytes]]:
    sample = int(inputs.picks[index])
    key = inputs.keys[sample]
    picture = fault or inputs.picture(key)
    reference, blobs = None, {}
    if not isinstance(picture, str):
        name = f"{index + 1}.jpg"
        reference = PictureRef(width_px=picture.width, height_px=picture.height, blob=name)
        blobs[name] = picture.jpeg
    layers = []
    for number, task in enumerate(inputs.tasks):
        layer, overlay = _build_layer(task, key, picture, options.max_marks)
        if overlay is not None:
            layer = replace(layer, masks=f"{index + 1}-{number}.png")
            blobs[f"{index + 1}-{number}.png"] = overlay
        layers.append(replace(layer, has_file=bool(task.has_file[sample])))
    pick = Pick(
        number=index + 1,
        key=key,
        picture=reference,
        fault=picture if isinstance(picture, str) else None,
        reasons=tuple(inputs.reasons(index)),
        layers=tuple(layers),
    )
    return pick, blobs


def _build_layer(
    task: TaskInput, key: str, picture: PictureLike | str, max_marks: int
) -> tuple[Layer, bytes | None]:
    predictions = sorted(task.predictions(key), key=_surest_first)
    shown = predictions[:max_marks]
    overlay, fault = _draw_masks(shown, picture)
    layer = Layer(
        task=task.task.name,
        marks=tuple(_mark(task.task, prediction) for prediction in shown),
        n_hidden=len(predictions) - len(shown),
        mask_fault=fault,
    )
    return layer, overlay


def _surest_first(prediction: Prediction) -> float:
    return 1.0 if prediction.score is None else -prediction.score


def _draw_masks(predictions: Sequence[Prediction], picture: PictureLike | str) -> tuple[bytes | None, str | None]:
    """Return the overlay, and why masks are missing from it."""
    runs = [(p.category_id, p.segmentation) for p in predictions if p.segmentation is not None]
    if not runs:
        return None, None
    if isinstance(picture, str):
        return None, "masks need the picture to be drawn on"
    overlay, n_left_out = mask_overlay(runs, width=picture.width, height=picture.height)
    if not n_left_out:
        return overlay, None
    return overlay, f"{n_left_out} of {len(runs)} masks do not fit {picture.width} x {picture.height} pixels"


def _mark(task: Task, prediction: Prediction) -> Mark:
    category = task.by_id.get(prediction.category_id)
    return Mark(
        category_id=prediction.category_id,
        category=f"category {prediction.category_id}" if category is None else category.name,
        score=prediction.score,
        probability=_own_probability(task, prediction),
        bbox=prediction.bbox,
        keypoints=prediction.keypoints,
        skeleton=() if category is None else category.keypoint_skeleton or (),
        has_mask=prediction.segmentation is not None,
    )


def _own_probability(task: Task, prediction: Prediction) -> float | None:
    """Return the probability of the predicted category, where there is one for each category."""
    if prediction.probabilities is None or len(prediction.probabilities) != len(task.categories):
        return None
    if prediction.category_id not in task.by_id:
        return None
    return prediction.probabilities[task.category_ids.index(prediction.category_id)]
