"""Pictures of samples for the page: thumbnails, whole pictures, crops of objects, masks. Made when asked for."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tamis.api.browsing.caches import Cache
from tamis.api.browsing.pages import NoSampleError, number_of
from tamis.api.report.overlays import mask_overlay
from tamis.errors import UsageError
from tamis.media.decoding import crop_area, decode_picture
from tamis.media.pictures import MAX_PICTURE_PIXELS, PictureError, read_picture, shrink, thumbnail
from tamis.media.pillow import open_image, quiet_pillow
from tamis.storage import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

    from tamis.api.browsing.disk_cache import DiskCache
    from tamis.api.browsing.view import View
    from tamis.api.frame_readers import FrameReaders
    from tamis.index import TaskRows
    from tamis.storage import Stamp, Store

_DECODED_BYTES = 160 << 20
_FULL_QUALITY = 92
_ORIENTATION = 0x0112
# What every browser shows; their pixels are sent as they are.
_SHOWN = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp", "BMP": "image/bmp"}


class LinkOutsideError(StoreError):
    """A file is a link that leads out of the datasource."""


class PictureBytes(NamedTuple):
    """A picture as it is sent.

    Attributes:
        data: the bytes.
        content_type: what they are.
        tag: another one when the file changes.
    """

    data: bytes
    content_type: str
    tag: str


@dataclass(slots=True, eq=False)
class Pictures:
    """Makes the pictures of one datasource.

    Args:
        store: the input datasource.
        cache: where thumbnails are kept.
        frames: reads frames of videos.
        follow_links: whether files may be shown that lie elsewhere, by links of the datasource.
    """

    store: Store
    cache: DiskCache
    frames: FrameReaders
    follow_links: bool = False
    _decoded: Cache[Image.Image] = field(init=False)
    # Decoding takes a processor and much memory each; more at once would only wait for each other.
    _room: threading.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._decoded = Cache(_DECODED_BYTES, lambda image: image.width * image.height * 3)
        self._room = threading.Semaphore(max(2, len(os.sched_getaffinity(0))))

    def picture(self, view: View, key: str, side: int | None) -> PictureBytes:
        """Return the picture of a sample, at most `side` pixels long, or as large as it is.

        Raises:
            NoSampleError: when there is no such sample.
            PictureError: when its file is no picture, damaged, or too large.
            StoreError: when its file cannot be read.
        """
        origin = self._origin(view, key)
        tag = _tag(origin.name, side)
        if side is None and origin.frame is None:
            return self._whole(origin.key, tag)
        return PictureBytes(self._cached(tag, lambda: self._small(origin, side)), "image/jpeg", tag)

    def crop(self, view: View, key: str, task: str, position: int, *, side: int, padding: float) -> PictureBytes:
        """Return the picture of a predicted object.

        Raises:
            NoSampleError: when there is no such sample or prediction.
            PictureError: when the file is no picture, or the object lies outside of it.
            StoreError: when the file cannot be read.
        """
        box = box_of(view, key, task, position)
        origin = self._origin(view, key)
        tag = _tag(origin.name, ("crop", box, side, padding))

        def make() -> bytes:
            image = self._decoded.get(origin.name, lambda: self._decode(origin))
            area = crop_area(box, image.width, image.height, padding=padding)
            if area is None:
                raise PictureError("the object lies outside of the picture")
            return shrink(image.crop(area), max_side_px=side).jpeg

        return PictureBytes(self._cached(tag, make), "image/jpeg", tag)

    def masks(self, view: View, key: str, task: str) -> PictureBytes:
        """Return the masks of a task on a sample as one PNG with transparency.

        Raises:
            NoSampleError: when there is no such sample, or it has no masks.
            PictureError: when its size is not known, or no mask fits it.
        """
        number = number_of(view, key)
        rows, sample = view.rows(task), view.samples.rows([number])[0]
        if rows.masks is None:
            raise NoSampleError(f"Task `{task}` has no masks")
        width, height = sample["width"], sample["height"]
        if not width or not height:
            raise PictureError("masks need the size of the picture, which is not known")
        if width * height > MAX_PICTURE_PIXELS:
            raise PictureError(f"its {width} x {height} pixels are more than the {MAX_PICTURE_PIXELS:,} shown")
        tag = _tag(view.snapshot.id, key, task)

        def make() -> bytes:
            assert rows.masks is not None  # noqa: S101 (looked at above)
            at = range(int(rows.offsets[number]), int(rows.offsets[number + 1]))
            found = [(rows.task.category_ids[rows.category[row]], rows.masks.row(row)) for row in at]
            drawn = [(category, runs.tolist()) for category, runs in found if runs is not None]
            png, _ = mask_overlay(drawn, width=width, height=height)
            if png is None:
                raise PictureError("it has no mask that fits it")
            return png

        return PictureBytes(self._cached(tag, make), "image/png", tag)

    def _origin(self, view: View, key: str) -> _Origin:
        row = view.samples.rows([number_of(view, key)])[0]
        file = key if row["video"] is None else row["video"]
        if not self.follow_links:
            check_contained(self.store, file)
        stamp = self._stamp(file)
        name = f"{self.store.url}\n{key}\n{stamp.size_bytes}\n{stamp.mtime_ns}"
        if row["video"] is None:
            return _Origin(file, None, None, name)
        return _Origin(file, row["frame"], view.snapshot.frame_counts.get(file), name)

    def _stamp(self, key: str) -> Stamp:
        return self.store.read_start(key, 1).stamp

    def _cached(self, tag: str, make: Callable[[], bytes]) -> bytes:
        data = self.cache.get(tag)
        if data is None:
            with self._room:
                data = self.cache.get(tag) or make()
            self.cache.put(tag, data)
        return data

    def _small(self, origin: _Origin, side: int | None) -> bytes:
        if origin.frame is None:
            return thumbnail(read_picture(self.store, origin.key), max_side_px=side or MAX_PICTURE_PIXELS).jpeg
        image = self.frames.read(self.store, origin.key, origin.frame, n_frames=origin.n_frames)
        return _jpeg(image) if side is None else shrink(image, max_side_px=side).jpeg

    def _whole(self, key: str, tag: str) -> PictureBytes:
        """Return a file as it is where browsers show its pixels as stored, else its pixels as JPEG."""
        data = read_picture(self.store, key)
        with quiet_pillow():
            image = open_image(data)
            if image.width * image.height > MAX_PICTURE_PIXELS:
                raise PictureError(
                    f"its {image.width} x {image.height} pixels are more than the {MAX_PICTURE_PIXELS:,} shown"
                )
            turned = image.getexif().get(_ORIENTATION, 1) != 1
            kind = _SHOWN.get(image.format or "")
        if kind is not None and not turned:
            return PictureBytes(data, kind, tag)
        return PictureBytes(self._cached(tag, lambda: _jpeg(decode_picture(data))), "image/jpeg", tag)

    def _decode(self, origin: _Origin) -> Image.Image:
        if origin.frame is None:
            return decode_picture(read_picture(self.store, origin.key))
        return self.frames.read(self.store, origin.key, origin.frame, n_frames=origin.n_frames)


class _Origin(NamedTuple):
    """Where a picture comes from: a file, the frame of it, of how many, and a name that changes with the file."""

    key: str
    frame: int | None
    n_frames: int | None
    name: str


def box_of(view: View, key: str, task: str, position: int) -> tuple[float, float, float, float]:
    """Return the box of a prediction in pixels: its own, or that of its mask or its keypoints.

    Raises:
        NoSampleError: when there is no such sample or prediction.
        UsageError: when the prediction has no place.
    """
    number = number_of(view, key)
    rows = view.rows(task)
    row = rows.row(number, position)
    if row is None:
        raise NoSampleError(f"`{key}` has no prediction {position} of task `{task}`")
    width = view.samples.rows([number])[0]["width"]
    box = row_box(rows, row, width)
    if box is None:
        raise UsageError(f"Prediction {position} of `{key}` has no box")
    return box


def row_box(rows: TaskRows, row: int, width: int | None) -> tuple[float, float, float, float] | None:
    """Return the box of a row: its own, or that of its mask or its keypoints; `None` where it has none."""
    from tamis.model import masks  # noqa: PLC0415 (a name that is taken above)

    if rows.box is not None and not np.isnan(rows.box[row, 0]):
        x, y, w, h = rows.box[row].astype(np.float64).round(2).tolist()
        return x, y, w, h
    if rows.masks is not None and width and (runs := rows.masks.row(row)) is not None:
        return masks.bounding_box(runs, width)
    if rows.keypoints is not None and (points := rows.keypoints.row(row)) is not None and len(points):
        x, y = points[0::3].astype(np.float64), points[1::3].astype(np.float64)
        return float(x.min()), float(y.min()), float(np.ptp(x)), float(np.ptp(y))
    return None


def check_contained(store: Store, key: str) -> None:
    """Refuse a file that a link of a local datasource leads out of it.

    Raises:
        LinkOutsideError: when it does.
    """
    if store.local_root is None:
        return
    root = os.path.realpath(store.local_root)
    path = os.path.realpath(store.local_root / key)
    if os.path.commonpath([root, path]) != root:
        raise LinkOutsideError(
            f"`{key}` is a link that leads out of the datasource",
            hint="start the page with `--follow-links` if such files may be shown",
        )


def _tag(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_FULL_QUALITY)
    return buffer.getvalue()
