"""`show` and `doctor`: counts equal those of the files, and every state of a datasource has an answer."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

import tamis
from strategies_datasource import Folder, box, png, video
from tamis.api.demo import build_demo
from tamis.api.doctor import Verdict, diagnose
from tamis.api.show import show_sample, show_samples
from tamis.errors import UsageError
from tamis.scoring import SCORE_NAMES

if TYPE_CHECKING:
    from pathlib import Path

TASK = "street-objects"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "data"
    build_demo(folder, n_images=30, seed=1)
    tamis.open(folder).scan()
    return folder


def _files(demo: Path, task: str) -> dict[str, list[dict[str, object]]]:
    """Read what the standard library can read of a task's files: predictions by sample key without ending."""
    root = demo / ".lightly/predictions" / task
    found = {}
    for path in root.rglob("*.json"):
        if path.name != "schema.json":
            try:
                found[path.relative_to(root).with_suffix("").as_posix()] = json.loads(path.read_bytes())[
                    "predictions"
                ]
            except json.JSONDecodeError:
                continue
    return found


def test_classes_are_counted_as_in_the_files(demo: Path) -> None:
    """The overview's counts of a clean task equal a count by the standard library."""
    overview = tamis.open(demo).overview()
    predictions = [p for entries in _files(demo, "weather").values() for p in entries]
    assert overview.samples == {"image": 30}
    assert overview.tasks["weather"].predictions == len(predictions)
    for count in overview.classes["weather"]:
        assert count.predictions == sum(p["category_id"] == count.id for p in predictions)


def test_samples_are_sorted_by_their_score(demo: Path) -> None:
    """`--sort` lists the highest first, unknown last, and only as many as asked."""
    snapshot = tamis.open(demo).snapshot
    rows = show_samples(snapshot, sort=f"{TASK}:uncertainty_margin", limit=30)
    values = [row.value for row in rows]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=True)
    assert values[len(known) :] == [None] * (len(values) - len(known))
    assert len(show_samples(snapshot, sort=None, limit=7)) == 7


def test_one_sample_whole(demo: Path) -> None:
    """A sample's predictions are those of its file, with category names."""
    snapshot = tamis.open(demo).snapshot
    stem, entries = next((s, e) for s, e in sorted(_files(demo, "background").items()) if e)
    view = show_sample(snapshot, f"{stem}.jpg")
    shown = view.tasks["background"].predictions
    assert [p["mask"] for p in shown] == [p["segmentation"] for p in entries]
    names = {category.id: category.name for category in snapshot.task("background").categories}
    assert [p["category"] for p in shown] == [names[p["category_id"]] for p in entries]  # type: ignore[index]
    with pytest.raises(UsageError, match="did you mean"):
        show_sample(snapshot, f"{stem}.jpeg")


def test_scores_of_one_sample_are_those_of_the_list(demo: Path) -> None:
    """Also that of the object frequency, which depends on all samples."""
    snapshot = tamis.open(demo).snapshot
    for name in SCORE_NAMES[snapshot.task(TASK).task_type]:
        for row in show_samples(snapshot, sort=f"{TASK}:{name}", limit=5):
            assert show_sample(snapshot, row.key).tasks[TASK].scores[name] == row.value


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("v/clip-3-mp4.png", "frame 3 of `v/clip.mp4` is named `v/clip-03-mp4.png`"),
        ("v/clip-003-mp4.jpg", "frame 3 of `v/clip.mp4` is named `v/clip-03-mp4.png`"),
        ("v/clip-03-mp4", "frame 3 of `v/clip.mp4` is named `v/clip-03-mp4.png`"),
        (
            "v/clip-12-mp4.png",
            "the samples of `v/clip.mp4` are its 12 frames, `v/clip-00-mp4.png` to `v/clip-11-mp4.png`",
        ),
        (
            "v/clip.mp4",
            "the samples of `v/clip.mp4` are its 12 frames, `v/clip-00-mp4.png` to `v/clip-11-mp4.png`",
        ),
        ("v/none.mp4", "of the video `v/none.mp4` no frame can be read"),
        ("v/clip-00-mov.png", "did you mean `v/clip-00-mp4.png`?"),
    ],
)
def test_a_frame_by_a_wrong_name_is_told_its_own(tmp_path: Path, key: str, hint: str) -> None:
    """Whoever asks for a frame with another padding, a number beyond, or the video, is told the right names."""
    folder = Folder(tmp_path)
    folder.put("v/clip.mp4", video(12))
    folder.put("v/none.mp4", b"")
    tamis.open(tmp_path).scan()
    with pytest.raises(UsageError) as caught:
        show_sample(tamis.open(tmp_path).snapshot, key)
    assert caught.value.hint == hint


