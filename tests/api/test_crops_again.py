"""What a second run leaves in a folder of crops is what a first run would write, whatever happened between them."""

from __future__ import annotations

import itertools
import shutil
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import tamis
from embedding_project import CLASSES, draw
from tamis.media.frames import PictureFormat
from tamis.storage import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PLAIN = tamis.CropOptions(workers=1)
MASKED = tamis.CropOptions(masked=True, picture=PictureFormat.PNG, workers=1)
KEYS = ["a/0.png", "a/1.png", "b/2.png"]


def _entry(**other: Any) -> dict[str, Any]:
    mask = np.zeros((72, 96), np.bool_)
    mask[20:40, 10:40] = True
    plain = {"category_id": 0, "bbox": [10, 20, 30, 20], "segmentation": mask, "score": 0.5}
    return plain | {"probabilities": [0.6, 0.3, 0.1]} | other


def _other_mask() -> Any:
    mask = _entry()["segmentation"].copy()
    mask[25:30, 15:20] = False
    return mask


def _datasource(root: Path, *entries: dict[str, Any]) -> tamis.Datasource:
    """Write the same entries for each of three images, and scan."""
    writer = tamis.PredictionWriter(root, task="pets", task_type="instance-segmentation", categories=CLASSES)
    for key in KEYS:
        writer.write(key, entries)
    datasource = tamis.open(root)
    datasource.scan()
    return datasource


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three images."""
    for number, key in enumerate(KEYS):
        draw(tmp_path / "data" / key, number)
    return tmp_path / "data"


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("options", [PLAIN, MASKED], ids=["plain", "masked"])
@pytest.mark.parametrize(
    "change",
    [
        {"category_id": 1, "probabilities": None},
        {"probabilities": [0.5, 0.3, 0.2]},
        {"probabilities": None},
        {"score": 0.75},
        {"bbox": [12, 20, 30, 20]},
        {"segmentation": _other_mask()},
    ],
    ids="+".join,
)
def test_changed_predictions_are_cut_out_anew(
    options: tamis.CropOptions, change: dict[str, Any], root: Path, tmp_path: Path
) -> None:
    """Whatever part of a prediction changes, its crop is that of a first run; the others are kept."""
    after = {name: value for name, value in _entry(**change).items() if value is not None}
    other = _entry(bbox=[50, 5, 20, 40])
    _datasource(root, _entry(), other).crops("pets", tmp_path / "crops", options)
    report = _datasource(root, after, other).crops("pets", tmp_path / "crops", options)
    source = tamis.open(root)
    source.crops("pets", tmp_path / "new", options)
    assert contents(tmp_path / "crops") == contents(tmp_path / "new")
    is_seen = options.masked or "segmentation" not in change
    assert (report.written, report.kept) == ((3, 3) if is_seen else (0, 6))


class _Killed(BaseException):
    pass


def _die_before(patch: pytest.MonkeyPatch, last: int) -> None:
    """Let nothing be written or removed from the step of that number on."""
    steps = iter(range(last))

    def dying(work: Callable[..., None]) -> Callable[..., None]:
        def step(*arguments: object) -> None:
            if next(steps, None) is None:
                raise _Killed
            work(*arguments)

        return step

    patch.setattr(LocalStore, "write", dying(LocalStore.write))
    patch.setattr(LocalStore, "delete", dying(LocalStore.delete))


def _killed_at_each_step(
    old: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[[Path], object]
) -> Iterator[Path]:
    """Yield copies of a folder in which a run was killed: before its first step, its second, and so on."""
    for last in itertools.count(1):
        out = old.with_name(f"killed {last}")
        shutil.copytree(old, out)
        with monkeypatch.context() as patch, suppress(_Killed):
            _die_before(patch, last)
            run(out)
            return
        yield out


@pytest.mark.parametrize(
    "other",
    [
        {"padding": 0.5},
        {"square": True},
        {"masked": True},
        {"jpeg_quality": 50},
        {"picture": PictureFormat.PNG},
    ],
    ids="+".join,
)
def test_a_full_run_that_was_killed_leaves_no_old_crops(
    other: dict[str, Any], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before any step of `full` with other options, a run without it leaves what a first one would."""
    source, after = _datasource(root, _entry(segmentation=_other_mask())), replace(PLAIN, **other)
    source.crops("pets", tmp_path / "old", PLAIN)
    source.crops("pets", tmp_path / "new", after)
    full, n_killed = replace(after, full=True), 0
    for out in _killed_at_each_step(tmp_path / "old", monkeypatch, lambda out: source.crops("pets", out, full)):
        n_killed += 1
        source.crops("pets", out, after)
        assert contents(out) == contents(tmp_path / "new"), out
    assert n_killed >= 9


