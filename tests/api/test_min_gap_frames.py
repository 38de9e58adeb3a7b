"""Selected frames of a video are kept apart; everything else is as without."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

import tamis
from convert_helpers import put_images
from real_data import answer, refusal
from tamis.model import parse_frame_stem, stem_of

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = 30
CONFIG = """
n_samples: 40
min_gap_frames: 10
strategies:
- input: {type: RANDOM, random_seed: 3}
  strategy: {type: WEIGHTS}
"""


def put_video(path: Path) -> None:
    with av.open(str(path), "w") as clip:
        stream = clip.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for i in range(FRAMES):
            pixels = np.full((32, 32, 3), 8 * i, np.uint8)
            clip.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        clip.mux(stream.encode(None))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two videos of 30 frames with predictions, and three images."""
    root = put_images(tmp_path_factory.mktemp("gap") / "data", {f"{i}.png": (32, 32) for i in range(3)})
    keys = [f"{i}.png" for i in range(3)]
    rng = np.random.default_rng(0)
    with tamis.PredictionWriter(root, task="cars", task_type="object-detection", categories=["car"]) as writer:
        for name in ("a.mp4", "b.mp4"):
            put_video(root / name)
            keys += [f"{name[0]}-{i:02}-mp4.png" for i in range(FRAMES)]
        for key in keys:
            writer.write_boxes(key, [[1, 1, 9, 9]], scores=[rng.uniform(0.3, 1)], category_ids=[0])
    tamis.open(root).scan(tamis.ScanOptions(workers=1))
    return root


def places(keys: list[str]) -> dict[str, list[int]]:
    """The selected frames of each video, and the images as those of no video."""
    found: dict[str, list[int]] = {}
    for key in keys:
        frame = parse_frame_stem(stem_of(key))
        found.setdefault("" if frame is None else frame.video, []).append(0 if frame is None else frame.number)
    return {video: sorted(numbers) for video, numbers in found.items()}


@pytest.mark.parametrize("gap", [1, 2, 10, 30])
@pytest.mark.parametrize("diverse", [True, False])
def test_no_two_frames_of_a_video_are_nearer(root: Path, gap: int, diverse: bool) -> None:  # noqa: FBT001
    """Until nothing is left that is far enough from every selected frame; images have no gap."""
    run = tamis.open(root).select(
        n=99, scores=["cars:uncertainty_least_confidence"], diverse=diverse, min_gap_frames=gap
    )
    found = places(run.keys)
    assert len(found.pop("")) == 3
    assert set(found) == {"a.mp4", "b.mp4"}
    for numbers in found.values():
        assert (np.diff(numbers) >= gap).all()
        assert all(min(abs(i - number) for number in numbers) < gap for i in range(FRAMES))
    assert run.selection.ruled_out["min_gap_frames"] == 2 * FRAMES + 3 - len(run.keys)


def test_the_pool_keeps_frames_away(root: Path) -> None:
    """What is labelled already counts as selected."""
    run = tamis.open(root).select(n=99, diverse=True, min_gap_frames=20, labelled=["a-10-mp4.png"])
    assert "a.mp4" not in {video for video, numbers in places(run.keys).items() if min(numbers) < 29 and video}


def test_configs_and_the_command_say_it(root: Path, tmp_path: Path) -> None:
    """The key of a config and the option mean the same, and the results say how many were ruled out."""
    config = tmp_path / "c.yaml"
    config.write_text(CONFIG)
    by_config = answer("select", root, "--config", config, "--out", tmp_path / "one")
    text = config.read_text().replace("min_gap_frames: 10\n", "")
    config.write_text(text)
    by_option = answer("select", root, "--config", config, "--min-gap-frames", 10, "--out", tmp_path / "two")
    assert by_config["picks"] == by_option["picks"]
    assert by_config["ruled_out"] == {"min_gap_frames": 63 - len(by_config["picks"])}
    assert "ruled out: " in by_config["stopped"]
    assert "min_gap_frames: 10" in (tmp_path / "two/config.yaml").read_text()
    summary = json.loads((tmp_path / "one/report.json").read_text())["summary"]
    assert summary["ruled_out"] == [{"reason": "min_gap_frames", "count": by_config["ruled_out"]["min_gap_frames"]}]
    assert "Candidates that picks ruled out" in (tmp_path / "one/report.html").read_text()


def test_where_there_are_no_frames_it_is_refused(tmp_path: Path) -> None:
    """An option that does not apply is refused, and a gap below 1 too."""
    root = put_images(tmp_path / "data", {"a.png": (8, 8)})
    tamis.open(root).scan(tamis.ScanOptions(workers=1))
    config = tmp_path / "c.yaml"
    config.write_text(CONFIG)
    code, text = refusal("select", root, "--config", config, "--out", tmp_path / "o")
    assert (code, "keeps frames of videos apart, but no sample is one" in text) == (2, True)
    assert refusal("select", root, "--config", config, "--min-gap-frames", 0)[0] == 2
    with pytest.raises(tamis.UsageError, match="at least 1 frame"):
        tamis.open(root).select(n=1, diverse=True, min_gap_frames=0)
