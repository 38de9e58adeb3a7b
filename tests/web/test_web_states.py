"""What is missing, broken or changing is a state with words, never a bug."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

import tamis
from tamis.api.browsing.values import Status
from tamis.api.browsing.values_samples import SamplePage
from tamis.api.browsing.view import View
from tamis.index import Index, open_tables
from tamis.web.app import ENDPOINTS
from web_data import NEEDS, Asker, build, decode, png_of, served, until

if TYPE_CHECKING:
    from pathlib import Path


def _answers(page: Asker) -> dict[str, int]:
    """Ask every GET, and return how each was answered."""
    statuses = {}
    for endpoint in ENDPOINTS:
        if endpoint.method == "GET":
            names = endpoint.request.__struct_fields__
            query = {name: value for name, value in NEEDS.items() if name in names}
            answer = page.client.get(endpoint.path, params=query)
            if answer.status_code >= 400:
                assert set(answer.json()) == {"code", "message", "hint"}, endpoint.path
                assert answer.json()["code"] != "internal", (endpoint.path, answer.text)
            statuses[endpoint.path] = answer.status_code
    return statuses


def test_a_datasource_that_was_never_scanned(tmp_path: Path) -> None:
    """The page says so and offers the scan, after which it shows the samples."""
    (tmp_path / "one.png").write_bytes(png_of(np.random.default_rng(0)))
    with served(tmp_path) as page:
        status = decode(page.get("status"), Status)
        assert (status.state, status.snapshot, status.hint) == ("missing", None, "scan it")
        answers = _answers(page)
        assert answers["/api/samples"] == answers["/api/overview"] == 409
        assert page.wait(page.post("scan"))["state"] == "done"
        page.wait_for("ready")
        assert page.listed() == ["one.png"]
        assert page.read("overview")["tasks"] == []
        assert set(_answers(page).values()) <= {200, 400, 404, 409}


def test_an_empty_datasource(tmp_path: Path) -> None:
    """Nothing at all is a page of nothing."""
    tamis.open(tmp_path).scan(tamis.ScanOptions(workers=1))
    with served(tmp_path) as page:
        assert page.listed() == []
        assert set(_answers(page).values()) <= {200, 400, 404}


def test_everything_answers(page: Asker) -> None:
    """Every GET of a whole datasource answers, or says what is not there."""
    assert set(_answers(page).values()) <= {200, 400, 404}


def test_a_damaged_index(tmp_path: Path) -> None:
    """An index that cannot be read is said to be so, with what to do."""
    root = build(tmp_path, n_images=6) / ".lightly/tamis"
    (root / "latest").write_text("no such id!")
    with served(tmp_path) as page:
        status = decode(page.get("status"), Status)
        assert status.state == "broken"
        assert "tamis scan --full" in (status.hint or "")
        assert page.get("samples").json()["code"] == "no-index"


def test_an_index_that_vanishes_while_it_is_looked_at(tmp_path: Path) -> None:
    """What is mapped goes on answering; what is read again says that it is gone."""
    folder = build(tmp_path, n_images=6)
    with served(folder) as page:
        shutil.rmtree(folder / ".lightly/tamis")
        assert set(_answers(page).values()) <= {200, 400, 404, 409, 503}
        page.wait_for("broken")
        assert page.read("status")["message"] == "The index is gone"


def test_damaged_arrays_are_made_anew(tmp_path: Path) -> None:
    """The arrays of the page are no truth: broken ones are replaced."""
    folder = build(tmp_path, n_images=6)
    with served(folder) as page:
        keys = page.listed()
    for path in (folder / ".lightly/tamis/browse").rglob("posting_row.npy"):
        path.write_bytes(b"broken")
    with served(folder) as page:
        assert page.listed() == keys
        assert page.read("objects", task="boxes")["total"] > 0


def test_a_sample_page_comes_before_the_predictions(datasource: Path, page: Asker) -> None:
    """While predictions are read, samples can be paged by key, and all else says that it is loading."""
    snapshot = Index(datasource / ".lightly/tamis").latest()
    assert snapshot is not None
    tables = open_tables(snapshot)
    assert tables is not None
    early = View(snapshot, tables[0], lists=None)  # type: ignore[arg-type]  # no filter asks for a list
    browser = page.project.browser
    whole = browser._view  # noqa: SLF001 (a state that lasts milliseconds here)
    try:
        browser._view = early  # noqa: SLF001
        first = decode(page.get("samples", limit=3), SamplePage)
        assert (len(first.samples), first.complete) == (3, False)
        assert page.get("counts").json()["code"] == "loading"
        assert page.get("overview").json()["code"] == "loading"
        assert page.get("samples", sort="metadata:Speed").status_code == 200
    finally:
        browser._view = whole  # noqa: SLF001
    assert page.get("counts").status_code == 200


def test_a_newer_scan_is_read_while_the_older_one_answers(tmp_path: Path) -> None:
    """Nothing has to wait for it: the state says how far reading is, and stays ready."""
    folder = build(tmp_path, n_images=6)
    with served(folder) as page:
        browser, told = page.project.browser, list[Status]()
        browser.changed = lambda: told.append(browser.status())
        before = browser.status()
        (folder / "later.png").write_bytes(png_of(np.random.default_rng(1)))
        tamis.open(folder).scan(tamis.ScanOptions(workers=1))
        browser.look_again()
        until(lambda: browser.status().samples == before.samples + 1 and browser.status().message is None)
        assert {status.state for status in told} == {"ready"}
        assert any("Reading the predictions of" in (status.message or "") for status in told)


@pytest.mark.parametrize("path", ["/api/samples", "/api/status"])
def test_other_methods_are_refused(page: Asker, path: str) -> None:
    """A route has one method."""
    for method in ("PUT", "DELETE", "PATCH", "POST"):
        answer = page.client.request(method, path, json={})
        assert answer.status_code in {404, 405}
