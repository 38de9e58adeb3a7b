"""A task's own files: its line in `tasks.json` and its `schema.json`, never over those of another task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tamis.errors import DatasourceError, UsageError
from tamis.formats import (
    TASKS_KEY,
    decode_schema,
    decode_tasks,
    encode_schema,
    encode_tasks,
    schema_key,
)
from tamis.model import Severity
from tamis.storage import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tamis.model import Problem, Task
    from tamis.storage import Blob, Stamp


class TaskStore(Protocol):
    """What declaring a task needs of a store."""

    def read(self, key: str) -> Blob:
        """Read all bytes at a key."""

    def write_if(self, key: str, data: bytes, *, there: Stamp | None) -> bool:
        """Put bytes at a key that still holds what had this stamp; return whether it did."""


def declare_task(store: TaskStore, task: Task) -> None:
    """Add a task to `tasks.json` and write its schema; other tasks stay as they are.

    Raises:
        UsageError: when it is there with another schema.
        DatasourceError: when a file that is there is not valid.
        StoreError: when a file cannot be read or written.
    """
    # Of two writers at once the slower one reads again what the faster one wrote, and adds to that.
    while not _write_schema(store, task):
        pass
    while not _list_task(store, task.name):
        pass


def place_in_file(problem: Problem) -> str:
    """Return where in its file a problem is, as the start of a sentence."""
    path = (problem.path or "").removeprefix("$").removeprefix(".")
    return f"{path}: " if path else ""


def _write_schema(store: TaskStore, task: Task) -> bool:
    """Write a schema, or see that it is there; `False` where somebody else wrote one just now."""
    key = schema_key(task.name)
    try:
        data = store.read(key).data
    except NotFoundError:
        return store.write_if(key, encode_schema(task), there=None)
    there, problems = decode_schema(data, task=task.name, file=key)
    if there is None:
        raise _not_valid(key, problems)
    differences = list(_differences(there, task))
    if differences:
        listed = "\n  ".join(differences)
        raise UsageError(
            f"Task `{task.name}` is already there with another schema (`{key}`):\n  {listed}",
            hint="write with its categories, under another task name, or remove the old task's folder",
        )
    return True


def _list_task(store: TaskStore, name: str) -> bool:
    """Add a name to `tasks.json`; `False` where that changed since it was read."""
    try:
        data, stamp = store.read(TASKS_KEY)
    except NotFoundError:
        return store.write_if(TASKS_KEY, encode_tasks([name]), there=None)
    names = _names_in(data)
    return name in names or store.write_if(TASKS_KEY, encode_tasks([*names, name]), there=stamp)


def _names_in(data: bytes) -> list[str]:
    names, problems = decode_tasks(data, file=TASKS_KEY)
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise _not_valid(TASKS_KEY, problems)
    return names


def _differences(there: Task, here: Task) -> Iterable[str]:
    """Say how a schema on disk differs from the one that is to be written; the order of categories is free."""
    if there.task_type != here.task_type:
        yield f"its type is {there.task_type}, expected {here.task_type}"
    for category_id in sorted({*there.category_ids, *here.category_ids}):
        old, new = there.by_id.get(category_id), here.by_id.get(category_id)
        if old is None and new is not None:
            yield f"category {category_id} (`{new.name}`) is not in it"
        elif new is None and old is not None:
            yield f"category {category_id} (`{old.name}`) is in it, but not expected"
        elif old is not None and new is not None and old != new:
            what = "name" if old.name != new.name else "keypoints"
            names = f": `{old.name}`, expected `{new.name}`" if what == "name" else ""
            yield f"category {category_id} has another {what}{names}"


def _not_valid(key: str, problems: Sequence[Problem]) -> DatasourceError:
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    listed = "\n  ".join(f"{place_in_file(problem)}{problem.message}" for problem in errors)
    return DatasourceError(
        f"`{key}` is not valid and was left as it is:\n  {listed}",
        hint=errors[0].advice if errors else None,
    )
