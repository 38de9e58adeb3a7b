"""Objects are selected as samples are: as if each crop were a sample, and with limits by image, class and video."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import tamis
from embedding_project import CLASSES, make_project
from tamis.api.embedding.targets import target_of
from tamis.api.selecting.files import selection_document, write_selection
from tamis.engine import Progress
from tamis.errors import DatasourceError, UsageError
from tamis.index import Pool, SampleColumns
from tamis.selection import encode_config, parse_config

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> tamis.Datasource:
    """Twelve images with three boxes each, embedded."""
    source = make_project(tmp_path_factory.mktemp("data"), 12)
    source.embed(tamis.EmbedOptions(task="pets", workers=1))
    source.embed(tamis.EmbedOptions(workers=1))
    return source


def _config(*strategies: tuple[dict[str, Any], dict[str, Any]], n: int = 10, **select: Any) -> Any:
    document = {
        "n_samples": n,
        "select": {"level": "objects", "task": "pets", **select},
        "strategies": [{"input": given, "strategy": strategy} for given, strategy in strategies],
    }
    return parse_config(json.dumps(document), source="test")


WEIGHTS = {"type": "WEIGHTS"}
SCORES = {"type": "SCORES", "task": "pets"}


def _rows(source: tamis.Datasource) -> dict[str, dict[str, Any]]:
    table = source.predictions("pets").to_arrow().to_pylist()
    return {f"{row['sample']}#pets#{row['position']}": row for row in table}


@pytest.mark.parametrize("score", ["score", "uncertainty_margin", "uncertainty_entropy", "bbox_width", "bbox_area"])
def test_scores_are_those_of_the_object(source: tamis.Datasource, score: str) -> None:
    """By one score alone, the objects with the highest of their own come first."""
    rows = _rows(source)
    for row in rows.values():
        row["bbox_area"] = row["bbox_width"] * row["bbox_height"]
    run = source.select(config=_config(({**SCORES, "score": score}, WEIGHTS), n=7))
    found = [rows[key][score] for key in run.keys]
    assert np.allclose(found, sorted((row[score] for row in rows.values()), reverse=True)[:7])


def test_objects_are_selected_as_their_crops_are(source: tamis.Datasource, tmp_path: Path) -> None:
    """Balance x margin x threshold on objects picks what the same picks on the datasource of their crops."""
    source.crops("pets", tmp_path / "crops", tamis.CropOptions(workers=1))
    crops = tamis.open(tmp_path / "crops")
    crops.scan()
    balance = (
        {"type": "PREDICTIONS", "task": "pets", "name": "CLASS_DISTRIBUTION"},
        {"type": "BALANCE", "distribution": "UNIFORM"},
    )
    margin = ({**SCORES, "score": "uncertainty_margin"}, WEIGHTS)
    wide = (
        {"type": "METADATA", "key": "bbox_width"},
        {"type": "THRESHOLD", "threshold": 25, "operation": "BIGGER"},
    )
    wide_object = ({**SCORES, "score": "bbox_width"}, wide[1])
    run = source.select(config=_config(balance, margin, wide_object, n=12))
    document = json.loads(json.dumps({"n_samples": 12, "strategies": []}))
    document["strategies"] = [{"input": given, "strategy": strategy} for given, strategy in (balance, margin, wide)]
    of_crops = crops.select(config=parse_config(json.dumps(document), source="crops"))
    assert [f"{key}.jpg" for key in run.keys] == of_crops.keys


def test_keys_of_objects_are_a_list_that_is_made_when_asked(source: tamis.Datasource) -> None:
    """Millions of names would be made for the few that are picked."""
    target = target_of(SampleColumns(source.snapshot), source.snapshot.task("pets"))
    keys = [f"{row['sample']}#pets#{row['position']}" for row in source.predictions("pets").to_arrow().to_pylist()]
    keys.sort()
    assert list(target.names) == keys
    assert (target.names[-1], target.names[1:3]) == (keys[-1], keys[1:3])
    with pytest.raises(IndexError):
        target.names[len(keys)]


def test_limits_hold(source: tamis.Datasource) -> None:
    """No more than asked of each image and category, whatever the strategies; the end says what ruled out."""
    diversity = ({"type": "EMBEDDINGS", "task": "pets"}, {"type": "DIVERSITY"})
    run = source.select(config=_config(diversity, n=99, at_most={"image": 2, "category": 5}))
    rows = _rows(source)
    assert max(Counter(rows[key]["sample"] for key in run.keys).values()) <= 2
    assert max(Counter(rows[key]["category_id"] for key in run.keys).values()) <= 5
    assert run.selection.stopped is not None
    assert "at most 5 of each category" in run.selection.stopped


def test_images_and_objects_mix(source: tamis.Datasource) -> None:
    """What is known of the image counts for each of its objects: embedding, score, a random number apart."""
    run = source.select(
        config=_config(
            ({"type": "EMBEDDINGS"}, {"type": "DIVERSITY"}),
            ({**SCORES, "score": "object_frequency"}, WEIGHTS),
            ({"type": "RANDOM"}, WEIGHTS),
            n=12,
        )
    )
    # The objects of one image are at the same place: after 12 picks each image has one.
    assert len({key.partition("#")[0] for key in run.keys}) == 12
    assert len(run.embeddings) == 1


def test_category_counts_tell_classes_apart(source: tamis.Datasource) -> None:
    """A threshold on the count of a category keeps the objects of that class only."""
    only = (
        {"type": "PREDICTIONS", "task": "pets", "name": "CATEGORY_COUNT", "categories": ["dog"]},
        {"type": "THRESHOLD", "threshold": 1, "operation": "BIGGER_EQUAL"},
    )
    run = source.select(config=_config(only, ({"type": "RANDOM"}, WEIGHTS), n=99))
    rows = _rows(source)
    assert sorted(run.keys) == sorted(key for key, row in rows.items() if row["category_id"] == 1)


def test_the_pool_may_hold_objects_and_images(source: tamis.Datasource) -> None:
    """A labelled object is not picked again, a labelled image stands for all of its objects."""
    random = ({"type": "RANDOM"}, WEIGHTS)
    run = source.select(config=_config(random, n=99), labelled=["a/0.png", "b/1.png#pets#2"])
    assert len(run.pool) == 4
    assert len(run.keys) == 32
    assert not {"a/0.png#pets#0", "a/0.png#pets#1", "a/0.png#pets#2", "b/1.png#pets#2"} & set(run.keys)
    with pytest.raises(UsageError, match="None of the 1 labelled names"):
        source.select(config=_config(random), labelled=["a/0.png#pets#7"])


def test_answers_name_objects_and_their_images(source: tamis.Datasource, tmp_path: Path) -> None:
    """Each pick says its image, position, class and box; the files list both; a report with crops is written."""
    config = _config(({"type": "EMBEDDINGS", "task": "pets"}, {"type": "DIVERSITY"}), n=5)
    run = source.select(config=config)
    write_selection(run, source.sources, tmp_path)
    document = json.loads((tmp_path / "selection.json").read_text())
    rows = _rows(source)
    for pick in document["picks"]:
        row = rows[pick["key"]]
        assert (pick["sample"], pick["position"]) == (row["sample"], row["position"])
        assert pick["category"] == CLASSES[row["category_id"]]
        assert pick["bbox"] == [row[f"bbox_{c}"] for c in ("x", "y", "width", "height")]
    assert (tmp_path / "selected.txt").read_text().split() == run.keys
    assert (tmp_path / "images.txt").read_text().split() == run.images == document["images"]
    assert selection_document(run)["config"]["select"] == {"level": "objects", "task": "pets"}
    report = json.loads((tmp_path / "report.json").read_text())
    assert [pick["key"] for pick in report["picks"]] == run.keys
    assert report["summary"]["of"] == "objects"
    page = (tmp_path / "report.html").read_text()
    assert "objects to label next" in page
    assert "nearest selected sample" not in page
    assert all(pick["picture"] is not None for pick in report["picks"])
    assert all(len(layer["marks"]) == 1 for pick in report["picks"] for layer in pick["layers"])


def test_describing_objects_by_their_predictions_is_told_of(tmp_path: Path) -> None:
    """Hundreds of thousands take seconds."""
    source, told = make_project(tmp_path, 4), list[Progress]()
    diversity = ({"type": "EMBEDDINGS", "task": "pets"}, {"type": "DIVERSITY"})
    source.select(config=_config(diversity, n=2), listen=told.append)
    assert [(one.done, one.total) for one in told if one.unit == "objects"] == [(12, 12)]


def test_what_cannot_be_is_refused(source: tamis.Datasource) -> None:
    """Wrong levels, limits and scores say what there is instead."""
    random = ({"type": "RANDOM"}, WEIGHTS)
    for select, message in (
        ({"level": "object"}, "did you mean OBJECTS|expected one of images, objects"),
        ({"level": "images"}, "only the level `objects` takes it"),
        ({"at_most": {"picture": 2}}, "got one by"),
        ({"at_most": {"image": 0}}, "whole number >= 1"),
        ({"without_duplicates": 2}, "true, or a distance"),
    ):
        with pytest.raises(UsageError, match=message):
            _config(random, **select)
    with pytest.raises(UsageError, match="no videos"):
        source.select(config=_config(random, at_most={"video": 2}))
    with pytest.raises(UsageError, match=r"no score `size`: .* it has `score`, `bbox_width`.*`object_freq"):
        source.select(config=_config(({**SCORES, "score": "size"}, WEIGHTS)))


def test_configs_are_written_as_they_are_read() -> None:
    """`select` survives a round trip."""
    config = _config(({"type": "RANDOM"}, WEIGHTS), at_most={"image": 2}, without_duplicates=0.3)
    assert parse_config(encode_config(config), source="again") == config


def test_objects_in_a_pool_are_not_gone_where_images_are_selected(source: tamis.Datasource) -> None:
    """A pool may hold objects: they count for no image, and only what the datasource has no more is gone."""
    Pool(source.sources.index.root, "mixed").join(
        ["a/0.png#pets#0", "b/1.png", "b/1.png#others#0", "gone.png#pets#0"]
    )
    run = source.select(n=99, diverse=True, pool="mixed")
    assert (len(run.pool), run.n_pool_others, run.n_pool_gone) == (1, 2, 1)
    run = source.select(config=_config(({"type": "RANDOM"}, WEIGHTS), n=99), pool="mixed")
    assert (len(run.pool), run.n_pool_others, run.n_pool_gone) == (4, 1, 1)


def test_a_file_of_object_embeddings_is_used_or_refused(source: tamis.Datasource, tmp_path: Path) -> None:
    """Vectors that name objects decide; a file that names none of them is no file of their embeddings."""
    keys = list(_rows(source))
    # Far from each other but for the first two, which are the same: one of these is the last to be picked.
    vectors = np.eye(len(keys), dtype=np.float32)
    vectors[1] = vectors[0]
    np.savez(tmp_path / "objects.npz", keys=np.array(keys), vectors=vectors)
    diversity = ({"type": "EMBEDDINGS", "task": "pets"}, {"type": "DIVERSITY"})
    run = source.select(config=_config(diversity, n=len(keys)), embeddings=tmp_path / "objects.npz")
    assert run.keys[-1] in keys[:2]
    assert run.embeddings == (f"objects.npz ({len(keys)} dimensions)",)
    np.savez(tmp_path / "some.npz", keys=np.array(keys[:5]), vectors=vectors[:5])
    run = source.select(config=_config(diversity, n=99), embeddings=tmp_path / "some.npz")
    assert sorted(run.keys) == sorted(keys[:5])
    np.savez(tmp_path / "images.npz", keys=np.array(["a/0.png", "b/1.png"]), vectors=vectors[:2])
    with pytest.raises(UsageError, match=r"`.*images.npz` names no object of `pets`"):
        source.select(config=_config(diversity, n=3), embeddings=tmp_path / "images.npz")
    with pytest.raises(DatasourceError):
        source.select(config=_config(diversity, n=3), embeddings=tmp_path / "nothing.npz")


@pytest.mark.parametrize("missing", ["absent", "zeros"])
def test_images_are_compared_by_the_objects_that_are_known(
    source: tamis.Datasource, tmp_path: Path, missing: str
) -> None:
    """An image without any vector is no candidate, unlike one without objects; else those count that are there."""
    keys = np.array(list(_rows(source)))
    vectors = np.random.default_rng(0).standard_normal((len(keys), 4))
    unknown = np.array([key.startswith("a/0.png") or key == "b/1.png#pets#2" for key in keys])
    vectors[unknown] = 0.0
    there = ~unknown if missing == "absent" else np.ones(len(keys), np.bool_)
    np.savez(tmp_path / "own.npz", keys=keys[there], vectors=vectors[there])
    diversity = {"input": {"type": "EMBEDDINGS", "task": "pets"}, "strategy": {"type": "DIVERSITY"}}
    config = parse_config(json.dumps({"n_samples": 12, "strategies": [diversity]}), source="test")
    run = source.select(config=config, embeddings=tmp_path / "own.npz")
    assert sorted(run.keys) == [key for key in SampleColumns(source.snapshot).keys if key != "a/0.png"]
    assert list(run.selection.field.excluded.values()) == [1]
    assert "1 of 36 objects have none and do not count" in run.embeddings[0]


def test_images_of_objects_do_not_outlive_their_selection(source: tamis.Datasource, tmp_path: Path) -> None:
    """Where images are selected after objects, no list of the images of those objects remains."""
    source.select(config=_config(({"type": "RANDOM"}, WEIGHTS), n=3), out=tmp_path / "out")
    assert (tmp_path / "out" / "images.txt").exists()
    source.select(n=3, diverse=True, out=tmp_path / "out")
    assert not (tmp_path / "out" / "images.txt").exists()
