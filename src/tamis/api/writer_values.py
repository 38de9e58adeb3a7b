"""What callers hand to `PredictionWriter`, made plain: arrays into lists, faults into sentences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tamis.errors import UsageError
from tamis.formats import TASKS_KEY, decode_schema, decode_tasks, field_names, schema_key
from tamis.model import (
    CODES,
    Category,
    Drops,
    Prediction,
    SampleKind,
    Task,
    TaskType,
    kind_of_key,
    masks,
    stem_of,
)
from tamis.storage import StoreError, check_key

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_UNKNOWN_SIZE = (0, 0)
_ALREADY_PLAIN = frozenset({int, float, str, bool, type(None)})


@dataclass(frozen=True, slots=True)
class Entries:
    """A call's predictions made plain.

    Attributes:
        data: them as a prediction file that is yet to be checked; `None` where that cannot be written.
        size: width and height of the image in pixels, (0, 0) where unknown.
        faults: what is wrong with them already.
    """

    data: bytes | None
    size: tuple[int, int]
    faults: list[str]


def make_task(name: str, task_type: TaskType | str, categories: object) -> Task:
    """Build a task from what a caller says.

    Raises:
        UsageError: listing everything that is wrong with it.
    """
    faults: list[str] = []
    raw: list[object] = []
    if isinstance(categories, Mapping):
        raw = [{"id": _plain(key), "name": value} for key, value in categories.items()]
    elif isinstance(categories, Sequence) and not isinstance(categories, str):
        raw = [_raw_category(i, category) for i, category in enumerate(categories)]
    else:
        faults.append(f"categories: expected a list or a mapping of ids to names, got {categories!r}")
    try:
        listed, schema = _to_json([name]), _to_json({"task_type": str(task_type), "categories": raw})
    except TypeError as error:
        raise UsageError(f"Task `{name}` cannot be written:\n  {str(error).lower()}") from None
    _, problems = decode_tasks(listed, file=TASKS_KEY)
    task, more = decode_schema(schema, task=name, file=schema_key(name))
    problems = [*problems, *([] if faults else more)]
    errors = [problem for problem in problems if CODES[problem.code].drops is not Drops.NOTHING]
    faults += [f"{(problem.path or '$').removeprefix('$.')}: {problem.message}" for problem in errors]
    if faults or task is None:
        raise UsageError(
            f"Task `{name}` cannot be written:\n  " + "\n  ".join(faults),
            hint=errors[0].advice if errors else None,
        )
    return task


def check_sample_key(key: str) -> list[str]:
    """Return what is wrong with the name of a sample: nothing, or one sentence."""
    try:
        check_key(key)
    except StoreError as error:
        return [error.message]
    kind = kind_of_key(key)
    if kind is SampleKind.VIDEO:
        return ["a video has predictions for each frame: name the frame, e.g. by `tamis.model.frame_name`"]
    if kind is None:
        return ["its ending is not one of an image: expected the path of an image or the name of a frame"]
    if key.startswith(".lightly/"):
        return ["what lies in `.lightly` is not a sample: expected a path relative to the input datasource"]
    if stem_of(key) == "schema":
        return ["its prediction file would be `schema.json`, which is the task's schema: rename the image"]
    return []


def plain_entries(task: Task, predictions: object, image_size: tuple[int, int] | None) -> Entries:
    """Make a call's predictions plain."""
    faults: list[str] = []
    size = _checked_size(image_size, faults)
    if isinstance(predictions, (Prediction, Mapping, str)) or not isinstance(predictions, Iterable):
        kind = type(predictions).__name__
        return Entries(None, size, [*faults, f"predictions: expected a list of predictions, got one {kind}"])
    entries = []
    for i, one in enumerate(predictions):
        place = f"predictions[{i}]"
        fields = _fields_of(one, place, faults)
        _refuse_unknown(task, fields, place, faults)
        shape = _mask_shape(fields, place, faults)
        if shape is not None and size not in {_UNKNOWN_SIZE, shape}:
            faults.append(f"{place}.segmentation: expected a mask of {_shown(size)} pixels, got {_shown(shape)}")
        size = shape if shape is not None and size == _UNKNOWN_SIZE else size
        entries.append({name: _plain_field(name, value) for name, value in fields.items()})
    try:
        return Entries(_to_json({"predictions": entries}), size, faults)
    except TypeError as error:
        return Entries(None, size, [*faults, f"predictions: {str(error).lower()}"])


