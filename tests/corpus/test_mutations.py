from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus_cases import DEFAULT, PREDICTIONS, file_of, image, prediction, put, schema, write_base
from tamis.api.check import CheckReport, check
from tamis.api.sources import open_sources
from tamis.model import CODES, Severity

_TOKENS = (
    *("{", "}", "[", "]", ",", ":", '"', "'", "\\", "\\u", "null", "true", "NaN", "-Infinity", "1e999", "-", "0"),
    *(
        "9" * 30,
        "1" * 5_000,
        "[[[[",
        '"score"',
        '"id"',
        '"predictions"',
        "/",
        "\n",
        " ",
        "\x00",
        "\ufeff",
        "é",
        "🐈",
    ),
)
_LONG = ("[" * 200, '{"a":' * 200)
_KEYS = "defgh"


@st.composite
def mutated(draw: st.DrawFn, text: str) -> bytes:
    """Draw bytes a few edits away from a text: bytes flipped, removed and doubled, tokens put in."""
    data = bytearray(text.encode())
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        stop = min(start + draw(st.sampled_from((1, 1, 2, 5, 20, 1_000))), len(data))
        match draw(st.sampled_from(("flip", "remove", "double", "insert", "replace"))):
            case "flip" if start < len(data):
                data[start] ^= 1 << draw(st.integers(0, 7))
            case "remove":
                del data[start:stop]
            case "double":
                data[start:start] = data[start:stop]
            case "insert":
                data[start:start] = draw(st.sampled_from((*_TOKENS, *_LONG))).encode()
            case "replace":
                data[start:stop] = draw(st.sampled_from(_TOKENS)).encode()
    return bytes(data)


def _check_well_formed(report: CheckReport) -> None:
    """Assert what holds of every report, and that it survives being written and read."""
    assert msgspec.json.decode(msgspec.json.encode(report), type=CheckReport) == report
    for group in report.problems:
        assert group.severity is CODES[group.code].severity
        assert group.count >= len(group.examples) >= 1
        assert group.message
        assert group.hint
        assert all(
            example.line is None or min(example.line, example.column or 0) >= 1 for example in group.examples
        )
    n_errors = sum(group.count for group in report.problems if group.severity is Severity.ERROR)
    assert report.errors == n_errors


_TEXTS = {
    task: file_of(
        prediction(task, probabilities="[0.75, 0.25]"), prediction(task, category_id="1"), prediction(task)
    )
    for task in ("cars", "weather", "ground", "poses")
}


@settings(max_examples=50, derandomize=True)
@given(st.data())
def test_mutated_prediction_files_are_survived(data: st.DataObject) -> None:
    """However prediction files are mutated, they end as valid or as reported, and the others are read as ever."""
    task = data.draw(st.sampled_from(sorted(_TEXTS)))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_base(root, [task])
        for key in _KEYS:
            put(root, f"{key}.png", image())
            put(root, f"{PREDICTIONS}/{task}/{key}.json", data.draw(mutated(_TEXTS[task])))
        report = check(open_sources(root), DEFAULT)
    _check_well_formed(report)
    summary = report.tasks[task]
    assert (report.samples, summary.files) == (8, 8)
    assert 3 <= summary.valid_files <= 8
    assert summary.predictions >= 6
    blamed = {
        example.file for group in report.problems if group.severity is Severity.ERROR for example in group.examples
    }
    assert summary.valid_files == 8 or blamed
    assert not blamed & {f"{PREDICTIONS}/{task}/{key}.json" for key in "abc"}


@settings(max_examples=25, derandomize=True)
@given(mutated(schema("cars")), mutated(schema("poses")))
def test_mutated_schemas_are_survived(cars: bytes, poses: bytes) -> None:
    """However a schema is mutated, its task is read or its schema blamed, and the other task is read as ever."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_base(root, ("cars", "weather", "poses"))
        put(root, f"{PREDICTIONS}/cars/schema.json", cars)
        put(root, f"{PREDICTIONS}/poses/schema.json", poses)
        report = check(open_sources(root), DEFAULT)
    _check_well_formed(report)
    assert report.tasks["weather"].predictions == 6
    blamed = {(group.task, example.file) for group in report.problems for example in group.examples}
    for task in ("cars", "poses"):
        assert task in report.tasks or (task, f"{PREDICTIONS}/{task}/schema.json") in blamed


@settings(max_examples=25, derandomize=True)
@given(mutated('["cars", "weather"]'))
def test_mutated_task_lists_are_survived(tasks: bytes) -> None:
    """However `tasks.json` is mutated, the tasks in the report are listed in it, and a loss is said."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_base(root)
        put(root, f"{PREDICTIONS}/tasks.json", tasks)
        report = check(open_sources(root), DEFAULT)
    _check_well_formed(report)
    assert set(report.tasks) <= {"cars", "weather"}
    assert all(task.predictions == 6 for task in report.tasks.values())
    assert all(name.encode() in tasks or b"\\u" in tasks for name in report.tasks)
    assert report.tasks or report.errors or report.warnings
