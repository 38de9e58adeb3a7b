"""Tags as users handle them: what to add may be keys, a file, a selection, or a condition on the samples."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from tamis.api.key_files import read_keys
from tamis.errors import UsageError
from tamis.index import Pool, SampleColumns, Tag, TagChange, keys_where, tag_names
from tamis.model import ObjectKey, parse_object_key

if TYPE_CHECKING:
    from tamis.index import Snapshot


class TagSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A tag at a glance.

    Attributes:
        name: of the tag.
        samples: how many of its members are samples.
        objects: how many are objects.
        gone: how many are in the index no more.
        changes: what happened to it, the first first, without the members.
    """

    name: str
    samples: int
    objects: int
    gone: int
    changes: list[ChangeSummary]


class ChangeSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a tag: when, what, how many members, and where they were from."""

    when: str
    action: str
    members: int
    origin: str


def tags_of(snapshot: Snapshot) -> list[TagSummary]:
    """Return all tags of an index that have members, by name.

    Raises:
        IndexMissingError: when one is damaged.
    """
    return [_glance(snapshot, Tag(snapshot.root, name)) for name in tag_names(snapshot.root)]


def summarise_tag(snapshot: Snapshot, name: str) -> TagSummary:
    """Return a tag at a glance, also one that lost all its members.

    Raises:
        UsageError: when that cannot be the name of a tag, or there never was one.
        IndexMissingError: when it is damaged.
    """
    summary = _glance(snapshot, Tag(snapshot.root, name))
    if summary.changes:
        return summary
    names = tag_names(snapshot.root)
    close = get_close_matches(name, names, n=1)
    raise UsageError(
        f"There is no tag `{name}`",
        hint=f"did you mean `{close[0]}`?" if close else "`tamis tag SRC` lists them, `--add` makes one",
    )


def _glance(snapshot: Snapshot, tag: Tag) -> TagSummary:
    members = tag.members()
    there = are_there(snapshot, members)
    n_objects = sum(_is_object(snapshot, key) for key in members)
    return TagSummary(
        name=tag.name,
        samples=len(members) - n_objects,
        objects=n_objects,
        gone=len(members) - int(np.count_nonzero(there)),
        changes=[_summary(change) for change in tag.history()],
    )


def _summary(change: TagChange) -> ChangeSummary:
    return ChangeSummary(when=change.when, action=change.action, members=len(change.members), origin=change.origin)


def _is_object(snapshot: Snapshot, key: str) -> bool:
    parsed = parse_object_key(key)
    return parsed is not None and any(task.name == parsed.task for task in snapshot.tasks)


def are_there(snapshot: Snapshot, members: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which keys of samples and objects the index has, shape (n,)."""
    samples = SampleColumns(snapshot)
    there = samples.positions(members) >= 0
    by_task: dict[str, list[tuple[int, ObjectKey]]] = {}
    for number in np.flatnonzero(~there).tolist():
        key = parse_object_key(members[number])
        if key is not None and _is_object(snapshot, members[number]):
            by_task.setdefault(key.task, []).append((number, key))
    for task, keys in by_task.items():
        known = _positions_of(samples, task, [key for _, key in keys])
        for number, key in keys:
            there[number] = (key.sample, key.position) in known
    return there


def _positions_of(samples: SampleColumns, task: str, keys: Sequence[ObjectKey]) -> set[tuple[str, int]]:
    at = samples.positions(sorted({key.sample for key in keys}))
    found: set[tuple[str, int]] = set()
    for part in samples.prediction_parts(task, at=at[at >= 0]):
        names = [samples.keys[i] for i in part.samples.tolist()]
        found |= {
            (names[file], position)
            for file, position in zip(part.columns.file.tolist(), part.columns.position.tolist(), strict=True)
        }
    return found


