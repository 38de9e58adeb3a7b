"""The page's JavaScript: its types, its libraries, and the colours that it shares with the report."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tamis.api.report.overlays import CATEGORY_COLOURS

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tools/page"
STATIC = ROOT / "src/tamis/web/static"
MODULES = TOOLS / "node_modules"
needs_npm = pytest.mark.skipif(
    not (MODULES / "typescript").is_dir() or shutil.which("node") is None,
    reason="the page's tools are not installed: `make page-tools` (needs npm)",
)


@needs_npm
def test_types_are_right() -> None:
    """The JSDoc types of every module hold, strictly."""
    done = subprocess.run(
        ["npx", "--no-install", "tsc", "-p", "."], cwd=TOOLS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@needs_npm
def test_libraries_are_what_npm_gives_for_the_pinned_versions() -> None:
    """Each copied file is the library's own, but for the pointer to its source map."""
    pairs = re.findall(r'"([\w.-]+\.js)": "([^"]+)"', (TOOLS / "vendor.py").read_text())
    assert len(pairs) == 5
    for name, path in pairs:
        lines = (MODULES / path).read_text().splitlines()
        own = [line for line in lines if not line.startswith("//# sourceMappingURL")]
        assert (STATIC / "vendor" / name).read_text().split() == "\n".join(own).split()


def test_pinned_versions_are_the_copied_ones() -> None:
    """What `package.json` pins is what `versions.json` beside the copies names, and each has its licence."""
    pinned = json.loads((TOOLS / "package.json").read_text())["dependencies"]
    copied = json.loads((STATIC / "vendor/versions.json").read_text())
    assert pinned.items() <= copied.items()
    assert {path.stem for path in (STATIC / "vendor").glob("*.LICENSE")} == {"preact", "signals", "htm"}


def test_categories_have_the_reports_colours() -> None:
    """A category has the same colour in the page and in the report."""
    text = (STATIC / "app/colours.js").read_text()
    listed = text[text.index("CATEGORY_COLOURS = [") : text.index("];")]
    assert tuple(re.findall(r"#[0-9a-f]{6}", listed)) == CATEGORY_COLOURS


def test_nothing_needs_what_a_strict_policy_forbids() -> None:
    """No inline script or style, no markup made of text, no code made of text, no address outside the page."""
    page = (STATIC / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*src=)([^>]*)>", page) == [' type="importmap"']
    assert " style=" not in page
    for module in (STATIC / "app").rglob("*.js"):
        text = module.read_text()
        found = re.findall(r'innerHTML|dangerouslySetInnerHTML|\beval\(|new Function|https?://|style="', text)
        assert found == [], module.name