def as_array(value: Any) -> NDArray[Any]:  # noqa: ANN401 (whatever the caller has)
    """Return anything that numpy can read as an array; a tensor of PyTorch wherever it is and whatever made it.

    >>> as_array([1, 2]).tolist()
    [1, 2]
    """
    if hasattr(value, "detach"):
        value = value.detach()
        # numpy has no bfloat16.
        value = value.float() if "bfloat16" in str(value.dtype) else value
        value = value.cpu()
    return np.asarray(value)


def arrays_to_mappings(lists: Mapping[str, ArrayLike | None]) -> tuple[list[dict[str, Any]], list[str]]:
    """Turn arrays of n values each, by field, into n mappings; `None` is absent.

    Returns:
        The mappings and, where lengths differ, the fault.
    """
    columns = {name: _rows(values) for name, values in lists.items() if values is not None}
    lengths = {name: len(rows) for name, rows in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{n} of {name}" for name, n in lengths.items())
        return [], [f"expected as many of each, got {listed}"]
    n_rows = next(iter(lengths.values()))
    return [{name: rows[i] for name, rows in columns.items()} for i in range(n_rows)], []


def likeliest_categories(task: Task, probabilities: ArrayLike) -> list[int]:
    """Return the id of the likeliest category, or of the first where the row cannot be read as numbers."""
    try:
        best = int(np.argmax(np.asarray(as_array(probabilities), np.float64)))
    except (TypeError, ValueError):
        best = 0
    return [task.category_ids[min(best, len(task.category_ids) - 1)]]


def _raw_category(i: int, category: object) -> object:
    if isinstance(category, str):
        return {"id": i, "name": category}
    if isinstance(category, Category):
        return msgspec.to_builtins(category)
    return _plain(category)


def _checked_size(size: tuple[int, int] | None, faults: list[str]) -> tuple[int, int]:
    if size is None:
        return _UNKNOWN_SIZE
    plain = _plain(size)
    if isinstance(plain, list) and len(plain) == 2 and all(isinstance(s, int) and s > 0 for s in plain):  # noqa: PLR2004 (width and height)
        return plain[0], plain[1]
    faults.append(f"image_size: expected a width and a height in pixels, got {size!r}")
    return _UNKNOWN_SIZE


def _fields_of(one: object, place: str, faults: list[str]) -> dict[Any, Any]:
    if isinstance(one, Prediction):
        one = msgspec.structs.asdict(one)
    if isinstance(one, Mapping):
        return {name: value for name, value in one.items() if value is not None}
    faults.append(f"{place}: expected a prediction or a mapping, got {type(one).__name__}")
    return {}


def _refuse_unknown(task: Task, fields: Mapping[Any, Any], place: str, faults: list[str]) -> None:
    known = field_names(task.task_type)
    for name in fields:
        if name not in known:
            close = get_close_matches(str(name), known, n=1)
            hint = f"did you mean `{close[0]}`?" if close else "it has " + ", ".join(f"`{k}`" for k in known)
            faults.append(f"{place}: a prediction of type {task.task_type} has no `{name}`; {hint}")


def _mask_shape(fields: Mapping[Any, Any], place: str, faults: list[str]) -> tuple[int, int] | None:
    """Return width and height of a mask that is given as an array."""
    mask = _as_mask(fields.get("segmentation"))
    if mask is None:
        return None
    if mask.dtype.kind not in "biu":
        faults.append(f"{place}.segmentation: expected a mask of booleans or integers, got {mask.dtype}")
    return mask.shape[1], mask.shape[0]


def _as_mask(value: object) -> NDArray[Any] | None:
    """Return an array of two dimensions; lists of lists are polygons as often as masks, and none of ours."""
    if not hasattr(value, "__array__"):
        return None
    array = as_array(value)
    return array if array.ndim == 2 else None  # noqa: PLR2004 (height and width)


def _plain_field(name: object, value: object) -> object:
    if name == "segmentation":
        mask = _as_mask(value)
        if mask is not None:
            return masks.encode(mask).tolist()
    plain = _plain(value)
    if name == "keypoints" and isinstance(plain, list):
        return [number for one in plain for number in (one if isinstance(one, list) else [one])]
    return plain


def _plain(value: object) -> Any:  # noqa: ANN401 (whatever the caller has in its lists)
    """Turn arrays (also of other libraries, by `__array__`) and their numbers into lists and Python's."""
    if type(value) in _ALREADY_PLAIN:
        return value
    if hasattr(value, "__array__"):
        return as_array(value).tolist()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _rows(values: ArrayLike) -> Sequence[Any]:
    return list(values) if isinstance(values, (list, tuple)) else list(np.atleast_1d(as_array(values)))


def _to_json(value: object) -> bytes:
    # The standard library writes NaN as such, for the reader to report; msgspec would make it null.
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _shown(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
