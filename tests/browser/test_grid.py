"""The grid: a filter lets through what the files say, at any length, by keys and by its address."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from browsing import NARROW, at, opened
from tamis import open as open_datasource

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Route

N_MANY = 1_000_000
# Fields of an open form that lie over others: those of its lists of classes scroll for themselves.
OVERLAPS = """form => {
    const fields = [...form.querySelectorAll(".field, .segmented, .histogram, summary, .classes, input")];
    const seen = fields.filter((one) => one.checkVisibility() && !one.parentElement.closest(".classes"));
    const apart = (a, b) => a.bottom <= b.top + 1 || a.right <= b.left + 1;
    return seen.flatMap((one, i) => seen.slice(i + 1).filter((other) => {
        const a = one.getBoundingClientRect(), b = other.getBoundingClientRect();
        return !one.contains(other) && !other.contains(one) && !apart(a, b) && !apart(b, a);
    }).map((other) => `${one.textContent.trim()} / ${other.textContent.trim()}`));
}"""


def _by_key(root: Path, task: str) -> dict[str, list[dict[str, Any]]]:
    """Read a task's files without tamis."""
    folder = root / ".lightly/predictions" / task
    return {p.stem: json.loads(p.read_text())["predictions"] for p in folder.glob("*.json") if p.stem != "schema"}


def _total(page: Page, n: int, of: int) -> None:
    expect(page.locator(".view-head .total")).to_have_text(f"{n} samples" if n == of else f"{n} of {of} samples")


def test_a_class_and_a_score_let_through_as_many_as_the_files_say(coco: Path, coco_page: Page) -> None:
    """Ticking a class and giving a least score leaves the images that hold such a prediction."""
    files = _by_key(coco, "nanodet")
    counts = Counter(one["category_id"] for rows in files.values() for one in rows)
    category = counts.most_common(2)[1][0]
    coco_page.goto("/grid")
    part = coco_page.locator("details.filter-part", has_text="nanodet").first
    part.locator("summary").click()
    part.get_by_label(f"class {category}", exact=False).first.check()
    _total(coco_page, sum(any(one["category_id"] == category for one in rows) for rows in files.values()), 128)
    part.get_by_label("Score from").fill("0.4")
    part.get_by_label("Score from").press("Enter")
    wanted = {
        k for k, rows in files.items() if any(o["category_id"] == category and o["score"] >= 0.4 for o in rows)
    }
    _total(coco_page, len(wanted), 128)
    names = coco_page.locator(".card-name")
    expect(names.first).to_be_visible()
    shown = {name.removesuffix(".jpg") for name in names.evaluate_all("all => all.map((one) => one.title)")}
    assert shown <= wanted
    address = coco_page.url
    coco_page.goto("/")
    coco_page.goto(address)
    _total(coco_page, len(wanted), 128)


def test_all_of_two_classes_is_less_than_any(coco: Path, coco_page: Page) -> None:
    """`All` leaves the images with both classes, `Any` those with either, `None` the others."""
    classes = {stem: {one["category_id"] for one in rows} for stem, rows in _by_key(coco, "nanodet").items()}
    first, second = (i for i, _ in Counter(i for found in classes.values() for i in found).most_common(2))
    coco_page.goto(at("/grid", filter=[{"type": "predictions", "task": "nanodet", "categories": [first, second]}]))
    _total(coco_page, sum(bool(found & {first, second}) for found in classes.values()), 128)
    modes = coco_page.get_by_role("group", name="How the classes of nanodet count")
    modes.get_by_role("button", name="All").click()
    _total(coco_page, sum(found >= {first, second} for found in classes.values()), 128)
    modes.get_by_role("button", name="None").click()
    _total(coco_page, sum(not found & {first, second} for found in classes.values()), 128)


def test_fields_of_a_filter_lie_beside_each_other(coco_page: Page) -> None:
    """Of an open task, of a column and of objects, at any width: no field covers another."""
    coco_page.goto(at("/grid", filter=[{"type": "number", "column": "sample:width", "min": 1}]))
    form = coco_page.get_by_role("form", name="Filter")
    for i in range(4):
        coco_page.locator("details.filter-part > summary").nth(i).click()
        expect(form.get_by_label("How many, from").nth(i)).to_be_visible()
    assert form.evaluate(OVERLAPS) == []
    coco_page.goto("/objects")
    objects = coco_page.get_by_role("form", name="Filter of objects")
    expect(objects.get_by_label("From")).to_be_visible()
    assert objects.evaluate(OVERLAPS) == []
    coco_page.set_viewport_size(NARROW)
    coco_page.get_by_role("button", name="Filter").click()
    assert objects.evaluate(OVERLAPS) == []


