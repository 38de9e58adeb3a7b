from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies_formats import finite, prediction_lists, tasks, tasks_with_predictions, text
from tamis.formats.diagnosis import Diagnosis, diagnose
from tamis.formats.encoder import encode_predictions, to_predictions
from tamis.formats.json_parser import MAX_VALUES
from tamis.formats.reader import PredictionReader, ReadPredictions
from tamis.formats.wire import FILE_TYPES
from tamis.model import Category, Drops, Prediction, Severity, Task, TaskType
from tamis.model.problems import CODES

BOXES = Task(
    name="boxes",
    task_type=TaskType.OBJECT_DETECTION,
    categories=(Category(id=0, name="car"), Category(id=1, name="bus")),
)
GOOD = {"category_id": 0, "bbox": [1, 2, 3, 4], "score": 0.5}


def read(task: Task, *files: bytes, strict: bool = False, **options: Any) -> ReadPredictions:
    reader = PredictionReader(task, strict=strict, **options)
    for i, data in enumerate(files):
        reader.add(f"{i}.json", data)
    return reader.finish()


def diagnosed(task: Task, data: bytes, *, refusal: str | None = None, strict: bool = False) -> Diagnosis:
    return diagnose(task, data, file="0.json", refusal=refusal, strict=strict)


def fast(task: Task, data: bytes) -> Any:
    """Return what typed decoding gives, or `None` where it refuses."""
    try:
        data.decode()
        return msgspec.json.decode(data, type=FILE_TYPES[task.task_type])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def has_error(diagnosis: Diagnosis) -> bool:
    return any(problem.severity is Severity.ERROR for problem in diagnosis.problems)


@given(tasks_with_predictions(), text)
def test_the_diagnosis_of_a_right_file_equals_fast_reading(
    drawn: tuple[Task, list[Prediction]], file_name: str
) -> None:
    """Fast and slow reading give identical entries for every valid file, and the slow one finds no error."""
    task, predictions = drawn
    data = encode_predictions(task, file_name, predictions)
    diagnosis = diagnosed(task, data, strict=True)
    wire = fast(task, data)
    assert diagnosis.problems == []
    assert diagnosis.is_valid
    assert diagnosis.entries == wire.predictions
    assert diagnosis.positions == list(range(len(predictions)))
    assert diagnosis.file_name == wire.file_name == file_name


PIECES = (
    *(b"NaN", b"-Infinity", b"null", b"true", b'"x"', b"1e400", b"-1", b"01", b".5", b"1.0", b"9" * 400),
    *(b"[]", b"{}", b",", b":", b"]", b"}", b"[", b"{", b'"', b"\\", b"\n", b" ", b"\x00", b"\xff", b"\xc3\xa9"),
    *(b'"score":', b'"score":1,', b'"a":[1],', b'"file_name":null,'),
)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[Task, bytes]:
    task, predictions = draw(tasks_with_predictions())
    data = encode_predictions(task, draw(st.none() | text), predictions)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        data = (
            data[:start]
            + draw(st.sampled_from(PIECES) | st.just(b"") | st.just(data[start : end + 9]))
            + data[end:]
        )
    return task, data


@settings(max_examples=400, deadline=None)
@given(mutated())
def test_fast_and_slow_reading_agree_on_broken_files(drawn: tuple[Task, bytes]) -> None:
    """What typed decoding accepts has no error and the same entries slowly; what it refuses has an error."""
    task, data = drawn
    wire = fast(task, data)
    diagnosis = diagnosed(task, data, refusal=None)
    if wire is None:
        refused = diagnosed(task, data, refusal="refused")
        assert has_error(refused)
    else:
        assert not has_error(diagnosis)
        assert diagnosis.entries == wire.predictions
        assert diagnosis.positions == list(range(len(wire.predictions)))


@settings(max_examples=200, deadline=None)
@given(drawn=mutated(), strict=st.booleans())
def test_no_bytes_raise_and_nothing_disappears_silently(*, drawn: tuple[Task, bytes], strict: bool) -> None:
    """Whatever is added, a file is valid or has a problem that drops it, and each dropped prediction has one."""
    task, data = drawn
    result = read(task, data, strict=strict)
    dropping = {CODES[problem.code].drops for problem in result.problems}
    if not result.valid[0]:
        assert dropping & {Drops.FILE, Drops.PREDICTION}
        assert len(result.columns) == 0
    positions = result.columns.position.tolist()
    assert positions == sorted(set(positions))
    if positions and positions != list(range(len(positions))):
        assert Drops.PREDICTION in dropping


