"""One sample: its numbers are the file's, neighbours and frames are reached by keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import numpy as np
from playwright.sync_api import expect

import tamis
from browsing import at, opened, serving
from real_sources import EFFICIENTNET
from strategies_datasource import png

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page


def _key(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query)["key"][0]


def test_probabilities_are_bars_of_the_likeliest_classes(browser: Browser, clothing_address: str) -> None:
    """The bars of a photo are the classifier's eight largest probabilities of a thousand."""
    with np.load(EFFICIENTNET) as arrays:
        file, row = str(arrays["files"][0]), arrays["probs"][0].astype(float)
    with opened(browser, clothing_address) as page:
        page.goto(at("/sample", key=file, tasks=["efficientnet"]))
        page.locator("button.object").first.click()
        bars = page.get_by_label("Probabilities of the classes").locator("li")
        expect(bars).to_have_count(9)
        likeliest = np.argsort(-row, kind="stable")[:8]
        for place, index in enumerate(likeliest):
            expect(bars.nth(place)).to_contain_text(f"class {index}")
            expect(bars.nth(place)).to_contain_text(f"{row[index]:.3f}")
        expect(bars.nth(8)).to_contain_text("992 others")


def test_classes_of_a_file_are_told_with_their_own_probability(browser: Browser, tmp_path: Path) -> None:
    """Of several in a classification, each has its own; a card shows the likeliest, and how many more there are."""
    (tmp_path / "a.png").write_bytes(png(64, 48))
    with tamis.PredictionWriter(
        tmp_path, task="kind", task_type="classification", categories=["zero", "five", "nine"]
    ) as writer:
        rows = [{"category_id": i, "probabilities": [0.1, 0.2, 0.7]} for i in (0, 1, 2)]
        writer.write("a.png", rows)
    tamis.open(tmp_path).scan()
    with serving(tmp_path) as address, opened(browser, address) as page:
        page.goto("/grid")
        expect(page.locator(".card-classes")).to_have_text("nine 0.70five 0.20, 1 more")
        page.goto(at("/sample", key="a.png"))
        for name, value in (("zero", "0.100"), ("five", "0.200"), ("nine", "0.700")):
            expect(page.locator("button.object").filter(has_text=name)).to_contain_text(value)


def test_the_file_is_shown_as_it_is(demo: Path, page: Page) -> None:
    """Opening a file shows its text to the last character."""
    key = "harbour/img_0051.jpg"
    page.goto(at("/sample", key=key))
    page.get_by_text(".lightly/predictions/street-objects/harbour/img_0051.json").click()
    raw = page.get_by_label(".lightly/predictions/street-objects/harbour/img_0051.json", exact=True)
    text = (demo / ".lightly/predictions/street-objects/harbour/img_0051.json").read_text()
    expect(raw.locator(".raw-line").first).to_be_visible()
    assert json.loads("\n".join(raw.locator(".raw-line").all_text_contents())) == json.loads(text)


def test_keys_walk_through_the_filtered_list_in_its_order(page: Page) -> None:
    """Right and left go to the neighbours in the list that the sample was opened from."""
    list_of = {"filter": [{"type": "path", "text": "harbour"}], "sort": "score:street-objects:uncertainty_entropy"}
    page.goto(at("/grid", **list_of, descending="1"))
    cells = page.locator(".virtual-cell a")
    expect(cells.nth(2)).to_be_visible()
    names = [cells.nth(i).locator(".card-name").get_attribute("title") or "" for i in range(3)]
    cells.first.click()
    expect(page.locator(".step .total")).to_contain_text("1 of")
    for key, name in (("ArrowRight", names[1]), ("j", names[2]), ("ArrowLeft", names[1]), ("k", names[0])):
        page.keyboard.press(key)
        expect(page.locator("h1")).to_have_attribute("title", name)
    assert _key(page) == names[0]


