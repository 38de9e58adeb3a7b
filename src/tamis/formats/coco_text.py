"""The compressed form of COCO's run lengths, of many masks at once.

Each run from the fourth on is written as its difference to the last run of the same kind. A number is a row of
five-bit groups, lowest first, each one character: `chr(48 + bits)`, plus 32 where more follow; the last one's top
bit is the sign.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tamis.model.columns import Ragged
from tamis.model.spans import counted, offsets_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.model.columns import Ints

_FIRST_CHARACTER = 48
_GROUP_BITS = 5
_MAX_GROUPS = 11  # 55 bits; a run of an image of 2^30 pixels needs 7
_MORE = 0x20
_VALUE = 0x1F
_SIGN = 0x10


def compress(masks: Ragged) -> list[str]:
    """Return the text of each mask's runs; every number in as few characters as can hold it.

    Args:
        masks: run lengths of n masks; null is written as none.

    >>> compress(Ragged.from_rows([[4, 1, 1, 2, 1, 3], []], np.int64))
    ['411101', '']
    """
    lengths = np.maximum(masks.lengths, 0)
    values = masks.values.astype(np.int64)
    differs = np.flatnonzero(counted(lengths) > 2)  # noqa: PLR2004 (the first three runs are written whole)
    values[differs] -= masks.values[differs - 2]
    n_groups = _groups_of(values)
    groups = np.arange(int(n_groups.max(initial=1)))
    codes = (values[:, None] >> (_GROUP_BITS * groups)) & _VALUE
    codes += np.where(groups < n_groups[:, None] - 1, _MORE, 0) + _FIRST_CHARACTER
    text = codes[groups < n_groups[:, None]].astype(np.uint8).tobytes().decode("ascii")
    ends = offsets_of(n_groups)[offsets_of(lengths)].tolist()
    return [text[start:end] for start, end in pairwise(ends)]


def _groups_of(values: Ints) -> Ints:
    """Return how many groups each number takes, its sign included."""
    n_groups = np.ones(len(values), np.int64)
    for n in range(1, _MAX_GROUPS):
        limit = 1 << (_GROUP_BITS * n - 1)
        beyond = (values >= limit) | (values < -limit)
        if not beyond.any():
            break
        n_groups += beyond
    return n_groups


def decompress(texts: Sequence[bytes]) -> Ragged:
    """Return the run lengths that texts stand for, n rows. Whether they are >= 0 is not looked at.

    Raises:
        ValueError: when a text holds other characters, breaks off, or has a number of more than 11 characters;
            of several texts, it says which.

    >>> decompress([b"411101", b""]).rows()
    [array([4, 1, 1, 2, 1, 3]), array([], dtype=int64)]
    """
    codes = np.frombuffer(b"".join(texts), np.uint8).astype(np.int64) - _FIRST_CHARACTER
    offsets = offsets_of(np.array([len(text) for text in texts], np.int64))
    is_last = codes & _MORE == 0
    _check(texts, codes, offsets, is_last)
    last = np.flatnonzero(is_last)
    first = np.concatenate(([0], last[:-1] + 1)).astype(np.int64)[: len(last)]
    n_groups = last - first + 1
    if n_groups.max(initial=0) > _MAX_GROUPS:
        at = first[int(n_groups.argmax())]
        raise _error(f"expected runs of at most {_MAX_GROUPS} characters in `counts`", texts, offsets, at)
    shifts = _GROUP_BITS * counted(n_groups)
    values = np.add.reduceat((codes & _VALUE) << shifts, first) if len(first) else np.zeros(0, np.int64)
    values -= np.where(codes[last] & _SIGN, 1 << (_GROUP_BITS * n_groups), 0)
    lengths = np.diff(np.searchsorted(last, offsets))
    return Ragged(_undo_differences(values, lengths), lengths)


def _check(texts: Sequence[bytes], codes: Ints, offsets: Ints, is_last: Ints) -> None:
    for at in np.flatnonzero((codes < 0) | (codes >= 2 * _MORE))[:1].tolist():
        text = int(np.searchsorted(offsets, at, side="right")) - 1
        place = f"got byte {codes[at] + _FIRST_CHARACTER} at index {at - offsets[text]}"
        raise _error(f"expected characters `0` to `o` in `counts`, {place}", texts, offsets, at)
    ends = offsets[1:][np.diff(offsets) > 0]
    for at in ends[~is_last[ends - 1]][:1].tolist():
        message = "expected `counts` to end with its last run, got text that breaks off within one"
        raise _error(message, texts, offsets, at - 1)


def _error(message: str, texts: Sequence[bytes], offsets: Ints, at: int) -> ValueError:
    which = int(np.searchsorted(offsets, at, side="right")) - 1
    return ValueError(message if len(texts) == 1 else f"{message} (mask {which})")


def _undo_differences(values: Ints, lengths: Ints) -> Ints:
    """Return runs from their differences: the third run is written whole, as the first two are."""
    index = counted(lengths)
    starts = offsets_of(lengths)[:-1]
    runs = values.copy()
    for parity in (0, 1):
        summed = (index % 2 == parity) & (index > 0)
        totals = offsets_of(np.where(summed, values, 0))
        runs[summed] = (totals[1:] - np.repeat(totals[starts], lengths))[summed]
    return runs
