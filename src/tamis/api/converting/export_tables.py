"""Predictions as tables (CSV, Parquet), a row each, and as JSON Lines, a sample each."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tamis.api.converting.exporting import ExportReport, Losses, output_file, temporary_beside
from tamis.errors import UsageError
from tamis.formats import encode_predictions

if TYPE_CHECKING:
    from tamis.api.converting.exporting import Chosen, ExportOptions

_NO_FILE = "samples without a valid prediction file"
_QUERY = """
    SELECT p.sample AS file_name, p.position, p.category_id, c.name AS category, p.score,
           p.bbox_x, p.bbox_y, p.bbox_width, p.bbox_height, p.probabilities, p.mask, p.keypoints
    FROM {schema}.predictions p JOIN categories c ON c.id = p.category_id
    {where}
    ORDER BY p.sample, p.position
"""


def export_csv(chosen: Chosen, options: ExportOptions) -> ExportReport:
    """Write predictions as CSV: lists of numbers stand in brackets.

    Raises:
        UsageError: when what is there may not be replaced.
        DatasourceError: when the file cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="tamis-export-") as folder, output_file(options) as file:
        path = Path(folder) / "table.csv"
        n_rows = _copy(chosen, path, "FORMAT csv, HEADER")
        with path.open("rb") as written:
            shutil.copyfileobj(written, file)
    return _report(chosen, options, n_rows)


def export_parquet(chosen: Chosen, options: ExportOptions) -> ExportReport:
    """Write predictions as Parquet.

    Raises:
        UsageError: when no file is named, or what is there may not be replaced.
        DatasourceError: when the file cannot be written.
    """
    if options.out is None:
        raise UsageError("Where to write is not said", hint="give the file with `--out`")
    with temporary_beside(options.out, replace=options.replace) as path:
        n_rows = _copy(chosen, path, "FORMAT parquet, COMPRESSION zstd")
    return _report(chosen, options, n_rows)


def export_jsonl(chosen: Chosen, options: ExportOptions) -> ExportReport:
    """Write a line for each sample: what its prediction file holds, an empty one too.

    Raises:
        UsageError: when what is there may not be replaced.
        DatasourceError: when the file cannot be written.
    """
    losses, n_samples, n_predictions = Losses(), 0, 0
    with output_file(options) as file:
        for sample in chosen:
            file.write(encode_predictions(chosen.task, sample.key, sample.predictions) + b"\n")
            n_samples += 1
            n_predictions += len(sample.predictions)
    for key in chosen.without_file():
        losses.add(_NO_FILE, key)
    out = None if options.out is None else str(options.out)
    return ExportReport(out=out, samples=n_samples, predictions=n_predictions, not_held=losses.all())


def _copy(chosen: Chosen, path: Path, how: str) -> int:
    """Let DuckDB write the rows, straight from the index; return how many there are."""
    snapshot = chosen.samples.snapshot
    connection = snapshot.connect()
    task = chosen.task
    connection.execute(
        "CREATE TEMP TABLE categories AS SELECT unnest(?) AS id, unnest(?) AS name",
        [list(task.category_ids), list(task.category_names)],
    )
    where = ""
    if chosen.at is not None:
        keys = [chosen.samples.keys[number] for number in chosen.at.tolist()]
        connection.execute("CREATE TEMP TABLE chosen AS SELECT unnest(?::VARCHAR[]) AS sample", [keys])
        where = "WHERE p.sample IN (SELECT sample FROM chosen)"
    query = _QUERY.format(schema=snapshot.sql_schemas()[task.name], where=where)
    target = str(path).replace("'", "''")
    # Memory stays bounded: DuckDB sorts in parts where the rows are many.
    [(n_rows,)] = connection.execute(f"COPY ({query}) TO '{target}' ({how})").fetchall()
    return int(n_rows)


def _report(chosen: Chosen, options: ExportOptions, n_rows: int) -> ExportReport:
    losses = Losses()
    samples = chosen.samples
    counts = samples.numbers(f"sample_scores:{chosen.task.name}", "n_predictions")
    numbers = range(len(samples)) if chosen.at is None else chosen.at.tolist()
    for number in numbers:
        if counts[number] == 0:
            losses.add("samples whose file says that nothing was seen: a table has no row for them; `jsonl` has",
                       samples.keys[number])  # fmt: skip
    for key in chosen.without_file():
        losses.add(_NO_FILE, key)
    n_samples = sum(1 for number in numbers if counts[number] > 0)
    out = None if options.out is None else str(options.out)
    return ExportReport(out=out, samples=n_samples, predictions=n_rows, not_held=losses.all())
