"""What a worker does of `tamis embed`: pictures to vectors, written as they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from tamis.api.embedding.pictures import Unread, decoded
from tamis.index import EmbeddingRows
from tamis.media.decoding import crop_area

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from tamis.api.embedding.pictures import Decoded, PictureBatch, PictureItem
    from tamis.index import EmbeddingSet

_ROWS_A_FILE = 4_096


class Encoder(Protocol):
    """What makes vectors of pictures. Can be pickled, so that workers use it by themselves."""

    @property
    def name(self) -> str:
        """What sets of its embeddings are called."""

    @property
    def identity(self) -> str:
        """What decides its vectors."""

    @property
    def n_dims(self) -> int:
        """Length of its vectors."""

    @property
    def batch_size(self) -> int:
        """How many pictures are encoded at once."""

    @property
    def side_px(self) -> int:
        """Pictures may be decoded in a coarser grid, as long as their sides stay above this."""

    def prepare(self, image: Image.Image) -> NDArray[Any]:
        """Return a picture as input."""

    def encode(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Return the vectors of prepared pictures, shape (n, d)."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbedJob:
    """A batch of pictures, and what to do with them; pickled for the workers."""

    batch: PictureBatch
    encoder: Encoder
    into: EmbeddingSet


class JobDone(NamedTuple):
    """What became of a batch.

    Attributes:
        rows: how many were looked at.
        faulty: how many of them have no vector.
        unread: rows of the target that the store did not give a picture of, with the reason: nothing is written
            of these.
    """

    rows: int
    faulty: int
    unread: dict[int, str]


def run_job(job: EmbedJob) -> JobDone:
    """Embed a batch of pictures, and write what was found out about them.

    Raises:
        EncoderError: when the model fails.
        StoreError: when the vectors cannot be written.
        UnavailableError: when the datasource does not answer.
    """
    rows = _Rows(job.encoder, job.into)
    whole = job.into.spec.task is None
    for one in decoded(job.batch, min_side_px=job.encoder.side_px if whole else None):
        _take(rows, one, job.into.spec.padding)
    return rows.close()


def _take(rows: _Rows, one: Decoded, padding: float) -> None:
    item, image = one.item, one.image
    for number in range(len(item.rows)):
        if isinstance(image, Unread):
            rows.skip(item, number, image)
        elif isinstance(image, str):
            rows.add(item, number, image, b"")
        elif item.boxes is None:
            rows.add(item, number, image, one.content)
        else:
            area = crop_area(item.boxes[number].tolist(), *image.size, padding=padding)
            fault = why_no_area(item.boxes[number]) if area is None else None
            rows.add(item, number, fault or image.crop(area), b"")


def why_no_area(box: NDArray[np.float64]) -> str:
    """Say why nothing can be cut out of a picture."""
    if not np.isfinite(box).all():
        return "the object has no box"
    if box[2] <= 0 or box[3] <= 0:
        return f"its box has no area: {box[2]:g} x {box[3]:g} pixels"
    return "its box lies outside of the image"


class _Rows:
    """Rows on their way: pictures that wait for their batch, vectors that wait for their file."""

    def __init__(self, encoder: Encoder, into: EmbeddingSet) -> None:
        self._encoder, self._into = encoder, into
        self._inputs: list[NDArray[Any]] = []
        self._waiting: list[int] = []
        self._n_done = self._n_faults = 0
        self._unread: dict[int, str] = {}
        self._empty()

    def _empty(self) -> None:
        self._keys: list[str] = []
        self._positions: list[int] = []
        self._fingerprints: list[int] = []
        self._contents: list[bytes | None] = []
        self._faults: list[str | None] = []
        self._vectors: list[NDArray[np.float32]] = []

    def add(self, item: PictureItem, number: int, picture: Image.Image | str, content: bytes) -> None:
        """Add a row: its picture, or why there is none."""
        self._keys.append(item.key)
        self._positions.append(int(item.positions[number]))
        self._fingerprints.append(int(item.fingerprints[number]))
        self._contents.append(content or None)
        self._faults.append(picture if isinstance(picture, str) else None)
        self._vectors.append(np.zeros(self._encoder.n_dims, np.float32))
        if not isinstance(picture, str):
            self._waiting.append(len(self._keys) - 1)
            self._inputs.append(self._encoder.prepare(picture))
            if len(self._inputs) >= self._encoder.batch_size:
                self._encode()
        if len(self._keys) >= _ROWS_A_FILE:
            self._write()

    def skip(self, item: PictureItem, number: int, why: Unread) -> None:
        """Note why there is no row: written down, the picture would not be tried again."""
        self._unread[int(item.rows[number])] = str(why)

    def close(self) -> JobDone:
        """Write what waits."""
        self._write()
        n_unread = len(self._unread)
        return JobDone(self._n_done + n_unread, self._n_faults + n_unread, self._unread)

    def _encode(self) -> None:
        if not self._inputs:
            return
        for row, vector in zip(self._waiting, self._encoder.encode(np.stack(self._inputs)), strict=True):
            if not np.isfinite(vector).all():
                self._faults[row] = "the encoder gives no finite numbers for it"
            elif not vector.any():
                self._faults[row] = "the encoder gives only zeros for it"
            else:
                self._vectors[row] = vector
        self._inputs, self._waiting = [], []

    def _write(self) -> None:
        self._encode()
        if not self._keys:
            return
        self._n_done += len(self._keys)
        self._n_faults += sum(fault is not None for fault in self._faults)
        self._into.append(
            EmbeddingRows(
                keys=self._keys,
                positions=np.array(self._positions, np.int32),
                fingerprints=np.array(self._fingerprints, np.uint64),
                contents=self._contents,
                faults=self._faults,
                vectors=np.stack(self._vectors),
            )
        )
        self._empty()
