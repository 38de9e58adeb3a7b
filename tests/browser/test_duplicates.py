"""Duplicates: looked for by a job, shown side by side, tagged and left out."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

import tamis
from browsing import NARROW, at, opened, serving
from real_data import answer
from tamis.api.browsing.comparing import PAIR, duplicates_folder
from tamis.api.sources import open_sources
from tamis.index import Tag

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

EXACT = 0.02  # pictures of the demo are further apart, but for what is copied here
MANY = 100_000


@pytest.fixture(scope="module")
def own(own: Path) -> Path:
    """With a file that is there twice, and one that was written again."""
    shutil.copy(own / "harbour/img_0051.jpg", own / "harbour/later.jpg")
    with Image.open(own / "harbour/img_0110.jpg") as picture:
        picture.save(own / "harbour/z again.jpg", quality=97)
    answer("scan", own)
    return own


def _look(page: Page) -> None:
    page.goto(at("/duplicates", distance=str(EXACT)))
    button = page.get_by_role("button", name="Look for duplicates")
    expect(button.or_(page.locator(".duplicate")).first).to_be_visible()
    if button.count() > 0:
        button.click()
    expect(page.locator(".duplicate .card").first).to_be_visible(timeout=60_000)


def test_pairs_are_shown_side_by_side_the_nearest_first(own: Path, own_page: Page) -> None:
    """The page says what is missing, a job finds it, and each pair has both names, its kind and its distance."""
    own_page.goto(at("/duplicates", distance=str(EXACT)))
    expect(own_page.get_by_text("122 pictures of 122 are embedded")).to_be_visible()
    _look(own_page)
    report = tamis.open(own).duplicates(limit=EXACT)
    expect(own_page.locator(".view-head .total")).to_have_text(
        f"{report.exact} exact and {report.near} near among 122 pictures"
    )
    pairs = own_page.locator(".duplicate")
    expect(pairs).to_have_count(2)
    expect(pairs.first).to_contain_text("exact")
    expect(pairs.first.locator(".card-name")).to_have_text(["harbour/img_0051.jpg", "harbour/later.jpg"])
    expect(pairs.nth(1).locator(".card-name")).to_have_text(["harbour/img_0110.jpg", "harbour/z again.jpg"])
    expect(pairs.nth(1)).to_contain_text("near")
    loaded = "images => images.every((one) => one.complete && one.naturalWidth > 0)"
    own_page.wait_for_function(
        "() => [...document.querySelectorAll('.duplicate img')].every((one) => one.complete)"
    )
    assert own_page.locator(".duplicate img").evaluate_all(loaded)


def test_another_limit_is_looked_for_at_once(own_page: Page) -> None:
    """With embeddings there, a new distance needs no more than its number; it is in the address."""
    _look(own_page)
    field = own_page.get_by_label("Largest distance")
    field.fill("0")
    field.press("Enter")
    expect(own_page.locator(".view-head .total")).to_have_text(
        "1 exact and 0 near among 122 pictures", timeout=60_000
    )
    assert parse_qs(urlsplit(own_page.url).query)["distance"] == ["0"]
    field.fill("7")
    field.press("Enter")
    expect(own_page.get_by_role("alert")).to_have_text("Takes numbers from 0 up to 1.99, not 7.")
    expect(field).to_have_value("0")
    expect(own_page.locator(".duplicate")).to_have_count(1)


def test_pairs_are_walked_by_keys_and_opened(own_page: Page) -> None:
    """Arrows go from pair to pair, Tab to the other picture, Enter opens it, and back is where it was."""
    _look(own_page)
    own_page.locator(".duplicate a").first.focus()
    own_page.keyboard.press("ArrowRight")
    expect(own_page.locator(".duplicate").nth(1).locator("a").first).to_be_focused()
    own_page.keyboard.press("Tab")
    expect(own_page.locator(".duplicate").nth(1).locator("a").nth(1)).to_be_focused()
    own_page.keyboard.press("Enter")
    expect(own_page.get_by_role("heading", level=1)).to_contain_text("z again.jpg")
    own_page.keyboard.press("ArrowLeft")
    expect(own_page.get_by_role("heading", level=1)).to_contain_text("later.jpg")
    own_page.go_back()
    expect(own_page.locator(".duplicate").nth(1).locator("a").first).to_be_focused()


def test_what_repeats_is_tagged_and_left_out(own: Path, own_page: Page) -> None:
    """The tag has the repeated ones and not the kept ones; a selection without them has no pair whole."""
    _look(own_page)
    own_page.get_by_label("Tag").fill("twice")
    own_page.get_by_role("button", name="Tag them").click()
    expect(own_page.get_by_text("twice has 2 members now.")).to_be_visible()
    assert Tag(open_sources(own).index.root, "twice").members() == ["harbour/later.jpg", "harbour/z again.jpg"]
    own_page.get_by_role("link", name="Those that repeat, in the grid").click()
    expect(own_page.locator(".view-head .total")).to_contain_text("2 of 122")
    expect(own_page.locator(".filter-chips")).to_contain_text(f"repeats another, at most {EXACT} apart")
    own_page.go_back()
    own_page.get_by_role("link", name="Select without them").click()
    expect(own_page.get_by_text(f"not: repeats another, at most {EXACT} apart")).to_be_visible()
    (wanted,) = parse_qs(urlsplit(own_page.url).query)["filter"]
    assert json.loads(wanted) == [{"type": "duplicate", "distance": EXACT, "exclude": True}]


def test_the_last_of_many_pairs_is_one_key_away(browser: Browser, own: Path) -> None:
    """A hundred thousand pairs are a list of which only those in sight are drawn, on a telephone, too."""
    with serving(own) as address, opened(browser, address, viewport=NARROW) as page:
        _look(page)
        snapshot = open_sources(own).index.latest()
        assert snapshot is not None
        folder = duplicates_folder(snapshot, EXACT)
        pairs = np.zeros(MANY, PAIR)
        pairs["row"], pairs["of"] = 1 + np.arange(MANY) % 100, 0
        pairs["distance"] = np.linspace(0.001, EXACT, MANY)
        kept = (folder / "pairs.npy").read_bytes()
        np.save(folder / "pairs.npy", pairs)
        page.reload()
        page.locator(".duplicate a").first.focus()
        page.keyboard.press("End")
        last = page.locator(".virtual-cell[aria-posinset='100000']")
        expect(last).to_contain_text(f"{EXACT} apart")
        assert page.locator(".virtual-cell").count() < 60
        (folder / "pairs.npy").write_bytes(kept)
