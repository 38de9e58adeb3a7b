"""Values of a JSON text that know where they stand: what the slow reader hands to whoever checks them."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NUMBER_TOKEN = re.compile(r"[-0-9][-+.0-9eE]*")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATH_STEP = re.compile(
    r'\.(?P<name>[A-Za-z_][A-Za-z0-9_]*)|\[(?P<index>[0-9]{1,18})\]|\[(?P<key>"(?:[^"\\]|\\.)*")\]'
)
_SHOWN_CHARS = 40

Trail = tuple[Any, str | int] | None
"""How a value is reached: the trail of what holds it, and its key or index there; `None` is the root."""


class Kind(StrEnum):
    """What a value is; the text is how messages call it."""

    OBJECT = "an object"
    LIST = "a list"
    STRING = "a string"
    NUMBER = "a number"
    BOOLEAN = "a boolean"
    NULL = "null"
    BAD = "an unreadable value"


class Node:
    """One value and its place in the text. Made by the parser, only read by everybody else.

    A node knows its trail and not its parent: no reference cycles, so files are freed where collection is off.

    Attributes:
        kind: what it is. `BAD` stands where no value could be read: that fault has been reported already.
        start: where it begins, in characters from the start of the text.
        end: where it ends, exclusive.
        trail: how it is reached.
        content: as the parser left it; `members`, `items`, `numbers` and `value` say what it is.
        broken: the parser reported a fault directly in this list or object, so that an entry that seems to be
            missing may be one that it could not read.
    """

    __slots__ = ("_text", "broken", "content", "end", "kind", "start", "trail")

    def __init__(self, kind: Kind, text: str, start: int, end: int, trail: Trail) -> None:
        self.kind = kind
        self.start = start
        self.end = end
        self.trail = trail
        self.broken = False
        self.content: Any = None
        self._text = text

    @property
    def members(self) -> dict[str, Node]:
        """The members of an object (of a key given twice, the last), nothing for any other kind."""
        return self.content if self.kind is Kind.OBJECT else {}

    @property
    def items(self) -> list[Node]:
        """The entries of a list, nothing for any other kind."""
        if self.kind is not Kind.LIST:
            return []
        items: list[Node] = self.content if self.numbers is None else list(self._number_nodes())
        return items

    @property
    def numbers(self) -> list[int | float] | None:
        """The entries of a list of numbers (what overflows reads as infinity), `None` for any other value."""
        if self.kind is not Kind.LIST or (self.content and isinstance(self.content[0], Node)):
            return None
        numbers: list[int | float] = self.content
        return numbers

    @property
    def value(self) -> str | int | float | bool | None:
        """The value of a string, number or boolean; `None` for any other kind."""
        return None if self.kind in _CONTAINERS else self.content

    @property
    def path(self) -> str:
        """Its JSON path, like `$.predictions[3].bbox[2]`."""
        steps: list[str | int] = []
        trail = self.trail
        while trail is not None:
            trail, step = trail
            steps.append(step)
        return spell_path(steps[::-1])

    @property
    def shown(self) -> str:
        """How a message calls it: `a list of 3`, `an object`, `the string ...`, or its shortened source."""
        if self.kind is Kind.LIST:
            return f"a list of {len(self.content)}"
        if self.kind is Kind.OBJECT:
            return "an object"
        written = shown(self._text[self.start : self.end])
        return f"the string {written}" if self.kind is Kind.STRING else written

    def get(self, key: str) -> Node | None:
        """Return the member of that name, `None` where there is none."""
        return self.members.get(key)

    def item(self, index: int) -> Node | None:
        """Return an entry of a list, `None` where there is none."""
        if self.numbers is None:
            return next(iter(self.items[index : index + 1]), None)
        return next(islice(self._number_nodes(), index, None), None)

    def plain(self) -> Any:  # noqa: ANN401 (a JSON value of any kind)
        """Return it as `json.loads` would; what could not be read is `None`."""
        if self.kind is Kind.OBJECT:
            return {key: node.plain() for key, node in self.members.items()}
        if self.kind is Kind.LIST:
            return [node.plain() for node in self.content] if self.numbers is None else list(self.content)
        return self.content

    def _number_nodes(self) -> Iterator[Node]:
        # Of a list without values the text may still hold what could not be read.
        tokens = _NUMBER_TOKEN.finditer(self._text, self.start, self.end if self.content else self.start)
        for i, (token, number) in enumerate(zip(tokens, self.content, strict=True)):
            node = Node(Kind.NUMBER, self._text, token.start(), token.end(), (self.trail, i))
            node.content = number
            yield node


_CONTAINERS = frozenset({Kind.OBJECT, Kind.LIST})


def shown(text: str) -> str:
    r"""Put a piece of the data into backticks for a message: shortened, everything unprintable escaped.

    >>> shown("a" * 50)
    '`aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...`'
    >>> shown("tab\t")
    '`tab\\t`'
    """
    cut = text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 3] + "..."
    return "`" + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut) + "`"


def spell_path(steps: Sequence[str | int]) -> str:
    """Spell a JSON path from keys and indices.

    >>> spell_path(["predictions", 3, "odd key"])
    '$.predictions[3]["odd key"]'
    """
    return "$" + "".join(_spell_step(step) for step in steps)


def _spell_step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if _IDENTIFIER.fullmatch(step):
        return f".{step}"
    return f"[{json.dumps(step, ensure_ascii=not step.isprintable())}]"


def parse_path(path: str) -> list[str | int] | None:
    """Take a JSON path apart: the inverse of `spell_path`; `None` where it is not one.

    >>> parse_path('$.predictions[3]["odd key"]')
    ['predictions', 3, 'odd key']
    """
    if not path.startswith("$"):
        return None
    steps: list[str | int] = []
    at = 1
    while at < len(path):
        match = _PATH_STEP.match(path, at)
        if match is None:
            return None
        steps.append(_step(match))
        at = match.end()
    return steps


def _step(match: re.Match[str]) -> str | int:
    if match["index"]:
        return int(match["index"])
    if match["name"]:
        return match["name"]
    try:
        return str(json.loads(match["key"]))
    except ValueError:  # an escape that JSON does not have: spelled by nobody, found nowhere
        return match["key"]
