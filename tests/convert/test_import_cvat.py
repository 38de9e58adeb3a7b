"""What CVAT says of videos, and of boxes that are turned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert_helpers import not_taken, put_images, read_task, run_import
from corpus_cases import video
from tamis.formats import decode_cvat, parse_xml

if TYPE_CHECKING:
    from pathlib import Path

TRACK = '<track id="{}" label="car">{}</track>'
BOX = '<box frame="{}" outside="{}" xtl="1" ytl="2" xbr="{}" ybr="6"/>'


def write(path: Path, body: str, about: str = "<task><source>clip.avi</source></task>") -> Path:
    labels = "<label><name>car</name></label>"
    path.write_text(f"<annotations><meta>{about}{labels}</meta>{body}</annotations>", "utf-8")
    return path


def put_video(path: Path, *, n_frames: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(video(n_frames))
    return path


def test_tracks_are_boxes_of_frames(tmp_path: Path) -> None:
    """Each shape is on the frame that it names, none where the track is outside; other frames get no file."""
    root = put_video(tmp_path / "data/day 1/clip.avi", n_frames=12).parents[1]
    first = BOX.format(0, 0, 4) + BOX.format(1, 0, 5) + BOX.format(10, 1, 5)
    path = write(tmp_path / "a.xml", TRACK.format(0, first) + TRACK.format(7, BOX.format(1, 0, 9)))
    report = run_import(root, "cvat", path, score=1.0)
    assert (report.records, report.predictions, report.files_empty, report.not_taken) == (3, 3, 1, [])
    assert [group.code for group in report.notes] == ["image-elsewhere"]
    assert {key: [one.bbox for one in found] for key, found in read_task(root)[1].items()} == {
        "day 1/clip-00-avi.png": [(1, 2, 3, 4)],
        "day 1/clip-01-avi.png": [(1, 2, 4, 4), (1, 2, 8, 4)],
        "day 1/clip-10-avi.png": [],
    }


def test_tracks_of_several_videos_are_told_by_their_task(tmp_path: Path) -> None:
    """In an export of a project a track names its task, and the task its video."""
    root = put_video(tmp_path / "data/a.avi", n_frames=2).parent
    put_video(root / "b.avi", n_frames=2)
    tasks = "".join(f"<task><id>{i}</id><source>{name}.avi</source></task>" for i, name in ((3, "a"), (4, "b")))
    body = "".join(
        TRACK.format(i, BOX.format(1, 0, 4)).replace("<track", f"<track {said}")
        for i, said in enumerate(('task_id="4"', 'task_id="3"', ""))
    )
    report = run_import(root, "cvat", write(tmp_path / "a.xml", body, tasks), score=1.0)
    assert sorted(read_task(root)[1]) == ["a-1-avi.png", "b-1-avi.png"]
    assert not_taken(report) == {"frame-missing": 1}


@pytest.mark.parametrize("about", ["", "<task/>", "<task><source>gone.avi</source></task>"])
def test_frames_of_no_video_are_counted(tmp_path: Path, about: str) -> None:
    """A video that is not said or not there, a frame that it does not have, and a number that is none."""
    root = put_video(tmp_path / "data/clip.avi", n_frames=2).parent
    body = TRACK.format(0, BOX.format(0, 0, 4) + BOX.format(1, 1, 4))
    report = run_import(root, "cvat", write(tmp_path / "a.xml", body, about), score=1.0)
    assert (report.records, report.predictions, not_taken(report)) == (1, 0, {"frame-missing": 1})
    body = TRACK.format(0, "".join(BOX.format(frame, 0, 4) for frame in (1, 2, "x")))
    report = run_import(root, "cvat", write(tmp_path / "b.xml", body), score=1.0, task="u")
    assert not_taken(report) == {"frame-missing": 1, "record-unreadable": 1}
    assert list(read_task(root, "u")[1]) == ["clip-1-avi.png"]


def test_turned_boxes_become_the_upright_box_around_them(tmp_path: Path) -> None:
    """A quarter turn of 40 x 4 about its centre is 4 x 40; that it was turned is said."""
    root = put_images(tmp_path / "data", {"a.png": (64, 48)})
    box = '<box label="car" xtl="10" ytl="20" xbr="50" ybr="24" rotation="{}"/>'
    body = "".join(box.format(degrees) for degrees in ("90.00", "180", "0.0"))
    path = write(tmp_path / "a.xml", f'<image name="a.png" width="64" height="48">{body}</image>')
    report = run_import(root, "cvat", path, score=1.0)
    assert [one.bbox for one in read_task(root)[1]["a.png"]] == [(28, 2, 4, 40), (10, 20, 40, 4), (10, 20, 40, 4)]
    assert {group.code: group.count for group in report.notes} == {"box-turned": 1}


@given(st.floats(-720, 720), st.tuples(*[st.floats(0, 100)] * 4))
def test_the_upright_box_holds_the_turned_one(degrees: float, sides: tuple[float, float, float, float]) -> None:
    """It keeps the centre, and no turn makes it smaller than the shorter or larger than both sides of the box."""
    x, y, w, h = sides
    body = f'<box label="car" xtl="{x}" ytl="{y}" xbr="{x + w}" ybr="{y + h}" rotation="{degrees}"/>'
    [image] = decode_cvat(parse_xml(f'<a><image name="a">{body}</image></a>'.encode()), {"car": 0})
    left, top, width, height = image.objects[0].bbox or (0, 0, 0, 0)
    assert (left + width / 2, top + height / 2) == pytest.approx((x + w / 2, y + h / 2), abs=1e-5)
    assert min(w, h) - 1e-5 <= min(width, height)
    assert max(width, height) <= w + h + 1e-5
    assert width**2 + height**2 >= w**2 + h**2 - 1e-3
