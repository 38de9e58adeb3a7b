from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strategies_formats import tasks
from strategies_json import mutants
from tamis.formats.json_source import locate
from tamis.formats.schema import decode_schema, encode_schema
from tamis.model import Category, Severity, Task, TaskType

CAR = {"id": 0, "name": "car"}
SKELETON = "keypoint-skeleton $.categories[0].keypoint_skeleton"
FIVE = (
    "`classification`, `object-detection`, `semantic-segmentation`, `instance-segmentation`, `keypoint-detection`"
)


def decode(schema: Any) -> tuple[Task | None, list[str]]:
    data = schema if isinstance(schema, bytes) else json.dumps(schema).encode()
    task, problems = decode_schema(data, task="t", file="schema.json")
    for problem in problems:
        assert (problem.task, problem.file) == ("t", "schema.json")
        if not problem.code.startswith("json-"):
            assert (problem.line, problem.column) == locate(data, str(problem.path))
    return task, [f"{p.code} {p.path} {p.message}" for p in problems]


def detection(*categories: Any) -> dict[str, Any]:
    return {"task_type": "object-detection", "categories": list(categories)}


def poses(*categories: Any) -> dict[str, Any]:
    return {"task_type": "keypoint-detection", "categories": list(categories)}


@given(tasks())
def test_tasks_come_back_from_their_schema(task: Task) -> None:
    """Decoding undoes encoding for every task type, without an error."""
    decoded, problems = decode_schema(encode_schema(task), task=task.name, file="schema.json")
    assert decoded == task
    assert {problem.code for problem in problems} <= {"category-duplicate-name"}


@given(mutants(tasks().map(lambda task: encode_schema(task).decode())))
@example('{"task_type": "classification", "categories": [{"id": 0, "name": "a"}, {"id": NaN, "name": "b"}]}')
@example('{"task_type": NaN, "categories": [{"id": 0, "name": "a"}]}')
def test_a_schema_is_used_or_has_an_error(text: str) -> None:
    """Whatever the bytes, a task comes out or an error says why not; a task has each id once, none negative."""
    task, problems = decode_schema(text.encode(), task="t", file="schema.json")
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if task is None:
        assert errors
    else:
        assert {problem.code for problem in errors} <= {"json-duplicate-key", "number-not-finite"}
        assert len(task.by_id) == len(task.categories) > 0
        assert all(category.id >= 0 and category.name for category in task.categories)


@pytest.mark.parametrize(
    "keys",
    [
        {"keypoint_names": ["a", "b"], "keypoint_skeleton": [[0, 1]]},
        {"keypointNames": ["a", "b"], "keypointSkeleton": [[0, 1]]},
        {"keypoints": ["a", "b"], "skeleton": [[1, 2]]},
        {"keypoints": ["a", "b"], "keypoint_skeleton": [[0, 1]]},
    ],
)
def test_every_spelling_of_keypoints_means_the_same(keys: dict[str, Any]) -> None:
    """The later versions' two spellings count from 0, COCO's from 1; all read as one category."""
    task, problems = decode({"task_type": "keypoint-detection", "categories": [{**CAR, **keys}]})
    assert problems == []
    assert task is not None
    assert task.categories == (Category(id=0, name="car", keypoint_names=("a", "b"), keypoint_skeleton=((0, 1),)),)


def test_keys_beyond_the_format_are_ignored() -> None:
    """COCO's `supercategory` and other keys, NaN in them included, do not keep a schema from being used."""
    task, problems = decode({**detection({**CAR, "supercategory": "x"}), "info": {"a": float("nan")}})
    assert task == Task(name="t", task_type=TaskType.OBJECT_DETECTION, categories=(Category(id=0, name="car"),))
    assert [line.split()[:2] for line in problems] == [["number-not-finite", "$.info.a"]]


def test_ids_may_have_gaps_and_any_order() -> None:
    """Categories keep the order of the file; ids count, not places."""
    task, problems = decode(detection({"id": 90, "name": "b"}, {"id": 3, "name": "a"}))
    assert problems == []
    assert task is not None
    assert (task.category_ids, task.category_names) == ((3, 90), ("a", "b"))


