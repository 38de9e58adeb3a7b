"""While predictions are still being read, and after another scan: what can be shown is shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from browsing import opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route


def test_the_grid_shows_pictures_before_predictions_are_read(page: Page) -> None:
    """While the state is `loading` the grid has its samples, and says what is still to come."""
    state = {"now": "loading"}

    def status(route: Route) -> None:
        answer = route.fetch().json()
        route.fulfill(json={**answer, "state": state["now"], "message": "Reading 7 of 9 tables"})

    def not_yet(route: Route) -> None:
        fault = {"code": "loading", "message": "Predictions are being read", "hint": None}
        route.fulfill(status=409, json=fault) if state["now"] == "loading" else route.continue_()

    page.route("**/api/status", status)
    page.route("**/api/events", lambda route: route.abort())
    for path in ("overview", "columns", "counts?*"):
        page.route(f"**/api/{path}", not_yet)
    page.goto("/grid")
    expect(page.locator(".virtual-cell a").first).to_be_visible()
    expect(page.locator(".notice")).to_contain_text("Reading 7 of 9 tables")
    state["now"] = "ready"
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".notice")).to_have_count(0)
    expect(page.get_by_label("Classes of street-objects", exact=True)).to_have_count(1)


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
