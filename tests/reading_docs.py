"""Reading the documentation: its pages, headings and blocks of code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block: its language, its text, and the last line above it that is not empty."""

    language: str
    text: str
    above: str


def pages() -> list[Path]:
    """All pages, relative to the project."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(page.relative_to(ROOT) for page in found)


def text_of(page: Path | str) -> str:
    """The text of a page given relative to the project."""
    return (ROOT / page).read_text("utf-8")


def blocks(page: Path | str, language: str) -> list[Block]:
    """The fenced blocks of one language on a page, in order."""
    text = text_of(page)
    return [
        Block(match[1], match[2], text[: match.start()].rstrip().rpartition("\n")[2])
        for match in _BLOCK.finditer(text)
        if match[1] == language
    ]


def headings(path: Path) -> set[str]:
    """The anchors of a page's headings, as Markdown viewers make them."""
    text = _BLOCK.sub("", path.read_text("utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def table_under(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head, code marks removed."""
    section = re.split(rf"^#+ {re.escape(heading)}$", text_of(page), maxsplit=1, flags=re.MULTILINE)[1]
    rows: list[list[str]] = []
    for line in section.splitlines():
        if line.startswith("|"):
            rows.append([cell.strip().replace("`", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif rows:
            break
    return rows[2:]
