"""Pictures that are in no datasource: files that a user compares with one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tamis.errors import DatasourceError
from tamis.media.decoding import decode_picture
from tamis.media.pillow import PictureError
from tamis.model import SampleKind, kind_of_key
from tamis.vectors import unit_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tamis.api.embedding.jobs import Encoder


def picture_files(path: Path) -> list[Path]:
    """Return an image file, or those of a folder and all below it in order; none where it is neither."""
    path = path.expanduser()
    if path.is_file():
        return [path] if kind_of_key(path.name) is SampleKind.IMAGE else []
    if not path.is_dir():
        return []
    return sorted(one for one in path.rglob("*") if one.is_file() and kind_of_key(one.name) is SampleKind.IMAGE)


def encode_files(encoder: Encoder, paths: Sequence[Path]) -> NDArray[np.float32]:
    """Return the vectors of image files at length 1, shape (n, d).

    Raises:
        DatasourceError: when one cannot be read.
    """
    return encode_bytes(encoder, ((str(path), _read(path)) for path in paths))


def encode_bytes(encoder: Encoder, named: Iterable[tuple[str, bytes]]) -> NDArray[np.float32]:
    """Return the vectors of pictures at length 1, shape (n, d).

    Args:
        encoder: what makes them.
        named: what errors call a picture, and the bytes of its file.

    Raises:
        DatasourceError: when one is no picture.
    """
    vectors, waiting = [np.zeros((0, encoder.n_dims), np.float32)], []
    for name, data in named:
        try:
            waiting.append(encoder.prepare(decode_picture(data, min_side_px=encoder.side_px)))
        except PictureError as error:
            raise DatasourceError(f"`{name}` cannot be used as a query: {error}") from None
        if len(waiting) >= encoder.batch_size:
            vectors.append(encoder.encode(np.stack(waiting)))
            waiting = []
    if waiting:
        vectors.append(encoder.encode(np.stack(waiting)))
    return unit_rows(np.concatenate(vectors))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasourceError(f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from None
