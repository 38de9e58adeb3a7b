"""A picture that the store does not give for a moment is named now, and embedded the next time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

import tamis
from embedding_project import CLASSES, make_project
from tamis.api.selecting.files import selection_document
from tamis.index import find_set
from tamis.selection import parse_config

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = tamis.EmbedOptions(workers=1)
OBJECTS = tamis.EmbedOptions(task="pets", workers=1)
N_FRAMES = 6
_WITHOUT_DUPLICATES = (
    "{n_samples: 3, select: {without_duplicates: true}, "
    "strategies: [{input: {type: RANDOM}, strategy: {type: WEIGHTS}}]}"
)


def _with_video(root: Path) -> tamis.Datasource:
    """Two images, and a video of six frames with a box on the fourth."""
    make_project(root, 2)
    with av.open(str(root / "clip.mp4"), "w") as clip:
        stream = clip.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for i in range(N_FRAMES):
            pixels = np.random.default_rng(i).integers(0, 255, (32, 32, 3), np.uint8)
            clip.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        clip.mux(stream.encode(None))
    with tamis.PredictionWriter(root, task="pets", task_type="object-detection", categories=CLASSES) as writer:
        for frame in range(N_FRAMES):
            writer.write_boxes(f"clip-{frame}-mp4.png", [[1, 1, 9, 9]], scores=[0.5], category_ids=[0])
    datasource = tamis.open(root)
    datasource.scan()
    return datasource


def _n_parts(source: tamis.Datasource) -> int:
    found = find_set(source.sources.index.root, "visual", None)
    assert found is not None
    return len(list(found.folder.glob("[0-9]*.parquet")))


@pytest.mark.parametrize(("options", "n"), [(IMAGES, 1), (OBJECTS, 3)], ids=["images", "objects"])
def test_an_image_that_was_away_is_embedded_when_it_is_back(
    tmp_path: Path, options: tamis.EmbedOptions, n: int
) -> None:
    """It is named while it is away, again and again, and costs no other picture its vector."""
    root = tmp_path / "data"
    source = make_project(root, 4)
    (root / "a/0.png").rename(tmp_path / "away.png")
    for encoded in (3 * n, 0):
        report = source.embed(options)
        assert (report.encoded, report.encoded + report.kept, report.without) == (encoded, 3 * n, n)
        assert [one.key.partition("#")[0] for one in report.faults] == ["a/0.png"] * n
        assert report.faults[0].message.startswith("`a/0.png` is not in ")
    (tmp_path / "away.png").rename(root / "a/0.png")
    report = source.embed(options)
    assert (report.encoded, report.kept, report.without, report.faults) == (n, 3 * n, 0, [])


@pytest.mark.parametrize("options", [IMAGES, OBJECTS], ids=["frames", "objects"])
def test_a_video_that_was_away_is_embedded_when_it_is_back(tmp_path: Path, options: tamis.EmbedOptions) -> None:
    """All of its frames are without until then, and each is embedded then."""
    root = tmp_path / "data"
    source = _with_video(root)
    (root / "clip.mp4").rename(tmp_path / "away.mp4")
    assert source.embed(options).without == N_FRAMES
    (tmp_path / "away.mp4").rename(root / "clip.mp4")
    report = source.embed(options)
    assert (report.encoded, report.without) == (N_FRAMES, 0)


def test_a_mount_that_was_lost_costs_nothing_but_a_run(tmp_path: Path) -> None:
    """With no picture there at all nothing is written, and the next run has all of them."""
    root = tmp_path / "data"
    source = make_project(root, 14)
    for folder in "ab":
        (root / folder).rename(tmp_path / folder)
    report = source.embed(IMAGES)
    assert (report.encoded, report.without, len(report.faults)) == (0, 14, 14)
    assert [one.key for one in report.faults] == sorted(one.key for one in report.faults)
    assert _n_parts(source) == 0
    for folder in "ab":
        (tmp_path / folder).rename(root / folder)
    assert source.embed(IMAGES).encoded == 14


def test_a_damaged_picture_is_not_tried_again(tmp_path: Path) -> None:
    """What is wrong with the content stays as it was noted, until the file changes; a damaged video likewise."""
    root = tmp_path / "data"
    source = _with_video(root)
    (root / "a/0.png").write_bytes(b"no picture")
    (root / "clip.mp4").write_bytes(b"no video")
    first = source.embed(IMAGES)
    n_parts = _n_parts(source)
    second = source.embed(IMAGES)
    assert (first.without, second.without, second.encoded) == (1 + N_FRAMES, 1 + N_FRAMES, 0)
    assert second.faults == first.faults
    assert _n_parts(source) == n_parts


def test_pictures_that_are_away_stop_no_selection(tmp_path: Path) -> None:
    """What an embedding run could not read is without an embedding, as damaged pictures are, and not unseen."""
    root = tmp_path / "data"
    source = make_project(root, 20)
    for i in (0, 2):
        (root / f"a/{i}.png").unlink()
    run = source.select(config=parse_config(_WITHOUT_DUPLICATES, source="c"))
    assert (run.n_not_compared, run.n_duplicates) == (2, 0)
    assert selection_document(run)["duplicates_not_compared"] == 2
    (origin,) = source.select(n=2, diverse=True).embeddings
    assert origin.startswith("`visual`")
    (root / "b/1.png").unlink()
    source.embed(IMAGES)
    assert source.embed(tamis.EmbedOptions(full=True, workers=1)).without == 3
    (origin,) = source.select(n=2, diverse=True).embeddings
    assert origin.endswith("; not used: `visual` (3 of 20 without a vector)")


def test_what_could_not_be_read_is_unseen_once_it_changed(tmp_path: Path) -> None:
    """The note of a run holds for the file as it was; a damaged note is as none."""
    root = tmp_path / "data"
    source = make_project(root, 20)
    (root / "a/0.png").rename(tmp_path / "away.png")
    source.embed(IMAGES)
    (tmp_path / "away.png").rename(root / "a/0.png")
    os.utime(root / "a/0.png")
    source.scan()
    assert "1 of 20 not embedded yet" in source.select(n=2, diverse=True).embeddings[0]
    found = find_set(source.sources.index.root, "visual", None)
    assert found is not None
    (found.folder / "unread.json").write_text("{")
    assert source.embed(IMAGES).encoded == 1
    assert not (found.folder / "unread.json").exists()
