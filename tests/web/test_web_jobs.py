"""Scans, selections and plots run in processes of their own, and their results are those of the command line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typer.testing import CliRunner

import tamis
from tamis.api.browsing.plotting import NO_POINT, project
from tamis.api.browsing.values_work import Comparison, PickPage, PlotInfo, SelectionInfo
from tamis.api.report.values import Report
from tamis.cli.app import app
from web_data import Asker, build, decode, png_of, predictions_of, served, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

OTHER_FILE = """
n_samples: 1
strategies:
- input: {type: FILE, path: /etc/passwd, column: x}
  strategy: {type: WEIGHTS}
"""
CONFIG = """
n_samples: 6
strategies:
- input: {type: EMBEDDINGS}
  strategy: {type: DIVERSITY}
- input: {type: SCORES, task: boxes, score: uncertainty_entropy}
  strategy: {type: WEIGHTS}
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """A datasource whose index this module changes."""
    with served(build(tmp_path_factory.mktemp("jobs"))) as asker:
        yield asker


@pytest.fixture(scope="module")
def chosen(own: Asker) -> str:
    """A selection that was run by the page."""
    job = own.wait(own.post("selections", config=CONFIG, title="six"))
    assert job["state"] == "done", job
    return str(job["id"])


def _cli(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_selection_is_that_of_the_command_line(own: Asker, chosen: str, tmp_path: Path) -> None:
    """Law: the same config picks the same samples by the page and by `tamis select`; exports are the same bytes."""
    (tmp_path / "config.yaml").write_text(CONFIG)
    _cli("select", own.folder, "--config", tmp_path / "config.yaml", "--out", tmp_path / "out", "--quiet")
    names = own.get("selection/export", id=chosen, format="names")
    assert names.content == (tmp_path / "out/selected.txt").read_bytes()
    assert "attachment" in names.headers["content-disposition"]
    for kind in ("coco", "label-studio", "cvat", "csv"):
        target = tmp_path / kind
        _cli(
            "export",
            kind,
            own.folder,
            "--task",
            "boxes",
            "--selection",
            tmp_path / "out",
            "--out",
            target,
            "--quiet",
        )
        got = own.get("selection/export", id=chosen, format=kind, task="boxes")
        assert got.content == target.read_bytes(), kind
    config = own.get("selection/export", id=chosen, format="config").content
    assert config == (tmp_path / "out/config.yaml").read_bytes()


def test_picks_come_with_their_reasons(own: Asker, chosen: str) -> None:
    """Every pick of every page says why, in the order of picking."""
    keys = own.get("selection/export", id=chosen, format="names").text.splitlines()
    got = [pick for i in range(0, 8, 2) for pick in _picks(own, chosen, offset=i, limit=2).picks]
    assert [pick.key for pick in got] == keys
    assert [pick.pick for pick in got] == [1, 2, 3, 4, 5, 6]
    assert all(pick.why and len(pick.reasons) == 2 for pick in got)
    report = decode(own.get("selection/report", id=chosen), Report)
    assert report.summary.n_picked == 6
    assert report.coverage is not None
    assert own.listed(filter=[{"type": "selection", "id": chosen}], sort="pick") == keys
    assert own.read("sample", key=keys[0])["selections"] == [chosen]


def _picks(page: Asker, selection: str, **query: Any) -> PickPage:
    found: PickPage = decode(page.get("selection/picks", id=selection, **query), PickPage)
    return found


def test_pinned_samples_come_first_and_rejected_ones_never(own: Asker, chosen: str) -> None:
    """A re-run holds what was pinned, leaves out what was rejected, and picks as many as asked for."""
    keys = [pick.key for pick in _picks(own, chosen).picks]
    pinned, rejected = [keys[4], "c/008.png"], keys[:2]
    again = own.wait(own.post("selections", config=CONFIG, pinned=pinned, rejected=rejected))
    picks = _picks(own, again["id"]).picks
    assert [pick.key for pick in picks[:2]] == pinned
    assert [pick.pinned for pick in picks] == [True, True, False, False, False, False]
    assert not set(rejected) & {pick.key for pick in picks}
    assert len({pick.key for pick in picks}) == 6
    info = decode(own.get("selection", id=again["id"]), SelectionInfo)
    assert (info.n_requested, info.n_picked) == (6, 6)
    assert list(info.request.pinned) == pinned


def test_a_filter_says_which_samples_may_be_picked(own: Asker) -> None:
    """Law: every pick meets the filter."""
    wanted = '[{"type": "predictions", "task": "boxes", "categories": [0]}]'
    job = own.wait(own.post("selections", config=CONFIG, filter=wanted))
    picks = {pick.key for pick in _picks(own, job["id"]).picks}
    files = predictions_of(own.folder, "boxes")
    assert len(picks) == 6
    assert all(any(p["category_id"] == 0 for p in files[key]) for key in picks)


def test_objects_can_be_selected(own: Asker) -> None:
    """A selection of objects names them, and stands for the samples that hold them."""
    config = """
n_samples: 8
select: {level: objects, task: boxes}
strategies:
- input: {type: EMBEDDINGS, task: boxes}
  strategy: {type: DIVERSITY}
"""
    job = own.wait(own.post("selections", config=config))
    assert job["state"] == "done", job
    picks = _picks(own, job["id"]).picks
    assert len(picks) == 8
    assert all(pick.name.startswith(f"{pick.key}#boxes#") for pick in picks)
    shown = own.listed(filter=[{"type": "selection", "id": job["id"]}], sort="pick")
    assert shown == list(dict.fromkeys(pick.key for pick in picks))
    assert own.get("selection/export", id=job["id"], format="coco", task="boxes").status_code == 200
    for offset in range(0, 8, 3):
        part = _picks(own, job["id"], offset=offset, limit=3)
        assert [one.key for one in part.samples] == list(dict.fromkeys(pick.key for pick in part.picks))


def test_the_query_of_similarity_is_a_sample_a_tag_or_a_file_of_the_datasource(own: Asker, tmp_path: Path) -> None:
    """Law: what is asked for comes first, and no query leads out of the datasource."""
    config = "n_samples: 1\nstrategies: [{input: {type: EMBEDDINGS, tag_name: '%s'}, strategy: {type: SIMILARITY}}]"
    keys = sorted(key for key, boxes in predictions_of(own.folder, "boxes").items() if boxes)
    (own.folder / "queries.txt").write_text(f"{keys[5]}\n")
    _cli("tag", own.folder, "asked-for", "--add", keys[7])
    for query, key in ((keys[3], keys[3]), ("queries.txt", keys[5]), ("asked-for", keys[7])):
        job = own.wait(own.post("selections", config=config % query))
        assert job["state"] == "done", job
        assert [pick.key for pick in _picks(own, job["id"]).picks] == [key]
    (tmp_path / "outside.txt").write_text(f"{keys[5]}\n")
    for query in (f"{tmp_path}/outside.txt", "../outside.txt", "/etc/passwd", "none.txt", "nobody"):
        answer = own.client.post("/api/selections", json={"config": config % query})
        assert answer.status_code == 400
        assert answer.json()["message"] == (
            f"The query set `{query}` is no sample, tag or pool, and no file below the datasource"
        )
    _cli("tag", own.folder, "asked-for", "--delete")
    (own.folder / "queries.txt").unlink()


def test_two_selections_side_by_side(own: Asker, chosen: str) -> None:
    """Overlaps, ranks and classes are counted over the lists of keys."""
    other = own.wait(own.post("selections", config=CONFIG.replace("n_samples: 6", "n_samples: 9")))
    a, b = ([pick.key for pick in _picks(own, i).picks] for i in (chosen, other["id"]))
    got = decode(own.get("selection/compare", a=chosen, b=other["id"]), Comparison)
    assert a == b[:6], "the first k of a selection are the selection of k"
    assert (got.both, got.only_a, got.only_b) == (a, [], b[6:])
    assert got.jaccard == 6 / 9
    assert got.rank_correlation == 1
    assert got.overlap[-1] == 6
    files = predictions_of(own.folder, "boxes")
    counted = {c.id: c.b for c in got.categories if c.task == "boxes"}
    flat = [p["category_id"] for key in b for p in files.get(key, [])]
    assert counted == {i: flat.count(i) for i in range(3)}


def test_picks_join_a_pool(own: Asker, chosen: str) -> None:
    """A pool of the page is one of the command line, and filters."""
    keys = [pick.key for pick in _picks(own, chosen).picks]
    assert own.post("selection/pool", id=chosen, pool="round-1") == [{"name": "round-1", "members": 6}]
    assert own.listed(filter=[{"type": "pool", "name": "round-1"}], sort="pick") == keys
    assert own.read("sample", key=keys[0])["pools"] == ["round-1"]
    later = own.wait(own.post("selections", config=CONFIG, pool="round-1"))
    assert not set(keys) & {pick.key for pick in _picks(own, later["id"]).picks}


def test_a_tag_filters_by_samples_and_by_objects(own: Asker) -> None:
    """Samples that have it, or whose object has it, in the order of tagging, also when it is changed."""
    keys = own.listed()
    held = next(key for key in keys if predictions_of(own.folder, "boxes").get(key))
    others = [key for key in keys if key != held][:2]
    only = [{"type": "tag", "name": "look"}]
    _cli("tag", own.folder, "look", "--add", others[1], "--add", f"{held}#boxes#0", "--add", others[0])
    assert own.read("tags") == [{"name": "look", "members": 3}]
    assert own.listed(filter=only, sort="pick") == [others[1], held, others[0]]
    assert own.read("sample", key=held)["tags"] == ["look"]
    assert own.read("samples", filter=[{"type": "tag", "name": "look", "exclude": True}])["total"] == len(keys) - 3
    _cli("tag", own.folder, "look", "--remove", others[1])
    assert own.listed(filter=only, sort="pick") == [held, others[0]]
    _cli("tag", own.folder, "look", "--delete")
    assert own.read("tags") == []
    assert own.get("samples", filter=[{"type": "tag", "name": "../x"}]).status_code == 400
    for kind in ("tags", "pools"):  # a damaged one, and a folder that is none, take no other away
        for name in ("broken", ".hidden"):
            (own.folder / ".lightly/tamis" / kind / name).mkdir(parents=True)
            (own.folder / ".lightly/tamis" / kind / name / "000001.json").write_text("{")
    assert own.read("sample", key=held)["tags"] == own.read("tags") == []
    assert own.get("samples", filter=[{"type": "tag", "name": "broken"}]).status_code == 409
    for kind in ("tags", "pools"):
        for name in ("broken", ".hidden"):
            shutil.rmtree(own.folder / ".lightly/tamis" / kind / name)


def test_faults_of_a_config_are_told_at_once(own: Asker) -> None:
    """What cannot be run is no job, and every fault is named."""
    n_jobs = len(own.read("jobs"))
    checked = own.post("config/check", config="n_samples: -1\nstrategies: [{input: {type: NONE}}]")
    assert len(checked["faults"]) >= 2
    assert checked["config"] is None
    right = own.post("config/check", config=CONFIG)
    assert (right["faults"], right["config"]["n_samples"]) == ([], 6)
    for body in (
        {"config": "n_samples: 0"},
        {"config": CONFIG, "pool": "../x"},
        {"config": CONFIG, "pinned": ["none.png"]},
        {"config": CONFIG, "pinned": ["a/003.png"], "rejected": ["a/003.png"]},
        {"config": CONFIG, "embeddings": "../../etc/passwd"},
        {"config": OTHER_FILE},
        {"config": CONFIG, "filter": "["},
    ):
        assert own.client.post("/api/selections", json=body).status_code == 400, body
    assert len(own.read("jobs")) == n_jobs
    unknown = CONFIG.replace("task: boxes", "task: none")
    failed = own.wait(own.post("selections", config=unknown))
    assert (failed["state"], failed["message"]) == ("failed", "There is no task `none`")


def test_a_job_survives_a_restart_of_the_server(own: Asker) -> None:
    """A worker goes on without the server that started it, and the next server sees it end."""
    with served(own.folder) as first:
        job = first.post("selections", config=CONFIG, title="survivor")
    with served(own.folder) as second:
        ended = second.wait(job)
        assert (ended["state"], ended["title"]) == ("done", "survivor")
        assert len(_picks(second, job["id"]).picks) == 6


def test_a_job_can_be_stopped_and_removed(own: Asker) -> None:
    """A stopped job says so, and only ended jobs can be removed."""
    job = own.post("selections", config=CONFIG)
    stopped = own.post("job/cancel", id=job["id"])
    assert stopped["state"] in {"cancelled", "done"}
    left = own.post("selection/delete", id=job["id"])
    assert job["id"] not in [selection["job"]["id"] for selection in left]
    assert own.get("job", id=job["id"]).status_code == 404


def test_a_killed_worker_is_told(own: Asker) -> None:
    """A process that dies without a word is an interrupted job, not one that runs forever."""
    job = own.post("selections", config=CONFIG)
    pid = own.folder / ".lightly/tamis/jobs" / job["id"] / "pid"
    until(pid.exists)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    ended = own.wait(job)
    assert ended["state"] == "interrupted"
    assert ended["hint"]


def test_a_scan_shows_what_is_new(own: Asker) -> None:
    """A scan of the page brings the new sample, while the page goes on answering."""
    before = own.read("status")["snapshot"]
    (own.folder / "b/900.png").write_bytes(png_of(np.random.default_rng(1)))
    job = own.post("scan")
    while own.read("job", id=job["id"])["state"] == "running":
        assert own.get("samples").status_code == 200
        time.sleep(0.05)
    assert own.read("job", id=job["id"])["state"] == "done"
    until(lambda: own.read("status")["snapshot"] != before)
    assert "b/900.png" in own.listed()
    assert own.read("counts")["samples"] == 54


def test_plots_are_made_coloured_and_explained(own: Asker) -> None:
    """Points, colours and owners line up: each point is a sample, or an object of a file."""
    for space, n in (
        ("samples", 54),
        ("objects:boxes", sum(map(len, predictions_of(own.folder, "boxes").values()))),
    ):
        assert own.get("plots/points", space=space).status_code == 404
        job = own.wait(own.post("plots", space=space))
        assert job["state"] == "done", job
        points = np.frombuffer(own.get("plots/points", space=space).content, "<u2").reshape(-1, 2)
        assert len(points) == n
        for by in ("highest:boxes", "metadata:City", *(("category", "score") if space != "samples" else ())):
            assert len(own.get("plots/colours", space=space, by=by).content) == n
            assert own.read("plots/legend", space=space, by=by)["label"]
    owners = np.frombuffer(own.get("plots/owners", space="objects:boxes").content, "<u4")
    keys, files = own.listed(), predictions_of(own.folder, "boxes")
    legend = own.read("plots/legend", space="objects:boxes", by="category")
    colours = own.get("plots/colours", space="objects:boxes", by="category").content
    names = {category["id"]: category["name"] for category in own.read("overview")["tasks"][0]["categories"]}
    for point in range(0, len(owners), 7):
        got = own.read("plots/point", space="objects:boxes", point=point)
        assert got["key"] == keys[owners[point]]
        assert files[got["key"]][got["position"]]["category_id"] == got["category"]
        assert legend["labels"][colours[point]][0] == names[got["category"]]
    assert own.client.post("/api/plots", json={"space": "../x"}).status_code == 404
    whole = [[0, 0], [65534.5, 0], [65534.5, 65534.5], [0, 65534.5]]
    inside = own.listed(filter=[{"type": "lasso", "space": "objects:boxes", "polygon": whole}])
    assert set(inside) <= set(own.listed(filter=[{"type": "predictions", "task": "boxes"}]))
    assert len(inside) > 30


def test_what_windows_ask_for_at_one_moment_is_started_once(own: Asker) -> None:
    """Eight at once get the same scan, and the same plot; another plot is one of its own."""
    asked = [("scan", {}), ("plots", {"space": "samples"}), ("plots", {"space": "objects:boxes"})]
    with ThreadPoolExecutor(8) as windows:
        for path, body in asked:
            jobs = list(windows.map(lambda _, path=path, body=body: own.post(path, **body), range(8)))
            assert len({job["id"] for job in jobs}) == 1
            assert own.wait(jobs[0])["state"] == "done"


def test_a_projection_shows_the_two_directions_of_most_variance() -> None:
    """Points in a plane of many dimensions keep their distances, up to one scale."""
    rng = np.random.default_rng(0)
    plane, axes = rng.normal(size=(300, 2)) * (3, 1), np.linalg.qr(rng.normal(size=(7, 7)))[0][:2]
    there = np.ones(300, np.bool_)
    there[5] = False
    xy, explained = project(plane @ axes + 4.0, there)
    assert xy[5].tolist() == [NO_POINT, NO_POINT]
    assert explained[0] > explained[1] > 0
    assert sum(explained) == pytest.approx(1.0)
    kept = np.flatnonzero(there & (xy > 0).all(axis=1) & (xy < 65_534).all(axis=1))
    drawn = xy[kept].astype(float)
    distances = np.linalg.norm(drawn[:, None] - drawn[None], axis=2)
    expected = np.linalg.norm(plane[kept][:, None] - plane[kept][None], axis=2)
    scale = distances.sum() / expected.sum()
    assert np.abs(distances - scale * expected).max() < 3


def test_a_plot_says_when_embeddings_were_added_since(own: Asker) -> None:
    """It stays until it is made again; then it is of the new vectors, and a lasso holds what lies in it now."""

    def plot() -> PlotInfo:
        plots: list[PlotInfo] = decode(own.get("plots"), list[PlotInfo])
        return next(one for one in plots if one.space == "samples")

    def points() -> NDArray[np.uint16]:
        return np.frombuffer(own.get("plots/points", space="samples").content, "<u2").reshape(-1, 2)

    def inside() -> list[str]:
        left = [[0, 0], [32_000, 0], [32_000, 65_534], [0, 65_534]]
        return own.listed(filter=[{"type": "lasso", "space": "samples", "polygon": left}])

    def drawn_in(version: str) -> dict[str, Any]:
        area = {"type": "lasso", "space": "samples", "version": version, "polygon": [[0, 0], [9, 0], [9, 9]]}
        answer: dict[str, Any] = own.get("samples", filter=json.dumps([area])).json()
        return answer

    own.wait(own.post("plots", space="samples"))
    keys, first, old = own.listed(), plot(), points()
    assert "samples" in drawn_in(first.version)
    assert not first.is_stale
    assert "predictions" in (first.origin or "")
    assert inside() == [key for key, (x, _) in zip(keys, old.tolist(), strict=True) if 0 <= x < 32_000]
    tamis.open(own.folder).embed()
    stale = plot()
    assert (stale.is_stale, stale.state, stale.version) == (True, "ready", first.version)
    own.wait(own.post("plots", space="samples"))
    again, new = plot(), points()
    assert not again.is_stale
    assert again.version != first.version
    assert "were laid out anew" in drawn_in(first.version)["message"]
    assert "visual" in (again.origin or "")
    assert inside() == [key for key, (x, _) in zip(keys, new.tolist(), strict=True) if 0 <= x < 32_000]
    assert not np.array_equal(old, new)