@given(st.binary(max_size=60))
def test_random_bytes_never_raise(data: bytes) -> None:
    """Bytes that are no JSON at all are a problem, not an exception."""
    result = read(BOXES, data)
    assert not result.valid[0]
    assert result.problems


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_reading_many_files_is_reading_each(data: st.DataObject) -> None:
    """The columns of many files are those of each file alone, end to end, broken ones between them included."""
    task = data.draw(tasks())
    files = [
        encode_predictions(task, None, data.draw(prediction_lists(task)))[: data.draw(st.sampled_from([None, -3]))]
        for _ in range(data.draw(st.integers(0, 6)))
    ]
    together = read(task, *files)
    alone = [read(task, file) for file in files]
    assert to_predictions(together.columns) == [to_predictions(one.columns)[0] for one in alone]
    assert together.valid.tolist() == [bool(one.valid[0]) for one in alone]
    assert [problem.code for problem in together.problems] == [
        problem.code for one in alone for problem in one.problems
    ]
    assert together.columns.position.tolist() == [p for one in alone for p in one.columns.position.tolist()]


def test_batches_do_not_show() -> None:
    """Files that fill several batches read as one sequence, and a second run begins anew."""
    reader = PredictionReader(BOXES)
    for run in range(2):
        for i in range(3000):
            entries = [{**GOOD, "score": i / 3000, "probabilities": [i / 3000, run]}] * (i % 4)
            reader.add(f"{i}.json", json.dumps({"predictions": entries, "file_name": f"{i}.jpg"}).encode())
        result = reader.finish()
        expected = [i for i in range(3000) for _ in range(i % 4)]
        assert result.columns.n_files == 3000
        assert result.columns.file.tolist() == expected
        assert result.columns.position.tolist() == [p for i in range(3000) for p in range(i % 4)]
        np.testing.assert_array_equal(result.columns.score, np.array(expected) / 3000)
        table = result.columns.probabilities.values.reshape(-1, 2)
        np.testing.assert_array_equal(
            table, np.column_stack([np.array(expected) / 3000, np.full(len(expected), run)])
        )
        assert result.file_names == [f"{i}.jpg" for i in range(3000)]
        assert result.problems == []


@given(st.lists(st.sampled_from(["good", "type", "nan", "missing"]), max_size=8))
def test_a_bad_prediction_drops_that_prediction_only(kinds: list[str]) -> None:
    """The good ones keep their position in the list as written; each bad one has a problem of its own."""
    bad = {"type": {**GOOD, "score": "high"}, "nan": {**GOOD, "score": float("nan")}, "missing": {"category_id": 0}}
    entries = [bad.get(kind, GOOD) for kind in kinds]
    result = read(BOXES, json.dumps({"predictions": entries}).encode())
    good = [i for i, kind in enumerate(kinds) if kind == "good"]
    assert result.valid.tolist() == [True]
    assert result.columns.position.tolist() == good
    named = {problem.path.split("]")[0] for problem in result.problems if problem.path}
    assert named == {f"$.predictions[{i}" for i in range(len(kinds)) if i not in good}


def test_a_number_that_is_not_finite_in_a_key_of_no_interest_drops_only_its_prediction() -> None:
    """NaN under an unknown key of one prediction leaves the others."""
    data = json.dumps({"predictions": [GOOD, {**GOOD, "area": float("nan")}, GOOD], "loss": float("inf")}).encode()
    result = read(BOXES, data)
    assert result.columns.position.tolist() == [0, 2]
    assert [(problem.code, problem.path) for problem in result.problems] == [
        ("number-not-finite", "$.predictions[1].area"),
        ("number-not-finite", "$.loss"),
    ]


@pytest.mark.parametrize("strict", [False, True])
def test_unknown_keys_are_ignored(*, strict: bool) -> None:
    """Keys that the format does not have change nothing, under strict neither."""
    entry = {**GOOD, "area": 12, "id": 3, "mask": {"a": [1]}}
    data = json.dumps({"image_id": 1, "file_name": "a:b.jpg", "predictions": [entry]}).encode()
    result = read(BOXES, data, strict=strict)
    assert result.problems == []
    assert to_predictions(result.columns) == to_predictions(
        read(BOXES, json.dumps({"predictions": [GOOD]}).encode()).columns
    )
    assert result.file_names == ["a:b.jpg"]


def test_the_last_of_duplicate_keys_wins_and_strict_says_so() -> None:
    """A key twice is read silently by default, and is an error that drops nothing under strict."""
    data = b'{"predictions": [{"category_id": 0, "bbox": [0, 0, 1, 1], "score": 0.9, "score": 0.1}]}'
    assert read(BOXES, data).problems == []
    strict = read(BOXES, data, strict=True)
    assert [(p.code, p.path, p.column) for p in strict.problems] == [
        ("json-duplicate-key", "$.predictions[0].score", 82)
    ]
    assert strict.columns.score.tolist() == read(BOXES, data).columns.score.tolist() == [0.1]


