from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strategies_json import mutants
from tamis.formats.tasks import decode_tasks, encode_tasks
from tamis.model import Severity

names = st.text(st.sampled_from("abcXYZ019_+=,.@:-"), min_size=1).filter(lambda name: name not in {".", ".."})
originals = st.lists(names, max_size=4).map(json.dumps)


def said(data: bytes) -> list[str]:
    _, problems = decode_tasks(data, file="tasks.json")
    return [f"{p.code} {p.task} {p.path} {p.line}:{p.column} {p.message}" for p in problems]


@given(st.lists(names, min_size=1, unique=True))
def test_tasks_come_back_from_their_file(listed: list[str]) -> None:
    """Decoding undoes encoding, in order and without a problem."""
    assert decode_tasks(encode_tasks(listed), file="tasks.json") == (listed, [])


@example(" [#0]")  # a list without a value, whose text holds a number
@given(mutants(originals) | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_tasks_without_an_error_or_a_list(text: str) -> None:
    """Whatever the bytes, reading never raises, lists each name once, and says so where it lists none."""
    listed, problems = decode_tasks(text.encode(), file="tasks.json")
    assert len(listed) == len(set(listed))
    assert listed or problems


@given(st.lists(names | st.sampled_from(["", "a b", "..", "/x"]) | st.integers()))
def test_bad_entries_cost_only_themselves(entries: list[str | int]) -> None:
    """Each entry is listed, a repetition, or the path of exactly one error."""
    listed, problems = decode_tasks(json.dumps(entries).encode(), file="tasks.json")
    errors = [problem.path for problem in problems if problem.severity is Severity.ERROR]
    repeated = [problem for problem in problems if problem.code == "task-duplicate"]
    assert len(listed) + len(repeated) + len(errors) == len(entries)
    assert len(set(errors)) == len(errors)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"[]", ["tasks-empty None $ 1:1 expected the name of at least one task, got an empty list"]),
        (b'{"tasks": []}', ["tasks-type None $ 1:1 expected a list of task names, got an object"]),
        (b'"cars"', ['tasks-type None $ 1:1 expected a list of task names, got the string `"cars"`']),
        (
            b'["a",\n 3, ["b"], "../b"]',
            [
                "tasks-type None $[1] 2:2 expected the name of a task, got `3`",
                "tasks-type None $[2] 2:5 expected the name of a task, got a list of 1",
                "task-name None $[3] 2:12 expected a name without an empty part, `.` or `..`, got `../b`",
            ],
        ),
        (
            b'["a", ""]',
            ["task-name None $[1] 1:7 expected a name of at least one character, got an empty name"],
        ),
        (b'["a", "b", "a"]', ["task-duplicate a $[2] 1:12 expected each task once, got `a` again"]),
        (
            b'["a/b/c", "ab", "a"]',
            ["task-name-prefix a/b/c $[0] 1:2 expected folders side by side, got `a/b/c` inside of `a`"],
        ),
        (b'["a",]', ["json-trailing-comma None $ 1:5 expected another entry after the comma, got `]`"]),
    ],
)
def test_every_problem_of_a_task_list_is_said_with_its_place(data: bytes, expected: list[str]) -> None:
    """Code, task, JSON path, line, column and message are exactly these."""
    assert said(data) == expected


def test_a_list_that_is_no_json_lists_nothing() -> None:
    """From a broken file no task is read: which names it lost cannot be known."""
    assert decode_tasks(b'["a", "b"', file="tasks.json")[0] == []
