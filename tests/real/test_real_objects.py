"""Real detectors, poses and masks on COCO images: checked, selected from in rounds, and drawn."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

import tamis
from real_data import answer, image_size, needs_data, read_json, refusal, results_by_file
from real_sources import DEEPLAB, RESULTS, write_coco
from tamis.api.writer import PredictionWriter
from tamis.errors import UsageError
from tamis.model.masks import decode
from tamis.selection import parse_config

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_data


@pytest.fixture(scope="module")
def coco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """128 images with what four models said, scanned."""
    root = tmp_path_factory.mktemp("coco")
    write_coco(root)
    answer("scan", root)
    return root


def test_sigmoid_probabilities_are_one_warning_for_a_dataset(coco: Path) -> None:
    """Sums other than 1 are no error, and are summed up once for the task that has them."""
    report = answer("check", coco)
    groups = [g for g in report["problems"] if g["code"] == "probabilities-sum"]
    assert report["errors"] == 0
    assert [(group["task"], group["count"]) for group in groups] == [("nanodet", 128)]
    assert report["tasks"]["nanodet"]["predictions"] == len(read_json(f"{RESULTS}/nanodet_coco128_val.json"))
    assert report["tasks"]["deeplab"]["predictions"] == len(read_json(DEEPLAB))


def test_column_major_masks_come_back_as_the_same_pixels(coco: Path) -> None:
    """What is drawn of a COCO mask that was converted and written is what its own runs down the columns say."""
    for name, entries in results_by_file(DEEPLAB).items():
        file = (coco / ".lightly/predictions/deeplab" / name).with_suffix(".json")
        written = json.loads(file.read_text())["predictions"]
        width, height = image_size(coco / name)
        for entry, prediction in zip(entries, written, strict=True):
            runs = _uncompressed(entry["segmentation"]["counts"])
            pixels = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape((height, width), order="F")
            assert np.array_equal(decode(prediction["segmentation"], height, width), pixels)


def _uncompressed(text: str) -> list[int]:
    """Read the COCO API's own text of run lengths: 5 bits a character, differences to the run two before."""
    runs: list[int] = []
    at = 0
    while at < len(text):
        value = shift = 0
        more = True
        while more:
            bits = ord(text[at]) - 48
            value |= (bits & 31) << shift
            more, at, shift = bool(bits & 32), at + 1, shift + 5
        if bits & 16:
            value |= -1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
    return runs


def test_masks_need_a_score_that_the_user_says(tmp_path: Path) -> None:
    """A mask without a score is refused with what to do, and nothing is written."""
    with PredictionWriter(tmp_path, task="t", task_type="semantic-segmentation", categories=["a"]) as writer:
        with pytest.raises(UsageError, match="choose a value yourself"):
            writer.write("a.jpg", [{"category_id": 0, "segmentation": [0, 4]}])
        assert not (tmp_path / ".lightly/predictions/t/a.json").exists()


def test_the_report_draws_the_boxes_of_the_model(coco: Path, tmp_path: Path) -> None:
    """Marks of a pick are the model's boxes, surest first, in the pixels of the original image."""
    answer("select", coco, "--n", 20, "--score", "nanodet:uncertainty_entropy", "--diverse", "--out", tmp_path)
    by_file = results_by_file(f"{RESULTS}/nanodet_coco128_val.json")
    picks = json.loads((tmp_path / "report.json").read_text())["picks"]
    assert len(picks) == 20
    for pick in picks:
        expected = sorted(by_file[pick["key"]], key=lambda entry: -entry["score"])
        marks = next(layer["marks"] for layer in pick["layers"] if layer["task"] == "nanodet")
        assert [m["bbox"] for m in marks] == [e["bbox"] for e in expected[: len(marks)]]
        size = pick["picture"]["width_px"], pick["picture"]["height_px"]
        assert size == image_size(coco / pick["key"])


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (
            ["--n", 5, "--score", "centernet:uncertainty_entropy"],
            2,
            "it has `uncertainty_least_confidence`, `objec",
        ),
        (["--n", 5, "--score", "deeplab:uncertainty_margin"], 2, "have no `probabilities`"),
        (["--n", 5, "--score", "nanodet:uncertanty_entropy"], 2, "did you mean `uncertainty_entropy`?"),
        (
            ["--n", 5, "--score", "nanodt:uncertainty_entropy"],
            2,
            "tasks of this datasource: `nanodet`, `centernet`",
        ),
        (["--n", 5, "--score", "nanodet"], 2, "write it as TASK:SCORE"),
        (["--n", 0, "--diverse"], 2, "x>=1"),
        (["--n", 5], 2, "There is nothing to select by"),
        (["--diverse"], 2, "How many samples to pick is not said"),
        (["--n", 5, "--diverse", "--pool", "a/b"], 2, "cannot be the name of a pool"),
        (["--n", 5, "--diverse", "--add-to-pool"], 2, "give `--pool NAME`"),
        (["--n", 5, "--diverse", "--embeddings", "nowhere.npz"], 3, "`nowhere.npz` cannot be read"),
        (["--config", "nowhere.yaml"], 3, "`nowhere.yaml` cannot be read"),
    ],
)
def test_wrong_calls_are_one_message(
    coco: Path, tmp_path: Path, words: list[object], exit_code: int, said: str
) -> None:
    """A wrong call of `select` says what is wrong, exits with the code for it, and writes nothing."""
    code, message = refusal("select", coco, "--out", tmp_path / "out", *words)
    assert code == exit_code
    assert said in message
    assert not (tmp_path / "out").exists()


