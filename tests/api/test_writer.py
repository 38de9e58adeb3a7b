from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given

import tamis
from bucket_servers import use_server
from strategies_scoring import Files, make_task, scenes
from tamis.api.task_files import declare_task
from tamis.api.writer import PredictionWriter
from tamis.errors import DatasourceError, UsageError
from tamis.formats import TASKS_KEY, decode_predictions, prediction_key, schema_key
from tamis.model import Category, Prediction, Task, TaskType, masks
from tamis.storage import MemoryStore, NotFoundError
from tamis.storage.bucket import BucketStore

if TYPE_CHECKING:
    from pathlib import Path

DETECTION = "object-detection"
BOX = {"category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}


def writer_of(store: MemoryStore, task: Task) -> PredictionWriter:
    return PredictionWriter(store, task=task.name, task_type=task.task_type, categories=task.categories)


def cars(store: MemoryStore, **changes: Any) -> PredictionWriter:
    options: dict[str, Any] = {"task": "cars", "task_type": DETECTION, "categories": ["car", "van", "bus"]}
    return PredictionWriter(store, **(options | changes))


def content(store: MemoryStore, key: str) -> Any:
    return json.loads(store.read(key).data)


def refusal(writer: PredictionWriter, *args: Any, **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        writer.write(*args, **options)
    return caught.value.message


@given(scenes())
def test_what_is_written_reads_back(scene: tuple[Task, Files]) -> None:
    """Predictions of every task type, written and read by the rules of a scan, are what they were."""
    task, files = scene
    store = MemoryStore()
    with writer_of(store, task) as writer:
        for i, ones in enumerate(files):
            writer.write(f"day {i}/a.b.jpg", ones)
    for i, ones in enumerate(files):
        key = prediction_key(task.name, f"day {i}/a.b.jpg")
        found, _ = decode_predictions(task, store.read(key).data, file=key)
        assert found == ones
        assert content(store, key)["file_name"] == f"day {i}/a.b.jpg"


def test_arrays_are_written_as_the_lists_that_they_hold() -> None:
    """NumPy's arrays and numbers give the bytes that plain lists give."""
    plain, arrays = MemoryStore(), MemoryStore()
    one = {"category_id": 1, "bbox": [1.5, 2, 3, 4], "score": 0.5, "probabilities": [0.25, 0.5, 0.25]}
    same = {
        "category_id": np.int32(1),
        "bbox": np.array([1.5, 2, 3, 4], np.float32),
        "score": np.float32(0.5),
        "probabilities": [np.float64(0.25), np.float16(0.5), 0.25],
    }
    cars(plain).write("a.jpg", [one])
    cars(arrays).write("a.jpg", (item for item in [same]), image_size=(9, 9))
    key = prediction_key("cars", "a.jpg")
    assert content(arrays, key) == content(plain, key) == {"file_name": "a.jpg", "predictions": [one]}


def test_masks_and_keypoints_may_be_arrays() -> None:
    """A mask of (height, width) becomes its row-major runs, keypoints of (K, 3) a flat list."""
    mask = np.array([[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 0, 1]])
    store = MemoryStore()
    writer = writer_of(store, make_task("semantic-segmentation", [0]))
    for key, segmentation in {"a.png": mask, "b.png": mask > 0, "c.png": masks.encode(mask)}.items():
        writer.write(key, [{"category_id": 0, "score": 1, "segmentation": segmentation}])
        found = content(store, prediction_key("task", key))["predictions"][0]["segmentation"]
        assert found == [2, 2, 1, 3, 3, 1]
    poses = writer_of(store := MemoryStore(), make_task("keypoint-detection", [0]))
    for points in (np.array([[1, 2, 0.5], [3, 4, 1]]), [[1, 2, 0.5], [3, 4, 1]], [1, 2, 0.5, 3, 4, 1]):
        poses.write("a.png", [{"category_id": 0, "score": 1, "keypoints": points}])
        assert content(store, prediction_key("task", "a.png"))["predictions"][0]["keypoints"] == [
            1,
            2,
            0.5,
            3,
            4,
            1,
        ]


def test_whole_arrays_are_written_row_by_row() -> None:
    """The conveniences write what `write` writes of the same rows."""
    boxes, scores, ids = np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]]), np.array([0.5, 0.25]), [1, 0]
    row = {"category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}
    store = MemoryStore()
    cars(store).write_boxes("a.jpg", boxes, scores=scores, category_ids=ids)
    assert content(store, prediction_key("cars", "a.jpg"))["predictions"][0] == row
    assert len(content(store, prediction_key("cars", "a.jpg"))["predictions"]) == 2
    cars(store).write_boxes("b.jpg", np.zeros((0, 4)), scores=[], category_ids=[], probabilities=np.zeros((0, 3)))
    assert content(store, prediction_key("cars", "b.jpg"))["predictions"] == []
    instances = cars(store, task="masks", task_type="instance-segmentation")
    instances.write_masks(
        "a.jpg", np.array([np.eye(2)]).astype(bool), scores=[1], category_ids=[2], boxes=[[0, 0, 2, 2]]
    )
    assert content(store, prediction_key("masks", "a.jpg"))["predictions"] == [
        {"category_id": 2, "bbox": [0, 0, 2, 2], "score": 1, "segmentation": [0, 1, 2, 1]}
    ]
    poses = cars(store, task="poses", task_type="keypoint-detection")
    poses.write_keypoints("a.jpg", np.ones((1, 2, 3)), scores=[1], category_ids=[2])
    assert content(store, prediction_key("poses", "a.jpg"))["predictions"][0]["keypoints"] == [1] * 6
    weather = cars(store, task="weather", task_type="classification", categories={7: "sun", 3: "rain"})
    weather.write_classification("a.jpg", np.array([0.25, 0.75]))
    assert content(store, prediction_key("weather", "a.jpg"))["predictions"] == [
        {"category_id": 7, "probabilities": [0.25, 0.75]}
    ]


def test_arrays_of_different_lengths_are_refused() -> None:
    """Nothing is cut to the shortest."""
    with pytest.raises(UsageError) as caught:
        cars(store := MemoryStore()).write_boxes("a.jpg", np.ones((2, 4)), scores=[0.5], category_ids=[0, 1])
    assert caught.value.message == (
        "Predictions of `a.jpg` were not written:\n  expected as many of each, got 2 of bbox, 1 of score, "
        "2 of category_id"
    )
    with pytest.raises(NotFoundError):
        store.read(prediction_key("cars", "a.jpg"))


def test_every_fault_of_a_call_is_listed_and_nothing_is_written() -> None:
    """One error says all that is wrong with the predictions; the file of an earlier call stands."""
    store = MemoryStore()
    writer = cars(store)
    writer.write("a.jpg", [])
    faulty = [
        {"category_id": 9, "bbox": [1, 2, 3, 4], "score": 1.5},
        {"category_id": 0, "bbox": [1, 2, float("nan"), 4]},
        {"category_id": 0, "bbox": [1, 2, 3], "score": "high", "probabilites": [1, 0, 0]},
        "car",
    ]
    message = refusal(writer, "a.jpg", faulty)
    for part in (
        "Predictions of `a.jpg` were not written:\n",
        "predictions[0].category_id: expected a category id of the schema (0 to 2), got `9`",
        "predictions[1].bbox[2]: expected a finite number, got `NaN`",
        "predictions[1]: expected",
        "predictions[2].bbox: expected",
        "predictions[2].score: expected",
        "predictions[2]: a prediction of type object-detection has no `probabilites`; did you mean",
        "predictions[3]: expected a prediction or a mapping, got str",
    ):
        assert part in message
    assert content(store, prediction_key("cars", "a.jpg"))["predictions"] == []


def test_a_value_out_of_range_is_refused() -> None:
    """Rules of values hold as in a scan, and a missing score is not made up."""
    assert "expected a score from 0 to 1, got `1.5`" in refusal(
        cars(MemoryStore()), "a.jpg", [BOX | {"score": 1.5}]
    )
    assert "score" in refusal(cars(MemoryStore()), "a.jpg", [{"category_id": 1, "bbox": [1, 2, 3, 4]}])


def test_fields_that_the_task_type_does_not_have_are_refused() -> None:
    """A field that would not be written is an error, not silence."""
    writer = writer_of(MemoryStore(), make_task("classification", [0, 1]))
    assert refusal(writer, "a.jpg", [Prediction(category_id=1, bbox=(1, 2, 3, 4))]) == (
        "Predictions of `a.jpg` were not written:\n"
        "  predictions[0]: a prediction of type classification has no `bbox`; "
        "it has `category_id`, `score`, `probabilities`"
    )


def test_boxes_and_masks_are_compared_with_the_image() -> None:
    """With a size, a box outside the image and a mask of another size are refused."""
    assert "expected a box" in refusal(
        cars(MemoryStore()), "a.jpg", [BOX | {"bbox": [99, 0, 5, 5]}], image_size=(9, 9)
    )
    writer = writer_of(MemoryStore(), make_task("semantic-segmentation", [0, 1]))
    two = [
        {"category_id": 0, "score": 1, "segmentation": np.ones((2, 3), bool)},
        {"category_id": 1, "score": 1, "segmentation": np.ones((3, 2), bool)},
    ]
    assert "predictions[1].segmentation: expected a mask of 3 x 2 pixels, got 2 x 3" in refusal(
        writer, "a.jpg", two
    )
    runs = [{"category_id": 0, "score": 1, "segmentation": [5, 5]}]
    assert "predictions[0].segmentation" in refusal(writer, "a.jpg", runs, image_size=(3, 3))
    soft = [{"category_id": 0, "score": 1, "segmentation": np.full((2, 2), 0.3)}]
    assert "expected a mask of booleans or integers, got float64" in refusal(writer, "a.jpg", soft)
    assert "image_size: expected a width and a height" in refusal(writer, "a.jpg", [], image_size=(3, 0))


def test_what_is_only_worth_a_look_is_written_and_returned() -> None:
    """Probabilities that do not sum to 1 are kept as they are, and said."""
    store = MemoryStore()
    problems = cars(store).write("a.jpg", [BOX | {"probabilities": [0.9, 0.8, 0.1]}])
    assert [problem.code for problem in problems] == ["probabilities-sum", "probabilities-argmax"]
    assert content(store, prediction_key("cars", "a.jpg"))["predictions"][0]["probabilities"] == [0.9, 0.8, 0.1]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("../a.jpg", "expected a relative path without `.`, `..`, backslash or NUL"),
        ("/a.jpg", "expected a relative path without `.`, `..`, backslash or NUL"),
        ("", "expected a relative path without `.`, `..`, backslash or NUL"),
        ("clip.mp4", "a video has predictions for each frame"),
        ("notes.txt", "its ending is not one of an image"),
        (".lightly/a.jpg", "what lies in `.lightly` is not a sample"),
        ("schema.jpg", "its prediction file would be `schema.json`"),
    ],
)
def test_what_is_no_sample_is_refused(key: str, text: str) -> None:
    """A name that no scan would find, or that would lie elsewhere, is an error; nothing is written."""
    store = MemoryStore()
    assert text in refusal(cars(store), key, [BOX])
    with pytest.raises(NotFoundError):
        store.read(TASKS_KEY)


