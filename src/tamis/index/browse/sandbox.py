"""SQL of strangers over a snapshot: it can read the tables, for a while, and nothing else."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tamis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb

    from tamis.index.snapshot import Snapshot

_MEMORY = "512MB"
_LONGEST_SECS = 10.0
_MAX_CELL = 2_000  # characters, or items of a list
_THREADS = 2
_BATCH = 128  # rows


class QueryError(UsageError):
    """A query cannot be answered: it is wrong, forbidden, or takes too long."""


@dataclass(frozen=True, slots=True)
class QueryRows:
    """What a query returned.

    Attributes:
        names: of the columns.
        types: of the columns, as DuckDB names them.
        rows: at most as many as were asked for.
        truncated: whether there are more.
        seconds: how long it took.
    """

    names: list[str]
    types: list[str]
    rows: list[tuple[Any, ...]]
    truncated: bool
    seconds: float


class Sandbox:
    """A connection to the tables of a snapshot that can neither write nor read anything else.

    Access to files is off except for the Parquet files of the snapshot, nothing can be loaded or attached, Python's
    variables cannot be read, and the configuration is locked. Only single SELECTs are run.

    Args:
        snapshot: whose tables.
        longest_secs: queries are stopped after that.
    """

    def __init__(self, snapshot: Snapshot, *, longest_secs: float = _LONGEST_SECS) -> None:
        self._connection = snapshot.connect()
        self._longest_secs = longest_secs
        self._turn = threading.Lock()
        paths = [
            str(snapshot.table_file(shard, name)) for shard in snapshot.manifest.shards for name in shard.tables
        ]
        listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
        for setting in (
            f"threads = {_THREADS}",
            f"memory_limit = '{_MEMORY}'",
            "temp_directory = ''",
            "python_enable_replacements = false",
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            f"allowed_paths = [{listed}]",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            self._connection.execute(f"SET {setting}")

    def run(self, query: str, *, limit: int) -> QueryRows:
        """Run one SELECT, one query at a time.

        Raises:
            QueryError: when it is no single SELECT, is wrong, or takes too long or too much.
        """
        began = time.monotonic()
        with self._asked(query) as cursor:
            cursor.execute(query)
            description = cursor.description or []
            rows = _fetch(cursor, limit + 1)
        return QueryRows(
            names=[str(column[0]) for column in description],
            types=[str(column[1]) for column in description],
            rows=rows[:limit],
            truncated=len(rows) > limit,
            seconds=time.monotonic() - began,
        )

    def column(self, query: str, names: Sequence[str]) -> pa.Array:
        """Run one SELECT and return the first of some columns that it has, as text, without nulls.

        Raises:
            QueryError: when it has none of them, and as `run`.
        """
        with self._asked(query) as cursor:
            answer = cursor.sql(query)
            found = list(answer.columns)
            wanted = next((name for name in names if name in found), None)
            if wanted is None:
                listed = ", ".join(f"`{name}`" for name in found)
                raise QueryError(
                    f"The query names no samples: its columns are {listed}",
                    hint="return the sample keys in a column `key` or `sample`",
                )
            table: Any = answer.to_arrow_table()
        return table.column(found.index(wanted)).cast(pa.large_string()).combine_chunks().drop_null()

    @contextmanager
    def _asked(self, query: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield what a query may be run on, known to be a SELECT; time runs until the answer was read."""
        import duckdb  # noqa: PLC0415 (70 ms that only SQL needs)

        with self._turn:
            cursor = self._connection.cursor()
            timer = threading.Timer(self._longest_secs, cursor.interrupt)
            timer.daemon = True
            try:
                _check(cursor, query)
                timer.start()
                yield cursor
            except duckdb.InterruptException:
                raise QueryError(
                    f"The query was stopped after {self._longest_secs:g} seconds",
                    hint="ask for less: a WHERE, a LIMIT within, fewer rows to sort",
                ) from None
            except (duckdb.Error, pa.ArrowException, ValueError, OverflowError, RuntimeError) as error:
                raise QueryError(f"The query cannot be run: {_words(error)}") from None
            finally:
                timer.cancel()
                cursor.close()

    def tables(self) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """Return schema, name, and names and types of the columns of every table."""
        with self._turn:
            rows = (
                self._connection.cursor()
                .execute(
                    "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns "
                    "ORDER BY table_schema <> 'main', table_schema, table_name, ordinal_position"
                )
                .fetchall()
            )
        found: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for schema, table, column, kind in rows:
            if not table.startswith("empty_"):
                found.setdefault((schema, table), []).append((column, kind))
        return [(schema, table, columns) for (schema, table), columns in found.items()]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _fetch(cursor: duckdb.DuckDBPyConnection, most: int) -> list[tuple[Any, ...]]:
    """Return the first rows, cut cell by cell as they come: all at once they could fill the memory."""
    rows: list[tuple[Any, ...]] = []
    while len(rows) < most and (batch := cursor.fetchmany(min(_BATCH, most - len(rows)))):
        rows += [tuple(map(_cell, row)) for row in batch]
    return rows


def _check(cursor: duckdb.DuckDBPyConnection, query: str) -> None:
    import duckdb  # noqa: PLC0415 (as above)

    statements = cursor.extract_statements(query)
    kinds = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
    if len(statements) != 1 or statements[0].type not in kinds:
        raise QueryError(
            "Only a single SELECT can be run here", hint="write anything else in Python: `tamis.open(...).sql(...)`"
        )


def _words(error: Exception) -> str:
    text = str(error).strip().partition("\n\nLINE")[0]
    return text[:500]


def _cell(value: Any) -> Any:  # noqa: ANN401 (whatever a query returns)
    if isinstance(value, str):
        return value if len(value) <= _MAX_CELL else value[:_MAX_CELL] + "..."
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value[: _MAX_CELL // 2]).hex()
    if isinstance(value, list | tuple):
        return [_cell(item) for item in value[:_MAX_CELL]]
    if isinstance(value, dict):
        return {str(_cell(name)): _cell(item) for name, item in list(value.items())[:_MAX_CELL]}
    if (isinstance(value, float) and value != value) or value in (float("inf"), float("-inf")):  # noqa: PLR0124
        return str(value)
    return value if isinstance(value, bool | int | float) or value is None else str(value)
