"""What may no longer be picked because of what is selected: caps of groups, and gaps between frames of a video.

A limit changes no objective; it takes candidates out of the run. What is in the pool counts, and so does each pick.
The first k picks of n stay the run of k.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tamis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.selection.embeddings import Bools, Indices


@dataclass(frozen=True, kw_only=True, eq=False)
class AtMost:
    """Select no more than so many of each group, e.g. of the objects of an image.

    Attributes:
        name: what errors, reasons and counts call it.
        group: (N,) the group of each sample; a number below 0 is none, which has no limit.
        most: how many of a group may be selected, >= 1.
    """

    name: str
    group: Indices
    most: int


@dataclass(frozen=True, kw_only=True, eq=False)
class MinGap:
    """Keep what is selected of a group apart, e.g. frames of a video.

    Attributes:
        name: what errors, reasons and counts call it.
        group: (N,) the group of each sample; a number below 0 is none, which has no limit.
        place: (N,) where in its group each sample is, e.g. the index of a frame.
        gap: how far apart two selected places of a group are at least, >= 1.
    """

    name: str
    group: Indices
    place: Indices
    gap: int


Limit = AtMost | MinGap


class Allowed:
    """Who may still be picked.

    Attributes:
        left: (N,) the candidates that are neither picked nor ruled out.
        ruled_out: name of a limit to how many candidates it took out; one that several would is the first one's.
    """

    def __init__(self, limits: Sequence[Limit], candidate: Bools, pool: Sequence[int]) -> None:
        """Count the pool as selected.

        Raises:
            UsageError: when arrays do not fit, or a number is below 1.
        """
        self.left = candidate.copy()
        self.ruled_out: Counter[str] = Counter()
        self._rules = [(limit.name, _rule(limit, len(candidate))) for limit in limits]
        for sample in pool:
            self.take(sample)

    def take(self, sample: int) -> Indices:
        """Count a sample as selected, and return the candidates that this rules out.

        >>> allowed = Allowed([AtMost(name="image", group=np.array([0, 0, 1]), most=1)], np.ones(3, bool), ())
        >>> allowed.take(0).tolist()
        [1]
        """
        self.left[sample] = False
        out = []
        for name, rule in self._rules:
            samples = rule.after(sample)
            samples = samples[self.left[samples]]
            self.left[samples] = False
            self.ruled_out[name] += len(samples)
            out.append(samples)
        return np.concatenate(out) if out else np.empty(0, np.int64)


class _Rule(Protocol):
    def after(self, sample: int) -> Indices:
        """Return who may not be picked once a sample is selected."""


def _rule(limit: Limit, n: int) -> _Rule:
    for what, array in (
        ("group", limit.group),
        ("place", limit.place if isinstance(limit, MinGap) else limit.group),
    ):
        if array.shape != (n,):
            raise UsageError(f"Limit `{limit.name}`: expected `{what}` of shape ({n},), got {array.shape}")
    number = limit.most if isinstance(limit, AtMost) else limit.gap
    if number < 1:
        raise UsageError(f"Limit `{limit.name}`: expected 1 at least, got {number}")
    return _Cap(limit) if isinstance(limit, AtMost) else _Apart(limit)


class _Cap:
    def __init__(self, limit: AtMost) -> None:
        self._group, self._most = limit.group, limit.most
        self._order = np.argsort(limit.group, kind="stable")
        self._sorted = limit.group[self._order]
        self._counts: Counter[int] = Counter()

    def after(self, sample: int) -> Indices:
        group = int(self._group[sample])
        self._counts[group] += 1
        if group < 0 or self._counts[group] < self._most:
            return self._order[:0]
        start, end = np.searchsorted(self._sorted, [group, group + 1])
        return self._order[start:end]


class _Apart:
    def __init__(self, limit: MinGap) -> None:
        self._group, self._place, self._gap = limit.group, limit.place, limit.gap
        self._order = np.lexsort((limit.place, limit.group))
        self._groups, self._places = limit.group[self._order], limit.place[self._order]

    def after(self, sample: int) -> Indices:
        group, place = int(self._group[sample]), int(self._place[sample])
        if group < 0:
            return self._order[:0]
        start, end = np.searchsorted(self._groups, [group, group + 1])
        near = np.searchsorted(self._places[start:end], [place - self._gap + 1, place + self._gap])
        return self._order[start + near[0] : start + near[1]]
