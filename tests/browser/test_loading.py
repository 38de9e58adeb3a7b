"""While predictions are still being read, and after another scan: what can be shown is shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from browsing import at, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page, Route


def test_the_grid_shows_pictures_before_predictions_are_read(page: Page) -> None:
    """While the state is `loading` the grid has its samples, and says what is still to come."""
    become_ready = _loading(page, "overview", "columns", "counts?*")
    page.goto("/grid")
    expect(page.locator(".virtual-cell a").first).to_be_visible()
    expect(page.locator(".notice")).to_contain_text("Reading 7 of 9 tables")
    become_ready()
    expect(page.locator(".notice")).to_have_count(0)
    expect(page.get_by_label("Classes of street-objects", exact=True)).to_have_count(1)


def test_the_grid_waits_for_nothing_but_samples(page: Page) -> None:
    """Its first cards are there while overview and columns, which look at every prediction, are still to come."""
    for path in ("overview", "columns"):
        page.route(f"**/api/{path}", lambda _: None)  # never answered
    page.goto("/grid")
    expect(page.locator(".virtual-cell a").first).to_be_visible()


def test_a_tab_that_nobody_sees_keeps_no_connection(page: Page) -> None:
    """A browser has six to a server: with as many tabs in the background, nothing else could be loaded."""
    page.goto("/")
    expect(page.locator("h1")).to_be_visible()
    hide = """(isHidden) => {
        Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    with page.expect_event("requestfailed", lambda request: "/api/events" in request.url):
        page.evaluate(hide, True)
    with page.expect_request("**/api/events"), page.expect_response("**/api/status"):
        page.evaluate(hide, False)


def test_only_the_tasks_of_the_address_are_asked_for(page: Page) -> None:
    """Also before it is known which tasks there are: what nobody wants to see would flash up."""
    page.route("**/api/overview", lambda _: None)  # never answered
    with page.expect_request(lambda request: "/api/samples?" in request.url) as asked:
        page.goto(at("/grid", tasks=["detector"]))
    assert parse_qs(urlsplit(asked.value.url).query)["tasks"] == ['["detector"]']


def test_what_was_refused_is_asked_for_again_when_it_is_there(page: Page) -> None:
    """Where the sample is that one comes back from is not known yet: the page asks for it again by itself."""
    become_ready = _loading(page, "overview", "columns", "samples/place?*")
    page.goto(at("/grid", key="harbour/img_0051.jpg"))
    expect(page.locator(".notice")).to_contain_text("Reading")
    with page.expect_response(lambda response: "/samples/place?" in response.url and response.ok):
        become_ready()
    expect(page.locator(".notice")).to_have_count(0)


def _loading(page: Page, *paths: str) -> Callable[[], None]:
    """Let the server seem to be reading predictions, and refuse some paths, until what is returned is called."""
    state = {"now": "loading"}

    def status(route: Route) -> None:
        answer = route.fetch().json()
        route.fulfill(json={**answer, "state": state["now"], "message": "Reading 7 of 9 tables"})

    def not_yet(route: Route) -> None:
        fault = {"code": "loading", "message": "Predictions are being read", "hint": None}
        route.fulfill(status=409, json=fault) if state["now"] == "loading" else route.continue_()

    def become_ready() -> None:
        state["now"] = "ready"
        page.get_by_role("button", name="Try again").click()

    page.route("**/api/status", status)
    page.route("**/api/events", lambda route: route.abort())
    for path in paths:
        page.route(f"**/api/{path}", not_yet)
    return become_ready


def test_a_failed_scan_says_why(browser: Browser, demo_address: str) -> None:
    """A scan that failed is told of with its reason until that is dismissed."""
    job = {
        "id": "1",
        "kind": "scan",
        "title": "Scan",
        "state": "failed",
        "created": "2999-01-01T00:00:00+00:00",
        "message": "No space left in `/index`",
        "hint": "Free some, then scan again",
    }
    with opened(browser, demo_address) as page:
        body = f"event: job\ndata: {json.dumps(job)}\n\n"
        page.route("**/api/events", lambda route: route.fulfill(content_type="text/event-stream", body=body))
        page.goto("/")
        told = page.get_by_role("alert").filter(has_text="The scan failed.")
        expect(told).to_contain_text("No space left in /index. Free some, then scan again")
        told.get_by_role("button", name="Dismiss").click()
        expect(told).to_have_count(0)
