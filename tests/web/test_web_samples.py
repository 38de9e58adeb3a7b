"""Pages of samples: every filter, sort and count equals one made by hand from the JSON files."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tamis
from tamis.api.browsing.filters import inside_polygon
from tamis.api.browsing.values_samples import Counts, SamplePage
from web_data import CLASSES, Asker, decode, png_of, predictions_of, served

if TYPE_CHECKING:
    from pathlib import Path

SLOW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
limits = st.none() | st.integers(0, 100).map(lambda n: n / 100)
conditions = st.fixed_dictionaries(
    {"type": st.just("predictions"), "task": st.sampled_from(["boxes", "kinds"])},
    optional={
        "categories": st.lists(st.integers(0, 3), max_size=3),
        "score_min": limits,
        "score_max": limits,
        "count_min": st.integers(0, 4),
        "count_max": st.none() | st.integers(0, 5),
        "exclude": st.booleans(),
    },
)


def _meets(condition: dict[str, Any], predictions: list[dict[str, Any]] | None) -> bool:
    """Decide about one sample, as the documentation of the condition says it."""
    least, most = condition.get("score_min"), condition.get("score_max")
    wanted = condition.get("categories")
    counted = [
        p
        for p in predictions or []
        if (wanted is None or p["category_id"] in wanted)
        and (least is None or p["score"] >= least)
        and (most is None or p["score"] <= most)
    ]
    limit = condition.get("count_max")
    met = (
        predictions is not None
        and len(counted) >= condition.get("count_min", 1)
        and (limit is None or len(counted) <= limit)
    )
    return met is not condition.get("exclude", False)


@SLOW
@given(st.lists(conditions, min_size=1, max_size=3))
def test_a_filter_lets_through_what_meets_every_condition(page: Asker, wanted: list[dict[str, Any]]) -> None:
    """Law: the keys of a filtered list are those of all samples that meet each condition, in order."""
    files = {task: predictions_of(page.folder, task) for task in ("boxes", "kinds")}
    expected = [key for key in page.listed() if all(_meets(c, files[c["task"]].get(key)) for c in wanted)]
    assert page.listed(filter=wanted) == expected


@SLOW
@given(conditions)
def test_counts_are_those_of_the_filtered_files(page: Asker, condition: dict[str, Any]) -> None:
    """Law: counts within a filter are the counts over the files of the samples that it lets through."""
    keys = set(page.listed(filter=[condition]))
    counts = decode(page.get("counts", filter=[condition]), Counts)
    assert counts.samples == len(keys)
    for task in counts.tasks:
        files = {key: found for key, found in predictions_of(page.folder, task.task).items() if key in keys}
        flat = [p["category_id"] for found in files.values() for p in found]
        assert task.samples_with_file == len(files)
        assert task.predictions == len(flat)
        for category in task.categories:
            assert category.predictions == flat.count(category.id)
            assert category.samples == sum(
                any(p["category_id"] == category.id for p in found) for found in files.values()
            )


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("condition", [None, {"type": "path", "text": "A/0"}])
def test_a_sort_orders_by_value_then_key_and_puts_the_unknown_last(
    page: Asker, condition: dict[str, Any] | None, *, descending: bool
) -> None:
    """Law: a sorted list is a stable sort of the list by key, samples without a value at its end."""
    found = [] if condition is None else [condition]
    files = predictions_of(page.folder, "boxes")
    keys = page.listed(filter=found)
    known = [key for key in keys if key in files]
    expected = sorted(known, key=lambda key: len(files[key]) * (-1 if descending else 1))
    expected += [key for key in keys if key not in files]
    assert page.listed(filter=found, sort="count:boxes", descending=descending) == expected


def test_numbers_and_places_are_those_of_the_list(page: Asker) -> None:
    """Law: the binary list, the pages and the neighbours of every sample speak of one order."""
    query = {"filter": [{"type": "file", "task": "boxes"}], "sort": "score:boxes:uncertainty_entropy"}
    keys, everyone = page.listed(**query), page.listed()
    numbers = np.frombuffer(page.get("samples/numbers", **query).content, "<u4")
    assert [everyone[number] for number in numbers] == keys
    for i, key in enumerate(keys):
        beside = page.read("samples/place", key=key, **query)
        assert beside["place"] == i
        assert [beside["previous"], beside["next"]] == [([None, *keys])[i], ([*keys, None])[i + 1]]
    outside = next(key for key in everyone if key not in keys)
    assert page.read("samples/place", key=outside, **query)["place"] is None


def test_layers_are_the_files_predictions_surest_first(page: Asker) -> None:
    """Law: a card holds every prediction of the sample's file, by descending score."""
    files = predictions_of(page.folder, "boxes")
    shown = decode(page.get("samples", limit=500, tasks=["boxes"]), SamplePage)
    assert {card.key for card in shown.samples if card.layers} == set(files)
    for card in shown.samples:
        for layer in card.layers:
            expected = sorted(enumerate(files[card.key]), key=lambda pair: (-pair[1]["score"], pair[0]))
            assert layer.positions == [i for i, _ in expected]
            assert layer.scores == [p["score"] for _, p in expected]
            assert layer.categories == [p["category_id"] for _, p in expected]
            assert layer.boxes == [p["bbox"] for _, p in expected]


