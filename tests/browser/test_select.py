"""From the form to the file: a selection in the page is the one that the command line makes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from browsing import at, opened, serving
from real_data import answer
from web_data import until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


SIMILAR = {"input": {"type": "EMBEDDINGS", "tag_name": ""}, "strategy": {"type": "SIMILARITY"}}


def _select(page: Page, title: str, n: int) -> str:
    """Fill in the form as it stands, run it, and return the id of the run."""
    page.goto("/select")
    form = page.get_by_label("New selection")
    form.get_by_label("Samples", exact=True).fill(str(n))
    form.get_by_label("Samples", exact=True).press("Enter")
    form.get_by_label("Name of this selection").fill(title)
    expect(form.locator(".yaml pre")).to_contain_text(f"n_samples: {n}")
    form.get_by_role("button", name="Select", exact=True).click()
    expect(page.get_by_role("heading", name="Picks", exact=True)).to_be_visible()
    return parse_qs(urlsplit(page.url).query)["run"][0]


def _downloaded(page: Page, file_format: str) -> str:
    page.get_by_label("Format").select_option(file_format)
    with page.expect_download() as started:
        page.get_by_role("link", name="Download").click()
    return Path(started.value.path()).read_text()


def _names(page: Page, count: int) -> list[str]:
    """Return the names of the picks that are shown, once there are as many as expected."""
    names = page.locator(".pick .card-name")
    expect(names).to_have_count(count)
    titles: list[str] = names.evaluate_all("all => all.map((one) => one.title)")
    return titles


def test_the_exported_names_are_the_command_lines(own: Path, own_page: Page, tmp_path: Path) -> None:
    """The form's own config picks in the page what `tamis select` picks, in the same order."""
    _select(own_page, "round 1", 9)
    names = _downloaded(own_page, "names").splitlines()
    (tmp_path / "config.yaml").write_text(_downloaded(own_page, "config"))
    document = answer("select", own, "--config", tmp_path / "config.yaml", "--out", tmp_path / "out")
    assert names == (tmp_path / "out/selected.txt").read_text().splitlines()
    assert len(names) == 9
    assert _names(own_page, 9) == names
    expect(own_page.locator(".pick").first).to_contain_text(document["picks"][0]["why"].split(";")[0])


def test_coco_and_other_files_hold_the_picks(own_page: Page) -> None:
    """Exports for labelling tools name the images that were picked, and no others."""
    _select(own_page, "export", 4)
    names = set(_downloaded(own_page, "names").splitlines())
    own_page.get_by_label("Format").select_option("coco")
    own_page.get_by_label("Predictions of").select_option("street-objects")
    document = json.loads(_downloaded(own_page, "coco"))
    assert {image["file_name"] for image in document["images"]} == names
    assert len(json.loads(_downloaded(own_page, "label-studio"))) == 4
    assert _downloaded(own_page, "report").startswith("<!")


def test_what_the_page_exports_is_what_the_command_line_exports(own: Path, own_page: Page, tmp_path: Path) -> None:
    """The same bytes of predictions in every format."""
    run = _select(own_page, "to take away", 5)
    selected = own / ".lightly/tamis/jobs" / run / "out/selected.txt"
    own_page.get_by_label("Format").select_option("coco")
    own_page.get_by_label("Predictions of").select_option("street-objects")
    for kind in ("coco", "coco-results", "label-studio", "cvat", "csv", "jsonl"):
        shown = _downloaded(own_page, kind)
        answer("export", kind, own, "--task", "street-objects", "--selection", selected, "--out", tmp_path / kind)
        assert shown == (tmp_path / kind).read_text(), kind
        assert kind == "coco-results" or all(name in shown for name in selected.read_text().split())


def test_a_run_can_be_cancelled_where_its_progress_is_shown(own: Path, own_page: Page) -> None:
    """Cancel ends even a worker that hears nothing; the run says so, and there are no picks."""
    own_page.goto("/select")
    before = set((own / ".lightly/tamis/jobs").glob("*"))
    form = own_page.get_by_label("New selection")
    form.get_by_label("Name of this selection").fill("second thoughts")
    form.get_by_role("button", name="Select", exact=True).click(no_wait_after=True)
    worker = _stopped_worker(own / ".lightly/tamis/jobs", before)
    own_page.locator(".wide-work").get_by_role("button", name="Cancel").click()
    expect(own_page.get_by_text("This selection was cancelled")).to_be_visible(timeout=20_000)
    expect(own_page.get_by_role("heading", name="Picks", exact=True)).to_have_count(0)
    until(lambda: _has_ended(worker))


