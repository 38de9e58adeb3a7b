"""What the metadata of a crop say: where it is from, and all that its files were made from."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from tamis.formats import METADATA_SCHEMA_KEY
from tamis.media.frames import DEFAULT_JPEG_QUALITY, PictureFormat
from tamis.model import ObjectKey

if TYPE_CHECKING:
    from tamis.api.crops.options import CropOptions
    from tamis.model import Prediction, Task
    from tamis.storage import LocalStore

SOURCE = "source"
"""Of the options of a folder: the datasource that its crops are from."""

# Metadata of a crop lead back to where it is from, and can be selected by.
_FIELDS = (
    ("image", "image", "OTHER_STRING"),
    ("task", "task", "OTHER_STRING"),
    ("position", "position", "NUMERIC_INT"),
    ("score", "score", "NUMERIC_FLOAT"),
    ("bbox_x", "bbox[0]", "NUMERIC_FLOAT"),
    ("bbox_y", "bbox[1]", "NUMERIC_FLOAT"),
    ("bbox_width", "bbox[2]", "NUMERIC_FLOAT"),
    ("bbox_height", "bbox[3]", "NUMERIC_FLOAT"),
)


class _MadeFrom(msgspec.Struct):
    image: str
    task: str
    position: int
    made_from: str


class _Metadata(msgspec.Struct):
    """What tells the metadata of a crop from those of anything else."""

    file_name: str
    metadata: _MadeFrom


def crop_name(key: ObjectKey, picture: PictureFormat) -> str:
    """Return the name of a crop: that of its object, and the ending.

    >>> crop_name(ObjectKey("a/1.jpg", "cars", 3), PictureFormat.PNG)
    'a/1.jpg#cars#3.png'
    """
    return f"{key}.{picture.ending}"


def write_metadata_schema(out: LocalStore) -> None:
    """Write what the metadata of crops hold."""
    fields = [
        {"name": name, "path": path, "defaultValue": None, "valueDataType": kind} for name, path, kind in _FIELDS
    ]
    out.write(METADATA_SCHEMA_KEY, msgspec.json.format(msgspec.json.encode(fields)))


def quality_of(options: CropOptions) -> int:
    """Return the quality of JPEGs, the usual where none was asked for; it means nothing for PNG."""
    return options.jpeg_quality or DEFAULT_JPEG_QUALITY


def pixel_options(options: CropOptions) -> dict[str, Any]:
    """Return what decides the pixels of a crop, besides its object."""
    return {
        "padding": float(options.padding),
        "square": options.square,
        "masked": options.masked,
        "picture": options.picture,
        "jpeg_quality": quality_of(options) if options.picture is PictureFormat.JPEG else None,
    }


def options_of(data: bytes) -> dict[str, Any]:
    """Return what `options_document` returned for the crops of a folder; nothing where that cannot be read."""
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def options_document(task: Task, options: CropOptions, source: str) -> dict[str, Any]:
    """Return where the crops of a folder are from, and what decides their names and pixels."""
    return {SOURCE: source, "task": task.name, **pixel_options(options)}


def digest_of(fingerprint: int, prediction: Prediction, options: CropOptions) -> str:
    """Return a digest of all that the files of a crop are made from; another one, another crop.

    Args:
        fingerprint: of the image file and the box.
        prediction: the object.
        options: how it is cut out.
    """
    # A mask that is not used, and keypoints, leave no trace in a crop.
    mask = prediction.segmentation if options.masked else None
    used = msgspec.structs.replace(prediction, segmentation=mask, keypoints=None)
    made_from = [f"{fingerprint:016x}", used, pixel_options(options)]
    return hashlib.blake2b(msgspec.json.encode(made_from), digest_size=16).hexdigest()


def metadata_of(key: ObjectKey, prediction: Prediction, name: str, *, digest: str, size_bytes: int) -> bytes:
    """Return the metadata file of a crop.

    Args:
        key: of the object.
        prediction: the object.
        name: of the crop.
        digest: of what it is made from, see `digest_of`.
        size_bytes: of its picture, which tells one that was cut short.
    """
    values: dict[str, Any] = {"image": key.sample, "task": key.task, "position": key.position}
    if prediction.bbox is not None:
        values["bbox"] = prediction.bbox
    if prediction.score is not None:
        values["score"] = prediction.score
    values |= {"made_from": digest, "size_bytes": size_bytes}
    return msgspec.json.encode({"file_name": name, "type": "image", "metadata": values})


def picture_of(metadata: bytes, object_key: str) -> str | None:
    """Return the name of the picture that the metadata of a crop are of, `None` where they are of something else.

    Args:
        metadata: what is where the metadata of that crop would be.
        object_key: of the crop.
    """
    try:
        found = msgspec.json.decode(metadata, type=_Metadata)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    key = ObjectKey(found.metadata.image, found.metadata.task, found.metadata.position)
    is_own = str(key) == object_key and found.file_name in {crop_name(key, one) for one in PictureFormat}
    return found.file_name if is_own else None
