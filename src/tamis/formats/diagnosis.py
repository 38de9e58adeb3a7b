"""Reads a prediction file that the fast reader refuses: lists all that is wrong, saves what is right.

A prediction with a fault is dropped alone. A file whose syntax is broken is dropped whole, as is one whose
`predictions` or `file_name` is unusable; NaN and Infinity are the exception, they drop their prediction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tamis.formats.fields import FieldReader
from tamis.formats.json_source import Kind, Node, Source, parse
from tamis.formats.wire import ENTRY_TYPES, NO_CATEGORY, field_names, required_fields
from tamis.model import Problem, Severity, Task

if TYPE_CHECKING:
    from tamis.formats.wire import Entry

_PREDICTION = re.compile(r"\$\.predictions\[([0-9]+)\]")
_REPLACED = "\ufffd"
_LIST_HINT = 'Wrap the list: `{"predictions": [...]}`'


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What could be saved of a file.

    Attributes:
        is_valid: whether the file counts as read; if not, it has no predictions.
        entries: the predictions without a fault of type or presence.
        positions: their indices in the file's list.
        broken: predictions that a fault of type or presence drops, by their indices, with what is right of them:
            absent fields are `None`, an absent category is NO_CATEGORY.
        n_listed: how many predictions the list has, with and without fault.
        file_name: as written, `None` where absent or unusable.
        problems: all faults, in the order of the text.
    """

    is_valid: bool
    entries: list[Entry]
    positions: list[int]
    broken: dict[int, Entry]
    n_listed: int
    file_name: str | None
    problems: list[Problem]


def diagnose(task: Task, data: bytes, *, file: str, refusal: str | None, strict: bool) -> Diagnosis:
    """List every fault of syntax, type and presence of a file, with line and column.

    Args:
        task: whose file it is.
        data: the bytes of the file.
        file: its key, for the problems.
        refusal: why the fast reader refused it, reported if nothing else is found; `None` where it did not.
        strict: report keys that an object has twice.
    """
    source = parse(data, file=file, task=task.name)
    problems = [*source.problems, *(source.duplicates if strict else ())]
    reader = FieldReader(source)
    file_name, has_name_fault = _file_name(source, reader)
    found = _entries(task, source, reader)
    problems = sorted([*problems, *reader.problems], key=_place)
    problems = [_with_reason(problem, refusal) for problem in problems]
    is_valid = source.is_readable and not has_name_fault and found is not None
    if refusal is not None and all(problem.severity is not Severity.ERROR for problem in problems):
        message = f"expected a file of predictions, got one that cannot be read: {refusal}"
        problems.append(Problem(code="json-syntax", message=message, task=task.name, file=file, path="$"))
        is_valid = False
    if found is None or not source.is_readable:
        return Diagnosis(False, [], [], {}, 0, file_name, problems)
    if not is_valid:
        return Diagnosis(False, [], [], {**found.entries, **found.broken}, 0, file_name, problems)
    entries = found.entries
    return Diagnosis(True, list(entries.values()), list(entries), found.broken, found.n_listed, file_name, problems)


def _with_reason(problem: Problem, refusal: str | None) -> Problem:
    """Say of a file that was not searched to its end what is wrong with it for sure."""
    if problem.code != "file-too-large":
        return problem
    reason = refusal or "a key given twice, or more keys than are compared"
    return msgspec.structs.replace(problem, message=f"{problem.message}; its fault: {reason}")


def _place(problem: Problem) -> tuple[int, int]:
    return problem.line or 0, problem.column or 0


def _file_name(source: Source, reader: FieldReader) -> tuple[str | None, bool]:
    """Return the name that the file gives its sample, and whether it is unusable."""
    names: dict[str, str] = {}
    has_fault = False
    for key in ("file_name", "filename"):
        node = source.root.members.get(key) if source.root is not None else None
        if node is None or node.kind is Kind.NULL:
            continue
        if isinstance(node.value, str):
            # A broken text may have broken the name: then the path alone says whose file it is.
            if source.is_readable or _REPLACED not in node.value:
                names[key] = node.value
        else:
            reader.wrong_type(node, "a string")
            has_fault = True
    if "filename" in names and "file_name" not in names:
        message = "expected the key `file_name`, got `filename`"
        reader.problems.append(source.problem("$.filename", "file-name-alias", message))
    return names.get("file_name", names.get("filename")), has_fault


@dataclass(frozen=True, slots=True)
class _Entries:
    """The predictions of a file by their position, without fault and with, and how many there are."""

    entries: dict[int, Entry]
    broken: dict[int, Entry]
    n_listed: int


def _entries(task: Task, source: Source, reader: FieldReader) -> _Entries | None:
    """Return the predictions of a file, `None` where there is no list of them."""
    root = source.root
    if root is None or root.kind is not Kind.OBJECT:
        if root is not None:
            hint = _LIST_HINT if root.kind is Kind.LIST else None
            reader.wrong_type(root, "an object with `predictions`", hint=hint)
        return None
    node = root.members.get("predictions")
    if node is None:
        if not root.broken:
            reader.report(root, "missing-field", "expected the key `predictions`, got an object without it")
        return None
    if node.kind is not Kind.LIST:
        reader.wrong_type(node, "a list of predictions")
        return None
    if node.numbers:
        reader.wrong_type(node.item(0) or node, "an object", more=len(node.numbers) - 1)
        return _Entries({}, {}, len(node.numbers))
    not_finite = _not_finite_positions(source)
    found = _Entries({}, {}, len(node.items))
    for position, item in enumerate(node.items):
        entry, is_whole = _entry(task, item, reader)
        if entry is not None:
            is_right = is_whole and position not in not_finite
            (found.entries if is_right else found.broken)[position] = entry
    return found


def _not_finite_positions(source: Source) -> set[int]:
    """Return the positions of predictions that hold NaN or Infinity anywhere."""
    matches = (
        _PREDICTION.match(problem.path or "") for problem in source.problems if problem.code == "number-not-finite"
    )
    return {int(match[1]) for match in matches if match}


def _entry(task: Task, node: Node, reader: FieldReader) -> tuple[Entry | None, bool]:
    """Return what is right of one prediction, and whether that is all of it; `None` where it is none."""
    if node.kind is not Kind.OBJECT:
        reader.wrong_type(node, "an object")
        return None, False
    required = required_fields(task.task_type)
    values: dict[str, Any] = dict.fromkeys(required)
    is_whole = True
    for field in field_names(task.task_type):
        member = node.members.get(field)
        is_null = member is not None and member.kind is Kind.NULL
        if member is None or (is_null and (field not in required or field == "score")):
            if field in required:
                is_whole = False
                _report_missing(task, node, field, reader)
            continue
        value = reader.read(field, member)
        if value is None:
            is_whole = False
        values[field] = value
    if values["category_id"] is None:
        values["category_id"] = NO_CATEGORY
    return ENTRY_TYPES[task.task_type](**values), is_whole


def _report_missing(task: Task, node: Node, field: str, reader: FieldReader) -> None:
    if node.broken:  # what seems to be missing may stand in the part that cannot be read
        return
    got = "`null`" if field in node.members else "none"
    if field == "score":
        reader.report(node, "score-missing", f"expected a score from 0 to 1, got {got}")
    else:
        message = f"expected the field `{field}` of {task.task_type}, got {got}"
        reader.report(node, "missing-field", message)
