"""The categories that an import writes: from the file itself, or from one that names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from tamis.errors import DatasourceError, UsageError
from tamis.formats import decode_label_map
from tamis.model import CODES, Drops

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tamis.model import Problem, Task

_YAML = frozenset({".yaml", ".yml"})
_EXPECTED = (
    "expected a name a line; YAML with `names` or `classes`, a list or ids with names; JSON with `categories` "
    "or a list of `id` and `name`; or a `label_map.pbtxt`"
)


def task_or_error(task: Task | None, problems: Sequence[Problem]) -> Task:
    """Return a task that was read.

    Raises:
        UsageError: where it cannot be, with all that is wrong with it.
    """
    wrong = [problem for problem in problems if CODES[problem.code].drops is not Drops.NOTHING]
    if task is None or wrong:
        listed = "\n  ".join(f"{(problem.path or '$').removeprefix('$.')}: {problem.message}" for problem in wrong)
        file = problems[0].file if problems else None
        raise UsageError(
            f"The categories of `{file}` cannot be used:\n  {listed}", hint=wrong[0].advice if wrong else None
        )
    return task


def read_classes(path: Path) -> list[dict[str, Any]]:
    """Read a file that names categories: `data.yaml`, a list of names, or categories as COCO writes them.

    Returns:
        Mappings with at least `id` and `name`, as a schema has them.

    Raises:
        DatasourceError: when it cannot be read.
        UsageError: when it names no categories.
    """
    found = _categories(read_document(path))
    if not found:
        raise UsageError(f"`{path}` names no categories", hint=_EXPECTED)
    return found


def read_document(path: Path) -> object:
    """Read a file that names categories as the values that it holds: YAML, JSON, or lines of text.

    Raises:
        DatasourceError: when it cannot be read.
        UsageError: when it is no text, or not what its ending says.
    """
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"`{path}` is no text", hint=_EXPECTED) from None
    except OSError as error:
        raise DatasourceError(f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}") from None
    return _parsed(text, path)


def _parsed(text: str, path: Path) -> object:
    try:
        if path.suffix.lower() in _YAML:
            return yaml.safe_load(text)
        if path.suffix.lower() == ".json":
            return msgspec.json.decode(text)
    except (yaml.YAMLError, msgspec.MsgspecError, RecursionError) as error:
        raise UsageError(f"`{path}` cannot be read: {error}", hint=_EXPECTED) from None
    if path.suffix.lower() == ".pbtxt":
        return decode_label_map(text)
    return [line.strip() for line in text.splitlines() if line.strip()]


def _categories(document: object) -> list[dict[str, Any]]:
    if isinstance(document, dict):
        for key in ("categories", "names", "classes"):
            if key in document:
                document = document[key]
                break
    if isinstance(document, dict):
        return [_category(category_id, name) for category_id, name in document.items()]
    if not isinstance(document, list):
        return []
    return [item if isinstance(item, dict) else _category(i, item) for i, item in enumerate(document)]


def _category(category_id: object, name: object) -> dict[str, Any]:
    if isinstance(category_id, str) and category_id.isdecimal():
        category_id = int(category_id)
    return {"id": category_id, "name": str(name)}
