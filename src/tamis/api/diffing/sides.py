"""Which tasks a call compares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def sides_of(tasks: Sequence[str], *, has_other: bool) -> tuple[str, str]:
    """Return the tasks of the first and the second run.

    Args:
        tasks: one that both have, or that of each.
        has_other: whether the second run is in another datasource.

    Raises:
        UsageError: when that does not name two runs.

    >>> sides_of(["cars"], has_other=True)
    ('cars', 'cars')
    """
    if len(tasks) == 2:  # noqa: PLR2004 (one of each run)
        return tasks[0], tasks[1]
    if len(tasks) == 1 and has_other:
        return tasks[0], tasks[0]
    hint = "give `--task A --task B`, or another datasource and `--task A`"
    if len(tasks) == 1:
        raise UsageError(f"What to compare `{tasks[0]}` with is not said", hint=hint)
    raise UsageError(f"Expected one or two tasks, got {len(tasks)}", hint=hint)
