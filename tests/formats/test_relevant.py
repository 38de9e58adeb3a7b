from __future__ import annotations

import random
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.formats.relevant import RelevantFilenames, decode_relevant
from tamis.model import CODES

if TYPE_CHECKING:
    from pathlib import Path

FILE = ".lightly/relevant_filenames.txt"
KEYS = [
    "image_1.png",
    "subdir/image_2.png",
    "subdir/image_3.png",
    "subdir/image_40.png",
    "subdir/image_41.png",
    "subdir/deep/image_5.jpg",
    "subdirs/image_6.png",
    "two words.png",
    "#1.png",
    "a?/x.png",
    "ab/x.png",
]
names = st.text("ab.# -é", min_size=1, max_size=6).filter(lambda name: name.strip() == name)
keys = st.lists(names.filter(lambda name: name not in {".", ".."}), min_size=1, max_size=3).map("/".join)


def decode(text: str) -> RelevantFilenames:
    relevant, problems = decode_relevant(text.encode(), file=FILE)
    assert problems == []
    return relevant


def relevant_keys(text: str) -> list[str]:
    relevant = decode(text)
    return [key for key in KEYS if relevant.matches(key)]


@given(st.lists(keys, max_size=6), st.lists(keys, max_size=6), st.sampled_from(["\n", "\r\n", " \n\n\t"]))
def test_plain_lines_are_a_set(listed: list[str], others: list[str], newline: str) -> None:
    """Without a `*`, exactly the keys that are written are relevant, whatever ends the lines."""
    relevant = decode(newline.join(listed))
    for key in listed + others:
        assert relevant.matches(key) == (key in listed)


@given(st.lists(keys, max_size=4), st.lists(keys, max_size=4), st.lists(keys, max_size=9))
def test_prefixes_are_prefixes(paths: list[str], prefixes: list[str], candidates: list[str]) -> None:
    """A prefix with a `*` names every key that starts with it, as a plain `startswith` would."""
    relevant = decode("\n".join(paths + [prefix + "*" for prefix in prefixes]))
    for key in candidates + [prefix + "/b" for prefix in prefixes]:
        assert relevant.matches(key) == (key in paths or any(map(key.startswith, prefixes)))


@given(st.lists(keys | keys.map(lambda key: key + "*"), max_size=6, unique=True), st.lists(keys, max_size=6))
def test_unmatched_lines_are_those_that_add_nothing(lines: list[str], samples: list[str]) -> None:
    """A line is reported exactly where, alone, it would name no sample."""
    problems = list(decode("\n".join(lines)).unmatched(samples))
    expected = {
        number
        for number, line in enumerate(lines, start=1)
        if not any(decode(line).matches(key) for key in samples)
    }
    assert {problem.line for problem in problems} == expected
    assert len(problems) == len(expected)


