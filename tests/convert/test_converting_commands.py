"""`tamis import` and `tamis export` as a user meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from convert_helpers import put_images, put_json
from real_data import answer, refusal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Path]:
    """A folder of images, an annotation file that lists them, and results with one bad record."""
    root = put_images(tmp_path / "data", {"a.jpg": (40, 30), "day 1/b.png": (20, 10)})
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "day 1/b.png"}]
    described = {"images": images, "annotations": [], "categories": [{"id": 3, "name": "car"}]}
    record = {"image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4], "score": 0.5}
    results: list[Any] = [record, record | {"image_id": 9}, record | {"image_id": 2}]
    return {
        "root": root,
        "described": put_json(tmp_path / "ann.json", described),
        "results": put_json(tmp_path / "results.json", results),
    }


def _import(given: dict[str, Path], *options: str) -> Any:
    call = ["import", "coco", given["results"], given["root"], "--task", "cars"]
    return answer(*call, "--annotations", given["described"], *options)


def test_an_import_is_one_report(given: dict[str, Path]) -> None:
    """`--format json` says what was taken and what was not, and a record that was left out is exit code 1."""
    report = _import(given)
    assert set(report) == {
        "task", "task_type", "dry_run", "records", "predictions", "files", "files_empty", "files_unchanged",
        "not_taken", "n_not_taken", "notes", "seconds",
    }  # fmt: skip
    assert (report["records"], report["predictions"], report["files"]) == (3, 2, 2)
    [group] = report["not_taken"]
    assert (group["code"], group["count"]) == ("image-unknown", 1)
    assert group["examples"] == [
        {"place": "record 1", "message": "expected the id of an image that is described, got 9"}
    ]


def test_an_import_never_overwrites(given: dict[str, Path]) -> None:
    """A second import is refused with 2 and says how to go on; merging it changes nothing."""
    _import(given)
    call = [
        "import",
        "coco",
        given["results"],
        given["root"],
        "--task",
        "cars",
        "--annotations",
        given["described"],
    ]
    code, text = refusal(*call)
    assert code == 2
    assert "has prediction files already: `a.json`, `day 1/b.json`; nothing was written" in text
    assert "`--merge` adds what is not there yet" in text
    assert _import(given, "--merge")["files_unchanged"] == 2
    assert refusal(*call, "--merge", "--replace")[0] == 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            ["import", "coco", "{results}", "{root}", "--task", "t"],
            2,
            "does not say what its images and categories",
        ),
        (["import", "coco", "{missing}", "{root}", "--task", "t"], 3, "cannot be read: no such file"),
        (["import", "coco", "{results}", "{missing}", "--task", "t"], 3, "does not exist"),
        (
            ["import", "coco", "{described}", "{root}", "--task", "../t", "--type", "object-detection"],
            2,
            "cannot be the name of a task: expected a name",
        ),
        (["import", "coco", "{described}", "{root}", "--task", "t", "--type", "boxes"], 2, "no task type `boxes`"),
        (["import", "nonsense", "{results}", "{root}", "--task", "t"], 2, "Invalid value"),
        (["import", "coco", "{results}", "{root}"], 2, "Missing option"),
        (["export", "parquet", "{root}"], 2, "Which task to export is not said"),
        (["export", "files", "{root}"], 2, "Where to write is not said"),
        (["export", "names", "{root}", "--selection", "none"], 2, "There is no selection `none`"),
    ],
)
def test_wrong_calls_say_what_is_wrong(given: dict[str, Path], words: list[str], code: int, said: str) -> None:
    """A call that cannot work gives one message and the documented exit code."""
    places = {**given, "missing": given["root"] / "nowhere"}
    found, text = refusal(*(word.format(**places) for word in words))
    assert found == code
    assert said in " ".join(text.replace("│", " ").split())


def test_in_and_out_again(given: dict[str, Path], tmp_path: Path) -> None:
    """What went in comes out, and the report says what the format cannot hold."""
    _import(given)
    answer("scan", given["root"])
    out = tmp_path / "out.json"
    report = answer("export", "coco-results", given["root"], "--out", out, "--annotations", given["described"])
    assert report == {"out": str(out), "samples": 2, "predictions": 2, "not_held": [], "removed": 0, "gone": 0}
    known = [record for record in json.loads(given["results"].read_text()) if record["image_id"] != 9]
    assert sorted(json.loads(out.read_text()), key=str) == sorted(known, key=str)


def test_reports_for_people_fit_80_columns(given: dict[str, Path], tmp_path: Path) -> None:
    """Texts name what was left out with its reason, and no line is wider than the terminal."""
    where = ["--annotations", given["described"], "--task", "cars"]
    environment = {**os.environ, "COLUMNS": "80"}
    for call in (
        ["import", "coco", given["results"], given["root"], *where],
        ["export", "coco-results", given["root"], "--out", tmp_path / "out.json"],
    ):
        result = subprocess.run(
            [sys.executable, "-m", "tamis", *map(str, call)],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        assert result.returncode == (call[0] == "import"), result.stderr
        assert max(map(len, result.stdout.replace(str(tmp_path), "").splitlines())) <= 80
        if call[0] == "import":
            assert "Not taken: 1 record" in result.stdout
            assert "image-unknown x 1: The record is of an image that nothing describes" in result.stdout
