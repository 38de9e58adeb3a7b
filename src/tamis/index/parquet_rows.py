"""Rows of any Parquet file, a batch at a time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from tamis.errors import DatasourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_BATCH_ROWS = 10_000


def parquet_columns(path: Path) -> list[str]:
    """Return the names of the columns of a file.

    Raises:
        DatasourceError: when it cannot be read.
    """
    with _opened(path) as file:
        names: list[str] = file.schema_arrow.names
    return names


def parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file as mappings; memory is that of a batch.

    Args:
        path: the file.
        columns: those to read; others cost nothing, and those that are not there are left out.

    Raises:
        DatasourceError: when it cannot be read.
    """
    with _opened(path) as file:
        there = [name for name in columns if name in file.schema_arrow.names]
        for batch in file.iter_batches(_BATCH_ROWS, columns=there):
            yield from batch.to_pylist()


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except OSError as error:
        raise DatasourceError(f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from None
    except pa.ArrowException as error:
        raise DatasourceError(f"`{path}` is no Parquet file: {error}") from None
