from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convert_helpers import build, export, not_taken, put_images, read_task, run_import
from strategies_convert import HEIGHT, KEYS, WIDTH, datasources
from tamis.errors import DatasourceError, UsageError
from tamis.model import Prediction, TaskType

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.model import Task


@settings(max_examples=15, deadline=None)
@given(datasources(), st.sampled_from(["csv", "parquet"]))
def test_tables_come_back(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[Task, dict[str, list[Prediction]]], kind: str
) -> None:
    """Exported as a table and imported again, every prediction is what it was; empty files have no rows."""
    task, files = made
    base = tmp_path_factory.mktemp("law")
    root = build(base / "data", task, files)
    export(root, kind, base / f"t.{kind}")
    back = put_images(base / "back", dict.fromkeys(KEYS, (WIDTH, HEIGHT)))
    schema = str(root / ".lightly/predictions/t/schema.json")
    report = run_import(back, "table", base / f"t.{kind}", classes=schema, task_type=task.task_type)
    assert report.not_taken == []
    assert "columns-unused" not in {group.code for group in report.notes}
    again, found = read_task(back)
    assert again.category_names == task.category_names
    assert found == {key: ones for key, ones in files.items() if ones}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return put_images(tmp_path / "data", {"a.png": (40, 20), "day 1/b.png": (10, 10)})


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "file_name,category_id,bbox_x,bbox_y,bbox_width,bbox_height,score\na.png,0,10,5,20,10,0.5\n",
        "\ufeffimage,label,xmin,ymin,xmax,ymax,confidence,note\na.png,car,10,5,30,15,0.5,x\n",
        'image,category_id,bbox,score\na.png,0,"[10, 5, 20, 10]",0.5\n',
        'ImageID,LabelName,Confidence,XMin,XMax,YMin,YMax\na.png,car,"0,5","0,25","0,75",0.25,0.75\n',
    ],
)
def test_columns_of_other_tools_are_known(tmp_path: Path, root: Path, text: str) -> None:
    """Ours, corners and Open Images' shares give the same box."""
    run_import(root, "table", table(tmp_path, text))
    assert read_task(root)[1] == {"a.png": [Prediction(category_id=0, bbox=(10, 5, 20, 10), score=0.5)]}


def test_what_a_table_holds_decides_its_type(tmp_path: Path, root: Path) -> None:
    """Without boxes, masks and keypoints a table holds classifications, which need no score."""
    run_import(root, "table", table(tmp_path, "image,label\na.png,rain\nday 1/b.png,sun\na.png,sun\n"))
    task, files = read_task(root)
    assert (task.task_type, task.category_names) == (TaskType.CLASSIFICATION, ("rain", "sun"))
    assert {key: [(p.category_id, p.score) for p in ones] for key, ones in files.items()} == {
        "a.png": [(0, None), (1, None)],
        "day 1/b.png": [(1, None)],
    }


@pytest.mark.parametrize(
    ("columns", "places"),
    [
        ("image,label,width,height,x,y", "`x`, `y`"),
        ("image,label,Top Left X,xCenter,box_left", "`xCenter`, `box_left`"),
        ("image,label,XMin,YMin", "`XMin`, `YMin`"),
    ],
)
def test_places_of_unknown_names_are_not_lost(tmp_path: Path, root: Path, columns: str, places: str) -> None:
    """A table with what looks like boxes is no classification unless that is said; then they are named."""
    path = table(tmp_path, f"{columns}\na.png,rain{',1' * (columns.count(',') - 1)}\n")
    with pytest.raises(UsageError, match=f"none that is known: {places}"):
        run_import(root, "table", path)
    report = run_import(root, "table", path, task_type=TaskType.CLASSIFICATION)
    assert {group.code: group.count for group in report.notes} == {"columns-unused": columns.count(",") - 1}
    assert (report.predictions, report.not_taken) == (1, [])


def test_sizes_of_images_are_no_places(tmp_path: Path, root: Path) -> None:
    """Width and height alone are those of the image; they are left out, and named."""
    report = run_import(root, "table", table(tmp_path, "image,label,width,height\na.png,rain,40,20\n"))
    assert [example.message for group in report.notes for example in group.examples] == ["got `width`, `height`"]


def test_rows_without_a_class_do_not_stop_the_others(tmp_path: Path, root: Path) -> None:
    """Empty names, and ids that no category can have, are counted by their row; the others are the categories."""
    report = run_import(root, "table", table(tmp_path, "image,label\na.png,\na.png,rain\n"))
    assert (report.predictions, not_taken(report)) == (1, {"category-name-unknown": 1})
    rows = "".join(f"a.png,{category}\n" for category in (-1, 1.5, "", 1e300, 3))
    report = run_import(root, "table", table(tmp_path, f"image,category_id\n{rows}"), task="u")
    assert (report.predictions, not_taken(report)) == (1, {"record-unreadable": 3, "category-unknown": 1})
    assert read_task(root, "u")[0].category_ids == (3,)
    with pytest.raises(UsageError, match="names no categories"):
        run_import(root, "table", table(tmp_path, "image,label\na.png,\n"), task="v")


def test_every_bad_row_is_named(tmp_path: Path, root: Path) -> None:
    """Rows with text for numbers, half a box, no score or no image are counted; the others go in."""
    good = "a.png,0,1,2,3,4,0.5"
    bad = ["a.png,x,1,2,3,4,1", "a.png,0,1,2,3,,1", "a.png,0,1,2,3,4,", "b/no.png,0,1,2,3,4,1", ",0,1,2,3,4,1"]
    rows = "\n".join(line for one in bad for line in (one, good))
    header = "file_name,category_id,bbox_x,bbox_y,bbox_width,bbox_height,score"
    report = run_import(root, "table", table(tmp_path, f"{header}\n{rows}\n"))
    assert not_taken(report) == {"record-unreadable": 2, "score-missing": 1, "image-missing": 2}
    assert (report.records, report.predictions) == (10, 5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "expected a column of images, one of file_name"),
        ("image\na.png\n", "expected a column of categories"),
        ("image,label,x1,y1,x2,y2\na.png,car,1,2,3,4\n", "no column of scores"),
        ('image,category_id,probabilities\na.png,0,"[1]"\n', "has probabilities, whose order"),
        ("", "expected a column of images"),
    ],
)
def test_tables_that_say_too_little_are_refused(tmp_path: Path, root: Path, text: str, said: str) -> None:
    """What is missing is asked for before anything is written."""
    with pytest.raises(UsageError, match=said):
        run_import(root, "table", table(tmp_path, text))
    assert not (root / ".lightly").exists()


def test_damaged_files_are_refused(tmp_path: Path, root: Path) -> None:
    """What is no table is one error that names the file."""
    for name in ("x.parquet", "x.csv"):
        path = tmp_path / name
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(DatasourceError, match=name):
            run_import(root, "table", path)
    pq.write_table(pa.table({"image": ["a.png"], "label": ["car"]}), tmp_path / "y.parquet")
    assert run_import(root, "table", tmp_path / "y.parquet").predictions == 1
