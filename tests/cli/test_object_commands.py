"""`embed`, `crops`, `similar`, `tag`, `check --duplicates`: what people and programs see of them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import tamis
from embedding_project import CLASSES, make_project
from tamis.cli.app import app
from tamis.errors import TamisError

if TYPE_CHECKING:
    from pathlib import Path


def _run(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(result.exception, TamisError):
        assert result.exception.exit_code == code, result.exception
        return str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def _json(*words: object, code: int = 0) -> Any:
    return json.loads(_run(*words, "--format", "json", code=code))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six images with three boxes each."""
    make_project(tmp_path / "data", 6)
    return tmp_path / "data"


def test_a_round_with_objects(root: Path, tmp_path: Path) -> None:
    """Embed, select objects, tag them, cut them out, and export the images that hold them."""
    assert "6 encoded, 0 kept, of 6 images and frames" in _run("embed", root, "--workers", 1)
    assert "0 encoded, 18 kept" not in _run("embed", root, "--task", "pets", "--workers", 1)
    out = tmp_path / "out"
    said = _run(
        "select",
        root,
        "--objects",
        "pets",
        "--n",
        5,
        "--diverse",
        "--per-image",
        1,
        "--no-duplicates",
        "--out",
        out,
    )
    assert "Picked 5 of 18 candidates" in said
    assert "objects of 5 images" in said
    assert _run("tag", root, "round-1", "--add", out) == "round-1: 0 samples, 5 objects\n"
    assert _run("tag", root, "round-1", "--quiet").split() == (out / "selected.txt").read_text().split()
    crops = _json(
        "crops", root, "--task", "pets", "--out", tmp_path / "crops", "--selection", "round-1", "--workers", 1
    )
    assert crops["written"] == 5
    _run("export", "names", root, "--selection", "round-1", "--out", tmp_path / "names.txt")
    assert sorted((tmp_path / "names.txt").read_text().split()) == sorted((out / "images.txt").read_text().split())


def test_tags_from_conditions_files_and_each_other(root: Path, tmp_path: Path) -> None:
    """Conditions add what they hold of, other tags stand for their members; what is nothing is refused."""
    assert "There are no tags yet" in _run("tag", root)
    assert _json("tag", root, "wide", "--where", "width > 10 AND key LIKE 'a/%'")["samples"] == 3
    (tmp_path / "keys.txt").write_text("b/1.png\nb/3.png\n")
    tag = _json("tag", root, "more", "--add", "wide", "--add", tmp_path / "keys.txt", "--remove", "a/0.png")
    assert (tag["samples"], [change["action"] for change in tag["changes"]]) == (5, ["add"])
    tag = _json("tag", root, "more", "--remove", "a/0.png")
    assert (tag["samples"], tag["changes"][0]["origin"]) == (4, f"tag wide, file {tmp_path / 'keys.txt'}")
    assert [one["name"] for one in _json("tag", root)] == ["more", "wide"]
    assert _json("tag", root, "more", "--delete")["samples"] == 0
    assert _run("tag", root, "more") == ""
    assert "did you mean `wide`?" in _run("tag", root, "wdie", code=2)
    assert _json("tag", root, "none", "--where", "width > 1e9")["samples"] == 0
    assert "cannot be used" in _run("tag", root, "x", "--where", "nonsense >", code=2)
    assert "is no sample, object, file" in _run("tag", root, "x", "--add", "nobody.png", code=2)


def test_similar_and_duplicates_are_shown(root: Path) -> None:
    """Neighbours come with distances; repeated pictures with what they repeat; wrong queries with what to do."""
    assert "make them with `tamis embed SRC`" in _run("similar", root, "a/0.png", code=2)
    shutil.copy(root / "a/0.png", root / "copy.png")
    report = _json("check", root, "--duplicates")["duplicates"]
    assert [(one["key"], one["of"]) for one in report["duplicates"]] == [("copy.png", "a/0.png")]
    shown = _run("check", root, "--duplicates")
    assert "1 of 7 pictures repeat others: 1 exactly, 0 nearly" in shown
    assert max(map(len, shown.splitlines())) <= 80
    _run("scan", root)
    _run("embed", root, "--workers", 1)
    nearest = _json("similar", root, "a/0.png", "--n", 1)["neighbours"][0]
    assert (nearest["key"], nearest["distance"]) == ("copy.png", 0.0)
    assert "copy.png" in _run("similar", root, "a/0.png", "--n", 1)
    assert "is no sample, no object" in _run("similar", root, "nobody.png", code=2)


def test_a_report_of_objects_that_were_chosen_elsewhere(root: Path, tmp_path: Path) -> None:
    """`report` shows objects as it shows samples; what is neither is named."""
    names = tmp_path / "names.txt"
    names.write_text("a/0.png#pets#1\nb/1.png#pets#0\n")
    _run("report", root, "--selected", names, "--out", tmp_path / "report")
    report = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert [pick["key"] for pick in report["picks"]] == ["a/0.png#pets#1", "b/1.png#pets#0"]
    names.write_text("a/0.png#pets#1\na/0.png#pets#9\n")
    said = _run("report", root, "--selected", names, "--out", tmp_path / "report", code=2)
    assert "1 of 2 names are no objects: `a/0.png#pets#9`" in said


