"""No index, broken pictures, hostile names, a server that is gone: each says what to do."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

from browsing import NARROW, at, opened, serving
from tamis.api.writer import PredictionWriter

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

HOSTILE = "<img src=x onerror=alert(1)> \"q\" 'a' &amp;.png"
# Classes of what reaches beyond the window, but for what scrolls by itself.
TOO_WIDE = """() => {
    const scrolls = ".scroll, .raw, pre, .virtual-window, dialog, .visually-hidden, svg";
    const all = [...document.querySelectorAll("body *")].filter((one) => !one.closest(scrolls));
    return all.filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.className);
}"""
CLASS = "<script>alert(2)</script>"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A datasource that was never scanned: hostile names, a broken picture, a missing file."""
    for name in (HOSTILE, "good.png"):
        Image.new("RGB", (60, 40), "teal").save(tmp_path / name)
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    writer = PredictionWriter(tmp_path, task="t", task_type="object-detection", categories=[CLASS, "other"])
    with writer:
        for name in (HOSTILE, "good.png", "broken.jpg"):
            writer.write(name, [{"category_id": 0, "bbox": [5, 5, 20, 20], "score": 0.9}])
    return tmp_path


def test_without_an_index_the_page_offers_to_scan_and_opens_when_it_is_done(
    browser: Browser, hostile: Path
) -> None:
    """Never scanned: every view says so; one click scans, and what was found is shown by itself."""
    with serving(hostile) as address, opened(browser, address) as page:
        page.goto("/grid")
        expect(page.get_by_role("heading", name="Nothing was scanned yet")).to_be_visible()
        page.get_by_role("button", name="Scan now").click()
        expect(page.locator(".view-head .total")).to_have_text("3 samples")


def test_two_presses_start_one_scan(browser: Browser, hostile: Path) -> None:
    """A double click asks once, before the first scan and after it; what failed is said, and can be tried again."""
    with serving(hostile) as address, opened(browser, address) as page:
        refusal = {"error": {"code": "x", "message": "No scan of `t`", "hint": "wait"}}
        page.route("**/api/scan", lambda route: route.fulfill(status=409, json=refusal), times=1)
        page.goto("/")
        page.get_by_role("button", name="Scan now").click()
        expect(page.get_by_role("alert")).to_have_text("No scan of t. wait")
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url) if one.url.endswith("/api/scan") else None)
        page.get_by_role("button", name="Scan now").dblclick()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        assert len(asked) == 1
        page.get_by_role("button", name="Scan again").dblclick()
        expect(page.get_by_role("button", name="Scan again")).to_be_enabled()
        assert len(asked) == 2


def test_names_are_text_wherever_they_are_shown(browser: Browser, hostile: Path) -> None:
    """Markup in names of files and classes is shown as it is written, and never runs."""
    with serving(hostile) as address, opened(browser, address) as page:
        page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
        page.goto("/")
        page.get_by_role("button", name="Scan now").click()
        expect(page.get_by_label("Classes of t").get_by_text(CLASS)).to_be_visible()
        for path in ("/grid", "/objects", "/problems", "/embedding", "/select"):
            page.goto(path)
            expect(page.locator("h1")).to_be_visible()
        page.goto(at("/sample", key=HOSTILE))
        expect(page.locator("h1")).to_have_text(HOSTILE)
        expect(page.locator("button.object")).to_contain_text(CLASS)
        assert page.locator("main script, main img[src=x]").count() == 0


def test_a_broken_picture_says_so_in_its_place(browser: Browser, hostile: Path) -> None:
    """A picture that cannot be read is named on its card and its own page, with the reason."""
    with serving(hostile) as address, opened(browser, address) as page:
        page.goto("/grid")
        page.get_by_role("button", name="Scan now").click()
        expect(page.get_by_text("This picture cannot be read")).to_be_visible()
        page.goto(at("/sample", key="broken.jpg"))
        expect(page.get_by_role("heading", name="This picture cannot be shown")).to_be_visible()
        assert len(page.locator(".stage .state p").inner_text()) > 10