@pytest.mark.parametrize("damage", ["gone", "emptied", "cut short", "other"])
def test_damaged_files_are_made_again(damage: str, root: Path, tmp_path: Path) -> None:
    """Whichever file of a crop is lost, emptied, cut short or written over, only that crop is made again."""
    source = _datasource(root, _entry(), _entry(bbox=[50, 5, 20, 40]))
    source.crops("pets", tmp_path / "crops", PLAIN)
    whole = contents(tmp_path / "crops")
    files = [name for name in whole if "b/2.png#pets#1." in name]
    assert len(files) == 3
    for name in files:
        path = tmp_path / "crops" / name
        if damage == "gone":
            path.unlink()
        else:
            path.write_bytes({"emptied": b"", "cut short": whole[name][:-1], "other": b"{}"}[damage])
        report = source.crops("pets", tmp_path / "crops", PLAIN)
        assert (report.written, report.kept) == (1, 5), name
        assert contents(tmp_path / "crops") == whole


def test_files_of_others_stay(root: Path, tmp_path: Path) -> None:
    """Whatever lies beside crops and was not written by a run is there after any run, byte for byte."""
    source, out = _datasource(root, _entry(), _entry(score=0.25)), tmp_path / "crops"
    source.crops("pets", out, PLAIN)
    mine = {
        f"{stem}.{ending}": b"mine"
        for stem in ("a/0.png#pets#0", "a/0.png#pets#1", "a/0.png#pets#7", "notes#pets#1", "a/0.png#other#0")
        for ending in ("txt", "webp", "png", "jpg")
        if not (out / f"{stem}.{ending}").exists()
    }
    mine[".lightly/metadata/notes#pets#1.json"] = b'{"file_name": "notes#pets#1.jpg", "metadata": {"made_from": 1}}'
    mine[".lightly/metadata/a/0.png#pets#7.json"] = b'{"file_name": "a/0.png#pets#7.jpg", "metadata": {}}'
    for name, data in mine.items():
        (out / name).write_bytes(data)
    assert source.crops("pets", out, replace(PLAIN, min_score=0.4)).removed == 3
    source.crops("pets", out, replace(PLAIN, padding=0.5, full=True))
    source.crops("pets", out, replace(PLAIN, padding=0.5, min_score=0.9))
    left = contents(out)
    assert {name: left[name] for name in mine} == mine
    assert not [name for name in left if "#pets#" in name and name not in mine]


def test_removing_may_be_killed_at_any_step(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped before any step of removing crops, the next run leaves what a first one would."""
    source, fewer = _datasource(root, _entry(), _entry(score=0.25)), replace(PLAIN, min_score=0.4)
    source.crops("pets", tmp_path / "old", PLAIN)
    source.crops("pets", tmp_path / "new", fewer)
    n_killed = 0
    for out in _killed_at_each_step(tmp_path / "old", monkeypatch, lambda out: source.crops("pets", out, fewer)):
        n_killed += 1
        source.crops("pets", out, fewer)
        assert contents(out) == contents(tmp_path / "new"), out
    assert n_killed >= 9
