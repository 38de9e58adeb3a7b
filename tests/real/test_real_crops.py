"""Objects of a real detector on real photos and a real video: selected, cut out, traced back; photos compared."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import tamis
from real_data import DATA, answer, copy_images, needs_data, results_by_file, write_detections
from tamis.media.frames import PictureFormat
from tamis.model import parse_object_key
from tamis.selection import parse_config

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_data


@pytest.fixture(scope="module")
def coco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """128 images with the surer boxes of NanoDet, embedded."""
    root = tmp_path_factory.mktemp("coco")
    names = copy_images("coco128/images/val2017/*.jpg", root)
    by_file = results_by_file("coco128/results/nanodet_coco128_val.json")
    write_detections(root, "nanodet", {name: [e for e in by_file[name] if e["score"] >= 0.3] for name in names})
    answer("scan", root)
    assert answer("embed", root, "--task", "nanodet")["without"] == 0
    return root


def test_a_hundred_objects_at_most_two_an_image(coco: Path, tmp_path: Path) -> None:
    """Class balance x margin x crop diversity picks 100 objects, two an image at most; each crop is its box."""
    answer(
        "select", coco, "--objects", "nanodet", "--n", 100, "--per-image", 2, "--balance", "nanodet",
        "--score", "nanodet:uncertainty_margin", "--diverse", "--out", tmp_path / "out",
    )  # fmt: skip
    document = json.loads((tmp_path / "out/selection.json").read_text("utf-8"))
    assert document["embeddings"][0].startswith("`visual` of the objects of `nanodet`")
    picks = document["picks"]
    assert len({pick["key"] for pick in picks}) == 100
    assert max(Counter(pick["sample"] for pick in picks).values()) <= 2
    assert len({pick["category"] for pick in picks}) >= 30

    report = answer(
        "crops", coco, "--task", "nanodet", "--selection", tmp_path / "out", "--out", tmp_path / "crops",
        "--picture", "png",
    )  # fmt: skip
    assert (report["written"], report["failed"]) == (100, 0)
    for pick in picks:
        crop = np.asarray(Image.open(tmp_path / f"crops/{pick['key']}.png"))
        key = parse_object_key(pick["key"])
        assert key is not None
        assert (key.sample, key.position) == (pick["sample"], pick["position"])
        x, y, width, height = pick["bbox"]
        whole = np.asarray(Image.open(coco / key.sample).convert("RGB"))
        left, top = max(int(np.floor(x)), 0), max(int(np.floor(y)), 0)
        right, bottom = int(np.ceil(round(x + width, 6))), int(np.ceil(round(y + height, 6)))
        assert np.array_equal(crop, whole[top:bottom, left:right])


def test_frames_of_a_real_video(tmp_path: Path) -> None:
    """Frames are embedded and objects cut out of them, decoding once; selected frames keep their distance."""
    root = tmp_path / "video"
    root.mkdir()
    (root / "car-detection.mp4").symlink_to(DATA / "videos/car/car-detection.mp4")
    names = [f"car-detection-{i:03d}-mp4.png" for i in range(377)]
    with tamis.PredictionWriter(root, task="cars", task_type="object-detection", categories=["car"]) as writer:
        for name in names[:40:10]:
            writer.write_boxes(name, [[100, 100, 60, 40]], scores=[0.5], category_ids=[0])
    source = tamis.open(root)
    source.scan()
    assert source.embed(tamis.EmbedOptions(workers=1)).without == 0
    report = source.crops("cars", tmp_path / "crops", tamis.CropOptions(picture=PictureFormat.PNG, workers=1))
    assert report.written == 4
    frames = dict(tamis.iterate_frames("car-detection.mp4", datasource=root))
    for name in names[:40:10]:
        crop = np.asarray(Image.open(tmp_path / f"crops/{name}#cars#0.png"))
        assert np.array_equal(crop, frames[name][100:140, 100:160])
    config = parse_config(
        "{n_samples: 99, min_gap_frames: 30, strategies: "
        "[{input: {type: EMBEDDINGS}, strategy: {type: DIVERSITY}}]}",
        source="test",
    )
    run = source.select(config=config)
    numbers = sorted(names.index(key) for key in run.keys)
    assert len(numbers) >= 7
    assert min(np.diff(numbers)) >= 30
    assert "min_gap_frames" in (run.selection.stopped or "")


def test_photos_of_one_class_are_nearer(tmp_path: Path) -> None:
    """Of photos of clothing, the nearest other one is of the same class in half of all cases (24 % majority)."""
    root = tmp_path / "clothing"
    for folder in sorted({path.parent for path in DATA.glob("clothing/*/*.jp*g")}):
        copy_images(f"clothing/{folder.name}/*.jp*g", root / folder.name)
    source = tamis.open(root)
    source.scan()
    source.embed(tamis.EmbedOptions(workers=1))
    index = source.vectors()
    labels = np.array([key.partition("/")[0] for key in index.stored.target.samples.keys])
    dots = index.unit @ index.unit.T
    np.fill_diagonal(dots, -1.0)
    assert np.mean(labels[dots.argmax(axis=1)] == labels) > 0.45
