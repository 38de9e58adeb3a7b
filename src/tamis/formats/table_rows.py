"""Rows of a table, one an object: which column is what, and cells as values.

| what | columns |
|---|---|
| image | `file_name`, `image`, `filename`, `ImageID` |
| category | `category_id`; or by name `category`, `label`, `class`, `LabelName` |
| score | `score`, `confidence`, `Confidence` |
| box | `bbox_x` `bbox_y` `bbox_width` `bbox_height`; `xmin` `ymin` `xmax` `ymax`, `x_min` ..., `x1` `y1` `x2` `y2`; `bbox`, a list of x, y, width, height; or in shares of the image, as Open Images has them, `XMin` `YMin` `XMax` `YMax` |
| others | `probabilities`, `mask` (run lengths along the rows), `keypoints`: lists |
"""  # noqa: E501 (a table's row is one line)

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, Any

import msgspec

from tamis.formats.foreign import ForeignError, ForeignObject, RowMask, whole_category
from tamis.formats.wire import MAX_RUN
from tamis.model import TaskType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    Box = tuple[float, float, float, float]

_IMAGE = ("file_name", "image", "filename", "ImageID")
_NAME = ("category", "label", "class", "LabelName")
_SCORE = ("score", "confidence", "Confidence")
_SIDES = ("bbox_x", "bbox_y", "bbox_width", "bbox_height")
_BOX_LIST = ("bbox",)
_SHARES = ("XMin", "YMin", "XMax", "YMax")
_CORNERS = (
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("x1", "y1", "x2", "y2"),
    _SHARES,
)
_LISTS = ("probabilities", "mask", "keypoints")

TABLE_COLUMNS = (
    *_IMAGE, "category_id", *_NAME, *_SCORE, *_SIDES, *(name for names in _CORNERS for name in names), *_BOX_LIST,
    *_LISTS,
)  # fmt: skip
"""Every column that means something."""

_UNREAD = ("position",)
"""What our own tables have besides: it follows from the order of rows."""

_PLACE = re.compile(
    r"(b?box)?(c?[xy][0-4]?|(min|max|top|bottom|left|right|center|centre)[xy]|[xy](min|max|c|center|centre|tl|br)"
    r"|left|top|right|bottom|boundingbox|box|boxes|bboxes|bbox|polygon|points|segmentation|rle|masks?)"
)
"""Names, without capitals and signs, of columns that say where something is."""

Row = dict[str, Any]


