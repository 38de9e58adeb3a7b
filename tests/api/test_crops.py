"""Crops show what their boxes hold, lead back to them, and are a datasource that everything else works on."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import tamis
from embedding_project import CLASSES, draw, make_project
from tamis.errors import UsageError
from tamis.media.frames import PictureFormat
from tamis.model import parse_object_key
from tamis.storage import LocalStore, StoreError

if TYPE_CHECKING:
    from pathlib import Path

PNG = tamis.CropOptions(picture=PictureFormat.PNG, workers=1)


@pytest.fixture
def source(tmp_path: Path) -> tamis.Datasource:
    """Four images with three boxes each."""
    return make_project(tmp_path / "data", 4)


def _root(source: tamis.Datasource) -> Path:
    root = source.sources.input.local_root
    assert root is not None
    return root


def test_each_crop_holds_the_pixels_of_its_box(source: tamis.Datasource, tmp_path: Path) -> None:
    """The name of a crop leads to sample and position, and its pixels are those of that box."""
    report = source.crops("pets", tmp_path / "crops", PNG)
    assert (report.chosen, report.written, report.failed) == (12, 12, 0)
    boxes = {
        (row["sample"], row["position"]): [int(row[f"bbox_{c}"]) for c in ("x", "y", "width", "height")]
        for row in source.predictions("pets").to_arrow().to_pylist()
    }
    paths = list((tmp_path / "crops").rglob("*.png"))
    assert len(paths) == 12
    for path in paths:
        key = parse_object_key(path.relative_to(tmp_path / "crops").as_posix().removesuffix(".png"))
        assert key is not None
        x, y, w, h = boxes[key.sample, key.position]
        whole = Image.open(_root(source) / key.sample)
        assert np.array_equal(np.asarray(Image.open(path)), np.asarray(whole.crop((x, y, x + w, y + h))))


def test_crops_are_a_datasource(source: tamis.Datasource, tmp_path: Path) -> None:
    """They scan without errors, with the predicted classes and probabilities, and metadata of their boxes."""
    source.crops("pets", tmp_path / "crops", PNG)
    crops = tamis.open(tmp_path / "crops")
    crops.scan()
    assert crops.problem_report().errors == 0
    objects = {
        f"{row['sample']}#pets#{row['position']}.png": row
        for row in source.predictions("pets").to_arrow().to_pylist()
    }
    rows = crops.predictions("pets").to_arrow().to_pylist()
    assert len(rows) == len(objects)
    for row in rows:
        original = objects[row["sample"]]
        assert row["category_id"] == original["category_id"]
        assert row["probabilities"] == original["probabilities"]
    for row in crops.metadata().to_arrow().to_pylist():
        original = objects[row["sample"]]
        assert (row["image"], row["position"], row["score"]) == (
            original["sample"], original["position"], original["score"],
        )  # fmt: skip
    assert len(crops.select(n=3, scores=["pets:uncertainty_entropy"]).keys) == 3


def test_a_second_run_keeps_what_is_right(source: tamis.Datasource, tmp_path: Path) -> None:
    """Nothing is written twice; a changed image and a lost crop are, and crops that are not wanted any more go."""
    out = tmp_path / "crops"
    source.crops("pets", out, PNG)
    again = source.crops("pets", out, PNG)
    assert (again.written, again.kept, again.removed) == (0, 12, 0)
    changed = _root(source) / "a/0.png"
    os.utime(changed, ns=(1, changed.stat().st_mtime_ns + 10**9))
    source.scan()
    (out / "b/1.png#pets#2.png").unlink()
    third = source.crops("pets", out, PNG)
    assert (third.written, third.kept, third.removed) == (4, 8, 0)
    fewer = source.crops("pets", out, tamis.CropOptions(picture=PictureFormat.PNG, min_score=0.4, workers=1))
    assert (fewer.chosen, fewer.kept, fewer.removed) == (8, 8, 4)
    assert len(list(out.rglob("*#pets#2.*"))) == 0


def test_stopped_between_two_files_a_crop_is_written_again(source: tamis.Datasource, tmp_path: Path) -> None:
    """Without its last file a crop does not count as there."""
    source.crops("pets", tmp_path / "crops", PNG)
    (tmp_path / "crops/.lightly/metadata/a/0.png#pets#1.json").unlink()
    report = source.crops("pets", tmp_path / "crops", PNG)
    assert (report.written, report.kept) == (1, 11)


def test_only_what_is_asked_for(source: tamis.Datasource, tmp_path: Path) -> None:
    """Samples, objects, categories, scores and sizes choose; names that are nothing are refused."""
    options = tamis.CropOptions

    def chosen(**wanted: object) -> int:
        return source.crops("pets", tmp_path / str(sorted(wanted)), options(workers=1, **wanted)).chosen  # type: ignore[arg-type]

    assert chosen(keys=["a/0.png", "b/1.png#pets#2", "a/0.png#pets#1"]) == 4
    assert chosen(min_size_px=25) == 0
    assert chosen(min_size_px=20) == 12
    assert chosen(min_score=0.9) == 4
    classes = source.predictions("pets").to_arrow()["category_id"].to_pylist()
    assert chosen(categories=["fox"]) == classes.count(2)
    with pytest.raises(UsageError, match="has no category `cow`"):
        chosen(categories=["cow"])
    for size in (float("nan"), float("inf"), -1):
        with pytest.raises(UsageError, match="Expected a least size"):
            chosen(min_size_px=size)
    for key in ("nobody.png", "a/0.png#pets#9", "a/0.png#other#0"):
        with pytest.raises(UsageError, match="neither samples nor objects"):
            chosen(keys=[key])


def test_folders_that_hold_something_else_are_left_alone(source: tamis.Datasource, tmp_path: Path) -> None:
    """A folder of other files, or of crops made otherwise, is refused."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("x")
    with pytest.raises(UsageError, match="is not empty"):
        source.crops("pets", tmp_path / "mine", PNG)
    source.crops("pets", tmp_path / "crops", PNG)
    with pytest.raises(UsageError, match="made with other options"):
        source.crops("pets", tmp_path / "crops", tamis.CropOptions(padding=0.5))
    assert (
        source.crops("pets", tmp_path / "crops", tamis.CropOptions(padding=0.5, full=True, workers=1)).written == 12
    )
    assert not list((tmp_path / "crops").rglob("*.png"))


