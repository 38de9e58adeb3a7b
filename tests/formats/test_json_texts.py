from __future__ import annotations

import pytest

from tamis.formats.json_source import parse
from tamis.model import CODES

CASES: list[tuple[bytes, list[str]]] = [
    (b"", ["json-empty None 1:1 expected a JSON value, got an empty file"]),
    (b" \n\t", ["json-empty None 2:2 expected a JSON value, got an empty file"]),
    (
        b"\xef\xbb\xbf{}",
        ["json-bom None 1:1 expected the JSON to start at the first byte, got a byte order mark"],
    ),
    (b"\xff\xfe{\x00}\x00", ["json-encoding None 1:1 expected UTF-8, got UTF-16"]),
    (b'{"a":\n "caf\xe9"}', ["json-encoding None 2:6 expected UTF-8, got the byte `0xe9`"]),
    (
        '{"é": [1, 2'.encode(),
        ['json-truncated $["é"] 1:12 expected `]`, got the end of the file'],
    ),
    (b'{"a": 1, "b', ['json-truncated $ 1:10 expected `"` at the end of the string, got the end of the file']),
    (b'{"a": "b', ['json-truncated $.a 1:7 expected `"` at the end of the string, got the end of the file']),
    (b'{"a"', ["json-truncated $ 1:5 expected `:` after the key, got the end of the file"]),
    (b'{"a": ', ["json-truncated $.a 1:7 expected a value, got the end of the file"]),
    (b"[1,", ["json-truncated $ 1:4 expected `]`, got the end of the file"]),
    (b'{"a": [1, 2,]}', ["json-trailing-comma $.a 1:12 expected another entry after the comma, got `]`"]),
    (b'{"a": 1,}', ["json-trailing-comma $ 1:8 expected another entry after the comma, got `}`"]),
    (b'{"a": 1}\n{"a": 2}', ["json-trailing-text None 2:1 expected the end of the file, got `{`"]),
    (b"[1]]", ["json-trailing-text None 1:4 expected the end of the file, got `]`"]),
    (
        b'["a\\qb", "\x01", "\\ud83d!"]',
        [
            "json-string $[0] 1:4 expected an escape that JSON has, got `\\q`",
            "json-string $[1] 1:11 expected a string without control characters, got `\\x01`",
            "json-string $[2] 1:16 expected a pair of surrogates, got `\\ud83d` alone",
        ],
    ),
    (
        b"[01, .5, 1., +1, 0x1F, 1_000, -]",
        [
            "json-number $[0] 1:2 expected a number as JSON spells it, got `01`",
            "json-number $[1] 1:6 expected a number as JSON spells it, got `.5`",
            "json-number $[2] 1:10 expected a number as JSON spells it, got `1.`",
            "json-number $[3] 1:14 expected a number as JSON spells it, got `+1`",
            "json-number $[4] 1:18 expected a number as JSON spells it, got `0x1F`",
            "json-number $[5] 1:24 expected a number as JSON spells it, got `1_000`",
            "json-number $[6] 1:31 expected a number as JSON spells it, got `-`",
        ],
    ),
    (
        b'{"a": [NaN, -Infinity], "b": inf}',
        [
            "number-not-finite $.a[0] 1:8 expected a finite number, got `NaN`",
            "number-not-finite $.a[1] 1:13 expected a finite number, got `-Infinity`",
            "number-not-finite $.b 1:30 expected a finite number, got `inf`",
        ],
    ),
    (b"[" * 66, ["json-depth $" + "[0]" * 64 + " 1:65 expected at most 64 nested lists and objects, got more"]),
    (
        b"{'a': 'b', c: None}",
        [
            "json-syntax $ 1:2 expected a key in double quotes, got `'a'`",
            "json-syntax $.a 1:7 expected a string in double quotes, got `'b'`",
            "json-syntax $ 1:12 expected a key in double quotes, got `c`",
            "json-syntax $.c 1:15 expected a value, got `None`",
        ],
    ),
    (b'{"a" 1}', ["json-syntax $ 1:6 expected `:` after the key, got `1`"]),
    (b'{"a": 1 "b": 2}', ['json-syntax $ 1:9 expected `,` or `}`, got `"b":`']),
    (b"[1 2]", ["json-syntax $ 1:4 expected `,` or `]`, got `2`"]),
    (b"[1,,2]", ["json-syntax $[1] 1:4 expected a value, got `,`"]),
    (b'{"a": [1}', ["json-syntax $.a 1:9 expected `]`, got `}`"]),
    (b'{"a": 1]}', ["json-syntax $ 1:8 expected `}`, got `]`"]),
    (b'{{"b": 1}}', ["json-syntax $ 1:2 expected a key in double quotes, got `{`"]),
    (
        b'// classes\n{"a": 1} # end',
        [
            "json-syntax None 1:1 expected JSON, which has no comments, got `// classes`",
            "json-syntax None 2:10 expected JSON, which has no comments, got `# end`",
        ],
    ),
    (b"<html></html>", ["json-syntax $ 1:1 expected a value, got `<html></html>`"]),
    (b"\0\0\0", ["json-syntax $ 1:1 expected a value, got `\\x00\\x00\\x00`"]),
]


@pytest.mark.parametrize(("data", "expected"), CASES, ids=[repr(data)[:40] for data, _ in CASES])
def test_every_fault_of_a_text_is_said_with_its_place(data: bytes, expected: list[str]) -> None:
    """Code, JSON path, line, column and message of every fault of a text are exactly these."""
    problems = parse(data, file="f").problems
    assert [f"{p.code} {p.path} {p.line}:{p.column} {p.message}" for p in problems] == expected


def test_every_code_of_the_json_reader_is_in_the_table() -> None:
    """Each `json-` code but the one about duplicates has its text in the table above."""
    in_table = {line.split()[0] for _, lines in CASES for line in lines}
    known = {code for code in CODES if code.startswith("json-")} - {"json-duplicate-key"}
    assert known - in_table == set()