class TableColumns(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the columns that a table has are read."""

    image: str
    category_id: str | None
    name: str | None
    score: str | None
    box: tuple[str, ...] | None
    lists: tuple[str, ...]
    unused: tuple[str, ...]

    @property
    def is_relative(self) -> bool:
        """Whether boxes are shares of the image."""
        return self.box == _SHARES

    @property
    def unused_places(self) -> list[str]:
        """Columns that are not read, but look as if they said where something is."""
        return [name for name in self.unused if _PLACE.fullmatch(re.sub(r"[^a-z0-9]", "", name.lower()))]


def find_columns(names: Collection[str]) -> TableColumns:
    """Find out which column is what.

    Raises:
        ValueError: when images or categories are in no column: the text says what was expected.

    >>> find_columns(["image", "label", "x1", "y1", "x2", "y2"]).box
    ('x1', 'y1', 'x2', 'y2')
    """

    def first(known: Iterable[str]) -> str | None:
        return next((name for name in known if name in names), None)

    image, category_id, name = first(_IMAGE), first(["category_id"]), first(_NAME)
    if image is None:
        raise ValueError(f"expected a column of images, one of {', '.join(_IMAGE)}, got {', '.join(names)}")
    if category_id is None and name is None:
        expected = ", ".join(("category_id", *_NAME))
        raise ValueError(f"expected a column of categories, one of {expected}, got {', '.join(names)}")
    boxes = (box for box in (_SIDES, *_CORNERS, _BOX_LIST) if all(side in names for side in box))
    score, box = first(_SCORE), next(boxes, None)
    lists = tuple(column for column in _LISTS if column in names)
    read = {image, category_id, name, score, *(box or ()), *lists, *_UNREAD, ""}
    return TableColumns(
        image=image,
        category_id=category_id,
        name=name,
        score=score,
        box=box,
        lists=lists,
        unused=tuple(column for column in names if column not in read),
    )


def table_type(rows: Iterable[Row], columns: TableColumns) -> TaskType:
    """Return the type of predictions that rows hold: what any of them has a value for."""
    rows = list(rows)
    having = {column for column in columns.lists for row in rows if not _is_empty(row.get(column))}
    has_box = columns.box is not None and any(not _is_empty(row.get(columns.box[0])) for row in rows)
    if "keypoints" in having:
        return TaskType.KEYPOINT_DETECTION
    if "mask" in having:
        return TaskType.INSTANCE_SEGMENTATION if has_box else TaskType.SEMANTIC_SEGMENTATION
    return TaskType.OBJECT_DETECTION if has_box else TaskType.CLASSIFICATION


def decode_row(row: Row, number: int, columns: TableColumns, ids: Mapping[str, int]) -> ForeignObject:
    """Read a row; a box of shares stays one.

    Args:
        row: its cells: text, numbers or lists.
        number: of the row, from 1.
        columns: which are read.
        ids: of the categories by name, for tables that name them.

    Raises:
        ForeignError: when a cell is not what its column says.

    >>> columns = find_columns(["image", "label", "x1", "y1", "x2", "y2", "score"])
    >>> row = {"image": "a.jpg", "label": "car", "x1": "1", "y1": "2", "x2": "4", "y2": "6,5", "score": ""}
    >>> decode_row(row, 1, columns, {"car": 3}).bbox
    (1.0, 2.0, 3.0, 4.5)
    """
    lists = {column: _list(row.get(column), column) for column in columns.lists}
    runs = lists.get("mask")
    return ForeignObject(
        number=number,
        category_id=_category(row, columns, ids),
        bbox=None if columns.box is None else _box([row.get(side) for side in columns.box], columns.box),
        rows=None if runs is None else _mask(runs),
        keypoints=lists.get("keypoints"),
        score=None if columns.score is None else _number(row.get(columns.score), columns.score),
        probabilities=lists.get("probabilities"),
    )


def _mask(runs: tuple[float, ...]) -> RowMask:
    if any(run != run // 1 or abs(run) > MAX_RUN for run in runs):
        raise ForeignError("record-unreadable", "expected whole run lengths in `mask`")
    return RowMask(tuple(map(int, runs)), 0, 0)


def category_of(row: Row, column: str) -> int:
    """Return the category id of a row.

    Raises:
        ForeignError: when its cell is no whole number.
    """
    return whole_category(_number(row.get(column), column))


def _category(row: Row, columns: TableColumns, ids: Mapping[str, int]) -> int:
    if columns.category_id is not None:
        return category_of(row, columns.category_id)
    name = str(row.get(columns.name or "") or "")
    if name not in ids:
        raise ForeignError("category-name-unknown", f"expected a category that is named, got `{name}`")
    return ids[name]


def _box(cells: list[Any], names: tuple[str, ...]) -> Box | None:
    if all(map(_is_empty, cells)):
        return None
    sides = (
        _list(cells[0], names[0]) or ()
        if names == _BOX_LIST
        else [side for cell, name in zip(cells, names, strict=True) if (side := _number(cell, name)) is not None]
    )
    if len(sides) != len(_SIDES):
        raise ForeignError("record-unreadable", f"expected a box of 4 numbers, got {len(sides)}")
    x, y, w, h = sides
    return (x, y, w, h) if names in {_SIDES, _BOX_LIST} else (x, y, w - x, h - y)


def _number(cell: object, column: str) -> float | None:
    """Return a number; text may have a comma for its point, as spreadsheets of many countries write it."""
    if _is_empty(cell):
        return None
    try:
        value = float(str(cell).replace(",", ".") if isinstance(cell, str) else cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        value = float("nan")
    if not isfinite(value):
        raise ForeignError("record-unreadable", f"expected a number in `{column}`, got {str(cell)[:40]!r}")
    return value


def _list(cell: object, column: str) -> tuple[float, ...] | None:
    if _is_empty(cell):
        return None
    try:
        if isinstance(cell, str):
            return tuple(msgspec.json.decode(cell, type=list[float]))
        return tuple(msgspec.convert(cell, list[float], strict=False))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ForeignError("record-unreadable", f"expected a list of numbers in `{column}`: {error}") from None


def _is_empty(cell: object) -> bool:
    return cell is None or cell == ""
