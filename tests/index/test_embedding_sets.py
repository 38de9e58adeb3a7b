from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tamis.errors import UsageError
from tamis.index import EmbeddingRows, SetSpec, embedding_sets, find_set, make_set

if TYPE_CHECKING:
    from pathlib import Path

SPEC = SetSpec(name="v", task=None, encoder="e 1", source="test", n_dims=3)


def _rows(*keys: str, start: int = 0) -> EmbeddingRows:
    n = len(keys)
    return EmbeddingRows(
        keys=keys,
        positions=np.full(n, -1, np.int32),
        fingerprints=np.arange(start, start + n, dtype=np.uint64) + np.uint64(2**63),
        contents=[key.encode() if i % 2 else None for i, key in enumerate(keys)],
        faults=["broken" if key == "bad" else None for key in keys],
        vectors=np.arange(3 * n, dtype=np.float32).reshape(n, 3) + start,
    )


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    """Each part in its order, with all columns; a row without a vector keeps its reason."""
    one = make_set(tmp_path, SPEC)
    written = [_rows("a", "bad", "ü #\n"), _rows("b", start=7), _rows()]
    for rows in written:
        one.append(rows)
    read = list(one.rows())
    assert [key for rows in read for key in rows.keys] == ["a", "bad", "ü #\n", "b"]
    assert [fault for rows in read for fault in rows.faults] == [None, "broken", None, None]
    assert read[0].contents[1] == b"bad"
    assert int(read[0].fingerprints[1]) == 2**63 + 1
    assert np.array_equal(read[0].vectors[[0, 2]], written[0].vectors[[0, 2]])
    assert np.array_equal(read[1].vectors, written[1].vectors)
    assert next(iter(one.rows(vectors=False))).vectors.shape == (3, 0)


def test_many_parts_become_few(tmp_path: Path) -> None:
    """Compacting keeps the rows that are asked to stay, and nothing else."""
    one = make_set(tmp_path, SPEC)
    for i in range(40):
        one.append(_rows(f"k{i}", f"gone{i}", start=i))
    before = one.stamp
    one.compact(lambda rows: np.array([key.startswith("k") for key in rows.keys], np.bool_))
    assert len(list(one.folder.glob("0*.parquet"))) == 1
    assert one.stamp != before
    assert [key for rows in one.rows() for key in rows.keys] == [f"k{i}" for i in range(40)]


def test_sets_are_found_and_told_apart(tmp_path: Path) -> None:
    """Images and objects of one name are two sets, the one added to last first; another encoder is refused."""
    images = make_set(tmp_path, SPEC)
    objects = make_set(tmp_path, SetSpec(name="v", task="a/b:c", encoder="e 1", source="test", n_dims=3))
    objects.append(_rows("a"))
    images.append(_rows("a"))
    assert [one.spec.task for one in embedding_sets(tmp_path)] == [None, "a/b:c"]
    found = find_set(tmp_path, "v", "a/b:c")
    assert found is not None
    assert found.folder == objects.folder
    assert find_set(tmp_path, "w", None) is None
    other = SetSpec(name="v", task=None, encoder="e 2", source="other", n_dims=3)
    with pytest.raises(UsageError, match="were made otherwise: test"):
        make_set(tmp_path, other)
    assert not list(make_set(tmp_path, other, anew=True).rows())
    with pytest.raises(UsageError, match="cannot be the name of embeddings"):
        make_set(tmp_path, SetSpec(name="../v", task=None, encoder="e", source="s", n_dims=3))