def test_a_number_that_is_not_taken_is_said_to_be(page: Page) -> None:
    """Beyond the limits of a field or between its steps: the field says what it takes, and the filter stays."""
    page.goto("/grid")
    part = page.locator("details.filter-part").first
    part.locator("summary").click()
    score, least = part.get_by_label("Score from"), part.get_by_label("How many, from")
    score.fill("0.77")
    score.press("Enter")
    scores, counts = "numbers from 0 up to 1", "whole numbers from 0 up to 1\u2009000\u2009000"
    refused = [(score, "5", scores), (score, "-1", scores), (least, "1.5", counts), (least, "1e30", counts)]
    for field, typed, taken in refused:
        field.fill(typed)
        field.press("Enter")
        expect(part.get_by_text(f"Takes {taken}, not {typed}.", exact=True)).to_be_visible()
        expect(least).to_have_value("")
        expect(score).to_have_value("0.77")
        expect(page.locator(".chip")).to_contain_text("score ≥ 0.77")
    assert part.evaluate(OVERLAPS) == []
    score.fill("0.5")
    least.fill("2")
    least.press("Enter")
    expect(page.locator(".chip")).to_contain_text("score ≥ 0.5, ≥ 2 of them")
    expect(part.get_by_role("alert")).to_have_count(0)


def test_the_most_uncertain_come_first(demo: Path, page: Page) -> None:
    """Sorted by a score, the first card is the sample with the largest one in the index."""
    scores = open_datasource(demo).sample_scores("street-objects").to_arrow(["sample", "uncertainty_entropy"])
    rows = [(row["uncertainty_entropy"], row["sample"]) for row in scores.to_pylist()]
    best = max(row for row in rows if row[0] is not None)[0]
    page.goto("/grid")
    page.get_by_label("Sort by").select_option("score:street-objects:uncertainty_entropy")
    first = page.locator('.virtual-cell[data-index="0"]')
    expect(first.locator(".card-value")).to_have_text(f"{best:.3g}")
    names = {key for value, key in rows if value == best}
    assert first.locator(".card-name").get_attribute("title") in names


def test_an_order_ends_with_the_list_that_gave_it(page: Page) -> None:
    """Sorted as a list is, the grid is sorted by name when that list leaves the filter, however it does."""
    keys = ["harbour/img_0051.jpg", "harbour/img_0010.jpg"]
    listed = [{"type": "path", "text": "jpg"}, {"type": "keys", "keys": keys}]
    for button in ("Remove: 2 named samples", "Clear all"):
        page.goto(at("/grid", filter=listed, sort="pick", descending="1"))
        expect(page.get_by_label("Sort by")).to_have_value("pick")
        page.get_by_role("button", name=button).click()
        expect(page.locator(".view-head .total")).to_have_text("120 samples")
        expect(page.get_by_label("Sort by")).to_have_value("key")
        expect(page.locator(".virtual-cell a").first).to_be_visible()
    page.goto(at("/grid", sort="pick"))
    expect(page.get_by_role("alert")).to_contain_text("There is no order of picks")
    page.get_by_role("button", name="Sort by name").click()
    expect(page.locator(".virtual-cell a").first).to_be_visible()


def test_who_asks_for_a_task_that_is_gone_finds_a_way_on(page: Page) -> None:
    """With a task's old name each part of an address can be dropped, all tasks are drawn, a fault has no total."""
    gone = {"type": "predictions", "task": "old", "categories": [0]}
    page.goto(at("/grid", filter=[gone], sort="count:old", tasks=["old"]))
    expect(page.get_by_role("alert")).to_contain_text("old")
    page.get_by_role("button", name="Clear the filter").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no column count:old")
    expect(page.get_by_label("Sort by")).to_have_value("count:old")
    page.get_by_role("button", name="Sort by name").click()
    expect(page.locator(".view-head .total")).to_have_text("120 samples")
    drawn = page.get_by_role("group", name="Tasks that are drawn").get_by_role("button")
    assert set(drawn.evaluate_all("all => all.map((one) => one.ariaPressed)")) == {"true"}
    fault = {"error": {"code": "x", "message": "No such order", "hint": None}}
    page.route("**/api/samples?*sort=*", lambda route: route.fulfill(status=400, json=fault))
    page.get_by_label("Sort by").select_option("sample:width")
    expect(page.get_by_role("alert")).to_contain_text("No such order")
    expect(page.locator(".view-head .total")).to_have_text("")


def test_a_task_without_scores_offers_no_range_of_scores(browser: Browser, clothing_address: str) -> None:
    """Classes with probabilities alone have no fields of scores, unless the address asks for some."""
    with opened(browser, clothing_address) as page:
        page.goto("/grid")
        part = page.locator("details.filter-part").first
        expect(part.get_by_label("How many, from")).to_be_visible()
        expect(part.get_by_label("Score from")).to_have_count(0)
        task = part.locator("b").first.inner_text()
        page.goto(at("/grid", filter=[{"type": "predictions", "task": task, "score_min": 0.5}]))
        expect(page.get_by_role("heading", name="Nothing meets this filter")).to_be_visible()
        part.get_by_label("Score from").fill("")
        part.get_by_label("Score from").press("Enter")
        _total(page, 341, 341)