def test_a_fault_that_only_the_fast_reader_sees_is_reported_in_its_words() -> None:
    """An earlier duplicate of the wrong type is refused by typed decoding alone: the file is not lost silently."""
    refusal = "Expected `array`, got `str` - at `$.predictions`"
    result = read(BOXES, b'{"predictions": "none", "predictions": []}')
    assert result.valid.tolist() == [False]
    assert [(p.code, p.message) for p in result.problems] == [
        ("json-syntax", f"expected a file of predictions, got one that cannot be read: {refusal}")
    ]


def test_large_files_are_refused_unread() -> None:
    """A file over the limit is a problem of its own and drops only itself."""
    small = json.dumps({"predictions": [GOOD]}).encode()
    result = read(BOXES, small, small + b" " * 100, max_file_bytes=len(small))
    assert result.valid.tolist() == [True, False]
    assert [(p.code, p.file, p.message) for p in result.problems] == [
        ("file-too-large", "1.json", f"expected at most {len(small)} bytes, got more")
    ]


def test_a_broken_file_of_too_many_values_keeps_the_fast_readers_reason() -> None:
    """Beyond the limit of a diagnosis the first fault is reported as the fast reader says it."""
    data = b'{"x": [' + b'"",' * MAX_VALUES + b'""], "predictions": [{"category_id": "x"}]}'
    (problem,) = read(BOXES, data).problems
    assert problem.code == "file-too-large"
    assert problem.message == (
        "expected at most 500,000 values in a file that is searched for faults, got more; "
        "its fault: Expected `int`, got `str` - at `$.predictions[0].category_id`"
    )


def test_large_masks_are_diagnosed() -> None:
    """A fault beside masks of millions of runs costs its own prediction, and is found with its place."""
    runs = ",".join(["1"] * 5_000_000)
    good = f'{{"category_id": 0, "score": 0.5, "segmentation": [{runs}]}}'
    bad = '{"category_id": 0, "score": NaN, "segmentation": [1]}'
    task = Task(name="m", task_type=TaskType.SEMANTIC_SEGMENTATION, categories=BOXES.categories)
    result = read(task, f'{{"predictions": [{good},\n{bad},\n{good.replace("[1,", "[1.5,")}]}}'.encode())
    assert result.columns.position.tolist() == [0]
    assert [(p.code, p.path, p.line) for p in result.problems] == [
        ("number-not-finite", "$.predictions[1].score", 2),
        ("wrong-type", "$.predictions[2].segmentation[0]", 3),
    ]


def test_keys_that_the_format_does_not_have_are_no_fault() -> None:
    """Read strictly, a file of any size with other keys is read as ever; only a key given twice is reported."""
    other = ", ".join(f'"{i}": {{"score": 1}}' for i in range(MAX_VALUES // 2))
    for rest, codes in (("", []), (', "score": 0.5', ["file-too-large"])):
        data = (
            f'{{"x": {{{other}}}, "predictions": [{{"category_id": 0, "bbox": [1, 2, 3, 4], "score": 1{rest}}}]}}'
        )
        result = read(BOXES, data.encode(), strict=True)
        assert [problem.code for problem in result.problems] == codes
        assert result.valid.tolist() == [not codes]


@given(finite)
def test_integers_and_floats_read_alike(value: float) -> None:
    """A whole number reads as the same float whether it is written with or without a fraction, fast and slowly."""
    whole = int(value)
    for written in (str(whole), f"{whole}.0"):
        data = f'{{"predictions":[{{"category_id":0,"bbox":[{written},0,1,1],"score":1}}]}}'.encode()
        assert read(BOXES, data).columns.bbox[0, 0] == float(whole)
        (entry,) = diagnosed(BOXES, data).entries
        assert getattr(entry, "bbox")[0] == float(whole)  # noqa: B009 (only some entries have a box)


def test_null_means_absent_where_a_field_may_be_absent() -> None:
    """Null scores exist for classification, null boxes for keypoints, null probabilities everywhere."""
    labels = Task(name="l", task_type=TaskType.CLASSIFICATION, categories=BOXES.categories)
    points = Task(name="p", task_type=TaskType.KEYPOINT_DETECTION, categories=BOXES.categories)
    (label,), (point,) = (
        to_predictions(read(task, json.dumps({"file_name": None, "predictions": [entry]}).encode()).columns)[0]
        for task, entry in (
            (labels, {"category_id": 0, "score": None, "probabilities": None}),
            (points, {"category_id": 0, "score": 1, "keypoints": [], "bbox": None, "probabilities": None}),
        )
    )
    assert (label.score, label.probabilities) == (None, None)
    assert (point.bbox, point.probabilities, point.keypoints) == (None, None, ())
