"""Reading a snapshot: tables as Arrow, and SQL over the same Parquet files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tamis.errors import UsageError
from tamis.index.damage import damaged, reading
from tamis.index.shards import table_path
from tamis.index.tables import BASE_TABLES, metadata_schema, predictions_schema, sample_scores_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import duckdb

    from tamis.index.manifest import Manifest, Shard
    from tamis.model import Task

# Names that DuckDB gives to schemas and catalogs of its own.
_SCHEMAS_OF_DUCKDB = frozenset({"main", "temp", "system", "memory", "information_schema", "pg_catalog"})


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One committed state of the index (or one about to be committed). Nothing in it ever changes.

    Attributes:
        root: folder of the index.
        manifest: what it consists of.
    """

    root: Path
    manifest: Manifest

    @property
    def id(self) -> str:
        """Sortable by time, unique."""
        return self.manifest.id

    @property
    def committed_ns(self) -> int:
        """When it was committed, by the clock of the index's file system: nanoseconds since 1970.

        Raises:
            OSError: when it was never committed, or is gone.
        """
        return (self.root / "snapshots" / f"{self.id}.json").stat().st_mtime_ns

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks with a valid schema."""
        return self.manifest.tasks

    @cached_property
    def frame_counts(self) -> dict[str, int]:
        """How many frames each video has, by its key."""
        return {video.key: video.n_frames for video in self.manifest.videos}

    def task(self, name: str) -> Task:
        """Return a task by its name.

        Raises:
            UsageError: when there is none of that name; lists those that there are.
        """
        for task in self.tasks:
            if task.name == name:
                return task
        known = ", ".join(f"`{task.name}`" for task in self.tasks) or "none"
        raise UsageError(f"There is no task `{name}`", hint=f"tasks of this datasource: {known}")

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Read a table: `samples`, `files`, `problems`, `metadata`, `predictions:TASK`, `sample_scores:TASK`.

        Rows of units that changed or went since their shard was written are left out. `unit` is not returned.
        """
        wanted = None if columns is None else list(columns)
        parts = [self.shard_table(shard, name, wanted) for shard in self.manifest.shards if name in shard.tables]
        if not parts:
            empty = self.empty(name)
            return empty if wanted is None else empty.select(wanted)
        return pa.concat_tables(parts, promote_options="permissive").unify_dictionaries()

    def shard_table(self, shard: Shard, name: str, columns: list[str] | None) -> pa.Table:
        """Read a table of one shard, as `table` does of all."""
        path = self.table_file(shard, name)
        dead = self.manifest.dead.get(shard.id)
        wanted = columns if columns is None or not dead else [*columns, "unit"]
        # One file at a time: pyarrow's own multi-file reader would hold and unify all schemas first.
        with reading(self.root, path):
            table = pq.ParquetFile(path, memory_map=True).read(columns=wanted)
        if dead:
            alive = pc.invert(pc.is_in(table["unit"], pa.array(dead, pa.int32())))
            table = table.filter(alive)
        return table.drop_columns("unit") if "unit" in table.column_names else table

    def has_any(self, name: str, column: str) -> bool:
        """Return whether any row of a table has a value in a column; of a table without rows nothing is missing.

        Shards are read until one has: the column as a whole may take gigabytes.
        """
        is_empty = True
        for shard in self.manifest.shards:
            if name in shard.tables:
                read = self.shard_table(shard, name, [column])[column]
                if read.null_count < len(read):
                    return True
                is_empty = is_empty and not len(read)
        return is_empty

    def empty(self, name: str) -> pa.Table:
        """Return a table without rows, for one that no shard has rows for."""
        return self._schema(name).empty_table().drop_columns("unit")

    def units(self) -> Iterator[tuple[Shard, pa.Table]]:
        """Yield each shard with its units (stem, fingerprint), dead ones too: the row is the unit number."""
        for shard in self.manifest.shards:
            path = self.table_file(shard, "units")
            with reading(self.root, path):
                table = pq.read_table(path, memory_map=True)
            yield shard, table

    def missing_files(self) -> list[Path]:
        """Return the files that the manifest refers to but that are not there."""
        paths = (self.table_file(shard, table) for shard in self.manifest.shards for table in shard.tables)
        return [path for path in paths if not path.exists()]

    def connect(self, *only: str) -> duckdb.DuckDBPyConnection:
        """Return a DuckDB connection with a view for each table.

        `samples`, `files`, `problems`, `metadata`, and for each task a schema of its name with `predictions`
        and `sample_scores`: `SELECT * FROM "my task".predictions`; `sql_schemas` tells the exceptions.

        Args:
            only: names of the tables that will be asked for, without their schemas; none: all. A view takes some
                ten milliseconds, as DuckDB looks at files of it.
        """
        import duckdb  # noqa: PLC0415 (70 ms that only SQL needs)

        connection = duckdb.connect(":memory:")
        for name in [*BASE_TABLES, "metadata"]:
            if name != "units" and (not only or name in only):
                self._create_view(connection, name, f"main.{name}")
        for task, schema in self.sql_schemas().items():
            connection.execute(f"CREATE SCHEMA {schema}")
            for table in ("predictions", "sample_scores"):
                if not only or table in only:
                    self._create_view(connection, f"{table}:{task}", f"{schema}.{table}")
        return connection

    def sql_schemas(self) -> dict[str, str]:
        """Return for each task the name of its schema, quoted for SQL.

        That is the task's own name. SQL does not tell `Cars` from `cars`, and DuckDB has schemas of its own: such
        names get `_` at their end.
        """
        taken = set(_SCHEMAS_OF_DUCKDB)
        schemas = {}
        for task in self.tasks:
            name = task.name
            while name.lower() in taken:
                name += "_"
            taken.add(name.lower())
            schemas[task.name] = _quoted(name)
        return schemas

    def _create_view(self, connection: duckdb.DuckDBPyConnection, name: str, view: str) -> None:
        shards = [shard for shard in self.manifest.shards if name in shard.tables]
        dead = [shard for shard in shards if self.manifest.dead.get(shard.id)]
        whole = [shard for shard in shards if shard not in dead]
        selects = []
        if whole:
            selects.append(f"SELECT * EXCLUDE (unit) FROM {self._read_parquet(whole, name)}")  # noqa: S608
        for shard in dead:
            numbers = ", ".join(map(str, self.manifest.dead[shard.id]))
            rows = self._read_parquet([shard], name)
            selects.append(f"SELECT * EXCLUDE (unit) FROM {rows} WHERE unit NOT IN ({numbers})")  # noqa: S608
        if not selects:
            empty = f"empty_{len(connection.execute('SHOW TABLES').fetchall())}_{abs(hash(name))}"
            connection.register(empty, self.table(name))
            selects.append(f"SELECT * FROM {empty}")  # noqa: S608
        import duckdb  # noqa: PLC0415 (loaded already)

        try:
            connection.execute(f"CREATE VIEW {view} AS {' UNION ALL BY NAME '.join(selects)}")
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            raise damaged(self.root, str(error).partition("\n")[0]) from None

    def _read_parquet(self, shards: Sequence[Shard], table: str) -> str:
        """Return the SQL that reads a table of some shards, whatever the path of the index holds.

        DuckDB reads `*`, `?` and `[` of a path as a pattern, in which `[*]` is `*`, and a folder `a=1` as a column.
        """
        paths = (str(self.table_file(shard, table)) for shard in shards)
        files = ", ".join(_literal(re.sub(r"[*?\[]", r"[\g<0>]", path)) for path in paths)
        return f"read_parquet([{files}], hive_partitioning = false)"

    def table_file(self, shard: Shard, table: str) -> Path:
        """Return the Parquet file of a shard's table."""
        # The shards of an uncommitted check lie elsewhere: an absolute id replaces the root.
        return table_path(self.root / "shards" / shard.id, table)

    def _schema(self, name: str) -> pa.Schema:
        kind, _, task = name.partition(":")
        if kind == "metadata":
            return metadata_schema(self.manifest.metadata)
        if not task:
            return BASE_TABLES[name]
        names = self.manifest.scores[task]
        return predictions_schema(names.objects) if kind == "predictions" else sample_scores_schema(names.samples)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