def test_what_is_not_compared_is_said(root: Path, tmp_path: Path) -> None:
    """Pictures without an embedding are counted and named by the search, and counted by a selection."""
    (root / "b/1.png").write_bytes(b"no picture")
    report = _json("check", root, "--duplicates")["duplicates"]
    assert report["compared"] == 5
    assert [one["key"] for one in report["not_compared"]] == ["b/1.png"]
    lines = [json.loads(line) for line in _run("check", root, "--duplicates", "--all").splitlines()]
    assert [one["key"] for one in lines if one["code"] == "not_compared"] == ["b/1.png"]
    shown = _run("check", root, "--duplicates")
    assert "No duplicates among 5 pictures" in shown
    assert "not compared, without an embedding: 1" in shown
    assert "1 x it is not of a known image format\n      b/1.png\n" in shown
    words = ["select", root, "--n", 2, "--diverse", "--no-duplicates", "--out", tmp_path / "out"]
    assert "may repeat others, without an embedding: 1" in _run(*words)
    assert json.loads((tmp_path / "out/selection.json").read_text())["duplicates_not_compared"] == 1


def test_doubtful_duplicates_are_warned_of(tmp_path: Path) -> None:
    """Where all pictures are alike, `check` and `select` say that what is near may be another picture."""
    for number in range(12):
        picture = Image.new("L", (120, 90), 250)
        picture.paste(20, (20, 20, 60 + 2 * number, 60))
        picture.save(tmp_path / f"{number:02}.png")
    shown = _run("check", tmp_path, "--duplicates", code=1)  # as it has no predictions
    assert "warning: half of all pairs of these pictures are nearer than" in shown
    assert max(map(len, shown.splitlines())) <= 80
    words = ["select", tmp_path, "--n", 2, "--diverse", "--no-duplicates", "--out", tmp_path / "out"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert "warning: half of all pairs" in result.stderr
    assert "without_duplicates" in result.stderr


def test_a_file_of_some_ends_with_1(root: Path, tmp_path: Path) -> None:
    """The exit code of `embed --file` says whether anything is without an embedding, and what that is is named."""
    for keys, code in ((["a/0.png", "b/1.png"], 1), ([f"{'ab'[i % 2]}/{i}.png" for i in range(6)], 0)):
        np.savez(tmp_path / "my clip.npz", names=keys, embeddings=np.eye(len(keys), 6))
        said = _run("embed", root, "--file", tmp_path / "my clip.npz", code=code)
        assert f"{len(keys)} taken over, 0 kept, of 6 images and frames" in said
        assert "embeddings `my-clip`" in said
        assert ("4 x `my clip.npz` has no vector for it\n      a/2.png\n" in said) == bool(code)


def test_faults_end_with_1_and_wrong_usage_with_2(root: Path, tmp_path: Path) -> None:
    """Pictures that cannot be read are shown and make the exit code 1; options that contradict each other 2."""
    (root / "a/0.png").write_bytes(b"x")
    _run("scan", root)
    said = _run("embed", root, "--workers", 1, code=1)
    assert "without embedding: 1" in said
    assert "    1 x it is not of a known image format\n      a/0.png\n" in said
    said = _run("crops", root, "--task", "pets", "--out", tmp_path / "crops", "--workers", 1, code=1)
    assert "15 crops written" in said
    assert "not cut out: 3 objects" in said
    assert "exclude each other" in _run("embed", root, "--model", "a.onnx", "--file", "b.npz", code=2)
    assert "Padding is for objects" in _run("embed", root, "--padding", 0.2, code=2)
    assert "cannot be read" in _run("embed", root, "--model", tmp_path / "none.onnx", code=3)
    assert "There is no selection" in _run(
        "crops", root, "--task", "pets", "--out", tmp_path / "c", "--selection", "nothing", code=2
    )
    assert "is for objects" in _run("select", root, "--n", 2, "--diverse", "--per-image", 2, code=2)


def test_no_reason_hides_another(root: Path, tmp_path: Path) -> None:
    """However many objects fail, each reason is shown with their number, in 80 columns; JSON names all of them."""
    with tamis.PredictionWriter(root, task="pets", task_type="object-detection", categories=CLASSES) as writer:
        for key in ("b/1.png", "b/3.png"):
            boxes = [[width, 0, width, 0] for width in range(1, 9)]
            writer.write_boxes(key, boxes, scores=[0.5] * 8, category_ids=[0] * 8)
    (root / "a/0.png").write_bytes(b"x")
    _run("scan", root)
    words = ["--task", "pets", "--workers", 1]
    for command, n in (("crops", "failed"), ("embed", "without")):
        out = ["--out", tmp_path / "crops"] if command == "crops" else []
        said = _run(command, root, *words, *out, code=1)
        assert "    16 x its box has no area: ... x ... pixels\n" in said
        assert "      b/1.png#pets#0: its box has no area: 1 x 0 pixels\n" in said
        assert "      and 13 more\n" in said
        assert "    3 x it is not of a known image format\n      a/0.png#pets#0\n" in said
        assert max(map(len, said.splitlines())) <= 80
        report = _json(command, root, *words, *out, code=1)
        assert report[n] == len({fault["key"] for fault in report["faults"]}) == 19


def test_tags_work_on_after_members_are_gone(root: Path, tmp_path: Path) -> None:
    """Of a tag, crops take the objects of their task and export the samples that are there; the rest is counted."""
    with tamis.PredictionWriter(root, task="birds", task_type="object-detection", categories=CLASSES) as writer:
        writer.write_boxes("a/0.png", [[1, 1, 9, 9]], scores=[0.5], category_ids=[0])
    _run("scan", root)
    objects = ["a/0.png#birds#0", "a/0.png#pets#0", "b/1.png#pets#2", "b/3.png#pets#0", "b/5.png#pets#1", "b/5.png"]
    _run("tag", root, "mixed", *(word for key in objects for word in ("--add", key)))
    _run("tag", root, "lost", "--add", "b/5.png")
    (root / "b/5.png").unlink()
    for key in ("b/3", "b/5"):
        (root / f".lightly/predictions/pets/{key}.json").unlink()
    _run("scan", root)
    words = ["crops", root, "--task", "pets", "--out", tmp_path / "crops", "--workers", 1, "--selection"]
    report = _json(*words, "mixed")
    assert (report["written"], report["of_other_tasks"], report["gone"]) == (2, 1, 3)
    assert "  passed over: 1 of other tasks, 3 gone from the index\n" in _run(*words, "mixed")
    assert "1 of 1 names are neither" in _run(*words, "lost", code=2)
    names = tmp_path / "names.txt"
    said = _run("export", "names", root, "--selection", "mixed", "--out", names)
    assert "  passed over: 1 gone from the index\n" in said
    assert names.read_text().split() == ["a/0.png", "b/1.png", "b/3.png"]
    assert "not in the index" in _run("export", "names", root, "--selection", "lost", code=2)
    (tmp_path / "list.txt").write_text("\n".join(objects))
    assert "4 of 6 names are neither" in _run(*words, tmp_path / "list.txt", code=2)
    gone = objects[-3:]
    tag = _json("tag", root, "mixed", *(word for key in gone for word in ("--remove", key)))
    assert (tag["samples"], tag["objects"], tag["gone"]) == (0, 3, 0)
    assert "is no sample, object, file" in _run("tag", root, "mixed", "--remove", gone[0], code=2)


def test_embed_notes_what_changed_after_the_scan(root: Path) -> None:
    """A new image, or one that was written over, is named, with what to do; after a scan nothing is."""
    words = ["embed", str(root), "--workers", "1"]
    assert "note:" not in CliRunner().invoke(app, words).stderr
    shutil.copy(root / "a/0.png", root / "a/new.png")
    assert "note: `a/new.png` came, went or changed after the last scan; `tamis scan`" in " ".join(
        CliRunner().invoke(app, words).stderr.split()
    )
    assert "note:" not in CliRunner().invoke(app, [*words, "--quiet"]).stderr
    _run("scan", root)
    assert "note:" not in CliRunner().invoke(app, words).stderr


def test_crops_know_whose_objects_are_meant(root: Path, tmp_path: Path) -> None:
    """The task that the selection's objects are of, or the only one; what could be two is asked for."""
    crops = ["crops", root, "--out", tmp_path / "crops", "--workers", 1]
    assert _json(*crops)["task"] == "pets"
    predictions = root / ".lightly/predictions"
    shutil.copytree(predictions / "pets", predictions / "cars")
    (predictions / "tasks.json").write_text('["pets", "cars"]')
    _run("scan", root, "--quiet")
    said = _run(*crops, code=2)
    assert "Whose objects are meant is not said" in said
    assert "``" in _run(*crops, "--task", "", code=2)  # as of a variable that is not set
    _run("tag", root, "two", "--add", _objects(tmp_path, "cars", 2))
    chosen = ["crops", root, "--out", tmp_path / "two", "--workers", 1, "--selection"]
    found = _json(*chosen, "two")
    assert (found["task"], found["written"]) == ("cars", 2)
    _run("tag", root, "both", "--add", _objects(tmp_path, "cars", 2), "--add", _objects(tmp_path, "pets", 1))
    assert "Whose objects are meant is not said" in _run(*chosen, "both", code=2)
    (predictions / "tasks.json").write_text("[]")
    _run("scan", root, "--quiet")
    assert "No task of this datasource has objects" in _run(*crops, code=2)


def _objects(folder: Path, task: str, n: int) -> Path:
    """Write a list of the first objects of a sample."""
    names = folder / f"{task}.txt"
    names.write_text("".join(f"a/0.png#{task}#{i}\n" for i in range(n)))
    return names