def test_a_score_that_a_task_lacks_cannot_sort(coco: Path) -> None:
    """`show --sort` by a score without probabilities is refused as `select` refuses it."""
    code, message = refusal("show", coco, "--sort", "centernet:uncertainty_entropy")
    assert code == 2
    assert "its predictions have no `probabilities`" in message


def test_sources_that_are_no_folders(coco: Path) -> None:
    """A file or nothing at SRC is a missing datasource; an unknown sample is a wrong call."""
    assert refusal("check", next(coco.glob("*.jpg")))[0] == 3
    assert refusal("check", coco / "nowhere")[0] == 3
    assert refusal("show", coco, "nothing/like/that.jpg")[0] == 2


def test_rounds_never_pick_twice(coco: Path, tmp_path: Path) -> None:
    """Picks that join a pool are never picked again, and asking for more than is left gives all that is left."""
    picked: list[str] = []
    call = ["select", coco, "--score", "nanodet:uncertainty_entropy", "--diverse", "--pool", "rounds"]
    for number in range(3):
        answer(*call, "--n", 10, "--add-to-pool", "--out", tmp_path / str(number))
        picked += (tmp_path / str(number) / "selected.txt").read_text().split()
    assert len(set(picked)) == 30
    rest = answer(*call, "--n", 1000, "--out", tmp_path / "rest")
    assert {pick["key"] for pick in rest["picks"]} == {p.name for p in coco.glob("*.jpg")} - set(picked)
    assert (rest["n_picked"], rest["n_requested"], rest["stopped"]) == (98, 1000, "all candidates are taken")


def test_picks_that_cannot_be_written_do_not_join_the_pool(coco: Path, tmp_path: Path) -> None:
    """Where the results cannot go to, the pool stays as it was."""
    (tmp_path / "out").write_text("a file")
    call = ["select", coco, "--n", 3, "--diverse", "--pool", "unwritten", "--add-to-pool", "--out"]
    code, message = refusal(*call, tmp_path / "out")
    assert (code, message) == (3, f"`{tmp_path / 'out'}` is a file, expected a folder for the results")
    assert answer(*call, tmp_path / "folder")["n_pool"] == 0


EMBEDDINGS: list[dict[str, Any]] = [{"type": "EMBEDDINGS"}, {"type": "EMBEDDINGS", "task": "nanodet"}]
NUMBERS: list[dict[str, Any]] = [
    {"type": "SCORES", "task": "nanodet", "score": "uncertainty_margin"},
    {"type": "SCORES", "task": "movenet", "score": "mean_uncertainty"},
    {"type": "METADATA", "key": "number"},
    {"type": "PREDICTIONS", "task": "centernet", "name": "CATEGORY_COUNT", "categories": ["class 0"]},
    {"type": "RANDOM", "random_seed": 5},
]
CLASSES: list[dict[str, Any]] = [
    {"type": "METADATA", "key": "half"},
    {"type": "PREDICTIONS", "task": "deeplab", "name": "CLASS_DISTRIBUTION"},
]
WAYS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    *product(EMBEDDINGS, [{"type": "DIVERSITY"}, {"type": "TYPICALITY", "num_nearest_neighbors": 3}]),
    *(({**given, "tag_name": "queries"}, {"type": "SIMILARITY"}) for given in EMBEDDINGS),
    *product(NUMBERS, [{"type": "WEIGHTS"}, {"type": "THRESHOLD", "threshold": 0, "operation": "BIGGER_EQUAL"}]),
    *product(
        CLASSES, [{"type": "BALANCE", "distribution": "UNIFORM"}, {"type": "BALANCE", "distribution": "INPUT"}]
    ),
]


@pytest.fixture(scope="module")
def source(coco: Path) -> tamis.Datasource:
    """The datasource with a pool of queries."""
    source = tamis.open(coco)
    source.select(n=4, scores=["nanodet:uncertainty_entropy"], pool="queries", add_to_pool=True)
    return source


@pytest.mark.parametrize(("given", "strategy"), WAYS)
def test_every_input_goes_with_every_strategy_of_its_row(
    source: tamis.Datasource, given: dict[str, Any], strategy: dict[str, Any]
) -> None:
    """Each way to select that the table of inputs allows picks as many different samples as asked for."""
    config = {"n_samples": 6, "strategies": [{"input": given, "strategy": strategy}]}
    run = source.select(config=_config(config))
    assert len(set(run.keys)) == 6


def test_a_proportion_counts_candidates_before_thresholds(coco: Path) -> None:
    """.25 of 128 images are 32 picks, however many a THRESHOLD leaves; each of them satisfies it."""
    numbers = {"input": NUMBERS[2], "strategy": {"type": "THRESHOLD", "threshold": 90, "operation": "BIGGER_EQUAL"}}
    weights = {"input": NUMBERS[4], "strategy": {"type": "WEIGHTS"}}
    run = tamis.open(coco).select(config=_config({"proportion_samples": 0.25, "strategies": [numbers, weights]}))
    names = sorted(path.name for path in coco.glob("*.jpg"))
    assert len(run.keys) == 32
    assert set(run.keys) < set(names[90:])


def _config(tree: dict[str, Any]) -> Any:
    return parse_config(msgspec.json.encode(tree).decode(), source="config")
