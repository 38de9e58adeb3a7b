"""The crops of one batch of pictures: what a worker does of `tamis crops`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tamis.api.crops.records import crop_name, digest_of, metadata_of, picture_of, quality_of
from tamis.api.embedding.jobs import why_no_area
from tamis.api.embedding.pictures import decoded
from tamis.formats import encode_predictions, metadata_key, prediction_key
from tamis.media.decoding import crop_area
from tamis.media.frames import PictureFormat, encode_picture
from tamis.model import ObjectKey, masks
from tamis.storage import NotFoundError, UnusableKeyError

if TYPE_CHECKING:
    from tamis.api.crops.options import CropOptions
    from tamis.api.embedding.pictures import PictureBatch, PictureItem
    from tamis.model import Prediction, Task
    from tamis.storage import LocalStore


@dataclass(frozen=True, slots=True, eq=False)
class CropWork:
    """What is the same for all objects that are cut out.

    Attributes:
        task: whose objects.
        crops: the classification task of the crops.
        out: where they go.
        options: how.
    """

    task: Task
    crops: Task
    out: LocalStore
    options: CropOptions


@dataclass(frozen=True, slots=True, eq=False)
class CropJob:
    """A batch of pictures with the objects to cut out; pickled for the workers.

    Attributes:
        batch: the pictures.
        predictions: of each row of the batch.
        work: what to do with them.
    """

    batch: PictureBatch
    predictions: dict[int, Prediction]
    work: CropWork


@dataclass(slots=True)
class CropsDone:
    """What became of a batch: numbers, and the objects that failed, with the reason."""

    written: int = 0
    kept: int = 0
    faults: list[tuple[str, str]] | None = None


def crop_batch(job: CropJob) -> CropsDone:
    """Cut the objects of a batch out, but for those that are there.

    Raises:
        StoreError: when a crop cannot be written.
        UnavailableError: when the datasource does not answer.
    """
    done = CropsDone(faults=[])
    waiting = []
    for item in job.batch.items:
        new = [
            number for number in range(len(item.rows)) if job.work.options.full or not _is_there(job, item, number)
        ]
        done.kept += len(item.rows) - len(new)
        if new:
            waiting.append(_some(item, new))
    for item, image, _ in decoded(replace(job.batch, items=waiting)) if waiting else ():
        for number in range(len(item.rows)):
            fault = image if isinstance(image, str) else _write(job, item, number, image)
            if fault is None:
                done.written += 1
            elif done.faults is not None:
                done.faults.append((str(_key(job, item, number)), fault))
    return done


def _some(item: PictureItem, numbers: list[int]) -> PictureItem:
    return type(item)(
        key=item.key,
        frame=item.frame,
        rows=item.rows[numbers],
        positions=item.positions[numbers],
        fingerprints=item.fingerprints[numbers],
        boxes=None if item.boxes is None else item.boxes[numbers],
    )


def _key(job: CropJob, item: PictureItem, number: int) -> ObjectKey:
    return ObjectKey(item.key, job.work.task.name, int(item.positions[number]))


def _is_there(job: CropJob, item: PictureItem, number: int) -> bool:
    """Whether all files of a crop are there, and made from what is to be cut out now."""
    name = crop_name(_key(job, item, number), job.work.options.picture)
    try:
        size_bytes = job.work.out.read_start(name, 1).stamp.size_bytes
        return job.work.out.read(prediction_key(job.work.crops.name, name)).data == _prediction_file(
            job, item, number
        ) and job.work.out.read(metadata_key(name)).data == _metadata(job, item, number, size_bytes)
    except (NotFoundError, UnusableKeyError):
        return False


def _prediction_file(job: CropJob, item: PictureItem, number: int) -> bytes:
    prediction = job.predictions[int(item.rows[number])]
    kept = type(prediction)(category_id=prediction.category_id, probabilities=prediction.probabilities)
    return encode_predictions(job.work.crops, crop_name(_key(job, item, number), job.work.options.picture), [kept])


def _metadata(job: CropJob, item: PictureItem, number: int, size_bytes: int) -> bytes:
    key, prediction = _key(job, item, number), job.predictions[int(item.rows[number])]
    digest = digest_of(int(item.fingerprints[number]), prediction, job.work.options)
    name = crop_name(key, job.work.options.picture)
    return metadata_of(key, prediction, name, digest=digest, size_bytes=size_bytes)


def _cut_out(job: CropJob, item: PictureItem, number: int, image: Image.Image) -> Image.Image | str:
    """Return the picture of a crop, or why there is none."""
    prediction, options = job.predictions[int(item.rows[number])], job.work.options
    box = np.array(prediction.bbox if prediction.bbox is not None else [np.nan] * 4)
    area = crop_area(box.tolist(), *image.size, padding=options.padding, square=options.square)
    if area is None:
        return why_no_area(box)
    crop = image.crop(area)
    if not options.masked:
        return crop
    masked = _masked(crop, area, prediction, image.size)
    if isinstance(masked, str) or options.picture is PictureFormat.PNG:
        return masked
    return _over_white(masked)


def _write(job: CropJob, item: PictureItem, number: int, image: Image.Image) -> str | None:
    """Write a crop and what is known of it; return why it cannot be. Then no file of it is left."""
    crop = _cut_out(job, item, number, image)
    if isinstance(crop, str):
        return crop
    key = _key(job, item, number)
    name = crop_name(key, job.work.options.picture)
    picture = encode_picture(crop, job.work.options.picture, jpeg_quality=quality_of(job.work.options))
    files = {
        name: picture,
        prediction_key(job.work.crops.name, name): _prediction_file(job, item, number),
        # Metadata come last, as they say that all is there.
        metadata_key(name): _metadata(job, item, number, len(picture)),
    }
    before = _picture_before(job, key)
    if before is not None and before != name:
        job.work.out.delete(before)
    for number_done, (file, data) in enumerate(files.items()):
        try:
            job.work.out.write(file, data)
        except UnusableKeyError as error:
            for done in list(files)[:number_done]:
                job.work.out.delete(done)
            return error.message.replace(f"`{file}`", "its crop", 1)
    return None


def _picture_before(job: CropJob, key: ObjectKey) -> str | None:
    """Return what the picture of a crop is called now, in whichever format."""
    try:
        return picture_of(job.work.out.read(metadata_key(crop_name(key, job.work.options.picture))).data, str(key))
    except (NotFoundError, UnusableKeyError):
        return None


def _masked(
    crop: Image.Image, area: tuple[int, int, int, int], prediction: Prediction, size: tuple[int, int]
) -> Image.Image | str:
    if prediction.segmentation is None:
        return "the object has no mask"
    try:
        mask = masks.decode(prediction.segmentation, size[1], size[0])
    except ValueError as error:
        return f"its mask does not fit the image: {error}"
    left, top, right, bottom = area
    masked = crop.convert("RGBA")
    masked.putalpha(Image.fromarray(mask[top:bottom, left:right].astype(np.uint8) * 255))
    return masked


def _over_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")
