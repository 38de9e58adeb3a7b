"""Embeddings that tamis computed or took over, kept beside the snapshots: they outlive scans.

```
embeddings/<name>/images/set.json             what made them
embeddings/<name>/images/<id>.parquet         rows, in any number of files, each written whole
embeddings/<name>/images/unread.json          what the last run could not read, see `unread_rows`
embeddings/<name>/objects-<task>/...          likewise, of the objects of a task
```
A row holds the fingerprint of what it was made from, so rows of files that changed since are told from those that
still hold, and nothing has to be deleted for that. Later rows replace earlier ones. A row without a vector says
why.
"""

from __future__ import annotations

import io
import secrets
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tamis.errors import IndexMissingError
from tamis.index.embedding_specs import SetSpec, check_replacing
from tamis.index.journal import check_name
from tamis.storage import LocalStore, locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tamis.storage import Store

IMAGE_POSITION = -1
"""The position of a row that is about a whole image or frame."""

_MANY_PARTS = 32
_MERGED_ROWS = 65_536
_READ_ROWS = 8_192


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingRows:
    """Rows of a set.

    Attributes:
        keys: of the samples, shape (n,).
        positions: of the objects in their prediction files, `IMAGE_POSITION` for images; shape (n,).
        fingerprints: of what the vectors were made from, shape (n,).
        contents: digests of the file's bytes, or of the frame's pixels; `None` where there is none.
        faults: why there is no vector, `None` where there is one.
        vectors: shape (n, d); anything where there is a fault.
    """

    keys: Sequence[str]
    positions: NDArray[np.int32]
    fingerprints: NDArray[np.uint64]
    contents: Sequence[bytes | None]
    faults: Sequence[str | None]
    vectors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.positions)


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingSet:
    """One set of embeddings on disk.

    Attributes:
        folder: where it lies.
        spec: what made it.
        bucket: where new rows go instead, for workers of other machines: the bucket and the folder's key in it.
    """

    folder: Path
    spec: SetSpec
    bucket: tuple[Store, str] | None = None

    def append(self, rows: EmbeddingRows) -> None:
        """Write rows, all or none; several processes may do so at once.

        Raises:
            StoreError: when they cannot be written.
        """
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}.parquet"
        data = _parquet(_table(rows, self.spec.n_dims))
        if self.bucket is None:
            LocalStore(self.folder).write(name, data)
        else:
            store, folder = self.bucket
            store.write(f"{folder}/{name}", data)

    def rows(self, *, vectors: bool = True) -> Iterator[EmbeddingRows]:
        """Yield all rows, later ones last; memory is that of a few thousand.

        Args:
            vectors: whether the vectors are read; else they have the shape (n, 0).

        Raises:
            IndexMissingError: when a file of it is damaged.
        """
        for path in self._parts():
            yield from _read_part(path, self.spec, vectors=vectors)

    @property
    def stamp(self) -> str:
        """What changes when rows are added."""
        parts = self._parts()
        return f"{len(parts)}-{parts[-1].stem if parts else ''}"

    def compact(self, holds: Callable[[EmbeddingRows], NDArray[np.bool_]]) -> None:
        """Write many small files as few large ones, without the rows that no longer hold.

        Args:
            holds: tells which rows to keep, each at most once.

        Raises:
            StoreError: when they cannot be written; the old files stand.
        """
        with locked(self.folder / "lock"):
            parts = self._parts()
            if len(parts) < _MANY_PARTS:
                return
            kept: list[EmbeddingRows] = []
            for rows in self.rows():
                kept.append(_keep(rows, holds(rows)))
                if sum(map(len, kept)) >= _MERGED_ROWS:
                    self.append(_joined(kept))
                    kept = []
            if kept:
                self.append(_joined(kept))
            for path in parts:
                path.unlink(missing_ok=True)

    def _parts(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.parquet"))


def embedding_sets(root: Path) -> list[EmbeddingSet]:
    """Return all sets below the folder of an index, the one that was added to last first.

    Raises:
        IndexMissingError: when one is damaged.
    """
    found = [EmbeddingSet(path.parent, _read_spec(path)) for path in (root / "embeddings").glob("*/*/set.json")]
    return sorted(found, key=lambda one: (one.stamp.partition("-")[2], one.spec.created), reverse=True)


def find_set(root: Path, name: str, task: str | None) -> EmbeddingSet | None:
    """Return a set, `None` where there is none of that name.

    Raises:
        IndexMissingError: when it is damaged.
    """
    folder = _folder(root, name, task)
    return EmbeddingSet(folder, _read_spec(folder / "set.json")) if (folder / "set.json").exists() else None


def make_set(root: Path, spec: SetSpec, *, anew: bool = False) -> EmbeddingSet:
    """Return the set of a spec, made if need be.

    Args:
        root: folder of the index.
        spec: what makes it.
        anew: whether one of that name is removed first. That of a file always is: it is whole in the file.

    Raises:
        UsageError: when there is one of that name that something else made, see `check_replacing`.
        StoreError: when it cannot be written.
    """
    there = _there(root, spec, anew=anew)
    if there is not None:
        check_replacing(there.spec, spec, anew=anew)
        if not anew and spec.file is None:
            return _brought_up_to_date(there, spec)
    folder = _folder(root, spec.name, spec.task)
    if anew or there is not None:
        shutil.rmtree(folder, ignore_errors=True)
    _write_spec(folder, spec)
    return EmbeddingSet(folder, spec)


def _brought_up_to_date(there: EmbeddingSet, spec: SetSpec) -> EmbeddingSet:
    """Note where the model of a set is now, and what sets of earlier versions did not say."""
    fresh = msgspec.structs.replace(
        there.spec, model=spec.model, preprocessing=spec.preprocessing, steps=spec.steps, source=spec.source
    )
    if fresh == there.spec:
        return there
    _write_spec(there.folder, fresh)
    return EmbeddingSet(there.folder, fresh)


def _write_spec(folder: Path, spec: SetSpec) -> None:
    LocalStore(folder).write("set.json", msgspec.json.format(msgspec.json.encode(spec)))


def _there(root: Path, spec: SetSpec, *, anew: bool) -> EmbeddingSet | None:
    try:
        return find_set(root, spec.name, spec.task)
    except IndexMissingError:
        if anew:  # what is damaged can be made again
            return None
        raise


def _folder(root: Path, name: str, task: str | None) -> Path:
    level = "images" if task is None else f"objects-{quote(task, safe='')}"
    return root / "embeddings" / check_name(name, "embeddings") / level


def _read_spec(path: Path) -> SetSpec:
    try:
        return msgspec.json.decode(path.read_bytes(), type=SetSpec)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> IndexMissingError:
    return IndexMissingError(
        f"The embeddings in `{path}` cannot be read: {error}",
        hint=f"remove `{path.parent}` and run `tamis embed` again",
    )


def _schema(n_dims: int) -> pa.Schema:
    return pa.schema(
        [
            ("sample", pa.string()),
            ("position", pa.int32()),
            ("fingerprint", pa.uint64()),
            ("content", pa.binary()),
            ("fault", pa.string()),
            ("embedding", pa.list_(pa.float32(), n_dims)),
        ]
    )


def _table(rows: EmbeddingRows, n_dims: int) -> pa.Table:
    flat = pa.array(np.ascontiguousarray(rows.vectors, np.float32).reshape(-1))
    faulty = pa.array([fault is not None for fault in rows.faults], pa.bool_())
    columns = [
        pa.array(rows.keys, pa.string()),
        pa.array(rows.positions, pa.int32()),
        pa.array(rows.fingerprints, pa.uint64()),
        pa.array(rows.contents, pa.binary()),
        pa.array(rows.faults, pa.string()),
        pa.FixedSizeListArray.from_arrays(flat, n_dims, mask=faulty),
    ]
    return pa.table(columns, schema=_schema(n_dims))


def _parquet(table: pa.Table) -> bytes:
    target = io.BytesIO()
    # Vectors do not compress, and looking for repeated values among them is time for nothing.
    pq.write_table(
        table,
        target,
        row_group_size=_READ_ROWS,
        use_dictionary=["fault"],
        compression={name: "none" if name == "embedding" else "zstd" for name in table.column_names}
        | {"embedding.list.element": "none"},
    )
    return target.getvalue()


def _read_part(path: Path, spec: SetSpec, *, vectors: bool) -> Iterator[EmbeddingRows]:
    columns = None if vectors else ["sample", "position", "fingerprint", "content", "fault"]
    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            for group in range(file.num_row_groups):
                yield _rows_of(file.read_row_group(group, columns=columns), spec.n_dims if vectors else 0)
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise _damaged(path, error) from None


def _rows_of(table: pa.Table, n_dims: int) -> EmbeddingRows:
    vectors: NDArray[Any] = np.zeros((len(table), n_dims), np.float32)
    if n_dims:
        column = table["embedding"].combine_chunks()
        flat = column.values.to_numpy(zero_copy_only=False)  # of rows without a vector too
        vectors = flat[column.offset * n_dims :][: len(table) * n_dims].reshape(-1, n_dims)
    return EmbeddingRows(
        keys=table["sample"].to_pylist(),
        positions=table["position"].to_numpy(),
        fingerprints=table["fingerprint"].to_numpy(),
        contents=table["content"].to_pylist(),
        faults=table["fault"].to_pylist(),
        vectors=vectors,
    )


def _keep(rows: EmbeddingRows, mask: NDArray[np.bool_]) -> EmbeddingRows:
    at = np.flatnonzero(mask)
    numbers = at.tolist()
    return EmbeddingRows(
        keys=[rows.keys[i] for i in numbers],
        positions=rows.positions[at],
        fingerprints=rows.fingerprints[at],
        contents=[rows.contents[i] for i in numbers],
        faults=[rows.faults[i] for i in numbers],
        vectors=rows.vectors[at],
    )


def _joined(parts: Sequence[EmbeddingRows]) -> EmbeddingRows:
    return EmbeddingRows(
        keys=[key for part in parts for key in part.keys],
        positions=np.concatenate([part.positions for part in parts]),
        fingerprints=np.concatenate([part.fingerprints for part in parts]),
        contents=[content for part in parts for content in part.contents],
        faults=[fault for part in parts for fault in part.faults],
        vectors=np.concatenate([part.vectors for part in parts]),
    )
