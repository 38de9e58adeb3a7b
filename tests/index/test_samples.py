"""Columns over all samples, against loops over the units that were written."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies_index import Row, Unit, write_snapshot
from tamis.index import Index, SampleColumns, picks_parquet

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

rows = st.builds(
    Row,
    category_id=st.sampled_from([0, 7]),
    score=st.none() | st.floats(0, 1),
    bbox=st.none() | st.tuples(*[st.floats(0, 100)] * 4),
    probabilities=st.none() | st.lists(st.floats(0, 1), max_size=2).map(tuple),
    mask=st.none() | st.lists(st.integers(0, 9), max_size=2).map(tuple),
)


@st.composite
def snapshots(draw: st.DrawFn) -> tuple[list[list[Unit]], dict[int, list[int]]]:
    stems = draw(st.lists(st.sampled_from("aZé_b0xyzQ"), min_size=1, unique=True))
    files = st.dictionaries(st.just("t"), st.lists(rows, max_size=3), max_size=1)
    units = [Unit(stem, 0, draw(files), draw(st.none() | st.integers(-5, 5))) for stem in stems]
    cut = draw(st.integers(0, len(units)))
    shards = [part for part in (units[:cut], units[cut:]) if part]
    dead = {i: sorted(draw(st.sets(st.integers(0, len(part) - 1), max_size=2))) for i, part in enumerate(shards)}
    return shards, dead


def alive(shards: list[list[Unit]], dead: dict[int, list[int]]) -> list[Unit]:
    found = [u for i, units in enumerate(shards) for j, u in enumerate(units) if j not in dead.get(i, ())]
    return sorted(found, key=lambda unit: unit.key.encode())


@settings(max_examples=40)
@given(snapshots())
def test_columns_follow_the_order_of_keys(tmp_path_factory: pytest.TempPathFactory, case: Any) -> None:
    """Samples are ordered by the bytes of their keys, and every column says at i what is so of sample i."""
    units = alive(*case)
    snapshot = write_snapshot(Index(tmp_path_factory.mktemp("i")), case[0], dead=case[1], tasks=["t"])
    samples = SampleColumns(snapshot)
    assert len(samples) == len(units)
    assert samples.keys == [unit.key for unit in units]
    assert samples.positions([*samples.keys, "no.jpg"]).tolist() == [*range(len(units)), -1]
    days = [np.nan if unit.day is None else unit.day for unit in units]
    assert np.array_equal(samples.numbers("metadata", "Day"), np.array(days, float), equal_nan=True)
    assert samples.labels("metadata", "Day") == [unit.day for unit in units]
    assert samples.has_file("t").tolist() == ["t" in unit.tasks for unit in units]


@settings(max_examples=40)
@given(snapshots(), st.sets(st.integers(0, 9)))
def test_parts_hold_each_prediction_once(
    tmp_path_factory: pytest.TempPathFactory, case: Any, wanted: set[int]
) -> None:
    """Over all parts each file of a task comes once, with its predictions in order; `at` leaves the others out."""
    units = alive(*case)
    snapshot = write_snapshot(Index(tmp_path_factory.mktemp("i")), case[0], dead=case[1], tasks=["t"])
    for at in (None, np.array(sorted(wanted), np.int64)):
        found: dict[int, list[Row]] = {}
        for part in SampleColumns(snapshot).prediction_parts("t", at=at):
            columns = part.columns
            assert columns.n_files == len(part.samples)
            for sample in part.samples.tolist():
                assert sample not in found
                found[sample] = []
            for i in range(len(columns)):
                rest = [columns.probabilities.row(i), columns.mask.row(i)]
                probabilities, mask = (None if row is None else tuple(row.tolist()) for row in rest)
                score, box = columns.score[i], columns.bbox[i]
                found[int(part.samples[columns.file[i]])].append(
                    Row(
                        category_id=int(columns.category_id[i]),
                        score=None if np.isnan(score) else float(score),
                        bbox=None if np.isnan(box).all() else tuple(box.tolist()),
                        probabilities=probabilities,
                        mask=mask,
                    )
                )
        expected = {i: list(unit.tasks["t"]) for i, unit in enumerate(units) if "t" in unit.tasks}
        assert found == {i: ones for i, ones in expected.items() if at is None or i in wanted}


def test_no_samples(tmp_path: Path) -> None:
    """An empty snapshot has columns of length 0."""
    samples = SampleColumns(write_snapshot(Index(tmp_path), [], tasks=["t"]))
    assert (len(samples), samples.keys) == (0, [])
    assert len(samples.numbers("metadata", "Day")) == 0
    assert samples.labels("metadata", "scene") == []
    assert list(samples.prediction_parts("t")) == []
    assert samples.positions(pa.array(["a"])).tolist() == [-1]


def test_picks_read_back() -> None:
    """The Parquet file of picks has for each strategy the objective and the share that the JSON has."""
    picks = [
        {
            "pick": i + 1,
            "key": key,
            "why": f"because {i}",
            "objectives": {"diversity": 0.5 + i, "weights: a": None},
            "reasons": [{"share": 0.25}, {"share": 0.75 - i}],
        }
        for i, key in enumerate(["a.jpg", "ü/b c.jpg"])
    ]
    assert pq.read_table(io.BytesIO(picks_parquet(picks))).to_pylist() == [
        {
            "pick": 1,
            "key": "a.jpg",
            "why": "because 0",
            "objective: diversity": 0.5,
            "share: diversity": 0.25,
            "objective: weights: a": None,
            "share: weights: a": 0.75,
        },
        {
            "pick": 2,
            "key": "ü/b c.jpg",
            "why": "because 1",
            "objective: diversity": 1.5,
            "share: diversity": 0.25,
            "objective: weights: a": None,
            "share: weights: a": -0.25,
        },
    ]
    assert pq.read_table(io.BytesIO(picks_parquet([]))).column_names == ["pick", "key", "why"]
