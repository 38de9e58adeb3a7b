"""Embeddings are made once, of what is there now, and found again; what has none is named."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import tamis
from embedding_project import CLASSES, draw, make_project
from tamis.api.embedding import embed as embedding
from tamis.api.embedding.jobs import JobDone, run_job
from tamis.api.embedding.pictures import PictureBatch, batches_of
from tamis.errors import UsageError
from tamis.index import Tag, find_set
from tamis.selection import parse_config

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.engine import Progress

EmbedOptions = tamis.EmbedOptions
_WITHOUT_DUPLICATES = (
    "{n_samples: 99, select: {without_duplicates: true}, "
    "strategies: [{input: {type: RANDOM}, strategy: {type: WEIGHTS}}]}"
)
IMAGES, OBJECTS = EmbedOptions(workers=1), EmbedOptions(task="pets", workers=1)


@pytest.fixture
def source(tmp_path: Path) -> tamis.Datasource:
    """Eight images with three boxes each."""
    return make_project(tmp_path / "data")


def _root(source: tamis.Datasource) -> Path:
    root = source.sources.input.local_root
    assert root is not None
    return root


def _rewrite(path: Path, seed: int) -> None:
    draw(path, seed)
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1_000_000_000))


@pytest.mark.parametrize(("options", "n"), [(IMAGES, 8), (OBJECTS, 24)])
def test_embedding_twice_changes_nothing(source: tamis.Datasource, options: tamis.EmbedOptions, n: int) -> None:
    """The second run encodes nothing, and the vectors are of length 1 and in the order of keys."""
    first = source.embed(options)
    assert (first.total, first.encoded, first.kept, first.without) == (n, n, 0, 0)
    index = source.vectors(task=options.task)
    assert np.allclose(np.linalg.norm(index.unit, axis=1), 1.0, atol=1e-5)
    second = source.embed(options)
    assert (second.encoded, second.kept) == (0, n)
    assert np.array_equal(source.vectors(task=options.task).unit, index.unit)


def test_only_what_changed_is_encoded_again(source: tamis.Datasource) -> None:
    """After an image changed, one came and one went, the set is that of a run from nothing."""
    source.embed(IMAGES)
    source.embed(OBJECTS)
    root = _root(source)
    _rewrite(root / "a/0.png", 77)
    draw(root / "a/new.png", 78)
    (root / "b/1.png").unlink()
    source.scan()
    assert (source.embed(IMAGES).encoded, source.embed(OBJECTS).encoded) == (2, 3)
    images, objects = source.vectors().unit, source.vectors(task="pets").unit
    shutil.rmtree(source.sources.index.root / "embeddings")
    source.embed(IMAGES)
    source.embed(OBJECTS)
    assert np.allclose(source.vectors().unit, images, atol=1e-6)
    assert np.allclose(source.vectors(task="pets").unit, objects, atol=1e-6)


def test_a_moved_box_is_another_picture(source: tamis.Datasource) -> None:
    """Predictions that change are embedded again, those of other images stay."""
    source.embed(OBJECTS)
    with tamis.PredictionWriter(
        _root(source), task="pets", task_type="object-detection", categories=CLASSES
    ) as writer:
        writer.write_boxes("a/0.png", [[0, 0, 50, 50]], scores=[0.5], category_ids=[1])
    source.scan()
    report = source.embed(OBJECTS)
    assert (report.total, report.encoded, report.kept) == (22, 1, 21)


def test_a_stopped_run_goes_on(source: tamis.Datasource, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written before the stop is kept; the rest follows."""
    done: list[object] = []

    def stop_after_some(job: object) -> JobDone:
        if done:
            raise KeyboardInterrupt
        done.append(job)
        return run_job(job)  # type: ignore[arg-type]

    monkeypatch.setattr(embedding, "batches_of", lambda *a: [*_batches(*a)])
    monkeypatch.setattr(embedding, "run_job", stop_after_some)
    with pytest.raises(KeyboardInterrupt):
        source.embed(IMAGES)
    monkeypatch.setattr(embedding, "run_job", run_job)
    report = source.embed(IMAGES)
    assert (report.encoded, report.kept) == (4, 4)


def _batches(*args: object) -> list[object]:
    (batch,) = batches_of(*args)  # type: ignore[arg-type]
    half = len(batch.items) // 2
    return [
        PictureBatch(batch.store, None, batch.items[:half]),
        PictureBatch(batch.store, None, batch.items[half:]),
    ]


