"""A long video is cut into parts; what is made of its frames is the same, and how far the work is is told."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

import tamis
from tamis.api.embedding import pictures
from tamis.api.embedding.stored import read_vectors
from tamis.api.embedding.targets import target_of
from tamis.index import SampleColumns, find_set

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.api.embedding.stored import StoredVectors
    from tamis.engine import Progress

N_FRAMES = 80


def _write_video(path: Path, *, kind: str) -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind) as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.max_b_frames, stream.gop_size = 2, 10
        pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
        for number in range(N_FRAMES):
            frame = av.VideoFrame.from_ndarray(np.roll(pixels, 3 * number, axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    path.write_bytes(buffer.getvalue())


def _embed(root: Path, told: list[Progress]) -> StoredVectors:
    """Embed all frames anew."""
    source = tamis.open(root)
    report = source.embed(tamis.EmbedOptions(full=True, workers=1), listen=told.append)
    assert (report.encoded, report.without) == (N_FRAMES, 0)
    one = find_set(source.sources.index.root, "visual", None)
    assert one is not None
    return read_vectors(one, target_of(SampleColumns(source.snapshot), None), contents=True)


@pytest.mark.parametrize("kind", ["mp4", "avi"])
def test_parts_of_a_video_give_what_the_whole_gives(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law: however a video is cut, each frame has the same pixels and vector; and then progress is told."""
    _write_video(tmp_path / f"v.{kind}", kind=kind)
    tamis.open(tmp_path).scan()
    at_once: list[Progress] = []
    whole = _embed(tmp_path, at_once)
    monkeypatch.setattr(pictures, "_FRAMES_A_BATCH", 20)
    by_parts: list[Progress] = []
    parts = _embed(tmp_path, by_parts)
    assert whole.contents == parts.contents
    assert None not in whole.contents
    assert np.array_equal(whole.vectors, parts.vectors)
    done = [one.done for one in by_parts if one.stage == "embedding"]
    assert done == ([0, 20, 40, 60, 80] if kind == "mp4" else [0, 80])
