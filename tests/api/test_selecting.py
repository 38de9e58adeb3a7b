"""Selections from an index: inputs line up with the samples, and every input and strategy runs."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

import tamis
from tamis.api.key_files import encode_keys, read_keys
from tamis.api.selecting.files import selection_document
from tamis.api.selecting.inputs import Inputs
from tamis.api.selecting.rows import Rows
from tamis.errors import UsageError
from tamis.index import SampleColumns
from tamis.model import Prediction
from tamis.selection import ScoresInput, parse_config

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = ["cat", "dog", "fox"]


def _image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"P5\n64 48\n255\n" + bytes(64 * 48))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> tamis.Datasource:
    """Thirty images in folders, one without a file, with boxes and metadata drawn from a seed."""
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(5)
    keys = [f"{'abc'[i % 3]}/{i:02d}.pgm" for i in range(30)]
    for key in keys:
        _image(folder / key)
    with tamis.PredictionWriter(folder, task="boxes", task_type="object-detection", categories=CLASSES) as writer:
        for i, key in enumerate(keys[:-1]):
            n = i % 4
            rows = random.dirichlet(np.ones(3), n)
            writer.write(
                key,
                [
                    Prediction(
                        category_id=int(row.argmax()),
                        bbox=(1.0 + j, 2.0, 10.0 + i, 12.0),
                        score=float(row.max()),
                        probabilities=tuple((row / row.sum()).tolist()),
                    )
                    for j, row in enumerate(rows)
                ],
            )
    (folder / ".lightly/metadata/a").mkdir(parents=True)
    schema = (
        '[{"name": "Speed", "path": "speed", "defaultValue": 1.5, "valueDataType": "NUMERIC_FLOAT"},'
        '{"name": "sample", "path": "place", "defaultValue": "road", "valueDataType": "CATEGORICAL_STRING"}]'
    )
    (folder / ".lightly/metadata/schema.json").write_text(schema)
    (folder / ".lightly/metadata/a/00.json").write_text(
        '{"file_name": "a/00.pgm", "type": "image", "metadata": {"speed": 9.0, "place": "field"}}'
    )
    datasource = tamis.open(folder)
    datasource.scan()
    return datasource


def test_values_belong_to_their_samples(source: tamis.Datasource) -> None:
    """The score that an input gives a sample is the one that the table has for its key, and null without a file."""
    samples = SampleColumns(source.snapshot)
    assert samples.keys == sorted(samples.keys, key=str.encode)
    values = Inputs(Rows(samples), None).values(ScoresInput(task="boxes", score="uncertainty_entropy"))
    table = source.sample_scores("boxes").to_arrow().to_pylist()
    expected = {row["sample"]: row["uncertainty_entropy"] for row in table}
    for key, value in zip(samples.keys, values.tolist(), strict=True):
        assert (np.isnan(value) and key not in expected) or value == expected[key]
    assert len(expected) == 29


def test_predictions_belong_to_their_samples(source: tamis.Datasource) -> None:
    """The predictions of all parts, put together, are the rows of the table."""
    samples = SampleColumns(source.snapshot)
    found = []
    for part in samples.prediction_parts("boxes"):
        for i in range(len(part.columns)):
            key = samples.keys[part.samples[part.columns.file[i]]]
            found.append((key, int(part.columns.position[i]), part.columns.bbox[i].tolist()))
    table = source.predictions("boxes").to_arrow().to_pylist()
    expected = [
        (row["sample"], row["position"], [row[f"bbox_{name}"] for name in ("x", "y", "width", "height")])
        for row in table
    ]
    assert sorted(found) == sorted(expected)
    assert len(found) == sum(i % 4 for i in range(29))


SCORES = "{type: SCORES, task: boxes, score: uncertainty_margin}"
METADATA = "{type: METADATA, key: Speed}"
PLACE = "{type: METADATA, key: sample}"
CLASS_INPUT = "{type: PREDICTIONS, task: boxes, name: CLASS_DISTRIBUTION}"
COUNT = "{type: PREDICTIONS, task: boxes, name: CATEGORY_COUNT, categories: [cat, fox]}"
RANDOM = "{type: RANDOM, random_seed: 4}"
IMAGES = "{type: EMBEDDINGS}"
OBJECTS = "{type: EMBEDDINGS, task: boxes}"
ABOVE = "{type: THRESHOLD, threshold: 0.0, operation: BIGGER_EQUAL}"
TABLE = [
    *itertools.product([SCORES, METADATA, COUNT, RANDOM], ["{type: WEIGHTS}", ABOVE]),
    *itertools.product(
        [CLASS_INPUT], ["{type: BALANCE, distribution: UNIFORM}", "{type: BALANCE, distribution: INPUT}"]
    ),
    (CLASS_INPUT, "{type: BALANCE, distribution: TARGET, target: {cat: 0.5, dog: 0.2}}"),
    (PLACE, "{type: BALANCE, distribution: TARGET, target: {field: 1}}"),
    *itertools.product([IMAGES, OBJECTS], ["{type: DIVERSITY}", "{type: TYPICALITY, num_nearest_neighbors: 3}"]),
]


@pytest.mark.parametrize(("given", "strategy"), TABLE)
def test_every_input_and_strategy_runs(source: tamis.Datasource, given: str, strategy: str) -> None:
    """Each row of the table picks as many distinct samples as asked, with one reason a strategy."""
    text = f"{{n_samples: 6, strategies: [{{input: {given}, strategy: {strategy}}}]}}"
    run = source.select(config=parse_config(text, source="test"))
    assert len(set(run.keys)) == 6
    assert all(len(reasons) == 1 for reasons in run.reasons)
    assert all(run.sentence(i) for i in range(6))


def test_a_target_is_filled_first(source: tamis.Datasource) -> None:
    """BALANCE on a metadata class picks the only sample that has it."""
    text = f"""{{n_samples: 1, strategies: [{{input: {PLACE},
        strategy: {{type: BALANCE, distribution: TARGET, target: {{field: 1}}}}}}]}}"""
    run = source.select(config=parse_config(text, source="test"))
    assert run.keys == ["a/00.pgm"]
    assert "fills `field`" in run.sentence(0)


def test_numbers_of_64_bits_are_as_near_as_floats_are(tmp_path: Path) -> None:
    """Times in nanoseconds and ids are beyond what floats hold: they are rounded, not refused."""
    for i in range(3):
        _image(tmp_path / f"{i}.pgm")
    folder = tmp_path / ".lightly/metadata"
    folder.mkdir(parents=True)
    (folder / "schema.json").write_text(
        '[{"name": "Time", "path": "t", "defaultValue": 0, "valueDataType": "NUMERIC_INT"}]'
    )
    for i in range(3):
        (folder / f"{i}.json").write_text(
            f'{{"file_name": "{i}.pgm", "type": "image", "metadata": {{"t": {2**53 + 1000 * i + 1}}}}}'
        )
    source = tamis.open(tmp_path)
    source.scan()
    wanted = "{input: {type: METADATA, key: Time}, strategy: {type: WEIGHTS}}"
    run = source.select(config=parse_config(f"{{n_samples: 1, strategies: [{wanted}]}}", source="test"))
    assert run.keys == ["2.pgm"]


def test_similarity_to_a_pool(source: tamis.Datasource) -> None:
    """SIMILARITY takes the members of a pool as its query set: the nearest sample is the member itself."""
    first = source.select(n=1, diverse=True, pool="queries", add_to_pool=True).keys
    text = """{n_samples: 1, strategies: [{input: {type: EMBEDDINGS, tag_name: queries},
        strategy: {type: SIMILARITY}}]}"""
    assert source.select(config=parse_config(text, source="test")).keys == first


def test_similarity_to_a_sample(source: tamis.Datasource) -> None:
    """SIMILARITY takes a sample or an object by its key, with vectors that are made from the predictions, too."""
    text = """{n_samples: 1, strategies: [{input: {type: EMBEDDINGS%s, tag_name: "%s"},
        strategy: {type: SIMILARITY}}]}"""
    key = source.select(n=1, balance=["boxes"]).keys[0]
    for query in (("", key), (", task: boxes", key), (", task: boxes", f"{key}#boxes#0")):
        assert source.select(config=parse_config(text % query, source="test")).keys == [key], query


def test_labelled_samples_count_as_a_pool_of_them(source: tamis.Datasource) -> None:
    """Samples given as labelled give the picks that a pool of them gives, beside another pool as without."""
    scores = ["boxes:uncertainty_entropy"]
    done = source.select(n=4, scores=["boxes:uncertainty_margin"], pool="done", add_to_pool=True).keys
    other = source.select(n=2, diverse=True, labelled=done, pool="other", add_to_pool=True)
    assert source.pool("other") == [*done, *other.keys]
    by_pool = source.select(n=6, scores=scores, diverse=True, balance=["boxes"], pool="done")
    by_list = source.select(n=6, scores=scores, diverse=True, balance=["boxes"], labelled=[*done, done[0]])
    both = source.select(n=6, scores=scores, diverse=True, balance=["boxes"], labelled=done, pool="done")
    assert by_list.keys == by_pool.keys == both.keys
    assert by_list.labelled == tuple(done)
    assert both.labelled == ()
    assert by_list.pool == by_pool.pool == both.pool


def test_labelled_names_that_are_no_samples_are_said_and_never_join(source: tamis.Datasource) -> None:
    """Unknown names are returned, the others count; where all are unknown it is the wrong list."""
    run = source.select(n=1, diverse=True, labelled=["x.jpg", "a/00.pgm", "y.jpg"], pool="some", add_to_pool=True)
    assert run.labelled_unknown == ("x.jpg", "y.jpg")
    assert source.pool("some") == ["a/00.pgm", *run.keys]
    with pytest.raises(UsageError, match="None of the 2 labelled names is a sample"):
        source.select(n=1, diverse=True, labelled=["x.jpg", "y.jpg"])


def test_only_vectors_that_decided_are_named(source: tamis.Datasource, tmp_path: Path) -> None:
    """A run without EMBEDDINGS names none, before and after the report has made some for its curves."""
    run = source.select(n=2, scores=["boxes:uncertainty_entropy"], out=tmp_path)
    assert run.embeddings == ()
    assert selection_document(run)["embeddings"] == ()
    run = source.select(n=2, diverse=True, out=tmp_path)
    assert run.embeddings == ("made from the predictions of `boxes` (47 dimensions)",)


def test_embeddings_of_the_user_decide(source: tamis.Datasource, tmp_path: Path) -> None:
    """Farthest-first on the user's vectors picks by them, whatever their order in the file; the rest is null."""
    keys = ["c/02.pgm", "a/00.pgm", "b/01.pgm", "nobody.jpg"]
    np.save(tmp_path / "mine.npy", np.array([[-1.0, 0.0], [1.0, 0.0], [0.9, 0.1], [0.0, 1.0]]))
    (tmp_path / "mine.txt").write_text("\n".join(keys) + "\n")
    run = source.select(n=30, diverse=True, embeddings=tmp_path / "mine.npy")
    assert run.keys == ["a/00.pgm", "c/02.pgm", "b/01.pgm"]
    assert run.selection.stopped == "all candidates are taken"
    assert run.inputs.vectors().n_unknown == 1
    assert run.embeddings == ("mine.npy (2 dimensions)",)


