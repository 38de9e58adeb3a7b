"""`schema.json`: what a task's model predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tamis.formats.json_source import Kind, Node, Source, parse, shown
from tamis.model import Category, Severity, Task, TaskType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tamis.model import Problem

_MAX_ID = 2**63 - 1
_NAME_KEYS = ("keypoint_names", "keypointNames", "keypoints")
_SKELETON_KEYS = {"keypoint_skeleton": 0, "keypointSkeleton": 0, "skeleton": 1}
"""Each spelling of the skeleton, and the index that it gives to the first keypoint."""
_PAIR = 2
_COUNTS_FROM_1 = "These pairs seem to count from 1: subtract 1, or name the key `skeleton`, as COCO does"
_COUNTS_FROM_0 = "These pairs seem to count from 0: name the key `keypoint_skeleton`"
_OLD_KEY = "Rename the key `task_description` to `task_type`: it had that name for one day in 2022"


def decode_schema(data: bytes, *, task: str, file: str) -> tuple[Task | None, list[Problem]]:
    """Read the schema of the task of that name; `None` with at least one error where it cannot be used.

    Keys that the format does not know are ignored. Empty lists of keypoint names, and null, count as absent. A
    skeleton only says how to draw: one that cannot be is left out with a warning, and the task is used. In tasks
    without keypoints, what is wrong about these is ignored too.

    Args:
        data: content of the file.
        task: name of the task.
        file: key of the file, for its problems.
    """
    source = parse(data, file=file, task=task)
    problems = [*source.problems, *source.duplicates]
    root = source.root
    if root is None:
        return None, problems
    if root.kind is not Kind.OBJECT:
        if root.kind is not Kind.BAD:
            problems.append(source.problem(root, "schema-field", f"expected an object, got {root.shown}"))
        return None, problems
    reader = _SchemaReader(source)
    task_type = reader.task_type(root)
    categories = reader.categories(root, has_keypoints=task_type in {TaskType.KEYPOINT_DETECTION, None})
    problems += reader.problems
    if task_type is None or not (source.is_readable and reader.is_complete):
        return None, problems
    return Task(name=task, task_type=task_type, categories=tuple(categories)), problems


def encode_schema(task: Task) -> bytes:
    r"""Write a task's `schema.json`.

    >>> task = Task(name="t", task_type=TaskType.CLASSIFICATION, categories=(Category(id=0, name="car"),))
    >>> print(encode_schema(task).decode(), end="")
    {
      "task_type": "classification",
      "categories": [
        {
          "id": 0,
          "name": "car"
        }
      ]
    }
    """
    schema = {"task_type": task.task_type, "categories": task.categories}
    return msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"


class _SchemaReader:
    """Takes the values of a schema out of their nodes and collects what is wrong with them."""

    def __init__(self, source: Source) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._n_unreadable = 0

    @property
    def is_complete(self) -> bool:
        """Whether all that was asked for could be read and has no error."""
        has_error = any(problem.severity is Severity.ERROR for problem in self.problems)
        return not has_error and self._n_unreadable == 0

    def task_type(self, root: Node) -> TaskType | None:
        node = root.get("task_type")
        if node is None:
            hint = _OLD_KEY if "task_description" in root.members else None
            if hint is not None or not root.broken:
                message = "expected the key `task_type`, got none"
                self._add(root, "task-type-unknown", message, hint=hint)
            return None
        if node.kind is Kind.BAD:
            return None
        try:
            return TaskType(str(node.value))
        except ValueError:
            likely = str(node.value).strip().lower().replace("_", "-").replace(" ", "-")
            hint = f"Write `{likely}`" if likely in list(TaskType) else None
            expected = ", ".join(f"`{name}`" for name in TaskType)
            self._add(node, "task-type-unknown", f"expected one of {expected}, got {node.shown}", hint=hint)
            return None

    def categories(self, root: Node, *, has_keypoints: bool) -> list[Category]:
        """Return the categories; of a task without keypoints, what COCO says of these may be anything."""
        node = self._member(root, "categories", Kind.LIST)
        if node is None:
            return []
        if not node.content and not node.broken:
            self._add(node, "task-empty-categories", "expected at least one category, got an empty list")
        ids: set[int] = set()
        names: set[str] = set()
        categories: list[Category] = []
        for entry in node.items:
            if not self._is(entry, Kind.OBJECT):
                continue
            category_id = self._id(entry, ids)
            name = self._name(entry, names)
            keypoint_names, skeleton = self._keypoints(entry) if has_keypoints else self._keypoints_if_right(entry)
            if category_id is not None and name is not None:
                categories.append(
                    Category(id=category_id, name=name, keypoint_names=keypoint_names, keypoint_skeleton=skeleton)
                )
        return categories

    def _id(self, entry: Node, known: set[int]) -> int | None:
        node = self._member(entry, "id", Kind.NUMBER)
        if node is None:
            return None
        category_id = node.value
        if not isinstance(category_id, int) or category_id > _MAX_ID:
            self._add(node, "schema-field", f"expected an integer below 2^63, got {node.shown}")
            return None
        if category_id < 0:
            self._add(node, "category-id-negative", f"expected an id from 0, got {node.shown}")
        elif category_id in known:
            self._add(node, "category-duplicate-id", f"expected each id once, got {node.shown} again")
        known.add(category_id)
        return category_id

    def _name(self, entry: Node, known: set[str]) -> str | None:
        node = self._member(entry, "name", Kind.STRING)
        if node is None:
            return None
        name = str(node.value)
        if not name:
            self._add(node, "category-name-empty", f"expected a name, got {node.shown}")
        elif name in known:
            message = f"expected each name once, got {shown(name)} again"
            self._add(node, "category-duplicate-name", message)
        known.add(name)
        return name

    def _keypoints(self, entry: Node) -> tuple[tuple[str, ...] | None, tuple[tuple[int, int], ...] | None]:
        names = self._keypoint_names(entry)
        return names, self._skeleton(entry, None if names is None else len(names))

    def _keypoints_if_right(self, entry: Node) -> tuple[tuple[str, ...] | None, tuple[tuple[int, int], ...] | None]:
        """Return the same of a category that needs none: what is not as it should be is no problem there."""
        apart = _SchemaReader(self._source)
        found = apart._keypoints(entry)
        return (None, None) if apart.problems or apart._n_unreadable else found

    def _keypoint_names(self, entry: Node) -> tuple[str, ...] | None:
        node = next((entry.members[key] for key in _given(entry, _NAME_KEYS)), None)
        if node is None or not self._is(node, Kind.LIST):
            return None
        return tuple(str(item.value) for item in node.items if self._is(item, Kind.STRING)) or None

    def _skeleton(self, entry: Node, n_keypoints: int | None) -> tuple[tuple[int, int], ...] | None:
        key = next(_given(entry, _SKELETON_KEYS), None)
        if key is None:
            return None
        node, first = entry.members[key], _SKELETON_KEYS[key]
        if node.kind is not Kind.LIST:
            if node.kind is not Kind.BAD:
                self._add(node, "keypoint-skeleton", f"expected a list of pairs of indices, got {node.shown}")
            return None
        pairs = [pair for item in node.items if (pair := self._pair(item)) is not None]
        if len(pairs) < len(node.content):
            return None
        last = None if n_keypoints is None else first + n_keypoints - 1
        outside = [i for pair in pairs for i in pair if i < first or (last is not None and i > last)]
        if outside:
            expected = f"indices from {first}" + ("" if last is None else f" to {last}")
            hint = _skeleton_hint([i for pair in pairs for i in pair], first, n_keypoints)
            self._add(node, "keypoint-skeleton", f"expected {expected}, got `{outside[0]}`", hint=hint)
            return None
        return tuple((a - first, b - first) for a, b in pairs)

    def _pair(self, node: Node) -> tuple[int, int] | None:
        if node.kind is Kind.BAD or node.broken:
            return None
        numbers = node.numbers
        if numbers is not None and len(numbers) == _PAIR:
            first, second = numbers
            if isinstance(first, int) and isinstance(second, int):
                return first, second
        self._add(node, "keypoint-skeleton", f"expected a pair of integers, got {node.shown}")
        return None

    def _member(self, parent: Node, key: str, kind: Kind) -> Node | None:
        """Return the member of an object if it is there and of that kind."""
        node = parent.get(key)
        if node is None:
            if not parent.broken:
                self._add(parent, "schema-field", f"expected the key `{key}`, got none")
            return None
        return node if self._is(node, kind) else None

    def _is(self, node: Node, kind: Kind) -> bool:
        """Whether a value is of that kind; what is not is a problem, unless it is one already."""
        if node.kind is kind:
            return True
        if node.kind is Kind.BAD:
            self._n_unreadable += 1
        else:
            self._add(node, "schema-field", f"expected {kind}, got {node.shown}")
        return False

    def _add(self, node: Node, code: str, message: str, *, hint: str | None = None) -> None:
        self.problems.append(self._source.problem(node, code, message, hint=hint))


def _given(entry: Node, keys: Iterable[str]) -> Iterator[str]:
    """Yield those of the keys that a category has; null is none."""
    return (key for key in keys if key in entry.members and entry.members[key].kind is not Kind.NULL)


def _skeleton_hint(indices: list[int], first: int, n_keypoints: int | None) -> str | None:
    """Say which other way of counting fits these indices, if one does."""
    if first == 1:
        return _COUNTS_FROM_0 if min(indices) == 0 else None
    fits = n_keypoints is not None and min(indices) >= 1 and max(indices) == n_keypoints
    return _COUNTS_FROM_1 if fits else None
