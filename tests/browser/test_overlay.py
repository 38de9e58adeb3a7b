"""What is drawn over pictures lies where the files say, at every zoom and on every screen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from playwright.sync_api import expect

from browsing import at, opened
from tamis.api.report.overlays import category_colour
from tamis.model import masks

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

SKIER = "000000000785.jpg"
# Where pixels of exactly this colour lie on the canvas, in CSS pixels of the window.
EXTENT = """([selector, colour, tolerance]) => {
    const canvas = document.querySelector(selector), place = canvas.getBoundingClientRect();
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let box = null;
    for (let y = 0; y < canvas.height; y += 1) for (let x = 0; x < canvas.width; x += 1) {
        const i = 4 * (y * canvas.width + x);
        if (data[i + 3] < 250 || colour.some((value, k) => Math.abs(data[i + k] - value) > tolerance)) continue;
        const [left, top, right, bottom] = box ?? [x, y, x + 1, y + 1];
        box = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
    }
    const ratio = canvas.width / place.width;
    return box && box.map((value, k) => (k % 2 ? place.top : place.left) + value / ratio);
}"""
ALPHAS = """([points]) => {
    const canvas = document.querySelector(".stage canvas"), context = canvas.getContext("2d");
    const { left, top, width } = canvas.getBoundingClientRect(), ratio = canvas.width / width;
    const pixel = (value) => Math.round(value * ratio);
    return points.map(([x, y]) => context.getImageData(pixel(x - left), pixel(y - top), 1, 1).data[3]);
}"""


def _predictions(root: Path, task: str, key: str) -> list[dict[str, Any]]:
    file = (root / ".lightly/predictions" / task / key).with_suffix(".json")
    found: list[dict[str, Any]] = json.loads(file.read_text())["predictions"]
    return found


def _shown(page: Page) -> tuple[float, float, float]:
    """Return where the picture is on the screen: x and y of its corner, and its scale."""
    image = page.locator(".stage img")
    expect(image).to_have_js_property("complete", value=True)
    box = image.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"] / image.evaluate("image => image.naturalWidth")


def _extent(page: Page, category: int, selector: str = ".stage canvas") -> list[float]:
    colour = [int(category_colour(category)[i : i + 2], 16) for i in (1, 3, 5)]
    found: list[float] | None = page.evaluate(EXTENT, [selector, colour, 12])
    assert found is not None, "nothing of the category's colour is drawn"
    return found


def _expected(page: Page, bbox: list[float]) -> list[float]:
    x, y, scale = _shown(page)
    left, top, width, height = bbox
    return [x + left * scale, y + top * scale, x + (left + width) * scale, y + (top + height) * scale]


@pytest.mark.parametrize("ratio", [1, 2])
def test_a_box_lies_where_the_file_says_at_two_zooms(
    browser: Browser, coco: Path, coco_address: str, ratio: int
) -> None:
    """The surest box is drawn within 2 pixels of its place over the picture, whole and enlarged."""
    best = max(_predictions(coco, "nanodet", SKIER), key=lambda one: one["score"])
    address = at("/sample", key=SKIER, tasks=["nanodet"], labels="0", **{"from": "0.6"})
    with opened(browser, coco_address, ratio=ratio) as page:
        page.goto(address)
        expect(page.locator("button.object")).to_have_count(1)
        whole = _expected(page, best["bbox"])
        assert np.abs(np.subtract(_extent(page, best["category_id"]), whole)).max() <= 2
        page.locator(".stage").hover(position={"x": 330, "y": 330})
        page.mouse.wheel(0, -200)
        expect(page.get_by_role("button", name="%")).to_be_visible()
        enlarged = _expected(page, best["bbox"])
        assert enlarged[2] - enlarged[0] > 1.15 * (whole[2] - whole[0])
        assert np.abs(np.subtract(_extent(page, best["category_id"]), enlarged)).max() <= 2


def test_masks_cover_the_pixels_of_their_run_lengths(coco: Path, coco_page: Page) -> None:
    """A pixel of the canvas is painted just where the mask is set, away from its outline."""
    coco_page.goto(at("/sample", key=SKIER, tasks=["deeplab"], labels="0"))
    expect(coco_page.locator("button.object").first).to_be_visible()
    x, y, scale = _shown(coco_page)
    image = coco_page.locator(".stage img")
    width, height = (image.evaluate(f"image => image.natural{side}") for side in ("Width", "Height"))
    runs = [one["segmentation"] for one in _predictions(coco, "deeplab", SKIER)]
    mask = np.any([masks.decode(one, height, width) for one in runs], axis=0)
    places = np.random.default_rng(0).integers((8, 8), (height - 8, width - 8), (600, 2))
    clear = [(r, c) for r, c in places if mask[r - 4 : r + 5, c - 4 : c + 5].mean() in {0, 1}]
    alphas = coco_page.evaluate(ALPHAS, [[[x + (c + 0.5) * scale, y + (r + 0.5) * scale] for r, c in clear]])
    is_set = [bool(mask[r, c]) for r, c in clear]
    assert 0 < sum(is_set) < len(clear)
    assert [alpha > 50 for alpha in alphas] == is_set


def test_keypoints_are_drawn_at_their_places(coco: Path, coco_page: Page) -> None:
    """Each keypoint that is there has paint at its place."""
    coco_page.goto(at("/sample", key=SKIER, tasks=["movenet"], labels="0"))
    expect(coco_page.locator("button.object").first).to_be_visible()
    x, y, scale = _shown(coco_page)
    values = np.array([one["keypoints"] for one in _predictions(coco, "movenet", SKIER)]).reshape(-1, 3)
    sure = values[values[:, 2] > 0.3]
    alphas = coco_page.evaluate(ALPHAS, [[[x + px * scale, y + py * scale] for px, py, _ in sure.tolist()]])
    assert len(alphas) >= 5
    assert min(alphas) > 60


def test_cards_of_the_grid_draw_boxes_in_place(coco: Path, coco_page: Page) -> None:
    """In the grid too a box lies within 2 pixels of its place over the picture."""
    best = max(_predictions(coco, "nanodet", SKIER), key=lambda one: one["score"])
    condition = {"type": "path", "text": SKIER}
    coco_page.goto(at("/grid", filter=[condition], tasks=["nanodet"], labels="0", size="l", **{"from": "0.6"}))
    image = coco_page.locator(".card img")
    expect(image).to_have_js_property("complete", value=True)
    box = image.bounding_box()
    assert box is not None
    scale = box["width"] / 640
    left, top, width, height = best["bbox"]
    expected = [box["x"] + left * scale, box["y"] + top * scale]
    expected += [expected[0] + width * scale, expected[1] + height * scale]
    found = _extent(coco_page, best["category_id"], ".card canvas")
    assert np.abs(np.subtract(found, expected)).max() <= 2


def test_a_click_on_the_picture_picks_the_object_and_a_click_beside_it_none(coco: Path, coco_page: Page) -> None:
    """What is clicked in the picture opens in the list, with its class."""
    best = max(_predictions(coco, "nanodet", SKIER), key=lambda one: one["score"])
    coco_page.goto(at("/sample", key=SKIER, tasks=["nanodet"], **{"from": "0.6"}))
    left, top, right, bottom = _expected(coco_page, best["bbox"])
    coco_page.mouse.click((left + right) / 2, (top + bottom) / 2)
    opened_row = coco_page.locator("button.object[aria-expanded=true]")
    expect(opened_row).to_contain_text(f"class {best['category_id']}")
    coco_page.mouse.click(left - 20, top - 20)
    expect(opened_row).to_have_count(0)
