"""A named history below the folder of an index: each change is one file, written atomically.

`<kind>s/<name>/<number>.json`, numbered in the order in which they were written. It is whole after any crash, and
every state that it ever had can be read again.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import msgspec

from tamis.errors import IndexMissingError, UsageError
from tamis.storage import LocalStore, StoreError, locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Entry = TypeVar("Entry")

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


def journal_names(root: Path, kind: str) -> list[str]:
    """Return the names of all histories of a kind below the folder of an index, in order."""
    folders = (path.name for path in (root / f"{kind}s").glob("*") if path.is_dir())
    return sorted(name for name in folders if _NAME.fullmatch(name))


@dataclass(frozen=True, slots=True)
class Journal:
    """One history.

    Attributes:
        root: folder of the index.
        kind: what it is the history of, e.g. `pool`.
        name: of that pool or tag.
    """

    root: Path
    kind: str
    name: str

    def entries(self, kind: type[Entry]) -> list[Entry]:
        """Return what was written, the first first; nothing where there is no such history yet.

        Raises:
            IndexMissingError: when a file of it is damaged.
        """
        return [self._read(path, kind) for path in self._files()]

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep others from writing: two at once would both take the same number, and one would be lost.

        Raises:
            StoreError: when it cannot be written; it stays as it was.
        """
        folder = self._folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with locked(folder / "lock"):
                yield
        except OSError as error:
            raise StoreError(f"{self._said} cannot be written: {(error.strerror or str(error)).lower()}") from None

    def append(self, entry: object) -> None:
        """Write one more file; only while `changing`."""
        files = self._files()
        number = int(files[-1].stem) + 1 if files else 1
        key = f"{self.kind}s/{self.name}/{number:06d}.json"
        LocalStore(self.root).write(key, msgspec.json.encode(entry))

    @property
    def _folder(self) -> Path:
        return self.root / f"{self.kind}s" / self.name

    @property
    def _said(self) -> str:
        return f"{self.kind.capitalize()} `{self.name}`"

    def _files(self) -> list[Path]:
        files = self._folder.glob("*.json")
        return sorted((path for path in files if path.stem.isdecimal()), key=lambda path: int(path.stem))

    def _read(self, path: Path, kind: type[Entry]) -> Entry:
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise IndexMissingError(
                f"{self._said} cannot be read: `{path}`: {error}", hint="mend or remove that file"
            ) from None
