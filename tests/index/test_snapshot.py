"""What is written into shards is what Arrow and SQL read back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies_index import Row, Unit, expected_rows, write_snapshot
from tamis.errors import UsageError
from tamis.index import Index, Snapshot

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

finite = st.floats(allow_nan=False, allow_infinity=False)
rows = st.builds(
    Row,
    category_id=st.integers(0, 2**63 - 1),
    score=st.none() | finite,
    bbox=st.none() | st.tuples(finite, finite, finite, finite),
    probabilities=st.none() | st.lists(finite, max_size=3).map(tuple),
    mask=st.none() | st.lists(st.integers(0, 2**63 - 1), max_size=3).map(tuple),
    keypoints=st.none() | st.lists(finite, max_size=3).map(tuple),
    margin=st.none() | finite,
)
task_files = st.dictionaries(st.sampled_from(["cars", "a/b"]), st.lists(rows, max_size=3), max_size=2)


@st.composite
def snapshots(draw: st.DrawFn) -> tuple[list[list[Unit]], dict[int, list[int]]]:
    """Return shards of units with unique names, and which of them are dead."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    shards = [
        [Unit(f"s{i}/{j}", i * 100 + j, draw(task_files), draw(st.none() | st.integers(0, 9))) for j in range(size)]
        for i, size in enumerate(sizes)
    ]
    dead = {i: sorted(draw(st.sets(st.integers(0, size - 1)))) for i, size in enumerate(sizes)}
    return shards, dead


def of_sql(source: Snapshot | duckdb.DuckDBPyConnection, view: str) -> list[dict[str, Any]]:
    connection = source.connect() if isinstance(source, Snapshot) else source  # .1 s each
    result = connection.execute(f"SELECT * FROM {view}")  # noqa: S608 (names of the test)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def by_place(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda row: (row["sample"], row.get("position", 0)))


def is_exactly(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> bool:
    """Compare with `==`, but tell 0.0 from -0.0: every bit of a float is kept."""
    return found == expected and repr(found) == repr(expected)


@settings(max_examples=20)
@given(snapshots())
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, case: Any) -> None:
    """Rows of living units come back bit by bit, nulls and empty lists apart, from Arrow and from SQL alike."""
    shards, dead = case
    tasks = ["cars", "a/b"]
    snapshot = write_snapshot(Index(tmp_path_factory.mktemp("i")), shards, tasks=tasks, dead=dead)
    connection = snapshot.connect()
    for task in tasks:
        expected = expected_rows(shards, task, dead)
        assert is_exactly(snapshot.table(f"predictions:{task}").to_pylist(), expected)
        assert is_exactly(by_place(of_sql(connection, f'"{task}".predictions')), by_place(expected))
        for column in ("probabilities", "score"):
            is_known = [row[column] is not None for row in expected]
            assert snapshot.has_any(f"predictions:{task}", column) == (any(is_known) or not expected)
    living = [u for i, units in enumerate(shards) for j, u in enumerate(units) if j not in dead.get(i, ())]
    assert snapshot.table("samples", ["key"])["key"].to_pylist() == [unit.key for unit in living]
    metadata = [{"sample": unit.key, "Day": unit.day, "scene": None} for unit in living]
    assert snapshot.table("metadata").to_pylist() == metadata
    assert by_place(of_sql(connection, "metadata")) == by_place(metadata)


@settings(max_examples=10)
@given(snapshots())
def test_sql_sees_what_arrow_sees(tmp_path_factory: pytest.TempPathFactory, case: Any) -> None:
    """Every view has the columns and rows of the table of its name."""
    shards, dead = case
    snapshot = write_snapshot(Index(tmp_path_factory.mktemp("i")), shards, tasks=["cars", "a/b"], dead=dead)
    views = {name: name for name in ("samples", "files", "problems", "metadata")}
    views |= {f"{kind}:{t}": f'"{t}".{kind}' for t in ("cars", "a/b") for kind in ("predictions", "sample_scores")}
    connection = snapshot.connect()
    for table, view in views.items():
        of_arrow = snapshot.table(table)
        assert "unit" not in of_arrow.column_names
        assert sorted(map(repr, of_sql(connection, view))) == sorted(map(repr, of_arrow.to_pylist()))
        described = connection.execute(f"DESCRIBE {view}").fetchall()
        assert [row[0] for row in described] == of_arrow.column_names


