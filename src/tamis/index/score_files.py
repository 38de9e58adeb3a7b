"""Numbers of samples or objects in files of their own: what one use case measures and another selects by."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from tamis.errors import DatasourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tamis.model.columns import Floats, Ints

SCORE_FILE_ENDINGS = (".parquet", ".csv")
_KEYS = ("key", "sample")


def object_keys(samples: Sequence[str], sample: Ints, task: str, position: Ints) -> pa.Array:
    """Return the keys of many objects, `SAMPLE#TASK#POSITION`, shape (n,).

    Args:
        samples: sample keys.
        sample: index of each object's sample, shape (n,).
        task: its task.
        position: its place in the prediction file, shape (n,).
    """
    keys = pa.array(samples, pa.large_string()).take(pa.array(sample))
    places = pa.array(position).cast(pa.large_string())
    return pc.binary_join_element_wise(
        keys, pa.scalar(task, pa.large_string()), places, pa.scalar("#", pa.large_string())
    ).cast(pa.string())


def score_table(columns: Mapping[str, NDArray[Any] | Sequence[Any] | pa.Array]) -> bytes:
    """Return columns as Parquet, NaN as null; the first of them are keys."""
    arrays = {
        name: pa.array(values, from_pandas=True) if isinstance(values, np.ndarray) else values
        for name, values in columns.items()
    }
    target = io.BytesIO()
    pq.write_table(pa.table(arrays), target)
    return target.getvalue()


def read_scores(path: Path, column: str) -> tuple[pa.Array, Floats]:
    """Read a column of numbers and the keys that they are of, from Parquet or CSV.

    The keys are in the column `key` or `sample`.

    Args:
        path: the file.
        column: name of the column.

    Returns:
        Keys, and a number each, NaN where there is none; both of shape (n,).

    Raises:
        DatasourceError: when the file cannot be read.
        UsageError: when it has no keys, a key twice, no such column, or one without numbers.
    """
    table = _read(path)
    names = table.column_names
    key = next((name for name in _KEYS if name in names), None)
    if key is None:
        raise UsageError(f"`{path}` has no column `key`", hint=f"its columns are {_listed(names)}")
    if column not in names:
        raise UsageError(f"`{path}` has no column `{column}`", hint=f"its columns are {_listed(names)}")
    values = table[column]
    if not (
        pa.types.is_floating(values.type) or pa.types.is_integer(values.type) or pa.types.is_boolean(values.type)
    ):
        raise UsageError(f"Column `{column}` of `{path}` holds no numbers: its type is {values.type}")
    keys = table[key].cast(pa.string()).combine_chunks()
    numbers = np.asarray(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
    if np.isinf(numbers).any():
        at = int(np.flatnonzero(np.isinf(numbers))[0])
        raise UsageError(f"Column `{column}` of `{path}` is not finite for `{keys[at].as_py()}`")
    repeated = pc.value_counts(keys)
    for one in repeated.filter(pc.greater(repeated.field("counts"), 1))[:1].to_pylist():
        raise UsageError(f"`{path}` names `{one['values']}` {one['counts']} times", hint="give each key one row")
    return keys, numbers


def _read(path: Path) -> pa.Table:
    try:
        with path.open("rb") as file:  # Arrow's own opening says of a missing file its name alone
            return pa_csv.read_csv(file) if path.suffix.lower() == ".csv" else pq.read_table(file)
    except OSError as error:
        raise DatasourceError(f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from None
    except pa.ArrowException as error:
        what = "CSV" if path.suffix.lower() == ".csv" else "Parquet"
        raise DatasourceError(f"`{path}` is no {what} file: {error}") from None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
