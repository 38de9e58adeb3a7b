"""What only the whole dataset shows: boxes read the wrong way round, ids off by one, scores that never vary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tamis.model import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tamis.index import Snapshot
    from tamis.model import Task

# A share of boxes that leave their image which no sound detector has, and one that any may have.
_MANY_LEAVE = 0.1
_HARDLY_ANY_LEAVE = 0.01
# Below this, "all the same" is likely to be chance.
_ENOUGH = 10


@dataclass(frozen=True, slots=True, eq=False)
class _Files:
    """The prediction files of one task, column by column."""

    columns: dict[str, NDArray[Any]]

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def total(self, name: str) -> int:
        return int(self.columns[name].sum())

    def __len__(self) -> int:
        return len(self.columns["valid"])


_NUMBERS = (
    "n_predictions",
    "n_boxes",
    "n_sized",
    "n_leaving_as_xywh",
    "n_leaving_as_corners",
    "n_normalized",
    "score_min",
    "score_max",
    "category_min",
    "category_max",
)


def find_in_dataset(snapshot: Snapshot) -> list[Problem]:
    """Look at all files of each task together and return what is wrong with them as a whole."""
    n_samples = snapshot.table("samples", ["kind"]).num_rows
    table = snapshot.table("files", ["task", "sample", "valid", *_NUMBERS])
    task_of_file = np.asarray(table["task"].to_numpy(), object)
    owned = ~np.asarray(table["sample"].is_null())
    numbers = {name: table[name].to_numpy() for name in ("valid", *_NUMBERS)}
    problems: list[Problem] = []
    for task in snapshot.tasks:
        mine = task_of_file == task.name
        files = _Files({"owned": owned[mine], **{name: column[mine] for name, column in numbers.items()}})
        problems += _coverage(task, files, n_samples)
        problems += _boxes(task, files)
        problems += _scores(task, files)
        problems += _counts(task, files)
        problems += _categories(task, files, snapshot)
    return problems


def _coverage(task: Task, files: _Files, n_samples: int) -> list[Problem]:
    problems = []
    if not files["valid"].any():
        got = f"{len(files)} files, none of them valid" if len(files) else "no file at all"
        message = f"expected prediction files for {n_samples} samples, got {got}"
        problems.append(Problem(code="task-no-valid-file", task=task.name, message=message))
    missing = n_samples - int(np.count_nonzero(files["owned"]))
    if missing > 0:
        message = f"{missing} of {n_samples} samples have no prediction file ({_percent(missing, n_samples)})"
        problems.append(Problem(code="coverage", task=task.name, message=message, count=missing))
    return problems


def _boxes(task: Task, files: _Files) -> list[Problem]:
    n_boxes = files.total("n_boxes")
    if not n_boxes:
        return []
    if files.total("n_normalized") == n_boxes:
        message = f"expected boxes in pixels, got all coordinates of {n_boxes} boxes within 0 and 1"
        return [Problem(code="bbox-normalized", task=task.name, message=message, count=n_boxes)]
    n_boxes = files.total("n_sized")  # only a known image can be left
    as_xywh, as_corners = files.total("n_leaving_as_xywh"), files.total("n_leaving_as_corners")
    if n_boxes < _ENOUGH or as_xywh < _MANY_LEAVE * n_boxes or as_corners > _HARDLY_ANY_LEAVE * n_boxes:
        return []
    message = (
        f"read as [x, y, width, height], {_percent(as_xywh, n_boxes)} of {n_boxes} boxes leave their image; "
        f"read as [x1, y1, x2, y2], {_percent(as_corners, n_boxes)} do"
    )
    return [Problem(code="bbox-corners", task=task.name, message=message, count=as_xywh)]


def _scores(task: Task, files: _Files) -> list[Problem]:
    known = ~np.isnan(files["score_min"])
    n = int(files["n_predictions"][known].sum())
    if n < _ENOUGH:
        return []
    low, high = files["score_min"][known].min(), files["score_max"][known].max()
    if low < high:
        return []
    message = f"expected scores that vary, got {low:g} for all {n} predictions"
    return [Problem(code="score-constant", task=task.name, message=message, count=n)]


def _counts(task: Task, files: _Files) -> list[Problem]:
    counts = files["n_predictions"][files["valid"]]
    if not task.task_type.has_objects or len(counts) < _ENOUGH or counts[0] <= 1 or (counts != counts[0]).any():
        return []
    message = f"expected numbers of predictions that vary, got exactly {counts[0]} in each of {len(counts)} files"
    return [Problem(code="count-constant", task=task.name, message=message, count=len(counts))]


def _categories(task: Task, files: _Files, snapshot: Snapshot) -> list[Problem]:
    known = files["valid"] & ~np.isnan(files["category_min"].astype(np.float64))
    if not known.any():
        return []
    low, high = int(files["category_min"][known].min()), int(files["category_max"][known].max())
    first, last = task.category_ids[0], task.category_ids[-1]
    if (low, high) in {(first + 1, last + 1), (first - 1, last - 1)}:
        message = f"expected category ids from {first} to {last}, got {low} to {high}"
        return [Problem(code="category-off-by-one", task=task.name, message=message)]
    used = set(np.unique(snapshot.table(f"predictions:{task.name}", ["category_id"])["category_id"]).tolist())
    unused = [task.by_id[i].name for i in task.category_ids if i not in used]
    if not unused:
        return []
    shown = ", ".join(f"`{name}`" for name in unused[:5]) + (", ..." if len(unused) > 5 else "")  # noqa: PLR2004
    message = f"{len(unused)} of {len(task.categories)} categories are never predicted: {shown}"
    return [Problem(code="category-unused", task=task.name, message=message, count=len(unused))]


def _percent(part: int, whole: int) -> str:
    """Return a share in percent, with a decimal below 10 %, and never 0 or 100 for what is not."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.1:  # noqa: PLR2004
        return "< 0.1 %"
    return f"{share:.0f} %" if share >= 10 else f"{share:.1f} %"  # noqa: PLR2004
