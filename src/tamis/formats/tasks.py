"""`tasks.json`: the list of the folders that hold predictions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tamis.formats.json_source import Kind, Node, Source, parse, shown
from tamis.formats.layout import task_name_fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tamis.model import Problem


def decode_tasks(data: bytes, *, file: str) -> tuple[list[str], list[Problem]]:
    """Read the names of the tasks, in the order of the file and each once, and what is wrong with the file.

    A text that is not JSON lists no task: which names it lost cannot be known.

    >>> decode_tasks(b'["cars", "weather"]', file="tasks.json")
    (['cars', 'weather'], [])
    """
    source = parse(data, file=file)
    problems = [*source.problems, *source.duplicates]
    if source.root is None:
        return [], problems
    if source.root.kind is not Kind.LIST:
        if source.root.kind is not Kind.BAD:
            message = f"expected a list of task names, got {source.root.shown}"
            problems.append(source.problem(source.root, "tasks-type", message))
        return [], problems
    names, found = _names(source, source.root.items)
    problems += found
    if not source.root.content and source.is_readable:
        message = "expected the name of at least one task, got an empty list"
        problems.append(source.problem(source.root, "tasks-empty", message))
    return (names if source.is_readable else []), problems


def _names(source: Source, entries: Iterable[Node]) -> tuple[list[str], list[Problem]]:
    places: dict[str, Node] = {}
    problems: list[Problem] = []
    for entry in entries:
        if entry.kind is Kind.BAD:
            continue
        name = entry.value
        if not isinstance(name, str):
            message = f"expected the name of a task, got {entry.shown}"
            problems.append(source.problem(entry, "tasks-type", message))
        elif fault := task_name_fault(name):
            got = shown(name) if name else "an empty name"
            problems.append(source.problem(entry, "task-name", f"{fault}, got {got}"))
        elif name in places:
            message = f"expected each task once, got {shown(name)} again"
            problems.append(replace(source.problem(entry, "task-duplicate", message), task=name))
        else:
            places[name] = entry
    return list(places), problems + _nested(source, places)


def _nested(source: Source, places: dict[str, Node]) -> list[Problem]:
    """Return an info for each task whose folder lies in the folder of another."""
    problems: list[Problem] = []
    for name, entry in places.items():
        parts = name.split("/")
        outer = next((o for n in range(1, len(parts)) if (o := "/".join(parts[:n])) in places), None)
        if outer is not None:
            message = f"expected folders side by side, got {shown(name)} inside of {shown(outer)}"
            problems.append(replace(source.problem(entry, "task-name-prefix", message), task=name))
    return problems


def encode_tasks(names: Iterable[str]) -> bytes:
    r"""Write `tasks.json`.

    >>> encode_tasks(["cars", "weather"])
    b'[\n  "cars",\n  "weather"\n]\n'
    """
    return json.dumps(list(names), ensure_ascii=False, indent=2).encode() + b"\n"