def test_what_cannot_be_embedded_is_named_and_the_rest_is_done(tmp_path: Path) -> None:
    """Unreadable and damaged files, boxes without area and outside, a picture of one pixel: each says why."""
    root = tmp_path / "data"
    make_project(root, 4)
    (root / "a/0.png").write_bytes(b"no picture")
    whole = (root / "b/1.png").read_bytes()
    (root / "b/1.png").write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (1, 1)).save(root / "one.png")
    with tamis.PredictionWriter(root, task="pets", task_type="object-detection", categories=CLASSES) as writer:
        writer.write_boxes(
            "a/2.png", [[5, 5, 0, 4], [500, 5, 9, 9], [1, 1, 9, 9]], scores=[0.5] * 3, category_ids=[0] * 3
        )
        writer.write_boxes("one.png", [[0, 0, 1, 1]], scores=[0.5], category_ids=[0])
    source = tamis.open(root)
    source.scan()
    images = source.embed(IMAGES)
    assert (images.total, images.without) == (5, 2)
    why = {fault.key: fault.message for fault in images.faults}
    assert "not of a known image format" in why["a/0.png"]
    assert "damaged" in why["b/1.png"]
    objects = source.embed(OBJECTS)
    why = {fault.key: fault.message for fault in objects.faults}
    assert why["a/2.png#pets#0"] == "its box has no area: 0 x 4 pixels"
    assert "a/2.png#pets#2" not in why
    assert "one.png#pets#0" not in why
    # The box that lies outside is an error of the check, and in no index.
    assert (objects.total, objects.without) == (2 + 1 + 3 + 3 + 3, 1 + 3 + 3)
    with pytest.raises(UsageError, match="has no embedding"):
        source.similar("a/0.png")


def test_numbers_that_are_none_are_faults(tmp_path: Path) -> None:
    """A model that gives NaN, or zeros, leaves its picture without embedding, and says so."""
    from onnx_models import channel_means  # noqa: PLC0415 (skips where there is no onnx)

    source = make_project(tmp_path / "data", 2)
    report = source.embed(
        EmbedOptions(model=channel_means(tmp_path / "nan.onnx", add=float("nan")), workers=1, name="n")
    )
    assert (report.without, report.faults[0].message) == (2, "the encoder gives no finite numbers for it")


def test_embeddings_of_the_users_own(source: tamis.Datasource, tmp_path: Path) -> None:
    """A file is taken over by name; unknown names are counted, samples without a row have none."""
    vectors = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    np.savez(tmp_path / "clip.npz", names=["a/0.png", "b/1.png", "gone.png", "a/2.png"], embeddings=vectors)
    report = source.embed(EmbedOptions(file=tmp_path / "clip.npz"))
    assert (report.name, report.encoded, report.unknown, report.without) == ("clip", 3, 1, 5)
    assert source.similar("a/0.png", embeddings="clip").searched == 3
    np.savez(tmp_path / "o.npz", names=["a/0.png#pets#1", "a/0.png#pets#9"], embeddings=vectors[:2])
    assert source.embed(EmbedOptions(task="pets", file=tmp_path / "o.npz")).encoded == 1
    np.savez(tmp_path / "none.npz", names=["x"], embeddings=vectors[:1])
    with pytest.raises(UsageError, match="none of its 1 names is in the index"):
        source.embed(EmbedOptions(file=tmp_path / "none.npz"))


@pytest.mark.parametrize("scale", [1e60, 1e-60, 1e300])
def test_embeddings_of_any_scale_are_taken_over(source: tamis.Datasource, tmp_path: Path, scale: float) -> None:
    """What float64 holds and float32 does not has the neighbours that it has at length 1; zeros have none."""
    vectors = np.random.default_rng(0).normal(size=(8, 5))
    vectors[3] = 0.0
    keys = source.snapshot.table("samples")["key"].to_pylist()
    found = []
    for name, values in (("one", vectors), ("far", vectors * scale)):
        np.savez(tmp_path / f"{name}.npz", names=keys, embeddings=values)
        report = source.embed(EmbedOptions(file=tmp_path / f"{name}.npz"))
        assert [(fault.key, fault.message) for fault in report.faults] == [(keys[3], "it is all zeros in the file")]
        neighbours = source.similar(keys[0], embeddings=name).neighbours
        found.append([(one.key, round(one.distance, 4)) for one in neighbours])
    assert found[0] == found[1]


