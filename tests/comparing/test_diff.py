from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import tamis
from comparing_data import NAMES, SIDE, Random, put_task
from strategies_datasource import png
from tamis.api.diffing import DiffOptions, diff
from tamis.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

TYPE = "object-detection"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Random, tamis.Datasource]:
    made = Random("bbox")
    return made, made.write(tmp_path_factory.mktemp("runs") / "data")


def box(category: int, x: float, score: float = 0.5, width: float = 20) -> dict[str, Any]:
    return {"category_id": category, "bbox": [x, 0, width, 20], "score": score}


def pair(root: Path, first: Any, second: Any, names: Any = NAMES, others: Any = NAMES) -> tamis.Datasource:
    root.mkdir()
    for key in {*first, *second}:
        (root / key).write_bytes(png(SIDE, SIDE))
    put_task(root, "old", TYPE, names, first)
    put_task(root, "new", TYPE, others, second)
    source = tamis.open(root)
    source.scan()
    return source


def test_each_change_is_called_by_its_name(tmp_path: Path) -> None:
    """Objects that stay, move, change score or category, come or go are told apart, and where."""
    old = [box(0, 0), box(0, 40), box(1, 80), box(1, 120), box(2, 150, width=10)]
    new = [box(0, 0), box(0, 43), box(1, 80, 0.9), box(2, 120), box(2, 20, width=10)]
    source = pair(
        tmp_path / "data", {"a.png": old, "b.png": [box(0, 0)], "c.png": []}, {"a.png": new, "b.png": [box(0, 0)]}
    )
    run = source.diff("old", "new")
    report = run.report
    assert report.outcomes == {
        "unchanged": 2, "score changed": 1, "moved": 1, "category changed": 1, "removed": 1, "added": 1,
    }  # fmt: skip
    assert (report.samples, report.samples_changed) == (2, 1)
    assert (report.only_first.count, report.only_first.examples) == (1, ("c.png",))
    assert report.only_second.count == 0
    assert [(one.first, one.second, one.count) for one in report.flips] == [("dog", "emu", 1)]
    counts = {row.category: (row.first, row.second) for row in report.categories}
    assert counts == {"cat": (3, 3), "dog": (2, 1), "emu": (1, 2)}
    shared = 0.5 * 1 + 0.5 * (17 / 23) + 0.5 * 1  # unchanged, moved, surer; the rest shares nothing
    total = 5 * 0.5 + 4 * 0.5 + 0.9
    assert run.samples["disagreement"].tolist() == pytest.approx([1 - 2 * shared / total, 0.0])
    assert [one.sample for one in report.most_changed] == ["a.png"]
    assert report.scores is not None
    assert report.scores.matched_mean == pytest.approx(0.4 / 5)


def test_categories_are_matched_by_name_and_renames_by_id(tmp_path: Path) -> None:
    """Other ids change nothing, another name of an id is a rename, and what one schema alone has is named."""
    source = pair(
        tmp_path / "data",
        {"a.png": [box(0, 0), box(2, 60)]},
        {"a.png": [box(1, 0), box(2, 60)]},
        ("cat", "dog", "bird"),
        ("fox", "cat", "sparrow", "owl"),
    )
    report = source.diff("old", "new").report
    change = report.schema
    assert [(one.id, one.first, one.second) for one in change.renamed] == [(2, "bird", "sparrow")]
    assert (change.added, change.removed) == (("fox", "owl"), ("dog",))
    assert change.renumbered == ("cat",)
    assert report.outcomes["unchanged"] == 2
    assert not report.is_same


def test_a_run_does_not_differ_from_its_copy(runs: tuple[Random, tamis.Datasource], tmp_path: Path) -> None:
    """The same predictions in another datasource, in other shards, differ in nothing."""
    made, source = runs
    copy = made.write(tmp_path / "copy")
    for key in ("00.png", "05.png"):  # read again on their own: other shards
        path = tmp_path / "copy/.lightly/predictions/model" / key.replace("png", "json")
        path.write_text(path.read_text() + " ")
    copy.scan()
    report = source.diff("model", copy).report
    assert report.is_same
    assert report.outcomes["unchanged"] == sum(map(len, made.predictions.values()))
    assert report.mean_disagreement == 0


def test_turning_the_runs_around_turns_the_answer_around(runs: tuple[Random, tamis.Datasource]) -> None:
    """Added and removed, and first and second, change places; disagreement stays."""
    source = runs[1]
    there, back = source.diff("model", "labels"), source.diff("labels", "model")
    assert there.report.outcomes["added"] == back.report.outcomes["removed"] > 0
    assert there.report.outcomes["removed"] == back.report.outcomes["added"] > 0
    assert there.samples["disagreement"].tolist() == pytest.approx(back.samples["disagreement"].tolist())
    assert np.unique(there.samples["disagreement"]).size > 3
    one, other = there.report, back.report
    assert sorted((c.category, c.first, c.second) for c in one.categories) == sorted(
        (c.category, c.second, c.first) for c in other.categories
    )


def test_classifications_that_flip(tmp_path: Path) -> None:
    """Flips are counted by category; disagreement is the Jensen-Shannon divergence in bits."""
    root = tmp_path / "data"
    root.mkdir()
    spread: dict[str, list[list[float]]] = {
        "a.png": [[1, 0, 0], [0, 1, 0]],
        "b.png": [[0.5, 0.5, 0], [0.5, 0.5, 0]],
        "c.png": [[1, 0, 0]],
    }
    for key in spread:
        (root / key).write_bytes(png(8, 8))
    for number, task in enumerate(("old", "new")):
        entries = {
            key: [{"category_id": int(np.argmax(rows[number])), "probabilities": rows[number], "score": 0.5}]
            for key, rows in spread.items()
            if number < len(rows)
        }
        put_task(root, task, "classification", NAMES, entries)
    source = tamis.open(root)
    source.scan()
    run = source.diff("old", "new", DiffOptions(n_samples=1))
    assert run.report.outcomes == {"unchanged": 1, "score changed": 0, "flipped": 1}
    assert [(one.first, one.second, one.count) for one in run.report.flips] == [("cat", "dog", 1)]
    assert run.samples["disagreement"].tolist() == pytest.approx([1.0, 0.0])
    assert [one.sample for one in run.report.most_changed] == ["a.png"]


def test_runs_that_share_nothing_are_refused(runs: tuple[Random, tamis.Datasource], tmp_path: Path) -> None:
    """A task and itself, and datasources without a common sample, are refused in words."""
    source = runs[1]
    with pytest.raises(UsageError, match="cannot be compared with itself"):
        source.diff("model", "model")
    other = pair(tmp_path / "data", {"z.png": []}, {"z.png": []})
    with pytest.raises(UsageError, match="No sample has predictions of both"):
        diff(source.snapshot, "model", other.snapshot, "old")
