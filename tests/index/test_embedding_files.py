"""Embeddings in every kind of file, whole and broken."""

from __future__ import annotations

import csv
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tamis.errors import DatasourceError, TamisError, UsageError
from tamis.index import read_embeddings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

KEYS = ["b/2.jpg", "a 1.jpg", "007.png", "ü\u2028x.jpg"]
VECTORS = np.array([[0.1, -2.5, 3e-7], [1, 0, 0], [0.25, 1e30, 7], [0, 0, -0.0]])


def write_npy(path: Path, keys: list[str], vectors: NDArray[Any]) -> None:
    np.save(path, vectors)
    path.with_suffix(".txt").write_text("".join(f"{key}\n" for key in keys), "utf-8")


def write_npz(path: Path, keys: list[str], vectors: NDArray[Any]) -> None:
    np.savez(path, names=np.array(keys), embeddings=vectors)


def write_packed_npz(path: Path, keys: list[str], vectors: NDArray[Any]) -> None:
    np.savez_compressed(path, filenames=np.array(keys), vectors=vectors)


def write_parquet(path: Path, keys: list[str], vectors: NDArray[Any]) -> None:
    pq.write_table(pa.table({"sample": keys, "embedding": list(vectors)}), path)


def write_fixed_parquet(path: Path, keys: list[str], vectors: NDArray[Any]) -> None:
    lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    pq.write_table(pa.table({"filename": keys, "vector": lists}), path, row_group_size=2)


def write_wide_parquet(path: Path, keys: list[str], vectors: NDArray[Any]) -> None:
    order = list(range(vectors.shape[1]))[::-1]
    columns = {f"embedding_{i}": vectors[:, i] for i in order}
    pq.write_table(pa.table({**columns, "filenames": keys, "other": [1] * len(keys)}), path)


def write_csv(path: Path, keys: list[str], vectors: NDArray[Any]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["filenames", *(f"embedding_{i}" for i in range(vectors.shape[1])), "labels"])
        writer.writerows([key, *map(repr, row), 0] for key, row in zip(keys, vectors.tolist(), strict=True))


