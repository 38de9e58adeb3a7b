from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from comparing_data import Random
from real_data import answer, refusal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("commands") / "data"
    Random("bbox").write(path)
    return path


def test_what_was_evaluated_is_selected_by(root: Path, tmp_path: Path) -> None:
    """The samples and objects with the largest error are picked first; the page shows them and loads nothing."""
    out = tmp_path / "out"
    report = answer("evaluate", root, "--task", "model", "--labels", "labels", "--out", out)
    table = pq.read_table(out / "samples.parquet").to_pydict()
    errors = dict(zip(table["key"], table["error"], strict=True))
    score = f"{out / 'samples.parquet'}:error"
    picks = answer("select", root, "--n", 4, "--score", score, "--out", tmp_path / "s")["picks"]
    picked = [errors[pick["key"]] for pick in picks]
    assert picked == sorted(errors.values(), reverse=True)[:4]
    objects = pq.read_table(out / "objects.parquet").to_pydict()
    worst = max(e for key, e in zip(objects["key"], objects["error"], strict=True) if "#model#" in key)
    score = f"{out / 'objects.parquet'}:error"
    found = answer("select", root, "--n", 1, "--objects", "model", "--score", score, "--out", tmp_path / "o")
    [pick] = found["picks"]
    assert dict(zip(objects["key"], objects["error"], strict=True))[pick["key"]] == worst
    page = (out / "evaluation.html").read_text("utf-8")
    assert all(one["sample"] in page for one in report["worst"])
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "http:" not in page
    assert "https:" not in page
    assert (out / "worst.txt").read_text().splitlines() == [one["sample"] for one in report["worst"]]


def test_what_runs_disagree_about_is_selected_by(root: Path, tmp_path: Path) -> None:
    """The column that `diff` writes is what `select` weighs by."""
    out = tmp_path / "out"
    report = answer("diff", root, "--task", "model", "--task", "labels", "--out", out, "--limit", 3)
    score = f"{out / 'samples.parquet'}:disagreement"
    picks = answer("select", root, "--n", 3, "--score", score, "--out", tmp_path / "s")["picks"]
    assert [pick["key"] for pick in picks] == [one["sample"] for one in report["most_changed"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("diff", "{root}", "--task", "model"), "What to compare `model` with is not said"),
        (("diff", "{root}"), "Expected one or two tasks, got 0"),
        (("evaluate", "{root}", "--task", "model", "--labels", "nothing"), "tasks of this datasource"),
        (
            ("evaluate", "{root}", "--task", "model", "--labels", "labels", "--shape", "x"),
            "boxes, masks, keypoints",
        ),
        (("evaluate", "{root}", "--task", "model", "--labels", "labels", "--min-iou", "0"), "overlap in (0, 1]"),
        (
            ("evaluate", "{root}", "--task", "model", "--labels", "labels", "--shape", "masks"),
            "Not both have masks",
        ),
        (("select", "{root}", "--n", "1", "--score", "{file}:nothing"), "no column `nothing`"),
        (("select", "{root}", "--n", "1", "--score", "{file}:name"), "holds no numbers"),
        (("select", "{root}", "--n", "1", "--score", "{file}:error"), "names `00.png` 2 times"),
    ],
)
def test_what_is_asked_wrongly_is_refused(root: Path, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """A wrong word ends with exit code 2 and says what was expected."""
    file = tmp_path / "scores.csv"
    file.write_text("key,error,name\n00.png,1,a\n00.png,2,b\n")
    code, message = refusal(*(word.format(root=root, file=file) for word in words))
    assert code == 2
    assert said in message
