"""Real classifiers, poses whose confidences exceed 1, and a video: checked, selected from and reported on."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from real_data import DATA, answer, needs_data, read_json, refusal
from real_sources import EFFICIENTNET, MOBILENET, N_FRAMES, write_car, write_clothing
from tamis.api.writer import PredictionWriter
from tamis.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_data
BALANCED = """
n_samples: 20
strategies:
- input: {type: PREDICTIONS, task: efficientnet, name: CLASS_DISTRIBUTION}
  strategy: {type: BALANCE, distribution: UNIFORM}
- input: {type: EMBEDDINGS}
  strategy: {type: DIVERSITY}
"""


@pytest.fixture(scope="module")
def clothing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """341 photos in folders with the class probabilities of two classifiers."""
    root = tmp_path_factory.mktemp("clothing")
    write_clothing(root)
    return root


def test_quantised_probabilities_are_explained(clothing: Path) -> None:
    """As many warnings as rows whose sums are off by more than 1e-3, of the one task that has such."""
    with np.load(MOBILENET) as arrays:
        off = np.abs(arrays["probs"].astype(np.float64).sum(axis=1) - 1) > 1e-3
    report = answer("check", clothing)
    [group] = [g for g in report["problems"] if g["code"] == "probabilities-sum"]
    assert (group["task"], group["count"]) == ("mobilenet", off.sum())
    assert "entropy divides by the sum" in group["hint"]
    assert report["errors"] == 0


def test_own_embeddings_and_balanced_classes(clothing: Path, tmp_path: Path) -> None:
    """The user's `.npz` is used as it is; balanced picks have more different classes than the pool's own order."""
    (tmp_path / "config.yaml").write_text(BALANCED)
    document = answer(
        "select", clothing, "--config", tmp_path / "config.yaml", "--embeddings", EFFICIENTNET, "--out", tmp_path
    )
    assert document["embeddings"] == ["efficientnet_lite0_clothing.npz (1280 dimensions)"]
    with np.load(EFFICIENTNET) as arrays:
        best = dict(zip(arrays["files"].tolist(), arrays["probs"].argmax(axis=1).tolist(), strict=True))
    picked = [best[pick["key"]] for pick in document["picks"]]
    random = [len(set(draw)) for draw in np.random.default_rng(0).choice([*best.values()], (50, 20)).tolist()]
    assert len(picked) == 20
    assert len(set(picked)) > np.mean(random)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("distribution:", "distributon:", "did you mean `distribution`?"),
        ("DIVERSITY", "DIVERSTY", "did you mean DIVERSITY?"),
        ("n_samples", "n_sample", "did you mean `n_samples`?"),
        ("UNIFORM", "TARGET, target: {clas 4: 1}", "names no known class: `clas 4`"),
        ("task: efficientnet", "task: efficientnt", "tasks of this datasource: `efficientnet`"),
    ],
)
def test_slips_in_a_config_are_pointed_at(clothing: Path, tmp_path: Path, old: str, new: str, said: str) -> None:
    """A config with one word wrong is refused with the word that was meant, or with those that there are."""
    (tmp_path / "config.yaml").write_text(BALANCED.replace(old, new))
    code, message = refusal("select", clothing, "--config", tmp_path / "config.yaml", "--out", tmp_path / "out")
    assert code == 2
    assert said in message


def test_embeddings_with_other_names_are_refused(clothing: Path, tmp_path: Path) -> None:
    """Where no name is a sample, both a name of the file and one of a sample are shown."""
    np.savez(tmp_path / "x.npz", names=np.array(["a.jpg", "b.jpg"]), embeddings=np.eye(2))
    code, message = refusal("select", clothing, "--n", 2, "--diverse", "--embeddings", tmp_path / "x.npz")
    assert code == 2
    assert "none of its 2 names is a sample, e.g. `a.jpg`" in message
    assert "e.g. `dress/" in message


def _poses(name: str) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Return the category and the predictions by image of one of the pose models, as it gives them."""
    truth, results = (read_json(f"pose/predictions/example_{name}_{part}.json") for part in ("val", "preds"))
    file_of = {image["id"]: image["file_name"] for image in truth["images"]}
    poses: dict[str, list[dict[str, Any]]] = {file: [] for file in file_of.values()}
    for one in results:
        extra = [one.get(f"{part}_kpts", []) for part in ("foot", "face", "lefthand", "righthand")]
        keypoints = sum(extra, list(one["keypoints"]))
        entry = {"category_id": one["category_id"], "keypoints": keypoints, "score": one["score"]}
        poses[file_of[one["image_id"]]].append(entry)
    # The published skeletons are not all right, and a category needs none.
    return {"id": 1, "name": "person"}, poses


