"""Pools: named, append-only lists of samples that are already selected.

Each joining writes one file, atomically: `pools/<name>/<number>.json`, a JSON list of sample keys. A pool is whole
after any crash, and its history stays readable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tamis.index.journal import Journal, check_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


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
        return list(dict.fromkeys(key for joined in self._journal.entries(list[str]) for key in joined))

    def join(self, keys: Sequence[str]) -> int:
        """Add keys and return how many were new.

        Raises:
            StoreError: when it cannot be written; the pool stays as it was.
        """
        with self._journal.changing():
            known = set(self.members())
            new = [key for key in dict.fromkeys(keys) if key not in known]
            if new:
                self._journal.append(new)
        return len(new)

    @property
    def _journal(self) -> Journal:
        return Journal(self.root, "pool", self.name)
