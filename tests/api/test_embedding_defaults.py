"""Embeddings that lack samples are used where they are asked for, and not by default."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import tamis
from embedding_project import make_project
from tamis.errors import UsageError
from tamis.selection import parse_config

if TYPE_CHECKING:
    from pathlib import Path

EmbedOptions = tamis.EmbedOptions
N = 20


@pytest.fixture
def source(tmp_path: Path) -> tamis.Datasource:
    """Twenty images with three boxes each."""
    return make_project(tmp_path / "data", N)


def _take_over(source: tamis.Datasource, path: Path, n_zero: int, n: int = N) -> None:
    """Store a set of n of the images, of which the first have no vector, but zeros."""
    vectors = np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32)
    vectors[:n_zero] = 0.0
    np.savez(path, names=source.vectors("visual").stored.target.samples.keys[:n], embeddings=vectors)
    source.embed(EmbedOptions(file=path))


@pytest.mark.parametrize(
    ("n_zero", "n", "why"),
    [
        (N, N, "20 of 20 without a vector"),
        (3, N, "3 of 20 without a vector"),
        (0, N - 1, "1 of 20 not embedded yet"),
        (2, N, None),
        (0, N, None),
    ],
)
def test_a_set_serves_by_default_if_it_can_stand_for_all(
    source: tamis.Datasource, tmp_path: Path, n_zero: int, n: int, why: str | None
) -> None:
    """Each sample looked at, nine of ten with a vector; or the next set is used, and the reason is said."""
    source.embed(EmbedOptions(workers=1))
    _take_over(source, tmp_path / "clip.npz", n_zero, n)
    run = source.select(n=2, diverse=True)
    visual = "`visual`: built-in visual descriptor (276 dimensions)"
    clip = "`clip`: from clip.npz (4 dimensions)"
    assert run.embeddings == (clip if why is None else f"{visual}; not used: `clip` ({why})",)
    assert len(run.keys) == 2


def test_without_a_set_that_serves_predictions_do(source: tamis.Datasource, tmp_path: Path) -> None:
    """A model that gives zeros only leaves a selection by predictions, not an empty one; by name it is refused."""
    from onnx_models import channel_means  # noqa: PLC0415 (skips where there is no onnx)

    source.embed(EmbedOptions(model=channel_means(tmp_path / "n.onnx", add=float("nan")), workers=1))
    run = source.select(n=2, diverse=True)
    (origin,) = run.embeddings
    assert origin.startswith("made from the predictions of `pets`")
    assert origin.endswith("; not used: `n` (20 of 20 without a vector)")
    with pytest.raises(UsageError, match="`n` hold no vector of what is in the index") as caught:
        source.select(n=2, diverse=True, embeddings="n")
    assert f"run `tamis embed SRC --model {tmp_path / 'n.onnx'} --name n`, which says why" == caught.value.hint


def test_objects_have_the_same_rule(source: tamis.Datasource, tmp_path: Path) -> None:
    """A set of some objects is passed over for their predictions, and that is said."""
    np.savez(tmp_path / "o.npz", names=["a/0.png#pets#1"], embeddings=np.eye(1))
    source.embed(EmbedOptions(task="pets", file=tmp_path / "o.npz"))
    config = "{n_samples: 2, strategies: [{input: {type: EMBEDDINGS, task: pets}, strategy: {type: DIVERSITY}}]}"
    (origin,) = source.select(config=parse_config(config, source="c")).embeddings
    assert origin.startswith("made from the objects of `pets`")
    assert origin.endswith("; not used: `o` (59 of 60 not embedded yet)")


def test_without_predictions_what_was_passed_over_is_the_error(tmp_path: Path) -> None:
    """Where nothing is left to make vectors from, the error names the sets and both ways out; others go on."""
    for i in range(3):
        Image.new("RGB", (20, 20), (90 * i, 9, 9)).save(tmp_path / f"{i}.png")
    source = tamis.open(tmp_path)
    source.scan()
    source.embed(EmbedOptions(workers=1))
    Image.new("RGB", (20, 20)).save(tmp_path / "late.png")
    source.scan()
    with pytest.raises(
        UsageError, match=r"make vectors from; not used: `visual` \(1 of 4 not embedded yet\)"
    ) as caught:
        source.select(n=2, diverse=True)
    assert "`tamis embed SRC`" in str(caught.value.hint)
    assert "`--embeddings NAME`" in str(caught.value.hint)
    config = parse_config(
        "{n_samples: 2, strategies: [{input: {type: RANDOM}, strategy: {type: WEIGHTS}}]}", source="c"
    )
    assert len(source.select(config=config, out=tmp_path / "out").keys) == 2


def test_a_query_set_that_there_is_not_is_said_to_be_none(source: tamis.Datasource, tmp_path: Path) -> None:
    """Names that stand for nothing are told from those without an embedding, and those that there are listed."""
    config = "{n_samples: 1, strategies: [{input: {type: EMBEDDINGS, tag_name: %s}, strategy: {type: SIMILARITY}}]}"
    nobody = parse_config(config % "nobody", source="c")
    with pytest.raises(UsageError, match="There is no tag `nobody`") as caught:
        source.select(config=nobody)
    assert "there are no tags and no pools yet" in str(caught.value.hint)
    source.tag("night", add=["b/1.png"])
    with pytest.raises(UsageError, match="There is no tag `nobody`") as caught:
        source.select(config=nobody)
    assert caught.value.hint == "tags and pools: `night`"
    source.embed(EmbedOptions(workers=1))
    _take_over(source, tmp_path / "clip.npz", 2)
    source.tag("dark", add=["a/0.png"])
    with pytest.raises(UsageError, match="The query set `dark` has no sample with an embedding"):
        source.select(config=parse_config(config % "dark", source="c"), embeddings="clip")
