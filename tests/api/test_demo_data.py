from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tamis.api.demo import BACKGROUND, DETECTION, TRUTH_KEY, WEATHER, Demo, Truth, build_demo, read_truth
from tamis.errors import DatasourceError, UsageError
from tamis.formats import (
    METADATA_SCHEMA_KEY,
    TASKS_KEY,
    decode_metadata,
    decode_metadata_schema,
    decode_predictions,
    decode_schema,
    decode_tasks,
    from_predictions,
    metadata_key,
    prediction_key,
    schema_key,
)
from tamis.model import Prediction, Severity, Task
from tamis.scoring import object_scores, sample_scores
from tamis.storage import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (480, 320)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return build_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def truth(demo: Demo) -> Truth:
    return read_truth(demo.folder)


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def task_of(store: LocalStore, name: str) -> Task:
    task, problems = decode_schema(store.read(schema_key(name)).data, task=name, file="schema.json")
    assert task is not None
    assert problems == []
    return task


def errors_of(store: LocalStore, task: Task, key: str) -> tuple[list[Prediction], set[str]]:
    found, problems = decode_predictions(task, store.read(key).data, file=key, size=SIZE)
    return found, {problem.code for problem in problems if problem.severity is Severity.ERROR}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two demos of one seed agree in every byte; another seed shows other streets."""
    for name, seed in {"one": 3, "two": 3, "other": 4}.items():
        build_demo(tmp_path / name, n_images=6, seed=seed)
    one, two, other = (content(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert one.keys() != other.keys() or one != other


def test_all_files_keep_the_format_but_those_said_to_be_broken(demo: Demo) -> None:
    """Every prediction file reads without an error, each broken one with its own."""
    store = LocalStore.open(demo.folder)
    names, problems = decode_tasks(store.read(TASKS_KEY).data, file=TASKS_KEY)
    assert (tuple(names), problems) == (demo.tasks, [])
    found = {}
    for name in names:
        task = task_of(store, name)
        for sample_key in demo.sample_keys:
            key = prediction_key(name, sample_key)
            _, codes = errors_of(store, task, key)
            if codes:
                found[key] = codes
    orphans = set(demo.broken) - set(found)
    assert set(found) < set(demo.broken)
    assert list(found.values()) == [
        {"json-truncated"},
        {"number-not-finite"},
        {"category-unknown"},
        {"score-range"},
    ]
    assert [demo.broken[key] for key in orphans] == ["its image is not there"]


def test_every_picture_can_be_opened_and_has_metadata(demo: Demo) -> None:
    """All samples are JPEGs of the size that boxes and masks refer to, and their metadata fits the schema."""
    store = LocalStore.open(demo.folder)
    fields, problems = decode_metadata_schema(store.read(METADATA_SCHEMA_KEY).data, file="schema.json")
    assert problems == []
    for key in demo.sample_keys:
        with Image.open(BytesIO(store.read(key).data)) as picture:
            assert (picture.format, picture.size) == ("JPEG", SIZE)
        values, name, _, problems = decode_metadata(store.read(metadata_key(key)).data, fields, file=key)
        assert (name, problems) == (key, [])
        assert None not in values


def test_names_are_as_awkward_as_in_real_folders(demo: Demo) -> None:
    """There are names with spaces and names beyond ASCII, in subfolders."""
    keys = "\n".join(demo.sample_keys)
    assert " " in keys
    assert not keys.isascii()
    assert all("/" in key for key in demo.sample_keys)


def test_uncertain_samples_have_more_errors_than_random_ones(demo: Demo, truth: Truth) -> None:
    """The 20 samples of highest entropy hold at least half as many errors again as 20 random ones would."""
    store = LocalStore.open(demo.folder)
    task = task_of(store, DETECTION)
    keys = [key for key in demo.sample_keys if prediction_key(DETECTION, key) not in demo.broken]
    columns = from_predictions([errors_of(store, task, prediction_key(DETECTION, key))[0] for key in keys])
    entropy = sample_scores(task, columns, object_scores=object_scores(task, columns))["uncertainty_entropy"]
    errors = np.array([truth.samples[key].errors.total for key in keys])
    assert errors[np.argsort(-entropy, kind="stable")[:20]].mean() > 1.5 * errors.mean()


def test_the_detector_errs_more_where_there_is_less_to_see(truth: Truth) -> None:
    """Per object, fog and night cost more than a clear or cloudy day; classes are confused in the dark."""
    samples = list(truth.samples.values())
    day = [s for s in samples if s.weather in {"clear", "cloudy"} and not (s.is_night or s.is_crowded)]
    night = [s for s in samples if s.is_night]
    fog = [s for s in samples if s.weather == "fog"]
    rates = [sum(s.errors.total for s in part) / sum(len(s.objects) for s in part) for part in (day, night, fog)]
    assert rates[1] > 2 * rates[0]
    assert rates[2] > 2 * rates[0]
    assert sum(s.errors.wrong_class for s in night) > sum(s.errors.wrong_class for s in day)


def test_every_condition_occurs(truth: Truth) -> None:
    """There is something to balance: all weathers, days and nights, empty and crowded streets."""
    samples = list(truth.samples.values())
    assert {s.weather for s in samples} == {"clear", "cloudy", "rain", "fog"}
    assert {s.is_night for s in samples} == {s.is_crowded for s in samples} == {True, False}


def test_the_weather_model_is_right_by_day_and_guesses_at_night(demo: Demo, truth: Truth) -> None:
    """Its probabilities follow the pixels: by day it is mostly right, and at night less sure."""
    store = LocalStore.open(demo.folder)
    task = task_of(store, WEATHER)
    right: dict[bool, list[bool]] = {True: [], False: []}
    sure: dict[bool, list[float]] = {True: [], False: []}
    for key, sample in truth.samples.items():
        (one,), _ = errors_of(store, task, prediction_key(WEATHER, key))
        right[sample.is_night].append(task.by_id[one.category_id].name == sample.weather)
        sure[sample.is_night].append(one.score or 0)
    assert np.mean(right[False]) > 0.85
    assert np.mean(sure[True]) < np.mean(sure[False])


def test_masks_cover_most_of_the_picture_once(demo: Demo) -> None:
    """Masks of the background do not overlap, and leave out only what things hide."""
    store = LocalStore.open(demo.folder)
    task = task_of(store, BACKGROUND)
    for key in demo.sample_keys[:20]:
        found, _ = errors_of(store, task, prediction_key(BACKGROUND, key))
        area = sum(sum((one.segmentation or ())[1::2]) for one in found)
        assert 0.5 * SIZE[0] * SIZE[1] < area <= SIZE[0] * SIZE[1]


def test_a_demo_is_built_over_a_demo_only(tmp_path: Path) -> None:
    """An earlier demo's files go, other files stay; a folder that is something else is left alone."""
    build_demo(tmp_path, n_images=5)
    (tmp_path / "notes.txt").write_text("mine")
    build_demo(tmp_path, n_images=2, seed=1)
    files = content(tmp_path)
    assert files.pop("notes.txt") == b"mine"
    build_demo(tmp_path / "fresh", n_images=2, seed=1)
    assert files == content(tmp_path / "fresh")
    for name, text in {"notes.txt": "mine", TRUTH_KEY: json.dumps({"made_by": "me", "files": []})}.items():
        other = tmp_path / f"other {name}"
        other.mkdir()
        (other / name).write_text(text)
        with pytest.raises(UsageError, match="is not empty and not a demo: nothing was written"):
            build_demo(other)
        assert content(other) == {name: text.encode()}


def test_small_demos_can_be_built(tmp_path: Path) -> None:
    """One image is enough; none is refused."""
    demo = build_demo(tmp_path / "one", n_images=1)
    assert len(demo.sample_keys) == 1
    with pytest.raises(UsageError, match="expected n_images >= 1"):
        build_demo(tmp_path / "none", n_images=0)
    with pytest.raises(DatasourceError):
        read_truth(tmp_path)