def test_keypoints_and_masks_come_with_their_tasks(page: Asker) -> None:
    """Keypoints are numbers of the file; masks are announced, and drawn elsewhere."""
    shown = page.read("samples", limit=500, tasks=["poses", "areas"])["samples"]
    layers = [layer for card in shown for layer in card["layers"]]
    poses = [layer for layer in layers if layer["task"] == "poses"]
    areas = [layer for layer in layers if layer["task"] == "areas"]
    assert len(poses) == 14
    assert all(layer["keypoints"] == [[5.5, 6.25, 0.5, 20, 30, 1]] for layer in poses)
    assert len(areas) == 21
    assert all(layer["masks"] for layer in areas)


def test_classifications_come_with_the_probability_of_their_class(page: Asker) -> None:
    """Of all probabilities a card has the one of the category that was predicted."""
    files = predictions_of(page.folder, "kinds")
    cards = page.read("samples", limit=500, tasks=["kinds"])["samples"]
    for card in cards:
        for layer in card["layers"]:
            own = files[card["key"]][0]
            assert layer["probabilities"] == [round(own["probabilities"][own["category_id"]], 4)]


def test_conditions_on_columns(page: Asker) -> None:
    """Labels, numbers, paths, problems and lists filter by what the files hold."""
    cities, speeds = {}, {}
    for path in (page.folder / ".lightly/metadata").rglob("*.json"):
        if path.name != "schema.json":
            content = json.loads(path.read_text())
            cities[content["file_name"]] = content["metadata"]["city"]
            speeds[content["file_name"]] = content["metadata"]["speed"]
    keys = page.listed()

    def filtered(**condition: Any) -> list[str]:
        return page.listed(filter=[condition])

    ulm = filtered(type="label", column="metadata:City", values=["Ulm"])
    assert ulm == [key for key in keys if cities.get(key) == "Ulm"]
    fast = filtered(type="number", column="metadata:Speed", min=0.001)
    assert fast == [key for key in keys if speeds.get(key, 0) > 0]
    assert filtered(type="path", text="SCRIPT") == [key for key in keys if "script" in key]
    assert filtered(type="problem", severity="error") == ["a/000.png"]
    assert filtered(type="keys", keys=["c/002.png", "a/003.png", "none"]) == ["a/003.png", "c/002.png"]
    assert page.listed(filter=[{"type": "keys", "keys": ["c/002.png", "a/003.png"]}], sort="pick") == [
        "c/002.png",
        "a/003.png",
    ]
    queried = filtered(type="sql", query="SELECT sample FROM boxes.predictions WHERE category_id = 1")
    assert queried == filtered(type="predictions", task="boxes", categories=[1])
    assert filtered(type="label", column="sample:video", values=["clip.mp4"]) == [
        key for key in keys if key.startswith("clip-")
    ]