def test_faults_are_named_and_the_rest_is_done(source: tamis.Datasource, tmp_path: Path) -> None:
    """An unreadable image and a box without area: their objects are named, all others are cut out."""
    (_root(source) / "a/0.png").write_bytes(b"x")
    with tamis.PredictionWriter(
        _root(source), task="pets", task_type="object-detection", categories=CLASSES
    ) as writer:
        writer.write_boxes("b/1.png", [[5, 5, 9, 0], [1, 1, 9, 9]], scores=[0.5] * 2, category_ids=[0] * 2)
    source.scan()
    report = source.crops("pets", tmp_path / "crops", PNG)
    assert (report.written, report.failed) == (7, 4)
    why = {fault.key: fault.message for fault in report.faults}
    assert why["b/1.png#pets#0"] == "its box has no area: 9 x 0 pixels"
    assert "image format" in why["a/0.png#pets#0"]


@pytest.mark.parametrize("picture", list(PictureFormat))
def test_masks_leave_their_object_alone(tmp_path: Path, picture: PictureFormat) -> None:
    """What is not in the mask is transparent in PNG and white in JPEG."""
    root = tmp_path / "data"
    root.mkdir()
    Image.new("RGB", (20, 10), (200, 0, 0)).save(root / "a.png")
    mask = np.zeros((10, 20), np.bool_)
    mask[2:8, 4:10] = True
    mask[2:8, 4:7] = False
    with tamis.PredictionWriter(root, task="m", task_type="instance-segmentation", categories=["x"]) as writer:
        writer.write("a.png", [{"category_id": 0, "bbox": [4, 2, 6, 6], "segmentation": mask, "score": 0.5}])
    source = tamis.open(root)
    source.scan()
    source.crops("m", tmp_path / "crops", tamis.CropOptions(masked=True, picture=picture, jpeg_quality=None))
    crop = Image.open(tmp_path / f"crops/a.png#m#0.{picture.ending}")
    if picture is PictureFormat.PNG:
        alpha = np.asarray(crop)[..., 3] > 0
        assert np.array_equal(alpha, mask[2:8, 4:10])
    else:
        values = np.asarray(crop)
        assert values[:, 0].min() > 230
        assert values[:, 5, 1].max() < 60
    with pytest.raises(UsageError, match="has no masks"):
        make_project(tmp_path / "boxes", 1).crops("pets", tmp_path / "c", tamis.CropOptions(masked=True))