def test_keys_pressed_faster_than_the_page_draws_are_not_lost(demo: Path, page: Page) -> None:
    """Three presses at one moment are three samples on, or three objects."""
    page.goto(at("/grid", filter=[{"type": "path", "text": "harbour"}]))
    cells = page.locator(".virtual-cell a")
    expect(cells.nth(3)).to_be_visible()
    names = [cells.nth(i).locator(".card-name").get_attribute("title") or "" for i in range(4)]
    cells.first.click()
    expect(page.locator(".step .total")).to_contain_text("1 of")
    _press_at_once(page, "j", "j", "j")
    expect(page.locator("h1")).to_have_attribute("title", names[3])
    _press_at_once(page, "k", "k", "j")
    expect(page.locator("h1")).to_have_attribute("title", names[2])
    expect(page.locator(".step .total")).to_contain_text("3 of")
    page.goto(at("/sample", key=_crowded(demo), tasks=["street-objects"]))
    expect(page.locator("button.object").first).to_be_visible()
    _press_at_once(page, "n", "n", "n", "p", "n")
    expect(page.locator("button.object").nth(2)).to_have_attribute("aria-expanded", "true")


def _press_at_once(page: Page, *keys: str) -> None:
    page.evaluate(
        "keys => keys.forEach((key) => document.dispatchEvent(new KeyboardEvent('keydown', { key })))", keys
    )


def _crowded(demo: Path) -> str:
    """Return the sample of the harbour with most objects."""
    files = (demo / ".lightly/predictions/street-objects/harbour").glob("*.json")
    return f"harbour/{max(files, key=lambda file: file.read_text().count('bbox')).stem}.jpg"


def test_objects_are_stepped_through_by_keys(demo: Path, page: Page) -> None:
    """`n` opens one object after the other, the surest first; Escape closes it and leaves next."""
    page.goto(at("/sample", key=_crowded(demo), tasks=["street-objects"]))
    rows = page.locator("button.object")
    expect(rows.first).to_be_visible()
    page.keyboard.press("n")
    expect(rows.first).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("n")
    expect(rows.nth(1)).to_have_attribute("aria-expanded", "true")
    expect(rows.first).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Escape")
    expect(page.locator("button.object[aria-expanded=true]")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator(".virtual-cell a").first).to_be_visible()


def test_two_tasks_stand_side_by_side_and_move_together(page: Page) -> None:
    """Side by side each task has a picture of its own, enlarged alike."""
    page.goto(at("/sample", key="harbour/img_0051.jpg", tasks=["street-objects", "background"]))
    page.get_by_role("button", name="Side by side").click()
    images = page.locator(".stage img")
    expect(images).to_have_count(2)
    page.locator(".stage").first.hover()
    page.mouse.wheel(0, -300)
    expect(page.get_by_role("button", name="%")).to_be_visible()
    scales = images.evaluate_all("all => all.map((image) => new DOMMatrix(getComputedStyle(image).transform).a)")
    assert scales[0] == scales[1]


def test_a_problem_is_shown_at_its_place(page: Page) -> None:
    """A broken file is named on its sample, with the JSON path, line and column."""
    page.goto(at("/sample", key="駅前/写真-0075.jpg"))
    place = page.locator(".problem-place", has_text="category-unknown")
    expect(place).to_contain_text("expected a category id of the schema")
    expect(place).to_contain_text("$.predictions[0].category_id (line 1, column 65)")


def test_frames_of_a_video_are_stepped_by_keys_and_on_the_timeline(browser: Browser, car_address: str) -> None:
    """Full stop goes one frame on, comma back; a click on the timeline goes to that part of the video."""
    with opened(browser, car_address) as page:
        page.goto(at("/sample", key="car-detection-120-mp4.png"))
        said = page.locator(".timeline-head")
        expect(said).to_contain_text("frame 120 of 377")
        page.keyboard.press(".")
        expect(said).to_contain_text("frame 121 of 377")
        page.keyboard.press(",")
        page.keyboard.press(",")
        expect(said).to_contain_text("frame 119 of 377")  # two presses, however fast, are two frames
        expect(page.locator(".stage img")).to_have_js_property("naturalWidth", 768)
        box = page.locator(".track").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 30)
        expect(said).to_contain_text("frame 188 of 377")
        assert _key(page) == "car-detection-188-mp4.png"