@pytest.mark.skipif(shutil.which("git") is None, reason="git, the reference of its own patterns, is not here")
@pytest.mark.parametrize("with_negation", [False, True])
def test_patterns_leave_out_what_git_ignores(*, with_negation: bool, tmp_path: Path) -> None:
    """The patterns of a line leave out exactly what git ignores for the same patterns.

    With `!`, patterns match files only: git, which does not walk into an ignored folder, cannot take back
    what is in it; pathspec can where the folder was matched without a slash at its end.
    """
    rng = random.Random(7)  # noqa: S311 (no secret)
    parts = ["a", "b", "ab", "a1", "b*", "*", "**", "?", "[ab]", "*1"]
    ends = ["c.png", "*.png", "[cd].png", "?.*"] + ([] if with_negation else parts)
    folders = ["a", "b", "ab", "a1"]
    samples = [f"{x}/{y}/{z}" for x in folders for y in folders for z in ("a", "c.png", "1.png")]
    samples += [f"{x}/{z}" for x in folders for z in ("c.png", "b1")]
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for _ in range(25):
        patterns = [
            rng.choice(["", "", "/", "!" if with_negation else ""])
            + "/".join([*rng.choices(parts, k=rng.choice([0, 0, 1, 2])), rng.choice(ends)])
            for _ in range(rng.choice([1, 2, 3]))
        ]
        (tmp_path / ".gitignore").write_text("\n".join(patterns) + "\n")
        command = ["git", "-C", str(tmp_path), "check-ignore", "--no-index", "--stdin"]
        result = subprocess.run(command, input="\n".join(samples), capture_output=True, text=True, check=False)
        relevant = decode(f"* {' '.join(patterns)}")
        left_out = {key for key in samples if not relevant.matches(key)}
        assert left_out == set(result.stdout.split()), patterns


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("*", KEYS),
        ("image_1.png\nsubdir/*", [KEYS[0], *KEYS[1:6]]),
        ("subdir*", KEYS[1:7]),
        ("subdir/**", KEYS[1:6]),
        ("subdir/* subdir/image_4* !subdir/image_41.png", [*KEYS[1:3], *KEYS[4:6]]),
        ("subdir/* *.png", [KEYS[5]]),
        ("subdir/* deep/", KEYS[1:5]),
        ("subdir/* *.png\nsubdir/image_2.png", [KEYS[1], KEYS[5]]),
        ("subdir/*.png", KEYS[1:5]),
        ("subdir/**/*.jpg", [KEYS[5]]),
        ("subdir/*.png !*", KEYS[1:5]),
        ("two words.png\n#1.png", ["two words.png", "#1.png"]),
        ("two w*", ["two words.png"]),
        ("a?/*", ["a?/x.png"]),
        ("a?/*.png", ["a?/x.png"]),
        ("subdir", []),
        ("\ufeffimage_1.png", ["image_1.png"]),
    ],
)
def test_lines(text: str, expected: list[str]) -> None:
    """What each kind of line names."""
    assert relevant_keys(text) == expected


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("/a.png", "relevant-path", "expected a path relative to the input datasource, got `/a.png`"),
        ("./a.png", "relevant-path", "expected a path without `./` and `../`, got `./a.png`"),
        ("a/../b.png", "relevant-path", "expected a path without `./` and `../`, got `a/../b.png`"),
        ("..", "relevant-path", "expected a path without `./` and `../`, got `..`"),
        ("../* *.png", "relevant-path", "expected a path without `./` and `../`, got `../* *.png`"),
        ("a\\b.png", "relevant-path", "expected `/` between folders, got `a\\b.png`"),
        ("/" + "long" * 20, "relevant-path", "expected a path relative to the input datasource, got `/"
         + "long" * 9 + "...`"),
        ("/\a", "relevant-path", "expected a path relative to the input datasource, got `/\\x07`"),
        ("a/* !", "relevant-pattern", "expected patterns as in a `.gitignore`, got `a/* !`"),
        ("a/* [z-a].png", "relevant-pattern", "expected patterns as in a `.gitignore`, got `a/* [z-a].png`"),
    ],
)  # fmt: skip
def test_lines_that_cannot_be_read(line: str, code: str, message: str) -> None:
    """A bad line is a problem with its number, and the lines around it hold."""
    relevant, problems = decode_relevant(f"\nx.png\n{line}\ny/*\n".encode(), file=FILE)
    assert [(p.code, p.message, p.file, p.line, p.column, p.path) for p in problems] == [
        (code, message, FILE, 3, 1, None)
    ]
    assert (relevant.matches("x.png"), relevant.matches("y/z.png")) == (True, True)
    assert not relevant.matches("a/b.png")


def test_bytes_that_are_not_text() -> None:
    """A line that is not UTF-8 is a problem of its own."""
    relevant, problems = decode_relevant(b"a.png\nb\xff.png\nc.png", file=FILE)
    assert [(p.code, p.message, p.line) for p in problems] == [
        ("relevant-path", "expected UTF-8 text, got the byte `0xff`", 2)
    ]
    assert relevant.matches("c.png")


@given(st.binary(max_size=60) | st.text(r"ab/*?![]-\.# ^" + "\n", max_size=40).map(str.encode))
def test_any_bytes_are_read(data: bytes) -> None:
    """No bytes are refused as a whole, and each problem names a line that is there."""
    relevant, problems = decode_relevant(data, file=FILE)
    relevant.matches("a")
    for problem in [*problems, *relevant.unmatched(["a"])]:
        assert problem.line is not None
        assert 1 <= problem.line <= data.count(b"\n") + 1


def test_lines_that_name_nothing() -> None:
    """Lines that name no sample are warnings with their number, paths first."""
    relevant = decode("x/*\nimage_1.png\nmissing.png\nsubdir/* *.png *.jpg")
    problems = list(relevant.unmatched(KEYS))
    assert [(p.code, p.line, p.message) for p in problems] == [
        (
            "relevant-missing",
            3,
            "expected the path of an image or video, got `missing.png`, which is not there",
        ),
        ("relevant-missing", 1, "expected a pattern that matches an image or video, got `x/*`"),
        (
            "relevant-missing",
            4,
            "expected a pattern that matches an image or video, got `subdir/* *.png *.jpg`",
        ),
    ]


def test_codes_are_documented() -> None:
    """Every code that is used here is in the table of codes."""
    assert CODES.keys() >= {"relevant-path", "relevant-pattern", "relevant-missing"}