def test_empty_keypoint_names_count_as_absent() -> None:
    """COCO exports write empty lists into categories without keypoints."""
    task, _ = decode(detection({**CAR, "keypoints": [], "skeleton": []}))
    assert task is not None
    assert task.categories[0].keypoint_names is None


@pytest.mark.parametrize("keys", [{"keypoints": None}, {"keypoints": 17}, {"keypoints": ["a", 5], "skeleton": 3}])
def test_keypoints_of_a_task_without_any_may_be_anything(keys: dict[str, Any]) -> None:
    """COCO's categories are copied whole: what a detector does not use does not keep its task from being used."""
    task, problems = decode(detection({**CAR, **keys}))
    assert problems == []
    assert task == Task(name="t", task_type=TaskType.OBJECT_DETECTION, categories=(Category(id=0, name="car"),))


def test_null_is_no_keypoint_name() -> None:
    """What writes all keys of all categories writes null for those without keypoints."""
    category = {**CAR, "keypoints": None, "skeleton": None}
    task, problems = decode(poses(category))
    assert problems == []
    assert task is not None
    assert (task.categories[0].keypoint_names, task.categories[0].keypoint_skeleton) == (None, None)


def test_two_categories_of_one_name_are_only_warned_about() -> None:
    """A repeated name is a warning: the task is used."""
    task, problems = decode(detection(CAR, {"id": 1, "name": "car"}))
    assert task is not None
    assert problems == ["category-duplicate-name $.categories[1].name expected each name once, got `car` again"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ([], ["schema-field $ expected an object, got a list of 0"]),
        (
            {},
            [
                "task-type-unknown $ expected the key `task_type`, got none",
                "schema-field $ expected the key `categories`, got none",
            ],
        ),
        (
            {"task_type": "detection", "categories": {"0": "car"}},
            [
                f'task-type-unknown $.task_type expected one of {FIVE}, got the string `"detection"`',
                "schema-field $.categories expected a list, got an object",
            ],
        ),
        (
            detection(),
            ["task-empty-categories $.categories expected at least one category, got an empty list"],
        ),
        (
            detection("car", {"id": "0", "name": ""}, {"id": 1.0, "name": 5}, {}),
            [
                'schema-field $.categories[0] expected an object, got the string `"car"`',
                'schema-field $.categories[1].id expected a number, got the string `"0"`',
                'category-name-empty $.categories[1].name expected a name, got the string `""`',
                "schema-field $.categories[2].id expected an integer below 2^63, got `1.0`",
                "schema-field $.categories[2].name expected a string, got `5`",
                "schema-field $.categories[3] expected the key `id`, got none",
                "schema-field $.categories[3] expected the key `name`, got none",
            ],
        ),
        (
            detection({"id": -1, "name": "a"}, CAR, {"id": 0, "name": "b"}, {"id": 2**63, "name": "c"}),
            [
                "category-id-negative $.categories[0].id expected an id from 0, got `-1`",
                "category-duplicate-id $.categories[2].id expected each id once, got `0` again",
                "schema-field $.categories[3].id expected an integer below 2^63, got `9223372036854775808`",
            ],
        ),
        (
            poses({**CAR, "keypoint_names": ["a", 1], "keypoint_skeleton": [[0], [0, 1.5], 3]}),
            [
                "schema-field $.categories[0].keypoint_names[1] expected a string, got `1`",
                f"{SKELETON}[0] expected a pair of integers, got a list of 1",
                f"{SKELETON}[1] expected a pair of integers, got a list of 2",
                f"{SKELETON}[2] expected a pair of integers, got `3`",
            ],
        ),
        (
            b'{"task_type": "classification", "categories": [{"id": 0}, {"id": 1, "name": "b"',
            [
                "json-truncated $.categories[1] expected `}`, got the end of the file",
                "schema-field $.categories[0] expected the key `name`, got none",
            ],
        ),
        (
            b'{"task_type": "classification", "categories": [{"id": 0, "name": "a", "id": 0}]}',
            ["json-duplicate-key $.categories[0].id expected each key once, got `id` again"],
        ),
    ],
)
def test_every_problem_of_a_schema_is_said_with_its_place(schema: Any, expected: list[str]) -> None:
    """Code, JSON path and message of all problems of a schema are these, placed where their paths lead."""
    task, problems = decode(schema)
    assert problems == expected
    assert (task is None) == (expected[0].split()[0] != "json-duplicate-key")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            {"keypoint_names": ["a", "b"], "keypoint_skeleton": [[0, 1], [1, 2]]},
            [f"{SKELETON} expected indices from 0 to 1, got `2`"],
        ),
        (
            {"skeleton": [[0, 1]]},
            ["keypoint-skeleton $.categories[0].skeleton expected indices from 1, got `0`"],
        ),
        ({"keypoint_skeleton": [[0], [0, 1]]}, [f"{SKELETON}[0] expected a pair of integers, got a list of 1"]),
        ({"keypoint_skeleton": 3}, [f"{SKELETON} expected a list of pairs of indices, got `3`"]),
        (
            {"keypoint_skeleton": [[0, float("nan")]]},
            [
                f"number-not-finite {SKELETON.split()[1]}[0][1] expected a finite number, got `NaN`",
                f"{SKELETON}[0] expected a pair of integers, got a list of 2",
            ],
        ),
    ],
)
def test_a_skeleton_that_cannot_be_drawn_costs_only_itself(keys: dict[str, Any], expected: list[str]) -> None:
    """The task is used, its keypoints are named, and the skeleton is left out whole and said."""
    task, problems = decode(poses({**CAR, **keys}))
    assert problems == expected
    assert task is not None
    names = tuple(keys["keypoint_names"]) if "keypoint_names" in keys else None
    assert task.categories == (Category(id=0, name="car", keypoint_names=names, keypoint_skeleton=None),)


