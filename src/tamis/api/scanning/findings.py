"""What only the whole dataset shows: boxes read the wrong way round, ids off by one, scores that never vary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tamis.model import Problem

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from tamis.index import Snapshot
    from tamis.model import Task

# A share of boxes that leave their image which no sound detector has, and one that any may have.
_MANY_LEAVE = 0.1
_HARDLY_ANY_LEAVE = 0.01
# Below this, "all the same" is likely to be chance.
_ENOUGH = 10

# A million rows of files become one a task without ever being in memory together.
_TOTALS = """
    SELECT task, count(*) AS files, count_if(valid) AS valid, count(sample) AS owned,
        coalesce(sum(n_boxes), 0) AS boxes, coalesce(sum(n_sized), 0) AS sized,
        coalesce(sum(n_leaving_as_xywh), 0) AS leaving_as_xywh,
        coalesce(sum(n_leaving_as_corners), 0) AS leaving_as_corners,
        coalesce(sum(n_normalized), 0) AS normalized,
        coalesce(sum(n_predictions) FILTER (score_min IS NOT NULL), 0) AS scored,
        min(score_min) AS lowest_score, max(score_max) AS highest_score,
        count_if(valid AND sample IS NOT NULL) AS counted,
        min(n_listed) FILTER (valid AND sample IS NOT NULL) AS fewest,
        max(n_listed) FILTER (valid AND sample IS NOT NULL) AS most,
        min(category_min) FILTER (valid) AS first_category, max(category_max) FILTER (valid) AS last_category
    FROM files GROUP BY task
"""


class _Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The prediction files of one task taken together.

    Attributes:
        files: how many there are.
        valid: how many could be read.
        owned: how many lie beside a sample that they may belong to.
        counted: the valid ones among those.
        boxes: predictions with a box.
        sized: those of them in an image of known size.
        leaving_as_xywh: those of them that leave it, read as the format says.
        leaving_as_corners: those of them that leave it, read as two corners.
        normalized: boxes with all coordinates within 0 and 1.
        scored: predictions that could be used, in files that have a score.
        lowest_score: `None` where there is no score.
        highest_score: likewise.
        fewest: predictions that a counted file lists, `None` where there is no such file.
        most: likewise.
        first_category: the smallest id in a valid file, `None` where there is none.
        last_category: the largest.
    """

    files: int = 0
    valid: int = 0
    owned: int = 0
    counted: int = 0
    boxes: int = 0
    sized: int = 0
    leaving_as_xywh: int = 0
    leaving_as_corners: int = 0
    normalized: int = 0
    scored: int = 0
    lowest_score: float | None = None
    highest_score: float | None = None
    fewest: int | None = None
    most: int | None = None
    first_category: int | None = None
    last_category: int | None = None


def find_in_dataset(snapshot: Snapshot) -> list[Problem]:
    """Look at all files of each task together and return what is wrong with them as a whole."""
    if not snapshot.tasks:
        return []
    connection = snapshot.connect("samples", "files", "predictions")
    n_samples = _number(connection, "SELECT count(*) FROM samples")
    totals = _totals(connection)
    schemas = snapshot.sql_schemas()
    problems: list[Problem] = []
    for task in snapshot.tasks:
        files = totals.get(task.name, _Totals())
        problems += _coverage(task, files, n_samples)
        problems += _boxes(task, files)
        problems += _scores(task, files)
        problems += _counts(task, files)
        problems += _categories(task, files, connection, schemas[task.name])
    return problems


def _totals(connection: DuckDBPyConnection) -> dict[str, _Totals]:
    found = connection.execute(_TOTALS)
    names = [column[0] for column in found.description]
    rows: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return {row.pop("task"): _Totals(**row) for row in rows}


def _number(connection: DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _coverage(task: Task, files: _Totals, n_samples: int) -> list[Problem]:
    problems = []
    if not files.valid:
        got = f"{files.files} files, none of them valid" if files.files else "no file at all"
        message = f"expected prediction files for {n_samples} samples, got {got}"
        problems.append(Problem(code="task-no-valid-file", task=task.name, message=message))
    missing = n_samples - files.owned
    if missing > 0:
        message = f"{missing} of {n_samples} samples have no prediction file ({_percent(missing, n_samples)})"
        problems.append(Problem(code="coverage", task=task.name, message=message, count=missing))
    return problems


def _boxes(task: Task, files: _Totals) -> list[Problem]:
    if not files.boxes:
        return []
    if files.normalized == files.boxes:
        message = f"expected boxes in pixels, got all coordinates of {files.boxes} boxes within 0 and 1"
        return [Problem(code="bbox-normalized", task=task.name, message=message, count=files.boxes)]
    n_boxes = files.sized  # only a known image can be left
    as_xywh, as_corners = files.leaving_as_xywh, files.leaving_as_corners
    if n_boxes < _ENOUGH or as_xywh < _MANY_LEAVE * n_boxes or as_corners > _HARDLY_ANY_LEAVE * n_boxes:
        return []
    message = (
        f"read as [x, y, width, height], {_percent(as_xywh, n_boxes)} of {n_boxes} boxes leave their image; "
        f"read as [x1, y1, x2, y2], {_percent(as_corners, n_boxes)} do"
    )
    return [Problem(code="bbox-corners", task=task.name, message=message, count=as_xywh)]


def _scores(task: Task, files: _Totals) -> list[Problem]:
    n, low = files.scored, files.lowest_score
    if n < _ENOUGH or low != files.highest_score:
        return []
    message = f"expected scores that vary, got {low:g} for all {n} predictions"
    return [Problem(code="score-constant", task=task.name, message=message, count=n)]


def _counts(task: Task, files: _Totals) -> list[Problem]:
    count = files.most or 0
    if not task.task_type.has_objects or files.counted < _ENOUGH or count <= 1 or count != files.fewest:
        return []
    message = f"expected numbers of predictions that vary, got exactly {count} in each of {files.counted} files"
    return [Problem(code="count-constant", task=task.name, message=message, count=files.counted)]


def _categories(task: Task, files: _Totals, connection: DuckDBPyConnection, schema: str) -> list[Problem]:
    if files.first_category is None:
        return []
    low, high = files.first_category, files.last_category
    first, last = task.category_ids[0], task.category_ids[-1]
    if (low, high) in {(first + 1, last + 1), (first - 1, last - 1)}:
        message = f"expected category ids from {first} to {last}, got {low} to {high}"
        return [Problem(code="category-off-by-one", task=task.name, message=message)]
    query = f"SELECT DISTINCT category_id FROM {schema}.predictions"  # noqa: S608 (quoted by the snapshot)
    used = {row[0] for row in connection.execute(query).fetchall()}
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
