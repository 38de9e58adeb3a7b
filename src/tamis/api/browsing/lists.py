"""Lists of samples by their names: what selections picked, pools, tags, points of plots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from tamis.api.browsing.conditions import ChangingCondition, LassoCondition, PoolCondition, TagCondition
from tamis.api.browsing.plots import plot_stamp, read_points
from tamis.index import Pool, Tag, tag_names
from tamis.model import parse_object_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tamis.api.browsing.selections import Selections
    from tamis.api.browsing.view import View
    from tamis.api.sources import Sources


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

    def stamp(self, view: View, condition: ChangingCondition) -> int:
        """Return what changes when a pool grows, a tag is changed, or a plot is made again."""
        match condition:
            case PoolCondition():
                return len(self.pool(condition.name))
            case TagCondition():
                return len(Tag(self.sources.index.root, condition.name).history())
            case LassoCondition():
                return plot_stamp(view, condition.space)
        assert_never(condition)

    def pools_of(self, key: str) -> list[str]:
        """Return the names of the pools that a sample is in."""
        folder = self.sources.index.root / "pools"
        names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
        return [name for name in names if key in self.pool(name)]

    def tags_of(self, key: str) -> list[str]:
        """Return the names of the tags that a sample or an object of it has."""
        return [name for name in tag_names(self.sources.index.root) if key in self.tag(name)]
