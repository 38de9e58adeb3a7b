"""A JSON parser that goes on after a fault, so that one look at a file lists all of them.

It keeps an explicit stack (no recursion), reads lists of numbers in one step, and takes time linear in the text.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from tamis.formats.json_nodes import Kind, Node, Trail, shown
from tamis.formats.json_tokens import TOKEN, TOKEN_AFTER_VALUE, read_number, unescape

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH = 64
MAX_SYNTAX_FAULTS = 100
MAX_VALUES = 500_000
"""So many values are read of a text, a list of numbers being one: each takes some hundred bytes of memory."""

_read_json = json.JSONDecoder().raw_decode
_NOT_FINITE = re.compile(r"[-+]?(?:nan|inf|infinity)", re.IGNORECASE)
_LITERALS = {"true": (Kind.BOOLEAN, True), "false": (Kind.BOOLEAN, False), "null": (Kind.NULL, None)}
_CLOSERS = {Kind.LIST: "]", Kind.OBJECT: "}"}
_KEY_SORTS = frozenset({"string", "escaped", "word", "single", "literal", "number"})


class Fault(NamedTuple):
    """What the parser found wrong.

    Attributes:
        code: a key of `tamis.model.CODES`.
        message: what was expected and what stands there.
        node: the value that it concerns, or the list or object in which it stands; `None`: the text as a whole.
        at: where, in characters from the start of the text.
    """

    code: str
    message: str
    node: Node | None
    at: int


class Parser:
    """Reads one text; after `run`, its attributes are final.

    Attributes:
        root: the outermost value, `None` where there is none.
        faults: everything that is not JSON, in the order of the text, one a place.
        repeated: the values that replaced an earlier one of the same key.
    """

    def __init__(self, text: str) -> None:
        self.root: Node | None = None
        self.faults: list[Fault] = []
        self.repeated: list[Node] = []
        self._text = text
        self._stack: list[Node] = []
        self._sort = ""  # of the token at hand: the name of its group in TOKEN
        self._start = 0
        self._end = 0
        self._stopped = False
        self._n_syntax_faults = 0
        self._n_values = 0

    def run(self) -> None:
        """Read the whole text."""
        self._advance()
        if self._sort == "end":
            self._fault("json-empty", "expected a JSON value, got an empty file")
            return
        self.root = self._read_value(None)
        is_fresh = self._is_open(self.root)
        while self._stack and not self._stopped:
            is_fresh = self._step(is_fresh=is_fresh)
        if self._stopped:
            for node in self._stack:
                node.broken = True
        elif self._sort != "end":
            if self._sort == "next":
                self._split_next()
            self._fault("json-trailing-text", f"expected the end of the file, got {self._shown()}")

    def _advance(self, pattern: re.Pattern[str] = TOKEN) -> None:
        """Go to the next token; comments are reported and passed."""
        match = pattern.match(self._text, self._end)
        while match and match.lastgroup == "comment":
            self._start, self._end = match.span("comment")
            self._fault("json-syntax", f"expected JSON, which has no comments, got {self._shown()}")
            match = pattern.match(self._text, self._end)
        if match is None:  # pragma: no cover (the last alternative takes any character)
            raise AssertionError(self._end)
        self._sort = str(match.lastgroup)
        self._start, self._end = match.span(match.lastindex or 0)

    def _step(self, *, is_fresh: bool) -> bool:
        """Read one entry of the innermost container, or its end; return whether it opened a new container."""
        container = self._stack[-1]
        if not is_fresh and not self._separate(container):
            return False
        if self._sort == "close":
            self._close(container)
            return False
        if self._sort == "end":
            self._truncated(container)
            return False
        is_object = container.kind is Kind.OBJECT
        node = self._read_member(container) if is_object else self._read_entry(container)
        return node is not None and self._is_open(node)

    def _separate(self, container: Node) -> bool:
        """Pass the comma between two entries; false where the container ends instead."""
        if self._sort == "next":
            if container.kind is Kind.OBJECT:
                self._sort, self._start = "key", self._text.index('"', self._start)
                return True
            self._split_next()
        if self._sort == "comma":
            comma = self._start
            self._advance()
            if self._sort != "close":
                return True
            message = f"expected another entry after the comma, got {self._shown()}"
            self._fault("json-trailing-comma", message, container, at=comma)
        if self._sort == "close":
            self._close(container)
            return False
        if self._sort == "end":
            self._truncated(container)
            return False
        closer = _CLOSERS[container.kind]
        self._fault("json-syntax", f"expected `,` or `{closer}`, got {self._shown()}", container)
        return True

    def _split_next(self) -> None:
        """Take the comma alone of a token that holds a key, too."""
        self._sort, self._end = "comma", self._start + 1

    def _close(self, container: Node) -> None:
        """Pass a closing bracket: of this container, of one around it, or of none."""
        written = self._text[self._start]
        closer = _CLOSERS[container.kind]
        if written == closer:
            container.end = self._end
            self._stack.pop()
        else:
            self._fault("json-syntax", f"expected `{closer}`, got `{written}`", container)
            if any(_CLOSERS[node.kind] == written for node in self._stack):
                while _CLOSERS[self._stack[-1].kind] != written:
                    self._stack.pop().end = self._start
                self._stack.pop().end = self._end
        self._advance(TOKEN_AFTER_VALUE)

    def _truncated(self, container: Node) -> None:
        closer = _CLOSERS[container.kind]
        self._fault("json-truncated", f"expected `{closer}`, got the end of the file", container)
        self._stopped = True

    def _read_member(self, container: Node) -> Node | None:
        key = self._read_key(container)
        if key is None:
            return None
        members = container.content
        is_repeated = key in members
        node = self._read_value((container.trail, key))
        members[key] = node
        if is_repeated:
            self.repeated.append(node)
        return node

    def _read_key(self, container: Node) -> str | None:
        """Read a key and its colon; `None` where there is none, after passing what stands there instead."""
        if self._sort == "key":
            end = self._text.rindex('"', self._start, self._end) + 1
            key = self._text[self._start + 1 : end - 1]
            if "\\" in key:
                key = self._unescape(end, container)
            self._advance()
            return key
        if self._sort in _KEY_SORTS:
            return self._read_odd_key(container)
        if self._sort == "unclosed":
            self._unclosed(container)
            return None
        self._fault("json-syntax", f"expected a key in double quotes, got {self._shown()}", container)
        self._skip_value()
        return None

    def _read_odd_key(self, container: Node) -> str:
        """Read what was meant as a key: without quotes, in single quotes, without its colon."""
        if self._sort in {"string", "escaped"}:
            key = self._unescape(self._end, container)
        else:
            key = self._text[self._start : self._end].strip("'")
            self._fault("json-syntax", f"expected a key in double quotes, got {self._shown()}", container)
        self._advance()
        if self._sort == "colon":
            self._advance()
        else:
            code = "json-truncated" if self._sort == "end" else "json-syntax"
            self._fault(code, f"expected `:` after the key, got {self._shown()}", container)
        return key

    def _read_entry(self, container: Node) -> Node | None:
        items = container.content
        node = self._read_value((container.trail, len(items)))
        items.append(node)
        return node

    def _skip_value(self) -> None:
        """Pass what cannot be a key: an opening bracket with all that it holds, or one token."""
        depth = 0
        while True:
            depth += {"open": 1, "close": -1}.get(self._sort, 0)
            self._advance()
            if depth <= 0 or self._sort == "end":
                return

    def _is_open(self, node: Node) -> bool:
        return bool(self._stack) and self._stack[-1] is node

    def _read_value(self, trail: Trail) -> Node:
        self._n_values += 1
        if self._n_values > MAX_VALUES:
            return self._read_no_more(trail)
        return self._READERS[self._sort](self, trail)

    def _read_no_more(self, trail: Trail) -> Node:
        node = Node(Kind.BAD, self._text, self._start, self._start, trail)
        message = f"expected at most {MAX_VALUES:,} values in a file that is searched for faults, got more"
        self._fault("file-too-large", message, node)
        self._stopped = True
        return node

    def _node(self, kind: Kind, content: object, trail: Trail) -> Node:
        """Make a node of the token at hand and pass it."""
        node = Node(kind, self._text, self._start, self._end, trail)
        node.content = content
        self._advance(TOKEN_AFTER_VALUE)
        return node

    def _read_numbers(self, trail: Trail) -> Node:
        if len(self._stack) >= MAX_DEPTH:
            return self._read_open(trail)
        try:
            numbers, _ = _read_json(self._text, self._start)
        except ValueError:  # an integer of more digits than int() takes
            written = self._text[self._start : self._end]
            numbers = [read_number(token) for token in written[1:-1].split(",")]
        return self._node(Kind.LIST, numbers, trail)

    def _read_number(self, trail: Trail) -> Node:
        return self._node(Kind.NUMBER, read_number(self._text[self._start : self._end]), trail)

    def _read_string(self, trail: Trail) -> Node:
        return self._node(Kind.STRING, self._text[self._start + 1 : self._end - 1], trail)

    def _read_literal(self, trail: Trail) -> Node:
        kind, value = _LITERALS[self._text[self._start : self._end]]
        return self._node(kind, value, trail)

    def _read_open(self, trail: Trail) -> Node:
        is_list = self._text[self._start] == "["
        node = Node(Kind.LIST if is_list else Kind.OBJECT, self._text, self._start, len(self._text), trail)
        node.content = [] if is_list else {}
        if len(self._stack) >= MAX_DEPTH:
            self._fault("json-depth", f"expected at most {MAX_DEPTH} nested lists and objects, got more", node)
            self._stopped = True
            return node
        self._stack.append(node)
        self._advance()
        return node

    def _read_escaped(self, trail: Trail) -> Node:
        node = Node(Kind.STRING, self._text, self._start, self._end, trail)
        node.content = self._unescape(self._end, node)
        self._advance()
        return node

    def _unescape(self, end: int, node: Node) -> str:
        """Return what the string from the token's start to `end` says; faults in it read as U+FFFD."""
        text, faults = unescape(self._text[self._start : end])
        for offset, message in faults:
            self._fault("json-string", message, node, at=self._start + offset)
        return text

    def _read_unclosed(self, trail: Trail) -> Node:
        node = Node(Kind.BAD, self._text, self._start, len(self._text), trail)
        self._unclosed(node)
        return node

    def _unclosed(self, node: Node) -> None:
        message = 'expected `"` at the end of the string, got the end of the file'
        self._fault("json-truncated", message, node)
        self._end = len(self._text)
        self._stopped = True

    def _read_word(self, trail: Trail) -> Node:
        """Read what looks like a number or a word but is neither of JSON's."""
        written = self._text[self._start : self._end]
        node = Node(Kind.BAD, self._text, self._start, self._end, trail)
        if _NOT_FINITE.fullmatch(written):
            self._fault("number-not-finite", f"expected a finite number, got {shown(written)}", node)
        elif written[0] in "+-.0123456789":
            self._fault("json-number", f"expected a number as JSON spells it, got {shown(written)}", node)
        elif self._sort == "single":
            self._fault("json-syntax", f"expected a string in double quotes, got {shown(written)}", node)
        else:
            self._fault("json-syntax", f"expected a value, got {shown(written)}", node)
        self._advance()
        return node

    def _read_nothing(self, trail: Trail) -> Node:
        """Stand in for a value that is not there; brackets, commas and the end are left to their container."""
        node = Node(Kind.BAD, self._text, self._start, self._start, trail)
        if self._sort == "end":
            self._fault("json-truncated", "expected a value, got the end of the file", node)
            self._stopped = True
            return node
        self._fault("json-syntax", f"expected a value, got {self._shown()}", node)
        if self._sort in {"colon", "key"} or not self._stack:
            self._advance()
        return node

    def _shown(self) -> str:
        if self._sort == "end":
            return "the end of the file"
        end = self._end if self._sort != "numbers" else self._start + 1
        return shown(self._text[self._start : end])

    def _fault(self, code: str, message: str, node: Node | None = None, *, at: int | None = None) -> None:
        """Note a fault, but for one at the place of the last: what follows from it says nothing new."""
        at = self._start if at is None else at
        if code in {"json-syntax", "json-truncated"}:
            for broken in (node, *self._stack[-1:]):
                if broken is not None:
                    broken.broken = True
        if self.faults and self.faults[-1].at == at:
            return
        self._n_syntax_faults += code != "number-not-finite"
        if self._n_syntax_faults > MAX_SYNTAX_FAULTS:
            message = f"expected JSON, got more than {MAX_SYNTAX_FAULTS} faults; the rest was not read"
            code, self._stopped = "json-syntax", True
        self.faults.append(Fault(code, message, node, at))

    _READERS: ClassVar[dict[str, Callable[[Parser, Trail], Node]]] = {
        "numbers": _read_numbers,
        "number": _read_number,
        "string": _read_string,
        "open": _read_open,
        "literal": _read_literal,
        "escaped": _read_escaped,
        "unclosed": _read_unclosed,
        "word": _read_word,
        "single": _read_word,
        "key": _read_nothing,
        "colon": _read_nothing,
        "comma": _read_nothing,
        "close": _read_nothing,
        "end": _read_nothing,
    }