def test_two_images_of_one_stem_are_not_written_over_each_other() -> None:
    """`a.jpg` and `a.png` share a prediction file: the second is refused, the first may be written again."""
    writer = cars(MemoryStore())
    writer.write("x/a.jpg", [BOX])
    assert "`x/a.jpg` was written before" in refusal(writer, "x/a.png", [])
    writer.write("x/a.jpg", [])


def test_other_tasks_stay_as_they_are() -> None:
    """A task is added after those that are there, once, and its schema is written once."""
    store = MemoryStore({TASKS_KEY: b'["boats", "weather"]'})
    with cars(store) as writer:
        writer.write("a.jpg", [])
        assert content(store, TASKS_KEY) == ["boats", "weather", "cars"]
        stamps = [store.read(key).stamp for key in (TASKS_KEY, schema_key("cars"))]
    with cars(store, categories={2: "bus", 0: "car", 1: "van"}) as writer:
        writer.write("b.jpg", [])
    assert [store.read(key).stamp for key in (TASKS_KEY, schema_key("cars"))] == stamps


def test_a_task_that_another_writer_adds_meanwhile_stays() -> None:
    """`tasks.json` is read when it is written, not when the writer was made."""
    store = MemoryStore()
    writers = [cars(store, task=name) for name in ("one", "two")]
    for writer in writers:
        writer.write("a.jpg", [])
    assert content(store, TASKS_KEY) == ["one", "two"]