def test_sql_sees_what_tables_hold(demo: Path) -> None:
    """A count in SQL equals the rows of the table, for every task."""
    ds = tamis.open(demo)
    for task in ds.tasks:
        counted = ds.sql(f'SELECT count(*) FROM "{task.name}".predictions').fetchall()[0][0]  # noqa: S608 (the test's own tasks)
        assert counted == ds.predictions(task.name).to_arrow().num_rows > 0


def test_doctor_of_a_sound_datasource(demo: Path) -> None:
    """Where only single files are broken, every point is good and the next step is a command."""
    diagnosis = diagnose(demo)
    assert {finding.verdict for finding in diagnosis.findings} == {Verdict.GOOD}
    assert diagnosis.next_step.startswith("tamis select")


@pytest.mark.parametrize(
    ("places", "said", "step"),
    [
        (
            ("empty",),
            "samples: no image and no video in `ROOT/empty`",
            "mend what is bad, then: tamis doctor empty",
        ),
        (("my images",), "tasks: there is no folder `.lightly/predictions`", "then: tamis doctor 'my images'"),
        (("my images/a.png",), "datasource: `ROOT/my images/a.png` is a file", "tamis doctor FOLDER"),
        (
            ("my images", "my images/a.png"),
            "hint: name the folder that it is in: `my images`",
            "tamis doctor FOLDER",
        ),
        (("ftp://host/x",), "`ftp://` is not supported", "tamis doctor FOLDER"),
        (("none",), "datasource: Folder `ROOT/none` does not exist", "tamis doctor FOLDER"),
        (("my images", "data"), "it is of `ROOT/data`", "tamis scan 'my images' --lightly data"),
        (("data",), "index: made 20", "tamis select data --n 50 --diverse"),
        (("touched",), "`.lightly/predictions/tasks.json` changed after that", "tamis scan touched"),
        (("fresh",), "index: none yet", "tamis scan fresh"),
        (("fresh",), "metadata: .lightly/metadata/schema.json: expected the fields of", "tamis scan fresh"),
    ],
)
def test_doctor_knows_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, places: tuple[str, ...], said: str, step: str
) -> None:
    """From every place where a user may begin, one finding says what is wrong, and the next step can be pasted."""
    monkeypatch.chdir(tmp_path)
    Folder(tmp_path / "empty")
    Folder(tmp_path / "my images").put("a.png", png(4, 4))
    for name in ("data", "touched", "fresh"):
        folder = Folder(tmp_path / name)
        folder.put("a.png", png(4, 4))
        folder.tasks("cars")
        folder.predict("cars", "a", box())
        if name != "fresh":
            tamis.open(folder.root).scan()
    folder.describe("a", {"day": 3})
    os.utime("touched/.lightly/predictions/tasks.json", (2**32, 2**32))
    diagnosis = diagnose(places[0], lightly=places[1] if len(places) > 1 else None)
    lines = [f"{finding.name}: {finding.detail} hint: {finding.hint}" for finding in diagnosis.findings]
    assert said in "\n".join(lines).replace(str(tmp_path), "ROOT")
    assert diagnosis.next_step.endswith(step)


def test_doctor_of_every_broken_state(tmp_path: Path) -> None:
    """No folder, no images, no tasks, a damaged index: each is a finding with a hint, never an exception."""
    assert diagnose(tmp_path / "none").findings[-1].verdict is Verdict.BAD
    empty = tmp_path / "empty"
    empty.mkdir()
    names = {finding.name: finding for finding in diagnose(empty).findings}
    assert names["samples"].verdict is Verdict.BAD
    assert names["tasks"].verdict is Verdict.BAD
    assert names["tasks"].hint
    index = empty / ".lightly/tamis"
    index.mkdir(parents=True)
    (index / "latest").write_text("nothing")
    damaged = {finding.name: finding for finding in diagnose(empty).findings}["index"]
    assert damaged.verdict is Verdict.BAD
    assert "scan --full" in (damaged.hint or "")