@pytest.mark.parametrize("ending", list(PictureFormat))
def test_names_too_long_for_a_file_are_faults(ending: PictureFormat, tmp_path: Path) -> None:
    """Whatever the length of its sample's name, a crop is there with all of its files, or is named and has none."""
    lengths, root = range(235, 252), tmp_path / "data"
    keys = [f"{'x' * (length - 4)}.png" for length in lengths]
    draw(root / keys[0], 0)
    for key in keys[1:]:
        shutil.copy(root / keys[0], root / key)
    with tamis.PredictionWriter(root, task="t", task_type="object-detection", categories=["x"]) as writer:
        for key in keys:
            writer.write_boxes(key, [[1, 1, 9, 9]], scores=[0.5], category_ids=[0])
    source = tamis.open(root)
    source.scan()
    options = tamis.CropOptions(picture=ending, workers=1)
    for full in (False, True):
        report = source.crops("t", tmp_path / "crops", replace(options, full=full))
        failed = {fault.key for fault in report.faults}
        assert {fault.message for fault in report.faults} == {"its crop cannot be written: file name too long"}
        assert (report.written, report.failed) == (len(keys) - len(failed), len(failed))
        files = [path.name for path in (tmp_path / "crops").rglob("*#t#0.*")]
        for key in keys:
            assert sum(name.startswith(f"{key}#") for name in files) == (0 if f"{key}#t#0" in failed else 3)
        assert 0 < len(failed) < len(keys)


def test_a_full_disk_stops_crops(source: tamis.Datasource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no crop can be blamed for ends the run, and the next one goes on."""
    write, left = LocalStore.write, iter(range(12))

    def write_or_fail(self: LocalStore, key: str, data: bytes) -> None:
        if next(left, None) is None:
            raise StoreError(f"`{key}` cannot be written: no space left on device")
        write(self, key, data)

    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "write", write_or_fail)
        with pytest.raises(StoreError, match="no space left"):
            source.crops("pets", tmp_path / "crops", PNG)
    again = source.crops("pets", tmp_path / "crops", PNG)
    assert (again.written + again.kept, again.failed) == (12, 0)
    assert again.kept > 0


def test_the_same_options_said_otherwise_are_the_same(source: tamis.Datasource, tmp_path: Path) -> None:
    """A default that is given and other workers are no other options; another datasource is called that."""
    plain = tamis.CropOptions(workers=1)
    source.crops("pets", tmp_path / "crops", plain)
    same = replace(plain, jpeg_quality=90, padding=0, min_size_px=2, workers=None)
    assert source.crops("pets", tmp_path / "crops", same).kept == 12
    shutil.copytree(_root(source), tmp_path / "copy")
    copy = tamis.open(tmp_path / "copy")
    copy.scan()
    with pytest.raises(UsageError, match=r"holds crops of `.*data`"):
        copy.crops("pets", tmp_path / "crops", plain)
    assert copy.crops("pets", tmp_path / "crops", replace(plain, full=True)).written == 12
    source.crops("pets", tmp_path / "crops", replace(plain, full=True))
    for other in ({"jpeg_quality": 91}, {"padding": 0.1}, {"square": True}, {"picture": PictureFormat.PNG}):
        with pytest.raises(UsageError, match="made with other options"):
            source.crops("pets", tmp_path / "crops", replace(plain, **other))


@pytest.mark.parametrize("seed", range(8))
def test_names_choose_their_objects(seed: int, source: tamis.Datasource, tmp_path: Path) -> None:
    """Any names of samples and objects, in any order and often, choose those objects and those of these samples."""
    objects = [f"{key}#pets#{i}" for key in ("a/0.png", "b/1.png", "a/2.png", "b/3.png") for i in range(3)]
    names = objects + [key.partition("#")[0] for key in objects]
    keys = np.random.default_rng(seed).choice(names, 5).tolist()
    source.crops("pets", tmp_path / "crops", tamis.CropOptions(keys=keys, workers=1))
    found = {path.relative_to(tmp_path / "crops").as_posix() for path in (tmp_path / "crops").rglob("*.jpg")}
    assert found == {f"{key}.jpg" for key in objects if key in keys or key.partition("#")[0] in keys}
