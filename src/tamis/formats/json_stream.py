"""JSON of any size, a piece at a time: the elements of long lists as values, whatever their number.

A document of gigabytes is a list of small objects, or an object that holds such lists. A piece of it is cut
after the last element that it holds whole, and decoded at once: `[` + piece + `]` is JSON only if the cut is
between two elements. Where that does not work (a token that JSON does not have, the end of the list), smaller
pieces are tried, and the elements of the smallest are told apart by their brackets and decoded one by one, so
that one bad element is one bad element.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

PIECE_BYTES = 1 << 20
LONGEST_VALUE_BYTES = 1 << 28

_BOM = b"\xef\xbb\xbf"
_SPACE = re.compile(rb"[ \t\r\n]*")
# A lone quote is a string whose end is not read yet.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|["\[\]{},]', re.DOTALL)
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SCALAR_END = re.compile(rb"[,\]} \t\r\n]")
_TRIED_CUTS = 3
_SLOW_BYTES = 1 << 16
_GAP_BYTES = 64  # white space between two elements, beyond which no cut is looked for
_SHOWN_BYTES = 60
_NO_VALUE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class JsonStreamError(ValueError):
    """The document cannot be read on from here; a clause that says where and why."""


class Unreadable(NamedTuple):
    """An element that is no value of the wanted type.

    Attributes:
        message: why, a clause.
        text: the element as it stands there.
    """

    message: str
    text: bytes

    @property
    def shown(self) -> str:
        """The start of the element, for a message."""
        return self.text[:_SHOWN_BYTES].decode("utf-8", "replace")


class Piece(NamedTuple, Generic[T]):
    """Some elements of a list, in their order.

    Attributes:
        first: index of the first of them in the list.
        values: the elements.
    """

    first: int
    values: list[T | Unreadable]


class JsonStream:
    r"""Reads one document from its start to its end.

    Args:
        read: returns up to so many bytes more of the document, none at its end.
        piece_bytes: how much is decoded at once.

    >>> import io
    >>> stream = JsonStream(io.BytesIO(b'{"info": {"year": 1}, "ids": [1, 2, "x"]}').read)
    >>> for key in stream.members():
    ...     if key == "ids":
    ...         print([piece.values for piece in stream.elements(int)])
    [[1, 2, Unreadable(message='expected `int`, got `str`', text=b'"x"')]]
    """

    def __init__(self, read: Callable[[int], bytes], piece_bytes: int = PIECE_BYTES) -> None:
        self._read = read
        self._piece_bytes = piece_bytes
        self._span = piece_bytes
        self._buffer = b""
        self._at = 0
        self._n_before = 0
        self._ended = False
        while len(self._buffer) < len(_BOM) and self._fill(max(piece_bytes, len(_BOM))):
            pass
        if self._buffer.startswith(_BOM):
            self._at = len(_BOM)

    @property
    def n_bytes(self) -> int:
        """How many bytes of the document were passed."""
        return self._n_before + self._at

    def peek(self) -> str:
        """Return the next character that is no white space, "" at the end."""
        while True:
            match = _SPACE.match(self._buffer, self._at)
            self._at = self._at if match is None else match.end()
            if self._at < len(self._buffer):
                return chr(self._buffer[self._at])
            if not self._fill(self._piece_bytes):
                return ""

    def members(self) -> Iterator[str]:
        """Yield the keys of an object; what the caller does not read of a value is passed over.

        Raises:
            JsonStreamError: when it is no object, or breaks off.
        """
        self._take("{")
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            key = self.value(str)
            self._take(":")
            self.peek()
            start = self.n_bytes
            yield key
            if self.n_bytes == start:
                self.skip()
            if self._take(",}") == "}":
                return

    def elements(self, kind: type[T]) -> Iterator[Piece[T]]:
        """Yield the elements of a list as values of a type that msgspec knows.

        Raises:
            JsonStreamError: when it is no list, or its end is not found; elements before that were yielded.
        """
        decoders = _Decoders(kind)
        self._take("[")
        if self.peek() == "]":
            self._at += 1
            return
        first = 0
        while True:
            values = self._many(decoders) or self._few(decoders)
            yield Piece(first, values)
            first += len(values)
            if self._take(",]") == "]":
                return
            self.peek()

    def value(self, kind: type[T]) -> T:
        """Read the next value whole.

        Raises:
            JsonStreamError: when it is no value of that type.
        """
        start = self.n_bytes
        try:
            return msgspec.json.decode(self._next_text(), type=kind)
        except _NO_VALUE as error:
            raise JsonStreamError(f"{_clause(error)} at byte {start:,}") from None

    def skip(self) -> None:
        """Pass over the next value; the elements of a list never stand in memory together.

        Raises:
            JsonStreamError: when its end is not found.
        """
        if self.peek() == "[":
            for _ in self.elements(msgspec.Raw):
                pass
        else:
            self._next_text()

    def _many(self, decoders: _Decoders[T]) -> list[T | Unreadable]:
        """Decode up to the last cut of a piece; return nothing where none of the last few is one.

        After a failure the next pieces are smaller: what broke it is soon told apart from the rest.
        """
        if len(self._buffer) - self._at < self._piece_bytes:
            self._fill(self._piece_bytes)
        while True:
            end = min(self._at + self._span, len(self._buffer))
            for _ in range(_TRIED_CUTS):
                end = self._cut_before(end)
                if end < 0:
                    break
                text = b"[" + self._buffer[self._at : end] + b"]"
                values = decoders.all_of(text)
                if values is not None:
                    self._at = end
                    self._span = min(2 * self._span, self._piece_bytes)
                    return values
            if self._span <= _SLOW_BYTES:
                return []
            self._span //= 2

    def _cut_before(self, end: int) -> int:
        """Return where the last object that is followed by another one ends, -1 where there is none."""
        while True:
            opening = self._buffer.rfind(b"{", self._at + 1, end)
            if opening < 0:
                return -1
            gap = self._buffer[max(self._at, opening - _GAP_BYTES) : opening].rstrip()
            if gap.endswith(b",") and gap[:-1].rstrip().endswith(b"}"):
                return self._buffer.rindex(b"}", self._at, opening) + 1
            end = opening

    def _few(self, decoders: _Decoders[T]) -> list[T | Unreadable]:
        """Tell elements apart by their brackets: those that the buffer holds whole, at least one."""
        while True:
            ends = self._ends(self._buffer, self._at)
            if ends:
                break
            if not self._grow():
                raise JsonStreamError(f"the text ends within an element at byte {self.n_bytes:,}")
        values: list[T | Unreadable] = []
        for end in ends:
            values.append(decoders.one(self._buffer[self._at : end]))
            self._at = end if end == ends[-1] else end + 1
        return values

    @staticmethod
    def _ends(buffer: bytes, start: int) -> list[int]:
        """Return where the next values end: before a `,` or a closing bracket."""
        depth, ends = 0, []
        for token in _TOKEN.finditer(buffer, start):
            byte = token.group()
            if byte in {b"{", b"["}:
                depth += 1
            elif byte in {b"}", b"]"} and depth:
                depth -= 1
            elif byte == b'"':
                break  # its end is not read yet
            elif depth == 0 and len(byte) == 1:
                ends.append(token.start())
                if byte != b"," or token.start() - start > _SLOW_BYTES:
                    break
        return ends

    def _next_text(self) -> bytes:
        """Return the text of the next value and pass over it."""
        kind = self.peek()
        while True:
            end = self._value_end(kind)
            if end >= 0:
                break
            if not self._grow():
                raise JsonStreamError(f"the text ends within a value at byte {self.n_bytes:,}")
        text = self._buffer[self._at : end]
        self._at = end
        return text

    def _value_end(self, kind: str) -> int:
        if kind == '"':
            match = _STRING.match(self._buffer, self._at)
            return -1 if match is None else match.end()
        if kind not in {"{", "["}:
            match = _SCALAR_END.search(self._buffer, self._at)
            return match.start() if match else (len(self._buffer) if self._ended else -1)
        depth = 0
        for token in _TOKEN.finditer(self._buffer, self._at):
            byte = token.group()
            depth += (byte in {b"{", b"["}) - (byte in {b"}", b"]"})
            if depth == 0:
                return token.end()
            if byte == b'"':
                break
        return -1

    def _take(self, expected: str) -> str:
        found = self.peek()
        if not found or found not in expected:
            wanted = " or ".join(f"`{character}`" for character in expected)
            got = f"`{found}`" if found else "the end of the text"
            raise JsonStreamError(f"expected {wanted}, got {got} at byte {self.n_bytes:,}")
        self._at += 1
        return found

    def _grow(self) -> bool:
        """Read as much again as is held; `False` at the end."""
        held = len(self._buffer) - self._at
        if held > LONGEST_VALUE_BYTES:
            raise JsonStreamError(f"expected values of less than {LONGEST_VALUE_BYTES:,} bytes")
        return self._fill(max(held, self._piece_bytes))

    def _fill(self, n_bytes: int) -> bool:
        data = b"" if self._ended else self._read(n_bytes)
        self._ended = not data
        if data:
            self._n_before += self._at
            self._buffer = self._buffer[self._at :] + data
            self._at = 0
        return bool(data)


class _Decoders(Generic[T]):
    """Decodes elements of one type, together or one by one."""

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._list: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]
        self._raw = msgspec.json.Decoder(list[msgspec.Raw])
        self._one: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)

    def all_of(self, text: bytes) -> list[T | Unreadable] | None:
        """Return the elements of a list, `None` where the text is no JSON."""
        try:
            values: list[T | Unreadable] = self._list.decode(text)
        except _NO_VALUE:
            try:
                return [self.one(bytes(raw)) for raw in self._raw.decode(text)]
            except _NO_VALUE:
                return None
        return values

    def one(self, text: bytes) -> T | Unreadable:
        try:
            return self._one.decode(text)
        except _NO_VALUE as error:
            return Unreadable(_clause(error), text.strip())


def _clause(error: Exception) -> str:
    text = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    return text[:1].lower() + text[1:]