@pytest.mark.parametrize(
    ("name", "n_keypoints", "code", "hint"),
    [
        ("coco", 17, None, ""),
        ("wholebody", 133, "keypoint-score-range", "clip heat-map peaks above 1"),
        ("crowdpose", 14, "score-range", "clip with `min(score, 1.0)`"),
    ],
)
def test_confidences_above_1_are_found(
    tmp_path: Path, name: str, n_keypoints: int, code: str | None, hint: str
) -> None:
    """`check` drops exactly the poses with a number above 1, and the writer refuses exactly their images."""
    category, poses = _poses(name)
    too_large = {
        file: [e for e in entries if e["score"] > 1 or max(e["keypoints"][2::3]) > 1]
        for file, entries in poses.items()
    }
    folder = tmp_path / ".lightly/predictions/raw"
    folder.mkdir(parents=True)
    (folder.parent / "tasks.json").write_text('["raw"]')
    (folder / "schema.json").write_text(json.dumps({"task_type": "keypoint-detection", "categories": [category]}))
    writer = PredictionWriter(tmp_path, task="written", task_type="keypoint-detection", categories=[category])
    for file, entries in poses.items():
        assert {len(entry["keypoints"]) for entry in entries} <= {3 * n_keypoints}
        (folder / file).with_suffix(".json").write_text(json.dumps({"predictions": entries}))
        shutil.copy(DATA / "pose/coco/000000000785.jpg", tmp_path / file)
        if too_large[file]:
            with pytest.raises(UsageError, match=r"from 0 to 1, got `[12]"):
                writer.write(file, entries)
        else:
            assert writer.write(file, entries) == []
    report = answer("check", tmp_path)
    n_bad = sum(map(len, too_large.values()))
    assert report["tasks"]["raw"]["predictions"] == sum(map(len, poses.values())) - n_bad
    groups = [g for g in report["problems"] if g["severity"] == "error" and g["task"] == "raw"]
    assert [g["code"] for g in groups if g["code"] == code] == ([code] if n_bad else [])
    assert all(hint in g["hint"] for g in groups if g["code"] == code)
    assert (n_bad > 0) == (code is not None)


@pytest.fixture(scope="module")
def car(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video with what a detector said about each of its frames."""
    root = tmp_path_factory.mktemp("car")
    write_car(root)
    return root


def test_each_frame_of_a_video_is_a_sample(car: Path) -> None:
    """As many samples as frames decode, each with its file, and no error."""
    report = answer("check", car)
    assert (report["samples"], report["errors"]) == (N_FRAMES, 0)
    assert report["tasks"]["nanodet"]["files"] == N_FRAMES
    assert report["tasks"]["nanodet"]["samples_without_file"] == 0


def test_picked_frames_have_pictures(car: Path, tmp_path: Path) -> None:
    """Each picked frame is a picture of the video's size in the report, not a fault."""
    answer("select", car, "--n", 20, "--score", "nanodet:uncertainty_entropy", "--diverse", "--out", tmp_path)
    picks = json.loads((tmp_path / "report.json").read_text())["picks"]
    assert len({pick["key"] for pick in picks}) == 20
    assert {(p["picture"]["width_px"], p["picture"]["height_px"], p.get("fault")) for p in picks} == {
        (768, 432, None)
    }
    problems = json.loads((tmp_path / "report.json").read_text())["problems"]
    assert {problem["task"] for problem in problems} == {"nanodet"}
    assert refusal("show", car, "car-detection-3-mp4.png")[0] == 2
