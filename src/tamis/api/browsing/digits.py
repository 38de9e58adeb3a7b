"""Whole numbers that JavaScript would round, as it reads every number of JSON as a double."""

from __future__ import annotations

from typing import Any

_LARGEST = 2**53 - 1


def with_all_digits(value: Any) -> Any:  # noqa: ANN401 (whatever a query returns, or metadata holds)
    """Return a value of which whole numbers beyond 2^53, within lists and mappings, too, are text.

    >>> with_all_digits([9007199254740991, {"n": 9007199254740993}])
    [9007199254740991, {'n': '9007199254740993'}]
    """
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST else str(value)
    if isinstance(value, list | tuple):
        return [with_all_digits(item) for item in value]
    if isinstance(value, dict):
        return {name: with_all_digits(item) for name, item in value.items()}
    return value