_SLOW = """
import sys, time
import tamis
from tamis.formats import TASKS_KEY
from tamis.storage import LocalStore

class SlowStore(LocalStore):
    def write(self, key, data):
        if key == TASKS_KEY:
            time.sleep(0.3)  # others read and write meanwhile, if nothing holds them back
        return super().write(key, data)

print("ready", flush=True)
sys.stdin.readline()
with tamis.PredictionWriter(
    SlowStore.open(sys.argv[1]), task=sys.argv[2], task_type="classification", categories=["a"]
) as writer:
    writer.write("x.jpg", [])
"""


def test_processes_that_add_tasks_at_once_all_add_theirs(tmp_path: Path) -> None:
    """Writers of several processes that meet at `tasks.json` wait for each other; no task is lost."""
    names = ["one", "two", "three"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _SLOW, tmp_path, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for name in names
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0] * 3
    listed = json.loads((tmp_path / ".lightly/predictions/tasks.json").read_bytes())
    assert sorted(listed) == sorted(names)
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"tasks.json", "schema.json", "x.json"}, "a lock or a temporary file stays in the datasource"
    assert set(tamis.open(tmp_path).check().tasks) == set(names)


@pytest.mark.parametrize("broken", [b"[", b'{"cars": 1}', b'["cars", 7]'])
def test_a_broken_tasks_file_is_not_written_over(broken: bytes) -> None:
    """What cannot be read is left as it is, and the error says what is wrong."""
    store = MemoryStore({TASKS_KEY: broken})
    with pytest.raises(DatasourceError, match=r"is not valid and was left as it is:\n  .*expected"):
        cars(store).write("a.jpg", [])
    assert store.read(TASKS_KEY).data == broken