def test_names_are_searched_and_a_filter_without_result_says_what_to_do(demo: Path, page: Page) -> None:
    """Typing part of a name filters by it; nothing found leads back to everything."""
    n = sum(
        "harbour" in p.as_posix()
        for p in demo.rglob("*.jpg")
        if ".lightly" not in p.as_posix() and "selection" not in p.as_posix()
    )
    page.goto("/grid")
    expect(page.locator(".virtual-cell a").first).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("HARBOUR")
    expect(page.locator(".view-head .total")).to_contain_text(f"{n} of")
    page.get_by_role("searchbox", name="Name has").fill("no such name")
    expect(page.get_by_role("heading", name="Nothing meets this filter")).to_be_visible()
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator(".virtual-cell a").first).to_be_visible()


def test_the_grid_is_walked_by_keys(page: Page) -> None:
    """Arrows move the focus by one and by a row, Enter opens, Escape comes back to the same place."""
    page.goto("/grid")
    page.locator('[data-index="0"] a').focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator('[data-index="1"] a')).to_be_focused()
    page.keyboard.press("ArrowDown")
    columns = page.evaluate("() => Number(document.activeElement.closest('li').dataset.index)") - 1
    assert columns >= 2
    page.keyboard.press("End")
    expect(page.locator(f'[data-index="{119}"] a')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".stage img")).to_be_visible()
    assert urlsplit(page.url).path == "/sample"
    page.keyboard.press("Escape")
    expect(page.locator(f'[data-index="{119}"] a')).to_be_focused()


def test_who_comes_back_is_where_he_was(page: Page) -> None:
    """Escape before the server says where the sample is, the back button, another order: all lead to a place."""
    page.goto("/grid")
    card = page.locator('[data-index="60"] a')
    page.locator(".virtual").evaluate("element => { element.scrollTop = element.scrollHeight / 2; }")
    expect(card).to_be_visible()
    top = page.locator(".virtual").evaluate("element => element.scrollTop")
    page.route("**/api/samples/place?*", lambda _: None, times=1)  # the sample view never hears where it is
    card.click()
    expect(page.locator(".stage img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_be_focused()
    assert abs(page.locator(".virtual").evaluate("element => element.scrollTop") - top) < 250
    page.keyboard.press("Enter")
    expect(page.locator(".stage img")).to_be_visible()
    page.go_back()
    expect(card).to_be_focused()
    page.get_by_role("button", name="Smallest first").click()
    expect(page.locator('[data-index="0"] a')).to_be_visible()


def test_a_million_samples_are_reached_to_the_last(page: Page) -> None:
    """Of a list of a million, which no element is tall enough for, the first, middle and last are shown."""

    def answer(route: Route) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(route.request.url).query).items()}
        offset = int(query["offset"])
        numbers = range(offset, min(N_MANY, offset + int(query["limit"])))
        empty: dict[str, Any] = {
            "width": 4,
            "height": 3,
            "video": None,
            "frame": None,
            "value": None,
            "problems": 0,
            "layers": [],
        }
        cards = [{**empty, "number": i, "key": f"sample {i}.jpg"} for i in numbers]
        route.fulfill(json={"snapshot": "", "total": N_MANY, "offset": offset, "samples": cards, "complete": True})

    page.route("**/api/samples?*", answer)
    page.route("**/api/picture?*", lambda route: route.fulfill(status=404))
    page.goto("/grid")
    expect(page.get_by_title("sample 0.jpg", exact=True)).to_be_visible()
    scroller = page.locator(".virtual")
    assert scroller.evaluate("element => element.scrollHeight") < 10_000_000
    scroller.evaluate("element => { element.scrollTop = (element.scrollHeight - element.clientHeight) / 2; }")
    middle = page.locator(".card-name").first
    expect(middle).to_have_attribute("title", re.compile(r"sample (49|50)\d{4}\.jpg"))
    expect(page).to_have_url(re.compile(r"at=\d+"))  # the list has come to rest
    before = int(page.locator(".virtual-cell").first.get_attribute("data-index") or 0)
    scroller.hover()
    page.mouse.wheel(0, 300)
    expect(page.locator(f'[data-index="{before}"]')).to_have_count(0)
    assert 0 < int(page.locator(".virtual-cell").first.get_attribute("data-index") or 0) - before < 30
    scroller.evaluate("element => { element.scrollTop = element.scrollHeight; }")
    last = page.get_by_title(f"sample {N_MANY - 1}.jpg")
    expect(last).to_be_in_viewport()
    page.keyboard.press("Home")
    scroller.evaluate("element => { element.scrollTop = 0; }")
    expect(page.get_by_title("sample 0.jpg", exact=True)).to_be_in_viewport()
