"""Lists of samples by their names: what selections picked, pools, tags, points of plots."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

import numpy as np

from tamis.api.browsing.conditions import (
    ChangingCondition,
    DuplicateCondition,
    LassoCondition,
    PoolCondition,
    TagCondition,
)
from tamis.api.browsing.duplicates import duplicates_stamp, read_pairs
from tamis.api.browsing.plots import plot_stamp, read_points
from tamis.errors import IndexMissingError
from tamis.index import Pool, Tag, journal_names
from tamis.model import parse_object_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from tamis.api.browsing.selections import Selections
    from tamis.api.browsing.view import View
    from tamis.api.sources import Sources
    from tamis.model.columns import Ints


@dataclass(frozen=True, slots=True)
class NamedLists:
    """Finds what filters name.

    Attributes:
        sources: whose index has the pools and tags.
        selections: those of the page.
    """

    sources: Sources
    selections: Selections

    def selection(self, selection_id: str) -> Sequence[str]:
        """Return the keys that a selection picked, in its order."""
        return self.selections.keys(selection_id)

    def pool(self, name: str) -> Sequence[str]:
        """Return the members of a pool."""
        return Pool(self.sources.index.root, name).members()

    def tag(self, name: str) -> Sequence[str]:
        """Return the samples that have a tag, or an object that has it, each once."""
        members = Tag(self.sources.index.root, name).members()
        objects = map(parse_object_key, members)
        return list(dict.fromkeys(one.sample if one else key for key, one in zip(members, objects, strict=True)))

    def plot(self, view: View, space: str) -> tuple[NDArray[np.uint16], NDArray[np.uint32] | None]:
        """Return points and owners of a plot."""
        return read_points(view, space)

    def duplicates(self, view: View, distance: float) -> Ints:
        """Return the numbers of the samples that repeat others, the nearest to theirs first."""
        return read_pairs(view, distance)["row"].astype(np.int64)

    def stamp(self, view: View, condition: ChangingCondition) -> int:
        """Return what changes when a pool grows, a tag is changed, or a plot or duplicates are made again."""
        match condition:
            case PoolCondition():
                return len(self.pool(condition.name))
            case TagCondition():
                return len(Tag(self.sources.index.root, condition.name).history())
            case LassoCondition():
                return plot_stamp(view, condition.space)
            case DuplicateCondition():
                return duplicates_stamp(view, condition.distance)
        assert_never(condition)

    def pools(self) -> dict[str, Sequence[str]]:
        """Return the members of each pool by its name; damaged ones are left out, as who uses one is told."""
        return self._all("pool", self.pool)

    def tags(self) -> dict[str, Sequence[str]]:
        """Return what `tag` does for each tag that has members; damaged ones are left out likewise."""
        return {name: keys for name, keys in self._all("tag", self.tag).items() if keys}

    def _all(self, kind: str, read: Callable[[str], Sequence[str]]) -> dict[str, Sequence[str]]:
        found = {}
        for name in journal_names(self.sources.index.root, kind):
            with suppress(IndexMissingError):
                found[name] = read(name)
        return found