def test_an_unknown_sample_and_view_lead_on(page: Page) -> None:
    """What is not there says so; nothing is blank."""
    page.goto(at("/sample", key="no/such.jpg"))
    expect(page.get_by_role("alert")).to_contain_text("no/such.jpg")
    page.goto("/nowhere")
    page.get_by_role("link", name="Go to the overview").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_a_filter_that_makes_no_sense_is_explained(page: Page) -> None:
    """An address that was changed by hand is answered with what is wrong, never with nothing."""
    page.goto(at("/grid", filter=[{"type": "number", "column": "no such column", "min": 1}]))
    expect(page.get_by_role("alert")).to_contain_text("no such column")
    page.goto("/grid?filter=[{broken")
    expect(page.get_by_role("alert")).to_contain_text("The filter cannot be read")
    page.get_by_role("button", name="Clear the filter").click()
    expect(page.locator(".virtual-cell a").first).to_be_visible()


def test_changed_files_are_noticed_and_scanned(browser: Browser, demo: Path, tmp_path: Path) -> None:
    """After files changed a scan from the page shows the new state, without loading the page again."""
    root = tmp_path / "demo"
    shutil.copytree(demo, root, ignore=shutil.ignore_patterns("selection"))
    with serving(root) as address, opened(browser, address) as page:
        page.goto("/")
        expect(page.locator(".fact").filter(has_text="Samples").locator("a")).to_have_text("120")
        shutil.copy(next(root.glob("harbour/*.jpg")), root / "harbour/new.jpg")
        page.get_by_role("button", name="Scan again").first.click()
        expect(page.locator(".fact").filter(has_text="Samples").locator("a")).to_have_text("121")


def test_a_server_that_is_gone_is_said_to_be(browser: Browser, demo: Path) -> None:
    """When the server ended, the page says so and what to do, and keeps what it shows."""
    with opened(browser, "http://127.0.0.1") as page:
        with serving(demo) as address:
            page.goto(f"{address}/grid")
            expect(page.locator(".virtual-cell a").first).to_be_visible()
        expect(page.locator(".rail").get_by_text("The server does not answer.")).to_be_visible()
        page.get_by_role("link", name="Problems").first.click()
        expect(page.get_by_role("alert")).to_contain_text("Is tamis serve still running?")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/grid",
        "/objects",
        "/embedding",
        "/duplicates",
        "/problems",
        "/select",
        "/sql",
        "/sample?key=harbour/img_0051.jpg",
    ],
)
def test_no_view_is_wider_than_a_telephone(browser: Browser, demo_address: str, path: str) -> None:
    """At 390 pixels nothing has to be scrolled sideways, and the heading and every view's name are in sight."""
    with opened(browser, demo_address, viewport=NARROW) as page:
        page.goto(path)
        expect(page.locator("h1")).to_be_in_viewport()
        page.wait_for_timeout(500)
        assert page.evaluate(TOO_WIDE) == []
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        for name in page.locator(".rail nav a").all():
            expect(name).to_be_in_viewport(ratio=1)


def test_colours_follow_the_system_until_one_is_chosen(browser: Browser, demo_address: str) -> None:
    """Dark where the system is dark; the choice is kept when the page is loaded again."""
    background = "() => getComputedStyle(document.body).backgroundColor"
    with opened(browser, demo_address, dark=True) as page:
        page.goto("/")
        assert page.evaluate(background) == "rgb(20, 23, 26)"
        page.get_by_role("button", name="Colours: as the system").click()
        assert page.evaluate(background) == "rgb(247, 247, 245)"
        page.reload()
        assert page.evaluate(background) == "rgb(247, 247, 245)"


def test_all_state_of_a_view_is_in_its_address(page: Page) -> None:
    """The last of several steps is undone by the back button, one by one."""
    page.goto("/grid")
    page.get_by_role("button", name="weather", exact=True).click()
    page.get_by_label("Sort by").select_option("count:street-objects")
    page.get_by_role("combobox", name="Problem", exact=True).select_option("any")
    filtered = page.locator(".view-head .total")
    expect(filtered).to_contain_text("of 120 samples")
    here = page.url
    page.goto("/sql")
    page.goto(here)
    expect(filtered).to_contain_text("of 120 samples")
    expect(page.get_by_role("button", name="weather", exact=True)).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Clear all").click()
    expect(filtered).to_have_text("120 samples")
    page.go_back()
    expect(filtered).to_contain_text("of 120 samples")
    assert json.loads(page.evaluate("() => new URL(location.href).searchParams.get('filter')")) == [
        {"type": "problem"}
    ]
