"""Encoders in ONNX files, made here with the `onnx` package and run by onnxruntime."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from onnx_models import channel_means, save_model
from tamis.errors import DatasourceError, UsageError
from tamis.media.onnx_encoder import EncoderError, Preprocessing, open_encoder, read_preprocessing

if TYPE_CHECKING:
    from pathlib import Path

RED = Image.new("RGB", (30, 20), (255, 0, 51))
PLAIN = Preprocessing(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def _encoded(path: Path, steps: Preprocessing, image: Image.Image = RED) -> list[float]:
    encoder = open_encoder(path, steps)
    vectors = encoder.encode(np.stack([encoder.prepare(image)] * 3))
    assert vectors.shape == (3, encoder.n_dims)
    assert np.array_equal(vectors[0], vectors[2])
    values: list[float] = vectors[0].round(4).tolist()
    return values


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_pictures_reach_the_model_in_its_layout(tmp_path: Path, layout: Any) -> None:
    """Means of the channels come out as the colours that went in, from 0 to 1, red first."""
    path = channel_means(tmp_path / "m.onnx", layout=layout)
    assert _encoded(path, PLAIN) == [1.0, 0.0, pytest.approx(0.2)]


def test_means_spreads_and_order_of_colours(tmp_path: Path) -> None:
    """(value - mean) / std for each colour, blue first where that is asked for."""
    path = channel_means(tmp_path / "m.onnx")
    steps = Preprocessing(mean=(0.5, 0.5, 0.2), std=(0.5, 0.25, 1.0))
    assert _encoded(path, steps) == [1.0, -2.0, pytest.approx(0.0, abs=1e-6)]
    assert _encoded(path, Preprocessing(mean=(0.0,) * 3, std=(1.0,) * 3, bgr=True)) == [
        pytest.approx(0.2),
        0.0,
        1.0,
    ]


@pytest.mark.parametrize(("rank", "n_dims"), [(4, 3), (3, 8)])
def test_maps_and_tokens_become_one_vector(tmp_path: Path, rank: int, n_dims: int) -> None:
    """Of an output of several vectors a picture, their mean is taken."""
    path = save_model(tmp_path / "m.onnx", output=rank)
    assert open_encoder(path, PLAIN).n_dims == n_dims


def test_fitting(tmp_path: Path) -> None:
    """Squeezed pictures fill the input, padded ones leave grey, cropped ones lose their ends."""
    path = channel_means(tmp_path / "m.onnx")
    halves = Image.new("RGB", (40, 8), "black")
    halves.paste((255, 255, 255), (0, 0, 4, 8))
    white = {
        fit: _encoded(path, Preprocessing(mean=(0.0,) * 3, std=(1.0,) * 3, fit=fit), halves)[0]
        for fit in ("squeeze", "crop", "pad")
    }
    assert white["squeeze"] == pytest.approx(0.1, abs=0.03)
    assert white["crop"] == 0.0
    assert white["pad"] > 0.35


def test_the_file_beside_the_model_says_how(tmp_path: Path) -> None:
    """`m.json` beside `m.onnx` is read, is part of what made the vectors, and its faults are said."""
    path = channel_means(tmp_path / "m.onnx")
    usual = open_encoder(path)
    (tmp_path / "m.json").write_text(json.dumps({"mean": [0, 0, 0], "std": [1, 1, 1]}))
    assert open_encoder(path).steps == PLAIN
    assert open_encoder(path).identity != usual.identity
    (tmp_path / "m.json").write_text('{"mean": [0, 0], "sdt": 1}')
    with pytest.raises(UsageError, match="does not say how to prepare pictures"):
        open_encoder(path)
    (tmp_path / "m.json").write_text('{"std": [1, 0, 1]}')
    with pytest.raises(UsageError, match="`std` above 0"):
        read_preprocessing(tmp_path / "m.json")


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where onnxruntime is not installed, the error says what to install, and that there is another way."""
    path = channel_means(tmp_path / "m.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UsageError, match=r"pip install 'tamis\[onnx\]'"):
        open_encoder(path)


def test_what_is_no_encoder_is_refused(tmp_path: Path) -> None:
    """No file, no model, a wrong rank, a wrong size, an unknown output: each says what is the matter."""
    with pytest.raises(DatasourceError, match="cannot be read"):
        open_encoder(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(UsageError, match="cannot be loaded as an ONNX model"):
        open_encoder(tmp_path / "text.onnx")
    with pytest.raises(UsageError, match=r"expected one input of shape .* got"):
        open_encoder(save_model(tmp_path / "flat.onnx", input_rank=2))
    path = channel_means(tmp_path / "m.onnx")
    with pytest.raises(UsageError, match="the model takes 16"):
        open_encoder(path, Preprocessing(width=99))
    with pytest.raises(UsageError, match="has no output `other`"):
        open_encoder(path, Preprocessing(output="other"))
    with pytest.raises(UsageError, match="gives no vector a picture"):
        open_encoder(save_model(tmp_path / "number.onnx", output=0))
    assert issubclass(EncoderError, Exception)
