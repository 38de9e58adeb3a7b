"""What somebody waits for in a real Chromium on a million samples: the grid to its end, a million points."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urljoin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_PATIENCE_MS = 600_000
_STEPS = 60
# Collects when frames were shown, from now on.
_WATCH = """() => {
    const times = window.frameTimes = [];
    const next = (time) => { if (window.frameTimes === times) { times.push(time); requestAnimationFrame(next); } };
    requestAnimationFrame(next);
}"""
_WATCHED = "() => { const times = window.frameTimes; window.frameTimes = null; return times; }"


@contextmanager
def window() -> Iterator[Page]:
    """Open a window of 1400 x 900."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (only where a browser is measured)

    arguments = ["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(_PATIENCE_MS)
        yield page
        browser.close()


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def first_card(page: Page, port: int) -> None:
    """Open the grid of a server, and wait for its first sample."""
    page.goto(f"http://127.0.0.1:{port}/grid")
    page.locator(".virtual-cell a").first.wait_for()


def scroll_to_end(page: Page) -> None:
    """Throw the scroll bar to its end, and wait for the last sample."""
    scroller = page.locator(".virtual")
    scroller.evaluate("element => { element.scrollTop = element.scrollHeight; }")
    total = int(page.locator(".virtual-cell").first.get_attribute("aria-setsize") or 0)
    page.locator(f'[data-index="{total - 1}"] a').wait_for()


def scroll_frames(page: Page) -> list[float]:
    """Return the seconds between frames while the wheel turns through the grid."""
    page.locator(".virtual").hover()
    page.evaluate(_WATCH)
    for _ in range(_STEPS):
        page.mouse.wheel(0, 400)
    return _intervals(page)


def lay_out(page: Page) -> None:
    """Have the points made, and wait until they are drawn."""
    page.goto(urljoin(page.url, "/embedding"))
    make = page.get_by_role("button", name="Lay out")
    drawn = page.locator(".plot canvas")
    make.or_(drawn).first.wait_for()
    if make.count():
        make.click()
    drawn.wait_for()


def draw_points(page: Page) -> None:
    """Open the plot and wait for its colours."""
    page.goto(urljoin(page.url, "/embedding"))
    page.locator(".plot-legend .ramp, .plot-legend ul").first.wait_for()


def pan(page: Page) -> list[float]:
    """Return the seconds between frames while the plot is dragged about."""
    page.get_by_role("button", name="Move", exact=True).click()
    x, y, width, height = _box(page)
    page.mouse.move(x + width / 2, y + height / 2)
    page.mouse.down()
    page.evaluate(_WATCH)
    for i in range(_STEPS):
        page.mouse.move(x + width / 2 + 4 * (i % 20), y + height / 2 + 3 * (i % 15))
    page.mouse.up()
    return _intervals(page)


def zoom(page: Page) -> list[float]:
    """Return the seconds between frames while the wheel zooms in and out."""
    x, y, width, height = _box(page)
    page.mouse.move(x + width / 2, y + height / 2)
    page.evaluate(_WATCH)
    for i in range(_STEPS):
        page.mouse.wheel(0, -120 if i < _STEPS / 2 else 120)
    return _intervals(page)


def hover(page: Page) -> None:
    """Point at the middle of the plot, and wait for what lies there."""
    x, y, width, height = _box(page)
    page.mouse.move(x + width / 2 + 1, y + height / 2 + 1)
    page.locator(".plot-hint p").wait_for()


def lasso(page: Page) -> float:
    """Draw a lasso around the middle; return the seconds from letting go until the filter's points stand out."""
    page.get_by_role("button", name="Lasso", exact=True).click()
    x, y, width, height = _box(page)
    left, right, top, bottom = x + width * 0.3, x + width * 0.7, y + height * 0.3, y + height * 0.7
    page.mouse.move(left, top)
    page.mouse.down()
    for to in ((right, top), (right, bottom), (left, bottom), (left, top + 5)):
        page.mouse.move(*to, steps=10)
    began = time.perf_counter()
    page.mouse.up()
    page.locator(".view-head .total", has_text=re.compile(r"[1-9]\S* in the filter")).wait_for()
    return time.perf_counter() - began


def _box(page: Page) -> tuple[float, float, float, float]:
    box = page.locator(".plot").bounding_box()
    if box is None:
        raise RuntimeError("there is no plot")
    return box["x"], box["y"], box["width"], box["height"]


def _intervals(page: Page) -> list[float]:
    times = page.evaluate(_WATCHED)
    return [(after - before) / 1000 for before, after in pairwise(times)]
