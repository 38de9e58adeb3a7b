"""Listing folders of a bucket before their turn: each answer takes its time, and a pool has many folders."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, Self

from tamis.storage import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from tamis.storage import Page, Store

_IN_FLIGHT = 16
# Some pages are 10,000 names each; more than this are not held before their turn.
_PAGES_HELD = 32


class Listed(NamedTuple):
    """A folder as far as it could be listed, and what ended that early."""

    pages: list[Page]
    error: StoreError | None


class ListAhead:
    """Lists folders, of buckets several at once; of this machine each when it is asked for. Use it as a context.

    Args:
        stamped: whether to ask for sizes and times.
    """

    def __init__(self, *, stamped: bool) -> None:
        self._stamped = stamped
        self._threads: ThreadPoolExecutor | None = None
        self._started: dict[tuple[int, str], Future[Listed]] = {}

    @property
    def has_room(self) -> bool:
        """Whether more folders may be started."""
        held = sum(len(future.result().pages) for future in self._started.values() if _is_listed(future))
        return len(self._started) < 2 * _IN_FLIGHT and held < _PAGES_HELD

    def start(self, store: Store, folder: str) -> None:
        """Ask for a folder that `pages` will be called for."""
        if store.local_root is not None or (id(store), folder) in self._started:
            return
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_IN_FLIGHT, thread_name_prefix="tamis-list")
        self._started[id(store), folder] = self._threads.submit(_list, store, folder, self._stamped)

    def pages(self, store: Store, folder: str) -> Iterator[Page]:
        """Yield the pages of a folder, started before or not.

        Raises:
            StoreError: when it may not be listed, after the pages that it gave before.
        """
        future = self._started.pop((id(store), folder), None)
        if future is None:
            yield from store.list_folder(folder, stamps=self._stamped)
            return
        pages, error = future.result()
        yield from pages
        if error is not None:
            raise error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)


def _list(store: Store, folder: str, stamped: bool) -> Listed:  # noqa: FBT001 (a thread's arguments have no names)
    pages: list[Page] = []
    try:
        pages.extend(store.list_folder(folder, stamps=stamped))
    except StoreError as error:
        return Listed(pages, error)
    return Listed(pages, None)


def _is_listed(future: Future[Listed]) -> bool:
    return future.done() and future.exception() is None
