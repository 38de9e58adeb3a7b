"""Overview, objects, embedding, problems and SQL show what the command line and the files say."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from browsing import at, opened
from real_data import answer
from tamis import open as open_datasource

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page


# Where the uppermost point is drawn.
FIRST_POINT = """canvas => {
    const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let i = 0;
    while (data[i] === data[0] && data[i + 1] === data[1]) i += 4;
    return [(i / 4) % width, Math.floor(i / 4 / width) + 2];
}"""

NUMBERS = """SELECT 1234 AS a, 1795964884959054543 AS b, -9007199254740993::HUGEINT AS c, 1e300::DOUBLE AS d,
0.1234567890123::DOUBLE AS e, 12.5::DECIMAL(4, 2) AS f, 'nan'::DOUBLE AS g, {'a': 1} AS h"""


def _spaced(n: int) -> str:
    return f"{n:,}".replace(",", "\u2009")


def test_the_overview_counts_as_check_does(coco: Path, coco_page: Page) -> None:
    """Samples, predictions, problems and the most frequent class are those of `tamis check` and the files."""
    report = answer("check", coco)
    coco_page.goto("/")
    facts = coco_page.locator(".fact")
    expect(facts.filter(has_text="Samples").locator("dd")).to_contain_text("128")
    expect(facts.filter(has_text="Predictions").locator("dd")).to_contain_text(
        _spaced(sum(task["predictions"] for task in report["tasks"].values()))
    )
    expect(facts.filter(has_text="Problems").locator("dd")).to_contain_text(f"{report['warnings']} warnings")
    files = (coco / ".lightly/predictions/nanodet").glob("0*.json")
    n = sum(one["category_id"] == 0 for file in files for one in json.loads(file.read_text())["predictions"])
    row = coco_page.get_by_label("Classes of nanodet").locator("li").first
    expect(row).to_contain_text("class 0")
    expect(row).to_contain_text(_spaced(n))
    row.click()
    expect(coco_page).to_have_url(re.compile("/grid"))


def test_objects_are_filtered_by_class_and_lead_to_their_sample(coco: Path, coco_page: Page) -> None:
    """As many crops as the files have objects of the class; a click opens the sample with that object."""
    rows = [
        one
        for file in (coco / ".lightly/predictions/nanodet").glob("0*.json")
        for one in json.loads(file.read_text())["predictions"]
        if one["category_id"] == 5
    ]
    coco_page.goto(at("/objects", task="nanodet"))
    coco_page.get_by_label("Search classes of nanodet").fill("class 5")
    coco_page.get_by_label("Classes of nanodet", exact=True).get_by_text("class 5", exact=True).click()
    expect(coco_page.locator(".view-head .total")).to_have_text(f"{len(rows)} objects")
    first = coco_page.locator('.virtual-cell[data-index="0"] a')
    expect(first.locator(".card-value")).to_have_text(f"{max(one['score'] for one in rows):.2f}")
    expect(first.locator("img")).to_have_js_property("complete", value=True)
    assert first.locator("img").evaluate("image => image.naturalWidth") > 0
    first.click()
    expect(coco_page.locator("button.object[aria-expanded=true]")).to_contain_text("class 5")
    assert coco_page.title().endswith(" · Sample · tamis")
    assert coco_page.title().startswith(coco_page.locator("h1").inner_text().rpartition("/")[2])
    coco_page.locator(".sample-head").get_by_role("link", name="Objects").click()
    expect(coco_page.locator(".view-head .total")).to_have_text(f"{len(rows)} objects")


def test_a_lasso_around_everything_takes_everything_with_a_place(page: Page) -> None:
    """What the lasso encloses is the filter of the grid; hovering a point shows its picture."""
    page.goto("/embedding")
    plot = page.locator(".plot")
    expect(plot).to_be_visible()
    n = int(re.sub(r"\D", "", page.locator(".view-head .total").inner_text()))
    box = plot.bounding_box()
    assert box is not None
    right, bottom = box["x"] + box["width"] - 4, box["y"] + box["height"] - 4
    page.mouse.move(box["x"] + 4, box["y"] + 4)
    page.mouse.down()
    for x, y in ((right, box["y"] + 4), (right, bottom), (box["x"] + 4, bottom), (box["x"] + 4, box["y"] + 8)):
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    expect(page.locator(".view-head .total")).to_contain_text(f"{n} in the filter")
    page.get_by_role("link", name="Show in the grid").click()
    expect(page.locator(".view-head .total")).to_have_text("120 samples" if n == 120 else f"{n} of 120 samples")
    [condition] = json.loads(parse_qs(urlsplit(page.url).query)["filter"][0])
    assert condition["type"] == "lasso"


def test_a_point_shows_its_picture(page: Page) -> None:
    """The pointer over a point brings up the picture of the sample, and a click opens it."""
    page.goto("/embedding")
    plot = page.locator(".plot canvas")
    expect(plot).to_be_visible()
    point = plot.evaluate(FIRST_POINT)
    page.locator(".plot").hover(position={"x": point[0], "y": point[1]})
    hint = page.locator(".plot-hint img")
    expect(hint).to_be_visible()
    name = page.locator(".plot-hint p").inner_text().strip()
    page.mouse.down()
    page.mouse.up()
    expect(page.locator("h1")).to_have_attribute("title", name)


def test_problems_are_those_of_check(demo: Path, page: Page) -> None:
    """Each group of `tamis check` is there with its count and hint, and its places lead to samples."""
    report = answer("check", demo)
    page.goto("/problems")
    groups = page.locator(".problem-group")
    expect(groups).to_have_count(len(report["problems"]))
    for group in report["problems"]:
        shown = groups.filter(has=page.get_by_text(group["code"], exact=True)).filter(has_text=group["task"] or "")
        expect(shown.first).to_contain_text(group["hint"].replace("`", ""))
        expect(shown.first.locator("header")).to_contain_text(_spaced(group["count"]))
    broken = groups.filter(has=page.get_by_text("category-unknown", exact=True))
    broken.get_by_role("button", name="Show places").click()
    broken.get_by_role("link", name="写真-0075.json").click()
    expect(page.locator("h1")).to_have_attribute("title", "駅前/写真-0075.jpg")


def test_a_query_is_a_table_and_a_filter(demo: Path, page: Page) -> None:
    """Rows of a query are shown as they are, and its samples in the grid."""
    query = 'SELECT sample, n_predictions FROM "street-objects".sample_scores WHERE n_predictions > 8'
    rows = open_datasource(demo).sql(query).fetchall()
    page.goto("/sql")
    page.get_by_label("Query").fill(query)
    page.keyboard.press("Control+Enter")
    expect(page.locator("table.result tbody tr")).to_have_count(len(rows))
    page.get_by_role("link", name="Show these samples in the grid").click()
    expect(page.locator(".view-head .total")).to_have_text(f"{len(rows)} of 120 samples")


def test_numbers_of_a_query_keep_their_digits(page: Page) -> None:
    """No number is rounded or grouped: what is shown can be pasted into a query; numbers stand to the right."""
    page.goto(at("/sql", query=NUMBERS))
    cells = page.locator("table.result td")
    expect(cells).to_have_text(
        ["1234", "1795964884959054543", "-9007199254740993", "1e+300", "0.1234567890123", "12.50", "nan", '{"a":1}']
    )
    assert [cell.evaluate("cell => cell.className") for cell in cells.all()] == ["n"] * 7 + [""]


def test_a_wrong_query_is_explained_and_a_writing_one_refused(page: Page) -> None:
    """A fault of a query is shown in words; nothing can be written."""
    for query in ("SELECT nothing FROM samples", "DROP VIEW samples", "COPY samples TO '/tmp/out.csv'"):
        page.goto(at("/sql", query=query))
        expect(page.get_by_role("alert")).to_be_visible()
        assert len(page.get_by_role("alert").inner_text()) > 20


def test_objects_of_poses_and_a_video_have_crops(browser: Browser, car_address: str) -> None:
    """Objects of video frames are cut out of decoded frames."""
    with opened(browser, car_address) as page:
        page.goto("/objects")
        image = page.locator('.virtual-cell[data-index="0"] img')
        expect(image).to_have_js_property("complete", value=True)
        assert image.evaluate("image => image.naturalWidth") > 20
