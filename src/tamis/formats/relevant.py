"""The relevant-filenames file: a text inside `.lightly/` that narrows the samples.

Each line is one of:

- **a path**, when it holds no `*`: `subdir/image_2.png`, spaces in names included.
- **a prefix**, ended by the first `*`: `subdir/*` is every sample whose key starts with `subdir/`, at any
  depth, and `subdir/im*` every one that starts with `subdir/im`.
- **a prefix and patterns**: `subdir/* subdir/image_4* !subdir/image_41.png` takes the samples of the prefix
  and, as a `.gitignore` in the datasource's root would, leaves out what the patterns match; `!` takes back.

Where more than blanks follows the `*` within its word (`subdir/*.png`), the whole word must match, by the
same rules (`*` stays within a folder, `**` does not). A line never takes away what another line names. Blanks
around a line, empty lines and a byte order mark are nothing; there are no comments, as `#1.png` is a name.
Videos are named by their own path, not by their frames'.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tamis.formats.json_nodes import shown
from tamis.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pathspec import GitIgnoreSpec

_BOM = b"\xef\xbb\xbf"
_BLANKS = " \t\r"
_BLANK = re.compile(r"[ \t]+")
_WILDCARD = re.compile(r"[?\[\]!#]")
_DOTS = re.compile(r"(?:^|/)\.{1,2}/")


@dataclass(frozen=True, slots=True, eq=False)
class PrefixRule:
    """A line with a `*`.

    Attributes:
        prefix: what every matching key starts with; "" is all of them.
        whole: what the key must match besides, `None` where the prefix says all.
        left_out: what is left out again, `None` where nothing is.
        line: 1-based.
        text: the line as written.
    """

    prefix: str
    whole: GitIgnoreSpec | None
    left_out: GitIgnoreSpec | None
    line: int
    text: str

    def matches(self, key: str) -> bool:
        """Say whether the line names a sample."""
        return (
            key.startswith(self.prefix)
            and (self.whole is None or self.whole.match_file(key))
            and (self.left_out is None or not self.left_out.match_file(key))
        )


class RelevantFilenames:
    """Which samples are relevant.

    Args:
        file: key of the file in the lightly datasource.
        paths: line number of each plain path.
        rules: the other lines.
    """

    def __init__(self, file: str, paths: dict[str, int], rules: list[PrefixRule]) -> None:
        self._file = file
        self._paths = paths
        self._rules: dict[str, list[PrefixRule]] = {}
        for rule in rules:
            self._rules.setdefault(rule.prefix, []).append(rule)
        self._prefix_lengths = sorted({len(prefix) for prefix in self._rules})

    def matches(self, key: str) -> bool:
        """Say whether a sample is relevant; ask for a video's frames by the video's key."""
        return key in self._paths or any(rule.matches(key) for rule in self._rules_for(key))

    def unmatched(self, keys: Iterable[str]) -> Iterator[Problem]:
        """Yield a problem for each line that names no sample: first the paths, then the patterns.

        Args:
            keys: all samples (videos, not frames) of the input datasource, in one pass.
        """
        paths = dict(self._paths)
        rules = {rule.line: rule for rules in self._rules.values() for rule in rules}
        for key in keys:
            paths.pop(key, None)
            if rules:
                for rule in self._rules_for(key):
                    if rule.line in rules and rule.matches(key):
                        del rules[rule.line]
        for path, line in paths.items():
            message = f"expected the path of an image or video, got {shown(path)}, which is not there"
            yield _problem("relevant-missing", self._file, line, message)
        for rule in rules.values():
            message = f"expected a pattern that matches an image or video, got {shown(rule.text)}"
            yield _problem("relevant-missing", self._file, rule.line, message)

    def _rules_for(self, key: str) -> Iterator[PrefixRule]:
        """Yield the rules whose prefix the key has: thousands of prefixes cost no more than a few."""
        for length in self._prefix_lengths:
            yield from self._rules.get(key[:length], ())


def decode_relevant(data: bytes, *, file: str) -> tuple[RelevantFilenames, list[Problem]]:
    r"""Read a relevant-filenames file; a line that cannot be read is a problem and names nothing.

    >>> relevant, _ = decode_relevant(b"a.png\nsub/* sub/4* !sub/42.png\n", file="relevant.txt")
    >>> [relevant.matches(key) for key in ("a.png", "b.png", "sub/3.png", "sub/41.png", "sub/42.png")]
    [True, False, True, False, True]
    """
    paths: dict[str, int] = {}
    rules: list[PrefixRule] = []
    problems: list[Problem] = []
    for line, raw in enumerate(data.removeprefix(_BOM).split(b"\n"), start=1):
        try:
            text = raw.decode().strip(_BLANKS)
        except UnicodeDecodeError as error:
            message = f"expected UTF-8 text, got the byte `0x{raw[error.start]:02x}`"
            problems.append(_problem("relevant-path", file, line, message))
            continue
        if _is_plain(text):
            if text:
                paths.setdefault(text, line)
            continue
        prefix, star, _ = text.partition("*")
        if fault := _path_fault(prefix if star else f"{text}/"):
            problems.append(_problem("relevant-path", file, line, f"{fault}, got {shown(text)}"))
        elif not star:
            paths.setdefault(text, line)
        else:
            try:
                rules.append(_rule(prefix, text, line))
            except (ValueError, re.error):  # a range like `[z-a]` is refused by `re` only
                message = f"expected patterns as in a `.gitignore`, got {shown(text)}"
                problems.append(_problem("relevant-pattern", file, line, message))
    return RelevantFilenames(file, paths, rules), problems


def _is_plain(text: str) -> bool:
    """Whether a line is surely a path or empty; the few others may be more, or less."""
    return not ("*" in text or "\\" in text or "/." in text or text.startswith(("/", ".")))


def _rule(prefix: str, text: str, line: int) -> PrefixRule:
    """Return the rule of a line with a `*`.

    Raises:
        ValueError: when a pattern is none.
        re.error: the same.
    """
    word, *patterns = _BLANK.split(text[len(prefix) :])
    whole = None
    if word.strip("*"):
        literal = _WILDCARD.sub(r"\\\g<0>", prefix)  # only what follows the first `*` is a pattern
        whole = _gitignore([f"/{literal}{word}"])
    return PrefixRule(prefix, whole, _gitignore(patterns) if patterns else None, line, text)


def _gitignore(patterns: list[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 (few datasources have patterns; every worker would load it)

    with warnings.catch_warnings():
        # pathspec hands `[` within a range on to `re`, which foretells another meaning in later Pythons.
        warnings.simplefilter("ignore", FutureWarning)
        return GitIgnoreSpec.from_lines(patterns)


def _path_fault(path: str) -> str | None:
    """Say what a path or the part before the first `*` should have been; `None` where it is fine."""
    if path.startswith("/"):
        return "expected a path relative to the input datasource"
    if "\\" in path:
        return "expected `/` between folders"
    if _DOTS.search(path):
        return "expected a path without `./` and `../`"
    return None


def _problem(code: str, file: str, line: int, message: str) -> Problem:
    return Problem(code=code, message=message, file=file, line=line, column=1)
