"""Embeddings that users bring: `.npy` with a list of names, `.npz`, Parquet, or CSV."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from tamis.errors import DatasourceError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_KEY_COLUMNS = ("filenames", "filename", "file_name", "sample", "key", "keys", "name", "names", "files")
_VECTOR_COLUMNS = ("embedding", "embeddings", "emb", "vector", "vectors")
_PREFIX = "embedding_"
EMBEDDING_ENDINGS = (".npy", ".npz", ".parquet", ".csv")
"""What the names of files of embeddings end in."""
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)  # what zipfile raises at damaged archives
_HINT = (
    "give `x.npy` (n, d) beside `x.txt` with one sample key a line, an `.npz` with `names` and `embeddings`, a "
    "Parquet file with `sample` and `embedding`, or a CSV with `filenames, embedding_0, embedding_1, ...`"
)


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """Vectors with the samples that they belong to.

    Attributes:
        keys: sample keys, unique.
        vectors: shape (n, d), finite, d at least 1; of any scale.
    """

    keys: list[str]
    vectors: NDArray[np.floating[Any]]


def read_embeddings(path: Path) -> Embeddings:
    """Read embeddings; the ending of the file decides how.

    Raises:
        DatasourceError: when the file cannot be read.
        UsageError: when its content is not what the ending promises, a key appears twice, or a value is not finite.
    """
    readers = {".npy": _read_npy, ".npz": _read_npz, ".parquet": _read_parquet, ".csv": _read_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"`{path}` is no embeddings file: its ending is `{path.suffix}`", hint=_HINT)
    try:
        keys, vectors = reader(path)
    except OSError as error:
        raise DatasourceError(f"`{path}` cannot be read: {error.strerror or error}", hint=_HINT) from None
    except (ValueError, KeyError, pa.ArrowException) as error:
        raise UsageError(f"`{path}` is no embeddings file: {error}", hint=_HINT) from None
    _validate(path, keys, vectors)
    return Embeddings(keys, vectors)


def _validate(path: Path, keys: list[str], vectors: NDArray[Any]) -> None:
    if vectors.ndim != 2 or not np.issubdtype(vectors.dtype, np.floating):  # noqa: PLR2004 (rows and columns)
        raise UsageError(
            f"`{path}`: expected floats of shape (n, d), got {vectors.dtype} {vectors.shape}", hint=_HINT
        )
    if not vectors.shape[1]:
        raise UsageError(f"`{path}`: expected at least one number a sample, got vectors of length 0", hint=_HINT)
    if len(keys) != len(vectors):
        raise UsageError(f"`{path}`: {len(vectors)} embeddings but {len(keys)} names", hint=_HINT)
    if len(set(keys)) < len(keys):
        seen: set[str] = set()
        twice = next(key for key in keys if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise UsageError(f"`{path}`: `{twice}` appears twice", hint="keep one embedding a sample")
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        column = int(np.flatnonzero(~np.isfinite(vectors[bad[0]]))[0])
        raise UsageError(
            f"`{path}`: expected finite numbers, got {vectors[bad[0], column]} in column {column} of "
            f"`{keys[bad[0]]}`" + (f", and {len(bad) - 1} more samples have such values" if len(bad) > 1 else ""),
            hint="remove these samples from the file, or compute them again",
        )


def _read_npy(path: Path) -> tuple[list[str], NDArray[Any]]:
    names = path.with_suffix(".txt")
    if not names.exists():
        raise ValueError(f"there is no `{names.name}` with the sample keys beside it")
    vectors: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    return names.read_text("utf-8-sig").removesuffix("\n").split("\n"), vectors


def _read_npz(path: Path) -> tuple[list[str], NDArray[Any]]:
    with path.open("rb") as file:
        start = file.read(len(np.lib.format.MAGIC_PREFIX))
        file.seek(0)
        if start == np.lib.format.MAGIC_PREFIX:
            raise ValueError("expected several arrays, got one as in an `.npy`")
        if not start.startswith(_ZIP_STARTS):  # NumPy would take it for a pickle, and advise to run it
            raise ValueError("it is empty" if not start else "expected the zip archive that `np.savez` writes")
        try:
            with np.load(file, allow_pickle=False) as archive:
                return _from_archive(archive)
        except _DAMAGED as error:
            raise UsageError(
                f"`{path}` is cut short or damaged: {error}",
                hint="copy it again, or write it again: `np.savez(path, names=keys, embeddings=vectors)`",
            ) from None


def _from_archive(archive: np.lib.npyio.NpzFile) -> tuple[list[str], NDArray[Any]]:
    there = archive.files
    names = _array(archive, _only("array of names", [n for n in _KEY_COLUMNS if n in there], there))
    vectors = _array(archive, _only("array of embeddings", [n for n in _VECTOR_COLUMNS if n in there], there))
    if names.ndim != 1:
        raise ValueError(f"expected a list of names, got an array of shape {names.shape}")
    return names.astype(str).tolist(), vectors


def _array(archive: np.lib.npyio.NpzFile, name: str) -> NDArray[Any]:
    try:
        array = archive[name]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise ValueError(
            f"`{name}` holds Python objects, which are not read, for they can run code: "
            f"save it as `np.array({name}, dtype={'str' if name in _KEY_COLUMNS else 'np.float32'})`"
        ) from None
    if not isinstance(array, np.ndarray):  # NumPy gives the bytes of what is none
        raise ValueError(f"`{name}` is no array")  # noqa: TRY004 (of the file)
    return array


def _read_parquet(path: Path) -> tuple[list[str], NDArray[Any]]:
    return _from_table(pq.read_table(path))


def _read_csv(path: Path) -> tuple[list[str], NDArray[Any]]:
    # The names of numbered images are text, whatever they look like.
    options = pa.csv.ConvertOptions(column_types=dict.fromkeys(_KEY_COLUMNS, pa.string()))
    return _from_table(pa.csv.read_csv(path, convert_options=options))


def _from_table(table: pa.Table) -> tuple[list[str], NDArray[Any]]:
    names = table.column_names
    key = _only("column of sample keys", [n for n in _KEY_COLUMNS if n in names], names)
    keys = table[key].cast(pa.string()).to_pylist()
    if None in keys:
        raise ValueError(f"row {keys.index(None) + 1} has no name")
    numbered = sorted((n for n in names if n.startswith(_PREFIX)), key=lambda n: int(n[len(_PREFIX) :]))
    if numbered:
        columns = [table[n].cast(pa.float64(), safe=False).to_numpy() for n in numbered]
        return keys, np.stack(columns, axis=1)
    vectors = table[
        _only("column of embeddings", [n for n in _VECTOR_COLUMNS if n in names], names)
    ].combine_chunks()
    if not isinstance(vectors, pa.ListArray | pa.LargeListArray | pa.FixedSizeListArray):
        raise ValueError(f"expected lists of numbers as embeddings, got {vectors.type}")  # noqa: TRY004 (of the file)
    if vectors.null_count:
        raise ValueError(f"`{keys[vectors.is_null().index(True).as_py()]}` has no embedding")
    lengths = pc.min_max(pc.list_value_length(vectors)).as_py()
    if lengths["min"] != lengths["max"]:
        raise ValueError(f"the embeddings have different lengths: {lengths['min']} to {lengths['max']}")
    flat = vectors.flatten().to_numpy(zero_copy_only=False)
    return keys, np.asarray(flat, flat.dtype).reshape(len(keys), lengths["max"] or 0)


def _only(what: str, found: list[str], there: list[str]) -> str:
    if len(found) != 1:
        listed = ", ".join(f"`{name}`" for name in there)
        raise ValueError(f"expected one {what}, got {len(found)} among {listed}")
    return found[0]
