"""Pools: named, append-only lists of samples that are already selected.

Each joining writes one file, atomically: `pools/<name>/<number>.json`, a JSON list of sample keys. A pool is whole
after any crash, and its history stays readable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tamis.errors import IndexMissingError, UsageError
from tamis.storage import LocalStore, StoreError, locked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def check_name(name: str, of: str) -> str:
    """Return a name that may be that of a folder.

    Args:
        name: letters, digits, `_`, `.` and `-`, at most 100.
        of: what errors say that it names.

    Raises:
        UsageError: when the name has other characters.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"`{name}` cannot be the name of {of}", hint="use letters, digits, `_`, `.` and `-`")
    return name


@dataclass(frozen=True, slots=True)
class Pool:
    """One pool, below the folder of an index.

    Attributes:
        root: folder of the index.
        name: letters, digits, `_`, `.` and `-`, at most 100.

    Raises:
        UsageError: when the name has other characters.
    """

    root: Path
    name: str

    def __post_init__(self) -> None:
        check_name(self.name, "a pool")

    def members(self) -> list[str]:
        """Return the keys in the order in which they joined, each once; none where there is no such pool yet.

        Raises:
            IndexMissingError: when a file of it is damaged.
        """
        keys: dict[str, None] = {}
        for path in self._files():
            try:
                joined = msgspec.json.decode(path.read_bytes(), type=list[str])
            except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise IndexMissingError(
                    f"Pool `{self.name}` cannot be read: `{path}`: {error}", hint="mend or remove that file"
                ) from None
            keys.update(dict.fromkeys(joined))
        return list(keys)

    def join(self, keys: Sequence[str]) -> int:
        """Add keys and return how many were new.

        Raises:
            StoreError: when it cannot be written; the pool stays as it was.
        """
        folder = self.root / "pools" / self.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Two that join at once would both write the same number, and one would be lost.
            with locked(folder / "lock"):
                return self._join(keys)
        except OSError as error:
            raise StoreError(
                f"Pool `{self.name}` cannot be written: {(error.strerror or str(error)).lower()}"
            ) from None

    def _join(self, keys: Sequence[str]) -> int:
        known = set(self.members())
        new = [key for key in dict.fromkeys(keys) if key not in known]
        if new:
            files = self._files()
            number = int(files[-1].stem) + 1 if files else 1
            store = LocalStore(self.root)
            store.write(f"pools/{self.name}/{number:06d}.json", msgspec.json.encode(new))
        return len(new)

    def _files(self) -> list[Path]:
        files = (self.root / "pools" / self.name).glob("*.json")
        return sorted((path for path in files if path.stem.isdecimal()), key=lambda path: int(path.stem))
