"""The slow reader of JSON: every value with its line and column, every fault and not the first alone.

The fast readers decode into types and stop at the first fault; this one says all that is wrong with a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.formats.json_nodes import Kind, Node, parse_path, shown
from tamis.formats.json_parser import Parser
from tamis.model import Problem

if TYPE_CHECKING:
    from tamis.formats.json_parser import Fault

__all__ = ["MAX_FILE_BYTES", "Kind", "Node", "Source", "locate", "parse", "shown"]

MAX_FILE_BYTES = 64 * 2**20
"""Larger files are refused. Whoever reads them need not read more than one byte more."""

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_STRIDE = 1 << 14


class Source:
    """A JSON text read as far as it goes.

    Attributes:
        file: key of the file, for its problems.
        task: name of the task, for its problems.
        root: the outermost value, `None` where none could be read.
        problems: what is not JSON in it, in the order of the text.
        duplicates: keys given twice in one object; the last one is the one that counts.
    """

    def __init__(self, data: bytes, *, file: str, task: str | None) -> None:
        self.file = file
        self.task = task
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self.duplicates: list[Problem] = []
        self._lines: _Lines | None = None
        self._text = self._decode(data)
        if self._text is not None:
            parser = Parser(self._text)
            parser.run()
            self.root = parser.root
            self.problems += [self._fault(fault) for fault in parser.faults]
            self.duplicates += [self._duplicate(node) for node in parser.repeated]

    @property
    def is_readable(self) -> bool:
        """Whether the text is JSON, but for numbers that are not finite: `root` then holds all that it says."""
        return all(problem.code == "number-not-finite" for problem in self.problems)

    def problem(self, place: Node | str | None, code: str, message: str, *, hint: str | None = None) -> Problem:
        """Return a problem at a value or JSON path; `None` is the file as a whole."""
        if isinstance(place, str):
            node = self.find(place)
            return self._at(None if node is None else node.start, place, code, message, hint)
        if place is None:
            return self._at(None, None, code, message, hint)
        return self._at(place.start, place.path, code, message, hint)

    def find(self, path: str) -> Node | None:
        """Return the value at a JSON path, `None` where there is none."""
        steps = parse_path(path)
        node = None if steps is None else self.root
        for step in steps or []:
            if node is None:
                break
            node = node.get(step) if isinstance(step, str) else node.item(step)
        return node

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column (from 1, the column in characters) of an offset in characters."""
        if offset == 0:
            return 1, 1
        if self._lines is None:
            self._lines = _Lines(self._text or "")
        return self._lines.position(offset)

    def _decode(self, data: bytes) -> str | None:
        if len(data) > MAX_FILE_BYTES:
            message = f"expected at most {MAX_FILE_BYTES} bytes, got more"
            self.problems.append(self.problem(None, "file-too-large", message))
            return None
        if data.startswith(_UTF16_BOMS):
            self.problems.append(self._at(0, None, "json-encoding", "expected UTF-8, got UTF-16"))
            return None
        if data.startswith(_UTF8_BOM):
            message = "expected the JSON to start at the first byte, got a byte order mark"
            self.problems.append(self._at(0, None, "json-bom", message))
            data = data.removeprefix(_UTF8_BOM)
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            text = data.decode(errors="replace")
            before = data[: error.start].decode()
            self._lines = _Lines(text)
            message = f"expected UTF-8, got the byte `0x{data[error.start]:02x}`"
            self.problems.append(self._at(len(before), None, "json-encoding", message))
            return text

    def _at(
        self, offset: int | None, path: str | None, code: str, message: str, hint: str | None = None
    ) -> Problem:
        line, column = (None, None) if offset is None else self.position(offset)
        return Problem(
            code=code,
            message=message,
            task=self.task,
            file=self.file,
            path=path,
            line=line,
            column=column,
            hint=hint,
        )

    def _fault(self, fault: Fault) -> Problem:
        path = None if fault.node is None else fault.node.path
        return self._at(fault.at, path, fault.code, fault.message)

    def _duplicate(self, node: Node) -> Problem:
        key = node.trail[1] if node.trail else ""
        message = f"expected each key once, got {shown(str(key))} again"
        return self.problem(node, "json-duplicate-key", message)


class _Lines:
    """Finds the line of an offset from counts at every so many characters: a list of all lines may be huge."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._before = [0]
        self._last = [-1]
        for start in range(0, len(text), _STRIDE):
            end = start + _STRIDE
            self._before.append(self._before[-1] + text.count("\n", start, end))
            self._last.append(max(text.rfind("\n", start, end), self._last[-1]))

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column, from 1."""
        i = offset // _STRIDE
        line = self._before[i] + self._text.count("\n", i * _STRIDE, offset)
        newline = max(self._text.rfind("\n", i * _STRIDE, offset), self._last[i])
        return line + 1, offset - newline


def parse(data: bytes, *, file: str, task: str | None = None) -> Source:
    r"""Read a JSON file that may be broken in any way.

    >>> source = parse(b'{"a": [1, NaN],\n "b": }', file="x.json")
    >>> [(p.code, p.path, p.line, p.column) for p in source.problems]
    [('number-not-finite', '$.a[1]', 1, 11), ('json-syntax', '$.b', 2, 7)]
    """
    return Source(data, file=file, task=task)


def locate(data: bytes, json_path: str) -> tuple[int, int] | None:
    r"""Return line and column (from 1, in characters) of the value at a JSON path, `None` where it has none.

    >>> locate(b'{"predictions":\n [{"score": 2}]}', "$.predictions[0].score")
    (2, 13)
    """
    source = parse(data, file="")
    node = source.find(json_path)
    return None if node is None else source.position(node.start)
