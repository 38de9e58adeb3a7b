"""What an engine does, and the one that does it here and now."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from tamis.errors import TamisError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

Item = TypeVar("Item")
Result = TypeVar("Result")


class EngineName(StrEnum):
    """Where the work is done: in processes of this machine, or on a Ray cluster."""

    LOCAL = "local"
    RAY = "ray"


class WorkerError(TamisError):
    """Workers cannot be had, or died before they could answer: killed, or out of memory."""


class Engine(Protocol):
    """Applies a function to items, wherever that happens. Use it as a context manager."""

    @property
    def workers(self) -> int:
        """How many items are worked on at once."""

    def start(self) -> None:
        """Get ready before there is anything to do, where that takes a while and need not be waited for."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield the results as they come, in any order; items are taken as there is room for them.

        Raises:
            WorkerError: when a worker died.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class InlineEngine:
    """Does the work in this process, one item after the other."""

    workers = 1

    def start(self) -> None:
        """Do nothing: this process is ready."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield the results in the order of the items."""
        return map(function, items)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
