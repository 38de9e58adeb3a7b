"""No view has a serious fault that axe knows, in light and in dark."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from browsing import NARROW, at, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AXE = Path(__file__).parents[2] / "tools/page/node_modules/axe-core/axe.min.js"
VIEWS = {
    "overview": "/",
    "grid": at("/grid", filter=[{"type": "path", "text": "harbour"}]),
    "sample": at("/sample", key="駅前/写真-0075.jpg", object="0:weather"),
    "objects": "/objects",
    "embedding": "/embedding",
    "duplicates": "/duplicates",
    "problems": at("/problems", open="category-unknown:street-objects"),
    "select": "/select",
    "sql": at("/sql", query="SELECT * FROM samples LIMIT 3"),
}


def _faults(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    found = page.evaluate("async () => (await axe.run()).violations")
    grave = [one for one in found if one["impact"] in {"serious", "critical"}]
    return [f"{one['id']}: {node['html'][:200]}" for one in grave for node in one["nodes"]]


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: `make page-tools` (needs npm)")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_no_serious_fault(browser: Browser, demo_address: str, view: str, *, dark: bool) -> None:
    """Names, roles, contrast and focus are as axe-core's rules of serious and critical impact want them."""
    with opened(browser, demo_address, dark=dark) as page:
        page.goto(VIEWS[view])
        expect(page.locator("h1")).to_be_visible()
        page.wait_for_timeout(700)
        assert _faults(page) == []
        page.set_viewport_size(NARROW)
        page.wait_for_timeout(300)
        assert _faults(page) == []


def test_every_view_is_reached_by_two_keys(page: Page) -> None:
    """`g` and a letter go to each view; `?` lists the keys and Escape closes the list."""
    page.goto("/")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    for key, name in zip(
        "gbedpsqo",
        ["Grid", "Objects", "Embedding", "Duplicates", "Problems", "Select", "SQL", "Overview"],
        strict=True,
    ):
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(name))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_visible()


@pytest.mark.parametrize("view", VIEWS)
def test_the_content_is_one_key_away(page: Page, view: str) -> None:
    """The first Tab offers to skip the rail, in each view; an address with an object starts at that object."""
    page.goto(VIEWS[view].partition("&object=")[0])
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()


def test_a_short_window_shows_where_one_is(browser: Browser, demo_address: str) -> None:
    """The rail is scrolled to the view that is open, and back."""
    with opened(browser, demo_address, viewport={"width": 1280, "height": 260}) as page:
        page.goto("/sql")
        views = page.get_by_role("navigation", name="Views")
        expect(views.get_by_role("link", name="SQL")).to_be_in_viewport(ratio=0.9)
        page.keyboard.press("g")
        page.keyboard.press("o")
        expect(views.get_by_role("link", name="Overview")).to_be_in_viewport(ratio=0.9)
        expect(views.get_by_role("link", name="SQL")).not_to_be_in_viewport(ratio=0.9)
