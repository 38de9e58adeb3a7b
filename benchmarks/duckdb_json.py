"""Let DuckDB read the predictions of a task into a table, and count the boxes: `duckdb_json.py TASK_FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

READ = """
CREATE TABLE predictions AS
SELECT filename, unnest(predictions, recursive := true)
FROM read_json(?, filename := true, columns := {
  predictions: 'STRUCT(category_id BIGINT, bbox DOUBLE[], score DOUBLE, probabilities DOUBLE[])[]'
})
"""


def main() -> None:
    files = [str(path) for path in Path(sys.argv[1]).rglob("*.json") if path.name != "schema.json"]
    con = duckdb.connect()
    con.execute(READ, [files])
    row = con.execute("SELECT count(*) FROM predictions").fetchone()
    print(row and row[0])


if __name__ == "__main__":
    main()