def _has_ended(process: int) -> bool:
    try:
        return "State:\tZ" in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return True


def _stopped_worker(jobs: Path, before: set[Path]) -> int:
    """Halt the worker of the next job as soon as it says which process it is, and return that."""
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline:
        for pid in {*jobs.glob("*")} - before:
            if (pid / "pid").exists():
                number = int((pid / "pid").read_text())
                os.kill(number, signal.SIGSTOP)
                return number
    raise AssertionError("no job was started")


def test_pins_and_rejections_are_heeded_when_run_again(own_page: Page) -> None:
    """A pinned pick stays and comes first, a rejected one does not come back, and the number stays."""
    first = _select(own_page, "by hand", 6)
    picks = own_page.locator(".pick")
    titles = _names(own_page, 6)
    pinned, rejected = titles[4], titles[1]
    own_page.get_by_role("button", name=f"Pin {pinned}").click()
    own_page.get_by_role("button", name=f"Reject {rejected}").click()
    own_page.get_by_role("button", name="Select again with these").click()
    own_page.wait_for_url(lambda url: "run=" in url and first not in url)
    expect(picks.first.locator(".badge")).to_have_text("pinned")
    again = _names(own_page, 6)
    assert again[0] == pinned
    assert rejected not in again
    own_page.get_by_label("Compare with").select_option(first)
    facts = own_page.locator(".fact")
    n_both = len(set(titles) & set(again))
    expect(facts.filter(has_text="Both picked").locator("a")).to_have_text(str(n_both))
    expect(facts.filter(has_text="Only A").locator("a")).to_have_text(str(6 - n_both))


def test_a_run_survives_a_new_server(browser: Browser, own: Path) -> None:
    """What one server selected is listed by the next, with its picks."""
    with serving(own) as address, opened(browser, address) as page:
        _select(page, "kept for later", 3)
    with serving(own) as address, opened(browser, address) as page:
        page.goto("/select")
        page.get_by_role("link", name=re.compile("kept for later")).click()
        expect(page.locator(".pick")).to_have_count(3)
        expect(page.locator(".curves").first).to_be_visible()


def test_faults_of_a_config_are_named_and_nothing_runs(own_page: Page) -> None:
    """A misspelt word in the YAML is pointed at, and the button waits until it is mended."""
    own_page.goto(
        at("/select", config="n_samples: 5\nstrategies:\n- input: {type: RANDOM}\n  strategy: {type: WEIGHT}\n")
    )
    expect(own_page.get_by_role("alert")).to_contain_text("did you mean WEIGHTS?")
    button = own_page.get_by_role("button", name="Select", exact=True)
    expect(button).to_be_disabled()
    field = own_page.get_by_label("Config", exact=True)
    field.fill(field.input_value().replace("WEIGHT}", "WEIGHTS}"))
    expect(button).to_be_enabled()
    own_page.get_by_role("button", name="Form").click()
    expect(own_page.get_by_label("Input")).to_have_value("RANDOM")


def test_a_filter_narrows_the_candidates(own_page: Page) -> None:
    """Candidates of a selection within a filter are those that the grid counts."""
    known = {"type": "file", "task": "street-objects"}  # without a file there is no score to decide by
    own_page.goto(at("/grid", filter=[{"type": "path", "text": "harbour"}, known]))
    total = own_page.locator(".view-head .total")
    expect(total).to_contain_text("of 120")
    n = total.inner_text().split()[0]
    own_page.get_by_role("link", name="Select from these").click()
    own_page.get_by_role("button", name="Select", exact=True).click()
    expect(own_page.locator(".fact").filter(has_text="Candidates").locator("dd")).to_contain_text(n)