def test_another_schema_of_the_same_task_is_refused() -> None:
    """The error says every difference, and the old task stands."""
    store = MemoryStore()
    cars(store).write("a.jpg", [BOX])
    before = store.read(schema_key("cars")).data
    with pytest.raises(UsageError) as caught:
        cars(store, task_type="classification", categories={0: "car", 1: "truck", 5: "tram"}).write("b.jpg", [])
    assert caught.value.message == (
        "Task `cars` is already there with another schema (`.lightly/predictions/cars/schema.json`):\n"
        "  its type is object-detection, expected classification\n"
        "  category 1 has another name: `van`, expected `truck`\n"
        "  category 2 (`bus`) is in it, but not expected\n"
        "  category 5 (`tram`) is not in it"
    )
    assert store.read(schema_key("cars")).data == before
    broken = MemoryStore({schema_key("cars"): b'{"task_type": "objects"}'})
    with pytest.raises(DatasourceError, match=r"schema\.json` is not valid and was left as it is"):
        cars(broken).write("a.jpg", [])


@pytest.mark.parametrize(
    "categories",
    [
        ["car", "van"],
        {0: "car", 1: "van"},
        {np.int64(1): "van", 0: "car"},
        [Category(id=0, name="car"), Category(id=1, name="van")],
        [{"id": 0, "name": "car"}, {"id": np.int64(1), "name": "van", "supercategory": "vehicle"}],
    ],
)
def test_categories_may_be_spelled_in_many_ways(categories: Any) -> None:
    """Names, ids to names, values and the schema's own entries make the same task."""
    task = cars(MemoryStore(), categories=categories).task
    assert {(category.id, category.name) for category in task.categories} == {(0, "car"), (1, "van")}
    assert task.task_type is TaskType.OBJECT_DETECTION


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"task": "../cars"}, "expected a name without an empty part, `.` or `..`"),
        ({"task_type": "detection"}, "task_type: expected"),
        ({"categories": ["car", ""]}, "categories[1].name: expected"),
        ({"categories": {0: "car", -1: "van"}}, "categories[1].id: expected"),
        ({"categories": "car"}, "categories: expected a list or a mapping of ids to names, got 'car'"),
        ({"categories": [{1}]}, "object of type set is not json serializable"),
        (
            {
                "task_type": "keypoint-detection",
                "categories": [{"id": 0, "name": "car", "keypoint_names": ["a"], "keypoint_skeleton": [[0, 1]]}],
            },
            "categories[0].keypoint_skeleton: expected indices from 0 to 0, got `1`",
        ),
    ],
)
def test_a_task_that_cannot_be_is_refused(changes: dict[str, Any], text: str) -> None:
    """Name, type and categories are checked by the format's rules before anything is written."""
    with pytest.raises(UsageError) as caught:
        cars(MemoryStore(), **changes)
    assert text in caught.value.message


