from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies_report import BOXES, DETECTOR, FakePicture, detector_input, jpeg, report_inputs
from tamis.api.report.build import build_report
from tamis.api.report.inputs import LabelInput, NumberInput, ReportOptions
from tamis.api.report.render import render_html
from tamis.api.report.text import shown
from tamis.api.report.values import LeftOut, ProblemCount, Reason, decode_report, encode_report
from tamis.model import Category, Prediction, Task, TaskType

_VOID = {"meta", "img", "input", "link", "br", "base", "hr"}


class Page(HTMLParser):
    """A page taken apart: its elements, its text, and whether its tags nest."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, *tags: str) -> str:
        return "".join(data for tag, data in self.texts if not tags or tag in tags)

    @property
    def words(self) -> str:
        """The text that a reader sees, spaces folded."""
        hidden = {"style", "script", "title", "desc"}
        return " ".join(" ".join(data for tag, data in self.texts if tag not in hidden).split())


def page_of(options: ReportOptions | None = None, **changes: Any) -> Page:
    return Page(render_html(build_report(report_inputs(**changes), options)))


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; onload='alert(1)",
    "</style></svg></title><script>x</script>",
    "{{ 7 * 7 }} {% raw %}",
    "חתול/שלום.jpg",
    "🐈‍⬛ 猫 é.jpg",
    "a&amp;b &lt; c",
    "back\\slash\tand\x1b[31m\nline",
    "\u202egpj.exe",
]


def hostile_page(name: str) -> Page:
    """A page where `name` stands for everything that comes from the data."""
    task = Task(
        name=name,
        task_type=TaskType.OBJECT_DETECTION,
        categories=(Category(id=2, name=name), Category(id=7, name=name + "2")),
    )
    return page_of(
        source=name,
        config=name,
        keys=[f"{name}{i}" for i in range(6)],
        stopped=name,
        embeddings_name=name,
        left_out=[LeftOut(reason=name, count=1)],
        reasons=lambda _: (Reason(strategy=name, sentence=name, share=0.5),),
        tasks=[detector_input(task=task)],
        numbers=[NumberInput(label=name, values=np.arange(6.0))],
        labels=[LabelInput(label=name, names=[name], codes=np.zeros(6, np.int64))],
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_wherever_they_stand(name: str) -> None:
    """Whatever a name holds, the page has the elements of a page with a plain name, and shows the name."""
    page, plain = hostile_page(name), hostile_page("x")
    kinds = [(tag, sorted(attributes)) for tag, attributes in page.elements]
    assert kinds == [(tag, sorted(attributes)) for tag, attributes in plain.elements]
    assert f"{shown(name)}4" in page.text("bdi")
    assert shown(name) in page.text("h3")
    assert name.replace("\r", "\n") in page.text("pre")
    keys = [attributes["alt"] for attributes in page.named("img")]
    assert f"{shown(name)}4" in keys


@settings(max_examples=15, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_any_name_is_text(name: str) -> None:
    """No text at all changes the elements of the page."""
    page, plain = hostile_page(name), hostile_page("x")
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]


def test_the_page_loads_nothing() -> None:
    """Every source is a data URI, every link stays on the page, and the policy forbids all else."""
    html = render_html(build_report(report_inputs()))
    page = Page(html)
    sources = [a.get("src") or "" for tag in ("img", "script", "image", "iframe") for a in page.named(tag)]
    assert all(source.startswith("data:image/") for source in sources if source)
    assert all((a["href"] or "").startswith("#") for a in page.named("a"))
    assert page.named("link") == []
    assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttp|eval\(|innerHTML", html)
    (policy,) = [a["content"] for a in page.named("meta") if a.get("http-equiv")]
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'; ")


def test_the_policy_allows_the_page_its_own_script_only() -> None:
    """The one script is the one whose hash the policy names: any other byte in it and it would not run."""
    page = page_of()
    assert page.named("script") == [{}]
    digest = b64encode(sha256(page.text("script").encode()).digest()).decode()
    (policy,) = [a["content"] for a in page.named("meta") if a.get("http-equiv")]
    assert policy is not None
    assert f"script-src 'sha256-{digest}'" in policy
    handlers = [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert handlers == []


def test_links_and_labels_lead_somewhere() -> None:
    """Ids are unique, and every link and label names one."""
    page = page_of(tasks=[detector_input(), detector_input()])
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [(a["href"] or "")[1:] for a in page.named("a")]
    targets += [a["for"] or "" for a in page.named("label") if "for" in a]
    assert targets
    assert set(targets) <= set(ids)


def test_the_page_holds_the_pictures() -> None:
    """The bytes of each picture are in the page as they are in the report."""
    report = build_report(report_inputs())
    page = Page(render_html(report))
    images = [(a["src"] or "").split(",", 1) for a in page.named("img")]
    assert [b64decode(data) for _, data in images] == list(report.blobs.values())
    assert {kind for kind, _ in images} == {"data:image/jpeg;base64"}


def test_a_report_read_back_renders_without_pictures() -> None:
    """The JSON alone gives the same page, but for the pictures, which it says are not there."""
    report = build_report(report_inputs())
    page = Page(render_html(decode_report(encode_report(report))))
    assert page.named("img") == []
    assert page.words.count("the picture is not part of this file") == 2
    with_pictures = Page(render_html(report)).words
    assert page.words.replace("the picture is not part of this file ", "") == with_pictures


def test_the_header_says_what_was_asked_and_done() -> None:
    """Source, date, numbers, embeddings, end, config and left out samples are all on the page."""
    words = page_of(n_requested=5, stopped="all candidates are taken").words
    for part in (
        "2 of 4 samples to label next",
        "/data/street · 2026-01-02 03:04 UTC",
        "picked 2 5 asked for",
        "candidates 4 of 6 samples",
        "picked before (pool) 1",
        "two.npy",
        "The run ended before 5 picks: all candidates are taken",
        "n_samples: 2",
        "no score 1",
        "error score-range 3 expected less",
        "far from 1 others",
        "dog 0.88",
        "cat 0.25",
    ):
        assert part in words


def test_a_capped_gallery_says_so() -> None:
    """When not every pick is shown, the page says how many are."""
    sentence = "The first 1 of 2 picks are shown; selected.txt lists all."
    assert sentence in page_of(ReportOptions(max_pictures=1)).words
    assert "are shown" not in page_of().words


def test_boxes_are_drawn_where_they_are() -> None:
    """A box is a rectangle in the pixels of the original picture, with its label and score."""
    html = render_html(build_report(report_inputs()))
    page = Page(html)
    assert {a["viewbox"] for a in page.named("svg") if a.get("class") == "marks"} == {"0 0 100 80"}
    boxes = [a for a in page.named("rect") if (a.get("class") or "").startswith("box")]
    assert len(boxes) == 4
    for box, prediction in zip(boxes[:2], BOXES, strict=True):
        assert prediction.bbox is not None
        assert [float(box[n] or "") for n in ("x", "y", "width", "height")] == list(prediction.bbox)
    assert ["weak" in (box["class"] or "") for box in boxes[:2]] == [True, False]


def test_labels_never_cover_each_other() -> None:
    """Of boxes in one place only the surest is labelled; boxes apart are all labelled."""

    def labels(*boxes: tuple[float, float, float, float]) -> list[str]:
        predictions = [Prediction(category_id=7, bbox=box, score=0.9 - i / 10) for i, box in enumerate(boxes)]
        page = page_of(
            ReportOptions(max_pictures=1),
            tasks=[detector_input(predictions=lambda _: predictions)],
            picture=lambda _: FakePicture(jpeg(), 1000, 1000),
        )
        return re.findall(r"dog \d\.\d\d", "|".join(t for tag, t in page.texts if tag == "text"))

    assert labels((100, 100, 50, 50), (102, 101, 50, 50)) == ["dog 0.90"]
    assert sorted(labels((100, 100, 50, 50), (100, 600, 50, 50))) == ["dog 0.80", "dog 0.90"]


def test_keypoints_are_drawn_with_their_skeleton() -> None:
    """Each keypoint with a confidence is a dot, each bone between two such a line; confidence 0 is no dot."""
    person = Category(id=2, name="person", keypoint_skeleton=((0, 1), (1, 2), (0, 9)))
    task = Task(name="pose", task_type=TaskType.KEYPOINT_DETECTION, categories=(person,))
    prediction = Prediction(category_id=2, keypoints=(10.0, 20.0, 0.9, 30.0, 40.0, 0.5, 0.0, 0.0, 0.0), score=0.8)
    page = page_of(
        ReportOptions(max_pictures=1),
        tasks=[detector_input(task=task, category_id=np.full(12, 2), predictions=lambda _: [prediction])],
    )
    dots = [(a["cx"], a["cy"]) for a in page.named("circle") if "opacity" in a]
    assert dots == [("10.0", "20.0"), ("30.0", "40.0")]
    bones = [a["d"] for a in page.named("path") if a.get("class") == "bone"]
    assert bones == ["M10.0,20.0L30.0,40.0"]


def _no_picks() -> dict[str, Any]:
    inputs = report_inputs()
    strategies = [replace(s, shares=None if s.shares is None else s.shares[:0]) for s in inputs.strategies]
    return {"picks": np.array([], np.int64), "strategies": strategies}


_EMPTY: dict[str, tuple[dict[str, Any], str]] = {
    "no picks": (_no_picks(), "Nothing was picked: the pool alone leaves a mean distance of 1.42"),
    "no picks, no pool": (_no_picks() | {"pool": np.array([], np.int64)}, "no sample was picked"),
    "no predictions": (
        {
            "tasks": [
                detector_input(
                    owner=np.array([], np.int64), category_id=np.array([], np.int64), predictions=lambda _: ()
                )
            ]
        },
        "No objects in any sample",
    ),
    "no prediction file": (
        {
            "tasks": [
                detector_input(
                    owner=np.array([], np.int64),
                    category_id=np.array([], np.int64),
                    has_file=np.zeros(6, bool),
                    predictions=lambda _: (),
                )
            ]
        },
        "detector: no prediction file",
    ),
    "unreadable pictures": ({"picture": lambda _: "cut off"}, "cut off"),
    "one class": (
        {
            "tasks": [
                detector_input(
                    task=Task(name="one", task_type=DETECTOR.task_type, categories=(Category(id=2, name="cat"),)),
                    category_id=np.full(12, 2),
                )
            ]
        },
        "100 %",
    ),
    "equal scores": (
        {"numbers": [NumberInput(label="doubt", values=np.full(6, 0.5), limits=(0.0, 1.0))]},
        "Mean: input 0.5, selected 0.5, random 0.5.",
    ),
    "equal metadata": ({"numbers": [NumberInput(label="year", values=np.full(6, 2026.0))]}, "2,026"),
    "unknown scores": (
        {"numbers": [NumberInput(label="doubt", values=np.full(6, np.nan))]},
        "doubt Nothing is known of any sample.",
    ),
    "unknown labels": (
        {"labels": [LabelInput(label="weather", names=["sun"], codes=np.full(6, -1))]},
        "weather Nothing is known of any sample. Unknown: 4 samples of the input, 2 of the selected.",
    ),
    "no prediction file to compare": (
        {"tasks": [detector_input(0, has_file=np.zeros(6, bool), predictions=lambda _: ())]},
        "Nothing is known of any sample. Unknown: 4 samples of the input, 2 of the selected.",
    ),
    "no embeddings": ({"embeddings": None, "embeddings_name": None}, "embeddings none"),
    "equal embeddings": ({"embeddings": np.tile([1.0, 0.0], (6, 1))}, "Too few picks to see a bend"),
    "nothing but picks": (
        {"strategies": [], "tasks": [], "numbers": [], "labels": [], "problems": [], "embeddings": None},
        "The config has no strategies",
    ),
}


@pytest.mark.parametrize("case", _EMPTY)
def test_empty_states_are_said_in_words(case: str) -> None:
    """Where there is little to show, the page is whole and says what is missing."""
    changes, sentence = _EMPTY[case]
    page = page_of(**changes)
    assert sentence in page.words
    values = [value or "" for _, attributes in page.elements for value in attributes.values()]
    drawn = " ".join(value for value in values if not value.startswith("data:"))
    assert not re.search(r"\bnan\b|\binf\b|None|undefined", drawn)
    assert "nan" not in page.words.split()


@pytest.mark.parametrize("case", ["unknown scores", "unknown labels", "no prediction file to compare"])
def test_nothing_is_drawn_of_what_is_not_known(case: str) -> None:
    """A panel whose values are all unknown has no chart, which would be axes without a line."""
    html = render_html(build_report(report_inputs(**_EMPTY[case][0])))
    panel = next(part for part in html.split('<div class="panel">') if "Nothing is known of any sample" in part)
    assert "<svg" not in panel.split("</div>")[0]


def test_each_cell_of_the_problems_says_what_it_is_where_columns_cannot() -> None:
    """On a narrow screen, without a head, every short cell has its label, and a problem of no task has none."""
    problems = [
        ProblemCount(code="score-range", severity="error", count=3, message="expected less", task="cars"),
        ProblemCount(code="tasks-missing", severity="error", count=1, message="expected a list"),
    ]
    html = render_html(build_report(report_inputs(problems=problems)))
    rows = html.split('<section id="problems">')[1].split("<tbody>")[1].split("</tbody>")[0].split("</tr>")[:2]
    assert [re.findall(r'data-label="(\w+)"', row) for row in rows] == [["severity", "code", "task", "count"]] * 2
    assert "<bdi>cars</bdi>" in rows[0]
    assert '<td data-label="task"></td>' in rows[1]


def test_charts_have_titles_and_descriptions() -> None:
    """Every chart is an image with a title, and a description of its numbers, for those who cannot see it."""
    html = render_html(build_report(report_inputs()))
    charts = re.findall(r'<svg class="chart" role="img".*?</svg>', html, re.DOTALL)
    assert len(charts) == 7
    for chart in charts:
        assert re.search(r'viewBox="0 0 380 \d+"><title>[^<]+</title><desc>[^<]+</desc>', chart)
    assert "<desc>Mean: input 0.3, selected 0.45, random " in html
