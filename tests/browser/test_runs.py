"""Runs of selections: started once, told apart, changed by hand, deleted."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from browsing import at
from real_data import answer

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

RANDOM = {"input": {"type": "RANDOM"}, "strategy": {"type": "WEIGHTS"}}


@pytest.fixture(scope="module")
def own(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo, for runs of its own."""
    root = tmp_path_factory.mktemp("runs") / "demo"
    shutil.copytree(demo, root, ignore=shutil.ignore_patterns("selection", "jobs"))
    answer("scan", root)
    return root


def _config(n: int) -> str:
    return json.dumps({"n_samples": n, "strategies": [RANDOM]})


def _run(page: Page, title: str, n: int, **more: Any) -> str:
    """Run a selection, open it, and return its id."""
    asked = {"config": _config(n), "title": title, **more}
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
