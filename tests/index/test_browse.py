"""The arrays of the page hold what the shards hold, however many there are and whatever of them is dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tamis
from strategies_datasource import Folder, box, fill
from tamis.index import Index, build_tables, forget_tables, open_tables

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.index import SampleTable, Snapshot, TaskRows


def _built(snapshot: Snapshot) -> tuple[SampleTable, TaskRows]:
    early: list[SampleTable] = []
    build_tables(snapshot, ready=early.append, listen=lambda *_: None)
    tables = open_tables(snapshot)
    assert tables is not None
    assert early[0].keys.equals(tables[0].keys)
    return tables[0], tables[1]["cars"]


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """Of several shards, in some of which units are dead."""
    folder = Folder(tmp_path)
    fill(folder, 40)
    ds = tamis.open(tmp_path)
    ds.scan(tamis.ScanOptions(workers=1))
    for i in range(0, 40, 7):
        folder.predict("cars", f"{('', 'day 1/', 'a/b/')[i % 3]}{i}", box(score=0.25), box(score=0.75))
    ds.scan(tamis.ScanOptions(workers=1))
    assert len(ds.snapshot.manifest.shards) > 1
    assert ds.snapshot.manifest.dead
    return ds.snapshot


def test_rows_are_those_of_the_table(snapshot: Snapshot) -> None:
    """Law: the rows of each sample are those of the table `predictions`, the surest first."""
    samples, rows = _built(snapshot)
    table = snapshot.table("predictions:cars").to_pylist()
    keys = samples.names(range(len(samples)))
    assert keys == sorted(snapshot.table("samples")["key"].to_pylist(), key=str.encode)
    for number, key in enumerate(keys):
        own = sorted(
            (row for row in table if row["sample"] == key), key=lambda row: (-row["score"], row["position"])
        )
        at = slice(int(rows.offsets[number]), int(rows.offsets[number + 1]))
        assert rows.position[at].tolist() == [row["position"] for row in own]
        assert rows.score[at].tolist() == [row["score"] for row in own]
        assert samples.number(key) == number
    assert samples.number("none") is None
    with_file = set(snapshot.table("sample_scores:cars")["sample"].to_pylist())
    assert rows.has_file.tolist() == [key in with_file for key in keys]


def test_postings_are_all_rows_by_class_and_score(snapshot: Snapshot) -> None:
    """Law: the postings are a permutation of the rows, ascending by score within each class."""
    samples, rows = _built(snapshot)
    assert sorted(rows.posting_row.tolist()) == list(range(len(rows)))
    for category in range(len(rows.task.category_ids)):
        at = slice(int(rows.posting_starts[category]), int(rows.posting_starts[category + 1]))
        own = rows.posting_row[at]
        assert set(rows.category[own].tolist()) <= {category}
        assert rows.posting_score[at].tolist() == sorted(rows.score[own].tolist())
        assert rows.posting_sample[at].tolist() == [rows.sample_of_row(row) for row in own.tolist()]
        pairs = rows.pair_sample[int(rows.pair_starts[category]) : int(rows.pair_starts[category + 1])]
        assert pairs.tolist() == sorted(set(rows.posting_sample[at].tolist()))
    assert len(samples) == len(rows.offsets) - 1


@settings(max_examples=40)
@given(st.lists(st.booleans(), min_size=40, max_size=40), st.integers(1, 40))
def test_counts_among_few_and_among_many_are_the_same(chosen: list[bool], bins: int) -> None:
    """Law: whichever way is shorter, classes and scores are counted alike."""
    rows = _OPEN[0]
    among = np.zeros(len(rows.has_file), np.bool_)
    among[: len(chosen)] = chosen[: len(among)]
    held = np.repeat(among, rows.counts)
    predictions, with_class = rows.class_counts(among)
    n = len(rows.task.category_ids)
    assert predictions.tolist() == np.bincount(rows.category[held], minlength=n).tolist()
    sample = np.repeat(np.arange(len(among)), rows.counts)
    pairs = {(int(c), int(s)) for c, s in zip(rows.category[held], sample[held], strict=True)}
    assert with_class.tolist() == [sum(c == i for c, _ in pairs) for i in range(n)]
    edges = np.arange(bins + 1) / bins
    tops = [*edges[1:-1], 2.0]  # the last edge belongs to the last bin
    expected = [
        int(((rows.score[held] >= low) & (rows.score[held] < high)).sum())
        for low, high in zip(edges, tops, strict=False)
    ]
    assert rows.score_counts(edges, among)[:-1].tolist() == expected


_OPEN: list[TaskRows] = []


@pytest.fixture(autouse=True, scope="module")
def _large(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("large")
    fill(Folder(path), 60)
    tamis.open(path).scan(tamis.ScanOptions(workers=1))
    snapshot = Index(path / ".lightly/tamis").latest()
    assert snapshot is not None
    _OPEN[:] = [_built(snapshot)[1]]


def test_arrays_can_be_forgotten(snapshot: Snapshot) -> None:
    """What is removed is made again."""
    _built(snapshot)
    forget_tables(snapshot)
    assert open_tables(snapshot) is None
    _built(snapshot)
