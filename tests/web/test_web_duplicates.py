"""Built-in embeddings are made by the page, and what repeats what is what the command line finds."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from PIL import Image

import tamis
from tamis.api.browsing.values_duplicates import EmbeddingState
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
    assert {key for key in missing if not key.startswith("clip-")} == left_out
    assert any(key.startswith("clip-") for key in missing) is (wanted == "true"), "frames are alike, never the same"


def test_what_was_embedded_is_counted(embedded: Asker) -> None:
    """Nothing is missing after the job, what cannot be read has no embedding, and a second job does nothing."""
    state = _state(embedded)
    assert (state.missing, state.without, state.job) == (0, 1, None)
    again = embedded.wait(embedded.post("embeddings"))
    assert again["message"] == f"0 embedded, {N_SAMPLES} kept, 1 without"
