"""CSV and Parquet tables into the layout, a row an object, in any order."""

from __future__ import annotations

import csv
from itertools import islice
from typing import TYPE_CHECKING, Any

from tamis.api.converting.label_files import LabelImport, ids_by_name, numbered, task_of
from tamis.api.converting.spill import Spill
from tamis.api.converting.tasks import read_classes
from tamis.errors import DatasourceError, UsageError
from tamis.formats import (
    TABLE_COLUMNS,
    ForeignError,
    ForeignObject,
    ParsedImage,
    TableColumns,
    category_of,
    decode_row,
    find_columns,
    table_type,
)
from tamis.index import parquet_columns, parquet_rows
from tamis.model import TaskType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tamis.api.converting.values import ImportOptions, ImportReport
    from tamis.api.sources import Sources
    from tamis.engine import ProgressListener

_FIRST_ROWS = 1_000
_PARQUET = frozenset({".parquet", ".pq"})


def import_table(sources: Sources, path: Path, options: ImportOptions, *, listen: ProgressListener) -> ImportReport:
    """Import a table: Parquet by its ending, else CSV with a header.

    Raises:
        UsageError: when the columns do not say enough, or it would overwrite; nothing was written.
        DatasourceError: when the file cannot be read or written.
    """
    first = list(islice(_rows(path), _FIRST_ROWS))
    try:
        columns = find_columns(_header(path))
    except ValueError as error:
        raise UsageError(f"`{path}` cannot be read: {error}") from None
    task_type = options.task_type or _type_of(first, columns, path)
    if task_type is not TaskType.CLASSIFICATION and options.score is None and columns.score is None:
        raise UsageError(
            f"`{path}` has no column of scores, and none are invented",
            hint="`--score 1` gives labels the score of a sure prediction",
        )
    if options.classes is None and any(row.get("probabilities") for row in first):
        raise UsageError(
            f"`{path}` has probabilities, whose order follows from all categories, not only those that occur",
            hint="name all categories with `--classes`: the `schema.json` of a task will do",
        )
    categories = read_classes(options.classes_path) if options.classes else _categories(path, columns)
    if not categories:
        raise UsageError(f"`{path}` names no categories", hint="name them with `--classes`")
    task = task_of(options, task_type, categories, str(path))
    work = LabelImport(sources, options, task, "row")
    if columns.unused:
        work.tally.add("columns-unused", f"got {_listed(columns.unused)}", path.name, count=len(columns.unused))
    with Spill(ForeignObject, path.stat().st_size) as spill:
        names = _read(path, columns, ids_by_name(task), spill, work)
        parts = (
            (names[group], ParsedImage(names[group], None, objects, [], is_relative=columns.is_relative))
            for group, objects in spill.groups()
        )
        return work.run(parts, len(names), listen)


def _type_of(first: Sequence[dict[str, Any]], columns: TableColumns, path: Path) -> TaskType:
    """Return the type of predictions that a table holds.

    Raises:
        UsageError: when it would be that of classes alone, but columns are left that look like places.
    """
    task_type = table_type(first, columns)
    if task_type is TaskType.CLASSIFICATION and columns.unused_places:
        raise UsageError(
            f"`{path}` has columns that look like places, but are none that is known: "
            f"{_listed(columns.unused_places)}",
            hint="name boxes `bbox_x`, `bbox_y`, `bbox_width`, `bbox_height` or `x1`, `y1`, `x2`, `y2`; "
            "`--type classification` takes the classes alone",
        )
    return task_type


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _read(
    path: Path, columns: TableColumns, ids: Mapping[str, int], spill: Spill[ForeignObject], work: LabelImport
) -> list[str]:
    """Put rows with their images, and count those that cannot be read; return the names of the images."""
    groups: dict[str, int] = {}
    for number, row in enumerate(_rows(path), 1):
        name = str(row.get(columns.image) or "")
        try:
            found = decode_row(row, number, columns, ids)
        except ForeignError as error:
            work.n_records += 1
            work.tally.add_error(error, f"row {number:,} ({name})")
            continue
        spill.add(groups.setdefault(name, len(groups)), found)
    return list(groups)


def _categories(path: Path, columns: TableColumns) -> list[dict[str, Any]]:
    """Return the categories that occur: ids with their names, or names in their order."""
    id_column, name_column = columns.category_id, columns.name
    if id_column is None:
        return numbered(str(row.get(name_column or "")) for row in _rows(path))
    found: dict[int, str] = {}
    for row in _rows(path):
        try:
            category_id = category_of(row, id_column)
        except ForeignError:
            continue  # counted when the row is read
        if category_id < 0:
            continue  # likewise
        found.setdefault(category_id, str(row.get(name_column) or category_id) if name_column else str(category_id))
    return [{"id": category_id, "name": name} for category_id, name in sorted(found.items())]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix.lower() in _PARQUET:
        yield from parquet_rows(path, TABLE_COLUMNS)
        return
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _no_csv(path, error) from None


def _header(path: Path) -> list[str]:
    """Return the names of the columns."""
    if path.suffix.lower() in _PARQUET:
        return parquet_columns(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _no_csv(path, error) from None


def _no_csv(path: Path, error: Exception) -> DatasourceError:
    return DatasourceError(f"`{path}` cannot be read as CSV: {str(error).lower()}")
