"""Stored embeddings lined up with what is in the index: rows of files that changed since do not count."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tamis.errors import UsageError
from tamis.index import embedding_sets, find_set, read_unread
from tamis.vectors import unit_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tamis.api.embedding.targets import Target
    from tamis.index import EmbeddingRows, EmbeddingSet, SetSpec
    from tamis.model import Task
    from tamis.model.columns import Bools, Ints

_UNSEEN, _KNOWN, _FAULTY, _UNREAD = 0, 1, 2, 3
_MOST_WITHOUT = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class SetStatus:
    """What a set holds of a target.

    Attributes:
        state: of each row of the target: 0 unseen, 1 a vector, 2 a fault, 3 not given by the store; shape (n,).
        faults: why there is no vector, by row of the target.
    """

    state: NDArray[np.uint8]
    faults: dict[int, str]

    @property
    def missing(self) -> Ints:
        """The rows that are to be encoded, ascending: unseen, or not read the last time."""
        return np.flatnonzero((self.state == _UNSEEN) | (self.state == _UNREAD))

    @property
    def n_unseen(self) -> int:
        """How many rows nobody looked at."""
        return int(np.count_nonzero(self.state == _UNSEEN))

    @property
    def known(self) -> Bools:
        """Which rows have a vector, shape (n,)."""
        known: Bools = self.state == _KNOWN
        return known

    def why_not(self) -> str | None:
        """Say why a set is not used unless it is asked for by name; `None` where it is.

        It would leave out without a word what it has no vector of. So each row must have been looked at, and nine
        of ten must have a vector: among many pictures some are damaged.
        """
        n, n_without = len(self.state), int(np.count_nonzero(~self.known))
        if self.n_unseen:
            return f"{self.n_unseen:,} of {n:,} not embedded yet"
        return f"{n_without:,} of {n:,} without a vector" if n_without > n * _MOST_WITHOUT else None


@dataclass(frozen=True, slots=True, eq=False)
class StoredVectors:
    """The vectors of a set for each row of a target.

    Attributes:
        spec: what made them.
        target: what they are of.
        vectors: of length 1, zeros where there is none; shape (n, d).
        known: which rows have one, shape (n,).
        contents: digest of each row's file or frame, `None` where it has none; empty where not asked for.
    """

    spec: SetSpec
    target: Target
    vectors: NDArray[np.float32]
    known: Bools
    contents: list[bytes | None] = field(default_factory=list)


def read_status(one: EmbeddingSet, target: Target) -> SetStatus:
    """Say what a set holds of a target.

    Raises:
        IndexMissingError: when the set is damaged.
    """
    state = np.zeros(len(target), np.uint8)
    faults: dict[int, str] = {}
    for rows, at, holding in _holding(one, target, vectors=False):
        for i in holding.tolist():
            fault = rows.faults[i]
            row = int(at[i])
            state[row] = _KNOWN if fault is None else _FAULTY
            if fault is None:
                faults.pop(row, None)
            else:
                faults[row] = fault
    unread = read_unread(one)
    at = target.locate(unread.keys, np.array(unread.positions, np.int64))
    same = _is_now(at, np.array(unread.fingerprints, np.uint64), target)
    at = at[same]
    state[at[state[at] == _UNSEEN]] = _UNREAD
    return SetStatus(state, faults)


def read_vectors(one: EmbeddingSet, target: Target, *, contents: bool = False) -> StoredVectors:
    """Read the vectors of a set for a target, at length 1: only their directions are ever compared.

    Args:
        one: the set.
        target: what to line up with.
        contents: whether to read the digests of the files, too.

    Raises:
        IndexMissingError: when the set is damaged.
    """
    vectors = np.zeros((len(target), one.spec.n_dims), np.float32)
    known = np.zeros(len(target), np.bool_)
    digests: list[bytes | None] = [None] * len(target) if contents else []
    for rows, at, holding in _holding(one, target, vectors=True):
        right = np.array([rows.faults[i] is None for i in holding.tolist()], np.bool_)
        good = holding[right]
        vectors[at[good]] = rows.vectors[good]
        known[at[good]] = True
        for i in holding.tolist() if contents else ():
            digests[int(at[i])] = rows.contents[i]
    return StoredVectors(one.spec, target, unit_rows(vectors, in_place=True), known, digests)


def _holding(one: EmbeddingSet, target: Target, *, vectors: bool) -> Iterator[tuple[EmbeddingRows, Ints, Ints]]:
    """Yield the rows of a set, where they are in the target, and which of them hold."""
    for rows in one.rows(vectors=vectors):
        at = target.locate(rows.keys, rows.positions)
        yield rows, at, np.flatnonzero(holds(rows, at, target))


def holds(rows: EmbeddingRows, at: Ints, target: Target) -> Bools:
    """Return which rows of a set are of what is in the index now."""
    return _is_now(at, rows.fingerprints, target)


def _is_now(at: Ints, fingerprints: NDArray[np.uint64], target: Target) -> Bools:
    if not len(target):
        return np.zeros(len(at), np.bool_)
    same: Bools = (at >= 0) & (target.fingerprints[at] == fingerprints)
    return same


def chosen_set(root: Path, name: str | None, task: Task | None) -> EmbeddingSet | None:
    """Return the set of a name, or the one added to last; `None` where there is none and none was named.

    Raises:
        UsageError: when there is no set of that name; lists those that there are.
        IndexMissingError: when a set is damaged.
    """
    task_name = None if task is None else task.name
    if name is None:
        return next((one for one in embedding_sets(root) if one.spec.task == task_name), None)
    found = find_set(root, name, task_name)
    if found is None:
        there = sorted({one.spec.name for one in embedding_sets(root) if one.spec.task == task_name})
        of = "images" if task is None else f"objects of `{task.name}`"
        listed = ", ".join(f"`{one}`" for one in there) or "none"
        raise UsageError(
            f"There are no embeddings `{name}` of {of}",
            hint=f"there are: {listed}; make some with `tamis embed`",
        )
    return found


def default_vectors(root: Path, target: Target) -> tuple[StoredVectors | None, list[str]]:
    """Return the vectors of the set added to last that may be used by default, and why others were passed over.

    Args:
        root: folder of the index.
        target: what to line up with.

    Returns:
        the vectors, `None` where no set has enough of them; and of each set that was added to later its name, with
        the reason.

    Raises:
        IndexMissingError: when a set is damaged.
    """
    task = None if target.task is None else target.task.name
    passed_over: list[str] = []
    for one in embedding_sets(root):
        if one.spec.task != task:
            continue
        why = read_status(one, target).why_not()
        if why is None:
            return read_vectors(one, target), passed_over
        passed_over.append(f"`{one.spec.name}` ({why})")
    return None, passed_over


def origin_of(spec: SetSpec) -> str:
    """Say in words which embeddings these are."""
    of = "" if spec.task is None else f" of the objects of `{spec.task}`"
    return f"`{spec.name}`{of}: {spec.source} ({spec.n_dims} dimensions)"