@pytest.mark.parametrize(
    ("schema", "hint"),
    [
        ({"task_type": "Object Detection", "categories": [CAR]}, "Write `object-detection`"),
        ({"task_type": "OBJECT_DETECTION", "categories": [CAR]}, "Write `object-detection`"),
        ({"task_type": "detection", "categories": [CAR]}, None),
        (
            {"task_description": "classification", "categories": [CAR]},
            "Rename the key `task_description` to `task_type`: it had that name for one day in 2022",
        ),
        (
            poses({**CAR, "keypoint_names": ["a", "b"], "keypoint_skeleton": [[1, 2]]}),
            "These pairs seem to count from 1: subtract 1, or name the key `skeleton`, as COCO does",
        ),
        (
            poses({**CAR, "keypoints": ["a", "b"], "skeleton": [[0, 1]]}),
            "These pairs seem to count from 0: name the key `keypoint_skeleton`",
        ),
        (poses({**CAR, "keypoint_names": ["a", "b"], "keypoint_skeleton": [[0, 7]]}), None),
    ],
)
def test_likely_mistakes_get_advice_of_their_own(schema: dict[str, Any], hint: str | None) -> None:
    """A problem whose cause can be guessed from the file carries its own hint."""
    _, problems = decode_schema(json.dumps(schema).encode(), task="t", file="schema.json")
    assert [problem.hint for problem in problems] == [hint]


def test_data_of_other_kinds_never_raises() -> None:
    """Values of every kind in every place give problems, not exceptions."""
    odd: list[Any] = [None, True, 1, 1.5, "x", [], {}, [[]], [1], 10**400]
    for value in odd:
        for schema in (value, {"task_type": value}, detection(value), {"task_type": "x", "categories": value}):
            assert decode(schema)[0] is None
        for key in ("id", "name", "keypoints", "skeleton"):
            decode(detection({**CAR, key: value}))


@given(st.sampled_from(TaskType))
def test_each_task_type_is_spelled_as_the_format_spells_it(kind: TaskType) -> None:
    """All five types are read."""
    task, problems = decode({"task_type": kind.value, "categories": [CAR]})
    assert problems == []
    assert task is not None
    assert task.task_type is kind