def test_an_exception_leaves_what_was_written(tmp_path: Path) -> None:
    """Whatever ends the block, the files before it are whole and the task is listed."""
    writer = PredictionWriter(tmp_path, task="cars", task_type=DETECTION, categories=["car", "van"])

    def write_and_fail() -> None:
        with writer:
            writer.write("Café/a b.jpg", [BOX])
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        write_and_fail()
    folder = tmp_path / ".lightly" / "predictions"
    assert json.loads((folder / "tasks.json").read_bytes()) == ["cars"]
    assert sorted(path.name for path in folder.rglob("*.json")) == ["a b.json", "schema.json", "tasks.json"]
    task, file = writer.task, folder / "cars" / "Café" / "a b.json"
    found, problems = decode_predictions(task, file.read_bytes(), file="a b.json")
    assert (len(found), problems) == (1, [])


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A typo in the path makes no new datasource."""
    with pytest.raises(DatasourceError, match="does not exist"):
        PredictionWriter(tmp_path / "photso", task="cars", task_type=DETECTION, categories=["car"])


def test_one_prediction_instead_of_a_list_is_refused() -> None:
    """A mapping is iterable, but not a list of predictions."""
    assert "predictions: expected a list of predictions, got one dict" in refusal(cars(MemoryStore()), "a.jpg", BOX)
    one = Prediction(category_id=1, bbox=(1, 2, 3, 4), score=0.5)
    assert "got one Prediction" in refusal(cars(MemoryStore()), "a.jpg", one)
    assert "predictions: object of type set" in refusal(cars(MemoryStore()), "a.jpg", [BOX | {"score": {1}}])


@pytest.mark.parametrize("service", ["s3", "az"])
def test_writers_of_a_bucket_lose_no_task(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight that declare their tasks in one bucket at once are all in `tasks.json`, each with its schema."""
    store = BucketStore(use_server(service, monkeypatch).new_bucket())
    names = [f"task-{i}" for i in range(8)]

    def declare(name: str) -> None:
        classes = (Category(id=0, name="a"),)
        declare_task(store, Task(name=name, task_type=TaskType.CLASSIFICATION, categories=classes))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(declare, names))
    assert sorted(json.loads(store.read(TASKS_KEY).data)) == names
    for name in names:
        assert store.read(schema_key(name)).data
