"""Reads the fields of one prediction from JSON nodes and reports each that has the wrong type or length."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, ClassVar

from tamis.formats.findings import more_like_it
from tamis.formats.json_source import Kind, Node, Source
from tamis.formats.wire import MAX_CATEGORY_ID, MAX_RUN, Box

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tamis.model import Problem

FieldValue = int | float | tuple[float, ...]

_BOX_LENGTH = 4
_INTEGER_HINT = "Write an integer: `int(...)`; `1.0` and `true` are none in JSON"
_STRING_HINT = "Numbers are written without quotes"
_RLE_HINT = (
    "This is COCO run-length encoding, which counts down the columns. The format counts along the rows: convert "
    "with `tamis.formats.coco_rle.from_coco`"
)
_POLYGON_HINT = (
    "This is a polygon: draw it into an array of the image's size and encode that with `tamis.masks.encode`"
)
_BOX_HINT = "Write `[x, y, width, height]`"


class FieldReader:
    """Reads fields of one file; every method returns `None` where it reported why it could not."""

    def __init__(self, source: Source) -> None:
        self.problems: list[Problem] = []
        self._source = source

    def read(self, field: str, node: Node) -> FieldValue | None:
        """Return the value of a field of that name."""
        return self._READERS[field](self, node)

    def report(self, node: Node, code: str, message: str, *, hint: str | None = None) -> None:
        """Add a problem at a node, unless the parser reported that node already."""
        if node.kind is not Kind.BAD:
            self.problems.append(self._source.problem(node, code, message, hint=hint))

    def wrong_type(self, node: Node, expected: str, *, more: int = 0, hint: str | None = None) -> None:
        """Report a value of the wrong type, and how many more of its list have the same fault."""
        if hint is None and node.kind is Kind.STRING and "number" in expected:
            hint = _STRING_HINT
        self.report(node, "wrong-type", f"expected {expected}, got {node.shown}{more_like_it(more)}", hint=hint)

    def _category_id(self, node: Node) -> int | None:
        value = node.value
        if node.kind is not Kind.NUMBER or not isinstance(value, int):
            self.wrong_type(node, "an integer", hint=_INTEGER_HINT)
            return None
        if not -MAX_CATEGORY_ID - 1 <= value <= MAX_CATEGORY_ID:
            self.wrong_type(node, "an integer of at most 64 bits")
            return None
        return value

    def _number(self, node: Node) -> float | None:
        if node.kind is not Kind.NUMBER:
            self.wrong_type(node, "a number")
            return None
        value = _to_float(node.value)
        if value is None:
            self._not_finite(node, 0)
        return value

    def _not_finite(self, node: Node, more: int) -> None:
        message = f"expected a number that fits a float, got {node.shown}{more_like_it(more)}"
        self.report(node, "number-not-finite", message)

    def _numbers(self, node: Node) -> tuple[float, ...] | None:
        if node.kind is not Kind.LIST:
            self.wrong_type(node, "a list of numbers")
            return None
        numbers = node.numbers
        if numbers is not None:
            values = _to_floats(numbers)
            if values is None:
                self._not_finite(*_first(node, (_to_float(number) is None for number in numbers)))
            return values
        wrong = [item for item in node.items if item.kind not in {Kind.NUMBER, Kind.BAD}]
        if wrong:
            self.wrong_type(wrong[0], "a number", more=len(wrong) - 1)
        large = [item for item in node.items if item.kind is Kind.NUMBER and _to_float(item.value) is None]
        if large:
            self._not_finite(large[0], len(large) - 1)
        return None

    def _box(self, node: Node) -> Box | None:
        if node.kind is not Kind.LIST:
            self.wrong_type(node, "a list of 4 numbers", hint=_BOX_HINT)
            return None
        n = len(node.items) if node.numbers is None else len(node.numbers)
        if n != _BOX_LENGTH and not node.broken:
            self.report(node, "bbox-length", f"expected 4 numbers `[x, y, width, height]`, got {n}")
            return None
        values = self._numbers(node)
        if values is None or len(values) != _BOX_LENGTH:
            return None
        x, y, width, height = values
        return x, y, width, height

    def _runs(self, node: Node) -> tuple[int, ...] | None:
        if node.kind is not Kind.LIST:
            hint = _RLE_HINT if node.kind in {Kind.OBJECT, Kind.STRING} else None
            self.wrong_type(node, "a list of run lengths", hint=hint)
            return None
        if node.numbers is not None:
            if all(map(_is_run, node.numbers)):
                return tuple(run for run in node.numbers if isinstance(run, int))
            self._wrong_run(*_first(node, (not _is_run(number) for number in node.numbers)))
            return None
        wrong = [
            item
            for item in node.items
            if item.kind is not Kind.BAD and (item.kind is not Kind.NUMBER or not _is_run(item.value))
        ]
        if wrong:
            self._wrong_run(wrong[0], len(wrong) - 1)
        return None

    def _wrong_run(self, first: Node, more: int) -> None:
        if first.kind is Kind.LIST:
            self.wrong_type(first, "a run length", more=more, hint=_POLYGON_HINT)
        elif isinstance(first.value, int) and not isinstance(first.value, bool):
            self.wrong_type(first, "a run length of fewer pixels than any image has", more=more)
        else:
            self.wrong_type(first, "a run length, an integer", more=more, hint=_INTEGER_HINT)

    # Of the class and not of each reader: bound methods would tie every diagnosed file into a cycle.
    _READERS: ClassVar[dict[str, Callable[[FieldReader, Node], FieldValue | None]]] = {
        "category_id": _category_id,
        "score": _number,
        "bbox": _box,
        "segmentation": _runs,
        "keypoints": _numbers,
        "probabilities": _numbers,
    }


def _first(node: Node, wrong: Iterable[bool]) -> tuple[Node, int]:
    """Return the first wrong entry of a list of numbers, and how many more there are; one is there."""
    first, n_wrong = 0, 0
    for i, is_wrong in enumerate(wrong):
        if is_wrong:
            first, n_wrong = (first, n_wrong + 1) if n_wrong else (i, 1)
    return node.item(first) or node, n_wrong - 1


def _to_float(value: object) -> float | None:
    """Return a JSON number as a finite float, `None` where no float can hold it."""
    if not isinstance(value, int | float):
        return None
    try:
        as_float = float(value)
    except OverflowError:
        return None
    return as_float if isfinite(as_float) else None


def _to_floats(numbers: list[int | float]) -> tuple[float, ...] | None:
    """Return JSON numbers as finite floats, `None` where no float can hold one of them."""
    try:
        values = tuple(map(float, numbers))
    except OverflowError:
        return None
    return values if all(map(isfinite, values)) else None


def _is_run(value: object) -> bool:
    return isinstance(value, int) and -MAX_RUN <= value <= MAX_RUN