def test_columns_say_their_range_and_values(page: Asker) -> None:
    """Every column is described by what its values are."""
    columns = {column["id"]: column for column in page.read("columns")}
    files = predictions_of(page.folder, "boxes")
    count = columns["count:boxes"]
    assert (count["min"], count["max"]) == (
        min(map(len, files.values())),
        max(map(len, files.values())),
    )
    assert count["unknown"] == len(page.listed()) - len(files)
    assert dict(columns["sample:kind"]["values"]) == {"image": 41, "frame": 12}
    for name in columns:
        assert page.get("samples", sort=name).status_code == 200


@pytest.mark.parametrize("wanted", [[], [{"type": "predictions", "task": "boxes", "categories": [0]}]])
@pytest.mark.parametrize("bins", [1, 7, 50, 100])
def test_histograms_count_every_prediction_once(page: Asker, wanted: list[Any], bins: int) -> None:
    """Law: bin i of the scores holds those with edge i <= score < edge i + 1, the last one its upper edge too."""
    keys = set(page.listed(filter=wanted))
    found = page.read("histogram", column="predictions:boxes", bins=bins, filter=wanted)
    files = predictions_of(page.folder, "boxes")
    scores = [p["score"] for key, ps in files.items() if key in keys for p in ps]
    edges = found["edges"]
    expected = [sum(low <= s < high or (high == 1 and s == 1) for s in scores) for low, high in pairwise(edges)]
    assert found["counts"] == expected
    assert sum(found["counts"]) == len(scores)


def test_objects_are_those_of_the_files(page: Asker) -> None:
    """Law: a page of objects holds every prediction of the classes and scores asked for, sorted."""
    files = predictions_of(page.folder, "boxes")
    for categories, descending in (([0, 2], True), ([1], False), (None, True)):
        query = {} if categories is None else {"categories": categories}
        got = page.read(
            "objects", task="boxes", score_min=0.4, sort="score", descending=descending, limit=500, **query
        )
        flat = [
            (key, i, p)
            for key, found in files.items()
            for i, p in enumerate(found)
            if p["score"] >= 0.4 and (categories is None or p["category_id"] in categories)
        ]
        assert got["total"] == len(flat)
        assert {(o["key"], o["position"]) for o in got["objects"]} == {(key, i) for key, i, _ in flat}
        scores = [o["score"] for o in got["objects"]]
        assert scores == sorted(scores, reverse=descending)
        boxes = {(key, i): p["bbox"] for key, i, p in flat}
        assert all(o["box"] == boxes[o["key"], o["position"]] for o in got["objects"])


def test_objects_without_a_box_have_that_of_their_mask_or_keypoints(page: Asker) -> None:
    """The box of a mask is around its pixels, that of keypoints around its points."""
    assert page.read("objects", task="areas")["objects"][0]["box"] == [20, 10, 30, 20]
    assert page.read("objects", task="poses")["objects"][0]["box"] == [5.5, 6.25, 14.5, 23.75]
    assert page.get("objects", task="kinds").json()["code"] == "usage"


def test_a_sample_is_shown_whole(page: Asker) -> None:
    """The detail of a sample is its prediction files, metadata and problems."""
    key = page.listed(filter=[{"type": "predictions", "task": "boxes", "categories": [2], "count_min": 1}])[0]
    detail = page.read("sample", key=key)
    tasks = {task["task"]: task for task in detail["tasks"]}
    expected = predictions_of(page.folder, "boxes")[key]
    got = tasks["boxes"]["predictions"]
    assert [(p["category_id"], p["bbox"], p["score"], p["probabilities"]) for p in got] == [
        (p["category_id"], p["bbox"], p["score"], p["probabilities"]) for p in expected
    ]
    assert {p["category"] for p in got} <= set(CLASSES)
    broken = page.read("sample", key="a/000.png")
    place = broken["problems"][0]
    assert (place["path"], place["line"]) == ("$.predictions", 1)
    assert {task["task"]: task["valid"] for task in broken["tasks"]}["boxes"] is False


