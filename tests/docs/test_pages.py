from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from reading_docs import ROOT, headings, pages, text_of

if TYPE_CHECKING:
    from pathlib import Path

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def test_generated_parts_are_current() -> None:
    """What the code says of itself is what the pages say of it."""
    script = ROOT / "docs/generate.py"
    result = subprocess.run([sys.executable, script, "--check"], check=False, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("page", pages(), ids=str)
def test_relative_links_lead_somewhere(page: Path) -> None:
    """Every link within the project names a file that is there, and every anchor a heading on its page."""
    for target in _LINK.findall(text_of(page)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (ROOT / page).parent / path if path else ROOT / page
        assert found.exists(), target
        if anchor:
            assert anchor in headings(found), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    """No page of docs/ is an orphan."""
    seen: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in seen:
            continue
        seen.add(page)
        if page.is_dir():
            todo += page.glob("*.md")
        elif page.suffix == ".md":
            targets = (link.partition("#")[0] for link in _LINK.findall(page.read_text("utf-8")))
            todo += [(page.parent / link).resolve() for link in targets if link and "://" not in link]
    assert {ROOT / page for page in pages()} <= seen
