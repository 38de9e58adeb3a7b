"""Files of keys, one a line, as `selected.txt` holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tamis.errors import DatasourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def read_keys(path: Path) -> list[str]:
    """Read a file of sample keys, see `parse_keys`.

    Raises:
        DatasourceError: when the file cannot be read.
        UsageError: when it is no such text.
    """
    try:
        return parse_keys(path.read_bytes(), name=str(path))
    except OSError as error:
        raise DatasourceError(f"`{path}` cannot be read: {error.strerror}") from None


def parse_keys(data: bytes, *, name: str) -> list[str]:
    r"""Read sample keys as `selected.txt` holds them: one a line, blank lines skipped.

    Args:
        data: the text in UTF-8, with or without a byte order mark.
        name: what errors call it.

    Raises:
        UsageError: when it is no text, or a line that starts with a quote is no JSON string.

    >>> parse_keys(b'a.jpg\r\n\n"line\\nbreak.jpg"\n', name="keys.txt")
    ['a.jpg', 'line\nbreak.jpg']
    """
    try:
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise UsageError(f"`{name}` is no text: expected one sample key a line in UTF-8") from None
    return [_key_of(line.removesuffix("\r"), name) for line in lines if line.strip()]


def _key_of(line: str, name: str) -> str:
    if not line.startswith('"'):
        return line
    try:
        return msgspec.json.decode(line, type=str)
    except msgspec.MsgspecError as error:
        raise UsageError(f"`{name}`: `{line}` starts with a quote but is no JSON string: {error}") from None


def line_of(key: str) -> str:
    """Return a key as one line: as it is, or as a JSON string if it holds a line break or starts with a quote."""
    if key.startswith('"') or len(key.splitlines()) != 1:
        return msgspec.json.encode(key).decode()
    return key


def encode_keys(keys: Iterable[str]) -> bytes:
    r"""Return what `parse_keys` reads.

    >>> encode_keys(["a.jpg", "line\nbreak.jpg"])
    b'a.jpg\n"line\\nbreak.jpg"\n'
    """
    return "".join(f"{line_of(key)}\n" for key in keys).encode()