def test_a_set_is_of_one_encoder(tmp_path: Path) -> None:
    """Another model cannot add to a set, but may replace it; a model that is gone is said."""
    from onnx_models import channel_means  # noqa: PLC0415 (skips where there is no onnx)

    source = make_project(tmp_path / "data", 2)
    model = channel_means(tmp_path / "m.onnx")
    source.embed(EmbedOptions(model=model, name="x", workers=1))
    with pytest.raises(UsageError, match="were made otherwise: ONNX encoder"):
        source.embed(EmbedOptions(name="x", workers=1))
    channel_means(model, add=1.0)
    with pytest.raises(UsageError, match="not what made the embeddings"):
        source.similar(str(tmp_path / "data/a/0.png"), embeddings="x")
    with pytest.raises(UsageError, match="were made otherwise") as caught:
        source.embed(EmbedOptions(name="x", full=True, workers=1))
    assert f"`tamis embed SRC --model {model} --name x`" in str(caught.value.hint)
    assert source.embed(EmbedOptions(model=model, name="x", full=True, workers=1)).encoded == 2


def test_a_picture_is_nearest_to_itself(source: tamis.Datasource, tmp_path: Path) -> None:
    """A copy outside of the datasource finds its original at 0, a sample never finds itself, nor does an object."""
    source.embed(IMAGES)
    source.embed(OBJECTS)
    shutil.copy(_root(source) / "b/3.png", tmp_path / "copy.png")
    nearest = source.similar(tmp_path / "copy.png", n=1).neighbours[0]
    assert (nearest.key, round(nearest.distance, 4)) == ("b/3.png", 0.0)
    assert all(one.key != "b/3.png" for one in source.similar("b/3.png", n=99).neighbours)
    found = source.similar("b/3.png#pets#0", n=99).neighbours
    assert len(found) == 23
    assert [one.distance for one in found] == sorted(one.distance for one in found)
    # The white squares, wherever they are, are nearest to each other.
    assert {one.position for one in found[:7]} == {0}


def test_duplicates_are_found_and_left_out(source: tamis.Datasource) -> None:
    """A copy and a smaller copy repeat the first of their kind; a selection without duplicates has none of them."""
    root = _root(source)
    shutil.copy(root / "a/0.png", root / "z.png")
    Image.open(root / "b/1.png").resize((70, 52)).save(root / "y.png")
    source.scan()
    report = source.duplicates()
    assert {(one.key, one.of, one.exact) for one in report.duplicates} == {
        ("z.png", "a/0.png", True),
        ("y.png", "b/1.png", False),
    }
    assert report.doubt is None
    config = _WITHOUT_DUPLICATES
    run = source.select(config=parse_config(config, source="c"))
    assert (run.n_duplicates, run.duplicates_doubt) == (2, None)
    assert not {"z.png", "y.png"} & set(run.keys)
    # How far the comparisons are is told, up to the last one.
    told: list[Progress] = []
    source.select(config=parse_config(config, source="c"), listen=told.append)
    compared = [one for one in told if one.stage == "comparing"]
    assert compared[-1].done == compared[-1].total == report.compared
    # What is labelled is kept, and the other one is left out.
    run = source.select(config=parse_config(config, source="c"), labelled=["z.png"])
    assert "a/0.png" not in run.keys


def test_selection_says_which_embeddings_it_used(source: tamis.Datasource) -> None:
    """By default those stored last, if they are of all samples; by name; or made from the predictions."""
    made = "made from the predictions"
    assert made in source.select(n=2, diverse=True).embeddings[0]
    source.embed(IMAGES)
    assert source.select(n=2, diverse=True).embeddings == ("`visual`: built-in visual descriptor (276 dimensions)",)
    assert made in source.select(n=2, diverse=True, embeddings="predictions").embeddings[0]
    draw(_root(source) / "late.png", 99)
    source.scan()
    assert made in source.select(n=2, diverse=True).embeddings[0]
    assert "`visual`" in source.select(n=2, diverse=True, embeddings="visual").embeddings[0]
    with pytest.raises(UsageError, match="There are no embeddings `clip` of images"):
        source.select(n=2, diverse=True, embeddings="clip")


def test_embeddings_of_one_level_leave_the_other_alone(source: tamis.Datasource, tmp_path: Path) -> None:
    """A file of images says nothing of objects, and a set of objects only is enough to select by objects."""
    objects = parse_config(
        "{n_samples: 2, strategies: [{input: {type: EMBEDDINGS, task: pets}, strategy: {type: DIVERSITY}}]}",
        source="c",
    )
    keys = [f"{'ab'[i % 2]}/{i}.png" for i in range(8)]
    np.savez(tmp_path / "clip.npz", names=keys, embeddings=np.eye(8, dtype=np.float32))
    run = source.select(config=objects, embeddings=str(tmp_path / "clip.npz"), out=tmp_path / "one")
    assert run.embeddings[0].startswith("made from the objects of `pets`")
    source.embed(EmbedOptions(task="pets", name="crops-only", workers=1))
    run = source.select(config=objects, embeddings="crops-only", out=tmp_path / "two")
    assert run.embeddings[0].startswith("`crops-only` of the objects of `pets`")


