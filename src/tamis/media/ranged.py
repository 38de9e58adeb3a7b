"""A file of a store as Python's binary files are read: in blocks, the last few of which are kept."""

from __future__ import annotations

import io
from collections import OrderedDict
from typing import TYPE_CHECKING

from tamis.storage import StoreError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from tamis.storage import Store

_BLOCK_BYTES = 4 << 20
# One for where the decoder is, one for the index of the file, one each for sound and pictures that lie apart.
_KEPT_BLOCKS = 4


class RangedFile(io.RawIOBase):
    """Reads what is asked for, however large the file is; memory is that of four blocks.

    Args:
        store: what holds the file.
        key: of the file.

    Raises:
        NotFoundError: when nothing is at the key.
        StoreError: when it may not or cannot be read, then or while it is read, or was replaced meanwhile.
    """

    def __init__(self, store: Store, key: str) -> None:
        super().__init__()
        self._store, self._key = store, key
        self._stamp = store.read_start(key, 1).stamp
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        """Return that it is."""
        return True

    def seekable(self) -> bool:
        """Return that it is."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place and return it; nothing is read."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._stamp.size_bytes}[whence]
        if base + offset < 0:
            raise ValueError(f"expected a place in the file, got {base + offset}")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill a buffer up to the end of a block, and return how many bytes that are."""
        number, start = divmod(self._at, _BLOCK_BYTES)
        view = memoryview(buffer).cast("B")
        if not len(view) or self._at >= self._stamp.size_bytes:
            return 0
        part = self._block(number)[start : start + len(view)]
        view[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            blob = self._store.read_range(self._key, number * _BLOCK_BYTES, _BLOCK_BYTES)
            if blob.stamp != self._stamp:
                raise StoreError(f"`{self._key}` cannot be read: it was replaced meanwhile")
            self._blocks[number] = blob.data
            if len(self._blocks) > _KEPT_BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number]
