"""Snapshots written row by row, to hold against what is read back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.index import (
    Index,
    Manifest,
    MetadataColumn,
    ScoreNames,
    Shard,
    ShardWriter,
    Snapshot,
    shard_schemas,
    words,
)
from tamis.model import Category, Ragged, Task, TaskType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCORES = ScoreNames(objects=("uncertainty_margin",), samples=("uncertainty_margin", "objectness"))
METADATA_COLUMNS = (
    MetadataColumn(name="Day", column="Day", type="int"),
    MetadataColumn(name="scene", column="scene", type="string"),
)


@dataclass(frozen=True)
class Row:
    """One prediction."""

    category_id: int
    score: float | None = None
    bbox: tuple[float, float, float, float] | None = None
    probabilities: tuple[float, ...] | None = None
    mask: tuple[int, ...] | None = None
    keypoints: tuple[float, ...] | None = None
    margin: float | None = None

    def cells(self, sample: str, position: int) -> dict[str, Any]:
        """Return the row as Arrow gives it."""
        x, y, width, height = self.bbox or (None,) * 4
        return {
            "sample": sample,
            "position": position,
            "category_id": self.category_id,
            "score": self.score,
            "bbox_x": x,
            "bbox_y": y,
            "bbox_width": width,
            "bbox_height": height,
            "probabilities": None if self.probabilities is None else list(self.probabilities),
            "mask": None if self.mask is None else list(self.mask),
            "keypoints": None if self.keypoints is None else list(self.keypoints),
            "uncertainty_margin": self.margin,
        }


@dataclass(frozen=True)
class Unit:
    """A sample with what each task says of it; a task that is not named has no file."""

    stem: str
    fingerprint: int = 0
    tasks: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    day: int | None = None

    @property
    def key(self) -> str:
        return f"{self.stem}.jpg"


def make_tasks(names: Sequence[str]) -> tuple[Task, ...]:
    categories = (Category(id=0, name="car"), Category(id=7, name="van"))
    return tuple(Task(name=name, task_type=TaskType.OBJECT_DETECTION, categories=categories) for name in names)


def make_manifest(
    snapshot_id: str,
    shards: Sequence[Shard],
    *,
    tasks: Sequence[str] = (),
    dead: dict[str, list[int]] | None = None,
) -> Manifest:
    return Manifest(
        id=snapshot_id,
        created="2024-05-06T07:08:09+00:00",
        source="/data",
        lightly="/data",
        settings="s",
        tasks=make_tasks(tasks),
        scores=dict.fromkeys(tasks, SCORES),
        metadata=METADATA_COLUMNS,
        shards=tuple(shards),
        dead=dead or {},
        videos=(),
        problems=(),
    )


def write_shard(index: Index, shard_id: str, units: Sequence[Unit], tasks: Sequence[str] = ()) -> Shard:
    """Write the tables of a shard, each in two batches."""
    folder = (index.root / "shards" / shard_id).parent
    folder.mkdir(parents=True, exist_ok=True)
    writer = ShardWriter(folder, shard_id, shard_schemas(dict.fromkeys(tasks, SCORES), METADATA_COLUMNS))
    half = len(units) // 2
    for start, part in ((0, units[:half]), (half, units[half:])):
        numbers = np.arange(start, start + len(part))
        writer.add(
            "units",
            {"stem": [u.stem for u in part], "fingerprint": np.array([u.fingerprint for u in part], np.uint64)},
        )
        writer.add("samples", {"unit": numbers, "key": [u.key for u in part], "kind": ["image"] * len(part)})
        writer.add("metadata", {"unit": numbers, "sample": [u.key for u in part], "Day": [u.day for u in part]})
        for task in tasks:
            _write_task(writer, task, numbers.tolist(), part)
    return writer.close()


def _write_task(writer: ShardWriter, task: str, numbers: list[int], units: Sequence[Unit]) -> None:
    files = [(number, unit) for number, unit in zip(numbers, units, strict=True) if task in unit.tasks]
    rows = [(number, f, i, row) for f, (number, u) in enumerate(files) for i, row in enumerate(u.tasks[task])]
    ones = [row for *_, row in rows]
    nan = float("nan")
    bbox = np.array([one.bbox or (nan,) * 4 for one in ones], np.float64).reshape(-1, 4)
    columns: dict[str, Any] = {
        "unit": [number for number, *_ in rows],
        "sample": words(np.array([f for _, f, *_ in rows], np.int64), [unit.key for _, unit in files]),
        "position": [i for _, _, i, _ in rows],
        "category_id": np.array([one.category_id for one in ones], np.int64),
        "score": np.array([nan if one.score is None else one.score for one in ones], np.float64),
        "probabilities": Ragged.from_rows([one.probabilities for one in ones]),
        "mask": Ragged.from_rows([one.mask for one in ones], np.int64),
        "keypoints": Ragged.from_rows([one.keypoints for one in ones]),
        "uncertainty_margin": np.array([nan if one.margin is None else one.margin for one in ones], np.float64),
    }
    columns |= {name: bbox[:, i] for i, name in enumerate(("bbox_x", "bbox_y", "bbox_width", "bbox_height"))}
    writer.add(f"predictions:{task}", columns)
    writer.add(
        f"sample_scores:{task}",
        {
            "unit": [number for number, _ in files],
            "sample": [unit.key for _, unit in files],
            "n_predictions": [len(unit.tasks[task]) for _, unit in files],
            "objectness": np.array([0.1 * i for i in range(len(files))]),
        },
    )


def write_snapshot(
    index: Index,
    shards: Sequence[Sequence[Unit]],
    *,
    tasks: Sequence[str] = (),
    dead: Mapping[int, Sequence[int]] | None = None,
    snapshot_id: str = "one",
) -> Snapshot:
    """Commit a snapshot of these shards; `dead` names units by the number of their shard."""
    written = [write_shard(index, f"{snapshot_id}/{i:06d}", units, tasks) for i, units in enumerate(shards)]
    gone = {written[i].id: sorted(numbers) for i, numbers in (dead or {}).items() if numbers}
    return index.commit(make_manifest(snapshot_id, written, tasks=tasks, dead=gone))


def expected_rows(
    shards: Sequence[Sequence[Unit]], task: str, dead: Mapping[int, Sequence[int]] | None = None
) -> list[dict[str, Any]]:
    """Return what the predictions of a task must read as, by a loop over the units that live."""
    return [
        row.cells(unit.key, position)
        for i, units in enumerate(shards)
        for number, unit in enumerate(units)
        if number not in (dead or {}).get(i, ())
        for position, row in enumerate(unit.tasks.get(task, ()))
    ]
