"""Values grouped by a number, more of them than memory holds: they wait in a temporary folder meanwhile.

Groups are dealt out over files; a file at a time is read back and sorted into its groups. Memory is that of one
file's values, so the number of files follows from the size of what comes.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import msgspec

from tamis.errors import DatasourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedRandom
    from types import TracebackType

T = TypeVar("T")

BYTES_A_FILE = 8 << 20
MAX_FILES = 256  # of the 1,024 that a process may usually hold open
_HELD_VALUES = 50_000
_LENGTH_BYTES = 8


class Spill(Generic[T]):
    """Collects values by group, then yields each group with its values in the order of their coming.

    Args:
        kind: type of the values, one that msgspec knows.
        n_bytes: about how much comes, > 0.

    >>> with Spill(str, 100) as spill:
    ...     for group, value in [(3, "a"), (0, "b"), (3, "c")]:
    ...         spill.add(group, value)
    ...     dict(spill.groups())
    {3: ['a', 'c'], 0: ['b']}
    """

    def __init__(self, kind: type[T], n_bytes: int) -> None:
        self._n_files = min(max(n_bytes // BYTES_A_FILE, 1), MAX_FILES)
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(list[tuple[int, kind]])  # type: ignore[valid-type]
        self._held: list[list[tuple[int, T]]] = [[] for _ in range(self._n_files)]
        self._n_held = 0
        self._files: list[BufferedRandom] = []

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory(prefix="tamis-import-")
        try:
            self._files = [(Path(self._folder.name) / str(i)).open("w+b") for i in range(self._n_files)]
        except OSError as error:
            self._folder.cleanup()
            raise _no_room(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()
        self._folder.cleanup()

    def add(self, group: int, value: T, *, weight: int = 1) -> None:
        """Add a value to a group.

        Args:
            group: its number, >= 0.
            value: to add.
            weight: how many usual values it is as large as.

        Raises:
            DatasourceError: when the temporary folder is full.
        """
        self._held[group % self._n_files].append((group, value))
        self._n_held += weight
        if self._n_held >= _HELD_VALUES:
            self._write()

    def groups(self) -> Iterator[tuple[int, list[T]]]:
        """Yield each group that has values, in no order.

        Raises:
            DatasourceError: when the temporary folder is full.
        """
        self._write()
        for number in range(self._n_files):
            by_group: dict[int, list[T]] = {}
            for group, value in self._read(number):
                by_group.setdefault(group, []).append(value)
            yield from by_group.items()

    def _write(self) -> None:
        for number, held in enumerate(self._held):
            if held:
                data = self._encoder.encode(held)
                try:
                    self._files[number].write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
                except OSError as error:
                    raise _no_room(error) from None
                self._held[number] = []
        self._n_held = 0

    def _read(self, number: int) -> Iterator[tuple[int, T]]:
        file = self._files[number]
        file.seek(0)
        while head := file.read(_LENGTH_BYTES):
            yield from self._decoder.decode(file.read(int.from_bytes(head, "big")))


def _no_room(error: OSError) -> DatasourceError:
    return DatasourceError(
        f"Temporary files cannot be written: {(error.strerror or str(error)).lower()}",
        hint="name a folder with more room by the environment variable `TMPDIR`",
    )
