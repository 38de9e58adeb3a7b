"""The SQL box reads the tables of the index for a while, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tamis.index import Index, QueryError, Sandbox
from web_data import Asker, predictions_of

if TYPE_CHECKING:
    from pathlib import Path


def test_a_query_returns_rows_of_the_tables(page: Asker) -> None:
    """Counts in SQL are those of the files."""
    files = predictions_of(page.folder, "boxes")
    got = page.read("sql", query="SELECT count(*) AS n, count(DISTINCT sample) FROM boxes.predictions;")
    assert got["rows"] == [[sum(map(len, files.values())), sum(map(bool, files.values()))]]
    assert got["columns"][0]["name"] == "n"
    assert not got["truncated"]
    assert not got["names_samples"]


def test_rows_are_limited_and_samples_named(page: Asker) -> None:
    """More rows than asked for are not sent, but said."""
    got = page.read("sql", query="SELECT key FROM samples ORDER BY key", limit=5)
    assert [row[0] for row in got["rows"]] == page.listed()[:5]
    assert got["truncated"]
    assert got["names_samples"]


def test_every_documented_table_is_there(page: Asker) -> None:
    """The tables with their columns are listed by the names that queries use."""
    tables = {table["name"]: [column["name"] for column in table["columns"]] for table in page.read("sql/tables")}
    assert {"samples", "files", "problems", "metadata", "boxes.predictions", "boxes.sample_scores"} <= set(tables)
    for name, columns in tables.items():
        got = page.read("sql", query=f"SELECT * FROM {name} LIMIT 1")  # noqa: S608 (its own answer)
        assert [column["name"] for column in got["columns"]] == columns


@pytest.mark.parametrize(
    "query",
    [
        "COPY samples TO '{folder}/out.csv'",
        "COPY samples TO '{shard}'",
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "INSERT INTO samples SELECT * FROM samples",
        "DELETE FROM samples",
        "DROP VIEW samples",
        "ATTACH '{folder}/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '100GB'",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "EXPORT DATABASE '{folder}/out'",
        "SELECT 1; SELECT 2",
        "SELECT 1; COPY samples TO '{folder}/out.csv'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('{folder}/secret.parquet')",
        "SELECT * FROM read_blob('{folder}/a/003.png')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_json('https://example.com/x.json')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM secret",
        "SELECT * FROM os",
        "SELECT getenv('HOME')",
        "EXPLAIN ANALYZE COPY samples TO '{folder}/out.csv'",
        "EXPLAIN COPY samples TO '{folder}/out.csv'",
        "",
        "nonsense",
    ],
)
def test_nothing_can_be_written_loaded_or_read_elsewhere(page: Asker, query: str) -> None:
    """Law: whatever is asked, no file is made, changed or read but those of the tables."""
    snapshot = Index(page.folder / ".lightly/tamis").latest()
    assert snapshot is not None
    shard = snapshot.table_file(snapshot.manifest.shards[0], "samples")
    before = {path: path.stat().st_mtime_ns for path in page.folder.rglob("*") if path.is_file()}
    answer = page.get("sql", query=query.format(folder=page.folder, shard=shard))
    assert answer.status_code == 400, answer.text
    assert "root:" not in answer.text
    after = {path: path.stat().st_mtime_ns for path in page.folder.rglob("*") if path.is_file()}
    assert after == before
    assert page.read("sql", query="SELECT count(*) FROM samples")["rows"] == [[53]]


def test_a_query_that_takes_too_long_is_stopped(datasource: Path) -> None:
    """Time is limited, and the connection works afterwards."""
    snapshot = Index(datasource / ".lightly/tamis").latest()
    assert snapshot is not None
    sandbox = Sandbox(snapshot, longest_secs=0.2)
    with pytest.raises(QueryError, match=r"was stopped after 0\.2 seconds"):
        sandbox.run("SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b", limit=1)
    assert sandbox.run("SELECT 1", limit=1).rows == [(1,)]
    sandbox.close()


def test_a_query_that_takes_too_much_memory_is_refused(page: Asker) -> None:
    """Memory is limited."""
    query = "SELECT count(*) FROM (SELECT DISTINCT range, repeat('x', 500) || range FROM range(100000000))"
    answer = page.get("sql", query=query)
    assert answer.status_code == 400
    assert page.read("sql", query="SELECT 1")["rows"] == [[1]]


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("1.5::DECIMAL(4,2)", "1.50"),
        ("'nan'::DOUBLE", "nan"),
        ("'inf'::DOUBLE", "inf"),
        ("NULL", None),
        ("DATE '2024-02-03'", "2024-02-03"),
        ("[1, 2]", [1, 2]),
        ("{'a': 1}", {"a": 1}),
        ("'ab'::BLOB", "6162"),
        ("true", True),
        ("170141183460469231731687303715884105727::HUGEINT", "170141183460469231731687303715884105727"),
        ("9007199254740991", 9007199254740991),
        ("9007199254740993", "9007199254740993"),
        ("[{'a': -9007199254740993}]", [{"a": "-9007199254740993"}]),
        ("1e300::DOUBLE", 1e300),
    ],
)
def test_every_type_can_be_shown(page: Asker, expression: str, shown: object) -> None:
    """What JSON cannot say comes as text."""
    assert page.read("sql", query=f"SELECT {expression}")["rows"] == [[shown]]


def test_long_cells_are_cut(page: Asker) -> None:
    """A cell of a megabyte is not sent."""
    assert len(page.read("sql", query="SELECT repeat('x', 1000000)")["rows"][0][0]) < 3_000
