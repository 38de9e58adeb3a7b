"""Built-in embeddings are made by the page, and what repeats what is what the command line finds."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

import tamis
from tamis.api.browsing.comparing import pairs_of
from tamis.api.browsing.values_duplicates import DuplicatePage, DuplicatesInfo, EmbeddingState
from tamis.api.browsing.values_work import SelectionInfo
from tamis.vectors import Duplicates
from web_data import Asker, build, decode, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

N_SAMPLES = 56
CONFIG = """
n_samples: 60
select: {without_duplicates: %s}
strategies: [{input: {type: RANDOM}, strategy: {type: WEIGHTS}}]
"""


def _with_copies(folder: Path) -> Path:
    """Write the datasource of `build`, with a copy of one file, and the same picture in twice the size."""
    build(folder)
    shutil.copy(folder / "a/003.png", folder / "b/copy.png")
    with Image.open(folder / "a/003.png") as picture:
        picture.resize((128, 96), Image.Resampling.BICUBIC).save(folder / "b/large.png")
    (folder / "c/broken.png").write_bytes((folder / "a/006.png").read_bytes()[:120])
    tamis.open(folder).scan(tamis.ScanOptions(workers=1))
    return folder


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """A datasource in which pictures repeat others."""
    with served(_with_copies(tmp_path_factory.mktemp("duplicates"))) as asker:
        yield asker


@pytest.fixture(scope="module")
def embedded(own: Asker) -> Asker:
    """The same with built-in embeddings, which the page made."""
    job = own.wait(own.post("embeddings"))
    assert (job["state"], job["kind"]) == ("done", "embedding"), job
    return own


def _state(page: Asker) -> EmbeddingState:
    found: EmbeddingState = decode(page.get("embeddings"), EmbeddingState)
    return found


def test_without_embeddings_nobody_can_leave_duplicates_out(own: Asker) -> None:
    """No run begins without them, and what to do is said."""
    assert (_state(own).samples, _state(own).missing, _state(own).without) == (N_SAMPLES, N_SAMPLES, 0)
    answer = own.client.post("/api/selections", json={"config": CONFIG % "true"})
    assert answer.status_code == 400
    assert answer.json()["message"] == (
        "Duplicates are found by the built-in embeddings, which 56 of 56 samples do not have yet"
    )
    assert "tamis embed SRC" in answer.json()["hint"]
    assert own.read("jobs") == []


@pytest.mark.parametrize(("wanted", "left_out"), [("true", {"b/copy.png", "b/large.png"}), ("0", {"b/copy.png"})])
def test_a_selection_leaves_duplicates_out(embedded: Asker, wanted: str, left_out: set[str]) -> None:
    """Law: with all samples asked for, those are missing that repeat others up to the distance of the config."""
    job = embedded.wait(embedded.post("selections", config=CONFIG % wanted))
    assert job["state"] == "done", job
    picked = set(embedded.get("selection/export", id=job["id"], format="names").text.splitlines())
    missing = set(embedded.listed()) - picked
    info = decode(embedded.get("selection", id=job["id"]), SelectionInfo)
    assert info.left_out == {"repeats another sample": len(missing)}
    assert {key for key in missing if not key.startswith("clip-")} == left_out
    assert any(key.startswith("clip-") for key in missing) is (wanted == "true"), "frames are alike, never the same"


def test_what_was_embedded_is_counted(embedded: Asker) -> None:
    """Nothing is missing after the job, what cannot be read has no embedding, and a second job does nothing."""
    state = _state(embedded)
    assert (state.missing, state.without, state.job) == (0, 1, None)
    again = embedded.wait(embedded.post("embeddings"))
    assert again["message"] == f"0 embedded, {N_SAMPLES - 1} kept, 1 without"


def _found(page: Asker, **query: Any) -> DuplicatesInfo:
    found: DuplicatesInfo = decode(page.get("duplicates", **query), DuplicatesInfo)
    return found


def _pairs(page: Asker, **query: Any) -> list[tuple[str, str, bool, float]]:
    """Return all pairs, page by page."""
    pairs: list[tuple[str, str, bool, float]] = []
    while True:
        got = decode(page.get("duplicates/pairs", offset=len(pairs), limit=4, **query), DuplicatePage)
        pairs += [(one.key, one.of, one.exact, one.distance) for one in got.pairs]
        if not got.pairs:
            assert len(pairs) == got.total
            return pairs


@pytest.mark.parametrize("distance", [0.4, 0.0, 0.2])
def test_duplicates_are_those_of_the_command_line(embedded: Asker, distance: float) -> None:
    """Law: the pairs are those of `tamis check --duplicates` with that limit, the nearest first."""
    only = [{"type": "duplicate", "distance": distance}]
    assert (_found(embedded, distance=distance).state, _found(embedded, distance=distance).job) == ("missing", None)
    assert embedded.get("duplicates/pairs", distance=distance).status_code == 404
    assert "view Duplicates" in embedded.get("samples", filter=only).json()["hint"]
    job = embedded.wait(embedded.post("duplicates", distance=distance))
    assert (job["state"], job["kind"], job["title"]) == ("done", "duplicates", f"Duplicates up to {distance:g}")
    report = tamis.open(embedded.folder).duplicates(limit=distance)
    pairs = _pairs(embedded, distance=distance)
    assert sorted(pairs) == sorted((one.key, one.of, one.exact, one.distance) for one in report.duplicates)
    assert [apart for *_, apart in pairs] == sorted(apart for *_, apart in pairs)
    assert pairs[0] == ("b/copy.png", "a/003.png", True, 0.0)
    found = _found(embedded, distance=distance)
    assert found.doubt == report.doubt
    assert (found.state, found.exact, found.near, found.compared) == ("ready", 1, len(pairs) - 1, N_SAMPLES - 1)
    assert found.near == 0 if distance == 0.0 else ("b/large.png", "a/003.png") in [pair[:2] for pair in pairs]
    assert embedded.listed(filter=only, sort="pick") == [key for key, *_ in pairs]
    kept = embedded.listed(filter=[{**only[0], "exclude": True}])
    assert set(kept) == set(embedded.listed()) - {key for key, *_ in pairs}


def test_what_repeats_others_is_tagged(embedded: Asker) -> None:
    """All of it joins the tag, whose history says from where; what is kept does not."""
    embedded.wait(embedded.post("duplicates"))
    pairs = _pairs(embedded)
    assert embedded.post("duplicates/tag", tag="repeated") == [{"name": "repeated", "members": len(pairs)}]
    assert embedded.listed(filter=[{"type": "tag", "name": "repeated"}], sort="pick") == [key for key, *_ in pairs]
    summary = tamis.open(embedded.folder).tag("repeated")
    assert summary.changes[-1].origin == "duplicates up to 0.4"
    for tag in ("../x", ""):
        assert embedded.client.post("/api/duplicates/tag", json={"tag": tag}).status_code == 400


@pytest.mark.parametrize("distance", ["-0.1", "2", "nan", "x"])
def test_distances_that_are_none_are_faults(embedded: Asker, distance: str) -> None:
    """A distance is from 0 to below 2."""
    assert embedded.get("duplicates", distance=distance).status_code == 400


def test_one_search_runs_at_a_time_and_can_be_cancelled(embedded: Asker) -> None:
    """The same is not begun twice, another one waits, and what was cancelled left nothing."""
    job = embedded.post("duplicates", distance=0.123)
    assert embedded.post("duplicates", distance=0.123)["id"] == job["id"]
    assert _found(embedded, distance=0.123).job == job["id"]
    other = embedded.client.post("/api/duplicates", json={"distance": 0.3})
    assert (other.status_code, other.json()["message"]) == (400, "Duplicates up to 0.123 are being looked for")
    stopped = embedded.post("job/cancel", id=job["id"])
    assert stopped["state"] in {"cancelled", "done"}
    if stopped["state"] == "cancelled":
        assert _found(embedded, distance=0.123).state == "missing"


def test_what_repeats_a_near_duplicate_exactly_is_near_to_what_is_kept() -> None:
    """Only a pair with the same content is exact: the pictures beside each other are what is compared."""
    found = Duplicates(
        of=np.array([-1, 0, 0]), distances=np.array([np.nan, 0.3, 0.3]), exact=np.array([False, False, True])
    )
    pairs = pairs_of(found, [b"a", b"b", b"b"])
    assert pairs["exact"].tolist() == [False, False]
    assert pairs["row"].tolist() == [1, 2]


def test_where_all_pictures_are_alike_the_page_says_so(tmp_path: Path) -> None:
    """Near pictures of a pool in which all are alike are doubted as by the command line, in both views."""
    rng = np.random.default_rng(2)
    page = np.full((64, 64), 230, np.uint8)
    page[4::6, 6:58] = 90
    for number in range(12):
        noise = rng.integers(-12, 12, page.shape)
        Image.fromarray((page + noise).clip(0, 255).astype(np.uint8)).save(tmp_path / f"{number:02d}.png")
    tamis.open(tmp_path).scan(tamis.ScanOptions(workers=1))
    with served(tmp_path) as asker:
        assert asker.wait(asker.post("duplicates"))["state"] == "done"
        report = tamis.open(tmp_path).duplicates()
        assert report.doubt is not None
        assert _found(asker).doubt == report.doubt
        job = asker.wait(asker.post("selections", config=CONFIG % "true"))
        info = decode(asker.get("selection", id=job["id"]), SelectionInfo)
        assert info.duplicates_doubt == report.doubt
        assert info.left_out == {"repeats another sample": report.exact + report.near}


def test_a_picture_that_is_away_does_not_stop_the_search(embedded: Asker) -> None:
    """What the job could not read is without an embedding, not missing: nothing asks for it to be made again."""
    away = embedded.folder.parent / "away.jpg"
    (embedded.folder / "a/003.png").rename(away)
    try:
        report = tamis.open(embedded.folder).embed(tamis.EmbedOptions(full=True, workers=1))
        assert (report.without, _state(embedded).missing, _state(embedded).without) == (2, 0, 2)
    finally:
        away.rename(embedded.folder / "a/003.png")
    assert tamis.open(embedded.folder).embed(tamis.EmbedOptions(workers=1)).encoded == 1
    assert (_state(embedded).missing, _state(embedded).without) == (0, 1)