def test_the_first_picks_of_a_long_run_are_the_short_run(source: tamis.Datasource) -> None:
    """The first k picks of a run of n are the run of k, through the whole of the product."""
    long = source.select(n=12, scores=["boxes:uncertainty_entropy"], diverse=True).keys
    assert source.select(n=5, scores=["boxes:uncertainty_entropy"], diverse=True).keys == long[:5]


def test_shares_add_up(source: tamis.Datasource) -> None:
    """What the strategies paid of a pick adds up to 1, or is 0 where nothing grew."""
    run = source.select(n=10, scores=["boxes:uncertainty_entropy"], balance=["boxes"], diverse=True)
    sums = run.shares.sum(axis=1)
    assert np.all(np.isclose(sums, 1) | (sums == 0))
    assert (run.shares >= 0).all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{type: SCORES, task: boxes, score: mean_uncertainty}|{type: WEIGHTS}", "cannot have it"),
        ("{type: METADATA, key: Sped}|{type: WEIGHTS}", "There is no metadata `Sped`"),
        ("{type: METADATA, key: sample}|{type: WEIGHTS}", "is not numeric"),
        ("{type: PREDICTIONS, task: boxes, name: CATEGORY_COUNT, categories: [cow]}|{type: WEIGHTS}", "`cow`"),
        (CLASS_INPUT + "|{type: BALANCE, distribution: TARGET, target: {cow: 1}}", "`cow`"),
        ("{type: METADATA, key: Speed}|{type: BALANCE, distribution: UNIFORM}", "no classes: its type is float"),
        ("{type: EMBEDDINGS, tag_name: nobody}|{type: SIMILARITY}", "There is no tag `nobody`, nor a sample"),
    ],
)
def test_inputs_that_are_not_there_are_named(source: tamis.Datasource, text: str, said: str) -> None:
    """A config that asks for what the datasource does not have is one clear error."""
    given, strategy = text.split("|")
    config = parse_config(
        f"{{n_samples: 1, strategies: [{{input: {given}, strategy: {strategy}}}]}}", source="test"
    )
    with pytest.raises(UsageError, match=r".") as caught:
        source.select(config=config)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "key", ["a.jpg", "a b.jpg", '"q".jpg', "line\nbreak.jpg", "tab\tx.jpg", "\u2028.jpg", "é.jpg"]
)
def test_keys_survive_lists_of_names(tmp_path: Path, key: str) -> None:
    """A key written as a line is read as itself, whatever it holds."""
    (tmp_path / "names.txt").write_bytes(encode_keys(["first.jpg", key]))
    assert read_keys(tmp_path / "names.txt") == ["first.jpg", key]