def change_tag(
    snapshot: Snapshot, name: str, *, add: Sequence[str] = (), remove: Sequence[str] = (), origin: str = ""
) -> TagSummary:
    """Add members to a tag, and remove others.

    Args:
        snapshot: of the index.
        name: of the tag, which is made if need be.
        add: keys of samples (`a/1.jpg`) or objects (`a/1.jpg#cars#3`).
        remove: likewise.
        origin: where they are from, in words, for the history.

    Raises:
        UsageError: when that cannot be the name of a tag, or a key to add is not in the index.
        StoreError: when it cannot be written; the tag stays as it was.
    """
    tag = Tag(snapshot.root, name)
    unknown = [key for key, known in zip(add, are_there(snapshot, add).tolist(), strict=True) if not known]
    if unknown:
        raise UsageError(
            f"{len(unknown):,} of {len(add):,} keys are not in the index: `{unknown[0]}` is the first",
            hint="write samples as `a/1.jpg`, objects as `a/1.jpg#cars#3`; run `tamis scan`, or mend the keys",
        )
    if remove:
        tag.remove(remove, origin=origin)
    if add:
        tag.add(add, origin=origin)
    return _glance(snapshot, tag)


class TagEdit(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with a tag.

    Attributes:
        add: keys of samples and objects, or names that stand for many, see `named_keys`.
        remove: likewise.
        where: add the samples that satisfy this condition, see `keys_where`.
        delete: whether all members are removed first.
    """

    add: Sequence[str] = ()
    remove: Sequence[str] = ()
    where: str | None = None
    delete: bool = False

    @property
    def is_change(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.add or self.remove or self.delete or self.where is not None)


def edit_tag(snapshot: Snapshot, name: str, edit: TagEdit) -> TagSummary:
    """Change a tag, and return it.

    Raises:
        UsageError: when something to add or remove is neither a key nor a name, or the condition is none.
        DatasourceError: when a file of keys cannot be read.
        StoreError: when the tag cannot be written.
    """
    add, origins = _all_keys(snapshot, edit.add)
    remove, _ = _all_keys(snapshot, edit.remove, members=Tag(snapshot.root, name).members() if edit.remove else ())
    if edit.where is not None:
        add += keys_where(snapshot, edit.where)
        origins.append(f"where {edit.where}")
    if edit.delete:
        Tag(snapshot.root, name).delete()
    return change_tag(snapshot, name, add=list(dict.fromkeys(add)), remove=remove, origin=", ".join(origins))


def _all_keys(
    snapshot: Snapshot, names: Sequence[str], *, members: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """Return all keys that names stand for, and what those are in words.

    Keys of the index stand for themselves, and so do members of the tag, which may be gone from it.
    """
    keys: list[str] = []
    known = set(members)
    origins = []
    for name, is_key in zip(names, are_there(snapshot, names).tolist(), strict=True):
        if is_key or name in known:
            keys.append(name)
            continue
        found = named_keys(snapshot.root, name)
        if found is None:
            raise UsageError(
                f"`{name}` is no sample, object, file, selection, tag or pool",
                hint="write samples as `a/1.jpg`, objects as `a/1.jpg#cars#3`",
            )
        keys += found.keys
        origins.append(found.origin)
    return keys, origins


class NamedKeys(NamedTuple):
    """The keys that a name stands for.

    Attributes:
        keys: of samples and objects.
        origin: what the name is, in words.
        is_kept: whether it is a tag or pool: what were samples and objects once may be gone since. A list is not
            kept, and what is nothing in it is a mistake.
    """

    keys: list[str]
    origin: str
    is_kept: bool


def named_keys(root: Path, name: str) -> NamedKeys | None:
    """Return the keys that a name stands for; `None` where it stands for nothing.

    A file of keys, the folder of a selection, a tag, or a pool, in this order.

    Args:
        root: folder of the index.
        name: the name, or a path.

    Raises:
        UsageError: when a file is no list of keys.
        DatasourceError: when a file cannot be read.
        IndexMissingError: when the tag or pool is damaged.
    """
    path = Path(name).expanduser()
    if path.is_dir() and (path / "selected.txt").is_file():
        return NamedKeys(read_keys(path / "selected.txt"), f"selection {name}", is_kept=False)
    if path.is_file():
        return NamedKeys(read_keys(path), f"file {name}", is_kept=False)
    with suppress(UsageError):  # of what cannot be the name of one
        if members := Tag(root, name).members():
            return NamedKeys(members, f"tag {name}", is_kept=True)
        if members := Pool(root, name).members():
            return NamedKeys(members, f"pool {name}", is_kept=True)
    return None
