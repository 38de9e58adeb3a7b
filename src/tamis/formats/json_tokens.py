"""The tokens of JSON, and those of texts that only look like it; every pattern is linear (possessive)."""

from __future__ import annotations

import json
import re

from tamis.formats.json_nodes import shown

_WS = r"[ \t\n\r]*+"
_NUMBER = r"-?+(?>0|[1-9][0-9]*+)(?>\.[0-9]++)?+(?>[eE][+-]?+[0-9]++)?+"
_ANY = rf"""
      (?P<key>"(?>[^"\\\x00-\x1f]++|\\[^\x00-\x1f])*+"{_WS}:)
    | (?P<numbers>\[{_WS}{_NUMBER}(?>{_WS},{_WS}{_NUMBER})*+{_WS}\])
    | (?P<comma>,)
    | (?P<number>{_NUMBER}(?![\w.+-]))
    | (?P<open>[\[{{])
    | (?P<close>[\]}}])
    | (?P<string>"[^"\\\x00-\x1f]*+")
    | (?P<literal>(?>true|false|null)(?!\w))
    | (?P<escaped>"(?>[^"\\]++|\\.)*+")
    | (?P<unclosed>")
    | (?P<comment>//[^\n]*+|/\*(?>[^*]++|\*(?!/))*+\*/|\#[^\n]*+)
    | (?P<colon>:)
    | (?P<end>\Z)
    | (?P<single>'[^'\n]*+')
    | (?P<word>[^\s,:\[\]{{}}"']++|.)
"""
_NEXT_KEY = rf'(?P<next>,{_WS}"[^"\\\x00-\x1f]*+"{_WS}:)'

TOKEN = re.compile(rf"{_WS}(?>{_ANY})", re.VERBOSE | re.DOTALL)
"""Any one token, after white space; the name of its group says of which sort it is."""
TOKEN_AFTER_VALUE = re.compile(rf"{_WS}(?>{_NEXT_KEY}|{_ANY})", re.VERBOSE | re.DOTALL)
"""The same, but that a comma, a plain key and its colon are one token (`next`): half as many steps an object."""

_KEYS = re.compile(rf'(?P<open>{{)|(?P<close>}})|(?P<key>"(?>[^"\\]++|\\.)*+"){_WS}:|"(?>[^"\\]++|\\.)*+"')
"""What stands around and between the keys of a text that is right; strings that are no keys are passed."""

_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)|[\x00-\x1f]", re.DOTALL
)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


MAX_KEYS = 500_000


def repeats_key(text: str) -> bool:
    r"""Whether an object in a JSON text that is right has a key twice; also where there are too many to remember.

    >>> repeats_key('{"a": {"b": ":", "c": 1}, "b": 2}'), repeats_key('[{"a": 1, "\u0061": 2}]')
    (False, True)
    """
    objects: list[set[str]] = []
    n_keys = 0
    for match in _KEYS.finditer(text):
        sort = match.lastgroup
        if sort == "open":
            objects.append(set())
        elif sort == "close":
            n_keys -= len(objects.pop())
        elif sort == "key":
            key = match["key"]
            key = unescape(key)[0] if "\\" in key else key[1:-1]
            if key in objects[-1] or n_keys == MAX_KEYS:
                return True
            objects[-1].add(key)
            n_keys += 1
    return False


def read_number(written: str) -> int | float:
    """Return the number that a token spells; what overflows reads as infinity.

    >>> read_number("-3"), read_number("1.50"), read_number("1e999")
    (-3, 1.5, inf)
    """
    try:
        return int(written)
    except ValueError:  # a fraction, an exponent, or more digits than int() takes
        return float(written)


def unescape(raw: str) -> tuple[str, list[tuple[int, str]]]:
    r"""Return what a shown string says, and its faults (offset into `raw`, message), which read as U+FFFD.

    >>> unescape(r'"a\tb\q"')
    ('a\tb\ufffd', [(5, 'expected an escape that JSON has, got `\\q`')])
    """
    faults: list[tuple[int, str]] = []

    def replace(match: re.Match[str]) -> str:
        written = match[0]
        if written[0] != "\\":
            message = f"expected a string without control characters, got {shown(written)}"
        elif _SURROGATE.fullmatch(written):
            message = f"expected a pair of surrogates, got {shown(written)} alone"
        elif len(written) == 2 and written[1] not in '"\\/bfnrt':  # noqa: PLR2004 (an escape of one character)
            message = f"expected an escape that JSON has, got {shown(written)}"
        else:
            return str(json.loads(f'"{written}"'))
        faults.append((1 + match.start(), message))
        return "\ufffd"

    return _ESCAPE.sub(replace, raw[1:-1]), faults
