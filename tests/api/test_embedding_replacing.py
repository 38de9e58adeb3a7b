"""No embeddings are lost to others that nobody asked to have in their place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

import tamis
from embedding_project import make_project
from tamis.api.embedding.options import BUILT_IN, set_name
from tamis.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

EmbedOptions = tamis.EmbedOptions
KEYS = ["a/0.png", "b/1.png", "a/2.png", "b/3.png"]


@pytest.fixture
def source(tmp_path: Path) -> tamis.Datasource:
    """Four images with three boxes each."""
    return make_project(tmp_path / "data", 4)


def _file(path: Path, keys: list[str] = KEYS, n_dims: int = 5) -> Path:
    np.savez(path, names=keys, embeddings=np.random.default_rng(0).normal(size=(len(keys), n_dims)))
    return path


@pytest.mark.parametrize("full", [False, True])
def test_a_file_does_not_take_the_place_of_what_was_encoded(
    source: tamis.Datasource, tmp_path: Path, *, full: bool
) -> None:
    """The name of a set that an encoder made is refused, and the set stays; `--name` is the way."""
    source.embed(EmbedOptions(name="mine", workers=1))
    with pytest.raises(UsageError) as caught:
        source.embed(EmbedOptions(file=_file(tmp_path / "mine.npz"), full=full))
    assert str(caught.value) == (
        "The embeddings `mine` were made otherwise: built-in visual descriptor\n"
        "hint: give the new ones another name with `--name`"
    )
    assert source.embed(EmbedOptions(name="mine", workers=1)).kept == 4


@pytest.mark.parametrize("path", ["visual.npz", "sub/visual.onnx"])
def test_the_name_of_the_built_in_descriptor_is_its_own(
    source: tamis.Datasource, tmp_path: Path, path: str
) -> None:
    """Neither a file nor a model is called `visual`, by its file's name or by the user's."""
    file, other = tmp_path / path, tmp_path / "x.npz"
    by_name = EmbedOptions(model=file) if file.suffix == ".onnx" else EmbedOptions(file=file)
    for options in (by_name, EmbedOptions(file=other, name=BUILT_IN), EmbedOptions(model=other, name=BUILT_IN)):
        with pytest.raises(UsageError, match="cannot be called `visual`") as caught:
            source.embed(options)
        assert caught.value.hint == "give another `--name`"
    assert source.duplicates().compared == 4


def test_a_file_takes_the_place_of_a_file(source: tamis.Datasource, tmp_path: Path) -> None:
    """Whatever is in the new file is the set, and nothing else."""
    source.embed(EmbedOptions(file=_file(tmp_path / "clip.npz")))
    report = source.embed(EmbedOptions(file=_file(tmp_path / "clip.npz", KEYS[:2], n_dims=7)))
    assert (report.encoded, report.kept, report.without, report.n_dims) == (2, 0, 2, 7)
    assert [(one.key, one.message) for one in report.faults] == [
        ("a/2.png", "`clip.npz` has no vector for it"),
        ("b/3.png", "`clip.npz` has no vector for it"),
    ]
    assert source.similar("a/0.png", embeddings="clip").searched == 2


def test_encoding_does_not_take_the_place_of_a_file(source: tamis.Datasource, tmp_path: Path) -> None:
    """`--full` without the file does not make a set of it one of the built-in descriptor."""
    source.embed(EmbedOptions(file=_file(tmp_path / "clip.npz")))
    for full in (False, True):
        with pytest.raises(UsageError, match=r"`clip` were made otherwise: from clip\.npz") as caught:
            source.embed(EmbedOptions(name="clip", full=full, workers=1))
        assert "`tamis embed SRC --file clip.npz --name clip`" in str(caught.value.hint)
    assert source.similar("a/0.png", embeddings="clip").searched == 4


def test_what_has_the_name_of_the_descriptor_gives_way_when_asked(source: tamis.Datasource) -> None:
    """A set `visual` of anything else is replaced by `--full`, which whoever needs it says."""
    source.embed(EmbedOptions(workers=1))
    folder = source.sources.index.root / "embeddings/visual/images"
    spec = folder / "set.json"
    spec.write_text(spec.read_text().replace('"visual 1"', '"file visual.npz"'))
    with pytest.raises(UsageError) as caught:
        source.duplicates()
    assert caught.value.hint == "make them anew: `tamis embed SRC --name visual --full`"
    assert source.embed(EmbedOptions(name="visual", full=True, workers=1)).encoded == 4
    assert source.duplicates().compared == 4


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("ViT-B 32 (openai).onnx", "ViT-B-32-openai"),
        ("m\u00e9in clip.npz", "mein-clip"),
        ("clip.v2.npz", "clip.v2"),
    ],
)
def test_files_of_any_name_give_sets_a_name(file: str, name: str) -> None:
    """Letters that names of sets may not have are left out or replaced."""
    assert set_name(EmbedOptions(file=file)) == name


def test_a_file_without_a_letter_needs_a_name() -> None:
    """Where nothing is left of a name, the error says which option gives one; reserved names are refused."""
    with pytest.raises(UsageError, match="give a name with `--name`"):
        set_name(EmbedOptions(file="\u99c5\u524d.npz"))
    with pytest.raises(UsageError, match="stands for vectors made from predictions"):
        set_name(EmbedOptions(file="predictions.npz"))


def test_a_picture_is_encoded_as_those_of_the_set_were(source: tamis.Datasource, tmp_path: Path) -> None:
    """How pictures were prepared is kept with the set, whatever becomes of the file; an old set learns it anew."""
    from onnx_models import channel_means  # noqa: PLC0415 (skips where there is no onnx)

    model, steps = channel_means(tmp_path / "m.onnx", add=9.0), tmp_path / "steps.json"
    steps.write_text('{"bgr": true, "std": [0.5, 0.6, 0.7]}')
    options = EmbedOptions(model=model, preprocessing=steps, workers=1)
    source.embed(options)
    steps.unlink()
    picture = tmp_path / "copy.png"
    picture.write_bytes((tmp_path / "data/b/3.png").read_bytes())
    nearest = source.similar(picture, embeddings="m", n=1).neighbours[0]
    assert (nearest.key, round(nearest.distance, 5)) == ("b/3.png", 0.0)

    spec = source.sources.index.root / "embeddings/m/images/set.json"
    old = json.loads(spec.read_text())
    spec.write_text(json.dumps({key: value for key, value in old.items() if key not in {"steps", "preprocessing"}}))
    with pytest.raises(UsageError, match="not what made the embeddings `m` any more") as caught:
        source.similar(picture, embeddings="m")
    assert str(caught.value.hint).startswith(f"make them again: `tamis embed SRC --model {model} --name m --full`;")
    steps.write_text('{"bgr": true, "std": [0.5, 0.6, 0.7]}')
    assert source.embed(options).kept == 4
    assert json.loads(spec.read_text()) == old
    assert source.similar(picture, embeddings="m", n=1).neighbours[0].key == "b/3.png"

    channel_means(model, add=8.0)
    with pytest.raises(UsageError) as caught:
        source.similar(picture, embeddings="m")
    again = f"tamis embed SRC --model {model} --preprocessing {steps} --name m --full"
    assert caught.value.hint == f"make them again: `{again}`"
    model.unlink()
    with pytest.raises(tamis.DatasourceError, match="it made the embeddings `m`: put it back"):
        source.similar(picture, embeddings="m")


def test_a_model_that_moved_is_found_again(source: tamis.Datasource, tmp_path: Path) -> None:
    """The same model from elsewhere adds to its set, and queries use it there."""
    from onnx_models import channel_means  # noqa: PLC0415 (skips where there is no onnx)

    model = channel_means(tmp_path / "m.onnx", add=9.0)
    source.embed(EmbedOptions(model=model, workers=1))
    moved = model.rename(tmp_path / "n.onnx")
    assert source.embed(EmbedOptions(model=moved, name="m", workers=1)).kept == 4
    assert source.similar(tmp_path / "data/b/3.png", embeddings="m", n=1).neighbours[0].key == "b/3.png"