def test_a_query_is_a_sample_or_a_file_and_the_same_in_form_and_yaml(own: Path, own_page: Page) -> None:
    """What is asked for is written as a name with offers, stays through the YAML, and is picked first."""
    key = "harbour/img_0051.jpg"
    (own / "queries.txt").write_text(f"{key}\n")
    own_page.goto(at("/select", config=json.dumps({"n_samples": 1, "strategies": [SIMILAR]})))
    form = own_page.get_by_label("New selection")
    field = form.get_by_label("Sample, or file below the datasource")
    field.fill("img_0051")
    expect(form.locator("datalist option")).to_have_count(1)
    expect(form.locator("datalist option")).to_have_attribute("value", key)
    for query in (key, "queries.txt"):
        field.fill(query)
        expect(form.locator(".yaml pre")).to_contain_text(f"tag_name: {query}")
        form.get_by_role("button", name="YAML").click()
        expect(form.locator("textarea")).to_have_value(re.compile(f"tag_name: {query}"))
        form.get_by_role("button", name="Form").click()
        expect(field).to_have_value(query)
    form.get_by_role("button", name="Select", exact=True).click()
    assert _names(own_page, 1) == [key]


def test_a_query_that_is_nothing_is_said_at_once(own_page: Page) -> None:
    """No run begins, and the form says what a query can be."""
    other = {**SIMILAR, "input": {"type": "EMBEDDINGS", "tag_name": "/etc/hostname"}}
    own_page.goto(at("/select", config=json.dumps({"n_samples": 1, "strategies": [other]})))
    own_page.get_by_role("button", name="Select", exact=True).click()
    alert = own_page.get_by_role("alert")
    expect(alert).to_contain_text("is no sample, tag or pool, and no file below the datasource")
    expect(alert).to_contain_text("queries/dark.jpg")


def test_what_was_typed_stays_when_a_scan_is_found(own: Path, own_page: Page) -> None:
    """A newer scan changes what is shown, not what somebody is writing."""
    own_page.goto("/select")
    form = own_page.get_by_label("New selection")
    form.get_by_label("Name of this selection").fill("half a na")
    form.get_by_role("button", name="YAML").click()
    before = own_page.request.get("/api/status").json()["snapshot"]
    with own_page.expect_response(lambda response: "/api/overview" in response.url and response.ok):
        shutil.copy(own / "harbour/img_0051.jpg", own / "harbour/meanwhile.jpg")
        answer("scan", own)
    assert own_page.request.get("/api/status").json()["snapshot"] != before
    expect(form.get_by_label("Name of this selection")).to_have_value("half a na")
    expect(form.locator("textarea")).to_be_visible()
    (own / "harbour/meanwhile.jpg").unlink()
    answer("scan", own)


def test_duplicates_are_left_out_once_the_embeddings_are_there(own: Path, own_page: Page) -> None:
    """Form and YAML say the same; where embeddings are missing the page makes them, and then selects."""
    shutil.copy(own / "harbour/img_0051.jpg", own / "harbour/later.jpg")
    answer("scan", own)
    own_page.goto("/select")
    form = own_page.get_by_label("New selection")
    form.get_by_label("Leave out images that repeat others").check()
    expect(form.locator(".yaml pre")).to_contain_text("without_duplicates: true")
    distance = form.get_by_label("Largest distance")
    expect(distance).to_have_attribute("placeholder", "0.4")
    distance.fill("0.25")
    distance.press("Enter")
    form.get_by_role("button", name="YAML").click()
    text = form.locator("textarea")
    expect(text).to_have_value(re.compile("without_duplicates: 0.25"))
    text.fill(text.input_value().replace("0.25", "0").replace("n_samples: 20", "n_samples: 200"))
    expect(form.locator(".yaml pre")).to_contain_text("n_samples: 200")
    form.get_by_role("button", name="Form").click()
    expect(distance).to_have_value("0")
    expect(form).to_contain_text("which no sample has yet")
    expect(form.get_by_role("button", name="Select", exact=True)).to_be_disabled()
    form.get_by_role("button", name="Make the embeddings").click()
    expect(form.get_by_text("which no sample has yet")).to_have_count(0)
    form.get_by_role("button", name="Select", exact=True).click()
    expect(own_page.get_by_role("heading", name="Picks", exact=True)).to_be_visible()
    names = _downloaded(own_page, "names").splitlines()
    assert len({"harbour/img_0051.jpg", "harbour/later.jpg"} & set(names)) == 1
    own_page.get_by_role("link", name="Change the config").click()
    form.get_by_role("button", name="Form").click()
    form.get_by_label("Leave out images that repeat others").uncheck()
    expect(form.locator(".yaml pre")).not_to_contain_text("select")