def test_similarity_to_a_sample_a_tag_or_a_picture(source: tamis.Datasource, tmp_path: Path) -> None:
    """The query set may be a sample, a tag, or pictures of any place: what looks like it comes first."""
    source.embed(IMAGES)
    Image.open(_root(source) / "b/5.png").resize((60, 45)).save(tmp_path / "query.png")
    Tag(source.sources.index.root, "wanted").add(["b/3.png"])
    for query, key in (("a/2.png", "a/2.png"), ("wanted", "b/3.png"), (str(tmp_path / "query.png"), "b/5.png")):
        config = json.dumps(
            {
                "n_samples": 1,
                "strategies": [
                    {"input": {"type": "EMBEDDINGS", "tag_name": query}, "strategy": {"type": "SIMILARITY"}}
                ],
            }
        )
        assert source.select(config=parse_config(config, source="c")).keys == [key]


def test_projections_are_kept(source: tamis.Datasource) -> None:
    """A point for each sample with an embedding, the same when asked again, anew when the index changed."""
    source.embed(IMAGES)
    first = source.projection()
    assert first.points.shape == (8, 2)
    assert first.known.all()
    found = find_set(source.sources.index.root, "visual", None)
    assert found is not None
    (kept,) = found.folder.glob("projection-*.npy")
    kept.write_bytes(kept.read_bytes()[:50])
    assert np.allclose(source.projection().points, first.points)
    _rewrite(_root(source) / "a/0.png", 50)
    source.scan()
    assert int(source.projection().known.sum()) == 7


@pytest.mark.parametrize("task", [None, "pets"])
def test_points_stay_with_their_pictures_after_a_rename(source: tamis.Datasource, task: str | None) -> None:
    """A projection of another order of keys is that of a run from nothing, and the renamed picture has no point."""
    source.embed(EmbedOptions(task=task, workers=1))
    source.projection(task=task)
    root = _root(source)
    for folder, ending in ((root, "png"), (root / ".lightly/predictions/pets", "json")):
        (folder / f"a/0.{ending}").rename(folder / f"a/9.{ending}")
    source.scan()
    found = source.projection(task=task)
    target = source.vectors(task=task).stored.target
    assert found.known.tolist() == ["a/9.png" not in target.name(row) for row in range(len(target))]
    for kept in source.sources.index.root.rglob("projection-*.npy"):
        kept.unlink()
    assert np.array_equal(source.projection(task=task).points, found.points, equal_nan=True)


def test_a_damaged_set_is_said(source: tamis.Datasource) -> None:
    """A file cut short is no traceback, but says what to remove."""
    source.embed(IMAGES)
    found = find_set(source.sources.index.root, "visual", None)
    assert found is not None
    part = next(found.folder.glob("0*.parquet"))
    part.write_bytes(part.read_bytes()[:200])
    with pytest.raises(tamis.IndexMissingError, match="cannot be read"):
        source.vectors()


def _draw_page(path: Path, seed: int) -> None:
    """Write a page of thirty dark lines, each of its own length."""
    pixels = np.full((260, 200), 255, np.uint8)
    for line, width in enumerate(np.random.default_rng(seed).integers(40, 160, 30).tolist()):
        pixels[10 + 8 * line : 14 + 8 * line, 20 : 20 + width] = 40
    Image.fromarray(pixels).convert("RGB").save(path)


def test_pictures_that_are_all_alike_are_doubtful_duplicates(tmp_path: Path) -> None:
    """Pages of text are near to each other and yet differ: that is said, unless the limit is low."""
    for number in range(24):
        _draw_page(tmp_path / f"page-{number:02}.png", number)
    pages = tamis.open(tmp_path)
    pages.scan()
    report = pages.duplicates()
    assert report.near
    assert report.typical_distance is not None
    assert f"nearer than {report.typical_distance:.2f} to each other" in str(report.doubt)
    assert pages.duplicates(limit=0.15).doubt is None
    config = _WITHOUT_DUPLICATES.replace("99", "3")
    run = pages.select(config=parse_config(config, source="c"), out=tmp_path / "out")
    assert run.duplicates_doubt == report.doubt
    assert str(report.doubt) in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert report.doubt == json.loads((tmp_path / "out" / "selection.json").read_text("utf-8"))["duplicates_doubt"]
