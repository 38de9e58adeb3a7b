"""The pictures that a piece of work needs, each decoded once: images, and frames of one video in one pass."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tamis.media.decoding import decode_picture
from tamis.media.pillow import PictureError
from tamis.storage import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL import Image

    from tamis.api.embedding.targets import Target
    from tamis.media.seeking import Times
    from tamis.model.columns import Floats, Ints
    from tamis.storage import Store

_PICTURES_A_BATCH = 256
_FRAMES_A_BATCH = 1_000
_PARTS_A_VIDEO = 32
_CUT_VIDEOS = 32


@dataclass(frozen=True, slots=True, eq=False)
class PictureItem:
    """A picture, and which rows of a target are of it.

    Attributes:
        key: of the sample.
        frame: its number in its video, `None` for an image.
        rows: of the target, shape (n,).
        positions: of those rows, shape (n,).
        fingerprints: of those rows, shape (n,).
        boxes: of those rows, `None` where the row is the whole picture.
    """

    key: str
    frame: int | None
    rows: Ints
    positions: Ints
    fingerprints: NDArray[np.uint64]
    boxes: Floats | None


@dataclass(frozen=True, slots=True, eq=False)
class PictureBatch:
    """Pictures that one worker decodes.

    Attributes:
        store: where images and videos lie.
        video: key of the video that all of them are frames of, `None` for images.
        items: the pictures, frames in ascending order.
        n_frames: how many frames the whole video has, `None` for images.
        times: of all its frames, `None` where they were not read yet.
    """

    store: Store
    video: str | None
    items: list[PictureItem]
    n_frames: int | None = None
    times: Times | None = None


class Unread(str):
    """Why the store did not give a picture: nothing is known of the picture itself, and the next time it may."""

    __slots__ = ()


class Decoded(NamedTuple):
    """A decoded picture, or why there is none.

    Attributes:
        item: which one.
        image: RGB as stored, or a clause about the file; `Unread` where it is about the store.
        content: digest of the file's bytes, of a frame's pixels; empty where there is no picture.
    """

    item: PictureItem
    image: Image.Image | str
    content: bytes


def batches_of(target: Target, rows: Ints, store: Store) -> list[PictureBatch]:
    """Return the pictures of some rows of a target, in parts of a few hundred images, or some thousand frames.

    Args:
        target: what the rows are of.
        rows: ascending.
        store: where images and videos lie.
    """
    starts = np.flatnonzero(np.diff(target.owner[rows], prepend=-1))
    groups = np.split(rows, starts[1:]) if len(rows) else []
    of_sample = _frames(target)
    images: list[PictureItem] = []
    videos: dict[str, list[PictureItem]] = {}
    for group in groups:
        sample = int(target.owner[group[0]])
        video, frame = of_sample.get(sample, (None, None))
        item = PictureItem(
            key=target.samples.keys[sample],
            frame=frame,
            rows=group,
            positions=target.positions[group],
            fingerprints=target.fingerprints[group],
            boxes=None if target.boxes is None else target.boxes[group],
        )
        (images if video is None else videos.setdefault(video, [])).append(item)
    n_frames = target.samples.snapshot.frame_counts
    wholes = [
        PictureBatch(store, video, sorted(items, key=lambda item: item.frame or 0), n_frames.get(video))
        for video, items in videos.items()
    ]
    parts = [part for whole in wholes for part in _cut(whole, n_videos=len(wholes))]
    size = min(_PICTURES_A_BATCH, max(len(images) // 16, 8))
    return parts + [PictureBatch(store, None, images[i : i + size]) for i in range(0, len(images), size)]


def _cut(whole: PictureBatch, *, n_videos: int) -> list[PictureBatch]:
    """Cut a video into parts, so that several workers share it, and it can be told how far they are.

    That takes reading the file; so it is done where it is near, and where there are not enough videos for all.
    """
    n_frames = whole.n_frames or 0
    if whole.video is None or whole.store.local_root is None or n_videos > _CUT_VIDEOS:
        return [whole]
    least = max(_FRAMES_A_BATCH, n_frames // _PARTS_A_VIDEO)
    if len(whole.items) <= least:
        return [whole]
    from tamis.media.seeking import read_times, stretches  # noqa: PLC0415 (.2 s, for videos only)
    from tamis.media.videos import VideoError, video_source  # noqa: PLC0415 (as above)

    try:
        source = video_source(whole.store, whole.video)
        times = read_times(source, n_frames=n_frames)
        found = stretches(source, times, n_frames=n_frames, least=least)
    except (VideoError, StoreError):
        return [whole]  # it is found to be so again, and noted, when it is decoded
    parts = [[item for item in whole.items if item.frame in part] for part in found]
    return [replace(whole, items=items, times=times) for items in parts if items]


def _frames(target: Target) -> dict[int, tuple[str, int]]:
    """Return video and number of each sample that is a frame of a video, and no image file of that name."""
    samples = target.samples
    if not samples.snapshot.manifest.videos:
        return {}
    kinds, videos = samples.labels("samples", "kind"), samples.labels("samples", "video")
    numbers = samples.integers("samples", "frame")
    return {
        i: (video, int(numbers[i]))
        for i, (kind, video) in enumerate(zip(kinds, videos, strict=True))
        if video is not None and kind == "frame"
    }


def decoded(batch: PictureBatch, *, min_side_px: int | None = None) -> Iterator[Decoded]:
    """Yield each picture of a batch.

    Args:
        batch: which pictures.
        min_side_px: JPEGs may come in a coarser grid, see `decode_picture`.

    Raises:
        UnavailableError: when the store as a whole does not answer.
    """
    if batch.video is None:
        yield from _images(batch, min_side_px)
    else:
        yield from _of_video(batch, batch.video)


def _images(batch: PictureBatch, min_side_px: int | None) -> Iterator[Decoded]:
    blobs = batch.store.read_many([item.key for item in batch.items])
    for item, blob in zip(batch.items, blobs, strict=True):
        if isinstance(blob, StoreError):
            yield Decoded(item, Unread(blob.message), b"")
            continue
        try:
            image = decode_picture(blob.data, min_side_px=min_side_px)
        except PictureError as error:
            yield Decoded(item, str(error), b"")
        else:
            yield Decoded(item, image, _digest(blob.data))


def _of_video(batch: PictureBatch, video: str) -> Iterator[Decoded]:
    from tamis.media.videos import VideoError  # noqa: PLC0415 (.2 s, for videos only)

    left = {item.frame or 0: item for item in batch.items}
    why = f"the video `{video}` cannot be decoded as far as this frame"
    try:
        for number, image in _read_frames(batch, video, list(left)):
            yield Decoded(left.pop(number), image, _digest(np.asarray(image).data))
    except VideoError as error:
        why = f"its video `{video}`: {error}"
    except StoreError as error:
        why = Unread(error.message)
    if left:
        why = _why_unread(batch.store, video) or why
    yield from (Decoded(item, why, b"") for item in left.values())


def _why_unread(store: Store, video: str) -> Unread | None:
    """Say why a video cannot be read at all: the decoder tells that from damage in words only."""
    try:
        store.read_start(video, 1)
    except StoreError as error:
        return Unread(error.message)
    return None


def _read_frames(batch: PictureBatch, video: str, numbers: list[int]) -> Iterator[tuple[int, Image.Image]]:
    """Yield frames with their numbers, which ascend; those that there are not are left out."""
    from tamis.media.seeking import FrameReader  # noqa: PLC0415 (.2 s, for videos only)
    from tamis.media.videos import VideoError, read_frames, video_source  # noqa: PLC0415 (as above)

    source = video_source(batch.store, video)
    if batch.store.local_root is None:  # its times would be a second way over the network
        yield from read_frames(source, numbers)
        return
    reader = FrameReader(source, n_frames=batch.n_frames, times=batch.times)
    try:
        for number in numbers:
            try:
                image = reader.read(number)
            except VideoError:
                return
            yield number, image
    finally:
        reader.close()


def _digest(data: bytes | memoryview) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