def test_columns_are_chosen(tmp_path: Path) -> None:
    """Asking for columns gives these, in that order, whether or not units died and rows exist."""
    shards = [[Unit("a", tasks={"cars": [Row(7, 0.5)]}), Unit("b", tasks={"cars": [Row(0)]})]]
    for number, dead in enumerate(({}, {0: [0]}, {0: [0, 1]})):
        snapshot = write_snapshot(Index(tmp_path / str(number)), shards, tasks=["cars", "empty"], dead=dead)
        for task in ("cars", "empty"):
            table = snapshot.table(f"predictions:{task}", ["score", "category_id"])
            assert table.column_names == ["score", "category_id"]
            n_rows = (2 - len(dead.get(0, ()))) if task == "cars" else 0
            assert table.num_rows == n_rows


def test_no_number_is_no_null(tmp_path: Path) -> None:
    """NaN, by which the columns of a scan say null, is null in the tables: nothing compares with it by chance."""
    snapshot = write_snapshot(Index(tmp_path), [[Unit("a", tasks={"t": [Row(0), Row(1, 0.0)]})]], tasks=["t"])
    table = snapshot.table("predictions:t")
    assert table["score"].to_pylist() == [None, 0.0]
    assert snapshot.connect().execute("SELECT count(*) FROM t.predictions WHERE score >= 0").fetchall() == [(1,)]
    assert not any(isinstance(v, float) and math.isnan(v) for row in table.to_pylist() for v in row.values())


@pytest.mark.parametrize(
    "folder",
    ["[a]", "x*", "**", "what?", "it's", 'say "x"', "two words", "k=1", "a\\b", "%20", "{a,b}", "ä:ü", "~", "-x"],
)
def test_the_index_may_lie_anywhere(folder: str, tmp_path: Path) -> None:
    """Folders whose names mean something to SQL, globs or partitions are names like any other."""
    shards = [[Unit("a", tasks={"t": [Row(7, 0.25)]})], [Unit("b", tasks={"t": [Row(0, 0.5)]}), Unit("c")]]
    # A neighbour that a pattern would find too.
    write_snapshot(Index(tmp_path / "xyz" / "index"), [[Unit("no")]], tasks=["t"])
    snapshot = write_snapshot(Index(tmp_path / folder / "index"), shards, tasks=["t"], dead={1: [1]})
    assert by_place(of_sql(snapshot, "t.predictions")) == expected_rows(shards, "t")
    assert [row["key"] for row in of_sql(snapshot, "samples")] == ["a.jpg", "b.jpg"]


TASKS = ["a/b", "a:b", "a+b=c", "x,y", "@", ".", "a-b", "..x", "SELECT", "1", "Cars", "cars", "cars_", "samples"]
TASKS_OF_DUCKDB = ["main", "temp", "system", "memory", "information_schema", "pg_catalog", "MAIN"]


def test_tasks_may_have_any_name(tmp_path: Path) -> None:
    """Tasks named with `/`, `:` or like something of DuckDB's, or that differ in case alone, keep apart."""
    tasks = [*TASKS, *TASKS_OF_DUCKDB]
    shards = [[Unit("a", tasks={task: [Row(i, i / 4)] for i, task in enumerate(tasks)})]]
    snapshot = write_snapshot(Index(tmp_path), shards, tasks=tasks)
    schemas, connection = snapshot.sql_schemas(), snapshot.connect()
    assert len({schema.lower() for schema in schemas.values()}) == len(tasks)
    assert schemas["a/b"] == '"a/b"'
    assert schemas["Cars"] == '"Cars"'
    for task in tasks:
        expected = expected_rows(shards, task)
        assert snapshot.table(f"predictions:{task}").to_pylist() == expected
        assert of_sql(connection, f"{schemas[task]}.predictions") == expected


def test_an_unknown_task_is_named(tmp_path: Path) -> None:
    """Asking for a task that is not there lists those that are."""
    snapshot = write_snapshot(Index(tmp_path), [], tasks=["cars", "a/b"])
    assert snapshot.task("a/b").name == "a/b"
    with pytest.raises(UsageError) as caught:
        snapshot.task("bikes")
    assert str(caught.value) == "There is no task `bikes`\nhint: tasks of this datasource: `cars`, `a/b`"


def test_an_empty_snapshot_has_every_table(tmp_path: Path) -> None:
    """Without a single unit all tables and views are there, and empty."""
    snapshot = write_snapshot(Index(tmp_path), [], tasks=["t"])
    for table, view in {"samples": "samples", "metadata": "metadata", "predictions:t": "t.predictions"}.items():
        assert snapshot.table(table).num_rows == 0
        assert of_sql(snapshot, view) == []
