"""Runs of selections: started once, told apart, changed by hand, deleted."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from browsing import at
from real_data import answer

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

RANDOM = {"input": {"type": "RANDOM"}, "strategy": {"type": "WEIGHTS"}}
REFUSED = {"code": "storage", "message": "The disk is full", "hint": "make room"}


def _config(n: int) -> str:
    return json.dumps({"n_samples": n, "strategies": [RANDOM]})


def _run(page: Page, title: str, n: int, **more: Any) -> str:
    """Run a selection, open it, and return its id."""
    asked = {"config": _config(n), "title": title} | more
    run: str = page.request.post("/api/selections", data=asked).json()["id"]
    page.goto(at("/select", run=run))
    expect(page.get_by_role("heading", name="Picks", exact=True)).to_be_visible()
    expect(page.locator(".pick")).to_have_count(min(n, 24))
    return run


def _titles(page: Page) -> list[str]:
    return [one["request"]["title"] for one in page.request.get("/api/selections").json()]


def test_a_double_click_runs_once_and_runs_are_told_apart_by_when(own_page: Page) -> None:
    """One selection comes of two presses, in the form and by hand; runs of one name are listed with their dates."""
    own_page.goto(at("/select", config=_config(3)))
    form = own_page.get_by_label("New selection")
    form.get_by_label("Name of this selection").fill("twice")
    form.get_by_role("button", name="Select", exact=True).dblclick()
    expect(own_page.locator(".pick")).to_have_count(3)
    own_page.get_by_role("button", name="Pin").first.click()
    again = own_page.get_by_role("button", name="Select again with these")
    again.dblclick()
    expect(own_page.locator(".pick .badge")).to_have_count(1)
    assert _titles(own_page).count("twice") == 2
    _run(own_page, "twice", 3)
    others = own_page.get_by_label("Compare with").locator("option", has_text="twice")
    expect(others).to_have_count(2)
    listed = others.all_inner_texts()
    assert len(set(listed)) == 2
    own_page.get_by_label("Compare with").select_option(listed[0])
    expect(own_page.locator(".legend small").nth(1)).to_have_text(listed[0].removeprefix("twice, "))


def _names(page: Page) -> list[str]:
    names: list[str] = page.locator(".pick .card-name").evaluate_all("all => all.map((one) => one.title)")
    return names


def test_pins_and_rejections_are_shown_and_can_be_undone(own_page: Page) -> None:
    """A pin stays pressed until it is released, a rejected sample is named until it is taken back."""
    _run(own_page, "first", 5)
    pinned, rejected = _names(own_page)[:2]
    run = _run(own_page, "by hand", 5, pinned=[pinned], rejected=[rejected])
    pin = own_page.get_by_role("button", name=f"Pin {pinned}")
    back = own_page.get_by_role("button", name=f"Take back {rejected}")
    again = own_page.get_by_role("button", name="Select again with these")
    said = own_page.locator(".notice.by-hand span").first
    expect(pin).to_have_attribute("aria-pressed", "true")
    expect(own_page.get_by_role("group", name="Rejected").get_by_role("link")).to_have_text([rejected])
    expect(again).to_have_count(0)
    pin.click()
    expect(pin).to_have_attribute("aria-pressed", "false")
    expect(said).to_have_text("1 sample released.")
    back.click()
    expect(back).to_have_count(0)
    expect(said).to_have_text("1 sample released, 1 sample no longer rejected.")
    own_page.get_by_role("button", name="Undo").click()
    expect(back).to_be_visible()
    expect(again).to_have_count(0)
    pin.click()
    again.click()
    own_page.wait_for_url(lambda url: run not in url)
    expect(own_page.locator(".pick")).to_have_count(5)
    expect(own_page.locator(".pick .badge")).to_have_count(0)
    expect(own_page.locator(".pick [aria-pressed=true]")).to_have_count(0)
    expect(back).to_be_visible()


def test_changing_the_config_keeps_the_name_and_what_was_decided_by_hand(own_page: Page) -> None:
    """The form has the pins, rejections and name of the run and of what was changed since, and lets go of them."""
    _run(own_page, "first", 5)
    pinned, rejected, also = _names(own_page)[:3]
    _run(own_page, "named", 5, pinned=[pinned], rejected=[rejected])
    own_page.get_by_role("button", name=f"Pin {also}").click()
    own_page.get_by_role("link", name="Change the config").click()
    form = own_page.get_by_label("New selection")
    expect(form.get_by_label("Name of this selection")).to_have_value("named")
    names = form.get_by_role("group", name="Pinned").get_by_role("link")
    expect(names).to_have_text([pinned, also])
    form.get_by_role("button", name=f"Release {pinned}").click()
    expect(names).to_have_text([also])
    form.get_by_role("button", name="Select", exact=True).click()
    expect(own_page.locator(".pick")).to_have_count(5)
    assert _names(own_page)[0] == also
    assert rejected not in _names(own_page)
    asked = own_page.request.get("/api/selections").json()[0]["request"]
    assert (asked["title"], asked["pinned"], asked["rejected"]) == ("named", [also], [rejected])
    own_page.get_by_role("link", name="Change the config").click()
    form.get_by_role("button", name="Drop all").click()
    expect(form.get_by_role("group", name="By hand")).to_have_count(0)


def test_a_double_click_on_delete_is_no_answer(own_page: Page) -> None:
    """Where the second button appears under the pointer, it is not pressed by the same double click."""
    own_page.goto("/select")
    failing = json.dumps(
        {"n_samples": 2, "strategies": [{**RANDOM, "input": {"type": "METADATA", "key": "nothing"}}]}
    )
    run = own_page.request.post("/api/selections", data={"config": failing}).json()["id"]
    own_page.goto(at("/select", run=run))
    expect(own_page.get_by_role("heading", name="This selection failed")).to_be_visible()
    own_page.get_by_role("button", name="Delete", exact=True).dblclick()
    for_good = own_page.get_by_role("button", name="Delete for good")
    expect(for_good).to_be_enabled()
    assert own_page.request.get("/api/selection", params={"id": run}).ok
    for_good.click()
    expect(own_page.get_by_label("New selection")).to_be_visible()


def test_deleting_goes_to_the_list_or_says_why_not(own_page: Page) -> None:
    """A run that somebody else deleted leaves its view likewise; what the server refuses is shown, to try again."""
    run = _run(own_page, "of two windows", 2)
    delete = own_page.get_by_role("button", name="Delete", exact=True)
    for_good = own_page.get_by_role("button", name="Delete for good")
    delete.click()
    own_page.route("**/api/selection/delete", lambda route: route.fulfill(status=503, json=REFUSED), times=1)
    for_good.click()
    expect(own_page.locator(".run-tools").get_by_role("alert")).to_contain_text("The disk is full")
    assert own_page.request.post("/api/selection/delete", data={"id": run}).ok
    for_good.dblclick()
    expect(own_page.get_by_role("heading", name="Select", exact=True)).to_be_visible()
    expect(own_page.get_by_role("link", name="of two windows")).to_have_count(0)
    own_page.goto(at("/select", run=run))
    expect(own_page.get_by_role("alert")).to_contain_text(run)
    own_page.get_by_role("link", name="All selections").click()
    expect(own_page.get_by_label("New selection")).to_be_visible()


def test_an_empty_field_stays_empty_and_select_waits(own_page: Page) -> None:
    """Nothing is filled in for what was emptied, and what is missing is named; Select heeds what was typed last."""
    strategy = {"type": "THRESHOLD", "threshold": 0.5, "operation": "BIGGER"}
    tree = {"n_samples": 7, "strategies": [RANDOM, {**RANDOM, "strategy": strategy}]}
    own_page.goto(at("/select", config=tree))
    form = own_page.get_by_label("New selection")
    button = form.get_by_role("button", name="Select", exact=True)
    for label, name, value in (("Samples", "n_samples", "4"), ("Threshold", "threshold", "0.2")):
        field = form.get_by_label(label, exact=True)
        expect(button).to_be_enabled()
        field.fill("")
        field.press("Tab")
        expect(form.get_by_role("alert")).to_contain_text(name)
        expect(form.get_by_role("alert")).to_contain_text("got nothing")
        expect(button).to_be_disabled()
        expect(field).to_have_value("")
        field.fill(value)
        field.press("Enter")
    form.get_by_label("Samples", exact=True).fill("3")
    button.click()
    expect(own_page.locator(".pick")).to_have_count(3)


def test_select_goes_to_the_field_that_refuses_a_number(own_page: Page) -> None:
    """Pressed right after a number that is not taken, it runs nothing with the one before."""
    own_page.goto(at("/select", config={"n_samples": 7, "strategies": [RANDOM]}))
    form = own_page.get_by_label("New selection")
    field, button = form.get_by_label("Samples", exact=True), form.get_by_role("button", name="Select", exact=True)
    expect(button).to_be_enabled()
    posts: list[str] = []
    own_page.on("request", lambda one: posts.append(one.url) if one.method == "POST" else None)
    field.fill("0")
    button.click()
    expect(form).to_contain_text("Takes whole numbers from 1, not 0.")
    expect(field).to_be_focused()
    assert not [url for url in posts if url.endswith("/api/selections")]


def test_an_odd_page_of_picks_is_the_first_or_the_last(own_page: Page) -> None:
    """Whatever the address says, picks are shown, with a way to the others."""
    run = _run(own_page, "many", 50)
    shown = own_page.locator(".pager").first
    for odd in ("abc", "-5", "", "-inf", "1e999", "999", "50"):
        own_page.goto(at("/select", run=run, **{"from": odd}))
        expect(shown).to_contain_text("49 to 50 of 50" if odd in {"1e999", "999", "50"} else "1 to 24 of 50")
    expect(own_page.locator(".pick")).to_have_count(2)
    own_page.get_by_role("button", name="Earlier picks").first.click()
    expect(shown).to_contain_text("25 to 48 of 50")


def test_picked_objects_have_pictures_on_every_page(own: Path, own_page: Page) -> None:
    """Several objects of a picture are several picks, and a pick opens its sample with that object."""
    select = {"level": "objects", "task": "street-objects"}
    config = json.dumps({"n_samples": 30, "select": select, "strategies": [RANDOM]})
    run = _run(own_page, "objects", 24, config=config)
    own_page.get_by_role("button", name="Later picks").first.click()
    expect(own_page.locator(".pick")).to_have_count(6)
    expect(own_page.locator(".pick a.card .card-name")).to_have_count(6)
    named = (own / ".lightly/tamis/jobs" / run / "out/selected.txt").read_text().splitlines()[24]
    own_page.locator(".pick a.card").first.click()
    key, task, position = named.rsplit("#", 2)
    own_page.wait_for_url(lambda url: f"object={position}%3A{task}" in url)
    expect(own_page.locator("h1")).to_have_attribute("title", key)


def test_a_pick_that_is_gone_is_named(own: Path, own_page: Page) -> None:
    """A sample that a newer scan did not find has no picture, and says so; the others keep theirs."""
    _run(own_page, "before", 3)
    gone = _names(own_page)[1]
    kept = (own / gone).read_bytes()
    (own / gone).unlink()
    answer("scan", own)
    expect(own_page.locator(".pick").nth(1)).to_contain_text("Not in the datasource any more")
    assert _names(own_page)[1] == gone
    expect(own_page.locator(".pick a.card")).to_have_count(2)
    (own / gone).write_bytes(kept)
    answer("scan", own)
    expect(own_page.locator(".pick a.card")).to_have_count(3)


def test_a_name_that_no_pool_can_have_is_said_in_words(own_page: Page) -> None:
    """The picks join no pool, and the field says what its name may be made of; a better name is taken then."""
    _run(own_page, "for a pool", 2)
    field = own_page.get_by_label("Pool: what is selected already")
    add = own_page.get_by_role("button", name="Add the picks")
    field.fill("round 1")
    add.click()
    expect(own_page.get_by_role("alert")).to_have_text(
        re.compile("^round 1 cannot be the name of a pool.*use letters")
    )
    field.fill("round-1")
    add.click()
    expect(own_page.locator("[role=status]", has_text="round-1")).to_have_text("round-1 has 2 members now.")
    expect(own_page.get_by_role("alert")).to_have_count(0)
