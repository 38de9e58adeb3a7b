"""The pictures of docs/page.md, drawn on demand: `make pictures`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

from browsing import NARROW, at, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FOLDER = os.environ.get("TAMIS_PICTURES")
pytestmark = pytest.mark.skipif(not FOLDER, reason="pictures are drawn by `make pictures`")

UNCERTAIN = "score:street-objects:uncertainty_entropy"
DETECTIONS = {"tasks": ["street-objects"]}
WIDE_VIEWS = {
    "overview": "/",
    "grid": at("/grid", sort=UNCERTAIN, descending="1", **DETECTIONS),
    "sample": at("/sample", key="north gate/frame 0026.jpg", tasks=["street-objects", "background"], layout="side"),
    "objects": at("/objects", task="street-objects"),
    "embedding": "/embedding",
    "problems": "/problems",
    "select": "/select",
    "sql": at(
        "/sql", query='SELECT sample, n_predictions FROM "street-objects".sample_scores ORDER BY 2 DESC LIMIT 9'
    ),
}
NARROW_VIEWS = ("grid",)


def _save(name: str, picture: bytes) -> None:
    path = Path(str(FOLDER)) / f"page-{name}.png"
    path.write_bytes(picture)
    with Image.open(path) as image:
        small = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


@pytest.mark.parametrize("view", WIDE_VIEWS)
def test_draw_wide(browser: Browser, demo_address: str, view: str) -> None:
    """Each view on a desk, light."""
    with opened(browser, demo_address, viewport={"width": 1200, "height": 720}) as page:
        page.goto(WIDE_VIEWS[view])
        expect(page.locator("h1")).to_be_visible()
        if view == "embedding":
            expect(page.locator(".plot")).to_be_visible()
        page.wait_for_timeout(1500)
        _save(view, page.screenshot())


@pytest.mark.parametrize("view", NARROW_VIEWS)
def test_draw_narrow(browser: Browser, demo_address: str, view: str) -> None:
    """The grid on a telephone, dark."""
    with opened(browser, demo_address, viewport=NARROW, dark=True) as page:
        page.goto(WIDE_VIEWS[view])
        expect(page.locator("h1")).to_be_visible()
        page.wait_for_timeout(1500)
        _save(f"{view}-narrow", page.screenshot())


def test_draw_a_selection(browser: Browser, demo_address: str) -> None:
    """A selection that has run: picks with their reasons, then how they are spread."""
    with opened(browser, demo_address, viewport={"width": 1200, "height": 720}) as page:
        page.goto("/select")
        page.get_by_role("button", name="Select", exact=True).click()
        expect(page.locator(".curves").first).to_be_visible()
        page.locator(".picks-head").evaluate("head => head.scrollIntoView()")
        page.wait_for_timeout(1500)
        _save("picks", page.screenshot())
        page.locator("section[aria-label=Distributions]").evaluate("part => part.scrollIntoView()")
        page.wait_for_timeout(500)
        _save("distributions", page.screenshot())


def test_draw_duplicates(browser: Browser, demo_address: str) -> None:
    """Pairs side by side; last, as other views would use the embeddings that this makes."""
    with opened(browser, demo_address, viewport={"width": 1200, "height": 720}) as page:
        page.goto(at("/duplicates", distance="0.2", size="s"))
        page.get_by_role("button", name="Look for duplicates").click()
        expect(page.locator(".duplicate .card").first).to_be_visible()
        page.mouse.move(0, 0)
        page.wait_for_timeout(1500)
        _save("duplicates", page.screenshot())
