"""The categories of two tasks brought together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tamis.api.diffing.values import Rename, SchemaChange

if TYPE_CHECKING:
    from tamis.model import Task
    from tamis.model.columns import Ints


class Categories(NamedTuple):
    """Categories of both tasks, each once.

    Attributes:
        names: those of the first task, then those that only the second has.
        first: place among `names` of each category of the first task, ascending by id.
        second: likewise of the second task.
        change: how the two differ.
    """

    names: tuple[str, ...]
    first: Ints
    second: Ints
    change: SchemaChange


def join_categories(first: Task, second: Task) -> Categories:
    """Match categories by name; and by id where neither name occurs in the other task: those were renamed."""
    names = list(first.category_names)
    place = {name: i for i, name in enumerate(names)}
    theirs = set(second.category_names)
    renamed, added, codes = [], [], []
    for number in second.category_ids:
        name = second.by_id[number].name
        if name not in place:
            before = first.by_id.get(number)
            if before is not None and before.name not in theirs:
                renamed.append(Rename(id=number, first=before.name, second=name))
                place[name] = place[before.name]
            else:
                added.append(name)
                place[name] = len(names)
                names.append(name)
        codes.append(place[name])
    gone = {one.first for one in renamed} | theirs
    ids = {category.name: category.id for category in first.categories}
    change = SchemaChange(
        added=tuple(added),
        removed=tuple(name for name in first.category_names if name not in gone),
        renamed=tuple(renamed),
        renumbered=tuple(one.name for one in second.categories if ids.get(one.name, one.id) != one.id),
    )
    return Categories(tuple(names), np.arange(len(first.categories)), np.array(codes, np.int64), change)
