"""A snapshot as pages look at it: filters become masks, sorts become orders, and both are remembered."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np

from tamis.api.browsing.caches import Cache
from tamis.api.browsing.columns import (
    Columns,
    Labels,
    column_of_problems,
    columns_of_samples,
    columns_of_task,
)
from tamis.api.browsing.conditions import ChangingCondition, Filter
from tamis.api.browsing.filters import Lists, evaluate, listed
from tamis.errors import TamisError, UsageError
from tamis.index import SampleColumns, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from tamis.index import ProblemRows, SampleTable, Snapshot, TaskRows
    from tamis.model.columns import Bools

Fact = TypeVar("Fact")

_FEW = 6  # a sample in so many
_MASK_BYTES = 64 << 20
_ORDER_BYTES = 96 << 20
_LIST_BYTES = 96 << 20
_FACTS = 16  # in number: they are small


class StillLoadingError(TamisError):
    """What is asked for is still being read."""


class View:
    """One snapshot, opened. Everything in it may be asked from many threads.

    Args:
        snapshot: of the index.
        samples: its samples.
        lists: where lists of samples are found that filters name.
        tasks: predictions by task, `None` while they are being read.
        problems: of the samples' files, `None` likewise.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        samples: SampleTable,
        lists: Lists,
        tasks: dict[str, TaskRows] | None = None,
        problems: ProblemRows | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.samples = samples
        self.tasks = tasks
        self.lists = lists
        self._problems = problems
        self.sample_columns = SampleColumns(snapshot, samples.keys)
        of_tasks = [column for rows in (tasks or {}).values() for column in columns_of_task(rows)]
        of_problems = [] if problems is None else [column_of_problems(problems)]
        self.columns = Columns([*of_tasks, *of_problems, *columns_of_samples(samples, self.sample_columns)])
        self._masks: Cache[Bools] = Cache(_MASK_BYTES, lambda mask: mask.nbytes)
        self._orders: Cache[NDArray[np.uint32]] = Cache(_ORDER_BYTES, lambda order: order.nbytes)
        self._lists: Cache[NDArray[np.uint32]] = Cache(_LIST_BYTES, lambda found: found.nbytes)
        self._facts: Cache[Any] = Cache(_FACTS, lambda _: 1)
        self._sandbox: Sandbox | None = None
        self._turn = threading.Lock()

    @property
    def problems(self) -> ProblemRows:
        """Which samples have which problems.

        Raises:
            StillLoadingError: while they are being read.
        """
        if self._problems is None:
            raise _still_loading()
        return self._problems

    def rows(self, task: str) -> TaskRows:
        """Return the predictions of a task.

        Raises:
            UsageError: when there is no such task.
            StillLoadingError: while they are being read.
        """
        self.snapshot.task(task)
        if self.tasks is None:
            raise _still_loading()
        return self.tasks[task]

    @property
    def sandbox(self) -> Sandbox:
        """What runs SQL."""
        with self._turn:
            if self._sandbox is None:
                self._sandbox = Sandbox(self.snapshot)
            return self._sandbox

    def mask(self, wanted: Filter) -> Bools | None:
        """Return which samples meet all conditions, shape (N,); `None`: all, as there is no condition.

        Raises:
            UsageError: when a condition names what there is not.
            StillLoadingError: when it needs what is still being read.
        """
        if not wanted:
            return None
        parts = [
            self._masks.get(key, lambda condition=condition: evaluate(self, condition))  # type: ignore[misc]
            for condition in wanted
            for key in [self.filter_key((condition,))]
        ]
        mask = parts[0]
        for part in parts[1:]:
            mask = mask & part
        return mask

    def numbers(self, wanted: Filter, *, sort: str = "key", descending: bool = False) -> NDArray[np.uint32]:
        """Return the numbers of the samples that meet all conditions, in an order.

        Raises:
            UsageError: when a condition or the sort names what there is not.
            StillLoadingError: when it needs what is still being read.
        """
        key = (self.filter_key(wanted), sort, descending)
        return self.remembered(key, lambda: self._find(wanted, sort, descending=descending))

    def remembered(self, key: Hashable, make: Callable[[], NDArray[np.uint32]]) -> NDArray[np.uint32]:
        """Return a list of numbers or rows, made now unless it was asked for lately."""
        return self._lists.get(key, make)

    def fact(self, name: str, find: Callable[[], Fact]) -> Fact:
        """Return what holds for the whole snapshot, found the first time that somebody asks."""
        found: Fact = self._facts.get(name, find)
        return found

    def _find(self, wanted: Filter, sort: str, *, descending: bool) -> NDArray[np.uint32]:
        mask = self.mask(wanted)
        if sort == "pick":
            picked = listed(self, wanted)
            order = picked[::-1] if descending else picked
            return order if mask is None else order[mask[order]]
        order = self.order(sort, descending=descending)
        if mask is None:
            return order
        found = np.flatnonzero(mask)
        if len(found) * _FEW > len(mask):
            return order[mask[order]]
        # Few: sorting their places in the order is shorter than going through it.
        return order[np.sort(self._ranks(sort, descending=descending)[found])]

    def order(self, sort: str, *, descending: bool) -> NDArray[np.uint32]:
        """Return all samples by a column, those of one value by key, those without a value last; shape (N,).

        Raises:
            UsageError: when there is no such column.
        """
        return self._orders.get((sort, descending), lambda: self._sort(sort, descending=descending))

    def _ranks(self, sort: str, *, descending: bool) -> NDArray[np.uint32]:
        """Return the place of each sample in an order, shape (N,)."""

        def invert() -> NDArray[np.uint32]:
            order = self.order(sort, descending=descending)
            ranks = np.empty(len(order), np.uint32)
            ranks[order] = np.arange(len(order), dtype=np.uint32)
            return ranks

        return self._orders.get(("ranks", sort, descending), invert)

    def _sort(self, sort: str, *, descending: bool) -> NDArray[np.uint32]:
        n = len(self.samples)
        if sort == "key":
            order = np.arange(n, dtype=np.uint32)
            return order[::-1].copy() if descending else order
        values = self.columns.values(sort)
        if isinstance(values, Labels):
            rank = np.argsort(np.argsort(np.array([*values.names, ""], object)[:-1].astype(str), kind="stable"))
            values = np.array([*rank, np.nan])[values.codes]  # -1 is the last
        # NaN sorts last, of negated values too.
        return np.argsort(-values if descending else values, kind="stable").astype(np.uint32)

    def filter_key(self, wanted: Filter) -> tuple[bytes, tuple[int, ...]]:
        """Return what names a filter in a cache: pools, tags and plots change, all else stays."""
        states = [self.lists.stamp(self, one) for one in wanted if isinstance(one, ChangingCondition)]
        return msgspec.json.encode(wanted), tuple(states)

    def close(self) -> None:
        """Close what is open."""
        if self._sandbox is not None:
            self._sandbox.close()


def parse_filter(text: str) -> Filter:
    """Read a filter from JSON.

    Raises:
        UsageError: when it is none.

    >>> parse_filter('[{"type": "path", "text": "night"}]')
    (PathCondition(exclude=False, text='night'),)
    """
    try:
        return msgspec.json.decode(text, type=Filter)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise UsageError(f"The filter cannot be read: {error}", hint="it is a JSON list of conditions") from None


def _still_loading() -> StillLoadingError:
    return StillLoadingError("The predictions are still being read", hint="ask again when the status is `ready`")
