"""Samples that satisfy a condition in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.errors import UsageError

if TYPE_CHECKING:
    from tamis.index.snapshot import Snapshot


def keys_where(snapshot: Snapshot, condition: str) -> list[str]:
    """Return the keys of the samples that satisfy a condition in SQL, in order.

    The condition may speak of the columns of `samples` and `metadata`, and ask the tables of tasks:
    `width > 1000 AND weather = 'fog'`, `key IN (SELECT sample FROM cars.predictions WHERE score < .3)`.

    Raises:
        UsageError: when it is no condition.
    """
    import duckdb  # noqa: PLC0415 (70 ms that only SQL needs)

    joined = "samples LEFT JOIN (SELECT sample AS _sample, * EXCLUDE (sample) FROM metadata) ON key = _sample"
    # The condition is the user's own, on their own tables; the line break ends a comment in it.
    query = f"SELECT key FROM {joined} WHERE ({condition}\n) ORDER BY encode(key)"  # noqa: S608
    try:
        return [row[0] for row in snapshot.connect().execute(query).fetchall()]
    except duckdb.Error as error:
        raise UsageError(f"The condition cannot be used: {str(error).splitlines()[0]}") from None
