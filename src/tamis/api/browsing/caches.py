"""A cache of values by how much memory they take: the ones used last stay."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Value = TypeVar("Value")


class Cache(Generic[Value]):
    """Values by key; safe to use from many threads. Two that ask for one value at once may both make it.

    Args:
        max_bytes: what all values together may take.
        size_of: bytes of a value.

    >>> cache = Cache(10, len)
    >>> cache.get("a", lambda: "12345678"), cache.get("b", lambda: "1234"), cache.get("a", lambda: "made again")
    ('12345678', '1234', 'made again')
    """

    def __init__(self, max_bytes: int, size_of: Callable[[Value], int]) -> None:
        self._max_bytes = max_bytes
        self._size_of = size_of
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key, made now if it is not there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self._bytes += self._size_of(value)
                while self._bytes > self._max_bytes and len(self._values) > 1:
                    self._bytes -= self._size_of(self._values.popitem(last=False)[1])
        return value