WRITERS: dict[str, tuple[str, Callable[[Any, list[str], NDArray[Any]], None]]] = {
    "npy": ("e.npy", write_npy),
    "npz": ("e.npz", write_npz),
    "packed npz": ("e.npz", write_packed_npz),
    "parquet": ("e.parquet", write_parquet),
    "fixed parquet": ("e.PARQUET", write_fixed_parquet),
    "wide parquet": ("e.parquet", write_wide_parquet),
    "csv": ("e.csv", write_csv),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_what_is_written_is_read(kind: str, tmp_path: Path) -> None:
    """Every kind of file gives the keys in order and the vectors to the last bit."""
    name, write = WRITERS[kind]
    write(tmp_path / name, KEYS, VECTORS)
    read = read_embeddings(tmp_path / name)
    assert read.keys == KEYS
    assert read.vectors.dtype == np.float64
    assert np.array_equal(read.vectors, VECTORS)


@pytest.mark.parametrize("kind", ["npy", "npz", "parquet", "fixed parquet"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_keep_their_width(kind: str, dtype: type, tmp_path: Path) -> None:
    """Floats are kept as wide as they are: what fits in memory in the file does so here."""
    name, write = WRITERS[kind]
    vectors: NDArray[Any] = np.array([[0.5, 1], [2, 4]], dtype)
    write(tmp_path / name, ["a", "b"], vectors)
    read = read_embeddings(tmp_path / name)
    assert read.vectors.dtype == dtype
    assert np.array_equal(read.vectors, vectors)


def test_ten_columns_are_in_numeric_order(tmp_path: Path) -> None:
    """`embedding_10` comes after `embedding_9`, wherever the columns stand."""
    vectors = np.arange(24.0).reshape(2, 12)
    write_wide_parquet(tmp_path / "e.parquet", ["a", "b"], vectors)
    assert np.array_equal(read_embeddings(tmp_path / "e.parquet").vectors, vectors)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_named(kind: str, value: float, tmp_path: Path) -> None:
    """A value that is not finite is refused with its sample and column, and the others are counted."""
    name, write = WRITERS[kind]
    vectors = VECTORS.copy()
    vectors[2, 1] = vectors[3, 0] = value
    write(tmp_path / name, KEYS, vectors)
    with pytest.raises(UsageError) as caught:
        read_embeddings(tmp_path / name)
    assert caught.value.message == (
        f"`{tmp_path / name}`: expected finite numbers, got {value} in column 1 of `007.png`, "
        "and 1 more samples have such values"
    )


@pytest.mark.parametrize("kind", WRITERS)
def test_a_sample_has_one_embedding(kind: str, tmp_path: Path) -> None:
    """A key that stands twice is refused by name."""
    name, write = WRITERS[kind]
    write(tmp_path / name, ["x", "y", "z", "y"], VECTORS)
    with pytest.raises(UsageError, match="`y` appears twice"):
        read_embeddings(tmp_path / name)


@pytest.mark.parametrize("kind", WRITERS)
def test_damage_is_an_error_that_names_the_file(kind: str, tmp_path: Path) -> None:
    """Whatever bytes are lost or changed, the file is read whole or refused by name, never half."""
    name, write = WRITERS[kind]
    path = tmp_path / name
    write(path, KEYS, VECTORS)
    data = path.read_bytes()
    cuts = [data[: len(data) * i // 12] for i in range(12)]
    flips = [
        data[:i] + bytes([data[i] ^ 0xFF]) + data[i + 1 :] for i in range(0, len(data), max(1, len(data) // 25))
    ]
    for broken in [*cuts, *flips, b"\0" * 100, b"\x93NUMPY", b"PK\x03\x04", b"PAR1" * 4, b"a,b\n1"]:
        path.write_bytes(broken)
        try:
            read = read_embeddings(path)
        except TamisError as error:
            assert str(path) in error.message  # noqa: PT017 (either outcome is right)
        else:
            assert read.vectors.ndim == 2
            assert len(read.keys) == len(read.vectors)


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_embeddings(path)
    prefix = f"`{path}` is no embeddings file: "
    return caught.value.message.removeprefix(prefix)


def test_the_names_of_an_npy_are_beside_it(tmp_path: Path) -> None:
    """Names may end with or without a line end; without their file, or with one too many, the file is refused."""
    path = tmp_path / "e.npy"
    np.save(path, VECTORS[:2])
    assert refusal(path) == "there is no `e.txt` with the sample keys beside it"
    for text in ("a\nb", "a\nb\n", "\ufeffa\nb\n"):
        (tmp_path / "e.txt").write_text(text, "utf-8")
        assert read_embeddings(path).keys == ["a", "b"]
    (tmp_path / "e.txt").write_text("a\nb\nc\n")
    assert "2 embeddings but 3 names" in refusal(path)


def test_what_a_table_must_have(tmp_path: Path) -> None:
    """Each way in which the columns of a table cannot be embeddings has its message."""
    path = tmp_path / "e.parquet"
    two = ["a", "b"]
    cases: dict[str, dict[str, Any]] = {
        "expected one column of sample keys, got 0 among `x`, `embedding`": {"x": two, "embedding": [[1.0], [2.0]]},
        "expected one column of sample keys, got 2 among `sample`, `name`": {"sample": two, "name": two},
        "expected one column of embeddings, got 0 among `sample`, `x`": {"sample": two, "x": [1, 2]},
        "row 2 has no name": {"sample": ["a", None], "embedding": [[1.0], [2.0]]},
        "the embeddings have different lengths: 1 to 2": {"sample": two, "embedding": [[1.0], [1.0, 2.0]]},
        "`b` has no embedding": {"sample": two, "embedding": [[1.0], None]},
        "expected lists of numbers as embeddings, got double": {"sample": two, "embedding": [1.0, 2.0]},
    }
    for message, columns in cases.items():
        pq.write_table(pa.table(columns), path)
        assert refusal(path) == message
    pq.write_table(pa.table({"sample": two, "embedding": [["x"], ["y"]]}), path)
    assert "expected floats of shape (n, d)" in refusal(path)
    lists = pa.array([[1.0], None], pa.list_(pa.float64(), 1))
    pq.write_table(pa.table({"sample": two, "embedding": lists}), path)
    assert refusal(path) == "`b` has no embedding"


def test_what_an_npz_must_have(tmp_path: Path) -> None:
    """Likewise for the arrays of an archive."""
    path = tmp_path / "e.npz"
    cases: dict[str, dict[str, Any]] = {
        "expected one array of names, got 0 among `embeddings`": {"embeddings": VECTORS},
        "expected one array of embeddings, got 0 among `names`": {"names": KEYS},
        "expected a list of names, got an array of shape (2, 2)": {"names": [["a"] * 2] * 2, "embeddings": VECTORS},
    }
    for message, arrays in cases.items():
        np.savez(path, **arrays)
        assert refusal(path) == message
    np.savez(path, names=np.array(["a"], object), embeddings=VECTORS[:1])
    assert refusal(path) == (
        "`names` holds Python objects, which are not read, for they can run code: "
        "save it as `np.array(names, dtype=str)`"
    )
    for vectors in (np.ones(4), np.ones((4, 2), int), np.ones((4, 2, 2)), np.array(1.5)):
        np.savez(path, names=KEYS, embeddings=vectors)
        assert "expected floats of shape (n, d)" in refusal(path)
    np.save(tmp_path / "one.npy", VECTORS)
    path.write_bytes((tmp_path / "one.npy").read_bytes())
    assert refusal(path) == "expected several arrays, got one as in an `.npy`"


@pytest.mark.parametrize("write", [write_npz, write_packed_npz])
def test_a_damaged_npz_is_named_as_such(tmp_path: Path, write: Callable[..., None]) -> None:
    """Cut at any place or with any byte changed, an archive reads as it was or is refused in our own words."""
    path = tmp_path / "e.npz"
    write(path, KEYS, VECTORS)
    whole = path.read_bytes()
    damaged = [whole[:n] for n in range(len(whole))]
    damaged += [whole[:n] + bytes([byte ^ 0xFF]) + whole[n + 1 :] for n, byte in enumerate(whole)]
    for data in damaged:
        path.write_bytes(data)
        with suppress(TamisError):
            read = read_embeddings(path)
            assert (read.keys, read.vectors.tolist()) == (KEYS, VECTORS.tolist())
            continue
        with pytest.raises(TamisError) as caught:
            read_embeddings(path)
        assert str(path) in caught.value.message
        assert caught.value.hint
        assert "pickle" not in caught.value.message + caught.value.hint
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match="is cut short or damaged") as caught:
        read_embeddings(path)
    assert "copy it again" in (caught.value.hint or "")


def test_what_a_csv_must_have(tmp_path: Path) -> None:
    """Words among the numbers are refused, an empty cell is a number that is missing."""
    path = tmp_path / "e.csv"
    path.write_text("filenames,embedding_0\n1,x\n")
    assert "x" in refusal(path)
    path.write_text("filenames,embedding_0,embedding_1\n1,0.5,\n")
    assert "got nan in column 1 of `1`" in refusal(path)
    path.write_text("filenames,embedding_x\n1,0.5\n")
    refusal(path)
    path.write_text("filenames,embedding_0\n0012,1\n")  # whole numbers are numbers, names are text
    read = read_embeddings(path)
    assert (read.keys, read.vectors.tolist()) == (["0012"], [[1.0]])


def test_files_that_cannot_be(tmp_path: Path) -> None:
    """An unknown ending is refused with what would do, a missing file and a folder are errors of their own."""
    with pytest.raises(UsageError, match=r"its ending is `\.pkl`") as caught:
        read_embeddings(tmp_path / "e.pkl")
    assert "`.npz` with `names` and `embeddings`" in (caught.value.hint or "")
    for ending in ("npz", "parquet", "csv"):
        with pytest.raises(DatasourceError, match="cannot be read"):
            read_embeddings(tmp_path / f"gone.{ending}")
        (tmp_path / f"folder.{ending}").mkdir()
        with pytest.raises(TamisError, match=f"folder.{ending}"):
            read_embeddings(tmp_path / f"folder.{ending}")


@pytest.mark.parametrize("name", ["e.npy", "e.npz", "e.parquet"])
def test_vectors_without_a_number_are_refused(name: str, tmp_path: Path) -> None:
    """Vectors of length 0 are none, whatever holds them."""
    writers = {"e.npy": write_npy, "e.npz": write_npz, "e.parquet": write_parquet}
    writers[name](tmp_path / name, KEYS, np.zeros((4, 0)))
    with pytest.raises(UsageError, match="expected at least one number a sample, got vectors of length 0"):
        read_embeddings(tmp_path / name)
