"""Tags: named sets of samples or objects, whose history is kept.

Each change writes one file, atomically: `tags/<name>/<number>.json`, what happened and to which members. A tag is
whole after any crash, and every state that it ever had can be read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from tamis.index.journal import Journal, check_name, journal_names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class TagChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a tag.

    Attributes:
        when: UTC time, ISO 8601.
        action: members were added, removed, or the tag was deleted.
        members: keys of samples (`a/1.jpg`) or of objects (`a/1.jpg#cars#3`), in the order given.
        origin: where they are from, in words, e.g. `selection round-1`.
    """

    when: str
    action: Literal["add", "remove", "delete"]
    members: list[str]
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag, below the folder of an index.

    Attributes:
        root: folder of the index.
        name: letters, digits, `_`, `.` and `-`, at most 100.

    Raises:
        UsageError: when the name has other characters.
    """

    root: Path
    name: str

    def __post_init__(self) -> None:
        check_name(self.name, "a tag")

    def history(self) -> list[TagChange]:
        """Return all changes, the first first.

        Raises:
            IndexMissingError: when a file of it is damaged.
        """
        return self._journal.entries(TagChange)

    def members(self) -> list[str]:
        """Return the members in the order in which they were added; none where there is no such tag.

        Raises:
            IndexMissingError: when a file of it is damaged.
        """
        members: dict[str, None] = {}
        for change in self.history():
            if change.action == "delete":
                members.clear()
            elif change.action == "add":
                members.update(dict.fromkeys(change.members))
            else:
                for key in change.members:
                    members.pop(key, None)
        return list(members)

    def add(self, members: Sequence[str], *, origin: str = "") -> int:
        """Add members and return how many were new.

        Raises:
            StoreError: when it cannot be written; the tag stays as it was.
        """
        return self._change("add", members, origin)

    def remove(self, members: Sequence[str], *, origin: str = "") -> int:
        """Remove members and return how many there were. Raises as `add`."""
        return self._change("remove", members, origin)

    def delete(self, *, origin: str = "") -> int:
        """Remove all members and return how many there were; the history stays. Raises as `add`."""
        return self._change("delete", self.members(), origin)

    def _change(self, action: Literal["add", "remove", "delete"], members: Sequence[str], origin: str) -> int:
        with self._journal.changing():
            there = set(self.members())
            changed = [key for key in dict.fromkeys(members) if (key in there) is (action != "add")]
            if changed:
                when = datetime.now(UTC).isoformat()
                self._journal.append(TagChange(when=when, action=action, members=changed, origin=origin))
        return len(changed)

    @property
    def _journal(self) -> Journal:
        return Journal(self.root, "tag", self.name)


def tag_names(root: Path) -> list[str]:
    """Return the names of all tags that have members, in order."""
    return [name for name in journal_names(root, "tag") if Tag(root, name).members()]
