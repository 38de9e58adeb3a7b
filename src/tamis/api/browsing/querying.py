"""The SQL box: the tables that there are, and rows of a query."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tamis.api.browsing.digits import with_all_digits
from tamis.api.browsing.filters import NAMING
from tamis.api.browsing.values_work import SqlColumn, SqlResult, SqlTable

if TYPE_CHECKING:
    from tamis.api.browsing.view import View

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def run_query(view: View, query: str, *, limit: int) -> SqlResult:
    """Run one SELECT over the tables of the index; it can read nothing else and write nothing.

    Raises:
        QueryError: when it is no single SELECT, is wrong, or takes too long or too much.
    """
    found = view.sandbox.run(query, limit=limit)
    return SqlResult(
        columns=[SqlColumn(name=name, type=kind) for name, kind in zip(found.names, found.types, strict=True)],
        rows=[with_all_digits(row) for row in found.rows],
        truncated=found.truncated,
        seconds=round(found.seconds, 4),
        names_samples=any(name in found.names for name in NAMING),
    )


def list_tables(view: View) -> list[SqlTable]:
    """Return the tables that queries may read, each with its columns."""
    return [
        SqlTable(
            name=name if schema == "main" else f"{_quoted(schema)}.{name}",
            columns=[SqlColumn(name=column, type=kind) for column, kind in columns],
        )
        for schema, name, columns in view.sandbox.tables()
    ]


def _quoted(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'