def test_metadata_keeps_all_digits(tmp_path: Path) -> None:
    """A whole number that JavaScript would round is text in the detail of its sample, a smaller one a number."""
    fields = [
        {"name": name, "path": name, "defaultValue": value, "valueDataType": "NUMERIC_INT"}
        for name, value in (("taken", 1795964884959054543), ("least", -(2**63)), ("last", 2**53 - 1))
    ]
    (tmp_path / ".lightly/metadata").mkdir(parents=True)
    (tmp_path / ".lightly/metadata/schema.json").write_text(json.dumps(fields))
    (tmp_path / "a.png").write_bytes(png_of(np.random.default_rng(0)))
    tamis.open(tmp_path).scan(tamis.ScanOptions(workers=1))
    with served(tmp_path) as page:
        found = page.read("sample", key="a.png")["metadata"]
    assert found == {"taken": "1795964884959054543", "least": str(-(2**63)), "last": 2**53 - 1}


def test_a_video_has_a_timeline(page: Asker) -> None:
    """The frames of a video come in order, with the number of predictions of each."""
    line = page.read("timeline", key="clip.mp4")
    files = predictions_of(page.folder, "boxes")
    assert line["frames"] == list(range(12))
    assert line["columns"]["count:boxes"] == [len(files[key]) if key in files else None for key in line["keys"]]
    assert page.get("timeline", key="other.mp4").status_code == 404


def test_problems_are_grouped_and_paged(page: Asker) -> None:
    """The places of all groups together are all problems."""
    groups = page.read("problems")["problems"]
    assert groups
    for group in groups:
        task = {} if group["task"] is None else {"task": group["task"]}
        places: list[Any] = []
        while True:
            part = page.read("problems/places", code=group["code"], offset=len(places), limit=2, **task)
            places += part["places"]
            if not part["places"]:
                break
        assert len(places) == part["total"]
        assert sum(place["count"] for place in places) == group["count"]
        assert all(place["hint"] for place in places)


def test_the_overview_counts_what_the_files_hold(page: Asker) -> None:
    """Tasks, classes, coverage and histograms of the overview are sums over the files."""
    overview = page.read("overview")
    files = {task["name"]: predictions_of(page.folder, task["name"]) for task in overview["tasks"]}
    assert overview["samples"] == {"image": 41, "frame": 12}
    for task in overview["tasks"]:
        flat = [p for found in files[task["name"]].values() for p in found]
        assert task["summary"]["predictions"] == len(flat) == sum(c["predictions"] for c in task["categories"])
        assert sum(task["score_bins"]["counts"]) == len(flat)
        assert sum(task["count_bins"]["counts"]) == len(files[task["name"]])
    held = [sum(key in found for found in files.values()) for key in page.listed()]
    assert overview["coverage"] == [held.count(k) for k in range(5)]


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 9)), min_size=3, max_size=7), st.integers(0, 99))
def test_a_lasso_holds_the_points_inside(polygon: list[tuple[float, float]], seed: int) -> None:
    """Law: a point is inside where the polygon winds an odd number of times around it, up to its very border."""
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 10, (30, 2)).astype(np.uint16)
    inside = inside_polygon(points, polygon)
    for (x, y), got in zip(points.tolist(), inside.tolist(), strict=True):
        corners = np.array(polygon, float) - (x, y)
        angles = np.arctan2(corners[:, 1], corners[:, 0])
        if np.hypot(*corners.T).min() < 1e-6:
            continue
        turns = (np.diff(np.append(angles, angles[0])) + np.pi) % (2 * np.pi) - np.pi
        if np.abs(np.abs(turns) - np.pi).min() < 1e-6:
            continue  # on the border
        assert got is bool(round(turns.sum() / (2 * np.pi)) % 2)
